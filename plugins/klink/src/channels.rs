//! The ways to pay: K-Link's own list and the one over Midtrans, as one.
//!
//! A channel's id says where a charge goes: `va:bankCode:productCode` to `pay_service`,
//! `midtrans:bankCode:productCode` to `pay_service_midtrans`.
//!
//! Source: parts 2 b and 3 b, List Bank.

use bayar_provider::{Call, Channel, Channels, Error, Outcome, Response, Rupiah, Status, Step};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::answer::{self, Purpose, Verdict, text};
use crate::exchange::ask;
use crate::settings::Settings;
use crate::{State, banks};

/// Parameters of `channels`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// For an order of this amount: K-Link's list over Midtrans wants one.
    #[serde(default = "some_amount")]
    amount: Rupiah,
    /// What only K-Link has.
    #[serde(default)]
    options: Options,
}

/// What only K-Link has.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Options {
    /// The order's shipping.
    #[serde(default)]
    pay_ship: Rupiah,
}

fn some_amount() -> Rupiah {
    Rupiah::new(10_000).unwrap_or_default()
}

/// One way to pay, as K-Link lists it.
pub struct Row {
    /// `014`, `gopay`.
    pub bank_code: String,
    /// `BCAATM`, `e_money`.
    pub product_code: String,
    /// For people.
    pub name: String,
    /// Whether it can be used now.
    pub active: bool,
    /// The bank's short name, lower case: `bca`.
    pub bank: String,
    /// Where to transfer to by hand, where the list says it.
    pub destination: Option<Destination>,
    /// What the list says that may tell its kind, in lower case.
    words: String,
}

/// An account to transfer to by hand.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Destination {
    /// Its number.
    pub number: String,
    /// Its holder.
    pub holder: String,
    /// Its branch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
}

/// The document prints `Send: Null`: an empty object, with `comm_code` where the account has one.
#[derive(Serialize)]
struct ListBody<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    comm_code: Option<&'a str>,
}

#[derive(Serialize)]
struct MoreBody {
    nominal: String,
    pay_ship: String,
}

/// Builds the question for K-Link's own list.
pub fn prepare(account: &Settings, call: &Call) -> Result<Step<State>, Error> {
    let _: Params = call.read()?;
    list(account, call, State::Channels)
}

/// The question for K-Link's own list, for whatever it is asked.
pub fn list(account: &Settings, call: &Call, state: State) -> Result<Step<State>, Error> {
    let body = ListBody { comm_code: account.comm_code.as_deref() };
    ask(account, call, &account.path_list_bank, &body, state)
}

/// Reads the first list and asks for the second.
pub fn more(account: &Settings, call: &Call, response: &Response) -> Result<Step<State>, Error> {
    let params: Params = call.read()?;
    let first = read(response)?;
    if account.path_list_bank_midtrans.is_empty() {
        return Ok(Step::Done(outcome(&first.rows, &[], first.body)));
    }
    let body = MoreBody { nominal: params.amount.to_string(), pay_ship: params.options.pay_ship.to_string() };
    ask(account, call, &account.path_list_bank_midtrans, &body, State::MoreChannels { first: first.body })
}

/// Reads the second list.
pub fn read_more(response: &Response, first: &Value) -> Result<Outcome, Error> {
    let more = read(response)?;
    let own = rows_of(first).unwrap_or_default();
    Ok(outcome(&own, &more.rows, json!({ "list_bank": first, "list_bank_midtrans": more.body })))
}

fn outcome(own: &[Row], over_midtrans: &[Row], raw: Value) -> Outcome {
    let own = own.iter().filter(|row| row.active).map(|row| row.channel("va", row.kind()));
    let more = over_midtrans.iter().filter(|row| row.active);
    let more = more.map(|row| row.channel("midtrans", row.kind_over_midtrans()));
    let data = serde_json::to_value(Channels { channels: own.chain(more).collect() }).ok();
    Outcome { data, raw, ..Outcome::answered(Status::Done) }
}

/// A list that was read.
pub struct List {
    /// Its channels.
    pub rows: Vec<Row>,
    body: Value,
}

/// Reads a list. The lists print no `status`; one that says `fail` is a refusal.
pub fn read(response: &Response) -> Result<List, Error> {
    let body = answer::object(response, Purpose::Read, None)?;
    if answer::verdict(&body) == Verdict::Fail {
        return Err(answer::refused(response, Purpose::Read, &body));
    }
    match rows_of(&body) {
        Some(rows) if response.status < 300 => Ok(List { rows, body }),
        _ => Err(answer::open(response, Purpose::Read, "the answer is no list of channels")),
    }
}

fn rows_of(body: &Value) -> Option<Vec<Row>> {
    body.get("data")?.as_array()?.iter().map(Row::of).collect()
}

impl Row {
    fn of(row: &Value) -> Option<Self> {
        let field = |name| text(Some(row), name);
        let (bank_code, product_code) = (field("bankCode")?, field("productCode")?);
        let names = ["productName", "bankDisplayNm", "bankDesc"].map(field);
        let name = names.iter().flatten().next().cloned().unwrap_or_else(|| product_code.clone());
        let words = [field("kategori"), Some(product_code.clone())].into_iter().chain(names).flatten();
        Some(Row {
            name,
            words: format!(" {} ", words.collect::<Vec<_>>().join(" ")).to_lowercase(),
            active: field("status").as_deref() == Some("1"),
            bank: banks::short_name(&bank_code, &field("bankDesc").unwrap_or_default()),
            destination: Destination::of(row),
            bank_code,
            product_code,
        })
    }

    /// Whether a name says that the payer transfers by hand.
    pub fn is_manual(&self) -> bool {
        self.words.contains("manual")
    }

    /// The kind of instruction that the payer gets. The list has it in words only.
    fn kind(&self) -> &'static str {
        let says = |words: &[&str]| words.iter().any(|word| self.words.contains(word));
        if self.is_manual() {
            "manual_transfer"
        } else if says(&["(va)", " va ", "virtual account"]) {
            "virtual_account"
        } else if says(&["credit", "kredit", "card", "kartu"]) {
            "redirect"
        } else if self.destination.is_some() {
            "manual_transfer"
        } else {
            "unknown"
        }
    }

    /// Likewise of a channel over Midtrans, where the codes are Midtrans' words.
    fn kind_over_midtrans(&self) -> &'static str {
        match (self.bank_code.as_str(), self.product_code.as_str()) {
            ("gopay", _) => "deeplink",
            ("alfamart" | "indomaret", _) => "retail",
            (_, "transfer_bank") | ("transfer_bank", _) => "virtual_account",
            _ => "unknown",
        }
    }

    fn channel(&self, route: &str, kind: &str) -> Channel {
        Channel::new(&format!("{route}:{}:{}", self.bank_code, self.product_code), &self.name, kind)
    }
}

impl Destination {
    /// Channels without an account have `0`, an empty text or nothing there.
    fn of(row: &Value) -> Option<Self> {
        let field = |name| text(Some(row), name).filter(|text| text != "-");
        Some(Destination {
            number: field("bankacc")
                .filter(|number| number.bytes().any(|b| b.is_ascii_digit() && b != b'0'))?,
            holder: field("bank_pemilik")?,
            branch: field("cabang"),
        })
    }
}
