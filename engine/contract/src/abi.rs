//! How engine and plugin meet across a dynamic library: the only `unsafe` of this crate, and
//! all that there is of abi_stable on the plugin's side.
//!
//! A plugin exports one root module, a table of functions. What passes through them is JSON
//! documents, with the body of a request, response or callback beside as bytes. Every function
//! runs under a guard that turns a panic into a [`Fault`] with file and line.
//!
//! The table is a prefix type: a later minor version of the contract appends functions after
//! `verify`, a host sees `None` where a plugin has none. Nothing before is ever changed.

#![allow(unsafe_code, reason = "the border between engine and plugin; each block states why it holds")]
#![allow(non_local_definitions, clippy::ptr_as_ptr, reason = "written by abi_stable's derive macros")]

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use abi_stable::StableAbi;
use abi_stable::library::{LibHeader, RootModule, RootModuleError, RootModuleResult};
#[cfg(not(feature = "next-minor"))]
use abi_stable::package_version_strings;
use abi_stable::prefix_type::{PrefixRefTrait, PrefixTypeTrait};
use abi_stable::sabi_types::VersionStrings;
use abi_stable::std_types::{RErr, ROk, RResult, RSlice, RStr, RString, RVec};
use serde::{Deserialize, Serialize};

use crate::error::{Code, Error};
use crate::exchange::{Request, Response};
use crate::outcome::Outcome;
use crate::provider::{Provider, Step};
use crate::secret::Wiped;
use crate::{Call, Callback, Secret, params};

#[cfg(not(panic = "unwind"))]
compile_error!("Bayar turns panics into errors at its borders: build with panic = \"unwind\"");

/// What the engine hands along with every call.
///
/// The logger travels here, not once at the start: a pointer kept by a plugin could outlive
/// the library that it points into.
#[repr(C)]
#[derive(StableAbi, Clone, Copy)]
pub struct Ctx {
    /// Takes one log record: level (1 error … 5 trace), target, message. Never panics.
    pub log: extern "C" fn(u32, RStr<'_>, RStr<'_>),
    /// The most talkative level wanted, 0 (none) to 5 (trace).
    pub max_level: u32,
}

/// A plugin's answer: a document, and beside it what is bytes.
#[repr(C)]
#[derive(StableAbi, Default)]
pub struct Reply {
    /// JSON.
    pub document: RVec<u8>,
    /// The body of a request, or a session's token.
    pub body: RVec<u8>,
    /// What the plugin wants back with the response.
    pub state: RVec<u8>,
}

/// A plugin broke the contract: it panicked, or was handed what it cannot read.
#[repr(C)]
#[derive(StableAbi, Debug, Clone)]
pub struct Fault {
    /// What happened.
    pub message: RString,
    /// `file:line`, if known.
    pub location: RString,
}

/// A configured account inside a plugin. Only the plugin that made it can read it.
#[repr(transparent)]
#[derive(StableAbi, Clone, Copy)]
pub struct Instance {
    pointer: *const (),
}

// SAFETY: the pointer leads to a `Provider`, which is `Send + Sync` by its trait, and is only
// ever read through `&P`.
unsafe impl Send for Instance {}
// SAFETY: as above.
unsafe impl Sync for Instance {}

/// What `configure` gives: an instance, or a document that says why there is none.
#[repr(C)]
#[derive(StableAbi)]
pub struct Configured {
    /// The instance; its pointer is null where `error` is not empty.
    pub instance: Instance,
    /// JSON of an [`Error`], or empty.
    pub error: RVec<u8>,
}

/// The root module of a plugin.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = PluginRef, prefix_fields = PluginPrefix)))]
#[sabi(missing_field(option))]
pub struct Plugin {
    /// `describe(settings)`: JSON of settings or nothing → JSON of a [`crate::Description`].
    pub describe: extern "C" fn(Ctx, RSlice<'_, u8>) -> RResult<Reply, Fault>,
    /// `configure(settings)`: JSON of settings → an instance.
    pub configure: extern "C" fn(Ctx, RSlice<'_, u8>) -> RResult<Configured, Fault>,
    /// Gives an instance back to the plugin; it must not be used afterwards.
    pub release: extern "C" fn(Ctx, Instance),
    /// `prepare(instance, call)`.
    pub prepare: extern "C" fn(Ctx, Instance, RSlice<'_, u8>) -> RResult<Reply, Fault>,
    /// `interpret(instance, call, state, response, body)`.
    pub interpret: extern "C" fn(
        Ctx,
        Instance,
        RSlice<'_, u8>,
        RSlice<'_, u8>,
        RSlice<'_, u8>,
        RSlice<'_, u8>,
    ) -> RResult<Reply, Fault>,
    /// `verify(instance, callback, body)`.
    #[sabi(last_prefix_field)]
    pub verify: extern "C" fn(Ctx, Instance, RSlice<'_, u8>, RSlice<'_, u8>) -> RResult<Reply, Fault>,
    /// Only in builds that stand for the next minor version, to test both directions.
    #[cfg(feature = "next-minor")]
    pub probe: extern "C" fn(u32) -> u32,
}

impl RootModule for PluginRef {
    abi_stable::declare_root_module_statics! {PluginRef}
    const BASE_NAME: &'static str = "bayar_provider";
    const NAME: &'static str = "bayar_provider";
    #[cfg(not(feature = "next-minor"))]
    const VERSION_STRINGS: VersionStrings = package_version_strings!();
    #[cfg(feature = "next-minor")]
    const VERSION_STRINGS: VersionStrings = VersionStrings::new("1.99.0");
}

/// The table of functions of a provider: what its plugin exports, and what a Rust host that
/// links the provider itself hands to the engine.
pub fn module<P: Provider>() -> PluginRef {
    Plugin {
        describe: describe::<P>,
        configure: configure::<P>,
        release: release::<P>,
        prepare: prepare::<P>,
        interpret: interpret::<P>,
        verify: verify::<P>,
        #[cfg(feature = "next-minor")]
        probe,
    }
    .leak_into_prefix()
}

#[cfg(feature = "next-minor")]
extern "C" fn probe(n: u32) -> u32 {
    n + 1
}

/// Makes a plugin of a provider: `bayar_provider::export_provider!(bayar_midtrans::Midtrans);`
/// is all that a plugin's crate holds.
#[macro_export]
macro_rules! export_provider {
    ($provider:ty) => {
        #[doc(hidden)]
        #[allow(unsafe_code, reason = "a name that must not be mangled; nothing is dereferenced here")]
        #[unsafe(export_name = "_1as_0lib_1header_0root_bmodule_bloader")]
        pub static BAYAR_PLUGIN: $crate::abi::Header = {
            extern "C" fn load() -> $crate::abi::Loaded {
                $crate::abi::load::<$provider>()
            }
            $crate::abi::header(load)
        };
    };
}

/// What a plugin exports, for [`export_provider!`].
#[doc(hidden)]
pub type Header = LibHeader;

/// What its loader answers, for [`export_provider!`].
#[doc(hidden)]
pub type Loaded = RootModuleResult;

#[doc(hidden)]
pub const fn header(load: extern "C" fn() -> Loaded) -> Header {
    // SAFETY: `load` is made by `export_provider!` from `load::<P>`, which gives a `PluginRef`.
    unsafe { LibHeader::from_constructor::<PluginRef>(load, abi_stable::library::CheckTypeLayout::Yes) }
}

#[doc(hidden)]
pub fn load<P: Provider>() -> Loaded {
    let loaded = catch_unwind(|| {
        // SAFETY: the cast only erases the type of the prefix, as LibHeader asks for.
        unsafe { module::<P>().to_prefix_ref().cast::<abi_stable::marker_type::ErasedPrefix>() }
    });
    RootModuleResult::from(loaded.map_err(|_| RootModuleError::Unwound))
}

/// The document of a [`Step`] or of an error, on its way from plugin to engine.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "one per exchange, moved once")]
pub enum StepDocument {
    /// [`Step::Done`].
    Done {
        /// The outcome.
        outcome: Outcome,
    },
    /// [`Step::Send`]; the request's body is the reply's body.
    Send {
        /// The request.
        request: Request,
    },
    /// [`Step::NeedsSession`].
    NeedsSession,
    /// [`Step::Session`]; the token is the reply's body.
    Session {
        /// How long it lives, in seconds.
        expires_in: Option<u64>,
    },
    /// The call failed.
    Failed {
        /// Why.
        error: Error,
    },
}

/// The document of a verified callback or of its refusal, on its way from plugin to engine.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum VerdictDocument {
    /// It is genuine.
    Genuine {
        /// What it says.
        event: crate::Event,
    },
    /// It is not, or not usable.
    Refused {
        /// Why.
        error: Error,
    },
}

extern "C" fn describe<P: Provider>(ctx: Ctx, settings: RSlice<'_, u8>) -> RResult<Reply, Fault> {
    guard(ctx, || {
        // Settings that cannot be read are for `configure` to refuse.
        let settings = (!settings.is_empty()).then(|| read_settings::<P>(&settings).ok()).flatten();
        reply(&P::describe(settings.as_ref()))
    })
}

extern "C" fn configure<P: Provider>(ctx: Ctx, settings: RSlice<'_, u8>) -> RResult<Configured, Fault> {
    guard(ctx, || match read_settings::<P>(&settings).and_then(P::configure) {
        Ok(provider) => {
            let pointer = Box::into_raw(Box::new(provider)).cast_const().cast();
            Ok(Configured { instance: Instance { pointer }, error: RVec::new() })
        }
        Err(error) => {
            Ok(Configured { instance: Instance { pointer: std::ptr::null() }, error: document(&error)? })
        }
    })
}

extern "C" fn release<P: Provider>(ctx: Ctx, instance: Instance) {
    let released = guard(ctx, || {
        if !instance.pointer.is_null() {
            // SAFETY: the engine releases each instance once, at the plugin that `configure` made it
            // in, and `configure` made it by `Box::into_raw` of this very `P`.
            drop(unsafe { Box::from_raw(instance.pointer.cast_mut().cast::<P>()) });
        }
        Ok(())
    });
    if let RErr(fault) = released {
        let message =
            format!("the plugin failed at {} while an account was closed: {}", fault.location, fault.message);
        (ctx.log)(log::Level::Error as u32, RStr::from(module_path!()), RStr::from(message.as_str()));
    }
}

extern "C" fn prepare<P: Provider>(
    ctx: Ctx,
    instance: Instance,
    call: RSlice<'_, u8>,
) -> RResult<Reply, Fault> {
    guard(ctx, || {
        let call: Call = read(&call, "call")?;
        step(provider::<P>(&instance)?.prepare(&call))
    })
}

extern "C" fn interpret<P: Provider>(
    ctx: Ctx,
    instance: Instance,
    call: RSlice<'_, u8>,
    state: RSlice<'_, u8>,
    response: RSlice<'_, u8>,
    body: RSlice<'_, u8>,
) -> RResult<Reply, Fault> {
    guard(ctx, || {
        let call: Call = read(&call, "call")?;
        let state: P::State = read(&state, "state")?;
        let response = Response { body: body.to_vec(), ..read(&response, "response")? };
        step(provider::<P>(&instance)?.interpret(&call, state, &response))
    })
}

extern "C" fn verify<P: Provider>(
    ctx: Ctx,
    instance: Instance,
    callback: RSlice<'_, u8>,
    body: RSlice<'_, u8>,
) -> RResult<Reply, Fault> {
    guard(ctx, || {
        let callback = Callback { body: body.to_vec(), ..read(&callback, "callback")? };
        reply(&match provider::<P>(&instance)?.verify(&callback) {
            Ok(event) => VerdictDocument::Genuine { event },
            Err(error) => VerdictDocument::Refused { error },
        })
    })
}

fn provider<P: Provider>(instance: &Instance) -> Result<&P, Fault> {
    // SAFETY: the engine hands back only instances of this plugin's `configure`, and none after
    // its release; `P` is `Sync`, so shared use from many threads is sound.
    unsafe { instance.pointer.cast::<P>().as_ref() }
        .ok_or_else(|| fault("the engine gave no instance".to_owned()))
}

fn read_settings<P: Provider>(settings: &[u8]) -> Result<P::Settings, Error> {
    let value = serde_json::from_slice(settings)
        .map(Wiped)
        .map_err(|e| Error::new(Code::InvalidConfig, format!("the settings are not JSON: {e}")))?;
    params::read(&value.0).map_err(|e| Error { code: Code::InvalidConfig, ..e })
}

fn step<S: Serialize>(step: Result<Step<S>, Error>) -> Result<Reply, Fault> {
    match step {
        Ok(Step::Done(outcome)) => reply(&StepDocument::Done { outcome }),
        Ok(Step::Send(mut request, state)) => {
            let body = std::mem::take(&mut request.body).into();
            Ok(Reply { document: document(&StepDocument::Send { request })?, body, state: document(&state)? })
        }
        Ok(Step::NeedsSession) => reply(&StepDocument::NeedsSession),
        Ok(Step::Session { token, expires_in }) => Ok(Reply {
            document: document(&StepDocument::Session { expires_in })?,
            body: Secret::expose(&token).as_bytes().to_vec().into(),
            state: RVec::new(),
        }),
        Err(error) => reply(&StepDocument::Failed { error }),
    }
}

fn reply<T: Serialize>(value: &T) -> Result<Reply, Fault> {
    Ok(Reply { document: document(value)?, ..Reply::default() })
}

fn document<T: Serialize>(value: &T) -> Result<RVec<u8>, Fault> {
    serde_json::to_vec(value)
        .map(RVec::from)
        .map_err(|e| fault(format!("the plugin's answer is not JSON: {e}")))
}

fn read<T: serde::de::DeserializeOwned>(bytes: &[u8], what: &str) -> Result<T, Fault> {
    serde_json::from_slice(bytes).map_err(|e| fault(format!("the engine's {what} cannot be read: {e}")))
}

fn fault(message: String) -> Fault {
    Fault { message: message.into(), location: RString::new() }
}

thread_local! {
    /// The context of the call that this thread is in, for the logger.
    static CURRENT: Cell<Option<Ctx>> = const { Cell::new(None) };
    /// Where the last panic of this thread happened, if it happened inside a guard.
    static PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Runs one function of a provider: its log records go to the engine, its panics become faults.
fn guard<T>(ctx: Ctx, run: impl FnOnce() -> Result<T, Fault>) -> RResult<T, Fault> {
    install_once();
    let outer = CURRENT.replace(Some(ctx));
    let result = catch_unwind(AssertUnwindSafe(run));
    CURRENT.set(outer);
    match result {
        Ok(Ok(value)) => ROk(value),
        Ok(Err(fault)) => RErr(fault),
        Err(payload) => {
            let location = PANIC.take().unwrap_or_default().into();
            let message = panic_message(payload.as_ref()).into();
            // The payload may panic again when it is dropped: leak it, it is an error's worth of bytes.
            std::mem::forget(payload);
            RErr(Fault { message, location })
        }
    }
}

fn panic_message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|s| (*s).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without text".to_owned())
}

/// Each plugin has its own copy of std and of `log`: both are turned towards the engine once.
/// In a host that links a provider itself they are the host's own, which keeps its logger;
/// its panic hook is called as before for every panic outside a guard.
fn install_once() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let previous = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if CURRENT.get().is_none() {
                return previous(info);
            }
            let location = info.location().map(|l| format!("{}:{}", l.file(), l.line()));
            // The slot is only borrowed here and in `guard`, never across a call.
            PANIC.with(|slot| *slot.borrow_mut() = location);
        }));
        if log::set_logger(&TO_ENGINE).is_ok() {
            log::set_max_level(log::LevelFilter::Trace);
        }
    });
}

static TO_ENGINE: ToEngine = ToEngine;

/// Hands each record to the context of the call that this thread is in.
struct ToEngine;

impl log::Log for ToEngine {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        CURRENT.get().is_some_and(|ctx| metadata.level() as u32 <= ctx.max_level)
    }

    fn log(&self, record: &log::Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        if let Some(ctx) = CURRENT.get() {
            let message = record.args().to_string();
            (ctx.log)(record.level() as u32, RStr::from(record.target()), RStr::from(message.as_str()));
        }
    }

    fn flush(&self) {}
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_name_in_export_provider_is_the_one_that_abi_stable_looks_up() {
        assert_eq!(abi_stable::library::ROOT_MODULE_LOADER_NAME, "_1as_0lib_1header_0root_bmodule_bloader");
    }
}
