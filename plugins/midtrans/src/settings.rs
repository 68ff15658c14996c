//! The settings of an account, and what they make: a way to reach Midtrans.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bayar_provider::jiff::Timestamp;
use bayar_provider::{Code, Error, Secret};
use schemars::JsonSchema;
use serde::Deserialize;

/// The settings of a Midtrans account: either a server key, or a gateway with its app code and key.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Which of Midtrans' two worlds: it picks the hosts, and is never guessed from a key.
    #[serde(default)]
    pub environment: Environment,
    /// The server key: dashboard, Settings, Access Keys.
    #[serde(default)]
    pub server_key: Option<Secret>,
    /// The server key before this one: callbacks signed with it are accepted until the date below.
    #[serde(default)]
    pub previous_server_key: Option<Secret>,
    /// Until when, RFC 3339 with a zone: `2026-12-31T23:59:59+07:00`.
    #[serde(default)]
    pub previous_server_key_until: Option<String>,
    /// The client key, which is public: given out with a Snap token for the widget in the host's page.
    #[serde(default)]
    pub client_key: Option<String>,
    /// The merchant id; where given, an answer that names another merchant is set aside for review.
    #[serde(default)]
    pub merchant_id: Option<String>,
    /// Stands in for both hosts, app and api: for a simulator.
    #[serde(default)]
    pub base_url: Option<String>,
    /// Whether a charge's `callback_url` replaces the notification URLs of the dashboard or is added to them.
    #[serde(default)]
    pub notification: Notification,
    /// A Midtrans HTTP gateway, spoken to instead of Midtrans itself; needs `app_code` and `api_key`.
    #[serde(default)]
    pub gateway_url: Option<String>,
    /// The application's code at the gateway.
    #[serde(default)]
    pub app_code: Option<String>,
    /// The application's key at the gateway.
    #[serde(default)]
    pub api_key: Option<Secret>,
}

/// Which of Midtrans' two worlds.
#[derive(Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Environment {
    /// For trying out; no money moves.
    #[default]
    Sandbox,
    /// Real money.
    Production,
}

/// What a charge's own callback URL does to those of the dashboard.
#[derive(Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Notification {
    /// It replaces them: `X-Override-Notification`.
    #[default]
    Override,
    /// It is added to them: `X-Append-Notification`.
    Append,
}

/// How an account reaches Midtrans.
pub enum Reach {
    /// With a server key.
    Direct(Direct),
    /// Through a gateway.
    Gateway(Gateway),
}

/// Midtrans itself.
pub struct Direct {
    /// Where Snap is: `https://app.midtrans.com`.
    pub snap: String,
    /// Where the Core API is: `https://api.midtrans.com`.
    pub core: String,
    /// For requests and for the signatures of callbacks.
    pub server_key: Secret,
    /// The key before, and until when its signatures are accepted.
    pub previous: Option<(Secret, Timestamp)>,
    /// The value of `Authorization`: the server key as user, with an empty password.
    pub authorization: Secret,
    /// Public, for the widget.
    pub client_key: Option<String>,
    /// Ours, to compare.
    pub merchant_id: Option<String>,
    /// What a charge's callback URL does.
    pub notification: Notification,
}

/// A Midtrans HTTP gateway.
pub struct Gateway {
    /// Its address, without a slash at the end.
    pub url: String,
    /// `X-App-Code`.
    pub app_code: String,
    /// `X-Api-Key`.
    pub api_key: Secret,
    /// Public, for the widget.
    pub client_key: Option<String>,
}

impl Settings {
    /// Whether these settings lead to a gateway.
    pub fn through_gateway(&self) -> bool {
        self.gateway_url.is_some()
    }

    /// The origins that these settings lead to.
    pub fn origins(&self) -> Vec<String> {
        if let Some(url) = self.gateway_url.as_deref().or(self.base_url.as_deref()) {
            return vec![origin(url)];
        }
        let (snap, core) = hosts(self.environment);
        vec![snap.to_owned(), core.to_owned()]
    }

    /// Checks the settings and makes the way to reach Midtrans of them.
    ///
    /// # Errors
    /// [`Code::InvalidConfig`], naming the setting.
    pub fn reach(self) -> Result<Reach, Error> {
        match (self.server_key.is_some(), self.gateway_url.is_some()) {
            (true, true) => Err(wrong("gateway_url", "stands beside server_key: give one of them, not both")),
            (false, false) => Err(wrong(
                "server_key",
                "is missing: give a server_key, or gateway_url with app_code and api_key",
            )),
            (true, false) => self.direct().map(Reach::Direct),
            (false, true) => self.gateway().map(Reach::Gateway),
        }
    }

    fn direct(self) -> Result<Direct, Error> {
        for (name, given) in [("app_code", self.app_code.is_some()), ("api_key", self.api_key.is_some())] {
            if given {
                return Err(wrong(name, "belongs to gateway_url, which is not given"));
            }
        }
        let previous = previous(self.previous_server_key, self.previous_server_key_until.as_deref())?;
        let server_key = secret("server_key", self.server_key)?;
        let authorization = format!("Basic {}", STANDARD.encode(format!("{}:", server_key.expose())));
        let (snap, core) = match self.base_url {
            Some(url) => {
                let url = address("base_url", url)?;
                (url.clone(), url)
            }
            None => {
                let (snap, core) = hosts(self.environment);
                (snap.to_owned(), core.to_owned())
            }
        };
        Ok(Direct {
            snap,
            core,
            server_key,
            previous,
            authorization: Secret::new(authorization),
            client_key: self.client_key,
            merchant_id: self.merchant_id,
            notification: self.notification,
        })
    }

    fn gateway(self) -> Result<Gateway, Error> {
        if self.base_url.is_some() {
            return Err(wrong("base_url", "stands beside gateway_url: give one of them, not both"));
        }
        if self.previous_server_key.is_some() || self.previous_server_key_until.is_some() {
            return Err(wrong("previous_server_key", "belongs to server_key, which is not given"));
        }
        let written = |code: &String| !code.is_empty() && code.bytes().all(|b| b.is_ascii_graphic());
        let app_code = self.app_code.filter(written);
        Ok(Gateway {
            url: address("gateway_url", self.gateway_url.unwrap_or_default())?,
            app_code: app_code.ok_or_else(|| {
                wrong("app_code", "is missing, empty, or more than letters, digits and signs")
            })?,
            api_key: secret("api_key", self.api_key)?,
            client_key: self.client_key,
        })
    }
}

/// The key before, which only counts together with its date.
fn previous(key: Option<Secret>, until: Option<&str>) -> Result<Option<(Secret, Timestamp)>, Error> {
    match (key, until) {
        (None, None) => Ok(None),
        (Some(_), None) => {
            Err(wrong("previous_server_key_until", "is missing: say until when the key before is accepted"))
        }
        (None, Some(_)) => Err(wrong("previous_server_key", "is missing, while its date is given")),
        (key @ Some(_), Some(until)) => {
            let until = until.parse().map_err(|_| {
                wrong(
                    "previous_server_key_until",
                    "is no time with a zone, such as 2026-12-31T23:59:59+07:00",
                )
            })?;
            Ok(Some((secret("previous_server_key", key)?, until)))
        }
    }
}

/// Snap's and the Core API's origins.
pub fn hosts(environment: Environment) -> (&'static str, &'static str) {
    match environment {
        Environment::Sandbox => ("https://app.sandbox.midtrans.com", "https://api.sandbox.midtrans.com"),
        Environment::Production => ("https://app.midtrans.com", "https://api.midtrans.com"),
    }
}

/// A secret that is there and can stand in a header. The message never shows it.
fn secret(name: &str, given: Option<Secret>) -> Result<Secret, Error> {
    match given {
        None => Err(wrong(name, "is missing")),
        Some(secret) if secret.expose().trim().is_empty() => Err(wrong(name, "is empty")),
        Some(secret) if !secret.expose().bytes().all(|b| b.is_ascii_graphic()) => {
            Err(wrong(name, "holds a blank, a line break or a letter beyond ASCII: copy it again"))
        }
        Some(secret) => Ok(secret),
    }
}

/// An address without what requests put behind it.
fn address(name: &str, url: String) -> Result<String, Error> {
    let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")).unwrap_or_default();
    let plain = url.bytes().all(|b| b.is_ascii_graphic()) && !url.contains(['?', '#', '@']);
    if host.is_empty() || host.starts_with('/') || !plain {
        return Err(wrong(name, "is no address such as https://pay.example.com"));
    }
    Ok(url.trim_end_matches('/').to_owned())
}

/// Scheme, host and port of an address.
fn origin(url: &str) -> String {
    let after = url.find("://").map_or(0, |at| at + 3);
    let end = url[after..].find('/').map_or(url.len(), |at| after + at);
    url[..end].to_owned()
}

fn wrong(name: &str, what: &str) -> Error {
    Error { field: Some(name.to_owned()), ..Error::new(Code::InvalidConfig, format!("{name} {what}")) }
}
