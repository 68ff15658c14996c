//! Callbacks: `x-servicepayment` over the raw body.

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::json;
use sha2::Sha256;

use super::payments::Detail;
use super::with;
use crate::provider::{Callback, Desk, Status};
use crate::tools::{hex, wib};

/// Upper-case hex of HMAC-SHA256.
fn signature(key: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("a key of any length will do");
    mac.update(body.as_bytes());
    hex(&mac.finalize().into_bytes()).to_uppercase()
}

/// The callback about a settled or failed payment.
pub(super) fn callback(order_id: &str, desk: &Desk<'_>) -> Option<Callback> {
    let order = desk.order(order_id).filter(|order| order.operation == "charge")?;
    let (status, message) = match order.status {
        Status::Paid => ("success", "transaction success!"),
        Status::Failed => ("fail", "transaction failed!"),
        _ => return None,
    };
    let detail: Detail = order.read();
    let over_midtrans = detail.bank.is_some();
    let fields = if over_midtrans {
        json!({
            "id_trans": order.provider_reference,
            "rq_datetime": wib(desk.now),
            "order_id": order_id,
            "transaction": detail.transaction,
        })
    } else {
        let manual = detail.transaction == "mandiri_manual";
        let amount = if manual { order.amount.to_string() } else { "-".to_owned() };
        json!({
            "rq_uuid": detail.rq_uuid,
            "rq_datetime": wib(desk.now),
            "order_id": order_id,
            "kd_pay": detail.kd_pay,
            "tot_bayar": amount,
            "norek": detail.account.as_deref().filter(|_| manual).unwrap_or("-"),
            "transaction": detail.transaction,
        })
    };
    let head = json!({"status": status, "message": message});
    let nested = desk.setting("callback_fields") == "data";
    let body = if nested { with(head, json!({"data": fields})) } else { with(head, fields) }.to_string();
    let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    if !over_midtrans || desk.setting("callback_unsigned") != "true" {
        headers.push(("x-servicepayment".to_owned(), signature(desk.setting("pid_key"), &body)));
    }
    let url = desk.setting("callback_url");
    Some(Callback {
        order_id: order_id.to_owned(),
        urls: if url.is_empty() { Vec::new() } else { vec![url.to_owned()] },
        method: "POST",
        headers,
        query: String::new(),
        body,
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_signature_is_the_printed_one() {
        // Key and message as the document prints them; its line breaks read as one blank.
        let key = "033389b9-cc42-4005-ae9e-8e8ff23738d7";
        let message = r#"{"rq_uuid": "klnu00242", "rq_datetime": "2020-11-06 09:13:19", "order_id": "klnu00242", "status":"success", "message":"transaction success!"}"#;
        let expected = "84CBE7E264FE83FFEC1023892E1F61C84E302F07A927121E21F1086A2702CAF5";
        assert_eq!(super::signature(key, message), expected);
    }
}
