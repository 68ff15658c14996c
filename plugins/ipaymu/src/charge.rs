//! A payment page, and what pages and direct payments share.
//!
//! Source: document, API Payment Redirect.

use bayar_provider::{Call, Charge, Error, Instruction, Item, Outcome, Response, Rupiah, Status, Step, time};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::answer::{self, Kind};
use crate::options::{Measure, Options, check_measures};
use crate::settings::Account;
use crate::{State, callback, direct, post};

/// Builds the request of a charge: a page, or a direct payment where a channel is named.
pub fn prepare(account: &Account, call: &Call) -> Result<Step<State>, Error> {
    let charge: Charge<Options> = call.read()?;
    charge.check()?;
    check_order(call)?;
    if charge.options.split_count == Some(0) {
        return Err(Error::invalid("options.split_count", 0, "at least 1"));
    }
    match charge.channel.as_deref() {
        None => page(account, call, &charge),
        Some(channel) => direct::prepare(account, call, &charge, channel),
    }
}

/// A page. The order of its fields is the order of its bytes.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Page<'a> {
    account: &'a str,
    #[serde(flatten)]
    lines: Lines<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    description: Vec<&'a str>,
    return_url: &'a str,
    cancel_url: &'a str,
    notify_url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_method: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_channel: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    buyer_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    buyer_email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    buyer_phone: Option<&'a str>,
    reference_id: &'a str,
    /// Hours.
    #[serde(skip_serializing_if = "Option::is_none")]
    expired: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    split_count: Option<u32>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    weight: &'a [Measure],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    dimension: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pickup_area: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pickup_address: Option<&'a str>,
}

/// What is paid for: three lists, an entry for each item.
#[derive(Serialize)]
pub struct Lines<'a> {
    product: Vec<&'a str>,
    qty: Vec<u32>,
    price: Vec<Rupiah>,
}

impl<'a> Lines<'a> {
    /// The lists of these items.
    pub fn of(items: &'a [Item]) -> Result<Self, Error> {
        for (number, item) in items.iter().enumerate() {
            filled(&format!("items[{number}].name"), &item.name)?;
            if item.quantity == 0 {
                return Err(Error::invalid(&format!("items[{number}].quantity"), 0, "at least 1"));
            }
        }
        Ok(Lines {
            product: items.iter().map(|item| item.name.as_str()).collect(),
            qty: items.iter().map(|item| item.quantity).collect(),
            price: items.iter().map(|item| item.price).collect(),
        })
    }
}

fn page(account: &Account, call: &Call, charge: &Charge<Options>) -> Result<Step<State>, Error> {
    let (options, customer) = (&charge.options, charge.customer.clone().unwrap_or_default());
    options.check_page()?;
    check_measures(charge, false)?;
    let (lines, description) = match (charge.items.as_slice(), charge.description.as_deref()) {
        ([], None) => return Err(Error::missing("description", "what is paid for; or items")),
        // iPaymu wants a product: the description is the only one.
        ([], Some(name)) => {
            let product = vec![filled("description", name)?];
            (Lines { product, qty: vec![1], price: vec![charge.amount] }, Vec::new())
        }
        (items, None) => (Lines::of(items)?, Vec::new()),
        (items, Some(text)) => (Lines::of(items)?, vec![text; items.len()]),
    };
    let expired = hours(charge.expires_in)?;
    let body = Page {
        account: &account.account,
        lines,
        description,
        return_url: web("return_url", charge.return_url.as_deref(), "where the payer returns to")?,
        cancel_url: web(
            "cancel_url",
            charge.cancel_url.as_deref(),
            "where the payer returns to after giving up",
        )?,
        notify_url: notify_url(account, call, charge)?,
        payment_method: options.payment_method.as_deref(),
        payment_channel: options.payment_channel.as_deref(),
        buyer_name: customer.name.as_deref(),
        buyer_email: customer.email.as_deref(),
        buyer_phone: customer.phone.as_deref(),
        reference_id: &call.reference,
        expired,
        split_count: options.split_count,
        weight: &options.weight,
        dimension: options.dimensions(),
        pickup_area: options.pickup_area.as_deref(),
        pickup_address: options.pickup_address.as_deref(),
    };
    let ends = |hours: u32| call.now() + std::time::Duration::from_secs(u64::from(hours) * 3600);
    let expires_at = expired.map(|hours| time::rfc3339_wib(ends(hours)));
    let request = post(account, call, "/payment", &body)?.moving();
    Ok(Step::Send(request, State::Page { amount: charge.amount, expires_at }))
}

/// iPaymu's answer to a page.
#[derive(Deserialize)]
struct Created {
    #[serde(default, rename = "sessionid", deserialize_with = "bayar_provider::json::text")]
    session_id: Option<String>,
    url: String,
}

/// Reads the answer. A page has a session and no transaction yet: the payer makes that by choosing how
/// to pay, so there is no provider reference.
pub fn read_page(response: &Response, amount: Rupiah, expires_at: Option<String>) -> Result<Outcome, Error> {
    let answer = answer::read(response, Kind::Act)?;
    let created =
        serde_json::from_value::<Created>(answer.data).ok().filter(|created| !created.url.is_empty());
    let created = created.ok_or_else(|| answer::open(response, Kind::Act, "the answer has no page"))?;
    Ok(Outcome {
        amount: Some(amount),
        payable_amount: Some(amount),
        instruction: Some(Instruction::Redirect { url: created.url, token: None, client_key: None }),
        expires_at,
        data: created.session_id.map(|session_id| json!({"session_id": session_id})),
        raw: answer.raw,
        ..Outcome::answered(Status::Pending)
    })
}

/// What iPaymu gets as `referenceId`; it prints no limits, so these are ours.
pub fn check_order(call: &Call) -> Result<(), Error> {
    let rule = crate::describe::reference_rule();
    if rule.allows(&call.reference) {
        return Ok(());
    }
    Err(Error::invalid("order_id", format!("{:?}", call.reference), rule))
}

/// The host's callback address with the token of this payment.
pub fn notify_url(account: &Account, call: &Call, charge: &Charge<Options>) -> Result<String, Error> {
    let url = web("callback_url", charge.callback_url.as_deref(), "where iPaymu sends its notification")?;
    callback::with_token(account, url, &call.reference)
}

/// Whole hours, never longer than the host allows.
pub fn hours(expires_in: Option<u32>) -> Result<Option<u32>, Error> {
    match expires_in {
        Some(seconds @ 0..3600) => {
            Err(Error::invalid("expires_in", seconds, "at least 3600 seconds: iPaymu counts hours"))
        }
        seconds => Ok(seconds.map(|seconds| seconds / 3600)),
    }
}

/// An address of the host's.
fn web<'a>(field: &str, url: Option<&'a str>, what: &str) -> Result<&'a str, Error> {
    let url = url.ok_or_else(|| Error::missing(field, format!("{what}, an http(s) address")))?;
    let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")).unwrap_or_default();
    if host.is_empty() || !url.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(Error::invalid(field, format!("{url:?}"), "an http(s) address without blanks"));
    }
    Ok(url)
}

/// A text that is not empty.
pub fn filled<'a>(field: &str, text: &'a str) -> Result<&'a str, Error> {
    if text.trim().is_empty() {
        Err(Error::invalid(field, "nothing", "a text that is not empty"))
    } else {
        Ok(text)
    }
}
