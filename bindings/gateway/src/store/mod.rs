//! What the gateway keeps beside the journal: applications and their keys, what applications are told,
//! and what people did. Every function is one transaction, and is called on a thread that may block.
//!
//! | file | what stands there |
//! |---|---|
//! | `schema` | the tables |
//! | `apps` | applications |
//! | `keys` | their keys, hashed |
//! | `secrets` | what signs callbacks out, and the addresses of callbacks in; sealed |
//! | `events` | what applications are told |
//! | `deliveries` | telling them: what is due, leases, tries, what was parked |
//! | `marks` | how far work is that all instances share |
//! | `audit` | what people did |
//! | `people` | who may sign in, and with what |
//! | `sessions` | who is signed in; how often somebody may try |
//! | `reviews` | what one person decided and another must confirm; which reviews were told |
//! | `figures` | what a day's payments came to, so that it is not counted at every look |
//! | `dashboard` | the tables of these four |
//! | `rows` | rows as values |

pub mod apps;
pub mod audit;
mod dashboard;
pub mod deliveries;
pub mod events;
pub mod figures;
pub mod keys;
mod marks;
pub mod people;
pub mod reviews;
pub(crate) mod rows;
mod schema;
pub mod secrets;
pub mod sessions;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bayar::database::{self, Database, Transaction};
use bayar::{Ambient, Error, System};

use crate::seal::Seal;

/// For how long what was read of an application and its keys may be taken to hold still.
pub(crate) const BELIEVED: Duration = Duration::from_millis(250);

/// The gateway's tables. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    database: Arc<dyn Database>,
    seal: Arc<Seal>,
    /// How often this process changed applications or their keys.
    apps_changed: Arc<AtomicU64>,
}

impl Store {
    /// Opened, and made if it is not there, at first use.
    pub(crate) fn new(setting: &str, seal: Seal) -> Result<Store, Error> {
        let database = database::open(setting, schema::SCHEMA)?;
        Ok(Store { database, seal: Arc::new(seal), apps_changed: Arc::default() })
    }

    /// What it is, for people, without a password.
    pub fn name(&self) -> &str {
        self.database.name()
    }

    /// Copies all of it into a new file, while it is in use.
    ///
    /// # Errors
    /// See [`Database::backup`].
    pub fn backup(&self, to: &std::path::Path) -> Result<(), Error> {
        self.database.backup(to)
    }

    /// The database's clock, in milliseconds since 1970-01-01 UTC. Shows that it answers.
    ///
    /// # Errors
    /// The database's.
    pub fn now_ms(&self) -> Result<i64, Error> {
        self.read(|tx| tx.now_ms())
    }

    /// Runs `work` in one durable transaction.
    pub(crate) fn write<T>(
        &self,
        mut work: impl FnMut(&mut dyn Transaction) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut result = None;
        self.database.write(&mut |tx| {
            result = Some(work(tx)?);
            Ok(())
        })?;
        Ok(result.expect("the database ran the work, or gave an error"))
    }

    /// Runs `work` in one transaction that only reads.
    pub(crate) fn read<T>(
        &self,
        mut work: impl FnMut(&mut dyn Transaction) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut result = None;
        self.database.read(&mut |tx| {
            result = Some(work(tx)?);
            Ok(())
        })?;
        Ok(result.expect("the database ran the work, or gave an error"))
    }

    /// Another number whenever this process changed applications or their keys.
    pub(crate) fn apps_changed(&self) -> u64 {
        self.apps_changed.load(Ordering::SeqCst)
    }

    /// Changes applications or their keys, and returns when whatever was read of them before counts nowhere:
    /// in this process at once, in others when they have believed it long enough.
    pub(super) fn write_apps<T>(
        &self,
        work: impl FnMut(&mut dyn Transaction) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let written = self.write(work);
        self.apps_changed.fetch_add(1, Ordering::SeqCst);
        if written.is_ok() {
            std::thread::sleep(BELIEVED);
        }
        written
    }

    pub(crate) fn seal(&self) -> &Seal {
        &self.seal
    }
}

/// An id for a row. Those of one process sort in the order in which they were made, also within a millisecond.
pub(crate) fn new_id(first: char, now_ms: i64) -> Result<String, Error> {
    static LAST: Mutex<(i64, u16)> = Mutex::new((0, 0));
    let count = {
        let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
        *last = if last.0 == now_ms { (now_ms, last.1.saturating_add(1)) } else { (now_ms, 0) };
        last.1.min(1023)
    };
    // The lowest ten bits of the nonce are the two digits behind the time, the lowest five of them first.
    let mut nonce = System.nonce()?;
    let low = u16::from_be_bytes([nonce[14], nonce[15]]) & !1023 | count >> 5 | (count & 31) << 5;
    nonce[14..].copy_from_slice(&low.to_be_bytes());
    Ok(bayar::make_id(first, now_ms, &nonce))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::config::Settings;

    #[test]
    fn ids_sort_as_they_were_made() {
        let ids: Vec<String> =
            (0..2000).map(|n| new_id('T', 1_770_130_924_000 + n / 1000).expect("an id")).collect();
        let mut sorted = ids.clone();
        sorted.sort();
        sorted.dedup();
        assert_eq!(sorted, ids);
    }

    /// Runs a test on both databases, each time on an empty one.
    pub(crate) fn on_both(name: &str, test: fn(&Store)) {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let file = format!("sqlite:{}", directory.path().join("gateway.db").display());
        test(&store(&file));
        test(&store(&bayar_tests::postgres::cluster().database(&format!("gateway_{name}"))));
    }

    pub(crate) fn store(setting: &str) -> Store {
        let settings = Settings {
            secret_key: Some(bayar_provider::Secret::new("for tests only")),
            ..Settings::default()
        };
        Store::new(setting, Seal::open(&settings, setting).expect("a key")).expect("a store")
    }
}
