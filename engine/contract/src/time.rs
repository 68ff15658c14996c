//! Times: providers write WIB (UTC+7) without a zone; hosts read RFC 3339 with `+07:00`.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

/// WIB, Western Indonesian Time: UTC+7, without daylight saving.
pub const WIB: Offset = Offset::constant(7);

/// Reads `YYYY-MM-DD HH:MM:SS` in WIB, with or without a fraction and with stray blanks
/// (`2026-02-03 22: 02: 04`), and gives the moment; `None` where it is no such time.
pub fn from_wib(text: &str) -> Option<Timestamp> {
    let (date, time) = text.trim().split_once([' ', 'T'])?;
    let time: String = time.chars().filter(|c| !c.is_whitespace()).collect();
    let civil: DateTime = format!("{}T{time}", date.trim()).parse().ok()?;
    WIB.to_timestamp(civil).ok()
}

/// RFC 3339 in WIB, whole seconds: `2026-02-03T22:02:04+07:00`.
pub fn rfc3339_wib(moment: Timestamp) -> String {
    WIB.to_datetime(moment).strftime("%Y-%m-%dT%H:%M:%S+07:00").to_string()
}

/// A provider's WIB time as RFC 3339; `None` where the text is no time.
pub fn wib_to_rfc3339(text: &str) -> Option<String> {
    from_wib(text).map(rfc3339_wib)
}

/// The moment as providers write it, in WIB: `2026-02-03 22:02:04`.
pub fn to_wib(moment: Timestamp) -> String {
    WIB.to_datetime(moment).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_and_writes_wib() {
        for text in [
            "2026-02-03 22:02:04",
            "2026-02-03 22: 02: 04",
            " 2026-02-03  22:02:04.206500 ",
            "2026-02-03T22:02:04",
        ] {
            assert_eq!(wib_to_rfc3339(text).as_deref(), Some("2026-02-03T22:02:04+07:00"), "{text}");
        }
        assert_eq!(from_wib("2026-02-03 22:02:04").map(|t| t.as_second()), Some(1_770_130_924));
        assert_eq!(to_wib(Timestamp::UNIX_EPOCH), "1970-01-01 07:00:00");
        for text in ["", "2026-02-03", "2026-02-30 00:00:00", "yesterday noon"] {
            assert_eq!(from_wib(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_second_is_read_again(second in 0i64..4_000_000_000) {
            let moment = Timestamp::from_second(second).unwrap();
            prop_assert_eq!(from_wib(&to_wib(moment)), Some(moment));
            prop_assert_eq!(rfc3339_wib(moment).parse::<Timestamp>().unwrap(), moment);
        }

        #[test]
        fn no_text_makes_it_panic(text in any::<String>(), date in "[0-9: .-]{0,30}") {
            let _ = from_wib(&text);
            let _ = from_wib(&date);
        }
    }
}
