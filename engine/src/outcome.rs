//! The outcome that a host sees.

use bayar_provider::Acknowledgement;
use serde::{Deserialize, Serialize};

/// What a call or a callback concluded: the plugin's outcome with the engine's envelope.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Outcome {
    /// The configured account.
    pub account: String,
    /// The provider's plugin.
    pub provider: String,
    /// What was called; `callback` for a callback.
    pub operation: String,
    /// The engine's id of this call or callback.
    pub intent: String,
    /// The host's own id of the order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_id: Option<String>,
    /// The scope that the host gave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// What the plugin concluded.
    #[serde(flatten)]
    pub result: bayar_provider::Outcome,
    /// What to answer the provider, where this came of a callback.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledgement: Option<Acknowledgement>,
}
