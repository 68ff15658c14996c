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
use tower_service::Service;

use super::client::Peer;
use super::tls::Certificates;
use crate::gateway::Gateway;

/// The most connections at a time; the rest wait in the system's queue.
const CONNECTIONS: usize = 10_000;
/// How long a client may take to shake hands, or to send the head of a request.
const HEAD: Duration = Duration::from_secs(15);
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
        None => requests(gateway, stream, peer, router).await,
        Some(certificates) => {
            let stream = timeout(HEAD, certificates.acceptor().accept(stream)).await??;
            requests(gateway, stream, peer, router).await
        }
    }
}

async fn requests(
    gateway: &Gateway,
    stream: impl AsyncRead + AsyncWrite + Unpin,
    peer: Peer,
    router: Router,
) -> io::Result<()> {
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let mut request: Request = request.map(Body::new);
        request.extensions_mut().insert(peer);
        let answer = router.clone().call(request);
        async move { Ok::<_, Infallible>(answer.await.unwrap_or_else(|never| match never {})) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(HEAD_SIZE)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = gateway.stop.cancelled() => {
            // What is under way is answered; what waits for its next request is closed.
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    ended.map_err(io::Error::other)
}
