//! Lists, one intent's whole story, and operators' decisions.

use bayar_provider::{Evidence, Status};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Intent;
use super::Scope;
use super::care::DAY_MS;
use super::database::{Cell, Transaction};
use super::effects::no_intent;
use super::fold::State;
use super::ledger::{Ledger, NewFact, come_to, new_id, refold};
use super::rows::{Row, int, intents, maybe_text, of_word, one_intent, text, word};
use crate::ambient::make_id;
use crate::error::{Code, Error};

/// Which intents are listed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Filter {
    /// Only in this state.
    pub state: Option<State>,
    /// Only those that wait for a review.
    pub review: bool,
    /// Only those whose effect of this name may be applied and is not confirmed: `credit`. They are paid,
    /// unless `state` says otherwise, and none waits for a review. Some may be claimed just now.
    pub unconfirmed: Option<String>,
    /// Only of this account.
    pub account: Option<String>,
    /// Only of this operation.
    pub operation: Option<String>,
    /// Only of this order of the host's.
    pub order_id: Option<String>,
    /// Only of this tenant.
    pub tenant: Option<String>,
    /// Only those made at or after this moment, in milliseconds since 1970-01-01 UTC.
    pub since_ms: Option<i64>,
    /// Only those made before this moment, in milliseconds since 1970-01-01 UTC.
    pub until_ms: Option<i64>,
    /// Only those behind this id, for the next page.
    pub after: Option<String>,
    /// How many at most; 100 if absent, 10,000 at most.
    pub limit: Option<u32>,
}

/// The state that an intent came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// The intent.
    pub intent: String,
    /// Its tenant.
    pub tenant: String,
    /// The state.
    pub state: State,
    /// Whether it waits for a review.
    pub review: bool,
    /// When anything about it last changed, in milliseconds since 1970-01-01 UTC.
    pub updated_ms: i64,
}

/// One intent with everything that is known of it, oldest first.
#[derive(Clone, Debug, Serialize)]
pub struct Story {
    /// The intent.
    pub intent: Intent,
    /// What the host asked, as it is kept.
    pub params: Value,
    /// Its requests.
    pub attempts: Vec<Value>,
    /// What was learned of it.
    pub events: Vec<Value>,
    /// The host's own actions.
    pub effects: Vec<Value>,
    /// What people did.
    pub audit: Vec<Value>,
}

impl Ledger {
    pub(super) fn list(&self, filter: &Filter) -> Result<Vec<Intent>, Error> {
        let mut values: Vec<Cell> = Vec::new();
        let mut wheres: Vec<String> = Vec::new();
        let mut only = |condition: &str, value: Cell| {
            values.push(value);
            wheres.push(condition.replace('?', &format!("?{}", values.len())));
        };
        let paid = filter.unconfirmed.is_some() && matches!(filter.state, None | Some(State::Paid));
        if let Some(state) = filter.state.filter(|_| !paid) {
            only("state = ?", text(word(&state)));
        }
        if let Some(effect) = &filter.unconfirmed {
            only(
                "review IS NULL AND NOT EXISTS (SELECT 1 FROM effect WHERE effect.intent = intent.id \
                 AND effect.name = ? AND effect.state = 'confirmed')",
                text(effect.as_str()),
            );
        }
        for (column, value) in [
            ("account", &filter.account),
            ("operation", &filter.operation),
            ("order_id", &filter.order_id),
            ("tenant", &filter.tenant),
        ] {
            if let Some(value) = value {
                only(&format!("{column} = ?"), text(value.as_str()));
            }
        }
        if let Some(since) = filter.since_ms {
            only("created_ms >= ?", int(since));
            // Ids begin with the host's time: none of a day before can be meant, and none is read.
            only("id >= ?", text(make_id('I', since - DAY_MS, &[0; 16])[..10].to_owned()));
        }
        if let Some(until) = filter.until_ms {
            only("created_ms < ?", int(until));
        }
        // Ids begin with their time, so they sort as the intents were made.
        if let Some(after) = &filter.after {
            only("id < ?", text(after.as_str()));
        }
        // What the index of what is paid holds, in words.
        if paid {
            wheres.push("state = 'paid'".to_owned());
        }
        // What the index of tenants holds.
        if filter.tenant.as_ref().is_some_and(|tenant| !tenant.is_empty()) {
            wheres.push("tenant <> ''".to_owned());
        }
        if filter.review {
            wheres.push("review IS NOT NULL".to_owned());
        }
        let limit = filter.limit.unwrap_or(100).min(10_000);
        let wheres =
            if wheres.is_empty() { String::new() } else { format!("WHERE {}", wheres.join(" AND ")) };
        let behind = format!("{wheres} ORDER BY id DESC LIMIT {limit}");
        self.read(|tx| intents(tx, &behind, &values))
    }

    pub(super) fn list_changed(&self, after_ms: i64, after: &str, limit: u32) -> Result<Vec<Change>, Error> {
        let sql = format!(
            "SELECT id, tenant, state, review IS NOT NULL, updated_ms FROM intent
             WHERE tenant <> '' AND (updated_ms, id) > (?1, ?2) ORDER BY updated_ms, id LIMIT {}",
            limit.min(10_000)
        );
        let rows = self.read(|tx| tx.query(&sql, &[int(after_ms), text(after)]))?;
        let change = |cells| {
            let mut row = Row::of(cells);
            Ok(Change {
                intent: row.text()?,
                tenant: row.text()?,
                state: of_word(&row.text()?)?,
                review: row.int()? == 1,
                updated_ms: row.int()?,
            })
        };
        rows.into_iter().map(change).collect()
    }

    pub(super) fn list_unmatched(&self, limit: u32) -> Result<Vec<Value>, Error> {
        let limit = limit.min(10_000);
        let sql = format!("SELECT {EVENT} FROM event WHERE intent IS NULL ORDER BY at_ms DESC LIMIT {limit}");
        self.read(|tx| documents(tx, &sql, &[], EVENT))
    }

    pub(super) fn story(&self, id: &str) -> Result<Option<Story>, Error> {
        self.read(|tx| {
            let Some(intent) = one_intent(tx, "WHERE id = ?1", &[text(id)])? else { return Ok(None) };
            let mut of = |columns: &str, from: &str| {
                documents(tx, &format!("SELECT {columns} FROM {from}"), &[text(id)], columns)
            };
            Ok(Some(Story {
                params: intent.call.as_ref().map(|call| call.params.clone()).unwrap_or_default(),
                attempts: of(ATTEMPT, "attempt WHERE intent = ?1 ORDER BY number")?,
                events: of(EVENT, "event WHERE intent = ?1 ORDER BY at_ms, id")?,
                effects: of(EFFECT, "effect WHERE intent = ?1 ORDER BY claimed_ms, name")?,
                audit: of(AUDIT, "audit WHERE intent = ?1 ORDER BY at_ms, id")?,
                intent,
            }))
        })
    }

    pub(super) fn decide(
        &self,
        id: &str,
        status: Status,
        operator: &str,
        reason: &str,
    ) -> Result<Intent, Error> {
        self.write(|tx| {
            let Some(intent) = one_intent(tx, "WHERE id = ?1 /*for update*/", &[text(id)])? else {
                return Err(no_intent(id));
            };
            let now = tx.now_ms()?;
            let clears: Vec<String> = come_to(tx, &intent)?.review.into_iter().collect();
            let scope = Scope { account: &intent.account, environment: &intent.environment };
            let dedupe = format!("operator/{}", new_id('D', now)?);
            let fact = NewFact {
                source: "operator",
                dedupe: &dedupe,
                evidence: Evidence::E3,
                status,
                document: Some(&json!({"operator": operator, "reason": reason}).to_string()),
                ..NewFact::of(scope, &intent)
            };
            fact.keep_clearing(tx, Some(&clears))?;
            note(tx, operator, &format!("resolve as {}", word(&status)), Some(id), reason)?;
            let decided = refold(tx, id)?.ok_or_else(|| no_intent(id))?;
            // What is proven is no matter of opinion: whoever says otherwise has overlooked something.
            if decided.state.status() != Some(status) {
                return Err(overruled(&decided, status));
            }
            Ok(decided)
        })
    }
}

fn overruled(intent: &Intent, status: Status) -> Error {
    let what = format!(
        "the intent {} is proven to be {}, and cannot be resolved as {}",
        intent.id,
        word(&intent.state),
        word(&status)
    );
    let advice = "Look at the intent's events to see what proves it.".to_owned();
    let error = Error::not_sent(Code::NotPossible, what).field("status");
    Error { intent: Some(intent.id.clone()), advice, ..error }
}

/// Writes down what a person did.
pub(super) fn note(
    tx: &mut dyn Transaction,
    actor: &str,
    action: &str,
    intent: Option<&str>,
    reason: &str,
) -> Result<(), Error> {
    let now = tx.now_ms()?;
    let sql = "INSERT INTO audit (id, at_ms, actor, action, intent, reason) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let values =
        [text(new_id('A', now)?), int(now), text(actor), text(action), maybe_text(intent), text(reason)];
    tx.execute(sql, &values)?;
    Ok(())
}

const ATTEMPT: &str = "number, stage, code, http_status, began_ms, ended_ms";
const EVENT: &str = "id, account, environment, source, evidence, status, reference, provider_reference, amount, \
    payable, refunded, review, clears, document, at_ms";
const EFFECT: &str = "name, state, transaction_id, fence, lease_ms, claimed_ms, confirmed_ms";
const AUDIT: &str = "at_ms, actor, action, reason";

/// Rows as JSON objects, without what is empty.
fn documents(
    tx: &mut dyn Transaction,
    sql: &str,
    values: &[Cell],
    columns: &str,
) -> Result<Vec<Value>, Error> {
    let names: Vec<&str> = columns.split(',').map(str::trim).collect();
    let rows = tx.query(sql, values)?;
    Ok(rows.into_iter().map(|row| object(&names, row)).collect())
}

fn object(names: &[&str], row: Vec<Cell>) -> Value {
    let value = |name: &str, cell| match cell {
        Cell::Int(number) => json!(number),
        Cell::Text(text) if matches!(name, "document" | "clears") => {
            serde_json::from_str(&text).unwrap_or(Value::String(text))
        }
        Cell::Text(text) => Value::String(text),
        Cell::Null => Value::Null,
    };
    let fields = names.iter().zip(row).map(|(name, cell)| ((*name).to_owned(), value(name, cell)));
    Value::Object(fields.filter(|(_, value)| !value.is_null()).collect())
}

/// The texts of a row, for those who look for one.
pub(super) fn first_texts(rows: Vec<Vec<Cell>>) -> Result<Vec<String>, Error> {
    rows.into_iter().map(|cells| Row::of(cells).text()).collect()
}
