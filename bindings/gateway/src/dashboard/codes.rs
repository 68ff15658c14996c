//! The second proof: codes of an authenticator (RFC 6238, as every one of them knows it: SHA-1, six digits,
//! thirty seconds), and recovery codes for whoever lost it.

use bayar::{Code, Error};
use bayar_provider::Secret;
use maud::{Markup, PreEscaped};
use qrcode::render::svg;
use qrcode::{EcLevel, QrCode};
use totp_rs::{Builder, Totp};

use crate::seal::random;
use crate::store::people::digest;

/// How many recovery codes a person gets.
const RECOVERY: usize = 10;

/// Whose authenticator it is, as it shows it.
const ISSUER: &str = "Bayar";

/// The step of a code, where it is one of now: the thirty seconds before and after count, too.
pub(crate) fn step_of(secret: &Secret, email: &str, code: &str, now_ms: i64) -> Option<i64> {
    let digits: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    let totp = totp(secret, email).ok()?;
    totp.check(&digits, now_ms.unsigned_abs() / 1000).and_then(|step| i64::try_from(step).ok())
}

/// What an authenticator reads: `otpauth://totp/…`.
///
/// # Errors
/// Where the secret is none.
pub(crate) fn uri(secret: &Secret, email: &str) -> Result<Secret, Error> {
    totp(secret, email)?.to_url().map(Secret::new).map_err(|error| unusable(&error.to_string()))
}

/// The same as a picture for a page.
pub(crate) fn picture(uri: &Secret) -> Option<Markup> {
    let drawn = qr(uri)?.render::<svg::Color<'_>>().min_dimensions(200, 200).build();
    // The XML declaration may stand in a file, not in the middle of a page.
    drawn.find("<svg").map(|start| PreEscaped(drawn[start..].to_owned()))
}

/// The same for a terminal, two rows of squares in one of characters.
pub(crate) fn characters(uri: &Secret) -> Option<String> {
    Some(qr(uri)?.render::<qrcode::render::unicode::Dense1x2>().build())
}

/// New recovery codes, and what is kept of them.
///
/// # Errors
/// Where the system gives no randomness.
pub(crate) fn recovery() -> Result<(Vec<String>, Vec<String>), Error> {
    let mut codes = Vec::new();
    for _ in 0..RECOVERY {
        let bytes: [u8; 10] = random()?;
        let letters = totp_rs::Secret::from(bytes.to_vec()).to_base32().to_lowercase();
        codes.push(format!("{}-{}-{}-{}", &letters[..4], &letters[4..8], &letters[8..12], &letters[12..]));
    }
    let kept = codes.iter().map(|code| recovery_digest(code)).collect();
    Ok((codes, kept))
}

/// What is kept of a recovery code: it has 80 random bits, so a plain hash gives nothing away.
pub(crate) fn recovery_digest(code: &str) -> String {
    let plain: String = code.chars().filter(char::is_ascii_alphanumeric).collect();
    digest(&plain.to_lowercase())
}

fn qr(uri: &Secret) -> Option<QrCode> {
    QrCode::with_error_correction_level(uri.expose(), EcLevel::L).ok()
}

fn totp(secret: &Secret, email: &str) -> Result<Totp, Error> {
    let key =
        totp_rs::Secret::try_from_base32(secret.expose()).map_err(|error| unusable(&error.to_string()))?;
    // A colon parts the issuer from the account.
    let account = email.replace(':', "");
    let built = Builder::new().with_secret(key).with_account_name(account).with_issuer(Some(ISSUER)).build();
    built.map_err(|error| unusable(&error.to_string()))
}

fn unusable(why: &str) -> Error {
    Error::not_sent(Code::Internal, format!("the secret of an authenticator cannot be used: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::people::new_totp;

    /// RFC 6238, appendix B: the secret `12345678901234567890`; the last six of its eight digits.
    #[test]
    fn codes_are_those_of_the_rfc() {
        let secret = Secret::new("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        let step = |code, seconds: i64| step_of(&secret, "ani@example.com", code, seconds * 1000);
        assert_eq!(step("287082", 59), Some(1));
        assert_eq!(step("081804", 1_111_111_109), Some(37_037_036));
        assert_eq!(step("081 804", 1_111_111_109), Some(37_037_036));
        assert_eq!(step("353130", 20_000_000_000), Some(666_666_666));
        assert_eq!(step("287082", 59 + 30), Some(1), "a slow clock");
        assert_eq!(step("287082", 59 - 30), Some(1), "a fast clock");
        assert_eq!(step("287082", 59 + 60), None);
        for wrong in ["287083", "", "28708", "2870822", "abcdef"] {
            assert_eq!(step(wrong, 59), None, "{wrong}");
        }
    }

    #[test]
    fn an_authenticator_reads_it() {
        let secret = new_totp().expect("randomness");
        let uri = uri(&secret, "ani@example.com").expect("a secret");
        let expected =
            format!("otpauth://totp/Bayar:ani%40example.com?secret={}&issuer=Bayar", secret.expose());
        assert_eq!(uri.expose(), expected);
        assert!(picture(&uri).expect("is drawn").into_string().starts_with("<svg"));
        assert!(characters(&uri).expect("is drawn").lines().count() > 15);
    }

    #[test]
    fn recovery_codes_are_compared_as_people_type_them() {
        let (codes, kept) = recovery().expect("randomness");
        assert_eq!((codes.len(), kept.len()), (10, 10));
        assert_eq!(codes[0].len(), 19);
        assert_eq!(recovery_digest(&codes[0].to_uppercase().replace('-', " ")), kept[0]);
        assert_ne!(recovery_digest(&codes[1]), kept[0]);
    }
}
