//! Cash on delivery: pickup, area, tracking.

use serde_json::{Value, json};

use super::fields::need;
use super::transaction::Detail;
use crate::provider::{Desk, Status};
use crate::raw::Raw;
use crate::tools::{digits, wib, wib_as};

/// The order of a COD transaction.
fn find(body: &Raw, desk: &Desk<'_>) -> Result<String, String> {
    let number = need(body, "transactionId")?;
    let order = desk.order(&number).filter(|order| {
        let detail: Detail = order.read();
        detail.cod.is_some() && detail.transaction.is_some_and(|one| one.to_string() == number)
    });
    order.map(|order| order.order_id.clone()).ok_or_else(|| format!("COD transaction {number} not found"))
}

/// Answers `pickup`: the courier comes, once.
pub(super) fn pickup(body: &Raw, desk: &mut Desk<'_>) -> Result<Value, String> {
    let id = find(body, desk)?;
    let now = desk.now;
    let as_text = desk.setting("awb") == "text";
    let order = desk.order_mut(&id).expect("it was just found");
    order.arrive("cod_pickup");
    let mut detail: Detail = order.read();
    let number = detail.transaction;
    let cod = detail.cod.as_mut().expect("it was just looked at");
    if cod.awb.is_some() {
        return Err(format!("pickup of {} was already requested", number.unwrap_or_default()));
    }
    if order.status != Status::Pending {
        return Err(format!("the transaction is {}", order.provider_status));
    }
    // A first digit that is no zero: as a number it must keep its length.
    let awb = format!("1{}", digits(8));
    cod.awb = Some(awb.clone());
    cod.picked_up = Some(wib(now));
    order.execute("cod_pickup");
    order.write(&detail);
    desk.alias(&format!("awb-{awb}"), &id);
    Ok(json!({
        "TransactionId": number,
        "Awb": if as_text { json!(awb) } else { json!(awb.parse::<i64>().expect("nine digits")) },
        "Pin": digits(4),
        "Code": format!("PICKUP{}", digits(4)),
        "CodStatus": 1,
        "CodStatusDesc": "Waiting Pickup",
    }))
}

/// Answers `getarea`. That it wants a transaction is odd, but printed.
pub(super) fn area(body: &Raw, desk: &Desk<'_>) -> Result<Value, String> {
    find(body, desk)?;
    let row = |code: &str, village: &str| {
        json!({
            "postalcode": code,
            "village": village,
            "district": "Balikpapan Kota",
            "city": "Balikpapan",
            "province": "Kalimantan Timur",
        })
    };
    Ok(json!({"area": [row("76111", "Prapatan"), row("76111", "Telagasari")]}))
}

/// Answers `tracking`: what happened to the parcel so far.
pub(super) fn tracking(body: &Raw, desk: &Desk<'_>) -> Result<Value, String> {
    let awb = need(body, "awb")?;
    let order = desk.order(&format!("awb-{awb}")).ok_or_else(|| format!("awb {awb} not found"))?;
    let row = |status: &str, text: &str| {
        json!({
            "Status": status,
            "Description": text,
            "Location": "NA",
            "Date": wib_as(desk.now, "%b %d, %Y"),
            "Time": wib_as(desk.now, "%I:%M %p"),
        })
    };
    let mut rows = vec![row("WPU", "Shipping Manifest Accepted and Waiting For Pickup")];
    match order.status {
        Status::Paid => rows.push(row("DLV", "Delivered and paid")),
        Status::Failed => rows.push(row("RTS", "Returned to shipper")),
        _ => {}
    }
    Ok(json!({"Tracking": rows}))
}
