//! A transaction: what is kept of it, how it begins, what happens to it.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::channels::{self, Channel};
use super::notify;
use crate::checkout;
use crate::provider::{Act, ActKind, Desk, Instruction, Order, Status};
use crate::qris::qris;
use crate::tools::{digits, rp, upto, wib};

/// What is kept of a payment.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Detail {
    pub(super) session: String,
    /// Absent while the payer of a page has chosen nothing: then there is no transaction.
    pub(super) transaction: Option<i64>,
    pub(super) reference: Option<String>,
    pub(super) method: String,
    pub(super) channel: String,
    pub(super) label: String,
    pub(super) payment_no: String,
    /// In hundredths of a rupiah: a fee of 3 % is no whole number.
    pub(super) fee: i64,
    /// Whether the payer pays it on top.
    pub(super) fee_on_top: bool,
    /// What was asked for, without fee and unique code.
    pub(super) asked: i64,
    pub(super) products: Vec<String>,
    pub(super) quantities: Vec<String>,
    pub(super) buyer: [String; 3],
    pub(super) notify_url: String,
    pub(super) return_url: String,
    pub(super) cancel_url: String,
    /// The only method of a page; empty: all.
    pub(super) allowed: String,
    pub(super) seconds: i64,
    /// The `Status` of the check.
    pub(super) code: i64,
    pub(super) escrow: bool,
    pub(super) success_date: Option<String>,
    pub(super) cod: Option<Cod>,
}

/// What is kept beside the orders.
#[derive(Default)]
struct Book {
    /// How many transactions were begun.
    transactions: i64,
}

/// What is kept of one on delivery.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Cod {
    pub(super) shipping: i64,
    pub(super) area: String,
    pub(super) awb: Option<String>,
    pub(super) picked_up: Option<String>,
}

impl Detail {
    /// Whether there is a transaction at all.
    pub(super) fn begun(&self) -> bool {
        self.transaction.is_some()
    }
}

/// `3500`, `1399.02`: a JSON number with this very text.
pub(super) fn decimal(hundredths: i64) -> Box<RawValue> {
    let (whole, rest) = (hundredths / 100, hundredths % 100);
    let text = if rest == 0 { whole.to_string() } else { format!("{whole}.{rest:02}") };
    RawValue::from_string(text).expect("a decimal is a JSON number")
}

/// Opens a payment under the merchant's reference. That need not be unique at iPaymu: a second
/// payment of one reference is made all the same, and counted on the first.
pub(super) fn open(mut detail: Detail, amount: i64, desk: &mut Desk<'_>) -> String {
    let wanted = detail.reference.clone().unwrap_or_else(|| detail.session.clone());
    let mut id = wanted.clone();
    if let Some(first) = desk.order_mut(&wanted) {
        first.arrive("charge");
        first.execute("charge");
        let count = first.executed["charge"];
        id = format!("{wanted}#{count}");
    }
    let mut order = Order::new(desk, &id, "charge", amount);
    order.provider_reference.clone_from(&detail.session);
    order.become_(Status::Pending, "pending");
    order.expires_at = desk.now.checked_add(SignedDuration::from_secs(detail.seconds)).ok();
    detail.asked = amount;
    let session = detail.session.clone();
    order.write(&detail);
    desk.open(order);
    desk.alias(&session, &id);
    id
}

/// Begins the transaction of a payment by a channel.
pub(super) fn begin(id: &str, channel: &Channel, desk: &mut Desk<'_>) {
    let base = desk.base_url();
    let book = desk.own::<Book>();
    book.transactions += 1;
    let number = 500_000 + book.transactions;
    let order = desk.order_mut(id).expect("the caller opened it");
    let mut detail: Detail = order.read();
    detail.transaction = Some(number);
    detail.method = channel.method.to_owned();
    detail.channel = channel.channel.to_owned();
    detail.label = channel.label.to_owned();
    if detail.cod.is_none() {
        detail.fee = channel.fee * 100;
    }
    let fee_on_top = if detail.fee_on_top { detail.fee / 100 } else { 0 };
    order.amount = detail.asked + fee_on_top;
    order.method = Some(format!("{} ({})", channel.label, channel.method));
    order.instructions.clear();
    match channel.method {
        "va" => {
            detail.payment_no = format!("9449{}", digits(12));
            order
                .instructions
                .push(Instruction::text(format!("VA {}", channel.label), detail.payment_no.clone()));
        }
        "banktransfer" => {
            // "BCA Kode Unik": the amount itself tells who paid.
            let unique = i64::from(upto(999));
            order.amount += unique;
            detail.payment_no = "0000000000".to_owned();
            let exact = format!("{} (kode unik {unique})", rp(order.amount));
            order.instructions.push(Instruction::text("Transfer exactly", exact));
            order.instructions.push(Instruction::text("To BCA", detail.payment_no.clone()));
        }
        "cstore" => {
            detail.payment_no = digits(12);
            order
                .instructions
                .push(Instruction::text(format!("{} code", channel.label), detail.payment_no.clone()));
        }
        "qris" => {
            order.instructions.push(Instruction::qr(qris(&detail.session.to_lowercase(), order.amount)))
        }
        "cod" => {}
        _ => {
            let url = format!("{base}/payment/{}", detail.session);
            order.instructions.push(Instruction::link(format!("{} page", channel.label), url));
        }
    }
    order.write(&detail);
    desk.alias(&number.to_string(), id);
}

/// Lets the payer of a page choose: `va:bni`, or a method alone.
pub(super) fn choose(id: &str, name: &str, desk: &mut Desk<'_>) -> Result<(), String> {
    let (method, channel) =
        name.split_once(':').map_or((name, None), |(method, channel)| (method, Some(channel)));
    let Some(found) = channels::find(method, channel).filter(|one| one.method != "cod") else {
        return Err(format!("there is no method {name}; one is va:bni"));
    };
    let order = desk.order(id).expect("the caller looked it up");
    let detail: Detail = order.read();
    if detail.begun() || order.status != Status::Pending {
        return Err("the payer has chosen already".to_owned());
    }
    begin(id, found, desk);
    Ok(())
}

/// What a payer, a bank, the dashboard or time does.
pub(super) fn act(act: &Act, id: &str, desk: &mut Desk<'_>) -> Result<(), String> {
    let order = desk.order(id).expect("the frame looked it up");
    let begun = order.read::<Detail>().begun();
    let pays = matches!(act.kind, ActKind::Paid | ActKind::Failed) && order.status == Status::Pending;
    match &act.method {
        Some(name) => choose(id, name, desk)?,
        None if pays && !begun => choose(id, "va:bag", desk)?,
        None => {}
    }
    let (now, paid) = (desk.now, desk.setting("paid_status").parse().unwrap_or(1));
    let order = desk.order_mut(id).expect("the frame looked it up");
    let mut detail: Detail = order.read();
    match (act.kind, order.status) {
        (ActKind::Paid, Status::Pending) => {
            order.become_(Status::Paid, "berhasil");
            detail.code = if detail.escrow { 7 } else { paid };
            detail.success_date = Some(wib(now));
        }
        (ActKind::Failed, Status::Pending) => {
            order.become_(Status::Failed, "gagal");
            detail.code = 5;
        }
        (ActKind::Expired, Status::Pending) => {
            order.become_(Status::Expired, "expired");
            detail.code = -2;
        }
        (ActKind::Refunded, Status::Paid) => {
            order.become_(Status::Refunded, "refund");
            detail.code = 3;
        }
        _ => return Err(format!("the payment is {}: this cannot happen to it", order.provider_status)),
    }
    order.write(&detail);
    let callback = notify::callback(id, desk);
    desk.send(callback);
    Ok(())
}

/// Where the payer goes from the page.
pub(super) fn back(order: &Order, detail: &Detail) -> Option<String> {
    match order.status {
        Status::Pending | Status::Failed | Status::Expired => checkout::back(&detail.cancel_url, &[]),
        _ => {
            let number = detail.transaction.unwrap_or_default().to_string();
            let report = [
                ("return", "true"),
                ("sid", detail.session.as_str()),
                ("trx_id", number.as_str()),
                ("status", order.provider_status.as_str()),
                ("tipe", detail.method.as_str()),
            ];
            checkout::back(&detail.return_url, &report)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::decimal;

    #[test]
    fn a_decimal_keeps_its_text() {
        for (hundredths, text) in [(350_000, "3500"), (139_902, "1399.02"), (5, "0.05")] {
            assert_eq!(decimal(hundredths).get(), text);
        }
    }
}
