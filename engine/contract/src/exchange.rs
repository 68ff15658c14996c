//! One exchange with a provider: the request a plugin builds and the response it reads.
//!
//! Both are data. The engine, or the host when it drives HTTP itself, does the sending.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An HTTP request that a plugin wants sent.
///
/// Its body lies beside the document that describes it, as bytes: a signature covers
/// bytes, so what was signed is what is sent.
#[derive(Clone, Serialize, Deserialize, PartialEq, Eq)]
pub struct Request {
    /// Upper-case method: `GET`, `POST`, …
    pub method: String,
    /// Absolute URL; its origin must be one that the plugin's description lists.
    pub url: String,
    /// Headers in the order in which they are sent; those of one name go together, where the
    /// first of them stands. May hold credentials: `Debug` hides every value.
    pub headers: Vec<(String, String)>,
    /// Whether the provider, on reading this request, may move money or goods or make
    /// something payable. Before such a request is sent, its intent is durable.
    pub moves: bool,
    /// The body, byte for byte; empty means that no body is sent.
    #[serde(skip)]
    pub body: Vec<u8>,
}

impl Request {
    /// A request without headers and body that moves nothing.
    pub fn new(method: &str, url: impl Into<String>) -> Self {
        Request {
            method: method.to_owned(),
            url: url.into(),
            headers: Vec::new(),
            moves: false,
            body: Vec::new(),
        }
    }

    /// Adds one header.
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Sets the body; the plugin sets `Content-Type` itself.
    pub fn body(mut self, body: Vec<u8>) -> Self {
        self.body = body;
        self
    }

    /// Marks the request as one that moves money or goods.
    pub fn moving(mut self) -> Self {
        self.moves = true;
        self
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("url", &self.url)
            .field("headers", &names)
            .field("moves", &self.moves)
            .field("body", &format_args!("{} bytes", self.body.len()))
            .finish()
    }
}

/// The response to a [`Request`], whole: an answer cut short never becomes one.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status code. Redirects are not followed, so it may be 3xx.
    pub status: u16,
    /// Headers as received, those of one name together; names compare without case, and may
    /// have lost theirs.
    pub headers: Vec<(String, String)>,
    /// The body after content decoding, at most the engine's cap (256 KiB by default).
    #[serde(skip)]
    pub body: Vec<u8>,
}

impl Response {
    /// The first header of that name, compared without case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }

    /// The body as text, with what is not UTF-8 replaced; for messages, never for signatures.
    pub fn text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }
}
