//! A refund. The provider wants its amount said: where the host wants all of it back, the first
//! exchange asks how much there is, and the second refunds it.
//!
//! To change: [`Body`] and [`Answer`]; without the question, [`read_quote`] and `State::Quote` go.

use bayar_provider::{Call, Error, Outcome, Refund, Response, Rupiah, Status, Step, Which};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::settings::Account;
use crate::status::{Payment, check_which, status_of};
use crate::{State, answer, charge};

#[derive(Serialize)]
struct Body<'a> {
    refund_id: &'a str,
    amount: Rupiah,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

/// `data` of a refund.
#[derive(Serialize, JsonSchema)]
pub struct Refunded {
    /// Our id of the refund at the provider.
    refund_id: String,
    /// The state of the charge after it.
    charge_status: Status,
}

/// Builds the first request: the refund, or the question how much there is.
pub fn prepare(account: &Account, call: &Call) -> Result<Step<State>, Error> {
    let refund: Refund = call.read()?;
    check_which(&Which { order_id: refund.order_id, provider_reference: refund.provider_reference })?;
    match refund.amount {
        Some(amount) => send(account, call, amount, refund.reason.as_deref()),
        None => {
            // A question moves nothing: it is not marked, and may be asked again.
            let request = charge::request(account, call, "GET", &charge::path_of(call, "")?, Vec::new());
            Ok(Step::Send(request, State::Quote { reason: refund.reason }))
        }
    }
}

/// Reads how much there is, and asks for all of it.
pub fn read_quote(
    account: &Account,
    call: &Call,
    response: &Response,
    reason: Option<&str>,
) -> Result<Step<State>, Error> {
    let body = answer::read(response, false)?;
    let amount = Payment::of(call, response, &body, false)?.amount().unwrap_or_default();
    send(account, call, amount, reason)
}

fn send(account: &Account, call: &Call, amount: Rupiah, reason: Option<&str>) -> Result<Step<State>, Error> {
    if amount.get() == 0 {
        return Err(Error::invalid("amount", 0, "at least 1 rupiah, or none for all"));
    }
    // Made of the host's key: the same key is the same refund, whenever it is sent.
    let body = Body { refund_id: &call.key_digest, amount, reason };
    let request = charge::post(account, call, &charge::path_of(call, "/refund")?, &body)?;
    Ok(Step::Send(request.moving(), State::Refund { amount }))
}

/// A refund as the provider writes it.
#[derive(Deserialize)]
struct Answer {
    refund_id: String,
    #[serde(default)]
    amount: Value,
    status: String,
}

/// Reads the answer. A refund that succeeded is `done`; its charge's new state stands in `data`.
pub fn read(call: &Call, response: &Response, asked: Rupiah) -> Result<Outcome, Error> {
    let body = answer::read(response, true)?;
    let refund: Answer = serde_json::from_value(body.clone())
        .map_err(|_| answer::open(response, true, "the answer is no refund"))?;
    let charge_status = status_of(&refund.status);
    let refunded = matches!(charge_status, Status::Refunded | Status::PartiallyRefunded);
    if refund.refund_id != call.key_digest || Rupiah::from_wire(&refund.amount) != Some(asked) || !refunded {
        return Err(answer::open(response, true, "the answer is not about the refund that was asked for"));
    }
    let data = serde_json::to_value(Refunded { refund_id: refund.refund_id, charge_status }).ok();
    Ok(Outcome { amount: Some(asked), data, raw: body, ..Outcome::answered(Status::Done) })
}
