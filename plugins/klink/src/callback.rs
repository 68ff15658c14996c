//! K-Link's callbacks: of its own channels (part 2 d), and of GoPay (part 3 d), which names no amount.
//! Verified over the bytes that came, and only then read.
//!
//! The signature covers the status, so a signed callback is evidence (E1), and there is nothing to
//! query. The headings of the document's two samples are swapped: the kind is never taken from them.

use bayar_provider::{Acknowledgement, Callback, Error, Event, Evidence, Rupiah, Status, json};
use serde_json::Value;

use crate::answer::{Verdict, text, word};
use crate::settings::Settings;
use crate::signature;

/// The header that carries the signature.
const SIGNATURE: &str = "x-servicepayment";

/// Verifies a callback and reads it.
pub fn verify(account: &Settings, callback: &Callback) -> Result<Event, Error> {
    let named = callback.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(SIGNATURE));
    if !named && account.callback_unsigned {
        return unsigned(callback);
    }
    let Some(key) = &account.pid_key else {
        return Err(refused("pid_key is not configured, so no callback can be verified"));
    };
    // `header` gives nothing where the header stands twice: which of the two would be meant?
    let Some(given) = callback.header(SIGNATURE) else {
        return Err(refused("x-servicepayment is missing, or stands twice"));
    };
    if !signature::holds(key, given, &callback.body) {
        return Err(refused("x-servicepayment is not the signature of this body"));
    }
    event(json::strict(&callback.body).map_err(refused)?, Evidence::E1)
}

/// A callback without a signature, where the account accepts GoPay's so: it proves nothing, and a
/// person has to look, for there is nobody to ask.
fn unsigned(callback: &Callback) -> Result<Event, Error> {
    let raw = json::strict(&callback.body).map_err(refused)?;
    if field(&raw, "id_trans").is_none() || place(&raw, "tot_bayar").is_some() {
        return Err(refused("x-servicepayment is missing; only GoPay's callbacks may come without"));
    }
    let event = event(raw, Evidence::E0)?;
    let why = format!("a callback without a signature says {:?}: look it up at K-Link", event.status);
    Ok(Event { review: Some(why), ..event })
}

fn event(raw: Value, evidence: Evidence) -> Result<Event, Error> {
    let reference = field(&raw, "order_id").ok_or_else(|| refused("order_id is missing"))?;
    let status = match raw.get("status").or_else(|| raw.pointer("/data/status")).map(word) {
        Some(Verdict::Success) => Status::Paid,
        Some(Verdict::Fail) => Status::Failed,
        Some(Verdict::Unclear) | None => Status::Unknown,
    };
    let (amount, odd) = match paid(&raw) {
        Paid::Sum(amount) => (Some(amount), None),
        // Of what failed nothing was paid, however that is written.
        Paid::Odd(_, true) if status == Status::Failed => (None, None),
        Paid::Odd(found, _) => (None, Some(found)),
        Paid::Unsaid => (None, None),
    };
    // That some other sum was paid, or none, is not that this order was.
    let status = if odd.is_some() { Status::Unknown } else { status };
    // GoPay's `id_trans` is of K-Link's database and not the transaction id that the charge's answer had.
    let kd_pay = field(&raw, "kd_pay").filter(|id| id != "-");
    let said = ["order_id", "rq_uuid", "kd_pay", "id_trans", "status"];
    let mut dedupe = said.map(|name| field(&raw, name).unwrap_or_default()).join("|");
    // An amount that is empty is another event than one that is absent.
    let named = field(&raw, "tot_bayar").or_else(|| place(&raw, "tot_bayar").map(Value::to_string));
    dedupe.extend(["|", &named.unwrap_or_default()]);
    Ok(Event {
        provider_reference: kd_pay,
        amount,
        review: odd.map(|found| format!("tot_bayar is {found}, no amount of whole rupiah")),
        raw,
        ..Event::new(reference, status, evidence, dedupe, received())
    })
}

/// What a callback says was paid.
enum Paid {
    /// Nothing is said: the field is absent (GoPay's have none), or `"-"`, which is how K-Link writes that.
    Unsaid,
    /// This sum.
    Sum(Rupiah),
    /// Something that is no sum, as it was found; and whether it comes to nothing.
    Odd(String, bool),
}

fn paid(raw: &Value) -> Paid {
    let Some(found) = place(raw, "tot_bayar") else { return Paid::Unsaid };
    let nothing = match found {
        Value::String(text) if text.trim() == "-" => return Paid::Unsaid,
        Value::String(text) => text.trim().is_empty(),
        other => other.is_null(),
    };
    match Rupiah::from_wire(found) {
        Some(amount) if amount.get() > 0 => Paid::Sum(amount),
        zero => Paid::Odd(found.to_string(), nothing || zero.is_some()),
    }
}

/// Where a field stands: in the body, else in its `data`.
fn place<'a>(raw: &'a Value, name: &str) -> Option<&'a Value> {
    raw.get(name).or_else(|| raw.get("data")?.get(name))
}

/// A field of the body, or of its `data`: the document's table has one, its samples do not.
fn field(raw: &Value, name: &str) -> Option<String> {
    text(Some(raw), name).or_else(|| text(raw.get("data"), name))
}

fn received() -> Acknowledgement {
    Acknowledgement::json(200, r#"{"status":"success","message":"received"}"#)
}

/// A refusal, with the answer that the document prints for it.
fn refused(message: impl Into<String>) -> Error {
    let acknowledgement = Acknowledgement::json(401, r#"{"status":"fail","message":"not verified"}"#);
    Error { acknowledgement: Some(acknowledgement), ..Error::refused(message) }
}
