//! The body of a request: whole, not too large, not too slow, and JSON where that is meant.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use bayar::Error;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde_json::{Map, Value};
use tokio::time::timeout;

use crate::problem::Problem;

/// How long a client may take to send it.
const WITHIN: Duration = Duration::from_secs(20);

/// The bytes of a body.
pub(crate) async fn whole(body: Body, limit: usize) -> Result<Bytes, Problem> {
    let collected = timeout(WITHIN, Limited::new(body, limit).collect()).await.map_err(|_| {
        let what = format!("the body did not arrive within {} s", WITHIN.as_secs());
        Problem::new(StatusCode::REQUEST_TIMEOUT, "body_too_slow", what, "Nothing was sent. Call again.")
    })?;
    collected.map(|body| body.to_bytes()).map_err(|error| {
        if error.is::<LengthLimitError>() {
            let what = format!("the body has more than {limit} bytes");
            let advice = "Nothing was sent. Send less, or have body_limit raised.";
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", what, advice)
        } else {
            let what = format!("the body did not arrive whole: {error}");
            Problem::new(StatusCode::BAD_REQUEST, "body_incomplete", what, "Nothing was sent. Call again.")
        }
    })
}

/// What holds the character NUL, which PostgreSQL does not take and nobody means.
fn with_nul(at: &str, object: &Map<String, Value>) -> Option<String> {
    object.iter().find_map(|(name, value)| {
        let path = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
        if name.contains('\0') { Some(path) } else { value_with_nul(&path, value) }
    })
}

fn value_with_nul(at: &str, value: &Value) -> Option<String> {
    match value {
        Value::String(text) => text.contains('\0').then(|| at.to_owned()),
        Value::Object(object) => with_nul(at, object),
        Value::Array(list) => list
            .iter()
            .enumerate()
            .find_map(|(index, value)| value_with_nul(&format!("{at}[{index}]"), value)),
        _ => None,
    }
}

/// Where a character stands that is none of a name or a text.
pub(crate) fn nul(field: &str) -> Problem {
    let field = field.replace('\0', "\\0");
    Error::from(bayar_provider::Error::invalid(&field, "the character NUL in it", "text")).into()
}

/// A JSON object; nothing at all is an empty one.
pub(crate) fn object(body: &[u8]) -> Result<Map<String, Value>, Problem> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Map::new());
    }
    let wrong = |what: String| {
        let advice = "Nothing was sent. Send a JSON object.";
        Problem::new(StatusCode::BAD_REQUEST, "invalid_json", what, advice)
    };
    match bayar::strict_json(body) {
        Ok(Value::Object(object)) => match with_nul("", &object) {
            None => Ok(object),
            Some(field) => Err(nul(&field)),
        },
        Ok(Value::Array(list)) if list.is_empty() => Ok(Map::new()),
        Ok(_) => Err(wrong("the body is JSON, and no object".to_owned())),
        Err(error) => Err(wrong(format!("the body is not JSON: {error}"))),
    }
}
