//! Reading JSON that others wrote: without a second meaning, and ids as text.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Reads bytes as JSON and refuses a key that stands twice in one object, at any depth.
///
/// Two readers of `{"amount":"1","amount":"2"}` may each take another value: what was verified
/// would not be what is credited. serde_json's own `Value` keeps the last without a word.
///
/// # Errors
/// A sentence on what is wrong and where, without any of the content.
pub fn strict(bytes: &[u8]) -> Result<Value, String> {
    match serde_json::from_slice::<Strict>(bytes) {
        Ok(value) => Ok(value.0),
        Err(e) if e.to_string().starts_with(TWICE) => Err(format!("a key stands twice, line {}", e.line())),
        Err(e) => Err(format!("not JSON, line {} column {}", e.line(), e.column())),
    }
}

/// Reads a field that a provider writes as a string or as a number, and keeps it as text; `null`
/// is as absent. For `#[serde(default, deserialize_with = "json::text")]`.
///
/// # Errors
/// Anything else: a truth value, a list, an object.
pub fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text)),
        Value::Number(number) => Ok(Some(number.to_string())),
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
            Err(de::Error::custom("expected a string or a number"))
        }
    }
}

/// How the refusal of a repeated key begins, to tell it from serde_json's own errors.
const TWICE: &str = "a key stands twice";

struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Strict)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("a number out of range"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Strict(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some((key, Strict(value))) = fields.next_entry::<String, Strict>()? {
            if object.insert(key, value).is_some() {
                return Err(de::Error::custom(TWICE));
            }
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn reads_what_serde_json_reads() {
        for text in [r#"{"a":[1,-2,3.5,"x",null,true,{"b":{}}]}"#, "7", r#""é""#, "[]"] {
            assert_eq!(strict(text.as_bytes()).unwrap(), serde_json::from_str::<Value>(text).unwrap());
        }
    }

    #[test]
    fn refuses_a_key_that_stands_twice_at_any_depth() {
        for text in [r#"{"a":1,"a":1}"#, r#"{"a":[{"b":1,"c":2,"b":3}]}"#, r#"{"a":1,"\u0061":2}"#] {
            assert_eq!(strict(text.as_bytes()).unwrap_err(), "a key stands twice, line 1", "{text}");
        }
        for text in ["", "{", "{}x", "<html>", "\"\u{1}\""] {
            assert!(strict(text.as_bytes()).unwrap_err().starts_with("not JSON, line"), "{text}");
        }
        assert!(strict(b"\"\xff\"").is_err());
        assert!(strict("[".repeat(100_000).as_bytes()).is_err(), "depth is limited");
    }

    #[test]
    fn keeps_ids_as_text() {
        assert_eq!(text(json!("007")).unwrap().as_deref(), Some("007"));
        assert_eq!(text(json!(7)).unwrap().as_deref(), Some("7"));
        assert_eq!(text(json!(null)).unwrap(), None);
        for bad in [json!(true), json!([]), json!({})] {
            assert!(text(bad).is_err());
        }
    }
}
