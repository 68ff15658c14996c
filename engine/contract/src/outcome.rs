//! Outcomes: what either path concluded.

use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::money::Rupiah;

/// The state of a payment; `done` for what succeeded and is no payment.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Waiting for the payer, or for the provider to finish.
    Pending,
    /// Reserved on a card, not yet taken.
    Authorized,
    /// The money was taken.
    Paid,
    /// It did not succeed and will not.
    Failed,
    /// The payer did not pay in time.
    Expired,
    /// Withdrawn before it was paid.
    Cancelled,
    /// Part of the money went back.
    PartiallyRefunded,
    /// All of the money went back.
    Refunded,
    /// The payer's bank took the money back, or disputes it.
    Disputed,
    /// The provider said something that this plugin does not know; `raw` has its words.
    Unknown,
    /// Succeeded, and is no payment.
    Done,
}

/// What an outcome rests on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, JsonSchema)]
pub enum Evidence {
    /// Nothing proves it; it only makes the engine ask.
    E0,
    /// A digest under a secret that covers the status.
    E1,
    /// Our own exchange with the provider.
    E2,
    /// An operator's word, with a reason.
    E3,
}

/// What the payer needs in order to pay.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Instruction {
    /// Send the payer to a page.
    Redirect {
        /// The page.
        url: String,
        /// The token of the page, for a widget in the host's own page (Midtrans Snap).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        token: Option<String>,
        /// The public key that such a widget needs.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        client_key: Option<String>,
    },
    /// Transfer to a virtual account.
    VirtualAccount {
        /// The bank's short name, lower case: `bca`.
        bank: String,
        /// The number to transfer to; for Mandiri the bill key.
        number: String,
        /// Mandiri's biller code, which goes with the number.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        biller_code: Option<String>,
        /// The name that the bank shows.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
    },
    /// Show a QR code.
    Qr {
        /// The text that the code holds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<String>,
        /// A picture of the code, at the provider.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        image_url: Option<String>,
    },
    /// Open the wallet's application.
    Deeplink {
        /// The link that opens it.
        url: String,
        /// A picture of a QR code that does the same, at the provider.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        image_url: Option<String>,
        /// The text of such a QR code.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<String>,
    },
    /// Pay in a shop.
    Retail {
        /// The chain: `indomaret`.
        store: String,
        /// The code to tell the cashier.
        code: String,
    },
    /// Transfer by hand, exactly `payable_amount`.
    ManualTransfer {
        /// The bank's short name, lower case: `bca`.
        bank: String,
        /// The account to transfer to.
        number: String,
        /// Its holder.
        holder: String,
        /// Its branch.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        branch: Option<String>,
    },
    /// Pay the courier.
    Cod {
        /// The way bill, once there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        awb: Option<String>,
    },
    /// Nothing to do.
    None,
}

/// What the buyer gets of a prepaid purchase.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Delivery {
    /// The serial number or token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// What it cost the host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Rupiah>,
    /// What is left of the host's deposit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub balance: Option<Rupiah>,
}

/// What a plugin concludes. The engine puts account, provider, operation, intent, order id,
/// reference and tenant before it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// The state.
    pub status: Status,
    /// The order as the provider echoes it; the engine compares it with what was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The provider's own id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_reference: Option<String>,
    /// What was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Rupiah>,
    /// What the payer was told to pay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payable_amount: Option<Rupiah>,
    /// What the provider keeps, in rupiah, as a decimal string.
    #[serde(default, with = "rust_decimal::serde::str_option", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub fee: Option<Decimal>,
    /// What the payer needs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instruction: Option<Instruction>,
    /// What the buyer gets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<Delivery>,
    /// Until when the payer may pay, RFC 3339 with `+07:00`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// What this rests on.
    pub evidence: Evidence,
    /// Why a person should look before money is credited, if so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<String>,
    /// Lists, balances, reports: what the operation answers besides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
    /// The provider's own answer.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub raw: Value,
}

impl Outcome {
    /// An outcome of our own exchange with the provider, with nothing but a status.
    pub fn answered(status: Status) -> Self {
        Outcome {
            status,
            reference: None,
            provider_reference: None,
            amount: None,
            payable_amount: None,
            fee: None,
            instruction: None,
            delivery: None,
            expires_at: None,
            evidence: Evidence::E2,
            review: None,
            data: None,
            raw: Value::Null,
        }
    }
}
