//! The error that a host sees.

use bayar_provider::{Acknowledgement, ProviderError};
pub use bayar_provider::{Code, Stage};
use serde::{Deserialize, Serialize};

use crate::outcome::Outcome;

/// Why there is no outcome: a document that says what was found and expected, whether the
/// request may have reached the provider, and what to do.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Error {
    /// The reason, for programs.
    pub code: Code,
    /// The reason, for people.
    pub message: String,
    /// How far the request got.
    pub stage: Stage,
    /// Whether making the same call again, with the same key, is safe now: it cannot move money twice.
    pub retry: bool,
    /// What to do, in a sentence.
    pub advice: String,
    /// The parameter or setting concerned, as a path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The engine's id of the call, once it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intent: Option<String>,
    /// What the provider knows, or may know, the order by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// What to answer the provider, where a callback failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledgement: Option<Acknowledgement>,
    /// The outcome, where the provider answered and only the journal failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Box<Outcome>>,
    /// What the provider said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<ProviderError>,
}

impl Error {
    /// An error before anything was sent.
    pub fn not_sent(code: Code, message: impl Into<String>) -> Self {
        Error {
            code,
            message: message.into(),
            stage: Stage::NotSent,
            retry: retry_before_sending(code),
            advice: advice(code, Stage::NotSent).to_owned(),
            field: None,
            intent: None,
            reference: None,
            acknowledgement: None,
            outcome: None,
            provider: None,
        }
    }

    /// A plugin's error, with the stage that the call had reached.
    pub fn of_plugin(error: bayar_provider::Error, stage: Stage, retry: bool) -> Self {
        Error {
            stage,
            retry,
            advice: advice(error.code, stage).to_owned(),
            field: error.field,
            acknowledgement: error.acknowledgement,
            provider: error.provider,
            ..Error::not_sent(error.code, error.message)
        }
    }

    /// The same error at another stage.
    pub fn at(self, stage: Stage, retry: bool) -> Self {
        Error { advice: advice(self.code, stage).to_owned(), stage, retry, ..self }
    }

    /// Names the field concerned.
    pub fn field(self, field: impl Into<String>) -> Self {
        Error { field: Some(field.into()), ..self }
    }

    /// Says what to answer the provider.
    pub fn acknowledge(self, acknowledgement: Acknowledgement) -> Self {
        Error { acknowledgement: Some(acknowledgement), ..self }
    }
}

impl From<bayar_provider::Error> for Error {
    /// A plugin's error before anything was sent.
    fn from(error: bayar_provider::Error) -> Self {
        let retry = retry_before_sending(error.code);
        Error::of_plugin(error, Stage::NotSent, retry)
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let end = if self.message.ends_with(['.', '?', '!']) { "" } else { "." };
        write!(f, "{}: {}{end} {}", self.code.as_str(), self.message, self.advice)
    }
}

impl std::error::Error for Error {}

/// Where nothing was sent, repeating the call moves nothing twice; it only helps where the
/// cause can pass by itself.
fn retry_before_sending(code: Code) -> bool {
    use Code::*;
    matches!(code, Network | Timeout | InProgress | JournalUnavailable | CallbackUnconfirmed)
}

/// What to do, by what failed and how far it got.
fn advice(code: Code, stage: Stage) -> &'static str {
    use Code::*;
    match (code, stage) {
        (Network | Timeout | Tls | Internal | PluginFailed | Protocol, Stage::MaybeSent)
        | (OutcomeUnknown, _) => {
            "Do not repeat it under another key; ask for the status of this order, or wait for its callback."
        }
        (JournalUnavailable, Stage::Answered) => {
            "The provider has answered: the outcome is in this error. Do not repeat the call."
        }
        (InvalidParams, _) => "Nothing was sent. Correct the field and call again.",
        (InvalidConfig | ConfigExposed, _) => "Correct the configuration and open the engine again.",
        (UnknownAccount, _) => "Use the name of a configured account.",
        (Unsupported, _) => "Use an operation that describe lists.",
        (InvalidArgument | AbiMismatch, _) => "Correct the program that calls the engine.",
        (Conflict, _) => "Use a new key for a new request.",
        (InProgress, _) => "Call again with the same key after a moment.",
        (NotFound, _) => "Install the plugin, or set `plugins` in [engine] to the directory that holds it.",
        (Untrusted, _) => "Correct owner and permissions of the file and of every directory above it.",
        (Hash, _) => "Install the plugin that was pinned, or pin the one that is installed.",
        (Truncated | WrongMachine | Dlopen | NotAProvider | Incompatible, _) => {
            "Install a plugin built for this engine and machine."
        }
        (PluginFailed | Internal, _) => "This is a defect: report it with this message.",
        (Network | Timeout, Stage::NotSent) => "Nothing was sent. Call again with the same key.",
        (Tls, Stage::NotSent) => {
            "Nothing was sent. Check the provider's certificate, this machine's clock and `ca_file`."
        }
        (Network | Timeout | Tls | Protocol, _) => "Nothing was changed. Call again later.",
        (ForbiddenOrigin | TooManyExchanges, _) => {
            "This is a defect of the plugin, or a base URL that does not belong to it: check the settings."
        }
        (Rejected, _) => "The provider refused it: correct what its message names, and use a new key.",
        (Unauthorized, _) => "The provider did not act upon it. Correct the credentials of the account.",
        (OrderNotFound, _) => {
            "Check the order id, and that account and environment are those that it was created in."
        }
        (NotPossible, _) => "Ask for the status of the order to see what is possible.",
        (CallbackRefused, _) => "Credit nothing. Answer the acknowledgement.",
        (CallbackIgnored, _) => "There is nothing to do. Answer the acknowledgement.",
        (CallbackUnconfirmed, _) => {
            "Credit nothing yet. Answer the acknowledgement: the provider will send it again."
        }
        (JournalUnavailable | JournalForked | JournalOpenElsewhere, _) => {
            "Nothing was sent. Make the journal available and call again with the same key."
        }
    }
}
