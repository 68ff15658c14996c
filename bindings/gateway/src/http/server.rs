//! Connections: accepted, encrypted where that is set, served one request after the other, and ended in
//! an orderly way.

use std::convert::Infallible;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tower_service::Service;

use super::client::Peer;
use super::slow::{Head, Watched};
use super::tls::Certificates;
use crate::gateway::Gateway;

/// The most connections at a time; the rest wait in the system's queue.
const CONNECTIONS: usize = 10_000;
/// How long a client may take to shake hands, or to send the head of a request that it has begun.
const HEAD: Duration = Duration::from_secs(15);
/// How long a connection may wait for its next request. Longer than the 60 s after which nginx closes what
/// waits in its pool (`keepalive_timeout` of an upstream): closed here first, a request could be on its way.
const IDLE: Duration = Duration::from_secs(75);
/// How large the head of a request may be, in bytes.
const HEAD_SIZE: usize = 32 * 1024;

/// Accepts connections until the gateway is to stop.
pub(crate) async fn serve(
    gateway: Arc<Gateway>,
    listener: TcpListener,
    certificates: Option<Arc<Certificates>>,
    router: Router,
) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let accepted = async {
            let place = Arc::clone(&places).acquire_owned().await.expect("it is never closed");
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            () = gateway.stop.cancelled() => return,
            accepted = accepted => accepted,
        };
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!("a connection could not be accepted: {error}");
                // Out of file descriptors, say: they come back when others end.
                sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let (router, certificates) = (router.clone(), certificates.clone());
        let gateway_of = Arc::clone(&gateway);
        gateway.tasks.spawn(async move {
            let _place = place;
            if let Err(error) = connection(&gateway_of, stream, Peer(address), certificates, router).await {
                tracing::debug!("the connection of {address} ended: {error}");
            }
        });
    }
}

async fn connection(
    gateway: &Gateway,
    stream: TcpStream,
    peer: Peer,
    certificates: Option<Arc<Certificates>>,
    router: Router,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    match certificates {
        None => requests(&gateway.stop, stream, peer, router).await,
        Some(certificates) => {
            let stream = timeout(HEAD, certificates.acceptor().accept(stream)).await??;
            requests(&gateway.stop, stream, peer, router).await
        }
    }
}

async fn requests(
    stop: &CancellationToken,
    stream: impl AsyncRead + AsyncWrite + Unpin,
    peer: Peer,
    router: Router,
) -> io::Result<()> {
    let head = Arc::new(Head::new());
    let stream = Watched::new(stream, Arc::clone(&head), HEAD);
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        head.arrived();
        let mut request: Request = request.map(Body::new);
        request.extensions_mut().insert(peer);
        let answer = router.clone().call(request);
        let head = Arc::clone(&head);
        async move {
            let answer = answer.await.unwrap_or_else(|never| match never {});
            head.awaited();
            Ok::<_, Infallible>(answer)
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE)
        .max_buf_size(HEAD_SIZE)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            // What is under way is answered; what waits for its next request is closed.
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    ended.map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
    use tokio::time::Instant;

    use super::*;

    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";

    /// A connection to a gateway that answers `yes`, in a time that goes as fast as nothing happens.
    async fn connected() -> (DuplexStream, Instant) {
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        let router = Router::new().route("/", get(async || "yes")).route(
            "/slow",
            get(async || {
                sleep(Duration::from_secs(40)).await;
                "yes"
            }),
        );
        let peer = Peer("192.0.2.1:1".parse().expect("an address"));
        tokio::spawn(async move { requests(&CancellationToken::new(), theirs, peer, router).await });
        (ours, Instant::now())
    }

    async fn say(stream: &mut DuplexStream, bytes: &[u8]) {
        stream.write_all(bytes).await.expect("it is open");
    }

    async fn answered(stream: &mut DuplexStream, times: usize) {
        let mut read = Vec::new();
        while String::from_utf8_lossy(&read).matches("yes").count() < times {
            assert_ne!(stream.read_buf(&mut read).await.expect("it is open"), 0, "it was closed");
        }
    }

    /// When the gateway closes it, in seconds since it was opened; at once what else it says.
    async fn closed(mut stream: DuplexStream, since: Instant) -> u64 {
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest).await;
        since.elapsed().as_secs()
    }

    #[tokio::test(start_paused = true)]
    async fn what_waits_for_its_next_request_stays_for_longer_than_a_proxy_keeps_it() {
        let (mut stream, since) = connected().await;
        for _ in 0..3 {
            say(&mut stream, REQUEST).await;
            answered(&mut stream, 1).await;
            sleep(Duration::from_secs(61)).await;
        }
        say(&mut stream, REQUEST).await;
        answered(&mut stream, 1).await;
        assert_eq!(closed(stream, since).await, 3 * 61 + IDLE.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn what_has_begun_a_request_is_to_end_its_head() {
        // Nothing at all; a part of a first head; the same drop by drop; a part of a second one.
        let (stream, since) = connected().await;
        assert_eq!(closed(stream, since).await, HEAD.as_secs());
        let (mut stream, since) = connected().await;
        say(&mut stream, &REQUEST[..20]).await;
        assert_eq!(closed(stream, since).await, HEAD.as_secs());
        let (mut stream, since) = connected().await;
        for byte in REQUEST.chunks(1).take(REQUEST.len() - 1) {
            if stream.write_all(byte).await.is_err() {
                break;
            }
            sleep(Duration::from_secs(2)).await;
        }
        assert!(closed(stream, since).await <= HEAD.as_secs() + 2);
        let (mut stream, since) = connected().await;
        say(&mut stream, REQUEST).await;
        answered(&mut stream, 1).await;
        sleep(Duration::from_secs(50)).await;
        say(&mut stream, &REQUEST[..20]).await;
        assert_eq!(closed(stream, since).await, 50 + HEAD.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_being_answered_is_not_hurried() {
        let (mut stream, _) = connected().await;
        say(&mut stream, b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n").await;
        answered(&mut stream, 1).await;
        // The next request of one who did not wait for the answer.
        say(&mut stream, b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        answered(&mut stream, 2).await;
    }
}
