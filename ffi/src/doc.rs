//! Documents: what functions hand out, owned by the caller until freed.

use serde::Serialize;

/// A document: JSON text, and for requests a body of bytes beside it.
///
/// Given by an out pointer; to be freed with `bayar_doc_free`. It does not change, and may be
/// read from any thread.
#[allow(non_camel_case_types, reason = "C's name")]
pub struct bayar_doc {
    /// UTF-8 JSON and one NUL.
    json: Vec<u8>,
    body: Vec<u8>,
}

impl bayar_doc {
    pub(crate) fn new<T: Serialize>(value: &T) -> Box<Self> {
        Self::with_body(value, Vec::new())
    }

    pub(crate) fn with_body<T: Serialize>(value: &T, body: Vec<u8>) -> Box<Self> {
        // Documents are structs and maps with string keys: there is nothing in them that JSON cannot say.
        let mut json = serde_json::to_vec(value).unwrap_or_else(|_| br#"{"code":"internal"}"#.to_vec());
        json.push(0);
        Box::new(bayar_doc { json, body })
    }

    /// The text and its NUL. JSON escapes a NUL inside a string, so there is only this one.
    pub(crate) fn json(&self) -> &[u8] {
        &self.json
    }

    pub(crate) fn body(&self) -> &[u8] {
        &self.body
    }
}
