//! The journal: intents, their attempts, what was learned of them, and what the host did about it.
//!
//! | file | what stands there |
//! |---|---|
//! | `fold` | the state of an intent, from what is known of it |
//! | `ledger` | the journal in a database: the way out and the way in |
//! | `effects` | the host's own actions, each once |
//! | `looking` | lists, one intent's whole story, operators' decisions |
//! | `figures` | how many there were, what became of them, how long providers took |
//! | `care` | what recovery takes on; forgetting, and what is old |
//! | `database`, `schema`, `tables` | what a database must do, how it is brought up to date, and what it holds |
//! | `sqlite`, `turn`, `lockfile`, `postgres`, `fork` | the databases, and what happens to them when a process forks |
//!
//! It stands in both ways: before a request that moves money is sent, after it was answered, and
//! before a callback is acknowledged.

mod attempt;
#[cfg(test)]
mod behaviour;
mod care;
pub mod database;
mod effects;
#[cfg(test)]
mod faults;
mod figures;
mod files;
mod fold;
mod fork;
mod ledger;
mod lockfile;
mod locks;
mod looking;
mod none;
#[cfg(feature = "postgres")]
mod postgres;
mod rows;
mod schema;
mod sqlite;
#[cfg(test)]
mod suite;
mod tables;
mod turn;

use std::path::Path;
use std::sync::Arc;

use bayar_provider::{Call, Class, Event, Status};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use database::Schema;

pub use care::{Due, Look, Tidied};
pub use effects::{Claim, EffectState};
pub use figures::{Figure, LONGER_MS, TOOK_MS};
pub use fold::{Fact, Folded, State, Try, fold};
pub use looking::{Change, Filter, Story};
pub use none::NoJournal;
pub(crate) use rows::word;

use crate::error::{Code, Error};
use crate::outcome::Outcome;

/// The journal that a setting names: `sqlite:/var/lib/bayar/journal.db` or `postgres://…`. Nothing is
/// opened before its first use.
///
/// # Errors
/// [`Code::InvalidConfig`].
pub fn open(setting: &str) -> Result<Arc<dyn Journal>, Error> {
    Ok(Arc::new(ledger::Ledger::new(database::open(setting, Schema::from(tables::STEPS))?)))
}

/// Keeps intents, attempts, events and effects. Whatever it returns is durable when it returns.
///
/// What has a body here is that of a journal that keeps nothing.
///
/// Every function fails with [`crate::Code::JournalUnavailable`] and its kin.
pub trait Journal: Send + Sync {
    /// What it is, for people: `none`, `sqlite:/var/lib/bayar/journal.db`.
    fn name(&self) -> &str;

    /// Whether anything is kept.
    fn keeps(&self) -> bool {
        true
    }

    /// The intent of a host's key.
    fn of_key(&self, tenant: &str, key: &str) -> Result<Option<Intent>, Error> {
        let _ = (tenant, key);
        Ok(None)
    }

    /// The newest intent that made the order of this id, or that the provider knows by it.
    fn of_order(&self, scope: Scope<'_>, order: &Order<'_>) -> Result<Option<Intent>, Error> {
        let _ = (scope, order);
        Ok(None)
    }

    /// Before the first byte of a request that moves or changes something: the intent and this
    /// attempt, in one transaction. Where it fails, nothing is sent.
    fn sending(&self, attempt: &Attempt<'_>) -> Result<Begun, Error>;

    /// What became of the last attempt, before the host learns of it. Gives the intent after it, without its
    /// documents (`call`, `outcome`, `error`).
    fn concluded(&self, sent: &Sent, end: &End<'_>) -> Result<Option<Intent>, Error>;

    /// What our own exchange with the provider said of an order: a status query, a refund. Gives the
    /// order's intent, if one of ours matches.
    fn learned(&self, scope: Scope<'_>, order: &Order<'_>, said: &Said<'_>) -> Result<Option<Intent>, Error> {
        let _ = (scope, order, said);
        Ok(None)
    }

    /// A genuine callback, before its acknowledgement is returned.
    fn received(&self, scope: Scope<'_>, event: &Event) -> Result<Received, Error>;

    /// Whether the provider may be asked about this intent now because of a callback: once in 30
    /// seconds. Where it may not, recovery asks later.
    fn may_ask(&self, intent: &str) -> Result<bool, Error> {
        let _ = intent;
        Ok(true)
    }

    /// Takes on intents that wait to be looked at: each goes to one caller, until its lease is over.
    fn due(&self, wanted: &Due<'_>) -> Result<Vec<Intent>, Error> {
        let _ = wanted;
        Err(nothing_kept())
    }

    /// What looking at an intent came to; without effect where another has taken it on meanwhile.
    fn looked(&self, intent: &Intent, look: &Look<'_>) -> Result<Option<Intent>, Error> {
        let _ = (intent, look);
        Err(nothing_kept())
    }

    /// Takes an effect of an intent on: the host applies it, then confirms.
    fn claim(&self, intent: &str, effect: &str, lease_ms: i64) -> Result<Claim, Error> {
        let _ = (intent, effect, lease_ms);
        Err(nothing_kept())
    }

    /// The effect was applied.
    fn confirm(&self, intent: &str, effect: &str, fence: i64) -> Result<Claim, Error> {
        let _ = (intent, effect, fence);
        Err(nothing_kept())
    }

    /// The effect was not applied: another may claim it at once.
    fn release(&self, intent: &str, effect: &str, fence: i64) -> Result<Claim, Error> {
        let _ = (intent, effect, fence);
        Err(nothing_kept())
    }

    /// Intents, newest first.
    fn intents(&self, filter: &Filter) -> Result<Vec<Intent>, Error> {
        let _ = filter;
        Err(nothing_kept())
    }

    /// Intents that have a tenant and changed after this moment (in milliseconds since 1970-01-01 UTC) or, at
    /// that moment, have a greater id; in that order. Transactions of PostgreSQL may end in another order
    /// than their moments: look a while back.
    fn changed(&self, after_ms: i64, after: &str, limit: u32) -> Result<Vec<Change>, Error> {
        let _ = (after_ms, after, limit);
        Err(nothing_kept())
    }

    /// How many orders were made in this time (in milliseconds since 1970-01-01 UTC, the second moment not
    /// in it), counted by all that a [`Figure`] tells apart. Reads every intent of that time: a day of a
    /// busy journal takes a moment.
    fn figures(&self, since_ms: i64, until_ms: i64) -> Result<Vec<Figure>, Error> {
        let _ = (since_ms, until_ms);
        Err(nothing_kept())
    }

    /// Writes down that the provider knows nothing of what a kept callback says, which matched no intent. Gives
    /// how long ago that callback first came, in milliseconds.
    fn denied(&self, scope: Scope<'_>, event: &Event, why: &str) -> Result<i64, Error> {
        let _ = (scope, event, why);
        Err(nothing_kept())
    }

    /// Callbacks that matched no intent, newest first.
    fn unmatched(&self, limit: u32) -> Result<Vec<Value>, Error> {
        let _ = limit;
        Err(nothing_kept())
    }

    /// One intent with everything that is known of it.
    fn intent(&self, id: &str) -> Result<Option<Story>, Error> {
        let _ = id;
        Err(nothing_kept())
    }

    /// An operator's decision on an intent: its state, and that the reasons for a review are dealt with.
    fn resolve(&self, intent: &str, status: Status, operator: &str, reason: &str) -> Result<Intent, Error> {
        let _ = (intent, status, operator, reason);
        Err(nothing_kept())
    }

    /// Masks the personal data of these intents; amounts, states, references and times stay.
    fn forget(&self, intents: &[String], operator: &str, reason: &str) -> Result<u64, Error> {
        let _ = (intents, operator, reason);
        Err(nothing_kept())
    }

    /// The intents whose kept texts hold this one: a payer's e-mail address, a phone number.
    fn naming(&self, text: &str) -> Result<Vec<String>, Error> {
        let _ = text;
        Err(nothing_kept())
    }

    /// The same, if that was not done since yesterday.
    fn tidy_daily(&self, body_days: i32, intent_days: i32) -> Result<Option<Tidied>, Error> {
        let _ = (body_days, intent_days);
        Ok(None)
    }

    /// Copies all of it into a new file: see [`database::Database::backup`].
    fn backup(&self, to: &Path) -> Result<(), Error> {
        let _ = to;
        Err(nothing_kept())
    }

    /// Drops what is kept long enough: bodies, and intents that ended long ago.
    fn tidy(&self, body_days: i32, intent_days: i32) -> Result<Tidied, Error> {
        let _ = (body_days, intent_days);
        Err(nothing_kept())
    }
}

/// There is nothing to look at where nothing is kept.
fn nothing_kept() -> Error {
    let what = "no journal is kept (engine.journal is \"none\"), so there is nothing to look at";
    Error::not_sent(Code::Unsupported, what)
}

/// Whose orders: references are unique within it.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// The account.
    pub account: &'a str,
    /// Its environment.
    pub environment: &'a str,
}

/// How an order is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order<'a> {
    /// As the provider knows it from us.
    Reference(&'a str),
    /// As the provider calls it.
    ProviderReference(&'a str),
    /// As the host calls it; the newest of several.
    OrderId(&'a str),
    /// As the host calls it under this tenant; the newest of several.
    OfTenant(&'a str, &'a str),
}

/// What a host asked for, and what became of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Intent {
    /// The engine's id.
    pub id: String,
    /// The account.
    pub account: String,
    /// Its environment.
    pub environment: String,
    /// The provider's plugin.
    pub provider: String,
    /// The operation.
    pub operation: String,
    /// Its class.
    pub class: Class,
    /// The host's scope of keys; empty for none.
    pub tenant: String,
    /// The host's key, where the operation takes one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The digest of the request.
    pub digest: String,
    /// The host's own id of the order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_id: Option<String>,
    /// What the provider knows, or may know, the order by.
    pub reference: String,
    /// Whether this intent makes the order of its reference.
    pub owns: bool,
    /// The provider's own id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_reference: Option<String>,
    /// What the host asked for, in rupiah.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<i64>,
    /// What the payer was told to pay, in rupiah.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payable_amount: Option<i64>,
    /// The state.
    pub state: State,
    /// Why a person should look, if so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<String>,
    /// The call as the plugin got it, from which the same bytes can be made again.
    #[serde(skip)]
    pub call: Option<Call>,
    /// Whether `call` still makes the same bytes: nothing in it was masked.
    pub resend: bool,
    /// What the host was answered, where there was an outcome.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Value>,
    /// The error that the host was answered, where there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Value>,
    /// Which holder of the lease may write.
    pub fence: i64,
    /// Until when its holder works on it, in milliseconds since 1970-01-01 UTC.
    pub lease_ms: i64,
    /// How often recovery looked without finding an end.
    pub tries: i64,
    /// How often the provider said that it knows no such order, and since when.
    pub misses: i64,
    /// When the provider first said that it knows no such order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missed_ms: Option<i64>,
    /// When recovery looks again, in milliseconds since 1970-01-01 UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_ms: Option<i64>,
    /// When it was made, in milliseconds since 1970-01-01 UTC.
    pub created_ms: i64,
    /// When anything about it changed, in milliseconds since 1970-01-01 UTC.
    pub updated_ms: i64,
    /// How many requests were recorded for it.
    pub attempts: i64,
    /// The database's clock when this was read.
    #[serde(skip)]
    pub read_ms: i64,
}

impl Intent {
    /// What a call with its key, or a callback, answers in its present state. Where nothing was heard of
    /// it yet the status is `unknown`.
    pub fn as_outcome(&self) -> Outcome {
        crate::known::outcome_of(self)
    }
}

/// One request about to be sent.
#[derive(Clone, Copy, Debug)]
pub struct Attempt<'a> {
    /// Whose order.
    pub scope: Scope<'a>,
    /// The provider's plugin.
    pub provider: &'a str,
    /// The operation.
    pub operation: &'a str,
    /// Its class.
    pub class: Class,
    /// Whether it makes the order of its reference.
    pub owns: bool,
    /// The host's key; empty where the operation takes none.
    pub key: &'a str,
    /// The host's scope of keys; empty for none.
    pub tenant: &'a str,
    /// The digest of the request.
    pub digest: &'a str,
    /// The host's own id of the order.
    pub order_id: Option<&'a str>,
    /// The call as the plugin got it, without session and without secrets.
    pub call: &'a Call,
    /// Whether nothing in `call` was masked, so that the same bytes can be made again.
    pub resend: bool,
    /// Which attempt of this intent comes before this one, if one does.
    pub after: Option<&'a Sent>,
    /// How long the caller works on it at most, in milliseconds.
    pub lease_ms: i64,
}

/// A recorded attempt.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sent {
    /// The intent.
    pub intent: String,
    /// Which attempt of it: 1 for the first.
    pub number: i64,
    /// The fence under which it was recorded.
    pub fence: i64,
}

/// What recording an attempt came to.
#[derive(Clone, Debug)]
pub enum Begun {
    /// It is durable: send.
    Sent(Sent),
    /// Another call with this key was faster: its intent.
    Known(Box<Intent>),
    /// The reference belongs to another order.
    Taken,
}

/// How an attempt ended.
#[derive(Clone, Debug)]
pub enum End<'a> {
    /// With an outcome, as it is kept.
    Outcome(&'a Outcome),
    /// With an error; its stage says whether the request may have been acted upon.
    Error(&'a Error),
    /// Nobody waited for the answer: the operation was dropped after the request was handed out.
    Abandoned,
}

/// What our own exchange with the provider said of an order.
#[derive(Clone, Debug)]
pub struct Said<'a> {
    /// The operation that was answered: `status`.
    pub operation: &'a str,
    /// What gave money back: the refund's own intent, and how much.
    pub refund: Option<(&'a str, i64)>,
    /// The outcome, redacted.
    pub outcome: &'a Outcome,
}

/// What keeping a callback came to.
#[derive(Clone, Debug)]
pub struct Received {
    /// Whether the same callback was kept before.
    pub repeated: bool,
    /// The intent that it is about, after it; none where nothing of ours matches.
    pub intent: Option<Box<Intent>>,
}
