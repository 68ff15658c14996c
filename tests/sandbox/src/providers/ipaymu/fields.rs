//! Reading the fields of a request, some of them arrays side by side.

use serde_json::value::RawValue;

use crate::raw::{self, Raw};
use crate::tools::{number_text, rupiah};

/// A field that must be there and not empty.
pub(super) fn need(body: &Raw, name: &str) -> Result<String, String> {
    raw::text(body, name).ok_or_else(|| format!("{name} is required"))
}

/// A web address that must be there.
pub(super) fn url(body: &Raw, name: &str) -> Result<String, String> {
    let url = need(body, name)?;
    if url.starts_with("http://") || url.starts_with("https://") {
        return Ok(url);
    }
    Err(format!("{name} must be a valid URL"))
}

/// An email address, as far as anyone checks those.
pub(super) fn email(body: &Raw, name: &str) -> Result<String, String> {
    let email = need(body, name)?;
    let valid = email.split_once('@').is_some_and(|(user, host)| !user.is_empty() && host.contains('.'));
    if valid { Ok(email) } else { Err(format!("{name} must be a valid email address")) }
}

/// Whole rupiah, at least one.
pub(super) fn amount(text: &str, name: &str) -> Result<i64, String> {
    let amount = rupiah(text).ok().filter(|amount| *amount >= 1);
    amount.ok_or_else(|| format!("{name} must be a whole number of at least 1"))
}

/// Whether the payment is one on delivery.
pub(super) fn is_cod(body: &Raw) -> bool {
    raw::text(body, "paymentMethod").as_deref() == Some("cod")
}

/// An array of texts or numbers; the public documentation writes its name with brackets, and
/// some clients send it so.
pub(super) fn list(body: &Raw, name: &str) -> Vec<String> {
    let raw = body.get(name).or_else(|| body.get(&format!("{name}[]")));
    let items: Vec<Box<RawValue>> =
        raw.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default();
    items.iter().map(|item| number_text(item.get()).unwrap_or_default()).collect()
}

/// What is bought: `product`, `qty` and `price` side by side.
pub(super) struct Cart {
    pub(super) products: Vec<String>,
    pub(super) quantities: Vec<String>,
    pub(super) total: i64,
}

/// Reads the cart; all three arrays are mandatory and of one length.
pub(super) fn cart(body: &Raw) -> Result<Cart, String> {
    let [products, quantities, prices] = ["product", "qty", "price"].map(|name| list(body, name));
    for (name, list) in [("product", &products), ("qty", &quantities), ("price", &prices)] {
        if list.is_empty() || list.iter().any(String::is_empty) {
            return Err(format!("{name} is required"));
        }
        if list.len() != products.len() {
            return Err(format!("{name} must have as many items as product"));
        }
    }
    let mut total = 0_i64;
    for (quantity, price) in quantities.iter().zip(&prices) {
        let line = amount(price, "price")?.checked_mul(amount(quantity, "qty")?);
        total = line.and_then(|line| total.checked_add(line)).ok_or("price is too high")?;
    }
    Ok(Cart { products, quantities, total })
}

/// How long a payment may take, in seconds; the document counts in hours, `expiredType` is
/// public.
pub(super) fn expiry(body: &Raw, default_hours: i64) -> Result<i64, String> {
    let unit = match raw::text(body, "expiredType").as_deref() {
        Some("days") => 24 * 60 * 60,
        Some("minutes") => 60,
        Some("seconds") => 1,
        _ => 60 * 60,
    };
    match raw::text(body, "expired") {
        None => Ok(default_hours * 60 * 60),
        Some(text) => {
            amount(&text, "expired").map(|length| length.saturating_mul(unit).min(365 * 24 * 60 * 60))
        }
    }
}
