//! Telling applications: what is due, who works on it, every try, and what was parked.

use bayar::database::Transaction;
use bayar::{Code, Error};
use serde::Serialize;

use super::Store;
use super::audit::{By, note};
use super::events::{EVENT, Event, read_event};
use super::rows::{Row, int, maybe_int, maybe_text, only_int, text};

/// How long after each try the next one comes, in seconds: a little more than three days in all. After
/// the last one the delivery is parked.
pub const PAUSES: [i64; 9] = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];

/// A delivery that a caller has taken on.
#[derive(Clone, Debug)]
pub struct Due {
    /// What is told.
    pub event: Event,
    /// Where to.
    pub url: String,
    /// What finishing it must name.
    pub fence: i64,
    /// Which try of this round it is, from 1.
    pub number: i64,
}

/// What a try came to.
#[derive(Clone, Debug, Default)]
pub struct Tried {
    /// The status of the answer, where there was one.
    pub status: Option<u16>,
    /// Why it does not count as told; nothing where it does.
    pub error: Option<String>,
    /// Whether another try is of no use: the address is gone.
    pub hopeless: bool,
    /// How long it took, in milliseconds.
    pub took_ms: i64,
}

/// The state of a delivery.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// It is tried again.
    Due,
    /// The application answered that it has it.
    Done,
    /// It was tried for three days, or its address is gone: a person may send it again.
    Parked,
}

/// A delivery, as people see it.
#[derive(Clone, Debug, Serialize)]
pub struct Delivery {
    /// What is told.
    pub event: Event,
    /// Its state.
    pub state: DeliveryState,
    /// How often it was tried, all rounds together.
    pub attempts: i64,
    /// When it is tried next, where it is due.
    pub next_ms: i64,
    /// The status of the last answer, where there was one.
    pub status: Option<i64>,
    /// What was wrong with the last try, if anything.
    pub error: Option<String>,
    /// When anything of it changed.
    pub updated_ms: i64,
}

/// One try.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Try {
    /// Which one, from 1.
    pub number: i64,
    /// Where to.
    pub url: String,
    /// The status of the answer, where there was one.
    pub status: Option<i64>,
    /// What was wrong, if anything.
    pub error: Option<String>,
    /// How long it took, in milliseconds.
    pub took_ms: i64,
    /// When.
    pub at_ms: i64,
}

/// How many deliveries there are.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// That are tried again.
    pub due: i64,
    /// That were parked.
    pub parked: i64,
}

/// Which deliveries are listed.
#[derive(Clone, Debug, Default)]
pub struct Which {
    /// Only of this application.
    pub app: Option<String>,
    /// Only in this state.
    pub state: Option<DeliveryState>,
    /// Only of this event.
    pub event: Option<String>,
    /// Only behind the event of this id, for the next page.
    pub after: Option<String>,
}

impl DeliveryState {
    fn word(self) -> &'static str {
        match self {
            DeliveryState::Due => "due",
            DeliveryState::Done => "done",
            DeliveryState::Parked => "parked",
        }
    }

    fn of(word: &str) -> DeliveryState {
        match word {
            "due" => DeliveryState::Due,
            "done" => DeliveryState::Done,
            _ => DeliveryState::Parked,
        }
    }
}

pub(super) fn insert(tx: &mut dyn Transaction, event: &str, app: &str, now: i64) -> Result<(), Error> {
    let sql = "INSERT INTO gateway_delivery (event, app, state, tries, attempts, next_ms, lease_ms, fence, created_ms, updated_ms)
        VALUES (?1, ?2, 'due', 0, 0, ?3, 0, 0, ?3, ?3) ON CONFLICT DO NOTHING";
    tx.execute(sql, &[text(event), text(app), int(now)]).map(drop)
}

impl Store {
    /// Takes on what is due, at most `limit`, and at most `each` of one application at a time, whoever works on
    /// them: one that does not answer must not keep the others waiting.
    ///
    /// # Errors
    /// The database's.
    pub(crate) fn take_due(&self, limit: usize, each: usize, lease_ms: i64) -> Result<Vec<Due>, Error> {
        let waiting = "SELECT app FROM gateway_delivery WHERE state = 'due' AND next_ms <= ?1
            GROUP BY app ORDER BY MIN(next_ms)";
        let apps = self.read(|tx| {
            let now = tx.now_ms()?;
            tx.query(waiting, &[int(now)])
        })?;
        let mut taken = Vec::new();
        for cells in apps {
            let left = limit - taken.len();
            if left == 0 {
                break;
            }
            let app = Row::of(cells).text()?;
            taken.extend(self.write(|tx| take(tx, &app, left, each, lease_ms))?);
        }
        Ok(taken)
    }

    /// What a try came to. Says whether it counted: not where another has taken the delivery on meanwhile.
    ///
    /// # Errors
    /// The database's.
    pub(crate) fn tried(&self, due: &Due, tried: &Tried) -> Result<bool, Error> {
        self.write(|tx| {
            let now = tx.now_ms()?;
            let pause = usize::try_from(due.number - 1).ok().and_then(|n| PAUSES.get(n));
            let (state, next) = match (&tried.error, pause) {
                (None, _) => ("done", now),
                (Some(_), Some(pause)) if !tried.hopeless => ("due", now + pause * 1000),
                (Some(_), _) => ("parked", now),
            };
            let sql = "UPDATE gateway_delivery SET state = ?3, tries = tries + 1, attempts = attempts + 1, next_ms = ?4,
                lease_ms = 0, status = ?5, error = ?6, updated_ms = ?7 WHERE event = ?1 AND fence = ?2 AND state = 'due'";
            let id = text(due.event.id.as_str());
            let status = maybe_int(tried.status.map(i64::from));
            let error = maybe_text(tried.error.as_deref());
            let values =
                [id.clone(), int(due.fence), text(state), int(next), status.clone(), error.clone(), int(now)];
            if tx.execute(sql, &values)? == 0 {
                return Ok(false);
            }
            let sql = "INSERT INTO gateway_try (event, number, url, status, error, took_ms, at_ms)
                SELECT event, attempts, ?2, ?3, ?4, ?5, ?6 FROM gateway_delivery WHERE event = ?1";
            tx.execute(sql, &[id, text(due.url.as_str()), status, error, int(tried.took_ms), int(now)])?;
            Ok(true)
        })
    }

    /// Sends an event once more, with a whole new round of tries, and under the same `webhook-id`.
    ///
    /// # Errors
    /// [`Code::InvalidParams`] where there is no such event, [`Code::NotPossible`] where its application has no
    /// address.
    pub fn resend(&self, event: &str, by: &By) -> Result<(), Error> {
        self.write(|tx| {
            let sql = "SELECT gateway_app.code, gateway_app.callback_url FROM gateway_event
                JOIN gateway_app ON gateway_app.code = gateway_event.app WHERE gateway_event.id = ?1";
            let Some(cells) = tx.query(sql, &[text(event)])?.into_iter().next() else {
                let what = format!("event: found {event:?}; allowed: the id of an event");
                return Err(Error::not_sent(Code::InvalidParams, what).field("event"));
            };
            let mut row = Row::of(cells);
            let (app, url) = (row.text()?, row.maybe_text()?);
            if url.is_none() {
                let what = format!("the application {app} has no callback_url to send it to");
                return Err(Error::not_sent(Code::NotPossible, what).field("callback_url"));
            }
            let now = tx.now_ms()?;
            insert(tx, event, &app, now)?;
            let sql =
                "UPDATE gateway_delivery SET state = 'due', tries = 0, next_ms = ?2, lease_ms = 0, fence = fence + 1,
                updated_ms = ?2 WHERE event = ?1";
            tx.execute(sql, &[text(event), int(now)])?;
            note(tx, by, "delivery.resend", event, "")
        })
    }

    /// Deliveries, newest first.
    ///
    /// # Errors
    /// The database's.
    pub fn deliveries(&self, which: &Which, limit: u32) -> Result<Vec<Delivery>, Error> {
        let mut values = Vec::new();
        let mut wheres = vec!["1 = 1".to_owned()];
        for (condition, value) in [
            ("gateway_delivery.app =", which.app.as_deref()),
            ("gateway_delivery.state =", which.state.map(DeliveryState::word)),
            ("gateway_delivery.event =", which.event.as_deref()),
            ("gateway_delivery.event <", which.after.as_deref()),
        ] {
            if let Some(value) = value {
                values.push(text(value));
                wheres.push(format!("{condition} ?{}", values.len()));
            }
        }
        let sql = format!(
            "SELECT {EVENT}, gateway_delivery.state, gateway_delivery.attempts, gateway_delivery.next_ms,
                gateway_delivery.status, gateway_delivery.error, gateway_delivery.updated_ms
             FROM gateway_delivery JOIN gateway_event ON gateway_event.id = gateway_delivery.event
             WHERE {} ORDER BY gateway_delivery.event DESC LIMIT {}",
            wheres.join(" AND "),
            limit.min(1000)
        );
        let rows = self.read(|tx| tx.query(&sql, &values))?;
        let delivery = |cells| {
            let mut row = Row::of(cells);
            Ok(Delivery {
                event: read_event(&mut row)?,
                state: DeliveryState::of(&row.text()?),
                attempts: row.int()?,
                next_ms: row.int()?,
                status: row.maybe_int()?,
                error: row.maybe_text()?,
                updated_ms: row.int()?,
            })
        };
        rows.into_iter().map(delivery).collect()
    }

    /// Every try of an event's delivery.
    ///
    /// # Errors
    /// The database's.
    pub fn tries(&self, event: &str) -> Result<Vec<Try>, Error> {
        let sql = "SELECT number, url, status, error, took_ms, at_ms FROM gateway_try WHERE event = ?1 ORDER BY number";
        let one = |cells| {
            let mut row = Row::of(cells);
            Ok(Try {
                number: row.int()?,
                url: row.text()?,
                status: row.maybe_int()?,
                error: row.maybe_text()?,
                took_ms: row.int()?,
                at_ms: row.int()?,
            })
        };
        self.read(|tx| tx.query(sql, &[text(event)]))?.into_iter().map(one).collect()
    }

    /// How many deliveries wait.
    ///
    /// # Errors
    /// The database's.
    pub fn delivery_counts(&self) -> Result<Counts, Error> {
        let count = |tx: &mut dyn Transaction, state: &str| {
            let sql = "SELECT COUNT(*) FROM gateway_delivery WHERE state = ?1";
            only_int(tx.query(sql, &[text(state)])?)
        };
        self.read(|tx| Ok(Counts { due: count(tx, "due")?, parked: count(tx, "parked")? }))
    }

    /// Drops events that are older than this and wait for nothing, with their deliveries.
    ///
    /// # Errors
    /// The database's.
    pub(crate) fn drop_events(&self, days: u16) -> Result<u64, Error> {
        self.write(|tx| {
            let before = int(tx.now_ms()? - i64::from(days) * 86_400_000);
            let old = "SELECT id FROM gateway_event WHERE at_ms < ?1 AND id NOT IN
                (SELECT event FROM gateway_delivery WHERE state = 'due')";
            for table in ["gateway_try", "gateway_delivery"] {
                let sql = format!("DELETE FROM {table} WHERE event IN ({old})");
                tx.execute(&sql, std::slice::from_ref(&before))?;
            }
            let sql = "DELETE FROM gateway_event WHERE at_ms < ?1 AND id NOT IN (SELECT event FROM gateway_delivery)";
            tx.execute(sql, &[before])
        })
    }
}

fn take(
    tx: &mut dyn Transaction,
    app: &str,
    limit: usize,
    each: usize,
    lease_ms: i64,
) -> Result<Vec<Due>, Error> {
    let now = tx.now_ms()?;
    // Held until the end: two instances must not both count the same ones as free.
    let sql = "SELECT callback_url FROM gateway_app WHERE code = ?1 /*for update*/";
    let url = tx.query(sql, &[text(app)])?.into_iter().next().map(|cells| Row::of(cells).maybe_text());
    let Some(url) = url.transpose()?.flatten() else {
        let sql = "UPDATE gateway_delivery SET state = 'parked', error = ?2, updated_ms = ?3
            WHERE app = ?1 AND state = 'due' AND next_ms <= ?3";
        tx.execute(sql, &[text(app), text("the application has no callback_url any more"), int(now)])?;
        return Ok(Vec::new());
    };
    let sql = "SELECT COUNT(*) FROM gateway_delivery WHERE app = ?1 AND state = 'due' AND lease_ms > ?2";
    let busy = only_int(tx.query(sql, &[text(app), int(now)])?)?;
    let free = limit.min(each.saturating_sub(usize::try_from(busy).unwrap_or(usize::MAX)));
    let sql = format!(
        "SELECT event FROM gateway_delivery WHERE app = ?1 AND state = 'due' AND next_ms <= ?2
         ORDER BY next_ms, event LIMIT {free}"
    );
    let ids = tx.query(&sql, &[text(app), int(now)])?;
    let mut taken = Vec::new();
    for cells in ids {
        let id = text(Row::of(cells).text()?);
        let sql =
            "UPDATE gateway_delivery SET fence = fence + 1, lease_ms = ?2, next_ms = ?2 WHERE event = ?1";
        tx.execute(sql, &[id.clone(), int(now + lease_ms)])?;
        let sql = format!(
            "SELECT {EVENT}, gateway_delivery.fence, gateway_delivery.tries FROM gateway_delivery
             JOIN gateway_event ON gateway_event.id = gateway_delivery.event WHERE gateway_delivery.event = ?1"
        );
        let Some(cells) = tx.query(&sql, &[id])?.into_iter().next() else { continue };
        let mut row = Row::of(cells);
        let event = read_event(&mut row)?;
        taken.push(Due { event, url: url.clone(), fence: row.int()?, number: row.int()? + 1 });
    }
    Ok(taken)
}

#[cfg(test)]
mod tests {
    use super::super::apps::Draft;
    use super::super::events::tests::telling;
    use super::super::tests::on_both;
    use super::*;

    const LEASE: i64 = 60_000;

    fn with_apps(store: &Store) {
        for app in ["a", "b"] {
            let url = Some(format!("https://{app}.example.com/hook"));
            let draft = Draft { callback_url: url, ..Draft::default() };
            store.create_app(app, &draft, &By::operator("test")).expect("is made");
        }
    }

    fn ids(due: &[Due]) -> Vec<&str> {
        due.iter().map(|due| due.event.intent.as_str()).collect()
    }

    #[test]
    fn one_application_does_not_keep_the_others_waiting() {
        on_both("shares", |store| {
            with_apps(store);
            for n in 0..5 {
                store.tell(&telling("a", &format!("I{n}"), "paid", 1)).expect("is kept");
            }
            store.tell(&telling("b", "J", "paid", 1)).expect("is kept");
            let first = store.take_due(10, 2, LEASE).expect("is taken");
            assert_eq!(ids(&first).len(), 3);
            assert!(ids(&first).contains(&"J"));
            assert!(store.take_due(10, 2, LEASE).expect("is taken").is_empty(), "two of a are under way");
            let told = Tried { status: Some(204), ..Tried::default() };
            assert!(store.tried(&first[0], &told).expect("is kept"));
            assert_eq!(store.take_due(10, 2, LEASE).expect("is taken").len(), 1);
            assert_eq!(store.delivery_counts().expect("is read"), Counts { due: 5, parked: 0 });
        });
    }

    #[test]
    fn whoever_lost_the_lease_changes_nothing() {
        on_both("lease", |store| {
            with_apps(store);
            store.tell(&telling("a", "I", "paid", 1)).expect("is kept");
            let lost = store.take_due(1, 1, -1).expect("is taken").remove(0);
            let now = store.take_due(1, 1, LEASE).expect("its lease is over").remove(0);
            let told = Tried { status: Some(200), ..Tried::default() };
            assert!(!store.tried(&lost, &told).expect("is read"));
            assert!(store.tried(&now, &told).expect("is kept"));
            assert!(!store.tried(&now, &told).expect("is read"), "it is done");
            assert_eq!(store.tries(&now.event.id).expect("is read").len(), 1);
        });
    }

    #[test]
    fn after_three_days_it_is_parked_and_can_be_sent_again() {
        on_both("parked", |store| {
            with_apps(store);
            let event = store.tell(&telling("a", "I", "paid", 1)).expect("is kept").expect("is new");
            let state = || {
                let listed = store.deliveries(&Which::default(), 10).expect("is read").remove(0);
                (listed.state, listed.attempts, listed.next_ms - listed.updated_ms)
            };
            let failed = Tried { error: Some("refused".to_owned()), ..Tried::default() };
            let mut due = store.take_due(1, 1, LEASE).expect("is taken").remove(0);
            for (n, pause) in (1..).zip(PAUSES) {
                assert!(store.tried(&due, &failed).expect("is kept"));
                assert_eq!(state(), (DeliveryState::Due, n, pause * 1000));
                assert!(store.take_due(1, 1, LEASE).expect("is taken").is_empty(), "its time has not come");
                due.number += 1;
            }
            assert!(store.tried(&due, &failed).expect("is kept"));
            assert_eq!((state().0, state().1), (DeliveryState::Parked, 10));
            let days = PAUSES.iter().sum::<i64>() as f64 / 86_400.0;
            assert!((3.0..3.5).contains(&days), "{days}");

            store.resend(&event.id, &By::operator("test")).expect("is sent again");
            let again = store.take_due(1, 1, LEASE).expect("is taken").remove(0);
            assert_eq!((again.number, &again.event.id), (1, &event.id));
            let gone = Tried { hopeless: true, ..failed };
            assert!(store.tried(&again, &gone).expect("is kept"));
            assert_eq!((state().0, state().1), (DeliveryState::Parked, 11));
            assert!(store.resend("V", &By::operator("test")).is_err());
        });
    }

    #[test]
    fn what_is_old_goes_and_what_waits_stays() {
        on_both("old", |store| {
            with_apps(store);
            for intent in ["I", "J"] {
                store.tell(&telling("a", intent, "paid", 1)).expect("is kept");
            }
            let due = store.take_due(1, 1, LEASE).expect("is taken").remove(0);
            store.tried(&due, &Tried { status: Some(200), ..Tried::default() }).expect("is kept");
            store
                .write(|tx| tx.execute("UPDATE gateway_event SET at_ms = at_ms - 86400001", &[]))
                .expect("aged");
            assert_eq!(store.drop_events(1).expect("is done"), 1);
            assert_eq!(store.events("a", 0, 10).expect("is read").len(), 1);
            assert_eq!(store.delivery_counts().expect("is read").due, 1);
        });
    }
}
