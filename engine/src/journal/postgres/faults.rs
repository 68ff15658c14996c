//! What may happen to a journal in PostgreSQL.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use bayar_tests::postgres::{Cluster, cluster, give};

use super::Postgres;
use crate::error::{Code, Error};
use crate::journal::database::{Cell, Database};
use crate::journal::suite::{STEPS, insert, keys, put, rows, slow_writers, text};

fn journal(name: &str) -> Postgres {
    Postgres::new(&cluster().database(name), STEPS).expect("a URL")
}

/// By a connection of its own: starting a program forks, and a fork closes those that are kept.
fn admin(sql: &str) -> Vec<Vec<Cell>> {
    let url = cluster().url("bayar", "postgres");
    rows(&Postgres::new(&url, STEPS).expect("a URL"), sql, &[])
}

fn end_connections(database: &str) -> usize {
    let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname";
    admin(&format!("{sql} = '{database}'")).len()
}

fn unavailable(done: Result<(), Error>) -> String {
    let error = done.expect_err("a refusal");
    assert_eq!(error.code, Code::JournalUnavailable, "{error}");
    error.message
}

#[test]
fn commits_are_synchronous_whatever_the_role_says() {
    cluster().sql("CREATE ROLE hasty LOGIN SUPERUSER");
    cluster().sql("ALTER ROLE hasty SET synchronous_commit = off");
    cluster().database("hasty");
    let journal = Postgres::new(&cluster().url("hasty", "hasty"), STEPS).expect("a URL");
    assert_eq!(rows(&journal, "SELECT current_setting('synchronous_commit')", &[]), [[text("on")]]);
    assert_eq!(rows(&journal, "SELECT current_setting('statement_timeout')", &[]), [[text("5s")]]);
}

#[test]
fn a_kept_connection_that_died_is_replaced_and_one_in_use_is_not() {
    let journal = journal("died");
    put(&journal, "first").expect("a commit");
    assert_eq!(end_connections("died"), 1, "it was kept");
    put(&journal, "second").expect("nothing had been done on the dead one");
    let done = journal.write(&mut |t| {
        insert(t, "lost")?;
        end_connections("died");
        insert(t, "never")?;
        Ok(())
    });
    unavailable(done);
    let mut runs = 0;
    let done = journal.write(&mut |t| {
        runs += 1;
        insert(t, "perhaps")?;
        end_connections("died");
        Ok(())
    });
    let said = unavailable(done);
    assert!(said.contains("may be kept, or not"), "{said}");
    assert_eq!(runs, 1, "a commit that may have happened is not made again");
    put(&journal, "third").expect("a commit");
    assert_eq!(keys(&journal), ["first", "second", "third"].map(str::to_owned).into());
}

#[test]
fn transactions_that_meet_are_run_again() {
    let journal = journal("meet");
    put(&journal, "a").expect("a commit");
    put(&journal, "b").expect("a commit");
    // Each takes the row that the other one needs next.
    thread::scope(|scope| {
        for order in [["a", "b"], ["b", "a"]] {
            let journal = &journal;
            scope.spawn(move || {
                let done = journal.write(&mut |t| {
                    for key in order {
                        t.execute("UPDATE t SET n = n + 1 WHERE k = ?1", &[text(key)])?;
                        thread::sleep(Duration::from_millis(100));
                    }
                    Ok(())
                });
                done.expect("the one that gave way was run again");
            });
        }
    });
    assert_eq!(rows(&journal, "SELECT n FROM t", &[]), [[Cell::Int(3)], [Cell::Int(3)]]);
}

#[test]
fn fifty_threads_share_eight_connections() {
    let journal = journal("fifty");
    let longest = slow_writers(&journal, 50, 4);
    let connections = admin("SELECT pid FROM pg_stat_activity WHERE datname = 'fifty'").len();
    println!("postgres, 50 threads, commits of 8 ms: longest wait {longest} ms, {connections} connections");
    assert_eq!(keys(&journal).len(), 200);
    assert!(connections <= 8);
}

#[test]
fn a_row_held_by_another_is_an_error_after_five_seconds() {
    let journal = journal("held");
    put(&journal, "a").expect("a commit");
    let begin = Instant::now();
    let done = journal.write(&mut |t| {
        t.execute("UPDATE t SET n = 2", &[])?;
        let waited = journal.write(&mut |t| t.execute("UPDATE t SET n = 3", &[]).map(drop));
        println!("{}", unavailable(waited));
        Ok(())
    });
    done.expect("the first one goes on");
    assert!(begin.elapsed() < Duration::from_secs(7), "{:?}", begin.elapsed());
    assert_eq!(rows(&journal, "SELECT n FROM t", &[]), [[Cell::Int(2)]]);
}

#[test]
fn a_server_that_is_not_there_is_an_error_without_the_password() {
    for url in [
        "postgres://me:canary@127.0.0.1:1/d",
        "postgres://me:canary@localhost:1/d",
        "postgres://me:canary@localhost:1/d?sslmode=require",
        "postgres://me:canary@%2Fnowhere/d",
        "postgres://me:canary@nowhere.invalid/d",
    ] {
        let said = unavailable(put(&Postgres::new(url, STEPS).expect("a URL"), "x"));
        println!("{said}");
        assert!(said.contains("expected") && !said.contains("canary"), "{said}");
    }
    let said =
        unavailable(put(&Postgres::new(&cluster().url("nobody", "postgres"), STEPS).expect("a URL"), "x"));
    assert!(said.contains("\"nobody\" does not exist"), "{said}");
}

#[test]
fn it_starts_no_thread() {
    let threads = || std::fs::read_dir("/proc/self/task").expect("on Linux").count();
    let program = std::env::current_exe().expect("this program");
    if std::env::var_os("BAYAR_ALONE").is_none() {
        let mut command = std::process::Command::new(program);
        command.args(["--exact", "journal::postgres::faults::it_starts_no_thread", "--test-threads=1"]);
        let ran = command.env("BAYAR_ALONE", "1").output().expect("it runs again");
        return assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stdout));
    }
    let before = threads();
    put(&journal("threads"), "x").expect("a commit");
    unavailable(put(&Postgres::new("postgres://me@localhost:1/d", STEPS).expect("a URL"), "x"));
    assert_eq!(threads(), before);
}

#[test]
fn the_way_to_another_machine_is_encrypted_and_the_server_verified() {
    let place = tempfile::tempdir().expect("a temporary directory");
    std::fs::set_permissions(place.path(), PermissionsExt::from_mode(0o755)).expect("it is ours");
    let [certificate, key, other] = ["certificate", "key", "other"].map(|name| place.path().join(name));
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    std::fs::write(&certificate, made.cert.pem()).expect("a file");
    std::fs::write(&key, made.signing_key.serialize_pem()).expect("a file");
    std::fs::set_permissions(&key, PermissionsExt::from_mode(0o600)).expect("it is ours");
    let another = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    std::fs::write(&other, another.cert.pem()).expect("a file");
    give(&certificate);
    give(&key);
    let options = [
        "ssl=on".to_owned(),
        format!("ssl_cert_file={}", certificate.display()),
        format!("ssl_key_file={}", key.display()),
        "listen_addresses=127.0.0.1".to_owned(),
    ];
    let options: Vec<&str> = options.iter().flat_map(|option| ["-c", option]).collect();
    let cluster = Cluster::start(&options);
    let at = |host: &str, query: &str| {
        let url = format!("postgres://bayar@{host}:{}/postgres?{query}", cluster.port());
        Postgres::new(&url, STEPS).expect("a URL")
    };
    let trust = |file: &Path| format!("sslmode=verify-full&sslrootcert={}", file.display());
    let encrypted = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    assert_eq!(rows(&at("localhost", &trust(&certificate)), encrypted, &[]), [[Cell::Int(1)]]);
    assert_eq!(rows(&at("localhost", ""), encrypted, &[]), [[Cell::Int(0)]]);
    for refused in [
        at("localhost", "sslmode=require"),
        at("localhost", &trust(&other)),
        at("127.0.0.1", &trust(&certificate)),
    ] {
        let said = unavailable(put(&refused, "x"));
        println!("{said}");
        assert!(said.contains("certificate"), "{said}");
    }
}
