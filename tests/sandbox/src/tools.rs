//! Small things that several simulators need: times as Indonesian providers print them,
//! amounts read exactly, made-up numbers.

use jiff::Timestamp;
use jiff::tz::Offset;

/// Western Indonesian time, in which all five providers print.
const WIB: Offset = Offset::constant(7);

/// `YYYY-MM-DD HH:MM:SS`, in WIB.
pub fn wib(time: Timestamp) -> String {
    WIB.to_datetime(time).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// Any other form of a time, in WIB.
pub fn wib_as(time: Timestamp, format: &str) -> String {
    WIB.to_datetime(time).strftime(format).to_string()
}

/// Reads `YYYY-MM-DD HH:MM:SS` or a day alone, in WIB.
pub fn read_wib(text: &str) -> Option<Timestamp> {
    let whole = if text.len() == 10 { format!("{text} 00:00:00") } else { text.to_owned() };
    read_zoned(&format!("{whole} +0700"))
}

/// Reads `YYYY-MM-DD HH:MM:SS +0700`, as Midtrans wants the start of an expiry.
pub fn read_zoned(text: &str) -> Option<Timestamp> {
    Timestamp::strptime("%Y-%m-%d %H:%M:%S %z", text).ok()
}

/// Lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A random (version 4) UUID, the shape most providers give their ids.
pub fn uuid() -> String {
    let mut bytes: [u8; 16] = random();
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let text = hex(&bytes);
    format!("{}-{}-{}-{}-{}", &text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..])
}

/// `count` random digits: the free part of a VA number or payment code.
pub fn digits(count: usize) -> String {
    let bytes: [u8; 32] = random();
    bytes.iter().cycle().take(count).map(|byte| char::from(b'0' + byte % 10)).collect()
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system has randomness");
    bytes
}

/// `count` random capitals and digits: the free part of a reference.
pub fn letters(count: usize) -> String {
    const ALL: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    let bytes: [u8; 32] = random();
    bytes.iter().cycle().take(count).map(|byte| char::from(ALL[usize::from(byte % 32)])).collect()
}

/// A number from 1 to `most`.
pub fn upto(most: u16) -> u16 {
    u16::from_le_bytes(random()) % most + 1
}

/// Why an amount could not be read as whole rupiah.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotRupiah {
    /// Not the text of a decimal number.
    NotANumber,
    /// A number with something behind the point.
    Fraction,
}

/// Whole rupiah out of the text of a decimal: `10000`, `10000.0`, `10000.00`, `-500`.
///
/// Never through a float: a float reads `9007199254740993` as its neighbour.
pub fn rupiah(text: &str) -> Result<i64, NotRupiah> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !all_digits(whole) || !all_digits(fraction) {
        return Err(NotRupiah::NotANumber);
    }
    if fraction.bytes().any(|byte| byte != b'0') {
        return Err(NotRupiah::Fraction);
    }
    whole.parse::<i64>().map(|value| sign * value).map_err(|_| NotRupiah::NotANumber)
}

/// The text of a JSON number, or of the number inside a JSON string.
pub fn number_text(raw: &str) -> Option<String> {
    match raw.as_bytes().first()? {
        b'"' => serde_json::from_str(raw).ok(),
        b'-' | b'0'..=b'9' => Some(raw.to_owned()),
        _ => None,
    }
}

/// `Rp150.000`, as Indonesia writes it.
pub fn rp(amount: i64) -> String {
    let digits = amount.unsigned_abs().to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push('.');
        }
        text.push(digit);
    }
    format!("{}Rp{text}", if amount < 0 { "-" } else { "" })
}

/// A QR code as an inline SVG picture; `None` for text too long for one.
pub fn qr_svg(text: &str) -> Option<String> {
    let code = qrcode::QrCode::with_error_correction_level(text, qrcode::EcLevel::L).ok()?;
    let picture = code.render::<qrcode::render::svg::Color<'_>>().min_dimensions(180, 180).build();
    // The XML declaration may stand in a file, not in the middle of a page.
    picture.find("<svg").map(|start| picture[start..].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rupiah_is_read_exactly() {
        let table = [
            ("10000", Ok(10_000)),
            ("10000.00", Ok(10_000)),
            ("-500", Ok(-500)),
            ("9007199254740993", Ok(9_007_199_254_740_993)),
            ("10000.50", Err(NotRupiah::Fraction)),
            ("1e4", Err(NotRupiah::NotANumber)),
            ("", Err(NotRupiah::NotANumber)),
            ("10.000.0", Err(NotRupiah::NotANumber)),
            ("99999999999999999999", Err(NotRupiah::NotANumber)),
        ];
        for (text, expected) in table {
            assert_eq!(rupiah(text), expected, "{text}");
        }
    }

    #[test]
    fn rupiah_is_printed_as_indonesia_writes_it() {
        assert_eq!(rp(150_000), "Rp150.000");
        assert_eq!(rp(999), "Rp999");
        assert_eq!(rp(1_234_567), "Rp1.234.567");
        assert_eq!(rp(-1000), "-Rp1.000");
    }

    #[test]
    fn a_number_upto_is_never_zero() {
        assert!((0..1000).all(|_| (1..=3).contains(&upto(3))));
    }

    #[test]
    fn wib_is_seven_hours_ahead() {
        let time: Timestamp = "2026-01-02T20:30:00Z".parse().expect("a time");
        assert_eq!(wib(time), "2026-01-03 03:30:00");
        assert_eq!(read_zoned("2026-01-03 03:30:00 +0700"), Some(time));
        assert_eq!(read_wib("2026-01-03 03:30:00"), Some(time));
        assert_eq!(read_wib("2026-01-03").map(wib).as_deref(), Some("2026-01-03 00:00:00"));
        assert_eq!(read_wib("03/01/2026"), None);
        assert_eq!(wib_as(time, "%b %d, %Y %I:%M %p"), "Jan 03, 2026 03:30 AM");
    }
}
