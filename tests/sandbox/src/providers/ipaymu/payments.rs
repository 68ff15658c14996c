//! Redirect and direct payments.

use serde_json::{Value, json};

use super::transaction::{self, Cod, Detail, decimal};
use super::{channels, exact, fields};
use crate::provider::Desk;
use crate::raw::{self, Raw};
use crate::tools::{uuid, wib};

fn optional(body: &Raw, name: &str) -> String {
    raw::text(body, name).unwrap_or_default()
}

/// Answers `POST /payment`: a session and its page.
pub(super) fn redirect(body: &Raw, desk: &mut Desk<'_>) -> Result<Value, String> {
    let cart = fields::cart(body)?;
    let allowed = optional(body, "paymentMethod");
    if !allowed.is_empty() && !channels::redirect_knows(&allowed) {
        return Err(format!("paymentMethod {allowed} not found"));
    }
    let detail = Detail {
        session: uuid().to_uppercase(),
        reference: raw::text(body, "referenceId"),
        return_url: fields::url(body, "returnUrl")?,
        cancel_url: fields::url(body, "cancelUrl")?,
        notify_url: fields::url(body, "notifyUrl")?,
        buyer: ["buyerName", "buyerEmail", "buyerPhone"].map(|name| optional(body, name)),
        seconds: fields::expiry(body, 24)?,
        fee_on_top: optional(body, "feeDirection") == "BUYER",
        products: cart.products,
        quantities: cart.quantities,
        allowed,
        ..Detail::default()
    };
    let session = detail.session.clone();
    let id = transaction::open(detail, cart.total, desk);
    let url = format!("{}/payment/{session}", desk.base_url());
    let link = crate::provider::Instruction::link("iPaymu page", url.clone());
    desk.order_mut(&id).expect("it was just opened").instructions.push(link);
    Ok(json!({"SessionID": session, "Url": url}))
}

/// Answers `POST /payment/direct`: what the payer needs, at once.
pub(super) fn direct(body: &Raw, desk: &mut Desk<'_>) -> Result<Raw, String> {
    let buyer = [fields::need(body, "name")?, fields::email(body, "email")?, fields::need(body, "phone")?];
    let method = fields::need(body, "paymentMethod")?;
    let named = raw::text(body, "paymentChannel");
    if method == "cod" && named.is_none() {
        return Err("paymentChannel is required".to_owned());
    }
    let Some(channel) = channels::find(&method, named.as_deref()) else {
        return Err(format!(
            "paymentMethod {method} with paymentChannel {} not found",
            named.unwrap_or_default()
        ));
    };
    let mut detail = Detail {
        session: uuid().to_uppercase(),
        reference: raw::text(body, "referenceId"),
        notify_url: fields::url(body, "notifyUrl")?,
        seconds: fields::expiry(body, channel.hours)?,
        fee_on_top: optional(body, "feeDirection") == "BUYER",
        escrow: raw::value(body, "escrow") == json!(true) || optional(body, "escrow") == "true",
        products: fields::list(body, "product"),
        quantities: fields::list(body, "qty"),
        buyer,
        ..Detail::default()
    };
    let amount = if method == "cod" {
        let (cod, total) = on_delivery(body)?;
        // 3 % of goods and shipping: the sample's 10000 and 36634 give its 1399.02.
        detail.fee = (total + cod.shipping) * 3;
        detail.cod = Some(cod);
        total
    } else {
        fields::amount(&fields::need(body, "amount")?, "amount")?
    };
    let id = transaction::open(detail, amount, desk);
    transaction::begin(&id, channel, desk);
    Ok(answer(&id, desk))
}

/// Reads what COD adds: its arrays, and where the goods go.
fn on_delivery(body: &Raw) -> Result<(Cod, i64), String> {
    let cart = fields::cart(body)?;
    for name in ["weight", "length", "width", "height"] {
        let list = fields::list(body, name);
        if list.len() != cart.products.len() {
            return Err(format!("{name} must have as many items as product"));
        }
        let measure = |text: &String| text.parse::<f64>().is_ok_and(|value| value > 0.0);
        if !list.iter().all(measure) {
            return Err(format!("{name} must be numbers greater than 0"));
        }
    }
    let area = fields::need(body, "deliveryArea")?;
    fields::need(body, "deliveryAddress")?;
    if let Some(text) = raw::text(body, "amount")
        && fields::amount(&text, "amount")? != cart.total
    {
        return Err("amount must be the sum of qty * price".to_owned());
    }
    let shipping = 36_634 * i64::try_from(cart.products.len()).expect("a body is small");
    Ok((Cod { shipping, area, ..Cod::default() }, cart.total))
}

fn answer(id: &str, desk: &Desk<'_>) -> Raw {
    let order = desk.order(id).expect("it was just opened");
    let detail: Detail = order.read();
    let number = detail.transaction.expect("it was just begun");
    let via = match detail.method.as_str() {
        "cstore" => "Convenience Store".to_owned(),
        other => other.to_uppercase(),
    };
    let mut document = json!({
        "TransactionId": number,
        "ReferenceId": detail.reference,
        "Via": via,
        "Channel": detail.label,
        "Expired": order.expires_at.map(wib),
    });
    match &detail.cod {
        // With COD the session is a number, the total too, and there is nothing to pay to.
        Some(cod) => {
            document["SessionId"] = json!(number);
            document["Total"] = json!(order.amount);
            document["ShippingFee"] = json!(cod.shipping.to_string());
            document["CodStatus"] = json!(0);
            document["CodStatusDesc"] = json!("OnProcess");
        }
        None => {
            document["SessionId"] = json!(detail.session);
            document["Total"] = json!(order.amount.to_string());
            document["PaymentNo"] = json!(detail.payment_no);
            document["PaymentName"] = json!(format!("IPAYMU - {}", detail.buyer[0]));
        }
    }
    if let Some(qr) = order.instructions.iter().find(|one| one.kind == "qr") {
        document["PaymentNo"] = json!(qr.value);
        document["QrString"] = json!(qr.value);
        document["QrImage"] = json!(format!("{}/qr/{number}", desk.base_url()));
    }
    if let Some(link) = order.instructions.iter().find(|one| one.kind == "link") {
        document["Url"] = json!(link.value);
    }
    let mut data = as_raw(&document);
    data.insert("Fee".to_owned(), decimal(detail.fee));
    data
}

/// An object whose numbers can then be replaced by exact ones.
pub(super) fn as_raw(document: &Value) -> Raw {
    let fields = document.as_object().expect("an object").iter();
    fields.map(|(name, value)| (name.clone(), exact(value))).collect()
}
