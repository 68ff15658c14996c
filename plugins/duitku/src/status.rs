//! The status query (document, 6, Cek Transaksi). Here `00` is paid, `01` pending and `02` cancelled;
//! in a callback `01` is failed.

use bayar_provider::money::decimal_from_wire;
use bayar_provider::{Call, Error, Outcome, Response, Rupiah, Status, Step, Which, json};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::answer::{self, Kind};
use crate::body::check_order;
use crate::settings::Account;
use crate::{State, json_bytes, post, signature};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    merchant_code: &'a str,
    merchant_order_id: &'a str,
    signature: String,
}

/// Builds the request. Duitku finds payments by the order alone.
pub fn prepare(account: &Account, call: &Call) -> Result<Step<State>, Error> {
    let which: Which = call.read()?;
    if let Some(id) = which.provider_reference {
        return Err(Error::invalid("provider_reference", format!("{id:?}"), "none: give the order_id"));
    }
    check_order(call)?;
    let signature = signature::of_status(account, &call.reference);
    let body = Body { merchant_code: &account.merchant_code, merchant_order_id: &call.reference, signature };
    Ok(Step::Send(post(format!("{}/transactionStatus", account.merchant), json_bytes(&body)?), State::Status))
}

/// A payment as the status query has it.
#[derive(Deserialize)]
struct Transaction {
    #[serde(rename = "merchantorderid", deserialize_with = "json::text")]
    order: Option<String>,
    #[serde(default, deserialize_with = "json::text")]
    reference: Option<String>,
    #[serde(default)]
    amount: Value,
    #[serde(default)]
    fee: Value,
    #[serde(rename = "statuscode", deserialize_with = "json::text")]
    code: Option<String>,
    #[serde(default, rename = "statusmessage")]
    message: Option<String>,
}

/// Reads the answer. It must be about this order.
pub fn read(call: &Call, response: &Response) -> Result<Outcome, Error> {
    let open = |what: &str| answer::open(response, Kind::Ask, what);
    let answer = answer::answered(response, Kind::Ask)?;
    let Ok(transaction) = serde_json::from_value::<Transaction>(answer.body.clone()) else {
        // Without an order it is no state but one of the table's refusals.
        let code = answer.body.get("statuscode").and_then(Value::as_str).filter(|code| *code != "00");
        return Err(code.map_or_else(
            || open("the answer is no payment"),
            |code| answer::by_code(response, Kind::Ask, code),
        ));
    };
    if transaction.order.as_deref() != Some(call.reference.as_str()) {
        return Err(open("the answer is about another order than was asked for"));
    }
    let Some(amount) = Rupiah::from_wire(&transaction.amount) else {
        return Err(open("the answer's amount is no amount of whole rupiah"));
    };
    let status = status_of(transaction.code.as_deref().unwrap_or_default(), transaction.message.as_deref());
    Ok(Outcome {
        reference: transaction.order,
        provider_reference: transaction.reference.filter(|reference| !reference.is_empty()),
        amount: Some(amount),
        payable_amount: Some(amount),
        fee: decimal_from_wire(&transaction.fee),
        raw: answer.raw,
        ..Outcome::answered(status)
    })
}

/// The state of a payment. Duitku has one code for cancelled and expired; its message tells them apart
/// where it names the latter.
fn status_of(code: &str, message: Option<&str>) -> Status {
    let expired = message.is_some_and(|message| message.to_lowercase().contains("expired"));
    match code {
        "00" => Status::Paid,
        "01" => Status::Pending,
        "02" if expired => Status::Expired,
        "02" => Status::Cancelled,
        _ => Status::Unknown,
    }
}
