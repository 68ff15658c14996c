//! JSON inside a string: `transaction` of the history, `data` of a reconciliation.
//!
//! As printed, the quotes inside are not escaped (`"data": "{"id_member":"…"}"`), so the whole
//! answer is no JSON. That one field is repaired, and only where nothing is left to guess: a JSON
//! text has one end, the closing quote must follow it, and the rest must be JSON by itself.
//! Everything else stays unreadable.

use bayar_provider::json;
use serde::de::IgnoredAny;
use serde_json::{Deserializer, Value};

/// The content of a field that holds JSON inside a string, or the JSON itself; `None` where it is neither.
pub fn inner(value: &Value) -> Option<Value> {
    match value {
        Value::String(text) => json::strict(text.as_bytes()).ok(),
        Value::Array(_) | Value::Object(_) => Some(value.clone()),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

/// Reads an answer whose field `name` holds JSON between quotes without escaping it. The field
/// then holds that JSON itself.
pub fn repair(body: &[u8], name: &str) -> Option<Value> {
    let start = opening(body, name)?;
    let length = value_length(&body[start..])?;
    let content = json::strict(&body[start..start + length]).ok()?;
    // The rest, in which an empty string must be left where the field's value stood.
    let rest = [&body[..start], &body[start + length..]].concat();
    let mut answer = json::strict(&rest).ok()?;
    let field = answer.get_mut(name)?;
    // Text before or after it, or the name inside another field's text: not what is repaired here.
    if field.as_str().is_none_or(|text| !text.trim().is_empty()) {
        return None;
    }
    *field = content;
    Some(answer)
}

/// Where the JSON begins that follows `"name": "`.
fn opening(body: &[u8], name: &str) -> Option<usize> {
    let quoted = format!("\"{name}\"");
    let mut at = body.windows(quoted.len()).position(|window| window == quoted.as_bytes())? + quoted.len();
    for sign in [b':', b'"'] {
        at += blanks(&body[at..]);
        if body.get(at) != Some(&sign) {
            return None;
        }
        at += 1;
    }
    at += blanks(&body[at..]);
    matches!(body.get(at), Some(b'[' | b'{')).then_some(at)
}

/// How long the JSON value is that stands first.
fn value_length(bytes: &[u8]) -> Option<usize> {
    let mut values = Deserializer::from_slice(bytes).into_iter::<IgnoredAny>();
    values.next()?.ok()?;
    Some(values.byte_offset())
}

fn blanks(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|b| b.is_ascii_whitespace()).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    /// As the document prints it, with the blanks in the times.
    #[test]
    fn reads_what_the_document_prints() {
        let printed = br#"{ "status": "success", "message": "Reconcile ID Order 123456789 Success!",
            "data": "{"id_member":"idspaa001", "order_id":"123456789", "datetime":"2021-07-28 18: 32: 11", "credit":"90000.00"}" }"#;
        let read = repair(printed, "data").unwrap();
        assert_eq!(read["status"], "success");
        assert_eq!(read["data"]["credit"], "90000.00");
    }

    #[test]
    fn guesses_nothing() {
        for (what, body) in [
            ("no closing quote", r#"{"data":"{"a":1}}"#),
            ("cut inside", r#"{"data":"{"a":1"#),
            ("cut after", r#"{"data":"{"a":1}""#),
            ("two fields broken", r#"{"data":"{"a":1}","other":"{"b":2}"}"#),
            ("a key twice inside", r#"{"data":"{"a":1,"a":2}"}"#),
            ("a key twice outside", r#"{"status":"fail","status":"success","data":"{"a":1}"}"#),
            ("the name inside a text", r#"{"message":"x \"data\": \"{"a":1}"}"#),
            ("no such field", r#"{"other":"{"a":1}"}"#),
            ("a word", r#"{"data":"x"y"}"#),
            ("text before it", r#"{"data":"x{"a":1}"}"#),
            ("text after it", r#"{"data":"{"a":1}x"}"#),
            ("deeper", r#"{"in":{"data":"{"a":1}"}}"#),
        ] {
            assert_eq!(repair(body.as_bytes(), "data"), None, "{what}");
        }
    }

    #[test]
    fn takes_json_with_or_without_the_string() {
        assert_eq!(inner(&json!("[1]")), Some(json!([1])));
        assert_eq!(inner(&json!([1])), Some(json!([1])));
        for bad in [json!("[1"), json!(""), json!(1), json!(null), json!(r#"{"a":1,"a":2}"#)] {
            assert_eq!(inner(&bad), None, "{bad}");
        }
    }

    proptest! {
        /// Escaped as it should be or not at all: the same is read, whatever the texts hold.
        #[test]
        fn both_forms_read_the_same(rows in prop::collection::vec((".*", "[0-9]{1,9}\\.00"), 0..5), message in ".*") {
            let rows: Vec<Value> = rows
                .into_iter()
                .map(|(description, debit)| json!({"description": description, "debit": debit}))
                .collect();
            let rows = Value::from(rows);
            let message = Value::from(message.replace("transaction", ""));
            let proper = json!({"message": message, "transaction": rows.to_string()}).to_string();
            let proper = json::strict(proper.as_bytes()).unwrap();
            prop_assert_eq!(inner(&proper["transaction"]), Some(rows.clone()));
            let printed = format!("{{\"message\":{message},\"transaction\":\"{rows}\"}}");
            prop_assert_eq!(repair(printed.as_bytes(), "transaction").map(|mut read| read["transaction"].take()), Some(rows));
        }

        #[test]
        fn never_panics(before in ".*", inside in ".*", after in prop::collection::vec(any::<u8>(), 0..40)) {
            let mut body = format!("{before}\"data\": \"{inside}").into_bytes();
            body.extend(after);
            repair(&body, "data");
        }

        /// Cut anywhere, nothing is read: what is not whole is not an answer.
        #[test]
        fn what_is_cut_is_not_read(at in 0usize..64) {
            let whole = r#"{"status":"success","data":"{"order_id":"1","credit":"90000.00"}"}"#;
            prop_assume!(at < whole.len());
            prop_assert_eq!(repair(&whole.as_bytes()[..at], "data"), None);
        }
    }
}
