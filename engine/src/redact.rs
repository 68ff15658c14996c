//! The one door that everything written passes: logs, errors and the journal.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bayar_provider::Secret;
use serde_json::Value;

/// What stands where a secret stood.
pub const HIDDEN: &str = "***";

/// Shorter values are not looked for: they would match by accident, and are no secrets.
const SHORTEST: usize = 6;

/// Fields that hold a signature, in lower case: whoever reads one could try to make others.
const SIGNATURES: [&str; 4] = ["sign", "signature", "signature_key", "x-signature"];

/// Removes the credentials of the configured accounts, and what looks like a card number,
/// from text that is about to be written.
#[derive(Clone, Debug, Default)]
pub struct Redactor {
    secrets: Vec<Secret>,
}

impl Redactor {
    /// A door that knows these secrets, as they are and as HTTP's Basic authentication carries
    /// them with an empty password.
    pub fn new(secrets: impl IntoIterator<Item = Secret>) -> Self {
        let long = secrets.into_iter().filter(|secret| secret.expose().len() >= SHORTEST);
        let mut secrets: Vec<Secret> = long
            .flat_map(|secret| [Secret::new(STANDARD.encode(format!("{}:", secret.expose()))), secret])
            .collect();
        // The longest first: one secret may be a part of another.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.expose().len()));
        Redactor { secrets }
    }

    /// The text without secrets and card numbers.
    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let text = self.secrets(text);
        match card_numbers(&text) {
            Some(masked) => Cow::Owned(masked),
            None => text,
        }
    }

    /// The text without secrets.
    fn secrets<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut text = Cow::Borrowed(text);
        for secret in &self.secrets {
            if text.contains(secret.expose()) {
                text = Cow::Owned(text.replace(secret.expose(), HIDDEN));
            }
        }
        text
    }

    /// Removes secrets from every string of a document for the host. Digits stay as they are:
    /// a virtual account number may look like a card number.
    pub fn value(&self, value: &mut Value) {
        match value {
            Value::String(text) => {
                if let Cow::Owned(clean) = self.secrets(text) {
                    *text = clean;
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.value(item)),
            Value::Object(fields) => fields.values_mut().for_each(|field| self.value(field)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// A call as the journal keeps it: without session, secrets and card numbers.
    pub fn kept_call(&self, call: &bayar_provider::Call) -> bayar_provider::Call {
        let mut kept = bayar_provider::Call { session: None, ..call.clone() };
        self.kept(&mut kept.params);
        kept
    }

    /// An outcome as the journal keeps it. What the payer is told to pay to stays as it is, also where
    /// its number looks like a card's.
    pub fn kept_outcome(&self, outcome: &crate::Outcome) -> crate::Outcome {
        let mut kept = crate::Outcome { acknowledgement: None, ..outcome.clone() };
        self.kept(&mut kept.result.raw);
        kept.result.data.iter_mut().for_each(|data| self.kept(data));
        kept
    }

    /// Removes secrets, signatures and card numbers from a document that is kept.
    pub fn kept(&self, value: &mut Value) {
        match value {
            Value::String(text) => {
                if let Cow::Owned(clean) = self.text(text) {
                    *text = clean;
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.kept(item)),
            Value::Object(fields) => {
                for (name, field) in fields {
                    match SIGNATURES.contains(&name.to_ascii_lowercase().as_str()) {
                        true => *field = HIDDEN.into(),
                        false => self.kept(field),
                    }
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// Removes secrets from an error.
    pub fn error(&self, mut error: crate::Error) -> crate::Error {
        let clean = |text: &mut String| {
            if let Cow::Owned(clean) = self.text(text) {
                *text = clean;
            }
        };
        clean(&mut error.message);
        if let Some(provider) = &mut error.provider {
            provider.code.iter_mut().for_each(clean);
            provider.message.iter_mut().for_each(clean);
        }
        error
    }
}

/// Masks all but the last four digits of every run of 13 to 19 digits that could be a card
/// number: it begins with 2 to 6 and satisfies Luhn.
fn card_numbers(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut masked: Option<Vec<u8>> = None;
    let mut at = 0;
    while at < bytes.len() {
        let run = bytes[at..].iter().take_while(|b| b.is_ascii_digit()).count();
        if (13..=19).contains(&run) && (b'2'..=b'6').contains(&bytes[at]) && luhn(&bytes[at..at + run]) {
            masked.get_or_insert_with(|| bytes.to_vec())[at..at + run - 4].fill(b'*');
        }
        at += run.max(1);
    }
    // Only ASCII digits were replaced by an ASCII star, so this stays UTF-8.
    masked.and_then(|bytes| String::from_utf8(bytes).ok())
}

fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(i, digit)| {
            let digit = u32::from(digit - b'0') * if i % 2 == 1 { 2 } else { 1 };
            if digit > 9 { digit - 9 } else { digit }
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hides_secrets_and_card_numbers() {
        let redactor =
            Redactor::new([Secret::new("CANARY-1"), Secret::new("CANARY-1-longer"), Secret::new("ab")]);
        assert_eq!(redactor.text("a CANARY-1-longer b CANARY-1 c ab"), "a *** b *** c ab");
        assert_eq!(redactor.text("card 4811111111111114!"), "card ************1114!");
        assert_eq!(
            redactor.text("va 4811111111111115, short 481111, order 12345678901234567890"),
            "va 4811111111111115, short 481111, order 12345678901234567890"
        );
        assert_eq!(redactor.text("Authorization: Basic Q0FOQVJZLTE6"), "Authorization: Basic ***");
        let mut value = serde_json::json!({"a": ["x CANARY-1"], "n": 1});
        redactor.value(&mut value);
        assert_eq!(value, serde_json::json!({"a": ["x ***"], "n": 1}));
    }
}
