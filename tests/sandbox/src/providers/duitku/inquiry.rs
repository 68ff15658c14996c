//! Payments: `v2/inquiry` (§5) by a named method, and the public `createInvoice`, whose page
//! lets the payer choose.

use serde_json::{Value, json};

use super::accounts;
use super::channels::{self, Channel, Kind};
use super::codes::{self, Code};
use super::fields::{self, Refusal};
use super::project::Project;
use super::transaction::{self, Detail};
use crate::provider::{Desk, Instruction, Reply, Request};
use crate::raw::{self, Raw};
use crate::tools::rupiah;

/// Answers `POST v2/inquiry`.
pub(super) fn inquiry(request: &Request, desk: &mut Desk<'_>) -> Result<Reply, Refusal> {
    let body = fields::body(request)?;
    let project =
        Project::find(&fields::need(&body, "merchantCode", 50)?, desk).ok_or_else(Refusal::no_merchant)?;
    let number = fields::need(&body, "merchantOrderId", 50)?;
    let amount = fields::integer(&body, "paymentAmount")?;
    let given = fields::need(&body, "signature", 255)?;
    if given != project.signature(&format!("{}{number}{amount}", project.code)) {
        return Err(Refusal::wrong_signature());
    }
    let method = fields::need(&body, "paymentMethod", 2)?;
    let channel = channels::find(&method).ok_or_else(Refusal::no_channel)?;
    let name = fields::optional(&body, "customerVaName", 20)?;
    // §5 calls it mandatory; the public refusal is one of some channels only.
    let named = channel.kind == Kind::Commerce || desk.setting("mandatory") == "document";
    if name.is_empty() && named {
        return Err(Refusal::new(400, "Customer VA Name must not be empty for this payment channel"));
    }
    let mut detail = read(&body, &project, amount, desk)?;
    if channel.kind == Kind::Credit {
        for name in ["customerDetail", "itemDetails"] {
            if !matches!(raw::value(&body, &name.to_lowercase()), Value::Object(_) | Value::Array(_)) {
                return Err(Refusal::new(400, format!("{name} is mandatory")));
            }
        }
    }
    if channel.kind == Kind::Linked {
        let code = account(&body, channel)?;
        if let Err(code) = payable(&code, amount, channel, &project, desk) {
            return Ok(unmade(&project, amount, code));
        }
        detail.credential = Some(code);
    }
    let id = transaction::open(detail, amount, &project, desk)?;
    transaction::begin(&id, channel, desk);
    // "02" and "-100" also mean "other error" (§8): with this setting the transaction is made and
    // the answer does not say so.
    match codes::named(desk.setting("inquiry_code")) {
        None | Some(Code::SUCCESS) => Ok(made(&id, channel, &project, desk)),
        Some(code) => Ok(unmade(&project, amount, code)),
    }
}

/// Answers `POST createInvoice` (public).
pub(super) fn invoice(request: &Request, desk: &mut Desk<'_>) -> Result<Reply, Refusal> {
    let header = |name: &str| request.header(name).unwrap_or_default();
    let project = Project::find(header("x-duitku-merchantcode"), desk).ok_or_else(Refusal::no_merchant)?;
    let time = header("x-duitku-timestamp");
    let timed = time.len() == 13 && time.bytes().all(|byte| byte.is_ascii_digit());
    let fields = format!("{}{time}", project.code);
    if !timed || !project.signed_publicly(&fields, header("x-duitku-signature")) {
        return Err(Refusal::wrong_signature());
    }
    let body = fields::body(request)?;
    let number = fields::need(&body, "merchantOrderId", 50)?;
    let amount = fields::integer(&body, "paymentAmount")?;
    fields::optional(&body, "customerVaName", 20)?;
    let method = fields::optional(&body, "paymentMethod", 2)?;
    let channel = match method.as_str() {
        "" => None,
        code => Some(
            channels::find(code).filter(|one| one.kind != Kind::Linked).ok_or_else(Refusal::no_channel)?,
        ),
    };
    let mut detail = read(&body, &project, amount, desk)?;
    detail.number = number;
    let id = transaction::open(detail, amount, &project, desk)?;
    match channel {
        Some(channel) => transaction::begin(&id, channel, desk),
        None => {
            let url = transaction::page(desk.order(&id).expect("it was just opened"), desk);
            let order = desk.order_mut(&id).expect("it was just opened");
            order.method = None;
            order.instructions.push(Instruction::link("Invoice page", url));
        }
    }
    let order = desk.order(&id).expect("it was just opened");
    Ok(Reply::json(
        200,
        &json!({
            "merchantCode": project.code,
            "reference": order.provider_reference,
            "paymentUrl": transaction::page(order, desk),
            "amount": order.amount.to_string(),
            "statusCode": Code::SUCCESS.0,
            "statusMessage": "SUCCESS",
        }),
    ))
}

/// Reads and checks what both kinds of a request have in common.
fn read(body: &Raw, project: &Project, amount: i64, desk: &Desk<'_>) -> Result<Detail, Refusal> {
    let limit = |name: &str, default: i64| rupiah(desk.setting(name)).unwrap_or(default);
    if amount < 10_000 {
        return Err(Refusal::new(400, "Minimum Payment 10000 IDR"));
    }
    if amount > limit("maximum", i64::MAX) {
        return Err(Refusal::new(400, "Maximum Payment exceeded"));
    }
    // 20 in §5; 50 in the public table and in the text of its refusal.
    let phone = usize::try_from(limit("phone_length", 50)).unwrap_or(50);
    fields::email(body)?;
    fields::optional(body, "phoneNumber", phone)?;
    let expiry = match raw::text(body, "expiryperiod") {
        None => None,
        Some(_) => Some(fields::integer(body, "expiryPeriod")?),
    };
    if expiry.is_some_and(|minutes| minutes < 1) {
        return Err(Refusal::new(400, "expiryPeriod must be at least 1"));
    }
    let detail = Detail {
        merchant: project.code.clone(),
        number: fields::need(body, "merchantOrderId", 50)?,
        product: fields::need(body, "productDetails", 255)?,
        additional: fields::optional(body, "additionalParam", 255)?,
        user: fields::optional(body, "merchantUserInfo", 255)?,
        return_url: fields::url(body, "returnUrl")?,
        callback_url: fields::url(body, "callbackUrl")?,
        expiry,
        ..Detail::default()
    };
    fields::card(body)?;
    fields::items(body, amount)?;
    Ok(detail)
}

/// Reads `accountLink`: the credential code, and the object of the wallet in use. The sample
/// sends both objects, and clients only theirs. "1-20" cannot hold the 36 characters of the
/// sample's own credential code: 50, as in §2–4.
fn account(body: &Raw, channel: &Channel) -> Result<String, Refusal> {
    let mandatory = |name: &str| Refusal::new(400, format!("{name} is mandatory"));
    let link = fields::inner(body, "accountLink").ok_or_else(|| mandatory("accountLink"))?;
    let code = fields::need(&link, "credentialCode", 50)?;
    if channel.code == "OL" {
        let ovo = fields::inner(&link, "ovo").ok_or_else(|| mandatory("ovo"))?;
        let details = fields::list(&ovo, "paymentDetails")?;
        if details.is_empty() {
            return Err(mandatory("paymentDetails"));
        }
        for one in &details {
            fields::need(one, "paymentType", 10)?;
            fields::integer(one, "amount")?;
        }
    } else {
        let shopee = fields::inner(&link, "shopee").ok_or_else(|| mandatory("shopee"))?;
        if !raw::value(&shopee, "usecoin").is_boolean() {
            return Err(mandatory("useCoin"));
        }
        // Mandatory, and empty in the sample; `promo_ids` is its public name.
        let name =
            ["promoId", "promo_ids"].into_iter().find(|name| shopee.contains_key(&name.to_lowercase()));
        fields::optional(&shopee, name.ok_or_else(|| mandatory("promoId"))?, 50)?;
    }
    Ok(code)
}

/// Whether a linked account can pay at all.
fn payable(
    code: &str,
    amount: i64,
    channel: &Channel,
    project: &Project,
    desk: &mut Desk<'_>,
) -> Result<(), Code> {
    match accounts::find(code, &project.code, channel.code, desk) {
        Some(account) if account.linked && account.cash >= amount => Ok(()),
        Some(account) if account.linked => Err(Code::NO_BALANCE),
        _ => Err(Code::NO_CREDENTIAL),
    }
}

/// The answer about a transaction that was made: six fields as printed, and what the payer of
/// another method needs (public).
fn made(id: &str, channel: &Channel, project: &Project, desk: &Desk<'_>) -> Reply {
    let order = desk.order(id).expect("it was just opened");
    let mut document = json!({
        "merchantCode": project.code,
        "reference": order.provider_reference,
        "paymentUrl": transaction::page(order, desk),
        "amount": order.amount.to_string(),
        "statusCode": Code::SUCCESS.0,
        "statusMessage": "SUCCESS",
    });
    for one in &order.instructions {
        match one.kind {
            "text" => document["vaNumber"] = json!(one.value),
            "qr" => document["qrString"] = json!(one.value),
            _ => {}
        }
    }
    if channel.kind == Kind::Commerce {
        document["AppUrl"] = document["paymentUrl"].clone();
    }
    Reply::json(200, &document)
}

/// The same shape with a code other than 00, as far as §5 and §8 together tell.
fn unmade(project: &Project, amount: i64, code: Code) -> Reply {
    Reply::json(
        200,
        &json!({
            "merchantCode": project.code,
            "reference": "",
            "paymentUrl": "",
            "amount": amount.to_string(),
            "statusCode": code.0,
            "statusMessage": codes::text(code),
        }),
    )
}
