//! A JSON object whose values are still text, so that an amount is read from the digits that
//! were sent.

use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::value::RawValue;

use crate::tools::number_text;

/// A JSON object whose values are still text: amounts are read from the digits that were sent.
pub(crate) type Raw = BTreeMap<String, Box<RawValue>>;

/// The body as an object; nothing else is taken.
pub(crate) fn object(body: &[u8]) -> Option<Raw> {
    serde_json::from_slice(body).ok()
}

/// A field that is itself an object.
pub(crate) fn inner(raw: &Raw, name: &str) -> Option<Raw> {
    serde_json::from_str(raw.get(name)?.get()).ok()
}

/// A field as text; numbers are taken for their digits.
pub(crate) fn text(raw: &Raw, name: &str) -> Option<String> {
    number_text(raw.get(name)?.get()).filter(|text| !text.is_empty())
}

/// A field as any JSON.
pub(crate) fn value(raw: &Raw, name: &str) -> Value {
    raw.get(name).and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default()
}
