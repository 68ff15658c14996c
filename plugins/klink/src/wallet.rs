//! The wallet of a member: its balance, and money out of and into it.
//!
//! Source: part 1 c, e, f and g.

use bayar_provider::money::decimal_from_wire;
use bayar_provider::{Call, Error, Outcome, Response, Rupiah, Status, Step};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::State;
use crate::answer::{self, Purpose};
use crate::exchange::{act, ask, check_reference, required};
use crate::settings::Settings;

/// Parameters of `balance`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BalanceParams {
    /// Whose wallet.
    id_member: String,
}

/// `data` of `balance`.
#[derive(Serialize, JsonSchema)]
pub struct Balance {
    /// Rupiah, as a decimal string.
    balance: String,
}

/// Parameters of `transfer`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TransferParams {
    /// The host's own id of the transfer.
    #[serde(default)]
    #[expect(dead_code, reason = "the engine has made it the call's reference")]
    order_id: Option<String>,
    /// Whose wallet it comes from.
    id_member_send: String,
    /// Whose wallet it goes to.
    id_member_receipt: String,
    /// How much.
    amount: Rupiah,
    /// What both members read; the reference is added to it, in brackets.
    #[serde(default)]
    description: String,
}

/// Parameters of `voucher`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VoucherParams {
    /// The host's own id of the top-up.
    #[serde(default)]
    #[expect(dead_code, reason = "the engine has made it the call's reference")]
    order_id: Option<String>,
    /// The voucher's code.
    voucher_code: String,
    /// Whose wallet is topped up.
    id_member_receipt: String,
    /// How much.
    amount: Rupiah,
    /// What the member reads; the reference is added to it, in brackets.
    #[serde(default)]
    description: String,
}

/// Parameters of `pay`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PayParams {
    /// The host's own id of the order. Without it the engine makes one.
    #[serde(default)]
    #[expect(dead_code, reason = "the engine has made it the call's reference")]
    order_id: Option<String>,
    /// Whose wallet pays.
    id_member: String,
    /// How much.
    amount: Rupiah,
    /// What is paid for.
    #[serde(default)]
    description: String,
}

const MEMBER: &str = "a member's id";

#[derive(Serialize)]
struct BalanceBody<'a> {
    id_member: &'a str,
}

/// Builds the question for a balance.
pub fn balance(account: &Settings, call: &Call) -> Result<Step<State>, Error> {
    let params: BalanceParams = call.read()?;
    let body = BalanceBody { id_member: required("id_member", &params.id_member, MEMBER)? };
    ask(account, call, &account.path_balance, &body, State::Balance)
}

/// Reads a balance.
pub fn read_balance(response: &Response) -> Result<Outcome, Error> {
    let body = answer::success(response, Purpose::Read, None)?;
    let Some(balance) = body.get("last_saldo").and_then(decimal_from_wire) else {
        return Err(answer::open(response, Purpose::Read, "the answer has no last_saldo that is an amount"));
    };
    let data = Balance { balance: balance.normalize().to_string() };
    Ok(Outcome { data: serde_json::to_value(data).ok(), raw: body, ..Outcome::answered(Status::Done) })
}

#[derive(Serialize)]
struct TransferBody<'a> {
    id_member_send: &'a str,
    amount: String,
    description: String,
    id_member_receipt: &'a str,
}

/// Builds a transfer.
pub fn transfer(account: &Settings, call: &Call) -> Result<Step<State>, Error> {
    let params: TransferParams = call.read()?;
    let body = TransferBody {
        id_member_send: required("id_member_send", &params.id_member_send, MEMBER)?,
        amount: wire_amount(params.amount)?,
        description: findable(call, &params.description)?,
        id_member_receipt: required("id_member_receipt", &params.id_member_receipt, MEMBER)?,
    };
    act(account, call, &account.path_transfer, &body, State::Moved { amount: params.amount })
}

#[derive(Serialize)]
struct VoucherBody<'a> {
    voucher_code: &'a str,
    amount: String,
    description: String,
    id_member_receipt: &'a str,
}

/// Builds a top-up with a voucher.
pub fn voucher(account: &Settings, call: &Call) -> Result<Step<State>, Error> {
    let params: VoucherParams = call.read()?;
    let body = VoucherBody {
        voucher_code: required("voucher_code", &params.voucher_code, "the voucher's code")?,
        amount: wire_amount(params.amount)?,
        description: findable(call, &params.description)?,
        id_member_receipt: required("id_member_receipt", &params.id_member_receipt, MEMBER)?,
    };
    act(account, call, &account.path_voucher, &body, State::Moved { amount: params.amount })
}

/// Reads the answer to a transfer or a voucher: it echoes nothing but a sentence.
pub fn read_moved(response: &Response, amount: Rupiah) -> Result<Outcome, Error> {
    let body = answer::success(response, Purpose::Once, None)?;
    Ok(Outcome { amount: Some(amount), raw: body, ..Outcome::answered(Status::Done) })
}

#[derive(Serialize)]
struct PayBody<'a> {
    id_member: &'a str,
    amount: String,
    id_order: &'a str,
    description: &'a str,
}

/// Builds a payment.
pub fn pay(account: &Settings, call: &Call) -> Result<Step<State>, Error> {
    let params: PayParams = call.read()?;
    let body = PayBody {
        id_member: required("id_member", &params.id_member, MEMBER)?,
        amount: wire_amount(params.amount)?,
        id_order: check_reference(call)?,
        description: &params.description,
    };
    act(account, call, &account.path_pay, &body, State::Pay { amount: params.amount })
}

/// Reads the answer to a payment: it has no id of K-Link's.
pub fn read_pay(response: &Response, amount: Rupiah) -> Result<Outcome, Error> {
    let body = answer::success(response, Purpose::Keyed, None)?;
    Ok(Outcome {
        amount: Some(amount),
        payable_amount: Some(amount),
        raw: body,
        ..Outcome::answered(Status::Paid)
    })
}

/// An amount that moves, as K-Link takes it: a string of digits.
pub fn wire_amount(amount: Rupiah) -> Result<String, Error> {
    if amount.get() == 0 {
        Err(Error::invalid("amount", 0, "at least 1 rupiah"))
    } else {
        Ok(amount.to_string())
    }
}

/// The description with our reference in it, so that a person may find a transfer of unknown
/// outcome in the history. K-Link seems to rewrite descriptions: not finding it proves nothing.
fn findable(call: &Call, description: &str) -> Result<String, Error> {
    let reference = check_reference(call)?;
    let description = description.trim();
    Ok(if description.is_empty() { reference.to_owned() } else { format!("{description} ({reference})") })
}
