//! What people did, and from where.

use bayar::Error;
use bayar::database::Transaction;
use serde::Serialize;

use super::rows::{Row, int, maybe_text, text};
use super::{Store, new_id};

/// Who does something.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct By {
    /// A person's name, or `root@terminal`.
    pub actor: String,
    /// The address that it came from, where it came over the network.
    pub address: Option<String>,
}

impl By {
    /// Someone at the machine itself.
    pub fn operator(name: &str) -> By {
        By { actor: name.to_owned(), address: None }
    }
}

/// One thing that was done.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Done {
    /// Its id; they sort by time.
    pub id: String,
    /// When.
    pub at_ms: i64,
    /// By whom.
    pub actor: String,
    /// What: `key.create`.
    pub action: String,
    /// To what.
    pub target: String,
    /// With what, or why.
    pub detail: String,
    /// From where.
    pub address: Option<String>,
}

/// Writes down what is being done, in the transaction that does it.
pub(crate) fn note(
    tx: &mut dyn Transaction,
    by: &By,
    action: &str,
    target: &str,
    detail: &str,
) -> Result<(), Error> {
    let now = tx.now_ms()?;
    let sql = "INSERT INTO gateway_audit (id, at_ms, actor, action, target, detail, address)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let values = [
        text(new_id('A', now)?),
        int(now),
        text(by.actor.as_str()),
        text(action),
        text(target),
        text(detail),
        maybe_text(by.address.as_deref()),
    ];
    tx.execute(sql, &values)?;
    Ok(())
}

impl Store {
    /// Writes down what was done elsewhere: to a payment, say, through the engine.
    ///
    /// # Errors
    /// The database's.
    pub fn note(&self, by: &By, action: &str, target: &str, detail: &str) -> Result<(), Error> {
        self.write(|tx| note(tx, by, action, target, detail))
    }

    /// What was done, newest first: at most `limit`, behind the id given.
    ///
    /// # Errors
    /// The database's.
    pub fn audit(&self, after: Option<&str>, limit: u32) -> Result<Vec<Done>, Error> {
        let sql = format!(
            "SELECT id, at_ms, actor, action, target, detail, address FROM gateway_audit
             WHERE ?1 = '' OR id < ?1 ORDER BY id DESC LIMIT {}",
            limit.min(10_000)
        );
        let rows = self.read(|tx| tx.query(&sql, &[text(after.unwrap_or_default())]))?;
        let done = |cells| {
            let mut row = Row::of(cells);
            Ok(Done {
                id: row.text()?,
                at_ms: row.int()?,
                actor: row.text()?,
                action: row.text()?,
                target: row.text()?,
                detail: row.text()?,
                address: row.maybe_text()?,
            })
        };
        rows.into_iter().map(done).collect()
    }
}
