//! The channels of the second part: `list_bank`.

use serde_json::{Value, json};

use crate::provider::Desk;

/// How a channel is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Va,
    Card,
    Manual,
}

/// A row of the list.
pub(super) struct Channel {
    pub(super) bank: &'static str,
    pub(super) product: &'static str,
    pub(super) label: &'static str,
    pub(super) kind: Kind,
    /// The account that a manual transfer goes to; 0 where there is none.
    pub(super) account: i64,
    pub(super) active: bool,
}

/// Only `014 BCAATM` is printed; the codes of the others are made up after it. One manual
/// channel has no account, and one channel is switched off: both occur, and a merchant must
/// not send a payer there.
#[rustfmt::skip] // a table reads better as one
pub(super) const ALL: [Channel; 6] = [
    Channel { bank: "014", product: "BCAATM", label: "BCA VA Online", kind: Kind::Va, account: 0, active: true },
    Channel { bank: "008", product: "MANDIRIATM", label: "Mandiri ATM", kind: Kind::Va, account: 0, active: true },
    Channel { bank: "008", product: "MANDIRICC", label: "Mandiri Credit Card", kind: Kind::Card, account: 0, active: true },
    Channel { bank: "008", product: "MANDIRIMANUAL", label: "Mandiri Manual", kind: Kind::Manual, account: 1_190_000_000_001, active: true },
    Channel { bank: "002", product: "BRIMANUAL", label: "BRI Manual", kind: Kind::Manual, account: 0, active: true },
    Channel { bank: "016", product: "MAYBANKATM", label: "Maybank VA", kind: Kind::Va, account: 0, active: false },
];

/// The active channel of these codes.
pub(super) fn find(bank: &str, product: &str) -> Option<&'static Channel> {
    ALL.iter().find(|one| one.bank == bank && one.product == product && one.active)
}

/// The rows, as answered.
pub(super) fn list(desk: &Desk<'_>) -> Vec<Value> {
    let row = |(index, one): (usize, &Channel)| {
        let card = one.kind == Kind::Card;
        let has_account = one.account != 0;
        json!({
            "bankCode": one.bank,
            "bankDesc": one.label.to_uppercase(),
            "bankDisplayNm": one.label,
            "bank_pemilik": if has_account { "PT TOKO CONTOH" } else { "" },
            "bankacc": one.account,
            "cabang": if has_account { "Jakarta" } else { "" },
            "charge_admin": "0",
            "charge_connectivity": "0",
            "id": 42 + index,
            "img_url": format!("{}/images/{}.png", desk.base_url(), one.product.to_lowercase()),
            "install_12": if card { "1" } else { "0" },
            "install_6": if card { "1" } else { "0" },
            "is_installment": if card { "1" } else { "0" },
            "kategori": match one.kind {
                Kind::Va => "Transfer Bank (VA)",
                Kind::Card => "Kartu Kredit",
                Kind::Manual => "Transfer Bank (Manual)",
            },
            "productCode": one.product,
            "productName": one.label,
            "status": if one.active { "1" } else { "0" },
        })
    };
    ALL.iter().enumerate().map(row).collect()
}
