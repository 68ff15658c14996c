//! Notify: a form or JSON with `X-Signature`, or the five printed fields without.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::hmac;
use super::transaction::{Detail, decimal};
use crate::provider::{Callback, Desk, Order, Status};
use crate::tools::{digits, wib, wib_as};

/// Signed fields by name. Sorted bytewise, as the signature wants them.
type Fields = BTreeMap<&'static str, Value>;

/// Keyed by the VA number, over compact JSON of the sorted fields in which `/` is `\/`, as PHP
/// writes it. Letters beyond ASCII stay as they are: iPaymu's own plugin switches their
/// escaping off.
fn signature(va: &str, fields: &Fields) -> String {
    let text = serde_json::to_string(fields).expect("plain data");
    hmac(va, &text.replace('/', "\\/"))
}

/// The notify about a payment that is no longer pending. Of a refund iPaymu sends none.
pub(super) fn callback(order_id: &str, desk: &Desk<'_>) -> Option<Callback> {
    let order = desk.order(order_id)?;
    let detail: Detail = order.read();
    let code = match order.status {
        Status::Paid => 1,
        Status::Failed => 2,
        Status::Expired => -2,
        _ => return None,
    };
    let number = detail.transaction?;
    let form = desk.setting("notify") != "json";
    let (fields, mut headers) = if desk.setting("notify") == "printed" {
        (printed(order, &detail, number, code), Vec::new())
    } else {
        let mut fields = public(order, &detail, number, code, desk);
        if form {
            // A form has no null: it sends the word, and the word is what is signed.
            fields.values_mut().filter(|value| value.is_null()).for_each(|value| *value = json!("null"));
        }
        let headers = vec![
            ("accept".to_owned(), "application/json".to_owned()),
            ("x-external-id".to_owned(), format!("{}{}", wib_as(desk.now, "%Y%m%d%H%M%S"), digits(6))),
            ("x-signature".to_owned(), signature(desk.setting("va"), &fields)),
            ("x-timestamp".to_owned(), wib_as(desk.now, "%Y-%m-%dT%H:%M:%S+07:00")),
        ];
        (fields, headers)
    };
    let (content_type, body) = if form {
        ("application/x-www-form-urlencoded", as_form(&fields))
    } else {
        ("application/json", serde_json::to_string(&fields).expect("plain data"))
    };
    headers.insert(0, ("content-type".to_owned(), content_type.to_owned()));
    let url = match desk.setting("callback_url") {
        "" => detail.notify_url,
        replaced => replaced.to_owned(),
    };
    Some(Callback {
        order_id: order_id.to_owned(),
        urls: vec![url],
        method: "POST",
        headers,
        query: String::new(),
        body,
    })
}

/// The five fields of the document: no amount, no signature.
fn printed(order: &Order, detail: &Detail, number: i64, code: i64) -> Fields {
    Fields::from([
        ("trx_id", json!(number)),
        ("reference_id", json!(detail.reference.clone().unwrap_or_default())),
        ("status", json!(order.provider_status)),
        ("status_code", json!(code)),
        ("sid", json!(detail.session)),
    ])
}

/// The public fields, in the types in which they are signed.
fn public(order: &Order, detail: &Detail, number: i64, code: i64, desk: &Desk<'_>) -> Fields {
    let [name, email, phone] = &detail.buyer;
    let fee = decimal(detail.fee).get().to_owned();
    let reference = detail.reference.clone().unwrap_or_default();
    let mut fields = printed(order, detail, number, code);
    fields.extend([
        ("buyer_name", json!(name)),
        ("buyer_email", json!(email)),
        ("buyer_phone", json!(phone)),
        ("created_at", json!(wib(order.created_at))),
        ("expired_at", json!(order.expires_at.map(wib))),
        ("paid_at", json!(detail.success_date)),
        ("fee", json!(fee)),
        ("status_desc", json!(order.provider_status)),
        ("via", json!(detail.method)),
        ("channel", json!(detail.channel)),
        ("payment_no", json!(detail.payment_no)),
        ("paid_off", json!(order.amount - detail.fee / 100)),
        ("product", json!(detail.products.join(", "))),
        ("quantity", json!(detail.quantities.join(", "))),
        ("merchant", json!(desk.setting("va"))),
        ("merchant_name", json!("TOKO CONTOH")),
        ("system_notes", json!("Sandbox notify")),
        ("trscode", json!(format!("TRX{number}"))),
        ("unique_code", json!("0")),
        ("url", json!(detail.notify_url)),
        ("additional_info", json!([])),
        ("transaction_status_code", json!(detail.code)),
        ("settlement_status", json!(if detail.code == 1 { "settled" } else { "unsettle" })),
        ("settlement_date", Value::Null),
        ("is_escrow", json!(detail.escrow)),
        ("is_refund", json!("0")),
        ("is_sandbox", json!("true")),
        ("total", json!(order.amount.to_string())),
        ("amount", json!(order.amount.to_string())),
        ("sub_total", json!(detail.asked.to_string())),
        ("referenceId", json!(reference)),
    ]);
    if detail.method == "va" {
        fields.insert("va", json!(detail.payment_no));
    }
    fields
}

fn as_form(fields: &Fields) -> String {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Bool(yes) => if *yes { "1" } else { "0" }.to_owned(),
        other => other.to_string(),
    };
    let encode = |text: &str| {
        percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
    };
    let pairs: Vec<_> =
        fields.iter().map(|(name, value)| format!("{}={}", encode(name), encode(&text(value)))).collect();
    pairs.join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_the_one_computed_elsewhere() {
        // printf %s '{"additional_info":[],"is_escrow":false,"payment_no":"","status_code":1,"trx_id":500001,"url":"http:\/\/127.0.0.1\/hook"}' | openssl dgst -sha256 -hmac 0000005500000001
        let fields = Fields::from([
            ("url", json!("http://127.0.0.1/hook")),
            ("trx_id", json!(500_001)),
            ("payment_no", json!("")),
            ("status_code", json!(1)),
            ("is_escrow", json!(false)),
            ("additional_info", json!([])),
        ]);
        assert_eq!(
            signature("0000005500000001", &fields),
            "b648815b68c305fd1b6d705d5fba7c092a2421fe8112dc2db5b9dda57fe18df1"
        );
    }
}
