//! What the payments of the last days came to: counted by the journal a day at a time, and kept, so that a
//! look at the dashboard does not count a month anew.

use std::collections::BTreeMap;

use bayar::Error;
use bayar::journal::{Figure, LONGER_MS, State};
use bayar_provider::Stage;
use jiff::ToSpan;
use jiff::civil::Date;

use super::show::{day, midnight};
use crate::gateway::Gateway;

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// One day in Jakarta.
pub(super) struct Day {
    pub date: Date,
    pub figures: Vec<Figure>,
}

/// What payments came to, counted together.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Sum {
    /// How many were made.
    pub made: i64,
    /// How many were paid, also those that were given back later.
    pub paid: i64,
    /// How many ended unpaid.
    pub over: i64,
    /// How many of nobody knows what became.
    pub unknown: i64,
    /// What was asked for with those that were paid, in rupiah.
    pub amount: i64,
    /// How many first requests ended within how many milliseconds.
    pub took: BTreeMap<i64, i64>,
}

/// Which channel of which account.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Channel {
    pub account: String,
    pub operation: String,
    /// Nothing where the payer chooses.
    pub channel: Option<String>,
}

/// When an account was last answered, and when it last was not.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Health {
    pub answered_ms: Option<i64>,
    pub failed: Option<(i64, String)>,
}

/// The last days up to today, oldest first.
pub(super) fn days(gateway: &Gateway, count: i64) -> Result<Vec<Day>, Error> {
    let now = gateway.store.now_ms()?;
    let today: Date = day(now).parse().map_err(|error| broken(&format!("{error}")))?;
    let dates = (0..count)
        .rev()
        .map(|back| today.checked_sub(back.days()).map_err(|error| broken(&error.to_string())));
    dates.map(|date| date.and_then(|date| one(gateway, date, now))).collect()
}

fn one(gateway: &Gateway, date: Date, now: i64) -> Result<Day, Error> {
    let name = date.to_string();
    let begins = midnight(date).ok_or_else(|| broken(&name))?;
    if let Some(counted) = gateway.store.counted(&name)?
        && holds(counted.at_ms, begins + DAY_MS, now)
    {
        return Ok(Day { date, figures: counted.figures });
    }
    let figures = gateway.journal.figures(begins, begins + DAY_MS)?;
    gateway.store.keep_counted(&name, &figures)?;
    Ok(Day { date, figures })
}

/// Whether what was counted at that moment of a day that ended then still holds: ten seconds for today and
/// yesterday, an hour for the week before, and from then on for good, but for what comes very late.
fn holds(counted: i64, ended: i64, now: i64) -> bool {
    let age = now - counted;
    if now < ended + DAY_MS {
        age < 10_000
    } else if counted < ended + 8 * DAY_MS {
        age < HOUR_MS
    } else {
        true
    }
}

fn broken(what: &str) -> Error {
    Error::not_sent(bayar::Code::Internal, format!("a day cannot be counted: {what}"))
}

impl Sum {
    pub fn add(&mut self, figure: &Figure) {
        self.made += figure.count;
        match figure.state {
            State::Paid | State::Done | State::PartiallyRefunded | State::Refunded | State::Disputed => {
                self.paid += figure.count;
                self.amount += figure.amount;
            }
            State::Failed | State::Expired | State::Cancelled => self.over += figure.count,
            State::Unknown | State::Sending => self.unknown += figure.count,
            State::New | State::Pending | State::Authorized => {}
        }
        if let Some(took) = figure.took_ms {
            *self.took.entry(took).or_default() += figure.count;
        }
    }

    pub fn of<'f>(figures: impl IntoIterator<Item = &'f Figure>) -> Sum {
        let mut sum = Sum::default();
        figures.into_iter().for_each(|figure| sum.add(figure));
        sum
    }

    /// Of a thousand that came to an end, how many were paid; nothing where none did.
    pub fn paid_of_1000(&self) -> Option<i64> {
        (self.paid + self.over > 0).then(|| self.paid * 1000 / (self.paid + self.over))
    }

    /// Within how many milliseconds this share of the first requests ended, in hundredths: a bound, not a mean.
    pub fn within(&self, hundredths: i64) -> Option<i64> {
        let all: i64 = self.took.values().sum();
        let mut seen = 0;
        self.took.iter().find_map(|(bound, count)| {
            seen += count;
            (seen * 100 >= all * hundredths).then_some(*bound)
        })
    }
}

/// The bound of what took longer than all bounds is none.
pub(super) fn is_bound(ms: i64) -> bool {
    ms < LONGER_MS
}

/// All channels of these days.
pub(super) fn channels(days: &[Day]) -> BTreeMap<Channel, Sum> {
    let mut channels: BTreeMap<Channel, Sum> = BTreeMap::new();
    for figure in days.iter().flat_map(|day| &day.figures) {
        let channel = Channel {
            account: figure.account.clone(),
            operation: figure.operation.clone(),
            channel: figure.channel.clone(),
        };
        channels.entry(channel).or_default().add(figure);
    }
    channels
}

/// How each account did in these days.
pub(super) fn health(days: &[Day]) -> BTreeMap<String, Health> {
    let mut all: BTreeMap<String, Health> = BTreeMap::new();
    for figure in days.iter().flat_map(|day| &day.figures) {
        let health = all.entry(figure.account.clone()).or_default();
        let Some(at) = figure.last_ms else { continue };
        // A refusal is an answer, too: the provider works.
        if figure.stage == Some(Stage::Answered) {
            health.answered_ms = health.answered_ms.max(Some(at));
        } else if health.failed.as_ref().is_none_or(|(before, _)| *before < at) {
            health.failed = Some((at, figure.code.clone().unwrap_or_default()));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(state: State, count: i64, took_ms: Option<i64>) -> Figure {
        Figure {
            account: "midtrans".to_owned(),
            operation: "charge".to_owned(),
            channel: None,
            state,
            stage: took_ms.map(|_| Stage::Answered),
            code: None,
            took_ms,
            count,
            amount: count * 1_000,
            last_ms: took_ms,
        }
    }

    #[test]
    fn what_is_open_is_neither_success_nor_failure() {
        let figures = [
            figure(State::Paid, 6, Some(100)),
            figure(State::Refunded, 1, Some(300)),
            figure(State::Expired, 1, Some(300)),
            figure(State::Pending, 2, Some(1_000)),
            figure(State::Unknown, 1, None),
        ];
        let sum = Sum::of(&figures);
        assert_eq!((sum.made, sum.paid, sum.over, sum.unknown, sum.amount), (11, 7, 1, 1, 7_000));
        assert_eq!(sum.paid_of_1000(), Some(875));
        assert_eq!((sum.within(50), sum.within(80), sum.within(95)), (Some(100), Some(300), Some(1_000)));
        assert_eq!((Sum::default().paid_of_1000(), Sum::default().within(50)), (None, None));
    }

    #[test]
    fn a_day_is_counted_anew_while_it_changes() {
        let ended = 1_763_658_000_000;
        let holds = |counted: i64, now: i64| holds(ended + counted, ended, ended + now);
        assert!(holds(-HOUR_MS, -HOUR_MS + 9_000) && !holds(-HOUR_MS, -HOUR_MS + 10_000), "today");
        assert!(!holds(HOUR_MS, HOUR_MS + 10_000), "yesterday");
        assert!(holds(2 * DAY_MS, 2 * DAY_MS + HOUR_MS - 1) && !holds(2 * DAY_MS, 2 * DAY_MS + HOUR_MS));
        assert!(!holds(-HOUR_MS, 20 * DAY_MS), "counted before it was over");
        assert!(holds(8 * DAY_MS, 500 * DAY_MS), "for good");
    }

    #[test]
    fn an_account_is_well_when_it_answers() {
        let mut failed = figure(State::Unknown, 1, Some(50));
        (failed.stage, failed.code, failed.last_ms) =
            (Some(Stage::MaybeSent), Some("timeout".to_owned()), Some(9));
        let date = Date::constant(2025, 11, 20);
        let all = health(&[Day { date, figures: vec![figure(State::Paid, 1, Some(300)), failed] }]);
        let expected = Health { answered_ms: Some(300), failed: Some((9, "timeout".to_owned())) };
        assert_eq!(all.get("midtrans"), Some(&expected));
    }
}
