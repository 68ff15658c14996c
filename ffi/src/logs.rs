//! Log records on their way to the host that makes the call, and to no other.
//!
//! Both the callback and the ring of kept records belong to a handle, not to the engine behind
//! it, which other handles may share.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::ffi::{CString, c_char, c_void};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Once, OnceLock, PoisonError};

use arc_swap::ArcSwapOption;
use engine::Engine;
use engine::process::PerProcess;
use serde::Serialize;
use serde_json::{Value, json};

/// The most records that are kept for `bayar_drain_log`.
const KEPT: usize = 1024;

/// The longest message that is kept, in bytes.
const LONGEST: usize = 4096;

/// Takes one log record. `level` is 1 (error), 2 (warning), 3 (info), 4 (debug) or 5 (trace);
/// `target` names the part that speaks. Both strings end in NUL and live for the call only.
///
/// Called only on the thread that is inside a function of this library, during that call, and
/// under no lock. It must not call back into the same operation.
#[allow(non_camel_case_types, reason = "C's name")]
pub type bayar_log_fn = Option<
    unsafe extern "C" fn(user: *mut c_void, level: i32, target: *const c_char, message: *const c_char),
>;

/// The log of one handle.
pub struct HandleLog {
    /// Whose secrets are kept out; none while the engine is being opened.
    engine: OnceLock<Engine>,
    /// Reached without a lock: a child may be forked while another thread sets it.
    callback: ArcSwapOption<Callback>,
    ring: PerProcess<Mutex<VecDeque<Record>>>,
    dropped: AtomicU64,
}

#[derive(Clone, Copy)]
struct Callback {
    max_level: log::LevelFilter,
    function: unsafe extern "C" fn(*mut c_void, i32, *const c_char, *const c_char),
    user: *mut c_void,
}

// SAFETY: the pointer is the host's; it is only handed back to the host's function, on the
// thread that makes the call.
unsafe impl Send for Callback {}
// SAFETY: as above.
unsafe impl Sync for Callback {}

#[derive(Serialize)]
struct Record {
    level: &'static str,
    target: String,
    message: String,
}

impl HandleLog {
    pub fn new() -> Arc<Self> {
        install_once();
        Arc::new(HandleLog {
            engine: OnceLock::new(),
            callback: ArcSwapOption::empty(),
            ring: PerProcess::new(),
            dropped: AtomicU64::new(0),
        })
    }

    /// Says whose log this is.
    pub fn belongs_to(&self, engine: &Engine) {
        // It is only ever said once, by bayar_engine_open.
        let _ = self.engine.set(engine.clone());
    }

    /// Sets or, with no function or level 0, removes the callback.
    pub fn set(&self, max_level: i32, function: bayar_log_fn, user: *mut c_void) {
        let max_level = match max_level {
            i32::MIN..=0 => log::LevelFilter::Off,
            1 => log::LevelFilter::Error,
            2 => log::LevelFilter::Warn,
            3 => log::LevelFilter::Info,
            4 => log::LevelFilter::Debug,
            5..=i32::MAX => log::LevelFilter::Trace,
        };
        let callback = function.map(|function| Callback { max_level, function, user });
        self.callback.store(callback.map(Arc::new));
        // Only ever raised: another handle may want what this one does not.
        log::set_max_level(log::max_level().max(max_level));
    }

    /// Takes the kept records.
    pub fn drain(&self) -> Value {
        let records = std::mem::take(
            &mut *self.ring.get(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner),
        );
        json!({"records": records, "dropped": self.dropped.swap(0, Ordering::Relaxed)})
    }

    fn take(&self, record: &log::Record<'_>) {
        let message = record.args().to_string();
        let message =
            self.engine.get().map_or_else(|| message.as_str().into(), |engine| engine.redact(&message));
        let callback = self.callback.load_full();
        if record.level() <= log::Level::Info {
            self.keep(record, &message);
        }
        if let Some(callback) = callback.filter(|callback| record.level() <= callback.max_level) {
            call(*callback, record.level() as i32, record.target(), &message);
        }
    }

    fn keep(&self, record: &log::Record<'_>, message: &str) {
        let end =
            (0..=LONGEST.min(message.len())).rev().find(|end| message.is_char_boundary(*end)).unwrap_or(0);
        let record = Record {
            level: record.level().as_str(),
            target: record.target().to_owned(),
            message: message[..end].to_owned(),
        };
        let ring = self.ring.get(Mutex::default);
        let mut ring = ring.lock().unwrap_or_else(PoisonError::into_inner);
        if ring.len() == KEPT {
            ring.pop_front();
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        ring.push_back(record);
    }
}

fn call(callback: Callback, level: i32, target: &str, message: &str) {
    let text = |text: &str| CString::new(text.replace('\0', "␀")).unwrap_or_default();
    let (target, message) = (text(target), text(message));
    // SAFETY: the host promised with bayar_set_log that the function may be called with `user`
    // until it is replaced or the handle is freed; both strings live until it returns.
    unsafe { (callback.function)(callback.user, level, target.as_ptr(), message.as_ptr()) }
}

thread_local! {
    /// The handle whose call this thread is in.
    static CURRENT: RefCell<Option<Arc<HandleLog>>> = const { RefCell::new(None) };
}

/// While it lives, records made on this thread go to one handle.
pub struct Listening(Option<Arc<HandleLog>>);

impl Listening {
    /// `None` (a handle that was freed) listens to nothing.
    pub fn to(log: Option<Arc<HandleLog>>) -> Self {
        Listening(CURRENT.replace(log))
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        CURRENT.set(self.0.take());
    }
}

/// Where all records of this library's copy of `log` arrive. Only the engine's and its
/// plugins' are passed on: what HTTP and TLS libraries say may hold headers and bodies.
struct Router;

impl log::Log for Router {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.target().starts_with("bayar")
    }

    fn log(&self, record: &log::Record<'_>) {
        if self.enabled(record.metadata())
            && let Some(log) = CURRENT.with_borrow(Clone::clone)
        {
            log.take(record);
        }
    }

    fn flush(&self) {}
}

fn install_once() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // A Rust program that links libbayar.a may have a logger already; it keeps it.
        if log::set_logger(&Router).is_ok() {
            log::set_max_level(log::LevelFilter::Info);
        }
    });
}
