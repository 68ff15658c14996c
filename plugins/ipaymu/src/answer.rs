//! What an answer of iPaymu is: something to read, a documented no, or neither.
//!
//! Answers carry `Status` 200, 400 or 401 in the body, which the HTTP status may agree with or not: the
//! body comes first. Names differ in case between the samples, so they are read without case.

use bayar_provider::{Code, Error, ProviderError, Response};
use serde_json::{Map, Value};

/// What a request was for, which decides what an answer that says nothing leaves open.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Makes something payable, or sends a courier.
    Act,
    /// Asks.
    Ask,
}

/// A success.
pub struct Answer {
    /// The document as it came.
    pub raw: Value,
    /// `Data`, its names in lower case; an object that stands in a list of one is taken out of it.
    pub data: Value,
}

/// Takes an answer apart.
///
/// # Errors
/// A documented no by its own code; whatever leaves the matter open, as [`open`] has it.
pub fn read(response: &Response, kind: Kind) -> Result<Answer, Error> {
    // Redirects, rate limits and server faults say nothing of what became of the request.
    if matches!(response.status, 300..=399 | 429 | 500..=599) {
        return Err(open(response, kind, "iPaymu has trouble"));
    }
    let raw: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let body = lower(&raw);
    match status_of(&body).as_deref() {
        Some("200") => {
            let data = match body.get("data") {
                Some(Value::Array(list)) if list.len() == 1 => lower(&list[0]),
                Some(object @ Value::Object(_)) => lower(object),
                Some(other) => other.clone(),
                None => Value::Null,
            };
            Ok(Answer { raw, data })
        }
        Some(status) => Err(refused(response, kind, status)),
        // Whoever wrote the page, 401 is the refusal to act that HTTP says it is.
        None if response.status == 401 => Err(with(response, Code::Unauthorized, NO_KEY)),
        None => Err(open(response, kind, "the answer is none of iPaymu's")),
    }
}

const NO_KEY: &str = "iPaymu refused VA or signature";

/// The error for an answer that is not what was asked for: unless it was only a question, what became
/// of the request is unknown.
pub fn open(response: &Response, kind: Kind, what: &str) -> Error {
    let code = if kind == Kind::Ask { Code::Protocol } else { Code::OutcomeUnknown };
    let what = format!("{what} (HTTP {}, {} bytes)", response.status, response.body.len());
    with(response, code, &what)
}

/// A documented refusal, by the `Status` of the body.
fn refused(response: &Response, kind: Kind, status: &str) -> Error {
    let words = said(response).message.unwrap_or_default().to_lowercase();
    let says = |texts: &[&str]| texts.iter().any(|text| words.contains(text));
    match status {
        "401" => with(response, Code::Unauthorized, NO_KEY),
        "400" | "404" if kind == Kind::Ask && says(&["not found", "tidak ditemukan"]) => {
            with(response, Code::OrderNotFound, "iPaymu knows no such transaction")
        }
        // An earlier attempt of ours may be what iPaymu speaks of: never just failed.
        "400" if kind == Kind::Act && says(&["duplicate", "already", "sudah"]) => {
            open(response, kind, "iPaymu says that this was done before")
        }
        "400" => with(response, Code::Rejected, "iPaymu refused the request"),
        _ => open(response, kind, "iPaymu answered with a Status that is not documented"),
    }
}

/// An error with iPaymu's own words.
fn with(response: &Response, code: Code, what: &str) -> Error {
    let words = said(response);
    // `success`, in an answer that is otherwise not what was asked for, explains nothing.
    let message = match &words.message {
        Some(message) if words.code.as_deref() != Some("200") => format!("{what}: {message}"),
        _ => what.to_owned(),
    };
    Error::new(code, message).provider(words)
}

/// iPaymu's own words: the reason stands in `Error`, else in `Message`; a short text without a document
/// is taken as it is.
fn said(response: &Response) -> ProviderError {
    let body = serde_json::from_slice(&response.body).map(|raw: Value| lower(&raw)).unwrap_or_default();
    let text = |name: &str| match body.get(name) {
        Some(Value::String(text)) if !text.is_empty() => Some(text.clone()),
        // Several reasons, by field.
        Some(list @ (Value::Array(_) | Value::Object(_))) => Some(list.to_string()),
        _ => None,
    };
    let message = text("error").or_else(|| text("message")).or_else(|| sentence(response));
    let message = message.map(|message| message.chars().take(500).collect());
    ProviderError { code: status_of(&body), message, http_status: Some(response.status) }
}

fn sentence(response: &Response) -> Option<String> {
    let text = std::str::from_utf8(&response.body).ok()?.trim();
    let sentence = !text.is_empty() && text.len() <= 200 && !text.starts_with(['<', '{', '[']);
    sentence.then(|| text.to_owned())
}

fn status_of(body: &Value) -> Option<String> {
    match body.get("status") {
        Some(Value::String(status)) => Some(status.clone()),
        Some(Value::Number(status)) => Some(status.to_string()),
        _ => None,
    }
}

/// The object with lower-case names at its top; anything else is nothing.
pub fn lower(raw: &Value) -> Value {
    let lower = |fields: &Map<String, Value>| {
        fields.iter().map(|(name, value)| (name.to_lowercase(), value.clone())).collect()
    };
    raw.as_object().map_or(Value::Null, lower)
}
