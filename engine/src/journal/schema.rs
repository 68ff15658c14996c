//! Brings the tables of a journal to the version that this engine knows.
//!
//! Only forward, and in steps that the previous version survives: within one major version
//! older engines go on working beside newer ones. A newer major version is refused.

use super::database::{Cell, Transaction};
use crate::error::{Code, Error};

/// A step to a version (major, minor), as statements. The list is in ascending order.
pub(crate) type Steps = &'static [(u32, u32, &'static [&'static str])];

type Version = (u32, u32);

/// Runs, in the transaction given, the steps that the database has not seen yet.
pub(crate) fn migrate(steps: Steps, name: &str, transaction: &mut dyn Transaction) -> Result<(), Error> {
    transaction
        .execute("CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)", &[])?;
    let found = version(name, transaction)?;
    let known = known(steps);
    if found.0 > known.0 {
        return Err(newer(name, found, known));
    }
    let mut reached = found;
    for (major, minor, statements) in steps.iter().filter(|step| (step.0, step.1) > found) {
        for statement in *statements {
            transaction.execute(statement, &[])?;
        }
        reached = (*major, *minor);
    }
    if reached > found {
        let text = Cell::Text(format!("{}.{}", reached.0, reached.1));
        transaction.execute(
            "INSERT INTO meta (key, value) VALUES ('schema', ?1) \
             ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            &[text],
        )?;
    }
    Ok(())
}

/// Whether nothing is left to be done: what most openings find, and only reading. An error
/// where there are no tables yet.
pub(crate) fn is_current(steps: Steps, name: &str, transaction: &mut dyn Transaction) -> Result<bool, Error> {
    let found = version(name, transaction)?;
    let known = known(steps);
    Ok(found.0 == known.0 && found.1 >= known.1)
}

fn known(steps: Steps) -> Version {
    steps.last().map_or((0, 0), |(major, minor, _)| (*major, *minor))
}

/// The version that a database is at; 0.0 where it has no tables yet.
fn version(name: &str, transaction: &mut dyn Transaction) -> Result<Version, Error> {
    let rows = transaction.query("SELECT value FROM meta WHERE key = 'schema'", &[])?;
    match rows.first().map(Vec::as_slice) {
        None => Ok((0, 0)),
        Some([Cell::Text(text)]) => parse(text).ok_or_else(|| unreadable(name, text)),
        Some(other) => Err(unreadable(name, &format!("{other:?}"))),
    }
}

fn parse(text: &str) -> Option<Version> {
    let (major, minor) = text.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

fn newer(name: &str, found: Version, known: Version) -> Error {
    Error::not_sent(
        Code::JournalUnavailable,
        format!(
            "journal {name}: its schema is version {}.{}, and this engine knows versions up to {}.x: \
             a newer engine wrote it. Install that engine's version or a later one",
            found.0, found.1, known.0
        ),
    )
}

fn unreadable(name: &str, found: &str) -> Error {
    Error::not_sent(
        Code::JournalUnavailable,
        format!(
            "journal {name}: the version of its schema is {found:?}; expected two numbers such as 1.0. \
             This is no journal of Bayar's, or it was damaged: name another one, or restore a copy"
        ),
    )
}
