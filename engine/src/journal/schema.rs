//! Brings the tables of a database to the version that this program knows.
//!
//! Only forward, and in steps that the previous version survives: within one major version
//! older engines go on working beside newer ones. A newer major version is refused.

use super::database::{Cell, Transaction};
use crate::error::{Code, Error};

/// Steps to versions, each (major, minor, statements), in ascending order. A new major version is one
/// that programs of the version before must not write to.
pub type Steps = &'static [(u32, u32, &'static [&'static str])];

/// What a database is for: how its tables are made, and what it is called in errors.
#[derive(Clone, Copy, Debug)]
pub struct Schema {
    /// What it is, for people: `journal`.
    pub what: &'static str,
    /// The setting that names it: `engine.journal`.
    pub setting: &'static str,
    /// The table that keeps the version; one for each schema, where several share a database.
    pub meta: &'static str,
    /// How the tables are made.
    pub steps: Steps,
}

impl From<Steps> for Schema {
    /// The journal's, with these steps.
    fn from(steps: Steps) -> Self {
        Schema { what: "journal", setting: "engine.journal", meta: "meta", steps }
    }
}

type Version = (u32, u32);

/// Runs, in the transaction given, the steps that the database has not seen yet.
pub(crate) fn migrate(schema: Schema, label: &str, transaction: &mut dyn Transaction) -> Result<(), Error> {
    let meta = schema.meta;
    transaction.execute(
        &format!("CREATE TABLE IF NOT EXISTS {meta} (key TEXT PRIMARY KEY, value TEXT NOT NULL)"),
        &[],
    )?;
    let found = version(schema, label, transaction)?;
    let known = known(schema);
    if found.0 > known.0 {
        return Err(newer(label, found, known));
    }
    let mut reached = found;
    for (major, minor, statements) in schema.steps.iter().filter(|step| (step.0, step.1) > found) {
        for statement in *statements {
            transaction.execute(statement, &[])?;
        }
        reached = (*major, *minor);
    }
    if reached > found {
        let text = Cell::Text(format!("{}.{}", reached.0, reached.1));
        transaction.execute(
            &format!(
                "INSERT INTO {meta} (key, value) VALUES ('schema', ?1) \
                 ON CONFLICT (key) DO UPDATE SET value = excluded.value"
            ),
            &[text],
        )?;
    }
    Ok(())
}

/// Whether nothing is left to be done: what most openings find, and only reading. An error
/// where there are no tables yet.
pub(crate) fn is_current(
    schema: Schema,
    label: &str,
    transaction: &mut dyn Transaction,
) -> Result<bool, Error> {
    let found = version(schema, label, transaction)?;
    let known = known(schema);
    Ok(found.0 == known.0 && found.1 >= known.1)
}

fn known(schema: Schema) -> Version {
    schema.steps.last().map_or((0, 0), |(major, minor, _)| (*major, *minor))
}

/// The version that a database is at; 0.0 where it has no tables yet.
fn version(schema: Schema, label: &str, transaction: &mut dyn Transaction) -> Result<Version, Error> {
    let sql = format!("SELECT value FROM {} WHERE key = 'schema'", schema.meta);
    let rows = transaction.query(&sql, &[])?;
    match rows.first().map(Vec::as_slice) {
        None => Ok((0, 0)),
        Some([Cell::Text(text)]) => parse(text).ok_or_else(|| unreadable(label, text)),
        Some(other) => Err(unreadable(label, &format!("{other:?}"))),
    }
}

fn parse(text: &str) -> Option<Version> {
    let (major, minor) = text.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

fn newer(label: &str, found: Version, known: Version) -> Error {
    Error::not_sent(
        Code::JournalUnavailable,
        format!(
            "{label}: its schema is version {}.{}, and this engine knows versions up to {}.x: \
             a newer engine wrote it. Install that engine's version or a later one",
            found.0, found.1, known.0
        ),
    )
}

fn unreadable(label: &str, found: &str) -> Error {
    Error::not_sent(
        Code::JournalUnavailable,
        format!(
            "{label}: the version of its schema is {found:?}; expected two numbers such as 1.0. \
             This is no database of Bayar's, or it was damaged: name another one, or restore a copy"
        ),
    )
}
