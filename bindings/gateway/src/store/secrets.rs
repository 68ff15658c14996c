//! What signs an application's callbacks, and what the addresses of providers' callbacks end with.
//! Both must be had back, so they are sealed.

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use bayar::Error;
use bayar::database::Transaction;
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
        let kept = self.kept(WEBHOOK, app)?;
        if !kept.is_empty() {
            return Ok(kept);
        }
        self.new_webhook_secret(app, 0, &By::operator("gateway"))?;
        self.kept(WEBHOOK, app)
    }

    /// Makes a new one; those before it go on signing beside it for `grace_ms`.
    ///
    /// # Errors
    /// The database's.
    pub fn new_webhook_secret(&self, app: &str, grace_ms: i64, by: &By) -> Result<Secret, Error> {
        let bytes: [u8; 32] = random()?;
        let secret = Secret::new(format!("whsec_{}", BASE64_STANDARD.encode(bytes)));
        self.keep(WEBHOOK, app, &secret, grace_ms, by)?;
        Ok(secret)
    }

    /// What the address of an account's callbacks ends with, newest first; one is made if there is none.
    ///
    /// # Errors
    /// As [`Store::webhook_secrets`].
    pub fn inbound_secrets(&self, account: &str) -> Result<Vec<Secret>, Error> {
        let kept = self.kept(INBOUND, account)?;
        if !kept.is_empty() {
            return Ok(kept);
        }
        self.new_inbound_secret(account, 0, &By::operator("gateway"))?;
        self.kept(INBOUND, account)
    }

    /// Makes a new one; the address before it goes on working for `grace_ms`.
    ///
    /// # Errors
    /// The database's.
    pub fn new_inbound_secret(&self, account: &str, grace_ms: i64, by: &By) -> Result<Secret, Error> {
        let bytes: [u8; 24] = random()?;
        let secret = Secret::new(BASE64_URL_SAFE_NO_PAD.encode(bytes));
        self.keep(INBOUND, account, &secret, grace_ms, by)?;
        Ok(secret)
    }

    fn kept(&self, kind: Kind, of: &str) -> Result<Vec<Secret>, Error> {
        let Kind { table, column, .. } = kind;
        let sql = format!(
            "SELECT sealed FROM {table} WHERE {column} = ?1 AND (until_ms IS NULL OR until_ms > ?2) ORDER BY id DESC"
        );
        let rows = self.read(|tx| tx.query(&sql, &[text(of), int(now_ms())]))?;
        let purpose = kind.purpose(of);
        rows.into_iter().map(|cells| self.seal().unseal(&purpose, &Row::of(cells).text()?)).collect()
    }

    fn keep(&self, kind: Kind, of: &str, secret: &Secret, grace_ms: i64, by: &By) -> Result<(), Error> {
        let sealed = self.seal().seal(&kind.purpose(of), secret.expose())?;
        let Kind { table, column, action } = kind;
        self.write(|tx: &mut dyn Transaction| {
            let now = tx.now_ms()?;
            let sql = format!(
                "UPDATE {table} SET until_ms = ?2 WHERE {column} = ?1 AND (until_ms IS NULL OR until_ms > ?2)"
            );
            tx.execute(&sql, &[text(of), int(now + grace_ms)])?;
            let sql =
                format!("INSERT INTO {table} (id, {column}, sealed, created_ms) VALUES (?1, ?2, ?3, ?4)");
            tx.execute(&sql, &[text(new_id('S', now)?), text(of), text(sealed.as_str()), int(now)])?;
            note(tx, by, action, of, "")
        })
    }
}

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
        });
    }
}
