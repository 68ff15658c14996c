//! What every request passes: it gets an id, is counted and logged, and is turned away where its address
//! asks too often or its body is too large.

use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, HeaderValue, Method, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bayar::Error;
use tracing::Instrument;

use super::body;
use super::client::{Client, Peer};
use crate::document;
use crate::gateway::Gateway;
use crate::metrics;
use crate::problem::Problem;
use crate::seal::random;

/// Goes around every request.
pub(crate) async fn around(State(gateway): State<Arc<Gateway>>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let id = request_id(request.headers());
    let peer = request.extensions().get::<Peer>().map(|peer| peer.0.ip());
    let Some(peer) = peer else { return Problem::internal("a request came from nowhere").into_response() };
    let client = Client::of(peer, request.headers(), &gateway.settings.trusted_proxies);
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let path = without_secret(request.uri().path());
    let span = tracing::info_span!("request", id, client = %client.address, app = tracing::field::Empty);
    let answer = async {
        let mut response = inside(&gateway, client, request, next).await;
        finish(&mut response, &id);
        let status = response.status().as_u16();
        let ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::info!(status, ms, "{method} {path}");
        response
    };
    let response = answer.instrument(span).await;
    let route = route.unwrap_or_else(|| "none".to_owned());
    let status = response.status().as_u16();
    gateway
        .metrics
        .seconds
        .get_or_create(&metrics::Route { route: route.clone() })
        .observe(began.elapsed().as_secs_f64());
    let method = counted(&method);
    gateway.metrics.requests.get_or_create(&metrics::Request { route, method, status }).inc();
    response
}

/// The path for the log. What follows an account in a callback's address is a secret, and what an invitation
/// ends with, also where somebody wrote them a little otherwise.
fn without_secret(path: &str) -> String {
    let mut shown = String::new();
    for (number, part) in path.split('/').enumerate() {
        if number > 0 {
            shown.push('/');
        }
        shown.push_str(part);
        let secret_follows = match part {
            "callbacks" => 2,
            "join" | "pay" => 1,
            _ => continue,
        };
        let rest = path[shown.len()..].split('/').filter(|part| !part.is_empty());
        if rest.clone().count() >= secret_follows {
            let named: String = rest.take(secret_follows - 1).map(|part| format!("/{part}")).collect();
            return format!("{shown}{named}/…");
        }
    }
    shown
}

/// The method as it is counted. Anybody may make one up, and each would be kept.
fn counted(method: &Method) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    KNOWN.into_iter().find(|known| *known == method.as_str()).unwrap_or("other")
}

async fn inside(gateway: &Arc<Gateway>, client: Client, request: Request, next: Next) -> Response {
    // Providers come in crowds, from few addresses; what they must know is checked there.
    let of_provider = request.uri().path().starts_with("/callbacks/");
    let refused = refusal_at(request.uri().path());
    if !of_provider && let Err(problem) = gateway.limits.address(client.address) {
        gateway.metrics.turned_away.get_or_create(&metrics::Result { result: "rate_limited" }).inc();
        return refused(problem);
    }
    // What a provider sends is judged as it came, and a payer is answered with a page.
    let own = of_provider || request.uri().path().starts_with("/pay/");
    if !own && let Err(problem) = legible(request.uri()) {
        return refused(problem);
    }
    let (mut parts, body) = request.into_parts();
    let body = match body::whole(body, gateway.settings.body_limit).await {
        Ok(body) => body,
        Err(problem) => return refused(problem),
    };
    parts.extensions.insert(client);
    next.run(Request::from_parts(parts, Body::from(body))).await
}

/// Whether path and query are text, percent-encoded: no database takes anything else.
fn legible(uri: &Uri) -> Result<(), Problem> {
    for (field, text) in [("path", uri.path()), ("query", uri.query().unwrap_or_default())] {
        let plain = percent_encoding::percent_decode_str(text).decode_utf8();
        let plain = plain.map_err(|_| {
            let allowed = "UTF-8, percent-encoded";
            Error::from(bayar_provider::Error::invalid(field, format!("{text:?}"), allowed))
        })?;
        if plain.contains('\0') {
            return Err(body::nul(field));
        }
    }
    Ok(())
}

/// How a problem is answered at this address: in the document's form at the document's own.
fn refusal_at(path: &str) -> fn(Problem) -> Response {
    if path == "/charge" || path == "/status" || path.starts_with("/status/") {
        document::refused
    } else {
        Problem::into_response
    }
}

fn finish(response: &mut Response, id: &str) {
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert("x-request-id", id);
    }
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}

/// The client's own where it is plain, so that its log and ours can be laid side by side.
fn request_id(headers: &HeaderMap) -> String {
    let given = headers.get("x-request-id").and_then(|value| value.to_str().ok());
    let plain = |id: &&str| {
        (8..=64).contains(&id.len()) && id.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
    };
    match given.filter(plain) {
        Some(id) => id.to_owned(),
        None => random::<8>().map_or_else(|_| "-".to_owned(), hex::encode),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_in_paths_are_not_logged() {
        for (path, shown) in [
            ("/callbacks/midtrans/SECRET", "/callbacks/midtrans/…"),
            ("/callbacks/midtrans/SECRET/", "/callbacks/midtrans/…"),
            ("/callbacks/biller/SECRET/TOKEN", "/callbacks/biller/…"),
            ("//callbacks//midtrans//SECRET", "//callbacks/midtrans/…"),
            ("/x/callbacks/midtrans/SECRET", "/x/callbacks/midtrans/…"),
            ("/dashboard/join/SECRET", "/dashboard/join/…"),
            ("/callbacks/midtrans", "/callbacks/midtrans"),
            ("/status/INV/2025", "/status/INV/2025"),
            ("/", "/"),
        ] {
            assert_eq!(without_secret(path), shown, "{path}");
        }
    }
}
