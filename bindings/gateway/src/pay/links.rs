//! The addresses of pay pages. Nobody signs in to pay, so the address itself is the right to see the page.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::hmac;
use subtle::ConstantTimeEq;

use crate::seal::Seal;

/// How much of a digest stands in an address, in bytes: more than anybody guesses.
const DIGEST: usize = 16;

/// Where payers come back to; what follows says from which payment.
const BACK: &str = "/pay/back/";

/// Makes addresses and reads them.
///
/// An intent's id is no secret: it stands in logs, callbacks, lists and on the dashboard. So beside it stands
/// a digest of it under a key of the gateway's own, made from the one that seals its secrets. Whoever was not
/// given an address cannot make one, every gateway on one database makes and reads the same ones, and
/// nothing has to be written down for it when a charge is made.
pub(crate) struct Links {
    key: hmac::Key,
    /// The one before the secret was exchanged: what it signed opens still.
    previous: Option<hmac::Key>,
    base: Option<String>,
}

impl Links {
    pub(crate) fn new(seal: &Seal, public_url: Option<&str>) -> Links {
        let base = public_url.map(|url| url.trim_end_matches('/').to_owned());
        let (key, previous) = seal.signing_keys("pay 1");
        Links { key, previous, base }
    }

    /// The page of a charge, where it is known how the world reaches the gateway.
    pub(crate) fn page(&self, intent: &str) -> Option<String> {
        Some(format!("{}/pay/{}", self.base.as_ref()?, self.token(intent)))
    }

    /// Where the payer of a charge comes back to from a provider. It is said in the charge, when there is no
    /// intent yet: so it names the application and its key, and leads on to the page.
    pub(crate) fn back(&self, app: &str, key: &str) -> Option<String> {
        let call = BASE64_URL_SAFE_NO_PAD.encode(format!("{app}\0{key}"));
        Some(format!("{}{BACK}{call}.{}", self.base.as_ref()?, self.digest("back", &call)))
    }

    /// Whether an address is such a way back, and so none to the application's own pages.
    pub(super) fn is_back(&self, url: &str) -> bool {
        url.split_once(BACK).is_some_and(|(_, token)| self.call_of(token).is_some())
    }

    /// The last part of the address of a charge's page.
    pub(super) fn token(&self, intent: &str) -> String {
        format!("{intent}.{}", self.digest("page", intent))
    }

    /// The charge that a page's address names, where it was made here.
    pub(super) fn intent_of<'a>(&self, token: &'a str) -> Option<&'a str> {
        self.genuine("page", token)
    }

    /// The application and the key that a way back names, likewise.
    pub(super) fn call_of(&self, token: &str) -> Option<(String, String)> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(self.genuine("back", token)?).ok()?;
        let (app, key) = std::str::from_utf8(&bytes).ok()?.split_once('\0')?;
        Some((app.to_owned(), key.to_owned()))
    }

    /// What stands before the digest, if that is right. How long the comparison takes tells nothing of it.
    fn genuine<'a>(&self, what: &str, token: &'a str) -> Option<&'a str> {
        let (named, given) = token.rsplit_once('.')?;
        let keys = std::iter::once(&self.key).chain(&self.previous);
        let mut expected = keys.map(|key| digest(key, what, named));
        expected.any(|one| bool::from(one.as_bytes().ct_eq(given.as_bytes()))).then_some(named)
    }

    fn digest(&self, what: &str, named: &str) -> String {
        digest(&self.key, what, named)
    }
}

fn digest(key: &hmac::Key, what: &str, named: &str) -> String {
    let digest = hmac::sign(key, format!("{what}\0{named}").as_bytes());
    // In letters alone, two for each byte: a run of digits may look like a card's number, which the journal
    // masks, and some programs leave the last sign of an address out of a link.
    let letters = |byte: &u8| [b'a' + (byte >> 4), b'a' + (byte & 15)];
    digest.as_ref()[..DIGEST].iter().flat_map(letters).map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use bayar_provider::Secret;

    use super::*;
    use crate::config::Settings;

    fn links(secret: &str) -> Links {
        let settings = Settings { secret_key: Some(Secret::new(secret)), ..Settings::default() };
        let seal = Seal::open(&settings, "sqlite:/nowhere").expect("it has a key");
        Links::new(&seal, Some("https://pay.example.com/"))
    }

    #[test]
    fn only_what_was_made_here_opens() {
        let (mine, other) = (links("one"), links("two"));
        let page = mine.page("I0123").expect("an address");
        let token = page.strip_prefix("https://pay.example.com/pay/").expect("below the public address");
        assert_eq!(mine.intent_of(token), Some("I0123"));
        assert_eq!(mine.page("I0123"), Some(page.clone()), "the same each time");
        assert_eq!(other.intent_of(token), None);
        let digest = token.split_once('.').expect("two parts").1;
        let upper = token.replace(digest, &digest.to_uppercase());
        for forged in
            ["", ".", "I0123", "I0123.", &format!("I0124.{digest}"), &token[..token.len() - 1], &upper]
        {
            assert_eq!(mine.intent_of(forged), None, "{forged}");
        }
        assert_eq!(Links { base: None, ..links("one") }.page("I0123"), None);
    }

    #[test]
    fn what_the_key_before_signed_opens_still() {
        let settings = Settings {
            secret_key: Some(Secret::new("two")),
            previous_secret_key: Some(Secret::new("one")),
            ..Settings::default()
        };
        let seal = Seal::open(&settings, "sqlite:/nowhere").expect("it has a key");
        let exchanged = Links::new(&seal, Some("https://pay.example.com/"));
        assert_eq!(exchanged.intent_of(&links("one").token("I0123")), Some("I0123"));
        assert_eq!(exchanged.token("I0123"), links("two").token("I0123"));
        assert_eq!(exchanged.intent_of(&links("three").token("I0123")), None);
    }

    #[test]
    fn the_way_back_is_another_address() {
        let links = links("one");
        let back = links.back("biling", "/charge 1 INV/1").expect("an address");
        let token = back.strip_prefix("https://pay.example.com/pay/back/").expect("below the public address");
        assert_eq!(links.call_of(token), Some(("biling".to_owned(), "/charge 1 INV/1".to_owned())));
        assert!(links.is_back(&back) && !links.is_back(&back[..back.len() - 1]));
        assert_eq!(links.intent_of(token), None, "it is no page's");
        assert_eq!(links.call_of(&links.token("YQBi")), None, "and a page's is no way back");
    }
}
