//! How requests are signed, the token in a payment's callback address, and the signature of notify.

use bayar_provider::serde_json::{Map, Value};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::settings::Account;

/// `signature` of a request (document, Signature): HMAC-SHA256 of `METHOD:VA:hash of the body:ApiKey`
/// under the API key, the hash in lower case.
pub fn of_request(account: &Account, method: &str, body: &[u8]) -> String {
    let key = account.api_key.expose();
    let digest = hex::encode(Sha256::digest(body));
    let message = format!("{method}:{}:{digest}:{key}", account.va);
    hex::encode(mac(key, message.as_bytes()).finalize().into_bytes())
}

/// How many bytes of the token stand in an address: 128 bits are not guessed.
const TOKEN: usize = 16;

/// The token of one payment's callback address. iPaymu's own signature is keyed by an account number,
/// which is no secret; this proves that whoever calls knows the address that we gave for this order.
pub fn token(account: &Account, reference: &str) -> String {
    hex::encode(&token_mac(account, reference).finalize().into_bytes()[..TOKEN])
}

/// Whether a token is that of an order.
pub fn token_holds(account: &Account, given: &str, reference: &str) -> bool {
    let given = hex::decode(given).unwrap_or_default();
    given.len() == TOKEN && token_mac(account, reference).verify_truncated_left(&given).is_ok()
}

fn token_mac(account: &Account, reference: &str) -> Hmac<Sha256> {
    mac(account.api_key.expose(), format!("bayar callback of {reference}").as_bytes())
}

/// Whether `X-Signature` is that of these fields (public, Callback): HMAC-SHA256 under the VA number.
/// The fields are taken with the types of iPaymu's table, or as they came: its examples differ.
pub fn notify_holds(account: &Account, given: &str, fields: &Map<String, Value>) -> bool {
    let Ok(given) = hex::decode(given) else { return false };
    let holds = |text: String| mac(&account.va, text.as_bytes()).verify_slice(&given).is_ok();
    [typed(fields), with_info(fields)].iter().any(|fields| {
        let text = canonical(fields);
        // PHP, which iPaymu is written in, escapes what is not ASCII; the other examples do not.
        holds(ascii(&text)) || holds(text)
    })
}

/// Keys sorted bytewise, compact, `/` written `\/`. A [`Map`] is sorted.
fn canonical(fields: &Map<String, Value>) -> String {
    Value::Object(fields.clone()).to_string().replace('/', "\\/")
}

fn with_info(fields: &Map<String, Value>) -> Map<String, Value> {
    let mut fields = fields.clone();
    fields.remove("signature");
    fields.entry("additional_info").or_insert_with(|| Value::Array(Vec::new()));
    fields
}

/// The fields with the types of iPaymu's table; a form has them all as text.
fn typed(fields: &Map<String, Value>) -> Map<String, Value> {
    let mut fields = with_info(fields);
    for name in ["trx_id", "status_code", "transaction_status_code", "paid_off"] {
        let number = fields.get(name).and_then(Value::as_str).and_then(|text| text.parse::<i64>().ok());
        if let Some(number) = number {
            fields.insert(name.to_owned(), number.into());
        }
    }
    let escrow = match fields.get("is_escrow") {
        Some(Value::String(text)) => Some(text == "1" || text == "true"),
        Some(Value::Number(number)) => Some(number.as_u64() == Some(1)),
        _ => None,
    };
    if let Some(escrow) = escrow {
        fields.insert("is_escrow".to_owned(), escrow.into());
    }
    if fields.get("additional_info").and_then(Value::as_str) == Some("[]") {
        fields.insert("additional_info".to_owned(), Value::Array(Vec::new()));
    }
    fields
}

/// What is not ASCII as `\uXXXX`, in UTF-16.
fn ascii(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_ascii() {
            out.push(letter);
        } else {
            letter.encode_utf16(&mut [0; 2]).iter().for_each(|unit| out.push_str(&format!("\\u{unit:04x}")));
        }
    }
    out
}

fn mac(key: &str, message: &[u8]) -> Hmac<Sha256> {
    let mac = Hmac::<Sha256>::new_from_slice(key.as_bytes());
    mac.expect("HMAC takes a key of any length").chain_update(message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;
    use bayar_provider::serde_json::json;
    use proptest::prelude::*;

    fn account() -> Account {
        let settings = json!({"va": "0000001234567890", "api_key": "SANDBOXEXAMPLE-0000"});
        let settings: Settings = serde_json::from_value(settings).unwrap();
        settings.check().unwrap_or_else(|e| panic!("{e}"))
    }

    fn fields(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    /// The hash of the empty document, which stands for an empty body, is a known one.
    #[test]
    fn a_request_is_signed_over_the_hash_of_its_body() {
        let account = account();
        let empty = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
        let key = account.api_key.expose();
        let message = format!("GET:0000001234567890:{empty}:{key}");
        let expected = hex::encode(mac(key, message.as_bytes()).finalize().into_bytes());
        assert_eq!(of_request(&account, "GET", b"{}"), expected);
    }

    #[test]
    fn notify_is_canonical() {
        let form = fields(
            json!({"trx_id": "12", "status_code": "-2", "paid_off": "98500", "amount": "100000",
            "is_escrow": "0", "payment_no": "", "url": "https://a/b", "additional_info": "[]", "signature": "x", "Z": "é"}),
        );
        let text = canonical(&typed(&form));
        let expected = r#"{"Z":"é","additional_info":[],"amount":"100000","is_escrow":false,"paid_off":98500,"payment_no":"","status_code":-2,"trx_id":12,"url":"https:\/\/a\/b"}"#;
        assert_eq!(text, expected);
        assert_eq!(ascii("é🙂/"), r"\u00e9\ud83d\ude42/");
    }

    proptest! {
        #[test]
        fn a_token_is_of_one_order(one in "[A-Z0-9-]{1,20}", other in "[A-Z0-9-]{1,20}") {
            let account = account();
            prop_assert!(token_holds(&account, &token(&account, &one), &one));
            prop_assert_eq!(token_holds(&account, &token(&account, &one), &other), one == other);
        }

        #[test]
        fn no_text_makes_it_panic(given in any::<String>(), value in any::<String>()) {
            let account = account();
            prop_assert!(!token_holds(&account, &given, &value));
            let map = fields(json!({"trx_id": value, "is_escrow": value}));
            prop_assert!(!notify_holds(&account, &given, &map));
        }

        #[test]
        fn what_was_signed_holds_and_nothing_else(name in any::<String>(), id in any::<u32>()) {
            let account = account();
            let map = fields(json!({"trx_id": id.to_string(), "buyer_name": name}));
            let signed = hex::encode(mac(&account.va, ascii(&canonical(&typed(&map))).as_bytes()).finalize().into_bytes());
            prop_assert!(notify_holds(&account, &signed, &map));
            let other = fields(json!({"trx_id": (u64::from(id) + 1).to_string(), "buyer_name": map["buyer_name"]}));
            prop_assert!(!notify_holds(&account, &signed, &other));
        }
    }
}
