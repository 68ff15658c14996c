//! The callback about a transaction (§7): a form, signed.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::channels::{self, Kind};
use super::project::Project;
use super::transaction::Detail;
use crate::provider::{Callback, Desk, Status};
use crate::tools::wib_as;

/// The callback about a transaction that is decided. Duitku sends none about an account link.
pub(super) fn callback(order_id: &str, desk: &Desk<'_>) -> Option<Callback> {
    let order = desk.order(order_id).filter(|order| order.operation == "charge")?;
    // Not the codes of the status query: 01 is failed here, and pending there.
    let code = match order.status {
        Status::Paid => "00",
        Status::Failed | Status::Expired => "01",
        _ => return None,
    };
    let detail: Detail = order.read();
    let project = Project::find(&detail.merchant, desk)?;
    let amount = order.amount.to_string();
    // The amount stands before the order. §7 prints them the other way round, copied from §5,
    // with which every payment request would carry the signature of its own callback; the
    // public documentation and all clients have it so.
    let signature = project.signature(&format!("{}{amount}{}", detail.merchant, detail.number));
    let printed = desk.setting("callback") == "printed";
    let mut fields = vec![
        ("merchantCode", detail.merchant.clone()),
        ("amount", amount),
        ("merchantOrderId", detail.number.clone()),
        (if printed { "productDetails" } else { "productDetail" }, detail.product.clone()),
        ("additionalParam", detail.additional.clone()),
        ("paymentCode", detail.channel.clone()),
        ("resultCode", code.to_owned()),
        ("signature", signature),
        ("reference", order.provider_reference.clone()),
    ];
    if !printed {
        fields.extend(public(&detail, desk));
    }
    let url = match desk.setting("callback_url") {
        "" => detail.callback_url,
        replaced => replaced.to_owned(),
    };
    Some(Callback {
        order_id: order_id.to_owned(),
        urls: vec![url],
        method: "POST",
        headers: vec![("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned())],
        query: String::new(),
        body: form(&fields),
    })
}

/// The fields that the public documentation adds.
fn public(detail: &Detail, desk: &Desk<'_>) -> Vec<(&'static str, String)> {
    let shopee = matches!(detail.channel.as_str(), "SP" | "SA" | "SL");
    let qris = channels::find(&detail.channel).is_some_and(|one| one.kind == Kind::Qris);
    vec![
        ("merchantUserId", detail.user.clone()),
        ("publisherOrderId", detail.publisher.clone()),
        ("spUserHash", if shopee { "xxxyyyzzz" } else { "" }.to_owned()),
        ("settlementDate", wib_as(desk.now, "%Y-%m-%d")),
        ("issuerCode", if qris { "93600523" } else { "" }.to_owned()),
    ]
}

fn form(fields: &[(&str, String)]) -> String {
    let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string().replace("%20", "+");
    let pairs: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
    pairs.join("&")
}
