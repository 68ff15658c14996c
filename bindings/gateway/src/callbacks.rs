//! Callbacks in: `/callbacks/{account}/{secret}`, the address that a provider was told. The engine verifies
//! the raw bytes and keeps what they say; what it answers is the answer.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Extension, Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use bayar::{Acknowledgement, Callback, Error};
use bayar_provider::Secret;
use subtle::ConstantTimeEq;

use crate::document::endpoint_not_found;
use crate::gateway::Gateway;
use crate::http::client::Client;
use crate::problem::Problem;
use crate::{metrics, tell};

/// The addresses. Some providers add to them what they want back.
pub(crate) fn router() -> Router<Arc<Gateway>> {
    Router::new()
        .route("/callbacks/{account}/{secret}", any(plain))
        .route("/callbacks/{account}/{secret}/{*rest}", any(longer))
}

async fn plain(
    state: State<Arc<Gateway>>,
    client: Extension<Client>,
    Path((account, secret)): Path<(String, String)>,
    parts: Parts,
    body: Bytes,
) -> Result<Response, Problem> {
    receive(state.0, client.0, account, Secret::new(secret), String::new(), parts, body).await
}

async fn longer(
    state: State<Arc<Gateway>>,
    client: Extension<Client>,
    Path((account, secret, rest)): Path<(String, String, String)>,
    parts: Parts,
    body: Bytes,
) -> Result<Response, Problem> {
    receive(state.0, client.0, account, Secret::new(secret), format!("/{rest}"), parts, body).await
}

async fn receive(
    gateway: Arc<Gateway>,
    client: Client,
    account: String,
    secret: Secret,
    rest: String,
    parts: Parts,
    body: Bytes,
) -> Result<Response, Problem> {
    let named = account.clone();
    let looked = gateway.look(move |gateway| is_address(gateway, &named, &secret)).await;
    let known = looked.map_err(later)?.map_err(|error| later(error.into()))?;
    if !known {
        // Whoever guesses is slowed down; the provider never is.
        gateway.limits.address(client.address)?;
        return Err(endpoint_not_found());
    }
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let callback = Callback {
        method: parts.method.to_string(),
        // Without the secret, which is ours to check and nobody's to write down.
        path: format!("/callbacks/{account}{rest}"),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
        remote_addr: Some(client.address.to_string()),
        body: body.to_vec(),
        ..Callback::default()
    };
    let received = gateway.call(move |gateway| hand_over(gateway, &account, callback)).await;
    received.map(|acknowledgement| answer(&acknowledgement)).map_err(later)
}

/// Whatever is wrong with us, a provider hears that it should send it again: after a 500 some do not.
fn later(problem: Problem) -> Problem {
    Problem { status: StatusCode::SERVICE_UNAVAILABLE, ..problem }
}

/// Whether this is where the provider was told to call. An account that there is not takes as long as one
/// whose secret is another.
fn is_address(gateway: &Gateway, account: &str, given: &Secret) -> Result<bool, Error> {
    if !gateway.accounts.contains_key(account) {
        return Ok(false);
    }
    let secrets = gateway.store.inbound_secrets(account)?;
    let is = |secret: &Secret| bool::from(secret.expose().as_bytes().ct_eq(given.expose().as_bytes()));
    Ok(secrets.iter().fold(false, |found, secret| found | is(secret)))
}

/// Gives it to the engine, tells what came of it, and says what to answer.
fn hand_over(gateway: &Gateway, account: &str, callback: Callback) -> Acknowledgement {
    let received = gateway.engine.callback(account, callback);
    let result = match &received {
        Ok(outcome) => {
            let status = serde_json::json!(outcome.result.status);
            tracing::info!(account, intent = outcome.intent, "a callback says {status}");
            status.as_str().unwrap_or_default().to_owned()
        }
        Err(error) => {
            tracing::warn!(account, "a callback was not taken: {error}");
            error.code.as_str().to_owned()
        }
    };
    let operation = "callback".to_owned();
    let labels = metrics::Call { account: account.to_owned(), operation, result };
    gateway.metrics.callbacks.get_or_create(&labels).inc();
    let outcome = match received {
        Ok(outcome) => outcome,
        Err(error) => return error.acknowledgement.unwrap_or_else(try_again),
    };
    if let Err(error) = tell::of_intent(gateway, &outcome.intent) {
        tracing::warn!("{} is told later: {error}", outcome.intent);
    }
    outcome.acknowledgement.unwrap_or_else(try_again)
}

fn try_again() -> Acknowledgement {
    Acknowledgement::json(503, r#"{"status":"try again"}"#)
}

fn answer(acknowledgement: &Acknowledgement) -> Response {
    let status = StatusCode::from_u16(acknowledgement.status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    let mut response = (status, acknowledgement.body.clone()).into_response();
    if let Ok(kind) = HeaderValue::from_str(&acknowledgement.content_type) {
        response.headers_mut().insert(CONTENT_TYPE, kind);
    }
    response
}
