//! The journal in one file on a local disk, by the SQLite that is part of the engine.
//!
//! One connection per process and file that writes, used by one thread after the other: writing is in
//! turns anyway. What several threads have to write at the same time, the one whose turn it is writes for
//! all, and one commit makes it durable: waiting for the disk is what a commit costs. A second connection
//! reads beside it.

mod slot;
mod statements;
#[cfg(test)]
mod tests;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{self, Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, OpenFlags};

use self::slot::{Here, Open, slot};
use self::statements::{InSqlite, Rollback};
use super::database::{self, Cell, Database, Transaction};
use super::files;
use super::fork::{self, Inside};
use super::lockfile::{self, Held, LockFile, Queue};
use super::locks::{self, Ours};
use super::schema::{self, Schema};
use super::turn::{Came, Left, Other, Turn};
use crate::error::{Code, Error};
use crate::faults::step;
use crate::process::PerProcess;

/// How long a transaction waits for others that write.
const WAIT: Duration = Duration::from_secs(5);
/// More statements than the journal has.
const STATEMENTS: usize = 128;
/// How many transactions one commit makes durable at most: others, and other processes, wait for it.
const TOGETHER: usize = 64;

type Work<'a> = &'a mut dyn FnMut(&mut dyn Transaction) -> Result<(), Error>;
type Run<'a> = &'a mut dyn FnMut(&Inside, &Connection) -> Result<(), Error>;

/// Whom a transaction waited for.
const OURSELVES: &str = "this process itself";

/// A journal in a file.
pub(crate) struct Sqlite {
    path: PathBuf,
    name: String,
    /// What errors call it: `journal sqlite:/var/lib/bayar/journal.db`.
    label: String,
    schema: Schema,
    here: PerProcess<Here>,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Read,
    Write,
    /// One statement that must not be in a transaction.
    Copy,
}

/// What came of trying a transaction.
enum Attempt {
    Done,
    /// Another process is writing; where to wait for it.
    Busy(Option<Queue>),
}

impl Sqlite {
    /// The database in this file, which is opened, and made if there is none, at first use.
    pub(crate) fn new(path: PathBuf, schema: impl Into<Schema>) -> Sqlite {
        // It fails for an empty path, and opening that says so.
        let path = path::absolute(&path).unwrap_or(path);
        let (schema, name) = (schema.into(), format!("sqlite:{}", path.display()));
        Sqlite { label: format!("{} {name}", schema.what), name, path, schema, here: PerProcess::new() }
    }

    fn here(&self) -> Arc<Here> {
        self.here.get(|| Here { slot: slot(&self.path), checked: AtomicU64::new(0) })
    }

    /// Waits for its turn, and runs `work`.
    fn transact(&self, kind: Kind, work: Work<'_>) -> Result<(), Error> {
        fork::usable(&self.label)?;
        let (here, until) = (self.here(), Instant::now() + WAIT);
        let turn = here.slot.turns.take(until).ok_or_else(|| self.late(OURSELVES))?;
        self.take_turn(kind, &here, turn, until, work)
    }

    fn take_turn(
        &self,
        kind: Kind,
        here: &Here,
        _turn: Turn<'_>,
        until: Instant,
        work: Work<'_>,
    ) -> Result<(), Error> {
        self.in_turn(kind, here, until, &mut |inside, connection| self.run(inside, connection, kind, work))
    }

    /// Waits for its turn, and runs `work` and that of those behind; or another has done it before.
    fn transact_together(&self, work: database::Work) -> Result<(), Error> {
        fork::usable(&self.label)?;
        let (here, until) = (self.here(), Instant::now() + WAIT);
        let left = Left { of: std::ptr::from_ref(self).addr(), work };
        let (turn, mut own) = match here.slot.turns.take_or_leave(until, left) {
            Came::Turn(turn, own) => (turn, own.expect("it was left, and nobody has taken it").work),
            Came::Done(result) => return result,
            Came::Late => return Err(self.late(OURSELVES)),
        };
        let pid = process::id();
        let mut others = Vec::new();
        let mut of_own = Ok(());
        let done = self.in_turn(Kind::Write, &here, until, &mut |inside, connection| {
            of_own = self.run_together(inside, connection, &turn, &mut own, &mut others);
            Ok(())
        });
        drop(turn);
        if process::id() != pid {
            // Their threads are the parent's.
            std::mem::forget(others);
            return done;
        }
        for (other, result) in others {
            other.done(done.clone().and(result));
        }
        done.and(of_own)
    }

    /// Waits for other processes, looks whether the file is still ours, has `run` run its transactions,
    /// and looks again.
    fn in_turn(&self, kind: Kind, here: &Here, until: Instant, run: Run<'_>) -> Result<(), Error> {
        let mut front = None;
        if kind == Kind::Write {
            let queue = *lock(&here.slot.queue);
            front = queue.and_then(|queue| queue.wait(until));
        }
        loop {
            let inside = Inside::enter(&self.label)?;
            let _ours = Ours::begin();
            let mut slot = lock(&here.slot.open);
            match self.attempt(kind, here, &inside, &mut slot, run) {
                // Not ours to close, and the locks around it are those of the parent's threads.
                _ if !inside.here() => {
                    std::mem::forget(slot);
                    return inside.check(&self.label);
                }
                Ok(Attempt::Done) => return Ok(()),
                Ok(Attempt::Busy(queue)) => {
                    // A fork need not wait for this.
                    drop((slot, inside));
                    let queue = queue.filter(|_| front.is_none());
                    front = front.or_else(|| queue.and_then(|queue| queue.wait(until)));
                    if !lockfile::pause(until) {
                        return Err(self.late("another process"));
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// The transactions of one turn, unless another process is writing.
    fn attempt(
        &self,
        kind: Kind,
        here: &Here,
        inside: &Inside,
        slot: &mut Option<Open>,
        run: Run<'_>,
    ) -> Result<Attempt, Error> {
        if let Some(busy) = self.opened(here, slot)? {
            return Ok(busy);
        }
        let open = slot.as_ref().expect("it was opened just now");
        let checked = here.checked.load(Ordering::SeqCst) == open.number();
        let current = checked || self.is_current(open, inside)?;
        let mut held = None;
        if kind == Kind::Write || !current {
            held = self.take(&open.lock)?;
            if held.is_none() {
                return Ok(Attempt::Busy(open.lock.queue()));
            }
        }
        if !current {
            self.run(inside, &open.connection, Kind::Write, &mut |transaction| {
                schema::migrate(self.schema, &self.label, transaction)
            })?;
        }
        here.checked.store(open.number(), Ordering::SeqCst);
        // Readers take no turns with other processes.
        let held = held.filter(|_| kind == Kind::Write);
        let done = run(inside, &open.connection);
        if !inside.here() {
            std::mem::forget(held);
            return done.map(|()| Attempt::Done);
        }
        drop(held);
        done?;
        if kind == Kind::Write && open.moved(&self.path) {
            here.slot.close(slot);
            return Err(self.replaced("what was just committed may be lost"));
        }
        Ok(Attempt::Done)
    }

    /// Reads beside whoever is writing; nothing where the file is not open, or not surely what it was.
    fn read_beside(&self, here: &Here, work: Work<'_>) -> Option<Result<(), Error>> {
        let inside = match Inside::enter(&self.label) {
            Ok(inside) => inside,
            Err(error) => return Some(Err(error)),
        };
        let _ours = Ours::begin();
        let mut reader = here.slot.reader();
        if reader.is_none() {
            *reader = self.reader(here);
        }
        let open = reader.as_ref()?;
        if !open.is_good(&self.path, here.checked.load(Ordering::SeqCst)) {
            return None;
        }
        let done = self.run(&inside, &open.connection, Kind::Read, work);
        if !inside.here() {
            std::mem::forget(reader);
            return Some(inside.check(&self.label));
        }
        Some(done)
    }

    fn take(&self, lock: &LockFile) -> Result<Option<Held>, Error> {
        lock.try_take().map_err(|error| self.refused(self.why_lock(&error)))
    }

    fn run(&self, inside: &Inside, connection: &Connection, kind: Kind, work: Work<'_>) -> Result<(), Error> {
        if kind == Kind::Copy {
            inside.check(&self.label)?;
            return work(&mut InSqlite::new(self, inside, connection));
        }
        let writes = |name: &str| {
            if kind == Kind::Write {
                step(name);
            }
        };
        writes("journal: before it begins");
        self.control(connection, if kind == Kind::Write { "BEGIN IMMEDIATE" } else { "BEGIN" })?;
        // Also when `work` panics: the panic is caught at the border and the connection used again.
        let _rollback = Rollback { inside, connection };
        writes("journal: begun");
        self.part(inside, connection, work)?;
        inside.check(&self.label)?;
        writes("journal: before the commit");
        self.control(connection, "COMMIT")?;
        writes("journal: committed");
        Ok(())
    }

    /// Runs `work` within the transaction that is open.
    fn part(&self, inside: &Inside, connection: &Connection, work: Work<'_>) -> Result<(), Error> {
        let mut transaction = InSqlite::new(self, inside, connection);
        let outcome = work(&mut transaction);
        // The first failure is the cause.
        transaction.failed.map_or(outcome, Err)
    }

    /// Runs `own` and then what others left, and commits once. Where that fails, each by itself: so
    /// everybody learns how their own ended.
    fn run_together(
        &self,
        inside: &Inside,
        connection: &Connection,
        turn: &Turn<'_>,
        own: &mut database::Work,
        others: &mut Vec<(Other, Result<(), Error>)>,
    ) -> Result<(), Error> {
        let of = std::ptr::from_ref(self).addr();
        let together = self.run(inside, connection, Kind::Write, &mut |transaction| {
            own(transaction)?;
            while others.len() + 1 < TOGETHER
                && let Some(mut other) = next(turn, of, !others.is_empty())
            {
                let done = caught(|| self.part(inside, connection, &mut other.work));
                others.push((other, Ok(())));
                // It cannot be rolled back alone: then nothing is kept, and each is done by itself.
                done?;
            }
            Ok(())
        });
        if together.is_ok() || others.is_empty() || !inside.here() {
            return together;
        }
        for (other, result) in others {
            *result = caught(|| self.run(inside, connection, Kind::Write, &mut other.work));
        }
        self.run(inside, connection, Kind::Write, own)
    }

    fn control(&self, connection: &Connection, sql: &str) -> Result<(), Error> {
        let done = connection.prepare_cached(sql).and_then(|mut statement| statement.execute([]));
        done.map(drop).map_err(|error| self.error(connection, &error))
    }

    fn error(&self, connection: &Connection, error: &rusqlite::Error) -> Error {
        let system = locks::system_error(connection);
        let full = system.as_ref().and_then(std::io::Error::raw_os_error);
        let full = full.is_some_and(|number| matches!(number, libc::ENOSPC | libc::EDQUOT | libc::EFBIG));
        self.refused(match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => return self.late("another program"),
            Some(ErrorCode::DiskFull) => files::full(),
            Some(ErrorCode::SystemIoFailure) if full => files::full(),
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => format!(
                "the file is no SQLite database, or damaged ({error}); expected a whole journal: \
                 put it aside and restore a copy, do not delete it"
            ),
            Some(ErrorCode::ReadOnly) => format!(
                "the file cannot be written ({error}); expected one that the user of this process may write, \
                 and a directory likewise"
            ),
            Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen) => {
                let system = system.map(|system| format!(": {system}")).unwrap_or_default();
                format!(
                    "the disk failed ({error}{system}); expected one that can be read and written: check it"
                )
            }
            _ => format!("{error}; expected a statement that SQLite accepts"),
        })
    }

    fn why_lock(&self, error: &std::io::Error) -> String {
        format!("it cannot be locked ({error}); expected a local disk that knows locks: move the journal")
    }

    fn late(&self, who: &str) -> Error {
        self.refused(format!(
            "{who} kept it locked for {} s; expected a few milliseconds: look for a process that was \
             stopped in the middle, or for another program that has the file open",
            WAIT.as_secs()
        ))
    }

    fn refused(&self, why: String) -> Error {
        Error::not_sent(Code::JournalUnavailable, format!("{}: {why}", self.label))
    }

    fn elsewhere(&self, found: &str) -> Error {
        let message = format!(
            "{}: {found}; expected that only the engine opens it, for another SQLite in the same process \
             can lose what was committed: read the journal through the engine",
            self.label
        );
        Error::not_sent(Code::JournalOpenElsewhere, message)
    }

    fn replaced(&self, consequence: &str) -> Error {
        self.elsewhere(&format!(
            "the file or its -wal was removed or replaced while it was open ({consequence})"
        ))
    }

    /// Raises the alarm when nothing is held any more: a logger is the host's code.
    fn alarmed(&self, done: Result<(), Error>) -> Result<(), Error> {
        if let Err(error) = &done
            && error.code == Code::JournalOpenElsewhere
        {
            log::error!("{}", error.message);
        }
        done
    }
}

impl Database for Sqlite {
    fn write(&self, work: Work<'_>) -> Result<(), Error> {
        self.alarmed(self.transact(Kind::Write, work))
    }

    fn write_together(&self, work: database::Work) -> Result<(), Error> {
        self.alarmed(self.transact_together(work))
    }

    fn read(&self, work: Work<'_>) -> Result<(), Error> {
        fork::usable(&self.label)?;
        let here = self.here();
        self.alarmed(match here.slot.turns.take_if_free() {
            Some(turn) => self.take_turn(Kind::Read, &here, turn, Instant::now() + WAIT, work),
            None => match self.read_beside(&here, work) {
                Some(done) => done,
                None => self.transact(Kind::Read, work),
            },
        })
    }

    fn backup(&self, to: &Path) -> Result<(), Error> {
        files::make_private(to).map_err(|error| not_copied(&self.label, to, &error.to_string()))?;
        let target = Cell::Text(to.display().to_string());
        let copied = self.alarmed(self.transact(Kind::Copy, &mut |transaction| {
            transaction.execute("VACUUM INTO ?1", std::slice::from_ref(&target)).map(drop)
        }));
        copied.and_then(|()| check_copy(to).map_err(|what| not_copied(&self.label, to, &what))).inspect_err(
            |_| {
                // Half a copy must not be taken for one.
                let _ = std::fs::remove_file(to);
            },
        )
    }

    fn name(&self) -> &str {
        &self.name
    }
}

/// Reads a copy from end to end, and has it on the disk.
fn check_copy(copy: &Path) -> Result<(), String> {
    let text = |error: rusqlite::Error| error.to_string();
    let connection = Connection::open_with_flags(copy, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(text)?;
    let found: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).map_err(text)?;
    if found != "ok" {
        return Err(format!("the copy is damaged ({found})"));
    }
    drop(connection);
    files::sync(copy).map_err(|error| error.to_string())
}

fn not_copied(label: &str, to: &Path, why: &str) -> Error {
    let what = format!(
        "{label}: it cannot be copied to {}: {why}; expected a directory that can be written and has room, \
         and no file of that name",
        to.display()
    );
    Error::not_sent(Code::InvalidArgument, what).field("to")
}

/// The next work that was left. Where there are several threads, one more may be just about to leave its own:
/// it is let run once, for a commit that comes later and is shared by more costs all of them less.
fn next(turn: &Turn<'_>, of: usize, several: bool) -> Option<Other> {
    let other = turn.other(of);
    if other.is_some() || !several {
        return other;
    }
    thread::yield_now();
    turn.other(of)
}

/// Another's work that panics must not take those that came with it along.
fn caught(work: impl FnOnce() -> Result<(), Error>) -> Result<(), Error> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        Err(Error::not_sent(Code::Internal, "what was to be written panicked: nothing of it was written"))
    })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// `journal.db` and `-lock` make `journal.db-lock`, as SQLite names its own files.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
