//! A database that Bayar keeps something in: short transactions that are durable when they return, in
//! a file of SQLite or in PostgreSQL, each with the care that the journal needs (see `docs/reliability.md`).
//!
//! A Rust host may keep tables of its own in the same way:
//!
//! ```no_run
//! use bayar::database::{self, Cell, Schema};
//!
//! const SCHEMA: Schema = Schema {
//!     what: "shop's database",
//!     setting: "shop.database",
//!     meta: "shop_meta",
//!     steps: &[(1, 0, &["CREATE TABLE shop_seen (id TEXT PRIMARY KEY, at_ms BIGINT NOT NULL)"])],
//! };
//! let database = database::open("sqlite:/var/lib/shop/shop.db", SCHEMA)?;
//! database.write(&mut |tx| {
//!     let now = tx.now_ms()?;
//!     let sql = "INSERT INTO shop_seen (id, at_ms) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
//!     tx.execute(sql, &[Cell::Text("order-17".to_owned()), Cell::Int(now)])?;
//!     Ok(())
//! })?;
//! # Ok::<(), bayar::Error>(())
//! ```
//!
//! The same SQL runs on SQLite and on PostgreSQL. Parameters are written `?1`, `?2` …; types are
//! `TEXT` and `BIGINT`; `/*for update*/` and `/*skip locked*/` behind a `SELECT` lock its rows where
//! the database locks rows. A row that must not be there is inserted with `ON CONFLICT DO NOTHING`,
//! and the count of rows says whether it was: an error would end PostgreSQL's transaction.

use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use super::schema::{Schema, Steps};
use crate::error::{Code, Error};

/// The database that a setting names: `sqlite:/var/lib/bayar/journal.db` (an absolute path) or
/// `postgres://…`. Nothing is opened before its first use.
///
/// # Errors
/// [`Code::InvalidConfig`], naming the setting.
pub fn open(setting: &str, schema: Schema) -> Result<Arc<dyn Database>, Error> {
    let name = schema.setting;
    let invalid = |found: &str| {
        let what = format!("{name} is {found}; expected sqlite:/path/to/file.db (absolute) or postgres://…");
        Error::not_sent(Code::InvalidConfig, what).field(name)
    };
    if let Some(path) = setting.strip_prefix("sqlite:") {
        let path = PathBuf::from(path);
        if !path.is_absolute() {
            return Err(invalid(&format!("{setting:?}")));
        }
        return Ok(Arc::new(super::sqlite::Sqlite::new(path, schema)));
    }
    if setting.starts_with("postgres://") || setting.starts_with("postgresql://") {
        return open_postgres(setting, schema);
    }
    // It may hold a password.
    let kind = setting.split(':').next().unwrap_or_default();
    Err(invalid(&format!("of the kind {kind:?}")))
}

#[cfg(feature = "postgres")]
fn open_postgres(url: &str, schema: Schema) -> Result<Arc<dyn Database>, Error> {
    Ok(Arc::new(super::postgres::Postgres::new(url, schema)?))
}

#[cfg(not(feature = "postgres"))]
fn open_postgres(_: &str, schema: Schema) -> Result<Arc<dyn Database>, Error> {
    let name = schema.setting;
    let what = format!("{name} names PostgreSQL, and this engine was built without it (feature `postgres`)");
    Err(Error::not_sent(Code::InvalidConfig, what).field(name))
}

/// A value of a row or a parameter.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Cell {
    /// Nothing.
    Null,
    /// A number, a time in milliseconds since 1970-01-01 UTC, or a truth as 0 and 1.
    Int(i64),
    /// Text; JSON is text, too.
    Text(String),
}

/// What is to be done in one transaction, by whichever thread has its turn. It may run again from the start,
/// with nothing of the first run kept.
pub type Work = Box<dyn FnMut(&mut dyn Transaction) -> Result<(), Error> + Send>;

/// A database. Opened at first use, in each process anew.
pub trait Database: Send + Sync {
    /// Runs `work` in one transaction that may write; it is durable when this returns `Ok`. An
    /// error of `work` rolls back. `work` may run again from the start where the database asks
    /// for that, with nothing of the first run kept.
    ///
    /// # Errors
    /// What `work` gave; [`Code::JournalUnavailable`] and its kin where the database fails.
    fn write(&self, work: &mut dyn FnMut(&mut dyn Transaction) -> Result<(), Error>) -> Result<(), Error>;

    /// As [`Database::write`], and what several threads write at the same time may be made durable by one
    /// commit: another thread may run `work`. Each is kept or rolled back by itself: where one fails, all are run
    /// again, one after the other, so this is for work that seldom does.
    ///
    /// # Errors
    /// As for [`Database::write`].
    fn write_together(&self, mut work: Work) -> Result<(), Error> {
        self.write(&mut *work)
    }

    /// Runs `work` in one transaction that only reads what was committed.
    ///
    /// # Errors
    /// As for [`Database::write`].
    fn read(&self, work: &mut dyn FnMut(&mut dyn Transaction) -> Result<(), Error>) -> Result<(), Error>;

    /// Copies all of it as it stands at one moment into a new file, which only its owner may read; others go on
    /// working meanwhile. The copy is read from end to end before this returns.
    ///
    /// # Errors
    /// [`Code::Unsupported`] for PostgreSQL, which has programs of its own; [`Code::InvalidArgument`] where there is
    /// a file of that name or it cannot be written.
    fn backup(&self, to: &Path) -> Result<(), Error>;

    /// What it is, for people, without a password: `sqlite:/var/lib/bayar/journal.db`.
    fn name(&self) -> &str;
}

/// One transaction.
pub trait Transaction {
    /// Runs a statement and gives the number of rows that it changed.
    ///
    /// # Errors
    /// [`Code::JournalUnavailable`]; the transaction can then only be given up.
    fn execute(&mut self, sql: &str, values: &[Cell]) -> Result<u64, Error>;

    /// Runs a query and gives its rows.
    ///
    /// # Errors
    /// As for [`Transaction::execute`].
    fn query(&mut self, sql: &str, values: &[Cell]) -> Result<Vec<Vec<Cell>>, Error>;

    /// The database's clock, in milliseconds since 1970-01-01 UTC; within one transaction it may stand still.
    ///
    /// # Errors
    /// As for [`Transaction::execute`].
    fn now_ms(&mut self) -> Result<i64, Error>;
}
