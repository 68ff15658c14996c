//! Reviews: what one person decided and another must confirm, and which people were told of.

use bayar::Error;
use serde::Serialize;

use super::Store;
use super::audit::{By, note};
use super::people::Person;
use super::rows::{Row, int, text};

/// What a person decided about a review, as long as nobody confirmed it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Proposal {
    /// The intent.
    pub intent: String,
    /// Why it waits for a review: a decision holds only for the reason that it was made for.
    pub review: String,
    /// What it is to become.
    pub status: String,
    /// Why.
    pub reason: String,
    /// The id of the person who decided.
    pub person: String,
    /// Their e-mail address.
    pub email: String,
    /// When, in milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
}

impl Store {
    /// Keeps what a person decided about a review; it takes the place of what was decided before.
    ///
    /// # Errors
    /// The database's.
    pub fn propose(
        &self,
        intent: &str,
        review: &str,
        status: &str,
        reason: &str,
        person: &Person,
        by: &By,
    ) -> Result<(), Error> {
        let sql = "INSERT INTO gateway_proposal (intent, review, status, reason, person, email, at_ms)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (intent) DO UPDATE SET review = excluded.review,
            status = excluded.status, reason = excluded.reason, person = excluded.person, email = excluded.email,
            at_ms = excluded.at_ms";
        self.write(|tx| {
            let now = tx.now_ms()?;
            let texts = [intent, review, status, reason, person.id.as_str(), person.email.as_str()];
            let mut values = texts.map(text).to_vec();
            values.push(int(now));
            tx.execute(sql, &values)?;
            note(tx, by, "review.propose", intent, &format!("{status}: {reason}"))
        })
    }

    /// What was decided about an intent and not confirmed.
    ///
    /// # Errors
    /// The database's.
    pub fn proposal(&self, intent: &str) -> Result<Option<Proposal>, Error> {
        let sql = "SELECT intent, review, status, reason, person, email, at_ms FROM gateway_proposal WHERE intent = ?1";
        let rows = self.read(|tx| tx.query(sql, &[text(intent)]))?;
        let proposal = |cells| {
            let mut row = Row::of(cells);
            Ok(Proposal {
                intent: row.text()?,
                review: row.text()?,
                status: row.text()?,
                reason: row.text()?,
                person: row.text()?,
                email: row.text()?,
                at_ms: row.int()?,
            })
        };
        rows.into_iter().next().map(proposal).transpose()
    }

    /// Forgets what was decided about an intent: it was confirmed, or taken back.
    ///
    /// # Errors
    /// The database's.
    pub fn drop_proposal(&self, intent: &str, by: &By, action: &str) -> Result<(), Error> {
        self.write(|tx| {
            if tx.execute("DELETE FROM gateway_proposal WHERE intent = ?1", &[text(intent)])? == 0 {
                return Ok(());
            }
            note(tx, by, action, intent, "")
        })
    }

    /// Whether people were told that an intent waits for this reason.
    ///
    /// # Errors
    /// The database's.
    pub fn was_review_told(&self, intent: &str, review: &str) -> Result<bool, Error> {
        let sql = "SELECT intent FROM gateway_review_told WHERE intent = ?1 AND review = ?2";
        Ok(!self.read(|tx| tx.query(sql, &[text(intent), text(review)]))?.is_empty())
    }

    /// People were told of it.
    ///
    /// # Errors
    /// The database's.
    pub fn review_told(&self, intent: &str, review: &str) -> Result<(), Error> {
        let sql = "INSERT INTO gateway_review_told (intent, review, at_ms) VALUES (?1, ?2, ?3)
            ON CONFLICT (intent) DO UPDATE SET review = excluded.review, at_ms = excluded.at_ms";
        self.write(|tx| {
            let now = tx.now_ms()?;
            tx.execute(sql, &[text(intent), text(review), int(now)]).map(drop)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::people::tests::owner;
    use super::super::tests::on_both;
    use super::*;

    #[test]
    fn a_decision_waits_and_is_replaced() {
        on_both("proposals", |store| {
            let person = owner(store, "ani@example.com");
            let by = By::operator("test");
            assert_eq!(store.proposal("I1"), Ok(None));
            store.propose("I1", "another amount", "failed", "a slip", &person, &by).expect("is kept");
            store.propose("I1", "another amount", "paid", "seen at the bank", &person, &by).expect("is kept");
            let kept = store.proposal("I1").expect("is read").expect("was kept");
            assert_eq!((kept.status.as_str(), kept.email.as_str()), ("paid", "ani@example.com"));
            store.drop_proposal("I1", &by, "review.withdraw").expect("is dropped");
            store.drop_proposal("I1", &by, "review.withdraw").expect("there is none");
            assert_eq!(store.proposal("I1"), Ok(None));
            let audit = store.audit(None, 10).expect("is read");
            assert_eq!(audit.iter().filter(|done| done.action == "review.withdraw").count(), 1);
        });
    }

    #[test]
    fn a_new_reason_is_told_again() {
        on_both("reviews_told", |store| {
            let told = |review| store.was_review_told("I1", review).expect("is read");
            assert!(!told("one"));
            store.review_told("I1", "one").expect("is kept");
            assert!(told("one") && !told("one; two"));
            store.review_told("I1", "one; two").expect("is kept");
            assert!(told("one; two"));
        });
    }
}
