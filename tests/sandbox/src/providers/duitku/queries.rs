//! The status of a transaction (§6), and the methods (public).

use serde_json::json;

use super::fields::{self, Refusal};
use super::project::Project;
use super::{channels, transaction};
use crate::provider::{Desk, Reply, Request, Status};
use crate::tools::read_wib;

/// Answers `transactionStatus`. Here 00 is paid, 01 pending, 02 cancelled or expired.
pub(super) fn status(request: &Request, desk: &mut Desk<'_>) -> Result<Reply, Refusal> {
    let body = fields::body_or_form(request)?;
    let project =
        Project::find(&fields::need(&body, "merchantCode", 50)?, desk).ok_or_else(Refusal::no_merchant)?;
    // "1-2" in the table; its sample has 13 characters, and §5 allows 50.
    let number = fields::need(&body, "merchantOrderId", 50)?;
    // "1-50" cannot hold an HMAC: 255, as in §5.
    let given = fields::need(&body, "signature", 255)?;
    if given != project.signature(&format!("{}{number}", project.code)) {
        return Err(Refusal::wrong_signature());
    }
    let id = transaction::find(&project.code, &number, desk)
        .ok_or_else(|| Refusal::new(404, "Transaction not found"))?;
    let order = desk.order(&id).expect("it was just found");
    let (code, message) = match order.status {
        Status::Paid => ("00", "SUCCESS"),
        Status::Pending => ("01", "PENDING"),
        _ => ("02", "CANCELED"),
    };
    Ok(Reply::json(
        200,
        &json!({
            "merchantOrderId": number,
            "reference": order.provider_reference,
            "amount": order.amount.to_string(),
            "fee": "0.00",
            "statusCode": code,
            "statusMessage": message,
        }),
    ))
}

/// Answers `paymentmethod/getpaymentmethod`.
pub(super) fn methods(request: &Request, desk: &mut Desk<'_>) -> Result<Reply, Refusal> {
    let body = fields::body(request)?;
    let project =
        Project::find(&fields::need(&body, "merchantcode", 50)?, desk).ok_or_else(Refusal::no_merchant)?;
    let amount = fields::integer(&body, "amount")?;
    let time = fields::need(&body, "datetime", 255)?;
    if time.len() != 19 || read_wib(&time).is_none() {
        return Err(Refusal::new(400, "datetime must be yyyy-MM-dd HH:mm:ss"));
    }
    let given = fields::need(&body, "signature", 255)?;
    if !project.signed_publicly(&format!("{}{amount}{time}", project.code), &given) {
        return Err(Refusal::wrong_signature());
    }
    Ok(Reply::json(
        200,
        &json!({
            "paymentFee": channels::fees(&desk.base_url()),
            "responseCode": "00",
            "responseMessage": "SUCCESS",
        }),
    ))
}
