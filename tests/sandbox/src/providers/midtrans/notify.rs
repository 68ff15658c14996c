//! Notifications.

use serde_json::json;
use sha2::{Digest as _, Sha512};

use super::transaction::{self, Detail};
use crate::provider::{Callback, Desk};
use crate::tools::hex;

/// `hex SHA512(order_id + status_code + gross_amount + server_key)`.
pub(super) fn signature(order_id: &str, status_code: &str, gross_amount: &str, server_key: &str) -> String {
    hex(&Sha512::digest(format!("{order_id}{status_code}{gross_amount}{server_key}")))
}

/// The notification about the present state; none before there is a transaction.
pub(super) fn notification(order_id: &str, desk: &Desk<'_>) -> Option<Callback> {
    let order = desk.order(order_id)?;
    let detail: Detail = order.read();
    if !detail.begun() {
        return None;
    }
    let mut document = transaction::common(order, &detail, desk.setting("merchant_id"));
    // An expired transaction is 407 to a status query and 202 in its notification.
    let code = match transaction::code(order, &detail) {
        "407" => "202",
        other => other,
    };
    let gross_amount = transaction::money(order.amount);
    document["status_code"] = json!(code);
    document["status_message"] = json!("midtrans payment notification");
    document["signature_key"] = json!(signature(order_id, code, &gross_amount, desk.setting("server_key")));
    match detail.payment_type.as_str() {
        "bank_transfer" if !detail.fields.contains_key("permata_va_number") => {
            document["payment_amounts"] = json!([])
        }
        "qris" if detail.settlement_time.is_some() => {
            document["transaction_type"] = json!("on-us");
            document["issuer"] = json!("gopay");
        }
        _ => {}
    }
    transaction::add_refunds(&mut document, &detail);
    document.as_object_mut().expect("an object was just made").extend(detail.extra.clone());

    let configured = desk.setting("callback_url");
    let mut urls = detail.replace;
    if urls.is_empty() && !configured.is_empty() {
        urls.push(configured.to_owned());
    }
    urls.extend(detail.append);
    let headers =
        [("content-type", "application/json"), ("accept", "application/json"), ("user-agent", "Veritrans")];
    Some(Callback {
        order_id: order_id.to_owned(),
        urls,
        method: "POST",
        headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
        query: String::new(),
        body: document.to_string(),
    })
}

/// Leaves it in the outbox.
pub(super) fn send(order_id: &str, desk: &mut Desk<'_>) {
    let callback = notification(order_id, desk);
    desk.send(callback);
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_signature_is_the_one_computed_elsewhere() {
        // printf '%s' 'INV-1001' '200' '10000.00' 'SB-Mid-server-EXAMPLE0000000000000000' | sha512sum
        let expected = "f89e2f41d38685c43ae3dee33d390b6574c917459f8e348f7123038577b75b3bbe2dc8e35c7a027de7138b6736f4598f4978393154115bac02e96f92fca635c8";
        let found = super::signature("INV-1001", "200", "10000.00", "SB-Mid-server-EXAMPLE0000000000000000");
        assert_eq!(found, expected);
    }
}
