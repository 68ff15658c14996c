//! Engines shared within a process: two opens of the same resolved configuration give the
//! same engine, and one that nobody holds stays ready. This is what makes a PHP worker fast:
//! connections, sessions and plugins live on from request to request.

use std::sync::{Mutex, PoisonError};

use crate::config::Config;
use crate::engine::Engine;
use crate::error::Error;
use crate::process::PerProcess;

/// How many engines that nobody holds are kept.
const KEPT: usize = 8;

/// The oldest first. A forked child begins with none: another thread may have held the lock.
static OPEN: PerProcess<Mutex<Vec<Engine>>> = PerProcess::new();

/// Opens an engine, or gives the one that is open with the same configuration.
///
/// # Errors
/// See [`crate::engine::Builder::open`].
pub fn open_shared(config: &str) -> Result<Engine, Error> {
    let config = Config::parse(config)?;
    let open = OPEN.get(Mutex::default);
    let lock = || open.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(engine) = find(&mut lock(), &config.digest) {
        return Ok(engine);
    }
    // Opened outside the lock, for it may log; whoever was faster meanwhile is preferred.
    let digest = config.digest;
    let engine = Engine::builder().open_parsed(config)?;
    let mut engines = lock();
    if let Some(engine) = find(&mut engines, &digest) {
        return Ok(engine);
    }
    let closed = make_room(&mut engines);
    engines.push(engine.clone());
    drop(engines);
    drop(closed);
    Ok(engine)
}

/// The open engine of that configuration, moved to the end: it was used last.
fn find(engines: &mut Vec<Engine>, digest: &[u8; 32]) -> Option<Engine> {
    let at = engines.iter().position(|engine| engine.digest() == digest)?;
    let engine = engines.remove(at);
    engines.push(engine.clone());
    Some(engine)
}

/// Takes out the engine that nobody has held for the longest time, if there are many.
fn make_room(engines: &mut Vec<Engine>) -> Option<Engine> {
    let idle = engines.iter().filter(|engine| engine.is_idle()).count();
    let oldest = engines.iter().position(Engine::is_idle).filter(|_| idle >= KEPT);
    oldest.map(|oldest| engines.remove(oldest))
}
