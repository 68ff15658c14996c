//! The settings of an account. Serde refuses unknown ones by name; what else must hold is checked
//! here, once.

use bayar_provider::{Code, Error, Secret};
use schemars::JsonSchema;
use serde::Deserialize;

/// The settings of an iPaymu account.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Which of iPaymu's two worlds.
    #[serde(default)]
    pub environment: Environment,
    /// The account's VA number.
    pub va: String,
    /// The account's API key.
    pub api_key: Secret,
    /// Stands in for iPaymu's host: for a simulator.
    #[serde(default)]
    pub base_url: Option<String>,
    /// The VA number that is paid to; `va` if absent.
    #[serde(default)]
    pub account: Option<String>,
}

/// Which of iPaymu's two worlds.
#[derive(Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Environment {
    /// For trying out; no money moves.
    #[default]
    Sandbox,
    /// Real money.
    Production,
}

impl Environment {
    /// Where iPaymu is. The document prints http in places; https is spoken everywhere.
    pub fn address(self) -> &'static str {
        match self {
            Environment::Sandbox => "https://sandbox.ipaymu.com",
            Environment::Production => "https://my.ipaymu.com",
        }
    }
}

/// Settings that were checked.
pub struct Account {
    /// The address, without a slash at the end.
    pub base_url: String,
    /// Who signs.
    pub va: String,
    /// The key; there is one.
    pub api_key: Secret,
    /// Who is paid.
    pub account: String,
}

impl Settings {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`Code::InvalidConfig`], naming the setting and never showing a secret.
    pub fn check(self) -> Result<Account, Error> {
        let base_url = self.address().trim_end_matches('/').to_owned();
        check_address(&base_url)?;
        let digits = |va: &str| !va.is_empty() && va.bytes().all(|b| b.is_ascii_digit());
        if !digits(&self.va) {
            return Err(wrong("va", "is no VA number: digits only"));
        }
        if self.account.as_deref().is_some_and(|account| !digits(account)) {
            return Err(wrong("account", "is no VA number: digits only"));
        }
        // An empty key would make signatures and tokens that anybody can make.
        let key = self.api_key.expose();
        if key.trim().is_empty() {
            return Err(wrong("api_key", "is empty"));
        }
        if !key.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(wrong(
                "api_key",
                "holds a blank, a line break or a letter beyond ASCII: copy it again",
            ));
        }
        let account = self.account.unwrap_or_else(|| self.va.clone());
        Ok(Account { base_url, va: self.va, api_key: self.api_key, account })
    }

    /// The only origin that requests go to: scheme, host and port.
    pub fn origin(&self) -> String {
        self.address().splitn(4, '/').take(3).collect::<Vec<_>>().join("/")
    }

    fn address(&self) -> &str {
        self.base_url.as_deref().unwrap_or_else(|| self.environment.address())
    }
}

/// An address without what requests put behind it.
fn check_address(url: &str) -> Result<(), Error> {
    let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")).unwrap_or_default();
    let plain = url.bytes().all(|b| b.is_ascii_graphic()) && !url.contains(['?', '#', '@']);
    if host.is_empty() || host.starts_with('/') || !plain {
        return Err(wrong("base_url", "is no address such as https://pay.example.com"));
    }
    Ok(())
}

fn wrong(setting: &str, what: &str) -> Error {
    Error { field: Some(setting.to_owned()), ..Error::new(Code::InvalidConfig, format!("{setting} {what}")) }
}
