//! Midtrans: Snap, the Core API, notifications, and the HTTP gateway of the fifth document in
//! front of it.
//!
//! From Midtrans' public documentation and what its official clients send and expect. Where
//! neither says a text or a status, the nearest documented one stands; those places say so.

mod checks;
mod core;
mod gateway;
mod methods;
mod notify;
mod pages;
mod snap;
mod transaction;

use base64::Engine as _;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::provider::{Act, Callback, Desk, Provider, Reply, Request, Setting};
use crate::tools::uuid;

/// The simulator.
pub(crate) struct Simulator;

/// How long a successful answer is given again for the same `Idempotency-Key`.
const REPLAY: SignedDuration = SignedDuration::from_mins(5);

impl Provider for Simulator {
    fn id(&self) -> &'static str {
        "midtrans"
    }

    fn settings(&self) -> &'static [Setting] {
        &[
            Setting { name: "server_key", default: "SB-Mid-server-EXAMPLE0000000000000000" },
            Setting { name: "client_key", default: "SB-Mid-client-EXAMPLE00000000" },
            Setting { name: "merchant_id", default: "G000000001" },
            // The "Payment Notification URL" of the dashboard.
            Setting { name: "callback_url", default: "" },
            // Midtrans notifies about `pending` too; `true` switches that on.
            Setting { name: "notify_pending", default: "false" },
            // What a refund key that was already used answers: `replay` or `406`. The
            // documentation shows both, and not which applies when.
            Setting { name: "repeated_refund", default: "replay" },
            // The gateway of the fifth document.
            Setting { name: "app_code", default: "biling" },
            Setting { name: "api_key", default: "00000000000000000000000000000000" },
        ]
    }

    fn config(&self, base: &str, get: &dyn Fn(&str) -> String) -> String {
        let (server, client) = (get("server_key"), get("client_key"));
        let (code, key) = (get("app_code"), get("api_key"));
        format!(
            "[providers.midtrans]\n\
             environment = \"sandbox\"\n\
             server_key = \"{server}\"\n\
             client_key = \"{client}\"\n\
             base_url = \"{base}\"      # the sandbox; without this line: Midtrans' own\n\
             \n\
             [providers.midtrans-gateway]\n\
             plugin = \"midtrans\"\n\
             environment = \"sandbox\"\n\
             gateway_url = \"{base}/gateway\"\n\
             app_code = \"{code}\"\n\
             api_key = \"{key}\"\n"
        )
    }

    fn handle(&self, request: &Request, desk: &mut Desk<'_>) -> Reply {
        let segments = request.segments();
        let path: Vec<&str> = segments.iter().map(String::as_str).collect();
        match (request.method.as_str(), path.as_slice()) {
            (_, ["gateway", rest @ ..]) => gateway::handle(rest, request, desk),
            (_, ["snap", "v4", "redirection", token]) => pages::checkout(token, request, desk),
            (_, ["pay", transaction_id]) => pages::checkout(transaction_id, request, desk),
            ("GET", ["v2", _, transaction_id, "qr-code"]) => pages::qr(transaction_id, desk),
            (_, ["snap", "v1", "transactions"]) => {
                if !authorized(request, desk) {
                    return snap::unauthorized();
                }
                replayed(request, desk, snap::handle)
            }
            (_, ["v2", rest @ ..]) => {
                if !authorized(request, desk) {
                    return core::error(
                        401,
                        "401",
                        "Transaction cannot be authorized with the current client/server key.",
                    );
                }
                replayed(request, desk, |request, desk| core::handle(rest, request, desk))
            }
            _ => core::error(404, "404", "The requested resource is not found"),
        }
    }

    fn act(&self, act: &Act, order_id: &str, desk: &mut Desk<'_>) -> Result<(), String> {
        transaction::act(act, order_id, desk)
    }

    fn callback(&self, order_id: &str, desk: &Desk<'_>) -> Option<Callback> {
        notify::notification(order_id, desk)
    }

    /// "2xx: none; 500: once; 503: four times; 400 and 404: twice; redirects other than 307
    /// and 308: none; all else: five times".
    fn retries(&self, status: Option<u16>) -> u32 {
        match status {
            Some(200..=299 | 301..=303) => 0,
            Some(500) => 1,
            Some(400 | 404) => 2,
            Some(503) => 4,
            _ => 5,
        }
    }

    fn trouble(&self) -> Reply {
        core::error(500, "500", "Sorry. Our system is recovering from unexpected issues. Please retry.")
    }
}

/// Basic auth: the server key as the user, and no password.
fn authorized(request: &Request, desk: &Desk<'_>) -> bool {
    let encoded = request.header("authorization").and_then(|value| {
        let (scheme, rest) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("basic").then_some(rest.trim())
    });
    let decoded = encoded.and_then(|text| base64::engine::general_purpose::STANDARD.decode(text).ok());
    decoded.is_some_and(|bytes| bytes == format!("{}:", desk.setting("server_key")).as_bytes())
}

/// Gives a successful answer again for a repeated `Idempotency-Key`, else executes.
fn replayed(
    request: &Request,
    desk: &mut Desk<'_>,
    execute: impl FnOnce(&Request, &mut Desk<'_>) -> Reply,
) -> Reply {
    let key = request.header("idempotency-key").filter(|key| !key.is_empty() && request.method == "POST");
    let Some(key) = key.map(|key| format!("idempotency {} {key}", request.path)) else {
        return execute(request, desk);
    };
    if let Some(reply) = desk.recall(&key, REPLAY) {
        count_repeat(request, desk);
        return reply;
    }
    let reply = execute(request, desk);
    if succeeded(&reply) {
        desk.remember(&key, &reply);
    }
    reply
}

fn succeeded(reply: &Reply) -> bool {
    let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    let code = body["status_code"].as_str().unwrap_or("200");
    (200..300).contains(&reply.status) && matches!(code, "200" | "201" | "202" | "407")
}

/// A replayed request came in, though nothing was done: the ledger counts it so.
fn count_repeat(request: &Request, desk: &mut Desk<'_>) {
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let segments = request.segments();
    let (id, operation) = match segments.as_slice() {
        [_, id, operation] if segments[0] == "v2" => (id.clone(), operation.clone()),
        _ => (
            body["transaction_details"]["order_id"].as_str().unwrap_or_default().to_owned(),
            "charge".to_owned(),
        ),
    };
    if let Some(order) = desk.order_mut(&id) {
        order.arrive(&operation);
    }
}

/// The id that Midtrans gives to an error.
fn with_id(mut document: Value) -> Value {
    document["id"] = json!(uuid());
    document
}
