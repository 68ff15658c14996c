//! Moments as people give and read them: Jakarta time.

use jiff::civil::{Date, DateTime};
use jiff::tz::{TimeZone, offset};
use jiff::{Timestamp, ToSpan};

const FORMS: &str = "expected 2025-11-20, 2025-11-20T08:30 (both Jakarta time) or 2025-11-20T08:30:00+07:00";

/// The first moment that a text names, in milliseconds since 1970-01-01 UTC: of a day its midnight.
pub fn since(text: &str) -> Result<i64, String> {
    match text.parse::<Date>() {
        Ok(day) if text.len() == 10 => midnight(day),
        _ => moment(text),
    }
}

/// The moment before which things must have happened: of a day the midnight that ends it.
pub fn until(text: &str) -> Result<i64, String> {
    match text.parse::<Date>() {
        Ok(day) if text.len() == 10 => midnight(day.checked_add(1.day()).map_err(|e| e.to_string())?),
        _ => moment(text),
    }
}

fn midnight(day: Date) -> Result<i64, String> {
    in_jakarta(day.to_datetime(jiff::civil::Time::midnight()))
}

fn moment(text: &str) -> Result<i64, String> {
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Ok(moment.as_millisecond());
    }
    in_jakarta(text.parse::<DateTime>().map_err(|_| FORMS.to_owned())?)
}

fn in_jakarta(moment: DateTime) -> Result<i64, String> {
    Ok(moment.to_zoned(jakarta()).map_err(|e| e.to_string())?.timestamp().as_millisecond())
}

fn jakarta() -> TimeZone {
    TimeZone::fixed(offset(7))
}

/// For people: `2025-11-20 08:30:00`.
pub fn show(ms: i64) -> String {
    format_as(ms, "%Y-%m-%d %H:%M:%S")
}

/// For programs: `2025-11-20T08:30:00.123+07:00`.
pub fn rfc3339(ms: i64) -> String {
    format_as(ms, "%Y-%m-%dT%H:%M:%S%.3f%:z")
}

fn format_as(ms: i64, form: &str) -> String {
    match Timestamp::from_millisecond(ms) {
        Ok(moment) => moment.to_zoned(jakarta()).strftime(form).to_string(),
        Err(_) => ms.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_moments_and_nonsense() {
        let eight = 1_763_600_400_000; // 2025-11-20T08:00:00+07:00
        let midnight = eight - 8 * 3_600_000;
        for (text, from, to) in [
            ("2025-11-20", Some(midnight), Some(midnight + 86_400_000)),
            ("2025-11-20T08:00", Some(eight), Some(eight)),
            ("2025-11-20 08:00:00", Some(eight), Some(eight)),
            ("2025-11-20T01:00:00Z", Some(eight), Some(eight)),
            ("2025-11-20T08:00:00+07:00", Some(eight), Some(eight)),
            ("20/11/2025", None, None),
            ("2025-02-30", None, None),
            ("yesterday", None, None),
            ("", None, None),
        ] {
            assert_eq!((since(text).ok(), until(text).ok()), (from, to), "{text}");
        }
        assert_eq!(show(eight), "2025-11-20 08:00:00");
        assert_eq!(rfc3339(eight + 5), "2025-11-20T08:00:00.005+07:00");
    }
}
