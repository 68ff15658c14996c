//! Snap: `/snap/v1/transactions` makes a page on which the payer chooses.

use serde_json::json;

use super::checks::{self, Expiry};
use super::methods;
use super::transaction::{Detail, Session};
use crate::provider::{Desk, Instruction, Order, Reply, Request, Status};
use crate::raw;
use crate::tools::uuid;

/// How long the page stays open by default.
const PAGE: Expiry = Expiry { start: None, seconds: 24 * 60 * 60 };

fn refuse(status: u16, messages: &[&str]) -> Reply {
    Reply::json(status, &json!({"error_messages": messages}))
}

/// The refusal of a wrong key.
pub(super) fn unauthorized() -> Reply {
    let message = "Access denied due to unauthorized transaction, please check client or server key";
    refuse(401, &[message, "Visit https://docs.midtrans.com/reference/request-headers for more details"])
}

/// A page that was made, or why not.
pub(super) enum Made {
    Page { token: String, url: String },
    Invalid(Vec<String>),
}

/// Answers `POST /snap/v1/transactions`.
pub(super) fn handle(request: &Request, desk: &mut Desk<'_>) -> Reply {
    if request.method != "POST" {
        return refuse(405, &["method not allowed"]);
    }
    match make(request, &request.body, desk) {
        Made::Page { token, url } => Reply::json(201, &json!({"token": token, "redirect_url": url})),
        Made::Invalid(messages) => refuse(400, &messages.iter().map(String::as_str).collect::<Vec<_>>()),
    }
}

/// Makes a page from the body of a Snap request.
pub(super) fn make(request: &Request, body: &[u8], desk: &mut Desk<'_>) -> Made {
    let Some(body) = raw::object(body) else {
        return Made::Invalid(vec!["request body is not valid JSON".to_owned()]);
    };
    let wanted = checks::read(&body, "0.01");
    let mut wrong = wanted.as_ref().err().cloned().unwrap_or_default();
    let expiry = Expiry::read(&body, "expiry", &mut wrong);
    let page = Expiry::read(&body, "page_expiry", &mut wrong);
    let (Ok(wanted), true) = (wanted, wrong.is_empty()) else { return Made::Invalid(wrong) };

    if let Some(order) = desk.order_mut(&wanted.order_id) {
        order.arrive("charge");
        return Made::Invalid(vec!["transaction_details.order_id sudah digunakan".to_owned()]);
    }
    let token = uuid();
    let url = format!("{}/snap/v4/redirection/{token}", desk.base_url());
    let id = wanted.order_id.as_str();
    let mut order = Order::new(desk, id, "charge", wanted.amount);
    order.become_(Status::Pending, "");
    order.provider_reference.clone_from(&token);
    order.instructions.push(Instruction::link("Snap page", url.clone()));
    order.expires_at = Some(page.or(expiry).unwrap_or(PAGE).end(desk.now));
    let mut detail = Detail::of(request, wanted.extra, expiry);
    let enabled = raw::value(&body, "enabled_payments");
    let enabled = enabled.as_array().into_iter().flatten().filter_map(|name| name.as_str());
    detail.snap = Some(Session {
        token: token.clone(),
        // Names that this sandbox does not know are left out, as Midtrans leaves out channels
        // that are not activated.
        enabled: enabled.filter_map(methods::named).map(|method| method.name.to_owned()).collect(),
        finish: raw::inner(&body, "callbacks").and_then(|callbacks| raw::text(&callbacks, "finish")),
    });
    order.write(&detail);
    desk.open(order);
    desk.alias(&token, id);
    Made::Page { token, url }
}
