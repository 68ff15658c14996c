//! What recovery takes on; forgetting; and dropping what is old.

use bayar_provider::{Event, Evidence, Status};
use serde::Serialize;
use serde_json::{Value, json};

use super::fold::State;
use super::ledger::{Ledger, NewFact, PENDING_MS, UNKNOWN_MS, of_callback, pause, refold};
use super::looking::{first_texts, note};
use super::rows::{Row, int, one_intent, text};
use super::{Intent, Scope};
use crate::error::Error;

/// Which intents a caller takes on.
#[derive(Clone, Copy, Debug)]
pub struct Due<'a> {
    /// Only of this account.
    pub account: Option<&'a str>,
    /// Also those whose time has not come yet.
    pub now: bool,
    /// How many at most.
    pub limit: u32,
    /// How long the caller works on each at most, in milliseconds.
    pub lease_ms: i64,
}

/// What looking at an intent came to.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Look<'a> {
    /// Something was learned, and is kept already.
    Settled,
    /// Nothing new; look again later.
    Again,
    /// The provider says that it knows no such order.
    Missing,
    /// The provider said so often and long enough: it never got the request.
    NeverArrived,
    /// Nothing can be known by asking: a person must look.
    Review(&'a str),
    /// Nothing: another looks at it.
    Free,
    /// The order's state tells how this ended, though another intent made the order.
    Turned(Status),
    /// Nobody needs to look again: the callback or the host will say what became of it.
    Waits,
}

/// What dropping old things came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Tidied {
    /// Events whose body was dropped.
    pub bodies: u64,
    /// Intents that were dropped.
    pub intents: u64,
}

pub(super) const DAY_MS: i64 = 86_400_000;

impl Ledger {
    pub(super) fn take_due(&self, wanted: &Due<'_>) -> Result<Vec<Intent>, Error> {
        self.write(|tx| {
            let now = tx.now_ms()?;
            let until = if wanted.now { i64::MAX } else { now };
            let mut values = vec![int(until), int(now)];
            let mut of = "";
            if let Some(account) = wanted.account {
                values.push(text(account));
                of = "AND account = ?3";
            }
            let sql = format!(
                "SELECT id FROM intent WHERE next_ms IS NOT NULL AND next_ms <= ?1 AND lease_ms <= ?2 {of}
                 ORDER BY next_ms LIMIT {} /*skip locked*/",
                wanted.limit
            );
            let ids = first_texts(tx.query(&sql, &values)?)?;
            let mut taken = Vec::new();
            for id in ids {
                let id = text(id);
                let sql = "UPDATE intent SET fence = fence + 1, lease_ms = ?2 WHERE id = ?1";
                tx.execute(sql, &[id.clone(), int(now + wanted.lease_ms)])?;
                // Whoever sent it is gone: what it sent may have been read.
                let sql =
                    "UPDATE attempt SET stage = 'maybe_sent', ended_ms = ?2 WHERE intent = ?1 AND stage = 'sending'";
                let gone = tx.execute(sql, &[id.clone(), int(now)])? > 0;
                let Some(intent) = one_intent(tx, "WHERE id = ?1", std::slice::from_ref(&id))? else { continue };
                let intent = if gone { refold(tx, &intent.id)?.unwrap_or(intent) } else { intent };
                taken.push(intent);
            }
            Ok(taken)
        })
    }

    pub(super) fn note_look(&self, intent: &Intent, look: &Look<'_>) -> Result<Option<Intent>, Error> {
        self.write(|tx| {
            let now = tx.now_ms()?;
            let held = "WHERE id = ?1 AND fence = ?2 /*for update*/";
            let of = [text(intent.id.as_str()), int(intent.fence)];
            let Some(found) = one_intent(tx, held, &of)? else { return Ok(None) };
            let id = text(found.id.as_str());
            let scope = Scope { account: &found.account, environment: &found.environment };
            let first = if found.state == State::Pending { PENDING_MS } else { UNKNOWN_MS };
            let later = now + pause(first, found.tries + 1);
            match look {
                Look::Free => {}
                // Unless a callback asked for another look meanwhile.
                Look::Settled if !found.state.is_open() => {
                    if let Some(seen) = intent.next_ms {
                        let sql = "UPDATE intent SET next_ms = NULL WHERE id = ?1 AND next_ms = ?2";
                        tx.execute(sql, &[id.clone(), int(seen)])?;
                    }
                }
                Look::Settled => {}
                Look::Again => {
                    let sql = "UPDATE intent SET tries = tries + 1, next_ms = ?2 WHERE id = ?1";
                    tx.execute(sql, &[id.clone(), int(later)])?;
                }
                Look::Missing => {
                    let sql = "UPDATE intent SET tries = tries + 1, misses = misses + 1,
                        missed_ms = COALESCE(missed_ms, ?2), next_ms = ?3 WHERE id = ?1";
                    // The second time may end it, so it is not put off for long.
                    tx.execute(sql, &[id.clone(), int(now), int(later.min(now + PENDING_MS))])?;
                }
                Look::NeverArrived => {
                    let fact = NewFact {
                        source: "missing",
                        dedupe: &format!("missing/{}", found.id),
                        evidence: Evidence::E2,
                        status: Status::Failed,
                        document: Some(&json!({"why": "the provider said twice, ten minutes apart, that it knows no such order"}).to_string()),
                        ..NewFact::of(scope, &found)
                    };
                    fact.keep(tx)?;
                    refold(tx, &found.id)?;
                }
                Look::Turned(status) => {
                    let fact = NewFact {
                        source: "status",
                        dedupe: &format!("turned/{}", found.id),
                        evidence: Evidence::E2,
                        status: *status,
                        ..NewFact::of(scope, &found)
                    };
                    fact.keep(tx)?;
                    refold(tx, &found.id)?;
                }
                Look::Review(why) => {
                    let fact = NewFact {
                        source: "recovery",
                        dedupe: &format!("review/{}/{why}", found.id),
                        review: Some(why),
                        ..NewFact::of(scope, &found)
                    };
                    fact.keep(tx)?;
                    refold(tx, &found.id)?;
                    tx.execute("UPDATE intent SET next_ms = NULL WHERE id = ?1", std::slice::from_ref(&id))?;
                }
                Look::Waits => {
                    tx.execute("UPDATE intent SET next_ms = NULL WHERE id = ?1", std::slice::from_ref(&id))?;
                }
            }
            tx.execute("UPDATE intent SET lease_ms = 0 WHERE id = ?1", std::slice::from_ref(&id))?;
            one_intent(tx, "WHERE id = ?1", &[id])
        })
    }

    pub(super) fn note_denial(&self, scope: Scope<'_>, event: &Event, why: &str) -> Result<i64, Error> {
        let dedupe = of_callback(event);
        let one = "account = ?1 AND environment = ?2 AND dedupe = ?3";
        let key = [text(scope.account), text(scope.environment), text(dedupe.as_str())];
        self.write(|tx| {
            let now = tx.now_ms()?;
            let rows = tx.query(&format!("SELECT at_ms FROM event WHERE {one}"), &key)?;
            let came = rows.into_iter().next().map(|cells| Row::of(cells).int()).transpose()?;
            let note = format!("UPDATE event SET review = ?4 WHERE {one} AND intent IS NULL");
            let [account, environment, dedupe] = key.clone();
            tx.execute(&note, &[account, environment, dedupe, text(why)])?;
            Ok(now - came.unwrap_or(now))
        })
    }

    pub(super) fn find_text(&self, wanted: &str) -> Result<Vec<String>, Error> {
        let quoted = Value::String(wanted.to_owned()).to_string();
        let inside = &quoted[1..quoted.len() - 1];
        let escaped = inside.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        let sql = "SELECT id FROM intent WHERE call LIKE ?1 ESCAPE '\\' OR outcome LIKE ?1 ESCAPE '\\'
            OR id IN (SELECT intent FROM event WHERE document LIKE ?1 ESCAPE '\\') ORDER BY id";
        self.read(|tx| first_texts(tx.query(sql, &[text(format!("%{escaped}%"))])?))
    }

    pub(super) fn mask(&self, intents: &[String], operator: &str, reason: &str) -> Result<u64, Error> {
        self.write(|tx| {
            let mut masked = 0;
            for id in intents {
                let Some(intent) = one_intent(tx, "WHERE id = ?1 /*for update*/", &[text(id.as_str())])?
                else {
                    continue;
                };
                let call =
                    intent.call.map(|call| bayar_provider::Call { params: bare(&call.params), ..call });
                let call = serde_json::to_string(&call).unwrap_or_else(|_| "null".to_owned());
                let outcome = intent.outcome.map(|outcome| without_people(outcome).to_string());
                let error = intent.error.map(|mut error| {
                    error.as_object_mut().map(|fields| fields.remove("provider"));
                    error.to_string()
                });
                let sql = "UPDATE intent SET call = ?2, resend = 0, outcome = ?3, error = ?4 WHERE id = ?1";
                let (outcome, error) = (super::rows::maybe_text(outcome), super::rows::maybe_text(error));
                masked += tx.execute(sql, &[text(id.as_str()), text(call), outcome, error])?;
                tx.execute("UPDATE event SET document = NULL WHERE intent = ?1", &[text(id.as_str())])?;
                note(tx, operator, "forget", Some(id), reason)?;
            }
            Ok(masked)
        })
    }

    pub(super) fn drop_old_daily(&self, body_days: i32, intent_days: i32) -> Result<Option<Tidied>, Error> {
        let due = self.write(|tx| {
            let now = tx.now_ms()?;
            let sql = "INSERT INTO meta (key, value) VALUES ('tidied', ?1)
                ON CONFLICT (key) DO UPDATE SET value = excluded.value WHERE CAST(meta.value AS BIGINT) <= ?2";
            Ok(tx.execute(sql, &[text(now.to_string()), int(now - DAY_MS)])? == 1)
        })?;
        due.then(|| self.drop_old(body_days, intent_days)).transpose()
    }

    pub(super) fn drop_old(&self, body_days: i32, intent_days: i32) -> Result<Tidied, Error> {
        self.write(|tx| {
            let now = tx.now_ms()?;
            let bodies_before = now - i64::from(body_days) * DAY_MS;
            let sql = "UPDATE event SET document = NULL WHERE at_ms < ?1 AND document IS NOT NULL";
            let bodies = tx.execute(sql, &[int(bodies_before)])?;
            let old = "SELECT id FROM intent WHERE created_ms < ?1 AND updated_ms < ?1 AND review IS NULL
                AND state NOT IN ('sending', 'unknown', 'pending', 'authorized')";
            let before = int(now - i64::from(intent_days) * DAY_MS);
            for table in ["attempt", "event", "effect", "audit"] {
                let sql = format!("DELETE FROM {table} WHERE intent IN ({old})");
                tx.execute(&sql, std::slice::from_ref(&before))?;
            }
            let intents = tx.execute(&format!("DELETE FROM intent WHERE id IN ({old})"), &[before])?;
            Ok(Tidied { bodies, intents })
        })
    }
}

/// Of a call's parameters, what says nothing of a person.
fn bare(params: &Value) -> Value {
    let kept = ["amount", "channel", "currency", "order_id", "product", "provider_reference"];
    let fields = params.as_object().into_iter().flatten();
    let fields = fields.filter(|(name, _)| kept.contains(&name.as_str()));
    Value::Object(fields.map(|(name, value)| (name.clone(), value.clone())).collect())
}

/// An outcome without the provider's own words and without names.
fn without_people(mut outcome: Value) -> Value {
    if let Some(fields) = outcome.as_object_mut() {
        fields.remove("raw");
        fields.remove("data");
        if let Some(instruction) = fields.get_mut("instruction").and_then(Value::as_object_mut) {
            instruction.remove("name");
        }
    }
    outcome
}
