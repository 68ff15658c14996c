//! Telling applications: every change of the state of an intent becomes an event, whoever caused it.
//!
//! What happens here is told at once. What happens elsewhere (another instance that died, `bayar recover`,
//! an operator at the command line) is found in the journal by [`follow`]; the store sees to it that
//! nothing is told twice.

use bayar::journal::{Change, Intent, Order, State};
use bayar::{Error, Outcome, Status};
use serde_json::{Value, json};

use crate::gateway::{Account, Gateway};
use crate::store::events::Telling;

/// Tells what a call came to. Where that fails now, `follow` does it.
pub(crate) fn of_outcome(gateway: &Gateway, account: &Account, operation: &str, outcome: &Outcome) {
    // A charge that waits for its payer is what its own caller was just answered.
    if matches!(outcome.result.status, Status::Pending | Status::Unknown) && outcome.result.review.is_none() {
        return;
    }
    let about_order = account.operations.get(operation).is_some_and(|described| described.about_order);
    let told = (|| {
        if about_order && let Some(reference) = outcome.result.reference.as_deref() {
            let intent = gateway.journal.of_order(account.scope(), &Order::Reference(reference))?;
            intent.map_or(Ok(false), |intent| tell(gateway, &intent))?;
        }
        of_intent(gateway, &outcome.intent)
    })();
    if let Err(error) = told {
        tracing::warn!("{} is told later: {error}", outcome.intent);
    }
}

/// Tells the present state of an intent, if its application has not heard of it.
pub(crate) fn of_intent(gateway: &Gateway, id: &str) -> Result<bool, Error> {
    match gateway.journal.intent(id)? {
        Some(story) => tell(gateway, &story.intent),
        None => Ok(false),
    }
}

/// Whether a state is news: what has only begun is not.
fn is_news(state: State, review: bool) -> bool {
    review || !matches!(state, State::New | State::Sending | State::Pending | State::Unknown)
}

fn tell(gateway: &Gateway, intent: &Intent) -> Result<bool, Error> {
    let review = intent.review.is_some();
    if intent.tenant.is_empty() || !is_news(intent.state, review) {
        return Ok(false);
    }
    let state = word(intent.state);
    let kind = format!("{}.{}", intent.operation, if review { "review" } else { &state });
    let data = data(intent);
    let telling = Telling {
        app: &intent.tenant,
        intent: &intent.id,
        state: &state,
        review,
        changed_ms: intent.updated_ms,
        kind: &kind,
        data: &data,
    };
    if gateway.store.was_told(&telling)? {
        return Ok(false);
    }
    let told = gateway.store.tell(&telling)?;
    if let Some(event) = &told {
        tracing::info!(event = event.id, app = event.app, "{} of {}", event.kind, event.intent);
        gateway.bell.notify_one();
    }
    Ok(told.is_some())
}

/// The outcome, without the provider's own words, which may say more of the payer than the application
/// needs to be told.
fn data(intent: &Intent) -> Value {
    let mut data = json!(intent.as_outcome());
    if let Some(fields) = data.as_object_mut() {
        fields.remove("raw");
    }
    data
}

/// The name of a state in documents.
pub(crate) fn word(state: State) -> String {
    json!(state).as_str().unwrap_or_default().to_owned()
}

/// How far back the journal is read again: a transaction may end in another order than its moment says,
/// and none lasts as long.
const OVERLAP_MS: i64 = 30_000;
const PAGE: u32 = 500;
/// Longer than a look at the journal takes.
const LEASE_MS: i64 = 60_000;

/// Tells whatever changed in the journal and was not told: one instance at a time. Gives how many.
pub(crate) fn follow(gateway: &Gateway) -> Result<u64, Error> {
    let Some(lease) = gateway.store.take_lease("follow", LEASE_MS)? else { return Ok(0) };
    let since: i64 = lease.value.parse().unwrap_or_default();
    let (mut after_ms, mut after) = (since - OVERLAP_MS, String::new());
    let mut told = 0;
    loop {
        let changes = gateway.journal.changed(after_ms, &after, PAGE)?;
        for change in &changes {
            told += u64::from(hear(gateway, change)?);
        }
        let Some(last) = changes.last() else { break };
        (after_ms, after) = (last.updated_ms, last.intent.clone());
        if changes.len() < PAGE as usize || gateway.stop.is_cancelled() {
            break;
        }
    }
    let reached = after_ms.max(since);
    gateway.store.give_lease(&lease, &reached.to_string())?;
    Ok(told)
}

fn hear(gateway: &Gateway, change: &Change) -> Result<bool, Error> {
    if !is_news(change.state, change.review) {
        return Ok(false);
    }
    let state = word(change.state);
    let telling = Telling {
        app: &change.tenant,
        intent: &change.intent,
        state: &state,
        review: change.review,
        changed_ms: change.updated_ms,
        kind: "",
        data: &Value::Null,
    };
    if gateway.store.was_told(&telling)? { Ok(false) } else { of_intent(gateway, &change.intent) }
}
