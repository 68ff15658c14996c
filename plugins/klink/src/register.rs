//! Registering a member for virtual accounts: one account for each bank, and each bank may say no.
//!
//! Source: part 1 b. The sample lost a brace, so the banks stand in `data` or one level deeper,
//! and `date` and `rq_uuid` beside them or above.

use bayar_provider::money::decimal_from_wire;
use bayar_provider::{Call, Code, Error, Outcome, Response, Status, Step, time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::State;
use crate::answer::{self, Purpose, fields, text};
use crate::exchange::{ask, required};
use crate::settings::Settings;

/// Parameters of `register_va`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// The member's id.
    id_member: String,
    /// The member's name.
    name: String,
    /// The member's phone number.
    phone: String,
    /// The member's e-mail address.
    email: String,
}

/// `data` of `register_va`.
#[derive(Serialize, JsonSchema)]
pub struct Registered {
    /// The accounts that were made.
    accounts: Vec<VirtualAccount>,
    /// The banks that made none, and why.
    failures: Vec<Failure>,
    /// K-Link's id of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    rq_uuid: Option<String>,
    /// When it was made, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<String>,
}

/// One account.
#[derive(Serialize, JsonSchema)]
struct VirtualAccount {
    /// The bank's code: `014`.
    bank_code: String,
    /// The number to transfer to.
    number: String,
    /// What the bank keeps of each transfer: rupiah, as a decimal string.
    #[serde(skip_serializing_if = "Option::is_none")]
    fee: Option<String>,
    /// Until when it lives, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
}

/// A bank that said no.
#[derive(Serialize, JsonSchema)]
struct Failure {
    /// The bank's code.
    bank_code: String,
    /// Its error code; `00` would be success.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    /// Its words.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

#[derive(Serialize)]
struct Body<'a> {
    id_member: &'a str,
    name: &'a str,
    hp: &'a str,
    email: &'a str,
}

/// Builds the request.
pub fn prepare(account: &Settings, call: &Call) -> Result<Step<State>, Error> {
    let params: Params = call.read()?;
    let body = Body {
        id_member: required("id_member", &params.id_member, "a member's id")?,
        name: required("name", &params.name, "the member's name")?,
        hp: required("phone", &params.phone, "the member's phone number")?,
        email: required("email", &params.email, "the member's e-mail address")?,
    };
    // It moves no money; what is a change and no question, the operation's class says.
    ask(account, call, &account.path_register_va, &body, State::RegisterVa)
}

/// Reads the answer. That some banks made an account is success, with the others listed.
pub fn read(response: &Response) -> Result<Outcome, Error> {
    let body = answer::success(response, Purpose::Once, None)?;
    let (mut accounts, mut failures) = (Vec::new(), Vec::new());
    for (key, bank) in banks(&body) {
        match account_of(key, bank) {
            Ok(account) => accounts.push(account),
            Err(failure) => failures.push(failure),
        }
    }
    if accounts.is_empty() {
        return Err(match failures.first() {
            None => answer::open(response, Purpose::Once, "the answer has no bank in it"),
            Some(first) => {
                let why = first.message.as_deref().unwrap_or("no reason given");
                let mut said = answer::said(response);
                (said.code, said.message) = (first.code.clone(), first.message.clone());
                Error::new(Code::Rejected, format!("no bank made an account; the first: {why}"))
                    .provider(said)
            }
        });
    }
    let beside = |name| text(Some(&body), name).or_else(|| text(body.get("data"), name));
    let at = beside("date").as_deref().and_then(time::wib_to_rfc3339);
    let data = Registered { accounts, failures, rq_uuid: beside("rq_uuid"), at };
    Ok(Outcome { data: serde_json::to_value(data).ok(), raw: body, ..Outcome::answered(Status::Done) })
}

/// What stands in `data`, or one level deeper, and speaks of an account.
fn banks(body: &Value) -> impl Iterator<Item = (&String, &Value)> {
    let is_bank = |value: &Value| value.get("va_number").is_some() || value.get("error_code").is_some();
    let data = body.get("data").unwrap_or(&Value::Null);
    let here = fields(data).filter(move |(_, value)| is_bank(value));
    let deeper = fields(data).flat_map(|(_, value)| fields(value)).filter(move |(_, value)| is_bank(value));
    here.chain(deeper)
}

fn account_of(key: &str, bank: &Value) -> Result<VirtualAccount, Failure> {
    let bank = Some(bank);
    let bank_code = text(bank, "bank_code").unwrap_or_else(|| key.to_owned());
    let code = text(bank, "error_code");
    match text(bank, "va_number") {
        Some(number) if code.as_deref() == Some("00") => {
            let fee = bank.and_then(|bank| bank.get("fee")).and_then(decimal_from_wire);
            let expires_at = text(bank, "expiry_date_time").as_deref().and_then(time::wib_to_rfc3339);
            Ok(VirtualAccount {
                bank_code,
                number,
                fee: fee.map(|fee| fee.normalize().to_string()),
                expires_at,
            })
        }
        _ => Err(Failure { bank_code, code, message: text(bank, "error_message") }),
    }
}
