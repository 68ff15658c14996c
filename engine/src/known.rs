//! What an intent that the journal knows already answers: to the same key again, to a callback.

use bayar_provider::{Evidence, Instruction, Rupiah, Status};
use serde_json::Value;

use crate::error::{Code, Error, Stage};
use crate::journal::{Intent, State};
use crate::outcome::Outcome;

/// The current state of an intent, as the host gets it; nothing where nothing of it was sent, so
/// that the same key may send.
pub(crate) fn answer(intent: &Intent) -> Option<Result<Outcome, Error>> {
    match intent.state {
        State::New => None,
        State::Sending if intent.lease_ms > intent.read_ms => Some(Err(under_way(intent))),
        State::Sending | State::Unknown => Some(Err(unknown(intent))),
        State::Failed if intent.outcome.is_none() => {
            Some(Err(kept_error(intent).unwrap_or_else(|| never_arrived(intent))))
        }
        _ => Some(Ok(outcome_of(intent))),
    }
}

/// The outcome of an intent in its present state.
pub(crate) fn outcome_of(intent: &Intent) -> Outcome {
    let kept = intent.outcome.clone().and_then(|outcome| serde_json::from_value::<Outcome>(outcome).ok());
    let mut outcome = kept.unwrap_or_else(|| bare(intent));
    present(&mut outcome, intent);
    outcome
}

/// Brings an outcome up to what the journal knows of its intent.
pub(crate) fn present(outcome: &mut Outcome, intent: &Intent) {
    let result = &mut outcome.result;
    result.status = intent.state.status().unwrap_or(Status::Unknown);
    result.review = intent.review.clone();
    result.provider_reference =
        result.provider_reference.take().or_else(|| intent.provider_reference.clone());
    outcome.order_id = intent.order_id.clone().or(outcome.order_id.take());
    outcome.tenant = Some(intent.tenant.clone()).filter(|tenant| !tenant.is_empty());
}

/// Of an intent whose own request was never answered: where nobody has said what became of it, nothing proves
/// anything.
fn bare(intent: &Intent) -> Outcome {
    let rupiah =
        |amount: Option<i64>| amount.and_then(|amount| u64::try_from(amount).ok()).and_then(Rupiah::new);
    let mut result = bayar_provider::Outcome::answered(Status::Unknown);
    let silent = matches!(intent.state, State::New | State::Sending | State::Unknown);
    result.evidence = if silent { Evidence::E0 } else { Evidence::E2 };
    result.reference = Some(intent.reference.clone()).filter(|reference| !reference.is_empty());
    result.amount = rupiah(intent.amount);
    result.payable_amount = rupiah(intent.payable_amount);
    Outcome {
        account: intent.account.clone(),
        provider: intent.provider.clone(),
        operation: intent.operation.clone(),
        intent: intent.id.clone(),
        order_id: None,
        tenant: None,
        result,
        acknowledgement: None,
    }
}

/// Of an order whose payer has a page and has chosen no way to pay there: the provider has no transaction that
/// could be withdrawn, and the page stays what it is.
pub(crate) fn page_not_begun(owner: &Intent, operation: &str, error: Error) -> Error {
    let outcome = outcome_of(owner);
    let is_page = matches!(outcome.result.instruction, Some(Instruction::Redirect { .. }));
    if owner.state != State::Pending || !is_page || owner.provider_reference.is_some() {
        return error;
    }
    let until = outcome.result.expires_at.map_or_else(
        || format!("until the provider ends it; it was made {}", moment(owner.created_ms)),
        |until| format!("until {until}"),
    );
    let what = format!(
        "the payer has not chosen a way to pay on this order's page yet, so there is no transaction to {operation} and \
         nothing was withdrawn: the page stays open {until}. {}",
        error.message
    );
    let advice = "Do not give the page's address out any more, and take it as payable until it ends. Call again under a \
         new key once the payer has chosen. Give expires_in with a charge for a page that ends sooner.";
    let not_possible = Error::not_sent(Code::NotPossible, what).at(error.stage, false);
    Error { advice: advice.to_owned(), provider: error.provider, ..not_possible }
}

fn kept_error(intent: &Intent) -> Option<Error> {
    intent.error.clone().and_then(|error: Value| serde_json::from_value(error).ok())
}

fn of(intent: &Intent, error: Error) -> Error {
    let reference = Some(intent.reference.clone()).filter(|reference| !reference.is_empty());
    Error { intent: Some(intent.id.clone()), reference, ..error }
}

fn under_way(intent: &Intent) -> Error {
    let what =
        format!("another caller is executing {} since {}", intent.operation, moment(intent.updated_ms));
    of(intent, Error::not_sent(Code::InProgress, what).at(Stage::MaybeSent, true))
}

fn unknown(intent: &Intent) -> Error {
    let why = kept_error(intent).map_or_else(
        || "whoever sent the request did not live to read its answer".to_owned(),
        |error| error.message,
    );
    let review =
        intent.review.as_ref().map(|why| format!("; it waits for a review: {why}")).unwrap_or_default();
    let what = format!("what became of this {} is not known: {why}{review}", intent.operation);
    of(intent, Error::not_sent(Code::OutcomeUnknown, what).at(Stage::MaybeSent, false))
}

fn never_arrived(intent: &Intent) -> Error {
    let what = format!("the provider never got this {}, or did not accept it", intent.operation);
    of(intent, Error::not_sent(Code::Rejected, what).at(Stage::Answered, false))
}

/// A time for people.
pub(crate) fn moment(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).map_or_else(|_| ms.to_string(), bayar_provider::time::rfc3339_wib)
}
