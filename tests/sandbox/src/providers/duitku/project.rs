//! Merchant codes ("projects") with their keys, and every signature over them.

use hmac::{Hmac, KeyInit as _, Mac as _};
use md5::{Digest as _, Md5};
use sha2::Sha256;

use crate::provider::Desk;
use crate::tools::hex;

/// One merchant code. The sandbox has two, so that an account of either digest works at once.
pub(super) struct Project {
    pub(super) code: String,
    key: String,
    /// Whether pay, status and callback are HMAC-SHA256 and not MD5.
    hmac: bool,
}

impl Project {
    /// The project of that merchant code.
    pub(super) fn find(code: &str, desk: &Desk<'_>) -> Option<Self> {
        let is = |name: &str| !code.is_empty() && code == desk.setting(name);
        let (key, hmac) = if is("merchant_code") {
            ("merchant_key", desk.setting("signature") == "hmac-sha256")
        } else if is("hmac_merchant_code") {
            ("hmac_merchant_key", true)
        } else {
            return None;
        };
        Some(Self { code: code.to_owned(), key: desk.setting(key).to_owned(), hmac })
    }

    /// Signs pay (§5), status (§6) and callback (§7): `MD5(fields + merchantKey)`, or the
    /// public HMAC of the fields alone, keyed.
    pub(super) fn signature(&self, fields: &str) -> String {
        if self.hmac { self.keyed(fields) } else { hex(&Md5::digest(format!("{fields}{}", self.key))) }
    }

    /// Whether a signature of the public endpoints (methods, invoice) is right. Released clients
    /// send SHA-256 with the key at the end, or the HMAC, beside MD5 elsewhere: Duitku takes both.
    pub(super) fn signed_publicly(&self, fields: &str, given: &str) -> bool {
        given == hex(&Sha256::digest(format!("{fields}{}", self.key))) || given == self.keyed(fields)
    }

    /// Signs account-link requests (§1–4): `SHA256(merchantCode + timestamp + requestBody +
    /// merchantKey)` over the bytes of the body. No HMAC is documented here.
    pub(super) fn link_signature(&self, timestamp: &str, body: &[u8]) -> String {
        let mut digest = Sha256::new();
        for part in [self.code.as_bytes(), timestamp.as_bytes(), body, self.key.as_bytes()] {
            digest.update(part);
        }
        hex(&digest.finalize())
    }

    fn keyed(&self, fields: &str) -> String {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(self.key.as_bytes()).expect("a key of any length will do");
        mac.update(fields.as_bytes());
        hex(&mac.finalize().into_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::Project;

    fn project(hmac: bool) -> Project {
        Project { code: "D01xx".to_owned(), key: "732B39FC6XXXXXXXXXXXXXXXXXXXXXXXXXXX".to_owned(), hmac }
    }

    #[test]
    fn the_link_signature_is_the_printed_one() {
        // §8, "Signature calculation".
        assert_eq!(
            project(false).link_signature("1650606622042", br#"{"phoneNumber":"0812342xxx"}"#),
            "9a6d1209e7db65fd97bac3e6c89fc6a0d3454e52b1ed0a93eab6d5646b198c66"
        );
    }

    #[test]
    fn the_other_signatures_are_those_computed_elsewhere() {
        let fields = "D01xxINV-110000";
        // printf %s "$FIELDS$KEY" | md5sum
        assert_eq!(project(false).signature(fields), "c5f6a60f9932b4d4e060e23d06590dc8");
        // printf %s "$FIELDS" | openssl dgst -sha256 -hmac "$KEY"
        let keyed = "a96366eb8e61cd671bdc0b7d6533afa1731df6603ff4f4e49c0a60318a56ed59";
        assert_eq!(project(true).signature(fields), keyed);
        assert!(project(false).signed_publicly(fields, keyed));
        // printf %s "$FIELDS$KEY" | sha256sum
        let plain = "456096062d75273dfe7aa5df30a9167bf2a8799503f530356a11403a4e2d88b4";
        assert!(
            project(false).signed_publicly(fields, plain) && !project(false).signed_publicly(fields, "x")
        );
    }
}
