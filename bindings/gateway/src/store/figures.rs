//! What the payments of a day came to, kept so that a look at the dashboard does not count a month anew.

use bayar::Error;
use bayar::journal::Figure;

use super::Store;
use super::rows::{Row, int, text};

/// What a day came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Counted {
    /// The figures.
    pub figures: Vec<Figure>,
    /// When they were counted, in milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
}

impl Store {
    /// What this day (`2025-11-20`) came to when it was last counted.
    ///
    /// # Errors
    /// The database's.
    pub fn counted(&self, day: &str) -> Result<Option<Counted>, Error> {
        let sql = "SELECT figures, counted_ms FROM gateway_figures WHERE day = ?1";
        let rows = self.read(|tx| tx.query(sql, &[text(day)]))?;
        let counted = |cells| {
            let mut row = Row::of(cells);
            Ok(Counted { figures: row.json()?, at_ms: row.int()? })
        };
        rows.into_iter().next().map(counted).transpose()
    }

    /// Keeps what a day came to.
    ///
    /// # Errors
    /// The database's.
    pub fn keep_counted(&self, day: &str, figures: &[Figure]) -> Result<(), Error> {
        let document = serde_json::json!(figures).to_string();
        let sql = "INSERT INTO gateway_figures (day, figures, counted_ms) VALUES (?1, ?2, ?3)
            ON CONFLICT (day) DO UPDATE SET figures = excluded.figures, counted_ms = excluded.counted_ms";
        self.write(|tx| {
            let now = tx.now_ms()?;
            tx.execute(sql, &[text(day), text(document.as_str()), int(now)]).map(drop)
        })
    }
}

#[cfg(test)]
mod tests {
    use bayar::journal::State;

    use super::super::tests::on_both;
    use super::*;

    #[test]
    fn a_day_is_kept_and_counted_anew() {
        on_both("figures", |store| {
            let figure = Figure {
                account: "midtrans".to_owned(),
                operation: "charge".to_owned(),
                channel: None,
                state: State::Paid,
                stage: None,
                code: None,
                took_ms: Some(300),
                count: 2,
                amount: 300_000,
                last_ms: Some(1),
            };
            assert_eq!(store.counted("2025-11-20"), Ok(None));
            for figures in [vec![], vec![figure]] {
                store.keep_counted("2025-11-20", &figures).expect("is kept");
                let counted = store.counted("2025-11-20").expect("is read").expect("was kept");
                assert_eq!(counted.figures, figures);
            }
        });
    }
}
