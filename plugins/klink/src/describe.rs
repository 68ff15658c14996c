//! What K-Link is and can do, with the sources: "K-Link service-payment", parts 1 (Kwallet),
//! 2 (VA and CC) and 3 (Gopay).

use bayar_provider::{
    CallbackRules, Channels, Charge, Class, Deduplication, Description, Operation, ReferenceRule, Settlement,
    schema,
};

use crate::settings::{Settings, base_url};
use crate::{channels, charge, ledger, refund, register, report, wallet};

/// The description, in general or under the settings of an account.
pub fn description(settings: Option<&Settings>) -> Description {
    Description {
        id: "klink".to_owned(),
        name: "K-Link".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        summary: "K-Link service-payment: the Kwallet; virtual accounts, cards and manual transfers; GoPay over Midtrans."
            .to_owned(),
        settings: schema::<Settings>(),
        origins: vec![settings.map_or_else(base_url, Settings::origin)],
        reference: reference_rule(),
        // Every account has its own; `channels` asks for them.
        channels: Vec::new(),
        operations: [wallet_operations(), refund_operations(), service_operations()].concat(),
        callback: Some(CallbackRules {
            methods: vec!["POST".to_owned()],
            proof: "x-servicepayment = HMAC-SHA256 of the raw body under the PID key".to_owned(),
            confirmed_by: None,
            registration: "K-Link's IT team, beforehand; not per charge".to_owned(),
            source: "K-Link service-payment, 2 d Webhook Notification Settlement, 3 d Webhook Notifikasi Pembayaran"
                .to_owned(),
        }),
    }
}

/// What K-Link takes as an order id: no rule is printed, only ids such as `1234/917/ATG` and
/// `DEV-220908-MHZTHJW`. The length is that of Midtrans, through which some of them go.
pub fn reference_rule() -> ReferenceRule {
    ReferenceRule {
        max_length: 50,
        punctuation: "-_./".to_owned(),
        source: "K-Link service-payment, the samples of 3 d and 3 e; length: Midtrans, order_id".to_owned(),
    }
}

fn wallet_operations() -> Vec<Operation> {
    let source = |section: &str| format!("K-Link service-payment, {section}");
    let nobody = || Settlement::Nobody;
    vec![
        Operation::new::<register::Params>(
            "register_va",
            Class::Change,
            nobody(),
            &source("1 b Registrasi VA"),
            "Gives a member a virtual account at each of several banks.",
        )
        .with_data::<register::Registered>(),
        Operation::new::<wallet::BalanceParams>(
            "balance",
            Class::Read,
            nobody(),
            &source("1 c Check Saldo"),
            "The balance of a member's wallet.",
        )
        .with_data::<wallet::Balance>(),
        Operation::new::<ledger::HistoryParams>(
            "history",
            Class::Read,
            nobody(),
            &source("1 d History Transaction"),
            "What went into and out of a member's wallet.",
        )
        .with_data::<ledger::History>(),
        // That the history does not show one proves nothing, so it settles neither of these two.
        Operation::new::<wallet::TransferParams>(
            "transfer",
            Class::Once,
            nobody(),
            &source("1 e Transfer to Account"),
            "Moves money from one member's wallet to another's.",
        ),
        Operation::new::<wallet::VoucherParams>(
            "voucher",
            Class::Once,
            nobody(),
            &source("1 f Voucher Saldo Kwallet"),
            "Tops up a member's wallet with a voucher.",
        ),
        Operation::new::<wallet::PayParams>(
            "pay",
            Class::Keyed,
            Settlement::Keyed { operation: "reconcile".to_owned() },
            &source("1 g Bayar"),
            "Pays an order from a member's wallet.",
        )
        .deduplicated(Deduplication::Claimed),
        Operation::new::<ledger::ReconcileParams>(
            "reconcile",
            Class::Keyed,
            nobody(),
            &source("1 h Reconcile"),
            "Sets right, and shows, the payment of an order that went wrong; an operator's step.",
        )
        .about_order()
        .deduplicated(Deduplication::Claimed)
        .with_data::<ledger::Reconciled>(),
    ]
}

fn refund_operations() -> Vec<Operation> {
    let source = "K-Link service-payment, 1 i Escrow Refund";
    let by_itself = |name: &str| Settlement::Keyed { operation: name.to_owned() };
    vec![
        Operation::new::<refund::Params>(
            "refund",
            Class::Keyed,
            by_itself("refund"),
            source,
            "Gives a wallet payment back, whole: asks, and confirms where there is one answer.",
        )
        .about_order()
        .deduplicated(Deduplication::Claimed)
        .with_data::<refund::Refunded>(),
        Operation::new::<refund::QuoteParams>(
            "refund_quote",
            Class::Read,
            Settlement::Nobody,
            source,
            "What there is to refund of an order.",
        )
        .about_order()
        .with_data::<refund::Quotes>(),
        Operation::new::<refund::AcceptParams>(
            "refund_accept",
            Class::Keyed,
            by_itself("refund_accept"),
            source,
            "Refunds what refund_quote showed.",
        )
        .about_order()
        .deduplicated(Deduplication::Claimed)
        .with_data::<refund::Refunded>(),
    ]
}

fn service_operations() -> Vec<Operation> {
    vec![
        Operation::new::<channels::Params>(
            "channels",
            Class::Read,
            Settlement::Nobody,
            "K-Link service-payment, 2 b and 3 b List Bank",
            "The ways to pay, of both lists.",
        )
        .with_data::<Channels>(),
        Operation::new::<Charge<charge::Options>>(
            "charge",
            Class::Keyed,
            Settlement::Callback,
            "K-Link service-payment, 2 c and 3 c Payment Service",
            "A virtual account, a card's page, a manual transfer of an exact amount, or GoPay; by channel.",
        )
        .without(&["callback_url", "expires_in"])
        .deduplicated(Deduplication::Claimed),
        Operation::new::<report::Params>(
            "report",
            Class::Read,
            Settlement::Nobody,
            "K-Link service-payment, 3 e Finance Reporting",
            "The charges over Midtrans. No evidence that one was paid; needs the setting path_report.",
        )
        .with_data::<report::Report>(),
    ]
}
