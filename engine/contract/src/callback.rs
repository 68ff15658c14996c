//! Callbacks: what a provider sent to the host, and what verifying it gave.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::money::Rupiah;
use crate::outcome::{Delivery, Evidence, Status};

/// A callback exactly as the host received it. The body lies beside, byte for byte.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Callback {
    /// Upper-case HTTP method.
    #[serde(default = "post")]
    pub method: String,
    /// The path of the host's URL that was called, if the host gives it.
    #[serde(default)]
    pub path: String,
    /// The raw query string, without `?`, percent-encoding untouched.
    #[serde(default)]
    pub query: String,
    /// Headers in the order received; names compare without case.
    #[serde(default)]
    pub headers: Vec<(String, String)>,
    /// The address that the request came from, without port.
    #[serde(default)]
    pub remote_addr: Option<String>,
    /// When it was received, in milliseconds since 1970-01-01 UTC. The engine sets it; what a
    /// host says here is not believed.
    #[serde(default)]
    pub received_ms: i64,
    /// The body, byte for byte.
    #[serde(skip)]
    pub body: Vec<u8>,
}

impl Default for Callback {
    /// An empty POST.
    fn default() -> Self {
        Callback {
            method: post(),
            path: String::new(),
            query: String::new(),
            headers: Vec::new(),
            remote_addr: None,
            received_ms: 0,
            body: Vec::new(),
        }
    }
}

fn post() -> String {
    "POST".to_owned()
}

impl Callback {
    /// When it was received.
    pub fn received(&self) -> jiff::Timestamp {
        // Only a clock outside the years -9999 to 9999 is out of range.
        jiff::Timestamp::from_millisecond(self.received_ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
    }

    /// The only header of that name, compared without case; `None` where there is none, or more than one.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name));
        let value = values.next()?;
        values.next().is_none().then_some(value.1.as_str())
    }
}

/// The HTTP answer that tells a provider that its callback arrived.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Acknowledgement {
    /// The HTTP status to answer.
    pub status: u16,
    /// The body to answer.
    #[serde(default)]
    pub body: String,
    /// The `Content-Type` of the body.
    #[serde(default = "json")]
    pub content_type: String,
}

fn json() -> String {
    "application/json".to_owned()
}

impl Acknowledgement {
    /// An answer with a JSON body.
    pub fn json(status: u16, body: &str) -> Self {
        Acknowledgement { status, body: body.to_owned(), content_type: json() }
    }
}

/// What a verified callback says. It is the provider's claim, not yet an outcome: the engine
/// decides by `evidence` whether to ask the provider first.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Event {
    /// The order as the provider knows it: our reference.
    pub reference: String,
    /// The provider's own id, if the callback carries one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_reference: Option<String>,
    /// The status that the callback claims.
    pub status: Status,
    /// The amount that the callback names; absent is not a difference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Rupiah>,
    /// What the signature proves.
    pub evidence: Evidence,
    /// The same for every repetition of one callback, different for different events.
    pub dedupe: String,
    /// Why a person should look before money is credited, if so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<String>,
    /// What the buyer got, where a purchase is concluded by its callback.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<Delivery>,
    /// Parameters of the original call that must have these values, or the event is not believed:
    /// the destination of a purchase, where no signature covers it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub must_match: BTreeMap<String, String>,
    /// Parameters of the read operation that confirms this; nothing means `order_id` alone.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub query: Value,
    /// What to answer the provider once the event is kept.
    pub acknowledgement: Acknowledgement,
    /// The callback's own content, as JSON.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub raw: Value,
}

impl Event {
    /// An event that says no more than this.
    pub fn new(
        reference: impl Into<String>,
        status: Status,
        evidence: Evidence,
        dedupe: impl Into<String>,
        acknowledgement: Acknowledgement,
    ) -> Self {
        Event {
            reference: reference.into(),
            provider_reference: None,
            status,
            amount: None,
            evidence,
            dedupe: dedupe.into(),
            review: None,
            delivery: None,
            must_match: BTreeMap::new(),
            query: Value::Null,
            acknowledgement,
            raw: Value::Null,
        }
    }
}
