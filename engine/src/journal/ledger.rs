//! The journal in a database: the way out and the way in.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use bayar_provider::{Event, Evidence, Status};
use serde_json::{Value, json};

use super::attempt::{Ending, Opening};
use super::database::{Cell, Database, Transaction};
use super::fold::{Folded, State, fold};
use super::rows::{facts, int, maybe_int, maybe_text, one_intent, state, text, tries, word};
use super::{
    Attempt, Begun, Change, Claim, Due, End, Figure, Filter, Intent, Journal, Look, Order, Received, Said,
    Scope, Sent, Story, Tidied,
};
use crate::ambient::{Ambient, System, make_id};
use crate::error::Error;

/// How long after a callback made the engine ask it may not be made to ask again about the same
/// intent: forged ones must not use up the provider's patience.
const ASK_EVERY_MS: i64 = 30_000;

/// The first time that recovery looks at what is open, after it was last heard of; the pause doubles
/// each time, up to [`LONGEST_MS`].
pub(super) const UNKNOWN_MS: i64 = 60_000;
pub(super) const PENDING_MS: i64 = 10 * 60_000;
const LONGEST_MS: i64 = 6 * 3_600_000;

/// A journal in a database.
pub(crate) struct Ledger {
    database: Arc<dyn Database>,
}

impl Ledger {
    pub(crate) fn new(database: Arc<dyn Database>) -> Self {
        Ledger { database }
    }

    /// Runs `work` in one durable transaction.
    pub(super) fn write<T>(
        &self,
        mut work: impl FnMut(&mut dyn Transaction) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut result = None;
        self.database.write(&mut |tx| {
            result = Some(work(tx)?);
            Ok(())
        })?;
        Ok(result.expect("the database ran the work, or gave an error"))
    }

    /// The same, and one commit may do for what several threads write: see [`Database::write_together`].
    fn write_together<T: Send + 'static>(
        &self,
        mut work: impl FnMut(&mut dyn Transaction) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let result = Arc::new(Mutex::new(None));
        let kept = Arc::clone(&result);
        self.database.write_together(Box::new(move |tx| {
            let done = work(tx)?;
            *kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(done);
            Ok(())
        }))?;
        let done = result.lock().unwrap_or_else(PoisonError::into_inner).take();
        Ok(done.expect("the database ran the work, or gave an error"))
    }

    /// Runs `work` in one transaction that only reads.
    pub(super) fn read<T>(
        &self,
        mut work: impl FnMut(&mut dyn Transaction) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut result = None;
        self.database.read(&mut |tx| {
            result = Some(work(tx)?);
            Ok(())
        })?;
        Ok(result.expect("the database ran the work, or gave an error"))
    }
}

impl Journal for Ledger {
    fn name(&self) -> &str {
        self.database.name()
    }

    fn of_key(&self, tenant: &str, key: &str) -> Result<Option<Intent>, Error> {
        self.read(|tx| of_key(tx, tenant, key))
    }

    fn of_order(&self, scope: Scope<'_>, order: &Order<'_>) -> Result<Option<Intent>, Error> {
        self.read(|tx| owner(tx, scope, order, ""))
    }

    fn sending(&self, attempt: &Attempt<'_>) -> Result<Begun, Error> {
        let mut opening = Opening::of(attempt)?;
        self.write_together(move |tx| opening.write(tx))
    }

    fn concluded(&self, sent: &Sent, end: &End<'_>) -> Result<Option<Intent>, Error> {
        let ending = Ending::of(sent, end);
        self.write_together(move |tx| ending.write(tx))
    }

    fn learned(&self, scope: Scope<'_>, order: &Order<'_>, said: &Said<'_>) -> Result<Option<Intent>, Error> {
        let Some(intent) = self.of_order(scope, order)? else { return Ok(None) };
        let dedupe = dedupe_of(&intent.id, said);
        let known = |tx: &mut dyn Transaction| {
            let sql = "SELECT id FROM event WHERE account = ?1 AND environment = ?2 AND dedupe = ?3";
            Ok(!tx
                .query(sql, &[text(scope.account), text(scope.environment), text(dedupe.as_str())])?
                .is_empty())
        };
        // The same answer again is nothing new: polling for a status writes nothing.
        if self.read(known)? {
            return Ok(Some(intent));
        }
        let document = kept(&said.outcome.result.raw);
        self.write(|tx| {
            let result = &said.outcome.result;
            let fact = NewFact {
                scope,
                intent: Some(&intent.id),
                source: said.operation,
                dedupe: &dedupe,
                evidence: result.evidence,
                status: result.status,
                reference: &intent.reference,
                provider_reference: result.provider_reference.as_deref(),
                amount: result.payable_amount.or(result.amount).map(rupiah),
                payable: None,
                refunded: said.refund.map(|(_, amount)| amount),
                review: result.review.as_deref(),
                document: document.as_deref(),
            };
            fact.keep(tx)?;
            // The answer to its own request was lost: what the payer needs stands in this one.
            if said.refund.is_none() {
                let sql = "UPDATE intent SET outcome = ?2 WHERE id = ?1 AND outcome IS NULL";
                tx.execute(sql, &[text(intent.id.as_str()), text(json!(said.outcome).to_string())])?;
            }
            refold(tx, &intent.id)
        })
    }

    fn received(&self, scope: Scope<'_>, event: &Event) -> Result<Received, Error> {
        let (account, environment) = (scope.account.to_owned(), scope.environment.to_owned());
        let event = event.clone();
        let document = json!({"delivery": event.delivery, "raw": event.raw}).to_string();
        self.write_together(move |tx| {
            received(tx, Scope { account: &account, environment: &environment }, &event, &document)
        })
    }

    fn denied(&self, scope: Scope<'_>, event: &Event, why: &str) -> Result<i64, Error> {
        self.note_denial(scope, event, why)
    }

    fn may_ask(&self, intent: &str) -> Result<bool, Error> {
        let intent = intent.to_owned();
        self.write_together(move |tx| {
            let now = tx.now_ms()?;
            let ask =
                "UPDATE intent SET asked_ms = ?2 WHERE id = ?1 AND (asked_ms IS NULL OR asked_ms <= ?3)";
            let may = tx.execute(ask, &[text(intent.as_str()), int(now), int(now - ASK_EVERY_MS)])? == 1;
            if !may {
                let later =
                    "UPDATE intent SET next_ms = ?2 WHERE id = ?1 AND (next_ms IS NULL OR next_ms > ?2)";
                tx.execute(later, &[text(intent.as_str()), int(now + ASK_EVERY_MS)])?;
            }
            Ok(may)
        })
    }

    fn due(&self, wanted: &Due<'_>) -> Result<Vec<Intent>, Error> {
        self.take_due(wanted)
    }

    fn looked(&self, intent: &Intent, look: &Look<'_>) -> Result<Option<Intent>, Error> {
        self.note_look(intent, look)
    }

    fn claim(&self, intent: &str, effect: &str, lease_ms: i64) -> Result<Claim, Error> {
        self.claim_effect(intent, effect, lease_ms)
    }

    fn confirm(&self, intent: &str, effect: &str, fence: i64) -> Result<Claim, Error> {
        self.end_effect(intent, effect, fence, true)
    }

    fn release(&self, intent: &str, effect: &str, fence: i64) -> Result<Claim, Error> {
        self.end_effect(intent, effect, fence, false)
    }

    fn intents(&self, filter: &Filter) -> Result<Vec<Intent>, Error> {
        self.list(filter)
    }

    fn changed(&self, after_ms: i64, after: &str, limit: u32) -> Result<Vec<Change>, Error> {
        self.list_changed(after_ms, after, limit)
    }

    fn figures(&self, since_ms: i64, until_ms: i64) -> Result<Vec<Figure>, Error> {
        self.count(since_ms, until_ms)
    }

    fn unmatched(&self, limit: u32) -> Result<Vec<Value>, Error> {
        self.list_unmatched(limit)
    }

    fn intent(&self, id: &str) -> Result<Option<Story>, Error> {
        self.story(id)
    }

    fn resolve(&self, intent: &str, status: Status, operator: &str, reason: &str) -> Result<Intent, Error> {
        self.decide(intent, status, operator, reason)
    }

    fn forget(&self, intents: &[String], operator: &str, reason: &str) -> Result<u64, Error> {
        self.mask(intents, operator, reason)
    }

    fn naming(&self, text: &str) -> Result<Vec<String>, Error> {
        self.find_text(text)
    }

    fn tidy_daily(&self, body_days: i32, intent_days: i32) -> Result<Option<Tidied>, Error> {
        self.drop_old_daily(body_days, intent_days)
    }

    fn backup(&self, to: &Path) -> Result<(), Error> {
        self.database.backup(to)
    }

    fn tidy(&self, body_days: i32, intent_days: i32) -> Result<Tidied, Error> {
        self.drop_old(body_days, intent_days)
    }
}

pub(super) fn of_key(tx: &mut dyn Transaction, tenant: &str, key: &str) -> Result<Option<Intent>, Error> {
    one_intent(tx, "WHERE tenant = ?1 AND key = ?2", &[text(tenant), text(key)])
}

/// The intent that made an order, its row locked where `lock` asks for that.
fn owner(
    tx: &mut dyn Transaction,
    scope: Scope<'_>,
    order: &Order<'_>,
    lock: &str,
) -> Result<Option<Intent>, Error> {
    let (condition, value) = match order {
        Order::Reference(value) => ("reference = ?3", value),
        Order::ProviderReference(value) => ("provider_reference = ?3", value),
        Order::OrderId(value) => ("order_id = ?3", value),
        Order::OfTenant(_, value) => ("order_id = ?3 AND tenant = ?4 AND tenant <> ''", value),
    };
    let behind = format!(
        "WHERE account = ?1 AND environment = ?2 AND {condition} AND owns = 1 ORDER BY created_ms DESC LIMIT 1 {lock}"
    );
    let mut values = vec![text(scope.account), text(scope.environment), text(*value)];
    if let Order::OfTenant(tenant, _) = order {
        values.push(text(*tenant));
    }
    one_intent(tx, &behind, &values)
}

/// Computes state and review anew from all that is known, and says when recovery is to look again.
pub(super) fn refold(tx: &mut dyn Transaction, id: &str) -> Result<Option<Intent>, Error> {
    match one_intent(tx, "WHERE id = ?1 /*for update*/", &[text(id)])? {
        Some(intent) => folded(tx, intent, [Cell::Null, Cell::Null]).map(Some),
        None => Ok(None),
    }
}

/// The same of an intent that was just read and is locked; its lease is written as it stands, and the
/// documents, outcome and error, where they are given.
pub(super) fn folded(
    tx: &mut dyn Transaction,
    mut intent: Intent,
    [outcome, error]: [Cell; 2],
) -> Result<Intent, Error> {
    let now = tx.now_ms()?;
    let folded = come_to(tx, &intent)?;
    let moved = folded.state != intent.state;
    let review = folded.review.into_iter().collect::<Vec<_>>().join("; ");
    intent.review = Some(review).filter(|review| !review.is_empty());
    intent.tries = if moved { 0 } else { intent.tries };
    intent.next_ms = match folded.state {
        State::Sending => Some(intent.lease_ms.max(now)),
        State::Unknown => Some(now + pause(UNKNOWN_MS, intent.tries)),
        State::Pending | State::Authorized => Some(now + pause(PENDING_MS, intent.tries)),
        _ => None,
    };
    intent.state = folded.state;
    intent.provider_reference = folded.provider_reference;
    intent.payable_amount = folded.payable;
    intent.updated_ms = now;
    let sql =
        "UPDATE intent SET state = ?2, review = ?3, provider_reference = ?4, payable = ?5, next_ms = ?6,
        tries = ?7, updated_ms = ?8, lease_ms = ?9, outcome = COALESCE(?10, outcome), error = COALESCE(?11, error)
        WHERE id = ?1";
    let values = [
        text(intent.id.as_str()),
        state(intent.state),
        maybe_text(intent.review.as_deref()),
        maybe_text(intent.provider_reference.as_deref()),
        maybe_int(intent.payable_amount),
        maybe_int(intent.next_ms),
        int(intent.tries),
        int(now),
        int(intent.lease_ms),
        outcome,
        error,
    ];
    tx.execute(sql, &values)?;
    Ok(intent)
}

/// What all that is known of an intent comes to.
pub(super) fn come_to(tx: &mut dyn Transaction, intent: &Intent) -> Result<Folded, Error> {
    let facts = facts(tx, &intent.id)?;
    let mut folded = fold(intent.amount, &tries(tx, &intent.id)?, &facts);
    if let (true, Some(named)) = (intent.owns, folded.provider_reference.as_deref())
        && intent.provider_reference.as_deref() != Some(named)
    {
        let scope = Scope { account: &intent.account, environment: &intent.environment };
        if let Some(other) = owner(tx, scope, &Order::ProviderReference(named), "")? {
            let why = format!("the provider's id {named} belongs to the intent {}", other.id);
            if !facts.iter().any(|fact| fact.evidence == Evidence::E3 && fact.clears.contains(&why)) {
                folded.review.insert(why);
            }
            folded.provider_reference = intent.provider_reference.clone();
        }
    }
    Ok(folded)
}

/// How long recovery waits before it looks again.
pub(super) fn pause(first_ms: i64, tries: i64) -> i64 {
    let doubled = first_ms.saturating_mul(1 << tries.clamp(0, 20));
    doubled.min(LONGEST_MS)
}

fn received(
    tx: &mut dyn Transaction,
    scope: Scope<'_>,
    event: &Event,
    document: &str,
) -> Result<Received, Error> {
    let intent = owner(tx, scope, &Order::Reference(&event.reference), "/*for update*/")?;
    let mismatch = intent.as_ref().and_then(|intent| must_match(intent, &event.must_match));
    let fact = NewFact {
        scope,
        intent: intent.as_ref().map(|intent| intent.id.as_str()),
        source: "callback",
        dedupe: &of_callback(event),
        // One of its guards is that it matches what was asked; without that it proves nothing.
        evidence: if mismatch.is_some() { Evidence::E0 } else { event.evidence },
        status: event.status,
        reference: &event.reference,
        provider_reference: event.provider_reference.as_deref(),
        amount: event.amount.map(rupiah),
        payable: None,
        refunded: None,
        review: mismatch.as_deref().or(event.review.as_deref()),
        document: Some(document),
    };
    let new = fact.keep(tx)?;
    let intent = match intent {
        Some(intent) if new => Some(folded(tx, intent, [Cell::Null, Cell::Null])?),
        other => other,
    };
    Ok(Received { repeated: !new, intent: intent.map(Box::new) })
}

/// The same for every repetition of one callback.
pub(super) fn of_callback(event: &Event) -> String {
    format!("callback/{}", event.dedupe)
}

/// Which parameter of the original call differs from what a callback names, if one does.
fn must_match(intent: &Intent, named: &BTreeMap<String, String>) -> Option<String> {
    named.iter().find_map(|(name, value)| {
        let asked = intent.call.as_ref().and_then(|call| call.params.get(name)).and_then(Value::as_str);
        match asked {
            Some(asked) if asked == value => None,
            // What differs may say who a person is; it stands in what was asked and in the callback.
            Some(_) => Some(format!("a callback names another {name} than was asked")),
            None => Some(format!("a callback names a {name}, and what was asked is not kept any more")),
        }
    })
}

/// The same for every repetition of one answer.
fn dedupe_of(intent: &str, said: &Said<'_>) -> String {
    let result = &said.outcome.result;
    match said.refund {
        Some((refund, _)) => format!("refund/{refund}"),
        None => format!(
            "{}/{intent}/{}/{}/{}/{}",
            said.operation,
            word(&result.status),
            result.payable_amount.or(result.amount).map(|amount| amount.to_string()).unwrap_or_default(),
            result.provider_reference.as_deref().unwrap_or_default(),
            result.review.as_deref().unwrap_or_default(),
        ),
    }
}

pub(super) fn rupiah(amount: bayar_provider::Rupiah) -> i64 {
    i64::try_from(amount.get()).unwrap_or(i64::MAX)
}

/// A document as it is kept; one that says nothing is not.
pub(super) fn kept(document: &Value) -> Option<String> {
    (!document.is_null()).then(|| document.to_string())
}

/// A fact about to be kept.
pub(super) struct NewFact<'a> {
    pub(super) scope: Scope<'a>,
    pub(super) intent: Option<&'a str>,
    pub(super) source: &'a str,
    pub(super) dedupe: &'a str,
    pub(super) evidence: Evidence,
    pub(super) status: Status,
    pub(super) reference: &'a str,
    pub(super) provider_reference: Option<&'a str>,
    pub(super) amount: Option<i64>,
    pub(super) payable: Option<i64>,
    pub(super) refunded: Option<i64>,
    pub(super) review: Option<&'a str>,
    /// As it is kept, in JSON.
    pub(super) document: Option<&'a str>,
}

impl<'a> NewFact<'a> {
    /// A fact of an intent that says nothing yet.
    pub(super) fn of(scope: Scope<'a>, intent: &'a Intent) -> Self {
        NewFact {
            scope,
            intent: Some(&intent.id),
            source: "",
            dedupe: "",
            evidence: Evidence::E0,
            status: Status::Unknown,
            reference: &intent.reference,
            provider_reference: None,
            amount: None,
            payable: None,
            refunded: None,
            review: None,
            document: None,
        }
    }

    /// Keeps it, and says whether it is new.
    pub(super) fn keep(&self, tx: &mut dyn Transaction) -> Result<bool, Error> {
        self.keep_clearing(tx, None)
    }

    /// Keeps it, and with it the reasons for a review that it deals with.
    pub(super) fn keep_clearing(
        &self,
        tx: &mut dyn Transaction,
        clears: Option<&[String]>,
    ) -> Result<bool, Error> {
        let now = tx.now_ms()?;
        let sql = "INSERT INTO event (id, intent, account, environment, source, dedupe, evidence, status, reference,
                provider_reference, amount, payable, refunded, review, clears, document, at_ms)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17) ON CONFLICT DO NOTHING";
        let values = [
            text(new_id('E', now)?),
            maybe_text(self.intent),
            text(self.scope.account),
            text(self.scope.environment),
            text(self.source),
            text(self.dedupe),
            text(word(&self.evidence)),
            text(word(&self.status)),
            text(self.reference),
            maybe_text(self.provider_reference),
            maybe_int(self.amount),
            maybe_int(self.payable),
            maybe_int(self.refunded),
            maybe_text(self.review),
            maybe_text(clears.map(|clears| json!(clears).to_string())),
            maybe_text(self.document),
            int(now),
        ];
        Ok(tx.execute(sql, &values)? == 1)
    }
}

/// An id for a row, by the database's clock.
pub(super) fn new_id(first: char, now_ms: i64) -> Result<String, Error> {
    Ok(make_id(first, now_ms, &System.nonce()?))
}
