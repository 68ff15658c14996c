//! Who may sign in at the dashboard, and with what.
//!
//! A person is invited, sets a password and an authenticator by the link of the invitation, and is then in.
//! Whoever loses them is invited again, which takes the old ones away.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use bayar::database::{Cell, Transaction};
use bayar::{Code, Error};
use bayar_provider::Secret;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::audit::{By, note};
use super::rows::{Row, int, text};
use super::{Store, new_id};
use crate::seal::random;

/// What a person may do; each includes those before it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Look, without payers' data.
    Viewer,
    /// Refund, cancel, decide reviews, send again.
    Operator,
    /// Applications, their keys, and people.
    Owner,
}

/// A person.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Person {
    /// Their id.
    pub id: String,
    /// Their e-mail address, in lower case: what they sign in with.
    pub email: String,
    /// Their name.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// `id` or `en`, if chosen.
    pub language: Option<String>,
    /// `light` or `dark`, if chosen.
    pub theme: Option<String>,
    /// Whether they have set their password.
    pub joined: bool,
    /// Until when the invitation may be used, where there is one.
    pub invite_until_ms: Option<i64>,
    /// When they were first invited.
    pub created_ms: i64,
    /// When they last signed in.
    pub seen_ms: Option<i64>,
    /// Since when they may not sign in, if so.
    pub disabled_ms: Option<i64>,
}

/// What a person proves who they are with.
pub struct Proofs {
    /// The Argon2id hash of the password.
    pub password: String,
    /// The secret of the authenticator, in base32.
    pub totp: Secret,
    /// The last thirty seconds of it whose code was used.
    pub step: i64,
}

/// How long an invitation holds, in milliseconds: a day.
pub const INVITATION_MS: i64 = 86_400_000;

/// The columns of a person, in the order in which [`read_person`] takes them.
pub(super) const PERSON: &str = "gateway_person.id, gateway_person.email, gateway_person.name, gateway_person.role, \
    gateway_person.language, gateway_person.theme, gateway_person.password IS NOT NULL, \
    gateway_person.invite_until_ms, gateway_person.created_ms, gateway_person.seen_ms, gateway_person.disabled_ms";

impl Role {
    /// All of them, the least first.
    pub const ALL: [Role; 3] = [Role::Viewer, Role::Operator, Role::Owner];

    /// As it is kept: `owner`.
    pub fn word(self) -> &'static str {
        match self {
            Role::Viewer => "viewer",
            Role::Operator => "operator",
            Role::Owner => "owner",
        }
    }

    /// The role of that name.
    pub fn of(word: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.word() == word)
    }
}

impl Store {
    /// All people, by name.
    ///
    /// # Errors
    /// The database's.
    pub fn people(&self) -> Result<Vec<Person>, Error> {
        let rows =
            self.read(|tx| tx.query(&format!("SELECT {PERSON} FROM gateway_person ORDER BY name, id"), &[]))?;
        rows.into_iter().map(|cells| read_person(&mut Row::of(cells))).collect()
    }

    /// The person of that id.
    ///
    /// # Errors
    /// The database's.
    pub fn person(&self, id: &str) -> Result<Option<Person>, Error> {
        self.read(|tx| find(tx, "id", id))
    }

    /// Whether there is an owner who can sign in.
    ///
    /// # Errors
    /// The database's.
    pub fn has_owner(&self) -> Result<bool, Error> {
        self.read(|tx| Ok(!owners(tx, "")?.is_empty()))
    }

    /// Invites somebody; gives what the link ends with, which is shown this once.
    ///
    /// # Errors
    /// [`Code::InvalidParams`] where the address cannot be one, [`Code::Conflict`] where somebody has it.
    pub fn invite(&self, email: &str, name: &str, role: Role, by: &By) -> Result<(Person, Secret), Error> {
        let (email, name) = (check_email(email)?, check_name(name)?);
        let token = new_token()?;
        let person = self.write(|tx| {
            let now = tx.now_ms()?;
            let id = new_id('P', now)?;
            let sql =
                "INSERT INTO gateway_person (id, email, name, role, totp, totp_step, created_ms, invite, invite_until_ms)
                VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6, ?7, ?8) ON CONFLICT DO NOTHING";
            let totp = self.new_totp(&id)?;
            let texts = [id.as_str(), email.as_str(), name.as_str(), role.word(), totp.as_str()];
            let mut values = texts.map(text).to_vec();
            values.extend([int(now), text(digest(token.expose())), int(now + INVITATION_MS)]);
            if tx.execute(sql, &values)? == 0 {
                let what = format!("email: found {email:?}; allowed: one that nobody here has yet");
                return Err(Error::not_sent(Code::Conflict, what).field("email"));
            }
            note(tx, by, "person.invite", &email, role.word())?;
            one(tx, &id)
        })?;
        Ok((person, token))
    }

    /// Invites somebody again: their password, authenticator, recovery codes and sessions are gone.
    ///
    /// # Errors
    /// [`Code::InvalidParams`] where there is nobody of that id.
    pub fn invite_again(&self, id: &str, by: &By) -> Result<(Person, Secret), Error> {
        let token = new_token()?;
        let person = self.write(|tx| {
            let now = tx.now_ms()?;
            let person = one(tx, id)?;
            let sql = "UPDATE gateway_person SET password = NULL, totp = ?2, totp_step = 0, invite = ?3,
                invite_until_ms = ?4 WHERE id = ?1";
            let totp = self.new_totp(id)?;
            let until = int(now + INVITATION_MS);
            tx.execute(sql, &[text(id), text(totp), text(digest(token.expose())), until])?;
            forget_proofs(tx, id)?;
            note(tx, by, "person.invite_again", &person.email, "")?;
            one(tx, id)
        })?;
        Ok((person, token))
    }

    /// Whom a link invites, and the secret that their authenticator is to have.
    ///
    /// # Errors
    /// The database's, and [`Code::InvalidConfig`] where the sealing key is another.
    pub fn invited(&self, token: &str) -> Result<Option<(Person, Secret)>, Error> {
        let found = self.read(|tx| {
            let Some(id) = invited(tx, token)? else { return Ok(None) };
            let sealed = tx.query("SELECT totp FROM gateway_person WHERE id = ?1", &[text(id.as_str())])?;
            let sealed = Row::of(sealed.into_iter().next().unwrap_or_default()).text()?;
            Ok(Some((one(tx, &id)?, sealed)))
        })?;
        let Some((person, sealed)) = found else { return Ok(None) };
        let totp = self.seal().unseal(&purpose(&person.id), &sealed)?;
        Ok(Some((person, totp)))
    }

    /// Takes an invitation up: sets the password, writes down the first code's step, and keeps the recovery
    /// codes. Nothing where the link does not hold any more.
    ///
    /// # Errors
    /// The database's.
    pub fn join(
        &self,
        token: &str,
        password: &str,
        step: i64,
        recovery: &[String],
        by: &By,
    ) -> Result<Option<Person>, Error> {
        self.write(|tx| {
            let Some(id) = invited(tx, token)? else { return Ok(None) };
            let sql = "UPDATE gateway_person SET password = ?2, totp_step = ?3, invite = NULL, invite_until_ms = NULL
                WHERE id = ?1";
            tx.execute(sql, &[text(id.as_str()), text(password), int(step)])?;
            keep_recovery(tx, &id, recovery)?;
            let person = one(tx, &id)?;
            note(tx, by, "person.join", &person.email, "")?;
            Ok(Some(person))
        })
    }

    /// Makes an owner, or gives the person of that address everything anew and makes them one: for whoever
    /// runs the gateway on its own machine.
    ///
    /// # Errors
    /// [`Code::InvalidParams`] where the address cannot be one.
    pub fn make_owner(
        &self,
        email: &str,
        name: &str,
        proofs: &Proofs,
        recovery: &[String],
        by: &By,
    ) -> Result<Person, Error> {
        let (email, name) = (check_email(email)?, check_name(name)?);
        self.write(|tx| {
            let now = tx.now_ms()?;
            let id = match find(tx, "email", &email)? {
                Some(person) => person.id,
                None => new_id('P', now)?,
            };
            let totp = self.seal().seal(&purpose(&id), proofs.totp.expose())?;
            let sql = "INSERT INTO gateway_person (id, email, name, role, password, totp, totp_step, created_ms)
                VALUES (?1, ?2, ?3, 'owner', ?4, ?5, ?6, ?7)
                ON CONFLICT (id) DO UPDATE SET name = excluded.name, role = 'owner', password = excluded.password,
                totp = excluded.totp, totp_step = excluded.totp_step, invite = NULL, invite_until_ms = NULL,
                disabled_ms = NULL";
            let texts = [id.as_str(), email.as_str(), name.as_str(), proofs.password.as_str(), totp.as_str()];
            let mut values = texts.map(text).to_vec();
            values.extend([int(proofs.step), int(now)]);
            tx.execute(sql, &values)?;
            forget_proofs(tx, &id)?;
            keep_recovery(tx, &id, recovery)?;
            note(tx, by, "person.setup", &email, "owner")?;
            one(tx, &id)
        })
    }

    /// Changes a person's name and role. With another role they sign in anew.
    ///
    /// # Errors
    /// [`Code::InvalidParams`] where there is nobody of that id, [`Code::NotPossible`] where no owner would be left.
    pub fn change_person(&self, id: &str, name: &str, role: Role, by: &By) -> Result<Person, Error> {
        let name = check_name(name)?;
        self.write(|tx| {
            let person = one(tx, id)?;
            if person.role != role {
                check_owner_left(tx, &person)?;
                end_sessions(tx, id)?;
            }
            let sql = "UPDATE gateway_person SET name = ?2, role = ?3 WHERE id = ?1";
            tx.execute(sql, &[text(id), text(name.as_str()), text(role.word())])?;
            note(tx, by, "person.change", &person.email, &format!("{name}, {}", role.word()))?;
            one(tx, id)
        })
    }

    /// Has a person not sign in any more, or again.
    ///
    /// # Errors
    /// As [`Store::change_person`].
    pub fn disable_person(&self, id: &str, disable: bool, by: &By) -> Result<Person, Error> {
        self.write(|tx| {
            let person = one(tx, id)?;
            if disable {
                check_owner_left(tx, &person)?;
                end_sessions(tx, id)?;
            }
            let now = tx.now_ms()?;
            let since = if disable { int(now) } else { Cell::Null };
            tx.execute("UPDATE gateway_person SET disabled_ms = ?2 WHERE id = ?1", &[text(id), since])?;
            note(tx, by, if disable { "person.disable" } else { "person.enable" }, &person.email, "")?;
            one(tx, id)
        })
    }

    /// The person of that address and what they prove it with, if they may sign in.
    ///
    /// # Errors
    /// The database's, and [`Code::InvalidConfig`] where the sealing key is another.
    pub fn to_sign_in(&self, email: &str) -> Result<Option<(Person, Proofs)>, Error> {
        let sql = format!(
            "SELECT {PERSON}, password, totp, totp_step FROM gateway_person
             WHERE email = ?1 AND password IS NOT NULL AND disabled_ms IS NULL"
        );
        let rows = self.read(|tx| tx.query(&sql, &[text(plain_email(email))]))?;
        let Some(cells) = rows.into_iter().next() else { return Ok(None) };
        let mut row = Row::of(cells);
        let person = read_person(&mut row)?;
        let (password, sealed) = (row.text()?, row.text()?);
        let totp = self.seal().unseal(&purpose(&person.id), &sealed)?;
        Ok(Some((person, Proofs { password, totp, step: row.int()? })))
    }

    /// Uses the code of these thirty seconds up. Says whether it was unused.
    ///
    /// # Errors
    /// The database's.
    pub fn use_step(&self, id: &str, step: i64) -> Result<bool, Error> {
        let sql = "UPDATE gateway_person SET totp_step = ?2 WHERE id = ?1 AND totp_step < ?2";
        self.write(|tx| Ok(tx.execute(sql, &[text(id), int(step)])? == 1))
    }

    /// Uses a recovery code up, by its hash. Says whether there was one.
    ///
    /// # Errors
    /// The database's.
    pub fn use_recovery(&self, id: &str, digest: &str) -> Result<bool, Error> {
        let sql = "DELETE FROM gateway_recovery WHERE person = ?1 AND digest = ?2";
        self.write(|tx| Ok(tx.execute(sql, &[text(id), text(digest)])? == 1))
    }

    /// How many recovery codes a person has left.
    ///
    /// # Errors
    /// The database's.
    pub fn recovery_left(&self, id: &str) -> Result<i64, Error> {
        let sql = "SELECT COUNT(*) FROM gateway_recovery WHERE person = ?1";
        self.read(|tx| super::rows::only_int(tx.query(sql, &[text(id)])?))
    }

    /// Gives a person other recovery codes, by their hashes.
    ///
    /// # Errors
    /// The database's.
    pub fn set_recovery(&self, person: &Person, digests: &[String], by: &By) -> Result<(), Error> {
        self.write(|tx| {
            keep_recovery(tx, &person.id, digests)?;
            note(tx, by, "person.recovery_codes", &person.email, "")
        })
    }

    /// Gives a person another password, by its hash.
    ///
    /// # Errors
    /// The database's.
    pub fn set_password(&self, person: &Person, password: &str, by: &By) -> Result<(), Error> {
        let sql = "UPDATE gateway_person SET password = ?2 WHERE id = ?1 AND password IS NOT NULL";
        self.write(|tx| {
            tx.execute(sql, &[text(person.id.as_str()), text(password)])?;
            note(tx, by, "person.password", &person.email, "")
        })
    }

    /// Gives a person another authenticator, whose code of this step was just used.
    ///
    /// # Errors
    /// The database's.
    pub fn set_totp(&self, person: &Person, totp: &Secret, step: i64, by: &By) -> Result<(), Error> {
        let sealed = self.seal().seal(&purpose(&person.id), totp.expose())?;
        let sql = "UPDATE gateway_person SET totp = ?2, totp_step = ?3 WHERE id = ?1";
        self.write(|tx| {
            tx.execute(sql, &[text(person.id.as_str()), text(sealed.as_str()), int(step)])?;
            note(tx, by, "person.authenticator", &person.email, "")
        })
    }

    /// Keeps how a person wants to see the dashboard; nothing: as the browser says.
    ///
    /// # Errors
    /// The database's.
    pub fn set_look(&self, id: &str, language: Option<&str>, theme: Option<&str>) -> Result<(), Error> {
        let sql = "UPDATE gateway_person SET language = ?2, theme = ?3 WHERE id = ?1";
        let values = [text(id), super::rows::maybe_text(language), super::rows::maybe_text(theme)];
        self.write(|tx| tx.execute(sql, &values).map(drop))
    }

    /// The secret of a new authenticator, sealed.
    fn new_totp(&self, id: &str) -> Result<String, Error> {
        self.seal().seal(&purpose(id), new_totp()?.expose())
    }
}

/// The secret of a new authenticator: 160 random bits in base32, as RFC 4226 wants it.
pub fn new_totp() -> Result<Secret, Error> {
    let bytes: [u8; 20] = random()?;
    Ok(Secret::new(totp_rs::Secret::from(bytes.to_vec()).to_base32()))
}

/// 256 random bits as they stand in links and cookies.
pub(crate) fn new_token() -> Result<Secret, Error> {
    let bytes: [u8; 32] = random()?;
    Ok(Secret::new(BASE64_URL_SAFE_NO_PAD.encode(bytes)))
}

/// What is kept of a token: it has too many bits to be guessed, so a plain hash gives nothing away.
pub(crate) fn digest(token: &str) -> String {
    hex::encode(Sha256::digest(token))
}

/// An address as it is kept and looked for.
pub(crate) fn plain_email(email: &str) -> String {
    email.trim().to_lowercase()
}

fn check_email(email: &str) -> Result<String, Error> {
    let plain = plain_email(email);
    let parts =
        plain.split_once('@').is_some_and(|(local, domain)| !local.is_empty() && domain.contains('.'));
    if parts && plain.len() <= 254 && !plain.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Ok(plain);
    }
    Err(invalid("email", &format!("{email:?}"), "an e-mail address, such as ani@example.com"))
}

fn check_name(name: &str) -> Result<String, Error> {
    let name = name.trim();
    if (1..=100).contains(&name.chars().count()) && !name.chars().any(char::is_control) {
        return Ok(name.to_owned());
    }
    Err(invalid("name", &format!("{name:?}"), "1 to 100 characters"))
}

fn invalid(field: &str, found: &str, allowed: &str) -> Error {
    Error::not_sent(Code::InvalidParams, format!("{field}: found {found}; allowed: {allowed}")).field(field)
}

fn purpose(id: &str) -> String {
    format!("person/{id}")
}

/// The id of whom a token invites, if it still does.
fn invited(tx: &mut dyn Transaction, token: &str) -> Result<Option<String>, Error> {
    let now = tx.now_ms()?;
    let sql =
        "SELECT id FROM gateway_person WHERE invite = ?1 AND invite_until_ms > ?2 AND disabled_ms IS NULL";
    let rows = tx.query(sql, &[text(digest(token)), int(now)])?;
    rows.into_iter().next().map(|cells| Row::of(cells).text()).transpose()
}

fn keep_recovery(tx: &mut dyn Transaction, id: &str, digests: &[String]) -> Result<(), Error> {
    tx.execute("DELETE FROM gateway_recovery WHERE person = ?1", &[text(id)])?;
    for digest in digests {
        let sql = "INSERT INTO gateway_recovery (person, digest) VALUES (?1, ?2)";
        tx.execute(sql, &[text(id), text(digest.as_str())])?;
    }
    Ok(())
}

fn forget_proofs(tx: &mut dyn Transaction, id: &str) -> Result<(), Error> {
    keep_recovery(tx, id, &[])?;
    end_sessions(tx, id)
}

pub(super) fn end_sessions(tx: &mut dyn Transaction, id: &str) -> Result<(), Error> {
    tx.execute("UPDATE gateway_session SET until_ms = 0 WHERE person = ?1", &[text(id)]).map(drop)
}

/// Those who can sign in as owners, their rows locked where `lock` asks for that.
fn owners(tx: &mut dyn Transaction, lock: &str) -> Result<Vec<String>, Error> {
    let sql = format!(
        "SELECT id FROM gateway_person
         WHERE role = 'owner' AND password IS NOT NULL AND disabled_ms IS NULL ORDER BY id {lock}"
    );
    tx.query(&sql, &[])?.into_iter().map(|cells| Row::of(cells).text()).collect()
}

fn check_owner_left(tx: &mut dyn Transaction, without: &Person) -> Result<(), Error> {
    // Held until the end, so that two do not take each other's place away.
    if without.role == Role::Owner && owners(tx, "/*for update*/")?.iter().all(|id| *id == without.id) {
        let what = format!("{} is the only owner: make somebody else one first", without.email);
        return Err(Error::not_sent(Code::NotPossible, what).field("role"));
    }
    Ok(())
}

fn find(tx: &mut dyn Transaction, column: &str, value: &str) -> Result<Option<Person>, Error> {
    let rows =
        tx.query(&format!("SELECT {PERSON} FROM gateway_person WHERE {column} = ?1"), &[text(value)])?;
    rows.into_iter().next().map(|cells| read_person(&mut Row::of(cells))).transpose()
}

fn one(tx: &mut dyn Transaction, id: &str) -> Result<Person, Error> {
    find(tx, "id", id)?.ok_or_else(|| invalid("person", &format!("{id:?}"), "the id of a person"))
}

pub(super) fn read_person(row: &mut Row) -> Result<Person, Error> {
    Ok(Person {
        id: row.text()?,
        email: row.text()?,
        name: row.text()?,
        // A role that this version does not know may look and nothing else.
        role: Role::of(&row.text()?).unwrap_or(Role::Viewer),
        language: row.maybe_text()?,
        theme: row.maybe_text()?,
        joined: row.int()? == 1,
        invite_until_ms: row.maybe_int()?,
        created_ms: row.int()?,
        seen_ms: row.maybe_int()?,
        disabled_ms: row.maybe_int()?,
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::super::tests::on_both;
    use super::*;

    /// An owner with a password that is no hash.
    pub(crate) fn owner(store: &Store, email: &str) -> Person {
        let totp = new_totp().expect("randomness");
        let proofs = Proofs { password: "hash".to_owned(), totp, step: 0 };
        store.make_owner(email, "Ani", &proofs, &[], &By::operator("test")).expect("is made")
    }

    #[test]
    fn an_invitation_is_taken_up_once() {
        on_both("invitations", |store| {
            let by = By::operator("test");
            let (budi, token) =
                store.invite(" Budi@Example.com ", "Budi", Role::Viewer, &by).expect("is invited");
            assert_eq!((budi.email.as_str(), budi.joined), ("budi@example.com", false));
            let twice = store.invite("budi@example.com", "Other", Role::Owner, &by).expect_err("is there");
            assert_eq!(twice.code, Code::Conflict);
            for email in ["", "budi", "@x.id", "a b@x.id", "a@b"] {
                let error = store.invite(email, "Budi", Role::Viewer, &by).expect_err(email);
                assert_eq!(error.field.as_deref(), Some("email"));
            }
            assert!(store.to_sign_in("budi@example.com").expect("is read").is_none(), "no password yet");
            assert_eq!(store.invited("other").expect("is read").map(|found| found.0), None);
            let (found, totp) = store.invited(token.expose()).expect("is read").expect("it holds");
            assert_eq!((found.id.as_str(), totp.expose().len()), (budi.id.as_str(), 32));

            let codes = ["one".to_owned(), "two".to_owned()];
            let joined =
                store.join(token.expose(), "hash", 7, &codes, &by).expect("is kept").expect("it holds");
            assert!(joined.joined && joined.invite_until_ms.is_none());
            assert_eq!(store.join(token.expose(), "other", 8, &codes, &by), Ok(None), "once");
            let (_, proofs) = store.to_sign_in("BUDI@example.com").expect("is read").expect("may sign in");
            assert_eq!((proofs.password.as_str(), proofs.step), ("hash", 7));
            assert_eq!(proofs.totp.expose(), totp.expose());

            let (again, newer) = store.invite_again(&budi.id, &by).expect("is invited");
            assert!(!again.joined && store.recovery_left(&budi.id) == Ok(0));
            let (_, other) = store.invited(newer.expose()).expect("is read").expect("it holds");
            assert_ne!(other.expose(), totp.expose());
            store.write(|tx| tx.execute("UPDATE gateway_person SET invite_until_ms = 1", &[])).expect("aged");
            assert!(store.invited(newer.expose()).expect("is read").is_none(), "a day is over");
        });
    }

    #[test]
    fn each_code_is_used_once() {
        on_both("codes", |store| {
            let ani = owner(store, "ani@example.com");
            assert_eq!(store.use_step(&ani.id, 10), Ok(true));
            assert_eq!(store.use_step(&ani.id, 10), Ok(false));
            assert_eq!(store.use_step(&ani.id, 9), Ok(false), "older than one that was used");
            assert_eq!(store.use_step(&ani.id, 11), Ok(true));
            let by = By::operator("test");
            store.set_recovery(&ani, &["a".to_owned(), "b".to_owned()], &by).expect("is kept");
            assert_eq!(store.use_recovery(&ani.id, "a"), Ok(true));
            assert_eq!(store.use_recovery(&ani.id, "a"), Ok(false));
            assert_eq!(store.use_recovery("P", "b"), Ok(false));
            assert_eq!(store.recovery_left(&ani.id), Ok(1));
        });
    }

    #[test]
    fn an_owner_is_always_left() {
        on_both("owners", |store| {
            let by = By::operator("test");
            assert_eq!(store.has_owner(), Ok(false));
            let ani = owner(store, "ani@example.com");
            assert_eq!(store.has_owner(), Ok(true));
            let only = store.change_person(&ani.id, "Ani", Role::Viewer, &by).expect_err("the only one");
            assert_eq!(only.code, Code::NotPossible);
            assert!(store.disable_person(&ani.id, true, &by).is_err());
            // One who was only invited cannot sign in, and does not count.
            store.invite("cici@example.com", "Cici", Role::Owner, &by).expect("is invited");
            assert!(store.change_person(&ani.id, "Ani", Role::Viewer, &by).is_err());
            let budi = owner(store, "budi@example.com");
            store.disable_person(&ani.id, true, &by).expect("another is left");
            assert!(store.to_sign_in("ani@example.com").expect("is read").is_none());
            assert!(store.disable_person(&budi.id, true, &by).is_err());
            // Whoever runs the machine gives everything back.
            assert_eq!(owner(store, "ani@example.com").id, ani.id);
            assert!(store.to_sign_in("ani@example.com").expect("is read").is_some());
            let budi = store.change_person(&budi.id, "Budi", Role::Operator, &by).expect("another is left");
            assert_eq!(budi.role, Role::Operator);
            assert!(store.person("P").expect("is read").is_none());
            assert_eq!(store.people().expect("is read").len(), 3);
        });
    }
}
