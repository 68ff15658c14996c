//! Notifications: verified over the strings as received, then read.
//!
//! Source: docs.midtrans.com, HTTP(S) Notification / Webhooks.

use bayar_provider::{Acknowledgement, Callback, Code, Error, Event, Evidence, Rupiah, json};
use serde_json::Value;

use crate::settings::Direct;
use crate::signature;
use crate::status::status_of;

/// What the dashboard's test button sends as an order id, before a number.
const TEST: &str = "payment_notif_test_";

/// Verifies a notification and reads it. Its digest does not cover the status, so it is no
/// evidence (E0): it makes the engine ask.
pub fn verify(from: &Direct, callback: &Callback) -> Result<Event, Error> {
    if callback.method != "POST" {
        return Err(refused(format!("found the method {:?}; Midtrans sends POST", callback.method)));
    }
    let raw = json::strict(&callback.body).map_err(refused)?;
    let field = |name: &str| match raw.get(name) {
        Some(Value::String(text)) if !text.is_empty() => Ok(text.as_str()),
        _ => Err(refused(format!("{name} is missing, empty or no string"))),
    };
    let (order_id, status_code, gross) = (field("order_id")?, field("status_code")?, field("gross_amount")?);
    let signature = field("signature_key")?;
    let by = |key| signature::holds(signature, order_id, status_code, gross, key);
    let before = from.previous.as_ref().filter(|(_, until)| callback.received() <= *until);
    if !by(&from.server_key) && !before.is_some_and(|(key, _)| by(key)) {
        return Err(refused("signature_key is not the signature of this order, code and amount"));
    }
    if status_code.len() != 3 || gross.starts_with('0') {
        // The signed parts stand without separators: these are parts of another callback, shifted.
        return Err(refused("status_code or gross_amount is none that Midtrans writes"));
    }
    if order_id.starts_with(TEST) {
        let ignored = Error::new(Code::CallbackIgnored, "the test notification of Midtrans' dashboard");
        return Err(Error { acknowledgement: Some(received()), ..ignored });
    }
    event(&raw, order_id, gross, field("transaction_status")?)
}

/// A refusal, with the answer for whoever sent it.
pub fn refused(message: impl Into<String>) -> Error {
    let acknowledgement = Acknowledgement::json(401, r#"{"error":"not genuine"}"#);
    Error { acknowledgement: Some(acknowledgement), ..Error::refused(message) }
}

fn received() -> Acknowledgement {
    Acknowledgement::json(200, r#"{"received":true}"#)
}

/// What a verified notification says. Nothing is read that is not needed: a genuine one must not be
/// lost over a field that only its payment type has.
fn event(raw: &Value, order_id: &str, gross: &str, transaction_status: &str) -> Result<Event, Error> {
    let amount = Rupiah::from_wire(&gross.into())
        .ok_or_else(|| refused("gross_amount is no amount of whole rupiah"))?;
    let text = |name: &str| raw.get(name).and_then(Value::as_str);
    let (status, review) = status_of(transaction_status, text("fraud_status"));
    Ok(Event {
        provider_reference: text("transaction_id").map(str::to_owned),
        amount: Some(amount),
        review,
        raw: raw.clone(),
        ..Event::new(order_id, status, Evidence::E0, dedupe(raw), received())
    })
}

/// What tells one event of a transaction from the next. Two partial refunds differ in the sum refunded.
fn dedupe(raw: &Value) -> String {
    let parts =
        ["order_id", "transaction_id", "transaction_status", "fraud_status", "status_code", "refund_amount"];
    let text = |name: &&str| raw.get(*name).map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned));
    parts.iter().map(|name| text(name).unwrap_or_default()).collect::<Vec<_>>().join("/")
}
