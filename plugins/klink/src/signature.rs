//! How K-Link signs callbacks: `x-servicepayment` is the HMAC-SHA256 of the raw body under the PID
//! key, in upper-case hexadecimal (part 2 d, Webhook Notification Settlement).

use bayar_provider::Secret;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Whether a callback's signature is that of its body. Letters of either case are accepted, and
/// bytes are compared in constant time.
pub fn holds(key: &Secret, signature: &str, body: &[u8]) -> bool {
    let mac = Hmac::<Sha256>::new_from_slice(key.expose().as_bytes());
    let mac = mac.expect("HMAC takes a key of any length").chain_update(body);
    !key.is_empty() && hex::decode(signature).is_ok_and(|given| mac.verify_slice(&given).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The document prints key and message, and the code that signs them; the digest is what that
    /// code prints, the message's line break being one blank.
    #[test]
    fn the_documents_own_example_holds() {
        let key = Secret::new("033389b9-cc42-4005-ae9e-8e8ff23738d7");
        let message = br#"{"rq_uuid": "klnu00242", "rq_datetime": "2020-11-06 09:13:19", "order_id": "klnu00242", "status":"success", "message":"transaction success!"}"#;
        let signature = "84CBE7E264FE83FFEC1023892E1F61C84E302F07A927121E21F1086A2702CAF5";
        assert!(holds(&key, signature, message));
        assert!(holds(&key, &signature.to_lowercase(), message));
        assert!(!holds(&key, signature, &message[1..]));
        let under_no_key = "aab2b106048c4424084fb6182ec51b7a89539c5043ce01bf9e24c99de673a33a";
        assert!(!holds(&Secret::new(""), under_no_key, message), "anybody can sign with an empty key");
        assert!(!holds(&key, "", message) && !holds(&key, "84CB", message));
    }
}
