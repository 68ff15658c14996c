//! Refund, whole or in part.
//!
//! Source: docs.midtrans.com, Core API, Refund Transaction: the same `refund_key` is the same refund.

use bayar_provider::{Call, Code, Error, Outcome, Refund, Response, Rupiah, Status, Step, Which};
use schemars::JsonSchema;
use serde::Serialize;

use crate::answer::{self, Kind};
use crate::charge::at_most;
use crate::settings::Direct;
use crate::status::{Target, Transaction, status_of};
use crate::{State, idempotent, post};

#[derive(Serialize)]
struct Body<'a> {
    refund_key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<Rupiah>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

/// `data` of a refund.
#[derive(Serialize, JsonSchema)]
pub struct Refunded {
    /// Our id of the refund at Midtrans.
    refund_key: String,
    /// The state of the charge after it.
    charge_status: Status,
}

/// Builds the request. The refund key comes from the host's key, so a repeat is the same refund.
pub fn prepare(to: &Direct, call: &Call) -> Result<Step<State>, Error> {
    let refund: Refund = call.read()?;
    if refund.amount.is_some_and(|amount| amount.get() == 0) {
        return Err(Error::invalid("amount", 0, "at least 1 rupiah, or none for all"));
    }
    at_most("reason", refund.reason.as_deref(), 255)?;
    if call.key_digest.is_empty() {
        return Err(Error::missing("key", "a key: without one a repeated refund would be a second refund"));
    }
    let which = Which { order_id: refund.order_id, provider_reference: refund.provider_reference };
    let target = Target::of(call, which)?;
    let body = Body { refund_key: &call.key_digest, amount: refund.amount, reason: refund.reason.as_deref() };
    let request = idempotent(post(to, target.url(to, "refund"), &body)?, call);
    let state = State::Refund {
        transaction_id: target.transaction_id,
        amount: refund.amount,
        refund_key: call.key_digest.clone(),
    };
    Ok(Step::Send(request.moving(), state))
}

/// What was asked.
pub struct Asked {
    /// Midtrans' own id, where the host named the transaction by it.
    pub transaction_id: Option<String>,
    /// How much; none for all.
    pub amount: Option<Rupiah>,
    /// Our id of the refund.
    pub refund_key: String,
}

/// Reads the answer. Only a plain 200 says that the refund was taken on.
pub fn read(from: &Direct, call: &Call, response: &Response, asked: &Asked) -> Result<Outcome, Error> {
    let answer = answer::read(response, Kind::Act)?;
    let transaction = Transaction::of(&answer.body, Kind::Act)?;
    transaction.check_echo(call, asked.transaction_id.as_deref(), Kind::Act)?;
    let ours = transaction.refund_key.as_deref().is_none_or(|key| key == asked.refund_key);
    if answer.code != 200 || !ours {
        return Err(Error::new(
            Code::OutcomeUnknown,
            "the answer is about another refund, or does not say it was taken on",
        ));
    }
    let (charge_status, _) = status_of(&transaction.transaction_status, None);
    let data = Refunded { refund_key: asked.refund_key.clone(), charge_status };
    let amount = asked.amount.or_else(|| Rupiah::from_wire(&transaction.refund_amount));
    let outcome = transaction.outcome(from, answer.body, Kind::Act)?;
    Ok(Outcome {
        status: Status::Done,
        amount,
        payable_amount: None,
        data: serde_json::to_value(data).ok(),
        ..outcome
    })
}
