//! What the provider is and can do. The engine trusts every word of it: which requests may be
//! repeated, and who is asked when an answer is lost.
//!
//! To change: all of it, with the document and section for each. When in doubt about a repeat,
//! promise less: `Class::Payable` or `Class::Once`, `Deduplication::None`.

use bayar_provider::{
    CallbackRules, Channel, Channels, Charge, Class, Deduplication, Description, Nothing, Operation,
    ReferenceRule, Refund, Settlement, Which, schema,
};

use crate::settings::{Environment, Settings};

/// The description, in general or under the settings of an account.
pub fn description(settings: Option<&Settings>) -> Description {
    let everywhere =
        || [Environment::Sandbox, Environment::Production].map(|e| e.address().to_owned()).to_vec();
    Description {
        id: "template".to_owned(),
        name: "Template".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        summary: "A provider that is there to be copied.".to_owned(),
        settings: schema::<Settings>(),
        origins: settings.map_or_else(everywhere, |settings| vec![settings.origin()]),
        reference: reference_rule(),
        channels: channels(),
        operations: operations(),
        callback: Some(CallbackRules {
            methods: vec!["POST".to_owned()],
            proof: "X-Template-Signature: HMAC-SHA256 of the raw body under the secret key".to_owned(),
            confirmed_by: None,
            registration: "the provider's dashboard".to_owned(),
            source: "Template API, Callbacks".to_owned(),
        }),
    }
}

/// What the provider takes as an order id.
pub fn reference_rule() -> ReferenceRule {
    ReferenceRule {
        max_length: 40,
        punctuation: "-_".to_owned(),
        source: "Template API, POST /v1/payments, merchant_order_id".to_owned(),
    }
}

/// Ways to pay.
pub fn channels() -> Vec<Channel> {
    vec![Channel::new("va", "Virtual account", "virtual_account"), Channel::new("qr", "QR code", "qr")]
}

fn operations() -> Vec<Operation> {
    let by_status = || Settlement::Read { operation: "status".to_owned() };
    vec![
        // Charge<Nothing>: put a type of your own where the provider has options of its own.
        Operation::new::<Charge<Nothing>>(
            "charge",
            Class::Keyed,
            by_status(),
            "Template API, POST /v1/payments",
            "A payment page; with a channel, a virtual account or a QR code.",
        )
        // A repeat answers 409 and not the payment: there is something to query, nothing to resend.
        .deduplicated(Deduplication::Claimed),
        Operation::new::<Which>(
            "status",
            Class::Read,
            by_status(),
            "Template API, GET /v1/payments/{merchant_order_id}",
            "The state of a payment.",
        )
        .about_order(),
        Operation::new::<Which>(
            "cancel",
            Class::Keyed,
            by_status(),
            "Template API, POST /v1/payments/{merchant_order_id}/cancel",
            "Withdraws a payment that is not paid yet.",
        )
        .about_order()
        .deduplicated(Deduplication::Claimed),
        Operation::new::<Refund>(
            "refund",
            Class::Keyed,
            Settlement::Keyed { operation: "refund".to_owned() },
            "Template API, POST /v1/payments/{merchant_order_id}/refund",
            "Gives all or part of a payment back.",
        )
        .about_order()
        // The document says that the same refund_id is answered as the first time.
        .deduplicated(Deduplication::Proven)
        .with_data::<crate::refund::Refunded>(),
        Operation::new::<Nothing>(
            "channels",
            Class::Read,
            Settlement::Nobody,
            "Template API, POST /v1/payments, method",
            "The ways to pay.",
        )
        .with_data::<Channels>(),
    ]
}
