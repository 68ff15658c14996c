//! What the journal costs: `cargo bench -p bayar --bench journal`.
//!
//! Two durable commits a charge, one a callback; the provider is not there, its answers are canned.
//! Beside each figure stands a bare program that makes the same number of commits of like rows in the
//! same database, in the same run. Goals, to be read and never gated: charges ≥ 0.7 of the bare
//! program, callbacks ≥ 1500/s with p99 ≤ 25 ms, with 1,000,000 intents in the journal ≤ 1.2 times
//! the time. `BAYAR_BENCH_POSTGRES=postgres://…` measures that, too.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use bayar::{Callback, Engine, Gave, Need, Progress, Response};
use rusqlite::{Connection, params};
use serde_json::{Value, json};
use sha2::{Digest, Sha512};

const KEY: &str = "SB-Mid-server-EXAMPLE0000000000000000";
/// How many charges, or callbacks, one process makes in one measurement.
const EACH: usize = 600;
const FILLED: u32 = 1_000_000;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    match arguments.first().map(String::as_str) {
        Some("charges") => return charges(&arguments[1], &arguments[2], &arguments[3]),
        Some("callbacks") => return callbacks(&arguments[1], &arguments[2], &arguments[3]),
        Some("bare") => return bare(Path::new(&arguments[2]), &arguments[3]),
        _ => {}
    }
    let plugins = plugins();
    let work = tempfile::tempdir_in(plugins.parent().expect("the target directory")).expect("a directory");
    let file = |name: &str| work.path().join(name);
    for processes in [1, 4] {
        let journal = format!("sqlite:{}", file(&format!("journal{processes}.db")).display());
        // In turn, for the disk is not equally fast all the time.
        let bare = file(&format!("bare{processes}.db")).display().to_string();
        let pairs: Vec<(f64, f64)> =
            (0..5).map(|_| (rate("charges", &journal, processes), rate("bare", &bare, processes))).collect();
        let ours = median(pairs.iter().map(|pair| pair.0));
        let theirs = median(pairs.iter().map(|pair| pair.1));
        println!(
            "{processes} process(es): {ours:.0} journaled charges/s, bare SQLite {theirs:.0}/s, ratio {:.2}",
            ours / theirs
        );
    }
    let journal = format!("sqlite:{}", file("callbacks.db").display());
    let (rate_of, worst) = with_p99("callbacks", &journal, 2);
    println!("2 processes: {rate_of:.0} callbacks/s, p99 {worst:.1} ms");

    let path = file("filled.db");
    let journal = format!("sqlite:{}", path.display());
    rate("charges", &journal, 1);
    let empty = median((0..5).map(|_| rate("charges", &journal, 1)));
    println!("filling a journal with {FILLED} intents");
    fill(&path);
    // The disk must be done with it.
    assert!(Command::new("sync").status().is_ok_and(|status| status.success()), "synced");
    let full = median((0..5).map(|_| rate("charges", &journal, 1)));
    println!(
        "1 process: {empty:.0} charges/s, with {FILLED} intents {full:.0}/s, {:.2} times the time",
        empty / full
    );

    if let Ok(url) = std::env::var("BAYAR_BENCH_POSTGRES") {
        for processes in [1, 4] {
            println!(
                "{processes} process(es), PostgreSQL: {:.0} journaled charges/s",
                rate("charges", &url, processes)
            );
        }
    }
}

fn median(rates: impl Iterator<Item = f64>) -> f64 {
    let mut rates: Vec<f64> = rates.collect();
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

/// Charges (or whatever) a second of several processes together.
fn rate(what: &str, database: &str, processes: usize) -> f64 {
    with_p99(what, database, processes).0
}

/// The rate, and the 99th percentile in milliseconds of the slowest process.
fn with_p99(what: &str, database: &str, processes: usize) -> (f64, f64) {
    let plugins = plugins();
    let begun = Instant::now();
    let children: Vec<_> = (0..processes)
        .map(|n| {
            let mut child = Command::new(std::env::current_exe().expect("a bench has a file"));
            child.arg(what).arg(&plugins).arg(database).arg(format!("{n}x{}", begun.elapsed().as_nanos()));
            child.stdout(Stdio::piped()).spawn().expect("a process")
        })
        .collect();
    let outputs: Vec<String> = children
        .into_iter()
        .map(|child| {
            let output = child.wait_with_output().expect("its output");
            assert!(output.status.success(), "a process of the bench failed");
            String::from_utf8(output.stdout).expect("numbers")
        })
        .collect();
    // Each says when its work began and ended, on one clock: starting processes is not measured.
    let all: Vec<Vec<f64>> = outputs
        .iter()
        .map(|text| text.split_whitespace().map(|n| n.parse().expect("a number")).collect())
        .collect();
    let begin = all.iter().map(|one| one[0]).fold(f64::MAX, f64::min);
    let end = all.iter().map(|one| one[1]).fold(0.0, f64::max);
    let p99 = all.iter().map(|one| one[2]).fold(0.0, f64::max);
    ((processes * EACH) as f64 / (end - begin), p99)
}

/// Does `one` as often as one process does, and prints begin and end in seconds and the p99 in milliseconds.
fn measure(mut one: impl FnMut(usize)) {
    one(EACH); // Opens the database.
    let clock = || std::time::SystemTime::UNIX_EPOCH.elapsed().expect("after 1970").as_secs_f64();
    let begin = clock();
    let mut took: Vec<Duration> = (0..EACH)
        .map(|n| {
            let begun = Instant::now();
            one(n);
            begun.elapsed()
        })
        .collect();
    let end = clock();
    took.sort();
    println!("{begin} {end} {}", took[EACH * 99 / 100].as_secs_f64() * 1000.0);
}

fn engine(plugins: &str, journal: &str) -> Engine {
    let config = json!({
        "engine": {"journal": journal, "plugins": plugins},
        "providers": {"midtrans": {"server_key": KEY}},
    });
    Engine::open(&config.to_string()).expect("an engine")
}

fn charge(engine: &Engine, order: &str) {
    let params = json!({"order_id": order, "amount": 150_000, "channel": "bca_va", "key": order,
        "customer": {"name": "Budi Santoso", "email": "budi@example.com", "phone": "081200000001"}});
    let mut task = engine.start("midtrans", "charge", params).expect("is read");
    loop {
        match task.advance() {
            Progress::Done(end) => {
                end.expect("an outcome");
                return;
            }
            Progress::Need(Need::Http { .. }) => task.give(Gave::Response(answer(order))),
            Progress::Need(Need::Wait(_)) => task.give(Gave::Waited),
        }
    }
}

fn answer(order: &str) -> Response {
    let body = json!({"status_code": "201", "status_message": "Success, Bank Transfer transaction is created",
        "transaction_id": format!("t-{order}"), "order_id": order, "merchant_id": "G000000001", "gross_amount": "150000.00",
        "currency": "IDR", "payment_type": "bank_transfer", "transaction_time": "2026-02-03 15:10:18",
        "transaction_status": "pending", "fraud_status": "accept", "va_numbers": [{"bank": "bca", "va_number": "12345"}],
        "expiry_time": "2026-02-04 15:10:18"});
    Response { status: 200, headers: Vec::new(), body: body.to_string().into_bytes() }
}

fn charges(plugins: &str, journal: &str, name: &str) {
    let engine = engine(plugins, journal);
    measure(|n| charge(&engine, &format!("P{name}-{n}")));
}

/// Each order is charged first, which is not measured.
fn callbacks(plugins: &str, journal: &str, name: &str) {
    let engine = engine(plugins, journal);
    let order = |n: usize| format!("C{name}-{n}");
    let some = 50;
    (0..=some).for_each(|n| charge(&engine, &order(n)));
    measure(|n| {
        let order = order(n % some);
        let signature = Sha512::digest(format!("{order}201150000.00{KEY}"));
        let signature: String = signature.iter().map(|byte| format!("{byte:02x}")).collect();
        // Nothing new, so nothing is asked; another `refund_amount` makes it another event.
        let body: Value = json!({"order_id": order, "transaction_id": format!("t-{order}"), "status_code": "201",
            "transaction_status": "pending", "fraud_status": "accept", "gross_amount": "150000.00", "currency": "IDR",
            "payment_type": "bank_transfer", "signature_key": signature, "refund_amount": n.to_string()});
        let callback = Callback { body: body.to_string().into_bytes(), ..Callback::default() };
        engine.callback("midtrans", callback).expect("is genuine");
    });
}

/// The same number of commits, of rows like ours, by SQLite alone.
fn bare(path: &Path, name: &str) {
    let connection = Connection::open(path).expect("a database");
    connection.busy_timeout(Duration::from_secs(5)).expect("a timeout");
    connection.pragma_update(None, "journal_mode", "WAL").expect("a WAL");
    connection.pragma_update(None, "synchronous", "FULL").expect("FULL");
    connection
        .execute_batch(
            "BEGIN IMMEDIATE;
             CREATE TABLE IF NOT EXISTS a (id TEXT PRIMARY KEY, k TEXT UNIQUE, r TEXT UNIQUE, s TEXT, d TEXT);
             CREATE TABLE IF NOT EXISTS t (a TEXT, n INT, s TEXT, PRIMARY KEY (a, n));
             CREATE TABLE IF NOT EXISTS e (id TEXT PRIMARY KEY, a TEXT, u TEXT UNIQUE, d TEXT);
             COMMIT;",
        )
        .expect("tables");
    let document = "x".repeat(500);
    let run = |sql: &str, values: &[&dyn rusqlite::ToSql]| {
        connection.prepare_cached(sql).expect("SQL").execute(values).expect("a statement");
    };
    measure(|n| {
        let id = format!("{name}-{n}");
        run("BEGIN IMMEDIATE", params![]);
        run("INSERT INTO a VALUES (?1, ?1, ?1, 'sending', ?2)", params![id, document]);
        run("INSERT INTO t VALUES (?1, 1, 'sending')", params![id]);
        run("COMMIT", params![]);
        run("BEGIN IMMEDIATE", params![]);
        run("UPDATE t SET s = 'answered' WHERE a = ?1 AND n = 1", params![id]);
        run("INSERT INTO e VALUES (?1, ?1, ?1, ?2)", params![id, document]);
        run("UPDATE a SET s = 'pending', d = d || ?2 WHERE id = ?1", params![id, document]);
        run("COMMIT", params![]);
    });
}

/// Copies one intent, with its attempt and its event, until there are many.
fn fill(path: &Path) {
    let connection = Connection::open(path).expect("the journal, which nobody has open now");
    let one: String =
        connection.query_row("SELECT MIN(id) FROM intent", [], |row| row.get(0)).expect("an intent");
    let columns = |table: &str, change: &[(&str, &str)]| {
        let mut names =
            connection.prepare(&format!("SELECT name FROM pragma_table_info('{table}')")).expect("columns");
        let names: Vec<String> =
            names.query_map([], |row| row.get(0)).expect("rows").map(|name| name.expect("a name")).collect();
        let value = |name: &String| {
            change
                .iter()
                .find(|(of, _)| of == name)
                .map_or_else(|| name.clone(), |(_, sql)| (*sql).to_owned())
        };
        let values: Vec<String> = names.iter().map(value).collect();
        (names.join(", "), values.join(", "))
    };
    // Spread like real ones: ids, keys and references are random.
    let id = "'I' || substr(hex(x), 1, 23)";
    let parts = [
        (
            "intent",
            vec![
                ("id", id),
                ("key", "hex(x) || 'k'"),
                ("reference", "hex(x) || 'r'"),
                ("order_id", "hex(x) || 'o'"),
                ("provider_reference", "hex(x) || 'p'"),
                ("next_ms", "NULL"),
            ],
            "id",
        ),
        ("attempt", vec![("intent", id)], "intent"),
        ("event", vec![("id", "'E' || hex(x)"), ("intent", id), ("dedupe", "hex(x) || 'd'")], "intent"),
    ];
    connection.execute_batch("BEGIN; CREATE TEMP TABLE many (x BLOB)").expect("a table");
    let numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1) \
        INSERT INTO many SELECT randomblob(12) FROM n";
    connection.execute(numbers, [FILLED]).expect("numbers");
    for (table, change, of) in parts {
        let (names, values) = columns(table, &change);
        let sql = format!(
            "INSERT INTO {table} ({names}) SELECT {values} FROM {table}, many WHERE {table}.{of} = ?1"
        );
        connection.execute(&sql, [&one]).expect("copies");
    }
    connection.execute_batch("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)").expect("a commit");
}

/// The directory of the plugins, built if need be.
fn plugins() -> PathBuf {
    let bench = std::env::current_exe().expect("a bench has a file");
    let target = bench.ancestors().nth(3).expect("target/release/deps/bench").to_owned();
    if std::env::args().any(|argument| matches!(argument.as_str(), "charges" | "callbacks" | "bare")) {
        return target.join("fast");
    }
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args([
        "build",
        "--quiet",
        "--profile",
        "fast",
        "--package",
        "bayar-midtrans-plugin",
        "--target-dir",
    ]);
    assert!(cargo.arg(&target).status().is_ok_and(|status| status.success()), "the plugin is built");
    target.join("fast")
}
