//! Threads of one process taking turns, in the order in which they came.
//!
//! A `Mutex` lets the thread that comes back at once in before those that wait; with fifty
//! writers one of them would wait for seconds.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

#[derive(Default)]
pub(crate) struct Turns {
    queue: Mutex<Queue>,
    moved: Condvar,
}

#[derive(Default)]
struct Queue {
    next: u64,
    /// Those that wait, and in front the one whose turn it is.
    tickets: VecDeque<u64>,
}

/// One's turn, until this is dropped.
pub(crate) struct Turn<'a> {
    turns: &'a Turns,
    ticket: u64,
}

impl Turns {
    /// Waits for one's turn; `None` if it did not come in time.
    pub(crate) fn take(&self, until: Instant) -> Option<Turn<'_>> {
        let mut queue = self.lock();
        let ticket = queue.next;
        queue.next += 1;
        queue.tickets.push_back(ticket);
        let turn = Turn { turns: self, ticket };
        while queue.tickets.front() != Some(&ticket) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                // Dropping the turn takes the same lock.
                drop(queue);
                return None;
            }
            queue = self.moved.wait_timeout(queue, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        drop(queue);
        Some(turn)
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.turns.lock().tickets.retain(|ticket| *ticket != self.ticket);
        self.turns.moved.notify_all();
    }
}
