//! Callbacks (document, 7): a form, verified over the values as they came, and only then read.

use bayar_provider::{Acknowledgement, Callback, Error, Event, Evidence, Rupiah, Status, form};

use crate::settings::Account;
use crate::signature;

/// Verifies a callback and reads it. Its digest covers neither the result nor where one value ends and
/// the next begins, so it is no evidence (E0): it makes the engine ask.
pub fn verify(account: &Account, callback: &Callback) -> Result<Event, Error> {
    let fields = form::strict(&callback.body).map_err(refused)?;
    let field = |name: &str| {
        let value = fields.get(name).filter(|value| !value.is_empty());
        value.ok_or_else(|| refused(format!("{name} is missing or empty")))
    };
    let (merchant, amount, order) = (field("merchantCode")?, field("amount")?, field("merchantOrderId")?);
    if merchant != account.merchant_code {
        return Err(refused("merchantCode is another merchant's"));
    }
    if !signature::holds(account, field("signature")?, amount, order) {
        return Err(refused("signature is not that of this merchant, amount and order"));
    }
    let Some(rupiah) = Rupiah::from_wire(&amount.into()) else {
        return Err(refused("amount is no amount of whole rupiah"));
    };
    // Nothing more is demanded: a genuine callback must not be lost over a field that it may lack.
    let text = |name: &str| fields.get(name).unwrap_or_default();
    let (result, reference) = (text("resultCode"), text("reference"));
    let dedupe = format!("{order}/{reference}/{amount}/{result}");
    let mut raw = fields.to_json();
    if let Some(fields) = raw.as_object_mut() {
        fields.retain(|name, _| !name.eq_ignore_ascii_case("signature"));
    }
    Ok(Event {
        provider_reference: (!reference.is_empty()).then(|| reference.to_owned()),
        amount: Some(rupiah),
        raw,
        ..Event::new(
            order,
            status_of(result),
            Evidence::E0,
            dedupe,
            Acknowledgement::json(200, r#"{"received":true}"#),
        )
    })
}

/// What a callback claims. Its `01` is failed, where a status answer's is pending.
fn status_of(result: &str) -> Status {
    match result {
        "00" => Status::Paid,
        "01" => Status::Failed,
        _ => Status::Unknown,
    }
}

/// A refusal, with the answer for whoever sent it.
fn refused(message: impl Into<String>) -> Error {
    let acknowledgement = Acknowledgement::json(401, r#"{"error":"not genuine"}"#);
    Error { acknowledgement: Some(acknowledgement), ..Error::refused(message) }
}
