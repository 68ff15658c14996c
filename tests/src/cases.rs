//! Case files: one call with the answers it gets, or one callback, in plain JSON, and a snapshot
//! of what the provider made of it.
//!
//! ```json
//! { "about": "one sentence",
//!   "settings": { "server_key": "SB-Mid-server-EXAMPLE0000000000000000" },
//!   "call": { "operation": "charge", "params": { "amount": 150000 } },
//!   "responses": [ { "status": 201, "body": { "token": "…" } } ] }
//! ```
//! or, instead of `call` and `responses`,
//! ```json
//!   "callback": { "headers": [["content-type", "application/json"]], "body": "{…}",
//!                 "signature": "body.signature_key", "signed": ["body.order_id"] }
//! ```
//! or neither, for settings that are refused. Clock, nonce and intent are fixed. The snapshot,
//! in `cases/snapshots/`, is what goes over the wire byte for byte, and the outcome or error.
//! After reading a difference, accept it with `INSTA_UPDATE=always`.

use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use bayar_provider::{
    Call, Callback, Class, Code, Description, Error, Event, Outcome, Provider, Request, Response,
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::account::{Account, Next, describe};

/// 2026-02-03T15:10:18+07:00, the moment of every case.
pub const NOW_MS: i64 = 1_770_106_218_000;

/// What a case file holds.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// The file's name without `.json`.
    #[serde(skip)]
    pub name: String,
    /// What it shows, in a sentence.
    pub about: String,
    /// The settings of the account.
    pub settings: Value,
    /// The call.
    #[serde(default)]
    pub call: Option<CaseCall>,
    /// The provider's answers, in order. With fewer than the call wants, the case ends at the request.
    #[serde(default)]
    pub responses: Vec<CaseResponse>,
    /// A callback.
    #[serde(default)]
    pub callback: Option<CaseCallback>,
}

/// A call, as a case file has it.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseCall {
    /// The operation's name.
    pub operation: String,
    /// The host's parameters; none if absent.
    #[serde(default)]
    pub params: Option<Value>,
    /// What the provider knows the order by; `INV-1001` if absent.
    #[serde(default)]
    pub reference: Option<String>,
    /// The session, where the provider has one.
    #[serde(default)]
    pub session: Option<String>,
}

/// A provider's answer, as a case file has it.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseResponse {
    /// The HTTP status.
    pub status: u16,
    /// Headers; a JSON content type if absent.
    #[serde(default)]
    pub headers: Option<Vec<(String, String)>>,
    /// The body: text as it is, anything else as JSON.
    #[serde(default)]
    pub body: Value,
}

/// A callback, as a case file has it.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseCallback {
    /// `POST` if absent.
    #[serde(default)]
    pub method: Option<String>,
    /// The path of the host's URL.
    #[serde(default)]
    pub path: String,
    /// The raw query.
    #[serde(default)]
    pub query: String,
    /// Headers; a JSON content type if absent.
    #[serde(default)]
    pub headers: Option<Vec<(String, String)>>,
    /// Where it came from.
    #[serde(default)]
    pub remote_addr: Option<String>,
    /// The body, byte for byte.
    pub body: String,
    /// The place of the signature, for the promises: `header.<name>` or `body.<field>`.
    #[serde(default)]
    pub signature: Option<String>,
    /// The places that it covers: `body`, or `body.<field>` one by one.
    #[serde(default)]
    pub signed: Vec<String>,
}

/// Runs every case file of a provider and compares each with its snapshot.
pub fn run<P: Provider>(dir: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(Path::new(dir).join("cases/snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let differ: Vec<String> = settings.bind(|| {
        let differs = |case: &Case| {
            let text = transcript::<P>(case);
            catch_unwind(AssertUnwindSafe(|| insta::assert_snapshot!(case.name.as_str(), text))).is_err()
        };
        load(dir).into_iter().filter(differs).map(|case| case.name).collect()
    });
    assert!(differ.is_empty(), "differ from their snapshots: {}", differ.join(", "));
    let orphans = orphans(dir);
    assert!(orphans.is_empty(), "snapshots without a case: {}", orphans.join(", "));
}

/// Snapshots whose case file is gone or was renamed.
fn orphans(dir: &str) -> Vec<String> {
    let names: Vec<String> = load(dir).into_iter().map(|case| case.name).collect();
    let files =
        std::fs::read_dir(Path::new(dir).join("cases/snapshots")).expect("the snapshots were just compared");
    let stems = files.filter_map(|file| {
        let name = file.expect("a directory can be read").file_name().into_string().ok()?;
        name.strip_suffix(".snap").map(str::to_owned)
    });
    stems.filter(|stem| !names.contains(stem)).collect()
}

/// The case files of a provider, by name.
pub fn load(dir: &str) -> Vec<Case> {
    let directory = Path::new(dir).join("cases");
    let entries = std::fs::read_dir(&directory).unwrap_or_else(|e| panic!("{}: {e}", directory.display()));
    let mut paths: Vec<_> = entries.map(|e| e.expect("a directory can be read").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|e| e == "json"));
    paths.sort();
    assert!(!paths.is_empty(), "{}: no case files", directory.display());
    let read = |path: &std::path::PathBuf| {
        let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let case: Case = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let name = path.file_stem().expect("it has an extension").to_string_lossy().into_owned();
        Case { name, ..case }
    };
    paths.iter().map(read).collect()
}

/// What a provider made of a case, to read and to compare.
pub fn transcript<P: Provider>(case: &Case) -> String {
    let mut text = format!("{}\n", case.about);
    let account = match Account::open::<P>(&case.settings) {
        Ok(account) => account,
        Err(error) => {
            write_error(&mut text, &error);
            return text;
        }
    };
    if let Some(callback) = &case.callback {
        match account.verify(&callback.callback()) {
            Ok(event) => write_event(&mut text, &event),
            Err(error) => write_error(&mut text, &error),
        }
    }
    if let Some(call) = &case.call {
        let description = describe::<P>(Some(&case.settings));
        let run = exchange(&account, &call.call(&description), &case.responses);
        for sent in &run.sent {
            check_request(case, &description, &sent.request);
            write_request(&mut text, sent);
        }
        match &run.end {
            End::Outcome(outcome) => write_section(&mut text, "outcome", &pretty(outcome)),
            End::Error(error) => write_error(&mut text, error),
            End::Session(token, life) => {
                write_section(&mut text, "session", &format!("{token} for {life:?} s"))
            }
            End::NeedsSession => write_section(&mut text, "needs a session", ""),
            End::Waits => {}
        }
    }
    text
}

/// A call with the answers of a case: what was sent, and how it ended.
pub struct Run {
    /// The requests, in order.
    pub sent: Vec<Sent>,
    /// How it ended.
    pub end: End,
}

/// One request, and the state kept for its answer.
pub struct Sent {
    /// The request.
    pub request: Request,
    /// The provider's state.
    pub state: Vec<u8>,
}

/// How a call ended.
#[expect(clippy::large_enum_variant, reason = "one per call")]
pub enum End {
    /// With an outcome.
    Outcome(Outcome),
    /// With an error.
    Error(Error),
    /// With a session.
    Session(String, Option<u64>),
    /// Wanting a session.
    NeedsSession,
    /// With a request that the case has no answer to.
    Waits,
}

/// Runs a call with the answers that a case gives.
pub fn exchange(account: &Account, call: &Call, responses: &[CaseResponse]) -> Run {
    let mut sent = Vec::new();
    let mut answers = responses.iter();
    let mut next = account.prepare(call);
    let end = loop {
        let (request, state) = match next {
            Ok(Next::Send(request, state)) => (request, state),
            Ok(Next::Done(outcome)) => break End::Outcome(outcome),
            Ok(Next::NeedsSession) => break End::NeedsSession,
            Ok(Next::Session(token, life)) => break End::Session(token, life),
            Err(error) => break End::Error(error),
        };
        sent.push(Sent { request, state });
        let state = &sent.last().expect("one was pushed").state;
        match answers.next() {
            Some(answer) => next = account.interpret(call, state, &answer.response()),
            None => break End::Waits,
        }
    };
    assert_eq!(answers.len(), 0, "the case has answers that nothing asked for");
    Run { sent, end }
}

impl CaseCall {
    /// The call, with the fixed clock, nonce and intent, and with a key where one is required.
    pub fn call(&self, description: &Description) -> Call {
        let class = description.operations.iter().find(|o| o.name == self.operation).map(|o| o.class);
        let keyed = class.is_some_and(Class::moves);
        Call {
            operation: self.operation.clone(),
            params: self.params.clone().unwrap_or_else(|| json!({})),
            intent: "I0EXAMPLE0INTENT0000000001".to_owned(),
            reference: self.reference.clone().unwrap_or_else(|| "INV-1001".to_owned()),
            key_digest: if keyed { "5d41402abc4b2a76b9719d911017c592".to_owned() } else { String::new() },
            now_ms: NOW_MS,
            nonce: "00112233445566778899aabbccddeeff".to_owned(),
            session: self.session.clone(),
        }
    }
}

impl CaseResponse {
    /// The response.
    pub fn response(&self) -> Response {
        Response { status: self.status, headers: headers(self.headers.as_ref()), body: self.bytes() }
    }

    /// The body's bytes.
    pub fn bytes(&self) -> Vec<u8> {
        match &self.body {
            Value::Null => Vec::new(),
            Value::String(text) => text.clone().into_bytes(),
            json => json.to_string().into_bytes(),
        }
    }
}

impl CaseCallback {
    /// The callback.
    pub fn callback(&self) -> Callback {
        Callback {
            method: self.method.clone().unwrap_or_else(|| "POST".to_owned()),
            path: self.path.clone(),
            query: self.query.clone(),
            headers: headers(self.headers.as_ref()),
            remote_addr: self.remote_addr.clone(),
            received_ms: NOW_MS,
            body: self.body.clone().into_bytes(),
        }
    }
}

fn headers(given: Option<&Vec<(String, String)>>) -> Vec<(String, String)> {
    given.cloned().unwrap_or_else(|| vec![("content-type".to_owned(), "application/json".to_owned())])
}

/// What must hold for every request: where it goes, and that it moves only where the description says so.
fn check_request(case: &Case, description: &Description, request: &Request) {
    let allowed = description
        .origins
        .iter()
        .any(|origin| request.url.strip_prefix(origin.as_str()).is_some_and(|rest| rest.starts_with('/')));
    assert!(allowed, "{}: {} is at none of the origins {:?}", case.name, request.url, description.origins);
    let operation = case.call.as_ref().map_or("", |call| call.operation.as_str());
    let class = description.operations.iter().find(|o| o.name == operation).map(|o| o.class);
    if request.moves {
        assert!(
            class.is_some_and(Class::moves),
            "{}: {operation} moves, but its class is {class:?}",
            case.name
        );
    }
    let twice = request.headers.iter().any(|(name, _)| {
        request.headers.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name)).count() > 1
    });
    assert!(!twice, "{}: a header stands twice", case.name);
}

fn write_request(text: &mut String, sent: &Sent) {
    let request = &sent.request;
    let moves = if request.moves { " (moves)" } else { "" };
    let mut wire = format!("{} {}\n", request.method, request.url);
    for (name, value) in &request.headers {
        writeln!(wire, "{name}: {value}").expect("a string takes text");
    }
    if !request.body.is_empty() {
        write!(wire, "\n{}", String::from_utf8_lossy(&request.body)).expect("a string takes text");
    }
    write_section(text, &format!("request{moves}"), wire.trim_end());
    write_section(text, "state", &String::from_utf8_lossy(&sent.state));
}

fn write_event(text: &mut String, event: &Event) {
    write_section(text, "event", &pretty(event));
}

fn write_error(text: &mut String, error: &Error) {
    let input = matches!(error.code, Code::InvalidParams | Code::InvalidConfig);
    assert!(!input || error.field.is_some(), "a refusal of input names its field: {error}");
    write_section(text, "error", &pretty(error));
}

fn write_section(text: &mut String, title: &str, content: &str) {
    write!(text, "\n--- {title}\n{content}\n").expect("a string takes text");
}

fn pretty<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string_pretty(value).expect("documents are JSON")
}
