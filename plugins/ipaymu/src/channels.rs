//! Ways to pay, as data, and the list that iPaymu gives.
//!
//! Source: document, API Payment Direct, paymentChannel; public, Direct Payment, Payment Channels. A way
//! to pay that is not in this list is named as `method:channel` and passed on.

use bayar_provider::money::decimal_from_wire;
use bayar_provider::{Call, Channel, Error, Nothing, Outcome, Response, Status, Step, params};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::answer::{self, Kind};
use crate::settings::Account;
use crate::{State, request};

/// Our id, iPaymu's method and channel, name for people, kind of instruction.
const KNOWN: [(&str, &str, &str, &str, &str); 22] = [
    ("va_bag", "va", "bag", "Artha Graha virtual account", "virtual_account"),
    ("va_bca", "va", "bca", "BCA virtual account", "virtual_account"),
    ("va_bmi", "va", "bmi", "Muamalat virtual account", "virtual_account"),
    ("va_bni", "va", "bni", "BNI virtual account", "virtual_account"),
    ("va_bpd_bali", "va", "bpd_bali", "BPD Bali virtual account", "virtual_account"),
    ("va_bri", "va", "bri", "BRI virtual account", "virtual_account"),
    ("va_bsi", "va", "bsi", "BSI virtual account", "virtual_account"),
    ("va_btn", "va", "btn", "BTN virtual account", "virtual_account"),
    ("va_cimb", "va", "cimb", "CIMB Niaga virtual account", "virtual_account"),
    ("va_danamon", "va", "danamon", "Danamon virtual account", "virtual_account"),
    ("va_mandiri", "va", "mandiri", "Mandiri virtual account", "virtual_account"),
    ("va_permata", "va", "permata", "Permata virtual account", "virtual_account"),
    ("banktransfer_bca", "banktransfer", "bca", "BCA transfer", "manual_transfer"),
    ("cstore_indomaret", "cstore", "indomaret", "Indomaret", "retail"),
    ("cstore_alfamart", "cstore", "alfamart", "Alfamart", "retail"),
    // The COD table says channel `cod`, the list of channels `rpx`: `cod:rpx` sends that.
    ("cod", "cod", "cod", "Cash on delivery", "cod"),
    ("qris_linkaja", "qris", "linkaja", "QRIS by LinkAja", "qr"),
    ("qris_mpm", "qris", "mpm", "QRIS", "qr"),
    // The list of methods says `akulaku`, the list of channels `paylater`, as public pages do.
    ("paylater_akulaku", "paylater", "akulaku", "Akulaku, pay later", "redirect"),
    ("cc", "cc", "cc", "Credit card", "redirect"),
    ("ewallet_dana", "ewallet", "dana", "DANA", "redirect"),
    ("ewallet_shopeepay", "ewallet", "shopeepay", "ShopeePay", "redirect"),
];

/// The ways to pay that this plugin knows of; `channels` asks which there are.
pub fn channels() -> Vec<Channel> {
    KNOWN.iter().map(|(id, _, _, name, kind)| Channel::new(id, name, kind)).collect()
}

/// iPaymu's method and channel for what a charge names.
pub fn method_of(id: &str) -> Result<(&str, &str), Error> {
    if let Some((_, method, channel, ..)) = KNOWN.iter().find(|(known, ..)| *known == id) {
        return Ok((method, channel));
    }
    let code = |text: &str| {
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    if let Some((method, channel)) = id.split_once(':').filter(|(m, c)| code(m) && code(c)) {
        return Ok((method, channel));
    }
    let known: Vec<&str> = KNOWN.iter().map(|(id, ..)| *id).collect();
    let near = params::nearest(id, &known).map(|near| format!(" (did you mean {near}?)")).unwrap_or_default();
    let allowed = format!("{}, another as method:channel, or none for a page", known.join(", "));
    Err(Error::invalid("channel", format!("{id:?}{near}"), allowed))
}

/// Builds the request. iPaymu signs an empty body as `{}`, and hashes what it gets: so `{}` is sent.
pub fn prepare(account: &Account, call: &Call) -> Result<Step<State>, Error> {
    let Nothing {} = call.read()?;
    let request = request(account, call, "GET", "/payment-channels", b"{}".to_vec());
    Ok(Step::Send(request, State::Question))
}

/// `data` of `channels`.
#[derive(Serialize, JsonSchema)]
pub struct Ways {
    /// The ways to pay.
    channels: Vec<Way>,
}

/// A way to pay, and what it costs.
#[derive(Serialize, JsonSchema)]
struct Way {
    /// What a charge names.
    id: String,
    /// For people.
    name: String,
    /// The kind of instruction that the payer gets.
    kind: String,
    /// Whether it can be used now, as iPaymu says: `active`.
    #[serde(skip_serializing_if = "Option::is_none")]
    feature_status: Option<String>,
    /// Whether it works just now, as iPaymu says: `online`.
    #[serde(skip_serializing_if = "Option::is_none")]
    health_status: Option<String>,
    /// What iPaymu keeps: rupiah, or a share, by `fee_type`.
    #[serde(skip_serializing_if = "Option::is_none")]
    fee: Option<String>,
    /// `FLAT` for rupiah.
    #[serde(skip_serializing_if = "Option::is_none")]
    fee_type: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Method {
    code: String,
    #[serde(default)]
    channels: Vec<Listed>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    code: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    feature_status: Option<String>,
    #[serde(default)]
    health_status: Option<String>,
    #[serde(default)]
    transaction_fee: Option<Fee>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Fee {
    #[serde(default)]
    actual_fee: Value,
    #[serde(default)]
    actual_fee_type: Option<String>,
}

/// Reads the list. Here `Data` is a list in truth.
pub fn read(response: &Response) -> Result<Outcome, Error> {
    let answer = answer::read(response, Kind::Ask)?;
    let list = ["Data", "data"].iter().find_map(|name| answer.raw.get(*name)).cloned().unwrap_or_default();
    let methods: Vec<Method> = serde_json::from_value(list)
        .map_err(|_| answer::open(response, Kind::Ask, "the answer has no list of ways to pay"))?;
    let channels = methods
        .into_iter()
        .flat_map(|method| method.channels.into_iter().map(move |listed| way(&method.code, listed)))
        .collect();
    let data = serde_json::to_value(Ways { channels }).ok();
    Ok(Outcome { data, raw: answer.raw, ..Outcome::answered(Status::Done) })
}

fn way(method: &str, listed: Listed) -> Way {
    let known = KNOWN.iter().find(|(_, m, c, ..)| *m == method && *c == listed.code);
    let fee = listed.transaction_fee;
    Way {
        id: known.map_or_else(|| format!("{method}:{}", listed.code), |known| known.0.to_owned()),
        kind: known.map_or("redirect", |known| known.4).to_owned(),
        name: listed.name.unwrap_or(listed.code),
        feature_status: listed.feature_status,
        health_status: listed.health_status,
        fee: fee.as_ref().and_then(|fee| decimal_from_wire(&fee.actual_fee)).map(|fee| fee.to_string()),
        fee_type: fee.and_then(|fee| fee.actual_fee_type),
    }
}
