//! Why an exchange gave no answer, and how far it had come.

use std::error::Error;
use std::fmt;
use std::io;

use ureq_proto::client::MAX_RESPONSE_HEADERS;

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
    /// The host has no address on the public internet, and only those are allowed.
    NotPublic,
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

    /// An answer that breaks the rules: "it …".
    pub fn protocol(what: impl fmt::Display) -> Self {
        Trouble::new(Reason::Protocol, format!("the answer is not HTTP as expected: it {what}"))
    }

    /// What ureq says, or what the connection said through it. Only what cannot hold a part
    /// of the request is shown.
    pub fn from_ureq(error: ureq::Error, stage: Stage) -> Self {
        use ureq::Error;
        use ureq_proto::Error as Broken;
        match error {
            Error::Other(own) => match own.downcast::<Trouble>() {
                Ok(own) => *own,
                Err(_) => Trouble::new(Reason::Protocol, "the exchange failed for an unknown reason"),
            },
            Error::Timeout(_) => Trouble::new(Reason::Timeout, "the deadline passed"),
            Error::LargeResponseHeader(_, cap) => Trouble::header_too_large(cap),
            Error::Protocol(Broken::HttpParseTooManyHeaders) => Trouble::new(
                Reason::HeaderTooLarge,
                format!("the answer has more than {MAX_RESPONSE_HEADERS} header fields"),
            ),
            // No answer is read before something was written, so this is about the request.
            Error::Protocol(_) if stage == Stage::NotSent => {
                Trouble::new(Reason::InvalidRequest, "the request cannot be written as HTTP")
            }
            Error::Protocol(broken) => Trouble::protocol(format_args!("cannot be read ({broken})")),
            Error::BodyStalled => Trouble::protocol("ends in the middle of a line between chunks"),
            Error::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => Trouble::new(
                Reason::Closed,
                "the other side ended the connection before its answer was whole",
            ),
            _ => Trouble::new(Reason::Protocol, "ureq failed in a way that is not expected of it"),
        }
    }

    pub fn header_too_large(cap: usize) -> Self {
        Trouble::new(Reason::HeaderTooLarge, format!("the answer's header is larger than {cap} bytes"))
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

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl Error for Trouble {}

/// The way through ureq. Given an `io::Error`, it takes a reset or an unexpected end for the
/// end of the body, and an answer that was cut short would look whole; `Other` it hands on.
impl From<Trouble> for ureq::Error {
    fn from(trouble: Trouble) -> Self {
        ureq::Error::Other(Box::new(trouble))
    }
}

/// A failure of the request itself, found before anything was opened.
pub(super) fn refused(reason: Reason, message: impl Into<String>) -> Failure {
    Failure { reason, stage: Stage::NotSent, message: message.into() }
}
