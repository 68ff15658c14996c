//! What the journal needs of a database: short transactions that are durable when they return.
//!
//! The same SQL runs on SQLite and on PostgreSQL. Parameters are written `?1`, `?2` …; types are
//! `TEXT` and `BIGINT`; `/*for update*/` and `/*skip locked*/` behind a `SELECT` lock its rows where
//! the database locks rows. A row that must not be there is inserted with `ON CONFLICT DO NOTHING`,
//! and the count of rows says whether it was: an error would end PostgreSQL's transaction.

use crate::error::Error;

/// A value of a row or a parameter.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Cell {
    /// Nothing.
    Null,
    /// A number, a time in milliseconds since 1970-01-01 UTC, or a truth as 0 and 1.
    Int(i64),
    /// Text; JSON is text, too.
    Text(String),
}

/// A database that keeps a journal. Opened at first use, in each process anew.
pub(crate) trait Database: Send + Sync {
    /// Runs `work` in one transaction that may write; it is durable when this returns `Ok`. An
    /// error of `work` rolls back. `work` may run again from the start where the database asks
    /// for that, with nothing of the first run kept.
    fn write(&self, work: &mut dyn FnMut(&mut dyn Transaction) -> Result<(), Error>) -> Result<(), Error>;

    /// Runs `work` in one transaction that only reads.
    fn read(&self, work: &mut dyn FnMut(&mut dyn Transaction) -> Result<(), Error>) -> Result<(), Error>;

    /// What it is, for people, without a password: `sqlite:/var/lib/bayar/journal.db`.
    fn name(&self) -> &str;
}

/// One transaction.
pub(crate) trait Transaction {
    /// Runs a statement and gives the number of rows that it changed.
    fn execute(&mut self, sql: &str, values: &[Cell]) -> Result<u64, Error>;

    /// Runs a query and gives its rows.
    fn query(&mut self, sql: &str, values: &[Cell]) -> Result<Vec<Vec<Cell>>, Error>;

    /// The database's clock, in milliseconds since 1970-01-01 UTC; within one transaction it may stand still.
    fn now_ms(&mut self) -> Result<i64, Error>;
}
