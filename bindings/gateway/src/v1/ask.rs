//! What a request holds, taken apart.

use axum::http::HeaderMap;
use axum::http::request::Parts;
use bayar::Error;
use serde_json::{Map, Value, json};

use crate::problem::Problem;

/// The header that names a payment: the same for every attempt at it.
pub(super) const KEY: &str = "Idempotency-Key";

/// Puts the key into the parameters. Where both name one, they must agree.
pub(super) fn keyed(headers: &HeaderMap, params: &mut Map<String, Value>) -> Result<(), Error> {
    let Some(key) = key(headers)? else { return Ok(()) };
    let given = params.insert("key".to_owned(), json!(key));
    match given {
        Some(other) if !other.is_null() && other != json!(key) => {
            Err(bayar_provider::Error::invalid("key", other, format!("{key:?}, as {KEY} has it, or nothing"))
                .into())
        }
        _ => Ok(()),
    }
}

/// The key, which must be there.
pub(super) fn needed_key(headers: &HeaderMap) -> Result<String, Error> {
    key(headers)?.ok_or_else(|| {
        let needed = "a key of yours, the same for every attempt at this one payment: 1 to 255 characters";
        bayar_provider::Error::missing(KEY, needed).into()
    })
}

/// The key, if there is one.
pub(super) fn key(headers: &HeaderMap) -> Result<Option<String>, Error> {
    let Some(value) = headers.get(KEY) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default();
    if (1..=255).contains(&text.len()) {
        return Ok(Some(text.to_owned()));
    }
    Err(bayar_provider::Error::invalid(KEY, format!("{value:?}"), "1 to 255 characters of ASCII").into())
}

/// The query, by name. What is unknown or given twice is refused.
pub(super) struct Query(Map<String, Value>);

impl Query {
    pub(super) fn of(parts: &Parts, known: &[&str]) -> Result<Query, Error> {
        let mut fields = Map::new();
        let query = parts.uri.query().unwrap_or_default();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decoded(name)?, decoded(value)?);
            if !known.contains(&name.as_str()) {
                let nearest = bayar_provider::params::nearest(&name, known)
                    .map_or_else(String::new, |near| format!("did you mean {near}? "));
                let allowed = format!("{nearest}one of: {}", known.join(", "));
                return Err(bayar_provider::Error::invalid(&name, "an unknown parameter", allowed).into());
            }
            if fields.insert(name.clone(), json!(value)).is_some() {
                return Err(bayar_provider::Error::invalid(&name, "it twice", "it once").into());
            }
        }
        Ok(Query(fields))
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str)
    }

    pub(super) fn truth(&self, name: &str) -> Result<bool, Error> {
        match self.text(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(other) => Err(invalid(name, other, "true or false")),
        }
    }

    pub(super) fn number(&self, name: &str, least: i64, most: i64) -> Result<Option<i64>, Error> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse().ok().filter(|number| digits && (least..=most).contains(number));
        number.map(Some).ok_or_else(|| invalid(name, text, &format!("a number from {least} to {most}")))
    }

    /// A moment, in milliseconds since 1970-01-01 UTC.
    pub(super) fn moment(&self, name: &str) -> Result<Option<i64>, Error> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let moment = text.parse::<jiff::Timestamp>().ok().map(|moment| moment.as_millisecond());
        moment.map(Some).ok_or_else(|| invalid(name, text, "RFC 3339, such as 2025-11-20T08:30:00+07:00"))
    }

    /// One of the words that serde knows.
    pub(super) fn word<T: serde::de::DeserializeOwned>(
        &self,
        name: &str,
        allowed: &str,
    ) -> Result<Option<T>, Error> {
        let Some(text) = self.text(name) else { return Ok(None) };
        serde_json::from_value(json!(text)).map(Some).map_err(|_| invalid(name, text, allowed))
    }
}

fn invalid(name: &str, found: &str, allowed: &str) -> Error {
    bayar_provider::Error::invalid(name, format!("{found:?}"), allowed).into()
}

fn decoded(text: &str) -> Result<String, Error> {
    let plain = text.replace('+', " ");
    let bytes: Vec<u8> = percent_encoding::percent_decode_str(&plain).collect();
    String::from_utf8(bytes).map_err(|_| invalid("query", text, "UTF-8, percent-encoded"))
}

/// Nothing, or an object without anything in it.
pub(super) fn nothing(body: &Map<String, Value>) -> Result<(), Problem> {
    match body.keys().next() {
        None => Ok(()),
        Some(name) => {
            let error = bayar_provider::Error::invalid(name, "an unknown field", "an empty body");
            Err(Error::from(error).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(text: &str) -> Result<Query, Error> {
        let (parts, ()) =
            axum::http::Request::get(format!("/x?{text}")).body(()).expect("a request").into_parts();
        Query::of(&parts, &["limit", "created_after", "review"])
    }

    #[test]
    fn queries_are_read_strictly() {
        let read =
            query("limit=7&created_after=2025-11-20T08:30:00%2B07:00&review=true").expect("it is read");
        assert_eq!(read.number("limit", 1, 100), Ok(Some(7)));
        assert_eq!(read.moment("created_after"), Ok(Some(1_763_602_200_000)));
        assert_eq!(read.truth("review"), Ok(true));
        for (text, says) in
            [("limi=7", "did you mean limit?"), ("limit=1&limit=2", "it twice"), ("limit=%ff", "UTF-8")]
        {
            let error = query(text).err().expect(text);
            assert!(error.message.contains(says), "{text}: {error}");
        }
        for text in ["limit=0", "limit=101", "limit=+5", "limit=", "limit=a"] {
            assert!(query(text).expect("it is read").number("limit", 1, 100).is_err(), "{text}");
        }
        assert!(query("created_after=2025-11-20").expect("it is read").moment("created_after").is_err());
    }

    #[test]
    fn header_and_parameter_agree() {
        let mut headers = HeaderMap::new();
        let mut params = Map::from_iter([("key".to_owned(), json!("a"))]);
        keyed(&headers, &mut params).expect("no header");
        headers.insert(KEY, "b".parse().expect("a value"));
        assert_eq!(keyed(&headers, &mut params).expect_err("another").field.as_deref(), Some("key"));
        let mut params = Map::new();
        keyed(&headers, &mut params).expect("no parameter");
        assert_eq!(params["key"], "b");
        assert!(needed_key(&HeaderMap::new()).is_err());
    }
}
