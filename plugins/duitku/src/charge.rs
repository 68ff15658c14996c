//! A charge: a POP page without a channel, a payment with one, and for `OL` and `SL` a payment from a
//! linked account, which is asked for first.
//!
//! Source: document, 5 (Transaksi Pembayaran); docs.duitku.com for POP and the other ways to pay.

use bayar_provider::{
    Call, Charge, Code, Error, Instruction, Outcome, Request, Response, Rupiah, Status, Step, json, time,
};
use serde::Deserialize;
use serde_json::Value;

use crate::answer::{self, Kind};
use crate::body::{Body, Options};
use crate::methods::{self, Way};
use crate::settings::Account;
use crate::{State, json_bytes, link, post, signature};

/// Builds the first request: the payment itself, or the question whether the account is linked. The
/// payment is built and checked in both cases, so that a bad parameter is refused before anything is sent.
pub fn prepare(account: &Account, call: &Call) -> Result<Step<State>, Error> {
    let charge = read_charge(call)?;
    let payment = payment(account, call, &charge)?;
    match &charge.options.account_link {
        // Duitku advises it (document, 5). Asking moves nothing.
        Some(linked) => {
            let channel = charge.channel.as_deref().unwrap_or_default();
            let request = link::ask(account, call, "/user/info", &linked.credential_code, channel)?;
            Ok(Step::Send(request, State::Check))
        }
        None => Ok(payment),
    }
}

/// Reads whether the account is linked, and if it is, lets it pay.
pub fn pay_if_linked(account: &Account, call: &Call, response: &Response) -> Result<Step<State>, Error> {
    let charge = read_charge(call)?;
    let info = link::info(response, charge.channel.as_deref())?;
    match info.account_status.as_str() {
        "LINKED" => payment(account, call, &charge),
        "UNLINKED" => {
            Err(info.refuse(Code::NotPossible, "the account is not linked (UNLINKED): link it first"))
        }
        other => {
            Err(info
                .refuse(Code::Protocol, &format!("the account is neither LINKED nor UNLINKED but {other:?}")))
        }
    }
}

fn read_charge(call: &Call) -> Result<Charge<Options>, Error> {
    let charge: Charge<Options> = call.read()?;
    charge.check()?;
    charge.channel.as_deref().map(methods::check_code).transpose()?;
    Ok(charge)
}

/// The request that makes something payable.
fn payment(account: &Account, call: &Call, charge: &Charge<Options>) -> Result<Step<State>, Error> {
    let body = Body::of(account, call, charge)?;
    let ends = |minutes: u32| call.now() + std::time::Duration::from_secs(u64::from(minutes) * 60);
    let expires_at = body.minutes().map(|minutes| time::rfc3339_wib(ends(minutes)));
    let bytes = json_bytes(&body)?;
    let request = match &charge.channel {
        Some(_) => post(format!("{}/v2/inquiry", account.merchant), bytes),
        None => page(account, call, bytes),
    };
    let state = State::Payment { amount: charge.amount, channel: charge.channel.clone(), expires_at };
    Ok(Step::Send(request.moving(), state))
}

/// A POP page. Its signature stands in a header and does not cover the body.
fn page(account: &Account, call: &Call, bytes: Vec<u8>) -> Request {
    let timestamp = call.now_ms.to_string();
    let signature = signature::of_invoice(account, &timestamp);
    post(account.invoice.clone(), bytes)
        .header("x-duitku-merchantcode", account.merchant_code.as_str())
        .header("x-duitku-timestamp", timestamp)
        .header("x-duitku-signature", signature)
}

/// What was asked.
pub struct Asked {
    /// How much.
    pub amount: Rupiah,
    /// By which way; none for a page.
    pub channel: Option<String>,
    /// Until when, if the host said so.
    pub expires_at: Option<String>,
}

/// A payment as Duitku writes it.
#[derive(Deserialize)]
struct Created {
    #[serde(default, rename = "merchantcode", deserialize_with = "json::text")]
    merchant_code: Option<String>,
    #[serde(deserialize_with = "json::text")]
    reference: Option<String>,
    #[serde(default, rename = "paymenturl")]
    payment_url: Option<String>,
    #[serde(default, rename = "vanumber", deserialize_with = "json::text")]
    va_number: Option<String>,
    #[serde(default, rename = "qrstring")]
    qr_string: Option<String>,
    #[serde(default)]
    amount: Value,
}

/// Reads the answer. `00` says that the payment was made, not that it was paid.
pub fn read(account: &Account, response: &Response, asked: Asked) -> Result<Outcome, Error> {
    let open = |what: &str| answer::open(response, Kind::Pay, what);
    let answer = answer::read(response, Kind::Pay)?;
    let created: Created =
        serde_json::from_value(answer.body).map_err(|_| open("the answer is no payment"))?;
    if created.merchant_code.as_deref().is_some_and(|code| code != account.merchant_code) {
        return Err(open("the answer is about another merchant"));
    }
    if !created.amount.is_null() && Rupiah::from_wire(&created.amount) != Some(asked.amount) {
        return Err(open("the answer has another amount than was asked for"));
    }
    let Some(reference) = created.reference.clone().filter(|reference| !reference.is_empty()) else {
        return Err(open("the answer has no reference"));
    };
    let Some(instruction) = created.instruction(asked.channel.as_deref()) else {
        return Err(open("the answer does not say how to pay"));
    };
    Ok(Outcome {
        provider_reference: Some(reference),
        amount: Some(asked.amount),
        payable_amount: Some(asked.amount),
        instruction: Some(instruction),
        expires_at: asked.expires_at,
        raw: answer.raw,
        ..Outcome::answered(Status::Pending)
    })
}

impl Created {
    /// What the payer needs, by the way to pay and by what the answer holds.
    fn instruction(self, channel: Option<&str>) -> Option<Instruction> {
        let given = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
        let (url, number, qr) = (given(self.payment_url), given(self.va_number), given(self.qr_string));
        let way = channel.map(Way::of);
        match (way, number, qr, url) {
            (Some(Way::Retail(store)), Some(code), ..) => Some(Instruction::Retail { store, code }),
            (Some(Way::VirtualAccount(bank)), Some(number), ..) => {
                Some(Instruction::VirtualAccount { bank, number, biller_code: None, name: None })
            }
            (Some(_), _, Some(text), _) => Some(Instruction::Qr { text: Some(text), image_url: None }),
            (_, _, _, Some(url)) => Some(Instruction::Redirect { url, token: None, client_key: None }),
            // A way to pay that this plugin does not know, with a number to pay to.
            (Some(Way::Other), Some(number), ..) => {
                let bank = channel.unwrap_or_default().to_lowercase();
                Some(Instruction::VirtualAccount { bank, number, biller_code: None, name: None })
            }
            // A page for the PIN is given only where the wallet wants one (document, 5, paymentUrl).
            (Some(Way::Linked), ..) => Some(Instruction::None),
            _ => None,
        }
    }
}
