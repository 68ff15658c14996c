//! What Snap and the Core API check alike in a request.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use crate::raw::{Raw, inner, text, value};
use crate::tools::{NotRupiah, number_text, read_zoned, rupiah};

/// What both want to know of a transaction.
pub(super) struct Wanted {
    pub(super) order_id: String,
    pub(super) amount: i64,
    /// Repeated in status and notification: custom fields and metadata.
    pub(super) extra: Map<String, Value>,
}

/// Checks what both APIs check; all that is wrong is said at once, amount first, as Midtrans
/// does. `least` is how the API words the smallest amount.
pub(super) fn read(body: &Raw, least: &str) -> Result<Wanted, Vec<String>> {
    let mut wrong = Vec::new();
    let details = inner(body, "transaction_details").unwrap_or_default();
    let amount = gross_amount(&details, least, &mut wrong);
    let order_id = order_id(&details, &mut wrong);
    let items = items(body, &mut wrong);
    if wrong.is_empty() && items.is_some_and(|sum| Some(sum) != amount) {
        wrong.push("transaction_details.gross_amount is not equal to the sum of item_details".to_owned());
    }
    match (order_id, amount) {
        (Some(order_id), Some(amount)) if wrong.is_empty() => {
            Ok(Wanted { order_id, amount, extra: extra(body) })
        }
        _ => Err(wrong),
    }
}

fn gross_amount(details: &Raw, least: &str, wrong: &mut Vec<String>) -> Option<i64> {
    let mut say = |text: &str| wrong.push(format!("transaction_details.gross_amount {text}"));
    let raw = details.get("gross_amount").filter(|raw| raw.get() != "null");
    if raw.is_none() {
        say("is required");
    }
    match raw.and_then(|raw| number_text(raw.get())).map(|text| rupiah(&text)) {
        Some(Ok(amount)) if amount >= 1 => return Some(amount),
        Some(Ok(_)) => say(&format!("must be greater than or equal to {least}")),
        Some(Err(NotRupiah::Fraction)) => say("is not an integer"),
        Some(Err(NotRupiah::NotANumber)) | None => say("is not a number"),
    }
    None
}

fn order_id(details: &Raw, wrong: &mut Vec<String>) -> Option<String> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_~.".contains(&byte);
    let Some(id) = text(details, "order_id") else {
        wrong.push("transaction_details.order_id is required".to_owned());
        return None;
    };
    if id.len() > 50 {
        wrong.push("transaction_details.order_id is too long (maximum is 50 characters)".to_owned());
    } else if !id.bytes().all(allowed) {
        // Documented as "alphanumeric, dash, underscore, tilde and dot"; the text is ours.
        wrong.push(
            "transaction_details.order_id contains characters other than A-Z a-z 0-9 - _ ~ .".to_owned(),
        );
    } else {
        return Some(id);
    }
    None
}

/// The sum of the items; `None` where there are none.
fn items(body: &Raw, wrong: &mut Vec<String>) -> Option<i64> {
    let raw = body.get("item_details").filter(|raw| raw.get() != "null")?;
    let Ok(items) = serde_json::from_str::<Vec<Raw>>(raw.get()) else {
        wrong.push("item_details is not an array of objects".to_owned());
        return None;
    };
    if items.is_empty() {
        return None;
    }
    let mut sum = 0_i64;
    for (index, item) in items.iter().enumerate() {
        let mut number = |name: &str| {
            let read = text(item, name).and_then(|text| rupiah(&text).ok());
            if read.is_none() {
                wrong.push(format!("item_details[{index}].{name} is not a number"));
            }
            read.unwrap_or(0)
        };
        let (price, quantity) = (number("price"), number("quantity"));
        sum = sum.saturating_add(price.saturating_mul(quantity));
        match text(item, "name") {
            None => wrong.push(format!("item_details[{index}].name is required")),
            Some(name) if name.chars().count() > 50 => {
                wrong.push(format!("item_details[{index}].name is too long (maximum is 50 characters)"));
            }
            Some(_) => {}
        }
    }
    Some(sum)
}

fn extra(body: &Raw) -> Map<String, Value> {
    let names = ["custom_field1", "custom_field2", "custom_field3", "metadata"];
    let kept = names.into_iter().map(|name| (name.to_owned(), value(body, name)));
    kept.filter(|(_, value)| !value.is_null()).collect()
}

/// How long a payment may take: from when (absent: from the choice of a method), how long.
#[derive(Debug, Clone, Copy, serde::Serialize, serde::Deserialize)]
pub(super) struct Expiry {
    pub(super) start: Option<Timestamp>,
    pub(super) seconds: i64,
}

impl Expiry {
    /// When it ends, for a payment begun at `begun`.
    pub(super) fn end(self, begun: Timestamp) -> Timestamp {
        let length = SignedDuration::from_secs(self.seconds);
        self.start.unwrap_or(begun).checked_add(length).unwrap_or(Timestamp::MAX)
    }

    /// Reads `expiry`, `page_expiry` or `custom_expiry`, which differ in their words only.
    pub(super) fn read(body: &Raw, name: &str, wrong: &mut Vec<String>) -> Option<Self> {
        let raw = inner(body, name)?;
        let start = text(&raw, "start_time").or_else(|| text(&raw, "order_time"));
        let length = text(&raw, "duration").or_else(|| text(&raw, "expiry_duration"));
        let unit = text(&raw, "unit").unwrap_or_else(|| "minute".to_owned()).to_lowercase();
        let unit = match unit.trim_end_matches('s') {
            "second" => 1,
            "minute" => 60,
            "hour" => 60 * 60,
            "day" => 24 * 60 * 60,
            _ => {
                wrong.push(format!("{name}.unit is not included in the list"));
                return None;
            }
        };
        let Some(length) =
            length.and_then(|text| rupiah(&text).ok()).filter(|length| (1..=100_000_000).contains(length))
        else {
            wrong.push(format!("{name}.duration is not a number greater than 0"));
            return None;
        };
        let read = start.as_deref().map(read_zoned);
        if read == Some(None) {
            wrong.push(format!("{name}.start_time is not in format yyyy-MM-dd HH:mm:ss Z"));
            return None;
        }
        Some(Self { start: read.flatten(), seconds: length * unit })
    }
}
