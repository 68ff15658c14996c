//! Statements of one transaction in SQLite.

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ToSql};

use super::Sqlite;
use crate::error::Error;
use crate::faults::ahead_ms;
use crate::journal::database::{Cell, Transaction};
use crate::journal::fork::Inside;

/// Rolls back what was not committed.
pub(super) struct Rollback<'a> {
    pub(super) inside: &'a Inside,
    pub(super) connection: &'a Connection,
}

impl Drop for Rollback<'_> {
    fn drop(&mut self) {
        if self.inside.here() && !self.connection.is_autocommit() {
            // SQLite has rolled back by itself where this fails.
            let _ = self.connection.execute_batch("ROLLBACK");
        }
    }
}

/// One transaction, or a part of it that is kept or rolled back by itself.
pub(super) struct InSqlite<'a> {
    of: &'a Sqlite,
    inside: &'a Inside,
    connection: &'a Connection,
    /// The first failure: SQLite may have rolled back by itself at it.
    pub(super) failed: Option<Error>,
    now: Option<i64>,
}

impl<'a> InSqlite<'a> {
    pub(super) fn new(of: &'a Sqlite, inside: &'a Inside, connection: &'a Connection) -> Self {
        InSqlite { of, inside, connection, failed: None, now: None }
    }

    fn run<T>(&mut self, statement: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, Error> {
        self.inside.check(&self.of.label)?;
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        statement(self.connection)
            .map_err(|error| self.failed.insert(self.of.error(self.connection, &error)).clone())
    }
}

impl Transaction for InSqlite<'_> {
    fn execute(&mut self, sql: &str, values: &[Cell]) -> Result<u64, Error> {
        self.run(|connection| {
            let mut statement = connection.prepare_cached(sql)?;
            bind(&mut statement, values)?;
            Ok(statement.raw_execute()? as u64)
        })
    }

    fn query(&mut self, sql: &str, values: &[Cell]) -> Result<Vec<Vec<Cell>>, Error> {
        self.run(|connection| {
            let mut statement = connection.prepare_cached(sql)?;
            bind(&mut statement, values)?;
            let columns = statement.column_count();
            let mut rows = statement.raw_query();
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push((0..columns).map(|n| cell(row.get_ref(n)?)).collect::<rusqlite::Result<_>>()?);
            }
            Ok(found)
        })
    }

    /// Asked once a transaction, which is short.
    fn now_ms(&mut self) -> Result<i64, Error> {
        if let Some(now) = self.now {
            return Ok(now);
        }
        // Seconds as a float: rounded, or every other millisecond would be one too few.
        let rows = self.query("SELECT CAST(ROUND(unixepoch('subsec') * 1000) AS INTEGER)", &[])?;
        match rows.first().map(Vec::as_slice) {
            Some([Cell::Int(now)]) => Ok(*self.now.insert(*now + ahead_ms())),
            other => Err(self.of.refused(format!("it gave {other:?} for the time"))),
        }
    }
}

fn bind(statement: &mut rusqlite::CachedStatement<'_>, values: &[Cell]) -> rusqlite::Result<()> {
    values.iter().enumerate().try_for_each(|(n, value)| statement.raw_bind_parameter(n + 1, value))
}

impl ToSql for Cell {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Cell::Null => ValueRef::Null,
            Cell::Int(number) => ValueRef::Integer(*number),
            Cell::Text(text) => ValueRef::Text(text.as_bytes()),
        }))
    }
}

fn cell(value: ValueRef<'_>) -> rusqlite::Result<Cell> {
    Ok(match value {
        ValueRef::Null => Cell::Null,
        ValueRef::Integer(number) => Cell::Int(number),
        ValueRef::Text(text) => Cell::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Real(number) => Cell::Text(number.to_string()),
        ValueRef::Blob(bytes) => Cell::Text(String::from_utf8_lossy(bytes).into_owned()),
    })
}
