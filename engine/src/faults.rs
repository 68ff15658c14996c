//! Named steps: the moments at which a process may die.
//!
//! With the feature `faults`, which nothing that ships has, `BAYAR_STEPS=FILE` has the steps that
//! are passed written to a file, and `BAYAR_ABORT_AT=N` aborts the process at the N-th of them.
//! `BAYAR_AHEAD_MS=N` has the journal's clock go ahead, so that leases need not be waited for.
//! `BAYAR_COMMIT_MS=N` has each commit of the journal take so much longer, as on a slow disk.
//! Without the feature a step is nothing, and clocks are right.

/// Passes a step.
#[cfg(not(feature = "faults"))]
#[inline(always)]
pub(crate) fn step(_: &str) {}

/// How far the journal's clock is ahead, in milliseconds.
#[cfg(not(feature = "faults"))]
#[inline(always)]
pub(crate) fn ahead_ms() -> i64 {
    0
}

#[cfg(feature = "faults")]
pub(crate) use told::{ahead_ms, step};

#[cfg(feature = "faults")]
mod told {
    use std::fs::{File, OpenOptions};
    use std::io::Write;
    use std::sync::{Mutex, PoisonError};
    use std::time::Duration;
    use std::{env, process};

    struct Told {
        abort_at: Option<u64>,
        list: Option<File>,
        commit: Duration,
        passed: u64,
    }

    /// The step at which a slow disk takes its time: the journal is locked.
    const SLOW: &str = "journal: before the commit";

    /// How far the journal's clock is ahead, in milliseconds.
    pub(crate) fn ahead_ms() -> i64 {
        env::var("BAYAR_AHEAD_MS").map_or(0, |ahead| ahead.parse().expect("BAYAR_AHEAD_MS is a number"))
    }

    /// Passes a step.
    pub(crate) fn step(name: &str) {
        static TOLD: Mutex<Option<Told>> = Mutex::new(None);
        let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
        // At the first step, so that a forked child can be told something of its own.
        let told = told.get_or_insert_with(|| Told {
            abort_at: env::var("BAYAR_ABORT_AT")
                .ok()
                .map(|at| at.parse().expect("BAYAR_ABORT_AT is a number")),
            list: env::var_os("BAYAR_STEPS").map(|path| {
                OpenOptions::new().append(true).create(true).open(path).expect("BAYAR_STEPS can be written")
            }),
            commit: Duration::from_millis(
                env::var("BAYAR_COMMIT_MS").map_or(0, |ms| ms.parse().expect("BAYAR_COMMIT_MS is a number")),
            ),
            passed: 0,
        });
        told.passed += 1;
        if let Some(list) = &mut told.list {
            writeln!(list, "{name}").expect("BAYAR_STEPS can be written");
        }
        if name == SLOW {
            std::thread::sleep(told.commit);
        }
        if told.abort_at == Some(told.passed) {
            process::abort();
        }
    }
}
