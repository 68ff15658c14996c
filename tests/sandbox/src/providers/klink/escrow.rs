//! Paying from a wallet, repairing such a payment, and giving it back in two steps.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::wallet::{self, member};
use super::{Refusal, amount, money, need, quirks, refuse};
use crate::provider::{Desk, Order, Reply, Status};
use crate::raw::Raw;
use crate::tools::wib;

/// What is kept of a payment from a wallet.
#[derive(Clone, Serialize, Deserialize)]
struct Detail {
    member: String,
    description: String,
    transaction: i64,
    /// Balance after it, and when; absent while it is half done.
    done: Option<(i64, String)>,
    /// Transaction and time of the refund.
    refund: Option<(i64, String)>,
}

/// Answers `pay`. The order's id is its key.
pub(super) fn pay(body: &Raw, desk: &mut Desk<'_>) -> Result<Value, Refusal> {
    let id_member = need(body, "id_member")?;
    let amount = amount(body, "amount", 1)?;
    let id = need(body, "id_order")?;
    let description = need(body, "description")?;
    if let Some(order) = desk.order_mut(&id) {
        order.arrive("pay");
        return refuse(format!("ID Order {id} sudah ada!"));
    }
    if member(&id_member, desk)?.balance < amount {
        return refuse("Saldo tidak mencukupi!");
    }
    let transaction = wallet::next(desk);
    let mut order = Order::new(desk, &id, "pay", amount);
    order.provider_reference = transaction.to_string();
    order.method = Some(format!("Kwallet of {id_member}"));
    order.become_(Status::Pending, "error");
    let detail = Detail { member: id_member, description, transaction, done: None, refund: None };
    order.write(&detail);
    if desk.setting("pay") == "error" {
        order.executed.clear();
        desk.open(order);
        return refuse(format!("Payment ID Order {id} error, silahkan reconcile!"));
    }
    desk.open(order);
    settle(&id, desk)?;
    Ok(json!({"status": "success", "message": format!("Payment ID Order {id} Success!")}))
}

/// Moves the money of a payment that has not moved yet.
fn settle(id: &str, desk: &mut Desk<'_>) -> Result<(), Refusal> {
    let now = desk.now;
    let order = desk.order(id).expect("the caller found it");
    let (amount, mut detail) = (order.amount, order.read::<Detail>());
    let wallet = member(&detail.member, desk)?;
    if wallet.balance < amount {
        return refuse("Saldo tidak mencukupi!");
    }
    wallet.take(amount, &detail.description, now);
    detail.done = Some((wallet.balance, wib(now)));
    let order = desk.order_mut(id).expect("the caller found it");
    order.become_(Status::Paid, "success");
    order.write(&detail);
    Ok(())
}

/// Answers `reconcile`: repairs a payment that was left half done; of one that was done it
/// only tells. An object inside a string.
pub(super) fn reconcile(body: &Raw, desk: &mut Desk<'_>) -> Result<Reply, Refusal> {
    let id = need(body, "id_order")?;
    let Some(order) = desk.order_mut(&id).filter(|order| order.operation == "pay") else {
        return refuse(format!("ID Order {id} tidak ditemukan!"));
    };
    order.arrive("reconcile");
    if order.status == Status::Pending {
        settle(&id, desk)?;
        let order = desk.order_mut(&id).expect("it was just found");
        order.execute("pay");
        order.execute("reconcile");
    }
    let order = desk.order(&id).expect("it was just found");
    let detail: Detail = order.read();
    let (balance, time) = detail.done.expect("it is done by now");
    let inner = quirks::object(&[
        ("id_member", detail.member),
        ("order_id", id.clone()),
        ("comm_code", "SYSTEM".to_owned()),
        ("datetime", quirks::blanks(&time)),
        ("valuedate", time[..10].to_owned()),
        ("description", detail.description),
        ("debit", money(0)),
        ("credit", money(order.amount)),
        ("balance", money(balance)),
    ]);
    let document = json!({"status": "success", "message": format!("Reconcile ID Order {id} Success!")});
    Ok(quirks::reply(&document, "data", &inner, desk))
}

/// The wallet payment of that order and member.
fn paid(body: &Raw, operation: &str, desk: &mut Desk<'_>) -> Result<(Order, Detail), Refusal> {
    let (id, id_member) = (need(body, "id_order")?, need(body, "id_member")?);
    let Some(order) = desk.order_mut(&id).filter(|order| order.operation == "pay") else {
        return refuse(format!("ID Order {id} tidak ditemukan!"));
    };
    order.arrive(operation);
    let detail: Detail = order.read();
    if detail.member != id_member {
        return refuse(format!("ID Order {id} tidak ditemukan!"));
    }
    if !matches!(order.status, Status::Paid | Status::Refunded) {
        return refuse(format!("ID Order {id} belum dibayar!"));
    }
    Ok((order.clone(), detail))
}

/// Answers `escrow/refund`, a question: no money moves.
pub(super) fn quote(body: &Raw, desk: &mut Desk<'_>) -> Result<Value, Refusal> {
    let (order, detail) = paid(body, "refund_quote", desk)?;
    let (_, time) = detail.done.expect("a paid order is done");
    Ok(json!({
        "data": [{
            "id_trans": detail.transaction,
            "description": detail.description,
            "id_member": detail.member,
            "datetime": time,
            "credit": order.amount,
            "id_order": order.order_id,
        }],
        "status": "success",
        "message": "Apakah benar data yang akan direfund?",
    }))
}

/// Answers `escrow/refund-accept`: the whole amount goes back, once.
pub(super) fn accept(body: &Raw, desk: &mut Desk<'_>) -> Result<Value, Refusal> {
    let (order, mut detail) = paid(body, "refund", desk)?;
    let transaction = need(body, "id_trans")?;
    need(body, "note")?;
    let (id, id_member) = (order.order_id, detail.member.clone());
    if transaction != detail.transaction.to_string() {
        return refuse(format!("id_trans {transaction} tidak ditemukan!"));
    }
    if let Some((refund, time)) = detail.refund {
        return refuse(format!(
            "refund existing, id_trans:{refund}, order_id:{id}, member_id:{id_member}, datetime:{time}!"
        ));
    }
    let now = desk.now;
    let refund = wallet::next(desk);
    member(&id_member, desk)?.add(order.amount, &format!("refund {id}"), now);
    detail.refund = Some((refund, wib(now)));
    let order = desk.order_mut(&id).expect("it was just found");
    order.execute("refund");
    order.become_(Status::Refunded, "refund");
    order.write(&detail);
    Ok(json!({"status": "success", "message": format!("success refund saldo for member {id_member}!")}))
}
