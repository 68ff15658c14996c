//! One request and its answer over a connection that stands: HTTP/1.1 as a client needs it.
//!
//! Strict where a lenient reader would have to guess. An answer is whole or it is none.

use std::fmt::Write as _;

use bayar_provider::{Request, Response};

use super::body::{self, Framing};
use super::connection::Connection;
use super::failure::{Failure, Reason, Trouble, refused};
use super::target::Target;

/// The most header fields that an answer may have.
const FIELDS: usize = 128;

/// Headers that say where a message ends, where it goes or how it is encoded. A second
/// opinion on those is how requests get smuggled.
const OWN_HEADERS: [&str; 11] = [
    "accept-encoding",
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// How large an answer may be, in bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub header: usize,
    pub body: usize,
}

/// The bytes of a request, head and body in one piece so that they travel in one segment.
pub(super) fn to_bytes(request: &Request, target: &Target, user_agent: &str) -> Result<Vec<u8>, Failure> {
    let Request { method, headers, body, .. } = request;
    if !is_token(method) || method.bytes().any(|byte| byte.is_ascii_lowercase()) || method == "CONNECT" {
        return Err(unsendable(target, "the method is not an upper-case word like GET or POST"));
    }
    let mut head = String::with_capacity(512 + body.len());
    let slash = if target.path.starts_with('/') { "" } else { "/" };
    let _ = write!(head, "{method} {slash}{} HTTP/1.1\r\nHost: {}\r\n", target.path, target.authority());
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("user-agent")) {
        let _ = write!(head, "User-Agent: {user_agent}\r\n");
    }
    head.push_str("Accept-Encoding: identity\r\n");
    for (name, value) in headers {
        if OWN_HEADERS.iter().any(|own| name.eq_ignore_ascii_case(own)) {
            return Err(unsendable(
                target,
                &format!("the header {name} is the transport's own; leave it out"),
            ));
        }
        if !is_token(name) || !is_field_value(value) {
            // The value may be a secret, and a name that is no name may be anything.
            return Err(unsendable(target, "a header holds characters that headers cannot have"));
        }
        let _ = write!(head, "{name}: {value}\r\n");
    }
    // A POST without a length is refused by many servers, even with nothing to send.
    if !body.is_empty() || matches!(method.as_str(), "POST" | "PUT" | "PATCH") {
        let _ = write!(head, "Content-Length: {}\r\n", body.len());
    }
    head.push_str("\r\n");
    let mut bytes = head.into_bytes();
    bytes.extend_from_slice(body);
    Ok(bytes)
}

fn unsendable(target: &Target, what: &str) -> Failure {
    refused(Reason::InvalidRequest, format!("{}: {what}; nothing was sent", target.origin))
}

fn is_token(text: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(known)
}

/// Whether a text can be a header's value: no line ends, no other control characters.
pub(super) fn is_field_value(text: &str) -> bool {
    text.bytes().all(|byte| byte == b'\t' || (byte >= b' ' && byte != 0x7f))
}

/// Sends the request and reads its answer; beside it, whether the connection can be kept.
pub(super) fn run(
    connection: &mut Connection,
    request: &[u8],
    method: &str,
    limits: Limits,
) -> Result<(Response, bool), Trouble> {
    connection.send(request).map_err(|error| Trouble::from_io(&error, "sending the request"))?;
    let head = read_head(connection, method, limits)?;
    let encoded = body::read(connection, head.framing, limits)?;
    let body = body::decode(encoded, &head.headers, limits)?;
    // Bytes beyond the answer belong to nobody: such a connection is not trusted again.
    let keep = head.keep && connection.input().is_empty();
    Ok((Response { status: head.status, headers: head.headers, body }, keep))
}

/// An answer's header, and what it says about the body and the connection.
#[derive(Debug)]
struct Head {
    status: u16,
    headers: Vec<(String, String)>,
    framing: Framing,
    keep: bool,
}

/// Reads up to the end of the final header; those of interim answers (1xx) are passed over.
fn read_head(connection: &mut Connection, method: &str, limits: Limits) -> Result<Head, Trouble> {
    let mut left = limits.header;
    loop {
        if let Some((length, head)) = parse_head(connection.input(), method)? {
            if length > left {
                return Err(header_too_large(limits));
            }
            left -= length;
            connection.consume(length);
            match head.status {
                101 => return Err(protocol("switched protocols, which nobody asked for")),
                100..200 => continue,
                _ => return Ok(head),
            }
        }
        if connection.input().len() > left || connection.is_full() {
            return Err(header_too_large(limits));
        }
        let read = connection.fill().map_err(|error| Trouble::from_io(&error, "waiting for the answer"))?;
        if read == 0 {
            return Err(Trouble::new(
                Reason::Closed,
                "the other side ended the connection before its answer's header was whole",
            ));
        }
    }
}

fn header_too_large(limits: Limits) -> Trouble {
    let what = format!("the answer's header is larger than {} bytes or {FIELDS} fields", limits.header);
    Trouble::new(Reason::HeaderTooLarge, what)
}

fn protocol(what: &str) -> Trouble {
    Trouble::new(Reason::Protocol, format!("the answer is not HTTP as expected: it {what}"))
}

/// The header at the front of the input and its length, once it is there as a whole.
fn parse_head(input: &[u8], method: &str) -> Result<Option<(usize, Head)>, Trouble> {
    let mut fields = [httparse::EMPTY_HEADER; FIELDS];
    let mut answer = httparse::Response::new(&mut fields);
    let length = match answer.parse(input) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => {
            return Err(Trouble::new(
                Reason::HeaderTooLarge,
                format!("the answer has more than {FIELDS} header fields"),
            ));
        }
        Err(error) => return Err(protocol(&format!("cannot be read ({error})"))),
    };
    let (Some(status), Some(version)) = (answer.code, answer.version) else {
        return Err(protocol("has no status"));
    };
    let headers: Vec<(String, String)> = answer
        .headers
        .iter()
        .map(|field| (field.name.to_owned(), String::from_utf8_lossy(field.value).into_owned()))
        .collect();
    let framing = framing(method, status, version, &headers)?;
    let keep = framing != Framing::UntilClose && keeps_open(version, &headers);
    Ok(Some((length, Head { status, headers, framing, keep })))
}

/// All elements of a header that is a comma-separated list, however many lines it takes.
pub(super) fn list<'a>(headers: &'a [(String, String)], name: &str) -> impl Iterator<Item = &'a str> {
    headers
        .iter()
        .filter(move |(found, _)| found.eq_ignore_ascii_case(name))
        .flat_map(|(_, value)| value.split(','))
        .map(str::trim)
}

fn keeps_open(version: u8, headers: &[(String, String)]) -> bool {
    let says = |word: &str| list(headers, "connection").any(|found| found.eq_ignore_ascii_case(word));
    !says("close") && (version == 1 || says("keep-alive"))
}

/// Where the body ends (RFC 9112, section 6.3).
fn framing(method: &str, status: u16, version: u8, headers: &[(String, String)]) -> Result<Framing, Trouble> {
    if method == "HEAD" || matches!(status, 100..200 | 204 | 304) {
        return Ok(Framing::Length(0));
    }
    let mut length = None;
    for text in list(headers, "content-length") {
        let number = text.parse::<u64>().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
        let number = number.ok_or_else(|| protocol("has a Content-Length that is no number"))?;
        if length.replace(number).is_some_and(|before| before != number) {
            return Err(protocol("has two Content-Lengths that differ"));
        }
    }
    let mut codings = list(headers, "transfer-encoding");
    match (codings.next(), codings.next(), length) {
        (None, _, Some(length)) => Ok(Framing::Length(length)),
        (None, _, None) => Ok(Framing::UntilClose),
        (Some(_), _, Some(_)) => Err(protocol("has both a Content-Length and a Transfer-Encoding")),
        (Some(coding), None, None) if coding.eq_ignore_ascii_case("chunked") && version == 1 => {
            Ok(Framing::Chunked)
        }
        _ => Err(protocol("has a Transfer-Encoding other than chunked")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes_of(request: &Request) -> Result<String, Failure> {
        let target = Target::parse(&request.url).expect("a URL");
        to_bytes(request, &target, "bayar/test")
            .map(|bytes| String::from_utf8(bytes).expect("the test sends text"))
    }

    #[test]
    fn a_request_is_written_in_its_own_order_and_case() {
        let request = Request::new("POST", "https://API.example.com:8443/v2?q=1")
            .header("X-b", "2")
            .header("Content-Type", "application/json")
            .header("X-a", "1")
            .body(b"{}".to_vec());
        let expected = "POST /v2?q=1 HTTP/1.1\r\nHost: api.example.com:8443\r\nUser-Agent: bayar/test\r\n\
            Accept-Encoding: identity\r\nX-b: 2\r\nContent-Type: application/json\r\nX-a: 1\r\n\
            Content-Length: 2\r\n\r\n{}";
        assert_eq!(bytes_of(&request).as_deref(), Ok(expected));
    }

    #[test]
    fn only_what_needs_a_length_has_one() {
        let text = |method| bytes_of(&Request::new(method, "https://a?x")).expect("can be sent");
        assert!(text("GET").starts_with("GET /?x HTTP/1.1\r\n"));
        assert!(!text("GET").contains("Content-Length"));
        assert!(!text("DELETE").contains("Content-Length"));
        assert!(text("POST").contains("\r\nContent-Length: 0\r\n\r\n"));
    }

    #[test]
    fn requests_that_could_be_read_two_ways_are_refused() {
        for (method, name, value) in [
            ("get", "X", "1"),
            ("GET /x HTTP/1.1\r\nX:", "X", "1"),
            ("CONNECT", "X", "1"),
            ("", "X", "1"),
            ("GET", "X Y", "1"),
            ("GET", "", "1"),
            ("GET", "X", "secret\r\nHost: evil"),
            ("GET", "X", "secret\0"),
            ("GET", "Host", "evil"),
            ("GET", "content-length", "7"),
            ("GET", "Transfer-Encoding", "chunked"),
        ] {
            let failure =
                bytes_of(&Request::new(method, "https://a/").header(name, value)).expect_err("refused");
            assert_eq!(failure.reason, Reason::InvalidRequest, "{method} {name} {value:?}");
            assert!(!failure.message.contains("secret"), "{failure}");
        }
    }

    fn framed(method: &str, status: u16, version: u8, headers: &[(&str, &str)]) -> Option<Framing> {
        let headers: Vec<_> = headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        framing(method, status, version, &headers).ok()
    }

    #[test]
    fn an_answers_end_is_known_or_it_is_refused() {
        use Framing::{Chunked, Length, UntilClose};
        let length = ("Content-Length", "5");
        let chunked = ("Transfer-Encoding", "Chunked");
        for (method, status, version, headers, expected) in [
            ("GET", 200, 1, &[length][..], Some(Length(5))),
            ("HEAD", 200, 1, &[length], Some(Length(0))),
            ("GET", 204, 1, &[length], Some(Length(0))),
            ("GET", 304, 1, &[chunked], Some(Length(0))),
            ("GET", 200, 1, &[], Some(UntilClose)),
            ("GET", 200, 0, &[], Some(UntilClose)),
            ("GET", 200, 1, &[chunked], Some(Chunked)),
            ("GET", 200, 1, &[length, length], Some(Length(5))),
            ("GET", 200, 1, &[("content-length", "5, 5")], Some(Length(5))),
            ("GET", 200, 1, &[("content-length", "5, 6")], None),
            ("GET", 200, 1, &[("content-length", "+5")], None),
            ("GET", 200, 1, &[("content-length", "")], None),
            ("GET", 200, 1, &[("content-length", "99999999999999999999")], None),
            ("GET", 200, 1, &[length, chunked], None),
            ("GET", 200, 0, &[chunked], None),
            ("GET", 200, 1, &[("transfer-encoding", "gzip, chunked")], None),
            ("GET", 200, 1, &[("transfer-encoding", "identity")], None),
        ] {
            assert_eq!(framed(method, status, version, headers), expected, "{method} {status} {headers:?}");
        }
    }
}
