//! Callbacks out: what applications are told, by Standard Webhooks 1.0.0. Each event is delivered at least
//! once and always under the same `webhook-id`, so that whoever keeps those that it has seen hears it once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bayar::transport::{Options, Reason, Transport};
use bayar::{Code, Error, Request};
use bayar_provider::Secret;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::config::Settings;
use crate::gateway::Gateway;
use crate::metrics;
use crate::store::deliveries::{Due, Tried};
use crate::store::keys::now_ms;

/// How many deliveries one instance has under way, and how many all of them have of one application.
pub(crate) const PLACES: usize = 32;
const EACH: usize = 4;
/// How long an application may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Longer than a try takes. Where a name server keeps one even longer, it may be made twice, under one id.
const LEASE_MS: i64 = 20_000;
/// How often it is looked whether something is due that nobody rang for.
const LOOK: Duration = Duration::from_secs(1);

/// How callbacks leave.
pub(crate) fn transport(settings: &Settings) -> Result<Transport, Error> {
    let options = Options {
        // What an application answers is not read further than its status.
        body_cap: 64 * 1024,
        ca_file: settings.callback_ca_file.clone(),
        allow_http: settings.allow_private_callbacks,
        public_only: !settings.allow_private_callbacks,
        ..Options::default()
    };
    Transport::new(options).map_err(|error| {
        Error::not_sent(Code::InvalidConfig, format!("gateway.callback_ca_file: {}", error.message))
            .field("gateway.callback_ca_file")
    })
}

/// Delivers until the gateway is to stop; what is under way then is finished.
pub(crate) async fn run(gateway: Arc<Gateway>) {
    let places = Arc::new(Semaphore::new(PLACES));
    while !gateway.stop.is_cancelled() {
        let free = places.available_permits();
        let taken = match free {
            0 => Vec::new(),
            _ => take(&gateway, free).await,
        };
        let idle = taken.is_empty();
        for due in taken {
            let place = Arc::clone(&places).acquire_owned().await.expect("it is never closed");
            let gateway_of = Arc::clone(&gateway);
            gateway.tasks.spawn_blocking(move || {
                one(&gateway_of, &due);
                drop(place);
                // Its application may have more.
                gateway_of.bell.notify_one();
            });
        }
        if idle {
            tokio::select! {
                () = gateway.stop.cancelled() => return,
                _ = timeout(LOOK, gateway.bell.notified()) => {}
            }
        }
    }
}

async fn take(gateway: &Arc<Gateway>, free: usize) -> Vec<Due> {
    let store = gateway.store.clone();
    let taken = gateway.tasks.spawn_blocking(move || store.take_due(free, EACH, LEASE_MS)).await;
    match taken {
        Ok(Ok(taken)) => taken,
        Ok(Err(error)) => {
            tracing::error!("deliveries cannot be looked up: {error}");
            Vec::new()
        }
        Err(error) => {
            tracing::error!("looking deliveries up broke off: {error}");
            Vec::new()
        }
    }
}

/// One try.
fn one(gateway: &Gateway, due: &Due) {
    let tried = attempt(gateway, due);
    let result = if tried.error.is_none() { "told" } else { "failed" };
    gateway.metrics.deliveries.get_or_create(&metrics::Result { result }).inc();
    let (event, app) = (due.event.id.as_str(), due.event.app.as_str());
    match &tried.error {
        None => tracing::info!(event, app, number = due.number, "{} was delivered", due.event.kind),
        Some(why) => {
            tracing::warn!(event, app, number = due.number, "{} was not delivered: {why}", due.event.kind)
        }
    }
    match gateway.store.tried(due, &tried) {
        Ok(true) => {}
        Ok(false) => tracing::warn!(event, app, "another instance delivers it meanwhile"),
        Err(error) => tracing::error!(event, app, "what came of a delivery could not be kept: {error}"),
    }
}

fn attempt(gateway: &Gateway, due: &Due) -> Tried {
    let began = Instant::now();
    let ended = send(gateway, due);
    let took_ms = i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX);
    match ended {
        Ok(status) if (200..300).contains(&status) => {
            Tried { status: Some(status), took_ms, ..Tried::default() }
        }
        Ok(status) => Tried {
            status: Some(status),
            error: Some(why(status)),
            // "Gone": the one status by which Standard Webhooks has an address say that it wants no more.
            hopeless: status == 410,
            took_ms,
        },
        Err(error) => Tried { error: Some(error), took_ms, ..Tried::default() },
    }
}

fn why(status: u16) -> String {
    match status {
        300..400 => format!("it answered {status}, and redirects are not followed; expected 2xx"),
        410 => "it answered 410: it wants no more; expected 2xx".to_owned(),
        _ => format!("it answered {status}; expected 2xx"),
    }
}

fn send(gateway: &Gateway, due: &Due) -> Result<u16, String> {
    let secrets = gateway.store.webhook_secrets(&due.event.app).map_err(|error| error.message)?;
    let timestamp = now_ms() / 1000;
    let signatures = signatures(&secrets, &due.event.id, timestamp, due.event.body.as_bytes())?;
    let request = Request::new("POST", due.url.as_str())
        .header("Content-Type", "application/json")
        .header("webhook-id", due.event.id.as_str())
        .header("webhook-timestamp", timestamp.to_string())
        .header("webhook-signature", signatures)
        .body(due.event.body.clone().into_bytes());
    let answer = gateway.transport.send(&request, true, Instant::now() + PATIENCE);
    answer.map(|answer| answer.status).map_err(|failure| match failure.reason {
        Reason::NotPublic | Reason::Insecure => {
            format!("{} goes nowhere: expected https:// to the public internet, or allow_private_callbacks in [gateway] ({})",
                due.url, failure.message)
        }
        _ => failure.message,
    })
}

/// One signature for each secret that is valid, with a blank between them.
fn signatures(secrets: &[Secret], id: &str, timestamp: i64, body: &[u8]) -> Result<String, String> {
    let sign = |secret: &Secret| {
        let key = secret.expose().strip_prefix("whsec_").and_then(|key| BASE64_STANDARD.decode(key).ok());
        let key = key.ok_or("its secret is damaged; expected whsec_ and base64")?;
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).map_err(|_| "its secret cannot sign")?;
        mac.update(format!("{id}.{timestamp}.").as_bytes());
        mac.update(body);
        Ok(format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes())))
    };
    let signatures: Result<Vec<String>, String> = secrets.iter().map(sign).collect();
    signatures.map(|all| all.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification, "Signature scheme".
    #[test]
    fn signs_as_standard_webhooks_has_it() {
        let secret = Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let body = br#"{"test": 2432232314}"#;
        let signed =
            signatures(std::slice::from_ref(&secret), "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body);
        assert_eq!(signed.as_deref(), Ok("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="));
        let two = signatures(&[secret.clone(), secret], "a", 1, b"{}").expect("is signed");
        let (first, second) = two.split_once(' ').expect("two");
        assert_eq!(first, second);
        assert!(signatures(&[Secret::new("whsec_?")], "a", 1, b"{}").is_err());
    }
}
