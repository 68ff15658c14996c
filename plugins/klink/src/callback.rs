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
    if field(&raw, "id_trans").is_none() || field(&raw, "tot_bayar").is_some() {
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
    // `"-"` is how K-Link writes that there is none.
    let paid = field(&raw, "tot_bayar").filter(|amount| amount != "-");
    let amount = paid.as_ref().and_then(|amount| Rupiah::from_wire(&Value::from(amount.as_str())));
    let odd = paid.filter(|_| amount.is_none());
    // That some other sum was paid is not that this order was.
    let status = if odd.is_some() { Status::Unknown } else { status };
    // GoPay's `id_trans` is of K-Link's database and not the transaction id that the charge's answer had.
    let kd_pay = field(&raw, "kd_pay").filter(|id| id != "-");
    let dedupe = ["order_id", "rq_uuid", "kd_pay", "id_trans", "status", "tot_bayar"];
    let dedupe: Vec<String> = dedupe.iter().map(|name| field(&raw, name).unwrap_or_default()).collect();
    Ok(Event {
        provider_reference: kd_pay,
        amount,
        review: odd.map(|found| format!("tot_bayar is {found:?}, no amount of whole rupiah")),
        raw,
        ..Event::new(reference, status, evidence, dedupe.join("|"), received())
    })
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
