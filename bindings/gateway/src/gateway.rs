//! What every part of the gateway works with: the engine, the store, the settings, and the places where
//! calls may block.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use bayar::journal::{Journal, Scope};
use bayar::transport::Transport;
use bayar::{Code, Engine, Error};
use bayar_provider::Operation;
use serde_json::Value;
use tokio::sync::{Notify, Semaphore};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::{Loaded, Settings};
use crate::deliver;
use crate::document::status::Asked;
use crate::http::limits::Limits;
use crate::http::opened::Opened;
use crate::metrics::{self, Metrics};
use crate::pay::Links;
use crate::problem::Problem;
use crate::seal::Seal;
use crate::store::Store;

/// How many requests may read the databases at a time, and how long one waits for its turn.
pub(crate) const READERS: usize = 16;
const READ_WAIT: Duration = Duration::from_secs(5);

/// The gateway.
pub struct Gateway {
    /// The section `[gateway]`.
    pub settings: Settings,
    /// The engine.
    pub engine: Engine,
    /// Its journal.
    pub journal: Arc<dyn Journal>,
    /// Its accounts, by name.
    pub accounts: BTreeMap<String, Account>,
    /// The gateway's own tables.
    pub store: Store,
    /// Whether any account moves real money.
    pub production: bool,
    /// How callbacks leave.
    pub(crate) transport: Transport,
    pub(crate) metrics: Metrics,
    pub(crate) limits: Limits,
    /// Keys that opened a moment ago.
    pub(crate) opened: Opened,
    /// Rung when there is something to deliver.
    pub(crate) bell: Notify,
    /// Set when the gateway is to stop.
    pub(crate) stop: CancellationToken,
    /// Whatever must end before the gateway does.
    pub(crate) tasks: TaskTracker,
    /// What providers said a moment ago.
    pub(crate) asked: Asked,
    /// The addresses of pay pages.
    pub(crate) pay: Links,
    calls: Arc<Semaphore>,
    reads: Arc<Semaphore>,
}

/// A configured account.
pub struct Account {
    /// Its name.
    pub name: String,
    /// The provider's plugin.
    pub provider: String,
    /// Its environment.
    pub environment: String,
    /// What can be called.
    pub operations: BTreeMap<String, Operation>,
    /// Its whole description.
    pub description: Value,
}

impl Account {
    /// Within which references are unique.
    pub fn scope(&self) -> Scope<'_> {
        Scope { account: &self.name, environment: &self.environment }
    }
}

impl Gateway {
    /// Opens the engine and the store.
    ///
    /// # Errors
    /// What the configuration makes impossible.
    pub fn open(loaded: Loaded) -> Result<Arc<Gateway>, Error> {
        let Loaded { settings, engine, database, production } = loaded;
        let seal = Seal::open(&settings, &database)?;
        let pay = Links::new(&seal, settings.public_url.as_deref());
        let store = Store::new(&database, seal)?;
        let engine = Engine::builder().open_parsed(engine)?;
        let accounts = accounts(&engine)?;
        Ok(Arc::new(Gateway {
            journal: engine.journal(),
            accounts,
            store,
            production,
            transport: deliver::transport(&settings)?,
            metrics: Metrics::new(),
            limits: Limits::new(&settings),
            opened: Opened::default(),
            bell: Notify::new(),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            asked: Asked::default(),
            pay,
            calls: Arc::new(Semaphore::new(settings.calls)),
            reads: Arc::new(Semaphore::new(READERS)),
            engine,
            settings,
        }))
    }

    /// Runs what may wait for a provider, on a thread of its own; it goes on when its client is gone. Turned
    /// away where too many are under way.
    ///
    /// # Errors
    /// [`Problem`] 503, or 500 where it panicked.
    pub async fn call<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Gateway) -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let Ok(permit) = Arc::clone(&self.calls).try_acquire_owned() else {
            self.metrics.turned_away.get_or_create(&metrics::Result { result: "busy" }).inc();
            return Err(busy(self.settings.calls));
        };
        self.metrics.under_way.inc();
        let gateway = Arc::clone(self);
        self.on_a_thread(move || {
            let _place = (permit, UnderWay(&gateway));
            work(&gateway)
        })
        .await
    }

    /// Runs what reads or writes databases and waits for nobody else.
    ///
    /// # Errors
    /// [`Problem`] 503, or 500 where it panicked.
    pub async fn look<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Gateway) -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let Ok(Ok(permit)) = timeout(READ_WAIT, Arc::clone(&self.reads).acquire_owned()).await else {
            return Err(busy(READERS));
        };
        let gateway = Arc::clone(self);
        self.on_a_thread(move || {
            let _place = permit;
            work(&gateway)
        })
        .await
    }

    async fn on_a_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let span = tracing::Span::current();
        let done = self.tasks.spawn_blocking(move || span.in_scope(work)).await;
        done.map_err(|error| {
            tracing::error!("a request's work broke off: {error}");
            Problem::internal("the gateway failed at this request; its log says where")
        })
    }

    /// The account of that name, if there is one.
    ///
    /// # Errors
    /// [`Code::UnknownAccount`].
    pub fn account(&self, name: &str) -> Result<&Account, Error> {
        self.accounts.get(name).ok_or_else(|| unknown_account(name))
    }

    /// The address that a provider sends an account's callbacks to, if it is known how the world reaches us.
    ///
    /// # Errors
    /// The store's.
    pub fn callback_url(&self, account: &str) -> Result<Option<String>, Error> {
        let Some(base) = &self.settings.public_url else { return Ok(None) };
        let secrets = self.store.inbound_secrets(account)?;
        let Some(secret) = secrets.first() else { return Ok(None) };
        Ok(Some(format!("{}/callbacks/{account}/{}", base.trim_end_matches('/'), secret.expose())))
    }
}

/// No account of that name, or none that the application may use: it is not told which.
pub(crate) fn unknown_account(name: &str) -> Error {
    let what = format!("no account {name:?} is configured for this application");
    Error::not_sent(Code::UnknownAccount, what).field("account")
}

struct UnderWay<'a>(&'a Gateway);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.metrics.under_way.dec();
    }
}

fn busy(most: usize) -> Problem {
    let what = format!("{most} requests are under way, which is as many as this gateway takes on");
    let advice = "Nothing was sent. Call again with the same key after a moment.";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy", what, advice).retry_after(1)
}

fn accounts(engine: &Engine) -> Result<BTreeMap<String, Account>, Error> {
    let described = engine.describe(None)?;
    let mut accounts = BTreeMap::new();
    for description in described["accounts"].as_array().into_iter().flatten() {
        let text = |name: &str| description[name].as_str().unwrap_or_default().to_owned();
        let operations: Vec<Operation> =
            serde_json::from_value(description["operations"].clone()).map_err(|error| {
                Error::not_sent(Code::Internal, format!("a description cannot be read: {error}"))
            })?;
        let account = Account {
            name: text("account"),
            provider: text("id"),
            environment: text("environment"),
            operations: operations.into_iter().map(|one| (one.name.clone(), one)).collect(),
            description: description.clone(),
        };
        accounts.insert(account.name.clone(), account);
    }
    Ok(accounts)
}
