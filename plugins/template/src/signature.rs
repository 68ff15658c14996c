//! How requests and callbacks are signed. A signature covers bytes: of requests the very body that
//! is sent, of callbacks the very body that came.
//!
//! To change: all of it. Compare in constant time, which `verify_slice` does (for a plain digest,
//! the crate `subtle`), and decode hexadecimal first, for its letters may come in either case.

use bayar_provider::Secret;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// `X-Template-Signature` of a request (Template API, Signing requests).
pub fn of_request(key: &Secret, method: &str, path: &str, timestamp: i64, body: &[u8]) -> String {
    let digest = hex::encode(Sha256::digest(body));
    let message = format!("{method}\n{path}\n{timestamp}\n{digest}");
    hex::encode(mac(key, message.as_bytes()).finalize().into_bytes())
}

/// Whether a callback's signature is that of its body (Template API, Callbacks).
pub fn holds(key: &Secret, signature: &str, body: &[u8]) -> bool {
    hex::decode(signature).is_ok_and(|given| !key.is_empty() && mac(key, body).verify_slice(&given).is_ok())
}

fn mac(key: &Secret, message: &[u8]) -> Hmac<Sha256> {
    let mac = Hmac::<Sha256>::new_from_slice(key.expose().as_bytes());
    mac.expect("HMAC takes a key of any length").chain_update(message)
}
