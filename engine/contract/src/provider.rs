//! The trait that a provider implements.

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::call::Call;
use crate::callback::{Callback, Event};
use crate::describe::Description;
use crate::error::Error;
use crate::exchange::{Request, Response};
use crate::outcome::Outcome;
use crate::secret::Secret;

/// A provider: pure functions from a call to a request, from a response to an outcome, from a
/// callback to an event. It opens nothing, reads no clock and draws no random number.
///
/// ```text
///   prepare ──► Send ──► (engine: journal, HTTP) ──► interpret ──► Done | error
///      │          ▲                                      │
///      │          └──────────── Send again ◄─────────────┤
///      └──► NeedsSession ──► (engine: `session` once for all callers) ──► prepare anew
/// ```
pub trait Provider: Send + Sync + Sized + 'static {
    /// The settings of an account. Unknown settings are refused: use `deny_unknown_fields`.
    type Settings: DeserializeOwned + JsonSchema;
    /// What this plugin wants to remember from one exchange to the next.
    type State: Serialize + DeserializeOwned;

    /// What this provider is and can do: in general, or under the settings of an account.
    fn describe(settings: Option<&Self::Settings>) -> Description;

    /// Makes an account of its settings, once.
    ///
    /// # Errors
    /// [`crate::Code::InvalidConfig`], naming the setting.
    fn configure(settings: Self::Settings) -> Result<Self, Error>;

    /// Builds the first request of a call, or concludes without one.
    ///
    /// # Errors
    /// [`crate::Code::InvalidParams`], before anything is sent.
    fn prepare(&self, call: &Call) -> Result<Step<Self::State>, Error>;

    /// Reads the response to the last request.
    ///
    /// # Errors
    /// [`crate::Code::Rejected`] and the like where the provider said no for a documented reason;
    /// [`crate::Code::OutcomeUnknown`] or [`crate::Code::Protocol`] where what it did cannot be known.
    fn interpret(
        &self,
        call: &Call,
        state: Self::State,
        response: &Response,
    ) -> Result<Step<Self::State>, Error>;

    /// Verifies a callback over its raw bytes, and only then reads it.
    ///
    /// # Errors
    /// [`crate::Code::CallbackRefused`] for whatever is not proven genuine.
    fn verify(&self, callback: &Callback) -> Result<Event, Error>;
}

/// What a plugin wants next.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "one per exchange, moved once")]
pub enum Step<S> {
    /// The call is finished.
    Done(Outcome),
    /// Send this, keep the state, and come back with the response.
    Send(Request, S),
    /// The call needs a session, or the one it was given was refused (HTTP 401).
    NeedsSession,
    /// The session that the reserved operation `session` got.
    Session {
        /// What later calls carry.
        token: Secret,
        /// How long it lives, in seconds, if the provider says so.
        expires_in: Option<u64>,
    },
}
