//! The biller's callback, which it calls "reversal". It is not signed: a secret in its URL, the
//! address that it comes from, and the purchase that it matches are its evidence, all together (E1).
//!
//! Source: API DOC - Biller Format Json, B. Reversal. Here 0 is success and 1 is failure, the other
//! way round than in the answer to a purchase.

use std::collections::BTreeMap;
use std::net::IpAddr;

use bayar_provider::{Acknowledgement, Callback, Delivery, Error, Event, Evidence, Status};
use percent_encoding::percent_decode_str;
use serde_json::json;
use subtle::ConstantTimeEq;

use crate::form::Form;
use crate::message::{Message, Word};
use crate::settings::{Account, Guards};

/// Verifies a callback and reads it.
pub fn verify(account: &Account, callback: &Callback) -> Result<Event, Error> {
    let Some(guards) = &account.guards else {
        return Err(refused("callback_token and callback_addresses are not configured"));
    };
    check_address(guards, callback)?;
    let form = Form::of(callback).map_err(refused)?;
    check_token(guards, &callback.path, form.get("token"))?;
    let needed = |name| form.get(name).ok_or_else(|| refused(format!("{name} is missing")));
    let (refid, dest, status) = (needed("refid")?, needed("dest")?, needed("status")?);
    let message = Message::read(form.get("message").unwrap_or_default(), callback.received());
    let (concluded, review) = conclude(status, message.word);
    let word = message.word.map(|word| word.to_string()).unwrap_or_default();
    let dedupe = [refid, status, dest, &word, message.serial.as_deref().unwrap_or_default()].join("|");
    let event = Event::new(refid, concluded, Evidence::E1, dedupe, received());
    // A product that differs is no contradiction: the document's own sample has another than was bought.
    let must_match = BTreeMap::from([("destination".to_owned(), dest.to_owned())]);
    let delivery =
        Delivery { serial: message.serial.clone(), price: message.price, balance: message.balance };
    Ok(Event {
        review,
        delivery: Some(delivery).filter(|delivery| *delivery != Delivery::default()),
        must_match,
        raw: json!({ "read": message, "callback": form.without("token") }),
        ..event
    })
}

/// What a callback's status says, and its word: where they contradict each other, a person decides.
fn conclude(status: &str, word: Option<Word>) -> (Status, Option<String>) {
    match (status, word) {
        ("0", None | Some(Word::Sukses)) => (Status::Done, None),
        ("1", None | Some(Word::Gagal)) => (Status::Failed, None),
        ("0" | "1", Some(word)) => {
            let why = format!("the callback's status is {status} and its message says {word}");
            (Status::Unknown, Some(why))
        }
        _ => (Status::Unknown, Some(format!("the callback's status is {status:?}, documented are 0 and 1"))),
    }
}

fn check_address(guards: &Guards, callback: &Callback) -> Result<(), Error> {
    let address = callback.remote_addr.as_deref().map(str::parse::<IpAddr>);
    match address {
        Some(Ok(address)) if guards.addresses.contains(&address.to_canonical()) => Ok(()),
        Some(_) => Err(refused("it came from an address that callback_addresses does not list")),
        None => Err(refused("the host did not say which address it came from (remote_addr)")),
    }
}

/// The token must be a whole segment of the path, or the parameter `token`. Every place is
/// compared, in constant time.
fn check_token(guards: &Guards, path: &str, parameter: Option<&str>) -> Result<(), Error> {
    let token = guards.token.expose().as_bytes();
    let is_token = |given: &[u8]| bool::from(given.ct_eq(token));
    let in_path = path.split('/').map(|part| is_token(&percent_decode_str(part).collect::<Vec<u8>>()));
    let in_parameter = parameter.is_some_and(|given| is_token(given.as_bytes()));
    // `|` and not `||`: how long it takes says nothing of where the token was looked for.
    if in_path.fold(in_parameter, |found, here| found | here) && !token.is_empty() {
        return Ok(());
    }
    Err(refused("the token in its path or query is missing or wrong"))
}

/// The document prints no answer; any 200 should end the biller's attempts.
fn received() -> Acknowledgement {
    Acknowledgement::json(200, r#"{"status":"received"}"#)
}

fn refused(message: impl Into<String>) -> Error {
    let acknowledgement = Acknowledgement::json(401, r#"{"status":"refused"}"#);
    Error { acknowledgement: Some(acknowledgement), ..Error::refused(message) }
}
