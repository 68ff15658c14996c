//! `pay_service`: VA, card, manual transfer. What it shares with GoPay is here too.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::channels::{self, Kind};
use super::{Book, Refusal, amount, need, with};
use crate::provider::{Desk, Instruction, Order, Status};
use crate::raw::Raw;
use crate::tools::{digits, letters, read_wib, rp, upto, wib};

/// What is kept of a payment.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Detail {
    pub(super) rq_uuid: String,
    pub(super) kd_pay: String,
    /// The callback's `transaction`.
    pub(super) transaction: String,
    /// Of a manual transfer: the account it goes to.
    pub(super) account: Option<String>,
    /// Over Midtrans: the bank code, and when it was asked for.
    pub(super) bank: Option<String>,
    pub(super) begun: String,
}

/// The fields of both payment services, checked.
pub(super) struct Wanted {
    pub(super) rq_uuid: String,
    pub(super) rq_datetime: String,
    pub(super) order_id: String,
    pub(super) no_hp: String,
    pub(super) fullname: String,
    pub(super) email: String,
    pub(super) bank_code: String,
    pub(super) product_code: String,
    pub(super) nominal: i64,
    pub(super) pay_ship: i64,
}

/// The payment service writes `failed` where the wallet writes `fail`.
pub(super) fn failed<T>(message: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal { field: "status", word: "failed", message: message.into() })
}

/// Reads the fields of both payment services; all are mandatory.
pub(super) fn read(body: &Raw) -> Result<Wanted, Refusal> {
    let wanted = Wanted {
        rq_uuid: need(body, "rq_uuid")?,
        rq_datetime: need(body, "rq_datetime")?,
        order_id: need(body, "order_id")?,
        no_hp: need(body, "no_hp")?,
        fullname: need(body, "fullname")?,
        email: need(body, "email")?,
        bank_code: need(body, "bank_code")?,
        product_code: need(body, "product_code")?,
        nominal: amount(body, "nominal", 1)?,
        pay_ship: amount(body, "pay_ship", 0)?,
    };
    if wanted.rq_datetime.len() != 19 || read_wib(&wanted.rq_datetime).is_none() {
        return failed("rq_datetime tidak valid!");
    }
    Ok(wanted)
}

impl Wanted {
    /// The request, repeated with texts.
    pub(super) fn echo(&self) -> Value {
        json!({
            "rq_datetime": self.rq_datetime,
            "nominal": self.nominal.to_string(),
            "bank_code": self.bank_code,
            "order_id": self.order_id,
            "fullname": self.fullname,
            "product_code": self.product_code,
            "rq_uuid": self.rq_uuid,
            "no_hp": self.no_hp,
            "pay_ship": self.pay_ship.to_string(),
            "email": self.email,
        })
    }

    /// Notes the `rq_uuid`; `false` if it was used before.
    pub(super) fn is_new(&self, desk: &mut Desk<'_>) -> bool {
        if let Some(order) = desk.order_mut(&self.order_id) {
            order.arrive("charge");
        }
        desk.own::<Book>().requests.insert(self.rq_uuid.clone())
    }
}

/// Answers `pay_service`.
pub(super) fn charge(body: &Raw, desk: &mut Desk<'_>) -> Result<Value, Refusal> {
    let wanted = read(body).map_err(|refusal| Refusal { word: "failed", ..refusal })?;
    let Some(channel) = channels::find(&wanted.bank_code, &wanted.product_code) else {
        return failed("bank_code tidak sesuai dengan list bank!");
    };
    if !wanted.is_new(desk) {
        return failed(format!("rq_uuid {} sudah digunakan!", wanted.rq_uuid));
    }
    if desk.order(&wanted.order_id).is_some() {
        return failed(format!("order_id {} sudah digunakan!", wanted.order_id));
    }
    let unique = match (channel.kind, desk.setting("kode_unik").parse()) {
        (Kind::Manual, Ok(fixed)) => fixed,
        (Kind::Manual, Err(_)) => i64::from(upto(2000)),
        _ => 0,
    };
    let total = wanted.nominal + wanted.pay_ship + unique;
    let mut order = Order::new(desk, &wanted.order_id, "charge", total);
    let mut detail = Detail {
        rq_uuid: wanted.rq_uuid.clone(),
        // A short number that names the payment, like the printed 174.
        kd_pay: super::wallet::next(desk).to_string(),
        transaction: "multipayment".to_owned(),
        begun: wib(desk.now),
        ..Detail::default()
    };
    order.provider_reference = format!("KP{}", digits(10));
    order.method = Some(channel.label.to_owned());
    order.become_(Status::Pending, "pending");
    order.expires_at = desk.now.checked_add(SignedDuration::from_hours(24)).ok();
    let data = match channel.kind {
        Kind::Va => {
            let number = format!("{}{}", channel.bank, digits(13));
            order.instructions.push(Instruction::text(channel.label, number.clone()));
            json!({"is_va": 1, "va_number": number, "kd_pay": detail.kd_pay, "total_bayar": total.to_string()})
        }
        Kind::Card => {
            let key = letters(20);
            let url = format!("{}/pay/{key}", desk.base_url());
            order.instructions.push(Instruction::link("Card page", url.clone()));
            order.provider_reference = key;
            json!({"url_pay": url, "is_va": 0})
        }
        Kind::Manual => {
            let exact = format!("{} (kode unik {unique})", rp(total));
            order.instructions.push(Instruction::text("Transfer exactly", exact));
            detail.transaction = "mandiri_manual".to_owned();
            if channel.account != 0 {
                let account = channel.account.to_string();
                order.instructions.push(Instruction::text(format!("To {}", channel.label), account.clone()));
                detail.account = Some(account);
            }
            json!({
                "is_va": 0,
                "kd_pay": detail.kd_pay,
                "kd_ref": order.provider_reference,
                "kode_unik": unique,
                "koneksi": 1,
                "pay_ship": wanted.pay_ship.to_string(),
                "total_bayar": total,
                "total_belanja": wanted.nominal.to_string(),
            })
        }
    };
    order.write(&detail);
    let reference = order.provider_reference.clone();
    desk.open(order);
    desk.alias(&reference, &wanted.order_id);
    let message = "Payment Request has been success!";
    Ok(with(json!({"status": "success", "message": message}), json!({"data": data})))
}
