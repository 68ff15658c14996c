//! A purchase, and the biller's answer to it: `status: true` says that it was accepted, the
//! callback says what became of it.
//!
//! Source: API DOC - Biller Format Json, A. Transaksi.

use bayar_provider::{
    Call, Code, Delivery, Error, Outcome, ProviderError, Request, Response, Rupiah, Status, Step, json, time,
};
use md5::{Digest, Md5};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::State;
use crate::describe::reference_rule;
use crate::settings::{Account, Login, wrong};

/// Parameters of `purchase`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// The host's own id of the purchase. Without it the engine makes one.
    #[serde(default)]
    #[expect(dead_code, reason = "the engine has made it the call's reference")]
    order_id: Option<String>,
    /// The biller's code of the product: `s5`.
    product: String,
    /// The phone or customer number that it is for.
    destination: String,
}

/// `data` of `purchase`.
#[derive(Serialize, JsonSchema)]
pub struct Accepted {
    /// When the biller accepted it, RFC 3339.
    accepted_at: String,
}

/// The order of the fields is that of the document's table.
#[derive(Serialize)]
struct Body<'a> {
    user: &'a str,
    sign: String,
    trxid: &'a str,
    cmd: &'static str,
    idpel: &'a str,
    produk: &'a str,
}

/// Builds the request.
pub fn prepare(account: &Account, call: &Call) -> Result<Step<State>, Error> {
    let params: Params = call.read()?;
    check("product", &params.product, "the biller's code of the product, such as s5")?;
    check("destination", &params.destination, "the phone or customer number")?;
    let rule = reference_rule();
    if !rule.allows(&call.reference) {
        return Err(Error::invalid("order_id", format!("{:?}", call.reference), rule));
    }
    let missing = "is not configured: without user and password this account only receives callbacks";
    let login = account.login.as_ref().ok_or_else(|| wrong("password", missing))?;
    let body = Body {
        user: &login.user,
        sign: signature(login, &call.reference),
        trxid: &call.reference,
        cmd: "trx",
        idpel: &params.destination,
        produk: &params.product,
    };
    let body = serde_json::to_vec(&body).map_err(|e| Error::new(Code::Internal, e.to_string()))?;
    let request = Request::new("POST", account.endpoint.as_str())
        .header("Accept", "application/json")
        .header("Content-Type", "application/json")
        .body(body)
        .moving();
    Ok(Step::Send(request, State { destination: params.destination, product: params.product }))
}

/// `md5(user + password + trxid)`, hexadecimal, nothing between them.
fn signature(login: &Login, trxid: &str) -> String {
    let parts = [login.user.as_str(), login.password.expose(), trxid];
    hex::encode(parts.iter().fold(Md5::new(), |digest, part| digest.chain_update(part)).finalize())
}

/// A number or code goes to the biller as it is: no blank, nothing beyond ASCII.
fn check(field: &str, text: &str, needed: &str) -> Result<(), Error> {
    if text.is_empty() {
        return Err(Error::missing(field, needed));
    }
    if text.len() > 64 || !text.bytes().all(|b| b.is_ascii_graphic()) {
        let allowed = format!("{needed}: 1 to 64 letters, digits and signs, without blanks");
        return Err(Error::invalid(field, format!("{text:?}"), allowed));
    }
    Ok(())
}

/// Reads the answer. What is no documented answer leaves the matter open: goods may be on their way.
pub fn read(response: &Response, asked: &State) -> Result<Outcome, Error> {
    let body = json::strict(&response.body).ok().filter(Value::is_object);
    let Some(body) = body.filter(|_| response.status != 401) else {
        return Err(match response.status {
            401 => Error::new(Code::Unauthorized, "the biller refused user or signature")
                .provider(said(response)),
            _ => open(response, "the answer is no JSON object"),
        });
    };
    if !(200..300).contains(&response.status) {
        return Err(open(response, "the biller has trouble"));
    }
    let text = |name: &str| text(&body, name);
    if text("tujuan").is_some_and(|destination| destination != asked.destination) {
        return Err(open(response, "the answer is about another destination than was asked for"));
    }
    match body.get("status") {
        Some(Value::Bool(true)) => {}
        Some(Value::Bool(false)) => return Err(refused(response, &body)),
        _ => return Err(open(response, "the answer's status is neither true nor false")),
    }
    let product = text("kodeproduk").filter(|product| !product.eq_ignore_ascii_case(&asked.product));
    let amount = |name: &str| body.get(name).and_then(Rupiah::from_wire);
    let delivery = Delivery { serial: None, price: amount("total"), balance: amount("saldo") };
    let data = text("trxtime").as_deref().and_then(time::wib_to_rfc3339);
    let data = data.and_then(|accepted_at| serde_json::to_value(Accepted { accepted_at }).ok());
    Ok(Outcome {
        // The biller's own id; ours, which the callback will name, is the one that was sent.
        provider_reference: text("trxid").or_else(|| text("ftrxid")),
        delivery: Some(delivery).filter(|delivery| *delivery != Delivery::default()),
        review: product
            .map(|found| format!("the answer names the product {found:?}, asked was {:?}", asked.product)),
        data,
        raw: body,
        ..Outcome::answered(Status::Pending)
    })
}

/// `status: false`. Only the printed reasons are a no; another one, such as that the id was seen
/// before, may hide a purchase that went through.
fn refused(response: &Response, body: &Value) -> Error {
    let reason = text(body, "reason").unwrap_or_default();
    match reason_code(&reason) {
        Some(code) => {
            let said = ProviderError { code: Some(code.to_owned()), ..said(response) };
            Error::new(Code::Rejected, format!("the biller refused: {reason}")).provider(said)
        }
        None => open(response, "the biller says no for a reason that is not documented"),
    }
}

/// The code of a printed reason. The first two are printed with theirs, the third has none.
fn reason_code(reason: &str) -> Option<&'static str> {
    match code_in(reason) {
        Some("ROUTE") => Some("ROUTE"),
        Some("DEDUCT") => Some("DEDUCT"),
        Some(_) => None,
        None => reason.to_ascii_lowercase().contains("produk tidak aktif").then_some("INACTIVE"),
    }
}

/// The code in brackets at the end of a reason.
fn code_in(reason: &str) -> Option<&str> {
    let code = reason.trim_end().strip_suffix(')')?.rsplit_once('(')?.1;
    (!code.is_empty() && code.bytes().all(|b| b.is_ascii_uppercase() || b == b'_')).then_some(code)
}

/// The error for an answer that does not say what became of the purchase.
fn open(response: &Response, what: &str) -> Error {
    let message = format!("{what} (HTTP {}, {} bytes)", response.status, response.body.len());
    Error::new(Code::OutcomeUnknown, message).provider(said(response))
}

/// The biller's own words.
fn said(response: &Response) -> ProviderError {
    let body = json::strict(&response.body).unwrap_or_default();
    let plain = || {
        let text = std::str::from_utf8(&response.body).ok()?.trim();
        let words = !text.is_empty() && text.len() <= 200 && !text.starts_with(['<', '{', '[']);
        words.then(|| text.to_owned())
    };
    let message = text(&body, "reason").or_else(plain);
    let code = message.as_deref().and_then(code_in).map(str::to_owned);
    ProviderError { code, message, http_status: Some(response.status) }
}

/// A field that is a string or a number, as text.
fn text(body: &Value, name: &str) -> Option<String> {
    match body.get(name)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bayar_provider::Secret;

    /// `printf 'usertestingrahasiaINV-1001' | md5sum`
    #[test]
    fn the_signature_is_of_user_password_and_id() {
        let login = Login { user: "usertesting".to_owned(), password: Secret::new("rahasia") };
        assert_eq!(signature(&login, "INV-1001"), "94ff0ae0a21acc369fde1d1d6079c588");
    }

    #[test]
    fn the_printed_reasons_have_codes_and_others_have_none() {
        for (reason, code) in [
            ("Transaksi s5.0812xxxxxx GAGAL Produk tidak tersedia (ROUTE)", Some("ROUTE")),
            ("Transaksi s5.0812xxxxxx GAGAL silakan coba lagi (DEDUCT)", Some("DEDUCT")),
            ("Transaksi s5.0812xxxxxx GAGAL Produk tidak Aktif", Some("INACTIVE")),
            ("Transaksi s5.0812xxxxxx GAGAL trxid sudah ada", None),
            ("Transaksi s5.0812xxxxxx GAGAL silakan coba lagi", None),
            ("Transaksi s5.0812xxxxxx GAGAL Produk tidak Aktif (DOUBLE)", None),
            ("", None),
        ] {
            assert_eq!(reason_code(reason), code, "{reason}");
        }
    }
}
