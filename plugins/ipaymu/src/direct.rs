//! A direct payment: the host shows number or code itself; cash on delivery with its goods.
//!
//! Source: document, API Payment Direct; API dan Parameter Tambahan untuk Payment COD, 1.

use bayar_provider::money::decimal_from_wire;
use bayar_provider::{
    Call, Charge, Decimal, Error, Instruction, Outcome, Response, Rupiah, Status, Step, json, time,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::answer::{self, Kind};
use crate::channels::method_of;
use crate::charge::{Lines, filled, hours, notify_url};
use crate::options::{Measure, Options, check_measures};
use crate::settings::Account;
use crate::{State, post};

/// A direct payment. The order of its fields is the order of its bytes.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    account: &'a str,
    name: &'a str,
    email: &'a str,
    phone: &'a str,
    amount: Rupiah,
    payment_method: &'a str,
    payment_channel: &'a str,
    notify_url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    expired: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    reference_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    split_count: Option<u32>,
    #[serde(flatten)]
    goods: Option<Goods<'a>>,
}

/// What a courier delivers; the lists have an entry for each item.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Goods<'a> {
    #[serde(flatten)]
    lines: Lines<'a>,
    weight: &'a [Measure],
    length: &'a [Measure],
    width: &'a [Measure],
    height: &'a [Measure],
    delivery_area: &'a str,
    delivery_address: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pickup_area: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pickup_address: Option<&'a str>,
}

/// Builds the request.
pub fn prepare(
    account: &Account,
    call: &Call,
    charge: &Charge<Options>,
    id: &str,
) -> Result<Step<State>, Error> {
    let (method, channel) = method_of(id)?;
    let cod = method == "cod";
    charge.options.check_direct(cod)?;
    let customer = charge.customer.as_ref();
    let name = needed("customer.name", customer.and_then(|c| c.name.as_deref()), BUYER)?;
    let email = needed("customer.email", customer.and_then(|c| c.email.as_deref()), BUYER)?;
    let phone = needed("customer.phone", customer.and_then(|c| c.phone.as_deref()), BUYER)?;
    let body = Body {
        account: &account.account,
        name,
        email,
        phone,
        amount: charge.amount,
        payment_method: method,
        payment_channel: channel,
        notify_url: notify_url(account, call, charge)?,
        expired: hours(charge.expires_in)?,
        description: charge.description.as_deref(),
        reference_id: &call.reference,
        split_count: charge.options.split_count,
        goods: cod.then(|| goods(charge)).transpose()?,
    };
    let request = post(account, call, "/payment/direct", &body)?.moving();
    let (method, channel) = (method.to_owned(), channel.to_owned());
    Ok(Step::Send(request, State::Direct { amount: charge.amount, method, channel }))
}

/// The goods of a cash-on-delivery payment. That they sum to the amount was checked with the charge.
fn goods(charge: &Charge<Options>) -> Result<Goods<'_>, Error> {
    if charge.items.is_empty() {
        return Err(Error::missing("items", "what is delivered: name, price and quantity of each"));
    }
    check_measures(charge, true)?;
    let options = &charge.options;
    Ok(Goods {
        lines: Lines::of(&charge.items)?,
        weight: &options.weight,
        length: &options.length,
        width: &options.width,
        height: &options.height,
        delivery_area: needed("options.delivery_area", options.delivery_area.as_deref(), GOODS)?,
        delivery_address: needed("options.delivery_address", options.delivery_address.as_deref(), GOODS)?,
        pickup_area: options.pickup_area.as_deref(),
        pickup_address: options.pickup_address.as_deref(),
    })
}

const BUYER: &str = "a text: iPaymu wants it for a direct payment";
const GOODS: &str = "where the goods go";

fn needed<'a>(field: &str, text: Option<&'a str>, what: &str) -> Result<&'a str, Error> {
    filled(field, text.ok_or_else(|| Error::missing(field, what))?)
}

/// The largest code that is added to the amount of a bank transfer, in rupiah.
const LARGEST_UNIQUE_CODE: u32 = 999;

/// What was asked.
pub struct Asked {
    /// How much.
    pub amount: Rupiah,
    /// By which of iPaymu's methods.
    pub method: String,
    /// By which channel of that method.
    pub channel: String,
}

/// A direct payment as iPaymu writes it; ids and numbers may be texts or numbers.
#[derive(Deserialize)]
struct Created {
    #[serde(default, rename = "sessionid", deserialize_with = "json::text")]
    session_id: Option<String>,
    #[serde(rename = "transactionid", deserialize_with = "json::text")]
    transaction_id: Option<String>,
    #[serde(default, rename = "referenceid", deserialize_with = "json::text")]
    reference_id: Option<String>,
    #[serde(default, rename = "paymentno", deserialize_with = "json::text")]
    payment_no: Option<String>,
    #[serde(default, rename = "paymentname")]
    payment_name: Option<String>,
    #[serde(default)]
    total: Value,
    #[serde(default)]
    fee: Value,
    #[serde(default, rename = "shippingfee")]
    shipping_fee: Value,
    #[serde(default)]
    expired: Option<String>,
    #[serde(default)]
    url: Option<String>,
    #[serde(default, rename = "qrstring")]
    qr_string: Option<String>,
    #[serde(default, rename = "qrimage")]
    qr_image: Option<String>,
    #[serde(default, rename = "codstatus", deserialize_with = "json::text")]
    cod_status: Option<String>,
    #[serde(default, rename = "codstatusdesc")]
    cod_status_desc: Option<String>,
}

/// `data` of a charge: what helps whoever speaks with iPaymu, and what cash on delivery adds.
#[derive(Serialize, JsonSchema)]
pub struct Details {
    /// iPaymu's session.
    #[serde(skip_serializing_if = "Option::is_none")]
    session_id: Option<String>,
    /// What the courier costs, in rupiah.
    #[serde(skip_serializing_if = "Option::is_none")]
    shipping_fee: Option<String>,
    /// The delivery's state: `0` on process, `1` waiting for pickup.
    #[serde(skip_serializing_if = "Option::is_none")]
    cod_status: Option<String>,
    /// The same in iPaymu's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    cod_status_text: Option<String>,
}

/// Reads the answer. It must be about this order and this amount.
pub fn read(call: &Call, response: &Response, asked: &Asked) -> Result<Outcome, Error> {
    let open = |what: &str| answer::open(response, Kind::Act, what);
    let answer = answer::read(response, Kind::Act)?;
    let created: Created =
        serde_json::from_value(answer.data).map_err(|_| open("the answer is no payment"))?;
    // A sample of the document answers null; what is absent is no difference.
    if created.reference_id.as_ref().is_some_and(|reference| *reference != call.reference) {
        return Err(open("the answer is about another order than was asked for"));
    }
    if created.transaction_id.as_deref().unwrap_or_default().is_empty() {
        return Err(open("the answer has no transaction"));
    }
    let Some(total) = created.total_of(asked) else {
        return Err(open("the answer has another total than was asked for"));
    };
    let Some(instruction) = created.instruction(asked) else {
        return Err(open("the answer does not say how to pay"));
    };
    let data = Details {
        session_id: created.session_id,
        shipping_fee: decimal_from_wire(&created.shipping_fee).map(|fee| fee.to_string()),
        cod_status: created.cod_status,
        cod_status_text: created.cod_status_desc,
    };
    Ok(Outcome {
        reference: created.reference_id,
        provider_reference: created.transaction_id,
        amount: Some(asked.amount),
        payable_amount: Some(total),
        fee: decimal_from_wire(&created.fee),
        instruction: Some(instruction),
        expires_at: created.expired.as_deref().and_then(time::wib_to_rfc3339),
        data: serde_json::to_value(data).ok(),
        raw: answer.raw,
        ..Outcome::answered(Status::Pending)
    })
}

impl Created {
    /// What the payer pays: what was asked, or that with a fee or the courier passed on. By bank transfer ("BCA
    /// Kode Unik") up to 999 rupiah more, by which the transfer is told from others.
    fn total_of(&self, asked: &Asked) -> Option<Rupiah> {
        let (asked, unique) = (asked.amount, asked.method == "banktransfer");
        if self.total.is_null() {
            return Some(asked);
        }
        let total = Rupiah::from_wire(&self.total)?;
        let fee = decimal_from_wire(&self.fee).unwrap_or_default();
        let shipping = decimal_from_wire(&self.shipping_fee).unwrap_or_default();
        let more = Decimal::from(total.get()) - Decimal::from(asked.get());
        let passed_on = [Decimal::ZERO, fee, shipping, fee + shipping];
        let fits = |base: &Decimal| {
            *base == more || (unique && *base < more && more <= *base + Decimal::from(LARGEST_UNIQUE_CODE))
        };
        passed_on.iter().any(fits).then_some(total)
    }

    /// What the payer needs, by the method.
    fn instruction(&self, asked: &Asked) -> Option<Instruction> {
        let given = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
        let (number, url, channel) = (given(&self.payment_no), given(&self.url), asked.channel.clone());
        let page = |url: String| Instruction::Redirect { url, token: None, client_key: None };
        match asked.method.as_str() {
            "cod" => Some(Instruction::Cod { awb: None }),
            "va" => {
                let name = given(&self.payment_name);
                Some(Instruction::VirtualAccount { bank: channel, number: number?, biller_code: None, name })
            }
            "banktransfer" => {
                let holder = given(&self.payment_name).unwrap_or_default();
                Some(Instruction::ManualTransfer { bank: channel, number: number?, holder, branch: None })
            }
            "cstore" => Some(Instruction::Retail { store: channel, code: number? }),
            "qris" => {
                let (text, image_url) = (given(&self.qr_string).or(number), given(&self.qr_image));
                (text.is_some() || image_url.is_some()).then_some(Instruction::Qr { text, image_url })
            }
            // Card, pay later, e-wallets, and what this plugin does not know: a page, else a number.
            _ => match (url, number) {
                (Some(url), _) => Some(page(url)),
                (None, Some(number)) if number.starts_with("https://") => Some(page(number)),
                (None, number) => {
                    let name = given(&self.payment_name);
                    Some(Instruction::VirtualAccount {
                        bank: channel,
                        number: number?,
                        biller_code: None,
                        name,
                    })
                }
            },
        }
    }
}
