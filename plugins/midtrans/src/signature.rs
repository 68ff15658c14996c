//! The signature of a notification.

use bayar_provider::Secret;
use sha2::{Digest, Sha512};
use subtle::ConstantTimeEq;

/// Whether `signature_key` is the SHA-512, in hexadecimal of either case, of order id, status
/// code and gross amount as received, and the server key.
///
/// The parts stand without separators: `A` + `203` + `203456.00` may be read as `A203` + `203` +
/// `456.00`. A callback is therefore never evidence by itself; the status query decides.
/// (docs.midtrans.com, HTTP(S) Notification, Verifying Notification Authenticity)
pub fn holds(signature: &str, order_id: &str, status_code: &str, gross_amount: &str, key: &Secret) -> bool {
    if key.is_empty() {
        return false;
    }
    let Ok(given) = hex::decode(signature) else { return false };
    let mut digest = Sha512::new();
    for part in [order_id, status_code, gross_amount, key.expose()] {
        digest.update(part.as_bytes());
    }
    digest.finalize().as_slice().ct_eq(&given).into()
}
