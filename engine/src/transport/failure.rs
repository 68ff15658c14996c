//! Why an exchange gave no answer, and how far it had come.

use std::error::Error;
use std::fmt;
use std::io;

/// An exchange that gave no whole answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What went wrong.
    pub reason: Reason,
    /// Whether the other side may have read any of the request.
    pub stage: Stage,
    /// A sentence for people: no secrets, no query of the URL.
    pub message: String,
}

/// Whether a request may have reached the other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// No byte of the request was handed to the network: it may be sent again.
    NotSent,
    /// At least one byte was: the other side may have acted upon it.
    MaybeSent,
}

/// What went wrong.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The URL is not an absolute `https` or `http` one, or holds user information.
    InvalidUrl,
    /// A method or a header that cannot be sent as given.
    InvalidRequest,
    /// `http` to a host that is not this machine.
    Insecure,
    /// The host's name gave no usable address.
    Resolve,
    /// No connection to any of the host's addresses.
    Connect,
    /// The proxy refused, or answered with something else than HTTP.
    Proxy,
    /// The TLS handshake failed: certificate, host name, version; or a record was damaged.
    Tls,
    /// The deadline (or, before the request, the connect timeout) passed.
    Timeout,
    /// The connection ended before the answer was whole.
    Closed,
    /// The answer is not HTTP/1.x.
    Protocol,
    /// The answer's header is larger than the cap.
    HeaderTooLarge,
    /// The answer's body is larger than the cap, compressed or decoded.
    BodyTooLarge,
    /// The answer's body has an encoding that is not read here, or is damaged.
    Encoding,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Failure {}

/// A failure whose stage is not known yet: only the connection knows what was written.
#[derive(Debug)]
pub(super) struct Trouble {
    pub reason: Reason,
    pub what: String,
}

impl Trouble {
    pub fn new(reason: Reason, what: impl Into<String>) -> Self {
        Trouble { reason, what: what.into() }
    }

    /// Trouble while the connection was used, not while it was opened.
    pub fn from_io(error: &io::Error, doing: &str) -> Self {
        let (reason, what) = match error.kind() {
            io::ErrorKind::TimedOut => (Reason::Timeout, "the deadline passed".to_owned()),
            io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe => (Reason::Closed, "the other side ended the connection".to_owned()),
            io::ErrorKind::InvalidData => (Reason::Tls, format!("TLS failed ({error})")),
            _ => (Reason::Closed, format!("the connection broke ({error})")),
        };
        Trouble { reason, what: format!("{what} while {doing}") }
    }

    /// The failure, told with the origin and with what the stage means for the caller.
    pub fn at(self, stage: Stage, origin: &str) -> Failure {
        let meaning = match stage {
            Stage::NotSent => "nothing was sent",
            Stage::MaybeSent => "the request may have been received, ask for its status before repeating it",
        };
        Failure { reason: self.reason, stage, message: format!("{origin}: {}; {meaning}", self.what) }
    }
}

/// A failure of the request itself, found before anything was opened.
pub(super) fn refused(reason: Reason, message: impl Into<String>) -> Failure {
    Failure { reason, stage: Stage::NotSent, message: message.into() }
}
