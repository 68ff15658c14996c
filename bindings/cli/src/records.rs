//! Log records that are kept for the client whose call made them: each is served by one thread.

use std::cell::RefCell;
use std::collections::VecDeque;

use serde::Serialize;

/// The most records that are kept between two times that they are taken.
const KEPT: usize = 1024;

/// The longest message that is kept, in bytes.
const LONGEST: usize = 4096;

/// What was kept.
#[derive(Serialize, Default)]
pub struct Records {
    records: VecDeque<Record>,
    /// How many more there were.
    dropped: u64,
}

#[derive(Serialize)]
struct Record {
    level: &'static str,
    target: String,
    message: String,
}

thread_local! {
    static RECORDS: RefCell<Option<Records>> = const { RefCell::new(None) };
}

/// From now on this thread's records are kept, from info upwards.
pub fn begin() {
    log::set_max_level(log::max_level().max(log::LevelFilter::Info));
    RECORDS.set(Some(Records::default()));
}

/// Keeps a record, if this thread's are kept.
pub fn keep(record: &log::Record<'_>) {
    if record.level() > log::Level::Info || !record.target().starts_with("bayar") {
        return;
    }
    RECORDS.with_borrow_mut(|records| {
        let Some(records) = records else { return };
        if records.records.len() == KEPT {
            records.records.pop_front();
            records.dropped += 1;
        }
        let mut message = record.args().to_string();
        message.truncate(message.floor_char_boundary(LONGEST));
        records.records.push_back(Record {
            level: record.level().as_str(),
            target: record.target().to_owned(),
            message,
        });
    });
}

/// Takes what was kept, with `redact` applied to each message.
pub fn take(redact: impl Fn(&str) -> String) -> Records {
    let mut taken =
        RECORDS.with_borrow_mut(|records| records.as_mut().map(std::mem::take)).unwrap_or_default();
    for record in &mut taken.records {
        record.message = redact(&record.message);
    }
    taken
}
