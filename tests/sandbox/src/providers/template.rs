//! The provider of the plugin `template`: made up, but shaped like a real one. Copy this file
//! to simulate another provider; nothing else needs to change.
//!
//! JSON over POST. A request is signed over its method, path, time and body; a callback over
//! its body. An order is made by `POST /v1/payments`, read by `GET /v1/payments/{id}`, and
//! cancelled or refunded below that path.

use std::collections::BTreeMap;

use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::provider::{
    Act, ActKind, Callback, Desk, Instruction, Order, Provider, Reply, Request, Setting, Status,
};
use crate::tools::{digits, hex, uuid, wib};

/// The simulator.
pub(crate) struct Simulator;

/// What it keeps of an order beyond the frame's own.
#[derive(Default, Serialize, Deserialize)]
struct Detail {
    bank_number: Option<String>,
    qr: Option<String>,
    refunded: i64,
    refunds: BTreeMap<String, Value>,
}

/// A refusal: status, code, message, field.
type Refusal = (u16, &'static str, String, Option<&'static str>);

/// Signatures older than this are refused.
const MAX_AGE: SignedDuration = SignedDuration::from_mins(5);

impl Provider for Simulator {
    fn id(&self) -> &'static str {
        "template"
    }

    fn settings(&self) -> &'static [Setting] {
        &[
            Setting { name: "merchant", default: "TPL-EXAMPLE" },
            Setting { name: "secret_key", default: "template-secret-EXAMPLE-0000" },
            Setting { name: "callback_url", default: "" },
        ]
    }

    fn config(&self, base: &str, get: &dyn Fn(&str) -> String) -> String {
        format!(
            "[providers.template]\nmerchant = \"{}\"\nsecret_key = \"{}\"\nbase_url = \"{base}\"\n",
            get("merchant"),
            get("secret_key")
        )
    }

    fn handle(&self, request: &Request, desk: &mut Desk<'_>) -> Reply {
        answer(request, desk).unwrap_or_else(|(status, code, message, field)| {
            let mut error = json!({"code": code, "message": message});
            if let Some(field) = field {
                error["field"] = json!(field);
            }
            Reply::json(status, &json!({"error": error}))
        })
    }

    fn act(&self, act: &Act, order_id: &str, desk: &mut Desk<'_>) -> Result<(), String> {
        let order = desk.order_mut(order_id).expect("the frame looked it up");
        let (from, to, word) = match act.kind {
            ActKind::Paid => (Status::Pending, Status::Paid, "PAID"),
            ActKind::Failed => (Status::Pending, Status::Failed, "FAILED"),
            ActKind::Expired => (Status::Pending, Status::Expired, "EXPIRED"),
            ActKind::Refunded => (Status::Paid, Status::Refunded, "REFUNDED"),
            ActKind::Challenge | ActKind::Chargeback => unreachable!("the frame asked `knows`"),
        };
        if order.status != from {
            return Err(format!("the order is {}; this needs {}", order.provider_status, from.word()));
        }
        order.become_(to, word);
        let callback = self.callback(order_id, desk);
        desk.send(callback);
        Ok(())
    }

    fn knows(&self, kind: ActKind) -> bool {
        !matches!(kind, ActKind::Challenge | ActKind::Chargeback)
    }

    fn callback(&self, order_id: &str, desk: &Desk<'_>) -> Option<Callback> {
        let order = desk.order(order_id)?;
        let body = json!({
            "event": "payment.updated",
            "id": order.provider_reference,
            "merchant_order_id": order.order_id,
            "amount": format!("{}.00", order.amount),
            "status": order.provider_status,
            "sent_at": wib(desk.now),
        })
        .to_string();
        let signature = sign(desk.setting("secret_key"), body.as_bytes());
        let headers = [("content-type", "application/json"), ("x-template-signature", signature.as_str())];
        let url = desk.setting("callback_url");
        Some(Callback {
            order_id: order_id.to_owned(),
            urls: if url.is_empty() { Vec::new() } else { vec![url.to_owned()] },
            method: "POST",
            headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
            query: String::new(),
            body,
        })
    }

    fn trouble(&self) -> Reply {
        Reply::json(
            500,
            &json!({"error": {"code": "INTERNAL", "message": "Something went wrong on our side"}}),
        )
    }
}

fn answer(request: &Request, desk: &mut Desk<'_>) -> Result<Reply, Refusal> {
    authorize(request, desk)?;
    let path = request.segments();
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    match (request.method.as_str(), path.as_slice()) {
        ("POST", ["v1", "payments"]) => create(request, desk),
        ("GET", ["v1", "payments", id]) => status(id, desk),
        ("POST", ["v1", "payments", id, "cancel"]) => cancel(id, desk),
        ("POST", ["v1", "payments", id, "refund"]) => refund(id, request, desk),
        _ => Err((404, "NOT_FOUND", "there is no such endpoint".to_owned(), None)),
    }
}

/// Checks merchant, time and signature.
fn authorize(request: &Request, desk: &Desk<'_>) -> Result<(), Refusal> {
    let refuse = |message: &str| Err((401, "UNAUTHORIZED", message.to_owned(), None));
    if request.header("x-template-merchant") != Some(desk.setting("merchant")) {
        return refuse("unknown merchant");
    }
    let timestamp = request.header("x-template-timestamp").unwrap_or_default();
    let Some(time) = timestamp.parse().ok().and_then(|ms| Timestamp::from_millisecond(ms).ok()) else {
        return refuse("X-Template-Timestamp: expected Unix milliseconds");
    };
    if desk.now.duration_since(time).abs() > MAX_AGE {
        return refuse("X-Template-Timestamp: more than 5 minutes away");
    }
    let digest = hex(&Sha256::digest(&request.body));
    let message = format!("{}\n{}\n{timestamp}\n{digest}", request.method, request.path);
    if request.header("x-template-signature") != Some(&sign(desk.setting("secret_key"), message.as_bytes())) {
        return refuse("the signature does not match");
    }
    Ok(())
}

fn sign(key: &str, message: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("a key of any length will do");
    mac.update(message);
    hex(&mac.finalize().into_bytes())
}

fn create(request: &Request, desk: &mut Desk<'_>) -> Result<Reply, Refusal> {
    let wanted = read_create(&request.body)?;
    let id = wanted.merchant_order_id.as_str();
    if let Some(order) = desk.order_mut(id) {
        order.arrive("charge");
        return Err((409, "DUPLICATE_ORDER", format!("{id} already exists"), None));
    }
    let mut order = Order::new(desk, id, "charge", wanted.amount);
    order.provider_reference = format!("pay_{}", &uuid().replace('-', "")[..20]);
    order.become_(Status::Pending, "PENDING");
    order.expires_at = desk.now.checked_add(SignedDuration::from_secs(wanted.expires_in)).ok();
    order.method = wanted.method;
    let mut detail = Detail::default();
    match order.method.as_deref() {
        Some("va") => {
            let number = format!("98880{}", digits(11));
            order.instructions.push(Instruction::text("BNI VA", number.clone()));
            detail.bank_number = Some(number);
        }
        Some(_) => {
            let qr = format!("TEMPLATE-QR-{}-{}", order.provider_reference, order.amount);
            order.instructions.push(Instruction::qr(qr.clone()));
            detail.qr = Some(qr);
        }
        None => {}
    }
    order.write(&detail);
    let mut document = view(&order, desk);
    document["amount"] = json!(order.amount);
    desk.open(order);
    Ok(Reply::json(201, &document))
}

/// A checked `POST /v1/payments`.
struct Create {
    merchant_order_id: String,
    amount: i64,
    method: Option<String>,
    expires_in: i64,
}

fn read_create(body: &[u8]) -> Result<Create, Refusal> {
    let body = read_object(body)?;
    let invalid = |field: &'static str, expected: &str| {
        let found = body.get(field).map_or("nothing".to_owned(), Value::to_string);
        (400, "INVALID_FIELD", format!("{field}: found {found}, expected {expected}"), Some(field))
    };
    let id = body["merchant_order_id"].as_str().unwrap_or_default();
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if id.is_empty() || id.len() > 40 || !id.bytes().all(allowed) {
        return Err(invalid("merchant_order_id", "1 to 40 of A-Z a-z 0-9 - _"));
    }
    let amount = body["amount"].as_i64().filter(|amount| (1..=1_000_000_000).contains(amount));
    let method = match &body["method"] {
        Value::Null => None,
        Value::String(method) if method == "va" || method == "qr" => Some(method.clone()),
        _ => return Err(invalid("method", "va, qr or nothing")),
    };
    let expires_in = match &body["expires_in"] {
        Value::Null => 24 * 60 * 60,
        other => other
            .as_i64()
            .filter(|seconds| (1..=30 * 24 * 60 * 60).contains(seconds))
            .ok_or_else(|| invalid("expires_in", "seconds, 1 to 2592000"))?,
    };
    let amount = amount.ok_or_else(|| invalid("amount", "a whole number of rupiah, 1 to 1000000000"))?;
    Ok(Create { merchant_order_id: id.to_owned(), amount, method, expires_in })
}

fn read_object(body: &[u8]) -> Result<Value, Refusal> {
    serde_json::from_slice(body).ok().filter(Value::is_object).ok_or((
        400,
        "INVALID_FIELD",
        "the body is not a JSON object".to_owned(),
        Some("body"),
    ))
}

/// The payment as it is answered; `amount` is text here, on purpose: many providers answer a
/// number in one place and a text in another.
fn view(order: &Order, desk: &Desk<'_>) -> Value {
    let detail: Detail = order.read();
    let mut document = json!({
        "id": order.provider_reference,
        "merchant_order_id": order.order_id,
        "amount": format!("{}.00", order.amount),
        "fee": "2500.00",
        "status": order.provider_status,
        "expires_at": order.expires_at.map(wib),
    });
    match (&detail.bank_number, &detail.qr) {
        (Some(number), _) => document["va"] = json!({"bank": "bni", "number": number}),
        (None, Some(qr)) => document["qr"] = json!(qr),
        (None, None) => {
            document["pay_url"] = json!(format!("{}/pay/{}", desk.base_url(), order.provider_reference))
        }
    }
    document
}

fn unknown(id: &str) -> Refusal {
    (404, "NOT_FOUND", format!("there is no payment {id}"), None)
}

fn status(id: &str, desk: &Desk<'_>) -> Result<Reply, Refusal> {
    let order = desk.order(id).ok_or_else(|| unknown(id))?;
    Ok(Reply::json(200, &view(order, desk)))
}

fn cancel(id: &str, desk: &mut Desk<'_>) -> Result<Reply, Refusal> {
    let order = desk.order_mut(id).ok_or_else(|| unknown(id))?;
    order.arrive("cancel");
    if order.status != Status::Pending {
        let message = format!("the payment is {}, only PENDING can be cancelled", order.provider_status);
        return Err((409, "INVALID_STATE", message, None));
    }
    order.execute("cancel");
    order.become_(Status::Cancelled, "CANCELLED");
    let callback = Simulator.callback(id, desk);
    desk.send(callback);
    status(id, desk)
}

fn refund(id: &str, request: &Request, desk: &mut Desk<'_>) -> Result<Reply, Refusal> {
    let body = read_object(&request.body)?;
    let order = desk.order_mut(id).ok_or_else(|| unknown(id))?;
    order.arrive("refund");
    let invalid = |field, message: &str| (400, "INVALID_FIELD", format!("{field}: {message}"), Some(field));
    let key = body["refund_id"].as_str().filter(|key| !key.is_empty());
    let key = key.ok_or_else(|| invalid("refund_id", "expected a text"))?;
    let mut detail: Detail = order.read();
    if let Some(earlier) = detail.refunds.get(key) {
        return Ok(Reply::json(200, earlier));
    }
    if !matches!(order.status, Status::Paid | Status::PartiallyRefunded) {
        let message = format!("the payment is {}, only PAID can be refunded", order.provider_status);
        return Err((409, "INVALID_STATE", message, None));
    }
    let left = order.amount - detail.refunded;
    let amount = body["amount"].as_i64().filter(|amount| (1..=left).contains(amount));
    let amount = amount.ok_or_else(|| invalid("amount", &format!("expected a whole number, 1 to {left}")))?;
    let whole = amount == left;
    let done = json!({
        "refund_id": key,
        "amount": amount,
        "status": if whole { "REFUNDED" } else { "PARTIALLY_REFUNDED" },
    });
    detail.refunded += amount;
    detail.refunds.insert(key.to_owned(), done.clone());
    order.write(&detail);
    order.execute("refund");
    // A payment that keeps some of its money is still PAID in this provider's words.
    let (to, word) = if whole { (Status::Refunded, "REFUNDED") } else { (Status::PartiallyRefunded, "PAID") };
    order.become_(to, word);
    let callback = Simulator.callback(id, desk);
    desk.send(callback);
    Ok(Reply::json(200, &done))
}
