//! The settings of an account. Serde refuses unknown ones by name; what else must hold is checked
//! here, once, so that no other file has to ask.
//!
//! To change: the fields, and the two addresses in [`Environment::address`].

use bayar_provider::{Code, Error, Secret};
use schemars::JsonSchema;
use serde::Deserialize;

/// The settings of an account. The comments are what `describe` shows.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Which of the provider's two worlds.
    #[serde(default)]
    pub environment: Environment,
    /// The merchant's code.
    pub merchant: String,
    /// The key that signs requests and callbacks.
    pub secret_key: Secret,
    /// Stands in for the provider's address: for a simulator.
    #[serde(default)]
    pub base_url: Option<String>,
}

/// Which of the provider's two worlds. Every provider has this setting, with this default.
#[derive(Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Environment {
    /// For trying out; no money moves.
    #[default]
    Sandbox,
    /// Real money.
    Production,
}

impl Environment {
    /// Where the provider is.
    pub fn address(self) -> &'static str {
        match self {
            Environment::Sandbox => "https://sandbox.template.example",
            Environment::Production => "https://api.template.example",
        }
    }
}

/// Settings that were checked.
pub struct Account {
    /// The address, without a slash at the end.
    pub base_url: String,
    /// The merchant's code.
    pub merchant: String,
    /// The key; there is one.
    pub secret_key: Secret,
}

impl Settings {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`Code::InvalidConfig`], naming the setting and never showing a secret.
    pub fn check(self) -> Result<Account, Error> {
        let base_url = self.address().trim_end_matches('/').to_owned();
        if !base_url.starts_with("https://") && !base_url.starts_with("http://") {
            return Err(wrong("base_url", "is no address such as https://pay.example.com"));
        }
        if self.merchant.is_empty() || !self.merchant.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(wrong("merchant", "is empty, or is more than letters, digits and signs"));
        }
        // An empty key would make a signature that anybody can make.
        if self.secret_key.expose().trim().is_empty() {
            return Err(wrong("secret_key", "is empty"));
        }
        Ok(Account { base_url, merchant: self.merchant, secret_key: self.secret_key })
    }

    /// The only origin that requests go to: scheme, host and port.
    pub fn origin(&self) -> String {
        self.address().splitn(4, '/').take(3).collect::<Vec<_>>().join("/")
    }

    fn address(&self) -> &str {
        self.base_url.as_deref().unwrap_or_else(|| self.environment.address())
    }
}

fn wrong(setting: &str, what: &str) -> Error {
    Error { field: Some(setting.to_owned()), ..Error::new(Code::InvalidConfig, format!("{setting} {what}")) }
}
