//! Duitku's codes of ways to pay, and the list that an account has.
//!
//! Source: document, front page (`OL`, `SL`); docs.duitku.com, Payment Method, Get Payment Method.
//! A channel is named by Duitku's own code of two characters; one that is not in this list is passed on.

use bayar_provider::{Call, Channel, Error, Outcome, Request, Response, Rupiah, Status, Step, money, time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::answer::{self, Kind};
use crate::settings::Account;
use crate::{State, json_bytes, post, signature};

/// Code, name for people, kind of instruction, short name of bank or shop.
const KNOWN: [(&str, &str, &str, &str); 29] = [
    ("OL", "OVO, linked account", "redirect", ""),
    ("SL", "ShopeePay, linked account", "redirect", ""),
    ("VC", "Credit card", "redirect", ""),
    ("BC", "BCA virtual account", "virtual_account", "bca"),
    ("M2", "Mandiri virtual account", "virtual_account", "mandiri"),
    ("VA", "Maybank virtual account", "virtual_account", "maybank"),
    ("I1", "BNI virtual account", "virtual_account", "bni"),
    ("B1", "CIMB Niaga virtual account", "virtual_account", "cimb"),
    ("BT", "Permata virtual account", "virtual_account", "permata"),
    ("A1", "ATM Bersama", "virtual_account", "atm_bersama"),
    ("AG", "Artha Graha virtual account", "virtual_account", "artha_graha"),
    ("NC", "Bank Neo Commerce virtual account", "virtual_account", "neo_commerce"),
    ("BR", "BRI virtual account", "virtual_account", "bri"),
    ("S1", "Bank Sahabat Sampoerna virtual account", "virtual_account", "sahabat_sampoerna"),
    ("DM", "Danamon virtual account", "virtual_account", "danamon"),
    ("BV", "BSI virtual account", "virtual_account", "bsi"),
    ("FT", "Alfamart, Pegadaian, Pos", "retail", "alfamart"),
    ("IR", "Indomaret", "retail", "indomaret"),
    ("OV", "OVO", "redirect", ""),
    ("SA", "ShopeePay, in the application", "redirect", ""),
    ("LA", "LinkAja, percentage fee", "redirect", ""),
    ("LF", "LinkAja, fixed fee", "redirect", ""),
    ("DA", "DANA", "redirect", ""),
    ("SP", "QRIS by ShopeePay", "qr", ""),
    ("NQ", "QRIS by Nobu", "qr", ""),
    ("GQ", "QRIS by Gudang Voucher", "qr", ""),
    ("SQ", "QRIS by Nusapay", "qr", ""),
    ("DN", "Indodana, pay later", "redirect", ""),
    ("AT", "Atome, pay later", "redirect", ""),
];

/// What a code leads to, as far as it matters for reading an answer.
pub enum Way {
    /// A virtual account of this bank.
    VirtualAccount(String),
    /// A code for this shop.
    Retail(String),
    /// A linked account.
    Linked,
    /// Anything else.
    Other,
}

impl Way {
    /// By the code.
    pub fn of(code: &str) -> Self {
        let known = KNOWN.iter().find(|(known, ..)| *known == code);
        match (code, known) {
            ("OL" | "SL", _) => Way::Linked,
            (_, Some((_, _, "virtual_account", bank))) => Way::VirtualAccount((*bank).to_owned()),
            (_, Some((_, _, "retail", store))) => Way::Retail((*store).to_owned()),
            _ => Way::Other,
        }
    }
}

/// The ways to pay that this plugin knows of; `channels` asks which of them the account has.
pub fn channels() -> Vec<Channel> {
    KNOWN.iter().map(|(code, name, kind, _)| Channel::new(code, name, kind)).collect()
}

/// Refuses what can be no code: `paymentMethod` has two characters.
pub fn check_code(code: &str) -> Result<(), Error> {
    let written = code.len() == 2 && code.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    if written {
        return Ok(());
    }
    let known: Vec<&str> = KNOWN.iter().map(|(code, ..)| *code).collect();
    let allowed =
        format!("a code of two capital letters or digits ({}), or none for a page", known.join(", "));
    Err(Error::invalid("channel", format!("{code:?}"), allowed))
}

/// Parameters of `channels`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Query {
    /// The amount that is to be paid, which some ways to pay and their fees depend on; 10000 if absent.
    #[serde(default)]
    amount: Option<Rupiah>,
}

#[derive(Serialize)]
struct Body<'a> {
    /// All lower case here (docs.duitku.com, Get Payment Method).
    merchantcode: &'a str,
    amount: Rupiah,
    datetime: &'a str,
    signature: String,
}

/// Builds the request.
pub fn prepare(account: &Account, call: &Call) -> Result<Step<State>, Error> {
    let Query { amount } = call.read()?;
    let amount = amount.or(Rupiah::new(10_000)).unwrap_or_default();
    if amount.get() == 0 {
        return Err(Error::invalid("amount", 0, "at least 1 rupiah"));
    }
    let datetime = time::to_wib(call.now());
    let signature = signature::of_methods(account, amount, &datetime);
    let body = Body { merchantcode: &account.merchant_code, amount, datetime: &datetime, signature };
    let request: Request =
        post(format!("{}/paymentmethod/getpaymentmethod", account.merchant), json_bytes(&body)?);
    Ok(Step::Send(request, State::Methods))
}

/// `data` of `channels`.
#[derive(Serialize, JsonSchema)]
pub struct Methods {
    /// The ways to pay that this account has.
    channels: Vec<Method>,
}

/// A way to pay, and what it costs.
#[derive(Serialize, JsonSchema)]
struct Method {
    /// What a charge names.
    id: String,
    /// For people.
    name: String,
    /// The kind of instruction that the payer gets.
    kind: String,
    /// What Duitku keeps, in rupiah.
    #[serde(skip_serializing_if = "Option::is_none")]
    fee: Option<String>,
    /// A picture, at Duitku.
    #[serde(skip_serializing_if = "Option::is_none")]
    image_url: Option<String>,
}

/// A way to pay as Duitku writes it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PaymentFee {
    payment_method: String,
    #[serde(default)]
    payment_name: Option<String>,
    #[serde(default)]
    payment_image: Option<String>,
    #[serde(default)]
    total_fee: Value,
}

/// Reads the list.
pub fn read(response: &Response) -> Result<Outcome, Error> {
    let answer = answer::read(response, Kind::Ask)?;
    let fees = answer.body.get("paymentfee").cloned().unwrap_or_default();
    let fees: Vec<PaymentFee> = serde_json::from_value(fees)
        .map_err(|_| answer::open(response, Kind::Ask, "the answer has no list of ways to pay"))?;
    let data = serde_json::to_value(Methods { channels: fees.into_iter().map(method).collect() }).ok();
    Ok(Outcome { data, raw: answer.raw, ..Outcome::answered(Status::Done) })
}

fn method(fee: PaymentFee) -> Method {
    let known = KNOWN.iter().find(|(code, ..)| *code == fee.payment_method);
    Method {
        name: fee
            .payment_name
            .or(known.map(|known| known.1.to_owned()))
            .unwrap_or_else(|| fee.payment_method.clone()),
        kind: known.map_or("redirect", |known| known.2).to_owned(),
        fee: money::decimal_from_wire(&fee.total_fee).map(|fee| fee.to_string()),
        image_url: fee.payment_image,
        id: fee.payment_method,
    }
}
