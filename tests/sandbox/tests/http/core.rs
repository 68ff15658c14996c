//! The Core API.

use serde_json::{Value, json};

use crate::common::{basic, call, charge, control, midtrans, midtrans_with, order, start};

const GOPAY: &str = r#""payment_type":"gopay""#;

/// Checks that the fields are there with these values; `*` stands for any text.
fn has(document: &Value, expected: &Value) {
    for (name, value) in expected.as_object().expect("an object") {
        if value == "*" {
            assert!(document[name].is_string(), "{name} in {document}");
        } else {
            assert_eq!(&document[name], value, "{name} in {document}");
        }
    }
}

#[test]
fn every_method_answers_in_its_own_way() {
    let sandbox = start(&[]);
    let va = |bank: &str| format!(r#""payment_type":"bank_transfer","bank_transfer":{{"bank":"{bank}"}}"#);
    for bank in ["bca", "bni", "bri", "cimb"] {
        let answer = charge(&sandbox, &format!("va-{bank}"), &va(bank));
        has(&answer, &json!({"payment_type": "bank_transfer", "fraud_status": "accept", "expiry_time": "*"}));
        assert_eq!(answer["va_numbers"][0]["bank"], bank);
        assert!(answer["va_numbers"][0]["va_number"].as_str().is_some_and(|number| number.len() == 16));
    }
    has(
        &charge(&sandbox, "va-permata", &va("permata")),
        &json!({"permata_va_number": "*", "va_numbers": null}),
    );
    let bill = r#""payment_type":"echannel","echannel":{"bill_info1":"Payment:","bill_info2":"x"}"#;
    has(&charge(&sandbox, "bill", bill), &json!({"bill_key": "*", "biller_code": "70012"}));
    let store = |store: &str| format!(r#""payment_type":"cstore","cstore":{{"store":"{store}"}}"#);
    has(
        &charge(&sandbox, "alfa", &store("alfamart")),
        &json!({"payment_code": "*", "store": "alfamart", "fraud_status": "accept"}),
    );
    has(&charge(&sandbox, "indo", &store("Indomaret")), &json!({"store": "indomaret", "fraud_status": null}));
    let qris = charge(&sandbox, "qris", r#""payment_type":"qris","qris":{"acquirer":"gopay"}"#);
    has(&qris, &json!({"qr_string": "*", "acquirer": "gopay"}));
    assert_eq!(qris["actions"][0]["name"], "generate-qr-code");
    let picture = call(qris["actions"][0]["url"].as_str().expect("an URL"), "GET", &[], "");
    assert_eq!(picture.content_type, "image/svg+xml");
    let gopay = charge(&sandbox, "gopay", GOPAY);
    let names: Vec<_> =
        gopay["actions"].as_array().expect("actions").iter().map(|one| one["name"].clone()).collect();
    assert_eq!(names, ["generate-qr-code", "deeplink-redirect", "get-status", "cancel"]);
    let shopee = charge(&sandbox, "shopee", r#""payment_type":"shopeepay","shopeepay":{"callback_url":"x"}"#);
    assert_eq!(shopee["actions"][0]["name"], "deeplink-redirect");
}

#[test]
fn a_charge_is_all_strings_as_midtrans_has_them() {
    let sandbox = start(&[("midtrans.merchant_id", "G999")]);
    let answer = charge(&sandbox, "T-1", GOPAY);
    has(
        &answer,
        &json!({"gross_amount": "10000.00", "currency": "IDR", "merchant_id": "G999", "transaction_status": "pending",
            "status_message": "GoPay transaction is created", "transaction_id": "*"}),
    );
    let time = answer["transaction_time"].as_str().expect("a time");
    assert!(jiff::civil::DateTime::strptime("%Y-%m-%d %H:%M:%S", time).is_ok(), "{time}");
}

#[test]
fn invalid_charges_are_refused_by_field() {
    let sandbox = start(&[]);
    let table = [
        ("{}", 400, "400", "transaction_details.order_id is required"),
        (
            r#"{"transaction_details":{"order_id":"a","gross_amount":1}}"#,
            400,
            "400",
            "payment_type is required",
        ),
        (
            r#"{"payment_type":"cash","transaction_details":{"order_id":"a","gross_amount":1}}"#,
            400,
            "400",
            "cash is not supported",
        ),
        (
            r#"{"payment_type":"bank_transfer","transaction_details":{"order_id":"a","gross_amount":1}}"#,
            400,
            "400",
            "bank_transfer.bank is required",
        ),
        (
            r#"{"payment_type":"bank_transfer","bank_transfer":{"bank":"xyz"},"transaction_details":{"order_id":"a","gross_amount":1}}"#,
            400,
            "400",
            "xyz is not supported",
        ),
        (
            r#"{"payment_type":"echannel","transaction_details":{"order_id":"a","gross_amount":1}}"#,
            400,
            "400",
            "echannel.bill_info1 is required",
        ),
        (
            r#"{"payment_type":"gopay","transaction_details":{"order_id":"a","gross_amount":-44000}}"#,
            400,
            "400",
            "greater than or equal to 1",
        ),
        (
            r#"{"payment_type":"gopay","custom_expiry":{"expiry_duration":1,"unit":"year"},"transaction_details":{"order_id":"a","gross_amount":1}}"#,
            400,
            "400",
            "custom_expiry.unit",
        ),
        (
            r#"{"payment_type":"credit_card","transaction_details":{"order_id":"a","gross_amount":1}}"#,
            200,
            "402",
            "Payment channel is not activated.",
        ),
        ("{", 413, "413", "syntax error"),
    ];
    for (body, http, code, words) in table {
        let answer = midtrans(&sandbox, "POST", "/v2/charge", body);
        assert_eq!((answer.status, &answer.json()["status_code"]), (http, &json!(code)), "{body}");
        assert!(answer.text.contains(words), "{body}: {}", answer.text);
        assert!(answer.json()["id"].is_string(), "errors carry an id");
    }
    assert_eq!(control(&sandbox, "GET", "/orders", "").json(), json!([]));
}

#[test]
fn a_second_charge_of_an_order_is_a_conflict() {
    let sandbox = start(&[]);
    charge(&sandbox, "D-1", GOPAY);
    let body = r#"{"payment_type":"gopay","transaction_details":{"order_id":"D-1","gross_amount":10000}}"#;
    let again = midtrans(&sandbox, "POST", "/v2/charge", body);
    assert_eq!((again.status, &again.json()["status_code"]), (200, &json!("406")));
    let order = order(&sandbox, "midtrans", "D-1");
    assert_eq!((&order["arrived"]["charge"], &order["executed"]["charge"]), (&json!(2), &json!(1)));
}

#[test]
fn status_is_found_by_either_id_and_signed() {
    let sandbox = start(&[]);
    let id = charge(&sandbox, "a~b.c_d-1", GOPAY)["transaction_id"].as_str().expect("an id").to_owned();
    control(&sandbox, "POST", "/midtrans/a~b.c_d-1/paid", "");
    for path in
        [format!("/v2/{id}/status"), "/v2/a~b.c_d-1/status".to_owned(), "/v2/a%7Eb%2Ec_d-1/status".to_owned()]
    {
        // Some clients send a body with GET, and a content type without a body.
        for body in ["", "{}"] {
            let answer = midtrans(&sandbox, "GET", &path, body);
            assert_eq!(answer.status, 200);
            has(
                &answer.json(),
                &json!({"status_code": "200", "transaction_status": "settlement", "order_id": "a~b.c_d-1",
                    "status_message": "Success, transaction is found", "settlement_time": "*", "signature_key": "*"}),
            );
        }
    }
    let unknown = midtrans(&sandbox, "GET", "/v2/nobody/status", "");
    assert_eq!(unknown.status, 200);
    has(
        &unknown.json(),
        &json!({"status_code": "404", "status_message": "Transaction doesn't exist.", "id": "*"}),
    );
}

#[test]
fn a_wrong_key_is_refused() {
    let sandbox = start(&[]);
    let wrong = basic("wrong");
    let url = format!("{}/midtrans/v2/x/status", sandbox.base_url());
    for headers in [vec![], vec![("authorization", wrong.as_str())]] {
        let answer = call(&url, "GET", &headers, "");
        assert_eq!((answer.status, &answer.json()["status_code"]), (401, &json!("401")));
    }
}

#[test]
fn cancel_takes_any_body_and_only_once() {
    let sandbox = start(&[]);
    for (number, body) in ["", "{}", "null"].iter().enumerate() {
        let id = format!("C-{number}");
        charge(&sandbox, &id, GOPAY);
        let answer = midtrans(&sandbox, "POST", &format!("/v2/{id}/cancel"), body).json();
        has(
            &answer,
            &json!({"status_code": "200", "transaction_status": "cancel", "status_message": "Success, transaction is canceled"}),
        );
        let again = midtrans(&sandbox, "POST", &format!("/v2/{id}/cancel"), body);
        assert_eq!((again.status, &again.json()["status_code"]), (200, &json!("412")));
        assert_eq!(order(&sandbox, "midtrans", &id)["executed"]["cancel"], 1);
    }
    charge(&sandbox, "C-paid", GOPAY);
    control(&sandbox, "POST", "/midtrans/C-paid/paid", "");
    assert_eq!(midtrans(&sandbox, "POST", "/v2/C-paid/cancel", "{}").json()["status_code"], "412");
    assert_eq!(midtrans(&sandbox, "POST", "/v2/nobody/cancel", "{}").json()["status_code"], "404");
}

#[test]
fn expire_succeeds_with_407() {
    let sandbox = start(&[]);
    charge(&sandbox, "E-1", GOPAY);
    let answer = midtrans(&sandbox, "POST", "/v2/E-1/expire", "");
    assert_eq!(answer.status, 200);
    has(&answer.json(), &json!({"status_code": "407", "transaction_status": "expire"}));
    assert_eq!(midtrans(&sandbox, "POST", "/v2/E-1/expire", "").json()["status_code"], "412");
    has(
        &midtrans(&sandbox, "GET", "/v2/E-1/status", "").json(),
        &json!({"status_code": "407", "transaction_status": "expire"}),
    );
}

#[test]
fn a_challenge_waits_for_the_merchant() {
    let sandbox = start(&[]);
    for (word, status, fraud) in [("approve", "capture", "accept"), ("deny", "deny", "deny")] {
        let body = format!(r#"{{"transaction_details":{{"order_id":"{word}","gross_amount":10000}}}}"#);
        midtrans(&sandbox, "POST", "/snap/v1/transactions", &body);
        assert_eq!(
            midtrans(&sandbox, "POST", &format!("/v2/{word}/{word}"), "").json()["status_code"],
            "404"
        );
        assert_eq!(control(&sandbox, "POST", &format!("/midtrans/{word}/challenge"), "").status, 200);
        has(
            &midtrans(&sandbox, "GET", &format!("/v2/{word}/status"), "").json(),
            &json!({"transaction_status": "capture", "fraud_status": "challenge", "payment_type": "credit_card", "status_code": "201"}),
        );
        let answer = midtrans(&sandbox, "POST", &format!("/v2/{word}/{word}"), "").json();
        has(&answer, &json!({"status_code": "200", "transaction_status": status, "fraud_status": fraud}));
        assert_eq!(
            midtrans(&sandbox, "POST", &format!("/v2/{word}/{word}"), "").json()["status_code"],
            "412"
        );
    }
}

#[test]
fn refunds_are_partial_keyed_and_bounded() {
    let sandbox = start(&[]);
    charge(&sandbox, "F-1", GOPAY);
    let refund = |body: &str| midtrans(&sandbox, "POST", "/v2/F-1/refund", body).json();
    assert_eq!(refund(r#"{"refund_key":"a","amount":4000}"#)["status_code"], "412", "not paid yet");
    control(&sandbox, "POST", "/midtrans/F-1/paid", "");

    let first = refund(r#"{"refund_key":"a","amount":4000,"reason":"because"}"#);
    has(
        &first,
        &json!({"status_code": "200", "transaction_status": "partial_refund", "refund_amount": "4000.00", "refund_key": "a"}),
    );
    assert_eq!(
        refund(r#"{"refund_key":"a","amount":4000,"reason":"because"}"#),
        first,
        "the key makes it repeatable"
    );
    assert_eq!(refund(r#"{"refund_key":"a","amount":5000}"#)["status_code"], "406");
    assert_eq!(refund(r#"{"refund_key":"b","amount":6001}"#)["status_code"], "414");
    assert_eq!(refund(r#"{"refund_key":"b","amount":0}"#)["status_code"], "414");
    // Without an amount: all that is left.
    has(
        &refund(r#"{"refund_key":"b"}"#),
        &json!({"transaction_status": "refund", "refund_amount": "6000.00"}),
    );
    assert_eq!(refund(r#"{"refund_key":"c","amount":1}"#)["status_code"], "412");

    let status = midtrans(&sandbox, "GET", "/v2/F-1/status", "").json();
    has(&status, &json!({"transaction_status": "refund", "refund_amount": "10000.00"}));
    assert_eq!(status["refunds"].as_array().map(Vec::len), Some(2));
    let order = order(&sandbox, "midtrans", "F-1");
    assert_eq!(order["executed"]["refund"], 2, "{order}");
}

#[test]
fn methods_differ_in_what_they_refund() {
    let sandbox = start(&[("midtrans.repeated_refund", "406")]);
    let refund = |id: &str, body: &str| {
        control(&sandbox, "POST", &format!("/midtrans/{id}/paid"), "");
        midtrans(&sandbox, "POST", &format!("/v2/{id}/refund"), body).json()["status_code"].clone()
    };
    charge(&sandbox, "va", r#""payment_type":"bank_transfer","bank_transfer":{"bank":"bca"}"#);
    assert_eq!(refund("va", r#"{"amount":1000}"#), "412", "a bank transfer cannot be refunded");
    charge(&sandbox, "shopee", r#""payment_type":"shopeepay""#);
    assert_eq!(refund("shopee", r#"{"amount":1000}"#), "414", "ShopeePay refunds all or nothing");
    assert_eq!(refund("shopee", r#"{"refund_key":"k","amount":10000}"#), "200");
    assert_eq!(refund("shopee", r#"{"refund_key":"k","amount":10000}"#), "406", "as the setting says");
}

#[test]
fn a_repeated_idempotency_key_gives_the_first_answer() {
    let sandbox = start(&[]);
    let body = r#"{"payment_type":"gopay","transaction_details":{"order_id":"I-1","gross_amount":10000}}"#;
    let send = || midtrans_with(&sandbox, "POST", "/v2/charge", &[("idempotency-key", "k")], body).json();
    let refused = midtrans_with(&sandbox, "POST", "/v2/charge", &[("idempotency-key", "k")], "{}");
    assert_eq!(refused.status, 400, "a refusal is not remembered");
    let first = send();
    assert_eq!(first["status_code"], "201");
    assert_eq!(send(), first);
    let order = order(&sandbox, "midtrans", "I-1");
    assert_eq!((&order["arrived"]["charge"], &order["executed"]["charge"]), (&json!(2), &json!(1)));
}

#[test]
fn other_paths_and_methods_are_refused() {
    let sandbox = start(&[]);
    assert_eq!(midtrans(&sandbox, "GET", "/v2/charge", "").status, 405);
    assert_eq!(midtrans(&sandbox, "GET", "/v2/x/cancel", "").status, 405);
    assert_eq!(midtrans(&sandbox, "GET", "/v2/x/y/z", "").status, 404);
    assert_eq!(midtrans(&sandbox, "GET", "/else", "").status, 404);
}
