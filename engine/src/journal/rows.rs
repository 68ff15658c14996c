//! Rows of the database as values, and values as cells.

use bayar_provider::{Evidence, Stage, Status};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Intent;
use super::database::{Cell, Transaction};
use super::fold::{Fact, State, Try};
use crate::error::{Code, Error};

/// A text as a cell.
pub(super) fn text(text: impl Into<String>) -> Cell {
    Cell::Text(text.into())
}

/// A text that may be absent as a cell.
pub(super) fn maybe_text(text: Option<impl Into<String>>) -> Cell {
    text.map_or(Cell::Null, |text| Cell::Text(text.into()))
}

/// A number as a cell.
pub(super) fn int(number: i64) -> Cell {
    Cell::Int(number)
}

/// A number that may be absent as a cell.
pub(super) fn maybe_int(number: Option<i64>) -> Cell {
    number.map_or(Cell::Null, Cell::Int)
}

/// The name that serde gives a plain enum value: `maybe_sent`.
pub(crate) fn word<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => word,
        other => format!("{other:?}"),
    }
}

/// The value of that name.
pub(super) fn of_word<T: DeserializeOwned>(word: &str) -> Result<T, Error> {
    serde_json::from_value(Value::String(word.to_owned()))
        .map_err(|_| unreadable(&format!("the word {word:?}")))
}

/// A row that this version cannot read.
pub(super) fn unreadable(what: &str) -> Error {
    let what = format!("the journal holds {what}, which this version cannot read");
    Error::not_sent(Code::JournalUnavailable, what)
}

/// The cells of one row, taken in order.
pub(super) struct Row(std::vec::IntoIter<Cell>);

impl Row {
    pub(super) fn of(cells: Vec<Cell>) -> Self {
        Row(cells.into_iter())
    }

    pub(super) fn maybe_text(&mut self) -> Result<Option<String>, Error> {
        match self.0.next() {
            Some(Cell::Text(text)) => Ok(Some(text)),
            Some(Cell::Null) => Ok(None),
            other => Err(unreadable(&format!("{other:?} where a text should be"))),
        }
    }

    pub(super) fn maybe_int(&mut self) -> Result<Option<i64>, Error> {
        match self.0.next() {
            Some(Cell::Int(number)) => Ok(Some(number)),
            Some(Cell::Null) => Ok(None),
            other => Err(unreadable(&format!("{other:?} where a number should be"))),
        }
    }

    pub(super) fn text(&mut self) -> Result<String, Error> {
        self.maybe_text()?.ok_or_else(|| unreadable("nothing where a text should be"))
    }

    pub(super) fn int(&mut self) -> Result<i64, Error> {
        self.maybe_int()?.ok_or_else(|| unreadable("nothing where a number should be"))
    }

    fn json(&mut self) -> Result<Option<Value>, Error> {
        let text = self.maybe_text()?;
        text.map(|text| serde_json::from_str(&text).map_err(|_| unreadable("a text that is no JSON")))
            .transpose()
    }
}

/// The columns of an intent, in the order in which [`intent`] takes them, with what stands for its documents:
/// call, outcome and error.
macro_rules! columns {
    ($call:literal, $ends:literal) => {
        concat!(
            "id, account, environment, provider, operation, class, tenant, key, digest, order_id, reference, owns, \
             provider_reference, amount, payable, state, review, ",
            $call,
            ", resend, ",
            $ends,
            ", fence, lease_ms, tries, misses, missed_ms, next_ms, created_ms, updated_ms, \
             (SELECT COALESCE(MAX(number), 0) FROM attempt WHERE attempt.intent = intent.id)"
        )
    };
}

/// With its documents.
const WHOLE: &str = columns!("call", "outcome, error");
/// Without them: they take long to read.
const BARE: &str = columns!("NULL", "NULL, NULL");

/// The intents that a query gives.
pub(super) fn intents(tx: &mut dyn Transaction, behind: &str, values: &[Cell]) -> Result<Vec<Intent>, Error> {
    selected(tx, WHOLE, behind, values)
}

/// An intent without its documents, its row locked.
pub(super) fn bare_intent(tx: &mut dyn Transaction, id: &str) -> Result<Option<Intent>, Error> {
    Ok(selected(tx, BARE, "WHERE id = ?1 /*for update*/", &[text(id)])?.into_iter().next())
}

fn selected(
    tx: &mut dyn Transaction,
    columns: &str,
    behind: &str,
    values: &[Cell],
) -> Result<Vec<Intent>, Error> {
    let rows = tx.query(&format!("SELECT {columns} FROM intent {behind}"), values)?;
    let now = if rows.is_empty() { 0 } else { tx.now_ms()? };
    rows.into_iter().map(|row| intent(row, now)).collect()
}

/// The first intent that a query gives.
pub(super) fn one_intent(
    tx: &mut dyn Transaction,
    behind: &str,
    values: &[Cell],
) -> Result<Option<Intent>, Error> {
    Ok(intents(tx, behind, values)?.into_iter().next())
}

fn intent(cells: Vec<Cell>, read_ms: i64) -> Result<Intent, Error> {
    let mut row = Row::of(cells);
    let mut intent = Intent {
        id: row.text()?,
        account: row.text()?,
        environment: row.text()?,
        provider: row.text()?,
        operation: row.text()?,
        class: of_word(&row.text()?)?,
        tenant: row.text()?,
        key: row.maybe_text()?,
        digest: row.text()?,
        order_id: row.maybe_text()?,
        reference: row.text()?,
        owns: row.int()? == 1,
        provider_reference: row.maybe_text()?,
        amount: row.maybe_int()?,
        payable_amount: row.maybe_int()?,
        state: of_word(&row.text()?)?,
        review: row.maybe_text()?,
        call: row.json()?.and_then(|call| serde_json::from_value(call).ok()),
        resend: row.int()? == 1,
        outcome: row.json()?,
        error: row.json()?,
        fence: row.int()?,
        lease_ms: row.int()?,
        tries: row.int()?,
        misses: row.int()?,
        missed_ms: row.maybe_int()?,
        next_ms: row.maybe_int()?,
        created_ms: row.int()?,
        updated_ms: row.int()?,
        attempts: row.int()?,
        read_ms,
    };
    // What is kept may be the answer to a question, where that to its own request was lost. Whoever
    // claims by what it names is to claim this intent, and not the question.
    if let Some(Value::Object(outcome)) = &mut intent.outcome {
        outcome.insert("intent".to_owned(), Value::from(intent.id.as_str()));
        outcome.insert("operation".to_owned(), Value::from(intent.operation.as_str()));
    }
    Ok(intent)
}

/// How far each request of an intent got.
pub(super) fn tries(tx: &mut dyn Transaction, intent: &str) -> Result<Vec<Try>, Error> {
    let rows = tx.query("SELECT stage FROM attempt WHERE intent = ?1 ORDER BY number", &[text(intent)])?;
    let stage = |cells| match Row::of(cells).text()?.as_str() {
        SENDING => Ok(None),
        stage => of_word::<Stage>(stage).map(Some),
    };
    rows.into_iter().map(stage).collect()
}

/// The stage of a request that is out.
pub(super) const SENDING: &str = "sending";

/// The source of an event that is the answer to the intent's own request.
pub(super) const OWN: &str = "call";

/// What is known of an intent.
pub(super) fn facts(tx: &mut dyn Transaction, intent: &str) -> Result<Vec<Fact>, Error> {
    let columns = "source, evidence, status, amount, payable, refunded, provider_reference, review, clears";
    let sql = format!("SELECT {columns} FROM event WHERE intent = ?1 ORDER BY at_ms, id");
    let rows = tx.query(&sql, &[text(intent)])?;
    let fact = |cells| {
        let mut row = Row::of(cells);
        Ok(Fact {
            own: row.text()? == OWN,
            evidence: of_word::<Evidence>(&row.text()?)?,
            status: of_word::<Status>(&row.text()?)?,
            amount: row.maybe_int()?,
            payable: row.maybe_int()?,
            refunded: row.maybe_int()?,
            provider_reference: row.maybe_text()?,
            review: row.maybe_text()?,
            clears: row.json()?.and_then(|list| serde_json::from_value(list).ok()).unwrap_or_default(),
        })
    };
    rows.into_iter().map(fact).collect()
}

/// A state's name.
pub(super) fn state(state: State) -> Cell {
    text(word(&state))
}
