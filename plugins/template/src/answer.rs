//! What an answer is: something to read, a documented no, or neither. This is where money is lost
//! or paid twice, so only what the document prints is a no; all else leaves the matter open.
//!
//! To change: the form of an error, and the codes in [`refused`].

use bayar_provider::{Code, Error, ProviderError, Response};
use serde::Deserialize;
use serde_json::Value;

/// An error as the provider writes it.
#[derive(Deserialize)]
struct Refusal {
    error: Words,
}

#[derive(Deserialize)]
struct Words {
    code: String,
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    field: Option<String>,
}

/// Takes an answer apart: the JSON object of a success. `moves` says what the request was for.
///
/// # Errors
/// A documented no by its own code; whatever leaves the matter open, as [`open`] has it.
pub fn read(response: &Response, moves: bool) -> Result<Value, Error> {
    match response.status {
        200 | 201 => serde_json::from_slice(&response.body)
            .ok()
            .filter(Value::is_object)
            .ok_or_else(|| open(response, moves, "the answer is not JSON")),
        // Redirects, rate limits and server faults say nothing of what became of the request.
        300..=399 | 429 | 500..=599 => Err(open(response, moves, "the provider has trouble")),
        _ => Err(refused(response, moves)),
    }
}

/// The error for an answer that is not what was asked for. After a request that moves, what became
/// of it is unknown and must be queried; after a question, it can be asked again.
pub fn open(response: &Response, moves: bool, what: &str) -> Error {
    let code = if moves { Code::OutcomeUnknown } else { Code::Protocol };
    let message = format!("{what} (HTTP {}, {} bytes)", response.status, response.body.len());
    Error::new(code, message).provider(said(response))
}

/// A documented no (Template API, Errors). Codes are matched with the HTTP status that they belong
/// to: a proxy's 404 is no word on an order.
fn refused(response: &Response, moves: bool) -> Error {
    let words = said(response);
    let (code, what) = match (response.status, words.code.as_deref()) {
        (400, Some("INVALID_FIELD")) => (Code::Rejected, "the provider refused the request"),
        (401, _) => (Code::Unauthorized, "the provider refused merchant or signature"),
        (404, Some("NOT_FOUND")) => (Code::OrderNotFound, "the provider knows no such payment"),
        (409, Some("INVALID_STATE")) => (Code::NotPossible, "the payment's present state does not allow it"),
        // An earlier attempt of ours may be what took the id: query, never just failed.
        (409, Some("DUPLICATE_ORDER")) => {
            return open(response, moves, "the provider has seen this id before");
        }
        _ => return open(response, moves, "the answer is none that is documented"),
    };
    let said = words.message.clone().unwrap_or_else(|| format!("HTTP {}", response.status));
    Error::new(code, format!("{what}: {said}")).provider(words)
}

/// The provider's own words.
fn said(response: &Response) -> ProviderError {
    let words = serde_json::from_slice::<Refusal>(&response.body).ok().map(|refusal| refusal.error);
    let (code, message) = words.map_or((None, None), |words| {
        let field = words.field.map(|field| format!(" ({field})")).unwrap_or_default();
        (Some(words.code), words.message.map(|message| message + &field))
    });
    ProviderError { code, message, http_status: Some(response.status) }
}
