//! Applications: who may call, on which accounts, and what.

use bayar::database::{Cell, Transaction};
use bayar::{Code, Error};
use serde::Serialize;

use super::Store;
use super::audit::{By, note};
use super::rows::{Row, int, maybe_text, text};

/// An application.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct App {
    /// `X-App-Code`; the engine's tenant.
    pub code: String,
    /// For people: on the dashboard, and on the pages of its payers.
    pub name: String,
    /// The account that it charges through, unless a request names another.
    pub account: Option<String>,
    /// The channel, likewise.
    pub channel: Option<String>,
    /// The accounts that it may use; `*` for all.
    pub accounts: Vec<String>,
    /// What it may call beyond what concerns its own orders; `*` for everything.
    pub operations: Vec<String>,
    /// Where it is told what changed.
    pub callback_url: Option<String>,
    /// When it was made.
    pub created_ms: i64,
    /// Since when its keys open nothing, if so.
    pub stopped_ms: Option<i64>,
}

/// What can be changed of an application.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Draft {
    /// As in [`App`].
    pub name: String,
    /// As in [`App`].
    pub account: Option<String>,
    /// As in [`App`].
    pub channel: Option<String>,
    /// As in [`App`].
    pub accounts: Vec<String>,
    /// As in [`App`].
    pub operations: Vec<String>,
    /// As in [`App`].
    pub callback_url: Option<String>,
}

/// The columns of an application, in the order in which [`read_app`] takes them.
pub(super) const APP: &str = "gateway_app.code, gateway_app.name, gateway_app.account, gateway_app.channel, \
    gateway_app.accounts, gateway_app.operations, gateway_app.callback_url, gateway_app.created_ms, gateway_app.stopped_ms";

impl App {
    /// Whether it may use this account.
    pub fn may_use(&self, account: &str) -> bool {
        self.accounts.iter().any(|name| name == "*" || name == account)
    }

    /// Whether it was given this operation beyond what concerns its own orders.
    pub fn was_given(&self, operation: &str) -> bool {
        self.operations.iter().any(|name| name == "*" || name == operation)
    }
}

impl Store {
    /// Makes an application.
    ///
    /// # Errors
    /// [`Code::InvalidParams`] where the code cannot be one, [`Code::Conflict`] where there is one of that code.
    pub fn create_app(&self, code: &str, draft: &Draft, by: &By) -> Result<App, Error> {
        check_code(code)?;
        draft.check()?;
        self.write(|tx| {
            let now = tx.now_ms()?;
            let sql =
                "INSERT INTO gateway_app (code, name, account, channel, accounts, operations, callback_url,
                    events, created_ms, updated_ms)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, ?8, ?8) ON CONFLICT DO NOTHING";
            let mut values = vec![text(code)];
            values.extend(draft.cells());
            values.push(int(now));
            if tx.execute(sql, &values)? == 0 {
                let what = format!("code: found {code:?}; allowed: one that no application has yet");
                let advice = "Choose another code, or change the one that there is.".to_owned();
                return Err(Error { advice, ..Error::not_sent(Code::Conflict, what).field("code") });
            }
            note(tx, by, "app.create", code, &draft.name)?;
            one(tx, code)
        })
    }

    /// Changes what is said of an application.
    ///
    /// # Errors
    /// [`Code::InvalidParams`], also where there is none of that code.
    pub fn change_app(&self, code: &str, draft: &Draft, by: &By) -> Result<App, Error> {
        draft.check()?;
        self.write_apps(|tx| {
            let sql = "UPDATE gateway_app SET name = ?2, account = ?3, channel = ?4, accounts = ?5, operations = ?6,
                callback_url = ?7, updated_ms = ?8 WHERE code = ?1";
            let mut values = vec![text(code)];
            values.extend(draft.cells());
            values.push(int(tx.now_ms()?));
            tx.execute(sql, &values)?;
            let app = one(tx, code)?;
            note(tx, by, "app.change", code, &serde_json::json!(app).to_string())?;
            Ok(app)
        })
    }

    /// Has an application's keys open nothing from now on, or again.
    ///
    /// # Errors
    /// [`Code::InvalidParams`] where there is none of that code.
    pub fn stop_app(&self, code: &str, stop: bool, by: &By) -> Result<App, Error> {
        self.write_apps(|tx| {
            let now = tx.now_ms()?;
            let stopped = if stop { int(now) } else { Cell::Null };
            let sql = "UPDATE gateway_app SET stopped_ms = ?2, updated_ms = ?3 WHERE code = ?1";
            tx.execute(sql, &[text(code), stopped, int(now)])?;
            note(tx, by, if stop { "app.stop" } else { "app.start" }, code, "")?;
            one(tx, code)
        })
    }

    /// All applications, by code.
    ///
    /// # Errors
    /// The database's.
    pub fn apps(&self) -> Result<Vec<App>, Error> {
        let rows = self.read(|tx| tx.query(&format!("SELECT {APP} FROM gateway_app ORDER BY code"), &[]))?;
        rows.into_iter().map(|cells| read_app(&mut Row::of(cells))).collect()
    }

    /// The application of that code.
    ///
    /// # Errors
    /// The database's.
    pub fn app(&self, code: &str) -> Result<Option<App>, Error> {
        self.read(|tx| find(tx, code))
    }
}

impl Draft {
    fn check(&self) -> Result<(), Error> {
        if self.name.chars().count() > 100 {
            return Err(invalid("name", "more than 100 characters", "at most 100"));
        }
        if let Some(url) = &self.callback_url {
            bayar::transport::origin_of(url)
                .map_err(|error| invalid("callback_url", &format!("{url:?}"), &error.message))?;
        }
        Ok(())
    }

    fn cells(&self) -> [Cell; 6] {
        let list = |names: &[String]| text(serde_json::json!(names).to_string());
        [
            text(self.name.as_str()),
            maybe_text(self.account.as_deref()),
            maybe_text(self.channel.as_deref()),
            list(&self.accounts),
            list(&self.operations),
            maybe_text(self.callback_url.as_deref()),
        ]
    }
}

/// It goes into headers, and before a colon in Basic authentication.
fn check_code(code: &str) -> Result<(), Error> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if (1..=64).contains(&code.len()) && code.chars().all(plain) {
        return Ok(());
    }
    Err(invalid("code", &format!("{code:?}"), "1 to 64 of A-Z a-z 0-9 - _ ., such as biling"))
}

fn invalid(field: &str, found: &str, allowed: &str) -> Error {
    Error::not_sent(Code::InvalidParams, format!("{field}: found {found}; allowed: {allowed}")).field(field)
}

fn find(tx: &mut dyn Transaction, code: &str) -> Result<Option<App>, Error> {
    let rows = tx.query(&format!("SELECT {APP} FROM gateway_app WHERE code = ?1"), &[text(code)])?;
    rows.into_iter().next().map(|cells| read_app(&mut Row::of(cells))).transpose()
}

fn one(tx: &mut dyn Transaction, code: &str) -> Result<App, Error> {
    find(tx, code)?.ok_or_else(|| no_app(code))
}

pub(super) fn no_app(code: &str) -> Error {
    invalid("app", &format!("{code:?}"), "the code of an application")
}

pub(super) fn read_app(row: &mut Row) -> Result<App, Error> {
    Ok(App {
        code: row.text()?,
        name: row.text()?,
        account: row.maybe_text()?,
        channel: row.maybe_text()?,
        accounts: row.json()?,
        operations: row.json()?,
        callback_url: row.maybe_text()?,
        created_ms: row.int()?,
        stopped_ms: row.maybe_int()?,
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::on_both;
    use super::*;

    #[test]
    fn an_application_is_made_changed_and_stopped() {
        on_both("apps", |store| {
            let by = By::operator("test");
            let draft =
                Draft { name: "Billing".to_owned(), accounts: vec!["*".to_owned()], ..Draft::default() };
            let made = store.create_app("biling", &draft, &by).expect("is made");
            assert_eq!(store.app("biling"), Ok(Some(made.clone())));
            assert!(made.may_use("midtrans") && !made.was_given("transfer"));
            assert_eq!(store.create_app("biling", &draft, &by).expect_err("twice").code, Code::Conflict);
            let draft = Draft { operations: vec!["transfer".to_owned()], accounts: vec![], ..draft };
            let changed = store.change_app("biling", &draft, &by).expect("is changed");
            assert!(changed.was_given("transfer") && !changed.may_use("midtrans"));
            assert!(store.stop_app("biling", true, &by).expect("is stopped").stopped_ms.is_some());
            assert!(store.stop_app("biling", false, &by).expect("goes on").stopped_ms.is_none());
            assert_eq!(store.apps().expect("is read").len(), 1);
            for code in ["", "a b", "a:b", &"a".repeat(65)] {
                assert_eq!(
                    store.create_app(code, &draft, &by).expect_err(code).field.as_deref(),
                    Some("code")
                );
            }
            assert!(store.change_app("other", &draft, &by).is_err());
            let url = Draft { callback_url: Some("ftp://x".to_owned()), ..draft };
            assert!(store.change_app("biling", &url, &by).is_err());
        });
    }
}
