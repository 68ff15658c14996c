//! What the document prints and no other API does: JSON inside a string, unescaped; times with
//! blanks in them.

use serde_json::{Value, json};

use crate::provider::{Desk, Reply};

/// An answer with one field that is JSON inside a string. As printed, its inner quotes are not
/// escaped, so that the whole is not JSON.
pub(super) fn reply(document: &Value, field: &str, inner: &str, desk: &Desk<'_>) -> Reply {
    if desk.setting("json_in_string") != "as_printed" {
        let mut document = document.clone();
        document[field] = json!(inner);
        return Reply::json(200, &document);
    }
    let text = document.to_string();
    let head = text.trim_end_matches('}');
    Reply::of(200, "application/json", format!("{head},\"{field}\":\"{inner}\"}}").into_bytes())
}

/// `2021-06-17 22: 02: 04`.
pub(super) fn blanks(time: &str) -> String {
    time.replace(':', ": ")
}

/// An object in the order of its fields: serde's own maps sort them, the document does not.
pub(super) fn object(fields: &[(&str, String)]) -> String {
    let pairs: Vec<_> =
        fields.iter().map(|(name, value)| format!("{}: {}", json!(name), json!(value))).collect();
    format!("{{{}}}", pairs.join(", "))
}
