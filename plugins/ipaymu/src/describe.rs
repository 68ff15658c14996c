//! What iPaymu is and can do, with the sources. `document` is "API iPaymu v2", `public` is iPaymu's
//! own public documentation of the API and its clients.

use bayar_provider::{
    CallbackRules, Charge, Class, Description, Nothing, Operation, ReferenceRule, Settlement, Which, schema,
};

use crate::options::Options;
use crate::settings::{Environment, Settings};
use crate::{account, channels, cod, direct};

/// What must be done before a courier is called (document, COD, 2 Request Pickup).
const PACK_EN: &str = "Before calling a courier: the goods are packed and ready, with iPaymu's transaction id and the way \
    bill number (AWB) attached, and a shipping label with the names, phone numbers and addresses of sender and receiver.";
const PACK_ID: &str = "Saat request pickup pastikan barang sudah siap dan di packing: melampirkan ID Transaksi iPaymu dan \
    No Resi (AWB), dan melengkapi label pengiriman tertera Nama, No Hp, serta Alamat Pengirim dan Penerima.";

/// The description, in general or under settings.
pub fn description(settings: Option<&Settings>) -> Description {
    let everywhere =
        || [Environment::Sandbox, Environment::Production].map(|e| e.address().to_owned()).to_vec();
    Description {
        id: "ipaymu".to_owned(),
        name: "iPaymu".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        summary: "Payment pages, direct payments and cash on delivery of iPaymu, API version 2.".to_owned(),
        settings: schema::<Settings>(),
        origins: settings.map_or_else(everywhere, |settings| vec![settings.origin()]),
        reference: reference_rule(),
        channels: channels::channels(),
        operations: operations(),
        callback: Some(CallbackRules {
            methods: vec!["POST".to_owned()],
            proof: "a token of ours in the address of each payment; X-Signature, where given, must be right, but is keyed \
                    by the VA number, which is no secret"
                .to_owned(),
            confirmed_by: Some("status".to_owned()),
            registration: "callback_url of each charge".to_owned(),
            source: "document, Parameter Notify; public, Callback".to_owned(),
        }),
    }
}

/// What iPaymu gets as a reference.
pub fn reference_rule() -> ReferenceRule {
    ReferenceRule {
        max_length: 50,
        punctuation: "-_.".to_owned(),
        source: "document, referenceId: no limits are printed, so these are ours".to_owned(),
    }
}

fn operations() -> Vec<Operation> {
    let by_status = || Settlement::Read { operation: "status".to_owned() };
    let nobody = || Settlement::Nobody;
    vec![
        Operation::new::<Charge<Options>>(
            "charge",
            Class::Payable,
            by_status(),
            "document, API Payment Redirect, API Payment Direct, COD 1",
            "A payment page; with a channel, a direct payment or cash on delivery.",
        )
        .with_data::<direct::Details>(),
        Operation::new::<Which>(
            "status",
            Class::Read,
            by_status(),
            "public, Check Transaction, Transaction History",
            "The state of a payment, by iPaymu's id or found by the order; of both, both must hold.",
        )
        .about_order(),
        Operation::new::<cod::Which>(
            "cod_pickup",
            Class::Once,
            nobody(),
            "document, COD 2 Request Pickup",
            "Sends a courier for the goods of a payment; pack and label them first.",
        )
        .with_data::<cod::Pickup>()
        .notice("en", PACK_EN)
        .notice("id", PACK_ID),
        Operation::new::<cod::Which>(
            "cod_area",
            Class::Read,
            nobody(),
            "document, COD 3 Get Area COD",
            "Where cash on delivery goes.",
        )
        .with_data::<cod::Areas>(),
        Operation::new::<cod::WayBill>(
            "cod_tracking",
            Class::Read,
            nobody(),
            "document, COD 4 Tracking",
            "Where the goods have been.",
        )
        .with_data::<cod::Track>(),
        Operation::new::<Nothing>(
            "balance",
            Class::Read,
            nobody(),
            "public, Check Balance",
            "What the account has.",
        )
        .with_data::<account::Balances>(),
        Operation::new::<account::Query>(
            "history",
            Class::Read,
            nobody(),
            "public, Transaction History",
            "The account's transactions, page by page.",
        )
        .with_data::<account::Transactions>(),
        Operation::new::<Nothing>(
            "channels",
            Class::Read,
            nobody(),
            "public, Payment Channels",
            "The ways to pay, and what they cost.",
        )
        .with_data::<channels::Ways>(),
    ]
}
