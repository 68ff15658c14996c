//! A direct charge of the Core API: the host shows the number or code itself.
//!
//! Source: docs.midtrans.com, Core API, Charge Transactions and JSON Objects.

use bayar_provider::{Call, Charge, Code, Error, Outcome, Response, Rupiah, Status, Step, params};
use serde::Serialize;

use crate::answer::{self, Kind};
use crate::charge::{Acquirer, Options, Parts, at_most, notified, start_time};
use crate::describe::channels;
use crate::settings::Direct;
use crate::status::Transaction;
use crate::{State, idempotent, post};

/// A direct charge. The order of its fields is the order of its bytes; one of the objects stands.
#[derive(Serialize)]
struct Body<'a> {
    payment_type: &'static str,
    #[serde(flatten)]
    parts: Parts<'a>,
    #[serde(flatten)]
    method: Method<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    custom_expiry: Option<CustomExpiry>,
}

/// What one way to pay has of its own.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Method<'a> {
    Gopay(Wallet<'a>),
    Shopeepay(Wallet<'a>),
    Qris(Qris),
    BankTransfer(BankTransfer<'a>),
    Echannel(Echannel<'a>),
    Cstore(Cstore<'a>),
}

#[derive(Serialize)]
struct Wallet<'a> {
    /// GoPay appends the address only where this is true; ShopeePay has no such field.
    #[serde(skip_serializing_if = "Option::is_none")]
    enable_callback: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    callback_url: Option<&'a str>,
}

#[derive(Serialize)]
struct Qris {
    #[serde(skip_serializing_if = "Option::is_none")]
    acquirer: Option<Acquirer>,
}

#[derive(Serialize)]
struct BankTransfer<'a> {
    bank: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    va_number: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bca: Option<Bca<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    permata: Option<Permata<'a>>,
}

#[derive(Serialize)]
struct Bca<'a> {
    sub_company_code: &'a str,
}

#[derive(Serialize)]
struct Permata<'a> {
    recipient_name: &'a str,
}

#[derive(Serialize)]
struct Echannel<'a> {
    bill_info1: &'a str,
    bill_info2: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    bill_key: Option<&'a str>,
}

#[derive(Serialize)]
struct Cstore<'a> {
    store: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alfamart_free_text_1: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alfamart_free_text_2: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alfamart_free_text_3: Option<&'a str>,
}

/// How long the charge may be paid.
#[derive(Serialize)]
struct CustomExpiry {
    order_time: String,
    expiry_duration: u32,
    unit: &'static str,
}

/// Builds the request.
pub fn prepare(
    to: &Direct,
    call: &Call,
    charge: &Charge<Options>,
    parts: Parts<'_>,
    channel: &str,
) -> Result<Step<State>, Error> {
    let (payment_type, method) = method(call, charge, channel)?;
    check_options(&charge.options, Some(channel))?;
    if let Some(seconds @ 0..20) = charge.expires_in {
        return Err(Error::invalid("expires_in", seconds, "at least 20 seconds"));
    }
    let expiry =
        |expiry_duration| CustomExpiry { order_time: start_time(call), expiry_duration, unit: "second" };
    let body = Body { payment_type, parts, method, custom_expiry: charge.expires_in.map(expiry) };
    let request = idempotent(post(to, format!("{}/v2/charge", to.core), &body)?, call);
    let request = notified(request, to, charge.callback_url.as_deref())?;
    Ok(Step::Send(request.moving(), State::Charge { amount: charge.amount }))
}

/// The payment type of a channel and its object.
fn method<'a>(
    call: &'a Call,
    charge: &'a Charge<Options>,
    channel: &'a str,
) -> Result<(&'static str, Method<'a>), Error> {
    let options = &charge.options;
    let return_url = charge.return_url.as_deref();
    Ok(match channel {
        "gopay" => {
            let wallet = Wallet { enable_callback: return_url.map(|_| true), callback_url: return_url };
            ("gopay", Method::Gopay(wallet))
        }
        "shopeepay" => {
            ("shopeepay", Method::Shopeepay(Wallet { enable_callback: None, callback_url: return_url }))
        }
        "qris" => ("qris", Method::Qris(Qris { acquirer: options.qris_acquirer })),
        "bca_va" | "bni_va" | "bri_va" | "cimb_va" | "permata_va" => {
            let transfer = BankTransfer {
                bank: channel.trim_end_matches("_va"),
                va_number: options.va_number.as_deref(),
                bca: options.sub_company_code.as_deref().map(|sub_company_code| Bca { sub_company_code }),
                permata: options.recipient_name.as_deref().map(|recipient_name| Permata { recipient_name }),
            };
            ("bank_transfer", Method::BankTransfer(transfer))
        }
        "mandiri_va" => {
            let said = options.bill_info2.as_deref().or(charge.description.as_deref());
            let bill = Echannel {
                bill_info1: options.bill_info1.as_deref().unwrap_or("Payment:"),
                bill_info2: said.unwrap_or(&call.reference),
                bill_key: options.va_number.as_deref(),
            };
            ("echannel", Method::Echannel(bill))
        }
        "alfamart" | "indomaret" => ("cstore", Method::Cstore(cstore(channel, options))),
        other => return Err(unknown_channel(other)),
    })
}

fn cstore<'a>(store: &'a str, options: &'a Options) -> Cstore<'a> {
    Cstore {
        store,
        message: options.message.as_deref(),
        alfamart_free_text_1: options.alfamart_free_text_1.as_deref(),
        alfamart_free_text_2: options.alfamart_free_text_2.as_deref(),
        alfamart_free_text_3: options.alfamart_free_text_3.as_deref(),
    }
}

fn unknown_channel(found: &str) -> Error {
    let channels = channels();
    let known: Vec<&str> = channels.iter().map(|channel| channel.id.as_str()).collect();
    let near =
        params::nearest(found, &known).map(|near| format!(" (did you mean {near}?)")).unwrap_or_default();
    Error::invalid(
        "channel",
        format!("{found:?}{near}"),
        format!("{}, or none for a Snap page", known.join(", ")),
    )
}

/// Refuses options that the channel has no place for, and texts that are too long for theirs.
pub fn check_options(options: &Options, channel: Option<&str>) -> Result<(), Error> {
    let numbered = ["bca_va", "bni_va", "bri_va", "cimb_va", "permata_va", "mandiri_va"];
    let (text, list) = (Option::as_deref, options.enabled_payments.first().map(String::as_str));
    let acquirer = options.qris_acquirer.map(|_| "");
    let rules: [(&str, Option<&str>, &[&str], usize); 11] = [
        ("va_number", text(&options.va_number), &numbered, 18),
        ("sub_company_code", text(&options.sub_company_code), &["bca_va"], 5),
        ("recipient_name", text(&options.recipient_name), &["permata_va"], 20),
        ("bill_info1", text(&options.bill_info1), &["mandiri_va"], 255),
        ("bill_info2", text(&options.bill_info2), &["mandiri_va"], 255),
        ("qris_acquirer", acquirer, &["qris"], 255),
        ("message", text(&options.message), &["indomaret"], 20),
        ("alfamart_free_text_1", text(&options.alfamart_free_text_1), &["alfamart"], 40),
        ("alfamart_free_text_2", text(&options.alfamart_free_text_2), &["alfamart"], 40),
        ("alfamart_free_text_3", text(&options.alfamart_free_text_3), &["alfamart"], 40),
        ("enabled_payments", list, &[], 255),
    ];
    for (name, given, allowed, most) in rules {
        let field = format!("options.{name}");
        let fits = channel.map_or(allowed.is_empty(), |channel| allowed.contains(&channel));
        if given.is_some() && !fits {
            let found =
                channel.map_or("it without a channel".to_owned(), |channel| format!("it with {channel}"));
            let place = if allowed.is_empty() { "no channel".to_owned() } else { allowed.join(", ") };
            return Err(Error::invalid(&field, found, format!("only with {place}")));
        }
        at_most(&field, given, most)?;
    }
    // Midtrans pads and cuts other numbers without a word (Bank Transfer Object, va_number).
    match &options.va_number {
        Some(number) if number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit()) => {
            Err(Error::invalid("options.va_number", format!("{number:?}"), "digits only"))
        }
        _ => Ok(()),
    }
}

/// Reads the answer to a direct charge. It must be about this order and this amount.
pub fn read(from: &Direct, call: &Call, response: &Response, asked: Rupiah) -> Result<Outcome, Error> {
    let answer = answer::read(response, Kind::Charge)?;
    let transaction = Transaction::of(&answer.body, Kind::Charge)?;
    let echo = transaction.order_id.as_deref() == Some(call.reference.as_str());
    let outcome = transaction.outcome(from, answer.body, Kind::Charge)?;
    if !echo || outcome.amount != Some(asked) || !transaction.in_rupiah() {
        let wrong = "the answer is about another order or amount than was asked for";
        return Err(Error::new(Code::OutcomeUnknown, wrong));
    }
    if outcome.status == Status::Pending && outcome.instruction.is_none() {
        return Err(Error::new(Code::OutcomeUnknown, "the answer does not say how to pay"));
    }
    Ok(Outcome { amount: Some(asked), ..outcome })
}
