//! The operations of the account `bayar`: the engine itself, its journal.

use std::sync::Arc;

use bayar_provider::{Evidence, Status};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::ambient::make_id;
use crate::engine::{ENGINE_ACCOUNT, Shared};
use crate::error::{Code, Error};
use crate::journal::Filter;
use crate::outcome::Outcome;
use crate::recover::{Wanted, recover};

/// What can be called, and what it does.
pub(crate) const OPERATIONS: [(&str, &str); 12] = [
    ("doctor", "What may be wrong with configuration, plugins and journal."),
    (
        "intents",
        "Intents, newest first: {state?, review?, unconfirmed?, account?, operation?, order_id?, tenant?, since_ms?, until_ms?, after?, limit?}.",
    ),
    ("intent", "One intent with everything that is known of it: {intent}."),
    ("unmatched", "Callbacks that match no intent: {limit?}."),
    ("recover", "Looks at what has no end yet: {account?, now?, limit?}."),
    ("claim", "Takes an effect of a paid intent on: {intent, effect, lease_seconds?}."),
    ("confirm", "The effect was applied: {intent, effect, fence}."),
    ("release", "The effect was not applied: {intent, effect, fence}."),
    ("resolve", "An operator's decision: {intent, status, operator, reason}."),
    ("forget", "Masks a payer's personal data: {intents? | payer?, operator, reason, preview?}."),
    ("tidy", "Drops what is kept long enough: {body_days?, intent_days?}."),
    (
        "reconcile",
        "The journal beside a provider's own report: {account, operation, params? | csv, reference_column?, amount_column?, since_ms?, until_ms?, expect?}.",
    ),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OneIntent {
    intent: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Limit {
    #[serde(default)]
    limit: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClaimOf {
    intent: String,
    effect: String,
    #[serde(default)]
    lease_seconds: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EndOf {
    intent: String,
    effect: String,
    fence: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Decision {
    intent: String,
    status: Status,
    operator: String,
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Forget {
    #[serde(default)]
    intents: Vec<String>,
    #[serde(default)]
    payer: Option<String>,
    operator: String,
    reason: String,
    /// Only says which intents it would be.
    #[serde(default)]
    preview: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Age {
    #[serde(default)]
    body_days: Option<u16>,
    #[serde(default)]
    intent_days: Option<u16>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// How long a claim holds unless the host says otherwise, in seconds; and at most.
const LEASE: u32 = 60;
const LONGEST_LEASE: u32 = 86_400;

/// A key that is forgotten can be charged again.
const LEAST_INTENT_DAYS: u16 = 30;

/// Executes one of them.
pub(crate) fn execute(engine: &Arc<Shared>, operation: &str, params: &Value) -> Result<Outcome, Error> {
    let journal = &engine.journal;
    let data = match operation {
        "doctor" => {
            let Nothing {} = read(params)?;
            crate::doctor::examine(engine)
        }
        "intents" => {
            let filter: Filter = read(params)?;
            check_unconfirmed(&filter)?;
            json!({"intents": journal.intents(&filter)?})
        }
        "intent" => {
            let OneIntent { intent } = read(params)?;
            json!(journal.intent(&intent)?.ok_or_else(|| no_intent(&intent))?)
        }
        "unmatched" => {
            let Limit { limit } = read(params)?;
            json!({"callbacks": journal.unmatched(limit.unwrap_or(100))?})
        }
        "recover" => {
            let wanted: Wanted = read(params)?;
            // A slip of the pen in a crontab must not look like nothing to do.
            if let Some(account) =
                wanted.account.as_deref().filter(|name| !engine.accounts.contains_key(*name))
            {
                let what = format!("no account {account:?} is configured");
                return Err(Error::not_sent(Code::UnknownAccount, what).field("account"));
            }
            json!(recover(engine, &wanted)?)
        }
        "claim" => {
            let ClaimOf { intent, effect, lease_seconds } = read(params)?;
            let lease = lease_seconds.unwrap_or(LEASE);
            if !(1..=LONGEST_LEASE).contains(&lease) {
                return Err(invalid("lease_seconds", &lease.to_string(), &format!("1 to {LONGEST_LEASE}")));
            }
            check_name("effect", &effect)?;
            json!(journal.claim(&intent, &effect, i64::from(lease) * 1000)?)
        }
        "confirm" | "release" => {
            let EndOf { intent, effect, fence } = read(params)?;
            json!(if operation == "confirm" {
                journal.confirm(&intent, &effect, fence)?
            } else {
                journal.release(&intent, &effect, fence)?
            })
        }
        "resolve" => {
            let Decision { intent, status, operator, reason } = read(params)?;
            needed("operator", &operator)?;
            needed("reason", &reason)?;
            json!(journal.resolve(&intent, status, &operator, &reason)?)
        }
        "forget" => {
            let Forget { mut intents, payer, operator, reason, preview } = read(params)?;
            needed("operator", &operator)?;
            needed("reason", &reason)?;
            if let Some(payer) = payer {
                if payer.chars().count() < 6 {
                    return Err(invalid(
                        "payer",
                        &format!("{payer:?}"),
                        "at least 6 characters: an e-mail address, a phone number",
                    ));
                }
                intents.extend(journal.naming(&payer)?);
            } else if intents.is_empty() {
                return Err(invalid("intents", "none", "ids of intents; or payer, a text that names one"));
            }
            for intent in &intents {
                journal.intent(intent)?.ok_or_else(|| no_intent(intent))?;
            }
            let forgotten = if preview { 0 } else { journal.forget(&intents, &operator, &reason)? };
            json!({"forgotten": forgotten, "intents": intents})
        }
        "tidy" => {
            let Age { body_days, intent_days } = read(params)?;
            let (body_days, intent_days) =
                (body_days.unwrap_or(engine.kept_days.0), intent_days.unwrap_or(engine.kept_days.1));
            if intent_days < LEAST_INTENT_DAYS {
                let allowed =
                    format!("{LEAST_INTENT_DAYS} or more: a key that is forgotten can be charged again");
                return Err(invalid("intent_days", &intent_days.to_string(), &allowed));
            }
            json!(journal.tidy(body_days.into(), intent_days.into())?)
        }
        "reconcile" => crate::reconcile::reconcile(engine, read(params)?)?,
        other => return Err(unknown(other)),
    };
    let mut result = bayar_provider::Outcome::answered(Status::Done);
    result.evidence = Evidence::E3;
    result.data = Some(data);
    let ambient = &engine.ambient;
    Ok(Outcome {
        account: ENGINE_ACCOUNT.to_owned(),
        provider: ENGINE_ACCOUNT.to_owned(),
        operation: operation.to_owned(),
        intent: make_id('I', ambient.now_ms(), &ambient.nonce()?),
        order_id: None,
        tenant: None,
        result,
        acknowledgement: None,
    })
}

fn unknown(operation: &str) -> Error {
    let names: Vec<&str> = OPERATIONS.iter().map(|(name, _)| *name).collect();
    let nearest = bayar_provider::params::nearest(operation, &names)
        .map_or_else(|| ".".to_owned(), |near| format!("; did you mean {near}?"));
    let what = format!("the engine has no operation {operation:?}{nearest} There is: {}", names.join(", "));
    Error::not_sent(Code::Unsupported, what).field("operation")
}

fn read<T: DeserializeOwned>(params: &Value) -> Result<T, Error> {
    let params = if params.is_null() { json!({}) } else { params.clone() };
    bayar_provider::params::read(&params).map_err(Error::from)
}

/// What no claim would be granted for cannot be waiting for one.
fn check_unconfirmed(filter: &Filter) -> Result<(), Error> {
    let Some(effect) = &filter.unconfirmed else { return Ok(()) };
    check_name("unconfirmed", effect)?;
    if filter.review {
        return Err(invalid("review", "true", "false: what waits for a review has no effects"));
    }
    match filter.state {
        Some(state) if !state.is_earned() => {
            let found = crate::journal::word(&state);
            Err(invalid("state", &found, "paid, done or partially_refunded: only those have effects"))
        }
        _ => Ok(()),
    }
}

fn check_name(field: &str, effect: &str) -> Result<(), Error> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.:/".contains(c);
    if (1..=128).contains(&effect.len()) && effect.chars().all(plain) {
        return Ok(());
    }
    Err(invalid(field, &format!("{effect:?}"), "1 to 128 of A-Z a-z 0-9 - _ . : /, such as credit"))
}

fn needed(field: &str, text: &str) -> Result<(), Error> {
    if text.trim().is_empty() { Err(invalid(field, "nothing", "a text that is not empty")) } else { Ok(()) }
}

fn invalid(field: &str, found: &str, allowed: &str) -> Error {
    Error::not_sent(Code::InvalidParams, format!("{field}: found {found}; allowed: {allowed}")).field(field)
}

fn no_intent(id: &str) -> Error {
    invalid("intent", &format!("{id:?}"), "the id of an intent in the journal")
}
