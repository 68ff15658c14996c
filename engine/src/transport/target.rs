//! URLs: where a request goes, and what is written in its first line.

use std::net::{IpAddr, Ipv6Addr};

use super::failure::{Failure, Reason, refused};

/// A URL taken apart.
#[derive(Debug)]
pub(super) struct Target<'a> {
    /// `https`, as opposed to `http`.
    pub tls: bool,
    /// Lower case; an IPv6 address without its brackets.
    pub host: String,
    pub port: u16,
    /// Path and query as they are sent.
    pub path: &'a str,
    /// Scheme, host and port, normalised: what the allow-list and the pool compare.
    pub origin: String,
}

/// The origin of a URL, `https://host` or `https://host:port`, normalised: scheme and host
/// in lower case, the scheme's own port left out, an IPv6 address in its canonical form.
///
/// # Errors
/// [`Reason::InvalidUrl`] if the URL is not an absolute `https` or `http` one, if it holds
/// user information (`user:password@`), or characters that a URL has to percent-encode.
pub fn origin_of(url: &str) -> Result<String, Failure> {
    Target::parse(url).map(|target| target.origin)
}

impl<'a> Target<'a> {
    /// Strict on purpose: what two parsers could read differently is refused.
    pub fn parse(url: &'a str) -> Result<Target<'a>, Failure> {
        let (scheme, rest) = url.split_once("://").ok_or_else(|| invalid("has no scheme"))?;
        let tls = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return Err(invalid("has a scheme that is neither https nor http")),
        };
        if !url.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\') {
            return Err(invalid("holds characters that have to be percent-encoded"));
        }
        let rest = rest.split('#').next().unwrap_or_default();
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        if authority.contains('@') {
            return Err(invalid("holds user information before its host; credentials belong in a header"));
        }
        let (host, port) = split_port(authority)?;
        let default = if tls { 443 } else { 80 };
        let port = port.unwrap_or(default);
        let (host, shown) = normal_host(host)?;
        let scheme = if tls { "https" } else { "http" };
        let origin = if port == default {
            format!("{scheme}://{shown}")
        } else {
            format!("{scheme}://{shown}:{port}")
        };
        Ok(Target { tls, host, port, path, origin })
    }

    /// The host and port as the `Host` header and `CONNECT` have them.
    pub fn authority(&self) -> &str {
        self.origin.split_once("://").map_or("", |(_, authority)| authority)
    }

    /// Whether the host is this machine by its name; a name that merely resolves to it is not.
    pub fn is_loopback(&self) -> bool {
        self.host == "localhost" || self.host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }

    /// Plain HTTP is for this machine only, unless the configuration says otherwise.
    pub fn permitted(&self, allow_http: bool) -> Result<(), Failure> {
        if self.tls || allow_http || self.is_loopback() {
            return Ok(());
        }
        let message = format!(
            "{}: http would show the credentials to everyone on the way; use https, or set allow_http; nothing was sent",
            self.origin
        );
        Err(refused(Reason::Insecure, message))
    }
}

fn split_port(authority: &str) -> Result<(&str, Option<u16>), Failure> {
    let after_host = authority.rfind(']').map_or(0, |bracket| bracket + 1);
    let Some(colon) = authority[after_host..].find(':').map(|colon| after_host + colon) else {
        return Ok((authority, None));
    };
    let digits = &authority[colon + 1..];
    match digits.parse::<u16>() {
        Ok(port) if port > 0 && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            Ok((&authority[..colon], Some(port)))
        }
        _ => Err(invalid("has a port that is not a number from 1 to 65535")),
    }
}

/// The host for looking it up, and as it is written in an origin.
fn normal_host(host: &str) -> Result<(String, String), Failure> {
    if let Some(bracketed) = host.strip_prefix('[') {
        let address = bracketed.strip_suffix(']').and_then(|inner| inner.parse::<Ipv6Addr>().ok());
        let address = address.ok_or_else(|| invalid("has an IPv6 address that cannot be read"))?;
        return Ok((address.to_string(), format!("[{address}]")));
    }
    let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    if host.is_empty() || host.len() > 253 || !host.bytes().all(known) {
        return Err(invalid("has no host, or one with characters that host names cannot have"));
    }
    let host = host.to_ascii_lowercase();
    Ok((host.clone(), host))
}

/// The URL itself is not shown: its query may hold secrets.
fn invalid(what: &str) -> Failure {
    refused(
        Reason::InvalidUrl,
        format!("the URL {what}; expected https://host[:port]/path; nothing was sent"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_normalised() {
        for (url, origin) in [
            ("https://API.Example.com", "https://api.example.com"),
            ("HTTPS://api.example.com:443/v2?q=1#top", "https://api.example.com"),
            ("https://api.example.com:8443?q", "https://api.example.com:8443"),
            ("http://127.0.0.1:80/", "http://127.0.0.1"),
            ("http://127.0.0.1:443/", "http://127.0.0.1:443"),
            ("https://[0:0::1]:444/x", "https://[::1]:444"),
        ] {
            assert_eq!(origin_of(url).as_deref(), Ok(origin), "{url}");
        }
    }

    #[test]
    fn paths_are_kept_as_they_are() {
        for (url, path) in [
            ("https://a", ""),
            ("https://a?x=1", "?x=1"),
            ("https://a/b%20c?d=/&e=?#f?g", "/b%20c?d=/&e=?"),
            ("https://a/x@y:1", "/x@y:1"),
        ] {
            assert_eq!(Target::parse(url).map(|target| target.path), Ok(path), "{url}");
        }
    }

    #[test]
    fn doubtful_urls_are_refused() {
        for url in [
            "",
            "/v2/charge",
            "api.example.com/v2",
            "ftp://a/",
            "https://",
            "https:///path",
            "https://user:secret@a/",
            "https://a:0/",
            "https://a:65536/",
            "https://a:+1/",
            "https://a:/",
            "https://a:1:2/",
            "https://[::1/",
            "https://[::1]x/",
            "https://a b/",
            "https://a/b c",
            "https://a/\r\nX: y",
            "https://a\\b/",
            "https://ä/",
            "https://a%2eb/",
        ] {
            let failure = origin_of(url).expect_err(url);
            assert_eq!((failure.reason, failure.stage), (Reason::InvalidUrl, super::super::Stage::NotSent));
            assert!(!failure.message.contains("secret"), "{failure}");
        }
    }

    #[test]
    fn only_literal_loopback_hosts_go_without_tls() {
        for url in ["http://127.0.0.1", "http://127.9.9.9:1/", "http://[::1]/", "http://LOCALHOST:8080/x"] {
            assert_eq!(Target::parse(url).and_then(|target| target.permitted(false)), Ok(()), "{url}");
        }
        for url in ["http://10.0.0.1", "http://localhost.evil.test", "http://2130706433/", "http://0.0.0.0/"]
        {
            let target = Target::parse(url).expect(url);
            assert_eq!(target.permitted(false).expect_err(url).reason, Reason::Insecure);
            assert_eq!(target.permitted(true), Ok(()));
        }
    }
}
