//! What one simulated provider is.
//!
//! A provider is a file of `src/providers/` with a unit struct `Simulator` that implements
//! [`Provider`]; `providers/template.rs` is the one to copy. It is written without threads,
//! sockets and locks: the frame hands it one request at a time, with the [`Desk`] to read and
//! change orders, and sends what it leaves in the outbox.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use crate::ledger::{Memory, Orders};
use crate::settings::Settings;

/// A simulated provider.
pub trait Provider: Send + Sync {
    /// Its one name: the path it lives under, its settings' prefix, the plugin's id.
    fn id(&self) -> &'static str;

    /// What `--set <id>.<name>=…` may replace.
    fn settings(&self) -> &'static [Setting];

    /// Its part of a ready `bayar.toml`. `base` is where it is reached; `get` reads a setting.
    fn config(&self, base: &str, get: &dyn Fn(&str) -> String) -> String;

    /// Answers one request of a merchant (or of a payer's browser).
    fn handle(&self, request: &Request, desk: &mut Desk<'_>) -> Reply;

    /// Does what a payer, a bank or time would do to an order, and leaves the callback that
    /// follows in the outbox. The order exists.
    fn act(&self, act: &Act, order_id: &str, desk: &mut Desk<'_>) -> Result<(), String>;

    /// Whether this can happen at this provider at all: a page offers no button that never works.
    fn knows(&self, _kind: ActKind) -> bool {
        true
    }

    /// The callback about the order's present state; `None` where the provider sends none.
    fn callback(&self, order_id: &str, desk: &Desk<'_>) -> Option<Callback>;

    /// How often a callback is sent again after an answer with this status (`None`: no answer).
    fn retries(&self, status: Option<u16>) -> u32 {
        if matches!(status, Some(200..=299)) { 0 } else { 3 }
    }

    /// The provider's own words for trouble of its own (the fault `500`).
    fn trouble(&self) -> Reply {
        Reply::json(500, &serde_json::json!({"message": "Internal Server Error"}))
    }
}

/// One setting of a simulated provider.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// Its name, without the provider's.
    pub name: &'static str,
    /// The documented, made-up default.
    pub default: &'static str,
}

/// A request as it arrived, with the provider's own path.
#[derive(Debug, Clone)]
pub struct Request {
    /// `GET`, `POST`, …
    pub method: String,
    /// The path without the provider's prefix, still percent-encoded: signatures cover it so.
    pub path: String,
    /// The raw query, without the question mark.
    pub query: String,
    /// Names in lower case, in the order of arrival.
    pub headers: Vec<(String, String)>,
    /// The bytes of the body.
    pub body: Vec<u8>,
}

impl Request {
    /// The first header of that (lower-case) name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(one, _)| one == name).map(|(_, value)| value.as_str())
    }

    /// The path's segments, percent-decoded.
    pub fn segments(&self) -> Vec<String> {
        self.path.split('/').filter(|segment| !segment.is_empty()).map(decode).collect()
    }

    /// A field of a form-encoded body.
    pub fn form(&self, name: &str) -> Option<String> {
        let text = std::str::from_utf8(&self.body).ok()?;
        pairs(text).find(|(one, _)| one == name).map(|(_, value)| value)
    }
}

fn decode(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// The pairs of a query or of a form.
pub fn pairs(text: &str) -> impl Iterator<Item = (String, String)> + '_ {
    text.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(&name.replace('+', " ")), decode(&value.replace('+', " ")))
    })
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// Headers beside the length, which the frame adds.
    pub headers: Vec<(String, String)>,
    /// The bytes of the body.
    pub body: Vec<u8>,
}

impl Reply {
    /// A JSON document.
    pub fn json(status: u16, document: &impl Serialize) -> Self {
        let body = serde_json::to_vec(document).expect("a document of strings and numbers can be written");
        Self::of(status, "application/json", body)
    }

    /// A page.
    pub fn html(status: u16, text: impl Into<String>) -> Self {
        Self::of(status, "text/html; charset=utf-8", text.into().into_bytes())
    }

    /// Any other body.
    pub fn of(status: u16, content_type: &str, body: Vec<u8>) -> Self {
        Self { status, headers: vec![("content-type".to_owned(), content_type.to_owned())], body }
    }

    /// Sends a browser to another page after a form.
    pub fn see_other(location: &str) -> Self {
        let headers = vec![("location".to_owned(), location.to_owned())];
        Self { status: 303, headers, body: Vec::new() }
    }
}

/// What can happen to an order from outside the merchant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// What happens.
    pub kind: ActKind,
    /// The payment method, where an order has none yet and the caller wants another one than
    /// the provider's default.
    pub method: Option<String>,
}

/// The kinds of [`Act`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActKind {
    /// The payer pays.
    Paid,
    /// The payment fails at the bank.
    Failed,
    /// Nobody paid in time.
    Expired,
    /// A card payment that the provider wants reviewed.
    Challenge,
    /// The provider gives the money back (from its dashboard).
    Refunded,
    /// The payer's bank takes the money back.
    Chargeback,
}

impl ActKind {
    /// All, with the words that control calls use.
    pub const ALL: [(&'static str, Self); 6] = [
        ("paid", Self::Paid),
        ("failed", Self::Failed),
        ("expired", Self::Expired),
        ("challenge", Self::Challenge),
        ("refunded", Self::Refunded),
        ("chargeback", Self::Chargeback),
    ];
}

/// A callback, signed and ready.
#[derive(Debug, Clone, Serialize)]
pub struct Callback {
    /// Which order it is about.
    pub order_id: String,
    /// Where it goes; empty where nobody said.
    pub urls: Vec<String>,
    /// `POST`, or `GET` for a provider that reports in the query.
    pub method: &'static str,
    /// Without the length and the host.
    pub headers: Vec<(String, String)>,
    /// The raw query to add to the URL.
    pub query: String,
    /// The body, a text with all providers; signatures cover its bytes.
    pub body: String,
}

/// Where an order stands, in Bayar's words; `provider_status` has the provider's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Waits for the payer.
    Pending,
    /// Waits for the merchant's word.
    Review,
    /// Paid.
    Paid,
    /// Refused by bank or provider.
    Failed,
    /// Too late.
    Expired,
    /// Taken back by the merchant.
    Cancelled,
    /// A part went back.
    PartiallyRefunded,
    /// All went back.
    Refunded,
    /// The payer's bank took it back.
    Disputed,
    /// Something that is no charge, and succeeded.
    Done,
}

impl Status {
    /// The word, as it is serialized.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Review => "review",
            Self::Paid => "paid",
            Self::Failed => "failed",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
            Self::PartiallyRefunded => "partially_refunded",
            Self::Refunded => "refunded",
            Self::Disputed => "disputed",
            Self::Done => "done",
        }
    }
}

/// How often each operation on an order came in, or was really carried out.
pub type Counts = BTreeMap<String, u32>;

/// An order, as the provider keeps it.
#[derive(Debug, Clone, Serialize)]
pub struct Order {
    /// Whose it is.
    pub provider: &'static str,
    /// The merchant's id of it.
    pub order_id: String,
    /// The operation that made it (`charge`).
    pub operation: &'static str,
    /// The provider's own id of it.
    pub provider_reference: String,
    /// What the payer owes, in rupiah.
    pub amount: i64,
    /// The payment method, once chosen.
    pub method: Option<String>,
    /// Where it stands.
    pub status: Status,
    /// The same in the provider's word.
    pub provider_status: String,
    /// When it was made.
    #[serde(serialize_with = "as_wib")]
    pub created_at: Timestamp,
    /// Until when it can be paid.
    #[serde(serialize_with = "as_wib_or_null")]
    pub expires_at: Option<Timestamp>,
    /// What the payer needs: VA number, QR text, payment code, page.
    pub instructions: Vec<Instruction>,
    /// How often each operation came in, repeats included.
    pub arrived: Counts,
    /// How often each operation was really carried out: what "sent twice" is judged by.
    pub executed: Counts,
    /// What only this provider keeps; see [`Order::read`].
    pub detail: Value,
}

/// One thing that the payer needs.
#[derive(Debug, Clone, Serialize)]
pub struct Instruction {
    /// What it is: `BCA VA`, `QR`, `Payment code`.
    pub label: String,
    /// The number, code or text itself.
    pub value: String,
    /// `text`, `qr` (shown as a picture) or `link`.
    pub kind: &'static str,
}

impl Instruction {
    /// A number or code to type.
    pub fn text(label: impl Into<String>, value: impl Into<String>) -> Self {
        Self { label: label.into(), value: value.into(), kind: "text" }
    }

    /// A text to show as a QR code.
    pub fn qr(value: impl Into<String>) -> Self {
        Self { label: "QR".to_owned(), value: value.into(), kind: "qr" }
    }

    /// A page to open.
    pub fn link(label: impl Into<String>, value: impl Into<String>) -> Self {
        Self { label: label.into(), value: value.into(), kind: "link" }
    }
}

impl Order {
    /// A new order, made now by one execution of `operation`.
    pub fn new(desk: &Desk<'_>, order_id: &str, operation: &'static str, amount: i64) -> Self {
        let mut order = Self {
            provider: desk.provider,
            order_id: order_id.to_owned(),
            operation,
            provider_reference: String::new(),
            amount,
            method: None,
            status: Status::Pending,
            provider_status: String::new(),
            created_at: desk.now,
            expires_at: None,
            instructions: Vec::new(),
            arrived: Counts::new(),
            executed: Counts::new(),
            detail: Value::Object(Map::new()),
        };
        order.arrive(operation);
        order.execute(operation);
        order
    }

    /// Counts an operation that came in.
    pub fn arrive(&mut self, operation: &str) {
        *self.arrived.entry(operation.to_owned()).or_default() += 1;
    }

    /// Counts an operation that was carried out.
    pub fn execute(&mut self, operation: &str) {
        *self.executed.entry(operation.to_owned()).or_default() += 1;
    }

    /// Moves it to another state.
    pub fn become_(&mut self, status: Status, provider_status: &str) {
        self.status = status;
        provider_status.clone_into(&mut self.provider_status);
    }

    /// The provider's own part, as its own type.
    ///
    /// # Panics
    /// If it was written as another type: a provider reads what it wrote.
    pub fn read<T: DeserializeOwned>(&self) -> T {
        serde_json::from_value(self.detail.clone()).expect("a provider reads what it wrote")
    }

    /// Replaces the provider's own part.
    ///
    /// # Panics
    /// If the type cannot be JSON (a map with keys that are no strings).
    pub fn write(&mut self, detail: &impl Serialize) {
        self.detail = serde_json::to_value(detail).expect("a provider's detail is plain data");
    }
}

fn as_wib<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&crate::tools::wib(*time))
}

fn as_wib_or_null<S: Serializer>(time: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    time.map(crate::tools::wib).serialize(serializer)
}

/// What a provider works with while it handles one request.
pub struct Desk<'a> {
    pub(crate) provider: &'static str,
    pub(crate) base_url: &'a str,
    pub(crate) settings: &'a Settings,
    pub(crate) orders: &'a mut Orders,
    pub(crate) memory: &'a mut Memory,
    pub(crate) outbox: Vec<Callback>,
    /// The time of this request: one time for all that it does.
    pub now: Timestamp,
}

impl Desk<'_> {
    /// A setting that the provider declared.
    pub fn setting(&self, name: &str) -> &str {
        self.settings.get(self.provider, name)
    }

    /// Where this provider is reached, without a slash at the end.
    pub fn base_url(&self) -> String {
        format!("{}/{}", self.base_url, self.provider)
    }

    /// An order by the merchant's id, or by an alias.
    pub fn order(&self, id: &str) -> Option<&Order> {
        self.orders.get(self.provider, id)
    }

    /// The same, to change it. A changed deadline counts from [`Desk::expires`] on.
    pub fn order_mut(&mut self, id: &str) -> Option<&mut Order> {
        self.orders.get_mut(self.provider, id)
    }

    /// This provider's orders that one operation made, the newest first.
    pub fn orders(&self, operation: &'static str) -> impl Iterator<Item = &Order> {
        let provider = self.provider;
        self.orders.newest().filter(move |one| one.provider == provider && one.operation == operation)
    }

    /// Puts a new order into the ledger.
    pub fn open(&mut self, order: Order) {
        self.orders.insert(order);
    }

    /// Lets an order be found by another id too (the provider's own, a token).
    pub fn alias(&mut self, alias: &str, order_id: &str) {
        self.orders.alias(self.provider, alias, order_id);
    }

    /// Sets until when an order can be paid.
    pub fn expires(&mut self, order_id: &str, at: Timestamp) {
        self.orders.expires(self.provider, order_id, at);
    }

    /// Sends a callback after the answer.
    pub fn send(&mut self, callback: Option<Callback>) {
        self.outbox.extend(callback);
    }

    /// An answer remembered under `key` not longer ago than `age`.
    pub fn recall(&self, key: &str, age: SignedDuration) -> Option<Reply> {
        let (time, reply) = self.memory.reply(self.provider, key)?;
        (self.now.duration_since(*time) <= age).then(|| reply.clone())
    }

    /// What this provider keeps beside its orders: sessions, balances, linked accounts.
    /// Begins as the type's default; always the same type.
    pub fn own<T: Default + Send + 'static>(&mut self) -> &mut T {
        self.memory.own(self.provider)
    }

    /// Remembers an answer, to give it again within the hour.
    pub fn remember(&mut self, key: &str, reply: &Reply) {
        self.memory.remember(self.provider, key, self.now, reply);
    }
}
