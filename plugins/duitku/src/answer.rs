//! What an answer of Duitku is: something to read, a documented no, or neither.
//!
//! Duitku writes its own code into the body (`statusCode`, `resultCode`, `responseCode`), or answers
//! with an HTTP status and a sentence. The body comes first. Names differ in case between the samples
//! and tables of the document, so they are read without case.

use bayar_provider::{Code, Error, ProviderError, Response};
use serde_json::{Map, Value};

/// What a request was for, which decides what an answer that says nothing leaves open.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Makes something payable.
    Pay,
    /// Links or unlinks an account.
    Change,
    /// Asks.
    Ask,
}

/// An answer in Duitku's own form.
pub struct Answer {
    /// The document as it came.
    pub raw: Value,
    /// The same with lower-case names.
    pub body: Value,
}

/// The code table at the end of the document (8, Response Code), each with its own meaning.
const MEANINGS: [(&str, Code, &str); 11] = [
    ("01", Code::Rejected, "failed"),
    ("02", Code::OutcomeUnknown, "an unexpected or other error"),
    ("03", Code::Rejected, "the phone number is not valid"),
    ("04", Code::Rejected, "the way to pay is wrong"),
    ("05", Code::Rejected, "the request is not valid"),
    ("06", Code::Unauthorized, "Duitku knows no such merchant"),
    ("07", Code::Rejected, "the way to pay is not available"),
    ("08", Code::Rejected, "the return URL is not valid"),
    ("09", Code::Rejected, "the customer's unique id is not valid"),
    ("10", Code::Rejected, "the credential code is not valid"),
    // After a payment request this may also be "another error": nobody knows whether it was acted upon.
    ("-100", Code::OutcomeUnknown, "the balance is not sufficient, or another error"),
];

/// Takes an answer apart that must carry the code of success.
///
/// # Errors
/// A documented no by its own code; whatever leaves the matter open, as [`open`] has it.
pub fn read(response: &Response, kind: Kind) -> Result<Answer, Error> {
    let answer = answered(response, kind)?;
    match code_of(&answer.body).as_deref() {
        Some("00") => Ok(answer),
        Some(code) => Err(by_code(response, kind, code)),
        None => Err(open(response, kind, "the answer has no code")),
    }
}

/// Takes an answer apart whose code is for the caller to read: the status query uses the same field
/// for the state of a payment.
///
/// # Errors
/// As [`read`], the code table apart.
pub fn answered(response: &Response, kind: Kind) -> Result<Answer, Error> {
    // Redirects, rate limits and server faults say nothing of what became of the request.
    if matches!(response.status, 300..=399 | 429 | 500..=599) {
        return Err(open(response, kind, "Duitku has trouble"));
    }
    let raw: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let body = lower(&raw);
    let stated = code_of(&body).is_some();
    if response.status == 401 && code_of(&body).as_deref() != Some("00") {
        return Err(with(response, Code::Unauthorized, "Duitku refused merchant code or signature"));
    }
    if stated {
        return Ok(Answer { raw, body });
    }
    Err(by_http(response, kind))
}

/// The error for an answer that is not what was asked for: unless it was only a question, what became
/// of the request is unknown and must be queried.
pub fn open(response: &Response, kind: Kind, what: &str) -> Error {
    let code = if kind == Kind::Ask { Code::Protocol } else { Code::OutcomeUnknown };
    let what = format!("{what} (HTTP {}, {} bytes)", response.status, response.body.len());
    with(response, code, &what)
}

/// A code of Duitku's table; one that is not in it leaves the matter open.
pub fn by_code(response: &Response, kind: Kind, code: &str) -> Error {
    let known = MEANINGS.iter().find(|(known, ..)| *known == code);
    match known {
        Some((_, Code::OutcomeUnknown, meaning)) => {
            open(response, kind, &format!("Duitku answered {code}, {meaning}"))
        }
        Some(_) if repeated(response, kind) => open(response, kind, SEEN),
        Some((_, class, meaning)) => with(response, *class, &format!("Duitku answered {code}, {meaning}")),
        None => open(response, kind, &format!("Duitku answered {code}, which is not documented")),
    }
}

/// A refusal by HTTP status (document, 8, HTTP Response Code; public: 404, 409). Only one with words in
/// Duitku's own form, JSON, is believed: a proxy's page or sentence is no word on a payment.
fn by_http(response: &Response, kind: Kind) -> Error {
    let ours = serde_json::from_slice::<Value>(&response.body).is_ok();
    let words = said(response).message.filter(|_| ours).unwrap_or_default();
    let missing = words.to_lowercase().contains("not found");
    match response.status {
        _ if words.is_empty() => open(response, kind, "the answer is none of Duitku's"),
        400 | 404 if kind == Kind::Ask && missing => {
            with(response, Code::OrderNotFound, "Duitku knows no such payment")
        }
        400 | 404 | 405 | 409 if repeated(response, kind) => open(response, kind, SEEN),
        400 | 404 | 405 | 409 => with(response, Code::Rejected, "Duitku refused the request"),
        _ => open(response, kind, "the answer is none that is documented"),
    }
}

const SEEN: &str = "Duitku has seen this order before";

/// Whether a refused payment names an order that is there already: an earlier attempt of ours may have
/// made it.
fn repeated(response: &Response, kind: Kind) -> bool {
    let words = said(response).message.unwrap_or_default().to_lowercase();
    kind == Kind::Pay && ["duplicate", "already", "sudah"].iter().any(|word| words.contains(word))
}

/// An error with Duitku's own words.
fn with(response: &Response, code: Code, what: &str) -> Error {
    let words = said(response);
    // `SUCCESS`, in an answer that is otherwise not what was asked for, explains nothing.
    let message = match &words.message {
        Some(message) if words.code.as_deref() != Some("00") => format!("{what}: {message}"),
        _ => what.to_owned(),
    };
    Error::new(code, message).provider(words)
}

/// Duitku's own words: of its document, or a short sentence without one.
fn said(response: &Response) -> ProviderError {
    let (code, message) = match serde_json::from_slice::<Value>(&response.body) {
        Ok(raw @ Value::Object(_)) => {
            let body = lower(&raw);
            (code_of(&body), message_of(&body))
        }
        Ok(Value::String(sentence)) => (None, sentence_of(&sentence)),
        Ok(_) => (None, None),
        Err(_) => (None, std::str::from_utf8(&response.body).ok().and_then(sentence_of)),
    };
    ProviderError { code, message, http_status: Some(response.status) }
}

/// A short text that is no document: `Wrong signature`.
fn sentence_of(text: &str) -> Option<String> {
    let text = text.trim();
    let sentence = !text.is_empty() && text.len() <= 200 && !text.starts_with(['<', '{', '[']);
    sentence.then(|| text.to_owned())
}

fn code_of(body: &Value) -> Option<String> {
    ["statuscode", "resultcode", "responsecode"].iter().find_map(|name| match body.get(name) {
        Some(Value::String(code)) if !code.is_empty() => Some(code.clone()),
        // `0` and `-100` may stand as numbers; two digits are how the table writes them.
        Some(Value::Number(code)) => {
            Some(code.as_u64().map_or_else(|| code.to_string(), |code| format!("{code:02}")))
        }
        _ => None,
    })
}

fn message_of(body: &Value) -> Option<String> {
    let names = ["statusmessage", "resultmessage", "responsemessage", "message"];
    let mut texts = names.iter().filter_map(|name| body.get(name).and_then(Value::as_str));
    texts.find(|text| !text.is_empty()).map(str::to_owned)
}

/// The document with lower-case names at its top.
fn lower(raw: &Value) -> Value {
    match raw.as_object() {
        Some(fields) => Value::Object(
            fields.iter().map(|(name, value)| (name.to_lowercase(), value.clone())).collect::<Map<_, _>>(),
        ),
        None => Value::Null,
    }
}
