//! Logging in: one token for many calls, of a life that is not printed. HTTP 401 to a call means
//! that it ended; the engine then logs in once more, for all callers.
//!
//! Source: parts 1 a, 2 a and 3 a, Login API Authorization.

use bayar_provider::{Code, Error, Response, Secret, Step};
use serde::Serialize;
use serde_json::Value;

use crate::answer::{self, Purpose, Verdict};
use crate::settings::{Settings, wrong};
use crate::{State, exchange};

#[derive(Serialize)]
struct Body<'a> {
    email: &'a str,
    password: &'a str,
}

/// Builds the login.
pub fn prepare(account: &Settings) -> Result<Step<State>, Error> {
    let missing = |name| wrong(name, "is not configured: without it this account only receives callbacks");
    let email = account.email.as_deref().ok_or_else(|| missing("email"))?;
    let password = account.password.as_ref().ok_or_else(|| missing("password"))?.expose();
    let request = exchange::post(account, &account.path_login, &Body { email, password })?;
    Ok(Step::Send(request, State::Session))
}

/// Reads the token. The sample of the answer is lost, so it is looked for in the body, in its
/// `data`, and in the response's header.
pub fn read(response: &Response) -> Result<Step<State>, Error> {
    let refused = |message: &str| {
        Error::new(Code::Unauthorized, format!("K-Link refused the login: {message}"))
            .provider(answer::said(response))
    };
    if matches!(response.status, 401 | 403) {
        return Err(refused(&format!("HTTP {}", response.status)));
    }
    let body = answer::object(response, Purpose::Read, None)?;
    if answer::verdict(&body) == Verdict::Fail {
        return Err(refused(&answer::message(&body).unwrap_or_default()));
    }
    if !(200..300).contains(&response.status) {
        return Err(answer::open(response, Purpose::Read, "the login was not answered as documented"));
    }
    let places = [body.get("Authorization"), body.pointer("/data/Authorization")];
    let token = places.into_iter().flatten().find_map(Value::as_str).or(response.header("Authorization"));
    let token =
        token.map(str::trim).filter(|t| !t.is_empty() && t.bytes().all(|b| (0x20..0x7f).contains(&b)));
    match token {
        Some(token) => Ok(Step::Session { token: Secret::new(token), expires_in: None }),
        None => Err(answer::open(response, Purpose::Read, "the login's answer has no token")),
    }
}
