//! What a payer's browser sees: the payment or invoice page, and the page that links an account.

use super::link::Link;
use super::transaction::{self, Detail};
use super::{Simulator, channels};
use crate::checkout::{self, Checkout, Pressed};
use crate::provider::{Act, ActKind, Desk, Order, Provider as _, Reply, Request, Status};

/// The page of one transaction, by its reference.
pub(super) fn payment(reference: &str, request: &Request, desk: &mut Desk<'_>) -> Reply {
    let found = desk.order(reference).filter(|order| order.operation == "charge");
    let Some(id) = found.map(|order| order.order_id.clone()) else { return checkout::not_found() };
    let pin = desk.order(&id).is_some_and(|order| order.read::<Detail>().credential.is_some());
    let mut wrong = None;
    if request.method == "POST" {
        wrong = press(&id, pin, request, desk).err();
        if wrong.is_none() {
            return Reply::see_other(reference);
        }
    }
    let order = desk.order(&id).expect("it was just found");
    let detail: Detail = order.read();
    let page = Checkout {
        shop: "Duitku sandbox".to_owned(),
        choices: if order.method.is_none() { channels::choices() } else { Vec::new() },
        pin: pin.then_some("PIN"),
        back: back(order, &detail),
        wrong,
        expires: true,
        ..Checkout::default()
    };
    checkout::show(order, &page)
}

/// The page of one connection, by its ticket: a PIN, or a refusal.
pub(super) fn link(ticket: &str, request: &Request, desk: &mut Desk<'_>) -> Reply {
    let found = desk.order(ticket).filter(|order| order.operation == "link");
    // A newer request to connect makes an older page void.
    let found = found.filter(|order| order.provider_reference == ticket);
    let Some(id) = found.map(|order| order.order_id.clone()) else { return checkout::not_found() };
    let mut wrong = None;
    if request.method == "POST" {
        wrong = press(&id, true, request, desk).err();
    }
    let order = desk.order(&id).expect("it was just found");
    let detail: Link = order.read();
    let back = returned(order, &detail);
    if let (None, "POST", Some(back)) = (&wrong, request.method.as_str(), &back) {
        return Reply::see_other(back);
    }
    let page = Checkout {
        shop: format!("{} link, Duitku sandbox", if detail.channel == "OL" { "OVO" } else { "ShopeePay" }),
        pin: Some("PIN"),
        back,
        wrong,
        verb: Some("Hubungkan (link)"),
        expires: true,
        ..Checkout::default()
    };
    checkout::show(order, &page)
}

/// A button. One that no longer applies does nothing: the page that follows shows the state.
fn press(id: &str, pin: bool, request: &Request, desk: &mut Desk<'_>) -> Result<(), String> {
    let kind = match checkout::pressed(request) {
        Some(Pressed::Method(code)) => return transaction::choose(id, &code, desk),
        Some(Pressed::Pay(given)) if pin && given != desk.setting("pin") => {
            return Err(format!("PIN salah (wrong PIN; here it is {})", desk.setting("pin")));
        }
        Some(Pressed::Pay(_)) => ActKind::Paid,
        Some(Pressed::Fail) => ActKind::Failed,
        None if request.form("do").as_deref() == Some("expire") => ActKind::Expired,
        None => return Ok(()),
    };
    Simulator.act(&Act { kind, method: None }, id, desk)
}

/// Where the payer goes from the payment page (public): 00 paid, 01 pending, 02 cancelled.
fn back(order: &Order, detail: &Detail) -> Option<String> {
    let report = [
        ("merchantOrderId", detail.number.as_str()),
        ("resultCode", order.provider_status.as_str()),
        ("reference", order.provider_reference.as_str()),
    ];
    checkout::back(&detail.return_url, &report)
}

/// Where the payer goes after the PIN (§1), with the credential code that every other operation
/// needs and that no other answer tells.
fn returned(order: &Order, link: &Link) -> Option<String> {
    let code = match order.status {
        Status::Pending => return None,
        Status::Done => "00",
        _ => "01",
    };
    let mut report = vec![("resultCode", code), ("phoneNumber", &link.phone), ("state", "LINKAGE")];
    if let (Status::Done, Some(credential)) = (order.status, &link.credential) {
        report.push(("credentialCode", credential));
    }
    checkout::back(&link.return_url, &report)
}
