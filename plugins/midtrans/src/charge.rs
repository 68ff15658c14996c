//! A Snap payment page, and what Snap and direct charges share.
//!
//! Source: docs.midtrans.com, Snap API, Request Body (JSON Parameter); Core API, JSON Objects.

use bayar_provider::{
    Call, Charge, Customer, Error, Instruction, Item, Outcome, Request, Response, Rupiah, Status, Step, time,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::answer::{self, Kind};
use crate::settings::{Direct, Notification};
use crate::{State, direct, idempotent, post};

/// What only Midtrans has. Each option belongs to some channels and is refused with others.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// Snap page: the ways to pay that it offers, by Midtrans' names; all that are active if empty.
    pub enabled_payments: Vec<String>,
    /// Kept with the order and sent back in callbacks; at most 255 characters.
    pub custom_field1: Option<String>,
    /// Like `custom_field1`.
    pub custom_field2: Option<String>,
    /// Like `custom_field1`.
    pub custom_field3: Option<String>,
    /// Virtual accounts: a number of the merchant's own, at most 18 digits; for Mandiri the bill key.
    pub va_number: Option<String>,
    /// `bca_va`: the sub company code.
    pub sub_company_code: Option<String>,
    /// `permata_va`: the name that the bank shows, at most 20 characters.
    pub recipient_name: Option<String>,
    /// `mandiri_va`: the label on the bill, of which the bank shows 10 characters.
    pub bill_info1: Option<String>,
    /// `mandiri_va`: the value on the bill, of which the bank shows 30 characters.
    pub bill_info2: Option<String>,
    /// `qris`: who acquires.
    pub qris_acquirer: Option<Acquirer>,
    /// `indomaret`: what the cashier sees, at most 20 characters.
    pub message: Option<String>,
    /// `alfamart`: the first line of the receipt, at most 40 characters.
    pub alfamart_free_text_1: Option<String>,
    /// `alfamart`: the second line.
    pub alfamart_free_text_2: Option<String>,
    /// `alfamart`: the third line.
    pub alfamart_free_text_3: Option<String>,
}

/// Who acquires a QRIS payment.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
pub enum Acquirer {
    /// GoPay.
    #[serde(rename = "gopay")]
    Gopay,
    /// ShopeePay.
    #[serde(rename = "airpay shopee")]
    AirpayShopee,
}

/// Builds the request of a charge: a Snap page, or a direct charge where a channel is named.
pub fn prepare(to: &Direct, call: &Call) -> Result<Step<State>, Error> {
    let charge: Charge<Options> = call.read()?;
    charge.check()?;
    check_id("order_id", &call.reference)?;
    let parts = Parts::of(&charge, call)?;
    match charge.channel.as_deref() {
        None => page(to, call, &charge, parts),
        Some(channel) => direct::prepare(to, call, &charge, parts, channel),
    }
}

/// A Snap request. The order of its fields is the order of its bytes.
#[derive(Serialize)]
struct Page<'a> {
    #[serde(flatten)]
    parts: Parts<'a>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    enabled_payments: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    callbacks: Option<Callbacks<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiry: Option<Expiry>,
}

/// Where the payer returns to.
#[derive(Serialize)]
struct Callbacks<'a> {
    finish: &'a str,
}

/// How long the page may be paid: Snap knows no unit below the minute.
#[derive(Serialize)]
struct Expiry {
    start_time: String,
    unit: &'static str,
    duration: u32,
}

fn page(to: &Direct, call: &Call, charge: &Charge<Options>, parts: Parts<'_>) -> Result<Step<State>, Error> {
    direct::check_options(&charge.options, None)?;
    let minutes = minutes(charge.expires_in)?;
    let body = Page {
        parts,
        enabled_payments: &charge.options.enabled_payments,
        callbacks: charge.return_url.as_deref().map(|finish| Callbacks { finish }),
        expiry: minutes.map(|duration| Expiry { start_time: start_time(call), unit: "minute", duration }),
    };
    let url = format!("{}/snap/v1/transactions", to.snap);
    let request = notified(idempotent(post(to, url, &body)?, call), to, charge.callback_url.as_deref())?;
    let ends = |minutes: u32| call.now() + std::time::Duration::from_secs(u64::from(minutes) * 60);
    let expires_at = minutes.map(|minutes| time::rfc3339_wib(ends(minutes)));
    Ok(Step::Send(request.moving(), State::Page { amount: charge.amount, expires_at }))
}

/// Snap's answer to a page, or a gateway's: whose page may be another provider's, or its own, and has no token.
#[derive(Deserialize)]
struct Created {
    #[serde(default)]
    token: Option<String>,
    redirect_url: String,
}

/// Reads the answer to a Snap request. Token and address are opaque; Snap echoes nothing.
pub fn read_page(
    response: &Response,
    amount: Rupiah,
    expires_at: Option<String>,
    client_key: Option<&str>,
) -> Result<Outcome, Error> {
    let answer = answer::read(response, Kind::Charge)?;
    let has_token = answer.body.get("token").is_some_and(serde_json::Value::is_string);
    page_outcome(answer.body, amount, expires_at, client_key)
        .filter(|_| has_token)
        .ok_or_else(|| answer::open(Kind::Charge, "the answer has no token and redirect_url"))
}

/// The outcome of a page that was made, here or at a gateway.
pub fn page_outcome(
    body: serde_json::Value,
    amount: Rupiah,
    expires_at: Option<String>,
    client_key: Option<&str>,
) -> Option<Outcome> {
    let created: Created = serde_json::from_value(body.clone()).ok()?;
    let is_empty = |text: &str| text.is_empty();
    if created.token.as_deref().is_some_and(is_empty) || created.redirect_url.is_empty() {
        return None;
    }
    let instruction = Instruction::Redirect {
        url: created.redirect_url,
        // The key is for the widget that the token opens.
        client_key: client_key.filter(|_| created.token.is_some()).map(str::to_owned),
        token: created.token,
    };
    Some(Outcome {
        amount: Some(amount),
        payable_amount: Some(amount),
        instruction: Some(instruction),
        expires_at,
        raw: body,
        ..Outcome::answered(Status::Pending)
    })
}

/// What Snap and direct charges have in common.
#[derive(Serialize)]
pub struct Parts<'a> {
    transaction_details: TransactionDetails<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    item_details: Vec<ItemDetail<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer_details: Option<CustomerDetails<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    custom_field1: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    custom_field2: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    custom_field3: Option<&'a str>,
}

#[derive(Serialize)]
struct TransactionDetails<'a> {
    order_id: &'a str,
    gross_amount: Rupiah,
}

/// One line of what is paid for.
#[derive(Serialize)]
pub struct ItemDetail<'a> {
    id: &'a str,
    price: Rupiah,
    quantity: u32,
    name: &'a str,
}

/// Who pays.
#[derive(Serialize)]
pub struct CustomerDetails<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    first_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<&'a str>,
}

impl<'a> Parts<'a> {
    fn of(charge: &'a Charge<Options>, call: &'a Call) -> Result<Self, Error> {
        let options = &charge.options;
        let fields = [&options.custom_field1, &options.custom_field2, &options.custom_field3];
        for (number, field) in (1..).zip(fields) {
            at_most(&format!("options.custom_field{number}"), field.as_deref(), 255)?;
        }
        Ok(Parts {
            transaction_details: TransactionDetails {
                order_id: &call.reference,
                gross_amount: charge.amount,
            },
            item_details: items(&charge.items, charge.amount, charge.description.as_deref())?,
            customer_details: customer(charge.customer.as_ref())?,
            custom_field1: options.custom_field1.as_deref(),
            custom_field2: options.custom_field2.as_deref(),
            custom_field3: options.custom_field3.as_deref(),
        })
    }
}

/// The items; without any, the description stands as the only one, for Midtrans has no other place for it.
pub fn items<'a>(
    items: &'a [Item],
    amount: Rupiah,
    description: Option<&'a str>,
) -> Result<Vec<ItemDetail<'a>>, Error> {
    if items.is_empty() {
        at_most("description", description, 50)?;
        let named = description.filter(|name| !name.is_empty());
        return Ok(named
            .map(|name| ItemDetail { id: "1", price: amount, quantity: 1, name })
            .into_iter()
            .collect());
    }
    let detail = |(number, item): (usize, &'a Item)| {
        at_most(&format!("items[{number}].name"), Some(&item.name), 50)?;
        at_most(&format!("items[{number}].id"), item.id.as_deref(), 50)?;
        if item.quantity == 0 {
            return Err(Error::invalid(&format!("items[{number}].quantity"), 0, "at least 1"));
        }
        let id = item.id.as_deref().unwrap_or(&item.name);
        Ok(ItemDetail { id, price: item.price, quantity: item.quantity, name: &item.name })
    };
    items.iter().enumerate().map(detail).collect()
}

/// The customer. Midtrans wants the name in two parts: the first word, and the rest.
pub fn customer(customer: Option<&Customer>) -> Result<Option<CustomerDetails<'_>>, Error> {
    let Some(customer) = customer else { return Ok(None) };
    for (name, text) in [("name", &customer.name), ("email", &customer.email), ("phone", &customer.phone)] {
        at_most(&format!("customer.{name}"), text.as_deref(), 255)?;
    }
    let name = customer.name.as_deref().map(str::trim).filter(|name| !name.is_empty());
    let (first_name, last_name) = match name.and_then(|name| name.split_once(char::is_whitespace)) {
        Some((first, last)) => (Some(first), Some(last.trim_start())),
        None => (name, None),
    };
    let (email, phone) = (customer.email.as_deref(), customer.phone.as_deref());
    let given = [first_name, email, phone].iter().any(Option::is_some);
    Ok(given.then_some(CustomerDetails { first_name, last_name, email, phone }))
}

/// Adds the charge's own callback URL.
pub fn notified(request: Request, to: &Direct, url: Option<&str>) -> Result<Request, Error> {
    let Some(url) = url else { return Ok(request) };
    let web = url.starts_with("https://") || url.starts_with("http://");
    // The header takes up to three addresses with commas between them.
    if !web || url.contains(',') || !url.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(Error::invalid(
            "callback_url",
            format!("{url:?}"),
            "one http(s) address without commas or blanks",
        ));
    }
    let header = match to.notification {
        Notification::Override => "X-Override-Notification",
        Notification::Append => "X-Append-Notification",
    };
    Ok(request.header(header, url))
}

/// The moment of the call as `yyyy-MM-dd HH:mm:ss Z`.
pub fn start_time(call: &Call) -> String {
    format!("{} +0700", time::to_wib(call.now()))
}

/// Whole minutes, never longer than the host allows.
fn minutes(expires_in: Option<u32>) -> Result<Option<u32>, Error> {
    match expires_in {
        Some(seconds @ 0..60) => {
            Err(Error::invalid("expires_in", seconds, "at least 60 seconds: a Snap page counts minutes"))
        }
        seconds => Ok(seconds.map(|seconds| seconds / 60)),
    }
}

/// An id that goes into a path, where `.` and `..` would mean something else.
pub fn check_id(field: &str, id: &str) -> Result<(), Error> {
    if id.is_empty() {
        return Err(Error::missing(field, "the order's id, or Midtrans' own"));
    }
    if id.bytes().all(|b| b == b'.') {
        return Err(Error::invalid(field, format!("{id:?}"), "an id that is more than dots"));
    }
    Ok(())
}

/// Refuses a text that Midtrans would refuse or cut.
pub fn at_most(field: &str, text: Option<&str>, most: usize) -> Result<(), Error> {
    match text.map(|text| text.chars().count()) {
        Some(length) if length > most => {
            Err(Error::invalid(field, format!("{length} characters"), format!("at most {most}")))
        }
        _ => Ok(()),
    }
}
