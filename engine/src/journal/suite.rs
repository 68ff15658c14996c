//! What both databases promise, written once.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::database::{Cell, Database, Transaction};
use super::schema::Steps;
use super::sqlite::Sqlite;
use crate::error::{Code, Error};

pub(crate) const STEPS: Steps = &[
    (1, 0, &["CREATE TABLE t (k TEXT PRIMARY KEY, n BIGINT, s TEXT)", "CREATE INDEX t_n ON t (n)"]),
    (1, 1, &["ALTER TABLE t ADD COLUMN more TEXT"]),
];

/// A database that opens as often as it is asked to.
pub(crate) type Opener<'a> = &'a (dyn Fn(Steps) -> Box<dyn Database> + Sync);

pub(crate) fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

pub(crate) fn insert(transaction: &mut dyn Transaction, key: &str) -> Result<u64, Error> {
    let sql = "INSERT INTO t (k, n, s) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
    transaction.execute(sql, &[text(key), Cell::Int(1), Cell::Null])
}

pub(crate) fn put(database: &dyn Database, key: &str) -> Result<(), Error> {
    database.write(&mut |transaction| insert(transaction, key).map(drop))
}

pub(crate) fn keys(database: &dyn Database) -> BTreeSet<String> {
    rows(database, "SELECT k FROM t", &[])
        .into_iter()
        .map(|row| match row.into_iter().next() {
            Some(Cell::Text(key)) => key,
            other => panic!("{other:?}"),
        })
        .collect()
}

pub(crate) fn rows(database: &dyn Database, sql: &str, values: &[Cell]) -> Vec<Vec<Cell>> {
    let mut rows = Vec::new();
    let read = database.read(&mut |transaction| {
        rows = transaction.query(sql, values)?;
        Ok(())
    });
    read.expect("a read");
    rows
}

type Owned = Box<dyn Fn(Steps) -> Box<dyn Database> + Sync>;
type Promise = fn(Opener<'_>);

/// Runs every promise on a database of its own.
fn each(open: &dyn Fn(&str) -> Owned) {
    let promises: [(&str, Promise); 8] = [
        ("durable", durable_after_return),
        ("rolled_back", rolled_back_on_error),
        ("values", values_come_back),
        ("swallowed", a_swallowed_failure_does_not_commit),
        ("clock", the_clock_is_the_databases),
        ("locked", rows_are_locked),
        ("migrations", migrations_go_forward),
        ("panic", usable_after_a_panic),
    ];
    for (name, promise) in promises {
        promise(&*open(name));
        println!("kept: {name}");
    }
}

#[test]
fn sqlite_keeps_the_promises() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    each(&|name| {
        let path: PathBuf = directory.path().join(name).join("journal.db");
        Box::new(move |steps| Box::new(Sqlite::new(path.clone(), steps)))
    });
}

#[cfg(feature = "postgres")]
#[test]
fn postgres_keeps_the_promises() {
    each(&|name| {
        let url = bayar_tests::postgres::cluster().database(&format!("suite_{name}"));
        Box::new(move |steps| Box::new(super::postgres::Postgres::new(&url, steps).expect("a URL")))
    });
}

fn durable_after_return(open: Opener<'_>) {
    let one = open(STEPS);
    put(&*one, "a").expect("a commit");
    drop(one);
    let two = open(STEPS);
    put(&*two, "b").expect("a commit");
    assert_eq!(keys(&*open(STEPS)), ["a".to_owned(), "b".to_owned()].into());
    let mut changed = Vec::new();
    two.write(&mut |t| {
        changed =
            vec![insert(t, "b")?, insert(t, "c")?, t.execute("UPDATE t SET n = n + ?1", &[Cell::Int(1)])?];
        Ok(())
    })
    .expect("a commit");
    assert_eq!(changed, [0, 1, 3], "the rows that each statement changed");
}

fn rolled_back_on_error(open: Opener<'_>) {
    let database = open(STEPS);
    let failed = database.write(&mut |t| {
        insert(t, "a")?;
        Err(Error::not_sent(Code::Conflict, "enough"))
    });
    assert_eq!(failed.expect_err("it failed").code, Code::Conflict);
    assert!(keys(&*database).is_empty());
    put(&*database, "b").expect("usable afterwards");
    assert_eq!(keys(&*database), ["b".to_owned()].into());
}

fn values_come_back(open: Opener<'_>) {
    let database = open(STEPS);
    let values = [text("k'?1 \" é 💰"), Cell::Int(i64::MAX), text("")];
    database
        .write(&mut |t| t.execute("INSERT INTO t (k, n, s) VALUES (?1, ?2, ?3)", &values).map(drop))
        .expect("a commit");
    assert_eq!(rows(&*database, "SELECT k, n, s FROM t WHERE n = ?1", &values[1..2])[0], values);
    // The same statement with parameters of other types.
    for value in [Cell::Null, Cell::Int(-1), Cell::Null] {
        let changed = [value.clone(), values[0].clone()];
        database
            .write(&mut |t| t.execute("UPDATE t SET n = ?1 WHERE k = ?2", &changed).map(drop))
            .expect("a commit");
        assert_eq!(rows(&*database, "SELECT n FROM t", &[]), [[value]]);
    }
    let counted = rows(&*database, "SELECT count(*), '?1', s IS NULL FROM t GROUP BY s", &[]);
    assert_eq!(counted, [[Cell::Int(1), text("?1"), Cell::Int(0)]]);
}

/// PostgreSQL answers the commit of a failed transaction with success.
fn a_swallowed_failure_does_not_commit(open: Opener<'_>) {
    let database = open(STEPS);
    let failed = database.write(&mut |t| {
        insert(t, "a")?;
        t.execute("INSERT INTO nowhere (k) VALUES (1)", &[]).expect_err("there is no such table");
        Ok(())
    });
    assert_eq!(failed.expect_err("a statement failed").code, Code::JournalUnavailable);
    assert!(keys(&*database).is_empty());
    put(&*database, "b").expect("usable afterwards");
}

fn the_clock_is_the_databases(open: Opener<'_>) {
    let database = open(STEPS);
    let mut times = Vec::new();
    for _ in 0..3 {
        let asked = database.write(&mut |t| {
            times.push(t.now_ms()?);
            Ok(())
        });
        asked.expect("a commit");
        thread::sleep(Duration::from_millis(3));
    }
    assert!(times[0] > 1_700_000_000_000 && times.windows(2).all(|two| two[1] - two[0] >= 2), "{times:?}");
}

/// Two that read, then write, what the other one does, too.
fn rows_are_locked(open: Opener<'_>) {
    let databases = [open(STEPS), open(STEPS)];
    databases[0]
        .write(&mut |t| t.execute("INSERT INTO t (k, n) VALUES ('sum', 0)", &[]).map(drop))
        .expect("a commit");
    thread::scope(|scope| {
        for database in &databases {
            scope.spawn(|| {
                for _ in 0..50 {
                    let added = database.write(&mut |t| {
                        let found = t.query("SELECT n FROM t WHERE k = 'sum' /*for update*/", &[])?;
                        let [Cell::Int(sum)] = found[0][..] else { panic!("{found:?}") };
                        t.execute("UPDATE t SET n = ?1 WHERE k = 'sum'", &[Cell::Int(sum + 1)]).map(drop)
                    });
                    added.expect("a commit");
                }
            });
        }
    });
    let mut found = Vec::new();
    let took = databases[0].write(&mut |t| {
        found = t.query("SELECT n FROM t /*skip locked*/", &[])?;
        Ok(())
    });
    took.expect("a commit");
    assert_eq!(found, [[Cell::Int(100)]]);
}

fn migrations_go_forward(open: Opener<'_>) {
    let schema = |database: &dyn Database| rows(database, "SELECT value FROM meta WHERE key = 'schema'", &[]);
    let old = open(&STEPS[..1]);
    put(&*old, "kept").expect("a commit");
    assert_eq!(schema(&*old), [[text("1.0")]]);
    // Many at once, as when a web server starts.
    thread::scope(|scope| {
        let at_once = |n: u32| put(&*open(STEPS), &n.to_string()).expect("a commit");
        (0..8).for_each(|n| drop(scope.spawn(move || at_once(n))));
    });
    assert_eq!(schema(&*old), [[text("1.1")]]);
    put(&*open(&STEPS[..1]), "older").expect("an older minor version goes on");
    assert_eq!(schema(&*old), [[text("1.1")]]);
    assert_eq!(keys(&*old).len(), 10);

    let set = |value: &str| {
        old.write(&mut |t| {
            t.execute("UPDATE meta SET value = ?1 WHERE key = 'schema'", &[text(value)]).map(drop)
        })
        .expect("a commit");
    };
    set("2.0");
    let refused = put(&*open(STEPS), "x").expect_err("a newer major version");
    assert_eq!(refused.code, Code::JournalUnavailable);
    assert!(refused.message.contains("version 2.0") && refused.message.contains("up to 1.x"), "{refused}");
    println!("{refused}");
    set("mine");
    let refused = put(&*open(STEPS), "x").expect_err("no version");
    assert!(refused.message.contains("\"mine\"; expected two numbers"), "{refused}");
    assert_eq!(keys(&*old).len(), 10, "nothing was written");
}

fn usable_after_a_panic(open: Opener<'_>) {
    let database = open(STEPS);
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        database.write(&mut |t| {
            insert(t, "a")?;
            panic!("on purpose")
        })
    }));
    assert!(panicked.is_err());
    put(&*database, "b").expect("usable afterwards");
    assert_eq!(keys(&*database), ["b".to_owned()].into());
}

#[test]
fn a_copy_is_whole_and_private_while_others_write() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let at = |name: &str| directory.path().join(name);
    let database = Sqlite::new(at("journal.db"), STEPS);
    put(&database, "before").expect("a commit");
    thread::scope(|scope| {
        let writing = scope.spawn(|| (0..50).try_for_each(|n| put(&database, &n.to_string())));
        database.backup(&at("copy.db")).expect("a copy");
        writing.join().expect("no panic").expect("commits");
    });
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &std::fs::metadata(at("copy.db")).expect("it is there").permissions(),
    );
    assert_eq!(mode & 0o777, 0o600);
    let copy = Sqlite::new(at("copy.db"), STEPS);
    assert!(keys(&copy).contains("before"));
    put(&copy, "after").expect("it can be used");
    assert_eq!(keys(&database).len(), 51);
    let twice = database.backup(&at("copy.db")).expect_err("there is one");
    assert_eq!(twice.code, Code::InvalidArgument);
    assert!(keys(&copy).contains("after"), "it is not overwritten, and not removed");
    assert!(database.backup(&at("nowhere/copy.db")).is_err());
}

/// Commits of 8 ms, by threads: prints the longest wait.
#[test]
fn fifty_slow_threads_all_commit() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let database = Sqlite::new(directory.path().join("journal.db"), STEPS);
    let longest = slow_writers(&database, 50, 4);
    println!("sqlite, 50 threads, commits of 8 ms: longest wait {longest} ms");
    assert_eq!(keys(&database).len(), 200);
}

/// Each thread commits this often, slowed to 8 ms; gives the longest time that one took.
pub(crate) fn slow_writers(database: &dyn Database, threads: u32, each: u32) -> u32 {
    let longest = AtomicU32::new(0);
    thread::scope(|scope| {
        for thread in 0..threads {
            let longest = &longest;
            scope.spawn(move || {
                for n in 0..each {
                    let begin = Instant::now();
                    let done = database.write(&mut |t| {
                        insert(t, &format!("{}/{thread}/{n}", std::process::id()))?;
                        thread::sleep(Duration::from_millis(8));
                        Ok(())
                    });
                    done.expect("no BUSY reaches a caller");
                    longest.fetch_max(begin.elapsed().as_millis() as u32, Ordering::SeqCst);
                }
            });
        }
    });
    longest.into_inner()
}
