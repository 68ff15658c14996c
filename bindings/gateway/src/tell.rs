//! Telling applications: every change of the state of an intent becomes an event, whoever caused it.
//!
//! What happens here is told at once. What happens elsewhere (another instance that died, `bayar recover`,
//! an operator at the command line) is found in the journal by [`Follower`]; the store sees to it that
//! nothing is told twice.

use std::collections::HashMap;

use bayar::journal::{Change, Intent, Order, State};
use bayar::{Error, Outcome, Status};
use serde_json::{Value, json};

use crate::gateway::{Account, Gateway};
use crate::store::events::Telling;

/// Tells what a call came to. Where that fails now, the follower does it.
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

/// How far back the journal is read again: in PostgreSQL a transaction may end in another order than its
/// moment says, and none lasts as long. Most last much shorter, so most times it is not read as far.
const OVERLAP_MS: i64 = 30_000;
const NEAR_MS: i64 = 3_000;
/// Which time it is read from far back.
const FAR: u32 = 8;
const PAGE: u32 = 500;
/// The mark that says how far the journal was followed.
const MARK: &str = "follow";

/// Reads in the journal what changed, and tells what nobody has told. Every instance does so by itself:
/// whatever one has told, the others find told.
#[derive(Default)]
pub(crate) struct Follower {
    reached_ms: i64,
    /// How often it has looked.
    times: u32,
    /// Those within the overlap that were looked at, and when each had changed.
    seen: HashMap<String, i64>,
}

impl Follower {
    /// From where the last one ended.
    pub(crate) fn open(gateway: &Gateway) -> Result<Follower, Error> {
        let reached_ms = gateway.store.mark(MARK)?.unwrap_or_default();
        Ok(Follower { reached_ms, ..Follower::default() })
    }

    /// Tells whatever changed since the last time.
    pub(crate) fn follow(&mut self, gateway: &Gateway) -> Result<(), Error> {
        let overlap_ms = if self.times.is_multiple_of(FAR) { OVERLAP_MS } else { NEAR_MS };
        self.times = self.times.wrapping_add(1);
        let (mut after_ms, mut after) = (self.reached_ms - overlap_ms, String::new());
        while !gateway.stop.is_cancelled() {
            let changes = gateway.journal.changed(after_ms, &after, PAGE)?;
            for change in &changes {
                if self.seen.get(&change.intent) != Some(&change.updated_ms) {
                    hear(gateway, change)?;
                    self.seen.insert(change.intent.clone(), change.updated_ms);
                }
            }
            let Some(last) = changes.last() else { break };
            (after_ms, after) = (last.updated_ms, last.intent.clone());
            self.reached_ms = self.reached_ms.max(after_ms);
            if changes.len() < PAGE as usize {
                break;
            }
        }
        let since = self.reached_ms - OVERLAP_MS;
        self.seen.retain(|_, changed_ms| *changed_ms >= since);
        Ok(())
    }

    /// Writes down how far it is.
    pub(crate) fn keep(&self, gateway: &Gateway) -> Result<(), Error> {
        if gateway.store.mark(MARK)? == Some(self.reached_ms) {
            return Ok(());
        }
        gateway.store.advance(MARK, self.reached_ms)
    }
}

fn hear(gateway: &Gateway, change: &Change) -> Result<(), Error> {
    if !is_news(change.state, change.review) {
        return Ok(());
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
    if !gateway.store.was_told(&telling)? {
        of_intent(gateway, &change.intent)?;
    }
    Ok(())
}
