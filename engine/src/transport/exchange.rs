//! A request as ureq is given it, and ureq's answer as a whole or as none.

use bayar_provider::{Request, Response};
use ureq::Body;
use ureq::http::{self, Method, Uri, Version};
use ureq_proto::client::header_raw;

use super::attempt::Attempt;
use super::body;
use super::connection::LONGEST_LINE;
use super::failure::{Failure, Reason, Trouble, refused};
use super::target::Target;

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

/// The head of the request in ureq's form. All headers are set here, so that ureq adds none,
/// and in their own case, for servers that take other cases for other names.
pub(super) fn to_http(
    request: &Request,
    target: &Target,
    user_agent: &str,
) -> Result<http::Request<()>, Failure> {
    let unsendable = |what: &str| refused_here(Reason::InvalidRequest, target, what);
    let Request { method, headers, body, .. } = request;
    let verb = Method::from_bytes(method.as_bytes()).ok();
    let verb =
        verb.filter(|verb| verb != Method::CONNECT && !method.bytes().any(|byte| byte.is_ascii_lowercase()));
    let verb = verb.ok_or_else(|| unsendable("the method is not an upper-case word like GET or POST"))?;
    let longest = headers.iter().map(|(name, value)| name.len() + value.len()).max().unwrap_or_default();
    if longest.max(method.len() + request.url.len()) > LONGEST_LINE {
        return Err(unsendable("the URL or a header is longer than 16 KiB"));
    }
    let slash = if target.path.starts_with('/') { "" } else { "/" };
    let uri = Uri::try_from(format!("{}{slash}{}", target.origin, target.path)).map_err(|_| {
        refused_here(Reason::InvalidUrl, target, "the URL holds characters that have to be percent-encoded")
    })?;

    let mut builder = http::Request::builder().method(verb).uri(uri);
    builder = header_raw(builder, "Host", target.authority().as_bytes());
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("user-agent")) {
        builder = header_raw(builder, "User-Agent", user_agent.as_bytes());
    }
    builder = header_raw(builder, "Accept-Encoding", b"identity");
    for (name, value) in headers {
        if OWN_HEADERS.iter().any(|own| name.eq_ignore_ascii_case(own)) {
            return Err(unsendable(&format!("the header {name} is the transport's own; leave it out")));
        }
        builder = header_raw(builder, name, value.as_bytes());
    }
    // A POST without a length is refused by many servers, even with nothing to send.
    if !body.is_empty() || matches!(method.as_str(), "POST" | "PUT" | "PATCH") {
        builder = header_raw(builder, "Content-Length", body.len().to_string().as_bytes());
    }
    // The value may be a secret, and a name that is no name may be anything.
    builder.body(()).map_err(|_| unsendable("a header holds characters that headers cannot have"))
}

fn refused_here(reason: Reason, target: &Target, what: &str) -> Failure {
    refused(reason, format!("{}: {what}; nothing was sent", target.origin))
}

/// Reads the answer to its end. Where it ends must be beyond doubt: ureq settles what could
/// be read two ways, and a proxy in front of the provider may settle it otherwise.
pub(super) fn from_http(
    answer: http::Response<Body>,
    method: &str,
    body_cap: usize,
    attempt: &Attempt,
) -> Result<Response, Trouble> {
    let (head, mut body) = answer.into_parts();
    let status = head.status.as_u16();
    if status == 101 {
        return Err(Trouble::protocol("switched protocols, which nobody asked for"));
    }
    let headers: Vec<(String, String)> = head
        .headers
        .iter()
        .map(|(name, value)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        })
        .collect();
    if method != "HEAD" && !matches!(status, 204 | 304) {
        check_framing(head.version, &headers)?;
    }
    let encoded = body::read(body.as_reader(), body_cap, attempt)?;
    let body = body::decode(encoded, &headers, body_cap)?;
    Ok(Response { status, headers, body })
}

/// What RFC 9112, section 6.3 lets a client put up with, and we do not.
fn check_framing(version: Version, headers: &[(String, String)]) -> Result<(), Trouble> {
    let has = |name| headers.iter().any(|(found, _)| found == name);
    if !has("transfer-encoding") {
        return Ok(());
    }
    if has("content-length") {
        return Err(Trouble::protocol("has both a Content-Length and a Transfer-Encoding"));
    }
    let mut codings = list(headers, "transfer-encoding");
    let chunked = codings.next().is_some_and(|coding| coding.eq_ignore_ascii_case("chunked"));
    if chunked && codings.next().is_none() && version == Version::HTTP_11 {
        return Ok(());
    }
    Err(Trouble::protocol("has a Transfer-Encoding other than chunked"))
}

/// All elements of a header that is a comma-separated list, however many lines it takes.
pub(super) fn list<'a>(headers: &'a [(String, String)], name: &str) -> impl Iterator<Item = &'a str> {
    headers
        .iter()
        .filter(move |(found, _)| found.eq_ignore_ascii_case(name))
        .flat_map(|(_, value)| value.split(','))
        .map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

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
            let request = Request::new(method, "https://a/").header(name, value);
            let target = Target::parse(&request.url).expect("a URL");
            let failure = to_http(&request, &target, "bayar/test").expect_err("refused");
            assert_eq!(failure.reason, Reason::InvalidRequest, "{method} {name} {value:?}");
            assert!(!failure.message.contains("secret"), "{failure}");
        }
    }
}
