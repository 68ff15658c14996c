//! One attempt at a call: kept before its request goes out, and with what became of it.
//!
//! These two stand between a caller and its provider at every charge. Each is made ready before its turn
//! comes, so that the database is held only for what must be done there, and is written together with
//! those of other threads.

use bayar_provider::{Evidence, Stage, Status};
use serde_json::{Value, json};

use super::database::{Cell, Transaction};
use super::fold::State;
use super::ledger::{NewFact, folded, kept, of_key, rupiah};
use super::rows::{OWN, SENDING, bare_intent, int, maybe_int, maybe_text, one_intent, state, text, word};
use super::{Attempt, Begun, End, Intent, Scope, Sent};
use crate::error::Error;
use crate::outcome::Outcome;

/// Makes intent and attempt durable; or gives what stands in the way.
pub(super) struct Opening {
    id: String,
    key: String,
    tenant: String,
    class: String,
    after: Option<Sent>,
    lease_ms: i64,
    /// The values of a new intent: [`MADE_READY`], and those that are known only in the transaction.
    values: Vec<Cell>,
}

const MADE_READY: usize = 17;

const INSERT: &str = "INSERT INTO intent (id, account, environment, provider, operation, class, tenant, key, digest,
        order_id, reference, owns, amount, state, call, resend, channel, fence, lease_ms, next_ms, tries, misses,
        created_ms, updated_ms)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, 1, ?18, ?18, 0, 0, ?19, ?19)
    ON CONFLICT DO NOTHING";

impl Opening {
    pub(super) fn of(attempt: &Attempt<'_>) -> Result<Opening, Error> {
        let call = attempt.call;
        let amount = call.params.get("amount").and_then(bayar_provider::Rupiah::from_wire).map(rupiah);
        let document = serde_json::to_string(call).map_err(|e| super::rows::unreadable(&e.to_string()))?;
        let key = Some(attempt.key).filter(|key| !key.is_empty());
        let class = word(&attempt.class);
        let values = vec![
            text(call.intent.as_str()),
            text(attempt.scope.account),
            text(attempt.scope.environment),
            text(attempt.provider),
            text(attempt.operation),
            text(class.as_str()),
            text(attempt.tenant),
            maybe_text(key),
            text(attempt.digest),
            maybe_text(attempt.order_id),
            text(call.reference.as_str()),
            int(i64::from(attempt.owns)),
            maybe_int(amount),
            state(State::Sending),
            text(document),
            int(i64::from(attempt.resend)),
            maybe_text(call.params.get("channel").and_then(Value::as_str)),
        ];
        Ok(Opening {
            id: call.intent.clone(),
            key: attempt.key.to_owned(),
            tenant: attempt.tenant.to_owned(),
            class,
            after: attempt.after.cloned(),
            lease_ms: attempt.lease_ms,
            values,
        })
    }

    pub(super) fn write(&mut self, tx: &mut dyn Transaction) -> Result<Begun, Error> {
        let now = tx.now_ms()?;
        let lease = now + self.lease_ms;
        let inserted = self.after.is_none() && self.insert(tx, now, lease)?;
        let id = self.id.as_str();
        let (number, fence) = match &self.after {
            // One more request of this call: whoever took the intent over meanwhile goes on alone.
            Some(before) => {
                let sql = "UPDATE intent SET lease_ms = ?3, next_ms = ?3, updated_ms = ?4 WHERE id = ?1 AND fence = ?2";
                if tx.execute(sql, &[text(id), int(before.fence), int(lease), int(now)])? == 0 {
                    return known(tx, id);
                }
                let sql =
                    "UPDATE attempt SET stage = ?2, ended_ms = ?3 WHERE intent = ?1 AND stage = 'sending'";
                tx.execute(sql, &[text(id), text(word(&Stage::Answered)), int(now)])?;
                (before.number + 1, before.fence)
            }
            None if inserted => (1, 1),
            None => match self.taken(tx)? {
                Some(intent) if intent.id == id && intent.state == State::New => {
                    again(tx, &intent, now, lease)?
                }
                Some(intent) => return Ok(Begun::Known(Box::new(intent))),
                None => return Ok(Begun::Taken),
            },
        };
        let sql = "INSERT INTO attempt (intent, number, class, stage, began_ms) VALUES (?1, ?2, ?3, ?4, ?5)
            ON CONFLICT DO NOTHING";
        let values = [text(id), int(number), text(self.class.as_str()), text(SENDING), int(now)];
        if tx.execute(sql, &values)? == 0 {
            return known(tx, id);
        }
        if !inserted {
            let sql = "UPDATE intent SET state = ?2 WHERE id = ?1";
            tx.execute(sql, &[text(id), state(State::Sending)])?;
        }
        Ok(Begun::Sent(Sent { intent: id.to_owned(), number, fence }))
    }

    fn insert(&mut self, tx: &mut dyn Transaction, now: i64, lease: i64) -> Result<bool, Error> {
        // It may run again from the start.
        self.values.truncate(MADE_READY);
        self.values.extend([int(lease), int(now)]);
        Ok(tx.execute(INSERT, &self.values)? == 1)
    }

    /// What stands in the way of a new intent: its own row, or the key's. Else it is the reference's.
    fn taken(&self, tx: &mut dyn Transaction) -> Result<Option<Intent>, Error> {
        let found = one_intent(tx, "WHERE id = ?1 /*for update*/", &[text(self.id.as_str())])?;
        if found.is_none() && !self.key.is_empty() {
            return of_key(tx, &self.tenant, &self.key);
        }
        Ok(found)
    }
}

fn known(tx: &mut dyn Transaction, id: &str) -> Result<Begun, Error> {
    let intent = one_intent(tx, "WHERE id = ?1", &[text(id)])?;
    Ok(intent.map_or(Begun::Taken, |intent| Begun::Known(Box::new(intent))))
}

/// An intent of which nothing was sent is sent again under the same key.
fn again(tx: &mut dyn Transaction, intent: &Intent, now: i64, lease: i64) -> Result<(i64, i64), Error> {
    let sql =
        "UPDATE intent SET fence = fence + 1, lease_ms = ?2, next_ms = ?2, updated_ms = ?3 WHERE id = ?1";
    tx.execute(sql, &[text(intent.id.as_str()), int(lease), int(now)])?;
    Ok((intent.attempts + 1, intent.fence + 1))
}

/// Keeps what became of an attempt, and moves its intent.
pub(super) struct Ending {
    sent: Sent,
    stage: String,
    code: Option<String>,
    http_status: Option<i64>,
    fact: Option<Answer>,
    /// For the host that asks again.
    outcome: Option<String>,
    error: Option<String>,
}

/// What the provider's answer to the intent's own request says.
struct Answer {
    evidence: Evidence,
    status: Status,
    provider_reference: Option<String>,
    amount: Option<i64>,
    payable: Option<i64>,
    review: Option<String>,
    document: Option<String>,
}

impl Ending {
    pub(super) fn of(sent: &Sent, end: &End<'_>) -> Ending {
        let ended = Ending {
            sent: sent.clone(),
            stage: word(&Stage::MaybeSent),
            code: None,
            http_status: None,
            fact: None,
            outcome: None,
            error: None,
        };
        match end {
            End::Outcome(said) => Ending {
                stage: word(&Stage::Answered),
                fact: Some(Answer::of(said)),
                outcome: Some(json!(said).to_string()),
                ..ended
            },
            End::Error(error) => Ending {
                stage: word(&error.stage),
                code: Some(error.code.as_str().to_owned()),
                http_status: error.provider.as_ref().and_then(|said| said.http_status).map(i64::from),
                // A documented refusal is an end; whatever else leaves no outcome leaves no fact either.
                fact: (error.stage == Stage::Answered).then(Answer::refused),
                error: Some(json!(error).to_string()),
                ..ended
            },
            End::Abandoned => ended,
        }
    }

    /// Gives the intent after it, without its documents.
    pub(super) fn write(&self, tx: &mut dyn Transaction) -> Result<Option<Intent>, Error> {
        let now = tx.now_ms()?;
        let (id, number) = (self.sent.intent.as_str(), self.sent.number);
        let sql = "UPDATE attempt SET stage = ?3, code = ?4, http_status = ?5, ended_ms = ?6
            WHERE intent = ?1 AND number = ?2 AND stage IN ('sending', 'maybe_sent')";
        let code = maybe_text(self.code.as_deref());
        let stage = text(self.stage.as_str());
        tx.execute(sql, &[text(id), int(number), stage, code, maybe_int(self.http_status), int(now)])?;
        let Some(mut intent) = bare_intent(tx, id)? else { return Ok(None) };
        if let Some(answer) = &self.fact {
            answer.keep(tx, &intent, &format!("call/{id}/{number}"))?;
        }
        // Only the holder of the lease gives it back; what was learned counts whoever learned it.
        if intent.fence == self.sent.fence {
            intent.lease_ms = 0;
        }
        let documents = [maybe_text(self.outcome.as_deref()), maybe_text(self.error.as_deref())];
        folded(tx, intent, documents).map(Some)
    }
}

impl Answer {
    fn of(said: &Outcome) -> Answer {
        let result = &said.result;
        Answer {
            evidence: result.evidence,
            status: result.status,
            provider_reference: result.provider_reference.clone(),
            amount: result.amount.map(rupiah),
            payable: result.payable_amount.map(rupiah),
            review: result.review.clone(),
            document: kept(&result.raw),
        }
    }

    fn refused() -> Answer {
        Answer {
            evidence: Evidence::E2,
            status: Status::Failed,
            provider_reference: None,
            amount: None,
            payable: None,
            review: None,
            document: None,
        }
    }

    fn keep(&self, tx: &mut dyn Transaction, intent: &Intent, dedupe: &str) -> Result<bool, Error> {
        let scope = Scope { account: &intent.account, environment: &intent.environment };
        let fact = NewFact {
            source: OWN,
            dedupe,
            evidence: self.evidence,
            status: self.status,
            provider_reference: self.provider_reference.as_deref(),
            amount: self.amount,
            payable: self.payable,
            review: self.review.as_deref(),
            document: self.document.as_deref(),
            ..NewFact::of(scope, intent)
        };
        fact.keep(tx)
    }
}
