//! What `fork` must not find: transactions under way, and open databases.
//!
//! An SQLite handle that crosses `fork` loses rows silently, whatever the child does with it,
//! and a connection to PostgreSQL would be spoken to by two processes. So, before a fork, new
//! transactions are held back, those under way are waited for, and everything is closed;
//! parent and child open anew at their next use. Where that could not be done, the child
//! knows it and refuses, for its whole life.
//!
//! The handlers are registered by the first transaction, never by a constructor.

#![allow(unsafe_code, reason = "pthread_atfork; each block states why it holds")]

use std::cell::{Cell, RefCell};
use std::panic::{self, AssertUnwindSafe};
use std::process;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use crate::error::{Code, Error};

/// How long a fork waits for the transactions of other threads.
const DRAIN: Duration = Duration::from_secs(1);

/// What must be closed before a fork.
pub(crate) trait BeforeFork: Send + Sync {
    /// Closes, without waiting, what a child must not share; `false` if it is in use.
    fn before_fork(&self) -> bool;
}

/// Has this closed before each fork of this process, as long as it lives. A child starts with
/// nothing to close.
pub(crate) fn close_before_fork(thing: Weak<dyn BeforeFork>) {
    let mut state = lock();
    register(&mut state);
    state.things.retain(|thing| thing.strong_count() > 0);
    state.things.push(thing);
}

/// A transaction under way; a fork waits for its end.
pub(crate) struct Inside {
    pid: u32,
}

impl Inside {
    /// Begins one; while a fork is being prepared, after that fork.
    pub(crate) fn enter(name: &str) -> Result<Inside, Error> {
        usable(name)?;
        let mut state = lock();
        register(&mut state);
        // Its own outer transaction would never end if this waited here.
        while state.forking > 0 && DEPTH.get() == 0 {
            state = CHANGED.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.inside += 1;
        DEPTH.set(DEPTH.get() + 1);
        Ok(Inside { pid: process::id() })
    }

    /// Whether this is still the process that began it: the thread itself may have forked.
    pub(crate) fn here(&self) -> bool {
        self.pid == process::id()
    }

    /// An error in a child that goes on in the middle of its parent's transaction.
    pub(crate) fn check(&self, name: &str) -> Result<(), Error> {
        if self.here() { Ok(()) } else { Err(forked(name)) }
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        if self.here() {
            let mut state = lock();
            state.inside -= 1;
            DEPTH.set(DEPTH.get() - 1);
            let awaited = state.forking > 0;
            drop(state);
            // To notify nobody is a system call all the same.
            if awaited {
                CHANGED.notify_all();
            }
        }
    }
}

/// An error in a child whose parent could not close what it had open. To be asked before any
/// lock is taken, for a thread that is not in this process may hold it.
pub(crate) fn usable(name: &str) -> Result<(), Error> {
    if handles_are_ours() { Ok(()) } else { Err(forked(name)) }
}

/// Whether handles that this process holds may be touched.
pub(crate) fn handles_are_ours() -> bool {
    let known = PROCESS.load(Ordering::SeqCst);
    !LOST.load(Ordering::SeqCst) && (known == 0 || known == process::id())
}

fn forked(name: &str) -> Error {
    Error::not_sent(
        Code::JournalForked,
        format!(
            "{name}: process {} was forked while the journal was in use and could not be closed in time; \
             expected: no transaction that lasts longer than {} s at a fork, and a fork by libc. \
             This process cannot use the journal any more: let another one make the call, or start this one anew",
            process::id(),
            DRAIN.as_secs()
        ),
    )
}

struct State {
    registered: bool,
    /// Transactions under way.
    inside: usize,
    /// Forks being prepared.
    forking: usize,
    /// Whether everything was closed for the fork at hand.
    closed: bool,
    things: Vec<Weak<dyn BeforeFork>>,
}

static STATE: Mutex<State> =
    Mutex::new(State { registered: false, inside: 0, forking: 0, closed: false, things: Vec::new() });
static CHANGED: Condvar = Condvar::new();
/// The process that the state belongs to; 0 before the first use.
static PROCESS: AtomicU32 = AtomicU32::new(0);
/// Set in a child that inherited open handles, and in its own children.
static LOST: AtomicBool = AtomicBool::new(false);

thread_local! {
    /// How many of the transactions under way are this thread's.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
    /// Keeps the state locked from `prepare` until after the fork, on both sides of it.
    static HELD: RefCell<Option<MutexGuard<'static, State>>> = const { RefCell::new(None) };
}

fn lock() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn register(state: &mut State) {
    if state.registered {
        return;
    }
    // SAFETY: the three functions live as long as the program: libbayar is never unloaded.
    let failed = unsafe { libc::pthread_atfork(Some(prepare), Some(parent), Some(child)) };
    // Out of memory. Without the handlers a child tells by its process id.
    if failed == 0 {
        state.registered = true;
    }
    PROCESS.store(process::id(), Ordering::SeqCst);
}

unsafe extern "C" fn prepare() {
    // Whatever happens, the host's fork goes on; a child that finds no lock held knows nothing
    // was prepared.
    let _ = panic::catch_unwind(AssertUnwindSafe(|| {
        let mut state = lock();
        state.forking += 1;
        state.closed = false;
        let end = Instant::now() + DRAIN;
        while state.inside > DEPTH.get() {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            state = CHANGED.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        let idle = state.inside == 0;
        let things: Vec<_> = state.things.iter().filter_map(Weak::upgrade).collect();
        // All of them, also where one could not.
        let closed = things.iter().filter(|thing| !thing.before_fork()).count() == 0;
        state.closed = idle && closed;
        HELD.with(|held| *held.borrow_mut() = Some(state));
    }));
}

unsafe extern "C" fn parent() {
    let held = HELD.try_with(|held| held.borrow_mut().take()).ok().flatten();
    if let Some(mut state) = held {
        state.forking -= 1;
        drop(state);
        CHANGED.notify_all();
    }
}

unsafe extern "C" fn child() {
    let held = HELD.try_with(|held| held.borrow_mut().take()).ok().flatten();
    let Some(mut state) = held else {
        LOST.store(true, Ordering::SeqCst);
        return;
    };
    if !state.closed {
        LOST.store(true, Ordering::SeqCst);
    }
    state.inside = 0;
    state.forking = 0;
    // They stay with the parent; their locks may be held by threads that are not here.
    state.things.clear();
    DEPTH.set(0);
    PROCESS.store(process::id(), Ordering::SeqCst);
}
