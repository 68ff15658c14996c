//! The Core API: `/v2/charge` and `/v2/{id}/…`.
//!
//! Most refusals come with HTTP 200 and the real code in the body; a bad key and an invalid
//! payload come with their own HTTP status, as Midtrans answers them.

use serde_json::{Value, json};

use super::checks::{self, Expiry};
use super::methods::{self, Method, Refund};
use super::transaction::{self, Detail, Place, Refunded};
use super::{notify, with_id};
use crate::provider::{Desk, Order, Reply, Request, Status};
use crate::raw::{self, Raw};
use crate::tools::{number_text, rupiah, uuid, wib};

/// A refusal.
pub(super) fn error(http: u16, code: &str, message: &str) -> Reply {
    Reply::json(http, &with_id(json!({"status_code": code, "status_message": message})))
}

fn invalid(messages: &[String]) -> Reply {
    let message = "One or more parameters in the payload is invalid.";
    let document = json!({"status_code": "400", "status_message": message, "validation_messages": messages});
    Reply::json(400, &with_id(document))
}

fn not_found() -> Reply {
    error(200, "404", "Transaction doesn't exist.")
}

fn unchangeable() -> Reply {
    error(200, "412", "Merchant cannot modify the status of the transaction")
}

/// Answers below `/v2`.
pub(super) fn handle(path: &[&str], request: &Request, desk: &mut Desk<'_>) -> Reply {
    let method = request.method.as_str();
    match path {
        ["charge"] if method == "POST" => charge(request, desk),
        [id, "status"] if method == "GET" => status(id, desk),
        // Clients send `{}`, `null` or nothing with these: the body is not looked at.
        [id, "cancel"] if method == "POST" => cancel(id, desk),
        [id, "expire"] if method == "POST" => expire(id, desk),
        [id, decision @ ("approve" | "deny")] if method == "POST" => decide(id, decision, desk),
        [id, "refund"] if method == "POST" => refund(id, "refund", request, desk),
        [id, "refund", "online", "direct"] if method == "POST" => refund(id, "refund", request, desk),
        ["charge"] | [_, "status" | "cancel" | "expire" | "approve" | "deny" | "refund"] => {
            error(405, "405", "Request method is not allowed.")
        }
        _ => error(404, "404", "The requested resource is not found"),
    }
}

fn charge(request: &Request, desk: &mut Desk<'_>) -> Reply {
    let Some(body) = raw::object(&request.body) else {
        return error(413, "413", "The request cannot be processed due to syntax error in the request body.");
    };
    let wanted = checks::read(&body, "1");
    let mut wrong = wanted.as_ref().err().cloned().unwrap_or_default();
    let method = match method(&body, &mut wrong) {
        Choice::Method(method) => Some(method),
        Choice::NotActivated => return error(200, "402", "Payment channel is not activated."),
        Choice::Wrong => None,
    };
    let expiry = Expiry::read(&body, "custom_expiry", &mut wrong);
    let (Ok(wanted), Some(method), true) = (wanted, method, wrong.is_empty()) else { return invalid(&wrong) };

    if let Some(order) = desk.order_mut(&wanted.order_id) {
        order.arrive("charge");
        let message = "The request could not be completed due to a conflict with the current state of the target \
             resource, please try again";
        return error(200, "406", message);
    }
    let id = wanted.order_id.clone();
    let mut order = Order::new(desk, &id, "charge", wanted.amount);
    let mut detail = Detail::of(request, wanted.extra, expiry);
    let asked = raw::inner(&body, "bank_transfer").and_then(|bank| raw::text(&bank, "va_number"));
    let message = transaction::begin(&mut order, &mut detail, method, asked.as_deref(), &Place::of(desk));
    let mut document = transaction::common(&order, &detail, desk.setting("merchant_id"));
    document["status_code"] = json!("201");
    document["status_message"] = json!(message);
    document.as_object_mut().expect("an object was just made").extend(detail.only_charge.clone());
    desk.open(order);
    transaction::register(&id, desk);
    Reply::json(200, &document)
}

enum Choice {
    Method(&'static Method),
    NotActivated,
    Wrong,
}

/// The method that a charge names, with what it needs beside its name.
fn method(body: &Raw, wrong: &mut Vec<String>) -> Choice {
    let Some(payment_type) = raw::text(body, "payment_type") else {
        wrong.push("payment_type is required".to_owned());
        return Choice::Wrong;
    };
    let own = raw::inner(body, &payment_type).unwrap_or_default();
    let part_of = match payment_type.as_str() {
        "bank_transfer" => "bank",
        "cstore" => "store",
        "echannel" => {
            for field in ["bill_info1", "bill_info2"] {
                if raw::text(&own, field).is_none() {
                    wrong.push(format!("echannel.{field} is required"));
                }
            }
            return methods::of("echannel", "").map_or(Choice::Wrong, Choice::Method);
        }
        "gopay" | "qris" | "shopeepay" => {
            return methods::of(&payment_type, "").map_or(Choice::Wrong, Choice::Method);
        }
        // They exist, and an account must ask for them; this one did not.
        "credit_card" | "akulaku" | "kredivo" | "dana" | "ovo" | "bca_klikpay" | "cimb_clicks"
        | "danamon_online" => {
            return Choice::NotActivated;
        }
        other => {
            wrong.push(format!("payment_type {other} is not supported"));
            return Choice::Wrong;
        }
    };
    let part = raw::text(&own, part_of).map(|part| part.to_lowercase());
    let digits_only = |text: &String| text.bytes().all(|byte| byte.is_ascii_digit());
    if raw::text(&own, "va_number").is_some_and(|number| !digits_only(&number)) {
        wrong.push("bank_transfer.va_number must be numeric".to_owned());
    }
    match part.as_deref() {
        None => wrong.push(format!("{payment_type}.{part_of} is required")),
        Some(part) => match methods::of(&payment_type, part) {
            Some(method) => return Choice::Method(method),
            None => wrong.push(format!("{payment_type}.{part_of} {part} is not supported")),
        },
    }
    Choice::Wrong
}

/// The document of `status`, and the base of what the other operations answer.
pub(super) fn shown(order: &Order, desk: &Desk<'_>) -> Value {
    let detail: Detail = order.read();
    let mut document = transaction::common(order, &detail, desk.setting("merchant_id"));
    let code = transaction::code(order, &detail);
    let gross_amount = transaction::money(order.amount);
    document["status_code"] = json!(code);
    document["status_message"] = json!("Success, transaction is found");
    document["signature_key"] =
        json!(notify::signature(&order.order_id, code, &gross_amount, desk.setting("server_key")));
    if detail.payment_type == "shopeepay" && order.status == Status::Pending {
        document["actions"] = detail.only_charge["actions"].clone();
    }
    transaction::add_refunds(&mut document, &detail);
    document.as_object_mut().expect("an object was just made").extend(detail.extra);
    document
}

/// An order that has a transaction, by its own id or the transaction's.
pub(super) fn begun<'a>(id: &str, desk: &'a Desk<'_>) -> Option<&'a Order> {
    desk.order(id).filter(|order| order.read::<Detail>().begun())
}

fn status(id: &str, desk: &Desk<'_>) -> Reply {
    begun(id, desk).map_or_else(not_found, |order| Reply::json(200, &shown(order, desk)))
}

/// Moves an order whose state allows it, notifies, and answers with `message`.
fn change(
    id: &str,
    operation: &str,
    refusal: fn() -> Reply,
    desk: &mut Desk<'_>,
    to: impl FnOnce(&mut Order, &mut Detail) -> Option<(&'static str, &'static str)>,
) -> Reply {
    if begun(id, desk).is_none() {
        return not_found();
    }
    let order = desk.order_mut(id).expect("it was just found");
    order.arrive(operation);
    let mut detail: Detail = order.read();
    let Some((code, message)) = to(order, &mut detail) else { return refusal() };
    order.execute(operation);
    order.write(&detail);
    let order_id = order.order_id.clone();
    notify::send(&order_id, desk);
    let mut document = shown(desk.order(id).expect("it was just found"), desk);
    // These answers are not signed; only `status` and notifications are.
    document.as_object_mut().expect("an object").remove("signature_key");
    document["status_code"] = json!(code);
    document["status_message"] = json!(message);
    Reply::json(200, &document)
}

fn cancel(id: &str, desk: &mut Desk<'_>) -> Reply {
    change(id, "cancel", unchangeable, desk, |order, detail| {
        // A captured card payment can be cancelled until it settles.
        let captured = order.status == Status::Paid && order.provider_status == "capture";
        if !captured && !matches!(order.status, Status::Pending | Status::Review) {
            return None;
        }
        order.become_(Status::Cancelled, "cancel");
        detail.fraud_status.get_or_insert_with(|| "accept".to_owned());
        Some(("200", "Success, transaction is canceled"))
    })
}

fn expire(id: &str, desk: &mut Desk<'_>) -> Reply {
    let refusal = || error(200, "412", "Transaction status cannot be updated.");
    change(id, "expire", refusal, desk, |order, _| {
        if order.status != Status::Pending {
            return None;
        }
        order.become_(Status::Expired, "expire");
        Some(("407", "Success, transaction is expired"))
    })
}

/// The merchant's word about a challenged card payment.
fn decide(id: &str, decision: &str, desk: &mut Desk<'_>) -> Reply {
    change(id, decision, unchangeable, desk, |order, detail| {
        if order.status != Status::Review {
            return None;
        }
        if decision == "approve" {
            detail.fraud_status = Some("accept".to_owned());
            order.become_(Status::Paid, "capture");
            Some(("200", "Success, transaction is approved"))
        } else {
            detail.fraud_status = Some("deny".to_owned());
            order.become_(Status::Failed, "deny");
            Some(("200", "Success, transaction is denied"))
        }
    })
}

fn refund(id: &str, operation: &str, request: &Request, desk: &mut Desk<'_>) -> Reply {
    if begun(id, desk).is_none() {
        return not_found();
    }
    let body = if request.body.is_empty() { Some(Raw::new()) } else { raw::object(&request.body) };
    let Some(body) = body else {
        return error(413, "413", "The request cannot be processed due to syntax error in the request body.");
    };
    let (now, replays) = (desk.now, desk.setting("repeated_refund") == "replay");
    let order = desk.order_mut(id).expect("it was just found");
    order.arrive(operation);
    let mut detail: Detail = order.read();
    let method = order.method.as_deref().and_then(methods::named).expect("a begun order has a method");
    let left = order.amount - transaction::refunded(&detail);
    let amount = match body.get("amount").filter(|raw| raw.get() != "null") {
        None => Some(left),
        Some(raw) => number_text(raw.get()).and_then(|text| rupiah(&text).ok()),
    };
    let key = raw::text(&body, "refund_key");
    if let Some(earlier) = detail.refunds.iter().find(|refund| Some(&refund.key) == key.as_ref()) {
        let same = !body.contains_key("amount") || amount == Some(earlier.amount);
        let answer = (same && replays).then(|| Reply::json(200, &earlier.answer));
        return answer.unwrap_or_else(|| error(200, "406", "Duplicate refund ID"));
    }
    let settled = matches!(order.status, Status::Paid | Status::PartiallyRefunded)
        && order.provider_status != "capture";
    if !settled || method.refund == Refund::No {
        return unchangeable();
    }
    let whole_only = method.refund == Refund::Whole && amount != Some(order.amount);
    let Some(amount) = amount.filter(|amount| (1..=left).contains(amount) && !whole_only) else {
        return error(200, "414", "Refund request is rejected due to invalid amount");
    };
    let key = key.unwrap_or_else(uuid);
    let number = detail.refunds.len() + 1;
    let answer = json!({
        "status_code": "200",
        "status_message": "Success, refund request is approved",
        "transaction_id": detail.transaction_id,
        "order_id": order.order_id,
        "payment_type": detail.payment_type,
        "transaction_time": detail.transaction_time,
        "transaction_status": if amount == left { "refund" } else { "partial_refund" },
        "gross_amount": transaction::money(order.amount),
        "refund_chargeback_id": number,
        "refund_amount": transaction::money(amount),
        "refund_key": key,
    });
    let reason = raw::text(&body, "reason").unwrap_or_default();
    let one = Refunded { key, amount, reason, created_at: wib(now), answer: answer.clone() };
    transaction::refund(order, &mut detail, one);
    let order_id = order.order_id.clone();
    notify::send(&order_id, desk);
    Reply::json(200, &answer)
}
