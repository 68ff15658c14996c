//! Faults: what a caller sees, and what was executed behind it.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use bayar_sandbox::Sandbox;
use serde_json::json;

use crate::common::{SERVER_KEY, basic, control, midtrans, order, raw, start, try_call};

const CHARGE: &str =
    r#"{"payment_type":"gopay","transaction_details":{"order_id":"O","gross_amount":10000}}"#;

fn ask(sandbox: &Sandbox, fault: &str) {
    let answer = control(sandbox, "POST", "/faults", fault);
    assert_eq!(answer.status, 200, "{answer:?}");
}

/// The charge, spoken by hand.
fn charge_by_hand(sandbox: &Sandbox) -> (String, std::io::Result<()>) {
    let auth = basic(SERVER_KEY);
    let head = format!(
        "POST /midtrans/v2/charge HTTP/1.1\r\nhost: x\r\nauthorization: {auth}\r\nconnection: close\r\n"
    );
    raw(sandbox, &format!("{head}content-length: {}\r\n\r\n{CHARGE}", CHARGE.len()))
}

fn executed(sandbox: &Sandbox) -> bool {
    order(sandbox, "midtrans", "O")["executed"]["charge"] == 1
}

#[test]
fn a_reset_is_a_reset_before_or_after() {
    for (when, done) in [("before", false), ("after", true)] {
        let sandbox = start(&[]);
        ask(&sandbox, &format!(r#"{{"fault":"reset","when":"{when}"}}"#));
        let (text, end) = charge_by_hand(&sandbox);
        assert_eq!(text, "", "not a byte of an answer");
        assert_eq!(end.expect_err("a reset").kind(), ErrorKind::ConnectionReset);
        assert_eq!(executed(&sandbox), done, "{when}");
        let log = control(&sandbox, "GET", "/requests", "").json();
        assert_eq!((&log[0]["handled"], &log[0]["status"]), (&json!(u8::from(done)), &json!(null)), "{log}");
        assert_eq!(log[0]["fault"], format!("reset {when}"));
    }
}

#[test]
fn a_cut_answer_ends_in_the_middle_of_its_body() {
    let sandbox = start(&[]);
    ask(&sandbox, r#"{"fault":"truncate"}"#);
    let (text, end) = charge_by_hand(&sandbox);
    end.expect("an orderly end of the connection");
    let (head, body) = text.split_once("\r\n\r\n").expect("a head");
    let promised = head.lines().find_map(|line| line.strip_prefix("content-length: ")).expect("a length");
    let promised: usize = promised.parse().expect("a number");
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert!(!body.is_empty() && body.len() < promised, "{} of {promised}", body.len());
    assert!(executed(&sandbox));
}

#[test]
fn a_500_speaks_as_the_provider() {
    for (when, done) in [("before", false), ("after", true)] {
        let sandbox = start(&[]);
        ask(&sandbox, &format!(r#"{{"fault":"500","when":"{when}","provider":"midtrans"}}"#));
        let answer = midtrans(&sandbox, "POST", "/v2/charge", CHARGE);
        assert_eq!((answer.status, &answer.json()["status_code"]), (500, &json!("500")));
        assert_eq!(executed(&sandbox), done);
    }
}

#[test]
fn a_page_comes_where_json_belongs() {
    let sandbox = start(&[]);
    ask(&sandbox, r#"{"fault":"html"}"#);
    ask(&sandbox, r#"{"fault":"html","status":502,"when":"after"}"#);
    let answer = midtrans(&sandbox, "POST", "/v2/charge", CHARGE);
    assert!(answer.status == 200 && answer.content_type.starts_with("text/html"), "{answer:?}");
    assert!(!executed(&sandbox));
    assert_eq!(midtrans(&sandbox, "POST", "/v2/charge", CHARGE).status, 502);
    assert!(executed(&sandbox));
}

#[test]
fn a_delay_delays() {
    for when in ["before", "after"] {
        let sandbox = start(&[]);
        ask(&sandbox, &format!(r#"{{"fault":"delay","ms":300,"when":"{when}"}}"#));
        let begin = Instant::now();
        assert_eq!(midtrans(&sandbox, "POST", "/v2/charge", CHARGE).json()["status_code"], "201");
        assert!(begin.elapsed() >= Duration::from_millis(300));
    }
}

#[test]
fn a_duplicate_arrives_twice() {
    let sandbox = start(&[]);
    ask(&sandbox, r#"{"fault":"duplicate"}"#);
    assert_eq!(
        midtrans(&sandbox, "POST", "/v2/charge", CHARGE).json()["status_code"],
        "406",
        "the second answer"
    );
    let order = order(&sandbox, "midtrans", "O");
    assert_eq!((&order["arrived"]["charge"], &order["executed"]["charge"]), (&json!(2), &json!(1)));
}

#[test]
fn a_fault_strikes_where_and_as_often_as_asked() {
    let sandbox = start(&[]);
    ask(&sandbox, r#"{"fault":"500","path_contains":"/status","times":2}"#);
    assert_eq!(midtrans(&sandbox, "POST", "/v2/charge", CHARGE).status, 200);
    let statuses: Vec<_> = (0..3).map(|_| midtrans(&sandbox, "GET", "/v2/O/status", "").status).collect();
    assert_eq!(statuses, [500, 500, 200]);

    ask(&sandbox, r#"{"fault":"500","provider":"template","times":5}"#);
    assert_eq!(midtrans(&sandbox, "GET", "/v2/O/status", "").status, 200);
    assert_eq!(control(&sandbox, "GET", "/faults", "").json().as_array().map(Vec::len), Some(1));
    control(&sandbox, "DELETE", "/faults", "");
    assert_eq!(control(&sandbox, "GET", "/faults", "").json(), json!([]));
}

#[test]
fn faults_that_make_no_sense_are_refused() {
    let sandbox = start(&[]);
    for fault in [
        "{",
        r#"{"fault":"explode"}"#,
        r#"{"fault":"reset","tims":2}"#,
        r#"{"fault":"reset","times":0}"#,
        r#"{"fault":"reset","provider":"nobody"}"#,
        r#"{"fault":"500","on":"callback"}"#,
        r#"{"fault":"truncate","on":"callback"}"#,
        r#"{"fault":"duplicate","when":"before"}"#,
        r#"{"fault":"html","status":99}"#,
    ] {
        let answer = control(&sandbox, "POST", "/faults", fault);
        assert_eq!(answer.status, 400, "{fault}");
        assert!(answer.json()["error"]["message"].is_string(), "{answer:?}");
    }
    assert_eq!(control(&sandbox, "GET", "/faults", "").json(), json!([]));
}

#[test]
fn a_stopped_sandbox_is_gone() {
    let sandbox = start(&[]);
    let url = sandbox.base_url().to_owned();
    assert!(try_call(&url, "GET", &[], "").is_ok());
    drop(sandbox);
    assert!(try_call(&url, "GET", &[], "").is_err());
}
