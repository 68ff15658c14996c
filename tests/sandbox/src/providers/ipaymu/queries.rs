//! The public queries: one transaction, the history, the balance.

use serde_json::{Value, json};

use super::payments::as_raw;
use super::transaction::{Detail, decimal};
use super::{exact, fields};
use crate::provider::{Desk, Order, Status};
use crate::raw::{self, Raw};
use crate::tools::{rupiah, wib};

/// What is said of a transaction.
fn view(order: &Order, detail: &Detail) -> Raw {
    let paid = detail.success_date.is_some();
    let document = json!({
        "TransactionId": detail.transaction,
        "SessionId": detail.session,
        "ReferenceId": detail.reference,
        "RelatedId": 0,
        "Sender": detail.buyer[0],
        "Receiver": "TOKO CONTOH",
        "Amount": order.amount,
        "Status": detail.code,
        "StatusDesc": description(detail.code),
        "PaidStatus": if paid { "paid" } else { "unpaid" },
        "IsLocked": false,
        "Type": 7,
        "TypeDesc": detail.method,
        "Notes": detail.label,
        "CreatedDate": wib(order.created_at),
        "ExpiredDate": order.expires_at.map(wib),
        "SuccessDate": detail.success_date,
        "SettlementDate": if detail.code == 1 { detail.success_date.clone() } else { None },
    });
    let mut data = as_raw(&document);
    data.insert("Fee".to_owned(), decimal(detail.fee));
    data
}

fn description(code: i64) -> &'static str {
    match code {
        -2 => "Expired",
        0 => "Pending",
        1 => "Berhasil",
        2 => "Batal",
        3 => "Refund",
        4 => "Error",
        5 => "Gagal",
        6 => "Berhasil - Unsettled",
        _ => "Escrow",
    }
}

/// Answers `transaction`.
pub(super) fn transaction(body: &Raw, desk: &Desk<'_>) -> Result<Raw, String> {
    let number = fields::need(body, "transactionId")?;
    let found = desk.order(&number).and_then(|order| {
        let detail: Detail = order.read();
        let same = detail.transaction.is_some_and(|one| one.to_string() == number);
        same.then(|| view(order, &detail))
    });
    found.ok_or_else(|| "transaction not found".to_owned())
}

/// Answers `balance`; amounts are texts.
pub(super) fn balance(desk: &Desk<'_>) -> Value {
    let opening = rupiah(desk.setting("balance")).unwrap_or(0) * 100;
    let paid = desk.orders("charge").filter(|order| order.status == Status::Paid);
    let all = paid.fold(opening, |sum, order| sum + order.amount * 100 - order.read::<Detail>().fee);
    json!({"Va": desk.setting("va"), "MerchantBalance": decimal(all).get(), "MemberBalance": "0"})
}

/// Answers `history`, the newest first unless told otherwise. A page that nobody chose on has
/// no transaction yet and is not in it.
pub(super) fn history(body: &Raw, desk: &Desk<'_>) -> Result<Raw, String> {
    let number = |name: &str, default: i64| match raw::text(body, name) {
        None => Ok(default),
        Some(text) => text.parse::<i64>().map_err(|_| format!("{name} must be a number")),
    };
    let (page, limit) = (number("page", 1)?.max(1), number("limit", 20)?);
    let wanted = |name: &str| raw::text(body, name);
    let by_payment = wanted("date").as_deref() == Some("indate");
    let inside = |order: &Order, detail: &Detail| {
        let time = if by_payment { detail.success_date.clone() } else { Some(wib(order.created_at)) };
        let day = time.map(|time| time[..10].to_owned()).unwrap_or_default();
        wanted("startdate").is_none_or(|from| day >= from) && wanted("enddate").is_none_or(|to| day <= to)
    };
    let mut rows = Vec::new();
    for order in desk.orders("charge") {
        let detail: Detail = order.read();
        let right = wanted("status").is_none_or(|status| status == detail.code.to_string());
        if detail.begun() && right && inside(order, &detail) {
            rows.push(view(order, &detail));
        }
    }
    if wanted("order").is_some_and(|order| order.eq_ignore_ascii_case("asc")) {
        rows.reverse();
    }
    let total = rows.len();
    // "Limit per page (max 20)"; -1 is what iPaymu's own client sends for all.
    let per_page =
        if limit < 0 { total.max(1) } else { usize::try_from(limit.clamp(1, 20)).expect("at most 20") };
    let skipped = per_page.saturating_mul(usize::try_from(page - 1).unwrap_or(usize::MAX));
    let shown: Vec<Raw> = rows.into_iter().skip(skipped).take(per_page).collect();
    let mut data = as_raw(&json!({
        "Total": total,
        "Per_Page": per_page,
        "Current_Page": page,
        "Total_Page": total.div_ceil(per_page),
    }));
    data.insert("Results".to_owned(), exact(shown));
    Ok(data)
}
