//! The wallet's book: its history, and the reconciliation of one order. Both come as JSON inside a string.
//!
//! Source: part 1 d and h. In the book **debit raises and credit lowers** the balance, which the
//! printed balances show; hosts get `in` and `out`.

use bayar_provider::money::decimal_from_wire;
use bayar_provider::{Call, Decimal, Error, Outcome, Response, Rupiah, Status, Step, time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::State;
use crate::answer::{self, Purpose, text};
use crate::embedded;
use crate::exchange::{act, ask, check_reference, required};
use crate::settings::Settings;

/// Parameters of `history`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HistoryParams {
    /// Whose wallet.
    id_member: String,
    /// From when, in K-Link's own form, which the document does not print; from the beginning if empty.
    #[serde(default)]
    startdate: String,
    /// Until when, likewise; until now if empty.
    #[serde(default)]
    enddate: String,
}

/// Parameters of `reconcile`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReconcileParams {
    /// The order whose payment went wrong.
    #[expect(dead_code, reason = "the engine has made it the call's reference")]
    order_id: String,
}

/// `data` of `history`.
#[derive(Serialize, JsonSchema)]
pub struct History {
    /// The entries, in K-Link's order.
    entries: Vec<Entry>,
}

/// `data` of `reconcile`.
#[derive(Serialize, JsonSchema)]
pub struct Reconciled {
    /// The entry of the order.
    entry: Entry,
    /// Whose wallet.
    #[serde(skip_serializing_if = "Option::is_none")]
    id_member: Option<String>,
}

/// One entry of the book.
#[derive(Serialize, JsonSchema)]
pub struct Entry {
    /// `in` raised the balance, `out` lowered it; absent where the entry says neither, or both.
    #[serde(skip_serializing_if = "Option::is_none")]
    direction: Option<Direction>,
    /// How much: rupiah, as a decimal string.
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<String>,
    /// The balance after it: rupiah, as a decimal string.
    #[serde(skip_serializing_if = "Option::is_none")]
    balance: Option<String>,
    /// What K-Link wrote to it.
    description: String,
    /// When, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<String>,
}

/// Which way money went.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Into the wallet.
    In,
    /// Out of the wallet.
    Out,
}

#[derive(Serialize)]
struct HistoryBody<'a> {
    id_member: &'a str,
    startdate: &'a str,
    enddate: &'a str,
}

/// Builds the question for a history.
pub fn history(account: &Settings, call: &Call) -> Result<Step<State>, Error> {
    let params: HistoryParams = call.read()?;
    let body = HistoryBody {
        id_member: required("id_member", &params.id_member, "a member's id")?,
        startdate: &params.startdate,
        enddate: &params.enddate,
    };
    ask(account, call, &account.path_history, &body, State::History)
}

/// Reads a history. One entry that cannot be read makes all of it unreadable: a book with a hole is none.
pub fn read_history(response: &Response) -> Result<Outcome, Error> {
    let body = answer::success(response, Purpose::Read, Some("transaction"))?;
    let rows = body.get("transaction").and_then(embedded::inner);
    let rows = rows.as_ref().and_then(Value::as_array);
    let entries =
        rows.and_then(|rows| rows.iter().map(|row| Entry::of(row).map(|(entry, _)| entry)).collect());
    let Some(entries) = entries else {
        return Err(answer::open(
            response,
            Purpose::Read,
            "the answer has no transaction that is a list of entries",
        ));
    };
    let data = serde_json::to_value(History { entries }).ok();
    Ok(Outcome { data, raw: body, ..Outcome::answered(Status::Done) })
}

#[derive(Serialize)]
struct ReconcileBody<'a> {
    id_order: &'a str,
}

/// Builds a reconciliation. It may itself repair what went wrong, so it counts as moving money.
pub fn reconcile(account: &Settings, call: &Call) -> Result<Step<State>, Error> {
    let ReconcileParams { .. } = call.read()?;
    let body = ReconcileBody { id_order: check_reference(call)? };
    act(account, call, &account.path_reconcile, &body, State::Reconcile)
}

/// Reads a reconciliation: the payment is in the book where the entry lowered the balance.
pub fn read_reconcile(call: &Call, response: &Response) -> Result<Outcome, Error> {
    let body = answer::success(response, Purpose::Keyed, Some("data"))?;
    let open = |what| answer::open(response, Purpose::Keyed, what);
    let row = body.get("data").and_then(embedded::inner);
    let Some((entry, amount)) = row.as_ref().and_then(Entry::of) else {
        return Err(open("the answer has no data that is an entry"));
    };
    if text(row.as_ref(), "order_id").as_deref() != Some(call.reference.as_str()) {
        return Err(open("the answer is about another order than was asked for"));
    }
    let (status, amount) = match entry.direction {
        Some(Direction::Out) => (Status::Paid, amount),
        // Money came back, or the entry does not say: neither is a payment.
        Some(Direction::In) | None => (Status::Unknown, None),
    };
    let data = Reconciled { entry, id_member: text(row.as_ref(), "id_member") };
    Ok(Outcome {
        reference: Some(call.reference.clone()),
        amount,
        payable_amount: amount,
        data: serde_json::to_value(data).ok(),
        raw: body,
        ..Outcome::answered(status)
    })
}

impl Entry {
    /// Reads an entry, and its amount where that is whole rupiah.
    fn of(row: &Value) -> Option<(Self, Option<Rupiah>)> {
        let column = |name| row.get(name).and_then(decimal_from_wire);
        let (debit, credit) = (column("debit")?, column("credit")?);
        let moved = moved(debit, credit);
        let entry = Entry {
            direction: moved.map(|(direction, _)| direction),
            amount: moved.map(|(_, amount)| amount.normalize().to_string()),
            balance: column("balance").map(|balance| balance.normalize().to_string()),
            description: text(Some(row), "description").unwrap_or_default(),
            at: text(Some(row), "datetime").as_deref().and_then(time::wib_to_rfc3339),
        };
        let whole = moved.and_then(|(_, amount)| Rupiah::from_wire(&amount.to_string().into()));
        Some((entry, whole))
    }
}

/// Which way and how much, from the two columns: one of them must be zero and the other above it.
fn moved(debit: Decimal, credit: Decimal) -> Option<(Direction, Decimal)> {
    match (debit > Decimal::ZERO, credit > Decimal::ZERO) {
        (true, false) if credit.is_zero() => Some((Direction::In, debit)),
        (false, true) if debit.is_zero() => Some((Direction::Out, credit)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    proptest! {
        /// The balance before, moved by the entry, is the balance after: to the last sen.
        #[test]
        fn debit_raises_and_credit_lowers(before in 0u64..1_000_000_000_000, sen in 0u64..100, amount in 1u64..1_000_000_000_000, raises: bool) {
            let written = format!("{amount}.{sen:02}");
            let (debit, credit) = if raises { (written.as_str(), "0.00") } else { ("0.00", written.as_str()) };
            let (entry, whole) = Entry::of(&json!({"debit": debit, "credit": credit, "balance": before})).unwrap();
            prop_assert_eq!(entry.direction, Some(if raises { Direction::In } else { Direction::Out }));
            prop_assert_eq!(entry.amount.unwrap().parse::<Decimal>().unwrap(), written.parse::<Decimal>().unwrap());
            prop_assert_eq!(whole.map(Rupiah::get), (sen == 0).then_some(amount));
        }

        #[test]
        fn what_is_neither_or_both_has_no_direction(debit in -9i64..9, credit in -9i64..9) {
            let (entry, whole) = Entry::of(&json!({"debit": debit, "credit": credit})).unwrap();
            let clear = (debit > 0 && credit == 0) || (debit == 0 && credit > 0);
            prop_assert_eq!(entry.direction.is_some(), clear);
            prop_assert_eq!(whole.is_some(), clear);
        }
    }
}
