//! Errors: what was found, what was expected, whether the request may have reached the
//! provider and whether a retry is safe.

use serde::{Deserialize, Serialize};

use crate::callback::Acknowledgement;

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $number:literal, $text:literal;)+) => {
        /// Why a call, a callback or an opening did not give an outcome. The text is what
        /// documents carry, the number what the C ABI returns; neither ever changes.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
        pub enum Code {
            $($(#[doc = $doc])+ #[serde(rename = $text)] $name = $number,)+
        }

        impl Code {
            /// Every code, in the order of their numbers.
            pub const ALL: &'static [Code] = &[$(Code::$name,)+];

            /// The name in documents: `invalid_params`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Code::$name => $text,)+ }
            }
        }
    };
}

codes! {
    /// The C ABI was misused: a NULL where a value must be, a wrong length, text that is not UTF-8.
    InvalidArgument = -1, "invalid_argument";
    /// The host was built for another major version of the C ABI.
    AbiMismatch = -2, "abi_mismatch";
    /// The configuration cannot be used.
    InvalidConfig = -3, "invalid_config";
    /// A file that others can read holds production credentials.
    ConfigExposed = -4, "config_exposed";
    /// No account of that name is configured.
    UnknownAccount = -5, "unknown_account";
    /// The account's provider has no such operation.
    Unsupported = -6, "unsupported";
    /// A parameter is missing, unknown, or not of the allowed form. Nothing was sent.
    InvalidParams = -7, "invalid_params";
    /// The same key was used before with another request. Nothing was sent.
    Conflict = -8, "conflict";
    /// Another caller is executing the intent of this key just now.
    InProgress = -9, "in_progress";
    /// Something in the engine itself failed, a panic included.
    Internal = -10, "internal";

    /// No plugin file where one was looked for.
    NotFound = -20, "not_found";
    /// The plugin's file or a directory above it may be written by others, or is not a regular file.
    Untrusted = -21, "untrusted";
    /// The plugin's SHA-256 differs from the one that the configuration pins.
    Hash = -22, "hash";
    /// The plugin's file ends before its own header says.
    Truncated = -23, "truncated";
    /// The plugin was built for another machine.
    WrongMachine = -24, "wrong_machine";
    /// The dynamic linker refused the plugin.
    Dlopen = -25, "dlopen";
    /// The file is no Bayar plugin.
    NotAProvider = -26, "not_a_provider";
    /// The plugin speaks another major version of the contract, or its layout differs.
    Incompatible = -27, "incompatible";
    /// The plugin broke the contract: it panicked, or answered what the engine cannot read.
    PluginFailed = -28, "plugin_failed";

    /// The provider could not be reached, or the connection broke.
    Network = -40, "network";
    /// TLS failed: a certificate that is expired, for another name or from an unknown authority, or a version below 1.2.
    Tls = -41, "tls";
    /// The deadline passed.
    Timeout = -42, "timeout";
    /// The provider's answer could not be read.
    Protocol = -43, "protocol";
    /// The plugin wanted to send to an origin that its description does not list.
    ForbiddenOrigin = -44, "forbidden_origin";
    /// One call needed more exchanges than are allowed.
    TooManyExchanges = -45, "too_many_exchanges";

    /// The provider refused the request, for a documented reason.
    Rejected = -60, "rejected";
    /// The provider refused the credentials; it did not act upon the request.
    Unauthorized = -61, "unauthorized";
    /// The provider knows no such order.
    OrderNotFound = -62, "order_not_found";
    /// What was asked cannot be done in the present state of the payment.
    NotPossible = -63, "not_possible";
    /// The request may have reached the provider, and what became of it is not known.
    OutcomeUnknown = -64, "outcome_unknown";

    /// The callback is not genuine, or cannot be verified.
    CallbackRefused = -80, "callback_refused";
    /// The callback is genuine and concerns no payment: a provider's test button.
    CallbackIgnored = -81, "callback_ignored";
    /// The callback looks genuine, and confirming it failed for now: the provider is to send it again.
    CallbackUnconfirmed = -82, "callback_unconfirmed";

    /// The journal could not be written or read.
    JournalUnavailable = -100, "journal_unavailable";
    /// The process was forked while the journal was in use.
    JournalForked = -101, "journal_forked";
    /// Something other than the engine has the journal's file open in this process.
    JournalOpenElsewhere = -102, "journal_open_elsewhere";
}

/// How far the request of a failed call got.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// No byte of a request reached the provider.
    NotSent,
    /// The provider may have read the request and acted upon it.
    MaybeSent,
    /// The provider answered.
    Answered,
}

/// What the provider itself said of a failure, as it said it.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct ProviderError {
    /// The provider's own code, as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The provider's own message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The HTTP status of its answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_status: Option<u16>,
}

/// A plugin's error. The engine adds stage, advice and whether a retry is safe, which
/// follow from the code and from what was sent.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Error {
    /// Why.
    pub code: Code,
    /// A sentence for people: what was found, what is allowed.
    pub message: String,
    /// The parameter or setting concerned, as a path: `items[0].price`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What the provider said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<ProviderError>,
    /// What to answer the provider, where a callback failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledgement: Option<Acknowledgement>,
}

impl Error {
    /// An error with a code and a sentence.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Error { code, message: message.into(), field: None, provider: None, acknowledgement: None }
    }

    /// A parameter that is not of the allowed form.
    pub fn invalid(field: &str, found: impl std::fmt::Display, allowed: impl std::fmt::Display) -> Self {
        Error {
            field: Some(field.to_owned()),
            ..Error::new(Code::InvalidParams, format!("{field}: found {found}; allowed: {allowed}"))
        }
    }

    /// A parameter that must be given and was not.
    pub fn missing(field: &str, needed: impl std::fmt::Display) -> Self {
        Error {
            field: Some(field.to_owned()),
            ..Error::new(Code::InvalidParams, format!("{field} is missing; expected: {needed}"))
        }
    }

    /// A callback that is not genuine. No event comes of it.
    pub fn refused(message: impl Into<String>) -> Self {
        Error::new(Code::CallbackRefused, message)
    }

    /// Adds what the provider said.
    pub fn provider(mut self, provider: ProviderError) -> Self {
        self.provider = Some(provider);
        self
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.message)
    }
}

impl std::error::Error for Error {}
