//! One connection, driven by the thread that uses it.
//!
//! tokio-postgres talks; its runtime is polled only while we wait here, so there is no thread
//! behind it, and every wait has an end.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_postgres::error::{Severity, SqlState};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, NoTls, Row, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::address::{Address, chain};
use super::cells;
use crate::journal::database::Cell;

/// How long an answer may take. The server gives up a statement after 5 s, so this ends a wait
/// for a server, or a network, that is gone.
const ANSWER: Duration = Duration::from_secs(8);
/// Longer than connecting to each of two hosts may take.
const CONNECT: Duration = Duration::from_secs(11);
/// Whatever the role's or the database's defaults are.
const SESSION: &str = "SET synchronous_commit = on; SET statement_timeout = 5000; SET lock_timeout = 4500; \
    SET idle_in_transaction_session_timeout = 30000; SET client_min_messages = warning; \
    SET standard_conforming_strings = on";

/// Why a statement or a connection failed.
pub(super) enum Trouble {
    Postgres(tokio_postgres::Error),
    Late(Duration),
    Plain(String),
}

/// A connection with its prepared statements.
pub(super) struct Connection {
    // In the order in which they are dropped.
    client: Client,
    task: JoinHandle<()>,
    runtime: Runtime,
    statements: HashMap<String, Vec<Statement>>,
}

impl Connection {
    pub(super) fn open(address: &Address) -> Result<Connection, Trouble> {
        let runtime = Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()
            .map_err(|error| Trouble::Plain(format!("no runtime for a connection ({error})")))?;
        let config = address.resolved()?;
        let (client, task) = if address.tls {
            let tls = MakeRustlsConnect::new(address.verifier()?);
            let (client, connection) = wait(&runtime, CONNECT, config.connect(tls))?;
            (client, runtime.spawn(async move { drop(connection.await) }))
        } else {
            let (client, connection) = wait(&runtime, CONNECT, config.connect(NoTls))?;
            (client, runtime.spawn(async move { drop(connection.await) }))
        };
        let mut connection = Connection { client, task, runtime, statements: HashMap::new() };
        connection.batch(SESSION)?;
        Ok(connection)
    }

    /// Statements without parameters or rows.
    pub(super) fn batch(&mut self, sql: &str) -> Result<(), Trouble> {
        wait(&self.runtime, ANSWER, self.client.batch_execute(sql))
    }

    pub(super) fn commit(&mut self) -> Result<(), Trouble> {
        self.batch("COMMIT")
    }

    /// Whether the connection can be used again.
    pub(super) fn rollback(&mut self) -> bool {
        self.batch("ROLLBACK").is_ok()
    }

    pub(super) fn execute(&mut self, sql: &str, values: &[Cell]) -> Result<u64, Trouble> {
        let statement = self.prepare(sql, values)?;
        wait(&self.runtime, ANSWER, self.client.execute(&statement, &parameters(values)))
    }

    pub(super) fn query(&mut self, sql: &str, values: &[Cell]) -> Result<Vec<Vec<Cell>>, Trouble> {
        let statement = self.prepare(sql, values)?;
        let rows: Vec<Row> = wait(&self.runtime, ANSWER, self.client.query(&statement, &parameters(values)))?;
        rows.iter().map(cells::cells).collect()
    }

    /// The same text is another statement with parameters of other types.
    fn prepare(&mut self, sql: &str, values: &[Cell]) -> Result<Statement, Trouble> {
        let fits = |statement: &&Statement| {
            statement.params().iter().zip(values).all(|(ty, value)| match value {
                Cell::Null => true,
                Cell::Int(_) => *ty == Type::INT8,
                Cell::Text(_) => *ty == Type::TEXT,
            })
        };
        if let Some(found) = self.statements.get(sql).and_then(|prepared| prepared.iter().find(fits)) {
            return Ok(found.clone());
        }
        let types: Vec<Type> = values.iter().map(cells::type_of).collect();
        let text = cells::translate(sql);
        let statement = wait(&self.runtime, ANSWER, self.client.prepare_typed(&text, &types))?;
        if statement.params().len() != values.len() {
            return Err(Trouble::Plain(format!(
                "a statement takes {} values and was given {}: {sql}",
                statement.params().len(),
                values.len()
            )));
        }
        self.statements.entry(sql.to_owned()).or_default().push(statement.clone());
        Ok(statement)
    }

    /// Says goodbye, so that the server does not log a client that vanished.
    pub(super) fn close(self) {
        let Connection { client, task, runtime, statements } = self;
        drop(statements);
        drop(client);
        // Where it does not go out in time, the socket is closed all the same.
        let _ = runtime.block_on(async { timeout(Duration::from_millis(100), task).await });
    }
}

fn parameters(values: &[Cell]) -> Vec<&(dyn ToSql + Sync)> {
    values.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

fn wait<T>(
    runtime: &Runtime,
    within: Duration,
    work: impl Future<Output = Result<T, tokio_postgres::Error>>,
) -> Result<T, Trouble> {
    let done = runtime.block_on(async { timeout(within, work).await });
    done.map_err(|_| Trouble::Late(within))?.map_err(Trouble::Postgres)
}

impl Trouble {
    /// The server's code, where it was the server that refused.
    pub(super) fn state(&self) -> Option<&SqlState> {
        match self {
            Trouble::Postgres(error) => error.code(),
            Trouble::Late(_) | Trouble::Plain(_) => None,
        }
    }
}

impl Trouble {
    /// Whether a commit that failed with this has certainly not happened. A server that ends the
    /// connection may have committed before.
    pub(super) fn refuses_commit(&self) -> bool {
        let Trouble::Postgres(error) = self else { return false };
        error.as_db_error().is_some_and(|refusal| {
            refusal.parsed_severity() == Some(Severity::Error)
                && *refusal.code() != SqlState::T_R_STATEMENT_COMPLETION_UNKNOWN
        })
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // Without its detail, which repeats values of the row.
            Trouble::Postgres(error) => match error.as_db_error() {
                Some(refusal) => {
                    let (message, code) = (refusal.message(), refusal.code().code());
                    write!(
                        f,
                        "the server refused: {message} ({code}); expected that it accepts this: see its log"
                    )
                }
                None => write!(f, "{}; expected a server that answers: check that it runs", chain(error)),
            },
            Trouble::Late(within) => write!(
                f,
                "no answer within {} s; expected one: check the server and the network",
                within.as_secs()
            ),
            Trouble::Plain(message) => f.write_str(message),
        }
    }
}
