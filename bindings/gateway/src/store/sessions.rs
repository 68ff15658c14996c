//! Who is signed in, and how often somebody may try to.
//!
//! A session ends half an hour after its last use, twelve hours after it began, when its person signs out
//! or may not sign in any more, or gets another role. Its row stays for a month: an address that a person
//! signed in from before is not locked out by what strangers try with their e-mail address.

use bayar::Error;
use bayar_provider::Secret;

use super::Store;
use super::people::{PERSON, Person, digest, end_sessions, new_token, read_person};
use super::rows::{Row, int, only_int, text};

/// After how long without use a session is over, in milliseconds.
pub const IDLE_MS: i64 = 30 * 60_000;

/// After how long it is over in any case, in milliseconds.
pub const LONGEST_MS: i64 = 12 * 3_600_000;

/// How exactly the last use is kept, in milliseconds.
const SEEN_MS: i64 = 60_000;

/// How long a row stays after its session began, in milliseconds.
const KEPT_MS: i64 = 30 * 86_400_000;

/// Within how long tries are counted, in milliseconds.
pub const TRIES_MS: i64 = 15 * 60_000;

/// A session, and whose it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Session {
    /// The hash of its token, which opens nothing.
    pub id: String,
    /// Who is signed in.
    pub person: Person,
    /// From where it began.
    pub address: String,
    /// By what, as the browser says.
    pub agent: String,
    /// When it began.
    pub created_ms: i64,
    /// When it was last used, to the minute.
    pub seen_ms: i64,
}

impl Store {
    /// Begins a session for a person who proved who they are; gives its token, for the cookie.
    ///
    /// # Errors
    /// The database's.
    pub fn start_session(&self, person: &str, address: &str, agent: &str) -> Result<Secret, Error> {
        let token = new_token()?;
        let agent: String = agent.chars().take(200).collect();
        self.write(|tx| {
            let now = tx.now_ms()?;
            tx.execute("DELETE FROM gateway_session WHERE created_ms < ?1", &[int(now - KEPT_MS)])?;
            let sql =
                "INSERT INTO gateway_session (digest, person, address, agent, created_ms, seen_ms, until_ms)
                VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6)";
            let texts = [digest(token.expose()).as_str(), person, address, agent.as_str()].map(text);
            let mut values = texts.to_vec();
            values.extend([int(now), int(now + LONGEST_MS)]);
            tx.execute(sql, &values)?;
            tx.execute("UPDATE gateway_person SET seen_ms = ?2 WHERE id = ?1", &[text(person), int(now)])
        })?;
        Ok(token)
    }

    /// The session of a token, if it is not over; it counts as used now.
    ///
    /// # Errors
    /// The database's.
    pub fn session(&self, token: &str) -> Result<Option<Session>, Error> {
        let digest = digest(token);
        let found = self.read(|tx| {
            let now = tx.now_ms()?;
            let sql = format!(
                "{} WHERE gateway_session.digest = ?1 AND gateway_session.until_ms > ?2
                 AND gateway_session.seen_ms > ?3 AND gateway_person.disabled_ms IS NULL",
                selected()
            );
            let rows = tx.query(&sql, &[text(digest.as_str()), int(now), int(now - IDLE_MS)])?;
            let session = rows.into_iter().next().map(|cells| read_session(&mut Row::of(cells)));
            Ok(session.transpose()?.map(|session| (session, now)))
        })?;
        let Some((session, now)) = found else { return Ok(None) };
        if now - session.seen_ms >= SEEN_MS {
            let sql = "UPDATE gateway_session SET seen_ms = ?2 WHERE digest = ?1 AND seen_ms < ?2";
            self.write(|tx| tx.execute(sql, &[text(digest.as_str()), int(now)]))?;
        }
        Ok(Some(session))
    }

    /// The sessions of a person that are not over, the last used first.
    ///
    /// # Errors
    /// The database's.
    pub fn sessions(&self, person: &str) -> Result<Vec<Session>, Error> {
        let rows = self.read(|tx| {
            let now = tx.now_ms()?;
            let sql = format!(
                "{} WHERE gateway_session.person = ?1 AND gateway_session.until_ms > ?2
                 AND gateway_session.seen_ms > ?3 ORDER BY gateway_session.seen_ms DESC, gateway_session.digest",
                selected()
            );
            tx.query(&sql, &[text(person), int(now), int(now - IDLE_MS)])
        })?;
        rows.into_iter().map(|cells| read_session(&mut Row::of(cells))).collect()
    }

    /// Ends a session, by its id.
    ///
    /// # Errors
    /// The database's.
    pub fn end_session(&self, id: &str) -> Result<(), Error> {
        let sql = "UPDATE gateway_session SET until_ms = 0 WHERE digest = ?1";
        self.write(|tx| tx.execute(sql, &[text(id)]).map(drop))
    }

    /// Ends all sessions of a person.
    ///
    /// # Errors
    /// The database's.
    pub fn end_sessions_of(&self, person: &str) -> Result<(), Error> {
        self.write(|tx| end_sessions(tx, person))
    }

    /// Whether this person signed in from this address within a month.
    ///
    /// # Errors
    /// The database's.
    pub fn signed_in_from(&self, email: &str, address: &str) -> Result<bool, Error> {
        let sql = "SELECT COUNT(*) FROM gateway_session JOIN gateway_person ON gateway_person.id = gateway_session.person
            WHERE gateway_person.email = ?1 AND gateway_session.address = ?2 AND gateway_session.created_ms > ?3";
        self.read(|tx| {
            let since = tx.now_ms()? - KEPT_MS;
            Ok(only_int(tx.query(sql, &[text(email), text(address), int(since)])?)? > 0)
        })
    }

    /// Counts a try for each of these, and says whether all are within their number in a quarter of an hour.
    /// It counts before anything is looked at, so that tries at the same time do not pass together.
    ///
    /// # Errors
    /// The database's.
    pub fn may_try(&self, subjects: &[(String, i64)]) -> Result<bool, Error> {
        self.write(|tx| {
            let now = tx.now_ms()?;
            tx.execute("DELETE FROM gateway_tried WHERE until_ms <= ?1", &[int(now)])?;
            let mut may = true;
            for (subject, most) in subjects {
                let key = text(digest(subject));
                let sql = "INSERT INTO gateway_tried (subject, tries, until_ms) VALUES (?1, 1, ?2)
                    ON CONFLICT (subject) DO UPDATE SET tries = gateway_tried.tries + 1";
                tx.execute(sql, &[key.clone(), int(now + TRIES_MS)])?;
                let sql = "SELECT tries FROM gateway_tried WHERE subject = ?1";
                may &= only_int(tx.query(sql, &[key])?)? <= *most;
            }
            Ok(may)
        })
    }

    /// A try was not in vain: those before it are forgotten.
    ///
    /// # Errors
    /// The database's.
    pub fn tried_well(&self, subjects: &[(String, i64)]) -> Result<(), Error> {
        self.write(|tx| {
            for (subject, _) in subjects {
                tx.execute("DELETE FROM gateway_tried WHERE subject = ?1", &[text(digest(subject))])?;
            }
            Ok(())
        })
    }
}

/// The columns that [`read_session`] takes.
fn selected() -> String {
    format!(
        "SELECT gateway_session.digest, gateway_session.address, gateway_session.agent, gateway_session.created_ms,
            gateway_session.seen_ms, {PERSON}
         FROM gateway_session JOIN gateway_person ON gateway_person.id = gateway_session.person"
    )
}

fn read_session(row: &mut Row) -> Result<Session, Error> {
    Ok(Session {
        id: row.text()?,
        address: row.text()?,
        agent: row.text()?,
        created_ms: row.int()?,
        seen_ms: row.int()?,
        person: read_person(row)?,
    })
}

#[cfg(test)]
mod tests {
    use super::super::audit::By;
    use super::super::people::Role;
    use super::super::people::tests::owner;
    use super::super::tests::on_both;
    use super::*;

    fn ago(store: &Store, seen_ms: i64, created_ms: i64) {
        let sql = "UPDATE gateway_session SET seen_ms = seen_ms - ?1, created_ms = created_ms - ?2, until_ms = until_ms - ?2";
        store.write(|tx| tx.execute(sql, &[int(seen_ms), int(created_ms)])).expect("aged");
    }

    #[test]
    fn a_session_ends_when_it_is_idle_and_when_it_is_old() {
        on_both("sessions", |store| {
            let ani = owner(store, "ani@example.com");
            let start = || store.start_session(&ani.id, "192.0.2.1", "a browser").expect("begins");
            let open = |token: &Secret| store.session(token.expose()).expect("is read");
            let token = start();
            let session = open(&token).expect("it is open");
            assert_eq!(
                (session.person.email.as_str(), session.address.as_str()),
                ("ani@example.com", "192.0.2.1")
            );
            assert!(session.person.seen_ms.is_some(), "signing in is seen");
            assert!(open(&Secret::new("other")).is_none());
            assert_ne!(session.id, token.expose(), "what is kept opens nothing");

            ago(store, IDLE_MS - 5_000, 0);
            assert!(open(&token).is_some(), "it was used in time");
            ago(store, IDLE_MS - 5_000, 0);
            assert!(open(&token).is_some(), "its use was written down");
            ago(store, IDLE_MS, 0);
            assert!(open(&token).is_none(), "idle");

            let token = start();
            ago(store, 0, LONGEST_MS - 5_000);
            assert!(open(&token).is_some());
            ago(store, 0, 5_000);
            assert!(open(&token).is_none(), "old");
        });
    }

    #[test]
    fn a_session_ends_with_what_its_person_may_do() {
        on_both("sessions_end", |store| {
            let (ani, budi) = (owner(store, "ani@example.com"), owner(store, "budi@example.com"));
            let by = By::operator("test");
            let start = || store.start_session(&ani.id, "192.0.2.1", "").expect("begins");
            let is_open = |token: &Secret| store.session(token.expose()).expect("is read").is_some();
            let (first, second) = (start(), start());
            assert_eq!(store.sessions(&ani.id).expect("is read").len(), 2);
            store
                .end_session(&store.session(first.expose()).expect("is read").expect("open").id)
                .expect("ends");
            assert!(!is_open(&first) && is_open(&second));
            store.end_sessions_of(&ani.id).expect("end");
            assert!(!is_open(&second));

            let token = start();
            store.change_person(&ani.id, "Ani Other", Role::Owner, &by).expect("is changed");
            assert!(is_open(&token), "the same role");
            store.change_person(&ani.id, "Ani", Role::Viewer, &by).expect("is changed");
            assert!(!is_open(&token));
            let token = start();
            store.disable_person(&ani.id, true, &by).expect("is disabled");
            assert!(!is_open(&token));
            store.disable_person(&ani.id, false, &by).expect("is enabled");
            assert!(!is_open(&token), "ended is ended");
            let token = start();
            store.invite_again(&ani.id, &by).expect("is invited");
            assert!(!is_open(&token));
            assert!(store.sessions(&budi.id).expect("is read").is_empty());
        });
    }

    #[test]
    fn tries_are_counted_for_a_quarter_of_an_hour() {
        on_both("tries", |store| {
            let subjects = [("address 192.0.2.1".to_owned(), 3), ("email ani@example.com".to_owned(), 2)];
            let may = |subjects: &[(String, i64)]| store.may_try(subjects).expect("is counted");
            assert!(may(&subjects) && may(&subjects));
            assert!(!may(&subjects), "the address of e-mail is used up");
            assert!(!may(&subjects[..1]), "the fourth from this address");
            assert!(may(&[("address 192.0.2.2".to_owned(), 3)]), "another one is free");
            store.write(|tx| tx.execute("UPDATE gateway_tried SET until_ms = 1", &[])).expect("aged");
            assert!(may(&subjects));
            may(&subjects);
            store.tried_well(&subjects).expect("is forgotten");
            assert!(may(&subjects) && may(&subjects));
        });
    }

    #[test]
    fn an_address_is_known_for_a_month() {
        on_both("known_addresses", |store| {
            let ani = owner(store, "ani@example.com");
            let known = |email, address| store.signed_in_from(email, address).expect("is read");
            assert!(!known("ani@example.com", "192.0.2.1"));
            store.start_session(&ani.id, "192.0.2.1", "").expect("begins");
            store.end_sessions_of(&ani.id).expect("end");
            assert!(known("ani@example.com", "192.0.2.1"));
            assert!(!known("ani@example.com", "192.0.2.2") && !known("budi@example.com", "192.0.2.1"));
            // All of it may happen within one millisecond.
            ago(store, 0, KEPT_MS + 1);
            assert!(!known("ani@example.com", "192.0.2.1"));
            store.start_session(&ani.id, "192.0.2.3", "").expect("begins");
            let left = store.read(|tx| only_int(tx.query("SELECT COUNT(*) FROM gateway_session", &[])?));
            assert_eq!(left, Ok(1), "what is old is dropped");
        });
    }
}
