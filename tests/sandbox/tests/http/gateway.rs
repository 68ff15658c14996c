//! The gateway of the fifth document.

use bayar_sandbox::Sandbox;
use serde_json::json;

use crate::common::{Answer, call, control, start};

const KEYS: [(&str, &str); 2] = [("X-App-Code", "biling"), ("X-Api-Key", "00000000000000000000000000000000")];

fn gateway(sandbox: &Sandbox, method: &str, path: &str, body: &str) -> Answer {
    call(&format!("{}/midtrans/gateway{path}", sandbox.base_url()), method, &KEYS, body)
}

#[test]
fn a_charge_as_the_document_prints_it() {
    let sandbox = start(&[]);
    let body = r#"{"order_id":"INV-2025-001","amount":150000,
        "customer_details":{"first_name":"Budi","email":"budi@example.com","phone":"08123456789"},
        "item_details":[{"id":"VPS-01","price":150000,"quantity":1,"name":"Cloud VPS Basic"}]}"#;
    let made = gateway(&sandbox, "POST", "/charge", body);
    assert_eq!(made.status, 201);
    let token = made.json()["token"].as_str().expect("a token").to_owned();
    assert!(made.json()["redirect_url"].as_str().is_some_and(|url| url.ends_with(&token)));

    assert_eq!(gateway(&sandbox, "GET", "/status/INV-2025-001", "").status, 404, "no method chosen yet");
    control(&sandbox, "POST", "/midtrans/INV-2025-001/paid", "");
    let status = gateway(&sandbox, "GET", "/status/INV-2025-001", "");
    assert_eq!(status.status, 200);
    let status = status.json();
    assert_eq!(status["id"], status["transaction_id"]);
    let rest = ["transaction_status", "fraud_status", "status_code", "status_message"]
        .map(|name| status[name].clone());
    assert_eq!(
        rest,
        [json!("settlement"), json!("accept"), json!("200"), json!("Success, transaction is found")]
    );
}

#[test]
fn refusals_have_their_status_and_code() {
    let sandbox = start(&[]);
    assert_eq!(gateway(&sandbox, "POST", "/charge", r#"{"order_id":"G-1","amount":1}"#).status, 201);
    let table = [
        ("POST", "/charge", "{", 400, "invalid_json"),
        ("POST", "/charge", r#"{"amount":1}"#, 400, "invalid_order_id"),
        ("POST", "/charge", r#"{"order_id":"G-2","amount":"1000"}"#, 400, "invalid_amount"),
        ("POST", "/charge", r#"{"order_id":"G-2","amount":10.5}"#, 400, "invalid_amount"),
        ("POST", "/charge", r#"{"order_id":"G-2","amount":0}"#, 400, "invalid_request"),
        ("POST", "/charge", r#"{"order_id":"G-1","amount":1}"#, 400, "duplicate_order_id"),
        ("GET", "/status/nobody", "", 404, "order_not_found"),
        ("GET", "/else", "", 404, "endpoint_not_found"),
        ("GET", "/charge", "", 404, "endpoint_not_found"),
    ];
    for (method, path, body, status, code) in table {
        let answer = gateway(&sandbox, method, path, body);
        assert_eq!((answer.status, &answer.json()["code"]), (status, &json!(code)), "{method} {path} {body}");
    }
}

#[test]
fn keys_are_checked() {
    let sandbox = start(&[("midtrans.api_key", "secret")]);
    let url = format!("{}/midtrans/gateway/status/x", sandbox.base_url());
    for headers in [vec![], KEYS.to_vec(), vec![("X-App-Code", "other"), ("X-Api-Key", "secret")]] {
        assert_eq!(call(&url, "GET", &headers, "").status, 401, "{headers:?}");
    }
    let right = [("X-App-Code", "biling"), ("X-Api-Key", "secret")];
    assert_eq!(call(&url, "GET", &right, "").status, 404, "the key is right, the order unknown");
}
