//! What a charge's parameters become on the wire, and the limits of the document (section 5; public
//! pages for `itemDetails`, `customerDetail` and `expiryPeriod`). Everything that Duitku would refuse
//! or cut is refused here, by name.

use std::borrow::Cow;

use bayar_provider::{Call, Charge, Customer, Error, Item, Rupiah};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::settings::Account;
use crate::signature;

/// What only Duitku has.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// `OL`, `SL`: the linked account that pays.
    pub account_link: Option<AccountLink>,
    /// Kept with the payment and sent back in callbacks; at most 255 characters.
    pub additional_param: Option<String>,
    /// The customer's billing address.
    pub billing_address: Option<Address>,
    /// Where the goods go.
    pub shipping_address: Option<Address>,
}

/// A linked account that pays (document, 5, Account Link Objects).
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountLink {
    /// The account, as linking it gave it; at most 50 characters.
    pub credential_code: String,
    /// `OL`: from which purses; all of it from the cash purse if absent.
    #[serde(default)]
    pub payment_details: Vec<PaymentDetail>,
    /// `SL`: whether ShopeePay coins are used.
    #[serde(default)]
    pub use_coin: bool,
    /// `SL`: a voucher; at most 50 characters.
    #[serde(default)]
    pub promo_id: Option<String>,
}

/// A part of an OVO payment.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PaymentDetail {
    /// The purse: `CASH`; at most 10 characters.
    pub payment_type: String,
    /// How much of it.
    pub amount: Rupiah,
}

/// An address (public pages).
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Address {
    /// First name; at most 50 characters.
    pub first_name: Option<String>,
    /// The other names; at most 50 characters.
    pub last_name: Option<String>,
    /// Street and number; at most 255 characters.
    pub address: Option<String>,
    /// City; at most 50 characters.
    pub city: Option<String>,
    /// Postal code; at most 50 characters.
    pub postal_code: Option<String>,
    /// Phone number; at most 20 characters.
    pub phone: Option<String>,
    /// Country, two letters: `ID`.
    pub country_code: Option<String>,
}

/// A payment or a page. The order of its fields is the order of its bytes. A page has neither merchant
/// code nor signature in its body, nor a way to pay.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    merchant_code: Option<&'a str>,
    payment_amount: Rupiah,
    merchant_order_id: &'a str,
    product_details: Cow<'a, str>,
    email: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    additional_param: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_method: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    merchant_user_info: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer_va_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone_number: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_link: Option<WireLink<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    item_details: Vec<ItemDetail<'a>>,
    customer_detail: CustomerDetail<'a>,
    return_url: &'a str,
    callback_url: &'a str,
    /// Minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    expiry_period: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signature: Option<String>,
}

/// Only the object of the wallet in use stands.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WireLink<'a> {
    credential_code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ovo: Option<Ovo<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    shopee: Option<Shopee<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Ovo<'a> {
    payment_details: Vec<WireDetail<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WireDetail<'a> {
    payment_type: &'a str,
    amount: Rupiah,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shopee<'a> {
    use_coin: bool,
    promo_id: &'a str,
}

#[derive(Serialize)]
struct ItemDetail<'a> {
    name: Cow<'a, str>,
    price: Rupiah,
    quantity: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CustomerDetail<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    first_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_name: Option<&'a str>,
    email: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone_number: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    billing_address: Option<WireAddress<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    shipping_address: Option<WireAddress<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WireAddress<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    first_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    city: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    postal_code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    country_code: Option<&'a str>,
}

impl<'a> Body<'a> {
    /// Checks a charge and makes the body of it: a payment with a channel, a page without.
    pub fn of(account: &'a Account, call: &'a Call, charge: &'a Charge<Options>) -> Result<Self, Error> {
        check_order(call)?;
        let customer = charge.customer.as_ref();
        let (channel, options) = (charge.channel.as_deref(), &charge.options);
        let email = required("customer.email", customer.and_then(|c| c.email.as_deref()), 50)?;
        let phone = optional("customer.phone", customer.and_then(|c| c.phone.as_deref()), 20)?;
        let signature = channel.map(|_| signature::of_payment(account, &call.reference, charge.amount));
        Ok(Body {
            merchant_code: channel.map(|_| account.merchant_code.as_str()),
            payment_amount: charge.amount,
            merchant_order_id: &call.reference,
            product_details: product_details(charge)?,
            email,
            additional_param: optional("options.additional_param", options.additional_param.as_deref(), 255)?,
            payment_method: channel,
            merchant_user_info: optional("customer.id", customer.and_then(|c| c.id.as_deref()), 255)?,
            customer_va_name: va_name(customer, channel, account.cut_names)?,
            phone_number: phone,
            account_link: account_link(options.account_link.as_ref(), channel, charge.amount)?,
            item_details: items(&charge.items)?,
            customer_detail: customer_detail(customer, email, phone, options)?,
            return_url: web("return_url", charge.return_url.as_deref(), "where the payer returns to")?,
            callback_url: web(
                "callback_url",
                charge.callback_url.as_deref(),
                "where Duitku sends its callback",
            )?,
            expiry_period: minutes(charge.expires_in)?,
            signature,
        })
    }

    /// How long the payer may take, in minutes.
    pub fn minutes(&self) -> Option<u32> {
        self.expiry_period
    }
}

/// `merchantOrderId`: its length is 1-50 in the payment's table; the status table's 1-2 is a slip.
pub fn check_order(call: &Call) -> Result<(), Error> {
    let rule = crate::describe::reference_rule();
    if rule.allows(&call.reference) {
        return Ok(());
    }
    Err(Error::invalid("order_id", format!("{:?}", call.reference), rule))
}

/// `productDetails`: the description, else the names of the items.
fn product_details(charge: &Charge<Options>) -> Result<Cow<'_, str>, Error> {
    if let Some(description) = charge.description.as_deref() {
        return required("description", Some(description), 255).map(Cow::Borrowed);
    }
    if charge.items.is_empty() {
        return Err(Error::missing("description", "what is paid for, 1 to 255 characters; or items"));
    }
    let names = charge.items.iter().map(|item| item.name.as_str()).collect::<Vec<_>>().join(", ");
    match names.chars().count() {
        0..=255 => Ok(Cow::Owned(names)),
        _ => Err(Error::missing(
            "description",
            "1 to 255 characters: the names of the items together are longer",
        )),
    }
}

/// `customerVaName`: what the bank shows, 20 characters. A page has its own form for it.
fn va_name<'a>(
    customer: Option<&'a Customer>,
    channel: Option<&str>,
    cut: bool,
) -> Result<Option<&'a str>, Error> {
    let Some(name) = customer.and_then(|c| c.name.as_deref()) else {
        return match channel {
            Some(_) => Err(Error::missing(
                "customer.name",
                "the name that the payer's bank shows, 1 to 20 characters",
            )),
            None => Ok(None),
        };
    };
    if cut && let Some((at, _)) = name.char_indices().nth(20) {
        return Ok(Some(name[..at].trim_end()));
    }
    required("customer.name", Some(name), 20).map(Some)
}

/// The linked account, which belongs to `OL` and `SL` and to nothing else.
fn account_link<'a>(
    given: Option<&'a AccountLink>,
    channel: Option<&str>,
    amount: Rupiah,
) -> Result<Option<WireLink<'a>>, Error> {
    let ovo = match channel {
        Some("OL") => true,
        Some("SL") => false,
        _ if given.is_none() => return Ok(None),
        other => {
            let found = format!("it with {}", other.unwrap_or("no channel"));
            return Err(Error::invalid("options.account_link", found, "only with OL or SL"));
        }
    };
    let Some(link) = given else {
        return Err(Error::missing(
            "options.account_link",
            "the linked account that pays: {credential_code}",
        ));
    };
    let credential_code = required("options.account_link.credential_code", Some(&link.credential_code), 50)?;
    if !ovo {
        if !link.payment_details.is_empty() {
            return Err(Error::invalid("options.account_link.payment_details", "it with SL", "only with OL"));
        }
        let promo = optional(
            "options.account_link.promo_id",
            link.promo_id.as_deref().filter(|id| !id.is_empty()),
            50,
        )?;
        let shopee = Shopee { use_coin: link.use_coin, promo_id: promo.unwrap_or_default() };
        return Ok(Some(WireLink { credential_code, ovo: None, shopee: Some(shopee) }));
    }
    if link.use_coin || link.promo_id.is_some() {
        let field = if link.use_coin { "use_coin" } else { "promo_id" };
        return Err(Error::invalid(&format!("options.account_link.{field}"), "it with OL", "only with SL"));
    }
    let payment_details = purses(&link.payment_details, amount)?;
    Ok(Some(WireLink { credential_code, ovo: Some(Ovo { payment_details }), shopee: None }))
}

/// From which purses OVO takes the amount: they must sum to it.
fn purses(given: &[PaymentDetail], amount: Rupiah) -> Result<Vec<WireDetail<'_>>, Error> {
    if given.is_empty() {
        return Ok(vec![WireDetail { payment_type: "CASH", amount }]);
    }
    let sum = given.iter().try_fold(Rupiah::default(), |sum, part| sum.plus(part.amount));
    if sum != Some(amount) {
        let found = sum.map_or_else(|| "a sum that is too large".to_owned(), |sum| format!("a sum of {sum}"));
        return Err(Error::invalid(
            "options.account_link.payment_details",
            found,
            format!("exactly the amount, {amount}"),
        ));
    }
    let part = |(number, part): (usize, &'_ PaymentDetail)| {
        let field = format!("options.account_link.payment_details[{number}].payment_type");
        required(&field, Some(&part.payment_type), 10).map(|_| ())
    };
    given.iter().enumerate().try_for_each(part)?;
    Ok(given
        .iter()
        .map(|part| WireDetail { payment_type: &part.payment_type, amount: part.amount })
        .collect())
}

/// `itemDetails`. In both samples that Duitku prints, `price` is that of the whole line (2 × Apel at
/// 10000 in a payment of 10000), while the word says that of one. A line of one item means the same in
/// both readings, so each line is sent as one, and the quantity stands in its name.
fn items(items: &[Item]) -> Result<Vec<ItemDetail<'_>>, Error> {
    let line = |(number, item): (usize, &'_ Item)| {
        if item.quantity == 0 {
            return Err(Error::invalid(&format!("items[{number}].quantity"), 0, "at least 1"));
        }
        let Some(price) = item.price.times(u64::from(item.quantity)) else {
            return Err(Error::invalid(
                &format!("items[{number}].price"),
                "a line that is too large",
                "at most the amount",
            ));
        };
        Ok(price)
    };
    items
        .iter()
        .enumerate()
        .map(|(number, item)| {
            let price = line((number, item))?;
            let name = match item.quantity {
                1 => Cow::Borrowed(item.name.as_str()),
                quantity => Cow::Owned(format!("{quantity} x {}", item.name)),
            };
            required(&format!("items[{number}].name"), Some(&name), 50)?;
            Ok(ItemDetail { name, price, quantity: 1 })
        })
        .collect()
}

/// `customerDetail`: the name in two parts, the first word and the rest.
fn customer_detail<'a>(
    customer: Option<&'a Customer>,
    email: &'a str,
    phone_number: Option<&'a str>,
    options: &'a Options,
) -> Result<CustomerDetail<'a>, Error> {
    let name = customer.and_then(|c| c.name.as_deref()).map(str::trim).filter(|name| !name.is_empty());
    let (first, last) = match name.and_then(|name| name.split_once(char::is_whitespace)) {
        Some((first, last)) => (Some(first), Some(last.trim_start())),
        None => (name, None),
    };
    Ok(CustomerDetail {
        first_name: optional("customer.name", first, 50)?,
        last_name: optional("customer.name", last, 50)?,
        email,
        phone_number,
        billing_address: address("options.billing_address", options.billing_address.as_ref())?,
        shipping_address: address("options.shipping_address", options.shipping_address.as_ref())?,
    })
}

fn address<'a>(field: &str, given: Option<&'a Address>) -> Result<Option<WireAddress<'a>>, Error> {
    let Some(given) = given else { return Ok(None) };
    let part = |name: &str, text: &'a Option<String>, most| {
        optional(&format!("{field}.{name}"), text.as_deref(), most)
    };
    Ok(Some(WireAddress {
        first_name: part("first_name", &given.first_name, 50)?,
        last_name: part("last_name", &given.last_name, 50)?,
        address: part("address", &given.address, 255)?,
        city: part("city", &given.city, 50)?,
        postal_code: part("postal_code", &given.postal_code, 50)?,
        phone: part("phone", &given.phone, 20)?,
        country_code: part("country_code", &given.country_code, 2)?,
    }))
}

/// Whole minutes, never longer than the host allows.
fn minutes(expires_in: Option<u32>) -> Result<Option<u32>, Error> {
    match expires_in {
        Some(seconds @ 0..60) => {
            Err(Error::invalid("expires_in", seconds, "at least 60 seconds: Duitku counts minutes"))
        }
        seconds => Ok(seconds.map(|seconds| seconds / 60)),
    }
}

/// An address of the host's, at most 255 characters.
pub fn web<'a>(field: &str, url: Option<&'a str>, what: &str) -> Result<&'a str, Error> {
    let Some(url) = url else {
        return Err(Error::missing(field, format!("{what}, an http(s) address of at most 255 characters")));
    };
    required(field, Some(url), 255)?;
    let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")).unwrap_or_default();
    if host.is_empty() || !url.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(Error::invalid(field, format!("{url:?}"), "an http(s) address without blanks"));
    }
    Ok(url)
}

/// A text that must be there, and fit.
pub fn required<'a>(field: &str, text: Option<&'a str>, most: usize) -> Result<&'a str, Error> {
    match text {
        None => Err(Error::missing(field, format!("1 to {most} characters"))),
        Some(text) => match text.chars().count() {
            count if text.trim().is_empty() || count > most => Err(Error::invalid(
                field,
                format!("{count} characters"),
                format!("1 to {most}, not all blank"),
            )),
            _ => Ok(text),
        },
    }
}

/// A text that may be absent, and must fit.
fn optional<'a>(field: &str, text: Option<&'a str>, most: usize) -> Result<Option<&'a str>, Error> {
    text.map(|text| required(field, Some(text), most)).transpose()
}
