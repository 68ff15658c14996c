//! Keys of applications. A key is 256 random bits, so its SHA-256 is all that has to be kept.

use std::time::SystemTime;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use bayar::database::Transaction;
use bayar::{Code, Error};
use bayar_provider::Secret;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::apps::{APP, App, no_app, read_app};
use super::audit::{By, note};
use super::rows::{Row, int, text};
use super::{Store, new_id};
use crate::seal::random;

/// What is known of a key.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Key {
    /// Its id, which opens nothing.
    pub id: String,
    /// Its application.
    pub app: String,
    /// Its last four characters.
    pub hint: String,
    /// When it was made.
    pub created_ms: i64,
    /// Until when it opens; nothing for no end.
    pub until_ms: Option<i64>,
    /// When it was last used, to the minute.
    pub used_ms: Option<i64>,
}

/// How exactly the last use is kept, in milliseconds.
const USED_MS: i64 = 60_000;

const KEY: &str = "gateway_key.id, gateway_key.app, gateway_key.hint, gateway_key.created_ms, \
    gateway_key.until_ms, gateway_key.used_ms";

impl Key {
    /// Whether it opens at this moment.
    pub fn is_valid(&self, now_ms: i64) -> bool {
        self.until_ms.is_none_or(|until| now_ms < until)
    }

    /// Whether its use is to be written down.
    pub(crate) fn is_stale(&self, now_ms: i64) -> bool {
        self.used_ms.is_none_or(|used| now_ms - used >= USED_MS)
    }
}

impl Store {
    /// Makes a key, which is shown this once. Others of the application stay valid for `grace_ms` more;
    /// nothing: without an end.
    ///
    /// # Errors
    /// [`Code::InvalidParams`] where there is no such application.
    pub fn create_key(&self, app: &str, grace_ms: Option<i64>, by: &By) -> Result<(Key, Secret), Error> {
        let bytes: [u8; 32] = random()?;
        let secret = Secret::new(format!("bayar_{}", BASE64_URL_SAFE_NO_PAD.encode(bytes)));
        let hint: String = secret.expose().chars().skip(secret.expose().len() - 4).collect();
        let create = |tx: &mut dyn Transaction| {
            let now = tx.now_ms()?;
            if tx.query("SELECT code FROM gateway_app WHERE code = ?1", &[text(app)])?.is_empty() {
                return Err(no_app(app));
            }
            if let Some(grace) = grace_ms {
                let sql = "UPDATE gateway_key SET until_ms = ?2 WHERE app = ?1 AND (until_ms IS NULL OR until_ms > ?2)";
                tx.execute(sql, &[text(app), int(now + grace)])?;
            }
            let id = new_id('K', now)?;
            let sql =
                "INSERT INTO gateway_key (id, app, digest, hint, created_ms) VALUES (?1, ?2, ?3, ?4, ?5)";
            let digest = digest(secret.expose());
            tx.execute(sql, &[text(id.as_str()), text(app), text(digest), text(hint.as_str()), int(now)])?;
            note(tx, by, if grace_ms.is_some() { "key.rotate" } else { "key.create" }, app, &hint)?;
            Ok(Key {
                id,
                app: app.to_owned(),
                hint: hint.clone(),
                created_ms: now,
                until_ms: None,
                used_ms: None,
            })
        };
        // A new one was believed nowhere.
        let key = if grace_ms.is_some() { self.write_apps(create) } else { self.write(create) }?;
        Ok((key, secret))
    }

    /// Has a key open nothing from now on.
    ///
    /// # Errors
    /// [`Code::InvalidParams`] where there is none of that id.
    pub fn revoke_key(&self, id: &str, by: &By) -> Result<(), Error> {
        self.write_apps(|tx| {
            let now = tx.now_ms()?;
            let sql =
                "UPDATE gateway_key SET until_ms = ?2 WHERE id = ?1 AND (until_ms IS NULL OR until_ms > ?2)";
            let revoked = tx.execute(sql, &[text(id), int(now)])?;
            if revoked == 0 && tx.query("SELECT id FROM gateway_key WHERE id = ?1", &[text(id)])?.is_empty() {
                let what = format!("key: found {id:?}; allowed: the id of a key");
                return Err(Error::not_sent(Code::InvalidParams, what).field("key"));
            }
            note(tx, by, "key.revoke", id, "")
        })
    }

    /// The keys of an application, or of all, newest first.
    ///
    /// # Errors
    /// The database's.
    pub fn keys(&self, app: Option<&str>) -> Result<Vec<Key>, Error> {
        let sql = format!("SELECT {KEY} FROM gateway_key WHERE ?1 = '' OR app = ?1 ORDER BY id DESC");
        let rows = self.read(|tx| tx.query(&sql, &[text(app.unwrap_or_default())]))?;
        rows.into_iter().map(|cells| read_key(&mut Row::of(cells))).collect()
    }

    /// Whom a key belongs to, if it opens: the application of that code, not stopped.
    ///
    /// # Errors
    /// The database's.
    pub fn opened_by(&self, code: &str, key: &str) -> Result<Option<(App, Key)>, Error> {
        let sql = format!(
            "SELECT {APP}, {KEY} FROM gateway_key JOIN gateway_app ON gateway_app.code = gateway_key.app
             WHERE gateway_key.digest = ?1"
        );
        let digest = text(digest(key));
        let rows = self.read(|tx| tx.query(&sql, std::slice::from_ref(&digest)))?;
        let Some(cells) = rows.into_iter().next() else { return Ok(None) };
        let mut row = Row::of(cells);
        let (app, key) = (read_app(&mut row)?, read_key(&mut row)?);
        let opens = app.code == code && app.stopped_ms.is_none() && key.is_valid(now_ms());
        Ok(opens.then_some((app, key)))
    }

    /// Writes down that a key was used.
    ///
    /// # Errors
    /// The database's.
    pub(crate) fn key_used(&self, id: &str) -> Result<(), Error> {
        self.write(|tx| {
            let now = tx.now_ms()?;
            tx.execute("UPDATE gateway_key SET used_ms = ?2 WHERE id = ?1", &[text(id), int(now)]).map(drop)
        })
    }
}

/// This machine's clock, in milliseconds since 1970-01-01 UTC.
pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

fn digest(key: &str) -> String {
    hex::encode(Sha256::digest(key))
}

fn read_key(row: &mut Row) -> Result<Key, Error> {
    Ok(Key {
        id: row.text()?,
        app: row.text()?,
        hint: row.text()?,
        created_ms: row.int()?,
        until_ms: row.maybe_int()?,
        used_ms: row.maybe_int()?,
    })
}

#[cfg(test)]
mod tests {
    use super::super::apps::Draft;
    use super::super::tests::on_both;
    use super::*;

    #[test]
    fn a_key_opens_until_it_is_revoked() {
        on_both("keys", |store| {
            let by = By::operator("test");
            for app in ["biling", "shop"] {
                store.create_app(app, &Draft::default(), &by).expect("is made");
            }
            let (key, secret) = store.create_key("biling", None, &by).expect("is made");
            let opens = |app, secret: &Secret| store.opened_by(app, secret.expose()).expect("is read");
            let (app, found) = opens("biling", &secret).expect("it opens");
            assert_eq!((app.code.as_str(), &found), ("biling", &key));
            assert!(opens("shop", &secret).is_none(), "another application's");
            assert!(opens("biling", &Secret::new("bayar_x")).is_none());

            store.key_used(&key.id).expect("is written");
            assert!(!opens("biling", &secret).expect("it opens").1.is_stale(now_ms()));
            store.stop_app("biling", true, &by).expect("is stopped");
            assert!(opens("biling", &secret).is_none());
            store.stop_app("biling", false, &by).expect("goes on");

            let (_, newer) = store.create_key("biling", Some(86_400_000), &by).expect("is rotated");
            assert!(
                opens("biling", &secret).is_some() && opens("biling", &newer).is_some(),
                "both, for a day"
            );
            store.revoke_key(&key.id, &by).expect("is revoked");
            assert!(opens("biling", &secret).is_none() && opens("biling", &newer).is_some());
            assert!(store.revoke_key("K", &by).is_err() && store.create_key("other", None, &by).is_err());
            let actions: Vec<String> =
                store.audit(None, 10).expect("is read").into_iter().map(|done| done.action).collect();
            assert_eq!(actions.iter().filter(|action| action.starts_with("key.")).count(), 3, "{actions:?}");
        });
    }
}
