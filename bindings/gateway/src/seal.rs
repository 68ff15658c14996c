//! Secrets that must be had back: sealed before they are written, so that a copy of the database gives
//! none of them away. What is only compared (keys of applications) is hashed instead.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bayar::{Code, Error};
use bayar_provider::Secret;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Prk, Salt};
use ring::hmac;
use zeroize::Zeroizing;

use crate::config::{Settings, invalid};

/// Seals and opens.
pub(crate) struct Seal {
    key: Key,
    /// Opens what was sealed before the key was exchanged.
    previous: Option<Key>,
}

/// What is made of one secret.
struct Key {
    seals: LessSafeKey,
    /// From which keys for other purposes are made.
    material: Prk,
}

impl Seal {
    /// By the setting, else by the key in `gateway.key` beside the database, made if there is none.
    pub(crate) fn open(settings: &Settings, database: &str) -> Result<Seal, Error> {
        let previous = settings.previous_secret_key.as_ref().map(Key::of);
        if let Some(key) = &settings.secret_key {
            return Ok(Seal { key: Key::of(key), previous });
        }
        let Some(path) = database.strip_prefix("sqlite:") else {
            let what = "is missing: the gateways on one PostgreSQL share what they seal; expected a long random text, \
                 the same for all of them: openssl rand -base64 32";
            return Err(invalid("secret_key", what.to_owned()));
        };
        let file = Path::new(path).with_file_name("gateway.key");
        let key = kept_key(&file).map_err(|error| {
            invalid("secret_key", format!("is not set, and {} cannot be used: {error}", file.display()))
        })?;
        Ok(Seal { key: Key::of(&key), previous })
    }

    /// Keys that sign for one purpose: the one that does, and the one before, whose signatures hold still.
    pub(crate) fn signing_keys(&self, purpose: &str) -> (hmac::Key, Option<hmac::Key>) {
        (self.key.signing(purpose), self.previous.as_ref().map(|previous| previous.signing(purpose)))
    }

    /// Seals a text. It opens only under the same `purpose`, so that rows cannot be exchanged.
    pub(crate) fn seal(&self, purpose: &str, text: &str) -> Result<String, Error> {
        let nonce: [u8; NONCE_LEN] = random()?;
        let mut sealed = text.as_bytes().to_vec();
        self.key
            .seals
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(purpose.as_bytes()),
                &mut sealed,
            )
            .map_err(|_| Error::not_sent(Code::Internal, "a secret could not be sealed"))?;
        Ok(BASE64_STANDARD.encode([&nonce[..], &sealed].concat()))
    }

    /// Opens what [`Seal::seal`] made.
    pub(crate) fn unseal(&self, purpose: &str, sealed: &str) -> Result<Secret, Error> {
        let keys = std::iter::once(&self.key).chain(&self.previous);
        let opened = keys.into_iter().find_map(|key| opened(key, purpose, sealed));
        opened.ok_or_else(|| {
            let what = "(SECRET_KEY, or gateway.key) is not the one that sealed what the database holds; expected that \
                 one: put it back, or name it as previous_secret_key, and all is sealed anew";
            invalid("secret_key", what.to_owned())
        })
    }

    /// The same sealed anew, where the key before sealed it.
    pub(crate) fn anew(&self, purpose: &str, sealed: &str) -> Result<Option<String>, Error> {
        let Some(previous) = self.previous.as_ref().filter(|_| opened(&self.key, purpose, sealed).is_none())
        else {
            return Ok(None);
        };
        opened(previous, purpose, sealed).map(|secret| self.seal(purpose, secret.expose())).transpose()
    }

    /// Whether there is a key before.
    pub(crate) fn is_exchanged(&self) -> bool {
        self.previous.is_some()
    }
}

impl Key {
    fn of(secret: &Secret) -> Key {
        let material = Salt::new(HKDF_SHA256, b"bayar gateway").extract(secret.expose().as_bytes());
        let key = material.expand(&[b"seal 1"], &AES_256_GCM).expect("an AES-256 key is short enough");
        Key { seals: LessSafeKey::new(UnboundKey::from(key)), material }
    }

    fn signing(&self, purpose: &str) -> hmac::Key {
        let info = [purpose.as_bytes()];
        let key = self.material.expand(&info, hmac::HMAC_SHA256).expect("a key of SHA-256 is short enough");
        hmac::Key::from(key)
    }
}

fn opened(key: &Key, purpose: &str, sealed: &str) -> Option<Secret> {
    let mut bytes = BASE64_STANDARD.decode(sealed).ok()?;
    let nonce: [u8; NONCE_LEN] = bytes.get(..NONCE_LEN)?.try_into().ok()?;
    let rest = &mut bytes[NONCE_LEN..];
    let aad = Aad::from(purpose.as_bytes());
    let text = key.seals.open_in_place(Nonce::assume_unique_for_key(nonce), aad, rest).ok()?;
    String::from_utf8(text.to_vec()).ok().map(Secret::new)
}

/// The key in a file that only its owner reads.
fn kept_key(file: &Path) -> std::io::Result<Secret> {
    if let Some(directory) = file.parent() {
        fs::create_dir_all(directory)?;
    }
    let made = file.with_extension(format!("key.{}", std::process::id()));
    if !file.exists() {
        let bytes: [u8; 32] = random().map_err(|error| std::io::Error::other(error.message))?;
        let mut new = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&made)?;
        new.write_all(hex::encode(bytes).as_bytes())?;
        new.sync_all()?;
        // It gets its name when it is whole, unless another was faster.
        let linked = fs::hard_link(&made, file);
        fs::remove_file(&made)?;
        linked.or_else(|error| match error.kind() {
            std::io::ErrorKind::AlreadyExists => Ok(()),
            _ => Err(error),
        })?;
    }
    let text = Zeroizing::new(fs::read_to_string(file)?);
    if text.trim().len() < 64 {
        return Err(std::io::Error::other("it holds no key; expected 64 hexadecimal digits"));
    }
    Ok(Secret::new(text.trim()))
}

/// Random bytes from the system.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| {
        Error::not_sent(Code::Internal, format!("the system gives no randomness: {error}"))
    })?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_key_and_the_purpose_open() {
        let by = |key: &str, previous: Option<&str>| {
            let previous = previous.map(|key| Key::of(&Secret::new(key)));
            Seal { key: Key::of(&Secret::new(key)), previous }
        };
        let seal = by("one", None);
        let sealed = seal.seal("webhook/biling", "whsec_secret").expect("is sealed");
        assert!(!sealed.contains("whsec"));
        assert_eq!(seal.unseal("webhook/biling", &sealed).expect("opens").expose(), "whsec_secret");
        assert_ne!(seal.seal("webhook/biling", "whsec_secret").expect("is sealed"), sealed);
        assert!(seal.unseal("webhook/other", &sealed).is_err());
        let error = by("two", None).unseal("webhook/biling", &sealed).expect_err("another key");
        let exchanged = by("two", Some("one"));
        assert!(exchanged.unseal("webhook/biling", &sealed).is_ok());
        let anew = exchanged.anew("webhook/biling", &sealed).expect("is sealed").expect("by the key before");
        assert!(by("two", None).unseal("webhook/biling", &anew).is_ok());
        assert_eq!(exchanged.anew("webhook/biling", &anew), Ok(None), "it is already");
        assert_eq!(exchanged.anew("webhook/other", &sealed), Ok(None), "it opens under neither");
        assert!(error.message.contains("put it back"), "{error}");
        for damaged in ["", "x", &sealed[..8], &sealed[..sealed.len() - 4]] {
            assert!(seal.unseal("webhook/biling", damaged).is_err());
        }
    }

    #[test]
    fn a_key_is_made_once() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let database = format!("sqlite:{}", directory.path().join("gateway.db").display());
        let open = || Seal::open(&Settings::default(), &database);
        let sealed = open().expect("a key is made").seal("a", "b").expect("is sealed");
        assert_eq!(open().expect("it is there").unseal("a", &sealed).expect("opens").expose(), "b");
        let file = directory.path().join("gateway.key");
        let mode =
            std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&file).expect("a file").permissions());
        assert_eq!(mode & 0o777, 0o600);
        fs::write(&file, "").expect("it is ours");
        assert!(open().err().is_some_and(|error| error.message.contains("holds no key")));
        assert!(Seal::open(&Settings::default(), "postgres://u@h/d").is_err(), "gateways must share one");
    }
}
