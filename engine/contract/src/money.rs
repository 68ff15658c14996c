//! Money: whole rupiah, and amounts as providers write them.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer, Unexpected, Visitor};
use serde::{Serialize, Serializer};

/// An amount in whole rupiah, 0 to 999 999 999 999 999.
///
/// Reads an integer (`150000`) or a string of digits (`"150000"`); a fraction, a float, a
/// sign or a separator is refused, so that no amount ever passes through a binary float.
/// Writes an integer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Rupiah(u64);

/// What [`Rupiah`] accepts, in the words of an error message.
const RUPIAH: &str = "whole rupiah as an integer (150000) or as digits (\"150000\"), at most 999999999999999";

impl Rupiah {
    /// The largest amount: one below 10^15, exact in every JSON reader.
    pub const MAX: Rupiah = Rupiah(999_999_999_999_999);

    /// An amount, unless it is above [`Rupiah::MAX`].
    pub const fn new(amount: u64) -> Option<Self> {
        if amount <= Self::MAX.0 { Some(Rupiah(amount)) } else { None }
    }

    /// The amount as a number of rupiah.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// `self × quantity`, unless it is above [`Rupiah::MAX`].
    pub fn times(self, quantity: u64) -> Option<Self> {
        self.0.checked_mul(quantity).and_then(Rupiah::new)
    }

    /// `self + other`, unless it is above [`Rupiah::MAX`].
    pub fn plus(self, other: Rupiah) -> Option<Self> {
        self.0.checked_add(other.0).and_then(Rupiah::new)
    }

    /// An amount as a provider writes it: `2000`, `"2000"`, `"2000.00"`. A fraction that is
    /// not zero, a sign, and anything else gives `None`.
    pub fn from_wire(value: &serde_json::Value) -> Option<Self> {
        let decimal = decimal_from_wire(value)?.normalize();
        if decimal.scale() != 0 || decimal.is_sign_negative() {
            return None;
        }
        u64::try_from(decimal).ok().and_then(Rupiah::new)
    }
}

/// A decimal as a provider writes it, read from its text: `1399.02`, `"0.00"`, `"2000"`.
/// `null`, `"-"` (absent) and anything else gives `None`.
pub fn decimal_from_wire(value: &serde_json::Value) -> Option<Decimal> {
    match value {
        // A JSON number's own text, not its binary value.
        serde_json::Value::Number(number) => Decimal::from_str(&number.to_string()).ok(),
        serde_json::Value::String(text) => Decimal::from_str(text.trim()).ok(),
        _ => None,
    }
}

impl fmt::Display for Rupiah {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Rupiah {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.0)
    }
}

impl<'de> Deserialize<'de> for Rupiah {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RupiahVisitor)
    }
}

struct RupiahVisitor;

impl Visitor<'_> for RupiahVisitor {
    type Value = Rupiah;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(RUPIAH)
    }

    fn visit_u64<E: de::Error>(self, amount: u64) -> Result<Rupiah, E> {
        Rupiah::new(amount).ok_or_else(|| E::invalid_value(Unexpected::Unsigned(amount), &self))
    }

    fn visit_i64<E: de::Error>(self, amount: i64) -> Result<Rupiah, E> {
        u64::try_from(amount)
            .map_err(|_| E::invalid_value(Unexpected::Signed(amount), &self))
            .and_then(|amount| self.visit_u64(amount))
    }

    fn visit_f64<E: de::Error>(self, amount: f64) -> Result<Rupiah, E> {
        Err(E::invalid_value(Unexpected::Float(amount), &self))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Rupiah, E> {
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let amount = if digits { text.parse().ok().and_then(Rupiah::new) } else { None };
        amount.ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }
}

impl JsonSchema for Rupiah {
    fn schema_name() -> Cow<'static, str> {
        "Rupiah".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["integer", "string"],
            "minimum": 0,
            "maximum": 999_999_999_999_999u64,
            "pattern": "^[0-9]{1,15}$",
            "description": "whole rupiah, as an integer or a string of digits"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn reads_integers_and_digits_only() {
        for good in [json!(150000), json!("150000")] {
            assert_eq!(serde_json::from_value::<Rupiah>(good).unwrap().get(), 150_000);
        }
        for bad in [
            json!(1.5),
            json!(150000.0),
            json!(-1),
            json!("1.5"),
            json!(""),
            json!("+1"),
            json!("1e3"),
            json!(true),
            json!(null),
            json!(1_000_000_000_000_000u64),
            json!(" 1"),
        ] {
            assert!(serde_json::from_value::<Rupiah>(bad.clone()).is_err(), "{bad}");
        }
    }

    #[test]
    fn reads_what_providers_write() {
        for wire in [json!(2000), json!("2000"), json!("2000.00"), json!(2000.0)] {
            assert_eq!(Rupiah::from_wire(&wire).map(Rupiah::get), Some(2000), "{wire}");
        }
        for wire in [json!("-"), json!(1399.02), json!("-5"), json!(null), json!("")] {
            assert_eq!(Rupiah::from_wire(&wire), None, "{wire}");
        }
        assert_eq!(decimal_from_wire(&json!(1399.02)).unwrap().to_string(), "1399.02");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(amount in 0..=Rupiah::MAX.get()) {
            let money = Rupiah::new(amount).unwrap();
            for text in [json!(money), json!(amount.to_string())] {
                prop_assert_eq!(serde_json::from_value::<Rupiah>(text).unwrap(), money);
            }
            for wire in [json!(amount), json!(format!("{amount}.00")), json!(format!(" {amount} "))] {
                prop_assert_eq!(Rupiah::from_wire(&wire), Some(money));
            }
        }

        #[test]
        fn a_fraction_is_exact_and_no_rupiah(amount in 0..1_000_000_000_000u64, sen in 1..100u32) {
            let text = format!("{amount}.{sen:02}");
            prop_assert_eq!(decimal_from_wire(&json!(text)).unwrap().to_string(), text.clone());
            prop_assert_eq!(Rupiah::from_wire(&json!(text)), None);
        }

        #[test]
        fn no_text_is_guessed(text in any::<String>()) {
            let digits = !text.is_empty() && text.len() <= 15 && text.bytes().all(|b| b.is_ascii_digit());
            prop_assert_eq!(serde_json::from_value::<Rupiah>(json!(text)).is_ok(), digits);
            let _ = Rupiah::from_wire(&json!(text));
        }
    }
}
