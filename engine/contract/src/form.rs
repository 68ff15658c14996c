//! Reading forms (`application/x-www-form-urlencoded`) and query strings that others wrote:
//! without a second meaning, like [`crate::json::strict`].

use serde_json::Value;

/// The fields of a form, decoded, in the order in which they came.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Form(Vec<(String, String)>);

/// Reads bytes as a form and refuses a name that stands twice.
///
/// Names compare without case, for providers write one name in several ways: of `amount=1&Amount=2`
/// two readers might each take another value, and what was verified would not be what is credited.
///
/// # Errors
/// A sentence on what is wrong, without any of the content: a name that stands twice or is empty,
/// a `%` without two hexadecimal digits, bytes that are not UTF-8.
pub fn strict(bytes: &[u8]) -> Result<Form, String> {
    let mut fields: Vec<(String, String)> = Vec::new();
    for piece in bytes.split(|byte| *byte == b'&').filter(|piece| !piece.is_empty()) {
        let (name, value) = match piece.iter().position(|byte| *byte == b'=') {
            Some(at) => (&piece[..at], &piece[at + 1..]),
            None => (piece, &[][..]),
        };
        let (name, value) = (decoded(name)?, decoded(value)?);
        if name.is_empty() {
            return Err("a field has no name".to_owned());
        }
        if fields.iter().any(|(known, _)| known.eq_ignore_ascii_case(&name)) {
            return Err("a field stands twice".to_owned());
        }
        fields.push((name, value));
    }
    Ok(Form(fields))
}

impl Form {
    /// The value of a field, its name compared without case.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The fields as a JSON object of strings, under the names that came.
    pub fn to_json(&self) -> Value {
        self.0.iter().map(|(name, value)| (name.clone(), Value::String(value.clone()))).collect()
    }
}

fn decoded(text: &[u8]) -> Result<String, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match first {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digit = |at: usize| rest.get(at).and_then(|byte| char::from(*byte).to_digit(16));
                let (Some(high), Some(low)) = (digit(0), digit(1)) else {
                    return Err("a % is not followed by two hexadecimal digits".to_owned());
                };
                bytes.push(u8::try_from(high * 16 + low).expect("two hexadecimal digits are at most 255"));
                rest = &rest[2..];
            }
            other => bytes.push(*other),
        }
    }
    String::from_utf8(bytes).map_err(|_| "a field is not UTF-8".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_a_form() {
        let form = strict(b"a=1&B=x+y%2fz&&c=&d&e=%C3%A9==").unwrap();
        for (name, value) in [("a", "1"), ("b", "x y/z"), ("c", ""), ("d", ""), ("E", "é==")] {
            assert_eq!(form.get(name), Some(value), "{name}");
        }
        assert_eq!(form.get("f"), None);
        assert_eq!(form.to_json(), serde_json::json!({"a": "1", "B": "x y/z", "c": "", "d": "", "e": "é=="}));
        assert_eq!(strict(b""), Ok(Form::default()));
    }

    #[test]
    fn refuses_what_could_be_read_in_two_ways() {
        for (text, why) in [
            ("a=1&a=2", "a field stands twice"),
            ("a=1&A=2", "a field stands twice"),
            ("a=1&%61=2", "a field stands twice"),
            ("=1", "a field has no name"),
            ("a=%4", "a % is not followed by two hexadecimal digits"),
            ("a=%zz", "a % is not followed by two hexadecimal digits"),
            ("a=%", "a % is not followed by two hexadecimal digits"),
            ("a=%ff", "a field is not UTF-8"),
        ] {
            assert_eq!(strict(text.as_bytes()), Err(why.to_owned()), "{text}");
        }
    }

    proptest! {
        #[test]
        fn gives_back_what_was_written(value in any::<String>()) {
            let encoded: String = value.bytes().map(|byte| format!("%{byte:02x}")).collect();
            let form = strict(format!("first=1&value={encoded}").as_bytes()).unwrap();
            prop_assert_eq!(form.get("VALUE"), Some(value.as_str()));
        }

        #[test]
        fn never_panics(bytes in any::<Vec<u8>>()) {
            drop(strict(&bytes));
        }
    }
}
