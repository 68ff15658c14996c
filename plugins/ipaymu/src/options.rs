//! What only iPaymu has in a charge, and where each of it belongs.

use bayar_provider::money::decimal_from_wire;
use bayar_provider::{Charge, Decimal, Error};
use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Number, Value};

/// What only iPaymu has. The lists have one entry for each item, in the order of the items.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// A page: the method that it offers, by the page's own names: `bagva`, `bniva`, `mandiriva`,
    /// `niagava`, `bcatransfer`, `cc`, `cod`, `cstore`, `akulaku`, `qris`.
    pub payment_method: Option<String>,
    /// A page: the channel of that method: `indomaret`, `alfamart`.
    pub payment_channel: Option<String>,
    /// Into how many parts the payment is split (split payment API).
    pub split_count: Option<u32>,
    /// Cash on delivery, directly or on a page: weights in kilograms.
    pub weight: Vec<Measure>,
    /// Cash on delivery: lengths in centimetres.
    pub length: Vec<Measure>,
    /// Cash on delivery: widths in centimetres.
    pub width: Vec<Measure>,
    /// Cash on delivery: heights in centimetres.
    pub height: Vec<Measure>,
    /// Cash on delivery, directly: the receiver's postal code.
    pub delivery_area: Option<String>,
    /// Cash on delivery, directly: the receiver's address.
    pub delivery_address: Option<String>,
    /// Cash on delivery: the sender's postal code; the one registered at iPaymu if absent.
    pub pickup_area: Option<String>,
    /// Cash on delivery: the sender's address; the one registered at iPaymu if absent.
    pub pickup_address: Option<String>,
}

/// A weight or a length: more than nothing, a number (`1`, `0.5`) or its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema)]
pub struct Measure(#[schemars(with = "f64")] Decimal);

impl<'de> Deserialize<'de> for Measure {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let found = decimal_from_wire(&value).filter(|found| *found > Decimal::ZERO && found.scale() <= 3);
        let allowed = "a number above 0 with at most 3 decimals";
        found
            .map(|found| Measure(found.normalize()))
            .ok_or_else(|| D::Error::custom(format!("invalid value: {value}, expected {allowed}")))
    }
}

impl Serialize for Measure {
    /// A number: the document gives no type, public samples have numbers. No money, so a float is exact enough.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let number = u64::try_from(self.0).ok().filter(|_| self.0.is_integer()).map(Number::from);
        let number = number.or_else(|| self.0.to_string().parse().ok().and_then(Number::from_f64));
        number.serialize(serializer)
    }
}

impl std::fmt::Display for Measure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl Options {
    /// Refuses what has no place in a direct payment by this method.
    pub fn check_direct(&self, cod: bool) -> Result<(), Error> {
        let page = [("payment_method", &self.payment_method), ("payment_channel", &self.payment_channel)];
        for (name, given) in page {
            refuse_if(given.is_some(), name, "only without a channel: the page has names of its own")?;
        }
        if cod {
            return Ok(());
        }
        for (name, given) in self.goods() {
            refuse_if(given, name, "only with cash on delivery (channel cod)")?;
        }
        Ok(())
    }

    /// Refuses what has no place on a page.
    pub fn check_page(&self) -> Result<(), Error> {
        let direct = [("delivery_area", &self.delivery_area), ("delivery_address", &self.delivery_address)];
        for (name, given) in direct {
            refuse_if(given.is_some(), name, "only with channel cod: on a page the payer gives it")?;
        }
        let without = self.payment_channel.is_some() && self.payment_method.is_none();
        refuse_if(without, "payment_channel", "only with payment_method")
    }

    fn goods(&self) -> [(&'static str, bool); 8] {
        [
            ("weight", !self.weight.is_empty()),
            ("length", !self.length.is_empty()),
            ("width", !self.width.is_empty()),
            ("height", !self.height.is_empty()),
            ("delivery_area", self.delivery_area.is_some()),
            ("delivery_address", self.delivery_address.is_some()),
            ("pickup_area", self.pickup_area.is_some()),
            ("pickup_address", self.pickup_address.is_some()),
        ]
    }

    /// `dimension` of a page: `length:width:height` for each item (panjang:lebar:tinggi).
    pub fn dimensions(&self) -> Vec<String> {
        let sides = self.length.iter().zip(&self.width).zip(&self.height);
        sides.map(|((length, width), height)| format!("{length}:{width}:{height}")).collect()
    }
}

/// Lists of measures must have an entry for each item; `needed` says whether there must be any.
pub fn check_measures(charge: &Charge<Options>, needed: bool) -> Result<(), Error> {
    let options = &charge.options;
    let sides = [("length", &options.length), ("width", &options.width), ("height", &options.height)];
    // Of the three sides of a parcel, one alone says nothing.
    let any_side = needed || sides.iter().any(|(_, list)| !list.is_empty());
    let lists = sides.map(|(name, list)| (name, list, any_side));
    let weight = ("weight", &options.weight, needed || !options.weight.is_empty());
    for (name, list, wanted) in [weight].into_iter().chain(lists) {
        if wanted && (charge.items.is_empty() || list.len() != charge.items.len()) {
            let allowed = format!("one for each of the {} items", charge.items.len());
            let allowed = if charge.items.is_empty() { "only with items".to_owned() } else { allowed };
            return Err(Error::invalid(
                &format!("options.{name}"),
                format!("{} entries", list.len()),
                allowed,
            ));
        }
    }
    Ok(())
}

fn refuse_if(given: bool, name: &str, allowed: &str) -> Result<(), Error> {
    if given { Err(Error::invalid(&format!("options.{name}"), "it here", allowed)) } else { Ok(()) }
}
