//! What one exchange has done so far, as far as ureq does not tell.
//!
//! A failed call of ureq does not say whether any byte was written, and a kept connection is
//! not told which call it serves. But a call runs on one thread from start to end, so its
//! progress is kept for the thread, and the socket below ureq writes it down there.

use std::cell::Cell;

use super::failure::Stage;

#[derive(Clone, Copy)]
struct Progress {
    written: bool,
    fruitless: usize,
}

const NOTHING: Progress = Progress { written: false, fruitless: 0 };

thread_local! {
    static PROGRESS: Cell<Progress> = const { Cell::new(NOTHING) };
}

fn change(change: impl FnOnce(&mut Progress)) {
    let mut progress = PROGRESS.get();
    change(&mut progress);
    PROGRESS.set(progress);
}

/// The exchange in progress on this thread. One may be inside another, where a host's logger
/// sends something of its own; each has its own account.
pub(super) struct Attempt {
    outer: Progress,
}

impl Attempt {
    pub fn begin() -> Attempt {
        Attempt { outer: PROGRESS.replace(NOTHING) }
    }

    /// Whether any byte of the request left for the other side.
    pub fn stage(&self) -> Stage {
        if PROGRESS.get().written { Stage::MaybeSent } else { Stage::NotSent }
    }

    /// The answer's header is whole, or a part of its body came out of what was read.
    pub fn bears_fruit(&self) {
        change(|progress| progress.fruitless = 0);
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        PROGRESS.set(self.outer);
    }
}

/// Bytes were taken by the kernel.
pub(super) fn wrote() {
    change(|progress| progress.written = true);
}

/// What was written so far, to a proxy or for TLS, was no part of the request.
pub(super) fn nothing_of_the_request_was_written() {
    change(|progress| progress.written = false);
}

/// Bytes of the answer were read.
pub(super) fn read(count: usize) {
    change(|progress| progress.fruitless = progress.fruitless.saturating_add(count));
}

/// How many bytes were read since the last of which anything came.
pub(super) fn fruitless() -> usize {
    PROGRESS.get().fruitless
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_attempt_has_its_own_account() {
        let outer = Attempt::begin();
        wrote();
        read(7);
        let inner = Attempt::begin();
        assert_eq!((inner.stage(), fruitless()), (Stage::NotSent, 0));
        nothing_of_the_request_was_written();
        read(1);
        drop(inner);
        assert_eq!((outer.stage(), fruitless()), (Stage::MaybeSent, 7));
        outer.bears_fruit();
        assert_eq!((outer.stage(), fruitless()), (Stage::MaybeSent, 0));
    }
}
