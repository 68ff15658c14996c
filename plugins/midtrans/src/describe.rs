//! What Midtrans is and can do, with the sources.

use crate::charge::Options;
use crate::gateway;
use crate::refund::Refunded;
use crate::settings::{Environment, Settings, hosts};
use bayar_provider::{
    CallbackRules, Channel, Channels, Charge, Class, Deduplication, Description, Nothing, Operation,
    ReferenceRule, Refund, Settlement, Which, schema,
};

/// The description, in general or under settings.
pub fn description(settings: Option<&Settings>) -> Description {
    let through_gateway = settings.is_some_and(Settings::through_gateway);
    Description {
        id: "midtrans".to_owned(),
        name: "Midtrans".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        summary: "Snap payment pages and direct charges of Midtrans, or of an HTTP gateway before it."
            .to_owned(),
        settings: schema::<Settings>(),
        origins: settings.map_or_else(every_origin, Settings::origins),
        reference: ReferenceRule {
            max_length: 50,
            punctuation: "-_~.".to_owned(),
            source: "docs.midtrans.com, Core API, Transaction Details Object".to_owned(),
        },
        channels: if through_gateway { Vec::new() } else { channels() },
        operations: if through_gateway { gateway::operations() } else { operations() },
        callback: (!through_gateway).then(callback_rules),
    }
}

/// Ways to pay that a direct charge can name.
pub fn channels() -> Vec<Channel> {
    vec![
        Channel::new("gopay", "GoPay", "deeplink"),
        Channel::new("shopeepay", "ShopeePay", "deeplink"),
        Channel::new("qris", "QRIS", "qr"),
        Channel::new("bca_va", "BCA virtual account", "virtual_account"),
        Channel::new("bni_va", "BNI virtual account", "virtual_account"),
        Channel::new("bri_va", "BRI virtual account", "virtual_account"),
        Channel::new("cimb_va", "CIMB Niaga virtual account", "virtual_account"),
        Channel::new("permata_va", "Permata virtual account", "virtual_account"),
        Channel::new("mandiri_va", "Mandiri bill payment", "virtual_account"),
        Channel::new("alfamart", "Alfamart, Alfamidi, DAN+DAN", "retail"),
        Channel::new("indomaret", "Indomaret", "retail"),
    ]
}

fn every_origin() -> Vec<String> {
    let both = [hosts(Environment::Sandbox), hosts(Environment::Production)];
    both.into_iter().flat_map(|(snap, core)| [snap.to_owned(), core.to_owned()]).collect()
}

/// What the status query settles.
pub fn by_status() -> Settlement {
    Settlement::Read { operation: "status".to_owned() }
}

fn operations() -> Vec<Operation> {
    vec![
        Operation::new::<Charge<Options>>(
            "charge",
            Class::Keyed,
            by_status(),
            "docs.midtrans.com: Snap API, Backend Integration; Core API, Charge Transactions",
            "A Snap payment page; with a channel, a direct charge.",
        )
        .deduplicated(Deduplication::Proven),
        Operation::new::<Which>(
            "status",
            Class::Read,
            by_status(),
            "docs.midtrans.com: Core API, Get Transaction Status",
            "The state of a payment.",
        )
        .about_order(),
        Operation::new::<Which>(
            "cancel",
            Class::Keyed,
            by_status(),
            "docs.midtrans.com: Core API, Cancel Transaction",
            "Withdraws a payment that is pending, authorized or captured and not yet settled.",
        )
        .about_order()
        .deduplicated(Deduplication::Claimed),
        Operation::new::<Refund>(
            "refund",
            Class::Keyed,
            Settlement::Keyed { operation: "refund".to_owned() },
            "docs.midtrans.com: Core API, Refund Transaction",
            "Gives all or part of a settled payment back.",
        )
        .about_order()
        .deduplicated(Deduplication::Proven)
        .with_data::<Refunded>(),
        change("expire", "Expire Transaction", "Ends a pending payment before its time."),
        change("approve", "Approve Transaction", "Accepts a card payment that fraud detection challenged."),
        change("deny", "Deny Transaction", "Refuses a card payment that fraud detection challenged."),
        Operation::new::<Nothing>(
            "channels",
            Class::Read,
            Settlement::Nobody,
            "docs.midtrans.com: Core API, Supported Payment Channels",
            "The ways to pay that a direct charge can name.",
        )
        .with_data::<Channels>(),
    ]
}

fn change(name: &str, section: &str, summary: &str) -> Operation {
    let source = format!("docs.midtrans.com: Core API, {section}");
    Operation::new::<Which>(name, Class::Change, by_status(), &source, summary).about_order()
}

fn callback_rules() -> CallbackRules {
    CallbackRules {
        methods: vec!["POST".to_owned()],
        proof: "signature_key = SHA-512 of order_id, status_code, gross_amount and the server key; \
                it covers neither transaction_status nor fraud_status"
            .to_owned(),
        confirmed_by: Some("status".to_owned()),
        registration: "dashboard, Settings, Payment, Notification URL; or callback_url of each charge"
            .to_owned(),
        source: "docs.midtrans.com: HTTP(S) Notification / Webhooks".to_owned(),
    }
}
