//! The provider that newcomers copy, signed here by other code than its own.

use bayar_sandbox::Sandbox;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::common::{Answer, Merchant, call, control, order, start};

const KEY: &str = "template-secret-EXAMPLE-0000";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn hmac(message: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(KEY.as_bytes()).expect("a key");
    mac.update(message.as_bytes());
    hex(&mac.finalize().into_bytes())
}

fn now_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

/// A signed request; `time` and the signature can be spoilt.
fn send_at(sandbox: &Sandbox, method: &str, path: &str, body: &str, time: i64, spoil: &str) -> Answer {
    let digest = hex(&Sha256::digest(body));
    let signature = hmac(&format!("{method}\n{path}\n{time}\n{digest}{spoil}"));
    let time = time.to_string();
    let headers = [
        ("X-Template-Merchant", "TPL-EXAMPLE"),
        ("X-Template-Timestamp", time.as_str()),
        ("X-Template-Signature", signature.as_str()),
    ];
    call(&format!("{}/template{path}", sandbox.base_url()), method, &headers, body)
}

fn send(sandbox: &Sandbox, method: &str, path: &str, body: &Value) -> Answer {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    send_at(sandbox, method, path, &body, now_ms(), "")
}

fn pay(sandbox: &Sandbox, id: &str, method: &str) -> Value {
    let body = json!({"merchant_order_id": id, "amount": 150_000, "method": method});
    let answer = send(sandbox, "POST", "/v1/payments", &body);
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()
}

#[test]
fn a_payment_is_made_once_and_read() {
    let sandbox = start(&[]);
    let made = pay(&sandbox, "T-1", "va");
    assert_eq!(
        (&made["amount"], &made["fee"], &made["status"]),
        (&json!(150_000), &json!("2500.00"), &json!("PENDING"))
    );
    assert!(
        made["id"].as_str().is_some_and(|id| id.starts_with("pay_")) && made["va"]["number"].is_string(),
        "{made}"
    );
    let read = send(&sandbox, "GET", "/v1/payments/T-1", &Value::Null).json();
    assert_eq!((&read["amount"], &read["id"], &read["va"]), (&json!("150000.00"), &made["id"], &made["va"]));
    assert!(pay(&sandbox, "T-2", "qr")["qr"].is_string());
    let plain =
        send(&sandbox, "POST", "/v1/payments", &json!({"merchant_order_id": "T-3", "amount": 1})).json();
    assert!(plain["pay_url"].is_string(), "{plain}");

    let again = send(&sandbox, "POST", "/v1/payments", &json!({"merchant_order_id": "T-1", "amount": 1}));
    assert_eq!((again.status, &again.json()["error"]["code"]), (409, &json!("DUPLICATE_ORDER")));
    let order = order(&sandbox, "template", "T-1");
    assert_eq!((&order["arrived"]["charge"], &order["executed"]["charge"]), (&json!(2), &json!(1)));
    let unknown = send(&sandbox, "GET", "/v1/payments/nobody", &Value::Null);
    assert_eq!((unknown.status, &unknown.json()["error"]["code"]), (404, &json!("NOT_FOUND")));
}

#[test]
fn fields_are_checked() {
    let sandbox = start(&[]);
    let table = [
        (json!([]), "body"),
        (json!({"amount": 1}), "merchant_order_id"),
        (json!({"merchant_order_id": "a b", "amount": 1}), "merchant_order_id"),
        (json!({"merchant_order_id": "x".repeat(41), "amount": 1}), "merchant_order_id"),
        (json!({"merchant_order_id": "a", "amount": "1"}), "amount"),
        (json!({"merchant_order_id": "a", "amount": 1.5}), "amount"),
        (json!({"merchant_order_id": "a", "amount": 0}), "amount"),
        (json!({"merchant_order_id": "a", "amount": 1, "method": "card"}), "method"),
        (json!({"merchant_order_id": "a", "amount": 1, "expires_in": 0}), "expires_in"),
    ];
    for (body, field) in table {
        let answer = send(&sandbox, "POST", "/v1/payments", &body);
        let error = answer.json()["error"].clone();
        assert_eq!(
            (answer.status, &error["code"], &error["field"]),
            (400, &json!("INVALID_FIELD"), &json!(field)),
            "{body}"
        );
    }
}

#[test]
fn signatures_are_checked() {
    let sandbox = start(&[]);
    let body = r#"{"merchant_order_id":"S","amount":1}"#;
    let five = 6 * 60 * 1000;
    let spoilt = [
        send_at(&sandbox, "POST", "/v1/payments", body, now_ms(), "x"),
        send_at(&sandbox, "POST", "/v1/payments", body, now_ms() - five, ""),
        send_at(&sandbox, "POST", "/v1/payments", body, now_ms() + five, ""),
        call(&format!("{}/template/v1/payments", sandbox.base_url()), "POST", &[], body),
    ];
    for answer in spoilt {
        assert_eq!((answer.status, &answer.json()["error"]["code"]), (401, &json!("UNAUTHORIZED")));
    }
    assert_eq!(send_at(&sandbox, "POST", "/v1/payments", body, now_ms(), "").status, 201);
}

#[test]
fn cancel_and_refund_follow_the_state() {
    let merchant = Merchant::answering(&[200]);
    let sandbox = start(&[("template.callback_url", &merchant.url)]);
    pay(&sandbox, "C", "va");
    let cancel = |id: &str| send(&sandbox, "POST", &format!("/v1/payments/{id}/cancel"), &json!({}));
    assert_eq!(cancel("C").json()["status"], "CANCELLED");
    assert_eq!(merchant.next().json()["status"], "CANCELLED");
    assert_eq!((cancel("C").status, &cancel("C").json()["error"]["code"]), (409, &json!("INVALID_STATE")));

    pay(&sandbox, "R", "va");
    let refund = |key: &str, amount: i64| {
        send(
            &sandbox,
            "POST",
            "/v1/payments/R/refund",
            &json!({"refund_id": key, "amount": amount, "reason": "x"}),
        )
    };
    assert_eq!(refund("a", 50_000).status, 409, "not paid");
    control(&sandbox, "POST", "/template/R/paid", "");
    let first = json!({"refund_id": "a", "amount": 50_000, "status": "PARTIALLY_REFUNDED"});
    assert_eq!(refund("a", 50_000).json(), first);
    assert_eq!(refund("a", 50_000).json(), first, "the same again");
    assert_eq!(refund("b", 100_001).status, 400);
    assert_eq!(refund("b", 100_000).json()["status"], "REFUNDED");
    assert_eq!(order(&sandbox, "template", "R")["executed"]["refund"], 2);
}

#[test]
fn a_callback_is_signed_over_its_body() {
    let merchant = Merchant::answering(&[200]);
    let sandbox = start(&[("template.callback_url", &merchant.url)]);
    pay(&sandbox, "B", "qr");
    control(&sandbox, "POST", "/template/B/paid", "");
    let received = merchant.next();
    let body = received.json();
    assert_eq!(
        (&body["event"], &body["status"], &body["amount"]),
        (&json!("payment.updated"), &json!("PAID"), &json!("150000.00"))
    );
    assert!(
        received.head.contains(&format!("x-template-signature: {}", hmac(&received.body))),
        "{received:?}"
    );
}
