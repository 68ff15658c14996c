//! The check. iPaymu checks by its own id; where the host has only its order, the order is found in the
//! history first. Whatever was found, it is the check that decides.

use bayar_provider::money::decimal_from_wire;
use bayar_provider::{Call, Code, Error, Outcome, Response, Rupiah, Status, Step, Which, time};
use serde::Serialize;
use serde_json::Value;

use crate::answer::{self, Kind};
use crate::charge::check_order;
use crate::settings::Account;
use crate::transaction::Transaction;
use crate::{State, post};

/// The most pages of the history that are looked through for one order. With the check it stays below
/// the engine's limit of exchanges.
const PAGES: u32 = 5;
/// The most that iPaymu puts on a page.
const PAGE: usize = 20;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Check<'a> {
    transaction_id: &'a str,
    account: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Find {
    order_by: &'static str,
    order: &'static str,
    page: u32,
    limit: usize,
}

/// Builds the first request. Of a host that names both its order and iPaymu's id, both must hold.
pub fn prepare(account: &Account, call: &Call) -> Result<Step<State>, Error> {
    let which: Which = call.read()?;
    let ours = which.order_id.is_some() || which.provider_reference.is_none();
    if ours {
        check_order(call)?;
    }
    let order = ours.then(|| call.reference.clone());
    match (which.provider_reference, order) {
        (Some(id), _) if id.trim().is_empty() => {
            Err(Error::invalid("provider_reference", "nothing", "iPaymu's transaction id"))
        }
        (Some(id), order) => check(account, call, id, order, None),
        (None, order) => find(account, call, order.unwrap_or_default(), 1),
    }
}

fn check(
    account: &Account,
    call: &Call,
    id: String,
    order: Option<String>,
    review: Option<String>,
) -> Result<Step<State>, Error> {
    let body = Check { transaction_id: &id, account: &account.account };
    let request = post(account, call, "/transaction", &body)?;
    Ok(Step::Send(request, State::Check { id, order, review }))
}

fn find(account: &Account, call: &Call, order: String, page: u32) -> Result<Step<State>, Error> {
    let body = Find { order_by: "id", order: "DESC", page, limit: PAGE };
    Ok(Step::Send(post(account, call, "/history", &body)?, State::Find { order, page }))
}

/// Reads a page of the history: the order is on it, or on the next, or nowhere.
pub fn read_page(
    account: &Account,
    call: &Call,
    response: &Response,
    order: String,
    page: u32,
) -> Result<Step<State>, Error> {
    let open = |what: &str| answer::open(response, Kind::Ask, what);
    let answer = answer::read(response, Kind::Ask)?;
    let Some(results) = answer.data.get("results").and_then(Value::as_array) else {
        return Err(open("the answer has no list of transactions"));
    };
    let all: Option<Vec<Transaction>> = results.iter().map(Transaction::of).collect();
    let all = all.ok_or_else(|| open("a transaction of the history cannot be read"))?;
    let ours: Vec<Transaction> =
        all.into_iter().filter(|one| one.reference.as_deref() == Some(order.as_str())).collect();
    let paid = ours.iter().filter(|one| one.state() == Status::Paid).count();
    // Whoever chose twice on a page has two transactions: the paid one counts, else the newest.
    let chosen = ours.iter().find(|one| one.state() == Status::Paid).or(ours.first());
    if let Some(id) = chosen.and_then(|one| one.id.clone()) {
        let review = (paid > 1).then(|| format!("iPaymu has {paid} paid transactions of this order"));
        return check(account, call, id, Some(order), review);
    }
    let last = match answer
        .data
        .get("total_page")
        .map(|pages| pages.as_u64().or(pages.as_str().and_then(|p| p.parse().ok())))
    {
        Some(Some(pages)) => u64::from(page) >= pages,
        _ => results.len() < PAGE,
    };
    match (last, page) {
        (true, _) => Err(Error::new(
            Code::OrderNotFound,
            "iPaymu's history has no transaction of this order: the payer may not have chosen how to pay yet",
        )),
        (false, PAGES..) => Err(open(&format!(
            "the order is not among the last {} transactions: give iPaymu's id as provider_reference",
            PAGES as usize * PAGE
        ))),
        (false, page) => find(account, call, order, page + 1),
    }
}

/// Reads the answer to a check. It must be about the transaction, and the order, that were asked for.
pub fn read(
    response: &Response,
    id: &str,
    order: Option<&str>,
    review: Option<String>,
) -> Result<Outcome, Error> {
    let open = |what: &str| answer::open(response, Kind::Ask, what);
    let answer = answer::read(response, Kind::Ask)?;
    let transaction = Transaction::of(&answer.data).ok_or_else(|| open("the answer is no transaction"))?;
    if transaction.id.as_deref() != Some(id) {
        return Err(open("the answer is about another transaction than was asked for"));
    }
    // Whoever calls a notify address names the transaction: one without our order is not ours.
    if order.is_some() && transaction.reference.as_deref() != order {
        return Err(open("the transaction is of another order than was asked for, or of none"));
    }
    let Some(amount) = Rupiah::from_wire(&transaction.amount) else {
        return Err(open("the answer's amount is no amount of whole rupiah"));
    };
    let status = transaction.state();
    Ok(Outcome {
        amount: Some(amount),
        payable_amount: Some(amount),
        fee: decimal_from_wire(&transaction.fee),
        expires_at: transaction.expires.as_deref().and_then(time::wib_to_rfc3339),
        reference: transaction.reference,
        provider_reference: transaction.id,
        review,
        raw: answer.raw,
        ..Outcome::answered(status)
    })
}
