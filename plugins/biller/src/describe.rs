//! What the biller is and can do, with the sources: "API DOC - Biller Format Json", V1.0.0.

use bayar_provider::{CallbackRules, Class, Description, Operation, ReferenceRule, Settlement, schema};

use crate::purchase::{Accepted, Params};
use crate::settings::Settings;

/// The description, in general or under the settings of an account.
pub fn description(settings: Option<&Settings>) -> Description {
    Description {
        id: "biller".to_owned(),
        name: "Biller".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        summary: "Prepaid purchases (PPOB) over a biller's JSON API. The host needs a static public IP address, registered with the biller."
            .to_owned(),
        settings: schema::<Settings>(),
        // Every partner has an address of its own: without settings there is none.
        origins: settings.map(Settings::origin).into_iter().collect(),
        reference: reference_rule(),
        channels: Vec::new(),
        operations: vec![purchase()],
        callback: Some(CallbackRules {
            methods: vec!["GET".to_owned(), "POST".to_owned()],
            proof: "no signature: the token in the URL, the address that it came from, and the purchase that it \
                    matches (our trxid and its destination), all together"
                .to_owned(),
            confirmed_by: None,
            registration: "the biller, beforehand: https://shop.example.com/callback/TOKEN, or …?token=TOKEN".to_owned(),
            source: "API DOC - Biller Format Json, B. Reversal".to_owned(),
        }),
    }
}

/// What the biller takes as a transaction id: no rule is printed, only ids of digits. These
/// characters stand in a query as they are.
pub fn reference_rule() -> ReferenceRule {
    ReferenceRule {
        max_length: 32,
        punctuation: "-_".to_owned(),
        source: "API DOC - Biller Format Json, A. Transaksi, trxid; alphabet and length are ours".to_owned(),
    }
}

fn purchase() -> Operation {
    Operation::new::<Params>(
        "purchase",
        Class::Once,
        Settlement::Callback,
        "API DOC - Biller Format Json, A. Transaksi (cmd trx)",
        "Buys a prepaid product for a phone or customer number. Accepted is pending: the callback concludes it, and delivers.",
    )
    .with_data::<Accepted>()
    .notice("en", "Requests must come from the static public IP address that was registered with the biller (setting local_address).")
    .notice("id", "Permintaan harus dikirim dari IP publik statis yang sudah didaftarkan di biller.")
}
