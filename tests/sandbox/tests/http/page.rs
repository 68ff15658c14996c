//! The page for people.

use crate::common::{call, charge, midtrans, order, start};

#[test]
fn it_shows_payments_with_what_the_payer_needs() {
    let sandbox = start(&[]);
    assert!(call(sandbox.base_url(), "GET", &[], "").text.contains("No payments yet"));
    let va = charge(&sandbox, "P-va", r#""payment_type":"bank_transfer","bank_transfer":{"bank":"bri"}"#);
    charge(&sandbox, "P-qr", r#""payment_type":"qris""#);
    let page = call(sandbox.base_url(), "GET", &[], "").text;
    let number = va["va_numbers"][0]["va_number"].as_str().expect("a number");
    for part in [number, "Rp10.000", "<svg", "P-qr", "/_sandbox/midtrans/P%2Dva/paid", "Requests"] {
        assert!(page.contains(part), "{part} in {page}");
    }
    assert!(!page.contains("<script"), "it works without");
    let ours = page.replace("http://www.w3.org/2000/svg", "").replace(sandbox.base_url(), "");
    assert!(!ours.contains("http"), "nothing from elsewhere");
}

#[test]
fn a_button_pays_and_leads_back() {
    let sandbox = start(&[]);
    charge(&sandbox, "P-1", r#""payment_type":"gopay""#);
    let url = format!("{}/_sandbox/midtrans/P-1/paid", sandbox.base_url());
    let answer = call(&url, "POST", &[("accept", "text/html,application/xhtml+xml")], "");
    assert_eq!((answer.status, answer.location.as_str()), (303, "/"));
    assert_eq!(order(&sandbox, "midtrans", "P-1")["status"], "paid");
}

#[test]
fn what_merchants_send_stays_text() {
    let sandbox = start(&[]);
    midtrans(&sandbox, "POST", "/v2/charge", r#"{"x":"<img src=x onerror=alert(1)>"}"#);
    let page = call(sandbox.base_url(), "GET", &[], "").text;
    assert!(page.contains("&lt;img") && !page.contains("<img"), "{page}");
}
