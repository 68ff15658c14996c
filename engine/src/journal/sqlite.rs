//! The journal in one file on a local disk, by the SQLite that is part of the engine.
//!
//! One connection per process and file, used by one thread after the other: writing is in
//! turns anyway, and a second connection would be one more thing to close before a fork.

use std::collections::HashMap;
use std::fs::File;
use std::path::{self, Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode, OpenFlags, ToSql};

use super::database::{Cell, Database, Transaction};
use super::files::{self, Identity};
use super::fork::{self, BeforeFork, Inside};
use super::lockfile::{self, Held, LockFile, Queue};
use super::locks::{self, Ours};
use super::schema::{self, Schema};
use super::turn::Turns;
use crate::error::{Code, Error};
use crate::faults::{ahead_ms, step};
use crate::process::PerProcess;

/// How long a transaction waits for others that write.
const WAIT: Duration = Duration::from_secs(5);
/// More statements than the journal has.
const STATEMENTS: usize = 128;

type Work<'a> = &'a mut dyn FnMut(&mut dyn Transaction) -> Result<(), Error>;

/// A journal in a file.
pub(crate) struct Sqlite {
    path: PathBuf,
    name: String,
    /// What errors call it: `journal sqlite:/var/lib/bayar/journal.db`.
    label: String,
    schema: Schema,
    here: PerProcess<Here>,
}

/// What belongs to one process.
struct Here {
    slot: Arc<Slot>,
    /// The opening at which the tables were last looked at.
    checked: AtomicU64,
}

/// One file in one process, for all that name it.
#[derive(Default)]
struct Slot {
    turns: Turns,
    /// Locked only inside [`Inside`], so that it is free when a fork has waited for that.
    open: Mutex<Option<Open>>,
    /// Where to wait for other processes.
    queue: Mutex<Option<Queue>>,
    /// What was open last: where it is gone, an empty journal must not take its place.
    known: Mutex<Option<Identity>>,
}

/// An open file.
struct Open {
    connection: Connection,
    lock: LockFile,
    /// Carries the sign; open as long as the connection is.
    file: File,
    /// The database and its log, as they were opened.
    identities: [Identity; 2],
    number: u64,
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

    /// Takes turns, waits for other processes, looks whether the file is still ours, runs `work`
    /// and looks again.
    fn transact(&self, kind: Kind, work: Work<'_>) -> Result<(), Error> {
        fork::usable(&self.label)?;
        let here = self.here.get(|| Here { slot: slot(&self.path), checked: AtomicU64::new(0) });
        let until = Instant::now() + WAIT;
        let turn = here.slot.turns.take(until).ok_or_else(|| self.late("this process itself"))?;
        let mut front = None;
        if kind == Kind::Write {
            let queue = *lock(&here.slot.queue);
            front = queue.and_then(|queue| queue.wait(until));
        }
        loop {
            let inside = Inside::enter(&self.label)?;
            let _ours = Ours::begin();
            let mut slot = lock(&here.slot.open);
            match self.attempt(kind, &here, &inside, &mut slot, work) {
                // Not ours to close, and the locks around it are those of the parent's threads.
                _ if !inside.here() => {
                    std::mem::forget((slot, turn));
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

    /// The whole transaction, unless another process is writing.
    fn attempt(
        &self,
        kind: Kind,
        here: &Here,
        inside: &Inside,
        slot: &mut Option<Open>,
        work: Work<'_>,
    ) -> Result<Attempt, Error> {
        if let Some(busy) = self.opened(here, slot)? {
            return Ok(busy);
        }
        let open = slot.as_ref().expect("it was opened just now");
        let checked = here.checked.load(Ordering::SeqCst) == open.number;
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
        here.checked.store(open.number, Ordering::SeqCst);
        // Readers take no turns with other processes.
        let held = held.filter(|_| kind == Kind::Write);
        let done = self.run(inside, &open.connection, kind, work);
        if !inside.here() {
            std::mem::forget(held);
            return done.map(|()| Attempt::Done);
        }
        drop(held);
        done?;
        if kind == Kind::Write && open.moved(&self.path) {
            *slot = None;
            return Err(self.replaced("what was just committed may be lost"));
        }
        Ok(Attempt::Done)
    }

    /// Opens the file, or makes sure that what is open is still the file; unless another process
    /// is writing.
    fn opened(&self, here: &Here, slot: &mut Option<Open>) -> Result<Option<Attempt>, Error> {
        let Some(open) = slot else {
            return match self.open(here)? {
                Ok(open) => {
                    *lock(&here.slot.queue) = open.lock.queue();
                    *slot = Some(open);
                    fork::close_before_fork(Arc::downgrade(&here.slot) as Weak<dyn BeforeFork>);
                    Ok(None)
                }
                Err(busy) => Ok(Some(busy)),
            };
        };
        if open.moved(&self.path) {
            *slot = None;
            return Err(self.replaced("nothing was written"));
        }
        if !locks::sign_is_there(&open.file) {
            *slot = None;
            return Err(self.elsewhere("something else in this process opened and closed it"));
        }
        Ok(None)
    }

    /// The open file, or what to wait for.
    fn open(&self, here: &Here) -> Result<Result<Open, Attempt>, Error> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let mut known = lock(&here.slot.known);
        let file = files::prepare(&self.path, known.is_none()).map_err(|why| self.refused(why))?;
        let of_path = |path: &Path| {
            files::identity(path).map_err(|error| self.refused(files::explain(path, "file", &error)))
        };
        let identity = of_path(&self.path)?;
        if files::times_open(identity) > 1 {
            return Err(self.elsewhere("something else in this process has it open"));
        }
        let lock_path = beside(&self.path, "-lock");
        let lock = LockFile::open(&lock_path, &self.path)
            .map_err(|error| self.refused(files::explain(&lock_path, "lock file", &error)))?;
        // Two that make a new file a journal at once would meet.
        let held = if files::has_log(&file) { None } else { self.take(&lock)? };
        if held.is_none() && !files::has_log(&file) {
            return Ok(Err(Attempt::Busy(lock.queue())));
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection =
            Connection::open_with_flags(&self.path, flags).map_err(|e| self.refused(e.to_string()))?;
        self.set_up(&connection).map_err(|error| self.error(&connection, &error))?;
        locks::put_sign(&file).map_err(|error| self.refused(self.why_lock(&error)))?;
        let identities = [identity, of_path(&beside(&self.path, "-wal"))?];
        *known = Some(identity);
        let number = NUMBER.fetch_add(1, Ordering::SeqCst) + 1;
        Ok(Ok(Open { connection, lock, file, identities, number }))
    }

    fn take(&self, lock: &LockFile) -> Result<Option<Held>, Error> {
        lock.try_take().map_err(|error| self.refused(self.why_lock(&error)))
    }

    fn set_up(&self, connection: &Connection) -> rusqlite::Result<()> {
        connection.busy_timeout(WAIT)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        // The log is left to the next that opens, so that closing before a fork is quick.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        // Else every statement whose plan rests on a partial index is prepared anew at each use.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        // What is forgotten is overwritten, where a page is written anyway.
        connection.pragma_update(None, "secure_delete", "FAST")?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        // Opens the log, and reads the file's first page.
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))
    }

    /// Whether the tables are up to date; looked at once for each opening.
    fn is_current(&self, open: &Open, inside: &Inside) -> Result<bool, Error> {
        let tables = "SELECT count(*), coalesce(sum(name = ?1), 0) FROM sqlite_schema WHERE type = 'table'";
        let found = open
            .connection
            .query_row(tables, [self.schema.meta], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)));
        let (tables, meta) = found.map_err(|error| self.error(&open.connection, &error))?;
        if tables > 0 && meta == 0 {
            return Err(self.refused(format!(
                "it is a database of another program, with {tables} tables and no `{}`; \
                 expected a {} or no file: name another one",
                self.schema.meta, self.schema.what
            )));
        }
        let mut current = false;
        if meta > 0 {
            self.run(inside, &open.connection, Kind::Read, &mut |transaction| {
                current = schema::is_current(self.schema, &self.label, transaction)?;
                Ok(())
            })?;
        }
        Ok(current)
    }

    fn run(&self, inside: &Inside, connection: &Connection, kind: Kind, work: Work<'_>) -> Result<(), Error> {
        if kind == Kind::Copy {
            inside.check(&self.label)?;
            return work(&mut InSqlite { of: self, inside, connection, failed: None, now: None });
        }
        let control = |sql| {
            let done = connection.prepare_cached(sql).and_then(|mut statement| statement.execute([]));
            done.map_err(|error| self.error(connection, &error))
        };
        let writes = |name: &str| {
            if kind == Kind::Write {
                step(name);
            }
        };
        writes("journal: before it begins");
        control(if kind == Kind::Write { "BEGIN IMMEDIATE" } else { "BEGIN" })?;
        // Also when `work` panics: the panic is caught at the border and the connection used again.
        let _rollback = Rollback { inside, connection };
        let mut transaction = InSqlite { of: self, inside, connection, failed: None, now: None };
        writes("journal: begun");
        let outcome = work(&mut transaction);
        // The first failure is the cause; SQLite may have rolled back by itself at it.
        transaction.failed.map_or(outcome, Err)?;
        inside.check(&self.label)?;
        writes("journal: before the commit");
        control("COMMIT").map(drop)?;
        writes("journal: committed");
        Ok(())
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

    fn read(&self, work: Work<'_>) -> Result<(), Error> {
        self.alarmed(self.transact(Kind::Read, work))
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

impl Open {
    /// Whether other files have the names of those that are open.
    fn moved(&self, path: &Path) -> bool {
        let now = [files::identity(path), files::identity(&beside(path, "-wal"))];
        now.iter().zip(&self.identities).any(|(now, then)| now.as_ref().ok() != Some(then))
    }
}

impl BeforeFork for Slot {
    fn before_fork(&self) -> bool {
        let _ours = Ours::begin();
        match self.open.try_lock() {
            Ok(mut open) => *open = None,
            Err(std::sync::TryLockError::Poisoned(open)) => *open.into_inner() = None,
            Err(std::sync::TryLockError::WouldBlock) => return false,
        }
        true
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let _ours = Ours::begin();
        let open = self.open.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if !fork::handles_are_ours() {
            std::mem::forget(open);
        }
    }
}

/// This process's slot for a file.
fn slot(path: &Path) -> Arc<Slot> {
    static SLOTS: PerProcess<Mutex<HashMap<PathBuf, Weak<Slot>>>> = PerProcess::new();
    let slots = SLOTS.get(Mutex::default);
    let mut slots = lock(&slots);
    slots.retain(|_, slot| slot.strong_count() > 0);
    if let Some(slot) = slots.get(path).and_then(Weak::upgrade) {
        return slot;
    }
    let slot = Arc::new(Slot::default());
    slots.insert(path.to_owned(), Arc::downgrade(&slot));
    slot
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Rolls back what was not committed.
struct Rollback<'a> {
    inside: &'a Inside,
    connection: &'a Connection,
}

impl Drop for Rollback<'_> {
    fn drop(&mut self) {
        if self.inside.here() && !self.connection.is_autocommit() {
            // SQLite has rolled back by itself where this fails.
            let _ = self.connection.execute_batch("ROLLBACK");
        }
    }
}

struct InSqlite<'a> {
    of: &'a Sqlite,
    inside: &'a Inside,
    connection: &'a Connection,
    failed: Option<Error>,
    now: Option<i64>,
}

impl InSqlite<'_> {
    fn run<T>(&mut self, statement: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, Error> {
        self.inside.check(&self.of.label)?;
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        statement(self.connection)
            .map_err(|error| self.failed.insert(self.of.error(self.connection, &error)).clone())
    }
}

impl Transaction for InSqlite<'_> {
    fn execute(&mut self, sql: &str, values: &[Cell]) -> Result<u64, Error> {
        self.run(|connection| {
            let mut statement = connection.prepare_cached(sql)?;
            bind(&mut statement, values)?;
            Ok(statement.raw_execute()? as u64)
        })
    }

    fn query(&mut self, sql: &str, values: &[Cell]) -> Result<Vec<Vec<Cell>>, Error> {
        self.run(|connection| {
            let mut statement = connection.prepare_cached(sql)?;
            bind(&mut statement, values)?;
            let columns = statement.column_count();
            let mut rows = statement.raw_query();
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push((0..columns).map(|n| cell(row.get_ref(n)?)).collect::<rusqlite::Result<_>>()?);
            }
            Ok(found)
        })
    }

    /// Asked once a transaction, which is short.
    fn now_ms(&mut self) -> Result<i64, Error> {
        if let Some(now) = self.now {
            return Ok(now);
        }
        // Seconds as a float: rounded, or every other millisecond would be one too few.
        let rows = self.query("SELECT CAST(ROUND(unixepoch('subsec') * 1000) AS INTEGER)", &[])?;
        match rows.first().map(Vec::as_slice) {
            Some([Cell::Int(now)]) => Ok(*self.now.insert(*now + ahead_ms())),
            other => Err(self.of.refused(format!("it gave {other:?} for the time"))),
        }
    }
}

fn bind(statement: &mut rusqlite::CachedStatement<'_>, values: &[Cell]) -> rusqlite::Result<()> {
    values.iter().enumerate().try_for_each(|(n, value)| statement.raw_bind_parameter(n + 1, value))
}

impl ToSql for Cell {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Cell::Null => ValueRef::Null,
            Cell::Int(number) => ValueRef::Integer(*number),
            Cell::Text(text) => ValueRef::Text(text.as_bytes()),
        }))
    }
}

fn cell(value: ValueRef<'_>) -> rusqlite::Result<Cell> {
    Ok(match value {
        ValueRef::Null => Cell::Null,
        ValueRef::Integer(number) => Cell::Int(number),
        ValueRef::Text(text) => Cell::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Real(number) => Cell::Text(number.to_string()),
        ValueRef::Blob(bytes) => Cell::Text(String::from_utf8_lossy(bytes).into_owned()),
    })
}

/// `journal.db` and `-lock` make `journal.db-lock`, as SQLite names its own files.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
