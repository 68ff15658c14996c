//! Linked accounts: link, unlink, account, top-up guide (document, 1 to 4).
//!
//! Each request carries merchant, timestamp and a signature over its very body in headers.

use bayar_provider::money::decimal_from_wire;
use bayar_provider::{
    Call, Code, Error, Instruction, Outcome, ProviderError, Request, Response, Status, Step,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::answer::{self, Answer, Kind};
use crate::body::{required, web};
use crate::settings::Account;
use crate::{State, json_bytes, post, signature};

/// A wallet whose accounts can be linked, by Duitku's code.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum Wallet {
    /// OVO.
    OL,
    /// ShopeePay.
    SL,
}

impl Wallet {
    fn code(self) -> &'static str {
        match self {
            Wallet::OL => "OL",
            Wallet::SL => "SL",
        }
    }
}

/// Parameters of `link`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// The wallet.
    channel: Wallet,
    /// The customer's phone number at the wallet; at most 50 characters.
    phone: String,
    /// The host's own id of the customer; at most 255 characters.
    customer_id: String,
    /// Where the customer returns to after the PIN; at most 255 characters. What that address is
    /// called with (`resultCode`, `phoneNumber`, `state`, the credential code) anybody can write:
    /// confirm it with `account`.
    return_url: String,
}

/// Parameters of `unlink`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Unlink {
    /// The wallet.
    channel: Wallet,
    /// The account, as linking it gave it; at most 50 characters.
    credential_code: String,
    /// `OL`: that the customer saw the text that OVO requires (this operation's notices) and agreed.
    #[serde(default)]
    confirmed: bool,
}

/// Parameters of `account`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Which {
    /// The wallet.
    channel: Wallet,
    /// The account, as linking it gave it; at most 50 characters.
    credential_code: String,
}

/// Parameters of `topup_guide`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Guide {
    /// The wallet: only OVO has guides.
    #[serde(default = "ovo")]
    channel: Wallet,
    /// The account, as linking it gave it; at most 50 characters.
    credential_code: String,
}

fn ovo() -> Wallet {
    Wallet::OL
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Connect<'a> {
    phone_number: &'a str,
    return_url: &'a str,
    customer_unique_id: &'a str,
    channel: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Credential<'a> {
    credential_code: &'a str,
    channel: &'a str,
}

/// Builds the request of `link`.
pub fn connect(account: &Account, call: &Call) -> Result<Step<State>, Error> {
    let link: Link = call.read()?;
    let body = Connect {
        phone_number: required("phone", Some(&link.phone), 50)?,
        return_url: web("return_url", Some(&link.return_url), "where the customer returns to")?,
        customer_unique_id: required("customer_id", Some(&link.customer_id), 255)?,
        channel: link.channel.code(),
    };
    Ok(Step::Send(signed(account, call, "/connect", json_bytes(&body)?), State::Link))
}

/// Builds the request of `unlink`.
pub fn disconnect(account: &Account, call: &Call) -> Result<Step<State>, Error> {
    let unlink: Unlink = call.read()?;
    if unlink.channel == Wallet::OL && !unlink.confirmed {
        let what = "true, after the customer saw the text that OVO requires (the notices of this operation)";
        return Err(Error::invalid("confirmed", false, what));
    }
    let request = ask(account, call, "/disconnect", &unlink.credential_code, unlink.channel.code())?;
    Ok(Step::Send(request, State::Link))
}

/// Builds the request of `account`.
pub fn user_info(account: &Account, call: &Call) -> Result<Step<State>, Error> {
    let which: Which = call.read()?;
    let request = ask(account, call, "/user/info", &which.credential_code, which.channel.code())?;
    Ok(Step::Send(request, State::Link))
}

/// Builds the request of `topup_guide`. The path is spelled as the document prints it.
pub fn instructions(account: &Account, call: &Call) -> Result<Step<State>, Error> {
    let guide: Guide = call.read()?;
    if guide.channel != Wallet::OL {
        return Err(Error::invalid("channel", guide.channel.code(), "OL: only OVO has guides"));
    }
    let request = ask(account, call, "/topup/intructions", &guide.credential_code, guide.channel.code())?;
    Ok(Step::Send(request, State::Link))
}

/// A request about one linked account.
pub fn ask(
    account: &Account,
    call: &Call,
    path: &str,
    credential_code: &str,
    channel: &str,
) -> Result<Request, Error> {
    let credential_code = required("credential_code", Some(credential_code), 50)?;
    Ok(signed(account, call, path, json_bytes(&Credential { credential_code, channel })?))
}

/// The headers that all of account linking carries; the timestamp in Unix milliseconds.
fn signed(account: &Account, call: &Call, path: &str, body: Vec<u8>) -> Request {
    let timestamp = call.now_ms.to_string();
    let signature = signature::of_link(account, &timestamp, &body);
    post(format!("{}{path}", account.link), body)
        .header("X-Duitku-merchant", account.merchant_code.as_str())
        .header("X-Duitku-timestamp", timestamp)
        .header("X-Duitku-signature", signature)
}

/// Reads the answer to `link`: a page where the customer enters the PIN.
pub fn read_link(response: &Response) -> Result<Outcome, Error> {
    let answer = answer::read(response, Kind::Change)?;
    let url = answer.body.get("webviewurl").and_then(Value::as_str).filter(|url| !url.is_empty());
    let Some(url) = url.map(str::to_owned) else {
        return Err(answer::open(response, Kind::Change, "the answer has no webviewUrl"));
    };
    let instruction = Some(Instruction::Redirect { url, token: None, client_key: None });
    Ok(Outcome { instruction, ..done(answer) })
}

/// Reads the answer to `unlink`.
pub fn read_unlink(response: &Response) -> Result<Outcome, Error> {
    answer::read(response, Kind::Change).map(done)
}

fn done(answer: Answer) -> Outcome {
    Outcome { raw: answer.raw, ..Outcome::answered(Status::Done) }
}

/// A linked account as Duitku writes it.
pub struct Info {
    /// `LINKED` or `UNLINKED`, in capitals.
    pub account_status: String,
    answer: Answer,
    http_status: u16,
}

impl Info {
    /// An error with Duitku's own word.
    pub fn refuse(&self, code: Code, message: &str) -> Error {
        Error::new(code, message).provider(ProviderError {
            code: None,
            message: Some(self.account_status.clone()),
            http_status: Some(self.http_status),
        })
    }
}

/// Reads the state of a linked account, which must be one of the wallet asked about.
pub fn info(response: &Response, channel: Option<&str>) -> Result<Info, Error> {
    let answer = answer::read(response, Kind::Ask)?;
    let text = |name: &str| answer.body.get(name).and_then(Value::as_str);
    if text("channel").is_some_and(|found| Some(found) != channel) {
        return Err(answer::open(
            response,
            Kind::Ask,
            "the answer is about another wallet than was asked for",
        ));
    }
    let Some(account_status) = text("accountstatus").filter(|word| !word.is_empty()).map(str::to_uppercase)
    else {
        return Err(answer::open(response, Kind::Ask, "the answer has no accountStatus"));
    };
    Ok(Info { account_status, answer, http_status: response.status })
}

/// `data` of `account`.
#[derive(Serialize, JsonSchema)]
pub struct LinkedAccount {
    /// `LINKED` or `UNLINKED`.
    account_status: String,
    /// Whether it is `LINKED`, and may pay.
    linked: bool,
    /// What is in the wallet, in rupiah.
    #[serde(skip_serializing_if = "Option::is_none")]
    balance_cash: Option<String>,
    /// Points.
    #[serde(skip_serializing_if = "Option::is_none")]
    balance_points: Option<String>,
}

/// Reads the answer to `account`. Balances are numbers in the sample and strings in the table.
pub fn read_account(call: &Call, response: &Response) -> Result<Outcome, Error> {
    let which: Which = call.read()?;
    let info = info(response, Some(which.channel.code()))?;
    let balance =
        |name: &str| info.answer.body.get(name).and_then(decimal_from_wire).map(|found| found.to_string());
    let data = LinkedAccount {
        linked: info.account_status == "LINKED",
        balance_cash: balance("balancecash"),
        balance_points: balance("balancepoint"),
        account_status: info.account_status.clone(),
    };
    Ok(Outcome { data: serde_json::to_value(data).ok(), ..done(info.answer) })
}

/// `data` of `topup_guide`.
#[derive(Serialize, JsonSchema)]
pub struct Guides {
    /// One page for each way to top up.
    guides: Vec<GuidePage>,
}

/// One way to top up.
#[derive(Serialize, Deserialize, JsonSchema)]
struct GuidePage {
    /// What the customer reads: `ATM`.
    #[serde(rename(deserialize = "displayText"))]
    name: String,
    /// A picture, at the wallet.
    #[serde(default, rename(deserialize = "icon"), skip_serializing_if = "Option::is_none")]
    icon_url: Option<String>,
    /// The page.
    url: String,
}

/// Reads the answer to `topup_guide`.
pub fn read_guide(response: &Response) -> Result<Outcome, Error> {
    let answer = answer::read(response, Kind::Ask)?;
    let guides: Vec<GuidePage> = serde_json::from_value(answer.body.get("data").cloned().unwrap_or_default())
        .map_err(|_| answer::open(response, Kind::Ask, "the answer has no list of guides"))?;
    Ok(Outcome { data: serde_json::to_value(Guides { guides }).ok(), ..done(answer) })
}
