//! The settings of an account, checked once.

use std::net::IpAddr;

use bayar_provider::{Code, Error, Secret};
use schemars::JsonSchema;
use serde::Deserialize;

/// The settings of an account at the biller. `user` and `password` are for purchases, the two
/// `callback_…` for callbacks: a process that only does one needs only these.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Which of the biller's two worlds. It decides by `url`: this only says which one it is.
    #[serde(default)]
    pub environment: Environment,
    /// The partner's address at the biller, `https://biller.example.com`, without `/service/in/json`.
    pub url: String,
    /// The API user.
    #[serde(default)]
    pub user: Option<String>,
    /// Its password, which signs requests.
    #[serde(default)]
    pub password: Option<Secret>,
    /// A secret of the host's own, which the callback URL carries as a path segment or as `?token=…`: callbacks are not signed.
    #[serde(default)]
    pub callback_token: Option<Secret>,
    /// The addresses that the biller calls back from.
    #[serde(default)]
    pub callback_addresses: Vec<String>,
}

/// Which of the biller's two worlds.
#[derive(Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Environment {
    /// For trying out.
    #[default]
    Sandbox,
    /// Real money.
    Production,
}

/// Settings that were checked.
pub struct Account {
    /// Where purchases go.
    pub endpoint: String,
    /// User and password, if this account purchases.
    pub login: Option<Login>,
    /// The guards of callbacks, if this account receives them.
    pub guards: Option<Guards>,
}

/// Who purchases.
pub struct Login {
    /// The API user.
    pub user: String,
    /// Its password.
    pub password: Secret,
}

/// What a callback must bring and where it must come from.
pub struct Guards {
    /// The secret in its URL.
    pub token: Secret,
    /// Where it may come from; there is at least one.
    pub addresses: Vec<IpAddr>,
}

/// The shortest token in production: nobody should be able to try them all.
const SHORTEST_TOKEN: usize = 16;

impl Settings {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`Code::InvalidConfig`], naming the setting and never showing a secret.
    pub fn check(self) -> Result<Account, Error> {
        let base = self.url.trim_end_matches('/');
        if !base.starts_with("https://") && !base.starts_with("http://") {
            return Err(wrong("url", "is no address such as https://biller.example.com"));
        }
        let endpoint = format!("{base}/service/in/json");
        let login = login(self.user, self.password)?;
        let guards = guards(self.callback_token, &self.callback_addresses)?;
        let short = guards.as_ref().is_some_and(|guards| guards.token.expose().len() < SHORTEST_TOKEN);
        if short && matches!(self.environment, Environment::Production) {
            return Err(wrong("callback_token", "is shorter than 16 characters, which production needs"));
        }
        Ok(Account { endpoint, login, guards })
    }

    /// The only origin that requests go to: scheme, host and port.
    pub fn origin(&self) -> String {
        self.url.splitn(4, '/').take(3).collect::<Vec<_>>().join("/")
    }
}

fn login(user: Option<String>, password: Option<Secret>) -> Result<Option<Login>, Error> {
    if password.as_ref().is_some_and(empty) {
        return Err(wrong("password", "is empty"));
    }
    match (user.filter(|user| !user.trim().is_empty()), password) {
        (Some(user), Some(password)) => Ok(Some(Login { user, password })),
        (None, None) => Ok(None),
        (Some(_), None) => Err(wrong("password", "is missing beside user")),
        (None, Some(_)) => Err(wrong("user", "is missing, or empty, beside password")),
    }
}

/// Both guards or none: a secret in a URL stands in many logs, and an address alone can be shared.
fn guards(token: Option<Secret>, addresses: &[String]) -> Result<Option<Guards>, Error> {
    let read = |text: &String| text.trim().parse::<IpAddr>().map(|address| address.to_canonical());
    let addresses: Result<Vec<IpAddr>, _> = addresses.iter().map(read).collect();
    let addresses =
        addresses.map_err(|_| wrong("callback_addresses", "has an entry that is no IP address"))?;
    match token {
        None if addresses.is_empty() => Ok(None),
        None => Err(wrong("callback_token", "is missing beside callback_addresses")),
        Some(token) if empty(&token) => Err(wrong("callback_token", "is empty")),
        Some(token) if token.expose().bytes().any(|b| !b.is_ascii_graphic() || b == b'/') => {
            Err(wrong("callback_token", "has characters that cannot stand in a path segment"))
        }
        Some(_) if addresses.is_empty() => Err(wrong(
            "callback_addresses",
            "is missing beside callback_token: where does the biller call from?",
        )),
        Some(token) => Ok(Some(Guards { token, addresses })),
    }
}

fn empty(secret: &Secret) -> bool {
    secret.expose().trim().is_empty()
}

/// A setting that cannot be used.
pub fn wrong(setting: &str, what: &str) -> Error {
    Error { field: Some(setting.to_owned()), ..Error::new(Code::InvalidConfig, format!("{setting} {what}")) }
}
