//! The answer to a charge over Midtrans: Midtrans' own answer inside K-Link's.
//!
//! Source: part 3 c.

use bayar_provider::{Call, Code, Error, Instruction, Outcome, Response, Rupiah, Status, time};
use serde_json::Value;

use crate::Due;
use crate::answer::{self, Purpose, content, text};

/// Reads the answer. Midtrans' code comes first: K-Link's own status may say success beside it.
pub fn read(call: &Call, response: &Response, due: Due) -> Result<Outcome, Error> {
    let open = |what: &str| answer::open(response, Purpose::Keyed, what);
    let body = answer::object(response, Purpose::Keyed, None)?;
    if let Some(code) = answer::code(&body) {
        judge_code(response, &code, &body)?;
    }
    answer::judge(response, Purpose::Keyed, &body)?;
    let transaction = content(&body);
    let field = |name| text(Some(transaction), name);
    if field("order_id").as_deref() != Some(call.reference.as_str()) {
        return Err(open("the answer is about another order than was asked for"));
    }
    if field("currency").is_some_and(|currency| !currency.eq_ignore_ascii_case("IDR")) {
        return Err(open("the answer is not in rupiah"));
    }
    let gross = transaction.get("gross_amount").and_then(Rupiah::from_wire);
    let gross = gross.ok_or_else(|| open("the answer has no gross_amount of whole rupiah"))?;
    let status = status_of(field("transaction_status").as_deref(), field("fraud_status").as_deref());
    if status == Status::Failed {
        let said = answer::message(&body).unwrap_or_default();
        let what = format!("Midtrans denied the payment: {said}");
        return Err(Error::new(Code::Rejected, what).provider(answer::said(response)));
    }
    let instruction = if status == Status::Pending { instruction(transaction) } else { None };
    if status == Status::Pending && instruction.is_none() {
        return Err(open("the answer does not say how to pay"));
    }
    let differs = format!("the payer is told to pay {gross}; amount and shipping make {}", due.total);
    Ok(Outcome {
        reference: Some(call.reference.clone()),
        provider_reference: field("transaction_id"),
        amount: Some(due.nominal),
        payable_amount: Some(gross),
        instruction,
        expires_at: field("expiry_time").as_deref().and_then(time::wib_to_rfc3339),
        review: (gross != due.total).then_some(differs),
        raw: body,
        ..Outcome::answered(status)
    })
}

/// The printed codes. Those that an earlier attempt may explain, and partner trouble, leave the
/// matter open; so does a code that is not printed.
fn judge_code(response: &Response, code: &str, body: &Value) -> Result<(), Error> {
    let said = answer::message(body).unwrap_or_default();
    let rejected = |what: &str| {
        Err(Error::new(Code::Rejected, format!("{what}: {said}")).provider(answer::said(response)))
    };
    let open = |what: &str| Err(answer::open(response, Purpose::Keyed, what));
    match code {
        "200" | "201" => Ok(()),
        // Not our session: logging in again would not help.
        "401" => rejected("Midtrans refused K-Link's keys"),
        "05" => rejected("the payment was not honoured"),
        "406" => open("this order id was paid or used before"),
        "503" => open("the bank or partner has trouble"),
        "900" => open("Midtrans has trouble"),
        _ => open("Midtrans answered with a code that is not documented"),
    }
}

/// The state, in Midtrans' words; one that is not known stays unknown.
fn status_of(transaction: Option<&str>, fraud: Option<&str>) -> Status {
    match (transaction, fraud) {
        (Some("pending"), _) => Status::Pending,
        (Some("settlement"), _) | (Some("capture"), None | Some("accept")) => Status::Paid,
        (Some("capture"), Some("deny")) | (Some("deny" | "failure"), _) => Status::Failed,
        (Some("capture" | "authorize"), _) => Status::Authorized,
        (Some("cancel"), _) => Status::Cancelled,
        (Some("expire"), _) => Status::Expired,
        _ => Status::Unknown,
    }
}

/// What the payer needs, by what the answer holds. Its links are for the payer and never fetched by us.
fn instruction(transaction: &Value) -> Option<Instruction> {
    let field = |name| text(Some(transaction), name);
    let account = |bank: &str, number| Instruction::VirtualAccount {
        bank: bank.to_lowercase(),
        number,
        biller_code: None,
        name: None,
    };
    if let Some(number) = field("permata_va_number") {
        return Some(account("permata", number));
    }
    let listed = transaction.get("va_numbers").and_then(Value::as_array).and_then(|list| list.first());
    if let (Some(bank), Some(number)) = (text(listed, "bank"), text(listed, "va_number")) {
        return Some(account(&bank, number));
    }
    if let Some(code) = field("payment_code") {
        let store = field("store").or_else(|| field("bank_code"))?.to_lowercase();
        return Some(Instruction::Retail { store, code });
    }
    let (image_url, qr) = (action(transaction, "generate-qr-code"), field("qr_string"));
    match action(transaction, "deeplink-redirect") {
        Some(url) => Some(Instruction::Deeplink { url, image_url, text: qr }),
        None if image_url.is_some() || qr.is_some() => Some(Instruction::Qr { text: qr, image_url }),
        None => None,
    }
}

fn action(transaction: &Value, name: &str) -> Option<String> {
    let actions = transaction.get("actions").and_then(Value::as_array)?;
    let action = actions.iter().find(|action| text(Some(action), "name").as_deref() == Some(name));
    text(action, "url")
}
