//! Login, and the token that the other operations need.

use jiff::SignedDuration;
use serde_json::json;

use super::{Book, fail};
use crate::provider::{Desk, Reply, Request};
use crate::raw;
use crate::tools::{letters, uuid};

/// Answers `POST /auth/login`.
pub(super) fn login(request: &Request, desk: &mut Desk<'_>) -> Reply {
    let Some(body) = raw::object(&request.body) else { return fail(200, "Format JSON tidak valid!") };
    let given = |name: &str| raw::text(&body, name).unwrap_or_default();
    if given("email") != desk.setting("email") || given("password") != desk.setting("password") {
        return fail(401, "Email atau password salah!");
    }
    let seconds = desk.setting("session_seconds").parse().unwrap_or(3600);
    let (now, single) = (desk.now, desk.setting("single_session") == "true");
    let end = now.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(now);
    let token = format!("{}.{}", letters(24), uuid());
    let book = desk.own::<Book>();
    book.tokens.retain(|_, end| !single && *end > now);
    book.tokens.insert(token.clone(), end);
    let mut document = json!({"status": "success", "message": "Login success!"});
    match desk.setting("token_in") {
        "data" => document["data"] = json!({"Authorization": token}),
        "header" => {
            let mut reply = Reply::json(200, &document);
            reply.headers.push(("authorization".to_owned(), token));
            return reply;
        }
        _ => document["Authorization"] = json!(token),
    }
    Reply::json(200, &document)
}

/// Whether the request carries a token that lives; the token alone, without `Bearer`.
pub(super) fn valid(request: &Request, desk: &mut Desk<'_>) -> bool {
    let now = desk.now;
    let token = request.header("authorization").unwrap_or_default();
    desk.own::<Book>().tokens.get(token).is_some_and(|end| *end > now)
}
