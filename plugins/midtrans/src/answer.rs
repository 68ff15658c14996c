//! What an answer of Midtrans is: something to read, a documented no, or neither.
//!
//! The Core API answers HTTP 200 with the real code in the body's `status_code`, so the body
//! comes first. Codes: docs.midtrans.com, Status Code 2xx to 5xx.

use bayar_provider::{Code, Error, ProviderError, Response};
use serde_json::Value;

/// An answer with a JSON object and no refusal in it.
pub struct Answer {
    /// The code of the body, else of HTTP.
    pub code: u16,
    /// The object.
    pub body: Value,
}

/// What a request was for, which decides what a refusal means.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Makes something payable.
    Charge,
    /// Acts upon a transaction that is there.
    Act,
    /// Asks.
    Read,
}

/// What a refusal carries: the Core API a code, a message and validation messages, Snap a list.
struct Refusal {
    code: Option<String>,
    messages: Vec<String>,
}

/// Takes an answer apart.
///
/// # Errors
/// A documented refusal by its own code. Whatever leaves the matter open, as [`open`] has it.
pub fn read(response: &Response, kind: Kind) -> Result<Answer, Error> {
    let http = response.status;
    let Some(body) = object(response) else {
        return Err(match http {
            // Whoever wrote the page, 401 is the refusal to act that HTTP says it is.
            401 => with(response, &Refusal::of(&Value::Null), Code::Unauthorized, NO_KEY),
            _ => unreadable(response, kind),
        });
    };
    let refusal = Refusal::of(&body);
    let stated = refusal.code.as_deref().filter(|code| code.len() == 3).and_then(|code| code.parse().ok());
    let code = stated.unwrap_or(http);
    // HTTP 202 without a code: the first request with this Idempotency-Key is still at work.
    if doubtful(http) || doubtful(code) || (http == 202 && stated.is_none()) {
        return Err(with(response, &refusal, open_code(kind), "Midtrans has trouble, or is still at work"));
    }
    // 407 with a transaction is how an expired one is answered, by `expire` itself too.
    let transaction = body.get("transaction_status").is_some_and(Value::is_string);
    if (200..300).contains(&code) || (code == 407 && transaction) {
        return Ok(Answer { code, body });
    }
    if stated.is_none() && refusal.messages.is_empty() && code != 401 {
        return Err(unreadable(response, kind));
    }
    Err(refused(response, &refusal, code, kind))
}

/// The error for an answer that was read and is not what was asked for: unless it was only a
/// question, what became of the request is unknown and must be queried.
pub fn open(kind: Kind, message: impl Into<String>) -> Error {
    Error::new(open_code(kind), message)
}

/// The error for an answer that is not Midtrans' own.
fn unreadable(response: &Response, kind: Kind) -> Error {
    open(kind, format!("HTTP {}, {} bytes, not an answer of Midtrans", response.status, response.body.len()))
}

/// An error that has the provider's own words, whatever it was that went wrong with the answer.
pub fn attributed(error: Error, response: &Response) -> Error {
    if error.provider.is_some() {
        return error;
    }
    let refusal = Refusal::of(&object(response).unwrap_or_default());
    let words = (!refusal.messages.is_empty()).then(|| refusal.messages.join("; "));
    error.provider(ProviderError {
        code: refusal.code,
        message: words.or_else(|| plain(response)),
        http_status: Some(response.status),
    })
}

/// A short answer in words: `Too Many Requests`. Pages and documents are left out.
fn plain(response: &Response) -> Option<String> {
    let text = std::str::from_utf8(&response.body).ok()?.trim();
    let words = !text.is_empty() && text.len() <= 200 && !text.starts_with(['<', '{', '[']);
    words.then(|| text.to_owned())
}

/// Whether a message says that an id was used before: "…order_id has already been taken",
/// "…sudah digunakan". Snap tells it with 400.
pub fn duplicate(text: &str) -> bool {
    let text = text.to_lowercase();
    ["already been taken", "already been utilized", "digunakan sebelumnya", "sudah digunakan"]
        .iter()
        .any(|words| text.contains(words))
}

/// A documented refusal, by its code.
fn refused(response: &Response, refusal: &Refusal, code: u16, kind: Kind) -> Error {
    let (code, what) = match code {
        401 => (Code::Unauthorized, NO_KEY),
        // An earlier attempt of ours may be what took the id: query, never just failed.
        406 => (open_code(kind), "Midtrans has seen this id before"),
        400 if refusal.messages.iter().any(|text| duplicate(text)) => {
            (open_code(kind), "Midtrans has seen this id before")
        }
        404 if kind == Kind::Act => (Code::OrderNotFound, NO_TRANSACTION),
        404 if kind == Kind::Read => (Code::OrderNotFound, "Midtrans knows no such transaction"),
        412 => (Code::NotPossible, "Midtrans cannot do this in the payment's present state"),
        400 | 402..=405 | 407..=411 | 413 | 414 => (Code::Rejected, "Midtrans refused the request"),
        _ => (open_code(kind), "Midtrans answered with a code that is not documented"),
    };
    with(response, refusal, code, what)
}

/// Snap pages have no address to withdraw them at (docs.midtrans.com, Snap API).
const NO_TRANSACTION: &str = "Midtrans knows no such transaction (a Snap page has none before its payer chooses a way to \
    pay; it ends 24 hours after it was made, unless expires_in or Midtrans' dashboard say otherwise)";

const NO_KEY: &str = "Midtrans refused the server key";

/// Redirects, rate limits and server faults say nothing of what became of the request.
fn doubtful(code: u16) -> bool {
    matches!(code, 300..=399 | 429 | 500..=599)
}

fn open_code(kind: Kind) -> Code {
    match kind {
        Kind::Charge | Kind::Act => Code::OutcomeUnknown,
        Kind::Read => Code::Protocol,
    }
}

fn object(response: &Response) -> Option<Value> {
    serde_json::from_slice(&response.body).ok().filter(Value::is_object)
}

impl Refusal {
    /// Read field by field, for a refusal must be understood whatever else is wrong with it.
    fn of(body: &Value) -> Self {
        let code = match body.get("status_code") {
            Some(Value::String(text)) => Some(text.clone()),
            Some(Value::Number(number)) => Some(number.to_string()),
            _ => None,
        };
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let list = |name| body.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(text);
        let message = body.get("status_message").and_then(text);
        let messages = message.into_iter().chain(list("error_messages")).chain(list("validation_messages"));
        Refusal { code, messages: messages.collect() }
    }
}

/// An error with Midtrans' own words.
fn with(response: &Response, refusal: &Refusal, code: Code, what: &str) -> Error {
    let words = refusal.messages.join("; ");
    let said = if words.is_empty() { format!("HTTP {}", response.status) } else { words.clone() };
    Error::new(code, format!("{what}: {said}")).provider(ProviderError {
        code: refusal.code.clone(),
        message: (!words.is_empty()).then_some(words),
        http_status: Some(response.status),
    })
}
