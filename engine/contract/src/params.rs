//! Reading parameters and settings into a plugin's own types, with errors that name the
//! field, what was found and what is allowed.

use schemars::JsonSchema;
use serde::Deserializer;
use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{self, DeserializeOwned, IntoDeserializer, Unexpected, Visitor};
use serde_json::{Map, Value};

use crate::describe::schema;
use crate::error::{Code, Error};

/// Reads `value` as a `T`.
///
/// # Errors
/// [`Code::InvalidParams`] with the path of the field: unknown (and the nearest known one),
/// missing, given twice, or of another form than allowed.
pub fn read<T: DeserializeOwned>(value: &Value) -> Result<T, Error> {
    serde_path_to_error::deserialize(Named(value))
        .map_err(|e| explain(&e.path().to_string(), &e.inner().to_string()))
}

/// Reads `value` as a `T` whose schema says, of a field that is missing, what it is for.
///
/// # Errors
/// As [`read`].
pub fn read_described<T: DeserializeOwned + JsonSchema>(value: &Value) -> Result<T, Error> {
    read(value).map_err(|error| match &error.field {
        Some(field) if error.message.ends_with(" is missing") => {
            let meaning = meaning(&schema::<T>(), field);
            let message =
                meaning.map_or(error.message.clone(), |text| format!("{}; expected: {text}", error.message));
            Error { message, ..error }
        }
        _ => error,
    })
}

/// What a schema says of the field at a path such as `items[0].price`.
fn meaning(schema: &Value, path: &str) -> Option<String> {
    let field = path.split('.').try_fold(schema, |schema, segment| {
        let (name, in_list) = segment.split_once('[').map_or((segment, false), |(name, _)| (name, true));
        let field = branch(schema, "properties")?.get("properties")?.get(name)?;
        if in_list { branch(field, "items")?.get("items") } else { Some(field) }
    })?;
    let text = field.get("description")?.as_str()?;
    Some(text.split_whitespace().collect::<Vec<_>>().join(" ").trim_end_matches('.').to_owned())
}

/// An optional field's schema is a choice; the branch that has what is looked for.
fn branch<'a>(schema: &'a Value, wanted: &str) -> Option<&'a Value> {
    let choices = schema.get("anyOf").and_then(Value::as_array);
    std::iter::once(schema).chain(choices.into_iter().flatten()).find(|schema| schema.get(wanted).is_some())
}

/// A value whose objects are read by the names of their fields only: serde would also take a
/// list, by position, and a host that mixes the two up must not charge somebody by accident.
/// An empty list is an empty object, for that is how PHP writes one.
#[derive(Clone, Copy)]
struct Named<'a>(&'a Value);

impl<'de> Deserializer<'de> for Named<'de> {
    type Error = serde_json::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        match self.0 {
            Value::Array(items) => visitor.visit_seq(SeqDeserializer::new(items.iter().map(Named))),
            Value::Object(fields) => visitor.visit_map(by_name(fields)),
            scalar => scalar.deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        match self.0 {
            Value::Object(fields) => visitor.visit_map(by_name(fields)),
            Value::Array(items) if items.is_empty() => {
                visitor.visit_map(MapDeserializer::new(std::iter::empty::<(&str, Named<'de>)>()))
            }
            other => Err(de::Error::invalid_type(unexpected(other), &"an object")),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        self.0.deserialize_enum(name, variants, visitor)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map identifier ignored_any
    }
}

impl<'de> IntoDeserializer<'de, serde_json::Error> for Named<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

fn by_name<'a>(
    fields: &'a Map<String, Value>,
) -> MapDeserializer<'a, impl Iterator<Item = (&'a str, Named<'a>)>, serde_json::Error> {
    MapDeserializer::new(fields.iter().map(|(name, value)| (name.as_str(), Named(value))))
}

fn unexpected(value: &Value) -> Unexpected<'_> {
    match value {
        Value::Null => Unexpected::Unit,
        Value::Bool(flag) => Unexpected::Bool(*flag),
        Value::Number(number) => number.as_f64().map_or(Unexpected::Other("number"), Unexpected::Float),
        Value::String(text) => Unexpected::Str(text),
        Value::Array(_) => Unexpected::Seq,
        Value::Object(_) => Unexpected::Map,
    }
}

/// Turns serde's message about one field into an error of ours. serde gives no structure,
/// but its few sentences are fixed; a test below holds each of them.
pub fn explain(path: &str, message: &str) -> Error {
    let path = if path == "." { "" } else { path };
    let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    if message.starts_with("unknown field") {
        let (name, known) = (quoted[0], &quoted[1..]);
        let nearest = nearest(name, known).map_or_else(|| ".".to_owned(), |n| format!("; did you mean {n}?"));
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        return at(join(path, name), format!("is unknown{nearest} Known here: {known}"));
    }
    if message.starts_with("missing field") {
        return at(join(path, quoted[0]), "is missing".to_owned());
    }
    if message.starts_with("duplicate field") {
        return at(join(path, quoted[0]), "is given twice".to_owned());
    }
    if message.starts_with("unknown variant") {
        let (name, known) = (quoted[0], &quoted[1..]);
        let nearest = nearest(name, known).map(|n| format!(" (did you mean {n}?)")).unwrap_or_default();
        return at(path.to_owned(), format!("found {name}{nearest}; allowed: {}", known.join(", ")));
    }
    for form in ["invalid type: ", "invalid value: ", "invalid length "] {
        if let Some((found, expected)) = message.strip_prefix(form).and_then(|m| m.split_once(", expected "))
        {
            return at(path.to_owned(), format!("found {found}; allowed: {expected}"));
        }
    }
    at(path.to_owned(), message.to_owned())
}

/// The known name nearest to a mistyped one, if any is near.
pub fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let near = |k: &&'a str| strsim::normalized_damerau_levenshtein(&name.to_lowercase(), &k.to_lowercase());
    known
        .iter()
        .map(|k| (near(k), *k))
        .filter(|(score, _)| *score >= 0.5)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, k)| k)
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() || path == name {
        name.to_owned()
    } else if path.ends_with(&format!(".{name}")) {
        path.to_owned()
    } else {
        format!("{path}.{name}")
    }
}

fn at(field: String, what: String) -> Error {
    let separator = if what.starts_with("is ") { " " } else { ": " };
    let subject = if field.is_empty() { "the document" } else { &field };
    let message = format!("{subject}{separator}{what}");
    Error { field: (!field.is_empty()).then_some(field), ..Error::new(Code::InvalidParams, message) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rupiah;
    use serde::Deserialize;
    use serde_json::json;

    #[derive(Deserialize, Debug)]
    #[serde(rename_all = "snake_case")]
    enum Kind {
        Va,
        Qris,
    }

    #[derive(Deserialize, Debug)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read by the test's messages")]
    struct Item {
        price: Rupiah,
        quantity: u32,
    }

    #[derive(Deserialize, Debug)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read by the test's messages")]
    struct Params {
        amount: Rupiah,
        kind: Option<Kind>,
        #[serde(default)]
        items: Vec<Item>,
    }

    /// Objects are objects: a list in their place was read by position.
    #[test]
    fn a_list_is_no_object() {
        let list = json!({"amount": 1, "items": [[150, 1]]});
        assert_eq!(
            error(list),
            (Some("items[0]".to_owned()), "items[0]: found sequence; allowed: an object".to_owned())
        );
        assert!(read::<Params>(&json!([1])).is_err());
        assert_eq!(
            read::<Params>(&json!([])).unwrap_err().message,
            "amount is missing",
            "PHP's empty object"
        );
    }

    #[test]
    fn a_missing_field_says_what_it_is_for() {
        let missing = |value| read_described::<crate::Charge<crate::Nothing>>(&value).unwrap_err().message;
        assert_eq!(
            missing(json!({})),
            "amount is missing; expected: What the payer is asked to pay, at least 1 rupiah"
        );
        let item = json!({"amount": 1, "items": [{"name": "x", "price": 1}]});
        assert_eq!(missing(item), "items[0].quantity is missing; expected: How many");
    }

    fn error(value: serde_json::Value) -> (Option<String>, String) {
        let error = read::<Params>(&value).unwrap_err();
        (error.field, error.message)
    }

    #[test]
    fn every_sentence_of_serde_is_understood() {
        let cases = [
            (
                json!({"amount": 1, "amout": 2}),
                "amout",
                "amout is unknown; did you mean amount? Known here: amount, kind, items",
            ),
            (json!({"amount": 1, "zzzz": 2}), "zzzz", "zzzz is unknown. Known here: amount, kind, items"),
            (json!({}), "amount", "amount is missing"),
            (
                json!({"amount": 1, "kind": "qriss"}),
                "kind",
                "kind: found qriss (did you mean qris?); allowed: va, qris",
            ),
            (
                json!({"amount": 1, "items": [{"price": 1, "quantity": 1, "qty": 1}]}),
                "items[0].qty",
                "items[0].qty is unknown. Known here: price, quantity",
            ),
            (
                json!({"amount": 1, "items": [{"price": 1}]}),
                "items[0].quantity",
                "items[0].quantity is missing",
            ),
            (json!({"amount": 1, "items": 7}), "items", "items: found integer `7`; allowed: a sequence"),
        ];
        for (value, field, message) in cases {
            assert_eq!(error(value), (Some(field.to_owned()), message.to_owned()));
        }
        let (field, message) = error(json!({"amount": 1.5}));
        assert_eq!(field.as_deref(), Some("amount"));
        assert!(
            message.starts_with("amount: found floating point `1.5`; allowed: whole rupiah"),
            "{message}"
        );
    }
}
