//! What applications are told: each change of the state of an intent of theirs, once, numbered in the order
//! in which it was told.

use bayar::Error;
use bayar::database::{Cell, Transaction};
use serde::Serialize;
use serde_json::{Value, json};

use super::rows::{Row, int, text};
use super::{Store, deliveries, new_id};

/// What is to be told.
#[derive(Clone, Copy, Debug)]
pub struct Telling<'a> {
    /// The application: the intent's tenant.
    pub app: &'a str,
    /// The intent.
    pub intent: &'a str,
    /// Its state, as the journal has it.
    pub state: &'a str,
    /// Whether it waits for a review.
    pub review: bool,
    /// When the journal last changed it.
    pub changed_ms: i64,
    /// `charge.paid`.
    pub kind: &'a str,
    /// The outcome in this state.
    pub data: &'a Value,
}

/// What was told.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Event {
    /// Its number among those of its application, from 1.
    pub number: i64,
    /// `webhook-id`.
    pub id: String,
    /// The application.
    pub app: String,
    /// The intent.
    pub intent: String,
    /// `charge.paid`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What is sent, byte for byte.
    pub body: String,
    /// When.
    pub at_ms: i64,
}

pub(super) const EVENT: &str = "gateway_event.number, gateway_event.id, gateway_event.app, gateway_event.intent, \
    gateway_event.type, gateway_event.body, gateway_event.at_ms";

impl Store {
    /// Whether this state of the intent was told, or something newer was.
    ///
    /// # Errors
    /// The database's.
    pub(crate) fn was_told(&self, telling: &Telling<'_>) -> Result<bool, Error> {
        self.read(|tx| was_told(tx, telling))
    }

    /// Writes an event, and that it is to be delivered where the application has an address. Nothing where it
    /// was told before, or there is no such application.
    ///
    /// # Errors
    /// The database's.
    pub(crate) fn tell(&self, telling: &Telling<'_>) -> Result<Option<Event>, Error> {
        self.write(|tx| tell(tx, telling))
    }

    /// The events of an application behind this number, oldest first.
    ///
    /// # Errors
    /// The database's.
    pub fn events(&self, app: &str, after: i64, limit: u32) -> Result<Vec<Event>, Error> {
        let sql = format!(
            "SELECT {EVENT} FROM gateway_event WHERE app = ?1 AND number > ?2 ORDER BY number LIMIT {}",
            limit.min(1000)
        );
        let rows = self.read(|tx| tx.query(&sql, &[text(app), int(after)]))?;
        rows.into_iter().map(|cells| read_event(&mut Row::of(cells))).collect()
    }

    /// The events of an intent, oldest first.
    ///
    /// # Errors
    /// The database's.
    pub fn events_of(&self, intent: &str) -> Result<Vec<Event>, Error> {
        let sql = format!("SELECT {EVENT} FROM gateway_event WHERE intent = ?1 ORDER BY number");
        let rows = self.read(|tx| tx.query(&sql, &[text(intent)]))?;
        rows.into_iter().map(|cells| read_event(&mut Row::of(cells))).collect()
    }
}

fn was_told(tx: &mut dyn Transaction, telling: &Telling<'_>) -> Result<bool, Error> {
    let sql = "SELECT state, review, changed_ms FROM gateway_told WHERE intent = ?1";
    let Some(cells) = tx.query(sql, &[text(telling.intent)])?.into_iter().next() else { return Ok(false) };
    let mut row = Row::of(cells);
    let (state, review, changed_ms) = (row.text()?, row.int()? == 1, row.int()?);
    let same = state == telling.state && review == telling.review;
    Ok(same || changed_ms > telling.changed_ms)
}

fn tell(tx: &mut dyn Transaction, telling: &Telling<'_>) -> Result<Option<Event>, Error> {
    // Its row is held until the end: one event after the other, so that nobody who reads by number misses one.
    let sql = "SELECT events, callback_url FROM gateway_app WHERE code = ?1 /*for update*/";
    let Some(cells) = tx.query(sql, &[text(telling.app)])?.into_iter().next() else { return Ok(None) };
    let mut row = Row::of(cells);
    let (events, url) = (row.int()?, row.maybe_text()?);
    if was_told(tx, telling)? {
        return Ok(None);
    }
    let now = tx.now_ms()?;
    let event = Event {
        number: events + 1,
        id: new_id('V', now)?,
        app: telling.app.to_owned(),
        intent: telling.intent.to_owned(),
        kind: telling.kind.to_owned(),
        body: json!({"type": telling.kind, "timestamp": moment(now), "data": telling.data}).to_string(),
        at_ms: now,
    };
    let sql = "INSERT INTO gateway_told (intent, app, state, review, changed_ms, told_ms)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (intent) DO UPDATE SET state = excluded.state,
        review = excluded.review, changed_ms = excluded.changed_ms, told_ms = excluded.told_ms";
    let review = Cell::Int(telling.review.into());
    let changed = int(telling.changed_ms);
    tx.execute(
        sql,
        &[text(telling.intent), text(telling.app), text(telling.state), review, changed, int(now)],
    )?;
    tx.execute(
        "UPDATE gateway_app SET events = ?2 WHERE code = ?1",
        &[text(telling.app), int(event.number)],
    )?;
    let sql = "INSERT INTO gateway_event (app, number, id, intent, type, body, at_ms)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let values = [
        text(telling.app),
        int(event.number),
        text(event.id.as_str()),
        text(telling.intent),
        text(telling.kind),
        text(event.body.as_str()),
        int(now),
    ];
    tx.execute(sql, &values)?;
    if url.is_some() {
        deliveries::insert(tx, &event.id, telling.app, now)?;
    }
    Ok(Some(event))
}

/// RFC 3339, UTC.
pub(crate) fn moment(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).map_or_else(|_| ms.to_string(), |moment| moment.to_string())
}

pub(super) fn read_event(row: &mut Row) -> Result<Event, Error> {
    Ok(Event {
        number: row.int()?,
        id: row.text()?,
        app: row.text()?,
        intent: row.text()?,
        kind: row.text()?,
        body: row.text()?,
        at_ms: row.int()?,
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::super::apps::Draft;
    use super::super::audit::By;
    use super::super::tests::on_both;
    use super::*;

    pub(crate) fn telling<'a>(app: &'a str, intent: &'a str, state: &'a str, changed_ms: i64) -> Telling<'a> {
        const DATA: &Value = &Value::Null;
        Telling { app, intent, state, review: false, changed_ms, kind: "charge.paid", data: DATA }
    }

    #[test]
    fn each_change_is_told_once() {
        on_both("events", |store| {
            store.create_app("biling", &Draft::default(), &By::operator("test")).expect("is made");
            let tell =
                |telling: Telling<'_>| store.tell(&telling).expect("is kept").map(|event| event.number);
            assert_eq!(tell(telling("biling", "I1", "paid", 10)), Some(1));
            assert_eq!(tell(telling("biling", "I1", "paid", 11)), None, "the same again");
            assert_eq!(tell(telling("biling", "I1", "pending", 9)), None, "what was before");
            assert_eq!(tell(Telling { review: true, ..telling("biling", "I1", "paid", 12) }), Some(2));
            assert_eq!(tell(telling("biling", "I2", "paid", 12)), Some(3));
            assert_eq!(tell(telling("nobody", "I3", "paid", 12)), None, "a tenant that is no application");
            assert!(store.was_told(&telling("biling", "I2", "paid", 13)).expect("is read"));
            assert!(!store.was_told(&telling("biling", "I2", "refunded", 13)).expect("is read"));
            let numbers = |after| {
                let events = store.events("biling", after, 10).expect("is read");
                events.into_iter().map(|event| event.number).collect::<Vec<_>>()
            };
            assert_eq!((numbers(0), numbers(2)), (vec![1, 2, 3], vec![3]));
            assert_eq!(store.events_of("I1").expect("is read").len(), 2);
            let body: Value =
                serde_json::from_str(&store.events("biling", 0, 1).expect("is read")[0].body).expect("JSON");
            assert_eq!(body["type"], "charge.paid");
        });
    }

    #[test]
    fn those_who_tell_at_once_tell_once() {
        on_both("telling", |store| {
            store.create_app("biling", &Draft::default(), &By::operator("test")).expect("is made");
            let told: usize = std::thread::scope(|scope| {
                let tell =
                    |_| scope.spawn(|| store.tell(&telling("biling", "I1", "paid", 10)).expect("is kept"));
                let threads: Vec<_> = (0..8).map(tell).collect();
                threads.into_iter().filter_map(|thread| thread.join().expect("no panic")).count()
            });
            assert_eq!(told, 1);
        });
    }
}
