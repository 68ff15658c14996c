//! Configuration: TOML or JSON text, or `{"file": "/etc/bayar/bayar.toml"}`.
//!
//! Values of the form `env:NAME` and `file:PATH` are read here, once per open, so that a
//! changed secret is a changed configuration. What is left is checked: a key that nobody
//! knows is refused by name, with the nearest one that is known.

use std::net::IpAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use bayar_provider::Wiped;
use bayar_provider::params;
use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use zeroize::Zeroize;

use crate::error::{Code, Error};

/// A configuration whose secrets are resolved and whose keys are known.
pub struct Config {
    /// The section `[engine]`.
    pub engine: EngineSettings,
    /// One account for each section `[providers.NAME]`, by name.
    pub accounts: Vec<AccountSettings>,
    /// The section `[gateway]`, which is the gateway's to read; null where there is none. Wiped when dropped.
    pub gateway: Wiped,
    /// The file that it was read from, if it was.
    pub file: Option<PathBuf>,
    /// SHA-256 over all of it, secrets included: the same digest is the same engine.
    pub digest: [u8; 32],
}

/// The section `[engine]`; everything is optional.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EngineSettings {
    /// Where intents are kept: `sqlite:/var/lib/bayar/journal.db`, `postgres://…`, or `none`; by default
    /// `journal.db` beside the configuration's file, else in the user's state directory.
    pub journal: Option<String>,
    /// How many days the journal keeps the bodies of answers and callbacks. Default 90.
    pub journal_body_days: Option<u16>,
    /// How many days the journal keeps intents that ended, and their keys. Default 730.
    pub journal_intent_days: Option<u16>,
    /// The directory that holds the plugins; by default the one beside the library.
    pub plugins: Option<PathBuf>,
    /// How requests are sent, unless an account says otherwise.
    #[serde(skip)]
    pub http: HttpSettings,
}

/// How requests are sent: in `[engine]` for all accounts, in an account for that one.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct HttpSettings {
    /// An HTTP proxy, `http://host:port`. The environment's proxies are never used.
    pub proxy: Option<String>,
    /// The address to send from, for providers that allow-list source addresses.
    pub local_address: Option<IpAddr>,
    /// A file of certificates in PEM to trust instead of the built-in ones.
    pub ca_file: Option<PathBuf>,
    /// Whether plain http may be used beyond this machine. Only for tests.
    pub allow_http: Option<bool>,
    /// How long connecting may take, in milliseconds. Default 5000.
    pub connect_timeout_ms: Option<u64>,
    /// How long a whole call may take, in milliseconds. Default 20000.
    pub deadline_ms: Option<u64>,
    /// The largest answer, in bytes after decoding. Default 262144.
    pub body_cap: Option<usize>,
    /// The largest head of an answer, in bytes. Default 16384.
    pub header_cap: Option<usize>,
}

/// The keys of [`EngineSettings`] that are its own.
const ENGINE_KEYS: [&str; 4] = ["journal", "journal_body_days", "journal_intent_days", "plugins"];

/// The keys of [`HttpSettings`].
const HTTP_KEYS: [&str; 8] = [
    "proxy",
    "local_address",
    "ca_file",
    "allow_http",
    "connect_timeout_ms",
    "deadline_ms",
    "body_cap",
    "header_cap",
];

impl HttpSettings {
    /// These settings, with `general` where they say nothing.
    pub fn or(&self, general: &HttpSettings) -> HttpSettings {
        HttpSettings {
            proxy: self.proxy.clone().or_else(|| general.proxy.clone()),
            local_address: self.local_address.or(general.local_address),
            ca_file: self.ca_file.clone().or_else(|| general.ca_file.clone()),
            allow_http: self.allow_http.or(general.allow_http),
            connect_timeout_ms: self.connect_timeout_ms.or(general.connect_timeout_ms),
            deadline_ms: self.deadline_ms.or(general.deadline_ms),
            body_cap: self.body_cap.or(general.body_cap),
            header_cap: self.header_cap.or(general.header_cap),
        }
    }

    /// The largest answer, in bytes after decoding.
    pub fn body_cap(&self) -> usize {
        self.body_cap.unwrap_or(256 * 1024)
    }

    /// How long a whole call may take.
    pub fn deadline(&self) -> Duration {
        Duration::from_millis(self.deadline_ms.unwrap_or(20_000))
    }
}

/// A section `[providers.NAME]`: what the engine reads of it, and the rest for the plugin.
pub struct AccountSettings {
    /// The account's name.
    pub name: String,
    /// The plugin's id.
    pub plugin: String,
    /// The SHA-256 that the plugin's file must have, in hexadecimal, where it is pinned.
    pub plugin_sha256: Option<String>,
    /// How this account's requests are sent.
    pub http: HttpSettings,
    /// What the plugin's `configure` gets, as JSON; wiped when dropped.
    pub settings: Wiped,
}

/// The keys of an account that belong to the engine.
#[derive(Deserialize)]
struct AccountKeys {
    plugin: Option<String>,
    plugin_sha256: Option<String>,
}

impl Config {
    /// Reads a configuration.
    ///
    /// # Errors
    /// [`Code::InvalidConfig`], naming the key, what was found and what is allowed;
    /// [`Code::ConfigExposed`] where others can read a file with production credentials.
    pub fn parse(text: &str) -> Result<Config, Error> {
        let mut source = read_source(text)?;
        let mut exposed: Option<PathBuf> = source.file.clone().filter(|file| others_can_read(file));
        resolve(&mut source.tree.0, "", &mut exposed)?;
        // Unless the configuration names a journal, that lies beside its file: another file, another engine.
        let named = source.tree.0.pointer("/engine/journal").is_some();
        let place = source.file.as_ref().filter(|_| !named).map(|file| file.display().to_string());
        let place = place.unwrap_or_default();
        let digest =
            Sha256::new().chain_update(source.tree.0.to_string()).chain_update(place).finalize().into();
        let mut root = match std::mem::take(&mut source.tree.0) {
            Value::Object(root) => root,
            other => {
                return Err(invalid(
                    "",
                    format!("found {}, expected the sections [engine] and [providers.NAME]", kind(&other)),
                ));
            }
        };
        let engine = engine_settings(root.remove("engine"))?;
        let accounts = match root.remove("providers") {
            None => Vec::new(),
            Some(Value::Object(sections)) => sections
                .into_iter()
                .map(|(name, section)| account(name, section))
                .collect::<Result<_, _>>()?,
            Some(other) => {
                return Err(invalid(
                    "providers",
                    format!("found {}, expected sections [providers.NAME]", kind(&other)),
                ));
            }
        };
        let gateway = Wiped(root.remove("gateway").unwrap_or_default());
        if let Some(unknown) = root.keys().next() {
            return Err(unknown_key(unknown, unknown, &["engine", "providers", "gateway"]));
        }
        if let (Some(file), Some(account)) = (&exposed, accounts.iter().find(|a| a.is_production())) {
            return Err(Error::not_sent(
                Code::ConfigExposed,
                format!(
                    "{} can be read by everybody, and the account {} uses it in production: run chmod 640 {}",
                    file.display(),
                    account.name,
                    file.display()
                ),
            ));
        }
        Ok(Config { engine, accounts, gateway, file: source.file.take(), digest })
    }
}

impl AccountSettings {
    /// Whether this account moves real money.
    pub fn is_production(&self) -> bool {
        self.settings.0.get("environment").and_then(Value::as_str) == Some("production")
    }
}

struct Source {
    tree: Wiped,
    file: Option<PathBuf>,
}

/// The text itself, or the file that it names.
fn read_source(text: &str) -> Result<Source, Error> {
    let tree = parse_text(text)?;
    let Some(file) = tree.get("file") else {
        return Ok(Source { tree: Wiped(tree), file: None });
    };
    let Some(file) = file.as_str().map(PathBuf::from) else {
        return Err(invalid(
            "file",
            format!("found {}, expected the path of a configuration file", kind(file)),
        ));
    };
    if let Some(other) = tree.as_object().and_then(|o| o.keys().find(|k| *k != "file")) {
        return Err(invalid(other, "stands beside file, which must stand alone".to_owned()));
    }
    let mut text = std::fs::read_to_string(&file)
        .map_err(|e| invalid("file", format!("{} cannot be read: {e}", file.display())))?;
    let tree = parse_text(&text);
    text.zeroize();
    let tree = tree.map_err(|e| Error { message: format!("{}: {}", file.display(), e.message), ..e })?;
    Ok(Source { tree: Wiped(tree), file: Some(file) })
}

/// JSON where the text begins with a brace, else TOML.
fn parse_text(text: &str) -> Result<Value, Error> {
    if text.trim_start().starts_with('{') {
        return bayar_provider::json::strict(text.as_bytes())
            .map_err(|e| invalid("", format!("the configuration is not JSON: {e}")));
    }
    // A TOML error quotes the line, which may hold a secret: only its message and place are kept.
    toml::from_str::<Value>(text).map_err(|e| {
        let line = e.span().map_or(0, |span| text[..span.start.min(text.len())].lines().count().max(1));
        invalid("", format!("the configuration is not TOML: line {line}: {}", e.message()))
    })
}

/// Replaces `env:NAME` and `file:PATH` everywhere by what they name.
fn resolve(value: &mut Value, path: &str, exposed: &mut Option<PathBuf>) -> Result<(), Error> {
    match value {
        Value::Object(fields) => fields.iter_mut().try_for_each(|(key, field)| {
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            resolve(field, &path, exposed)
        }),
        Value::Array(items) => items.iter_mut().try_for_each(|item| resolve(item, path, exposed)),
        Value::String(text) => {
            if let Some(name) = text.strip_prefix("env:") {
                *text = std::env::var(name).map_err(|_| {
                    invalid(
                        path,
                        format!("names the environment variable {name}, which is not set (or not UTF-8)"),
                    )
                })?;
            } else if let Some(file) = text.strip_prefix("file:") {
                let file = PathBuf::from(file);
                let content = std::fs::read_to_string(&file).map_err(|e| {
                    invalid(path, format!("names the file {}, which cannot be read: {e}", file.display()))
                })?;
                *text = content.trim_end_matches(['\r', '\n']).to_owned();
                if others_can_read(&file) {
                    *exposed = Some(file);
                }
            }
            Ok(())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
    }
}

fn engine_settings(section: Option<Value>) -> Result<EngineSettings, Error> {
    let Some(section) = section else {
        return Ok(EngineSettings::default());
    };
    let known: Vec<&str> = ENGINE_KEYS.into_iter().chain(HTTP_KEYS).collect();
    let Value::Object(mut fields) = section else {
        return Err(invalid("engine", format!("found {}, expected a section", kind(&section))));
    };
    if let Some(unknown) = fields.keys().find(|key| !known.contains(&key.as_str())) {
        return Err(unknown_key(unknown, &format!("engine.{unknown}"), &known));
    }
    let http = take(&mut fields, &HTTP_KEYS, "engine")?;
    let settings = take(&mut fields, &ENGINE_KEYS, "engine")?;
    Ok(EngineSettings { http, ..settings })
}

/// Takes some keys out of a section, as a type. (serde's `flatten` would do it too, and lose
/// the name of the key that an error is about.)
fn take<T: serde::de::DeserializeOwned>(
    section: &mut Map<String, Value>,
    keys: &[&str],
    path: &str,
) -> Result<T, Error> {
    let mut own = Map::new();
    for key in keys {
        own.extend(section.remove_entry(*key));
    }
    params::read(&Value::Object(own)).map_err(|e| of_section(path, e))
}

/// Parts a section `[providers.NAME]` into what is the engine's and what is the plugin's.
fn account(name: String, section: Value) -> Result<AccountSettings, Error> {
    let path = format!("providers.{name}");
    if name == crate::engine::ENGINE_ACCOUNT {
        return Err(invalid(&path, "is a reserved name: the account bayar is the engine itself".to_owned()));
    }
    let Value::Object(mut settings) = section else {
        return Err(invalid(&path, format!("found {}, expected a section", kind(&section))));
    };
    let keys: AccountKeys = take(&mut settings, &["plugin", "plugin_sha256"], &path)?;
    let http = take(&mut settings, &HTTP_KEYS, &path)?;
    let plugin = keys.plugin.unwrap_or_else(|| name.clone());
    let is_id = plugin.starts_with(|c: char| c.is_ascii_lowercase())
        && plugin.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if !is_id {
        return Err(invalid(
            &format!("{path}.plugin"),
            format!(
                "found {plugin:?}, expected a plugin's id: a lower-case letter, then lower-case letters, digits and _"
            ),
        ));
    }
    Ok(AccountSettings {
        name,
        plugin,
        plugin_sha256: keys.plugin_sha256,
        http,
        settings: Wiped(Value::Object(settings)),
    })
}

/// Puts a section's path before the field that an error names.
pub(crate) fn of_section(section: &str, error: bayar_provider::Error) -> Error {
    let field = error.field.as_ref().map_or_else(|| section.to_owned(), |field| format!("{section}.{field}"));
    Error::not_sent(Code::InvalidConfig, format!("in [{section}]: {}", error.message)).field(field)
}

fn unknown_key(key: &str, path: &str, known: &[&str]) -> Error {
    let nearest =
        params::nearest(key, known).map_or_else(|| ".".to_owned(), |near| format!("; did you mean {near}?"));
    invalid(path, format!("is unknown{nearest} Known here: {}", known.join(", ")))
}

fn invalid(path: &str, what: String) -> Error {
    let error = Error::not_sent(
        Code::InvalidConfig,
        if path.is_empty() { what.clone() } else { format!("{path} {what}") },
    );
    if path.is_empty() { error } else { error.field(path) }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "a section",
    }
}

fn others_can_read(file: &Path) -> bool {
    std::fs::metadata(file).is_ok_and(|meta| meta.permissions().mode() & 0o004 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> (Option<String>, String) {
        let error = Config::parse(text).err().expect("is refused");
        assert_eq!(error.code, Code::InvalidConfig);
        (error.field, error.message)
    }

    #[test]
    fn reads_toml_and_json_alike() {
        let toml = "[engine]\njournal = \"none\"\n[providers.shop]\nplugin = \"midtrans\"\nserver_key = \"k\"\ndeadline_ms = 9000\n";
        let json = r#"{"engine":{"journal":"none"},"providers":{"shop":{"plugin":"midtrans","server_key":"k","deadline_ms":9000}}}"#;
        let (a, b) = (Config::parse(toml).unwrap(), Config::parse(json).unwrap());
        assert_eq!(a.digest, b.digest);
        let account = &a.accounts[0];
        assert_eq!((account.name.as_str(), account.plugin.as_str()), ("shop", "midtrans"));
        assert_eq!(account.settings.0, serde_json::json!({"server_key": "k"}));
        assert_eq!(account.http.deadline(), Duration::from_secs(9));
        assert!(Config::parse("").unwrap().accounts.is_empty());
        assert!(Config::parse("{}").unwrap().accounts.is_empty());
    }

    #[test]
    fn names_what_is_wrong() {
        let cases = [
            (
                "[engin]\n",
                "engin",
                "engin is unknown; did you mean engine? Known here: engine, providers, gateway",
            ),
            (
                "[engine]\njurnal = 'none'\n",
                "engine.jurnal",
                "engine.jurnal is unknown; did you mean journal?",
            ),
            (
                "[engine]\nbody_cap = 'x'\n",
                "engine.body_cap",
                "in [engine]: body_cap: found string \"x\"; allowed: usize",
            ),
            ("[providers.bayar]\n", "providers.bayar", "providers.bayar is a reserved name"),
            (
                "[providers.x]\nplugin = '../evil'\n",
                "providers.x.plugin",
                "providers.x.plugin found \"../evil\", expected a plugin's id",
            ),
            (
                "[providers.x]\nkey = 'env:BAYAR_TEST_UNSET'\n",
                "providers.x.key",
                "providers.x.key names the environment variable BAYAR_TEST_UNSET, which is not set",
            ),
            (
                "[providers.x]\nkey = 'file:/nonexistent/key'\n",
                "providers.x.key",
                "providers.x.key names the file /nonexistent/key, which cannot be read",
            ),
            (r#"{"file": "/nonexistent/bayar.toml"}"#, "file", "file /nonexistent/bayar.toml cannot be read"),
        ];
        for (text, field, message) in cases {
            let (found_field, found) = error(text);
            assert_eq!(found_field.as_deref(), Some(field), "{text}");
            assert!(found.starts_with(message), "{text}\n{found}");
        }
        let (_, message) = error("[providers.x]\nserver_key = 'CANARY\n");
        assert!(message.contains("line 2") && !message.contains("CANARY"), "{message}");
    }

    #[test]
    fn a_file_that_others_can_read_holds_no_production_credentials() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("bayar.toml");
        let open = |text: &str, mode: u32| {
            std::fs::write(&file, text).unwrap();
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
            Config::parse(&serde_json::json!({"file": file}).to_string())
        };
        let production = "[providers.midtrans]\nenvironment = 'production'\nserver_key = 'x'\n";
        assert_eq!(open(production, 0o644).err().unwrap().code, Code::ConfigExposed);
        assert!(open(production, 0o640).is_ok());
        assert!(open("[providers.midtrans]\nserver_key = 'x'\n", 0o644).is_ok());

        let key = dir.path().join("key");
        std::fs::write(&key, "from-file\n").unwrap();
        let text = format!("[providers.midtrans]\nserver_key = 'file:{}'\n", key.display());
        assert_eq!(open(&text, 0o640).unwrap().accounts[0].settings.0["server_key"], "from-file");
        let text = format!("{text}environment = 'production'\n");
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(open(&text, 0o600).err().unwrap().code, Code::ConfigExposed);
    }
}
