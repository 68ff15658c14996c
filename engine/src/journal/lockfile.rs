//! The file lock on which processes that write one journal queue.
//!
//! The lock itself is `flock`, which the kernel releases with its holder. `flock` waits without
//! a limit or not at all, so the queue before it is a semaphore of System V: first come, first
//! served, with a limit, and given back with its holder, too. Where there is none to be had
//! (another user's, a sandbox that forbids it), those who wait look again and again.

#![allow(unsafe_code, reason = "semaphores; each block states why it holds")]

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, fchown};
use std::path::Path;
use std::process;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often the lock is tried where there is no queue.
const LOOK: Duration = Duration::from_millis(1);

/// Where our semaphores' keys are.
const KEYS: i32 = 0x4241_0000;

/// The open lock file of a journal.
#[derive(Debug)]
pub(crate) struct LockFile {
    file: Arc<File>,
    queue: Option<Queue>,
}

/// The lock, held until this is dropped.
pub(crate) struct Held(Arc<File>);

impl LockFile {
    /// Opens the lock file of this journal, and makes it if there is none.
    pub(crate) fn open(path: &Path, journal: &Path) -> io::Result<LockFile> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let file = options.open(path)?;
        // Made by root beside the file of another user, who must be able to use it: SQLite does
        // the same with its files. It only works for root, and is not needed for others.
        if let (Ok(ours), Ok(journal)) = (file.metadata(), fs::metadata(journal))
            && ours.uid() == 0
            && journal.uid() != 0
        {
            let _ = fchown(&file, Some(journal.uid()), Some(journal.gid()));
        }
        let queue = Queue::of(&file);
        Ok(LockFile { file: Arc::new(file), queue })
    }

    /// The place to wait at before [`LockFile::try_take`].
    pub(crate) fn queue(&self) -> Option<Queue> {
        self.queue
    }

    /// Takes the lock if it is free.
    pub(crate) fn try_take(&self) -> io::Result<Option<Held>> {
        match self.file.try_lock() {
            Ok(()) => Ok(Some(Held(Arc::clone(&self.file)))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // It cannot fail on an open file; if it did, closing the file would release it.
        let _ = self.0.unlock();
    }
}

/// Waits a moment before the lock is tried again; `false` if there is no time left.
pub(crate) fn pause(until: Instant) -> bool {
    let left = until.saturating_duration_since(Instant::now());
    std::thread::sleep(LOOK.min(left));
    !left.is_zero()
}

/// A queue of processes. It outlives the lock file's being closed before a fork.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Queue {
    semaphore: i32,
}

/// The front of the queue, until this is dropped.
pub(crate) struct Front {
    semaphore: i32,
    pid: u32,
}

impl Queue {
    /// The queue of a file. Two files may share one: they then wait for each other at times.
    fn of(file: &File) -> Option<Queue> {
        let found = file.metadata().ok()?;
        // Nobody can tell when a semaphore is not needed any more, so there are at most 1024 of
        // each user's.
        let mixed = (found.ino() ^ found.dev().rotate_left(32)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let key = KEYS ^ ((found.uid() as i32) << 10) ^ (mixed >> 54) as i32;
        // SAFETY: takes and returns numbers.
        let semaphore = unsafe { libc::semget(key, 1, libc::IPC_CREAT | 0o600) };
        (semaphore >= 0).then_some(Queue { semaphore })
    }

    /// Waits for the front; `None` if it was not reached in time, or there is no queue any more.
    pub(crate) fn wait(self, until: Instant) -> Option<Front> {
        // Wait for 0 and make it 1, as one step, so that a new semaphore needs no first value.
        let mut steps = [step(0, 0), step(1, libc::SEM_UNDO)];
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let left = libc::timespec {
                tv_sec: left.as_secs() as libc::time_t,
                tv_nsec: left.subsec_nanos() as libc::c_long,
            };
            // SAFETY: two steps and a time limit, all of which outlive the call.
            let done = unsafe {
                libc::syscall(
                    libc::SYS_semtimedop,
                    self.semaphore,
                    steps.as_mut_ptr(),
                    steps.len(),
                    &raw const left,
                )
            };
            if done == 0 {
                return Some(Front { semaphore: self.semaphore, pid: process::id() });
            }
            if io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
                return None;
            }
        }
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        // A child that goes on in the middle of a transaction was never at the front.
        if self.pid == process::id() {
            let mut back = step(-1, libc::SEM_UNDO | libc::IPC_NOWAIT);
            // SAFETY: one step, which outlives the call. Where the semaphore was removed there is
            // nothing to give back.
            unsafe { libc::semop(self.semaphore, &raw mut back, 1) };
        }
    }
}

fn step(by: i16, flags: i32) -> libc::sembuf {
    libc::sembuf { sem_num: 0, sem_op: by, sem_flg: flags as i16 }
}
