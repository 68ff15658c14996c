//! What became of the unknown: intents whose end nobody heard are looked at, each by one machine.
//!
//! ```text
//!   due ──► lease ──► who settles it?
//!                       a read operation ──► ask ──► learned: the journal folds it in
//!                                             └──► "no such order": twice, ten minutes apart ──► never arrived
//!                       itself, proven to be deduplicated ──► the same bytes again
//!                       the callback ──► wait for it
//!                       nobody, or an operator's step ──► review
//! ```

use std::sync::Arc;

use bayar_provider::{Class, Deduplication, Operation, Settlement, Status};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::drive::Task;
use crate::engine::{Account, Shared, drive};
use crate::error::{Code, Error};
use crate::execute::execute;
use crate::faults::step;
use crate::journal::{Due, Intent, Look, State, Tidied};
use crate::outcome::Outcome;
use crate::request::HostCall;

/// Which intents are looked at.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Wanted {
    /// Only of this account.
    pub account: Option<String>,
    /// Also those whose time has not come yet.
    pub now: bool,
    /// How many at most; 1000 if absent.
    pub limit: Option<u32>,
}

/// What recovery did.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Report {
    /// How many were looked at.
    pub looked: u64,
    /// How many have ended, or moved on.
    pub settled: u64,
    /// How many are looked at again later.
    pub waiting: u64,
    /// How many wait for a person now.
    pub review: u64,
    /// How many could not be asked about, with why.
    pub failed: u64,
    /// Each of them.
    pub intents: Vec<Looked>,
    /// What was old enough to be dropped, where that was due.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tidied: Option<Tidied>,
}

/// One intent that was looked at.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Looked {
    intent: String,
    account: String,
    operation: String,
    reference: String,
    from: State,
    to: State,
    #[serde(skip_serializing_if = "Option::is_none")]
    review: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// Whether what failed may pass by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    passing: Option<bool>,
}

/// How many intents one caller holds at a time, so that others get their share.
const BATCH: u32 = 10;

/// How long after its request an order that the provider does not know may still come.
pub(crate) const SETTLE_MS: i64 = 15 * 60_000;

/// How far apart the two answers must be that say that the provider knows no such order.
const APART_MS: i64 = 10 * 60_000;

/// How long a callback is waited for before a person is asked.
const CALLBACK_MS: i64 = 24 * 3_600_000;

/// Looks at what is due, until nothing is, or the limit is reached.
pub(crate) fn recover(engine: &Arc<Shared>, wanted: &Wanted) -> Result<Report, Error> {
    let mut report = Report::default();
    let limit = wanted.limit.unwrap_or(1000);
    let mut seen: Vec<String> = Vec::new();
    while u32::try_from(seen.len()).unwrap_or(u32::MAX) < limit {
        let left = limit - u32::try_from(seen.len()).unwrap_or(u32::MAX);
        let lease_ms = engine.longest_call_ms() * i64::from(BATCH);
        let due =
            Due { account: wanted.account.as_deref(), now: wanted.now, limit: left.min(BATCH), lease_ms };
        let taken = engine.journal.due(&due)?;
        // With `now` an intent stays due: once each.
        let (again, fresh): (Vec<Intent>, Vec<Intent>) =
            taken.into_iter().partition(|intent| seen.contains(&intent.id));
        for intent in again {
            engine.journal.looked(&intent, &Look::Free)?;
        }
        if fresh.is_empty() {
            break;
        }
        for intent in fresh {
            seen.push(intent.id.clone());
            step("recovery: taken on");
            let (after, error) = look_at(engine, &intent)?;
            step("recovery: looked");
            report.note(&intent, after.as_ref().unwrap_or(&intent), error);
        }
    }
    let (body_days, intent_days) = engine.kept_days;
    report.tidied = engine.journal.tidy_daily(body_days.into(), intent_days.into())?;
    Ok(report)
}

impl Report {
    fn note(&mut self, before: &Intent, after: &Intent, error: Option<Error>) {
        self.looked += 1;
        if after.review.is_some() {
            self.review += 1;
        } else if error.is_some() {
            self.failed += 1;
        } else if after.state != before.state || !after.state.is_open() {
            self.settled += 1;
        } else {
            self.waiting += 1;
        }
        log::info!(target: "bayar::recovery", "{} ({} of {}): {:?} -> {:?}", before.id, before.operation, before.account, before.state, after.state);
        self.intents.push(Looked {
            intent: before.id.clone(),
            account: before.account.clone(),
            operation: before.operation.clone(),
            reference: before.reference.clone(),
            from: before.state,
            to: after.state,
            review: after.review.clone(),
            passing: error.as_ref().map(|error| error.retry),
            error: error.map(|error| error.to_string()),
        });
    }
}

/// Looks at one intent, and writes down what that came to.
fn look_at(engine: &Arc<Shared>, intent: &Intent) -> Result<(Option<Intent>, Option<Error>), Error> {
    let journal = &engine.journal;
    let found = engine.accounts.get(&intent.account).filter(|a| a.environment == intent.environment);
    let Some(account) = found else {
        let what = format!("the account {} ({}) is not configured here", intent.account, intent.environment);
        let error = Error::not_sent(Code::UnknownAccount, what);
        return Ok((journal.looked(intent, &Look::Again)?, Some(error)));
    };
    let Ok(operation) = account.operation(&intent.operation) else {
        let what = "this version of the plugin has no such operation: a person must look";
        return Ok((journal.looked(intent, &Look::Review(what))?, None));
    };
    if !intent.state.is_open() {
        // What has ended is here because of a callback that came too soon after another to be asked
        // about: it may say that a failed one was paid after all, or a paid one given back.
        return match &operation.settled {
            Settlement::Read { operation: by } if intent.owns => ask(engine, account, operation, intent, by),
            _ => Ok((journal.looked(intent, &Look::Settled)?, None)),
        };
    }
    let age = intent.read_ms - intent.created_ms;
    match &operation.settled {
        // A record, no promise: the host sees what is, and calls again if it wants to.
        _ if operation.class == Class::Change => Ok((journal.looked(intent, &Look::Waits)?, None)),
        Settlement::Read { operation: by } => ask(engine, account, operation, intent, by),
        Settlement::Keyed { operation: by }
            if intent.state == State::Unknown
                && *by == operation.name
                && operation.deduplication == Deduplication::Proven =>
        {
            match HostCall::again(account, intent) {
                Some(call) => send_again(engine, account, intent, call),
                None => {
                    let why =
                        "its request cannot be made again, for it held what is not kept; ask the provider";
                    Ok((journal.looked(intent, &Look::Review(why))?, None))
                }
            }
        }
        _ if intent.state != State::Unknown => Ok((journal.looked(intent, &Look::Waits)?, None)),
        Settlement::Keyed { operation: by } => {
            let why = format!("what became of it can be settled by the operation {by}, an operator's step");
            Ok((journal.looked(intent, &Look::Review(&why))?, None))
        }
        Settlement::Callback if age < CALLBACK_MS => Ok((journal.looked(intent, &Look::Again)?, None)),
        Settlement::Callback => {
            let why =
                "no callback came in a day, and it cannot be asked about: look at the provider's own records";
            Ok((journal.looked(intent, &Look::Review(why))?, None))
        }
        Settlement::Nobody => {
            let why = "what became of it cannot be asked: look at the provider's own records";
            Ok((journal.looked(intent, &Look::Review(why))?, None))
        }
    }
}

/// Asks the provider for the state of the order. The answer is kept by the call itself.
fn ask(
    engine: &Arc<Shared>,
    account: &Arc<Account>,
    operation: &Operation,
    intent: &Intent,
    by: &str,
) -> Result<(Option<Intent>, Option<Error>), Error> {
    let journal = &engine.journal;
    let by_reference = Map::from_iter([("reference".to_owned(), json!(intent.reference))]);
    let mut by_both = by_reference.clone();
    if let Some(theirs) = &intent.provider_reference {
        by_both.insert("provider_reference".to_owned(), json!(theirs));
    }
    // Some providers find an order only by their own id, others only by ours.
    let answer = match run(engine, account, by, Value::Object(by_both)) {
        Err(error) if error.field.as_deref() == Some("provider_reference") => {
            run(engine, account, by, Value::Object(by_reference))
        }
        answer => answer,
    };
    match answer {
        Ok(outcome) if intent.owns => {
            // The answer is folded in already; unless it settled nothing.
            let now = journal.intent(&intent.id)?.map(|story| story.intent);
            let open = now.as_ref().is_none_or(|now| now.state.is_open() && now.state == intent.state);
            let look = if open { Look::Again } else { Look::Settled };
            log::debug!(target: "bayar", "recovery: the provider says {:?}", outcome.result.status);
            Ok((journal.looked(intent, &look)?, None))
        }
        // A cancellation, say: the order's state tells whether it took effect.
        Ok(outcome) => {
            let look = match outcome.result.status {
                Status::Pending | Status::Authorized | Status::Unknown => Look::Again,
                status => Look::Turned(status),
            };
            Ok((journal.looked(intent, &look)?, None))
        }
        Err(error) if error.code == Code::OrderNotFound => {
            let age = intent.read_ms - intent.created_ms;
            let apart = intent.missed_ms.is_some_and(|first| intent.read_ms - first >= APART_MS);
            let look = if !intent.state.is_open() {
                Look::Settled
            } else if intent.state != State::Unknown {
                Look::Again
            } else if operation.class == Class::Keyed && age >= SETTLE_MS && apart {
                Look::NeverArrived
            } else if operation.class != Class::Keyed && age >= SETTLE_MS {
                Look::Review("the provider knows no such order, which proves nothing: it may still come")
            } else {
                Look::Missing
            };
            Ok((journal.looked(intent, &look)?, None))
        }
        Err(error) => Ok((journal.looked(intent, &Look::Again)?, Some(error))),
    }
}

/// Sends the same bytes once more, under the same key, to a provider that is proven to recognise it.
fn send_again(
    engine: &Arc<Shared>,
    account: &Arc<Account>,
    intent: &Intent,
    call: HostCall,
) -> Result<(Option<Intent>, Option<Error>), Error> {
    let end = carry_out(engine, account, call);
    let now = engine.journal.intent(&intent.id)?.map(|story| story.intent);
    let open = now.as_ref().is_none_or(|now| now.state == State::Unknown);
    let look = if open { Look::Again } else { Look::Settled };
    Ok((engine.journal.looked(intent, &look)?.or(now), end.err().filter(|_| open)))
}

/// One call of the engine's own, by the account's name.
pub(crate) fn call(
    engine: &Arc<Shared>,
    account: &str,
    operation: &str,
    params: Value,
) -> Result<Outcome, Error> {
    let found = engine.accounts.get(account).ok_or_else(|| {
        let what = format!("no account {account:?} is configured");
        Error::not_sent(Code::UnknownAccount, what).field("account")
    })?;
    run(engine, found, operation, params)
}

fn run(
    engine: &Arc<Shared>,
    account: &Arc<Account>,
    operation: &str,
    params: Value,
) -> Result<Outcome, Error> {
    let call = HostCall::read(engine, account, operation, params)?;
    carry_out(engine, account, call)
}

fn carry_out(engine: &Arc<Shared>, account: &Arc<Account>, call: HostCall) -> Result<Outcome, Error> {
    let (shared, own) = (Arc::clone(engine), Arc::clone(account));
    drive(account, Task::new(|wire| execute(shared, own, call, wire)))
}
