//! The way in, with the tests' own provider.

mod common;
#[path = "common/toy.rs"]
mod toy;

use bayar::{Callback, Code, Engine, Error, Evidence, Outcome, Status};
use bayar_provider::abi::module;
use common::{Server, json_answer};
use serde_json::{Value, json};
use toy::Toy;

fn engine(settings: Value) -> Engine {
    let config = json!({"engine": {"journal": "none"}, "providers": {"toy": settings}});
    Engine::builder().plugin("toy", module::<Toy>()).open(&config.to_string()).expect("opens")
}

fn receive(engine: &Engine, body: Value) -> Result<Outcome, Error> {
    engine.callback("toy", Callback { body: body.to_string().into_bytes(), ..Callback::default() })
}

#[test]
fn a_signature_over_the_status_is_believed() {
    let engine = engine(json!({"base_url": "http://127.0.0.1:1"}));
    let body = json!({"genuine": true, "evidence": "E1", "order": "A-1", "amount": 5000, "status": "paid"});
    let outcome = receive(&engine, body).expect("is genuine");
    assert_eq!((outcome.result.status, outcome.result.evidence), (Status::Paid, Evidence::E1));
    assert_eq!((outcome.operation.as_str(), outcome.order_id.as_deref()), ("callback", Some("A-1")));
    assert_eq!(outcome.acknowledgement.expect("to be answered").body, r#"{"ok":true}"#);
}

#[test]
fn without_such_a_signature_the_providers_answer_decides() {
    let server =
        Server::answering(&json_answer(200, &json!({"status": "pending", "order": "A-1", "amount": 5000})));
    let engine = engine(json!({"base_url": server.url()}));
    let claims_paid = json!({"genuine": true, "order": "A-1", "amount": 5000, "status": "paid"});
    let outcome = receive(&engine, claims_paid).expect("is genuine");
    assert_eq!((outcome.result.status, outcome.result.evidence), (Status::Pending, Evidence::E2));
    assert_eq!(outcome.result.review, None);
    assert!(server.requests.lock().expect("no panic in the server")[0].starts_with("POST /status"));
}

#[test]
fn what_differs_is_for_a_person_to_look_at() {
    let server = Server::answering(&json_answer(
        200,
        &json!({"status": "paid", "order": "A-1", "amount": 5000, "id": "X1"}),
    ));
    let engine = engine(json!({"base_url": server.url()}));
    let outcome =
        receive(&engine, json!({"genuine": true, "order": "A-1", "amount": 4000, "status": "paid"}))
            .expect("is genuine");
    assert_eq!(
        outcome.result.review.as_deref(),
        Some("the callback names the amount 4000, the provider answers 5000")
    );
    let outcome = receive(&engine, json!({"genuine": true, "order": "A-1", "id": "X2", "status": "paid"}))
        .expect("is genuine");
    assert_eq!(
        outcome.result.review.as_deref(),
        Some("the callback names the payment X2, the provider answers X1")
    );
}

#[test]
fn what_is_not_genuine_gives_no_event() {
    let engine = engine(json!({"base_url": "http://127.0.0.1:1"}));
    let error = receive(&engine, json!({"genuine": false, "order": "A-1", "status": "paid"}))
        .expect_err("is refused");
    assert_eq!((error.code, error.retry), (Code::CallbackRefused, false));
    assert_eq!(error.acknowledgement.as_ref().expect("to be answered").status, 401);
    let document = serde_json::to_string(&error).expect("JSON");
    assert!(!document.contains("A-1") && !document.contains("paid"), "no usable event in it: {document}");

    let other = Callback {
        method: "GET".to_owned(),
        ..serde_json::from_value(json!({})).expect("an empty callback")
    };
    assert_eq!(engine.callback("toy", other).expect_err("is refused").code, Code::CallbackRefused);
    let huge = Callback {
        body: vec![b' '; 300_000],
        ..serde_json::from_value(json!({})).expect("an empty callback")
    };
    assert_eq!(engine.callback("toy", huge).expect_err("is refused").code, Code::CallbackRefused);
    let forged_order = json!({"genuine": true, "order": "A/../1", "status": "paid"});
    assert_eq!(receive(&engine, forged_order).expect_err("is refused").code, Code::CallbackRefused);
}

#[test]
fn passing_trouble_makes_the_provider_try_again() {
    let engine = engine(json!({"base_url": "http://127.0.0.1:1"}));
    let error = receive(&engine, json!({"genuine": true, "order": "A-1", "status": "paid"}))
        .expect_err("nobody can be asked");
    assert_eq!((error.code, error.retry), (Code::CallbackUnconfirmed, true));
    assert_eq!(error.acknowledgement.expect("to be answered").status, 503);
}

#[test]
fn an_unproven_callback_that_nobody_can_confirm_credits_nothing() {
    let engine = engine(json!({"base_url": "http://127.0.0.1:1", "cannot_confirm": true}));
    let error = receive(&engine, json!({"genuine": true, "order": "A-1", "status": "paid"}))
        .expect_err("proves nothing");
    assert_eq!(error.code, Code::CallbackUnconfirmed);

    let waived =
        json!({"genuine": true, "order": "A-1", "status": "paid", "review": "the signature is waived"});
    let outcome = receive(&engine, waived).expect("is kept");
    assert_eq!((outcome.result.status, outcome.result.evidence), (Status::Unknown, Evidence::E0));
    assert_eq!(outcome.result.review.as_deref(), Some("the signature is waived"));
}
