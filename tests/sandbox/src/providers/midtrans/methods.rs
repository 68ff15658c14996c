//! The payment methods: what each answers, how long it waits, whether it can be refunded.

use serde_json::{Map, Value, json};

use crate::provider::Instruction;
use crate::qris::qris;
use crate::tools::digits;

/// A payment method, by the name that Snap has for it.
#[derive(Debug)]
pub(super) struct Method {
    pub(super) name: &'static str,
    pub(super) payment_type: &'static str,
    /// For people.
    pub(super) label: &'static str,
    /// The bank, store or acquirer.
    pub(super) part: &'static str,
    /// Until it expires, by default.
    pub(super) minutes: i64,
    pub(super) refund: Refund,
    /// The `status_message` of a charge.
    message: &'static str,
}

/// Which refunds a method knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refund {
    No,
    Whole,
    Parts,
}

const DAY: i64 = 24 * 60;
const VA: &str = "Success, Bank Transfer transaction is created";
const STORE: &str = "Success, cstore transaction is successful";

#[rustfmt::skip] // a table reads better as one
pub(super) const ALL: [Method; 12] = [
    Method { name: "bca_va", payment_type: "bank_transfer", label: "BCA Virtual Account", part: "bca", minutes: DAY, refund: Refund::No, message: VA },
    Method { name: "bni_va", payment_type: "bank_transfer", label: "BNI Virtual Account", part: "bni", minutes: DAY, refund: Refund::No, message: VA },
    Method { name: "bri_va", payment_type: "bank_transfer", label: "BRI Virtual Account", part: "bri", minutes: DAY, refund: Refund::No, message: VA },
    Method { name: "permata_va", payment_type: "bank_transfer", label: "Permata Virtual Account", part: "permata", minutes: DAY, refund: Refund::No, message: "Success, PERMATA VA transaction is successful" },
    Method { name: "cimb_va", payment_type: "bank_transfer", label: "CIMB Virtual Account", part: "cimb", minutes: DAY, refund: Refund::No, message: VA },
    Method { name: "echannel", payment_type: "echannel", label: "Mandiri Bill Payment", part: "mandiri", minutes: DAY, refund: Refund::No, message: "Success, Mandiri Bill transaction is successful" },
    Method { name: "gopay", payment_type: "gopay", label: "GoPay", part: "", minutes: 15, refund: Refund::Parts, message: "GoPay transaction is created" },
    Method { name: "qris", payment_type: "qris", label: "QRIS", part: "gopay", minutes: 15, refund: Refund::Parts, message: "QRIS transaction is created" },
    Method { name: "shopeepay", payment_type: "shopeepay", label: "ShopeePay", part: "", minutes: 15, refund: Refund::Whole, message: "ShopeePay transaction is created" },
    Method { name: "indomaret", payment_type: "cstore", label: "Indomaret", part: "indomaret", minutes: DAY, refund: Refund::No, message: STORE },
    Method { name: "alfamart", payment_type: "cstore", label: "Alfamart", part: "alfamart", minutes: DAY, refund: Refund::No, message: STORE },
    Method { name: "credit_card", payment_type: "credit_card", label: "Card", part: "bni", minutes: 10, refund: Refund::Parts, message: "Success, Credit Card transaction is successful" },
];

/// The method of that name, in Snap's words or the Core API's.
pub(super) fn named(name: &str) -> Option<&'static Method> {
    let name = match name {
        "bank_transfer" => "bca_va",
        "other_qris" => "qris",
        other => other,
    };
    ALL.iter().find(|method| method.name == name)
}

/// The method of a payment type and its bank, store or acquirer.
pub(super) fn of(payment_type: &str, part: &str) -> Option<&'static Method> {
    ALL.iter().find(|method| method.payment_type == payment_type && (method.part == part || part.is_empty()))
}

/// What a method gives to a new transaction.
pub(super) struct Given {
    /// Repeated by status and notification.
    pub(super) fields: Map<String, Value>,
    /// Answered by the charge only.
    pub(super) only_charge: Map<String, Value>,
    pub(super) instructions: Vec<Instruction>,
    pub(super) message: &'static str,
}

impl Method {
    /// Whether Midtrans judges fraud of it: Indomaret's samples have no `fraud_status`.
    pub(super) fn judges_fraud(&self) -> bool {
        self.name != "indomaret"
    }

    /// Numbers, codes and links of a new transaction. `asked` is the free part of a VA number
    /// that the merchant wants.
    pub(super) fn give(
        &self,
        base_url: &str,
        transaction_id: &str,
        amount: i64,
        asked: Option<&str>,
    ) -> Given {
        let mut given = Given {
            fields: Map::new(),
            only_charge: Map::new(),
            instructions: Vec::new(),
            message: self.message,
        };
        match self.payment_type {
            "bank_transfer" => self.give_va(&mut given, asked),
            "echannel" => {
                let key = digits(12);
                given.fields.insert("bill_key".to_owned(), json!(key));
                given.fields.insert("biller_code".to_owned(), json!("70012"));
                given.instructions.push(Instruction::text("Mandiri biller code", "70012"));
                given.instructions.push(Instruction::text("Bill key", key));
            }
            "cstore" => {
                let code = digits(if self.part == "indomaret" { 14 } else { 16 });
                given.fields.insert("payment_code".to_owned(), json!(code));
                given.fields.insert("store".to_owned(), json!(self.part));
                given.instructions.push(Instruction::text(format!("{} payment code", self.label), code));
            }
            "qris" => {
                let qr = qris(transaction_id, amount);
                let url = format!("{base_url}/v2/qris/{transaction_id}/qr-code");
                given.fields.insert("acquirer".to_owned(), json!("gopay"));
                given
                    .only_charge
                    .insert("actions".to_owned(), json!([action("generate-qr-code", "GET", &url)]));
                given.only_charge.insert("qr_string".to_owned(), json!(qr));
                given.instructions.push(Instruction::qr(qr));
            }
            "gopay" => give_gopay(&mut given, base_url, transaction_id, amount),
            "shopeepay" => {
                let url = format!("{base_url}/pay/{transaction_id}");
                given
                    .only_charge
                    .insert("actions".to_owned(), json!([action("deeplink-redirect", "GET", &url)]));
                given.only_charge.insert("channel_response_code".to_owned(), json!("0"));
                given.only_charge.insert("channel_response_message".to_owned(), json!("success"));
                given.instructions.push(Instruction::link("ShopeePay app", url));
            }
            _ => {
                let card = [
                    ("masked_card", "48111111-1114"),
                    ("bank", "bni"),
                    ("card_type", "credit"),
                    ("eci", "05"),
                ];
                let answer = [("channel_response_code", "00"), ("channel_response_message", "Approved")];
                given.fields.extend(
                    card.into_iter().chain(answer).map(|(name, value)| (name.to_owned(), json!(value))),
                );
                given.fields.insert("approval_code".to_owned(), json!(digits(13)));
            }
        }
        given
    }

    fn give_va(&self, given: &mut Given, asked: Option<&str>) {
        let prefix = match self.part {
            "bca" => "12345",
            "bni" => "98888",
            "bri" => "13281",
            "permata" => "85620",
            _ => "28100",
        };
        let free = asked.map_or_else(|| digits(11), str::to_owned);
        let number = format!("{prefix}{free}");
        if self.part == "permata" {
            given.fields.insert("permata_va_number".to_owned(), json!(number));
        } else {
            given.fields.insert("va_numbers".to_owned(), json!([{"bank": self.part, "va_number": number}]));
        }
        given.instructions.push(Instruction::text(format!("{} VA", self.part.to_uppercase()), number));
    }
}

fn give_gopay(given: &mut Given, base_url: &str, transaction_id: &str, amount: i64) {
    let qr = qris(transaction_id, amount);
    let pay = format!("{base_url}/pay/{transaction_id}");
    let actions = json!([
        action("generate-qr-code", "GET", &format!("{base_url}/v2/gopay/{transaction_id}/qr-code")),
        action("deeplink-redirect", "GET", &pay),
        action("get-status", "GET", &format!("{base_url}/v2/{transaction_id}/status")),
        action("cancel", "POST", &format!("{base_url}/v2/{transaction_id}/cancel")),
    ]);
    given.only_charge.insert("actions".to_owned(), actions);
    given.only_charge.insert("channel_response_code".to_owned(), json!("200"));
    given.only_charge.insert("channel_response_message".to_owned(), json!("Success"));
    given.instructions.push(Instruction::qr(qr));
    given.instructions.push(Instruction::link("GoPay app", pay));
}

fn action(name: &str, method: &str, url: &str) -> Value {
    json!({"name": name, "method": method, "url": url})
}
