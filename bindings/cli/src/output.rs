//! What the command line prints, and how it ends.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use bayar::{Error, Stage};
use serde::Serialize;

/// Why a command did not succeed.
pub enum Failure {
    /// The engine said no.
    Engine(Box<Error>),
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
                ExitCode::from(match error.stage {
                    Stage::Answered => 1,
                    Stage::NotSent => 2,
                    Stage::MaybeSent => 3,
                })
            }
            Failure::Closed => ExitCode::SUCCESS,
        }
    }
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
    writeln!(std::io::stdout().lock(), "{line}").map_err(|_| Failure::Closed)
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

/// Log records on standard error: warnings, or with `-v` more and `-vv` all of it.
pub fn log_to_stderr(verbose: u8) {
    struct Stderr;

    impl log::Log for Stderr {
        fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
            metadata.target().starts_with("bayar")
        }

        fn log(&self, record: &log::Record<'_>) {
            if self.enabled(record.metadata()) {
                eprintln!("{:5} {}: {}", record.level(), record.target(), record.args());
            }
        }

        fn flush(&self) {}
    }

    static STDERR: Stderr = Stderr;
    if log::set_logger(&STDERR).is_ok() {
        log::set_max_level(match verbose {
            0 => log::LevelFilter::Error,
            1 => log::LevelFilter::Info,
            _ => log::LevelFilter::Trace,
        });
    }
}
