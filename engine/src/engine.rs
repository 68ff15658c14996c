//! The engine: accounts opened from a configuration, and what hosts do with them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bayar_provider::abi::PluginRef;
use bayar_provider::{CONTRACT, Callback, CallbackRules, Description, Operation, ReferenceRule, Secret};
use serde_json::{Value, json};

use crate::ambient::{Ambient, System};
use crate::callback::receive;
use crate::config::{AccountSettings, Config, HttpSettings};
use crate::drive::{Gave, Need, Progress, Task};
use crate::error::{Code, Error};
use crate::execute::execute;
use crate::faults::step;
use crate::journal::{self, Journal, Scope};
use crate::outcome::Outcome;
use crate::plugins::{self, Instance, Plugin};
use crate::redact::Redactor;
use crate::request::HostCall;
use crate::session::Sessions;
use crate::transport::{Options, Transport, origin_of};

/// The reserved account: the engine itself.
pub const ENGINE_ACCOUNT: &str = "bayar";

/// The engine. Cheap to clone; clones share everything. It may be used from many threads.
#[derive(Clone)]
pub struct Engine {
    shared: Arc<Shared>,
}

/// What all clones of an engine share. Nothing in it is opened before first use.
pub(crate) struct Shared {
    pub accounts: BTreeMap<String, Arc<Account>>,
    pub journal: Arc<dyn Journal>,
    pub ambient: Arc<dyn Ambient>,
    /// How many days bodies are kept, and how many intents.
    pub kept_days: (u16, u16),
    plugins: Plugins,
    redactor: Redactor,
    digest: [u8; 32],
}

/// A configured account.
pub(crate) struct Account {
    pub name: String,
    pub provider: String,
    pub environment: String,
    pub instance: Instance,
    pub operations: BTreeMap<String, Operation>,
    pub origins: Vec<String>,
    pub reference: ReferenceRule,
    pub callback: Option<CallbackRules>,
    pub http: HttpSettings,
    pub transport: Transport,
    pub sessions: Sessions,
    pub redactor: Arc<Redactor>,
    description: Description,
}

impl Account {
    /// Within which references are unique.
    pub fn scope(&self) -> Scope<'_> {
        Scope { account: &self.name, environment: &self.environment }
    }

    /// The operation of that name.
    pub fn operation(&self, name: &str) -> Result<&Operation, Error> {
        self.operations.get(name).ok_or_else(|| {
            let known: Vec<&str> = self.operations.keys().map(String::as_str).collect();
            let nearest = bayar_provider::params::nearest(name, &known)
                .map_or_else(|| ".".to_owned(), |near| format!("; did you mean {near}?"));
            let known = known.join(", ");
            Error::not_sent(
                Code::Unsupported,
                format!("{} has no operation {name}{nearest} There is: {known}", self.name),
            )
            .field("operation")
        })
    }
}

/// Opens an engine, with what a test or a Rust host wants otherwise than by default.
pub struct Builder {
    linked: BTreeMap<String, Plugin>,
    ambient: Arc<dyn Ambient>,
    journal: Option<Arc<dyn Journal>>,
}

impl Builder {
    /// Uses a provider that is linked into this program instead of looking for its plugin:
    /// `builder.plugin("midtrans", bayar_provider::abi::module::<Midtrans>())`.
    pub fn plugin(mut self, id: &str, module: PluginRef) -> Self {
        self.linked.insert(id.to_owned(), Plugin::linked(module));
        self
    }

    /// Uses another clock and other randomness than the system's.
    pub fn ambient(self, ambient: impl Ambient + 'static) -> Self {
        Builder { ambient: Arc::new(ambient), ..self }
    }

    /// Uses a journal of the caller's.
    pub fn journal(self, journal: Arc<dyn Journal>) -> Self {
        Builder { journal: Some(journal), ..self }
    }

    /// Opens the engine: loads plugins and checks every account's settings. Opens no socket,
    /// no database, and starts no thread.
    ///
    /// # Errors
    /// See [`Config::parse`] and [`Plugin::load`].
    pub fn open(self, config: &str) -> Result<Engine, Error> {
        let config = Config::parse(config)?;
        self.open_parsed(config)
    }

    /// Opens the engine of a configuration that was read before.
    ///
    /// # Errors
    /// See [`Builder::open`].
    pub fn open_parsed(self, config: Config) -> Result<Engine, Error> {
        let journal = match self.journal {
            Some(journal) => journal,
            None => open_journal(config.engine.journal.as_deref(), config.file.as_deref())?,
        };
        let directory = config.engine.plugins.clone().or_else(plugins::default_directory);
        let mut plugins = Plugins { directory, linked: self.linked };
        let mut accounts = BTreeMap::new();
        let mut secrets = Vec::new();
        for settings in config.accounts {
            let (account, own) = open_account(settings, &config.engine.http, &mut plugins)?;
            secrets.extend(own);
            accounts.insert(account.name.clone(), Arc::new(account));
        }
        let redactor = Redactor::new(secrets);
        let kept = &config.engine;
        let kept_days = (kept.journal_body_days.unwrap_or(90), kept.journal_intent_days.unwrap_or(730));
        let shared = Shared {
            accounts,
            journal,
            ambient: self.ambient,
            kept_days,
            plugins,
            redactor,
            digest: config.digest,
        };
        Ok(Engine { shared: Arc::new(shared) })
    }
}

impl Engine {
    /// Opens an engine from a configuration: TOML, JSON, or `{"file": "…"}`.
    ///
    /// # Errors
    /// See [`Builder::open`].
    pub fn open(config: &str) -> Result<Engine, Error> {
        Engine::builder().open(config)
    }

    /// Opens an engine otherwise than by default.
    pub fn builder() -> Builder {
        Builder { linked: BTreeMap::new(), ambient: Arc::new(System), journal: None }
    }

    /// Calls an operation and waits for its end. `params` is a JSON object.
    ///
    /// # Errors
    /// [`Error::stage`] says whether the request may have reached the provider.
    pub fn call(&self, account: &str, operation: &str, params: Value) -> Result<Outcome, Error> {
        if account == ENGINE_ACCOUNT {
            return self.own_operation(operation, &params);
        }
        let account = self.account(account)?;
        let task = self.start_on(Arc::clone(&account), operation, params)?;
        drive(&account, task)
    }

    /// Receives a callback and waits for its end; the outcome carries the acknowledgement to answer.
    ///
    /// # Errors
    /// Whatever is not proven genuine. [`Error::acknowledgement`] is what to answer.
    pub fn callback(&self, account: &str, callback: Callback) -> Result<Outcome, Error> {
        let account = self.account(account)?;
        let engine = Arc::clone(&self.shared);
        let task = Task::new({
            let account = Arc::clone(&account);
            |wire| receive(engine, account, callback, wire)
        });
        drive(&account, task)
    }

    /// Starts a call whose HTTP the host sends itself.
    ///
    /// # Errors
    /// Bad input is refused here, before anything is to be sent.
    pub fn start(
        &self,
        account: &str,
        operation: &str,
        params: Value,
    ) -> Result<Task<Result<Outcome, Error>>, Error> {
        if account == ENGINE_ACCOUNT {
            let end = self.own_operation(operation, &params);
            return Ok(Task::new(|_| async { end }));
        }
        self.start_on(self.account(account)?, operation, params)
    }

    /// Starts receiving a callback whose HTTP, if any is needed, the host sends itself.
    ///
    /// # Errors
    /// [`Code::UnknownAccount`].
    pub fn start_callback(
        &self,
        account: &str,
        callback: Callback,
    ) -> Result<Task<Result<Outcome, Error>>, Error> {
        let account = self.account(account)?;
        let engine = Arc::clone(&self.shared);
        Ok(Task::new(|wire| receive(engine, account, callback, wire)))
    }

    /// What an account, or everything, is and can do.
    ///
    /// # Errors
    /// [`Code::UnknownAccount`], and what loading a plugin gives.
    pub fn describe(&self, account: Option<&str>) -> Result<Value, Error> {
        if let Some(name) = account.filter(|name| *name != ENGINE_ACCOUNT) {
            let account = self.account(name)?;
            return Ok(describe_account(&account));
        }
        let accounts: Vec<Value> =
            self.shared.accounts.values().map(|account| describe_account(account)).collect();
        Ok(json!({
            "bayar": crate::VERSION,
            "contract": CONTRACT,
            "journal": self.shared.journal.name(),
            "operations": crate::own::OPERATIONS.map(|(name, summary)| json!({"name": name, "summary": summary})),
            "accounts": accounts,
            "plugins": self.shared.plugins.describe_all(),
        }))
    }

    /// The journal, for hosts that look further into it than the account `bayar` does.
    pub fn journal(&self) -> Arc<dyn Journal> {
        Arc::clone(&self.shared.journal)
    }

    /// The longest that one call of any account may take, unless its `deadline_ms` says otherwise.
    pub fn longest_call(&self) -> Duration {
        Duration::from_millis(self.shared.longest_call_ms().unsigned_abs())
    }

    /// Removes the credentials of all accounts, and what looks like a card number, from text
    /// that is about to be written.
    pub fn redact<'a>(&self, text: &'a str) -> std::borrow::Cow<'a, str> {
        self.shared.redactor.text(text)
    }

    /// Two engines that share everything have the same configuration.
    pub fn is_same(&self, other: &Engine) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }

    pub(crate) fn digest(&self) -> &[u8; 32] {
        &self.shared.digest
    }

    /// Whether nobody but the caller holds this engine.
    pub(crate) fn is_idle(&self) -> bool {
        Arc::strong_count(&self.shared) == 1
    }

    fn start_on(
        &self,
        account: Arc<Account>,
        operation: &str,
        params: Value,
    ) -> Result<Task<Result<Outcome, Error>>, Error> {
        let host = HostCall::read(&self.shared, &account, operation, params)?;
        let engine = Arc::clone(&self.shared);
        Ok(Task::new(|wire| execute(engine, account, host, wire)))
    }

    fn account(&self, name: &str) -> Result<Arc<Account>, Error> {
        self.shared.accounts.get(name).cloned().ok_or_else(|| {
            let known: Vec<&str> = self.shared.accounts.keys().map(String::as_str).collect();
            let nearest = bayar_provider::params::nearest(name, &known)
                .map_or_else(|| ".".to_owned(), |near| format!("; did you mean {near}?"));
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            Error::not_sent(
                Code::UnknownAccount,
                format!("no account {name:?} is configured{nearest} Configured: {known}"),
            )
            .field("account")
        })
    }

    fn own_operation(&self, operation: &str, params: &Value) -> Result<Outcome, Error> {
        let end = crate::own::execute(&self.shared, operation, params);
        step("end: before it returns");
        end.map_err(|error| Error {
            message: self.shared.redactor.text(&error.message).into_owned(),
            ..error
        })
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let accounts: Vec<&String> = self.shared.accounts.keys().collect();
        f.debug_struct("Engine").field("accounts", &accounts).finish_non_exhaustive()
    }
}

impl Shared {
    /// The longest that one call of any account may take, in milliseconds, unless its host says otherwise.
    pub fn longest_call_ms(&self) -> i64 {
        let longest = self.accounts.values().map(|account| account.http.deadline()).max().unwrap_or_default();
        i64::try_from(longest.as_millis()).unwrap_or(i64::MAX / 100)
    }

    pub fn plugin_directory(&self) -> Option<&PathBuf> {
        self.plugins.directory.as_ref()
    }
}

/// Does what a path needs, itself, until the path is finished.
pub(crate) fn drive<T>(account: &Account, mut task: Task<T>) -> T {
    loop {
        let gave = match task.advance() {
            Progress::Done(end) => {
                step("end: before it returns");
                return end;
            }
            Progress::Need(Need::Http { request, fresh, deadline, .. }) => {
                step("exchange: before");
                let sent = account.transport.send(&request, fresh, deadline);
                step("exchange: after");
                match sent {
                    Ok(response) => Gave::Response(response),
                    Err(failure) => Gave::Failure(failure),
                }
            }
            Progress::Need(Need::Wait(at_most)) => {
                account.sessions.wait(at_most);
                Gave::Waited
            }
        };
        task.give(gave);
    }
}

/// The plugins of this engine: linked in, or files of one directory.
struct Plugins {
    directory: Option<PathBuf>,
    linked: BTreeMap<String, Plugin>,
}

impl Plugins {
    /// The plugin of that id, loaded if it was not yet.
    fn get(&mut self, id: &str, pin: Option<&str>) -> Result<Plugin, Error> {
        if let (Some(plugin), None) = (self.linked.get(id), pin) {
            return Ok(*plugin);
        }
        let plugin = self.load(id, pin)?;
        self.linked.insert(id.to_owned(), plugin);
        Ok(plugin)
    }

    fn load(&self, id: &str, pin: Option<&str>) -> Result<Plugin, Error> {
        let Some(directory) = &self.directory else {
            return Err(Error::not_sent(
                Code::NotFound,
                "it is not known where the plugins are: set `plugins` in [engine]",
            ));
        };
        if !directory.is_absolute() {
            let what = format!("engine.plugins is {}, expected an absolute path", directory.display());
            return Err(Error::not_sent(Code::InvalidConfig, what).field("engine.plugins"));
        }
        let path = directory.join(plugins::file_name(id));
        Plugin::load(&path, pin).map_err(|error| match error.code {
            Code::NotFound => {
                let there = plugins::list(directory);
                let there = if there.is_empty() { "none".to_owned() } else { there.join(", ") };
                Error {
                    message: format!("{}. Plugins in {}: {there}", error.message, directory.display()),
                    ..error
                }
            }
            _ => error,
        })
    }

    /// Every plugin that is linked in or lies in the directory, with its description or why it has none.
    fn describe_all(&self) -> Vec<Value> {
        let mut ids: Vec<String> = self.directory.as_deref().map(plugins::list).unwrap_or_default();
        ids.extend(self.linked.keys().cloned());
        ids.sort();
        ids.dedup();
        let describe = |id: &String| {
            let plugin = self.linked.get(id).copied().map_or_else(|| self.load(id, None), Ok);
            match plugin.and_then(|plugin| plugin.describe(None)) {
                Ok(description) => json!(description),
                Err(error) => json!({"id": id, "error": error}),
            }
        };
        ids.iter().map(describe).collect()
    }
}

fn open_account(
    settings: AccountSettings,
    general: &HttpSettings,
    plugins: &mut Plugins,
) -> Result<(Account, Vec<Secret>), Error> {
    let section = format!("providers.{}", settings.name);
    let in_section = |error: Error| {
        let field = error.field.clone().map_or_else(|| section.clone(), |field| format!("{section}.{field}"));
        Error { message: format!("in [{section}]: {}", error.message), ..error }.field(field)
    };
    let plugin = plugins.get(&settings.plugin, settings.plugin_sha256.as_deref()).map_err(in_section)?;
    let description = plugin.describe(Some(&settings.settings.0)).map_err(in_section)?;
    let secrets = secrets_of(&settings.settings.0, &description.settings);
    let redactor = Arc::new(Redactor::new(secrets.clone()));
    let instance = plugin
        .configure(&settings.settings.0, Arc::clone(&redactor))
        .map_err(|e| in_section(redactor.error(e)))?;
    let http = settings.http.or(general);
    let origins = description.origins.iter().map(|origin| origin_of(origin)).collect::<Result<_, _>>();
    let origins = origins.map_err(|e| in_section(Error::not_sent(Code::InvalidConfig, e.message)))?;
    let transport = Transport::new(transport_options(&http)).map_err(|e| {
        in_section(Error::not_sent(Code::InvalidConfig, format!("{}: {}", e.field, e.message)).field(e.field))
    })?;
    let environment =
        settings.settings.0.get("environment").and_then(Value::as_str).unwrap_or("sandbox").to_owned();
    let account = Account {
        name: settings.name.clone(),
        provider: description.id.clone(),
        environment,
        instance,
        operations: description
            .operations
            .iter()
            .map(|operation| (operation.name.clone(), operation.clone()))
            .collect(),
        origins,
        reference: description.reference.clone(),
        callback: description.callback.clone(),
        http,
        transport,
        sessions: Sessions::default(),
        redactor,
        description,
    };
    Ok((account, secrets))
}

/// The values of the settings that the plugin's schema marks `writeOnly`.
fn secrets_of(settings: &Value, schema: &Value) -> Vec<Secret> {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
        return Vec::new();
    };
    let is_secret = |property: &Value| {
        let marked = |schema: &Value| schema.get("writeOnly") == Some(&Value::Bool(true));
        let any_of = property.get("anyOf").and_then(Value::as_array);
        marked(property) || any_of.is_some_and(|schemas| schemas.iter().any(marked))
    };
    let names = properties.iter().filter(|(_, property)| is_secret(property)).map(|(name, _)| name);
    names.filter_map(|name| settings.get(name).and_then(Value::as_str)).map(Secret::new).collect()
}

fn transport_options(http: &HttpSettings) -> Options {
    let default = Options::default();
    Options {
        connect_timeout: http.connect_timeout_ms.map_or(default.connect_timeout, Duration::from_millis),
        body_cap: http.body_cap(),
        header_cap: http.header_cap.unwrap_or(default.header_cap),
        proxy: http.proxy.clone(),
        local_address: http.local_address,
        ca_file: http.ca_file.clone(),
        allow_http: http.allow_http.unwrap_or(false),
        public_only: default.public_only,
        user_agent: default.user_agent,
    }
}

/// The journal that the configuration names. Nothing is opened before its first use.
fn open_journal(setting: Option<&str>, beside: Option<&Path>) -> Result<Arc<dyn Journal>, Error> {
    let setting = match setting {
        Some(setting) => setting.to_owned(),
        None => default_journal(beside)?,
    };
    if setting == "none" {
        return Ok(Arc::new(journal::NoJournal));
    }
    journal::open(&setting)
}

/// Beside the configuration's file; without one, in the user's state directory.
fn default_journal(beside: Option<&Path>) -> Result<String, Error> {
    let directory = match beside {
        Some(file) => std::path::absolute(file).ok().and_then(|file| file.parent().map(Path::to_owned)),
        None => std::env::var_os("XDG_STATE_HOME")
            .filter(|home| Path::new(home).is_absolute())
            .map(PathBuf::from)
            .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/state")))
            .map(|state| state.join("bayar")),
    };
    let directory = directory.filter(|directory| directory.is_absolute()).ok_or_else(|| {
        let what = "engine.journal is not set, and there is no configuration file and no home to keep a journal in; \
            expected sqlite:/path/to/journal.db, postgres://…, or none";
        Error::not_sent(Code::InvalidConfig, what).field("engine.journal")
    })?;
    Ok(format!("sqlite:{}", directory.join("journal.db").display()))
}

fn describe_account(account: &Account) -> Value {
    let mut description = json!(account.description);
    if let Value::Object(fields) = &mut description {
        fields.insert("account".to_owned(), json!(account.name));
        fields.insert("environment".to_owned(), json!(account.environment));
    }
    description
}
