//! The transport's settings, as given and as checked.

use std::error::Error;
use std::fmt;
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use ureq::http::HeaderValue;
use zeroize::Zeroizing;

/// How requests are sent.
#[derive(Clone)]
pub struct Options {
    /// Longest time from looking up the host to the end of the TLS handshake. Default 5 s.
    pub connect_timeout: Duration,
    /// Largest body of an answer in bytes, both as it was sent and decoded. Default 256 KiB.
    pub body_cap: usize,
    /// Largest header of an answer in bytes, its status line included. Default 16 KiB.
    pub header_cap: usize,
    /// `http://[user:password@]host[:port]` of a proxy that is asked to `CONNECT`; targets
    /// on this machine are reached directly. The environment is never asked. Default none.
    pub proxy: Option<String>,
    /// The address of this machine that connections start from. Default: the system's choice.
    pub local_address: Option<IpAddr>,
    /// A PEM file of the only certificate authorities to trust. Default: Mozilla's list.
    pub ca_file: Option<PathBuf>,
    /// Whether `http` may be used beyond this machine. Default no.
    pub allow_http: bool,
    /// Whether only addresses of the public internet are connected to, whatever names resolve to: for URLs
    /// that others choose. A proxy would look names up by itself, so there must be none. Default no.
    pub public_only: bool,
    /// The `User-Agent` of requests that bring none. Default `bayar/<version>`.
    pub user_agent: String,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            connect_timeout: Duration::from_secs(5),
            body_cap: 256 * 1024,
            header_cap: 16 * 1024,
            proxy: None,
            local_address: None,
            ca_file: None,
            allow_http: false,
            public_only: false,
            user_agent: concat!("bayar/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("connect_timeout", &self.connect_timeout)
            .field("body_cap", &self.body_cap)
            .field("header_cap", &self.header_cap)
            // It may hold a password.
            .field("proxy", &self.proxy.as_ref().map(|_| "***"))
            .field("local_address", &self.local_address)
            .field("ca_file", &self.ca_file)
            .field("allow_http", &self.allow_http)
            .field("public_only", &self.public_only)
            .field("user_agent", &self.user_agent)
            .finish()
    }
}

/// A setting that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionsError {
    /// The field of [`Options`].
    pub field: &'static str,
    /// What was found and what is expected, in a sentence.
    pub message: String,
}

impl fmt::Display for OptionsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.message)
    }
}

impl Error for OptionsError {}

/// Settings that were checked.
pub(super) struct Settings {
    pub connect_timeout: Duration,
    pub body_cap: usize,
    pub header_cap: usize,
    pub proxy: Option<Proxy>,
    pub local_address: Option<IpAddr>,
    pub roots: Arc<RootCertStore>,
    pub allow_http: bool,
    pub public_only: bool,
    pub user_agent: String,
}

/// A proxy's address, and its `Basic` credentials where there are any.
pub(super) struct Proxy {
    pub host: String,
    pub port: u16,
    pub credentials: Option<Zeroizing<String>>,
}

impl Settings {
    pub fn check(options: Options) -> Result<Settings, OptionsError> {
        let wrong = |field, message: &str| Err(OptionsError { field, message: message.to_owned() });
        if options.connect_timeout.is_zero() {
            return wrong("connect_timeout", "found 0; expected a time longer than that");
        }
        if options.header_cap < 256 {
            return wrong("header_cap", "found less than 256 bytes; no answer's header fits into that");
        }
        if options.user_agent.is_empty() || HeaderValue::try_from(options.user_agent.as_str()).is_err() {
            return wrong("user_agent", "found no text, or control characters; expected one line of text");
        }
        if options.public_only && options.proxy.is_some() {
            return wrong(
                "proxy",
                "found one beside public_only; expected none, for it would look names up by itself",
            );
        }
        Ok(Settings {
            connect_timeout: options.connect_timeout,
            body_cap: options.body_cap,
            header_cap: options.header_cap,
            proxy: options.proxy.as_deref().map(Proxy::parse).transpose()?,
            local_address: options.local_address,
            roots: Arc::new(roots(options.ca_file.as_deref())?),
            allow_http: options.allow_http,
            public_only: options.public_only,
            user_agent: options.user_agent,
        })
    }

    /// TLS 1.2 and 1.3 with ring, named here so that no default of the host's process
    /// counts. It is made per process: its session tickets are kept behind a lock.
    pub fn tls(&self) -> Arc<ClientConfig> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
            .expect("ring has cipher suites for both versions")
            .with_root_certificates(Arc::clone(&self.roots))
            .with_no_client_auth();
        Arc::new(config)
    }
}

impl Proxy {
    fn parse(text: &str) -> Result<Proxy, OptionsError> {
        // Neither the text nor a part of it is shown: it may hold a password.
        let wrong = |found: &str| OptionsError {
            field: "proxy",
            message: format!("found {found}; expected http://[user:password@]host[:port]"),
        };
        let rest = text.strip_prefix("http://").ok_or_else(|| wrong("another scheme, or none"))?;
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (user, address) = match rest.rsplit_once('@') {
            Some((user, address)) => (Some(user), address),
            None => (None, rest),
        };
        let url = format!("http://{address}");
        let target = super::target::Target::parse(&url).map_err(|_| wrong("no usable host or port"))?;
        if !target.path.is_empty() {
            return Err(wrong("a path"));
        }
        let credentials = user.map(percent_decoded).map(|plain| match plain {
            Some(plain) if plain.contains(&b':') => Ok(Zeroizing::new(BASE64_STANDARD.encode(plain))),
            _ => Err(wrong("a user without a password, or a % that is no percent-encoding")),
        });
        Ok(Proxy { host: target.host, port: target.port, credentials: credentials.transpose()? })
    }
}

fn percent_decoded(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut decoded = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first != b'%' {
            decoded.push(*first);
            continue;
        }
        let (digits, tail) = rest.split_at_checked(2)?;
        let digits = std::str::from_utf8(digits).ok().filter(|digits| !digits.starts_with('+'))?;
        decoded.push(u8::from_str_radix(digits, 16).ok()?);
        rest = tail;
    }
    Some(decoded)
}

fn roots(ca_file: Option<&Path>) -> Result<RootCertStore, OptionsError> {
    let Some(path) = ca_file else {
        return Ok(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() });
    };
    let wrong = |found: String| OptionsError {
        field: "ca_file",
        message: format!("{}: {found}; expected a PEM file of certificates", path.display()),
    };
    let pem = fs::read(path).map_err(|error| wrong(format!("cannot be read ({error})")))?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|error| wrong(format!("found damaged PEM ({error})")))?;
        roots.add(certificate).map_err(|error| wrong(format!("found an unusable certificate ({error})")))?;
    }
    if roots.is_empty() {
        return Err(wrong("found no certificate".to_owned()));
    }
    Ok(roots)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxies_are_read() {
        let proxy = |text| {
            Proxy::parse(text)
                .map(|proxy| (proxy.host, proxy.port, proxy.credentials.map(|basic| basic.to_string())))
        };
        assert_eq!(proxy("http://Squid:3128/"), Ok(("squid".to_owned(), 3128, None)));
        assert_eq!(proxy("http://[::1]"), Ok(("::1".to_owned(), 80, None)));
        let credentials = Some("dTpwQDo=".to_owned());
        assert_eq!(proxy("http://u:p%40:@squid:1"), Ok(("squid".to_owned(), 1, credentials)));
        for text in
            ["squid:3128", "https://squid", "socks5://squid", "http://", "http://squid/x", "http://u@squid"]
        {
            let error = proxy(text).expect_err(text);
            assert_eq!(error.field, "proxy");
        }
        let error = proxy("http://u:secret%zz@squid").expect_err("not percent-encoding");
        assert!(!error.to_string().contains("secret"), "{error}");
    }

    #[test]
    fn a_proxy_is_not_shown() {
        let options = Options { proxy: Some("http://u:secret@squid".to_owned()), ..Options::default() };
        assert!(!format!("{options:?}").contains("secret"));
    }
}
