//! The status query, and how a transaction is read, whatever answer carries it.
//!
//! Source: docs.midtrans.com, Core API, Get Transaction Status; Transaction Status.

use bayar_provider::{
    Call, Error, Instruction, Outcome, Response, Rupiah, Status, Step, Which, json, params, time,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::answer::{self, Kind};
use crate::charge::check_id;
use crate::settings::Direct;
use crate::{State, request};

/// Builds the request.
pub fn prepare(to: &Direct, call: &Call) -> Result<Step<State>, Error> {
    let target = Target::of(call, call.read()?)?;
    let request = request(to, "GET", target.url(to, "status"));
    Ok(Step::Send(request, State::Transaction { transaction_id: target.transaction_id }))
}

/// Which transaction a call is about.
pub struct Target {
    id: String,
    /// Midtrans' own id, where the host named the transaction by it.
    pub transaction_id: Option<String>,
}

impl Target {
    /// By the parameters: Midtrans' id if given, else the reference that the engine found.
    pub fn of(call: &Call, which: Which) -> Result<Self, Error> {
        if which.order_id.is_some() && which.provider_reference.is_some() {
            return Err(Error::invalid("provider_reference", "it beside order_id", "one of the two"));
        }
        let id = which.provider_reference.clone().unwrap_or_else(|| call.reference.clone());
        check_id(if which.provider_reference.is_some() { "provider_reference" } else { "order_id" }, &id)?;
        Ok(Target { id, transaction_id: which.provider_reference })
    }

    /// The address of something that can be done with it.
    pub fn url(&self, to: &Direct, action: &str) -> String {
        format!("{}/v2/{}/{action}", to.core, encoded(&self.id))
    }
}

/// Percent-encodes what is not unreserved (RFC 3986, 2.3), so that an id stays one part of a path.
pub fn encoded(id: &str) -> String {
    let mut out = String::with_capacity(id.len());
    for byte in id.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'~' | b'.' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// Reads the answer to a status query or to a change: it must be about the transaction asked for.
pub fn read(
    from: &Direct,
    call: &Call,
    response: &Response,
    transaction_id: Option<&str>,
) -> Result<Outcome, Error> {
    let kind = if call.operation == "status" { Kind::Read } else { Kind::Act };
    let answer = answer::read(response, kind)?;
    let transaction = Transaction::of(&answer.body, kind)?;
    transaction.check_echo(call, transaction_id, kind)?;
    transaction.outcome(from, answer.body, kind)
}

/// A transaction as Midtrans writes it: ids as text, amounts as they stand. What decides must be of
/// its form; what only helps, and whatever a merchant can put there, is left out where it is not.
#[derive(Deserialize)]
pub struct Transaction {
    #[serde(default, deserialize_with = "json::text")]
    pub order_id: Option<String>,
    #[serde(default, deserialize_with = "json::text")]
    pub transaction_id: Option<String>,
    pub transaction_status: String,
    #[serde(default)]
    pub fraud_status: Option<String>,
    #[serde(default)]
    gross_amount: Value,
    #[serde(default)]
    currency: Option<String>,
    #[serde(default, deserialize_with = "json::text")]
    merchant_id: Option<String>,
    #[serde(default)]
    pub refund_amount: Value,
    #[serde(default, deserialize_with = "json::text")]
    pub refund_key: Option<String>,
    #[serde(flatten)]
    help: Help,
}

/// What helps the payer and explains the amount.
#[derive(Deserialize)]
struct Help {
    #[serde(default, deserialize_with = "lenient")]
    expiry_time: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    va_numbers: Option<Vec<VaNumber>>,
    #[serde(default, deserialize_with = "lenient")]
    permata_va_number: Option<Text>,
    #[serde(default, deserialize_with = "lenient")]
    bill_key: Option<Text>,
    #[serde(default, deserialize_with = "lenient")]
    biller_code: Option<Text>,
    #[serde(default, deserialize_with = "lenient")]
    payment_code: Option<Text>,
    #[serde(default, deserialize_with = "lenient")]
    store: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    qr_string: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    actions: Option<Vec<Action>>,
    #[serde(default, deserialize_with = "lenient")]
    extra_info: Option<ExtraInfo>,
    #[serde(default, deserialize_with = "lenient")]
    metadata: Option<Metadata>,
}

/// A number or code that may be written as a string or as a number.
#[derive(Deserialize)]
struct Text(#[serde(deserialize_with = "json::text")] Option<String>);

/// Reads a field, or leaves it out where it is of another form.
fn lenient<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<Option<T>, D::Error> {
    Value::deserialize(deserializer).map(|value| serde_json::from_value(value).ok())
}

#[derive(Deserialize)]
struct VaNumber {
    bank: String,
    #[serde(default, deserialize_with = "json::text")]
    va_number: Option<String>,
}

/// A link for the payer; never fetched by us.
#[derive(Deserialize)]
struct Action {
    name: String,
    #[serde(default)]
    url: Option<String>,
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(default)]
    extra_info: Option<ExtraInfo>,
}

#[derive(Deserialize)]
struct ExtraInfo {
    #[serde(default)]
    gross_amount_info: Option<GrossAmountInfo>,
}

/// What was asked before fees were passed on to the payer (Snap, Advanced Features).
#[derive(Deserialize)]
struct GrossAmountInfo {
    #[serde(default)]
    original_amount: Value,
}

impl Transaction {
    /// Reads a transaction.
    pub fn of(body: &Value, kind: Kind) -> Result<Self, Error> {
        params::read(body).map_err(|e| {
            let field = e.field.unwrap_or_else(|| "the document".to_owned());
            answer::open(kind, format!("the answer cannot be read: {field} is missing or of another form"))
        })
    }

    /// Whether the answer is about what was asked for.
    pub fn check_echo(&self, call: &Call, transaction_id: Option<&str>, kind: Kind) -> Result<(), Error> {
        let same = match transaction_id {
            Some(id) => self.transaction_id.as_deref() == Some(id),
            None => self.order_id.as_deref() == Some(call.reference.as_str()),
        };
        if same {
            Ok(())
        } else {
            Err(answer::open(kind, "the answer is about another transaction than was asked for"))
        }
    }

    /// Whether the currency is rupiah, or not named.
    pub fn in_rupiah(&self) -> bool {
        self.currency.as_deref().is_none_or(|currency| currency.eq_ignore_ascii_case("IDR"))
    }

    /// What the transaction says.
    pub fn outcome(&self, from: &Direct, raw: Value, kind: Kind) -> Result<Outcome, Error> {
        let (status, challenge) = status_of(&self.transaction_status, self.fraud_status.as_deref());
        let gross = self.gross_amount(kind, status)?;
        let waits = status == Status::Pending;
        Ok(Outcome {
            reference: self.order_id.clone(),
            provider_reference: self.transaction_id.clone(),
            amount: self.original_amount(gross).or(gross),
            payable_amount: gross,
            instruction: if waits { self.help.instruction() } else { None },
            expires_at: self.help.expiry_time.as_deref().and_then(time::wib_to_rfc3339),
            review: self.strangeness(from).or(challenge),
            raw,
            ..Outcome::answered(status)
        })
    }

    /// The gross amount. The answer to a status query always has one, and so has whatever says that money was
    /// taken: without it there is nothing to compare with what was asked, and the answer cannot be believed.
    fn gross_amount(&self, kind: Kind, status: Status) -> Result<Option<Rupiah>, Error> {
        let needed = kind == Kind::Read || matches!(status, Status::Paid | Status::Authorized);
        if self.gross_amount.is_null() && !needed {
            return Ok(None);
        }
        let gross = Rupiah::from_wire(&self.gross_amount);
        gross.map(Some).ok_or_else(|| {
            let found =
                if self.gross_amount.is_null() { "is missing" } else { "is no amount of whole rupiah" };
            answer::open(kind, format!("the answer's gross_amount {found}"))
        })
    }

    /// What was asked, where fees were passed on: never more than the payer pays.
    fn original_amount(&self, gross: Option<Rupiah>) -> Option<Rupiah> {
        let inner = self.help.metadata.as_ref().and_then(|metadata| metadata.extra_info.as_ref());
        let info = self.help.extra_info.as_ref().or(inner)?.gross_amount_info.as_ref()?;
        Rupiah::from_wire(&info.original_amount).filter(|original| Some(*original) <= gross)
    }

    /// What should not be: another merchant, another currency.
    fn strangeness(&self, from: &Direct) -> Option<String> {
        if !self.in_rupiah() {
            return Some("the transaction is not in rupiah".to_owned());
        }
        match (&self.merchant_id, &from.merchant_id) {
            (Some(theirs), Some(ours)) if theirs != ours => {
                Some(format!("the transaction is of merchant {theirs}, not {ours}"))
            }
            _ => None,
        }
    }
}

impl Help {
    /// What the payer needs, by what the answer holds.
    fn instruction(&self) -> Option<Instruction> {
        let account = |bank: &str, number: String, biller_code| {
            Some(Instruction::VirtualAccount { bank: bank.to_lowercase(), number, biller_code, name: None })
        };
        if let Some(VaNumber { bank, va_number: Some(number) }) = self.va_numbers.iter().flatten().next() {
            return account(bank, number.clone(), None);
        }
        if let Some(number) = written(&self.permata_va_number) {
            return account("permata", number, None);
        }
        if let Some(number) = written(&self.bill_key) {
            return account("mandiri", number, Some(written(&self.biller_code)?));
        }
        if let Some(code) = written(&self.payment_code) {
            return Some(Instruction::Retail { store: self.store.as_ref()?.to_lowercase(), code });
        }
        let (image_url, text) = (self.action("generate-qr-code"), self.qr_string.clone());
        match self.action("deeplink-redirect") {
            Some(url) => Some(Instruction::Deeplink { url, image_url, text }),
            None if text.is_some() || image_url.is_some() => Some(Instruction::Qr { text, image_url }),
            None => None,
        }
    }

    fn action(&self, name: &str) -> Option<String> {
        let mut actions = self.actions.iter().flatten();
        actions.find(|action| action.name == name).and_then(|action| action.url.clone())
    }
}

fn written(text: &Option<Text>) -> Option<String> {
    text.as_ref().and_then(|text| text.0.clone())
}

/// The state of a payment, and why a person should look. It comes from `transaction_status`,
/// never from `status_code`; words compare without case.
pub fn status_of(transaction_status: &str, fraud_status: Option<&str>) -> (Status, Option<String>) {
    let fraud = fraud_status.map(str::to_lowercase);
    let status = match (transaction_status.to_lowercase().as_str(), fraud.as_deref()) {
        ("settlement", _) | ("capture", None | Some("accept")) => Status::Paid,
        ("capture", Some("deny")) => Status::Failed,
        // Taken and held back until somebody approves or denies it: not paid.
        ("capture" | "authorize", _) => Status::Authorized,
        ("pending", _) => Status::Pending,
        ("deny" | "failure", _) => Status::Failed,
        ("cancel", _) => Status::Cancelled,
        ("expire", _) => Status::Expired,
        ("refund", _) => Status::Refunded,
        ("partial_refund", _) => Status::PartiallyRefunded,
        ("chargeback" | "partial_chargeback", _) => Status::Disputed,
        _ => Status::Unknown,
    };
    let held = status == Status::Authorized && fraud.as_deref().is_some_and(|fraud| fraud != "accept");
    let why = "Midtrans' fraud detection challenges this card payment: approve or deny it";
    (status, held.then(|| why.to_owned()))
}
