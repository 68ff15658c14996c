//! The biller: prepaid purchases by `POST /service/in/json`, and the reversal callback by GET.
//!
//! From its document. It prints no texts for a wrong signature or a missing field: those are
//! ours, in the shape of its failures.

use jiff::Timestamp;
use md5::{Digest as _, Md5};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::provider::{
    Act, ActKind, Callback, Desk, Instruction, Order, Provider, Reply, Request, Setting, Status,
};
use crate::raw::{self, Raw};
use crate::tools::{digits, hex, rupiah, wib_as};

/// The simulator.
pub(crate) struct Simulator;

/// What it keeps beside its orders.
#[derive(Default)]
struct Book {
    /// What purchases took from the partner's balance and failures gave back.
    spent: i64,
}

/// What it keeps of a purchase.
#[derive(Serialize, Deserialize)]
struct Detail {
    product: String,
    customer: String,
    serial: String,
    balance: i64,
    settled: Option<Timestamp>,
}

impl Provider for Simulator {
    fn id(&self) -> &'static str {
        "biller"
    }

    fn settings(&self) -> &'static [Setting] {
        &[
            Setting { name: "user", default: "usertesting" },
            Setting { name: "password", default: "biller-password-EXAMPLE" },
            // Where the reversal goes, with the merchant's secret in it.
            Setting { name: "callback_url", default: "" },
            // What the printed configuration says of that secret.
            Setting { name: "callback_token", default: "biller-callback-token-EXAMPLE" },
            // Code and price; a code that is not in it is `(ROUTE)`.
            Setting { name: "products", default: "s5=5000,s10=10150,s20=20100,pln20=20500,banktrf=201200" },
            // Known and switched off: `Produk tidak Aktif`.
            Setting { name: "inactive", default: "s1" },
            // The partner's deposit; one that does not suffice is `(DEDUCT)`.
            Setting { name: "balance", default: "1361424" },
            // `trxid`, or `ftrxid` as the scanned document has it.
            Setting { name: "id_field", default: "trxid" },
            // What a used trxid does: `execute` again, for no promise of deduplication is
            // printed, or `refuse`.
            Setting { name: "repeated_trxid", default: "execute" },
            // The serial number of the next purchases; empty: 11 random digits.
            Setting { name: "serial", default: "" },
            // What separates thousands in the message: the sample has commas.
            Setting { name: "thousands", default: "," },
            // The sample's callback names another product than its message does.
            Setting { name: "callback_product", default: "" },
        ]
    }

    fn config(&self, base: &str, get: &dyn Fn(&str) -> String) -> String {
        let (user, password, token) = (get("user"), get("password"), get("callback_token"));
        format!(
            "[providers.biller]\n\
             environment = \"sandbox\"\n\
             url = \"{base}\"\n\
             user = \"{user}\"\n\
             password = \"{password}\"\n\
             callback_token = \"{token}\"\n\
             callback_addresses = [\"127.0.0.1\"]\n"
        )
    }

    fn handle(&self, request: &Request, desk: &mut Desk<'_>) -> Reply {
        if request.segments() != ["service", "in", "json"] {
            return Reply::json(404, &json!({"status": false, "reason": "Not Found"}));
        }
        if request.method != "POST" {
            return Reply::json(405, &json!({"status": false, "reason": "Method Not Allowed"}));
        }
        let begun = std::time::Instant::now();
        let answer = match read(&request.body, desk) {
            Ok(wanted) => purchase(&wanted, desk),
            Err(refusal) => Answer { reason: refusal.reason, seen: refusal.seen, ..Answer::default() },
        };
        Reply::json(200, &answer.document(begun.elapsed().as_secs_f64(), desk))
    }

    fn act(&self, act: &Act, order_id: &str, desk: &mut Desk<'_>) -> Result<(), String> {
        let now = desk.now;
        let order = desk.order_mut(order_id).expect("the frame looked it up");
        let amount = order.amount;
        let mut detail: Detail = order.read();
        match (act.kind, order.status) {
            (ActKind::Paid, Status::Pending) => order.become_(Status::Done, "SUKSES"),
            // A success can still be taken back: that is what the document calls a reversal.
            (ActKind::Failed, Status::Pending | Status::Done) => order.become_(Status::Failed, "GAGAL"),
            _ => {
                return Err(format!(
                    "the purchase is {}: this cannot happen any more",
                    order.provider_status
                ));
            }
        }
        if order.status == Status::Failed {
            detail.balance += amount;
        }
        detail.settled = Some(now);
        order.write(&detail);
        if act.kind == ActKind::Failed {
            desk.own::<Book>().spent -= amount;
        }
        let callback = self.callback(order_id, desk);
        desk.send(callback);
        Ok(())
    }

    fn knows(&self, kind: ActKind) -> bool {
        matches!(kind, ActKind::Paid | ActKind::Failed)
    }

    fn callback(&self, order_id: &str, desk: &Desk<'_>) -> Option<Callback> {
        let order = desk.order(order_id)?;
        let detail: Detail = order.read();
        let status = match order.status {
            Status::Done => "0",
            Status::Failed => "1",
            _ => return None,
        };
        let product = match desk.setting("callback_product") {
            "" => detail.product.as_str(),
            other => other,
        };
        let message = message(order, &detail, desk.setting("thousands"));
        let fields = [
            ("status", status),
            ("refid", order_id),
            ("product", product),
            ("qty", "1"),
            ("dest", detail.customer.as_str()),
            ("message", message.as_str()),
        ];
        let query: Vec<_> =
            fields.iter().map(|(name, value)| format!("{name}={}", as_printed(value))).collect();
        let url = desk.setting("callback_url");
        Some(Callback {
            order_id: order_id.to_owned(),
            urls: if url.is_empty() { Vec::new() } else { vec![url.to_owned()] },
            method: "GET",
            headers: Vec::new(),
            query: query.join("&"),
            body: String::new(),
        })
    }

    fn trouble(&self) -> Reply {
        Reply::json(500, &json!({"status": false, "reason": "Internal Server Error"}))
    }
}

/// A request that passed the checks.
struct Wanted {
    trxid: String,
    customer: String,
    product: String,
}

/// What an answer repeats of the request, as far as it was readable.
#[derive(Default)]
struct Seen {
    customer: String,
    product: String,
}

struct Refusal {
    reason: String,
    seen: Seen,
}

/// `md5(user + password + trxid)`, without separators.
fn signature(user: &str, password: &str, trxid: &str) -> String {
    hex(&Md5::digest(format!("{user}{password}{trxid}")))
}

fn read(body: &[u8], desk: &Desk<'_>) -> Result<Wanted, Refusal> {
    let body: Raw = raw::object(body)
        .ok_or_else(|| Refusal { reason: "Format JSON tidak valid".to_owned(), seen: Seen::default() })?;
    let field = |name: &str| raw::text(&body, name).unwrap_or_default();
    let (trxid, customer, product) = (field("trxid"), field("idpel"), field("produk"));
    let refuse = |reason: String| {
        Err(Refusal { reason, seen: Seen { customer: customer.clone(), product: product.clone() } })
    };
    for name in ["user", "sign", "trxid", "cmd", "idpel", "produk"] {
        if field(name).is_empty() {
            return refuse(format!("Parameter {name} wajib diisi"));
        }
    }
    let user = desk.setting("user");
    if field("user") != user {
        return refuse("User tidak ditemukan".to_owned());
    }
    if field("sign") != signature(user, desk.setting("password"), &trxid) {
        return refuse("Sign tidak valid".to_owned());
    }
    if field("cmd") != "trx" {
        return refuse(format!("Command {} tidak dikenal", field("cmd")));
    }
    Ok(Wanted { trxid, customer, product })
}

/// What is answered.
#[derive(Default)]
struct Answer {
    total: i64,
    accepted: bool,
    reason: String,
    balance: Option<i64>,
    reference: Option<String>,
    seen: Seen,
}

impl Answer {
    fn document(self, elapsed: f64, desk: &Desk<'_>) -> Value {
        let mut document = json!({
            "total": self.total,
            "status": self.accepted,
            "reason": self.reason,
            // With microseconds, as printed.
            "trxtime": wib_as(desk.now, "%Y-%m-%d %H:%M:%S.%6f"),
            "elapsed": elapsed,
            "user": desk.setting("user"),
            "kodeproduk": self.seen.product,
            "tujuan": self.seen.customer,
        });
        document[desk.setting("id_field")] = json!(self.reference.unwrap_or_else(|| digits(14)));
        // Absent on failure, and a text elsewhere.
        if let Some(balance) = self.balance {
            document["saldo"] = json!(balance.to_string());
        }
        document
    }
}

fn purchase(wanted: &Wanted, desk: &mut Desk<'_>) -> Answer {
    let seen = Seen { customer: wanted.customer.clone(), product: wanted.product.clone() };
    let said = |text: &str| format!("Transaksi {}.{} {text}", wanted.product, wanted.customer);
    let fail =
        |text: &str, seen: Seen| Answer { reason: said(&format!("GAGAL {text}")), seen, ..Answer::default() };
    if let Some(order) = desk.order_mut(&wanted.trxid) {
        order.arrive("purchase");
    }
    if desk.setting("inactive").split(',').any(|code| code == wanted.product) {
        return fail("Produk tidak Aktif", seen);
    }
    let Some(price) = price(desk.setting("products"), &wanted.product) else {
        return fail("Produk tidak tersedia (ROUTE)", seen);
    };
    let repeated = desk.order(&wanted.trxid).is_some();
    if repeated && desk.setting("repeated_trxid") == "refuse" {
        return fail("trxid sudah digunakan", seen);
    }
    let deposit = rupiah(desk.setting("balance")).unwrap_or(0);
    let balance = deposit - desk.own::<Book>().spent - price;
    if balance < 0 {
        return fail("silakan coba lagi (DEDUCT)", seen);
    }
    desk.own::<Book>().spent += price;
    if repeated {
        desk.order_mut(&wanted.trxid).expect("it was just found").execute("purchase");
    } else {
        open(wanted, price, balance, desk);
    }
    let order = desk.order(&wanted.trxid).expect("it was just opened or found");
    Answer {
        total: price,
        accepted: true,
        reason: said("sedang diproses"),
        balance: Some(balance),
        reference: Some(order.provider_reference.clone()),
        seen,
    }
}

fn price(products: &str, product: &str) -> Option<i64> {
    let mut pairs = products.split(',').filter_map(|one| one.split_once('='));
    pairs.find(|(code, _)| *code == product).and_then(|(_, price)| rupiah(price).ok())
}

fn open(wanted: &Wanted, price: i64, balance: i64, desk: &mut Desk<'_>) {
    let mut order = Order::new(desk, &wanted.trxid, "purchase", price);
    order.provider_reference = digits(14);
    order.become_(Status::Pending, "sedang diproses");
    order.method = Some(wanted.product.clone());
    order.instructions.push(Instruction::text("For", wanted.customer.clone()));
    let serial = match desk.setting("serial") {
        "" => digits(11),
        serial => serial.to_owned(),
    };
    order.write(&Detail {
        product: wanted.product.clone(),
        customer: wanted.customer.clone(),
        serial,
        balance,
        settled: None,
    });
    desk.open(order);
}

/// `Transaksi s5.0812 SUKSES, SN: …, Saldo: Rp99,999,999, Harga: 201,200, Tgl: 01/01 10:32:12`.
fn message(order: &Order, detail: &Detail, thousands: &str) -> String {
    let time = wib_as(detail.settled.unwrap_or(order.created_at), "%d/%m %H:%M:%S");
    let head = format!("Transaksi {}.{}", detail.product, detail.customer);
    let balance = grouped(detail.balance, thousands);
    if order.status == Status::Failed {
        return format!("{head} GAGAL, Saldo: Rp{balance}, Tgl: {time}");
    }
    let price = grouped(order.amount, thousands);
    format!("{head} SUKSES, SN: {}, Saldo: Rp{balance}, Harga: {price}, Tgl: {time}", detail.serial)
}

fn grouped(amount: i64, thousands: &str) -> String {
    crate::tools::rp(amount).replace("Rp", "").replace('.', thousands)
}

/// Blanks as `+`, and commas, colons and slashes as they are: so it stands in the document.
fn as_printed(text: &str) -> String {
    const KEPT: &AsciiSet = &NON_ALPHANUMERIC
        .remove(b' ')
        .remove(b',')
        .remove(b':')
        .remove(b'/')
        .remove(b'.')
        .remove(b'-')
        .remove(b'_');
    utf8_percent_encode(text, KEPT).to_string().replace(' ', "+")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_the_one_computed_elsewhere() {
        // printf %s usertesting biller-password-EXAMPLE 22110111373985338 | md5sum
        let found = signature("usertesting", "biller-password-EXAMPLE", "22110111373985338");
        assert_eq!(found, "d04fc545dac9dcdaf6a124a57ce0d4d9");
    }

    #[test]
    fn blanks_become_pluses_and_commas_stay() {
        assert_eq!(as_printed("SN: 1-2/AB C, Rp1,2 +&"), "SN:+1-2/AB+C,+Rp1,2+%2B%26");
    }
}
