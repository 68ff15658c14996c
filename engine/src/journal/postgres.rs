//! The journal in PostgreSQL, for hosts on several machines.
//!
//! One connection per transaction under way, kept afterwards. Everything runs on the calling
//! thread, each wait has an end, and no error names the password.

mod address;
mod cells;
mod connection;
#[cfg(test)]
mod faults;
mod pool;

use std::path::Path;
use std::sync::Arc;

use tokio_postgres::error::SqlState;

use self::address::Address;
use self::connection::Connection;
use self::pool::Pool;
use super::database::{Cell, Database, Transaction};
use super::fork::{self, Inside};
use super::schema::{self, Schema};
use crate::error::{Code, Error};
use crate::process::PerProcess;

/// How often a transaction is run again because it met another one.
const REPEATS: u32 = 5;
/// Held while the tables are made: two that make the same table at once both fail.
const MIGRATING: &str = "SELECT pg_advisory_xact_lock(4774451407296216434)";
const WRITE: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";
/// One moment for all queries of a transaction, as SQLite has it.
const READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

type Work<'a> = &'a mut dyn FnMut(&mut dyn Transaction) -> Result<(), Error>;

/// A journal in PostgreSQL.
pub(crate) struct Postgres {
    address: Arc<Address>,
    schema: Schema,
    here: PerProcess<Arc<Pool>>,
}

impl Postgres {
    /// The tables in the database of this URL, to which it connects at first use.
    ///
    /// # Errors
    /// `invalid_config` where the URL cannot be used.
    pub(crate) fn new(url: &str, schema: impl Into<Schema>) -> Result<Postgres, Error> {
        let schema = schema.into();
        let address = Arc::new(Address::parse(url, schema.what)?);
        Ok(Postgres { address, schema, here: PerProcess::new() })
    }

    fn transact(&self, begin: &str, work: Work<'_>) -> Result<(), Error> {
        let pool = self.here.get(|| Arc::new(Pool::new(Arc::clone(&self.address))));
        fork::usable(self.label())?;
        let _place = pool.place()?;
        let inside = Inside::enter(self.label())?;
        pool.set_up(|connection| {
            fork::close_before_fork(Arc::downgrade(&*pool) as _);
            self.set_up(&inside, connection)
        })?;
        let mut repeats = 0;
        loop {
            let mut connection = pool.begin(begin)?;
            let attempt = self.attempt(&inside, &mut connection, work);
            if !inside.here() {
                connection.leak();
                return attempt.map_err(|failed| failed.error);
            }
            match attempt {
                Ok(()) => {
                    connection.keep();
                    return Ok(());
                }
                Err(failed) => {
                    if connection.rollback() {
                        connection.keep();
                    }
                    if !failed.again || repeats == REPEATS {
                        return Err(failed.error);
                    }
                    repeats += 1;
                }
            }
        }
    }

    /// `work` and its commit, in a transaction that has begun.
    fn attempt(&self, inside: &Inside, connection: &mut Connection, work: Work<'_>) -> Result<(), Failed> {
        let mut transaction = InPostgres { of: self, inside, connection, failed: None };
        let outcome = work(&mut transaction);
        // The first failure is the cause; PostgreSQL refuses everything after it, and answers
        // the commit of a failed transaction with success.
        if let Some(failed) = transaction.failed {
            return Err(failed);
        }
        outcome.map_err(Failed::finally)?;
        inside.check(self.label()).map_err(Failed::finally)?;
        connection.commit().map_err(|error| self.commit_failed(&error))
    }

    fn set_up(&self, inside: &Inside, connection: &mut Connection) -> Result<(), Error> {
        let begun = |connection: &mut Connection, sql| connection.batch(sql).map_err(|e| self.error(&e));
        begun(connection, READ)?;
        let mut current = false;
        let looked = self.attempt(inside, connection, &mut |transaction| {
            current = schema::is_current(self.schema, self.label(), transaction)?;
            Ok(())
        });
        if looked.is_err() && !connection.rollback() {
            return looked.map_err(|failed| failed.error);
        }
        if current {
            return Ok(());
        }
        begun(connection, WRITE)?;
        begun(connection, MIGRATING)?;
        let mut migrate =
            |transaction: &mut dyn Transaction| schema::migrate(self.schema, self.label(), transaction);
        self.attempt(inside, connection, &mut migrate).map_err(|failed| failed.error)
    }

    fn label(&self) -> &str {
        &self.address.label
    }

    fn error(&self, error: &connection::Trouble) -> Error {
        self.address.unavailable(error)
    }

    fn commit_failed(&self, error: &connection::Trouble) -> Failed {
        if error.refuses_commit() {
            return Failed { again: again(error), error: self.error(error) };
        }
        Failed::finally(Error::not_sent(
            Code::JournalUnavailable,
            format!(
                "{}: the answer to a commit was lost ({error}): what it wrote may be kept, or not; \
                 expected: an answer. Read the journal again before relying on either",
                self.label()
            ),
        ))
    }
}

impl Database for Postgres {
    fn write(&self, work: Work<'_>) -> Result<(), Error> {
        self.transact(WRITE, work)
    }

    fn read(&self, work: Work<'_>) -> Result<(), Error> {
        self.transact(READ, work)
    }

    fn backup(&self, _: &Path) -> Result<(), Error> {
        let what = format!(
            "{}: PostgreSQL is backed up by its own programs, pg_dump or a base backup with its log",
            self.label()
        );
        let advice = "Nothing was copied. Run pg_dump --format=custom on this database instead.";
        Err(Error { advice: advice.to_owned(), ..Error::not_sent(Code::Unsupported, what) })
    }

    fn name(&self) -> &str {
        &self.address.name
    }
}

/// Why a transaction did not commit, and whether running it again may help.
struct Failed {
    error: Error,
    again: bool,
}

impl Failed {
    fn finally(error: Error) -> Failed {
        Failed { error, again: false }
    }
}

/// Whether two transactions met, and this one gave way.
fn again(error: &connection::Trouble) -> bool {
    error.state().is_some_and(|state| {
        *state == SqlState::T_R_SERIALIZATION_FAILURE || *state == SqlState::T_R_DEADLOCK_DETECTED
    })
}

struct InPostgres<'a> {
    of: &'a Postgres,
    inside: &'a Inside,
    connection: &'a mut Connection,
    failed: Option<Failed>,
}

impl InPostgres<'_> {
    fn run<T>(
        &mut self,
        statement: impl FnOnce(&mut Connection) -> Result<T, connection::Trouble>,
    ) -> Result<T, Error> {
        self.inside.check(self.of.label())?;
        if let Some(failed) = &self.failed {
            return Err(failed.error.clone());
        }
        statement(self.connection).map_err(|trouble| {
            let error = self.of.error(&trouble);
            self.failed = Some(Failed { error: error.clone(), again: again(&trouble) });
            error
        })
    }
}

impl Transaction for InPostgres<'_> {
    fn execute(&mut self, sql: &str, values: &[Cell]) -> Result<u64, Error> {
        self.run(|connection| connection.execute(sql, values))
    }

    fn query(&mut self, sql: &str, values: &[Cell]) -> Result<Vec<Vec<Cell>>, Error> {
        self.run(|connection| connection.query(sql, values))
    }

    fn now_ms(&mut self) -> Result<i64, Error> {
        let rows = self.query("SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)", &[])?;
        match rows.first().map(Vec::as_slice) {
            Some([Cell::Int(now)]) => Ok(*now),
            other => Err(Error::not_sent(
                Code::JournalUnavailable,
                format!("{}: it gave {other:?} for the time; expected one number", self.of.label()),
            )),
        }
    }
}
