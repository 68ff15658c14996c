//! The third part: GoPay and others over Midtrans, and the finance report.

use jiff::SignedDuration;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha512};

use super::payments::{self, Detail, Wanted, failed};
use super::{Refusal, amount, money, need, refuse, with};
use crate::provider::{Desk, Instruction, Order, Status};
use crate::qris::qris;
use crate::raw::{self, Raw};
use crate::tools::{digits, hex, read_wib, uuid, wib};

/// A channel: bank code, label, product of the list, products that are taken, minutes.
struct Channel {
    bank: &'static str,
    label: &'static str,
    product: &'static str,
    /// Beside the list's own. The sample sends `e_wallets` where the list says `e_money`, the
    /// table has `e_wallet`.
    also: &'static [&'static str],
    minutes: i64,
}

#[rustfmt::skip] // a table reads better as one
const ALL: [Channel; 4] = [
    Channel { bank: "gopay", label: "E-Money", product: "e_money", also: &["e_wallets", "e_wallet"], minutes: 15 },
    Channel { bank: "permata", label: "Transfer Bank", product: "transfer_bank", also: &[], minutes: 24 * 60 },
    Channel { bank: "alfamart", label: "Convenience Store", product: "cstore", also: &[], minutes: 24 * 60 },
    Channel { bank: "indomaret", label: "Convenience Store", product: "cstore", also: &[], minutes: 24 * 60 },
];

/// Answers `list_bank_midtrans`. Most fields are null, as printed.
pub(super) fn channels(body: &Raw) -> Result<Value, Refusal> {
    amount(body, "nominal", 1)?;
    amount(body, "pay_ship", 0)?;
    let row = |(index, one): (usize, &Channel)| {
        let name = one.bank.to_uppercase();
        json!({
            "bankCode": one.bank,
            "bankDesc": name,
            "bankDisplayNm": name,
            "bank_pemilik": null,
            "bankacc": null,
            "cabang": null,
            "cara_bayar": null,
            "charge_admin": if one.bank == "gopay" { "2500" } else { "0" },
            "charge_connectivity": "0",
            "id": index + 1,
            "img_url": null,
            "install_12": null,
            "install_6": null,
            "is_installment": null,
            "kategori": null,
            "productCode": one.product,
            "productName": one.label,
            "status": "1",
        })
    };
    Ok(json!({"data": ALL.iter().enumerate().map(row).collect::<Vec<_>>()}))
}

/// What Midtrans said to K-Link, in the documented words.
fn midtrans_message(code: &str) -> Option<&'static str> {
    Some(match code {
        "401" => "Access denied due to unauthorized transaction, please check client or server key",
        "406" => "order_id has been paid and utilized, please use another order ID",
        "503" => "Bank/partner is experiencing connection issue.",
        "05" => "Do not honor",
        "900" => "GENERIC_SERVICE_ERROR",
        _ => return None,
    })
}

/// Answers `pay_service_midtrans`. A refusal of Midtrans comes inside a success of K-Link.
pub(super) fn charge(body: &Raw, desk: &mut Desk<'_>) -> Result<Value, Refusal> {
    let wanted = payments::read(body).map_err(|refusal| Refusal { word: "failed", ..refusal })?;
    let known = |one: &&Channel| {
        one.bank == wanted.bank_code
            && (one.product == wanted.product_code || one.also.contains(&wanted.product_code.as_str()))
    };
    let Some(channel) = ALL.iter().find(known) else {
        return failed("bank_code tidak sesuai dengan list bank!");
    };
    if !wanted.is_new(desk) {
        return failed(format!("rq_uuid {} sudah digunakan!", wanted.rq_uuid));
    }
    let used = desk.order(&wanted.order_id).is_some();
    let code = if used { "406".to_owned() } else { desk.setting("midtrans_code").to_owned() };
    let answer = |data: Value| {
        Ok(json!({
            "status": "success",
            "message": "Payment Request has been success!",
            "data_input": wanted.echo(),
            "data": with(wanted.echo(), data),
        }))
    };
    if let Some(message) = midtrans_message(&code) {
        return answer(json!({"status_code": code, "status_message": message, "id": uuid()}));
    }
    answer(begin(&wanted, channel, desk))
}

fn begin(wanted: &Wanted, channel: &Channel, desk: &mut Desk<'_>) -> Value {
    let total = wanted.nominal + wanted.pay_ship;
    let mut order = Order::new(desk, &wanted.order_id, "charge", total);
    let id = uuid();
    order.provider_reference.clone_from(&id);
    order.method = Some(channel.bank.to_owned());
    order.become_(Status::Pending, "pending");
    order.expires_at = desk.now.checked_add(SignedDuration::from_mins(channel.minutes)).ok();
    let (payment_type, message, fields) = give(channel, &mut order, desk);
    order.write(&Detail {
        rq_uuid: wanted.rq_uuid.clone(),
        transaction: channel.bank.to_owned(),
        bank: Some(channel.bank.to_owned()),
        begun: wib(desk.now),
        ..Detail::default()
    });
    desk.open(order);
    desk.alias(&id, &wanted.order_id);
    let common = json!({
        "transaction_id": id,
        "gross_amount": money(total),
        "status_code": "201",
        "transaction_status": "pending",
        "fraud_status": "accept",
        "transaction_time": wib(desk.now),
        "payment_type": payment_type,
        "currency": "IDR",
        "status_message": message,
        "merchant_id": "G000000002",
    });
    with(common, fields)
}

/// What the payer needs, as Midtrans says it: payment type, message, fields.
fn give(channel: &Channel, order: &mut Order, desk: &Desk<'_>) -> (&'static str, &'static str, Value) {
    let (base, id) = (desk.base_url(), order.provider_reference.clone());
    match channel.bank {
        "gopay" => {
            let pay = format!("{base}/pay/{id}");
            order.instructions.push(Instruction::qr(qris(&id, order.amount)));
            order.instructions.push(Instruction::link("GoPay app", pay.clone()));
            let action =
                |name: &str, method: &str, url: String| json!({"url": url, "name": name, "method": method});
            let actions = json!([
                action("generate-qr-code", "GET", format!("{base}/v2/gopay/{id}/qr-code")),
                action("deeplink-redirect", "GET", pay),
                action("get-status", "GET", format!("{base}/v2/{id}/status")),
                action("cancel", "POST", format!("{base}/v2/{id}/cancel")),
            ]);
            ("gopay", "GoPay transaction is created", json!({"actions": actions}))
        }
        "permata" => {
            let number = format!("85620{}", digits(11));
            order.instructions.push(Instruction::text("Permata VA", number.clone()));
            let message = "Success, PERMATA VA transaction is successful";
            ("bank_transfer", message, json!({"permata_va_number": number}))
        }
        store => {
            let code = digits(14);
            order.instructions.push(Instruction::text(format!("{store} payment code"), code.clone()));
            let message = "Success, cstore transaction is successful";
            ("cstore", message, json!({"payment_code": code, "store": store}))
        }
    }
}

/// Answers the finance report: what was asked for, never whether it was paid.
pub(super) fn report(body: &Raw, desk: &Desk<'_>) -> Result<Value, Refusal> {
    let limit = |name: &str| match raw::text(body, name) {
        None => Ok(None),
        Some(text) => match read_wib(&text) {
            Some(time) => Ok(Some(time)),
            None => refuse(format!("{name} tidak valid!")),
        },
    };
    let (from, to) = (limit("datetime_start")?, limit("datetime_end")?);
    let (bank, status) = (need(body, "bank_code")?, need(body, "transaction_status")?);
    let mut rows = Vec::new();
    for order in desk.orders("charge") {
        let detail: Detail = order.read();
        // Both ends are whole seconds and belong to the span.
        let second = order.created_at.as_second();
        let inside = from.is_none_or(|from| second >= from.as_second())
            && to.is_none_or(|to| second <= to.as_second());
        let state = if order.provider_status == "success" { "settlement" } else { &order.provider_status };
        if detail.bank.as_ref() != Some(&bank) || !inside || (status != "all" && status != state) {
            continue;
        }
        let code = if order.status == Status::Paid { "200" } else { "201" };
        // Midtrans' key is K-Link's secret: no merchant can check this one.
        let signed = format!("{}{code}{}KLINK-MIDTRANS-KEY-EXAMPLE", order.order_id, money(order.amount));
        let va = order.instructions.iter().find(|one| one.label == "Permata VA");
        rows.push(json!({
            "fraud_status": "accept",
            "notification_time": detail.begun,
            "va_numbers": va.map(|one| one.value.as_str()).unwrap_or_default(),
            "bank_code": bank,
            "order_id": order.order_id,
            "status_code": code,
            "gross_amount": order.amount,
            "id": order.provider_reference,
            "signature_key": hex(&Sha512::digest(signed)),
            "inquiry_time": detail.begun,
        }));
    }
    Ok(Value::Array(rows))
}
