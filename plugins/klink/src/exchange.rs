//! The request that all operations share: POST, JSON, and the session's token without `Bearer`.

use bayar_provider::{Call, Code, Error, Request, Step};
use serde::Serialize;

use crate::State;
use crate::describe::reference_rule;
use crate::settings::Settings;

/// Asks K-Link something that moves nothing.
pub fn ask<T: Serialize>(
    account: &Settings,
    call: &Call,
    path: &str,
    body: &T,
    state: State,
) -> Result<Step<State>, Error> {
    let request = post(account, path, body)?;
    Ok(with_session(call, request, state))
}

/// Has K-Link move money, or make something payable.
pub fn act<T: Serialize>(
    account: &Settings,
    call: &Call,
    path: &str,
    body: &T,
    state: State,
) -> Result<Step<State>, Error> {
    let request = post(account, path, body)?.moving();
    Ok(with_session(call, request, state))
}

/// A POST of a JSON document, without a session.
pub fn post<T: Serialize>(account: &Settings, path: &str, body: &T) -> Result<Request, Error> {
    let body = serde_json::to_vec(body).map_err(|e| Error::new(Code::Internal, e.to_string()))?;
    let request = Request::new("POST", format!("{}{path}", account.base_url));
    Ok(request.header("Accept", "application/json").header("Content-Type", "application/json").body(body))
}

/// What is wrong with the parameters was found before this: nobody logs in for a call that cannot be made.
fn with_session(call: &Call, request: Request, state: State) -> Step<State> {
    match &call.session {
        Some(token) => Step::Send(request.header("Authorization", token.as_str()), state),
        None => Step::NeedsSession,
    }
}

/// What K-Link takes as an order id.
pub fn check_reference(call: &Call) -> Result<&str, Error> {
    let rule = reference_rule();
    if rule.allows(&call.reference) {
        return Ok(&call.reference);
    }
    Err(Error::invalid("order_id", format!("{:?}", call.reference), rule))
}

/// A parameter that must say something.
pub fn required<'a>(field: &str, text: &'a str, needed: &str) -> Result<&'a str, Error> {
    if text.trim().is_empty() { Err(Error::missing(field, needed)) } else { Ok(text) }
}
