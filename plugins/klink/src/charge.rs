//! A charge: where it goes, and the request that both ways share.
//!
//! Source: parts 2 c and 3 c, Payment Service.

use bayar_provider::{Call, Charge, Code, Customer, Error, Response, Rupiah, Step, params, time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::answer;
use crate::channels::{self, Row};
use crate::exchange::{act, check_reference};
use crate::settings::Settings;
use crate::{Due, State};

/// What only K-Link has.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// The shipping, which the payer pays on top of the amount.
    #[serde(default)]
    pay_ship: Rupiah,
}

/// Which of K-Link's two services a channel belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Route {
    /// `pay_service`: virtual account, card, manual transfer.
    Own,
    /// `pay_service_midtrans`.
    Midtrans,
}

/// A channel's id, taken apart.
struct Target<'a> {
    route: Route,
    bank_code: &'a str,
    product_code: &'a str,
}

/// The order of the fields is that of the document's sample.
#[derive(Serialize)]
struct Body<'a> {
    /// Unique for each request, not only for each order.
    rq_uuid: &'a str,
    rq_datetime: String,
    order_id: &'a str,
    no_hp: &'a str,
    fullname: &'a str,
    email: &'a str,
    bank_code: &'a str,
    product_code: &'a str,
    nominal: String,
    pay_ship: String,
}

/// Builds the first request: over Midtrans the charge itself, else the question for the list.
///
/// The answer to a manual transfer does not say where to transfer to, only the list does; and which
/// channels are such transfers, only the list says too. So it is read before anything is payable.
pub fn prepare(account: &Settings, call: &Call) -> Result<Step<State>, Error> {
    let charge = read(call)?;
    let target = Target::of(charge.channel.as_deref())?;
    let (body, due) = body(account, call, &charge, &target)?;
    match target.route {
        Route::Own => channels::list(account, call, State::ChargeChannel),
        Route::Midtrans => {
            act(account, call, &account.path_pay_service_midtrans, &body, State::ChargeGopay { due })
        }
    }
}

/// Reads the list, and builds the charge through the channel that the host named.
pub fn through(account: &Settings, call: &Call, response: &Response) -> Result<Step<State>, Error> {
    let charge = read(call)?;
    let target = Target::of(charge.channel.as_deref())?;
    let channel = usable(response, channels::read(response)?.rows, &target)?;
    let (body, due) = body(account, call, &charge, &target)?;
    act(
        account,
        call,
        &account.path_pay_service,
        &body,
        State::Charge { due, bank: channel.bank, destination: channel.destination },
    )
}

/// Reads the parameters. What K-Link has no place for, and the host would miss, is refused.
fn read(call: &Call) -> Result<Charge<Options>, Error> {
    let charge: Charge<Options> = call.read()?;
    charge.check()?;
    if charge.callback_url.is_some() {
        let allowed = "none: callbacks go to the address that K-Link registered for this account beforehand";
        return Err(Error::invalid("callback_url", "an address", allowed));
    }
    if let Some(seconds) = charge.expires_in {
        return Err(Error::invalid("expires_in", seconds, "none: K-Link takes no such limit"));
    }
    Ok(charge)
}

fn body<'a>(
    account: &'a Settings,
    call: &'a Call,
    charge: &'a Charge<Options>,
    target: &Target<'a>,
) -> Result<(Body<'a>, Due), Error> {
    let pay_ship = charge.options.pay_ship;
    let total = charge.amount.plus(pay_ship);
    let total =
        total.ok_or_else(|| Error::invalid("options.pay_ship", pay_ship, "a sum below 10^15 rupiah"))?;
    let payer = charge.customer.as_ref();
    let body = Body {
        rq_uuid: &call.intent,
        rq_datetime: time::to_wib(call.now()),
        order_id: check_reference(call)?,
        no_hp: of_payer(payer, "phone", |payer| payer.phone.as_deref())?,
        fullname: of_payer(payer, "name", |payer| payer.name.as_deref())?,
        email: of_payer(payer, "email", |payer| payer.email.as_deref())?,
        bank_code: target.bank_code,
        product_code: target.sent_product(account, charge.channel.as_deref()),
        nominal: charge.amount.to_string(),
        pay_ship: pay_ship.to_string(),
    };
    Ok((body, Due { nominal: charge.amount, pay_ship, total }))
}

/// K-Link wants name, phone and e-mail address of the payer in every charge.
fn of_payer<'a>(
    payer: Option<&'a Customer>,
    name: &str,
    field: impl Fn(&'a Customer) -> Option<&'a str>,
) -> Result<&'a str, Error> {
    let given = payer.and_then(field).map(str::trim).filter(|text| !text.is_empty());
    given.ok_or_else(|| Error::missing(&format!("customer.{name}"), "K-Link wants it in every charge"))
}

impl<'a> Target<'a> {
    fn of(channel: Option<&'a str>) -> Result<Self, Error> {
        const FORM: &str = "va:bankCode:productCode or midtrans:bankCode:productCode, as channels lists them";
        let channel = channel.ok_or_else(|| Error::missing("channel", FORM))?;
        let mut parts = channel.splitn(3, ':');
        let (route, bank_code, product_code) = (parts.next(), parts.next(), parts.next());
        let route = match route {
            Some("va") => Some(Route::Own),
            Some("midtrans") => Some(Route::Midtrans),
            _ => None,
        };
        match (route, bank_code, product_code) {
            (Some(route), Some(bank_code), Some(product_code))
                if !bank_code.is_empty() && !product_code.is_empty() =>
            {
                Ok(Target { route, bank_code, product_code })
            }
            _ => Err(Error::invalid("channel", format!("{channel:?}"), FORM)),
        }
    }

    /// The product code to send: for GoPay the sample sends another one than the list has.
    fn sent_product(&self, account: &'a Settings, channel: Option<&str>) -> &'a str {
        let of_channel = channel.and_then(|channel| account.product_codes.get(channel));
        let of_bank = || account.product_codes.get(self.bank_code).filter(|_| self.route == Route::Midtrans);
        of_channel.or_else(of_bank).map_or(self.product_code, String::as_str)
    }
}

/// The channel's row, if it can be used: listed, active, and with an account where one is needed.
fn usable(response: &Response, rows: Vec<Row>, target: &Target<'_>) -> Result<Row, Error> {
    let asked = format!("va:{}:{}", target.bank_code, target.product_code);
    let id = |row: &Row| format!("va:{}:{}", row.bank_code, row.product_code);
    let active: Vec<String> = rows.iter().filter(|row| row.active).map(id).collect();
    let Some(row) = rows.into_iter().find(|row| row.active && id(row) == asked) else {
        let known: Vec<&str> = active.iter().map(String::as_str).collect();
        let near = params::nearest(&asked, &known).map(|near| format!(" (did you mean {near}?)"));
        let allowed = format!("one that K-Link lists as active: {}", known.join(", "));
        return Err(Error::invalid("channel", format!("{asked:?}{}", near.unwrap_or_default()), allowed));
    };
    if row.is_manual() && row.destination.is_none() {
        let what =
            format!("K-Link lists {} without the account to transfer to, so nobody could pay it", row.name);
        return Err(Error::new(Code::NotPossible, what).provider(answer::said(response)));
    }
    Ok(row)
}
