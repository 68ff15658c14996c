//! Several threads at one file.

use std::collections::HashSet;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, ScopedJoinHandle, ThreadId};

use super::super::database::{Cell, Database, Transaction, Work};
use super::super::schema::Schema;
use super::{Sqlite, lock};
use crate::error::{Code, Error};

const SCHEMA: Schema = Schema {
    what: "journal",
    setting: "engine.journal",
    meta: "meta",
    steps: &[(1, 0, &["CREATE TABLE row (n BIGINT NOT NULL)"])],
};

fn database(directory: &Path) -> Sqlite {
    let database = Sqlite::new(directory.join("journal.db"), SCHEMA);
    database.read(&mut |_| Ok(())).expect("it is made");
    database
}

fn insert(tx: &mut dyn Transaction, n: i64) -> Result<(), Error> {
    tx.execute("INSERT INTO row (n) VALUES (?1)", &[Cell::Int(n)]).map(drop)
}

fn rows(database: &Sqlite) -> Vec<i64> {
    let mut rows = Vec::new();
    let read = database.read(&mut |tx| {
        rows = tx.query("SELECT n FROM row ORDER BY n", &[])?;
        Ok(())
    });
    read.expect("is read");
    rows.iter().map(|row| if let [Cell::Int(n)] = row[..] { n } else { panic!("{row:?}") }).collect()
}

/// Has the turn until something is sent, and says when it has it.
fn in_the_way(database: &Sqlite, has_it: &Sender<()>, go_on: &Receiver<()>) {
    let written = database.write(&mut |tx| {
        insert(tx, 0)?;
        has_it.send(()).expect("is heard");
        go_on.recv().expect("is told");
        Ok(())
    });
    written.expect("is written");
}

/// What `works` come to where all of them wait for one that writes, and who did each.
fn all_at_once(database: &Sqlite, works: Vec<Work>) -> Vec<(Result<(), Error>, ThreadId)> {
    let (has_it, had) = channel();
    let (say, go_on) = channel();
    thread::scope(|scope| {
        scope.spawn(move || in_the_way(database, &has_it, &go_on));
        had.recv().expect("it has the turn");
        let begin = |(number, mut work): (usize, Work)| {
            let by = Arc::new(Mutex::new(thread::current().id()));
            let noted = Arc::clone(&by);
            let noting: Work = Box::new(move |tx| {
                *lock(&noted) = thread::current().id();
                work(tx)
            });
            let waits = scope.spawn(move || (database.write_together(noting), *lock(&by)));
            // In this order.
            while database.here().slot.turns.waiting() < number + 1 {
                thread::yield_now();
            }
            waits
        };
        let waiting: Vec<_> = works.into_iter().enumerate().map(begin).collect();
        say.send(()).expect("is heard");
        waiting.into_iter().map(|waits: ScopedJoinHandle<'_, _>| waits.join().expect("no panic")).collect()
    })
}

fn inserting(n: i64) -> Work {
    Box::new(move |tx| insert(tx, n))
}

#[test]
fn one_writes_for_all_that_wait() {
    let directory = tempfile::tempdir().expect("a directory");
    let database = database(directory.path());
    let done = all_at_once(&database, (1..=9).map(inserting).collect());
    assert!(done.iter().all(|(result, _)| result.is_ok()), "{done:?}");
    let by: HashSet<ThreadId> = done.iter().map(|(_, by)| *by).collect();
    assert_eq!(by.len(), 1, "the first of them did it for all");
    assert_eq!(rows(&database), (0..=9).collect::<Vec<_>>());
}

#[test]
fn what_fails_takes_nothing_else_along() {
    let directory = tempfile::tempdir().expect("a directory");
    let database = database(directory.path());
    let works: Vec<Work> = vec![
        inserting(1),
        Box::new(|tx| {
            insert(tx, 2)?;
            Err(Error::not_sent(Code::Conflict, "it will not"))
        }),
        inserting(3),
        Box::new(|tx| {
            insert(tx, 4)?;
            panic!("it breaks")
        }),
        Box::new(|tx| tx.execute("INSERT INTO row (n) VALUES (NULL)", &[]).map(drop)),
        inserting(6),
    ];
    let done = all_at_once(&database, works);
    let ended: Vec<Option<Code>> =
        done.iter().map(|(result, _)| result.as_ref().err().map(|error| error.code)).collect();
    let (refused, broke, wrong) = (Code::Conflict, Code::Internal, Code::JournalUnavailable);
    assert_eq!(ended, [None, Some(refused), None, Some(broke), Some(wrong), None]);
    assert_eq!(rows(&database), [0, 1, 3, 6]);
}

#[test]
fn what_is_read_is_committed_and_does_not_wait() {
    let directory = tempfile::tempdir().expect("a directory");
    let database = database(directory.path());
    let (has_it, had) = channel();
    let (say, go_on) = channel();
    thread::scope(|scope| {
        let database = &database;
        scope.spawn(move || in_the_way(database, &has_it, &go_on));
        had.recv().expect("it has the turn");
        assert!(rows(database).is_empty(), "not committed");
        say.send(()).expect("is heard");
    });
    assert_eq!(rows(&database), [0]);
}

#[test]
fn a_file_that_was_replaced_is_not_read() {
    let directory = tempfile::tempdir().expect("a directory");
    let database = database(directory.path());
    let (has_it, had) = channel();
    let (say, go_on) = channel();
    let file = directory.path().join("journal.db");
    thread::scope(|scope| {
        let database = &database;
        let writes = scope.spawn(move || {
            database.write(&mut |tx| {
                has_it.send(()).expect("is heard");
                go_on.recv().expect("is told");
                insert(tx, 1)
            })
        });
        had.recv().expect("it has the turn");
        assert!(rows(database).is_empty());
        std::fs::rename(&file, directory.path().join("away.db")).expect("is moved");
        // It waits for its turn at the other connection, and hears it there.
        let reads = scope.spawn(move || database.read(&mut |_| Ok(())));
        while database.here().slot.turns.waiting() < 1 {
            thread::yield_now();
        }
        say.send(()).expect("is heard");
        let code = |result: Result<(), Error>| result.expect_err("it is told").code;
        assert_eq!(code(writes.join().expect("no panic")), Code::JournalOpenElsewhere);
        assert_ne!(code(reads.join().expect("no panic")), Code::Internal);
    });
}
