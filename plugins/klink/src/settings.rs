//! The settings of an account, checked once: credentials, the address, and every path, for the
//! document prints several of them in two forms.

use std::collections::BTreeMap;

use bayar_provider::{Code, Error, Secret};
use schemars::JsonSchema;
use serde::Deserialize;

/// The settings of a K-Link account. `email` and `password` are for calls, `pid_key` is for
/// callbacks: a process that only receives callbacks needs no password, the wallet needs no key.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Which of K-Link's two worlds. K-Link itself decides by the credential, at one address: this only says which one it is.
    #[serde(default)]
    pub environment: Environment,
    /// The login, from K-Link's EDP team.
    #[serde(default)]
    pub email: Option<String>,
    /// The login's password.
    #[serde(default)]
    pub password: Option<Secret>,
    /// The PID, which signs callbacks; from K-Link's IT team.
    #[serde(default)]
    pub pid_key: Option<Secret>,
    /// Accepts GoPay callbacks without a signature, which the document does not print for them. Such a callback proves nothing: it only asks for a person's review.
    #[serde(default)]
    pub callback_unsigned: bool,
    /// K-Link's address.
    #[serde(default = "base_url")]
    pub base_url: String,
    /// `comm_code` of the channel lists: K-Link's own division of accesses. Not sent if absent.
    #[serde(default)]
    pub comm_code: Option<String>,
    /// The product code to send instead of the listed one, by channel or, for GoPay's part, by bank code. Default `gopay = "e_wallets"`, where the list says `e_money`.
    #[serde(default = "product_codes")]
    pub product_codes: BTreeMap<String, String>,
    /// Login.
    #[serde(default = "login")]
    pub path_login: String,
    /// `register_va`.
    #[serde(default = "register_va")]
    pub path_register_va: String,
    /// `balance`.
    #[serde(default = "balance")]
    pub path_balance: String,
    /// `history`.
    #[serde(default = "history")]
    pub path_history: String,
    /// `transfer`.
    #[serde(default = "transfer")]
    pub path_transfer: String,
    /// `voucher`; the link behind the document's text has `/api/kwallet/voucher_saldo_kwallet`.
    #[serde(default = "voucher")]
    pub path_voucher: String,
    /// `pay`.
    #[serde(default = "pay")]
    pub path_pay: String,
    /// `reconcile`; the link behind the document's text has `/api/kwallet/reconcile`.
    #[serde(default = "reconcile")]
    pub path_reconcile: String,
    /// The first step of a refund.
    #[serde(default = "refund_quote")]
    pub path_refund_quote: String,
    /// The second step of a refund, which moves the money.
    #[serde(default = "refund_accept")]
    pub path_refund_accept: String,
    /// The channels of `va:`; the link behind the document's text has `/api/listbank`.
    #[serde(default = "list_bank")]
    pub path_list_bank: String,
    /// Charges of `va:`; the link behind the document's text has `/api/pay_service_new`.
    #[serde(default = "pay_service")]
    pub path_pay_service: String,
    /// The channels of `midtrans:`. Empty for an account without GoPay: then that list is not asked for.
    #[serde(default = "list_bank_midtrans")]
    pub path_list_bank_midtrans: String,
    /// Charges of `midtrans:`.
    #[serde(default = "pay_service_midtrans")]
    pub path_pay_service_midtrans: String,
    /// `report`, which is refused until this is set: the document prints no path for it.
    #[serde(default)]
    pub path_report: Option<String>,
}

/// Which of K-Link's two worlds.
#[derive(Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Environment {
    /// A credential for development.
    #[default]
    Sandbox,
    /// A credential for production.
    Production,
}

/// K-Link's address.
pub fn base_url() -> String {
    "https://service-payment.k-link.dev".to_owned()
}

fn product_codes() -> BTreeMap<String, String> {
    BTreeMap::from([("gopay".to_owned(), "e_wallets".to_owned())])
}

macro_rules! printed_paths {
    ($($name:ident $path:literal)+) => { $(fn $name() -> String { $path.to_owned() })+ };
}

printed_paths! {
    login "/auth/login"
    register_va "/api/kwallet/register_va"
    balance "/api/kwallet/check_saldo"
    history "/api/kwallet/history_transaction"
    transfer "/api/kwallet/transfer_to_account"
    voucher "/api/kwallet/voucher_saldo"
    pay "/api/kwallet/pay"
    reconcile "/api/kwallet/reconcile/reconcile"
    refund_quote "/api/escrow/refund"
    refund_accept "/api/escrow/refund-accept"
    list_bank "/api/list_bank"
    pay_service "/api/pay_service"
    list_bank_midtrans "/api/list_bank_midtrans"
    pay_service_midtrans "/api/pay_service_midtrans"
}

impl Settings {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`Code::InvalidConfig`], naming the setting and never showing a secret.
    pub fn check(mut self) -> Result<Self, Error> {
        self.base_url.truncate(self.base_url.trim_end_matches('/').len());
        if !self.base_url.starts_with("https://") && !self.base_url.starts_with("http://") {
            return Err(wrong("base_url", "is no address such as https://pay.example.com"));
        }
        if self.email.as_ref().is_some_and(|email| email.trim().is_empty()) {
            return Err(wrong("email", "is empty"));
        }
        // An empty key would verify what anybody can sign.
        for (name, secret) in [("password", &self.password), ("pid_key", &self.pid_key)] {
            if secret.as_ref().is_some_and(|secret| secret.expose().trim().is_empty()) {
                return Err(wrong(name, "is empty"));
            }
        }
        for (name, path) in self.paths() {
            let plain = path.bytes().all(|b| b.is_ascii_graphic()) && !path.contains(['?', '#']);
            let absent = path.is_empty() && name == "path_list_bank_midtrans";
            if !absent && (!path.starts_with('/') || !plain) {
                return Err(wrong(name, "is no path such as /api/kwallet/pay"));
            }
        }
        Ok(self)
    }

    /// The only origin that requests go to: scheme, host and port.
    pub fn origin(&self) -> String {
        self.base_url.splitn(4, '/').take(3).collect::<Vec<_>>().join("/")
    }

    fn paths(&self) -> [(&'static str, &str); 15] {
        [
            ("path_login", &self.path_login),
            ("path_register_va", &self.path_register_va),
            ("path_balance", &self.path_balance),
            ("path_history", &self.path_history),
            ("path_transfer", &self.path_transfer),
            ("path_voucher", &self.path_voucher),
            ("path_pay", &self.path_pay),
            ("path_reconcile", &self.path_reconcile),
            ("path_refund_quote", &self.path_refund_quote),
            ("path_refund_accept", &self.path_refund_accept),
            ("path_list_bank", &self.path_list_bank),
            ("path_pay_service", &self.path_pay_service),
            ("path_list_bank_midtrans", &self.path_list_bank_midtrans),
            ("path_pay_service_midtrans", &self.path_pay_service_midtrans),
            ("path_report", self.path_report.as_deref().unwrap_or("/unset")),
        ]
    }
}

/// A setting that cannot be used.
pub fn wrong(setting: &str, what: &str) -> Error {
    Error { field: Some(setting.to_owned()), ..Error::new(Code::InvalidConfig, format!("{setting} {what}")) }
}
