//! The text of a callback:
//! `Transaksi s5. 2222222222 SUKSES, SN: 11111111111, Saldo: Rp99,999,999, Harga: 201,200, Tgl: 01/01 10:32:12`.
//!
//! Commas both separate fields and group thousands, so it is read by its labels: a field runs from
//! its label to the next one. What is between the labels and not understood is left alone; the whole
//! text is kept beside what was read.

use std::fmt;

use bayar_provider::Rupiah;
use bayar_provider::jiff::Timestamp;
use bayar_provider::jiff::civil::DateTime;
use bayar_provider::time::{WIB, rfc3339_wib};
use serde::Serialize;

/// What a message says, as far as it is understood.
#[derive(Default, Debug, PartialEq, Eq, Serialize)]
pub struct Message {
    /// What it says became of the purchase.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub word: Option<Word>,
    /// The serial number or token, which may hold blanks, slashes, dashes and commas.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// What is left of the deposit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub balance: Option<Rupiah>,
    /// What it cost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price: Option<Rupiah>,
    /// When, RFC 3339; the message has no year.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
}

/// The word that stands before the first label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Word {
    /// It succeeded.
    Sukses,
    /// It failed.
    Gagal,
    /// It says both.
    Both,
}

const LABELS: [&str; 4] = ["SN", "Saldo", "Harga", "Tgl"];

impl Message {
    /// Reads a message that was received at that moment.
    pub fn read(text: &str, received: Timestamp) -> Self {
        let labels = labels(text);
        let head = &text[..labels.first().map_or(text.len(), |label| label.start)];
        let value = |name: &str| {
            let at = labels.iter().position(|label| label.name == name)?;
            let end = labels.get(at + 1).map_or(text.len(), |next| next.start);
            let value = text[labels[at].end..end].trim().trim_end_matches(',').trim();
            (!value.is_empty()).then_some(value)
        };
        Message {
            word: Word::of(head),
            serial: value("SN").map(str::to_owned),
            balance: value("Saldo").and_then(rupiah),
            price: value("Harga").and_then(rupiah),
            at: value("Tgl").and_then(|text| moment(text, received)).map(rfc3339_wib),
        }
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Word::Sukses => "SUKSES",
            Word::Gagal => "GAGAL",
            Word::Both => "SUKSES and GAGAL",
        })
    }
}

impl Word {
    fn of(head: &str) -> Option<Self> {
        let says = |word: &str| {
            head.split(|c: char| !c.is_ascii_alphanumeric()).any(|part| part.eq_ignore_ascii_case(word))
        };
        match (says("SUKSES"), says("GAGAL")) {
            (true, false) => Some(Word::Sukses),
            (false, true) => Some(Word::Gagal),
            (true, true) => Some(Word::Both),
            (false, false) => None,
        }
    }
}

/// A label, from its first letter to behind its colon.
struct Label {
    name: &'static str,
    start: usize,
    end: usize,
}

/// Every label of the text in its order. One stands at the beginning of a word and has a colon;
/// a name that comes a second time is part of a value (a customer's name in a serial number).
fn labels(text: &str) -> Vec<Label> {
    let mut labels: Vec<Label> = Vec::new();
    for (start, _) in text.char_indices() {
        let begins = text[..start].chars().next_back().is_none_or(|c| c == ',' || c.is_whitespace());
        let known = |name: &&&str| !labels.iter().any(|label| label.name == **name);
        let found =
            LABELS.iter().filter(known).find_map(|name| Some((*name, label_end(&text[start..], name)?)));
        if let (true, Some((name, length))) = (begins, found) {
            labels.push(Label { name, start, end: start + length });
        }
    }
    labels
}

/// How long the label is that the text begins with, colon included.
fn label_end(text: &str, name: &str) -> Option<usize> {
    let head = text.get(..name.len()).filter(|head| head.eq_ignore_ascii_case(name))?;
    let rest = &text[head.len()..];
    let blanks = rest.len() - rest.trim_start().len();
    rest[blanks..].starts_with(':').then_some(name.len() + blanks + 1)
}

/// `Rp99,999,999`, `Rp 99.999.999`, `201200`, `201.200,00`: whole rupiah, thousands grouped by comma
/// or dot throughout, or not at all. Anything else is no amount; it is not guessed.
fn rupiah(text: &str) -> Option<Rupiah> {
    let prefixed = text.get(..2).is_some_and(|head| head.eq_ignore_ascii_case("rp"));
    let text = if prefixed { text[2..].trim_start_matches('.').trim_start() } else { text };
    let (whole, fraction) = match text.rsplit_once([',', '.']) {
        // A group of thousands has three digits, so one or two behind a sign are a fraction.
        Some((whole, tail)) if tail.len() < 3 => (whole, tail),
        _ => (text, "0"),
    };
    if fraction.is_empty() || fraction.bytes().any(|b| b != b'0') {
        return None;
    }
    let sign = text[whole.len()..].chars().next();
    let separator = whole.chars().find(|c| matches!(c, ',' | '.'));
    if sign.is_some() && sign == separator {
        return None;
    }
    let digits = match separator {
        None => whole.to_owned(),
        Some(separator) => ungrouped(whole, separator)?,
    };
    let plain = (1..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    if plain { digits.parse().ok().and_then(Rupiah::new) } else { None }
}

/// The digits of a number that is grouped in threes.
fn ungrouped(text: &str, separator: char) -> Option<String> {
    let groups: Vec<&str> = text.split(separator).collect();
    let (first, rest) = groups.split_first()?;
    let right = (1..=3).contains(&first.len()) && rest.iter().all(|group| group.len() == 3);
    right.then(|| groups.concat())
}

/// `01/01 10:32:12`, day before month, in WIB: the year is the one that puts it nearest to when it was received.
fn moment(text: &str, received: Timestamp) -> Option<Timestamp> {
    let (date, time) = text.split_once(char::is_whitespace)?;
    let (day, month) = date.split_once('/')?;
    let two = |part: &str| part.trim().parse::<i8>().ok();
    let clock = time.split(':').map(two).collect::<Option<Vec<_>>>()?;
    let [hour, minute, second] = clock[..] else { return None };
    let (day, month) = (two(day)?, two(month)?);
    let year = WIB.to_datetime(received).year();
    let in_year = |year| {
        let civil = DateTime::new(year, month, day, hour, minute, second, 0).ok()?;
        WIB.to_timestamp(civil).ok()
    };
    let distance = |moment: &Timestamp| moment.as_second().abs_diff(received.as_second());
    (year - 1..=year + 1).filter_map(in_year).min_by_key(distance)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Message {
        Message::read(text, "2026-01-01T10:40:00+07:00".parse().unwrap())
    }

    #[test]
    fn reads_what_the_document_prints() {
        let success = read(
            "Transaksi s5. 2222222222 SUKSES, SN: 11111111111, Saldo: Rp99,999,999, Harga: 201,200, Tgl: 01/01 10:32:12",
        );
        assert_eq!(success.word, Some(Word::Sukses));
        assert_eq!(success.serial.as_deref(), Some("11111111111"));
        assert_eq!(success.balance.map(Rupiah::get), Some(99_999_999));
        assert_eq!(success.price.map(Rupiah::get), Some(201_200));
        assert_eq!(success.at.as_deref(), Some("2026-01-01T10:32:12+07:00"));
        let failure = read("Transaksi s5.111111111 GAGAL, Saldo: Rp99,999,999, Tgl: 01/01 10:36:38");
        assert_eq!(failure.word, Some(Word::Gagal));
        assert_eq!((failure.serial, failure.price), (None, None));
    }

    #[test]
    fn a_serial_number_runs_to_the_next_label() {
        let serial = |text: &str| read(text).serial;
        let token = "1234-5678-9012-3456-7890/BUDI SANTOSO/R1/1300 VA/23,5";
        let found = serial(&format!("Transaksi pln20. 1 SUKSES, SN: {token}, Saldo: Rp1, Harga: 2"));
        assert_eq!(found.as_deref(), Some(token));
        assert_eq!(serial("x SUKSES, SN: A SN: B, Saldo: Rp1").as_deref(), Some("A SN: B"));
        assert_eq!(serial("x SUKSES, SN: TN. SALDO/1").as_deref(), Some("TN. SALDO/1"));
        assert_eq!(serial("x SUKSES, SN: KASN: 1").as_deref(), Some("KASN: 1"));
        assert_eq!(serial("x SUKSES, SN: NOSALDO: 5, Saldo: Rp1").as_deref(), Some("NOSALDO: 5"));
        assert_eq!(serial("x SUKSES, SN: 1").as_deref(), Some("1"));
        assert_eq!(serial("x SUKSES, SN: , Saldo: Rp1"), None);
    }

    #[test]
    fn amounts_are_grouped_or_plain_and_never_guessed() {
        for (text, amount) in [
            ("Rp99,999,999", Some(99_999_999)),
            ("Rp. 99.999.999", Some(99_999_999)),
            ("rp 5000", Some(5000)),
            ("201,200", Some(201_200)),
            ("201.200,00", Some(201_200)),
            ("5000.00", Some(5000)),
            ("0", Some(0)),
            ("201.200,50", None),
            ("201,20", None),
            ("1,2345", None),
            ("1,234.567", None),
            ("12345,678", None),
            (",123", None),
            ("1,,234", None),
            ("-5", None),
            ("Rp", None),
            ("lunas", None),
            ("1,000.000,00", None),
            ("1,000,00", None),
            ("١٢٣", None),
        ] {
            assert_eq!(rupiah(text).map(Rupiah::get), amount, "{text}");
        }
    }

    #[test]
    fn the_year_is_the_nearest() {
        let at = |text: &str, received: &str| moment(text, received.parse().unwrap()).map(rfc3339_wib);
        let new_year = "2026-01-01T00:00:05+07:00";
        assert_eq!(at("31/12 23:59:58", new_year).as_deref(), Some("2025-12-31T23:59:58+07:00"));
        assert_eq!(
            at("01/01 00:00:01", "2025-12-31T23:59:59+07:00").as_deref(),
            Some("2026-01-01T00:00:01+07:00")
        );
        assert_eq!(
            at("29/02 10:00:00", "2025-02-01T00:00:00+07:00").as_deref(),
            Some("2024-02-29T10:00:00+07:00")
        );
        for odd in ["29/02 10:00:00", "13/13 10:00:00", "01/01", "01/01 10:32", "x", "01/01 10:32:61"] {
            assert_eq!(at(odd, "2026-06-01T00:00:00+07:00"), None, "{odd}");
        }
    }

    fn grouped(amount: u64, separator: char) -> String {
        let digits = amount.to_string();
        let from_the_end = |at: usize| digits.len() - at;
        let sign = |at: usize| at > 0 && from_the_end(at).is_multiple_of(3);
        digits
            .char_indices()
            .flat_map(|(at, c)| sign(at).then_some(separator).into_iter().chain([c]))
            .collect()
    }

    proptest! {
        #[test]
        fn never_panics(text in ".*", received in -1_000_000_000i64..4_000_000_000) {
            Message::read(&text, Timestamp::from_second(received).unwrap());
        }

        #[test]
        fn never_panics_near_its_labels(parts in prop::collection::vec(prop_oneof![Just("SN:"), Just(", Saldo: Rp"), Just("Harga :"), Just(" Tgl:"), Just("é"), Just("1,2"), Just("01/01 10:00:00")], 0..12)) {
            read(&parts.concat());
        }

        #[test]
        fn an_amount_is_read_in_every_form(amount in 0u64..1_000_000_000_000_000) {
            for text in [amount.to_string(), grouped(amount, ','), grouped(amount, '.'), format!("Rp{},00", grouped(amount, '.'))] {
                prop_assert_eq!(rupiah(&text).map(Rupiah::get), Some(amount), "{}", text);
            }
        }

        /// Whatever a serial number holds but a label, it comes out as it went in, and the fields behind it too.
        #[test]
        fn fields_come_out_as_they_went_in(
            serial in "[A-Za-z0-9/-]([A-Za-z0-9/,. -]{0,40}[A-Za-z0-9/-])?",
            balance in 0u64..1_000_000_000_000,
            price in 0u64..1_000_000_000_000,
            separator in prop_oneof![Just(','), Just('.')],
            moment in 1_000_000_000i64..2_000_000_000,
        ) {
            let at = Timestamp::from_second(moment).unwrap();
            let written = WIB.to_datetime(at).strftime("%d/%m %H:%M:%S").to_string();
            let text = format!(
                "Transaksi s5. 2222222222 SUKSES, SN: {serial}, Saldo: Rp{}, Harga: {}, Tgl: {written}",
                grouped(balance, separator), grouped(price, separator),
            );
            let message = Message::read(&text, at);
            prop_assert_eq!(message, Message {
                word: Some(Word::Sukses),
                serial: Some(serial),
                balance: Rupiah::new(balance),
                price: Rupiah::new(price),
                at: Some(rfc3339_wib(at)),
            });
        }
    }
}
