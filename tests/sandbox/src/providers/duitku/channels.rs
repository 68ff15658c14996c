//! The payment methods, by their public codes.

use serde_json::{Value, json};

/// What a payer gets to see of a method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A number to transfer to, or to say at a counter.
    Number,
    Qris,
    /// A page of Duitku's or of a partner's.
    Page,
    /// An account linked before.
    Linked,
    /// A loan: wants to know the payer and the goods.
    Credit,
    /// A shop: wants a name, and has an application.
    Commerce,
}

/// One method.
pub(super) struct Channel {
    pub(super) code: &'static str,
    pub(super) label: &'static str,
    pub(super) kind: Kind,
    /// Until it expires, by default.
    minutes: i64,
    /// The longest that may be asked for; 0: Duitku ignores the wish.
    most: i64,
}

/// "> 1440": no end is named. A year is enough for a sandbox.
const LONG: i64 = 365 * 24 * 60;

#[rustfmt::skip] // a table reads better as one
const ALL: [Channel; 33] = [
    Channel { code: "VC", label: "CREDIT CARD", kind: Kind::Page, minutes: 30, most: 0 },
    Channel { code: "BC", label: "BCA VA", kind: Kind::Number, minutes: 1440, most: LONG },
    Channel { code: "M2", label: "MANDIRI VA H2H", kind: Kind::Number, minutes: 1440, most: LONG },
    Channel { code: "VA", label: "MAYBANK VA", kind: Kind::Number, minutes: 1440, most: LONG },
    Channel { code: "I1", label: "BNI VA", kind: Kind::Number, minutes: 1440, most: LONG },
    Channel { code: "B1", label: "CIMB NIAGA VA", kind: Kind::Number, minutes: 1440, most: LONG },
    Channel { code: "BT", label: "PERMATA VA", kind: Kind::Number, minutes: 1440, most: LONG },
    Channel { code: "A1", label: "ATM BERSAMA VA", kind: Kind::Number, minutes: 1440, most: LONG },
    Channel { code: "AG", label: "ARTHA GRAHA VA", kind: Kind::Number, minutes: 1440, most: LONG },
    Channel { code: "NC", label: "BNC VA", kind: Kind::Number, minutes: 1440, most: LONG },
    Channel { code: "BR", label: "BRI VA", kind: Kind::Number, minutes: 1440, most: LONG },
    Channel { code: "S1", label: "SAMPOERNA VA", kind: Kind::Number, minutes: 1440, most: LONG },
    Channel { code: "DM", label: "DANAMON VA", kind: Kind::Number, minutes: 1440, most: LONG },
    Channel { code: "BV", label: "BSI VA", kind: Kind::Number, minutes: 1440, most: LONG },
    Channel { code: "FT", label: "RETAIL", kind: Kind::Number, minutes: 1440, most: LONG },
    Channel { code: "IR", label: "INDOMARET", kind: Kind::Number, minutes: 1440, most: LONG },
    Channel { code: "OV", label: "OVO", kind: Kind::Page, minutes: 10, most: 1440 },
    Channel { code: "SA", label: "SHOPEEPAY APP", kind: Kind::Page, minutes: 10, most: 60 },
    Channel { code: "LF", label: "LINKAJA APP FIXED", kind: Kind::Page, minutes: 24, most: 0 },
    Channel { code: "LA", label: "LINKAJA APP PERCENTAGE", kind: Kind::Page, minutes: 24, most: 0 },
    Channel { code: "DA", label: "DANA", kind: Kind::Page, minutes: 1440, most: 1440 },
    Channel { code: "SL", label: "SHOPEEPAY LINK", kind: Kind::Linked, minutes: 30, most: 0 },
    Channel { code: "OL", label: "OVO LINK", kind: Kind::Linked, minutes: 15, most: 0 },
    Channel { code: "SP", label: "SHOPEEPAY QRIS", kind: Kind::Qris, minutes: 10, most: 60 },
    Channel { code: "NQ", label: "NOBU QRIS", kind: Kind::Qris, minutes: 24, most: 1440 },
    Channel { code: "GQ", label: "GUDANG VOUCHER QRIS", kind: Kind::Qris, minutes: 10, most: 60 },
    Channel { code: "SQ", label: "NUSAPAY QRIS", kind: Kind::Qris, minutes: 10, most: 60 },
    Channel { code: "DN", label: "INDODANA PAYLATER", kind: Kind::Credit, minutes: 1440, most: 1440 },
    Channel { code: "AT", label: "ATOME", kind: Kind::Credit, minutes: 720, most: 720 },
    Channel { code: "JP", label: "JENIUS PAY", kind: Kind::Page, minutes: 10, most: 10 },
    Channel { code: "T1", label: "TOKOPEDIA CARD", kind: Kind::Commerce, minutes: 1440, most: 1440 },
    Channel { code: "T2", label: "TOKOPEDIA E-WALLET", kind: Kind::Commerce, minutes: 1440, most: 1440 },
    Channel { code: "T3", label: "TOKOPEDIA OTHERS", kind: Kind::Commerce, minutes: 1440, most: 1440 },
];

impl Channel {
    /// For how many minutes a payment is open. A wish beyond the longest is cut, as the public
    /// table of it suggests.
    pub(super) fn open_for(&self, wish: Option<i64>) -> i64 {
        wish.filter(|_| self.most > 0).map_or(self.minutes, |wish| wish.min(self.most))
    }
}

/// The method of that code.
pub(super) fn find(code: &str) -> Option<&'static Channel> {
    ALL.iter().find(|one| one.code == code)
}

/// What the payer of an invoice chooses from: a linked account is not for its page.
pub(super) fn choices() -> Vec<(String, String)> {
    let shown = ALL.iter().filter(|one| one.kind != Kind::Linked);
    shown.map(|one| (one.code.to_owned(), one.label.to_owned())).collect()
}

/// `paymentFee`: a fee that the merchant bears shows as 0, and as a text.
pub(super) fn fees(base: &str) -> Vec<Value> {
    let one = |channel: &Channel| {
        json!({
            "paymentMethod": channel.code,
            "paymentName": channel.label,
            "paymentImage": format!("{base}/hotlink-ok/{}.PNG", channel.code),
            "totalFee": "0",
        })
    };
    ALL.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::find;

    #[test]
    fn a_wish_is_heard_where_the_public_table_says_so() {
        let minutes = |code, wish| find(code).expect("a method").open_for(wish);
        assert_eq!(minutes("BC", None), 1440);
        assert_eq!(minutes("BC", Some(5000)), 5000);
        assert_eq!(minutes("SP", Some(600)), 60);
        assert_eq!(minutes("DA", Some(60)), 60);
        assert_eq!((minutes("SA", None), minutes("SA", Some(15))), (10, 15));
        assert_eq!(minutes("OL", Some(5)), 15, "always the default");
    }
}
