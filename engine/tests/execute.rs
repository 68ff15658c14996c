//! The way out, seen from a host and from a server that answers as it is told.

mod common;
#[path = "common/toy.rs"]
mod toy;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use bayar::journal::{Attempt, Begun, End, Intent, Journal, Received, Scope, Sent};
use bayar::{Ambient, Code, Engine, Error, Gave, Need, Outcome, Progress, Stage, Status};
use bayar_provider::abi::module;
use common::{Server, json_answer};
use serde_json::{Value, json};
use toy::Toy;

/// Writes down what it is told, and fails when it is told to.
#[derive(Default)]
struct Recording {
    lines: Mutex<Vec<String>>,
    fail_sending: AtomicBool,
    fail_concluded: AtomicBool,
    /// Looked at when `sending` is recorded: how many requests had arrived by then.
    server: Mutex<Option<Arc<Mutex<Vec<String>>>>>,
}

impl Recording {
    fn write(&self, line: String) {
        self.lines.lock().expect("no panic here").push(line);
    }

    fn lines(&self) -> Vec<String> {
        self.lines.lock().expect("no panic here").clone()
    }
}

fn unavailable() -> Error {
    serde_json::from_value(json!({
        "code": "journal_unavailable", "message": "the disk is full", "stage": "not_sent", "retry": true, "advice": "x",
    }))
    .expect("an error document")
}

impl Journal for Recording {
    fn name(&self) -> &str {
        "recording"
    }

    fn keeps(&self) -> bool {
        false
    }

    fn sending(&self, attempt: &Attempt<'_>) -> Result<Begun, Error> {
        if self.fail_sending.load(Ordering::SeqCst) {
            return Err(unavailable());
        }
        let server = self.server.lock().expect("no panic here");
        let arrived = server.as_ref().map_or(0, |requests| requests.lock().expect("no panic here").len());
        let number = attempt.after.map_or(1, |before| before.number + 1);
        let (operation, reference, key) = (attempt.operation, &attempt.call.reference, attempt.key);
        self.write(format!("sending {operation} {reference} #{number} key={key} arrived={arrived}"));
        Ok(Begun::Sent(Sent { intent: attempt.call.intent.clone(), number, fence: 1 }))
    }

    fn concluded(&self, _: &Sent, end: &End<'_>) -> Result<Option<Intent>, Error> {
        if self.fail_concluded.load(Ordering::SeqCst) {
            return Err(unavailable());
        }
        self.write(match end {
            End::Outcome(outcome) => format!("outcome {:?}", outcome.result.status),
            End::Error(error) => format!("error {} {:?}", error.code.as_str(), error.stage),
            End::Abandoned => "abandoned".to_owned(),
        });
        Ok(None)
    }

    fn received(&self, scope: Scope<'_>, event: &bayar_provider::Event) -> Result<Received, Error> {
        self.write(format!("received {} {}", scope.account, event.reference));
        Ok(Received { repeated: false, intent: None })
    }
}

/// The same clock and nonce at every call.
struct Fixed;

impl Ambient for Fixed {
    fn now_ms(&self) -> i64 {
        1_770_106_218_000
    }

    fn nonce(&self) -> Result<[u8; 16], Error> {
        Ok([7; 16])
    }
}

struct Bench {
    engine: Engine,
    journal: Arc<Recording>,
    server: Server,
}

fn bench(answers: Vec<Vec<u8>>) -> Bench {
    let server = Server::answering_in_turn(answers);
    let journal = Arc::new(Recording::default());
    *journal.server.lock().expect("no panic here") = Some(Arc::clone(&server.requests));
    let settings = json!({"base_url": server.url(), "secret": "CANARY-SECRET"});
    let engine = open(settings, Arc::clone(&journal)).expect("opens");
    Bench { engine, journal, server }
}

fn open(settings: Value, journal: Arc<Recording>) -> Result<Engine, Error> {
    let config = json!({"engine": {"journal": "none"}, "providers": {"toy": settings}});
    Engine::builder().plugin("toy", module::<Toy>()).ambient(Fixed).journal(journal).open(&config.to_string())
}

fn ok(body: Value) -> Vec<u8> {
    json_answer(200, &body)
}

/// The server closes the connection after reading the request.
fn nothing() -> Vec<u8> {
    Vec::new()
}

impl Bench {
    fn call(&self, operation: &str) -> Result<Outcome, Error> {
        self.engine.call("toy", operation, json!({"order_id": "A-1", "key": "k", "amount": 5000}))
    }
}

#[test]
fn the_intent_is_durable_before_the_request_and_the_outcome_before_the_host() {
    let bench = bench(vec![ok(json!({"status": "pending", "order": "A-1", "amount": 5000}))]);
    let outcome = bench.call("charge").expect("is answered");
    assert_eq!(outcome.result.status, Status::Pending);
    assert_eq!(bench.journal.lines(), ["sending charge A-1 #1 key=k arrived=0", "outcome Pending"]);
    assert_eq!(
        (outcome.order_id.as_deref(), outcome.account.as_str(), outcome.provider.as_str()),
        (Some("A-1"), "toy", "toy")
    );
}

#[test]
fn what_moves_nothing_is_not_journaled() {
    let bench = bench(vec![ok(json!({"status": "paid"}))]);
    bench.call("status").expect("is answered");
    assert!(bench.journal.lines().is_empty());
}

#[test]
fn without_a_journal_nothing_is_sent() {
    let bench = bench(vec![ok(json!({"status": "paid"}))]);
    bench.journal.fail_sending.store(true, Ordering::SeqCst);
    for operation in ["charge", "transfer", "invoice", "tweak"] {
        let error = bench.call(operation).expect_err("the journal is full");
        assert_eq!(
            (error.code, error.stage, error.retry),
            (Code::JournalUnavailable, Stage::NotSent, true),
            "{operation}"
        );
    }
    assert_eq!(bench.server.count(), 0);
}

#[test]
fn an_outcome_that_cannot_be_written_travels_in_the_error() {
    let bench = bench(vec![ok(json!({"status": "paid", "order": "A-1"}))]);
    bench.journal.fail_concluded.store(true, Ordering::SeqCst);
    let error = bench.call("transfer").expect_err("the journal is full");
    assert_eq!((error.code, error.stage, error.retry), (Code::JournalUnavailable, Stage::Answered, false));
    assert_eq!(error.outcome.expect("the outcome is inside").result.status, Status::Paid);
    assert!(error.intent.is_some());
}

#[test]
fn a_lost_answer_is_unknown_wherever_money_moves() {
    // operation, code, whether the same call may be repeated
    let cases = [
        ("charge", Code::OutcomeUnknown, true),
        ("pay", Code::OutcomeUnknown, false),
        ("transfer", Code::OutcomeUnknown, false),
        ("invoice", Code::OutcomeUnknown, false),
        ("tweak", Code::OutcomeUnknown, false),
        ("status", Code::Network, true),
    ];
    for (operation, code, retry) in cases {
        let bench = bench(vec![nothing()]);
        let error = bench.call(operation).expect_err("the answer is lost");
        assert_eq!(
            (error.code, error.stage, error.retry),
            (code, Stage::MaybeSent, retry),
            "{operation}: {error}"
        );
        assert_eq!(bench.server.count(), 1, "{operation} was sent once");
        assert_eq!(error.reference.as_deref(), Some("A-1"));
    }
}

#[test]
fn an_unreadable_answer_is_unknown_wherever_money_moves() {
    for answer in [
        json_answer(500, &json!({})),
        b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 6\r\n\r\n<html>".to_vec(),
    ] {
        for (operation, code, stage, retry) in [
            ("transfer", Code::OutcomeUnknown, Stage::MaybeSent, false),
            ("charge", Code::OutcomeUnknown, Stage::MaybeSent, true),
            ("status", Code::Protocol, Stage::Answered, true),
        ] {
            let error = bench(vec![answer.clone()]).call(operation).expect_err("cannot be read");
            assert_eq!((error.code, error.stage, error.retry), (code, stage, retry), "{operation}");
            assert!(error.provider.expect("says what was heard").http_status.is_some());
        }
    }
}

#[test]
fn a_documented_refusal_is_answered_and_never_repeatable() {
    let bench = bench(vec![json_answer(400, &json!("CANARY-SECRET is wrong"))]);
    let error = bench.call("charge").expect_err("is refused");
    assert_eq!((error.code, error.stage, error.retry), (Code::Rejected, Stage::Answered, false));
    assert_eq!(error.message, "\"*** is wrong\"", "what the provider echoes is redacted");
    assert_eq!(bench.journal.lines()[1], "error rejected Answered");
}

#[test]
fn nobody_listens() {
    let journal = Arc::new(Recording::default());
    let engine = open(json!({"base_url": "http://127.0.0.1:1"}), Arc::clone(&journal)).expect("opens");
    let error = engine.call("toy", "transfer", json!({"key": "k"})).expect_err("nobody listens");
    assert_eq!((error.code, error.stage, error.retry), (Code::Network, Stage::NotSent, true));
    assert_eq!(journal.lines()[1], "error network NotSent");
}

#[test]
fn a_second_moving_request_is_never_sent() {
    let bench = bench(vec![ok(json!({}))]);
    let error = bench.call("twice").expect_err("the plugin wants two");
    assert_eq!((error.code, error.stage), (Code::PluginFailed, Stage::MaybeSent));
    assert_eq!(bench.server.count(), 1);
}

#[test]
fn exchanges_are_limited_and_stay_at_home() {
    let bench = bench(vec![ok(json!({}))]);
    assert_eq!(bench.call("endless").expect_err("never ends").code, Code::TooManyExchanges);
    assert_eq!(bench.server.count(), 8);

    let error = bench.call("stray").expect_err("the origin is not on the list");
    assert_eq!((error.code, error.stage), (Code::ForbiddenOrigin, Stage::NotSent));
    assert_eq!(bench.server.count(), 8);
}

#[test]
fn origins_compare_as_origins() {
    let server = Server::answering(&ok(json!({"status": "paid"})));
    let shouted = server.url().replace("http://", "HTTP://");
    let engine = open(json!({"base_url": shouted}), Arc::default()).expect("opens");
    assert!(engine.call("toy", "status", json!({})).is_ok());
    let error = open(json!({"base_url": "pay.example.com"}), Arc::default()).expect_err("no URL");
    assert_eq!((error.code, error.field.as_deref()), (Code::InvalidConfig, Some("providers.toy")));
}

#[test]
fn another_orders_answer_is_no_answer() {
    let bench = bench(vec![ok(json!({"status": "paid", "order": "A-2"}))]);
    assert_eq!(bench.call("charge").expect_err("another order").code, Code::OutcomeUnknown);
    assert_eq!(bench.call("status").expect_err("another order").code, Code::Protocol);
}

#[test]
fn another_amount_is_for_a_person_to_look_at() {
    let bench = bench(vec![ok(json!({"status": "paid", "order": "A-1", "amount": "4999.00"}))]);
    let outcome = bench.call("charge").expect("is answered");
    assert_eq!(
        outcome.result.review.as_deref(),
        Some("the provider answered an amount of 4999, asked was 5000")
    );
}

#[test]
fn the_same_call_gives_the_same_bytes() {
    let bench = bench(vec![ok(json!({"status": "pending"}))]);
    let params = json!({"key": "k", "amount": 5000});
    for _ in 0..2 {
        bench.engine.call("toy", "charge", params.clone()).expect("is answered");
    }
    let requests = bench.server.requests.lock().expect("no panic in the server");
    assert_eq!(requests[0], requests[1]);
    assert!(requests[0].contains("\"order\":\"B1KGH8TSG"), "an engine-made reference: {}", requests[0]);
}

#[test]
fn bad_input_is_refused_before_anything_is_sent() {
    let bench = bench(vec![ok(json!({}))]);
    let cases = [
        ("charge", json!({"amount": 1}), Code::InvalidParams, "key"),
        ("charge", json!({"amount": 1, "key": ""}), Code::InvalidParams, "key"),
        ("charge", json!({"amount": 1, "key": 7}), Code::InvalidParams, "key"),
        ("charge", json!({"amount": 1.5, "key": "k"}), Code::InvalidParams, "amount"),
        ("charge", json!({"amount": -1, "key": "k"}), Code::InvalidParams, "amount"),
        ("charge", json!({"amuont": 1, "key": "k"}), Code::InvalidParams, "amuont"),
        ("charge", json!({"order_id": "A 1", "key": "k"}), Code::InvalidParams, "order_id"),
        ("charge", json!({"order_id": "A".repeat(25), "key": "k"}), Code::InvalidParams, "order_id"),
        ("charge", json!({"order_id": 17, "key": "k"}), Code::InvalidParams, "order_id"),
        ("charge", json!({"reference": "A/1", "key": "k"}), Code::InvalidParams, "reference"),
        ("charge", json!({"deadline_ms": 0, "key": "k"}), Code::InvalidParams, "deadline_ms"),
        ("charge", json!([1]), Code::InvalidParams, "params"),
    ];
    for (operation, params, code, field) in cases {
        let error = bench.engine.call("toy", operation, params.clone()).expect_err("is refused");
        assert_eq!(
            (error.code, error.stage, error.field.as_deref()),
            (code, Stage::NotSent, Some(field)),
            "{params}"
        );
    }
    let error = bench.engine.call("toy", "chrage", json!({})).expect_err("is refused");
    assert_eq!(error.code, Code::Unsupported);
    assert!(error.message.contains("did you mean charge?"), "{}", error.message);
    let error = bench.engine.call("toi", "charge", json!({})).expect_err("is refused");
    assert_eq!(error.code, Code::UnknownAccount);
    assert!(error.message.contains("did you mean toy?"), "{}", error.message);
    assert_eq!(
        bench.engine.call("toy", "session", json!({})).expect_err("is the engine's").code,
        Code::Unsupported
    );
    assert_eq!(
        bench.engine.call("bayar", "intents", json!({})).expect_err("needs a journal").code,
        Code::Unsupported
    );
    assert_eq!(bench.server.count(), 0);
    assert!(bench.journal.lines().is_empty());
}

#[test]
fn a_plugin_that_takes_the_engines_parameters_is_refused() {
    for name in ["key", "tenant", "reference", "deadline_ms"] {
        let error = open(json!({"base_url": "http://127.0.0.1:1", "declares": name}), Arc::default())
            .expect_err("is refused");
        assert_eq!(error.code, Code::PluginFailed);
        assert!(error.message.contains(&format!("declares the parameter {name}")), "{}", error.message);
    }
}

#[test]
fn all_callers_share_one_login() {
    let mut answers =
        vec![b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 5\r\n\r\nTOKEN".to_vec()];
    answers.push(ok(json!({"status": "done"})));
    let bench = Arc::new(bench(answers));
    let callers: Vec<_> = (0..8)
        .map(|_| {
            let bench = Arc::clone(&bench);
            std::thread::spawn(move || bench.call("wallet").expect("is answered"))
        })
        .collect();
    callers.into_iter().for_each(|caller| drop(caller.join().expect("no panic")));
    let requests = bench.server.requests.lock().expect("no panic in the server");
    let logins = requests.iter().filter(|request| request.starts_with("POST /login")).count();
    assert_eq!((logins, requests.len()), (1, 9));
    assert!(requests.iter().skip(1).all(|request| request.contains("TOKEN")));
}

#[test]
fn a_refused_session_is_renewed_once() {
    let login = |token: &str| {
        format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{token}").into_bytes()
    };
    let refused = json_answer(401, &json!({}));
    let bench1 = bench(vec![login("T1"), refused.clone(), login("T2"), ok(json!({"status": "done"}))]);
    assert_eq!(bench1.call("wallet").expect("is answered").result.status, Status::Done);
    assert_eq!(
        bench1.journal.lines()[..2],
        ["sending wallet A-1 #1 key=k arrived=1", "sending wallet A-1 #2 key=k arrived=3"]
    );

    let bench2 = bench(vec![login("T1"), refused.clone(), login("T2"), refused]);
    let error = bench2.call("wallet").expect_err("is refused twice");
    assert_eq!(
        (error.code, error.stage),
        (Code::Unauthorized, Stage::Answered),
        "a refusal is not acted upon"
    );
    assert_eq!(bench2.server.count(), 4, "not a third time");
}

#[test]
fn a_failed_login_gives_the_lease_back() {
    let login = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nT1".to_vec();
    let bench = bench(vec![nothing(), json_answer(403, &json!({})), login, ok(json!({"status": "done"}))]);
    let error = bench.call("wallet").expect_err("the login's answer is lost");
    assert_eq!(
        (error.code, error.stage, error.retry),
        (Code::Network, Stage::NotSent, true),
        "the transfer itself was not sent"
    );
    assert_eq!(bench.call("wallet").expect_err("the login is refused").code, Code::Unauthorized);
    assert!(bench.call("wallet").is_ok());
}

#[test]
fn a_host_sends_the_request_itself() {
    let bench = bench(vec![ok(json!({}))]);
    let mut task =
        bench.engine.start("toy", "transfer", json!({"order_id": "A-1", "key": "k"})).expect("starts");
    let Progress::Need(Need::Http { request, fresh, .. }) = task.advance() else {
        panic!("a request is needed")
    };
    assert!(fresh && request.moves && request.url.ends_with("/transfer"));
    assert_eq!(
        bench.journal.lines(),
        ["sending transfer A-1 #1 key=k arrived=0"],
        "durable before it is handed out"
    );
    task.give(Gave::Response(bayar::Response {
        status: 200,
        headers: vec![],
        body: br#"{"status":"done"}"#.to_vec(),
    }));
    let Progress::Done(Ok(outcome)) = task.advance() else { panic!("is finished") };
    assert_eq!(outcome.result.status, Status::Done);
    assert_eq!(bench.server.count(), 0);
}

#[test]
fn an_operation_dropped_midway_may_have_been_sent() {
    let bench = bench(vec![ok(json!({}))]);
    let mut task =
        bench.engine.start("toy", "transfer", json!({"order_id": "A-1", "key": "k"})).expect("starts");
    assert!(bench.journal.lines().is_empty(), "nothing runs before it is advanced");
    assert!(matches!(task.advance(), Progress::Need(Need::Http { .. })));
    drop(task);
    assert_eq!(bench.journal.lines()[1], "abandoned");
}
