//! Passwords: Argon2id with the parameters that OWASP names (19 MiB, two passes, one lane).

use std::sync::{LazyLock, Mutex, PoisonError};

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use bayar::{Code, Error};
use zeroize::Zeroizing;

use crate::seal::random;

/// The fewest characters of a password.
pub(crate) const SHORTEST: usize = 12;

/// The most bytes of one: what is longer is no password, and would take long to hash.
const LONGEST: usize = 1024;

const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// One at a time: each takes 19 MiB, and strangers may ask for any number of them.
static TURN: Mutex<()> = Mutex::new(());

/// Checks what a person chose, for its own sake; `email` is theirs.
///
/// # Errors
/// [`Code::InvalidParams`].
pub(crate) fn check(password: &str, email: &str) -> Result<(), Error> {
    let characters = password.chars().count();
    let refused = |found: String, allowed: &str| {
        let what = format!("password: found {found}; allowed: {allowed}");
        Err(Error::not_sent(Code::InvalidParams, what).field("password"))
    };
    if characters < SHORTEST || password.len() > LONGEST {
        return refused(format!("{characters} characters"), "12 to 1024");
    }
    let plain = password.to_lowercase();
    let repeated = plain.chars().collect::<std::collections::BTreeSet<_>>().len() < 5;
    if repeated || plain.contains(email) || email.starts_with(&plain) {
        return refused(
            "your e-mail address, or a few characters again and again".to_owned(),
            "anything else",
        );
    }
    Ok(())
}

/// The hash of a password, as it is kept.
///
/// # Errors
/// Where the system gives no randomness.
pub(crate) fn hash(password: &str) -> Result<String, Error> {
    let salt: [u8; 16] = random()?;
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let hash = argon2().hash_password_with_salt(password.as_bytes(), &salt);
    hash.map(|hash| hash.to_string())
        .map_err(|error| Error::not_sent(Code::Internal, format!("a password cannot be hashed: {error}")))
}

/// Whether a password is the one of a hash. Without a hash it takes as long, and is not.
pub(crate) fn is(password: &str, hash: Option<&str>) -> bool {
    /// A hash with the same parameters, of something that nobody knows.
    static NOBODY: LazyLock<String> = LazyLock::new(|| {
        let unknown = Zeroizing::new(hex::encode(random::<32>().unwrap_or_default()));
        self::hash(&unknown).unwrap_or_default()
    });
    let kept = hash.unwrap_or(&NOBODY);
    if password.len() > LONGEST {
        return false;
    }
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let matches = PasswordHash::new(kept)
        .is_ok_and(|kept| argon2().verify_password(password.as_bytes(), &kept).is_ok());
    matches && hash.is_some()
}

fn argon2() -> Argon2<'static> {
    let params =
        Params::new(MEMORY_KIB, PASSES, LANES, None).expect("OWASP's parameters are within the bounds");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_password_opens() {
        let kept = hash("correct horse battery").expect("is hashed");
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
        assert_ne!(hash("correct horse battery").expect("is hashed"), kept, "salted");
        assert!(is("correct horse battery", Some(&kept)));
        assert!(!is("correct horse batterx", Some(&kept)) && !is("", Some(&kept)));
        assert!(!is("correct horse battery", None) && !is("correct horse battery", Some("")));
        assert!(!is("correct horse battery", Some("correct horse battery")));
    }

    #[test]
    fn what_is_no_password_is_refused() {
        let refused = |password: &str| check(password, "ani@example.com").is_err();
        assert!(refused("short") && refused("elevenchars") && refused(&"x".repeat(2000)));
        assert!(refused("aaaaaaaaaaaa") && refused("121212121212"));
        assert!(refused("ani@example.com") && refused("Ani@Example.com!"));
        assert!(!refused("twelve chars") && !refused("kata sandi yang panjang"));
    }
}
