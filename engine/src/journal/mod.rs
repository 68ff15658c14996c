//! Where the journal stands in both ways: before a request that moves money is sent, after
//! it was answered, and before a callback is acknowledged.
//!
//! This version keeps no journal: [`None`] records nothing, and says so when the engine opens.

use crate::error::Error;
use crate::outcome::Outcome;

/// Keeps intents, attempts and callbacks. Whatever it returns is durable when it returns.
pub trait Journal: Send + Sync {
    /// Before the first byte of a request that moves money or goods, or changes something:
    /// the intent and this attempt. Where it fails, nothing is sent.
    ///
    /// # Errors
    /// [`crate::Code::JournalUnavailable`] and its kin.
    fn sending(&self, attempt: &Attempt<'_>) -> Result<(), Error>;

    /// What became of the last attempt, before the host learns of it.
    ///
    /// # Errors
    /// [`crate::Code::JournalUnavailable`] and its kin; the outcome then travels inside the error.
    fn concluded(&self, intent: &str, end: End<'_>) -> Result<(), Error>;

    /// A genuine callback, before its acknowledgement is returned.
    ///
    /// # Errors
    /// [`crate::Code::JournalUnavailable`] and its kin; the provider is then asked to send it again.
    fn received(&self, account: &str, event: &bayar_provider::Event) -> Result<(), Error>;

    /// What it is, for `describe` and `doctor`: `none`.
    fn name(&self) -> &str;
}

/// One request about to be sent.
#[derive(Clone, Copy, Debug)]
pub struct Attempt<'a> {
    /// The account that sends it.
    pub account: &'a str,
    /// The operation.
    pub operation: &'a str,
    /// The engine's id of the call.
    pub intent: &'a str,
    /// The host's key; empty where the operation takes none.
    pub key: &'a str,
    /// The host's scope of keys.
    pub tenant: Option<&'a str>,
    /// What the provider will know the order by.
    pub reference: &'a str,
    /// 1 for the first moving request of an intent, and so on.
    pub number: u32,
    /// The call as the plugin got it, so that the same bytes can be made again; without the
    /// session, which is never kept.
    pub call: &'a bayar_provider::Call,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug)]
pub enum End<'a> {
    /// With an outcome.
    Outcome(&'a Outcome),
    /// With an error; its stage says whether the request may have been acted upon.
    Error(&'a Error),
    /// Nobody waited for the answer: the operation was dropped after the request was handed out.
    Abandoned,
}

/// No journal: nothing is kept.
#[derive(Clone, Copy, Debug)]
pub struct None;

impl Journal for None {
    fn sending(&self, _: &Attempt<'_>) -> Result<(), Error> {
        Ok(())
    }

    fn concluded(&self, _: &str, _: End<'_>) -> Result<(), Error> {
        Ok(())
    }

    fn received(&self, _: &str, _: &bayar_provider::Event) -> Result<(), Error> {
        Ok(())
    }

    fn name(&self) -> &str {
        "none"
    }
}
