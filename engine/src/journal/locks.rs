//! Locks that a second SQLite in this process cannot take away, and a sign that there was one.
//!
//! Locks of the kind that SQLite uses (POSIX) belong to a process: when *any* library in it
//! closes the file, all of them are gone, and a committed row can be lost. So, for the journal's
//! files only, our SQLite asks for locks that belong to the open file instead (`F_OFD_SETLK`).
//! A lock of the old kind remains on a byte that nobody uses: it is gone as soon as somebody
//! else in this process has closed the file, and that is how we know.

#![allow(unsafe_code, reason = "fcntl, and SQLite's table of system calls; each block states why it holds")]

use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::process;
use std::ptr;
use std::sync::Once;

use rusqlite::{Connection, ffi};

/// Above the bytes that SQLite locks (up to 0x40000200), and a byte for each process, so that
/// the lock that is found can only be our own.
const SIGN: i64 = 0x7000_0000_0000;

thread_local! {
    /// Whether this thread is using the journal's SQLite just now: a host in Rust may use the
    /// same copy of SQLite for files of its own.
    static OURS: Cell<bool> = const { Cell::new(false) };
}

/// While this lives, what SQLite does on this thread is for the journal.
pub(crate) struct Ours(bool);

impl Ours {
    pub(crate) fn begin() -> Ours {
        static INSTALLED: Once = Once::new();
        INSTALLED.call_once(install);
        Ours(OURS.replace(true))
    }
}

impl Drop for Ours {
    fn drop(&mut self) {
        OURS.set(self.0);
    }
}

fn install() {
    // SAFETY: SQLite is initialised, so that its list of file systems is complete, before it is
    // asked for the default one; the name ends in NUL; the function stays for good.
    unsafe {
        ffi::sqlite3_initialize();
        let vfs = ffi::sqlite3_vfs_find(ptr::null());
        if let Some(set) = vfs.as_ref().and_then(|vfs| vfs.xSetSystemCall) {
            set(vfs, c"fcntl".as_ptr(), Some(std::mem::transmute::<Fcntl, unsafe extern "C" fn()>(fcntl)));
        }
    }
}

type Fcntl = unsafe extern "C" fn(c_int, c_int, *mut c_void) -> c_int;

/// Called by SQLite in place of `fcntl`, with two or three arguments: on Linux those of a
/// variadic function arrive as those of any other, and one that is missing is not looked at.
unsafe extern "C" fn fcntl(descriptor: c_int, command: c_int, argument: *mut c_void) -> c_int {
    let command = match command {
        libc::F_SETLK if OURS.get() => libc::F_OFD_SETLK,
        libc::F_SETLKW if OURS.get() => libc::F_OFD_SETLKW,
        libc::F_GETLK if OURS.get() => libc::F_OFD_GETLK,
        other => other,
    };
    if matches!(command, libc::F_OFD_SETLK | libc::F_OFD_SETLKW | libc::F_OFD_GETLK) {
        // SAFETY: with these commands SQLite's argument is its own lock structure.
        unsafe { (*argument.cast::<libc::flock>()).l_pid = 0 };
    }
    // SAFETY: what SQLite asked for.
    unsafe { libc::fcntl(descriptor, command, argument) }
}

/// Puts up the sign on an open journal.
pub(crate) fn put_sign(file: &File) -> io::Result<()> {
    let mut lock = sign(libc::F_RDLCK);
    // SAFETY: an open file, and a structure that outlives the call.
    match unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETLK, &raw mut lock) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Whether nobody in this process has closed the file since the sign was put up.
pub(crate) fn sign_is_there(file: &File) -> bool {
    let mut lock = sign(libc::F_WRLCK);
    // SAFETY: as above; the answer is written into the structure.
    let asked = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_OFD_GETLK, &raw mut lock) };
    // A kernel that cannot say is no reason to raise an alarm.
    asked != 0 || c_int::from(lock.l_type) != libc::F_UNLCK
}

fn sign(kind: c_int) -> libc::flock {
    // SAFETY: numbers only, for which zero is a value.
    let mut lock: libc::flock = unsafe { std::mem::zeroed() };
    lock.l_type = kind as i16;
    lock.l_whence = libc::SEEK_SET as i16;
    lock.l_start = SIGN + i64::from(process::id());
    lock.l_len = 1;
    lock
}

/// What the system said at the last failure: SQLite's own text keeps it back.
pub(crate) fn system_error(connection: &Connection) -> Option<io::Error> {
    // SAFETY: the handle is valid as long as the connection is borrowed, and only read.
    let number = unsafe { ffi::sqlite3_system_errno(connection.handle()) };
    (number != 0).then(|| io::Error::from_raw_os_error(number))
}
