//! Work that one instance does at a time: whoever holds the lease. It runs out by itself where its holder
//! is gone, and what its holder writes down counts only while it holds.

use bayar::Error;

use super::Store;
use super::rows::{Row, int, text};

/// A lease that is held.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lease {
    name: String,
    fence: i64,
    /// What its holders last wrote down.
    pub value: String,
}

impl Store {
    /// Takes a lease, unless another holds it.
    ///
    /// # Errors
    /// The database's.
    pub(crate) fn take_lease(&self, name: &str, lease_ms: i64) -> Result<Option<Lease>, Error> {
        let held = self.read(|tx| {
            let now = tx.now_ms()?;
            let sql = "SELECT name FROM gateway_lease WHERE name = ?1 AND until_ms > ?2";
            Ok(!tx.query(sql, &[text(name), int(now)])?.is_empty())
        })?;
        if held {
            return Ok(None);
        }
        self.write(|tx| {
            let now = tx.now_ms()?;
            let sql = "INSERT INTO gateway_lease (name, fence, until_ms, value) VALUES (?1, 1, ?2, '')
                ON CONFLICT (name) DO UPDATE SET fence = gateway_lease.fence + 1, until_ms = excluded.until_ms
                WHERE gateway_lease.until_ms <= ?3";
            if tx.execute(sql, &[text(name), int(now + lease_ms), int(now)])? == 0 {
                return Ok(None);
            }
            let sql = "SELECT fence, value FROM gateway_lease WHERE name = ?1";
            let Some(cells) = tx.query(sql, &[text(name)])?.into_iter().next() else { return Ok(None) };
            let mut row = Row::of(cells);
            Ok(Some(Lease { name: name.to_owned(), fence: row.int()?, value: row.text()? }))
        })
    }

    /// Gives a lease back, with how far the work is. Says whether it was still held.
    ///
    /// # Errors
    /// The database's.
    pub(crate) fn give_lease(&self, lease: &Lease, value: &str) -> Result<bool, Error> {
        let sql = "UPDATE gateway_lease SET until_ms = 0, value = ?3 WHERE name = ?1 AND fence = ?2";
        let values = [text(lease.name.as_str()), int(lease.fence), text(value)];
        self.write(|tx| Ok(tx.execute(sql, &values)? == 1))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::on_both;

    #[test]
    fn one_holds_it_at_a_time() {
        on_both("leases", |store| {
            let first = store.take_lease("follow", 60_000).expect("is read").expect("it is free");
            assert_eq!((first.fence, first.value.as_str()), (1, ""));
            assert!(store.take_lease("follow", 60_000).expect("is read").is_none());
            assert!(store.take_lease("other", 60_000).expect("is read").is_some());
            assert!(store.give_lease(&first, "17").expect("is kept"));
            // It runs out at once.
            let late = store.take_lease("follow", -1).expect("is read").expect("it was given back");
            assert_eq!(late.value, "17");
            let next = store.take_lease("follow", 60_000).expect("is read").expect("it ran out");
            assert!(!store.give_lease(&late, "99").expect("is read"), "another holds it");
            assert!(store.give_lease(&next, "18").expect("is kept"));
        });
    }
}
