//! The way in: from a provider's callback to an outcome and its acknowledgement.
//!
//! ```text
//!   host ──► verify over the raw bytes ──► journal ──► enough evidence? ──► outcome + acknowledgement
//!                 │ not genuine                            │ no, and it says something new
//!                 └──► error, 401, no event                └──► ask the provider (`status`), which decides
//! ```
//!
//! Where the provider answers that it knows no such order, there is nothing to decide by. Of an order of ours that
//! is trouble that may pass (503): recovery goes on asking. Of one that is nobody's the callback stands among the
//! unmatched with that answer, and after the settle window it is taken (200), as a state that is not known: it
//! credits nothing, and the provider ends its repetitions.

use std::sync::Arc;

use bayar_provider::{Acknowledgement, Callback, Event, Evidence, Status};
use serde_json::{Value, json};

use crate::drive::Wire;
use crate::engine::{Account, Shared};
use crate::error::{Code, Error, Stage};
use crate::execute::execute;
use crate::faults::step;
use crate::journal::{Intent, Order};
use crate::known;
use crate::outcome::Outcome;
use crate::recover::SETTLE_MS;
use crate::request::HostCall;

/// The largest body of a callback, in bytes. Those of the five providers are below 16 KiB.
const MAX_BODY: usize = 256 * 1024;

/// Receives one callback. What is not proven genuine is an error without any event in it.
pub(crate) async fn receive(
    engine: Arc<Shared>,
    account: Arc<Account>,
    callback: Callback,
    wire: Wire,
) -> Result<Outcome, Error> {
    let callback = Callback { received_ms: engine.ambient.now_ms(), ..callback };
    let received = verify(&account, &callback);
    let event = received.map_err(|error| account.redactor.error(error))?;
    step("callback: verified");
    let mut kept = event.clone();
    account.redactor.kept(&mut kept.raw);
    let received = engine.journal.received(account.scope(), &kept).map_err(try_again)?;
    step("callback: kept");
    let outcome = match received.intent {
        Some(intent) => of_ours(&engine, &account, &event, &intent, wire).await?,
        None => by_itself(&engine, &account, &event, wire).await?,
    };
    log::info!(target: "bayar", "{}: callback for {} is genuine: {:?}", account.name, event.reference, outcome.result.status);
    Ok(Outcome { operation: "callback".to_owned(), acknowledgement: Some(event.acknowledgement), ..outcome })
}

/// A callback about an intent of ours: the journal has weighed what it proves, and says what state
/// that comes to. What it does not prove is asked of the provider.
async fn of_ours(
    engine: &Arc<Shared>,
    account: &Arc<Account>,
    event: &Event,
    intent: &Intent,
    wire: Wire,
) -> Result<Outcome, Error> {
    let proven = event.evidence != Evidence::E0;
    let nothing_new = intent.state.status() == Some(event.status);
    let mut outcome = if proven || nothing_new || asks_for_review(account, event) {
        known::outcome_of(intent)
    } else {
        if !engine.journal.may_ask(&intent.id).map_err(try_again)? {
            return Err(asked_just_now(event));
        }
        step("callback: may ask");
        let answer =
            confirm(engine, account, event, wire).await.map_err(|error| unconfirmed(event, error))?;
        step("callback: asked");
        let intent = engine.journal.of_order(account.scope(), &Order::Reference(&intent.reference));
        let intent = intent.map_err(try_again)?;
        let mut outcome = intent.as_ref().map_or_else(|| answer.clone(), known::outcome_of);
        // What the journal weighed the answer to be is what claims go by; what an unproven callback says
        // beside it counts for nothing, or anybody could hold a payment up.
        let review = outcome.result.review.take().or_else(|| answer.result.review.clone());
        outcome.result = bayar_provider::Outcome { review, ..answer.result };
        outcome
    };
    if proven {
        outcome.result.evidence = event.evidence;
        outcome.result.delivery = event.delivery.clone();
        outcome.result.raw = event.raw.clone();
        account.redactor.value(&mut outcome.result.raw);
    }
    outcome.intent.clone_from(&intent.id);
    Ok(outcome)
}

/// A callback that no intent of ours is about, or that there is no journal to compare with.
async fn by_itself(
    engine: &Arc<Shared>,
    account: &Arc<Account>,
    event: &Event,
    wire: Wire,
) -> Result<Outcome, Error> {
    let outcome = match event.evidence {
        Evidence::E0 if asks_for_review(account, event) => set_aside(engine, account, event)?,
        Evidence::E0 => match confirm(engine, account, event, wire).await {
            Ok(outcome) => outcome,
            Err(error) if denies(&error) && engine.journal.keeps() => nobodys(engine, account, event, error)?,
            Err(error) => return Err(unconfirmed(event, error)),
        },
        Evidence::E1 | Evidence::E2 | Evidence::E3 => believe(engine, account, event)?,
    };
    let mut outcome = cross_check(outcome, event);
    // A person looks before money is credited for what was not asked for here.
    let unknown = || format!("no order of this journal has the reference {}", event.reference);
    let doubt = if engine.journal.keeps() { Some(unknown()) } else { unmatched(event) };
    outcome.result.review = outcome.result.review.take().or(doubt);
    Ok(outcome)
}

/// Forged callbacks must not use up the provider's patience, nor delay a genuine one for good.
fn asked_just_now(event: &Event) -> Error {
    let what = format!(
        "the provider was asked about {} less than 30 seconds ago; recovery will ask again",
        event.reference
    );
    try_again(Error::not_sent(Code::CallbackUnconfirmed, what).at(Stage::NotSent, true))
}

fn verify(account: &Account, callback: &Callback) -> Result<Event, Error> {
    let Some(rules) = &account.callback else {
        let error =
            Error::not_sent(Code::Unsupported, format!("the account {} receives no callbacks", account.name));
        return Err(error.acknowledge(Acknowledgement::json(404, r#"{"status":"unsupported"}"#)));
    };
    if callback.body.len() > MAX_BODY {
        return Err(refused(format!("its body has {} bytes, allowed are {MAX_BODY}", callback.body.len())));
    }
    if !rules.methods.iter().any(|method| method.eq_ignore_ascii_case(&callback.method)) {
        return Err(refused(format!(
            "it came by {}, expected: {}",
            callback.method,
            rules.methods.join(", ")
        )));
    }
    account.instance.verify(callback).map_err(try_again)?.map_err(|error| {
        let error = Error::of_plugin(error, Stage::Answered, false);
        match error.acknowledgement {
            Some(_) => error,
            None => error.acknowledge(not_genuine()),
        }
    })
}

/// The signature does not cover what matters: the provider itself is asked, and its answer decides.
async fn confirm(
    engine: &Arc<Shared>,
    account: &Arc<Account>,
    event: &Event,
    wire: Wire,
) -> Result<Outcome, Error> {
    let rules = account.callback.as_ref().and_then(|rules| rules.confirmed_by.clone());
    let operation = rules.ok_or_else(|| {
        let what = format!(
            "the callback of {} proves nothing by itself, and there is no operation to ask by",
            account.provider
        );
        Error::not_sent(Code::CallbackUnconfirmed, what).acknowledge(not_genuine())
    })?;
    let mut query = match &event.query {
        Value::Null => json!({"order_id": event.reference}),
        query => query.clone(),
    };
    // By what the provider knows the order by: a host's order may have had several attempts.
    query["reference"] = json!(event.reference);
    let host = HostCall::read(engine, account, &operation, query).map_err(|error| match error.code {
        Code::InvalidParams => refused(error.message),
        _ => try_again(error),
    })?;
    execute(Arc::clone(engine), Arc::clone(account), host, wire).await
}

/// Asking failed, so the callback is neither confirmed nor refused: the provider is to send it again.
fn unconfirmed(event: &Event, error: Error) -> Error {
    // What is no answer of the provider's already says what to answer.
    if error.acknowledgement.is_some() {
        return error;
    }
    let what = format!(
        "the callback for {} looks genuine, but asking the provider failed: {}",
        event.reference, error.message
    );
    let stage = error.stage;
    try_again(Error { message: what, code: Code::CallbackUnconfirmed, ..error }.at(stage, true))
}

/// The provider itself answered that it knows no such order.
fn denies(error: &Error) -> bool {
    error.code == Code::OrderNotFound && error.stage == Stage::Answered && error.acknowledgement.is_none()
}

/// A callback about an order that is none of ours, and that the provider does not know either. Its own books may
/// be behind its callbacks for a while; after that, nothing more can be learned.
fn nobodys(engine: &Shared, account: &Account, event: &Event, error: Error) -> Result<Outcome, Error> {
    let why = format!("when it was asked, the provider did not know the order either: {}", error.message);
    let age = engine.journal.denied(account.scope(), event, &why).map_err(try_again)?;
    if age < SETTLE_MS {
        return Err(unconfirmed(event, error));
    }
    log::warn!(target: "bayar", "{}: a callback for {} is set aside: {why}", account.name, event.reference);
    let mut outcome = set_aside(engine, account, event)?;
    outcome.result.review = Some(why);
    Ok(outcome)
}

/// A setting may waive the signature of callbacks that nothing can confirm: they are kept for
/// a person to look at.
fn asks_for_review(account: &Account, event: &Event) -> bool {
    event.review.is_some() && account.callback.as_ref().is_some_and(|rules| rules.confirmed_by.is_none())
}

/// What it claims is not passed on as a status: nobody may credit it.
fn set_aside(engine: &Shared, account: &Account, event: &Event) -> Result<Outcome, Error> {
    let mut outcome = believe(engine, account, event)?;
    outcome.result.status = Status::Unknown;
    outcome.result.review = event.review.clone();
    Ok(outcome)
}

/// The signature covers the status: the event is the outcome.
fn believe(engine: &Shared, account: &Account, event: &Event) -> Result<Outcome, Error> {
    let intent = crate::ambient::make_id('I', engine.ambient.now_ms(), &engine.ambient.nonce()?);
    let mut result = bayar_provider::Outcome::answered(event.status);
    result.reference = Some(event.reference.clone());
    result.provider_reference = event.provider_reference.clone();
    result.amount = event.amount;
    result.delivery = event.delivery.clone();
    result.evidence = event.evidence;
    result.raw = event.raw.clone();
    account.redactor.value(&mut result.raw);
    Ok(Outcome {
        account: account.name.clone(),
        provider: account.provider.clone(),
        operation: "callback".to_owned(),
        intent,
        order_id: Some(event.reference.clone()),
        tenant: None,
        result,
        acknowledgement: None,
    })
}

/// Where the callback and the provider's own answer differ in what must be equal, a person
/// looks before money is credited.
fn cross_check(mut outcome: Outcome, event: &Event) -> Outcome {
    let result = &mut outcome.result;
    let doubt = differs("order", Some(&event.reference), result.reference.as_ref())
        .or_else(|| differs("payment", event.provider_reference.as_ref(), result.provider_reference.as_ref()))
        .or_else(|| {
            differs("amount", event.amount.as_ref(), result.payable_amount.or(result.amount).as_ref())
        })
        .or_else(|| event.review.clone().filter(|_| event.evidence > Evidence::E0));
    result.review = result.review.take().or(doubt);
    outcome
}

/// What is absent is not a difference.
fn differs<T: PartialEq + std::fmt::Display>(
    what: &str,
    said: Option<&T>,
    answered: Option<&T>,
) -> Option<String> {
    let (said, answered) = (said?, answered?);
    (said != answered)
        .then(|| format!("the callback names the {what} {said}, the provider answers {answered}"))
}

/// What the original call said stands in the journal, and there is none.
fn unmatched(event: &Event) -> Option<String> {
    let names: Vec<&str> = event.must_match.keys().map(String::as_str).collect();
    let what = "without a journal it cannot be compared with what was asked";
    (!names.is_empty()).then(|| format!("{what}: {}", names.join(", ")))
}

fn refused(why: String) -> Error {
    Error::not_sent(Code::CallbackRefused, format!("the callback is refused: {why}"))
        .at(Stage::Answered, false)
        .acknowledge(not_genuine())
}

fn not_genuine() -> Acknowledgement {
    Acknowledgement::json(401, r#"{"status":"refused"}"#)
}

/// Trouble of ours that may pass: the provider is to send the callback again.
fn try_again(error: Error) -> Error {
    error.acknowledge(Acknowledgement::json(503, r#"{"status":"try again"}"#))
}
