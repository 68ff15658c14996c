//! A transaction: what is kept of it, how it begins, what happens to it.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::channels::{self, Channel, Kind};
use super::fields::Refusal;
use super::project::Project;
use super::{accounts, notify};
use crate::provider::{Act, ActKind, Desk, Instruction, Order, Status};
use crate::qris::qris;
use crate::tools::{digits, letters};

/// What is kept of a transaction.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
pub(super) struct Detail {
    /// Whose it is.
    pub(super) merchant: String,
    /// `merchantOrderId`. The ledger's id may differ where two projects use the same.
    pub(super) number: String,
    pub(super) product: String,
    pub(super) additional: String,
    pub(super) user: String,
    pub(super) return_url: String,
    pub(super) callback_url: String,
    /// The wish for an end, in minutes.
    pub(super) expiry: Option<i64>,
    /// Empty while the payer of an invoice has chosen nothing.
    pub(super) channel: String,
    /// The linked account that pays.
    pub(super) credential: Option<String>,
    /// Duitku's number towards the bank.
    pub(super) publisher: String,
}

/// The ledger's id of a merchant's transaction.
pub(super) fn find(merchant: &str, number: &str, desk: &Desk<'_>) -> Option<String> {
    let order = desk.order(&alias(merchant, number)).filter(|order| order.operation == "charge")?;
    // Another project's own id may look like the alias.
    (order.read::<Detail>().number == number).then(|| order.order_id.clone())
}

fn alias(merchant: &str, number: &str) -> String {
    format!("{merchant}/{number}")
}

/// An id that the ledger does not have: the one that is wanted, or a numbered one.
pub(super) fn free_id(wanted: &str, desk: &Desk<'_>) -> String {
    let numbered = (2..).map(|count| format!("{wanted}#{count}"));
    std::iter::once(wanted.to_owned())
        .chain(numbered)
        .find(|id| desk.order(id).is_none())
        .expect("there are more numbers than orders")
}

/// Opens a transaction. "Every request for a new transaction must use a new ID" (public), and
/// nobody says what meets one that does not: by default a second number under the first
/// reference, which a payer can pay, so that a client that sends twice is seen doing so.
pub(super) fn open(
    detail: Detail,
    amount: i64,
    project: &Project,
    desk: &mut Desk<'_>,
) -> Result<String, Refusal> {
    if let Some(id) = find(&project.code, &detail.number, desk) {
        let again = desk.setting("repeated_order") != "409";
        let order = desk.order_mut(&id).expect("it was just found");
        order.arrive("charge");
        if !again || order.status != Status::Pending {
            return Err(Refusal::new(409, "merchantOrderId is already used"));
        }
        order.execute("charge");
        order.amount = amount;
        order.instructions.clear();
        order.write(&detail);
        return Ok(id);
    }
    let id = free_id(&detail.number, desk);
    let mut order = Order::new(desk, &id, "charge", amount);
    order.provider_reference = format!("{}{}", project.code, letters(15));
    order.become_(Status::Pending, "01");
    order.write(&detail);
    let reference = order.provider_reference.clone();
    let key = alias(&project.code, &detail.number);
    desk.open(order);
    desk.alias(&reference, &id);
    desk.alias(&key, &id);
    Ok(id)
}

/// The page of a transaction.
pub(super) fn page(order: &Order, desk: &Desk<'_>) -> String {
    format!("{}/pay/{}", desk.base_url(), order.provider_reference)
}

/// Gives the payer a number, a code or a page by a channel.
pub(super) fn begin(id: &str, channel: &Channel, desk: &mut Desk<'_>) {
    let url = page(desk.order(id).expect("the caller opened it"), desk);
    let now = desk.now;
    let order = desk.order_mut(id).expect("the caller opened it");
    let mut detail: Detail = order.read();
    detail.channel = channel.code.to_owned();
    detail.publisher = format!("{}{}", channel.code, letters(15));
    order.method = Some(format!("{} ({})", channel.label, channel.code));
    order.instructions = match channel.kind {
        Kind::Number => vec![Instruction::text(channel.label, format!("7007014{}", digits(9)))],
        Kind::Qris => vec![Instruction::qr(qris(&order.provider_reference, order.amount))],
        Kind::Page | Kind::Linked | Kind::Credit | Kind::Commerce => Vec::new(),
    };
    order.instructions.push(Instruction::link(format!("{} page", channel.label), url));
    order.write(&detail);
    let end = now.checked_add(SignedDuration::from_mins(channel.open_for(detail.expiry)));
    if let Ok(end) = end {
        desk.expires(id, end);
    }
}

/// Lets the payer of an invoice choose.
pub(super) fn choose(id: &str, code: &str, desk: &mut Desk<'_>) -> Result<(), String> {
    let order = desk.order(id).expect("the caller looked it up");
    if order.method.is_some() || order.status != Status::Pending {
        return Err("the payer has chosen already".to_owned());
    }
    let Some(channel) = channels::find(code).filter(|one| one.kind != Kind::Linked) else {
        return Err(format!("there is no method {code}; one is BC"));
    };
    begin(id, channel, desk);
    Ok(())
}

/// What a payer, a bank or time does.
pub(super) fn act(act: &Act, id: &str, desk: &mut Desk<'_>) -> Result<(), String> {
    let order = desk.order(id).expect("the frame looked it up");
    if order.status != Status::Pending {
        return Err(format!("the transaction is {}: this cannot happen to it", order.status.word()));
    }
    match (&act.method, order.method.is_none() && act.kind != ActKind::Expired) {
        (Some(code), _) => choose(id, code, desk)?,
        (None, true) => choose(id, "BC", desk)?,
        (None, false) => {}
    }
    if act.kind == ActKind::Paid {
        pay(id, desk)?;
    }
    let order = desk.order_mut(id).expect("the frame looked it up");
    match act.kind {
        ActKind::Paid => order.become_(Status::Paid, "00"),
        ActKind::Expired => order.become_(Status::Expired, "02"),
        _ => order.become_(Status::Failed, "02"),
    }
    let callback = notify::callback(id, desk);
    desk.send(callback);
    Ok(())
}

/// Takes the amount from the linked account, where one pays.
fn pay(id: &str, desk: &mut Desk<'_>) -> Result<(), String> {
    let order = desk.order(id).expect("the frame looked it up");
    let (amount, detail) = (order.amount, order.read::<Detail>());
    let Some(code) = detail.credential else { return Ok(()) };
    match accounts::find(&code, &detail.merchant, &detail.channel, desk) {
        Some(account) if account.linked && account.cash >= amount => {
            account.cash -= amount;
            Ok(())
        }
        _ => Err("the account is not linked, or has not enough".to_owned()),
    }
}
