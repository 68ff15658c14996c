//! A transaction: its states, and how they are shown.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::checks::Expiry;
use super::methods::{self, Method};
use super::notify;
use crate::provider::{Act, ActKind, Desk, Order, Request, Status};
use crate::tools::{uuid, wib};

/// What Midtrans keeps of an order beyond the frame's own.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Detail {
    /// Empty while the payer of a Snap order has chosen nothing: then there is no transaction,
    /// and its status is 404.
    pub(super) transaction_id: String,
    pub(super) payment_type: String,
    pub(super) fraud_status: Option<String>,
    pub(super) transaction_time: String,
    pub(super) settlement_time: Option<String>,
    pub(super) expiry_time: Option<String>,
    /// Of the method, repeated by status and notification.
    pub(super) fields: Map<String, Value>,
    /// Of the method, answered by the charge only.
    pub(super) only_charge: Map<String, Value>,
    /// Custom fields and metadata.
    pub(super) extra: Map<String, Value>,
    pub(super) refunds: Vec<Refunded>,
    pub(super) append: Vec<String>,
    pub(super) replace: Vec<String>,
    pub(super) snap: Option<Session>,
    pub(super) expiry: Option<Expiry>,
}

/// A Snap page.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Session {
    pub(super) token: String,
    /// Method names; empty: all.
    pub(super) enabled: Vec<String>,
    /// Where the payer goes afterwards.
    pub(super) finish: Option<String>,
}

/// A refund that was carried out.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Refunded {
    pub(super) key: String,
    pub(super) amount: i64,
    pub(super) reason: String,
    pub(super) created_at: String,
    /// What was answered, to be answered again.
    pub(super) answer: Value,
}

impl Detail {
    /// A new order's detail: what the request said beside the payment itself.
    pub(super) fn of(request: &Request, extra: Map<String, Value>, expiry: Option<Expiry>) -> Self {
        // "Up to three URLs, separated by commas".
        let urls = |name: &str| -> Vec<String> {
            let text = request.header(name).unwrap_or_default();
            text.split(',').map(|url| url.trim().to_owned()).filter(|url| !url.is_empty()).take(3).collect()
        };
        let (append, replace) = (urls("x-append-notification"), urls("x-override-notification"));
        Self { extra, expiry, append, replace, ..Self::default() }
    }

    /// Whether there is a transaction at all.
    pub(super) fn begun(&self) -> bool {
        !self.transaction_id.is_empty()
    }
}

/// What of the surroundings a new transaction needs.
pub(super) struct Place {
    base_url: String,
    now: Timestamp,
}

impl Place {
    pub(super) fn of(desk: &Desk<'_>) -> Self {
        Self { base_url: desk.base_url(), now: desk.now }
    }
}

/// Begins the transaction of an order by a method; the charge's own message comes back.
pub(super) fn begin(
    order: &mut Order,
    detail: &mut Detail,
    method: &Method,
    asked: Option<&str>,
    place: &Place,
) -> &'static str {
    detail.transaction_id = uuid();
    let given = method.give(&place.base_url, &detail.transaction_id, order.amount, asked);
    let expiry = detail.expiry.unwrap_or(Expiry { start: None, seconds: method.minutes * 60 });
    let end = expiry.end(place.now);
    detail.payment_type = method.payment_type.to_owned();
    detail.fraud_status = method.judges_fraud().then(|| "accept".to_owned());
    detail.transaction_time = wib(place.now);
    detail.expiry_time = Some(wib(end));
    detail.fields = given.fields;
    detail.only_charge = given.only_charge;
    order.provider_reference.clone_from(&detail.transaction_id);
    order.method = Some(method.name.to_owned());
    order.expires_at = Some(end);
    order.instructions = given.instructions;
    order.become_(Status::Pending, "pending");
    order.write(detail);
    given.message
}

/// After [`begin`]: makes the transaction findable by its own id, and lets it expire in time.
pub(super) fn register(order_id: &str, desk: &mut Desk<'_>) {
    let Some((reference, end)) =
        desk.order(order_id).map(|order| (order.provider_reference.clone(), order.expires_at))
    else {
        return;
    };
    desk.alias(&reference, order_id);
    if let Some(end) = end {
        desk.expires(order_id, end);
    }
    if desk.setting("notify_pending") == "true" {
        notify::send(order_id, desk);
    }
}

/// Lets the payer of a Snap order choose.
pub(super) fn choose(order_id: &str, method: &Method, desk: &mut Desk<'_>) {
    let place = Place::of(desk);
    if let Some(order) = desk.order_mut(order_id) {
        let mut detail: Detail = order.read();
        begin(order, &mut detail, method, None, &place);
        register(order_id, desk);
    }
}

/// The `status_code` of a state. Midtrans' own word decides: a challenged capture is 201.
pub(super) fn code(order: &Order, detail: &Detail) -> &'static str {
    match order.provider_status.as_str() {
        "pending" => "201",
        "capture" if detail.fraud_status.as_deref() == Some("challenge") => "201",
        "deny" | "failure" => "202",
        "expire" => "407",
        _ => "200",
    }
}

/// `10000.00`.
pub(super) fn money(amount: i64) -> String {
    format!("{amount}.00")
}

/// What every document about a transaction holds.
pub(super) fn common(order: &Order, detail: &Detail, merchant_id: &str) -> Value {
    let mut document = json!({
        "transaction_id": detail.transaction_id,
        "order_id": order.order_id,
        "merchant_id": merchant_id,
        "gross_amount": money(order.amount),
        "currency": "IDR",
        "payment_type": detail.payment_type,
        "transaction_time": detail.transaction_time,
        "transaction_status": order.provider_status,
    });
    let fields = document.as_object_mut().expect("an object was just made");
    fields.extend(detail.fields.clone());
    for (name, value) in [
        ("fraud_status", &detail.fraud_status),
        ("settlement_time", &detail.settlement_time),
        ("expiry_time", &detail.expiry_time),
    ] {
        if let Some(value) = value {
            fields.insert(name.to_owned(), json!(value));
        }
    }
    document
}

/// The refunds, as status and notification list them.
pub(super) fn add_refunds(document: &mut Value, detail: &Detail) {
    if detail.refunds.is_empty() {
        return;
    }
    let all = detail.refunds.iter().enumerate().map(|(index, refund)| {
        json!({
            "refund_chargeback_id": index + 1,
            "refund_amount": money(refund.amount),
            "created_at": refund.created_at,
            "reason": refund.reason,
            "refund_key": refund.key,
            "refund_method": "online",
            "bank_confirmed_at": refund.created_at,
        })
    });
    document["refunds"] = all.collect();
    document["refund_amount"] = json!(money(refunded(detail)));
}

/// How much went back.
pub(super) fn refunded(detail: &Detail) -> i64 {
    detail.refunds.iter().map(|refund| refund.amount).sum()
}

/// Records a refund, and moves the order.
pub(super) fn refund(order: &mut Order, detail: &mut Detail, refund: Refunded) {
    detail.refunds.push(refund);
    let whole = refunded(detail) == order.amount;
    let (status, word) =
        if whole { (Status::Refunded, "refund") } else { (Status::PartiallyRefunded, "partial_refund") };
    order.execute("refund");
    order.become_(status, word);
    order.write(detail);
}

/// What a payer, a bank, the dashboard or time does.
pub(super) fn act(act: &Act, order_id: &str, desk: &mut Desk<'_>) -> Result<(), String> {
    choose_for(act, order_id, desk)?;
    let now = desk.now;
    let order = desk.order_mut(order_id).expect("the frame looked it up");
    let mut detail: Detail = order.read();
    let from = order.status;
    let begun = detail.begun();
    match (act.kind, from) {
        (ActKind::Expired, Status::Pending) if !begun => {
            // "Snap does not send any webhook upon page expiry."
            order.become_(Status::Expired, "");
            return Ok(());
        }
        (ActKind::Paid, Status::Pending) if detail.payment_type == "credit_card" => {
            order.become_(Status::Paid, "capture")
        }
        (ActKind::Paid, Status::Pending) => order.become_(Status::Paid, "settlement"),
        (ActKind::Failed, Status::Pending | Status::Review) => order.become_(Status::Failed, "deny"),
        (ActKind::Expired, Status::Pending) => order.become_(Status::Expired, "expire"),
        (ActKind::Challenge, Status::Pending) => {
            detail.fraud_status = Some("challenge".to_owned());
            order.become_(Status::Review, "capture");
        }
        (ActKind::Refunded, Status::Paid | Status::PartiallyRefunded) => {
            let left = order.amount - refunded(&detail);
            let key = format!("dashboard-{}", uuid());
            let reason = "refunded from the dashboard".to_owned();
            let one = Refunded { key, amount: left, reason, created_at: wib(now), answer: Value::Null };
            refund(order, &mut detail, one);
        }
        (ActKind::Chargeback, Status::Paid | Status::PartiallyRefunded) => {
            order.become_(Status::Disputed, "chargeback")
        }
        _ => {
            let word = if begun { order.provider_status.as_str() } else { "without a payment method" };
            return Err(format!("the order is {word}: this cannot happen to it any more, or not yet"));
        }
    }
    if order.provider_status == "settlement" {
        detail.settlement_time = Some(wib(now));
    }
    order.write(&detail);
    notify::send(order_id, desk);
    Ok(())
}

/// A payer who pays has chosen: for a Snap order without a method, the caller's or a bank
/// transfer; a challenge needs a card.
fn choose_for(act: &Act, order_id: &str, desk: &mut Desk<'_>) -> Result<(), String> {
    let order = desk.order(order_id).expect("the frame looked it up");
    let wanted = match (&act.method, act.kind) {
        (Some(name), _) => Some(methods::named(name).ok_or_else(|| {
            let known: Vec<_> = methods::ALL.iter().map(|method| method.name).collect();
            format!("there is no method {name}; known: {}", known.join(", "))
        })?),
        (None, ActKind::Challenge) => methods::named("credit_card"),
        (None, _) => None,
    };
    if let Some(chosen) = &order.method {
        return match wanted {
            Some(method) if method.name != chosen => {
                Err(format!("the order is already being paid by {chosen}"))
            }
            _ => Ok(()),
        };
    }
    let pays = matches!(act.kind, ActKind::Paid | ActKind::Failed | ActKind::Challenge);
    if pays && order.status == Status::Pending {
        let method = wanted.or_else(|| methods::named("bca_va")).expect("it is in the table");
        choose(order_id, method, desk);
    }
    Ok(())
}
