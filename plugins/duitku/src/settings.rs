//! The settings of an account. Serde refuses unknown ones by name; what else must hold is checked
//! here, once.

use bayar_provider::{Code, Error, Secret};
use schemars::JsonSchema;
use serde::Deserialize;

/// The settings of a Duitku account.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Which of Duitku's two worlds.
    #[serde(default)]
    pub environment: Environment,
    /// The project's merchant code: `D0001`.
    pub merchant_code: String,
    /// The project's merchant key, which Duitku also calls API key.
    pub merchant_key: Secret,
    /// How payments, status queries, method lists and callbacks are signed.
    #[serde(default)]
    pub signature: Algorithm,
    /// Stands in for all of Duitku's hosts: for a simulator.
    #[serde(default)]
    pub base_url: Option<String>,
    /// Whether a customer's name that is longer than 20 characters is cut instead of refused.
    #[serde(default)]
    pub cut_names: bool,
    /// The name of your application, which the text before unlinking OVO names.
    #[serde(default)]
    pub partner_name: Option<String>,
}

/// Which of Duitku's two worlds.
#[derive(Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Environment {
    /// For trying out; no money moves.
    #[default]
    Sandbox,
    /// Real money.
    Production,
}

/// How payments, status queries, method lists and callbacks are signed.
#[derive(Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Algorithm {
    /// A plain digest over the fields and the key, as the document prints it: MD5, for method lists SHA-256.
    #[default]
    Md5,
    /// HMAC-SHA256 over the same fields, keyed by the key: what Duitku's public pages ask for since 2026.
    HmacSha256,
}

/// Settings that were checked.
pub struct Account {
    /// Where accounts are linked, without a slash at the end.
    pub link: String,
    /// Where payments are made and asked for, likewise.
    pub merchant: String,
    /// Where POP pages are made.
    pub invoice: String,
    /// The merchant code.
    pub merchant_code: String,
    /// The key; there is one.
    pub merchant_key: Secret,
    /// How to sign.
    pub signature: Algorithm,
    /// Whether long names are cut.
    pub cut_names: bool,
}

/// The three hosts, and what stands before the paths at each.
pub struct Hosts {
    link: String,
    merchant: String,
    invoice: String,
}

impl Hosts {
    /// Duitku's own. Account linking has another prefix in production than in the sandbox.
    pub fn of(environment: Environment) -> Self {
        let (link, merchant, invoice) = match environment {
            Environment::Sandbox => (
                "https://api-sandbox.duitku.com/accountlinking/api/accountlinking/v1",
                "https://sandbox.duitku.com/webapi/api/merchant",
                "https://api-sandbox.duitku.com/api/merchant/createInvoice",
            ),
            Environment::Production => (
                "https://accountlink-prod.duitku.com/api/accountlinking/v1",
                "https://passport.duitku.com/webapi/api/merchant",
                "https://api-prod.duitku.com/api/merchant/createInvoice",
            ),
        };
        Hosts { link: link.to_owned(), merchant: merchant.to_owned(), invoice: invoice.to_owned() }
    }

    fn at(base: &str) -> Self {
        Hosts {
            link: format!("{base}/accountlinking/api/accountlinking/v1"),
            merchant: format!("{base}/webapi/api/merchant"),
            invoice: format!("{base}/api/merchant/createInvoice"),
        }
    }

    /// Scheme, host and port of each, once.
    pub fn origins(&self) -> Vec<String> {
        let mut origins: Vec<String> =
            [&self.link, &self.merchant, &self.invoice].map(|url| origin(url)).to_vec();
        origins.sort();
        origins.dedup();
        origins
    }
}

impl Settings {
    /// Where these settings lead.
    pub fn hosts(&self) -> Hosts {
        match &self.base_url {
            Some(base) => Hosts::at(base.trim_end_matches('/')),
            None => Hosts::of(self.environment),
        }
    }

    /// Checks the settings.
    ///
    /// # Errors
    /// [`Code::InvalidConfig`], naming the setting and never showing a secret.
    pub fn check(self) -> Result<Account, Error> {
        if let Some(base) = &self.base_url {
            check_address(base)?;
        }
        if self.merchant_code.is_empty()
            || self.merchant_code.len() > 50
            || !self.merchant_code.bytes().all(|b| b.is_ascii_alphanumeric())
        {
            return Err(wrong("merchant_code", "is not 1 to 50 letters and digits"));
        }
        // An empty key would make a signature that anybody can make.
        let key = self.merchant_key.expose();
        if key.trim().is_empty() {
            return Err(wrong("merchant_key", "is empty"));
        }
        if !key.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(wrong(
                "merchant_key",
                "holds a blank, a line break or a letter beyond ASCII: copy it again",
            ));
        }
        if self.partner_name.as_ref().is_some_and(|name| name.trim().is_empty()) {
            return Err(wrong("partner_name", "is empty"));
        }
        let Hosts { link, merchant, invoice } = self.hosts();
        Ok(Account {
            link,
            merchant,
            invoice,
            merchant_code: self.merchant_code,
            merchant_key: self.merchant_key,
            signature: self.signature,
            cut_names: self.cut_names,
        })
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

/// Scheme, host and port of an address.
fn origin(url: &str) -> String {
    url.splitn(4, '/').take(3).collect::<Vec<_>>().join("/")
}

fn wrong(setting: &str, what: &str) -> Error {
    Error { field: Some(setting.to_owned()), ..Error::new(Code::InvalidConfig, format!("{setting} {what}")) }
}
