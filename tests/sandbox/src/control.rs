//! `/_sandbox/…`: what a script may ask of the sandbox. Refusals are JSON: `{"error": {"code",
//! "message"}}`.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};

use crate::callbacks;
use crate::faults::Fault;
use crate::provider::{Act, ActKind, Provider, Request, pairs};
use crate::server::Frame;

pub(crate) fn routes() -> Router<Arc<Frame>> {
    Router::new()
        .route("/_sandbox/requests", get(requests).delete(forget))
        .route("/_sandbox/orders", get(orders))
        .route("/_sandbox/faults", get(faults).post(add_fault).delete(clear_faults))
        .route("/_sandbox/settings", get(settings).post(change_settings))
        .route("/_sandbox/{provider}/{order}", get(order))
        .route("/_sandbox/{provider}/{order}/callback", get(callback))
        .route("/_sandbox/{provider}/{order}/{act}", post(act))
        .method_not_allowed_fallback(async || nothing())
}

/// A refusal.
pub(crate) fn refuse(status: u16, code: &str, message: &str) -> Response {
    json_with(status, &json!({"error": {"code": code, "message": message}}))
}

fn json_with(status: u16, document: &Value) -> Response {
    let status = StatusCode::from_u16(status).expect("statuses are written here");
    (status, [(header::CONTENT_TYPE, "application/json")], document.to_string()).into_response()
}

fn json_of(document: &impl serde::Serialize) -> Response {
    json_with(200, &serde_json::to_value(document).expect("the books are plain data"))
}

/// What is answered to a call that does not exist.
pub(crate) fn nothing() -> Response {
    let known = "GET|DELETE /_sandbox/requests, GET /_sandbox/orders, GET|POST|DELETE /_sandbox/faults, GET|POST /_sandbox/settings, \
         GET /_sandbox/{provider}/{order_id}, GET /_sandbox/{provider}/{order_id}/callback, \
         POST /_sandbox/{provider}/{order_id}/{act}";
    refuse(404, "not_found", &format!("there is no such control call; known: {known}"))
}

/// Everything that arrived and left, oldest first; `?direction=in|out`, `?provider=…`,
/// `?order_id=…` (of callbacks), `?after=<seq>` narrow it.
async fn requests(State(frame): State<Arc<Frame>>, uri: axum::http::Uri) -> Response {
    let wanted: BTreeMap<String, String> = pairs(uri.query().unwrap_or_default()).collect();
    let books = frame.books();
    let is = |name: &str, value: &str| wanted.get(name).is_none_or(|one| one == value);
    let after: u64 = wanted.get("after").and_then(|text| text.parse().ok()).unwrap_or(0);
    let entries: Vec<_> = books
        .log
        .iter()
        .filter(|entry| {
            is("direction", entry.direction) && is("provider", &entry.provider) && entry.seq > after
        })
        .filter(|entry| wanted.get("order_id").is_none_or(|id| entry.order_id.as_ref() == Some(id)))
        .collect();
    json_of(&entries)
}

async fn forget(State(frame): State<Arc<Frame>>) -> Response {
    frame.books().log.clear();
    json_with(200, &json!({"cleared": "requests"}))
}

/// All orders, newest first; `?provider=…` narrows it.
async fn orders(State(frame): State<Arc<Frame>>, uri: axum::http::Uri) -> Response {
    frame.sweep();
    let wanted = pairs(uri.query().unwrap_or_default()).find(|(name, _)| name == "provider");
    let books = frame.books();
    let of = |provider: &str| wanted.as_ref().is_none_or(|(_, one)| one == provider);
    let orders: Vec<_> = books.orders.newest().filter(|order| of(order.provider)).collect();
    json_of(&orders)
}

async fn order(State(frame): State<Arc<Frame>>, Path((provider, id)): Path<(String, String)>) -> Response {
    frame.sweep();
    match find(&frame, &provider, &id) {
        Ok(provider) => order_document(&frame, provider, &id)
            .map_or_else(|| unknown_order(provider.id(), &id), |document| json_with(200, &document)),
        Err(refusal) => *refusal,
    }
}

fn order_document(frame: &Frame, provider: &dyn Provider, id: &str) -> Option<Value> {
    let books = frame.books();
    let order = books.orders.get(provider.id(), id)?;
    Some(serde_json::to_value(order).expect("an order is plain data"))
}

fn unknown_order(provider: &str, id: &str) -> Response {
    let message = format!("{provider} has no order {id}; GET /_sandbox/orders lists what there is");
    refuse(404, "unknown_order", &message)
}

/// The provider, if it exists and has that order.
fn find<'a>(frame: &'a Frame, provider: &str, id: &str) -> Result<&'a dyn Provider, Box<Response>> {
    let Some(found) = frame.provider(provider) else {
        let known: Vec<_> = frame.providers.iter().map(|one| one.id()).collect();
        let message = format!("there is no provider {provider}; known: {}", known.join(", "));
        return Err(Box::new(refuse(404, "unknown_provider", &message)));
    };
    if frame.books().orders.get(found.id(), id).is_none() {
        return Err(Box::new(unknown_order(found.id(), id)));
    }
    Ok(found)
}

/// The callback about an order as it would be sent now, without sending it.
async fn callback(State(frame): State<Arc<Frame>>, Path((provider, id)): Path<(String, String)>) -> Response {
    let provider = match find(&frame, &provider, &id) {
        Ok(provider) => provider,
        Err(refusal) => return *refusal,
    };
    let (made, _) = frame.at_desk(provider, |desk| {
        let own = desk.order(&id).map(|order| order.order_id.clone()).unwrap_or_default();
        provider.callback(&own, desk)
    });
    let message = "the provider sends no callback about an order in this state";
    made.map_or_else(|| refuse(409, "no_callback", message), |callback| json_of(&callback))
}

/// Does what a payer, a bank or time would do, and reports what the callback met.
async fn act(
    State(frame): State<Arc<Frame>>,
    Path((provider, id, word)): Path<(String, String, String)>,
    headers: HeaderMap,
    uri: axum::http::Uri,
    body: Bytes,
) -> Response {
    let provider = match find(&frame, &provider, &id) {
        Ok(provider) => provider,
        Err(refusal) => return *refusal,
    };
    let Some((_, kind)) = ActKind::ALL.into_iter().find(|(known, _)| *known == word) else {
        let known: Vec<_> = ActKind::ALL.iter().map(|(word, _)| *word).collect();
        return refuse(404, "unknown_act", &format!("there is no act {word}; known: {}", known.join(", ")));
    };
    if !provider.knows(kind) {
        return refuse(409, "invalid_state", &format!("{} knows no such thing as {word}", provider.id()));
    }
    let act = Act { kind, method: method_of(&uri, body) };
    let (done, outbox) = frame.at_desk(provider, |desk| {
        let own = desk.order(&id).map(|order| order.order_id.clone()).unwrap_or_default();
        provider.act(&act, &own, desk)
    });
    if let Err(reason) = done {
        return refuse(409, "invalid_state", &reason);
    }
    // A person pressed a button of the page: back to it, without waiting for the merchant.
    let wants_page = headers
        .get(header::ACCEPT)
        .is_some_and(|value| value.to_str().is_ok_and(|text| text.contains("text/html")));
    if wants_page {
        frame.deliver_later(provider.id(), outbox);
        return Redirect::to("/").into_response();
    }
    let mut deliveries = Vec::new();
    for callback in &outbox {
        deliveries.extend(callbacks::deliver(&frame, provider.id(), callback).await);
    }
    let mut document = json!({"order": order_document(&frame, provider, &id), "deliveries": deliveries});
    if deliveries.is_empty() {
        document["note"] = json!(no_callback_note(provider.id(), !outbox.is_empty()));
    }
    json_with(200, &document)
}

fn no_callback_note(provider: &str, made: bool) -> String {
    if made {
        format!(
            "no callback was sent: nobody said where; --set {provider}.callback_url=http://127.0.0.1:PORT/… does"
        )
    } else {
        "the provider sends no callback about this".to_owned()
    }
}

/// `method=…` in the query or in a form.
fn method_of(uri: &axum::http::Uri, body: Bytes) -> Option<String> {
    let form = Request {
        method: String::new(),
        path: String::new(),
        query: String::new(),
        headers: Vec::new(),
        body: body.to_vec(),
    };
    let query =
        pairs(uri.query().unwrap_or_default()).find(|(name, _)| name == "method").map(|(_, value)| value);
    query.or_else(|| form.form("method")).filter(|method| !method.is_empty())
}

async fn faults(State(frame): State<Arc<Frame>>) -> Response {
    json_of(&frame.books().faults.waiting())
}

async fn add_fault(State(frame): State<Arc<Frame>>, body: Bytes) -> Response {
    let fault: Fault = match serde_json::from_slice(&body) {
        Ok(fault) => fault,
        Err(error) => {
            let shape = "expected {\"fault\": \"delay|reset|truncate|500|html|duplicate\", \"provider\"?, \
                 \"path_contains\"?, \"ms\"?, \"times\"?, \"when\"?: \"before|after\", \"on\"?: \"request|callback\", \"status\"?}";
            return refuse(400, "invalid_fault", &format!("{error}; {shape}"));
        }
    };
    if let Err(reason) = fault.check() {
        return refuse(400, "invalid_fault", &reason);
    }
    if let Some(id) = fault.provider.as_deref().filter(|id| frame.provider(id).is_none()) {
        return refuse(400, "unknown_provider", &format!("there is no provider {id}"));
    }
    let mut books = frame.books();
    books.faults.add(fault);
    json_of(&books.faults.waiting())
}

async fn clear_faults(State(frame): State<Arc<Frame>>) -> Response {
    frame.books().faults.clear();
    json_with(200, &json!({"cleared": "faults"}))
}

async fn settings(State(frame): State<Arc<Frame>>) -> Response {
    json_of(&frame.settings().all())
}

/// Replaces settings while it runs: a merchant that starts later can say where it listens.
async fn change_settings(State(frame): State<Arc<Frame>>, body: Bytes) -> Response {
    let Ok(changes) = serde_json::from_slice::<BTreeMap<String, String>>(&body) else {
        return refuse(
            400,
            "invalid_settings",
            "expected an object of texts, such as {\"midtrans.callback_url\": \"http://…\"}",
        );
    };
    match frame.set(&changes) {
        Ok(()) => json_of(&frame.settings().all()),
        Err(error) => refuse(400, "unknown_setting", &error.to_string()),
    }
}
