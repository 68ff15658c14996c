//! One file in one process: what is open of it, and how it is opened.

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError, Weak};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::{Attempt, Kind, STATEMENTS, Sqlite, WAIT, beside, lock};
use crate::error::Error;
use crate::journal::files::{self, Identity};
use crate::journal::fork::{self, BeforeFork, Inside};
use crate::journal::lockfile::{LockFile, Queue};
use crate::journal::locks::{self, Ours};
use crate::journal::schema;
use crate::journal::turn::Turns;
use crate::process::PerProcess;

/// What belongs to one process.
pub(super) struct Here {
    pub(super) slot: Arc<Slot>,
    /// The opening at which the tables were last looked at.
    pub(super) checked: AtomicU64,
}

/// How many threads may read beside one that writes.
const READERS: usize = 4;

/// One file in one process, for all that name it. Where several threads use it, it is opened once more for
/// those that read while another writes. All are closed together, for closing one would take the sign away.
#[derive(Default)]
pub(super) struct Slot {
    /// Turns at `open`.
    pub(super) turns: Turns,
    /// Locked only inside [`Inside`], so that it is free when a fork has waited for that.
    pub(super) open: Mutex<Option<Open>>,
    /// Likewise; after `open`, where both are locked. Reading takes so short that nobody waits for a turn:
    /// to be woken for it would take longer.
    readers: [Mutex<Option<Reader>>; READERS],
    /// What is open, for those that open it once more; locked last.
    current: Mutex<Option<Arc<Opened>>>,
    /// Where to wait for other processes.
    pub(super) queue: Mutex<Option<Queue>>,
    /// What was open last: where it is gone, an empty journal must not take its place.
    known: Mutex<Option<Identity>>,
}

/// An open file.
pub(super) struct Open {
    pub(super) connection: Connection,
    pub(super) lock: LockFile,
    opened: Arc<Opened>,
}

/// The same, only for reading.
pub(super) struct Reader {
    pub(super) connection: Connection,
    opened: Arc<Opened>,
}

/// What tells whether the file is still what was opened.
struct Opened {
    /// Carries the sign; open as long as the connections are.
    file: File,
    /// The database and its log, as they were opened.
    identities: [Identity; 2],
    number: u64,
}

impl Sqlite {
    /// Opens the file, or makes sure that what is open is still the file; unless another process
    /// is writing.
    pub(super) fn opened(&self, here: &Here, slot: &mut Option<Open>) -> Result<Option<Attempt>, Error> {
        let Some(open) = slot else {
            return match self.open(here)? {
                Ok(open) => {
                    *lock(&here.slot.queue) = open.lock.queue();
                    *lock(&here.slot.current) = Some(Arc::clone(&open.opened));
                    *slot = Some(open);
                    fork::close_before_fork(Arc::downgrade(&here.slot) as Weak<dyn BeforeFork>);
                    Ok(None)
                }
                Err(busy) => Ok(Some(busy)),
            };
        };
        if open.moved(&self.path) {
            here.slot.close(slot);
            return Err(self.replaced("nothing was written"));
        }
        if !locks::sign_is_there(&open.opened.file) {
            here.slot.close(slot);
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
        let connection = self.connect(false)?;
        locks::put_sign(&file).map_err(|error| self.refused(self.why_lock(&error)))?;
        let identities = [identity, of_path(&beside(&self.path, "-wal"))?];
        *known = Some(identity);
        let number = NUMBER.fetch_add(1, Ordering::SeqCst) + 1;
        let opened = Arc::new(Opened { file, identities, number });
        Ok(Ok(Open { connection, lock, opened }))
    }

    /// Opens it once more, to read; nothing where it is not open, or cannot be opened once more.
    pub(super) fn reader(&self, here: &Here) -> Option<Reader> {
        let opened = lock(&here.slot.current).clone()?;
        match self.connect(true) {
            Ok(connection) => Some(Reader { connection, opened }),
            Err(_) => {
                // What was half open was closed, and that took the sign away. It was ourselves.
                let _ = locks::put_sign(&opened.file);
                None
            }
        }
    }

    fn connect(&self, only_reads: bool) -> Result<Connection, Error> {
        // To read, too: whoever comes first after a crash puts the log in order.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection =
            Connection::open_with_flags(&self.path, flags).map_err(|e| self.refused(e.to_string()))?;
        self.set_up(&connection, only_reads).map_err(|error| self.error(&connection, &error))?;
        Ok(connection)
    }

    fn set_up(&self, connection: &Connection, only_reads: bool) -> rusqlite::Result<()> {
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
        connection.pragma_update(None, "query_only", only_reads)?;
        // Opens the log, and reads the file's first page.
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))
    }

    /// Whether the tables are up to date; looked at once for each opening.
    pub(super) fn is_current(&self, open: &Open, inside: &Inside) -> Result<bool, Error> {
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
}

impl Opened {
    fn moved(&self, path: &Path) -> bool {
        let now = [files::identity(path), files::identity(&beside(path, "-wal"))];
        now.iter().zip(&self.identities).any(|(now, then)| now.as_ref().ok() != Some(then))
    }
}

impl Open {
    /// Whether other files have the names of those that are open.
    pub(super) fn moved(&self, path: &Path) -> bool {
        self.opened.moved(path)
    }

    pub(super) fn number(&self) -> u64 {
        self.opened.number
    }
}

impl Reader {
    /// Whether all is as it was when the tables were looked at, at this opening.
    pub(super) fn is_good(&self, path: &Path, checked: u64) -> bool {
        self.opened.number == checked && !self.opened.moved(path) && locks::sign_is_there(&self.opened.file)
    }
}

impl Slot {
    /// Closes what is open, given what is locked of it.
    pub(super) fn close(&self, open: &mut Option<Open>) {
        *lock(&self.current) = None;
        let mut readers = self.readers.each_ref().map(lock);
        *open = None;
        readers.iter_mut().for_each(|reader| **reader = None);
    }

    /// A place to read at: a free one, if there is one.
    pub(super) fn reader(&self) -> MutexGuard<'_, Option<Reader>> {
        self.readers.iter().find_map(try_lock).unwrap_or_else(|| lock(&self.readers[0]))
    }
}

impl BeforeFork for Slot {
    fn before_fork(&self) -> bool {
        let _ours = Ours::begin();
        let readers = self.readers.each_ref().map(try_lock);
        let (Some(mut open), true) = (try_lock(&self.open), readers.iter().all(Option::is_some)) else {
            return false;
        };
        if let Some(mut current) = try_lock(&self.current) {
            *current = None;
        }
        *open = None;
        readers.into_iter().flatten().for_each(|mut reader| *reader = None);
        true
    }
}

fn try_lock<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    match mutex.try_lock() {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let _ours = Ours::begin();
        let open = self.open.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        let readers =
            self.readers.each_mut().map(|one| one.get_mut().unwrap_or_else(PoisonError::into_inner).take());
        if !fork::handles_are_ours() {
            std::mem::forget((open, readers));
        }
    }
}

/// This process's slot for a file.
pub(super) fn slot(path: &Path) -> Arc<Slot> {
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
