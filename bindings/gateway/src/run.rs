//! From the configuration to a gateway that serves, and to its end.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::Uri;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use bayar::{Code, Error};
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{interval, timeout};

use crate::config::{Loaded, invalid};
use crate::deliver::PLACES;
use crate::gateway::{Gateway, READERS};
use crate::http::tls::Certificates;
use crate::http::{layers, server};
use crate::{background, callbacks, dashboard, document, logs, ops, pay, v1};

/// How much longer than the longest call the gateway waits for what is under way when it stops.
const STOP_MARGIN: Duration = Duration::from_secs(10);
/// How often it looks whether its certificate's files changed.
const LOOK_AT_CERTIFICATE: Duration = Duration::from_secs(2);
/// How often it forgets addresses that have not asked for a while.
const FORGET: Duration = Duration::from_secs(60);

/// Runs the gateway until it is told to stop, by SIGTERM or SIGINT.
///
/// # Errors
/// What keeps it from starting: the configuration, the databases, the address that it is to listen at.
pub fn run(loaded: Loaded) -> Result<(), Error> {
    logs::start(&loaded.settings)?;
    let certificates = Certificates::open(&loaded.settings)?;
    let gateway = Gateway::open(loaded)?;
    logs::redact_by(&gateway.engine);
    let runtime = Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(gateway.settings.calls + READERS + PLACES + 8)
        .build()
        .map_err(|error| Error::not_sent(Code::Internal, format!("no threads: {error}")))?;
    let ended = runtime.block_on(serve(&gateway, certificates));
    runtime.shutdown_timeout(Duration::from_secs(1));
    ended
}

async fn serve(gateway: &Arc<Gateway>, certificates: Option<Arc<Certificates>>) -> Result<(), Error> {
    // Tables are made before anybody asks.
    gateway.look(with_its_key).await.map_err(|p| broken(p.message()))??;
    let listen = gateway.settings.listen;
    let refused =
        |error: std::io::Error| invalid("listen", format!("is {listen}, which cannot be used: {error}"));
    let listener = TcpListener::bind(listen).await.map_err(refused)?;
    let scheme = if certificates.is_some() { "https" } else { "http" };
    let at = listener.local_addr().map_err(refused)?;
    tracing::info!("listening on {scheme}://{at}");
    println!("listening on {scheme}://{at}");

    watch(Arc::clone(gateway), certificates.clone())?;
    background::start(gateway);
    server::serve(Arc::clone(gateway), listener, certificates, router(gateway)).await;

    let most = gateway.engine.longest_call() + STOP_MARGIN;
    tracing::info!("stopping: what is under way has {} s to end", most.as_secs());
    gateway.tasks.close();
    if timeout(most, gateway.tasks.wait()).await.is_err() {
        tracing::error!("stopped with work under way: recovery will look at it");
    }
    tracing::info!("stopped");
    Ok(())
}

/// Sees to it that what is sealed can be opened.
fn with_its_key(gateway: &Gateway) -> Result<(), Error> {
    if let Some(count) = gateway.store.seal_anew()? {
        tracing::info!(
            "{count} secrets were sealed anew: previous_secret_key may be taken out of the configuration"
        );
    }
    gateway.store.check_key()
}

/// Everything that is served.
fn router(gateway: &Arc<Gateway>) -> Router {
    Router::new()
        .merge(ops::router())
        .merge(dashboard::router())
        .merge(callbacks::router())
        .merge(document::router())
        .merge(pay::router())
        .merge(v1::router(gateway))
        .fallback(nowhere)
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn_with_state(Arc::clone(gateway), layers::around))
        .with_state(Arc::clone(gateway))
}

async fn nowhere(uri: Uri) -> Response {
    if uri.path() == "/v1" || uri.path().starts_with("/v1/") {
        document::endpoint_not_found().into_response()
    } else {
        document::nowhere()
    }
}

/// Listens to signals, and looks after what changes while it runs.
fn watch(gateway: Arc<Gateway>, certificates: Option<Arc<Certificates>>) -> Result<(), Error> {
    let listen = |kind| signal(kind).map_err(|error| broken(&format!("no signals: {error}")));
    let (mut term, mut int) = (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
    let mut hang_up = listen(SignalKind::hangup())?;
    let (mut clock, mut slow_clock) = (interval(LOOK_AT_CERTIFICATE), interval(FORGET));
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = term.recv() => break,
                _ = int.recv() => break,
                _ = hang_up.recv() => {
                    logs::reopen();
                    certificates.iter().for_each(|certificates| certificates.reload());
                }
                _ = slow_clock.tick() => gateway.limits.tidy(),
                _ = clock.tick() => {
                    let changed = certificates.iter().filter(|certificates| certificates.has_changed());
                    changed.for_each(|certificates| certificates.reload());
                }
            }
        }
        gateway.stop.cancel();
    });
    Ok(())
}

fn broken(what: &str) -> Error {
    Error::not_sent(Code::Internal, what)
}
