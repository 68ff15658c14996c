//! What the command line prints, and how it ends.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use bayar::{Error, Stage};
use serde::Serialize;
use serde_json::Value;

/// Why a command did not succeed.
pub enum Failure {
    /// The engine said no.
    Engine(Box<Error>),
    /// The same, of a command that prints no documents.
    Told(Box<Error>),
    /// The command line, a file or standard input is not as expected.
    Usage(String),
    /// Nobody reads what is printed any more (`bayar describe | head`): no failure of ours.
    Closed,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Engine(Box::new(error))
    }
}

impl Failure {
    /// The engine said no to a command that prints no documents.
    pub fn told(error: Error) -> Self {
        Failure::Told(Box::new(error))
    }

    /// Says why, for people on standard error and as a document on standard output.
    /// Ends with 1 (the provider answered no), 2 (nothing was sent) or 3 (it may have been sent).
    pub fn report(self) -> ExitCode {
        match self {
            Failure::Usage(message) => {
                eprintln!("bayar: {message}");
                ExitCode::from(2)
            }
            Failure::Engine(error) => {
                eprintln!("bayar: {error}");
                // A document that cannot be printed was already said above.
                let _ = print_json(&error);
                ending(error.stage)
            }
            Failure::Told(error) => {
                eprintln!("bayar: {error}");
                ending(error.stage)
            }
            Failure::Closed => ExitCode::SUCCESS,
        }
    }
}

fn ending(stage: Stage) -> ExitCode {
    ExitCode::from(match stage {
        Stage::Answered => 1,
        Stage::NotSent => 2,
        Stage::MaybeSent => 3,
    })
}

/// Prints a document: indented for people, one line for programs.
pub fn print_json<T: Serialize>(value: &T) -> Result<(), Failure> {
    let json = if std::io::stdout().is_terminal() {
        serde_json::to_string_pretty(value)
    } else {
        serde_json::to_string(value)
    };
    print_line(&json.map_err(|e| Failure::Usage(format!("a document cannot be printed: {e}")))?)
}

/// Prints one line.
pub fn print_line(line: &str) -> Result<(), Failure> {
    writeln!(std::io::stdout().lock(), "{line}").map_err(unwritten)
}

/// Prints rows under a head, each column as wide as its widest cell.
pub fn print_table(head: &[&str], rows: &[Vec<String>]) -> Result<(), Failure> {
    let width = |column: usize| {
        rows.iter().map(|row| row[column].chars().count()).chain([head[column].len()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let cells: Vec<String> = cells.zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        print_line(cells.join("  ").trim_end())
    };
    line(&mut head.iter().copied())?;
    rows.iter().try_for_each(|row| line(&mut row.iter().map(String::as_str)))
}

/// A value of a document as one line of text: nothing where there is none. Much of it came from outside,
/// and what steers a terminal is shown as a mark.
pub fn text(value: &Value) -> String {
    let plain = match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    plain.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// An amount of rupiah as people write it: `1.150.000`.
pub fn rupiah(value: &Value) -> String {
    let digits = text(value);
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits.as_str()), |digits| ("-", digits));
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return text(value);
    }
    let first = digits.len() % 3;
    let groups = (0..digits.len() / 3).map(|at| &digits[first + at * 3..first + at * 3 + 3]);
    let groups: Vec<&str> =
        [&digits[..first]].into_iter().filter(|group| !group.is_empty()).chain(groups).collect();
    format!("{sign}{}", groups.join("."))
}

/// CSV on standard output, row by row.
pub struct Table {
    writer: csv::Writer<std::io::Stdout>,
    /// Written with the first row: an error before it leaves nothing that looks like an empty table.
    head: Option<Vec<String>>,
}

impl Table {
    /// A table with these headings.
    pub fn new(head: &[&str]) -> Self {
        let head = head.iter().map(|&name| name.to_owned()).collect();
        Table { writer: csv::Writer::from_writer(std::io::stdout()), head: Some(head) }
    }

    /// One row. What a spreadsheet would run as a formula is marked as text.
    pub fn row<const N: usize>(&mut self, cells: [String; N]) -> Result<(), Failure> {
        let plain =
            cells.map(|cell| if cell.starts_with(['=', '+', '-', '@']) { format!("'{cell}") } else { cell });
        self.begin()?;
        self.writer.write_record(&plain).map_err(|e| unwritten(e.into()))
    }

    /// The end.
    pub fn end(mut self) -> Result<(), Failure> {
        self.begin()?;
        self.writer.flush().map_err(unwritten)
    }

    fn begin(&mut self) -> Result<(), Failure> {
        self.head
            .take()
            .map_or(Ok(()), |head| self.writer.write_record(head))
            .map_err(|e| unwritten(e.into()))
    }
}

/// Nobody reading on is no failure; a full disk is one.
fn unwritten(error: std::io::Error) -> Failure {
    match error.kind() {
        std::io::ErrorKind::BrokenPipe => Failure::Closed,
        _ => Failure::Usage(format!("standard output cannot be written: {error}")),
    }
}

/// How many records a target gave, and when that was last said: long work shows that it goes on.
struct Showing {
    target: &'static str,
    verb: &'static str,
    count: u64,
    said: Instant,
}

static PROGRESS: Mutex<Option<Showing>> = Mutex::new(None);

/// How often long work says how far it is.
const SAY_EVERY: Duration = Duration::from_secs(5);

/// Says on standard error every few seconds how many log records a target gave.
pub fn show_progress(target: &'static str, verb: &'static str) {
    let showing = Showing { target, verb, count: 0, said: Instant::now() };
    *PROGRESS.lock().unwrap_or_else(PoisonError::into_inner) = Some(showing);
    log::set_max_level(log::max_level().max(log::LevelFilter::Info));
}

fn count_progress(target: &str) {
    let mut showing = PROGRESS.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(showing) = showing.as_mut().filter(|showing| showing.target == target) else { return };
    showing.count += 1;
    if showing.said.elapsed() >= SAY_EVERY {
        eprintln!("bayar: {} {} so far", showing.verb, showing.count);
        showing.said = Instant::now();
    }
}

/// Log records on standard error: warnings, or with `-v` more and `-vv` all of it.
pub fn log_to_stderr(verbose: u8) {
    struct Stderr(log::LevelFilter);

    impl log::Log for Stderr {
        fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
            metadata.target().starts_with("bayar") && metadata.level() <= self.0
        }

        fn log(&self, record: &log::Record<'_>) {
            count_progress(record.target());
            crate::records::keep(record);
            if self.enabled(record.metadata()) {
                eprintln!("{:5} {}: {}", record.level(), record.target(), record.args());
            }
        }

        fn flush(&self) {}
    }

    let level = match verbose {
        0 => log::LevelFilter::Error,
        1 => log::LevelFilter::Info,
        _ => log::LevelFilter::Trace,
    };
    if log::set_boxed_logger(Box::new(Stderr(level))).is_ok() {
        log::set_max_level(level);
    }
}
