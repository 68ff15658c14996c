//! What signs an application's callbacks, and what the addresses of providers' callbacks end with.
//! Both must be had back, so they are sealed.

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use bayar::Error;
use bayar::database::{Cell, Transaction};
use bayar_provider::Secret;

use super::audit::{By, note};
use super::keys::now_ms;
use super::rows::{Row, int, text};
use super::{Store, new_id};
use crate::seal::random;

impl Store {
    /// The secrets that sign an application's callbacks, newest first; one is made if there is none.
    ///
    /// # Errors
    /// The database's, and [`bayar::Code::InvalidConfig`] where the sealing key is another.
    pub fn webhook_secrets(&self, app: &str) -> Result<Vec<Secret>, Error> {
        self.kept_or_made(WEBHOOK, app, webhook_secret)
    }

    /// Makes a new one; those before it go on signing beside it for `grace_ms`.
    ///
    /// # Errors
    /// The database's.
    pub fn new_webhook_secret(&self, app: &str, grace_ms: i64, by: &By) -> Result<Secret, Error> {
        let secret = webhook_secret()?;
        self.keep(WEBHOOK, app, &secret, grace_ms, by)?;
        Ok(secret)
    }

    /// What the address of an account's callbacks ends with, newest first; one is made if there is none.
    ///
    /// # Errors
    /// As [`Store::webhook_secrets`].
    pub fn inbound_secrets(&self, account: &str) -> Result<Vec<Secret>, Error> {
        self.kept_or_made(INBOUND, account, inbound_secret)
    }

    /// Makes a new one; the address before it goes on working for `grace_ms`.
    ///
    /// # Errors
    /// The database's.
    pub fn new_inbound_secret(&self, account: &str, grace_ms: i64, by: &By) -> Result<Secret, Error> {
        let secret = inbound_secret()?;
        self.keep(INBOUND, account, &secret, grace_ms, by)?;
        Ok(secret)
    }

    /// Whether the sealing key is the one that sealed what is kept: one made under another would be lost with
    /// it, and what is kept would stay closed.
    ///
    /// # Errors
    /// [`bayar::Code::InvalidConfig`] where it is another, and the database's.
    pub fn check_key(&self) -> Result<(), Error> {
        for (purpose, table, of, sealed) in SEALED {
            let sql = format!("SELECT {of}, {sealed} FROM {table} ORDER BY id DESC LIMIT 1");
            let Some(cells) = self.read(|tx| tx.query(&sql, &[]))?.into_iter().next() else { continue };
            let mut row = Row::of(cells);
            let of = row.text()?;
            self.seal().unseal(&format!("{purpose}/{of}"), &row.text()?)?;
        }
        Ok(())
    }

    /// Seals anew what the key before sealed, and says how much that was; nothing where there is none.
    ///
    /// # Errors
    /// The database's.
    pub(crate) fn seal_anew(&self) -> Result<Option<u64>, Error> {
        if !self.seal().is_exchanged() {
            return Ok(None);
        }
        self.write(|tx| {
            let mut count = 0;
            for (purpose, table, of, column) in SEALED {
                for cells in tx.query(&format!("SELECT id, {of}, {column} FROM {table}"), &[])? {
                    let mut row = Row::of(cells);
                    let (id, of, sealed) = (row.text()?, row.text()?, row.text()?);
                    let Some(anew) = self.seal().anew(&format!("{purpose}/{of}"), &sealed)? else { continue };
                    // Unless it was exchanged meanwhile, as an authenticator is.
                    let sql = format!("UPDATE {table} SET {column} = ?2 WHERE id = ?1 AND {column} = ?3");
                    count += tx.execute(&sql, &[text(id), text(anew), text(sealed)])?;
                }
            }
            Ok(Some(count))
        })
    }

    fn kept(&self, kind: Kind, of: &str) -> Result<Vec<Secret>, Error> {
        let rows = self.read(|tx| kind.valid(tx, of))?;
        let purpose = kind.purpose(of);
        rows.into_iter().map(|cells| self.seal().unseal(&purpose, &Row::of(cells).text()?)).collect()
    }

    /// Those that are valid; the first is made where there is none. Whoever asks at the same time gets that one:
    /// another would end it, and a provider may have been told it already.
    fn kept_or_made(
        &self,
        kind: Kind,
        of: &str,
        make: fn() -> Result<Secret, Error>,
    ) -> Result<Vec<Secret>, Error> {
        let kept = self.kept(kind, of)?;
        if !kept.is_empty() {
            return Ok(kept);
        }
        let sealed = self.seal().seal(&kind.purpose(of), make()?.expose())?;
        self.write(|tx| {
            let now = tx.now_ms()?;
            // Held until the end: whoever comes second then sees what the first one made.
            let sql = "INSERT INTO gateway_mark (name, ms) VALUES (?1, ?2)
                ON CONFLICT (name) DO UPDATE SET ms = excluded.ms";
            tx.execute(sql, &[text(format!("first {}", kind.purpose(of))), int(now)])?;
            if !kind.valid(tx, of)?.is_empty() {
                return Ok(());
            }
            kind.insert(tx, of, &sealed, now)?;
            note(tx, &By::operator("gateway"), kind.action, of, "")
        })?;
        self.kept(kind, of)
    }

    fn keep(&self, kind: Kind, of: &str, secret: &Secret, grace_ms: i64, by: &By) -> Result<(), Error> {
        let sealed = self.seal().seal(&kind.purpose(of), secret.expose())?;
        let Kind { table, column, action } = kind;
        self.write(|tx| {
            let now = tx.now_ms()?;
            let sql = format!(
                "UPDATE {table} SET until_ms = ?2 WHERE {column} = ?1 AND (until_ms IS NULL OR until_ms > ?2)"
            );
            tx.execute(&sql, &[text(of), int(now + grace_ms)])?;
            kind.insert(tx, of, &sealed, now)?;
            note(tx, by, action, of, "")
        })
    }
}

/// All that is sealed: what for, and the table with the columns of whose it is and of the secret.
const SEALED: [(&str, &str, &str, &str); 3] = [
    ("gateway_secret", "gateway_secret", "app", "sealed"),
    ("gateway_inbound", "gateway_inbound", "account", "sealed"),
    ("person", "gateway_person", "id", "totp"),
];

/// Where secrets of a kind are.
#[derive(Clone, Copy)]
struct Kind {
    table: &'static str,
    column: &'static str,
    action: &'static str,
}

const WEBHOOK: Kind = Kind { table: "gateway_secret", column: "app", action: "webhook.secret" };
const INBOUND: Kind = Kind { table: "gateway_inbound", column: "account", action: "callback.address" };

impl Kind {
    fn purpose(self, of: &str) -> String {
        format!("{}/{of}", self.table)
    }

    /// Those that are valid, sealed, newest first.
    fn valid(self, tx: &mut dyn Transaction, of: &str) -> Result<Vec<Vec<Cell>>, Error> {
        let Kind { table, column, .. } = self;
        let sql = format!(
            "SELECT sealed FROM {table} WHERE {column} = ?1 AND (until_ms IS NULL OR until_ms > ?2) ORDER BY id DESC"
        );
        tx.query(&sql, &[text(of), int(now_ms())])
    }

    fn insert(self, tx: &mut dyn Transaction, of: &str, sealed: &str, now: i64) -> Result<(), Error> {
        let Kind { table, column, .. } = self;
        let sql = format!("INSERT INTO {table} (id, {column}, sealed, created_ms) VALUES (?1, ?2, ?3, ?4)");
        tx.execute(&sql, &[text(new_id('S', now)?), text(of), text(sealed), int(now)]).map(drop)
    }
}

fn webhook_secret() -> Result<Secret, Error> {
    let bytes: [u8; 32] = random()?;
    Ok(Secret::new(format!("whsec_{}", BASE64_STANDARD.encode(bytes))))
}

fn inbound_secret() -> Result<Secret, Error> {
    let bytes: [u8; 24] = random()?;
    Ok(Secret::new(BASE64_URL_SAFE_NO_PAD.encode(bytes)))
}

#[cfg(test)]
mod tests {
    use super::super::tests::on_both;
    use super::*;

    #[test]
    fn two_are_valid_while_they_are_exchanged() {
        on_both("secrets", |store| {
            let by = By::operator("test");
            let list = || store.webhook_secrets("biling").expect("is read");
            let shown = |secrets: Vec<Secret>| -> Vec<String> {
                secrets.iter().map(|secret| secret.expose().to_owned()).collect()
            };
            let first = shown(list());
            assert!(first.len() == 1 && first[0].starts_with("whsec_"));
            assert_eq!(shown(list()), first, "made once");
            let second = store.new_webhook_secret("biling", 60_000, &by).expect("is made");
            assert_eq!(shown(list()), [second.expose(), &first[0]]);
            let third = store.new_webhook_secret("biling", 0, &by).expect("is made");
            assert_eq!(shown(list()), [third.expose()]);
            assert_ne!(shown(store.webhook_secrets("shop").expect("is read")), shown(list()));
            let address = shown(store.inbound_secrets("midtrans").expect("is read"));
            assert_eq!(address[0].len(), 32);
            store.check_key().expect("it is the one");
        });
    }

    #[test]
    fn those_who_ask_first_at_once_get_the_same() {
        on_both("first_secrets", |store| {
            let asked = std::thread::scope(|scope| {
                let ask = |_| scope.spawn(|| store.inbound_secrets("midtrans").expect("is made"));
                let threads: Vec<_> = (0..8).map(ask).collect();
                threads.into_iter().map(|thread| thread.join().expect("no panic")).collect::<Vec<_>>()
            });
            let now = store.inbound_secrets("midtrans").expect("is read");
            assert!(now.len() == 1 && asked.iter().all(|secrets| secrets[0].expose() == now[0].expose()));
        });
    }
}
