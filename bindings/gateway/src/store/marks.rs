//! How far work is that goes on for ever, and whose turn it is: shared by all instances.

use bayar::Error;

use super::Store;
use super::rows::{Row, int, text};

impl Store {
    /// How far work of this name is.
    ///
    /// # Errors
    /// The database's.
    pub(crate) fn mark(&self, name: &str) -> Result<Option<i64>, Error> {
        let rows = self.read(|tx| tx.query("SELECT ms FROM gateway_mark WHERE name = ?1", &[text(name)]))?;
        rows.into_iter().next().map(|cells| Row::of(cells).int()).transpose()
    }

    /// Work of this name has come as far as this; it never goes back.
    ///
    /// # Errors
    /// The database's.
    pub(crate) fn advance(&self, name: &str, ms: i64) -> Result<(), Error> {
        let sql = "INSERT INTO gateway_mark (name, ms) VALUES (?1, ?2)
            ON CONFLICT (name) DO UPDATE SET ms = excluded.ms WHERE gateway_mark.ms < excluded.ms";
        self.write(|tx| tx.execute(sql, &[text(name), int(ms)]).map(drop))
    }

    /// Whether the caller is the one that does the work of this name now: one in every so many milliseconds,
    /// whichever instance asks first.
    ///
    /// # Errors
    /// The database's.
    pub(crate) fn take_turn(&self, name: &str, every_ms: i64) -> Result<bool, Error> {
        let before = self.mark(name)?;
        if before.is_some_and(|last| self.now_ms().is_ok_and(|now| now - last < every_ms)) {
            return Ok(false);
        }
        let sql = "INSERT INTO gateway_mark (name, ms) VALUES (?1, ?2)
            ON CONFLICT (name) DO UPDATE SET ms = excluded.ms WHERE gateway_mark.ms <= ?3";
        self.write(|tx| {
            let now = tx.now_ms()?;
            Ok(tx.execute(sql, &[text(name), int(now), int(now - every_ms)])? == 1)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::on_both;

    #[test]
    fn one_takes_a_turn_and_marks_go_forward() {
        on_both("marks", |store| {
            let taken = std::thread::scope(|scope| {
                let take = |_| scope.spawn(|| store.take_turn("tidy", 60_000).expect("is read"));
                let threads: Vec<_> = (0..8).map(take).collect();
                threads
                    .into_iter()
                    .filter(|_| true)
                    .map(|one| one.join().expect("no panic"))
                    .filter(|won| *won)
                    .count()
            });
            assert_eq!(taken, 1);
            assert!(!store.take_turn("tidy", 60_000).expect("is read"));
            assert!(store.take_turn("tidy", 0).expect("is read"), "its time has come again");
            assert_eq!(store.mark("follow").expect("is read"), None);
            store.advance("follow", 17).expect("is kept");
            store.advance("follow", 16).expect("is kept");
            assert_eq!(store.mark("follow").expect("is read"), Some(17));
        });
    }
}
