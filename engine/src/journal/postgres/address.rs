//! Where the database is: the URL, read once, and whether the way there is encrypted.

use std::net::{IpAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};

use super::connection::Trouble;
use crate::error::{Code, Error};

/// How long connecting may take, to each of the hosts.
const CONNECT: Duration = Duration::from_secs(5);
const EXPECTED: &str = "expected postgres://USER:PASSWORD@HOST:PORT/DATABASE";

/// A database and how it is reached. Holds the password, so it has no `Debug`.
pub(super) struct Address {
    config: Config,
    /// Without the password.
    pub(super) name: String,
    /// What errors call it.
    pub(super) label: String,
    pub(super) tls: bool,
    /// Instead of the public authorities.
    root_file: Option<PathBuf>,
}

impl Address {
    /// `what` is what the database is for, as errors say it.
    pub(super) fn parse(url: &str, what: &str) -> Result<Address, Error> {
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err(wrong(format!("found no postgres:// in front; {EXPECTED}")));
        }
        let parts = Parts::of(url);
        // The parser's own errors name options, never values.
        let mut config: Config = parts
            .url
            .parse()
            .map_err(|error| wrong(format!("found a URL with {}; {EXPECTED}", chain(&error))))?;
        if config.get_hosts().is_empty() {
            return Err(wrong(format!("found no host; {EXPECTED}")));
        }
        let tls = match parts.sslmode.as_deref() {
            Some("disable") => false,
            None | Some("allow" | "prefer") => !is_local(&config),
            Some("require" | "verify-ca" | "verify-full") => true,
            Some(other) => {
                return Err(wrong(format!(
                    "found sslmode={other}; expected disable, require or verify-full (certificates are always verified)"
                )));
            }
        };
        config.ssl_mode(if tls { SslMode::Require } else { SslMode::Disable });
        config.connect_timeout(CONNECT).tcp_user_timeout(CONNECT * 2);
        // A standby accepts connections and no journal.
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        if config.get_application_name().is_none() {
            config.application_name("bayar");
        }
        let name = name(&config);
        Ok(Address {
            label: format!("{what} {name}"),
            name,
            config,
            tls,
            root_file: parts.sslrootcert.map(PathBuf::from),
        })
    }

    /// With names looked up: left to tokio, that would start a thread.
    pub(super) fn resolved(&self) -> Result<Config, Trouble> {
        let hosts = self.config.get_hosts();
        let is_name = |host: &Host| matches!(host, Host::Tcp(name) if name.parse::<IpAddr>().is_err());
        if !self.config.get_hostaddrs().is_empty() || !hosts.iter().any(is_name) {
            return Ok(self.config.clone());
        }
        let mut config = self.without_hosts();
        for (n, host) in hosts.iter().enumerate() {
            let Host::Tcp(name) = host else {
                return Err(Trouble::Plain(
                    "sockets and host names in one URL; expected one kind".to_owned(),
                ));
            };
            let ports = self.config.get_ports();
            let port = ports.get(n).or(ports.first()).copied().unwrap_or(5432);
            let found = (name.as_str(), port).to_socket_addrs().map_err(|error| {
                Trouble::Plain(format!(
                    "the host {name} was not found ({error}); expected a name that resolves"
                ))
            })?;
            for address in found {
                config.host(name).hostaddr(address.ip()).port(port);
            }
        }
        Ok(config)
    }

    /// There is no way to take a host away.
    fn without_hosts(&self) -> Config {
        let old = &self.config;
        let mut new = Config::new();
        if let Some(user) = old.get_user() {
            new.user(user);
        }
        if let Some(password) = old.get_password() {
            new.password(password);
        }
        if let Some(database) = old.get_dbname() {
            new.dbname(database);
        }
        if let Some(options) = old.get_options() {
            new.options(options);
        }
        if let Some(name) = old.get_application_name() {
            new.application_name(name);
        }
        new.ssl_mode(old.get_ssl_mode()).ssl_negotiation(old.get_ssl_negotiation());
        new.channel_binding(old.get_channel_binding()).load_balance_hosts(old.get_load_balance_hosts());
        new.connect_timeout(CONNECT).tcp_user_timeout(CONNECT * 2);
        new.keepalives(old.get_keepalives()).keepalives_idle(old.get_keepalives_idle());
        new.target_session_attrs(old.get_target_session_attrs());
        new
    }

    /// rustls with the authorities that may vouch for the server.
    pub(super) fn verifier(&self) -> Result<ClientConfig, Trouble> {
        let provider = rustls::crypto::ring::default_provider();
        let builder = ClientConfig::builder_with_provider(provider.into())
            .with_safe_default_protocol_versions()
            .map_err(|error| Trouble::Plain(error.to_string()))?;
        Ok(builder.with_root_certificates(self.roots()?).with_no_client_auth())
    }

    fn roots(&self) -> Result<RootCertStore, Trouble> {
        let Some(path) = &self.root_file else {
            return Ok(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() });
        };
        let wrong = |found: String| {
            let path = path.display();
            Trouble::Plain(format!("sslrootcert {path}: {found}; expected a PEM file of certificates"))
        };
        let mut roots = RootCertStore::empty();
        let pem = std::fs::read(path).map_err(|error| wrong(format!("cannot be read ({error})")))?;
        for certificate in CertificateDer::pem_slice_iter(&pem) {
            let certificate = certificate.map_err(|error| wrong(format!("found damaged PEM ({error})")))?;
            roots
                .add(certificate)
                .map_err(|error| wrong(format!("found an unusable certificate ({error})")))?;
        }
        if roots.is_empty() { Err(wrong("found no certificate".to_owned())) } else { Ok(roots) }
    }

    pub(super) fn unavailable(&self, trouble: &Trouble) -> Error {
        Error::not_sent(Code::JournalUnavailable, format!("{}: {trouble}", self.label))
    }
}

/// The URL without what tokio-postgres does not know, and that.
struct Parts {
    url: String,
    sslmode: Option<String>,
    sslrootcert: Option<String>,
}

impl Parts {
    fn of(url: &str) -> Parts {
        let (base, query) = url.split_once('?').unwrap_or((url, ""));
        let mut parts = Parts { url: base.to_owned(), sslmode: None, sslrootcert: None };
        let mut mark = '?';
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some(("sslmode", value)) => parts.sslmode = Some(value.to_owned()),
                Some(("sslrootcert", value)) => parts.sslrootcert = Some(value.replace("%2F", "/")),
                _ => {
                    parts.url.push(mark);
                    parts.url.push_str(pair);
                    mark = '&';
                }
            }
        }
        parts
    }
}

fn is_local(config: &Config) -> bool {
    let local = |host: &Host| match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => name == "localhost" || name.parse().is_ok_and(|ip: IpAddr| ip.is_loopback()),
    };
    match config.get_hostaddrs() {
        [] => config.get_hosts().iter().all(local),
        addresses => addresses.iter().all(IpAddr::is_loopback),
    }
}

fn name(config: &Config) -> String {
    let port = |n: usize| config.get_ports().get(n).or(config.get_ports().first()).copied().unwrap_or(5432);
    let hosts = config.get_hosts().iter().enumerate().map(|(n, host)| match host {
        Host::Tcp(name) => format!("{name}:{}", port(n)),
        Host::Unix(path) => format!("{}:{}", path.display(), port(n)),
    });
    let user = config.get_user().map(|user| format!("{user}@")).unwrap_or_default();
    let database = config.get_dbname().or(config.get_user()).unwrap_or_default();
    format!("postgres://{user}{}/{database}", hosts.collect::<Vec<_>>().join(","))
}

fn wrong(found: String) -> Error {
    Error::not_sent(Code::InvalidConfig, format!("journal: {found}")).field("engine.journal")
}

/// An error with its causes.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !text.contains(&next) {
            text = format!("{text}: {next}");
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_is_encrypted_unless_it_stays_on_this_machine_or_is_said_not_to_be() {
        let tls =
            |url| Address::parse(url, "journal").map(|address| address.tls).map_err(|error| error.message);
        assert_eq!(tls("postgres://u@localhost/d"), Ok(false));
        assert_eq!(tls("postgres://u@127.0.0.1/d?sslmode=prefer"), Ok(false));
        assert_eq!(tls("postgres://u@%2Frun%2Fpostgresql/d"), Ok(false));
        assert_eq!(tls("postgres://u@db.example/d"), Ok(true));
        assert_eq!(tls("postgresql://u@db.example/d?sslmode=prefer"), Ok(true));
        assert_eq!(tls("postgres://u@db.example/d?sslmode=disable"), Ok(false));
        assert_eq!(tls("postgres://u@localhost,db.example/d"), Ok(true));
        assert_eq!(tls("postgres://u@localhost/d?hostaddr=192.0.2.1"), Ok(true));
        assert_eq!(tls("postgres://u@localhost/d?sslmode=verify-full&sslrootcert=/x.pem"), Ok(true));
        assert!(tls("postgres://u@localhost/d?sslmode=maybe").is_err());
    }

    #[test]
    fn the_password_is_nowhere() {
        let address = Address::parse("postgres://me:canary@db.example:5433/books", "journal").expect("a URL");
        assert_eq!(address.name, "postgres://me@db.example:5433/books");
        for url in [
            "postgres://me:canary@db.example:x/books",
            "postgres://me:canary@/books",
            "postgres://me:canary@h/books?unheard=1",
            "mysql://me:canary@h/books",
        ] {
            let error = Address::parse(url, "journal").err().unwrap_or_else(|| panic!("{url} was accepted"));
            assert_eq!(error.code, Code::InvalidConfig);
            assert!(!format!("{error:?} {error}").contains("canary"), "{error}");
        }
    }
}
