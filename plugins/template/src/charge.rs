//! A charge, and the request that all operations share.
//!
//! To change: [`Body`] and what [`prepare`] puts into it; the headers in [`request`].

use bayar_provider::{
    Call, Charge, Customer, Error, Nothing, Outcome, Request, Response, Rupiah, Status, Step, params,
};
use serde::Serialize;

use crate::describe::{channels, reference_rule};
use crate::settings::Account;
use crate::status::Payment;
use crate::{State, answer, signature};

/// A request's body comes from a struct, so the order of the fields is the order of the bytes.
#[derive(Serialize)]
struct Body<'a> {
    merchant_order_id: &'a str,
    amount: Rupiah,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer: Option<Payer<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    return_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_in: Option<u32>,
}

/// Who pays.
#[derive(Serialize)]
struct Payer<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<&'a str>,
}

/// Builds the request. Everything that the provider would refuse is refused here, by name.
pub fn prepare(account: &Account, call: &Call) -> Result<Step<State>, Error> {
    let charge: Charge<Nothing> = call.read()?;
    charge.check()?;
    let body = Body {
        merchant_order_id: &call.reference,
        amount: charge.amount,
        method: charge.channel.as_deref().map(method).transpose()?,
        description: charge.description.as_deref(),
        customer: charge.customer.as_ref().map(payer),
        return_url: charge.return_url.as_deref(),
        expires_in: charge.expires_in,
    };
    check_reference(call)?;
    let request = post(account, call, "/v1/payments", &body)?;
    Ok(Step::Send(request.moving(), State::Charge { amount: charge.amount }))
}

/// Reads the answer. It must be about this order and this amount.
pub fn read(call: &Call, response: &Response, asked: Rupiah) -> Result<Outcome, Error> {
    let body = answer::read(response, true)?;
    let payment = Payment::of(call, response, &body, true)?;
    let outcome = payment.outcome(body);
    if outcome.amount != Some(asked) {
        return Err(answer::open(response, true, "the answer has another amount than was asked for"));
    }
    if outcome.status == Status::Pending && outcome.instruction.is_none() {
        return Err(answer::open(response, true, "the answer does not say how to pay"));
    }
    Ok(outcome)
}

/// A POST of a JSON document.
pub fn post<T: Serialize>(account: &Account, call: &Call, path: &str, body: &T) -> Result<Request, Error> {
    let body =
        serde_json::to_vec(body).map_err(|e| Error::new(bayar_provider::Code::Internal, e.to_string()))?;
    Ok(request(account, call, "POST", path, body))
}

/// A signed request. The clock comes with the call: the same call gives the same bytes.
pub fn request(account: &Account, call: &Call, method: &str, path: &str, body: Vec<u8>) -> Request {
    let signature = signature::of_request(&account.secret_key, method, path, call.now_ms, &body);
    let request = Request::new(method, format!("{}{path}", account.base_url))
        .header("Accept", "application/json")
        .header("X-Template-Merchant", account.merchant.as_str())
        .header("X-Template-Timestamp", call.now_ms.to_string())
        .header("X-Template-Signature", signature);
    if body.is_empty() { request } else { request.header("Content-Type", "application/json").body(body) }
}

/// The path of one payment. The reference was checked, so it needs no percent-encoding.
pub fn path_of(call: &Call, action: &str) -> Result<String, Error> {
    check_reference(call)?;
    Ok(format!("/v1/payments/{}{action}", call.reference))
}

/// What the provider takes as an order id.
fn check_reference(call: &Call) -> Result<(), Error> {
    let rule = reference_rule();
    if rule.allows(&call.reference) {
        return Ok(());
    }
    Err(Error::invalid("order_id", format!("{:?}", call.reference), rule))
}

/// The provider's name of a channel: here the same as ours.
fn method(channel: &str) -> Result<&str, Error> {
    let channels = channels();
    let known: Vec<&str> = channels.iter().map(|channel| channel.id.as_str()).collect();
    if known.contains(&channel) {
        return Ok(channel);
    }
    let near =
        params::nearest(channel, &known).map(|near| format!(" (did you mean {near}?)")).unwrap_or_default();
    Err(Error::invalid(
        "channel",
        format!("{channel:?}{near}"),
        format!("{}, or none for a page", known.join(", ")),
    ))
}

fn payer(customer: &Customer) -> Payer<'_> {
    Payer {
        name: customer.name.as_deref(),
        email: customer.email.as_deref(),
        phone: customer.phone.as_deref(),
    }
}
