//! Notifications of Midtrans.

use serde_json::json;

use crate::common::{Merchant, charge, control, midtrans, midtrans_with, start};

const GOPAY: &str = r#""payment_type":"gopay""#;

/// `printf %s INV-1001 200 10000.00 SB-Mid-server-EXAMPLE0000000000000000 | sha512sum`
const VECTOR: &str = "f89e2f41d38685c43ae3dee33d390b6574c917459f8e348f7123038577b75b3bbe2dc8e35c7a027de7138b6736f4598f4978393154115bac02e96f92fca635c8";

#[test]
fn a_payment_is_notified_and_signed() {
    let merchant = Merchant::answering(&[200]);
    let sandbox = start(&[("midtrans.callback_url", &merchant.url)]);
    charge(
        &sandbox,
        "INV-1001",
        r#""payment_type":"bank_transfer","bank_transfer":{"bank":"bca"},"custom_field1":"mine""#,
    );
    let would = control(&sandbox, "GET", "/midtrans/INV-1001/callback", "").json();
    assert!(would["body"].as_str().is_some_and(|body| body.contains("pending")), "{would}");

    let done = control(&sandbox, "POST", "/midtrans/INV-1001/paid", "").json();
    assert_eq!(done["order"]["status"], "paid");
    assert_eq!(done["deliveries"][0]["attempts"], json!([{"status": 200, "answer": "ok"}]));
    let received = merchant.next();
    assert!(
        received.head.starts_with("post /hook http/1.1") && received.head.contains("application/json"),
        "{received:?}"
    );
    let body = received.json();
    for (name, value) in [
        ("order_id", "INV-1001"),
        ("status_code", "200"),
        ("gross_amount", "10000.00"),
        ("transaction_status", "settlement"),
        ("fraud_status", "accept"),
        ("status_message", "midtrans payment notification"),
        ("custom_field1", "mine"),
        ("signature_key", VECTOR),
    ] {
        assert_eq!(body[name], value, "{name} in {body}");
    }
    assert_eq!(body["va_numbers"][0]["bank"], "bca");
    let would = control(&sandbox, "GET", "/midtrans/INV-1001/callback", "").json();
    assert_eq!(would["body"], received.body, "what would be sent is what was sent");
}

#[test]
fn every_change_is_notified() {
    let merchant = Merchant::answering(&[200]);
    let sandbox = start(&[("midtrans.callback_url", &merchant.url)]);
    let expect = |status: &str, code: &str| {
        let body = merchant.next().json();
        assert_eq!((&body["transaction_status"], &body["status_code"]), (&json!(status), &json!(code)));
    };
    for id in ["failed", "expired", "paid", "api-cancel", "api-expire"] {
        charge(&sandbox, id, GOPAY);
    }
    control(&sandbox, "POST", "/midtrans/failed/failed", "");
    expect("deny", "202");
    control(&sandbox, "POST", "/midtrans/expired/expired", "");
    expect("expire", "202");
    midtrans(&sandbox, "POST", "/v2/api-cancel/cancel", "");
    expect("cancel", "200");
    midtrans(&sandbox, "POST", "/v2/api-expire/expire", "");
    expect("expire", "202");
    control(&sandbox, "POST", "/midtrans/paid/paid", "");
    expect("settlement", "200");
    midtrans(&sandbox, "POST", "/v2/paid/refund", r#"{"amount":4000}"#);
    expect("partial_refund", "200");
    control(&sandbox, "POST", "/midtrans/paid/refunded", "");
    expect("refund", "200");
    charge(&sandbox, "back", GOPAY);
    control(&sandbox, "POST", "/midtrans/back/paid", "");
    expect("settlement", "200");
    control(&sandbox, "POST", "/midtrans/back/chargeback", "");
    expect("chargeback", "200");
}

#[test]
fn an_order_expires_by_itself() {
    let merchant = Merchant::answering(&[200]);
    let sandbox = start(&[("midtrans.callback_url", &merchant.url)]);
    charge(
        &sandbox,
        "X-1",
        r#""payment_type":"gopay","custom_expiry":{"expiry_duration":1,"unit":"second"}"#,
    );
    assert_eq!(merchant.next().json()["transaction_status"], "expire");
    assert_eq!(midtrans(&sandbox, "GET", "/v2/X-1/status", "").json()["status_code"], "407");
}

#[test]
fn pending_is_notified_where_asked_for() {
    let merchant = Merchant::answering(&[200]);
    let sandbox = start(&[("midtrans.callback_url", &merchant.url), ("midtrans.notify_pending", "true")]);
    charge(&sandbox, "N-1", GOPAY);
    let body = merchant.next().json();
    assert_eq!((&body["transaction_status"], &body["status_code"]), (&json!("pending"), &json!("201")));
}

#[test]
fn answers_decide_how_often_it_is_sent() {
    // The answers, and how many attempts follow.
    let table: [(&[u16], usize); 6] =
        [(&[204], 1), (&[500], 2), (&[503], 5), (&[502], 6), (&[404], 3), (&[503, 503, 200], 3)];
    for (answers, expected) in table {
        let merchant = Merchant::answering(answers);
        let sandbox = start(&[("midtrans.callback_url", &merchant.url)]);
        charge(&sandbox, "R-1", GOPAY);
        let done = control(&sandbox, "POST", "/midtrans/R-1/paid", "").json();
        let attempts = done["deliveries"][0]["attempts"].as_array().map(Vec::len);
        assert_eq!(attempts, Some(expected), "{answers:?}: {done}");
        assert_eq!(merchant.so_far().len(), expected);
        let logged = control(&sandbox, "GET", "/requests?direction=out&order_id=R-1", "").json();
        assert_eq!(logged.as_array().map(Vec::len), Some(expected), "each attempt is in the log");
        assert_eq!(logged[expected - 1]["attempt"], expected);
    }
}

#[test]
fn headers_of_an_order_add_and_replace_addresses() {
    let (configured, added, other) =
        (Merchant::answering(&[200]), Merchant::answering(&[200]), Merchant::answering(&[200]));
    let sandbox = start(&[("midtrans.callback_url", &configured.url)]);
    let make = |id: &str, name: &str, value: &str| {
        let body = format!(
            r#"{{"payment_type":"gopay","transaction_details":{{"order_id":"{id}","gross_amount":1}}}}"#
        );
        midtrans_with(&sandbox, "POST", "/v2/charge", &[(name, value)], &body);
        control(&sandbox, "POST", &format!("/midtrans/{id}/paid"), "");
    };
    make("append", "x-append-notification", &format!("{}, {}", added.url, other.url));
    assert_eq!((configured.so_far().len(), added.so_far().len(), other.so_far().len()), (1, 1, 1));
    make("override", "x-override-notification", &other.url);
    assert_eq!((configured.so_far().len(), added.so_far().len(), other.so_far().len()), (0, 0, 1));
}

#[test]
fn nothing_leaves_this_machine() {
    let sandbox = start(&[("midtrans.callback_url", "http://192.0.2.1/hook")]);
    charge(&sandbox, "L-1", GOPAY);
    let done = control(&sandbox, "POST", "/midtrans/L-1/paid", "").json();
    let attempts = done["deliveries"][0]["attempts"].as_array().expect("attempts");
    assert_eq!(attempts.len(), 1, "no use in trying again: {done}");
    assert!(
        attempts[0]["error"].as_str().is_some_and(|error| error.contains("not an address of this machine")),
        "{done}"
    );
}

#[test]
fn a_callback_can_be_sent_twice() {
    let merchant = Merchant::answering(&[200]);
    let sandbox = start(&[("midtrans.callback_url", &merchant.url)]);
    charge(&sandbox, "T-1", GOPAY);
    control(&sandbox, "POST", "/faults", r#"{"fault":"duplicate","on":"callback"}"#);
    control(&sandbox, "POST", "/midtrans/T-1/paid", "");
    let bodies: Vec<_> = merchant.so_far().into_iter().map(|one| one.body).collect();
    assert_eq!(bodies.len(), 2);
    assert_eq!(bodies[0], bodies[1]);
}

#[test]
fn a_callback_can_be_lost() {
    let merchant = Merchant::answering(&[200]);
    let sandbox = start(&[("midtrans.callback_url", &merchant.url)]);
    charge(&sandbox, "T-1", GOPAY);
    control(&sandbox, "POST", "/faults", r#"{"fault":"reset","on":"callback"}"#);
    let done = control(&sandbox, "POST", "/midtrans/T-1/paid", "").json();
    assert_eq!(done["order"]["status"], "paid", "the payer has paid all the same");
    let attempts = done["deliveries"][0]["attempts"].as_array().expect("attempts");
    assert_eq!((attempts.len(), &attempts[0]["status"]), (1, &json!(null)), "nor does it come later: {done}");
    assert!(attempts[0]["error"].as_str().is_some_and(|error| error.contains("reset before")), "{done}");
    assert_eq!(merchant.so_far().len(), 0);
    let log = control(&sandbox, "GET", "/requests?direction=out", "").json();
    assert_eq!((&log[0]["fault"], &log[0]["handled"]), (&json!("reset before"), &json!(0)), "{log}");

    // The next one comes: only what was asked for is lost.
    control(&sandbox, "POST", "/midtrans/T-1/refunded", "");
    assert_eq!(merchant.next().json()["transaction_status"], "refund");
}

#[test]
fn the_answer_to_a_callback_can_be_lost() {
    let merchant = Merchant::answering(&[200]);
    let sandbox = start(&[("midtrans.callback_url", &merchant.url)]);
    charge(&sandbox, "T-1", GOPAY);
    control(&sandbox, "POST", "/faults", r#"{"fault":"reset","on":"callback","when":"after"}"#);
    let done = control(&sandbox, "POST", "/midtrans/T-1/paid", "").json();
    let statuses: Vec<_> = done["deliveries"][0]["attempts"]
        .as_array()
        .expect("attempts")
        .iter()
        .map(|a| a["status"].clone())
        .collect();
    assert_eq!(statuses, [json!(null), json!(200)], "the provider sends it again: {done}");
    let bodies: Vec<_> = merchant.so_far().into_iter().map(|one| one.body).collect();
    assert_eq!(bodies.len(), 2, "the merchant has it twice");
    assert_eq!(bodies[0], bodies[1]);
}
