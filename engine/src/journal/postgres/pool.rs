//! The connections of one process: one for each transaction under way, kept afterwards.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::address::Address;
use super::connection::Connection;
use crate::error::{Code, Error};
use crate::journal::fork::BeforeFork;

/// The most connections of one process.
const MOST: usize = 8;
/// How long a transaction waits until it may have one.
const WAIT: Duration = Duration::from_secs(5);

pub(super) struct Pool {
    address: Arc<Address>,
    /// How many transactions have a place; a place is the right to one connection.
    places: Mutex<usize>,
    freed: Condvar,
    /// The one used last is used next.
    kept: Mutex<Vec<Connection>>,
    /// Whether the tables have been looked at.
    ready: Mutex<bool>,
}

/// The right to one connection.
pub(super) struct Place<'a>(&'a Pool);

/// A connection in use; closed unless it is kept.
pub(super) struct Borrowed<'a> {
    connection: Option<Connection>,
    pool: &'a Pool,
}

impl Pool {
    pub(super) fn new(address: Arc<Address>) -> Pool {
        Pool {
            address,
            places: Mutex::new(0),
            freed: Condvar::new(),
            kept: Mutex::new(Vec::new()),
            ready: Mutex::new(false),
        }
    }

    pub(super) fn place(&self) -> Result<Place<'_>, Error> {
        let end = Instant::now() + WAIT;
        let mut places = lock(&self.places);
        while *places == MOST {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Error::not_sent(
                    Code::JournalUnavailable,
                    format!(
                        "{}: all {MOST} connections of this process were busy for {} s; expected a free \
                         one: see what keeps the server",
                        self.address.label,
                        WAIT.as_secs()
                    ),
                ));
            }
            places = self.freed.wait_timeout(places, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        *places += 1;
        Ok(Place(self))
    }

    /// Runs `set_up` once, on a connection of its own.
    pub(super) fn set_up(
        &self,
        set_up: impl FnOnce(&mut Connection) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut ready = lock(&self.ready);
        if !*ready {
            let mut connection = self.open()?;
            set_up(&mut connection)?;
            lock(&self.kept).push(connection);
            *ready = true;
        }
        Ok(())
    }

    /// A connection on which `begin` was run. One that was kept may have died since; as nothing
    /// has been done yet, a new one takes its place.
    pub(super) fn begin(&self, begin: &str) -> Result<Borrowed<'_>, Error> {
        let kept = lock(&self.kept).pop();
        if let Some(mut connection) = kept
            && connection.batch(begin).is_ok()
        {
            return Ok(Borrowed { connection: Some(connection), pool: self });
        }
        let mut connection = self.open()?;
        connection.batch(begin).map_err(|trouble| self.address.unavailable(&trouble))?;
        Ok(Borrowed { connection: Some(connection), pool: self })
    }

    fn open(&self) -> Result<Connection, Error> {
        Connection::open(&self.address).map_err(|trouble| self.address.unavailable(&trouble))
    }
}

impl BeforeFork for Pool {
    fn before_fork(&self) -> bool {
        let Ok(mut kept) = self.kept.try_lock() else { return false };
        kept.drain(..).for_each(Connection::close);
        true
    }
}

impl Borrowed<'_> {
    /// Its transaction has ended: the next one may use it.
    pub(super) fn keep(mut self) {
        if let Some(connection) = self.connection.take() {
            lock(&self.pool.kept).push(connection);
        }
    }

    /// Neither closes nor uses it: it is the parent's.
    pub(super) fn leak(mut self) {
        std::mem::forget(self.connection.take());
    }
}

impl Deref for Borrowed<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection.as_ref().expect("taken only by what consumes self")
    }
}

impl DerefMut for Borrowed<'_> {
    fn deref_mut(&mut self) -> &mut Connection {
        self.connection.as_mut().expect("taken only by what consumes self")
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        *lock(&self.0.places) -= 1;
        self.0.freed.notify_one();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
