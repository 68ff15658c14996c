//! Snap: pages, their refusals, and what a payer does on them.

use serde_json::json;

use crate::common::{basic, call, control, midtrans, midtrans_with, order, start};

const PATH: &str = "/snap/v1/transactions";

fn body(order_id: &str, amount: &str) -> String {
    format!(r#"{{"transaction_details":{{"order_id":"{order_id}","gross_amount":{amount}}}}}"#)
}

#[test]
fn a_page_is_made_once() {
    let sandbox = start(&[]);
    let made = midtrans(&sandbox, "POST", PATH, &body("S-1", "10000"));
    assert_eq!(made.status, 201);
    let token = made.json()["token"].as_str().expect("a token").to_owned();
    let url = format!("{}/midtrans/snap/v4/redirection/{token}", sandbox.base_url());
    assert_eq!(made.json(), json!({"token": token, "redirect_url": url}));

    let again = midtrans(&sandbox, "POST", PATH, &body("S-1", "10000"));
    assert_eq!(again.status, 400);
    assert_eq!(again.json(), json!({"error_messages": ["transaction_details.order_id sudah digunakan"]}));
    let order = order(&sandbox, "midtrans", "S-1");
    assert_eq!((&order["arrived"]["charge"], &order["executed"]["charge"]), (&json!(2), &json!(1)));
}

#[test]
fn amounts_are_read_as_sent() {
    let sandbox = start(&[]);
    for (number, amount) in
        ["10000", "10000.0", "\"10000\"", "\"10000.00\"", "9007199254740993"].iter().enumerate()
    {
        let id = format!("A-{number}");
        assert_eq!(midtrans(&sandbox, "POST", PATH, &body(&id, amount)).status, 201, "{amount}");
    }
    assert_eq!(order(&sandbox, "midtrans", "A-1")["amount"], 10_000);
    assert_eq!(order(&sandbox, "midtrans", "A-4")["amount"], 9_007_199_254_740_993_i64);
}

#[test]
fn refusals_name_the_field() {
    let sandbox = start(&[]);
    let long = "x".repeat(51);
    let item = |price: &str, name: &str| {
        let items = format!(r#""item_details":[{{"id":"a","price":{price},"quantity":2,"name":"{name}"}}]"#);
        format!(r#"{{"transaction_details":{{"order_id":"R","gross_amount":10000}},{items}}}"#)
    };
    let table = [
        ("{".to_owned(), "not valid JSON"),
        ("{}".to_owned(), "transaction_details.gross_amount is required"),
        (body("", "10000"), "transaction_details.order_id is required"),
        (body(&long, "10000"), "transaction_details.order_id is too long (maximum is 50 characters)"),
        (body("a b", "10000"), "transaction_details.order_id contains"),
        (body("R", "0"), "transaction_details.gross_amount must be greater than or equal to"),
        (body("R", "-5"), "transaction_details.gross_amount must be greater than or equal to"),
        (body("R", "10000.5"), "transaction_details.gross_amount is not an integer"),
        (body("R", "\"abc\""), "transaction_details.gross_amount is not a number"),
        (item("4000", "x"), "transaction_details.gross_amount is not equal to the sum of item_details"),
        (item("\"x\"", "x"), "item_details[0].price is not a number"),
        (item("5000", &long), "item_details[0].name is too long"),
        (body("R", "1").replace("}}", r#"},"expiry":{"unit":"year","duration":1}}"#), "expiry.unit"),
    ];
    for (body, expected) in table {
        let answer = midtrans(&sandbox, "POST", PATH, &body);
        assert_eq!(answer.status, 400, "{body}");
        let first = answer.json()["error_messages"].to_string();
        assert!(first.contains(expected), "{body}: {first}");
    }
    assert_eq!(control(&sandbox, "GET", "/orders", "").json(), json!([]), "nothing was made");
    assert_eq!(midtrans(&sandbox, "POST", PATH, &item("5000", "x")).status, 201);
}

#[test]
fn a_wrong_key_is_refused() {
    let sandbox = start(&[("midtrans.server_key", "other")]);
    let url = format!("{}/midtrans{PATH}", sandbox.base_url());
    for headers in
        [vec![], vec![("authorization", "Bearer other")], vec![("authorization", "Basic b3RoZXI=")]]
    {
        let answer = call(&url, "POST", &headers, &body("W", "1"));
        assert_eq!(answer.status, 401);
        assert!(answer.text.contains("Access denied due to unauthorized transaction"), "{answer:?}");
    }
    let right = basic("other");
    assert_eq!(call(&url, "POST", &[("authorization", right.as_str())], &body("W", "1")).status, 201);
}

#[test]
fn the_payer_chooses_and_pays() {
    let sandbox = start(&[]);
    let finish =
        r#"},"callbacks":{"finish":"http://127.0.0.1:1/done"},"enabled_payments":["bca_va","gopay"]}"#;
    let made = midtrans(&sandbox, "POST", PATH, &body("P-1", "150000").replace("}}", finish)).json();
    let url = made["redirect_url"].as_str().expect("an URL");
    assert_eq!(
        midtrans(&sandbox, "GET", "/v2/P-1/status", "").json()["status_code"],
        "404",
        "nothing chosen yet"
    );
    assert_eq!(midtrans(&sandbox, "POST", "/v2/P-1/cancel", "").json()["status_code"], "404");

    let page = call(url, "GET", &[], "");
    assert!(page.content_type.starts_with("text/html") && page.text.contains("Rp150.000"), "{page:?}");
    assert!(
        page.text.contains("BCA Virtual Account") && !page.text.contains("Indomaret"),
        "only what is enabled"
    );

    let chosen = call(url, "POST", &[], "method=bca_va");
    assert_eq!(chosen.status, 303);
    assert_eq!(chosen.location, made["token"].as_str().expect("a token"), "back to the same page");
    let status = midtrans(&sandbox, "GET", "/v2/P-1/status", "").json();
    assert_eq!((&status["transaction_status"], &status["status_code"]), (&json!("pending"), &json!("201")));
    let number = status["va_numbers"][0]["va_number"].as_str().expect("a number");
    assert!(call(url, "GET", &[], "").text.contains(number), "the page shows the number");

    call(url, "POST", &[], "do=pay");
    assert_eq!(midtrans(&sandbox, "GET", "/v2/P-1/status", "").json()["transaction_status"], "settlement");
    let paid = call(url, "GET", &[], "").text;
    assert!(
        paid.contains(
            "http://127.0.0.1:1/done?order_id=P-1&amp;status_code=200&amp;transaction_status=settlement"
        ),
        "{paid}"
    );
}

#[test]
fn a_finish_address_that_is_no_web_address_is_no_link() {
    let sandbox = start(&[]);
    let finish = r#"},"callbacks":{"finish":"javascript:alert(1)"}}"#;
    let made = midtrans(&sandbox, "POST", PATH, &body("J-1", "1").replace("}}", finish)).json();
    control(&sandbox, "POST", "/midtrans/J-1/paid", "");
    let page = call(made["redirect_url"].as_str().expect("an URL"), "GET", &[], "").text;
    assert!(page.contains("J-1") && !page.contains("javascript:"), "{page}");
}

#[test]
fn a_repeated_idempotency_key_gives_the_first_answer() {
    let sandbox = start(&[]);
    let send =
        |key: &str| midtrans_with(&sandbox, "POST", PATH, &[("idempotency-key", key)], &body("I-1", "1"));
    let first = send("k");
    let again = send("k");
    assert_eq!((again.status, &again.text), (201, &first.text));
    assert_eq!(send("another").status, 400);
    let order = order(&sandbox, "midtrans", "I-1");
    assert_eq!((&order["arrived"]["charge"], &order["executed"]["charge"]), (&json!(3), &json!(1)));
}
