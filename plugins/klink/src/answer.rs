//! What an answer of K-Link is: something to read, a documented no, or neither.
//!
//! A documented no is a JSON object whose `status` (also written `stutas`) says `fail` or `failed`.
//! A status that is missing or another word leaves the matter open: it is not a failure.

use bayar_provider::{Code, Error, ProviderError, Response, json};
use serde_json::{Map, Value};

use crate::embedded;

/// What a request was for, which decides what an unclear answer means.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Asks: it can be asked again.
    Read,
    /// Changes or moves something that K-Link does not key by an id of ours.
    Once,
    /// Moves something that K-Link keys by our order id.
    Keyed,
}

/// What the status word says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// `success`.
    Success,
    /// `fail` or `failed`.
    Fail,
    /// Another word, none, or two that differ.
    Unclear,
}

/// The JSON object of an answer that says `success`; `string` names the field that holds JSON
/// inside a string, if one does.
///
/// # Errors
/// A documented no as [`Code::Rejected`]; whatever leaves the matter open, as [`open`] has it.
pub fn success(response: &Response, purpose: Purpose, string: Option<&str>) -> Result<Value, Error> {
    let body = object(response, purpose, string)?;
    judge(response, purpose, &body)?;
    Ok(body)
}

/// The JSON object of an answer, whatever it says.
///
/// # Errors
/// See [`open`]: redirects, rate limits, server faults, and what is no JSON object.
pub fn object(response: &Response, purpose: Purpose, string: Option<&str>) -> Result<Value, Error> {
    if matches!(response.status, 300..=399 | 408 | 425 | 429 | 500..) {
        // None of these says what became of the request.
        return Err(open(response, purpose, "K-Link has trouble"));
    }
    let body = json::strict(&response.body).ok();
    let body = body.or_else(|| embedded::repair(&response.body, string?));
    body.filter(Value::is_object).ok_or_else(|| open(response, purpose, "the answer is no JSON object"))
}

/// Whether the answer says `success`.
///
/// # Errors
/// As [`success`].
pub fn judge(response: &Response, purpose: Purpose, body: &Value) -> Result<(), Error> {
    match verdict(body) {
        Verdict::Success if response.status < 300 => Ok(()),
        Verdict::Success => Err(open(response, purpose, "the status says success and HTTP does not")),
        Verdict::Fail => Err(refused(response, purpose, body)),
        Verdict::Unclear => Err(open(response, purpose, "the answer says neither success nor fail")),
    }
}

/// What the status word says. Both spellings are printed.
pub fn verdict(body: &Value) -> Verdict {
    let mut words = ["status", "stutas"].into_iter().filter_map(|name| body.get(name));
    let Some(first) = words.next() else { return Verdict::Unclear };
    if words.any(|other| word(other) != word(first)) {
        return Verdict::Unclear;
    }
    word(first)
}

/// What one status word says.
pub fn word(status: &Value) -> Verdict {
    match status.as_str().map(|text| text.trim().to_ascii_lowercase()).as_deref() {
        Some("success") => Verdict::Success,
        Some("fail" | "failed") => Verdict::Fail,
        _ => Verdict::Unclear,
    }
}

/// The error for a documented no.
pub fn refused(response: &Response, purpose: Purpose, body: &Value) -> Error {
    let message = message(body).unwrap_or_default();
    if purpose == Purpose::Keyed && seen_before(&message) {
        // An earlier attempt of ours may be what took the id: never just failed.
        return open(response, purpose, "K-Link has seen this order id before");
    }
    Error::new(Code::Rejected, format!("K-Link refused: {message}")).provider(said(response))
}

/// Whether a message says that an order id was used before. No such message is printed; the ids
/// are documented as unique, so there is one.
fn seen_before(message: &str) -> bool {
    let message = message.to_lowercase();
    ["duplicate", "duplikat", "already", "sudah", "exist", "has been paid", "unik", "unique"]
        .iter()
        .any(|words| message.contains(words))
}

/// The error for an answer that is not what was asked for. After a request that moves, what became
/// of it is unknown; after a question, it can be asked again.
pub fn open(response: &Response, purpose: Purpose, what: &str) -> Error {
    let code = if purpose == Purpose::Read { Code::Protocol } else { Code::OutcomeUnknown };
    let message = format!("{what} (HTTP {}, {} bytes)", response.status, response.body.len());
    Error::new(code, message).provider(said(response))
}

/// K-Link's own words, as far as they can be read.
pub fn said(response: &Response) -> ProviderError {
    let body = json::strict(&response.body).unwrap_or_default();
    ProviderError {
        code: code(&body),
        message: message(&body).or_else(|| plain(response)),
        http_status: Some(response.status),
    }
}

/// The messages of an answer: K-Link's own, and Midtrans' inside it.
pub fn message(body: &Value) -> Option<String> {
    let places = [body.get("message"), body.get("status_message"), body.pointer("/data/status_message")];
    let texts = places.into_iter().flatten().filter_map(Value::as_str).filter(|text| !text.is_empty());
    let messages = texts.collect::<Vec<_>>().join("; ");
    (!messages.is_empty()).then_some(messages)
}

/// Midtrans' status code inside an answer, as text: `05` is one.
pub fn code(body: &Value) -> Option<String> {
    text(body.get("data"), "status_code").or_else(|| text(Some(body), "status_code"))
}

/// A field that is a string or a number, as text; an empty string is as absent.
pub fn text(object: Option<&Value>, name: &str) -> Option<String> {
    match object?.get(name)? {
        Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The object that holds an answer's content: `data` where it is one, else the root.
pub fn content(body: &Value) -> &Value {
    body.get("data").filter(|data| data.is_object()).unwrap_or(body)
}

/// The fields of an object; none where it is no object.
pub fn fields(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

/// A short answer in words: `Too Many Requests`. Pages and documents are left out.
fn plain(response: &Response) -> Option<String> {
    let text = std::str::from_utf8(&response.body).ok()?.trim();
    let words = !text.is_empty() && text.len() <= 200 && !text.starts_with(['<', '{', '[']);
    words.then(|| text.to_owned())
}
