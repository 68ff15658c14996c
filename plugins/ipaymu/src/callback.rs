//! Notify (document, Parameter Notify; public, Callback): a form or JSON, without any proof in it.
//!
//! What proves that iPaymu calls is the token in the address that we gave for this order. Its own
//! `X-Signature` is keyed by an account number; a wrong one refuses, a right one adds nothing.

use bayar_provider::{Acknowledgement, Callback, Error, Event, Evidence, Status, form, json};
use serde_json::{Map, Value, json};

use crate::settings::Account;
use crate::signature;

/// The name of the token in a callback address.
const TOKEN: &str = "bayar=";

/// A callback address with the token of one order.
pub fn with_token(account: &Account, url: &str, reference: &str) -> Result<String, Error> {
    if url.contains('#') || url.contains(&format!("?{TOKEN}")) || url.contains(&format!("&{TOKEN}")) {
        let allowed = "an address without # and without a parameter called bayar, which is the token's";
        return Err(Error::invalid("callback_url", format!("{url:?}"), allowed));
    }
    let separator = if url.contains('?') { '&' } else { '?' };
    Ok(format!("{url}{separator}{TOKEN}{}", signature::token(account, reference)))
}

/// Verifies a notification and reads it. Whatever it says is no evidence (E0): the check decides.
pub fn verify(account: &Account, callback: &Callback) -> Result<Event, Error> {
    let fields = fields(&callback.body).map_err(refused)?;
    let text = |name: &str| text(&fields, name);
    let Some(reference) = text("reference_id") else {
        return Err(refused("reference_id is missing or empty"));
    };
    let mut tokens = callback.query.split('&').filter_map(|part| part.strip_prefix(TOKEN));
    let (Some(token), None) = (tokens.next(), tokens.next()) else {
        return Err(refused("the address has no token of ours, or two"));
    };
    if !signature::token_holds(account, token, &reference) {
        return Err(refused("the token in the address is not that of this order"));
    }
    check_signature(account, callback, &fields)?;
    let status = status_of(text("status_code").as_deref(), text("status").as_deref());
    let transaction = text("trx_id");
    let said = ["trx_id", "status_code", "status", "transaction_status_code"]
        .map(|name| text(name).unwrap_or_default());
    let dedupe = format!("{reference}/{}", said.join("/"));
    // Both must hold: whoever calls names the transaction, and any paid one would do otherwise.
    let query = match &transaction {
        Some(id) => json!({"order_id": reference, "provider_reference": id}),
        None => Value::Null,
    };
    let raw = Value::Object(fields.into_iter().filter(|(name, _)| name != "signature").collect());
    Ok(Event {
        provider_reference: transaction,
        query,
        raw,
        ..Event::new(
            reference,
            status,
            Evidence::E0,
            dedupe,
            Acknowledgement::json(200, r#"{"status":"OK"}"#),
        )
    })
}

/// The fields of a form or of a JSON object, whichever the merchant has chosen at iPaymu.
fn fields(body: &[u8]) -> Result<Map<String, Value>, String> {
    let value = match body.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'{') => json::strict(body)?,
        _ => form::strict(body)?.to_json(),
    };
    value.as_object().cloned().ok_or_else(|| "the body is no object".to_owned())
}

/// A field as text; ids and codes are numbers in JSON.
fn text(fields: &Map<String, Value>, name: &str) -> Option<String> {
    let text = match fields.get(name) {
        Some(Value::String(text)) => text.trim().to_owned(),
        Some(Value::Number(number)) => number.to_string(),
        _ => return None,
    };
    (!text.is_empty()).then_some(text)
}

/// `X-Signature`, where it is given.
fn check_signature(account: &Account, callback: &Callback, fields: &Map<String, Value>) -> Result<(), Error> {
    if !callback.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("X-Signature")) {
        return Ok(());
    }
    // `header` gives nothing where the header stands twice: which of the two would be meant?
    match callback.header("X-Signature") {
        Some(given) if signature::notify_holds(account, given.trim(), fields) => Ok(()),
        _ => Err(refused("X-Signature is not the signature of these fields, or stands twice")),
    }
}

/// What a notification claims, by its code, else by its word. Where the two differ, nothing.
fn status_of(code: Option<&str>, word: Option<&str>) -> Status {
    let by_code = code.map(|code| match code {
        "0" => Status::Pending,
        "1" => Status::Paid,
        "2" => Status::Failed,
        "-2" => Status::Expired,
        _ => Status::Unknown,
    });
    let by_word = word.and_then(|word| match word.to_lowercase().as_str() {
        "pending" => Some(Status::Pending),
        "berhasil" => Some(Status::Paid),
        "gagal" => Some(Status::Failed),
        "expired" => Some(Status::Expired),
        _ => None,
    });
    match (by_code, by_word) {
        (Some(code), Some(word)) if code != word => Status::Unknown,
        (code, word) => code.or(word).unwrap_or(Status::Unknown),
    }
}

/// A refusal, with the answer for whoever sent it.
fn refused(message: impl Into<String>) -> Error {
    let acknowledgement = Acknowledgement::json(401, r#"{"error":"not genuine"}"#);
    Error { acknowledgement: Some(acknowledgement), ..Error::refused(message) }
}
