//! Every signature of Duitku. The parts stand without separators: a signature says less than it
//! seems to, and none of them covers what became of a payment.
//!
//! The order of the parts differs: a payment is signed order first, a callback amount first. The
//! document prints order first for callbacks too, copied from the request; with that order a payment
//! request's own signature, which passes through other hands, would be a valid callback.

use bayar_provider::{Rupiah, Secret};
use hmac::{Hmac, KeyInit, Mac};
use md5::{Digest, Md5};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::settings::{Account, Algorithm};

/// `signature` of a payment: code, order, amount (document, 5; MD5).
pub fn of_payment(account: &Account, order: &str, amount: Rupiah) -> String {
    hex::encode(signed(account, &[order, &amount.to_string()]))
}

/// `signature` of a status query: code, order (document, 6; MD5).
pub fn of_status(account: &Account, order: &str) -> String {
    hex::encode(signed(account, &[order]))
}

/// `signature` of a question for the ways to pay: code, amount, time. Here the plain digest is SHA-256.
pub fn of_methods(account: &Account, amount: Rupiah, datetime: &str) -> String {
    let parts = [account.merchant_code.as_str(), &amount.to_string(), datetime];
    hex::encode(match account.signature {
        Algorithm::Md5 => plain::<Sha256>(&parts, &account.merchant_key),
        Algorithm::HmacSha256 => keyed(&parts, &account.merchant_key),
    })
}

/// `X-Duitku-signature` of account linking: code, timestamp, body, key (document, 1 to 4; SHA-256 always).
pub fn of_link(account: &Account, timestamp: &str, body: &[u8]) -> String {
    let mut digest = Sha256::new();
    digest.update(&account.merchant_code);
    digest.update(timestamp);
    digest.update(body);
    digest.update(account.merchant_key.expose());
    hex::encode(digest.finalize())
}

/// `x-duitku-signature` of a POP page: code, timestamp, key (public; SHA-256 always). It does not cover the body.
pub fn of_invoice(account: &Account, timestamp: &str) -> String {
    of_link(account, timestamp, b"")
}

/// Whether a callback's signature is that of its amount and order, amount first, in hexadecimal of
/// either case.
pub fn holds(account: &Account, given: &str, amount: &str, order: &str) -> bool {
    let Ok(given) = hex::decode(given) else { return false };
    !account.merchant_key.is_empty() && signed(account, &[amount, order]).ct_eq(&given).into()
}

/// The account's digest over the merchant code and these parts.
fn signed(account: &Account, parts: &[&str]) -> Vec<u8> {
    let parts = [&[account.merchant_code.as_str()], parts].concat();
    match account.signature {
        Algorithm::Md5 => plain::<Md5>(&parts, &account.merchant_key),
        Algorithm::HmacSha256 => keyed(&parts, &account.merchant_key),
    }
}

fn plain<D: Digest>(parts: &[&str], key: &Secret) -> Vec<u8> {
    let mut digest = D::new();
    parts.iter().for_each(|part| digest.update(part));
    digest.update(key.expose());
    digest.finalize().to_vec()
}

fn keyed(parts: &[&str], key: &Secret) -> Vec<u8> {
    let mac = Hmac::<Sha256>::new_from_slice(key.expose().as_bytes());
    let mut mac = mac.expect("HMAC takes a key of any length");
    parts.iter().for_each(|part| mac.update(part.as_bytes()));
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;
    use proptest::prelude::*;
    use serde_json::json;

    fn account(code: &str, key: &str, signature: &str) -> Account {
        let settings = json!({"merchant_code": code, "merchant_key": key, "signature": signature});
        serde_json::from_value::<Settings>(settings).unwrap().check().unwrap_or_else(|e| panic!("{e}"))
    }

    /// The only vector that the document prints (end of section 7).
    #[test]
    fn the_printed_vector() {
        let account = account("D01xx", "732B39FC6XXXXXXXXXXXXXXXXXXXXXXXXXXX", "md5");
        assert_eq!(
            of_link(&account, "1650606622042", br#"{"phoneNumber":"0812342xxx"}"#),
            "9a6d1209e7db65fd97bac3e6c89fc6a0d3454e52b1ed0a93eab6d5646b198c66"
        );
    }

    /// The fixture of Duitku's own PHP client (tests/params/ParamsCallback.json), under the key that
    /// Duitku publishes for examples: amount first.
    #[test]
    fn the_official_clients_callback() {
        let account = account("D0001", "732B39FC61796845775D2C4FB05332AF", "md5");
        assert!(holds(&account, "4104f20a70c933113c66c004fe25a9f1", "10000", "12345"));
        assert!(holds(&account, "4104F20A70C933113C66C004FE25A9F1", "10000", "12345"));
        assert!(!holds(
            &account,
            &of_payment(&account, "12345", Rupiah::new(10000).unwrap()),
            "10000",
            "12345"
        ));
    }

    /// HMAC over the same fields without the key (RFC 4231 fixes HMAC itself; the parts are what is shown).
    #[test]
    fn hmac_takes_the_same_fields_without_the_key() {
        let account = account("D0001", "KEY", "hmac-sha256");
        assert_eq!(
            of_status(&account, "INV-1001"),
            hex::encode(keyed(&["D0001INV-1001"], &Secret::new("KEY")))
        );
        assert!(!holds(&account, "", "1", "A") && !holds(&account, "00", "1", "A"));
    }

    proptest! {
        #[test]
        fn only_its_own_signature_holds(amount in 1u64..1_000_000_000, order in "[A-Z][A-Z0-9-]{0,20}", bit in 0usize..128) {
            let account = account("D0001", "KEY", "md5");
            let mut right = signed(&account, &[&amount.to_string(), &order]);
            prop_assert!(holds(&account, &hex::encode(&right), &amount.to_string(), &order));
            right[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(!holds(&account, &hex::encode(&right), &amount.to_string(), &order));
        }

        #[test]
        fn no_text_makes_it_panic(given in any::<String>(), amount in any::<String>(), order in any::<String>()) {
            holds(&account("D0001", "KEY", "hmac-sha256"), &given, &amount, &order);
        }
    }
}
