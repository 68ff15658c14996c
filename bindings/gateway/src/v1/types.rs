//! What is sent and answered: the types that the OpenAPI document is made of.

use bayar::journal::{Intent, State};
use bayar::{Evidence, Instruction, Status};
use bayar_provider::{Customer, Item, Rupiah};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::gateway::Gateway;
use crate::store::events::moment;

/// What a payer is asked to pay, as it stands now.
#[derive(Serialize, JsonSchema)]
pub(super) struct Charge {
    /// Its id here: the engine's intent.
    pub id: String,
    /// The account that it goes through.
    pub account: String,
    /// The provider behind it.
    pub provider: String,
    /// The application's own id of the order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_id: Option<String>,
    /// What the provider knows the order by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The provider's own id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider_reference: Option<String>,
    /// The state. Credit nothing but `paid`, and nothing that has a `review`.
    pub status: Standing,
    /// What was asked, in rupiah.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<i64>,
    /// What the payer was told to pay, in rupiah.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payable_amount: Option<i64>,
    /// The channel that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// What the payer needs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instruction: Option<Instruction>,
    /// A page of the gateway's that shows the payer all of it, and how it stands; absent without `public_url`. It
    /// opens for whoever has the address: give it to the payer alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pay_url: Option<String>,
    /// Until when the payer may pay, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// What the state rests on; `E0` as long as nobody has said anything of it.
    pub evidence: Evidence,
    /// Why a person should look before money is credited, if so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub review: Option<String>,
    /// When it was made, RFC 3339.
    pub created_at: String,
    /// When anything of it last changed, RFC 3339.
    pub updated_at: String,
}

impl Charge {
    pub(super) fn of(gateway: &Gateway, intent: &Intent) -> Charge {
        let outcome = intent.as_outcome();
        let channel = intent.call.as_ref().and_then(|call| call.params.get("channel"));
        Charge {
            id: intent.id.clone(),
            account: intent.account.clone(),
            provider: intent.provider.clone(),
            order_id: intent.order_id.clone(),
            reference: Some(intent.reference.clone()).filter(|reference| !reference.is_empty()),
            provider_reference: intent.provider_reference.clone(),
            status: Standing::of(intent.state),
            amount: intent.amount,
            payable_amount: intent.payable_amount,
            channel: channel.and_then(Value::as_str).map(str::to_owned),
            instruction: outcome.result.instruction,
            pay_url: gateway.pay.page(&intent.id),
            expires_at: outcome.result.expires_at,
            evidence: outcome.result.evidence,
            review: intent.review.clone(),
            created_at: moment(intent.created_ms),
            updated_at: moment(intent.updated_ms),
        }
    }
}

/// How a charge stands.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Standing {
    /// Nothing was sent to the provider, and nobody can pay it: the same `Idempotency-Key` sends it.
    New,
    /// Waiting for the payer, or for the provider to finish.
    Pending,
    /// Reserved on a card, not yet taken.
    Authorized,
    /// The money was taken.
    Paid,
    /// Succeeded, and is no payment.
    Done,
    /// It did not succeed.
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
    /// It is being sent, or may have been; what became of it is not known.
    Unknown,
}

impl Standing {
    fn of(state: State) -> Standing {
        match state {
            State::New => Standing::New,
            State::Pending => Standing::Pending,
            State::Authorized => Standing::Authorized,
            State::Paid => Standing::Paid,
            State::Done => Standing::Done,
            State::Failed => Standing::Failed,
            State::Expired => Standing::Expired,
            State::Cancelled => Standing::Cancelled,
            State::PartiallyRefunded => Standing::PartiallyRefunded,
            State::Refunded => Standing::Refunded,
            State::Disputed => Standing::Disputed,
            State::Sending | State::Unknown => Standing::Unknown,
        }
    }
}

/// A page of charges, newest first.
#[derive(Serialize, JsonSchema)]
pub(super) struct Charges {
    /// The charges.
    pub data: Vec<Charge>,
    /// What `after` of the next page is; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A new charge.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "its schema; the account's plugin reads it")]
pub(super) struct NewCharge {
    /// The account, or its provider; the application's own if absent.
    account: Option<String>,
    /// The application's own id of the order. Without it one is made.
    #[schemars(length(min = 1, max = 255))]
    order_id: Option<String>,
    /// What the payer is asked to pay, in rupiah.
    #[schemars(schema_with = "rupiah")]
    amount: Rupiah,
    /// Only rupiah are known.
    currency: Option<Currency>,
    /// How the payer pays, as `/v1/channels` lists it; the application's own if absent.
    channel: Option<String>,
    /// Who pays.
    customer: Option<Customer>,
    /// What is paid for; price × quantity must sum to the amount.
    items: Option<Vec<Item>>,
    /// Where the payer returns to after paying.
    return_url: Option<String>,
    /// Where the payer returns to after giving up.
    cancel_url: Option<String>,
    /// How long the payer may take, in seconds.
    #[schemars(range(min = 1))]
    expires_in: Option<u32>,
    /// What the payer reads.
    description: Option<String>,
    /// What only this provider has; `/v1/accounts/{account}/describe` says what.
    options: Option<Map<String, Value>>,
}

/// An amount that is more than nothing.
fn rupiah(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "description": "What the payer is asked to pay, in rupiah.",
        "anyOf": [
            {"type": "integer", "minimum": 1, "maximum": Rupiah::MAX.get()},
            {"type": "string", "pattern": "^[1-9][0-9]{0,14}$"},
        ],
    })
}

fn maybe_rupiah(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "description": "How much goes back, in rupiah; all of it if absent.",
        "anyOf": [
            {"type": "integer", "minimum": 1, "maximum": Rupiah::MAX.get()},
            {"type": "string", "pattern": "^[1-9][0-9]{0,14}$"},
            {"type": "null"},
        ],
    })
}

/// The currency of an amount.
#[derive(Deserialize, JsonSchema)]
#[expect(clippy::upper_case_acronyms, reason = "its name")]
pub(super) enum Currency {
    /// Indonesian rupiah.
    IDR,
}

/// A new refund.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "its schema; the account's plugin reads it")]
pub(super) struct NewRefund {
    /// How much goes back, in rupiah; all of it if absent.
    #[schemars(schema_with = "maybe_rupiah")]
    amount: Option<Rupiah>,
    /// Why, for the provider's records.
    reason: Option<String>,
    /// What only this provider has.
    options: Option<Map<String, Value>>,
}

/// Nothing.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

/// A refund, and the charge after it.
#[derive(Serialize, JsonSchema)]
pub(super) struct Refund {
    /// Its id here: the engine's intent.
    pub id: String,
    /// Its state.
    pub status: Status,
    /// How much went back, in rupiah, where the provider says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<Rupiah>,
    /// The charge.
    pub charge: Charge,
}

/// What an operation came to: the engine's outcome.
#[derive(Serialize, JsonSchema)]
pub(super) struct OutcomeDocument {
    /// The account.
    pub account: String,
    /// The provider's plugin.
    pub provider: String,
    /// What was called.
    pub operation: String,
    /// The engine's id of the call.
    pub intent: String,
    /// The state, and what else the operation answers.
    #[serde(flatten)]
    pub result: bayar_provider::Outcome,
}

/// The ways to pay.
#[derive(Serialize, JsonSchema)]
pub(super) struct Channels {
    /// The account that they are of.
    pub account: String,
    /// The ways to pay.
    pub data: Vec<bayar_provider::Channel>,
}

/// What is there.
#[derive(Serialize, JsonSchema)]
pub(super) struct Balance {
    /// The account that it is of.
    pub account: String,
    /// As the provider says it; `/v1/accounts/{account}/describe` has its schema.
    pub data: Value,
}

/// What an application was told.
#[derive(Serialize, JsonSchema)]
pub(super) struct Event {
    /// `webhook-id`: the same however often it is sent.
    pub id: String,
    /// Its number among those of the application, without a gap.
    pub number: i64,
    /// `charge.paid`: the operation, and what became of it; `charge.review` where a person must look first.
    #[serde(rename = "type")]
    pub kind: String,
    /// When, RFC 3339.
    pub timestamp: String,
    /// The outcome.
    pub data: Value,
}

/// A page of events, oldest first.
#[derive(Serialize, JsonSchema)]
pub(super) struct Events {
    /// The events.
    pub data: Vec<Event>,
    /// What `after` of the next page is: keep it, and ask again later where there is no more for now.
    pub next: i64,
}

/// The version of the gateway.
#[derive(Serialize, JsonSchema)]
pub(super) struct Version {
    /// `0.1.0`.
    pub version: String,
}

/// Why a request did not succeed: RFC 9457, with the engine's error in it.
#[derive(Serialize, JsonSchema)]
pub(super) struct Problem {
    /// `urn:bayar:problem:` and the code.
    #[serde(rename = "type")]
    pub kind: String,
    /// The code in words.
    pub title: String,
    /// The status of the answer.
    pub status: u16,
    /// The same as `message`.
    pub detail: String,
    /// The reason, for programs.
    pub code: String,
    /// The reason, for people.
    pub message: String,
    /// How far the request got: `not_sent`, `maybe_sent` or `answered`.
    pub stage: StageWord,
    /// Whether making the same call again, with the same key, is safe now.
    pub retry: bool,
    /// What to do.
    pub advice: String,
    /// The parameter concerned, as a path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The engine's id of the call, once it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intent: Option<String>,
    /// What the provider knows, or may know, the order by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// What the provider said: its code, message and HTTP status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<Map<String, Value>>,
}

/// How far a request got.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "its schema")]
pub(super) enum StageWord {
    /// No byte of it reached the provider.
    NotSent,
    /// The provider may have acted upon it.
    MaybeSent,
    /// The provider answered.
    Answered,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn properties<T: JsonSchema>() -> BTreeSet<String> {
        let schema = bayar_provider::schema::<T>();
        let fields = schema["properties"].as_object().expect("an object's schema");
        fields.keys().cloned().collect()
    }

    /// The plugins read a charge, so the schema here must not fall behind.
    #[test]
    fn a_new_charge_is_what_plugins_take() {
        let mut theirs = properties::<bayar_provider::Charge<Vec<u8>>>();
        // The gateway's own, and the gateway says which account.
        theirs.remove("callback_url");
        theirs.insert("account".to_owned());
        assert_eq!(properties::<NewCharge>(), theirs);
    }
}
