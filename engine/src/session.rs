//! Sessions: got once for all callers, kept, and renewed when the provider refuses them.
//!
//! ```text
//!   none ──► leased by the first caller ──► kept ──► refused (401) or expired ──► none
//!                  │ its call ends without a session
//!                  └──► none: the next caller takes the lease
//! ```

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bayar_provider::Secret;

use crate::process::PerProcess;

/// How long a caller that drives HTTP itself waits before it looks again.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// The session of one account, in each process its own.
#[derive(Default)]
pub struct Sessions(PerProcess<Shared>);

#[derive(Default)]
struct Shared {
    slot: Mutex<Slot>,
    changed: Condvar,
}

#[derive(Default)]
struct Slot {
    kept: Option<Kept>,
    /// Until when the caller that is getting a session may take; a caller that hangs blocks nobody for longer.
    lease: Option<Lease>,
    last: u64,
}

#[derive(Clone)]
struct Kept {
    session: Session,
    expires: Option<Instant>,
}

#[derive(Clone, Copy, PartialEq)]
struct Lease {
    number: u64,
    until: Instant,
}

/// A kept session.
#[derive(Clone, Debug)]
pub struct Session {
    /// What calls carry.
    pub token: Secret,
    /// Which of this account's sessions it is, so that a refused one is dropped only once.
    pub number: u64,
}

/// Whose turn it is.
pub enum Turn<'a> {
    /// There is a session.
    Have(Session),
    /// This caller gets one, for all.
    Lead(Leader<'a>),
    /// Another caller is getting one: wait this long, then ask again.
    Wait(Duration),
}

/// The caller that gets the session. Dropped without one, it gives the lease back.
pub struct Leader<'a> {
    sessions: &'a Sessions,
    lease: Lease,
}

impl Sessions {
    /// Asks for the session; `refused` is the number of the one that the provider refused.
    pub fn turn(&self, refused: Option<u64>, deadline: Instant) -> Turn<'_> {
        let now = Instant::now();
        self.with(|slot| {
            slot.kept = slot.kept.take().filter(|kept| {
                Some(kept.session.number) != refused && kept.expires.is_none_or(|at| now < at)
            });
            if let Some(kept) = &slot.kept {
                return Turn::Have(kept.session.clone());
            }
            if let Some(lease) = slot.lease.filter(|lease| now < lease.until) {
                return Turn::Wait(LOOK_AGAIN.min(lease.until - now));
            }
            slot.last += 1;
            let lease = Lease { number: slot.last, until: deadline };
            slot.lease = Some(lease);
            Turn::Lead(Leader { sessions: self, lease })
        })
    }

    /// Waits until a session was kept or a lease given back, at most this long.
    pub fn wait(&self, at_most: Duration) {
        let shared = self.0.get(Shared::default);
        let slot = shared.slot.lock().unwrap_or_else(PoisonError::into_inner);
        if slot.kept.is_none() && slot.lease.is_some() {
            drop(shared.changed.wait_timeout(slot, at_most));
        }
    }

    fn with<T>(&self, change: impl FnOnce(&mut Slot) -> T) -> T {
        let shared = self.0.get(Shared::default);
        // Nothing panics while the slot is changed; a poisoned lock would only mean a defect elsewhere.
        let mut slot = shared.slot.lock().unwrap_or_else(PoisonError::into_inner);
        let result = change(&mut slot);
        drop(slot);
        shared.changed.notify_all();
        result
    }
}

impl Leader<'_> {
    /// Keeps the session for all callers.
    pub fn keep(self, token: Secret, expires_in: Option<u64>) -> Session {
        let session = Session { token, number: self.lease.number };
        let expires = expires_in.and_then(|seconds| Instant::now().checked_add(Duration::from_secs(seconds)));
        self.sessions.with(|slot| slot.kept = Some(Kept { session: session.clone(), expires }));
        session
    }
}

impl Drop for Leader<'_> {
    fn drop(&mut self) {
        self.sessions.with(|slot| slot.lease = slot.lease.filter(|lease| *lease != self.lease));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(60)
    }

    #[test]
    fn one_caller_leads_and_all_share() {
        let sessions = Sessions::default();
        let Turn::Lead(leader) = sessions.turn(None, soon()) else { panic!("the first caller leads") };
        assert!(matches!(sessions.turn(None, soon()), Turn::Wait(_)));
        let kept = leader.keep(Secret::new("token"), None);
        let Turn::Have(shared) = sessions.turn(None, soon()) else { panic!("all share") };
        assert_eq!(shared.number, kept.number);

        let Turn::Lead(leader) = sessions.turn(Some(kept.number), soon()) else {
            panic!("a refused one is renewed")
        };
        let renewed = leader.keep(Secret::new("other"), None);
        let Turn::Have(shared) = sessions.turn(Some(kept.number), soon()) else {
            panic!("renewed once, not twice")
        };
        assert_eq!(shared.number, renewed.number);
    }

    #[test]
    fn a_lease_ends_with_its_caller_or_its_deadline() {
        let sessions = Sessions::default();
        let Turn::Lead(leader) = sessions.turn(None, soon()) else { panic!("leads") };
        drop(leader);
        let Turn::Lead(late) = sessions.turn(None, Instant::now()) else { panic!("the lease came back") };
        let Turn::Lead(_other) = sessions.turn(None, soon()) else { panic!("an overdue lease binds nobody") };
        drop(late);
        assert!(
            matches!(sessions.turn(None, soon()), Turn::Wait(_)),
            "the overdue leader gives back only its own lease"
        );
    }

    #[test]
    fn an_expired_session_is_not_given_out() {
        let sessions = Sessions::default();
        let Turn::Lead(leader) = sessions.turn(None, soon()) else { panic!("leads") };
        leader.keep(Secret::new("token"), Some(0));
        assert!(matches!(sessions.turn(None, soon()), Turn::Lead(_)));
    }
}
