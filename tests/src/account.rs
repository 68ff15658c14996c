//! A configured account of a provider, driven through the very table of functions that a plugin
//! exports: documents cross as JSON both ways, as they do between engine and plugin.

use std::cell::RefCell;

use abi_stable::std_types::RStr;
use bayar_provider::abi::{self, Ctx, Fault, Instance, PluginRef, Reply, StepDocument, VerdictDocument};
use bayar_provider::{Call, Callback, Description, Error, Event, Outcome, Provider, Request, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// What a provider wants next, as it came through the table.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "one per exchange, moved once")]
pub enum Next {
    /// The call is finished.
    Done(Outcome),
    /// Send this; the state is the provider's own JSON.
    Send(Request, Vec<u8>),
    /// A session is wanted.
    NeedsSession,
    /// A session was got: its token and its life in seconds.
    Session(String, Option<u64>),
}

/// One account. Dropping it gives the instance back.
pub struct Account {
    plugin: PluginRef,
    instance: Instance,
}

impl Account {
    /// Configures an account.
    ///
    /// # Errors
    /// What `configure` refuses.
    pub fn open<P: Provider>(settings: &Value) -> Result<Self, Error> {
        let plugin = abi::module::<P>();
        let bytes = to_json(settings);
        let configured = unfault(plugin.configure()(CTX, bytes.as_slice().into()).into_result());
        if configured.error.is_empty() {
            Ok(Account { plugin, instance: configured.instance })
        } else {
            Err(from_json(&configured.error))
        }
    }

    /// `prepare`.
    ///
    /// # Errors
    /// The provider's own.
    pub fn prepare(&self, call: &Call) -> Result<Next, Error> {
        let call = to_json(call);
        next(unfault(self.plugin.prepare()(CTX, self.instance, call.as_slice().into()).into_result()))
    }

    /// `interpret`.
    ///
    /// # Errors
    /// The provider's own.
    pub fn interpret(&self, call: &Call, state: &[u8], response: &Response) -> Result<Next, Error> {
        let (call, document) = (to_json(call), to_json(response));
        let reply = self.plugin.interpret()(
            CTX,
            self.instance,
            call.as_slice().into(),
            state.into(),
            document.as_slice().into(),
            response.body.as_slice().into(),
        );
        next(unfault(reply.into_result()))
    }

    /// `verify`.
    ///
    /// # Errors
    /// The refusal.
    pub fn verify(&self, callback: &Callback) -> Result<Event, Error> {
        let document = to_json(callback);
        let body = callback.body.as_slice();
        let reply = self.plugin.verify()(CTX, self.instance, document.as_slice().into(), body.into());
        match from_json(&unfault(reply.into_result()).document) {
            VerdictDocument::Genuine { event } => Ok(event),
            VerdictDocument::Refused { error } => Err(error),
        }
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        self.plugin.release()(CTX, self.instance);
    }
}

/// A provider's description, in general or under settings.
pub fn describe<P: Provider>(settings: Option<&Value>) -> Description {
    let bytes = settings.map(to_json).unwrap_or_default();
    let reply = abi::module::<P>().describe()(CTX, bytes.as_slice().into());
    from_json(&unfault(reply.into_result()).document)
}

/// The log records that this thread's calls gave since the last time.
pub fn take_log() -> Vec<String> {
    LOG.take()
}

thread_local! {
    static LOG: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

const CTX: Ctx = Ctx { log: keep, max_level: 5 };

extern "C" fn keep(level: u32, target: RStr<'_>, message: RStr<'_>) {
    LOG.with_borrow_mut(|log| log.push(format!("{level} {target} {message}")));
}

/// A fault is a broken promise, whatever the test was about: a provider panicked.
fn unfault<T>(result: Result<T, Fault>) -> T {
    result.unwrap_or_else(|fault| panic!("the provider failed: {} at {}", fault.message, fault.location))
}

fn next(reply: Reply) -> Result<Next, Error> {
    match from_json(&reply.document) {
        StepDocument::Done { outcome } => Ok(Next::Done(outcome)),
        StepDocument::Send { request } => {
            Ok(Next::Send(Request { body: reply.body.to_vec(), ..request }, reply.state.to_vec()))
        }
        StepDocument::NeedsSession => Ok(Next::NeedsSession),
        StepDocument::Session { expires_in } => {
            Ok(Next::Session(String::from_utf8(reply.body.to_vec()).expect("a token is text"), expires_in))
        }
        StepDocument::Failed { error } => Err(error),
    }
}

fn to_json<T: Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).expect("documents are JSON")
}

fn from_json<T: DeserializeOwned>(bytes: &[u8]) -> T {
    serde_json::from_slice(bytes).unwrap_or_else(|e| {
        panic!("the provider's document cannot be read: {e}: {}", String::from_utf8_lossy(bytes))
    })
}
