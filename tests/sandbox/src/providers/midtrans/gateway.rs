//! The HTTP gateway of the fifth document, in front of Midtrans: `/charge`, `/status/{id}`.
//!
//! The document prints statuses and their causes; the bodies of errors are ours: `error`
//! in its words, a `message`, and a `code` for machines.

use serde_json::{Value, json};

use super::core;
use super::snap::{self, Made};
use crate::provider::{Desk, Reply, Request};
use crate::raw;

fn refuse(status: u16, error: &str, code: &str, message: &str) -> Reply {
    Reply::json(status, &json!({"error": error, "code": code, "message": message}))
}

/// Answers below `/gateway`.
pub(super) fn handle(path: &[&str], request: &Request, desk: &mut Desk<'_>) -> Reply {
    let known = matches!((request.method.as_str(), path), ("POST", ["charge"]) | ("GET", ["status", _]));
    if !known {
        return refuse(
            404,
            "Endpoint not found",
            "endpoint_not_found",
            "Salah URL: endpoint /charge atau /status/{order_id}.",
        );
    }
    let app = request.header("x-app-code") == Some(desk.setting("app_code"));
    let key = request.header("x-api-key") == Some(desk.setting("api_key"));
    if !app || !key {
        return refuse(401, "Unauthorized", "unauthorized", "API Key/App Code salah.");
    }
    match path {
        ["charge"] => charge(request, desk),
        [_, id] => status(id, desk),
        _ => unreachable!("only these two were let in"),
    }
}

fn charge(request: &Request, desk: &mut Desk<'_>) -> Reply {
    let bad = |code: &str, message: &str| refuse(400, "Bad Request", code, message);
    let Some(body) = raw::object(&request.body) else {
        return bad("invalid_json", "Data JSON tidak valid.");
    };
    let Some(order_id) = raw::text(&body, "order_id") else {
        return bad("invalid_order_id", "order_id wajib diisi.");
    };
    // An integer, and as a number: "Nominal pembayaran (tanpa desimal)".
    let Some(amount) = body.get("amount").and_then(|raw| raw.get().parse::<i64>().ok()) else {
        return bad("invalid_amount", "amount harus berupa angka (integer).");
    };
    let mut upstream = json!({"transaction_details": {"order_id": order_id, "gross_amount": amount}});
    for name in ["item_details", "customer_details"] {
        let value = raw::value(&body, name);
        if !value.is_null() {
            upstream[name] = value;
        }
    }
    match snap::make(request, upstream.to_string().as_bytes(), desk) {
        Made::Page { token, url } => Reply::json(201, &json!({"redirect_url": url, "token": token})),
        Made::Invalid(messages) => {
            let taken = messages.iter().any(|message| message.contains("sudah digunakan"));
            let code = if taken { "duplicate_order_id" } else { "invalid_request" };
            bad(code, &messages.join("; "))
        }
    }
}

fn status(id: &str, desk: &Desk<'_>) -> Reply {
    let Some(order) = core::begun(id, desk) else {
        return refuse(404, "Not Found", "order_not_found", "Transaction doesn't exist.");
    };
    let shown = core::shown(order, desk);
    let pick = |name: &str| shown.get(name).cloned().unwrap_or(Value::Null);
    let document = json!({
        "id": pick("transaction_id"),
        "transaction_id": pick("transaction_id"),
        "transaction_status": pick("transaction_status"),
        "fraud_status": pick("fraud_status"),
        "status_code": pick("status_code"),
        "status_message": pick("status_message"),
    });
    Reply::json(200, &document)
}
