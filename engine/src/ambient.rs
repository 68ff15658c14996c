//! Clock and randomness: the only inputs of a call that its caller does not give.

use bayar_provider::Error as ProviderError;

use crate::error::{Code, Error};

/// Where the engine gets the time and randomness from. Tests give their own: the same input,
/// clock and nonce give the same bytes.
pub trait Ambient: Send + Sync {
    /// The time, in milliseconds since 1970-01-01 UTC.
    fn now_ms(&self) -> i64;

    /// 16 random bytes.
    ///
    /// # Errors
    /// [`Code::Internal`] where the system has none.
    fn nonce(&self) -> Result<[u8; 16], Error>;
}

/// The system's clock, and the system's randomness each time: a generator of our own would
/// give the same numbers in all forked children.
#[derive(Clone, Copy, Debug)]
pub struct System;

impl Ambient for System {
    fn now_ms(&self) -> i64 {
        jiff::Timestamp::now().as_millisecond()
    }

    fn nonce(&self) -> Result<[u8; 16], Error> {
        let mut nonce = [0; 16];
        getrandom::fill(&mut nonce).map_err(|e| {
            Error::from(ProviderError::new(Code::Internal, format!("the system gives no randomness: {e}")))
        })?;
        Ok(nonce)
    }
}

/// An id that nobody else makes: a letter, 9 characters of time, 13 of randomness, a letter;
/// 24 of `A-Z0-9` in all. A letter stands at both ends because digests without separators
/// (Duitku's) could otherwise be shifted between an order id and an amount.
pub fn make_id(first: char, now_ms: i64, nonce: &[u8; 16]) -> String {
    const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let digit = |bits: u128, at: u32| char::from(DIGITS[((bits >> (5 * at)) & 31) as usize]);
    let (time, random) = (now_ms.unsigned_abs() as u128, u128::from_be_bytes(*nonce));
    let last = char::from(b'A' + ((random >> 65) % 26) as u8);
    [first]
        .into_iter()
        .chain((0..9).rev().map(|at| digit(time, at)))
        .chain((0..13).map(|at| digit(random, at)))
        .chain([last])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_within_the_rule_and_differ() {
        let id = make_id('B', 1_770_130_924_000, &[0xff; 16]);
        assert_eq!(id.len(), 24);
        assert!(id.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()));
        assert!(id.starts_with('B') && id.ends_with(|c: char| c.is_ascii_uppercase()), "{id}");
        let other = make_id('B', 1_770_130_924_000, &System.nonce().unwrap());
        assert_ne!(id, other);
        assert_eq!(id[..10], other[..10], "the time comes first, so ids sort by it");
    }
}
