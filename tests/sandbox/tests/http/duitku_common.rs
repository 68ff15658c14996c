//! A client of simulated Duitku, and its requests.

use bayar_sandbox::Sandbox;
use hmac::{Hmac, KeyInit as _, Mac as _};
use md5::{Digest as _, Md5};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::common::{Answer, call, control};

pub(crate) const CODE: &str = "DS00001";
pub(crate) const KEY: &str = "0000000000000000000000000EXAMPLE";
pub(crate) const HMAC_CODE: &str = "DS00002";
pub(crate) const HMAC_KEY: &str = "1111111111111111111111111EXAMPLE";

const JSON: (&str, &str) = ("content-type", "application/json");
const TIME: &str = "1657710956368";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn md5(text: &str) -> String {
    hex(&Md5::digest(text))
}

pub(crate) fn sha256(text: &str) -> String {
    hex(&Sha256::digest(text))
}

pub(crate) fn hmac(key: &str, text: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("a key");
    mac.update(text.as_bytes());
    hex(&mac.finalize().into_bytes())
}

pub(crate) fn url(sandbox: &Sandbox, path: &str) -> String {
    format!("{}/duitku{path}", sandbox.base_url())
}

/// Posts JSON as it is.
pub(crate) fn post(sandbox: &Sandbox, path: &str, body: &Value) -> Answer {
    call(&url(sandbox, path), "POST", &[JSON], &body.to_string())
}

/// Posts to account link with the three headers.
pub(crate) fn link_raw(sandbox: &Sandbox, path: &str, body: &str) -> Answer {
    let signature = sha256(&format!("{CODE}{TIME}{body}{KEY}"));
    let headers = [
        JSON,
        ("x-duitku-merchant", CODE),
        ("x-duitku-timestamp", TIME),
        ("x-duitku-signature", signature.as_str()),
    ];
    call(&url(sandbox, &format!("/accountlinking/api/accountlinking/v1{path}")), "POST", &headers, body)
}

pub(crate) fn link(sandbox: &Sandbox, path: &str, body: &Value) -> Value {
    let answer = link_raw(sandbox, path, &body.to_string());
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

pub(crate) fn connect_body(channel: &str) -> Value {
    json!({"phoneNumber": "0812000001", "customerUniqueId": "c-1", "channel": channel, "returnUrl": "http://127.0.0.1:1/linked"})
}

/// Connects, agrees, and takes the credential code from the address the payer returns to.
pub(crate) fn linked(sandbox: &Sandbox, channel: &str) -> String {
    let made = link(sandbox, "/connect", &connect_body(channel));
    let page = made["webviewUrl"].as_str().expect("an address").to_owned();
    let done = call(&page, "POST", &[], "do=pay&pin=123456");
    assert_eq!(done.status, 303, "{done:?}");
    let (_, code) = done.location.split_once("&credentialCode=").expect("a credential code");
    code.to_owned()
}

/// The body of an inquiry by a method, signed.
pub(crate) fn inquiry_body(id: &str, method: &str, callback: &str) -> Value {
    sign(json!({
        "merchantCode": CODE, "paymentAmount": 10000, "merchantOrderId": id, "productDetails": "Tas & Topi",
        "email": "budi@example.com", "additionalParam": "a=1", "paymentMethod": method, "merchantUserInfo": "budi",
        "customerVaName": "Budi Santoso", "phoneNumber": "0812000001",
        "itemDetails": [{"name": "Apel", "price": 10000, "quantity": 2}],
        "returnUrl": "http://127.0.0.1:1/return", "callbackUrl": callback,
    }))
}

/// The same with `accountLink`.
pub(crate) fn linked_body(id: &str, method: &str, code: &str) -> Value {
    let mut body = inquiry_body(id, method, "http://127.0.0.1:1/n");
    body["accountLink"] = json!({
        "credentialCode": code,
        "ovo": {"paymentDetails": [{"paymentType": "CASH", "amount": "10000"}]},
        "shopee": {"useCoin": false, "promoId": ""},
    });
    body
}

/// Signs an inquiry anew.
pub(crate) fn sign(mut body: Value) -> Value {
    let text = |name: &str| body[name].as_str().map_or_else(|| body[name].to_string(), str::to_owned);
    body["signature"] =
        json!(md5(&format!("{CODE}{}{}{KEY}", text("merchantOrderId"), text("paymentAmount"))));
    body
}

pub(crate) fn inquiry(sandbox: &Sandbox, body: &Value) -> Answer {
    post(sandbox, "/webapi/api/merchant/v2/inquiry", body)
}

/// An inquiry that succeeds.
pub(crate) fn pay(sandbox: &Sandbox, id: &str, method: &str, callback: &str) -> Value {
    let answer = inquiry(sandbox, &inquiry_body(id, method, callback));
    assert_eq!((answer.status, &answer.json()["statusCode"]), (200, &json!("00")), "{answer:?}");
    answer.json()
}

pub(crate) fn status(sandbox: &Sandbox, id: &str) -> Answer {
    let signature = md5(&format!("{CODE}{id}{KEY}"));
    let body = json!({"merchantCode": CODE, "merchantOrderId": id, "signature": signature});
    post(sandbox, "/webapi/api/merchant/transactionStatus", &body)
}

/// The status and `Message` of a refusal.
pub(crate) fn refused(answer: &Answer) -> (u16, String) {
    (answer.status, answer.json()["Message"].as_str().unwrap_or_default().to_owned())
}

pub(crate) fn set(sandbox: &Sandbox, name: &str, value: &str) {
    let answer = control(sandbox, "POST", "/settings", &json!({format!("duitku.{name}"): value}).to_string());
    assert_eq!(answer.status, 200, "{answer:?}");
}
