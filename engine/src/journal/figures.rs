//! Figures: how many payments were asked for, what became of them, and how long providers took.

use bayar_provider::Stage;
use serde::{Deserialize, Serialize};

use super::care::DAY_MS;
use super::database::Cell;
use super::fold::State;
use super::ledger::Ledger;
use super::rows::{Row, SENDING, int, of_word, text};
use crate::ambient::make_id;
use crate::error::Error;

/// The bounds by which answers are told apart, in milliseconds; [`Figure::took_ms`] is one of them, or
/// [`LONGER_MS`].
pub const TOOK_MS: [i64; 14] =
    [50, 100, 200, 300, 400, 500, 750, 1_000, 1_500, 2_000, 3_000, 5_000, 10_000, 20_000];

/// Longer than the greatest bound.
pub const LONGER_MS: i64 = 600_000;

/// How many orders were made that have all of this in common.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Figure {
    /// The account.
    pub account: String,
    /// What made the order: `charge`.
    pub operation: String,
    /// The channel that was asked for; none where the payer chooses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// The state that they are in.
    pub state: State,
    /// How far the first request got; none while it is out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<Stage>,
    /// The code of the error that it ended with, if it did: `timeout`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Within how many milliseconds the first request ended: the least of [`TOOK_MS`] that holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub took_ms: Option<i64>,
    /// How many.
    pub count: i64,
    /// The sum of what was asked for, in rupiah.
    pub amount: i64,
    /// When the last of these requests ended, in milliseconds since 1970-01-01 UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_ms: Option<i64>,
}

impl Ledger {
    pub(super) fn count(&self, since_ms: i64, until_ms: i64) -> Result<Vec<Figure>, Error> {
        let took = "attempt.ended_ms - attempt.began_ms";
        let bounds: String = TOOK_MS.map(|bound| format!("WHEN {took} <= {bound} THEN {bound} ")).concat();
        let bucket = format!("CASE WHEN attempt.ended_ms IS NULL THEN NULL {bounds} ELSE {LONGER_MS} END");
        let sql = format!(
            "SELECT intent.account, intent.operation, intent.channel, intent.state, attempt.stage, attempt.code, {bucket},
                COUNT(*), CAST(COALESCE(SUM(intent.amount), 0) AS BIGINT), MAX(attempt.ended_ms)
             FROM intent JOIN attempt ON attempt.intent = intent.id AND attempt.number = 1
             WHERE intent.owns = 1 AND intent.created_ms >= ?1 AND intent.created_ms < ?2
                AND intent.id >= ?3 AND intent.id < ?4
             GROUP BY 1, 2, 3, 4, 5, 6, 7"
        );
        // Ids begin with the host's time: none of a day before or after can be meant, and none is read.
        let near = |ms: i64| text(make_id('I', ms, &[0; 16])[..10].to_owned());
        let values = [int(since_ms), int(until_ms), near(since_ms - DAY_MS), near(until_ms + DAY_MS)];
        self.read(|tx| tx.query(&sql, &values))?.into_iter().map(figure).collect()
    }
}

fn figure(cells: Vec<Cell>) -> Result<Figure, Error> {
    let mut row = Row::of(cells);
    Ok(Figure {
        account: row.text()?,
        operation: row.text()?,
        channel: row.maybe_text()?,
        state: of_word(&row.text()?)?,
        stage: Some(row.text()?).filter(|stage| stage != SENDING).map(|stage| of_word(&stage)).transpose()?,
        code: row.maybe_text()?,
        took_ms: row.maybe_int()?,
        count: row.int()?,
        amount: row.int()?,
        last_ms: row.maybe_int()?,
    })
}
