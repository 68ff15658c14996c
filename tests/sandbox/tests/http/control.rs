//! Control calls, and the ready configuration.

use bayar_sandbox::{Options, print_config};
use serde_json::json;

use crate::common::{Merchant, charge, control, midtrans, start};

const GOPAY: &str = r#""payment_type":"gopay""#;

#[test]
fn what_does_not_exist_is_said_in_json() {
    let sandbox = start(&[]);
    charge(&sandbox, "K-1", GOPAY);
    let table = [
        ("POST", "/nobody/K-1/paid", 404, "unknown_provider"),
        ("POST", "/midtrans/K-2/paid", 404, "unknown_order"),
        ("POST", "/midtrans/K-1/explode", 404, "unknown_act"),
        ("GET", "/midtrans/K-2/callback", 404, "unknown_order"),
        ("GET", "/midtrans/K-2", 404, "unknown_order"),
        ("POST", "/midtrans/K-1/refunded", 409, "invalid_state"),
        ("GET", "/bogus", 404, "not_found"),
        ("PUT", "/faults", 404, "not_found"),
        ("GET", "/a/b/c/d", 404, "not_found"),
    ];
    for (method, path, status, code) in table {
        let answer = control(&sandbox, method, path, "");
        assert_eq!(answer.status, status, "{method} {path}: {answer:?}");
        assert_eq!(answer.json()["error"]["code"], code, "{method} {path}");
    }
    let elsewhere = crate::common::call(&format!("{}/nobody/x", sandbox.base_url()), "GET", &[], "");
    assert!(elsewhere.status == 404 && elsewhere.text.contains("/midtrans"), "{elsewhere:?}");
}

#[test]
fn a_payer_pays_once() {
    let sandbox = start(&[]);
    charge(&sandbox, "K-1", GOPAY);
    let done = control(&sandbox, "POST", "/midtrans/K-1/paid", "");
    assert_eq!(done.status, 200);
    assert_eq!(done.json()["order"]["provider_status"], "settlement");
    assert!(
        done.json()["note"].as_str().is_some_and(|note| note.contains("midtrans.callback_url")),
        "{done:?}"
    );
    let again = control(&sandbox, "POST", "/midtrans/K-1/failed", "");
    assert_eq!((again.status, &again.json()["error"]["code"]), (409, &json!("invalid_state")));
}

#[test]
fn a_snap_order_is_paid_by_bank_transfer_or_as_asked() {
    let sandbox = start(&[]);
    let make = |id: &str| {
        let body = format!(r#"{{"transaction_details":{{"order_id":"{id}","gross_amount":10000}}}}"#);
        midtrans(&sandbox, "POST", "/snap/v1/transactions", &body);
    };
    make("default");
    make("asked");
    assert_eq!(control(&sandbox, "GET", "/midtrans/default/callback", "").status, 409, "no transaction yet");
    assert_eq!(control(&sandbox, "POST", "/midtrans/default/refunded", "").status, 409, "no transaction yet");
    control(&sandbox, "POST", "/midtrans/default/paid", "");
    assert_eq!(midtrans(&sandbox, "GET", "/v2/default/status", "").json()["payment_type"], "bank_transfer");
    assert_eq!(control(&sandbox, "POST", "/midtrans/asked/paid?method=coins", "").status, 409);
    control(&sandbox, "POST", "/midtrans/asked/paid?method=gopay", "");
    assert_eq!(midtrans(&sandbox, "GET", "/v2/asked/status", "").json()["payment_type"], "gopay");
}

#[test]
fn requests_are_kept_as_they_arrived() {
    let sandbox = start(&[]);
    charge(&sandbox, "K-1", GOPAY);
    let all = control(&sandbox, "GET", "/requests?direction=in&provider=midtrans", "").json();
    let one = &all[0];
    assert_eq!(
        (&one["method"], &one["path"], &one["status"]),
        (&json!("POST"), &json!("/midtrans/v2/charge"), &json!(200))
    );
    assert!(one["body"].as_str().is_some_and(|body| body.contains("K-1")), "{one}");
    assert!(one["headers"].to_string().contains("authorization"), "{one}");
    assert!(one["answer"].as_str().is_some_and(|answer| answer.contains("transaction_id")), "{one}");
    assert_eq!(control(&sandbox, "GET", "/requests?provider=template", "").json(), json!([]));
    assert_eq!(control(&sandbox, "GET", "/requests?after=1", "").json(), json!([]));
    control(&sandbox, "DELETE", "/requests", "");
    assert_eq!(control(&sandbox, "GET", "/requests", "").json(), json!([]));
}

#[test]
fn the_log_is_bounded() {
    let sandbox = start(&[]);
    for _ in 0..1005 {
        midtrans(&sandbox, "GET", "/v2/x/status", "");
    }
    let all = control(&sandbox, "GET", "/requests", "").json();
    assert_eq!(all.as_array().map(Vec::len), Some(1000));
    assert_eq!(all[0]["seq"], 6);
}

#[test]
fn the_configuration_is_ready() {
    let set = vec![("midtrans.server_key".to_owned(), "mine".to_owned())];
    let options = Options { set, ..Options::default() };
    let text = print_config(&options);
    for line in [
        "[engine]",
        "[providers.midtrans]",
        "server_key = \"mine\"",
        "base_url = \"http://127.0.0.1:8400/midtrans\"",
        "[providers.midtrans-gateway]",
        "plugin = \"midtrans\"",
        "gateway_url = \"http://127.0.0.1:8400/midtrans/gateway\"",
        "[providers.template]",
        "merchant = \"TPL-EXAMPLE\"",
    ] {
        assert!(text.contains(line), "{line} in\n{text}");
    }
    let sandbox = start(&[]);
    assert!(sandbox.config().contains(&format!("{}/midtrans", sandbox.base_url())));
    // What is not installed would have the whole configuration refused.
    let text = print_config(&Options { plugins: Some(vec!["midtrans".to_owned()]), ..options });
    assert!(
        text.contains("[providers.midtrans-gateway]") && !text.contains("[providers.template]"),
        "{text}"
    );
}

#[test]
fn an_unknown_setting_is_refused_by_name() {
    let set = vec![("midtrans.serverkey".to_owned(), "mine".to_owned())];
    let options = Options { set, ..Options::default() };
    let error = options.check().expect_err("a typo").to_string();
    assert!(error.contains("midtrans.serverkey") && error.contains("midtrans.server_key"), "{error}");
}

#[test]
fn settings_change_while_it_runs() {
    let merchant = Merchant::answering(&[200]);
    let sandbox = start(&[]);
    let change = json!({"midtrans.callback_url": merchant.url}).to_string();
    let all = control(&sandbox, "POST", "/settings", &change).json();
    assert_eq!(all["midtrans.callback_url"], merchant.url);
    charge(&sandbox, "K-1", GOPAY);
    control(&sandbox, "POST", "/midtrans/K-1/paid", "");
    assert_eq!(merchant.next().json()["order_id"], "K-1");

    for wrong in [r#"{"midtrans.merchant_id":"G1","midtrans.nothing":"x"}"#, "[]"] {
        assert_eq!(control(&sandbox, "POST", "/settings", wrong).status, 400);
    }
    assert_eq!(
        control(&sandbox, "GET", "/settings", "").json()["midtrans.merchant_id"],
        "G000000001",
        "all or nothing"
    );
}
