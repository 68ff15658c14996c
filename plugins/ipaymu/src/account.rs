//! Balance and history of an account (public: Check Balance, Transaction History).

use bayar_provider::money::decimal_from_wire;
use bayar_provider::{Call, Error, Nothing, Outcome, Response, Status, Step, time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::answer::{self, Kind};
use crate::settings::Account;
use crate::transaction::Transaction;
use crate::{State, post};

#[derive(Serialize)]
struct Balance<'a> {
    account: &'a str,
}

/// Builds the request of `balance`.
pub fn balance(account: &Account, call: &Call) -> Result<Step<State>, Error> {
    let Nothing {} = call.read()?;
    Ok(Step::Send(post(account, call, "/balance", &Balance { account: &account.account })?, State::Question))
}

/// `data` of `balance`.
#[derive(Serialize, JsonSchema)]
pub struct Balances {
    /// What the merchant has at iPaymu, in rupiah.
    balance: String,
    /// What it has as a member, in rupiah.
    #[serde(skip_serializing_if = "Option::is_none")]
    member_balance: Option<String>,
    /// The VA number that it is of.
    #[serde(skip_serializing_if = "Option::is_none")]
    va: Option<String>,
}

/// Reads the answer to `balance`.
pub fn read_balance(response: &Response) -> Result<Outcome, Error> {
    let answer = answer::read(response, Kind::Ask)?;
    let found = |name: &str| answer.data.get(name).and_then(decimal_from_wire).map(|found| found.to_string());
    let Some(balance) = found("merchantbalance") else {
        return Err(answer::open(response, Kind::Ask, "the answer has no MerchantBalance"));
    };
    let va = answer.data.get("va").and_then(Value::as_str).map(str::to_owned);
    let data = Balances { balance, member_balance: found("memberbalance"), va };
    Ok(Outcome { data: serde_json::to_value(data).ok(), raw: answer.raw, ..Outcome::answered(Status::Done) })
}

/// Parameters of `history`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Query {
    /// Only this state, by iPaymu's code: `-2` expired, `0` pending, `1` paid, `2` cancelled, `3` refunded,
    /// `4` error, `5` failed, `6` paid and unsettled, `7` escrow.
    #[serde(default)]
    status: Option<i8>,
    /// Which date `from` and `to` are about.
    #[serde(default)]
    date: Option<DateKind>,
    /// The first day, `YYYY-MM-DD`.
    #[serde(default)]
    from: Option<String>,
    /// The last day, `YYYY-MM-DD`.
    #[serde(default)]
    to: Option<String>,
    /// The number of the page, from 1.
    #[serde(default)]
    page: Option<u32>,
    /// How many on a page, at most 20.
    #[serde(default)]
    limit: Option<u32>,
    /// Which first.
    #[serde(default)]
    sort: Option<Sort>,
}

/// Which date a span is about.
#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum DateKind {
    /// When the transaction was made.
    Created,
    /// When it was paid.
    Paid,
}

/// Which transaction first.
#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Sort {
    /// The newest.
    Newest,
    /// The oldest.
    Oldest,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct History {
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    date: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    startdate: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    enddate: Option<String>,
    page: u32,
    limit: u32,
    order_by: &'static str,
    order: &'static str,
}

/// Builds the request of `history`.
pub fn history(account: &Account, call: &Call) -> Result<Step<State>, Error> {
    let query: Query = call.read()?;
    if query.status.is_some_and(|status| status != -2 && !(0..=7).contains(&status)) {
        return Err(Error::invalid("status", query.status.unwrap_or_default(), "-2, or 0 to 7"));
    }
    let (page, limit) = (query.page.unwrap_or(1), query.limit.unwrap_or(20));
    if page == 0 {
        return Err(Error::invalid("page", page, "at least 1"));
    }
    if !(1..=20).contains(&limit) {
        return Err(Error::invalid("limit", limit, "1 to 20"));
    }
    for (field, day) in [("from", &query.from), ("to", &query.to)] {
        if day
            .as_ref()
            .is_some_and(|day| day.len() != 10 || time::from_wib(&format!("{day} 00:00:00")).is_none())
        {
            return Err(Error::invalid(
                field,
                format!("{:?}", day.as_deref().unwrap_or_default()),
                "a day as YYYY-MM-DD",
            ));
        }
    }
    let body = History {
        status: query.status.map(|status| status.to_string()),
        date: query.date.map(|kind| match kind {
            DateKind::Created => "created_at",
            DateKind::Paid => "indate",
        }),
        startdate: query.from,
        enddate: query.to,
        page,
        limit,
        order_by: "id",
        order: if matches!(query.sort, Some(Sort::Oldest)) { "ASC" } else { "DESC" },
    };
    Ok(Step::Send(post(account, call, "/history", &body)?, State::Question))
}

/// `data` of `history`.
#[derive(Serialize, JsonSchema)]
pub struct Transactions {
    /// How many there are in all.
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<u64>,
    /// The number of this page.
    #[serde(skip_serializing_if = "Option::is_none")]
    page: Option<u64>,
    /// How many pages there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pages: Option<u64>,
    /// Those of this page.
    transactions: Vec<Entry>,
}

/// One transaction.
#[derive(Serialize, JsonSchema)]
struct Entry {
    /// iPaymu's id.
    provider_reference: Option<String>,
    /// Our order.
    reference: Option<String>,
    /// In rupiah.
    amount: Option<String>,
    /// What iPaymu keeps, in rupiah.
    fee: Option<String>,
    /// Its state.
    status: Status,
    /// The same in iPaymu's code.
    status_code: Option<String>,
    /// The same in iPaymu's words.
    status_text: Option<String>,
    /// By which way it is paid, in iPaymu's words.
    kind: Option<String>,
    /// RFC 3339.
    created_at: Option<String>,
    /// RFC 3339.
    paid_at: Option<String>,
}

/// Reads the answer to `history`.
pub fn read_history(response: &Response) -> Result<Outcome, Error> {
    let open = |what: &str| answer::open(response, Kind::Ask, what);
    let answer = answer::read(response, Kind::Ask)?;
    let Some(results) = answer.data.get("results").and_then(Value::as_array) else {
        return Err(open("the answer has no list of transactions"));
    };
    let all: Option<Vec<Entry>> = results.iter().map(|one| Transaction::of(one).map(entry)).collect();
    let number = |name: &str| answer.data.get(name).and_then(Value::as_u64);
    let data = Transactions {
        total: number("total"),
        page: number("current_page"),
        pages: number("total_page"),
        transactions: all.ok_or_else(|| open("a transaction of the history cannot be read"))?,
    };
    Ok(Outcome { data: serde_json::to_value(data).ok(), raw: answer.raw, ..Outcome::answered(Status::Done) })
}

fn entry(one: Transaction) -> Entry {
    let time = |text: &Option<String>| text.as_deref().and_then(time::wib_to_rfc3339);
    Entry {
        status: one.state(),
        amount: decimal_from_wire(&one.amount).map(|amount| amount.to_string()),
        fee: decimal_from_wire(&one.fee).map(|fee| fee.to_string()),
        created_at: time(&one.created),
        paid_at: time(&one.paid),
        provider_reference: one.id,
        reference: one.reference,
        status_code: one.status,
        status_text: one.status_text,
        kind: one.kind,
    }
}
