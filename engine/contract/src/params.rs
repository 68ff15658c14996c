//! Reading parameters and settings into a plugin's own types, with errors that name the
//! field, what was found and what is allowed.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::{Code, Error};

/// Reads `value` as a `T`.
///
/// # Errors
/// [`Code::InvalidParams`] with the path of the field: unknown (and the nearest known one),
/// missing, given twice, or of another form than allowed.
pub fn read<T: DeserializeOwned>(value: &Value) -> Result<T, Error> {
    serde_path_to_error::deserialize(value)
        .map_err(|e| explain(&e.path().to_string(), &e.inner().to_string()))
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
