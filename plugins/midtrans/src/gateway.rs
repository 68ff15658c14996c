//! The same two operations through a Midtrans HTTP gateway, which holds the server key.
//!
//! Source: the gateway's own API documentation, version 1.0.0: `POST /charge`, `GET /status/{order_id}`.

use bayar_provider::{
    Call, Charge, Class, Code, Deduplication, Error, Operation, Outcome, ProviderError, Request, Response,
    Rupiah, Step, Which,
};
use bayar_provider::{Settlement, json};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::State;
use crate::answer::{self, Kind, duplicate};
use crate::charge::{CustomerDetails, ItemDetail, check_id, customer, items, page_outcome};
use crate::describe::by_status;
use crate::settings::Gateway;
use crate::status::{encoded, status_of};

/// What can be called through a gateway.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::new::<Charge<Options>>(
            "charge",
            Class::Keyed,
            by_status(),
            "Payment gateway API 1.0.0, section 1",
            "A Snap payment page, made by the gateway.",
        )
        .without(&["channel", "expires_in", "callback_url"])
        .deduplicated(Deduplication::Claimed),
        Operation::new::<Which>(
            "status",
            Class::Read,
            Settlement::Read { operation: "status".to_owned() },
            "Payment gateway API 1.0.0, section 2",
            "The state of a payment.",
        )
        .without(&["provider_reference"])
        .about_order(),
    ]
}

/// The gateway takes none.
#[derive(Clone, Debug, Default, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Options {}

#[derive(Serialize)]
struct Body<'a> {
    order_id: &'a str,
    amount: Rupiah,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    item_details: Vec<ItemDetail<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer_details: Option<CustomerDetails<'a>>,
}

/// Builds the request of a charge. Addresses for the payer to return to belong to the gateway's
/// own settings and are left out; what would change the payment or its callbacks is refused.
pub fn charge(to: &Gateway, call: &Call) -> Result<Step<State>, Error> {
    let charge: Charge<Options> = call.read()?;
    charge.check()?;
    check_id("order_id", &call.reference)?;
    if let Some(channel) = &charge.channel {
        return Err(Error::invalid(
            "channel",
            format!("{channel:?}"),
            "none: the gateway makes Snap pages only",
        ));
    }
    if let Some(seconds) = charge.expires_in {
        return Err(Error::invalid("expires_in", seconds, "none: the gateway takes no expiry"));
    }
    if let Some(url) = &charge.callback_url {
        return Err(Error::invalid("callback_url", format!("{url:?}"), "none: the gateway has its own"));
    }
    let body = Body {
        order_id: &call.reference,
        amount: charge.amount,
        item_details: items(&charge.items, charge.amount, charge.description.as_deref())?,
        customer_details: customer(charge.customer.as_ref())?,
    };
    let body = serde_json::to_vec(&body).map_err(|e| Error::new(Code::Internal, e.to_string()))?;
    let request = request(to, "POST", format!("{}/charge", to.url))
        .header("Content-Type", "application/json")
        .body(body);
    Ok(Step::Send(request.moving(), State::Page { amount: charge.amount, expires_at: None }))
}

/// Builds the request of a status query.
pub fn status(to: &Gateway, call: &Call) -> Result<Step<State>, Error> {
    let which: Which = call.read()?;
    if let Some(id) = which.provider_reference {
        return Err(Error::invalid(
            "provider_reference",
            format!("{id:?}"),
            "none: the gateway knows order ids only",
        ));
    }
    check_id("order_id", &call.reference)?;
    let url = format!("{}/status/{}", to.url, encoded(&call.reference));
    Ok(Step::Send(request(to, "GET", url), State::Transaction { transaction_id: None }))
}

fn request(to: &Gateway, method: &str, url: String) -> Request {
    Request::new(method, url)
        .header("Accept", "application/json")
        .header("X-App-Code", to.app_code.as_str())
        .header("X-Api-Key", to.api_key.expose())
}

/// Reads the answer to a charge.
pub fn read_page(from: &Gateway, response: &Response, amount: Rupiah) -> Result<Outcome, Error> {
    let body = read(response, Kind::Charge)?;
    page_outcome(body, amount, None, from.client_key.as_deref())
        .ok_or_else(|| answer::open(Kind::Charge, "the gateway's answer has no redirect_url"))
}

/// A transaction as the gateway tells it: without order id and amount, so neither can be compared.
#[derive(Deserialize)]
struct Transaction {
    #[serde(default, deserialize_with = "json::text")]
    id: Option<String>,
    #[serde(default, deserialize_with = "json::text")]
    transaction_id: Option<String>,
    #[serde(default, deserialize_with = "json::text")]
    order_id: Option<String>,
    #[serde(default)]
    gross_amount: Value,
    transaction_status: String,
    #[serde(default)]
    fraud_status: Option<String>,
}

/// Reads the answer to a status query.
pub fn read_status(call: &Call, response: &Response) -> Result<Outcome, Error> {
    let body = read(response, Kind::Read)?;
    let transaction: Transaction = serde_json::from_value(body.clone())
        .map_err(|_| answer::open(Kind::Read, "the gateway's answer is no transaction"))?;
    if transaction.order_id.as_ref().is_some_and(|id| *id != call.reference) {
        return Err(answer::open(
            Kind::Read,
            "the gateway's answer is about another order than was asked for",
        ));
    }
    let (status, review) = status_of(&transaction.transaction_status, transaction.fraud_status.as_deref());
    let gross = Rupiah::from_wire(&transaction.gross_amount);
    Ok(Outcome {
        reference: transaction.order_id,
        provider_reference: transaction.transaction_id.or(transaction.id),
        amount: gross,
        payable_amount: gross,
        review,
        raw: body,
        ..Outcome::answered(status)
    })
}

/// Takes an answer of the gateway apart.
fn read(response: &Response, kind: Kind) -> Result<Value, Error> {
    let body: Option<Value> = serde_json::from_slice(&response.body).ok().filter(Value::is_object);
    match (response.status, body) {
        (200 | 201, Some(body)) => Ok(body),
        (401, body) => {
            let body = body.unwrap_or_default();
            Err(refused(response, &body, Code::Unauthorized, "the gateway refused app code or key"))
        }
        (400, Some(body)) => {
            let (code, text) = words(&body);
            let used = [&code, &text].into_iter().flatten().any(|text| duplicate(text) || repeated(text));
            let code = if used { answer::open(kind, "").code } else { Code::Rejected };
            Err(refused(response, &body, code, "the gateway refused the request"))
        }
        // An unknown order has its own code; any other 404 is a wrong address, and says nothing of the order.
        (404, Some(body)) if kind == Kind::Read && unknown_order(&body) => {
            Err(refused(response, &body, Code::OrderNotFound, "the gateway knows no such order"))
        }
        // Trouble between gateway and Midtrans among them: what became of the request is not known.
        (_, Some(body)) if words(&body) != (None, None) => {
            Err(refused(response, &body, answer::open(kind, "").code, "the gateway has trouble"))
        }
        _ => {
            let what = format!(
                "HTTP {}, {} bytes, not an answer of the gateway",
                response.status,
                response.body.len()
            );
            Err(answer::open(kind, what))
        }
    }
}

fn unknown_order(body: &Value) -> bool {
    let (code, message) = words(body);
    let known = ["order_not_found", "unknown_order", "transaction doesn't exist."];
    [code, message].into_iter().flatten().any(|text| known.contains(&text.to_lowercase().as_str()))
}

/// Codes that may stand for an order id that is not unique.
fn repeated(code: &str) -> bool {
    ["duplicate_order", "order_id_taken", "conflict"].contains(&code.to_lowercase().as_str())
}

/// Code and message of a refusal: `{code, message}`, the same inside `error`, or `error` as text.
fn words(body: &Value) -> (Option<String>, Option<String>) {
    let inner = body.get("error").filter(|error| error.is_object()).unwrap_or(body);
    let text = |name: &str| inner.get(name).and_then(Value::as_str).map(str::to_owned);
    (text("code").or_else(|| text("error")), text("message").or_else(|| text("status_message")))
}

fn refused(response: &Response, body: &Value, code: Code, what: &str) -> Error {
    let (theirs, message) = words(body);
    let said =
        message.clone().or_else(|| theirs.clone()).unwrap_or_else(|| format!("HTTP {}", response.status));
    Error::new(code, format!("{what}: {said}")).provider(ProviderError {
        code: theirs,
        message,
        http_status: Some(response.status),
    })
}
