//! Connections kept between requests.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::connection::Connection;

/// How many connections are kept, over all origins.
const KEPT: usize = 16;
/// How long one is kept without use; common servers close them after 60 s or more.
const IDLE: Duration = Duration::from_secs(30);
/// The same for a request that must not meet a connection which is just being closed:
/// shorter than the shortest keep-alive time that common servers have (5 s).
const IDLE_FRESH: Duration = Duration::from_secs(2);

/// The idle connections of one process.
#[derive(Debug, Default)]
pub(super) struct Pool {
    idle: Mutex<Vec<Idle>>,
}

#[derive(Debug)]
struct Idle {
    origin: String,
    since: Instant,
    connection: Connection,
}

impl Pool {
    /// A kept connection to the origin that is open and quiet, the last used one first.
    pub fn take(&self, origin: &str, fresh: bool) -> Option<Connection> {
        let longest = if fresh { IDLE_FRESH } else { IDLE };
        loop {
            let mut found = self.last_used(origin)?;
            if found.since.elapsed() < longest && found.connection.is_quiet() {
                return Some(found.connection);
            }
        }
    }

    fn last_used(&self, origin: &str) -> Option<Idle> {
        let mut kept = self.lock();
        let position = kept.iter().rposition(|idle| idle.origin == origin)?;
        Some(kept.remove(position))
    }

    /// Keeps a connection; the one that was idle longest makes room.
    pub fn put(&self, origin: String, connection: Connection) {
        let idle = Idle { origin, since: Instant::now(), connection };
        let mut kept = self.lock();
        kept.push(idle);
        let oldest = (kept.len() > KEPT).then(|| kept.remove(0));
        // Closing is a system call: not under the lock.
        drop(kept);
        drop(oldest);
    }

    /// Closes all idle connections.
    pub fn clear(&self) {
        let kept = std::mem::take(&mut *self.lock());
        drop(kept);
    }

    /// A panic cannot leave the list half changed, so a poisoned lock is as good as another.
    fn lock(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
