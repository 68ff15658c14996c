//! Reading the fields of a request, and the refusals of the payment endpoints.

use serde_json::json;
use serde_json::value::RawValue;

use crate::provider::{Reply, Request, pairs};
use crate::raw::{self, Raw};
use crate::tools::rupiah;

/// Why a payment endpoint refuses: an HTTP status and its `Message`.
#[derive(Debug)]
pub(super) struct Refusal {
    status: u16,
    message: String,
}

impl Refusal {
    pub(super) fn new(status: u16, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }

    pub(super) fn wrong_signature() -> Self {
        Self::new(401, "Wrong signature")
    }

    pub(super) fn no_merchant() -> Self {
        Self::new(404, "Merchant not found")
    }

    pub(super) fn no_channel() -> Self {
        Self::new(404, "Payment channel not available")
    }

    pub(super) fn reply(&self) -> Reply {
        Reply::json(self.status, &json!({"Message": self.message}))
    }
}

fn bad(message: impl Into<String>) -> Refusal {
    Refusal::new(400, message)
}

/// Whether the body is declared to be of a type.
pub(super) fn is_type(request: &Request, wanted: &str) -> bool {
    let given = request.header("content-type").unwrap_or_default();
    given.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(wanted)
}

/// An object with its names in lower case: the document prints `callbackurl` and
/// `merchantcode` where its own samples and clients write `callbackUrl` and `merchantCode`.
pub(super) fn object(text: &[u8]) -> Option<Raw> {
    Some(raw::object(text)?.into_iter().map(|(name, value)| (name.to_lowercase(), value)).collect())
}

/// The JSON body of a payment endpoint.
pub(super) fn body(request: &Request) -> Result<Raw, Refusal> {
    let object = if is_type(request, "application/json") { object(&request.body) } else { None };
    object.ok_or_else(|| bad("The request is invalid: a JSON object is expected"))
}

/// The same, or a form: of the status query the public documentation says form, and its
/// samples send JSON.
pub(super) fn body_or_form(request: &Request) -> Result<Raw, Refusal> {
    if !is_type(request, "application/x-www-form-urlencoded") {
        return body(request);
    }
    let text = std::str::from_utf8(&request.body).map_err(|_| bad("The request is invalid"))?;
    let as_json = |text: &str| RawValue::from_string(json!(text).to_string()).expect("a text is JSON");
    Ok(pairs(text).map(|(name, value)| (name.to_lowercase(), as_json(&value))).collect())
}

/// A field that is itself an object.
pub(super) fn inner(body: &Raw, name: &str) -> Option<Raw> {
    object(body.get(&name.to_lowercase())?.get().as_bytes())
}

/// A field that is an array of objects; empty where there is none.
pub(super) fn list(body: &Raw, name: &str) -> Result<Vec<Raw>, Refusal> {
    let Some(raw) = body.get(&name.to_lowercase()).filter(|raw| raw.get() != "null") else {
        return Ok(Vec::new());
    };
    let wrong = || bad(format!("{name} is not an array of objects"));
    let items: Vec<Box<RawValue>> = serde_json::from_str(raw.get()).map_err(|_| wrong())?;
    items.iter().map(|item| object(item.get().as_bytes()).ok_or_else(wrong)).collect()
}

/// A text that may be missing, of at most so many characters.
pub(super) fn optional(body: &Raw, name: &str, most: usize) -> Result<String, Refusal> {
    let text = raw::text(body, &name.to_lowercase()).unwrap_or_default();
    if text.chars().count() > most {
        return Err(bad(format!("length of {name} can't > {most}")));
    }
    Ok(text)
}

/// A text that must be there.
pub(super) fn need(body: &Raw, name: &str, most: usize) -> Result<String, Refusal> {
    let text = optional(body, name, most)?;
    if text.is_empty() { Err(bad(format!("{name} is mandatory"))) } else { Ok(text) }
}

/// A whole number that must be there; the samples print it as a number and as a text.
pub(super) fn integer(body: &Raw, name: &str) -> Result<i64, Refusal> {
    let text = need(body, name, 255)?;
    let whole = rupiah(&text).ok().filter(|_| !text.contains('.'));
    whole.ok_or_else(|| bad(format!("{name} must be an integer")))
}

/// A web address that must be there.
pub(super) fn url(body: &Raw, name: &str) -> Result<String, Refusal> {
    let url = need(body, name, 255)?;
    if is_web(&url) { Ok(url) } else { Err(bad(format!("{name} is not a valid URL"))) }
}

/// Whether an address is one of the web.
pub(super) fn is_web(url: &str) -> bool {
    url.starts_with("http://") || url.starts_with("https://")
}

/// The payer's email address, as far as anyone checks those. The document says 50, and so does
/// the text of the public refusal, though the public table says 255.
pub(super) fn email(body: &Raw) -> Result<String, Refusal> {
    let email = need(body, "email", 50)?;
    let valid = email
        .split_once('@')
        .is_some_and(|(user, host)| !user.is_empty() && host.contains('.') && !host.contains('@'));
    if valid { Ok(email) } else { Err(bad("Invalid Email Address")) }
}

/// Every item has its three fields, and the prices make up the amount: a `price` is that of its
/// line, whatever the quantity. So it is in the sample of §5 (2 × 10000, of 10000) and in the
/// public one (1 × 10000 and 3 × 30000, of 40000). No item at all is no mistake.
pub(super) fn items(body: &Raw, amount: i64) -> Result<usize, Refusal> {
    let items = list(body, "itemDetails")?;
    let mut total = Some(0_i64);
    for item in &items {
        need(item, "name", 255)?;
        integer(item, "quantity")?;
        let price = integer(item, "price")?;
        total = total.and_then(|total| total.checked_add(price));
    }
    if !items.is_empty() && total != Some(amount) {
        return Err(Refusal::new(409, "Payment amount must be equal to all item price"));
    }
    Ok(items.len())
}

/// `creditCardDetail` (public): a bank, and at most 25 banks or beginnings of card numbers.
pub(super) fn card(body: &Raw) -> Result<(), Refusal> {
    let Some(card) = inner(body, "creditCardDetail") else { return Ok(()) };
    optional(&card, "acquirer", 3)?;
    let bins = raw::value(&card, "binwhitelist");
    let bins = bins.as_array().map(Vec::as_slice).unwrap_or_default();
    if bins.len() > 25 || bins.iter().any(|bin| bin.as_str().is_none_or(|bin| bin.len() > 6)) {
        return Err(bad("binWhitelist is not valid"));
    }
    Ok(())
}
