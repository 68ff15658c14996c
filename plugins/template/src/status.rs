//! The status query, and how a payment is read, whatever answer carries it.
//!
//! To change: [`Payment`], the words in [`status_of`], and how the payer is told to pay.

use bayar_provider::money::decimal_from_wire;
use bayar_provider::{Call, Error, Instruction, Outcome, Response, Rupiah, Status, Step, Which, json, time};
use serde::Deserialize;
use serde_json::Value;

use crate::settings::Account;
use crate::{State, answer, charge};

/// Builds the request.
pub fn prepare(account: &Account, call: &Call) -> Result<Step<State>, Error> {
    check_which(&call.read()?)?;
    let request = charge::request(account, call, "GET", &charge::path_of(call, "")?, Vec::new());
    Ok(Step::Send(request, State::Payment))
}

/// The engine has turned the host's `order_id` into the call's reference; this provider finds
/// payments by nothing else.
pub fn check_which(which: &Which) -> Result<(), Error> {
    match &which.provider_reference {
        Some(id) => Err(Error::invalid("provider_reference", format!("{id:?}"), "none: give the order_id")),
        None => Ok(()),
    }
}

/// Reads the answer to a status query or to a cancellation.
pub fn read(call: &Call, response: &Response) -> Result<Outcome, Error> {
    let moves = call.operation != "status";
    let body = answer::read(response, moves)?;
    Ok(Payment::of(call, response, &body, moves)?.outcome(body))
}

/// A payment as the provider writes it. Ids are kept as text; amounts are read from their text,
/// for one answer has `150000` and the next `"150000.00"`.
#[derive(Deserialize)]
pub struct Payment {
    #[serde(deserialize_with = "json::text")]
    id: Option<String>,
    #[serde(deserialize_with = "json::text")]
    merchant_order_id: Option<String>,
    #[serde(default)]
    amount: Value,
    #[serde(default)]
    fee: Value,
    status: String,
    #[serde(default)]
    pay_url: Option<String>,
    #[serde(default)]
    va: Option<VirtualAccount>,
    #[serde(default)]
    qr: Option<String>,
    #[serde(default)]
    expires_at: Option<String>,
}

#[derive(Deserialize)]
struct VirtualAccount {
    bank: String,
    number: String,
}

impl Payment {
    /// Reads a payment, which must be the one that was asked for.
    pub fn of(call: &Call, response: &Response, body: &Value, moves: bool) -> Result<Self, Error> {
        let payment: Payment = serde_json::from_value(body.clone())
            .map_err(|_| answer::open(response, moves, "the answer is no payment"))?;
        if payment.merchant_order_id.as_deref() != Some(call.reference.as_str()) {
            return Err(answer::open(
                response,
                moves,
                "the answer is about another order than was asked for",
            ));
        }
        if payment.amount().is_none() {
            return Err(answer::open(response, moves, "the answer's amount is no amount of whole rupiah"));
        }
        Ok(payment)
    }

    /// What the payer is asked to pay.
    pub fn amount(&self) -> Option<Rupiah> {
        Rupiah::from_wire(&self.amount)
    }

    /// What it says.
    pub fn outcome(self, raw: Value) -> Outcome {
        let status = status_of(&self.status);
        let amount = self.amount();
        Outcome {
            reference: self.merchant_order_id.clone(),
            provider_reference: self.id.clone(),
            amount,
            payable_amount: amount,
            fee: decimal_from_wire(&self.fee),
            // The provider writes WIB without a zone.
            expires_at: self.expires_at.as_deref().and_then(time::wib_to_rfc3339),
            instruction: if status == Status::Pending { self.instruction() } else { None },
            raw,
            ..Outcome::answered(status)
        }
    }

    fn instruction(self) -> Option<Instruction> {
        if let Some(VirtualAccount { bank, number }) = self.va {
            return Some(Instruction::VirtualAccount { bank, number, biller_code: None, name: None });
        }
        if self.qr.is_some() {
            return Some(Instruction::Qr { text: self.qr, image_url: None });
        }
        self.pay_url.map(|url| Instruction::Redirect { url, token: None, client_key: None })
    }
}

/// The state of a payment. A word that the document does not have is `Unknown`, never a guess.
pub fn status_of(word: &str) -> Status {
    match word {
        "PENDING" => Status::Pending,
        "PAID" => Status::Paid,
        "FAILED" => Status::Failed,
        "EXPIRED" => Status::Expired,
        "CANCELLED" => Status::Cancelled,
        "PARTIALLY_REFUNDED" => Status::PartiallyRefunded,
        "REFUNDED" => Status::Refunded,
        _ => Status::Unknown,
    }
}
