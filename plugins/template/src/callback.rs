//! The provider's callbacks. Verified over the bytes that came, and only then read.
//!
//! To change: where the signature stands, [`Event`]'s fields, the evidence, and the answer that the
//! provider waits for. `Evidence::E1` only where the signature covers the status and its key is
//! secret; else `E0`, and `confirmed_by` in `describe` names the operation that is asked.

use bayar_provider::{Acknowledgement, Callback, Code, Error, Event, Evidence, Rupiah, json};
use serde::Deserialize;
use serde_json::Value;

use crate::settings::Account;
use crate::{signature, status};

/// What the provider says.
#[derive(Deserialize)]
struct Said {
    event: String,
    id: String,
    merchant_order_id: String,
    #[serde(default)]
    amount: Value,
    status: String,
}

/// Verifies a callback and reads it.
pub fn verify(account: &Account, callback: &Callback) -> Result<Event, Error> {
    // `header` gives nothing where the header stands twice: which of the two would be meant?
    let Some(given) = callback.header("X-Template-Signature") else {
        return Err(refused("X-Template-Signature is missing, or stands twice"));
    };
    if !signature::holds(&account.secret_key, given, &callback.body) {
        return Err(refused("X-Template-Signature is not the signature of this body"));
    }
    // `strict` refuses a key that stands twice, of which another reader might take the other value.
    let raw = json::strict(&callback.body).map_err(refused)?;
    let said: Said =
        serde_json::from_value(raw.clone()).map_err(|_| refused("a field is missing or of another form"))?;
    if said.event != "payment.updated" {
        let ignored = Error::new(Code::CallbackIgnored, "an event that concerns no payment");
        return Err(Error { acknowledgement: Some(received()), ..ignored });
    }
    let amount =
        Rupiah::from_wire(&said.amount).ok_or_else(|| refused("amount is no amount of whole rupiah"))?;
    let (status, dedupe) = (status::status_of(&said.status), format!("{}/{}", said.id, said.status));
    Ok(Event {
        provider_reference: Some(said.id),
        amount: Some(amount),
        raw,
        ..Event::new(said.merchant_order_id, status, Evidence::E1, dedupe, received())
    })
}

/// What the provider waits for.
fn received() -> Acknowledgement {
    Acknowledgement::json(200, r#"{"received":true}"#)
}

/// A refusal, with the answer for whoever sent it.
fn refused(message: impl Into<String>) -> Error {
    let acknowledgement = Acknowledgement::json(401, r#"{"error":"not genuine"}"#);
    Error { acknowledgement: Some(acknowledgement), ..Error::refused(message) }
}
