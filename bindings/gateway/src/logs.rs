//! The log: one line a record, with the request that it belongs to, and without credentials.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use bayar::{Engine, Error};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::{LogForm, LogLevel, Settings, invalid};

/// Where lines go.
static OUT: Mutex<Option<(PathBuf, File)>> = Mutex::new(None);
/// Who knows the credentials.
static ENGINE: OnceLock<Engine> = OnceLock::new();

/// Starts the log. Only what Bayar itself says is written: a library at trace could show what it sends.
///
/// # Errors
/// [`bayar::Code::InvalidConfig`] where the file cannot be opened.
pub(crate) fn start(settings: &Settings) -> Result<(), Error> {
    if let Some(file) = &settings.log_file {
        *lock() = Some((file.clone(), open(file)?));
    }
    let level = match settings.log_level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
    };
    let filter = Targets::new().with_target("bayar", level);
    let lines = tracing_subscriber::fmt::layer().with_writer(Lines).with_ansi(false);
    let lines = match settings.log {
        LogForm::Text => lines.boxed(),
        LogForm::Json => lines.json().flatten_event(true).with_span_list(false).boxed(),
    };
    // A second gateway in one process, as tests have it, writes to the first one's log.
    let _ = tracing_subscriber::registry().with(lines.with_filter(filter)).try_init();
    Ok(())
}

/// From here on every line passes the engine's redaction.
pub(crate) fn redact_by(engine: &Engine) {
    let _ = ENGINE.set(engine.clone());
}

/// Opens the file anew: it was moved away by whoever rotates logs.
pub(crate) fn reopen() {
    let mut out = lock();
    if let Some((path, file)) = out.as_mut() {
        match open(path) {
            Ok(new) => *file = new,
            Err(error) => eprintln!("bayar: {}", error.message),
        }
    }
}

fn open(file: &Path) -> Result<File, Error> {
    OpenOptions::new().create(true).append(true).open(file).map_err(|error| {
        invalid("log_file", format!("is {}, which cannot be written: {error}", file.display()))
    })
}

fn lock() -> std::sync::MutexGuard<'static, Option<(PathBuf, File)>> {
    OUT.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Lines;

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line
    }
}

/// Gets whole records.
struct Line;

impl Write for Line {
    fn write(&mut self, record: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(record);
        let text = match ENGINE.get() {
            Some(engine) => engine.redact(&text),
            None => text,
        };
        match lock().as_mut() {
            Some((_, file)) => file.write_all(text.as_bytes())?,
            None => io::stderr().lock().write_all(text.as_bytes())?,
        }
        Ok(record.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
