//! How a transaction is read, in the answer to a check and in the history.
//!
//! Source: public, Check Transaction, Transaction History.

use bayar_provider::{Status, json};
use serde::Deserialize;
use serde_json::Value;

use crate::answer::lower;

/// A transaction as iPaymu writes it: ids as text, amounts as they stand.
#[derive(Deserialize)]
pub struct Transaction {
    /// iPaymu's id.
    #[serde(rename = "transactionid", deserialize_with = "json::text")]
    pub id: Option<String>,
    /// Our order, where one was sent.
    #[serde(default, rename = "referenceid", deserialize_with = "json::text")]
    pub reference: Option<String>,
    /// What is paid.
    #[serde(default)]
    pub amount: Value,
    /// What iPaymu keeps.
    #[serde(default)]
    pub fee: Value,
    /// iPaymu's code of the state.
    #[serde(deserialize_with = "json::text")]
    pub status: Option<String>,
    /// The same in its words.
    #[serde(default, rename = "statusdesc", deserialize_with = "json::text")]
    pub status_text: Option<String>,
    /// By which way.
    #[serde(default, rename = "typedesc", deserialize_with = "json::text")]
    pub kind: Option<String>,
    /// When it was made, WIB.
    #[serde(default, rename = "createddate")]
    pub created: Option<String>,
    /// When it was paid, WIB.
    #[serde(default, rename = "successdate")]
    pub paid: Option<String>,
    /// Until when it may be paid, WIB.
    #[serde(default, rename = "expireddate")]
    pub expires: Option<String>,
}

impl Transaction {
    /// Reads a transaction, its names in whatever case; `None` where it has no id or no state.
    pub fn of(value: &Value) -> Option<Self> {
        let read: Transaction = serde_json::from_value(lower(value)).ok()?;
        let there = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
        (there(&read.id) && there(&read.status)).then_some(read)
    }

    /// Its state.
    pub fn state(&self) -> Status {
        status_of(self.status.as_deref().unwrap_or_default())
    }
}

/// The state of a payment, by iPaymu's code; one that is not documented is `Unknown`, never a guess.
pub fn status_of(code: &str) -> Status {
    match code {
        "-2" => Status::Expired,
        "0" => Status::Pending,
        // 6 is paid and not yet settled to the merchant.
        "1" | "6" => Status::Paid,
        "2" => Status::Cancelled,
        "3" => Status::Refunded,
        "4" | "5" => Status::Failed,
        // Held in escrow: the merchant does not have it yet.
        "7" => Status::Pending,
        _ => Status::Unknown,
    }
}
