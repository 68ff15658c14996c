//! What may happen to a journal: forks, other openers, other writers, bad files and full disks.
//!
//! Each of these tests runs in a process of its own, for most of them change the process.

#![allow(unsafe_code, reason = "fork and its kin, as a host's language calls them")]

use std::collections::BTreeSet;
use std::fs::{self, File, Permissions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::PermissionsExt;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::database::{Cell, Database};
use super::fork::{self, BeforeFork};
use super::sqlite::{Sqlite, beside};
use super::suite::{STEPS, insert, keys, put, rows, slow_writers};
use crate::error::{Code, Error};

/// Runs `test` in a process of its own, which ends with it.
fn alone(name: &str, test: impl FnOnce()) {
    if std::env::var_os("BAYAR_ALONE").is_some() {
        println!();
        return test();
    }
    let program = std::env::current_exe().expect("this program");
    let name = format!("journal::faults::{name}");
    let mut command = Command::new(program);
    command.args(["--exact", &name, "--nocapture", "--test-threads=1"]).env("BAYAR_ALONE", "1");
    let ran = command.stdin(Stdio::null()).output().expect("it runs again");
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{}\n{said}\n{}", ran.status, String::from_utf8_lossy(&ran.stderr));
    assert!(said.contains("1 passed"), "there is no test {name}");
    said.lines().filter(|line| line.starts_with("- ")).for_each(|line| println!("{line}"));
}

struct Child(libc::pid_t);

fn forked(code: impl FnOnce()) -> Child {
    // SAFETY: the child runs on with the one thread it has, and leaves by `_exit` below.
    after(unsafe { libc::fork() }, code)
}

fn after(pid: libc::pid_t, code: impl FnOnce()) -> Child {
    assert!(pid >= 0, "fork failed");
    if pid == 0 {
        // Where the test fails, nothing of it stays behind.
        // SAFETY: takes numbers.
        unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
        let failed = panic::catch_unwind(AssertUnwindSafe(code)).is_err();
        // SAFETY: ends the child at once; nothing of the parent's is cleaned up by it.
        unsafe { libc::_exit(i32::from(failed)) };
    }
    Child(pid)
}

impl Child {
    fn succeeds(self) {
        let begin = Instant::now();
        loop {
            let mut status = 0;
            // SAFETY: the child is ours and not waited for yet; `status` outlives the call.
            if unsafe { libc::waitpid(self.0, &mut status, libc::WNOHANG) } == self.0 {
                return assert_eq!(status, 0, "the child failed; its message is above");
            }
            if begin.elapsed() > Duration::from_secs(30) {
                self.ends();
                panic!("the child hangs");
            }
            thread::sleep(Duration::from_millis(1));
        }
    }

    fn signal(&self, number: i32) {
        // SAFETY: the child has not been waited for, so the id is still its own.
        unsafe { libc::kill(self.0, number) };
    }

    fn ends(self) {
        self.signal(libc::SIGKILL);
        // SAFETY: as above.
        unsafe { libc::waitpid(self.0, std::ptr::null_mut(), 0) };
    }
}

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Place {
        Place(tempfile::tempdir().expect("a temporary directory"))
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("journal.db")
    }

    fn journal(&self) -> Sqlite {
        Sqlite::new(self.path(), STEPS)
    }
}

/// What a refusal says, after making sure of its code.
fn refusal(done: Result<(), Error>, code: Code) -> String {
    let error = done.expect_err("a refusal");
    println!("- {error}");
    assert_eq!(error.code, code, "{error}");
    assert!(error.message.contains("expected"), "{error}");
    error.message
}

fn unavailable(done: Result<(), Error>, says: &str) {
    let said = refusal(done, Code::JournalUnavailable);
    assert!(said.contains(says), "{said}");
}

// Forks.

struct Done<'a>(&'a AtomicBool);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Threads write while the process forks again and again, and every child writes, too.
fn traffic_and_forks(database: &dyn Database, forks: u32) {
    let done = AtomicBool::new(false);
    let acknowledged = Mutex::new(BTreeSet::new());
    let slowest = AtomicU32::new(0);
    thread::scope(|scope| {
        for thread in 0..4 {
            let (done, acknowledged) = (&done, &acknowledged);
            scope.spawn(move || {
                for n in 0.. {
                    if done.load(Ordering::SeqCst) {
                        break;
                    }
                    let key = format!("parent/{thread}/{n}");
                    put(database, &key).expect("a commit");
                    acknowledged.lock().expect("no panic").insert(key);
                }
            });
        }
        // Also where a child fails: the threads would go on for ever.
        let _done = Done(&done);
        for fork in 0..forks {
            let begin = Instant::now();
            let child = forked(|| {
                for n in 0..2 {
                    put(database, &format!("child/{fork}/{n}")).expect("a child commits");
                }
                assert!(keys(database).contains(&format!("child/{fork}/0")));
            });
            slowest.fetch_max(begin.elapsed().as_millis() as u32, Ordering::SeqCst);
            child.succeeds();
        }
    });
    let mut expected = acknowledged.into_inner().expect("no panic");
    let of_parent = expected.len();
    expected.extend((0..forks).flat_map(|fork| (0..2).map(move |n| format!("child/{fork}/{n}"))));
    let found = keys(database);
    let lost = expected.difference(&found).count();
    let slowest = slowest.into_inner();
    println!(
        "- {}: {forks} forks, {of_parent} commits of the parent, {lost} rows lost, slowest fork {slowest} ms",
        database.name()
    );
    assert_eq!(lost, 0);
    assert_eq!(expected.len(), found.len());
}

#[test]
fn forks_under_traffic_lose_nothing() {
    alone("forks_under_traffic_lose_nothing", || {
        let place = Place::new();
        traffic_and_forks(&place.journal(), 200);
    });
}

#[cfg(feature = "postgres")]
#[test]
fn forks_under_traffic_lose_nothing_in_postgres() {
    alone("forks_under_traffic_lose_nothing_in_postgres", || {
        let cluster = bayar_tests::postgres::Cluster::start(&[]);
        let url = cluster.database("forks");
        let database = super::postgres::Postgres::new(&url, STEPS).expect("a URL");
        traffic_and_forks(&database, 100);
    });
}

#[test]
fn a_child_forked_inside_a_transaction_is_refused() {
    alone("a_child_forked_inside_a_transaction_is_refused", || {
        let place = Place::new();
        let database = place.journal();
        let mut child = None;
        let done = database.write(&mut |t| {
            insert(t, "parent")?;
            child = Some(forked(|| {
                refusal(insert(t, "child").map(drop), Code::JournalForked);
                refusal(put(&database, "child"), Code::JournalForked);
                refusal(put(&place.journal(), "another object"), Code::JournalForked);
                forked(|| drop(refusal(put(&place.journal(), "grandchild"), Code::JournalForked))).succeeds();
            }));
            Ok(())
        });
        done.expect("the parent goes on");
        child.expect("it was forked").succeeds();
        // The same, with the child going on into the parent's commit.
        let parent = std::process::id();
        let mut child = None;
        let done = database.write(&mut |t| {
            insert(t, "second")?;
            // SAFETY: the child leaves by `_exit` below.
            child = Some(unsafe { libc::fork() });
            Ok(())
        });
        if std::process::id() != parent {
            let refused = done.is_err_and(|error| error.code == Code::JournalForked);
            drop(database);
            // SAFETY: ends the child.
            unsafe { libc::_exit(i32::from(!refused)) };
        }
        done.expect("the parent goes on");
        Child(child.expect("it was forked")).succeeds();
        assert_eq!(keys(&database), ["parent".to_owned(), "second".to_owned()].into());
    });
}

#[test]
fn a_fork_waits_a_second_and_no_longer() {
    alone("a_fork_waits_a_second_and_no_longer", || {
        let place = Place::new();
        let database = place.journal();
        put(&database, "first").expect("a commit");
        thread::scope(|scope| {
            let (inside, is_inside) = std::sync::mpsc::channel();
            let database = &database;
            scope.spawn(move || {
                let done = database.write(&mut |t| {
                    insert(t, "slow")?;
                    inside.send(()).expect("the test waits");
                    thread::sleep(Duration::from_millis(2500));
                    Ok(())
                });
                done.expect("the parent's transaction ends well");
            });
            is_inside.recv().expect("it begins");
            let begin = Instant::now();
            let child = forked(|| drop(refusal(put(database, "child"), Code::JournalForked)));
            let waited = begin.elapsed();
            child.succeeds();
            println!("- a fork that could not drain took {} ms", waited.as_millis());
            assert!(
                waited > Duration::from_millis(990) && waited < Duration::from_millis(1500),
                "{waited:?}"
            );
        });
        put(&database, "last").expect("a commit");
        assert_eq!(keys(&database).len(), 3);
        forked(|| put(&database, "child").expect("this one drained")).succeeds();
    });
}

#[test]
fn a_child_made_behind_libc_is_refused() {
    alone("a_child_made_behind_libc_is_refused", || {
        let place = Place::new();
        let database = place.journal();
        put(&database, "first").expect("a commit");
        // SAFETY: `clone` as `fork` does it, without the handlers; the child leaves by `_exit`.
        let pid = unsafe { libc::syscall(libc::SYS_clone, libc::SIGCHLD, 0, 0, 0, 0) };
        after(pid as libc::pid_t, || {
            refusal(put(&database, "child"), Code::JournalForked);
            drop(database);
        })
        .succeeds();
        put(&place.journal(), "second").expect("the parent goes on");
    });
}

#[test]
fn other_things_are_closed_before_a_fork_too() {
    #[derive(Default)]
    struct Thing(AtomicU32);
    impl BeforeFork for Thing {
        fn before_fork(&self) -> bool {
            self.0.fetch_add(1, Ordering::SeqCst);
            true
        }
    }
    alone("other_things_are_closed_before_a_fork_too", || {
        let thing: Arc<dyn BeforeFork> = Arc::new(Thing::default());
        let weak = Arc::downgrade(&thing);
        fork::close_before_fork(weak.clone());
        forked(|| forked(|| ()).succeeds()).succeeds();
        drop(thing);
        assert!(weak.upgrade().is_none());
        forked(|| ()).succeeds();
    });
}

// Other openers.

/// Whether another process gets a lock on the file that an open journal must not give away.
fn another_process_can_take_it(path: &Path) -> bool {
    let program = r#"
import fcntl, sys
f = open(sys.argv[1], "r+b")
try: fcntl.lockf(f, fcntl.LOCK_EX | fcntl.LOCK_NB, 510, 0x40000002)
except OSError: sys.exit(1)
"#;
    let ran = Command::new("python3").args(["-c", program]).arg(path).status().expect("python3 runs");
    ran.success()
}

#[test]
fn a_second_opener_is_reported_and_takes_no_lock_away() {
    alone("a_second_opener_is_reported_and_takes_no_lock_away", || {
        let place = Place::new();
        let database = place.journal();
        for round in 0..5 {
            put(&database, &format!("before/{round}")).expect("a commit");
            // What any SQLite does at the end, and what drops all POSIX locks of this process.
            drop(File::open(place.path()).expect("it is there"));
            assert!(!another_process_can_take_it(&place.path()), "our locks are still held");
            refusal(put(&database, "refused"), Code::JournalOpenElsewhere);
            put(&database, &format!("after/{round}")).expect("reported once, then used again");
        }
        // A host in Rust may have this very copy of SQLite, which knows of both connections.
        let same = Connection::open(place.path()).expect("SQLite");
        let counted = same.query_row("SELECT count(*) FROM t", [], |row| row.get(0));
        assert_eq!(counted, Ok(10));
        drop(same);
        assert!(!another_process_can_take_it(&place.path()), "our locks are still held");
        assert_eq!(keys(&database).len(), 10);

        let standing = File::open(place.path()).expect("it is there");
        drop(database);
        refusal(put(&place.journal(), "refused"), Code::JournalOpenElsewhere);
        drop(standing);
        put(&place.journal(), "last").expect("nobody has it open now");
        assert_eq!(keys(&place.journal()).len(), 11);
    });
}

#[test]
fn files_taken_away_are_reported() {
    alone("files_taken_away_are_reported", || {
        let place = Place::new();
        let database = place.journal();
        put(&database, "first").expect("a commit");
        fs::rename(beside(&place.path(), "-wal"), place.0.path().join("moved")).expect("it is there");
        refusal(put(&database, "refused"), Code::JournalOpenElsewhere);
        fs::rename(place.0.path().join("moved"), beside(&place.path(), "-wal")).expect("it is there");
        put(&database, "second").expect("it is back");
        // In the middle of a transaction.
        let done = database.write(&mut |t| {
            insert(t, "third")?;
            fs::remove_file(beside(&place.path(), "-wal")).expect("it is there");
            Ok(())
        });
        let said = refusal(done, Code::JournalOpenElsewhere);
        assert!(said.contains("may be lost"), "{said}");

        let place = Place::new();
        let database = place.journal();
        put(&database, "first").expect("a commit");
        fs::remove_file(place.path()).expect("it is there");
        refusal(put(&database, "refused"), Code::JournalOpenElsewhere);
        unavailable(put(&database, "refused"), "is not there");
        assert!(!place.path().exists(), "no empty journal takes its place");
    });
}

// Other writers.

#[test]
fn fifty_slow_processes_all_commit() {
    alone("fifty_slow_processes_all_commit", || {
        let place = Place::new();
        let (mut longest, output) = std::io::pipe().expect("a pipe");
        let begin = Instant::now();
        let children: Vec<Child> = (0..50)
            .map(|_| {
                forked(|| {
                    let waited = slow_writers(&place.journal(), 1, 6);
                    (&output).write_all(&waited.to_ne_bytes()).expect("the test reads");
                })
            })
            .collect();
        children.into_iter().for_each(Child::succeeds);
        drop(output);
        let mut waits = Vec::new();
        longest.read_to_end(&mut waits).expect("what the children wrote");
        let waits = waits.chunks(4).map(|bytes| u32::from_ne_bytes(bytes.try_into().expect("four bytes")));
        println!(
            "- sqlite, 50 processes, 300 commits of 8 ms in {} ms: longest wait {} ms, busy 0",
            begin.elapsed().as_millis(),
            waits.max().expect("fifty of them")
        );
        assert_eq!(keys(&place.journal()).len(), 300);
    });
}

#[test]
fn killed_writers_leave_no_lock() {
    alone("killed_writers_leave_no_lock", || {
        let place = Place::new();
        put(&place.journal(), "first").expect("a commit");
        for round in 0..20 {
            let children: Vec<Child> =
                (0..4).map(|_| forked(|| assert_ne!(slow_writers(&place.journal(), 2, 1000), 0))).collect();
            thread::sleep(Duration::from_millis(40 + round));
            children.into_iter().for_each(Child::ends);
            let begin = Instant::now();
            put(&place.journal(), &format!("round/{round}")).expect("nothing is left locked");
            assert!(begin.elapsed() < Duration::from_secs(1), "{:?}", begin.elapsed());
        }
        let checked = rows(&place.journal(), "PRAGMA integrity_check", &[]);
        assert_eq!(checked, [[Cell::Text("ok".to_owned())]]);
    });
}

#[test]
fn a_lock_that_is_never_released_is_an_error() {
    alone("a_lock_that_is_never_released_is_an_error", || {
        let place = Place::new();
        let database = place.journal();
        put(&database, "first").expect("a commit");
        // Another engine, stopped inside a transaction.
        let within = place.0.path().join("within");
        let stopped = forked(|| {
            let stop = place.journal().write(&mut |t| {
                insert(t, "stopped")?;
                File::create(&within).expect("it says so");
                thread::sleep(Duration::from_secs(60));
                Ok(())
            });
            stop.expect("never reached");
        });
        while !within.exists() {
            thread::sleep(Duration::from_millis(1));
        }
        stopped.signal(libc::SIGSTOP);
        let begin = Instant::now();
        unavailable(put(&database, "late"), "another process kept it locked for 5 s");
        assert!(begin.elapsed() < Duration::from_secs(7), "{:?}", begin.elapsed());
        assert_eq!(keys(&database).len(), 1, "reading goes on");
        stopped.ends();
        // Another program, which knows nothing of our lock file.
        let program = "import sqlite3,sys,time; c=sqlite3.connect(sys.argv[1]); c.execute('BEGIN IMMEDIATE'); print('begun', flush=True); time.sleep(60)";
        let mut python = Command::new("python3");
        python.args(["-c", program]).arg(place.path()).stdout(Stdio::piped());
        let mut other = python.spawn().expect("python3 runs");
        let mut said = [0; 6];
        other.stdout.take().expect("a pipe").read_exact(&mut said).expect("it has begun");
        unavailable(put(&database, "late"), "another program kept it locked for 5 s");
        other.kill().expect("it runs");
        other.wait().expect("it ends");
        put(&database, "second").expect("a commit");
    });
}

// Bad files and disks.

#[test]
fn what_cannot_be_a_journal_is_refused() {
    alone("what_cannot_be_a_journal_is_refused", || {
        let place = Place::new();
        let at = |path: PathBuf| put(&Sqlite::new(path, STEPS), "refused");
        let inside = |name: &str| place.0.path().join(name);
        unavailable(at(place.0.path().to_owned()), "is a directory");
        fs::write(inside("file"), "x").expect("a file");
        unavailable(at(inside("file/journal.db")), "not a directory");

        fs::write(inside("garbage"), "no database. ".repeat(1000)).expect("a file");
        unavailable(at(inside("garbage")), "no SQLite database, or damaged");
        let other = Connection::open(inside("other")).expect("SQLite");
        other.execute_batch("CREATE TABLE books (title)").expect("a table");
        drop(other);
        unavailable(at(inside("other")), "database of another program");

        // A journal with pages overwritten.
        let broken = inside("broken");
        {
            let journal = Sqlite::new(broken.clone(), STEPS);
            (0..50).for_each(|n| put(&journal, &n.to_string()).expect("a commit"));
            rows(&journal, "PRAGMA wal_checkpoint(TRUNCATE)", &[]);
        }
        let mut file = fs::OpenOptions::new().write(true).open(&broken).expect("it is there");
        file.seek(SeekFrom::Start(4096)).expect("a file");
        file.write_all(&[0xEE; 4096 * 3]).expect("a file");
        drop(file);
        unavailable(at(broken), "damaged");

        // For the file as for the directory, by a user who is not root.
        put(&place.journal(), "first").expect("a commit");
        fs::set_permissions(place.0.path(), Permissions::from_mode(0o755)).expect("it is ours");
        // SAFETY: takes a number; the child alone becomes another user.
        let lower = || assert!(unsafe { libc::geteuid() != 0 || libc::setuid(65534) == 0 });
        if fs::metadata("/proc/self").is_ok_and(|us| std::os::unix::fs::MetadataExt::uid(&us) == 0) {
            forked(|| {
                lower();
                unavailable(at(place.path()), "no permission for file");
                unavailable(at(inside("new.db")), "no permission for file");
                unavailable(at(inside("new/journal.db")), "no permission for directory");
            })
            .succeeds();
        }
    });
}

/// A file system of its own; `None` where mounting is not allowed.
fn mounted(at: &Path, options: &str) -> Option<Mounted> {
    fs::create_dir(at).expect("a new directory");
    let ran = Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(at).output();
    ran.is_ok_and(|ran| ran.status.success()).then(|| Mounted(at.to_owned()))
}

struct Mounted(PathBuf);

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_disk_that_cannot_be_written_is_an_error() {
    alone("a_disk_that_cannot_be_written_is_an_error", || {
        let place = Place::new();
        let Some(disk) = mounted(&place.0.path().join("disk"), "size=2m") else {
            return println!("- mounting is not allowed: only a limit on files was tested");
        };
        let journal = Sqlite::new(disk.0.join("journal.db"), STEPS);
        put(&journal, "first").expect("a commit");
        let filler = disk.0.join("filler");
        let full = fs::write(&filler, vec![0; 4 << 20]);
        assert!(full.is_err(), "the disk is full");
        let mut kept = 1;
        let error = loop {
            match put(&journal, &"x".repeat(kept + 900)) {
                Ok(()) => kept += 1,
                Err(error) => break error,
            }
        };
        unavailable(Err(error), "the disk is full");
        unavailable(put(&Sqlite::new(disk.0.join("new.db"), STEPS), "x"), "the disk is full");
        fs::remove_file(&filler).expect("it is there");
        put(&journal, "second").expect("there is room again");
        assert_eq!(keys(&journal).len(), kept + 1, "what was acknowledged, and no more");
        drop(journal);
        let remount =
            |how| Command::new("mount").args(["-o", how]).arg(&disk.0).status().expect("mount runs");
        assert!(remount("remount,ro").success());
        unavailable(put(&Sqlite::new(disk.0.join("journal.db"), STEPS), "x"), "read-only");
        unavailable(put(&Sqlite::new(disk.0.join("newer.db"), STEPS), "x"), "read-only");
    });
}

#[test]
fn a_limit_on_the_size_of_files_is_a_full_disk() {
    alone("a_limit_on_the_size_of_files_is_a_full_disk", || {
        let place = Place::new();
        let journal = place.journal();
        put(&journal, "first").expect("a commit");
        forked(|| {
            let limit = libc::rlimit { rlim_cur: 200_000, rlim_max: 200_000 };
            // SAFETY: a structure that outlives the call; without the signal a write just fails.
            unsafe {
                libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
                assert_eq!(libc::setrlimit(libc::RLIMIT_FSIZE, &raw const limit), 0);
            }
            let error = (0..).find_map(|n: u32| put(&journal, &format!("{n}{}", "x".repeat(900))).err());
            unavailable(Err(error.expect("it ends some time")), "the disk is full");
            assert!(keys(&journal).contains("first"), "it can still be read");
        })
        .succeeds();
        put(&journal, "last").expect("the parent has no limit");
    });
}

#[test]
fn the_files_are_the_owners_alone() {
    alone("the_files_are_the_owners_alone", || {
        let place = Place::new();
        let path = place.0.path().join("a/b/journal.db");
        let journal = Sqlite::new(path.clone(), STEPS);
        put(&journal, "first").expect("a commit");
        let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
        assert_eq!(mode(&place.0.path().join("a")), 0o700);
        assert_eq!(mode(&place.0.path().join("a/b")), 0o700);
        for suffix in ["", "-wal", "-shm", "-lock"] {
            assert_eq!(mode(&beside(&path, suffix)), 0o600, "{suffix}");
        }
    });
}

// Speed.

/// Two commits a charge, as the journal makes them, beside a bare program that does the same.
#[test]
#[ignore = "a measurement: cargo test --profile fast -p bayar --lib commits_beside -- --ignored --nocapture"]
fn commits_beside_bare_sqlite() {
    let place = Place::new();
    let seconds = Duration::from_secs(4);
    let journal = place.journal();
    put(&journal, "warm").expect("a commit");
    let bare = Connection::open(place.0.path().join("bare.db")).expect("SQLite");
    bare.execute_batch(&format!(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; {}; {}",
        STEPS[0].2[0], STEPS[0].2[1]
    ))
    .expect("a table");
    let mut rates = [Vec::new(), Vec::new()];
    for round in 0..3 {
        let (begin, mut n) = (Instant::now(), 0);
        while begin.elapsed() < seconds / 3 {
            let key = format!("{round}/{n}");
            bare.execute_batch("BEGIN IMMEDIATE").expect("a transaction");
            bare.prepare_cached("INSERT INTO t (k, n, s) VALUES (?1, ?2, ?3)")
                .and_then(|mut s| s.execute((&key, 1, None::<String>)))
                .expect("a row");
            bare.execute_batch("COMMIT; BEGIN IMMEDIATE").expect("a commit");
            bare.prepare_cached("UPDATE t SET n = n + 1 WHERE k = ?1")
                .and_then(|mut s| s.execute((&key,)))
                .expect("a row");
            bare.execute_batch("COMMIT").expect("a commit");
            n += 1;
        }
        rates[0].push(f64::from(n) * 2.0 / begin.elapsed().as_secs_f64());
        let (begin, mut n) = (Instant::now(), 0);
        while begin.elapsed() < seconds / 3 {
            let key = Cell::Text(format!("{round}/{n}"));
            let sql = "INSERT INTO t (k, n, s) VALUES (?1, ?2, ?3)";
            journal
                .write(&mut |t| t.execute(sql, &[key.clone(), Cell::Int(1), Cell::Null]).map(drop))
                .expect("a commit");
            let sql = "UPDATE t SET n = n + 1 WHERE k = ?1";
            journal.write(&mut |t| t.execute(sql, std::slice::from_ref(&key)).map(drop)).expect("a commit");
            n += 1;
        }
        rates[1].push(f64::from(n) * 2.0 / begin.elapsed().as_secs_f64());
    }
    let [bare, ours] = rates.map(|rates| rates.iter().sum::<f64>() / rates.len() as f64);
    println!("commits/s: bare {bare:.0}, journal {ours:.0}, ratio {:.2}", ours / bare);
}
