//! A call, as a plugin sees it.

use std::fmt;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::Error;
use crate::params;

/// The name of the operation that gets a session; the engine calls it, hosts cannot.
pub const SESSION: &str = "session";

/// One call of an operation. Clock, nonce and session arrive here, so that the same call
/// gives the same bytes.
#[derive(Clone, Serialize, Deserialize)]
pub struct Call {
    /// The operation's name: `charge`.
    pub operation: String,
    /// The host's parameters, without those that belong to the engine.
    pub params: Value,
    /// The engine's id of this call, unique: `I` and 25 more letters and digits.
    pub intent: String,
    /// What the provider is to know this order by: unique for the account, and within the
    /// rule that the plugin's description gives.
    pub reference: String,
    /// 32 hexadecimal digits made of account, tenant and the host's key; the same whenever the
    /// same key is used. Empty for operations that take no key. For a provider's own idempotency key.
    #[serde(default)]
    pub key_digest: String,
    /// The moment of the call, in milliseconds since 1970-01-01 UTC.
    pub now_ms: i64,
    /// 32 hexadecimal digits of randomness.
    pub nonce: String,
    /// The session that this provider asked for, if one is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
}

impl Call {
    /// The parameters as the operation's own type.
    ///
    /// # Errors
    /// [`crate::Code::InvalidParams`], naming the field, what was found and what is allowed.
    pub fn read<T: DeserializeOwned + JsonSchema>(&self) -> Result<T, Error> {
        params::read_described(&self.params)
    }

    /// The moment of the call.
    pub fn now(&self) -> jiff::Timestamp {
        // Only a clock outside the years -9999 to 9999 is out of range.
        jiff::Timestamp::from_millisecond(self.now_ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
    }
}

impl fmt::Debug for Call {
    /// Without parameters, which may hold personal data, and without the session.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("operation", &self.operation)
            .field("intent", &self.intent)
            .field("reference", &self.reference)
            .finish_non_exhaustive()
    }
}
