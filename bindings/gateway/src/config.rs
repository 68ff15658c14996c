//! What the gateway runs with: the section `[gateway]` of `bayar.toml`, or the document's `.env`.

use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use bayar::config::Config;
use bayar::{Code, Error};
use bayar_provider::Secret;
use ipnet::IpNet;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use crate::env;

/// The section `[gateway]`; everything is optional.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Where to listen. Default `127.0.0.1:5000`; other than loopback needs TLS, or `allow_plaintext`.
    #[serde(deserialize_with = "read_listen")]
    pub listen: SocketAddr,
    /// How the world reaches this gateway, `https://pay.example.com`: for the addresses that it shows.
    pub public_url: Option<String>,
    /// The certificate and those between it and its authority, PEM. Read again on SIGHUP and when the file changes.
    pub tls_cert: Option<PathBuf>,
    /// The key of the certificate, PEM.
    pub tls_key: Option<PathBuf>,
    /// Whether plain HTTP may be spoken beyond this machine: where a proxy on another one ends TLS.
    pub allow_plaintext: bool,
    /// Networks of proxies in front, `10.0.0.0/8`: only their `X-Forwarded-For` is believed.
    #[serde(deserialize_with = "read_networks")]
    pub trusted_proxies: Vec<IpNet>,
    /// Seals what the database must keep secret, such as the keys of callbacks. Without it one is made in
    /// `gateway.key` beside the database; several gateways on one PostgreSQL must share one.
    pub secret_key: Option<Secret>,
    /// The one before: what it sealed is sealed anew when the gateway starts, and then it may go.
    pub previous_secret_key: Option<Secret>,
    /// Where applications, their keys and deliveries are kept: `sqlite:/…/gateway.db` or `postgres://…`.
    /// Default: in the same PostgreSQL as the journal, else `gateway.db` beside it.
    pub database: Option<String>,
    /// Whether callbacks may go to addresses that are not public, and by plain HTTP. For tests and for
    /// applications in the same house.
    pub allow_private_callbacks: bool,
    /// Certificates, PEM, to trust for callbacks instead of the public authorities.
    pub callback_ca_file: Option<PathBuf>,
    /// How many calls may be with providers at a time; more get 503. Default 64.
    pub calls: usize,
    /// The largest body of a request, in bytes. Default 262144.
    pub body_limit: usize,
    /// How many requests a second one application may make; twice as many at once. 0 for no limit. Default 50.
    pub rate_per_key: u32,
    /// The same for one address. Default 100.
    pub rate_per_address: u32,
    /// How often payments whose end nobody heard are looked at, in seconds; 0 leaves that to `bayar recover`.
    /// Default 60.
    pub recover_seconds: u32,
    /// `text` or `json`. Default `text`.
    pub log: LogForm,
    /// `error`, `warn`, `info` or `debug`. Default `info`.
    pub log_level: LogLevel,
    /// A file to log to instead of standard error; opened anew on SIGHUP.
    pub log_file: Option<PathBuf>,
    /// Above how much, in rupiah, a review takes two people: one decides, another confirms. Without it one is
    /// enough for any amount.
    pub review_two_people_above: Option<i64>,
    /// The server that mails go out by, when a payment waits for a person: `smtps://user:password@mail.example.com`,
    /// or `smtp://…?tls=required` for STARTTLS.
    pub smtp: Option<Secret>,
    /// Whom those mails come from: `Bayar <bayar@example.com>`.
    pub mail_from: Option<String>,
    /// Whom they go to. Default: everybody who may decide.
    pub mail_to: Vec<String>,
    /// Who is named to a provider that wants to know who pays, where `/charge` does not say: a name of your own.
    pub payer_name: Option<String>,
    /// The same, an e-mail address of your own.
    pub payer_email: Option<String>,
    /// The same, a phone number of your own.
    pub payer_phone: Option<String>,
    /// What `/metrics` wants as `Authorization: Bearer …`. Without it only this machine may read them.
    pub metrics_token: Option<Secret>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            listen: SocketAddr::from(([127, 0, 0, 1], 5000)),
            public_url: None,
            tls_cert: None,
            tls_key: None,
            allow_plaintext: false,
            trusted_proxies: Vec::new(),
            secret_key: None,
            previous_secret_key: None,
            database: None,
            allow_private_callbacks: false,
            callback_ca_file: None,
            calls: 64,
            body_limit: 256 * 1024,
            rate_per_key: 50,
            rate_per_address: 100,
            recover_seconds: 60,
            log: LogForm::Text,
            log_level: LogLevel::Info,
            log_file: None,
            review_two_people_above: None,
            smtp: None,
            mail_from: None,
            mail_to: Vec::new(),
            payer_name: None,
            payer_email: None,
            payer_phone: None,
            metrics_token: None,
        }
    }
}

fn read_listen<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SocketAddr, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(|_| {
        D::Error::custom(format!(
            "found {text:?}; allowed: an address of this machine and a port, such as 127.0.0.1:5000 or [::1]:5000"
        ))
    })
}

fn read_networks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<IpNet>, D::Error> {
    /// A network; a single address is one, too.
    struct Network(IpNet);

    impl<'de> Deserialize<'de> for Network {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            let text = String::deserialize(deserializer)?;
            let single = text.parse::<IpAddr>().map(IpNet::from);
            text.parse().or(single).map(Network).map_err(|_| {
                D::Error::custom(format!(
                    "found {text:?}; allowed: networks and addresses, such as 10.0.0.0/8"
                ))
            })
        }
    }

    Ok(Vec::<Network>::deserialize(deserializer)?.into_iter().map(|network| network.0).collect())
}

/// How records are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogForm {
    /// For people: `2025-11-20T10:00:00Z INFO request{id=…}: …`.
    Text,
    /// For programs: one JSON object a line.
    Json,
}

/// What is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogLevel {
    /// What a person must look at.
    Error,
    /// And what may become that.
    Warn,
    /// And every request.
    Info,
    /// And every exchange with a provider.
    Debug,
}

/// A configuration that was read and checked.
pub struct Loaded {
    /// The gateway's own settings.
    pub settings: Settings,
    /// The engine's.
    pub engine: Config,
    /// Where the gateway's own tables are.
    pub database: String,
    /// Whether any account moves real money.
    pub production: bool,
}

/// Whether a file is an `.env`, by its name.
pub fn is_env(file: &Path) -> bool {
    file.file_name().is_some_and(|name| name.to_string_lossy().ends_with(".env"))
}

/// Reads `bayar.toml` (or JSON), or a file whose name ends in `.env`.
///
/// # Errors
/// [`Code::InvalidConfig`] and [`Code::ConfigExposed`], naming the setting, what was found and what is allowed.
pub fn load(file: &Path) -> Result<Loaded, Error> {
    let file = std::path::absolute(file)
        .map_err(|error| invalid("file", format!("{} cannot be used: {error}", file.display())))?;
    let is_env = is_env(&file);
    let text = if is_env { env::read(&file)?.0.to_string() } else { json!({"file": file}).to_string() };
    let engine = Config::parse(&text)?;
    let production = engine.accounts.iter().any(|account| account.is_production());
    if is_env && production && others_can_read(&file) {
        let what = format!(
            "{0} can be read by everybody, and its account midtrans is used in production: run chmod 640 {0}",
            file.display()
        );
        return Err(Error::not_sent(Code::ConfigExposed, what));
    }
    let settings = settings(&engine.gateway.0)?;
    settings.check(production)?;
    let database = database(&settings, &engine, &file)?;
    Ok(Loaded { settings, engine, database, production })
}

fn settings(section: &Value) -> Result<Settings, Error> {
    let section = if section.is_null() { json!({}) } else { section.clone() };
    bayar::read_params(&section).map_err(|error| {
        let field = error.field.as_ref().map_or_else(|| "gateway".to_owned(), |f| format!("gateway.{f}"));
        Error::not_sent(Code::InvalidConfig, format!("in [gateway]: {}", error.message)).field(field)
    })
}

impl Settings {
    fn check(&self, production: bool) -> Result<(), Error> {
        let tls = self.tls_cert.is_some();
        if tls != self.tls_key.is_some() {
            let (there, missing) = if tls { ("tls_cert", "tls_key") } else { ("tls_key", "tls_cert") };
            return Err(invalid(missing, format!("is missing beside {there}; expected both, or neither")));
        }
        if !tls && !self.listen.ip().is_loopback() && !self.allow_plaintext {
            let what = format!(
                "is {}: keys and payers' data would cross the network in the clear; expected a loopback address \
                 behind a proxy that ends TLS, or tls_cert and tls_key, or allow_plaintext = true",
                self.listen
            );
            return Err(invalid("listen", what));
        }
        if let Some(url) = &self.public_url {
            bayar::transport::origin_of(url).map_err(|error| invalid("public_url", error.message))?;
        }
        for (name, found) in [("calls", self.calls), ("body_limit", self.body_limit)] {
            if found == 0 {
                return Err(invalid(name, "is 0; expected at least 1".to_owned()));
            }
        }
        crate::mail::check(self)?;
        self.check_secret_key(production)
    }

    /// The value that the document prints is known to everybody.
    fn check_secret_key(&self, production: bool) -> Result<(), Error> {
        let Some(key) = &self.secret_key else { return Ok(()) };
        if key.is_empty() {
            return Err(invalid("secret_key", "is empty; expected a long random text".to_owned()));
        }
        if production && (key.expose() == "change-me" || key.expose().len() < 16) {
            let what = "(SECRET_KEY) is the document's change-me, or shorter than 16 characters, beside an account in \
                 production; expected a long random text: openssl rand -base64 32";
            return Err(invalid("secret_key", what.to_owned()));
        }
        Ok(())
    }
}

/// Where the tables are: beside the journal unless a setting says otherwise.
fn database(settings: &Settings, engine: &Config, file: &Path) -> Result<String, Error> {
    if let Some(database) = &settings.database {
        return Ok(database.clone());
    }
    let directory = match engine.engine.journal.as_deref() {
        Some("none") => {
            let what = "is none, and a gateway without a journal could not say what became of a payment; expected \
                 sqlite:/path/to/journal.db or postgres://…";
            return Err(Error::not_sent(Code::InvalidConfig, format!("engine.journal {what}"))
                .field("engine.journal"));
        }
        Some(journal) => match journal.strip_prefix("sqlite:") {
            None => return Ok(journal.to_owned()),
            Some(path) => Path::new(path).parent(),
        },
        None => file.parent(),
    };
    let directory = directory.unwrap_or_else(|| Path::new("/"));
    Ok(format!("sqlite:{}", directory.join("gateway.db").display()))
}

pub(crate) fn invalid(setting: &str, what: String) -> Error {
    Error::not_sent(Code::InvalidConfig, format!("gateway.{setting} {what}"))
        .field(format!("gateway.{setting}"))
}

fn others_can_read(file: &Path) -> bool {
    std::fs::metadata(file).is_ok_and(|meta| meta.permissions().mode() & 0o004 != 0)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn loaded(name: &str, text: &str, mode: u32) -> Result<Loaded, Error> {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let file = directory.path().join(name);
        fs::write(&file, text).expect("is written");
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).expect("it is ours");
        load(&file)
    }

    fn refused(text: &str) -> (String, String) {
        let error = loaded("bayar.toml", text, 0o600).err().expect(text);
        assert_eq!(error.code, Code::InvalidConfig);
        (error.field.unwrap_or_default(), error.message)
    }

    #[test]
    fn a_bare_file_listens_where_the_document_says() {
        let loaded = loaded("bayar.toml", "", 0o600).expect("nothing is needed");
        assert_eq!(loaded.settings.listen.to_string(), "127.0.0.1:5000");
        assert!(loaded.database.starts_with("sqlite:/") && loaded.database.ends_with("/gateway.db"));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, field, says) in [
            ("[gateway]\nlisten = '0.0.0.0:5000'", "gateway.listen", "allow_plaintext = true"),
            ("[gateway]\nlisten = 'here'", "gateway.listen", "listen"),
            ("[gateway]\nlissen = '127.0.0.1:1'", "gateway.lissen", "did you mean listen?"),
            ("[gateway]\ntls_cert = '/x'", "gateway.tls_key", "expected both"),
            ("[gateway]\ntrusted_proxies = ['10.0.0.0/40']", "gateway.trusted_proxies[0]", "trusted_proxies"),
            ("[gateway]\ncalls = 0", "gateway.calls", "at least 1"),
            ("[engine]\njournal = 'none'", "engine.journal", "without a journal"),
            ("[gatewai]", "gatewai", "did you mean gateway?"),
        ] {
            let (found, message) = refused(text);
            assert_eq!(found, field, "{text}: {message}");
            assert!(message.contains(says), "{text}: {message}");
        }
    }

    #[test]
    fn the_tables_are_beside_the_journal() {
        let database = |text: &str| loaded("bayar.toml", text, 0o600).expect(text).database;
        assert_eq!(database("[engine]\njournal = 'sqlite:/var/lib/x/j.db'"), "sqlite:/var/lib/x/gateway.db");
        assert_eq!(database("[engine]\njournal = 'postgres://u@h/d'"), "postgres://u@h/d");
        assert_eq!(database("[gateway]\ndatabase = 'sqlite:/x/y.db'"), "sqlite:/x/y.db");
    }

    #[test]
    fn the_documents_secret_key_is_no_secret() {
        let env = |production: &str, key: &str| {
            let text =
                format!("MIDTRANS_SERVER_KEY=x\nMIDTRANS_IS_PRODUCTION={production}\nSECRET_KEY={key}\n");
            loaded(".env", &text, 0o600).map(|loaded| loaded.production)
        };
        assert_eq!(env("false", "change-me"), Ok(false));
        assert_eq!(env("true", "0123456789abcdef"), Ok(true));
        for key in ["change-me", "short"] {
            let error = env("true", key).expect_err("no secret");
            assert_eq!(error.field.as_deref(), Some("gateway.secret_key"));
        }
        let text = "MIDTRANS_SERVER_KEY=x\nMIDTRANS_IS_PRODUCTION=true\n";
        assert_eq!(loaded(".env", text, 0o644).err().expect("exposed").code, Code::ConfigExposed);
    }
}
