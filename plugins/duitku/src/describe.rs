//! What Duitku is and can do, with the sources. `document` is "Dokumentasi Duitku Account Link V1.1".

use bayar_provider::{
    CallbackRules, Charge, Class, Deduplication, Description, Operation, ReferenceRule, Settlement, Which,
    schema,
};

use crate::body::Options;
use crate::settings::{Environment, Hosts, Settings};
use crate::{link, methods};

/// What OVO's compliance team requires a partner to show before unlinking (document, 8, Persyaratan
/// Tambahan OVO). The document ends the English text with the slip "for more Keterangan".
const UNLINK_EN: &str = "Unlink OVO? To use your remaining OVO Cash and OVO Points balance, you'll need to reactivate OVO \
    in the {partner_name} App or download OVO app for more functionalities such as P2P transfer and withdrawal to bank \
    account. Contact cs@ovo.id for more information. [No] [Unlink]";
const UNLINK_ID: &str = "Memutus Tautan (Unlink) Akun OVO? Untuk menggunakan saldo OVO Cash dan OVO Points, Anda harus \
    mengaktifkan kembali Akun OVO Anda pada Aplikasi {partner_name} atau download Aplikasi OVO untuk menikmati \
    fungsi-fungsi lainnya seperti transfer dan penarikan dana ke rekening bank. Hubungi cs@ovo.id atau 1500696 untuk \
    informasi lebih lanjut. [Tidak] [Putuskan Tautan]";

/// The description, in general or under settings.
pub fn description(settings: Option<&Settings>) -> Description {
    Description {
        id: "duitku".to_owned(),
        name: "Duitku".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        summary: "Payments by every way that Duitku has, POP pages, and linked OVO and ShopeePay accounts.".to_owned(),
        settings: schema::<Settings>(),
        origins: settings.map_or_else(every_origin, |settings| settings.hosts().origins()),
        reference: reference_rule(),
        channels: methods::channels(),
        operations: operations(settings.and_then(|settings| settings.partner_name.as_deref())),
        callback: Some(CallbackRules {
            methods: vec!["POST".to_owned()],
            proof: "signature: MD5 of merchantCode, amount, merchantOrderId and the key, or HMAC-SHA256 of the same \
                    under the key; it does not cover resultCode"
                .to_owned(),
            confirmed_by: Some("status".to_owned()),
            registration: "callback_url of each charge".to_owned(),
            source: "document, 7; amount first as in docs.duitku.com and Duitku's own clients".to_owned(),
        }),
    }
}

fn every_origin() -> Vec<String> {
    [Environment::Sandbox, Environment::Production].into_iter().flat_map(|e| Hosts::of(e).origins()).collect()
}

/// What Duitku takes as an order id.
pub fn reference_rule() -> ReferenceRule {
    ReferenceRule {
        max_length: 50,
        punctuation: "-_.".to_owned(),
        source: "document, 5, merchantOrderId (length); no alphabet is printed".to_owned(),
    }
}

fn operations(partner_name: Option<&str>) -> Vec<Operation> {
    let by = |operation: &str| Settlement::Read { operation: operation.to_owned() };
    let text = |text: &str| {
        partner_name.map_or_else(|| text.to_owned(), |name| text.replace("{partner_name}", name))
    };
    vec![
        Operation::new::<Charge<Options>>(
            "charge",
            Class::Keyed,
            by("status"),
            "document, 5; docs.duitku.com: Request Transaction, POP Create Invoice",
            "A POP page; with a channel, a payment by it; with OL or SL, from a linked account.",
        )
        .deduplicated(Deduplication::Claimed),
        Operation::new::<Which>(
            "status",
            Class::Read,
            by("status"),
            "document, 6",
            "The state of a payment.",
        )
        .about_order(),
        Operation::new::<methods::Query>(
            "channels",
            Class::Read,
            Settlement::Nobody,
            "docs.duitku.com: Get Payment Method",
            "The ways to pay that this account has, with their fees.",
        )
        .with_data::<methods::Methods>(),
        Operation::new::<link::Link>(
            "link",
            Class::Change,
            by("account"),
            "document, 1",
            "Begins to link a customer's OVO or ShopeePay account: a page where the customer enters the PIN.",
        ),
        Operation::new::<link::Unlink>(
            "unlink",
            Class::Change,
            by("account"),
            "document, 2 and 8",
            "Unlinks an account.",
        )
        .notice("en", &text(UNLINK_EN))
        .notice("id", &text(UNLINK_ID)),
        Operation::new::<link::Which>(
            "account",
            Class::Read,
            Settlement::Nobody,
            "document, 3",
            "Whether an account is linked, and what is in it.",
        )
        .with_data::<link::LinkedAccount>(),
        Operation::new::<link::Guide>(
            "topup_guide",
            Class::Read,
            Settlement::Nobody,
            "document, 4",
            "Pages that tell an OVO customer how to top up.",
        )
        .with_data::<link::Guides>(),
    ]
}
