//! One request of a browser, and what every one of them passes: who is signed in, whether they may, and
//! whether what changes something comes from a page of ours.

use std::borrow::Cow;
use std::net::IpAddr;

use axum::http::header::{CONTENT_TYPE, COOKIE, HOST, ORIGIN, USER_AGENT};
use axum::http::{HeaderMap, Method, Uri};
use bayar::{Code, Error};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::answer::{Fault, Ready};
use super::words::Language;
use super::{ROOT, Route};
use crate::config::Settings;
use crate::gateway::Gateway;
use crate::http::client::Client;
use crate::store::audit::By;
use crate::store::people::{Person, Role};
use crate::store::sessions::Session;

/// The cookie: its name has browsers keep it to this host, to TLS, and out of the hands of scripts.
pub(super) const COOKIE_NAME: &str = "__Host-bayar";

/// A request, as it came.
pub(super) struct Asked {
    pub method: Method,
    pub uri: Uri,
    pub headers: HeaderMap,
    /// The parts of the path that are names: `{intent}`.
    pub names: Vec<(String, String)>,
    pub client: Client,
    pub body: Vec<u8>,
}

/// A request, understood.
pub(super) struct Visit<'a> {
    pub gateway: &'a Gateway,
    pub language: Language,
    pub path: String,
    pub query: Fields,
    pub form: Fields,
    /// Where it came from.
    pub address: String,
    /// By what, as the browser says.
    pub agent: String,
    /// Whether it is to change something.
    pub changes: bool,
    /// How the browser calls this gateway.
    host: String,
    uri: Uri,
    names: Vec<(String, String)>,
    session: Option<Session>,
    /// What opened the session.
    opened_by: String,
}

/// The fields of a form or of a query.
#[derive(Default)]
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    fn read(text: &[u8]) -> Fields {
        // PostgreSQL takes no NUL, and nobody types one.
        let plain = |text: Cow<'_, str>| text.replace('\0', "");
        Fields(form_urlencoded::parse(text).map(|(name, value)| (plain(name), plain(value))).collect())
    }

    /// The text of that name without blanks around it, or nothing.
    pub fn text(&self, name: &str) -> &str {
        self.exact(name).trim()
    }

    /// The same with its blanks: a password may have some.
    pub fn exact(&self, name: &str) -> &str {
        self.0.iter().find(|(found, _)| found == name).map_or("", |(_, value)| value)
    }

    /// The text of that name, if there is one.
    pub fn some(&self, name: &str) -> Option<String> {
        Some(self.text(name).to_owned()).filter(|text| !text.is_empty())
    }

    /// Whether there is one of that name, be it empty.
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(found, _)| found == name)
    }

    /// All values of that name.
    pub fn all(&self, name: &str) -> Vec<String> {
        self.0.iter().filter(|(found, _)| found == name).map(|(_, value)| value.trim().to_owned()).collect()
    }
}

/// Answers a request: the one way by which every page is reached.
pub(super) fn answer(gateway: &Gateway, route: &Route, asked: Asked) -> (Result<Ready, Fault>, Language) {
    let language = Language::asked(&asked.headers);
    let visit = match Visit::open(gateway, asked, language) {
        Ok(visit) => visit,
        Err(fault) => return (Err(fault), language),
    };
    let answered = visit.pass(route).and_then(|()| (route.page)(&visit));
    (answered.map(|answer| answer.within(&visit)).or_else(|fault| fault.within(&visit)), visit.language)
}

impl<'a> Visit<'a> {
    fn open(gateway: &'a Gateway, asked: Asked, language: Language) -> Result<Visit<'a>, Fault> {
        let opened_by = cookie(&asked.headers, COOKIE_NAME);
        let session = match opened_by.as_str() {
            "" => None,
            token => gateway.store.session(token)?,
        };
        if asked.method == Method::POST {
            check_origin(&asked.headers, &gateway.settings)?;
            let kind = text_of(&asked.headers, CONTENT_TYPE.as_str());
            if !kind.starts_with("application/x-www-form-urlencoded") {
                return Err(Fault::Forged);
            }
        }
        let query = Fields::read(asked.uri.query().unwrap_or_default().as_bytes());
        let chosen = session.as_ref().and_then(|session| session.person.language.clone());
        let chosen = chosen.unwrap_or_else(|| query.text("lang").to_owned());
        let visit = Visit {
            gateway,
            language: Language::of(&chosen).unwrap_or(language),
            path: asked.uri.path().to_owned(),
            query,
            form: Fields::read(&asked.body),
            address: asked.client.address.to_string(),
            agent: text_of(&asked.headers, USER_AGENT.as_str()).to_owned(),
            changes: asked.method == Method::POST,
            host: text_of(&asked.headers, HOST.as_str()).to_owned(),
            uri: asked.uri,
            names: asked.names,
            session,
            opened_by,
        };
        visit.seen_from(&asked.headers)
    }

    /// A link in an e-mail is opened without the cookie, for it comes from another site. Asked once more, from
    /// a page of ours, the browser sends it.
    fn seen_from(self, headers: &HeaderMap) -> Result<Self, Fault> {
        let elsewhere = text_of(headers, "sec-fetch-site") == "cross-site";
        if self.opened_by.is_empty() && elsewhere && !self.changes { Err(Fault::Again) } else { Ok(self) }
    }

    /// Whether whoever asks may have what the route leads to.
    fn pass(&self, route: &Route) -> Result<(), Fault> {
        let Some(least) = route.least else { return Ok(()) };
        let Some(session) = &self.session else { return Err(Fault::SignedOut) };
        if self.changes && !bool::from(self.form.exact("token").as_bytes().ct_eq(self.token().as_bytes())) {
            return Err(Fault::Forged);
        }
        if session.person.role < least { Err(Fault::Forbidden(least)) } else { Ok(()) }
    }

    /// What forms of this session carry: made from what only the browser and nobody's database has.
    pub fn token(&self) -> String {
        hex::encode(Sha256::digest(format!("form {}", self.opened_by)))
    }

    /// The session, if somebody is signed in.
    pub fn session(&self) -> Option<&Session> {
        self.session.as_ref()
    }

    /// Who is signed in, on pages that want somebody.
    ///
    /// # Errors
    /// [`Fault::SignedOut`].
    pub fn me(&self) -> Result<&Person, Fault> {
        self.session.as_ref().map(|session| &session.person).ok_or(Fault::SignedOut)
    }

    /// Whether they may do what this role may.
    pub fn may(&self, least: Role) -> bool {
        self.session.as_ref().is_some_and(|session| session.person.role >= least)
    }

    /// Who does something, and from where.
    pub fn by(&self) -> By {
        let actor = self.session.as_ref().map_or("nobody", |session| session.person.email.as_str());
        By { actor: actor.to_owned(), address: Some(self.address.clone()) }
    }

    /// The part of the path of that name.
    pub fn name(&self, name: &str) -> &str {
        self.names.iter().find(|(found, _)| found == name).map_or("", |(_, value)| value)
    }

    /// Where it leads back to: this page as it was asked for.
    pub fn here(&self) -> String {
        self.uri.path_and_query().map_or_else(|| ROOT.to_owned(), ToString::to_string)
    }

    /// What the query says, as it came.
    pub fn asked_for(&self) -> &str {
        self.uri.query().unwrap_or_default()
    }

    /// An address of ours as others can use it.
    pub fn link(&self, path: &str) -> String {
        let settings = &self.gateway.settings;
        let scheme = if settings.tls_cert.is_some() { "https" } else { "http" };
        let here = format!("{scheme}://{}", self.host);
        let base = settings.public_url.as_deref().unwrap_or(&here);
        format!("{}{path}", base.trim_end_matches('/'))
    }

    /// Whether a browser keeps a session that is opened from here: over https, or on its own machine.
    pub fn keeps_sessions(&self) -> bool {
        let public_url = self.gateway.settings.public_url.as_deref().unwrap_or_default();
        is_loopback(&self.host) || public_url.starts_with("https://")
    }

    /// The text in the language of this visit.
    pub fn say<T>(&self, english: T, indonesian: T) -> T {
        self.language.say(english, indonesian)
    }
}

/// An address of ours that a form or a query names, or the first page: nobody is led elsewhere.
pub(super) fn inside(to: &str) -> String {
    let ours = to == ROOT || to.starts_with(&format!("{ROOT}/")) || to.starts_with(&format!("{ROOT}?"));
    let plain =
        !to.contains("//") && !to.contains('\\') && to.is_ascii() && !to.chars().any(char::is_control);
    if ours && plain { to.to_owned() } else { ROOT.to_owned() }
}

fn cookie(headers: &HeaderMap, name: &str) -> String {
    let lines = headers.get_all(COOKIE).into_iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(found, _)| *found == name).map(|(_, value)| value.to_owned()).unwrap_or_default()
}

fn text_of<'h>(headers: &'h HeaderMap, name: &str) -> &'h str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// What changes something must come from a page of ours: the browser says where it comes from, and scripts of
/// other sites cannot say otherwise.
fn check_origin(headers: &HeaderMap, settings: &Settings) -> Result<(), Fault> {
    let origin = text_of(headers, ORIGIN.as_str());
    if let Some(url) = &settings.public_url
        && bayar::transport::origin_of(url).is_ok_and(|ours| ours == origin)
    {
        return Ok(());
    }
    let host = text_of(headers, HOST.as_str());
    let same = origin.split_once("://").is_some_and(|(_, authority)| !host.is_empty() && authority == host);
    if !same {
        return Err(Fault::Forged);
    }
    if is_this_machine(host, settings) {
        return Ok(());
    }
    let what = format!(
        "the dashboard is asked for as {host}, and gateway.public_url is {:?}; expected that people reach it under \
         public_url, by https, or on this machine itself: put TLS in front, and set public_url to https://{host}",
        settings.public_url.as_deref().unwrap_or_default()
    );
    Err(Error::not_sent(Code::InvalidConfig, what).field("gateway.public_url").into())
}

/// Whether a host's name cannot be one that somebody else makes lead here.
fn is_this_machine(host: &str, settings: &Settings) -> bool {
    is_loopback(host) || name_of(host).parse().is_ok_and(|address: IpAddr| address == settings.listen.ip())
}

/// Whether a host is the browser's own machine, whatever leads from there to this one.
fn is_loopback(host: &str) -> bool {
    let name = name_of(host);
    name == "localhost" || name.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

/// A host without its port.
fn name_of(host: &str) -> &str {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    name.trim_start_matches('[').trim_end_matches(']')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| ((*name).try_into().expect("a name"), value.parse().expect("a value")))
            .collect()
    }

    #[test]
    fn only_pages_of_ours_change_something() {
        let passes = |public_url: Option<&str>, origin: Option<&str>, host: &str| {
            let settings = Settings { public_url: public_url.map(str::to_owned), ..Settings::default() };
            let mut pairs = vec![("host", host)];
            pairs.extend(origin.map(|origin| ("origin", origin)));
            check_origin(&headers(&pairs), &settings).is_ok()
        };
        let public = Some("https://pay.example.com");
        assert!(passes(public, Some("https://pay.example.com"), "pay.example.com"));
        assert!(passes(public, Some("https://pay.example.com"), "10.0.0.7:5000"), "behind a proxy");
        assert!(passes(None, Some("http://127.0.0.1:5000"), "127.0.0.1:5000"));
        assert!(passes(None, Some("http://localhost:5000"), "localhost:5000"));
        assert!(passes(None, Some("http://[::1]:5000"), "[::1]:5000"));
        for origin in
            [None, Some(""), Some("null"), Some("https://evil.example"), Some("http://pay.example.com")]
        {
            assert!(!passes(public, origin, "pay.example.com"), "{origin:?}");
        }
        assert!(!passes(public, Some("https://pay.example.com.evil.example"), "pay.example.com"));
        assert!(!passes(None, Some("http://127.0.0.1:5001"), "127.0.0.1:5000"), "another port");
        // A name of somebody else's that leads here: the browser thinks that it is that site's.
        assert!(!passes(None, Some("http://evil.example:5000"), "evil.example:5000"));
        assert!(!passes(None, Some("http://localhost.evil.example"), "localhost.evil.example"));
    }

    #[test]
    fn nobody_is_led_elsewhere() {
        for to in ["/dashboard", "/dashboard/payments?state=paid&after=I1", "/dashboard?days=7"] {
            assert_eq!(inside(to), to);
        }
        for to in [
            "",
            "https://evil.example",
            "//evil.example",
            "/dashboard//evil",
            "/dashboardx",
            "/dashboard/\\evil",
            "/",
        ] {
            assert_eq!(inside(to), ROOT, "{to}");
        }
    }

    #[test]
    fn the_cookie_is_found_among_others() {
        let found = |line: &str| cookie(&headers(&[("cookie", line)]), COOKIE_NAME);
        assert_eq!(found("a=b; __Host-bayar=token; c=d"), "token");
        assert_eq!(found("__Host-bayarx=token; x__Host-bayar=token"), "");
        assert_eq!(found("__Host-bayar"), "");
    }
}
