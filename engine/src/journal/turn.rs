//! Threads of one process taking turns, in the order in which they came, and doing each other's work.
//!
//! A `Mutex` lets the thread that comes back at once in before those that wait; with fifty
//! writers one of them would wait for seconds. Only the one whose turn it is is woken.
//!
//! What waits to be written may be left here as [`Work`]: whoever has the turn then does it, too, so
//! that one commit makes all of it durable. The one that left it is told how it ended.

use std::collections::VecDeque;
use std::fmt;
use std::mem;
use std::process;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::database::Work;
use crate::error::{Code, Error};

/// Turns at one thing.
#[derive(Default)]
pub(crate) struct Turns {
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    /// Whether it is somebody's turn. While it is nobody's, nobody waits.
    taken: bool,
    waiting: VecDeque<Arc<Waiter>>,
}

struct Waiter {
    /// Locked after the queue, where both are.
    place: Mutex<Place>,
    moved: Condvar,
}

#[expect(clippy::large_enum_variant, reason = "an error is as large as it is everywhere, and made once")]
enum Place {
    Waits(Option<Left>),
    HasTurn(Option<Left>),
    /// Its work is being done.
    Taken,
    Done(Result<(), Error>),
}

/// Work that was left, and whose it is: it is done only by one of the same.
pub(crate) struct Left {
    pub(crate) of: usize,
    pub(crate) work: Work,
}

/// What came of waiting.
#[expect(clippy::large_enum_variant, reason = "likewise")]
pub(crate) enum Came<'a> {
    /// It is one's turn; the work is still to be done.
    Turn(Turn<'a>, Option<Left>),
    /// Another has done the work.
    Done(Result<(), Error>),
    /// Neither happened in time, and the work was not done.
    Late,
}

impl fmt::Debug for Came<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Came::Turn(..) => "Turn",
            Came::Done(_) => "Done",
            Came::Late => "Late",
        })
    }
}

/// One's turn, until this is dropped.
pub(crate) struct Turn<'a> {
    turns: &'a Turns,
    pid: u32,
}

/// Another's work, of which whoever took it must say how it ended.
pub(crate) struct Other {
    pub(crate) work: Work,
    waiter: Arc<Waiter>,
}

impl Turns {
    /// Waits for one's turn; `None` if it did not come in time.
    pub(crate) fn take(&self, until: Instant) -> Option<Turn<'_>> {
        match self.wait(until, None) {
            Came::Turn(turn, _) => Some(turn),
            Came::Done(_) | Came::Late => None,
        }
    }

    /// One's turn, if nobody has it.
    pub(crate) fn take_if_free(&self) -> Option<Turn<'_>> {
        let mut queue = lock(&self.queue);
        let free = !mem::replace(&mut queue.taken, true);
        free.then(|| self.turn())
    }

    /// Waits for one's turn, or for another to do the work in its own.
    pub(crate) fn take_or_leave(&self, until: Instant, left: Left) -> Came<'_> {
        self.wait(until, Some(left))
    }

    fn wait(&self, until: Instant, left: Option<Left>) -> Came<'_> {
        let mut queue = lock(&self.queue);
        if !queue.taken {
            queue.taken = true;
            return Came::Turn(self.turn(), left);
        }
        let waiter = Arc::new(Waiter { place: Mutex::new(Place::Waits(left)), moved: Condvar::new() });
        queue.waiting.push_back(Arc::clone(&waiter));
        drop(queue);
        let mut place = lock(&waiter.place);
        loop {
            match mem::replace(&mut *place, Place::Taken) {
                Place::HasTurn(left) => return Came::Turn(self.turn(), left),
                Place::Done(result) => return Came::Done(result),
                Place::Taken => place = waiter.moved.wait(place).unwrap_or_else(PoisonError::into_inner),
                Place::Waits(left) => {
                    *place = Place::Waits(left);
                    let rest = until.saturating_duration_since(Instant::now());
                    if rest.is_zero() {
                        drop(place);
                        if self.leave(&waiter) {
                            return Came::Late;
                        }
                        // It was called, or its work taken on, just now.
                        place = lock(&waiter.place);
                        continue;
                    }
                    place = waiter.moved.wait_timeout(place, rest).unwrap_or_else(PoisonError::into_inner).0;
                }
            }
        }
    }

    fn leave(&self, waiter: &Arc<Waiter>) -> bool {
        let mut queue = lock(&self.queue);
        let before = queue.waiting.len();
        queue.waiting.retain(|one| !Arc::ptr_eq(one, waiter));
        queue.waiting.len() < before
    }

    /// How many wait.
    #[cfg(test)]
    pub(crate) fn waiting(&self) -> usize {
        lock(&self.queue).waiting.len()
    }

    fn turn(&self) -> Turn<'_> {
        Turn { turns: self, pid: process::id() }
    }
}

impl Turn<'_> {
    /// The work of the next that waits, if it left some and it is of the same.
    pub(crate) fn other(&self, of: usize) -> Option<Other> {
        let mut queue = lock(&self.turns.queue);
        let waiter = Arc::clone(queue.waiting.front()?);
        let mut place = lock(&waiter.place);
        match mem::replace(&mut *place, Place::Taken) {
            Place::Waits(Some(left)) if left.of == of => {
                drop(place);
                queue.waiting.pop_front();
                Some(Other { work: left.work, waiter })
            }
            place_before => {
                *place = place_before;
                None
            }
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        // Those that wait are threads of the parent.
        if self.pid != process::id() {
            return;
        }
        let mut queue = lock(&self.turns.queue);
        let Some(next) = queue.waiting.pop_front() else {
            queue.taken = false;
            return;
        };
        let mut place = lock(&next.place);
        if let Place::Waits(left) = mem::replace(&mut *place, Place::Taken) {
            *place = Place::HasTurn(left);
        }
        drop(place);
        next.moved.notify_one();
    }
}

impl Other {
    /// Tells the one that left it how it ended.
    pub(crate) fn done(self, result: Result<(), Error>) {
        self.tell(|| result);
    }

    fn tell(&self, result: impl FnOnce() -> Result<(), Error>) {
        let mut place = lock(&self.waiter.place);
        if matches!(*place, Place::Taken) {
            *place = Place::Done(result());
            self.waiter.moved.notify_one();
        }
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        // Only where the one that took it broke off: nobody must wait for ever.
        let what = "the thread that was to write this with its own broke off; the journal has it or not";
        self.tell(|| Err(Error::not_sent(Code::JournalUnavailable, what)));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;
    use std::time::Duration;

    use super::*;

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(20)
    }

    fn waiting(turns: &Turns, count: usize) {
        while turns.waiting() < count {
            thread::yield_now();
        }
    }

    #[test]
    fn in_the_order_in_which_they_came() {
        let turns = Turns::default();
        let (say, said) = mpsc::channel();
        thread::scope(|scope| {
            let first = turns.take(soon()).expect("nobody else");
            for number in 0..8 {
                let (say, turns) = (say.clone(), &turns);
                scope.spawn(move || {
                    let _turn = turns.take(soon()).expect("it comes");
                    say.send(number).expect("is heard");
                });
                waiting(turns, number + 1);
            }
            drop(first);
        });
        drop(say);
        assert_eq!(said.iter().collect::<Vec<_>>(), (0..8).collect::<Vec<_>>());
        assert!(!lock(&turns.queue).taken);
    }

    #[test]
    fn whoever_has_the_turn_does_the_work_of_those_behind() {
        let turns = Turns::default();
        let left = |of| Left { of, work: Box::new(|_| Ok(())) };
        thread::scope(|scope| {
            let first = turns.take(soon()).expect("nobody else");
            for (number, of) in [(1, 7), (2, 7), (3, 8)] {
                let (turns, left) = (&turns, left(of));
                scope.spawn(move || match turns.take_or_leave(soon(), left) {
                    Came::Done(result) => assert!(of == 7 && result.is_err()),
                    Came::Turn(..) => assert_eq!(of, 8),
                    Came::Late => panic!("it did not come"),
                });
                waiting(turns, number);
            }
            let failed = || Err(Error::not_sent(Code::Internal, "said so"));
            first.other(7).expect("the first").done(failed());
            // One that breaks off tells so.
            drop(first.other(7).expect("the second"));
            assert!(first.other(7).is_none(), "another's");
            drop(first);
        });
    }

    #[test]
    fn one_that_is_late_is_not_called() {
        let turns = Turns::default();
        let first = turns.take(soon()).expect("nobody else");
        assert!(turns.take(Instant::now() + Duration::from_millis(1)).is_none());
        drop(first);
        assert!(turns.take(soon()).is_some());
    }
}
