//! What a payer's browser sees: the Snap page, the wallet's page, the QR picture.

use super::methods;
use super::transaction::{self, Detail};
use crate::checkout::{self, Checkout, Pressed};
use crate::provider::{Act, ActKind, Desk, Order, Reply, Request, Status};
use crate::tools::qr_svg;

/// The page of one payment, by token or transaction id; a form on it chooses, pays or fails.
pub(super) fn checkout(key: &str, request: &Request, desk: &mut Desk<'_>) -> Reply {
    let Some(id) = desk.order(key).map(|order| order.order_id.clone()) else { return checkout::not_found() };
    if request.method == "POST" {
        press(&id, request, desk);
        // Relative to the page itself, which works behind any host name.
        return Reply::see_other(request.path.rsplit('/').next().unwrap_or_default());
    }
    let order = desk.order(&id).expect("it was just found");
    let detail: Detail = order.read();
    let page = Checkout {
        shop: "Midtrans sandbox".to_owned(),
        choices: if detail.begun() { Vec::new() } else { choices(&detail) },
        back: back(order, &detail),
        ..Checkout::default()
    };
    checkout::show(order, &page)
}

/// A button. One that no longer applies does nothing: the page that follows shows the state.
fn press(id: &str, request: &Request, desk: &mut Desk<'_>) {
    let unchosen =
        desk.order(id).is_some_and(|order| order.method.is_none() && order.status == Status::Pending);
    let kind = match checkout::pressed(request) {
        Some(Pressed::Method(name)) => {
            if let Some(method) = methods::named(&name).filter(|_| unchosen) {
                transaction::choose(id, method, desk);
            }
            return;
        }
        Some(Pressed::Pay(_)) => ActKind::Paid,
        Some(Pressed::Fail) => ActKind::Failed,
        None => return,
    };
    let _ = transaction::act(&Act { kind, method: None }, id, desk);
}

fn choices(detail: &Detail) -> Vec<(String, String)> {
    let enabled = detail.snap.as_ref().map(|session| session.enabled.as_slice()).unwrap_or_default();
    let shown = |name: &str| enabled.is_empty() || enabled.iter().any(|one| one == name);
    let methods = methods::ALL.iter().filter(|method| shown(method.name));
    methods.map(|method| (method.name.to_owned(), method.label.to_owned())).collect()
}

/// The shop's page with what Snap adds to it, once there is something to report.
fn back(order: &Order, detail: &Detail) -> Option<String> {
    let finish = detail.snap.as_ref()?.finish.as_deref()?;
    let report = [
        ("order_id", order.order_id.as_str()),
        ("status_code", transaction::code(order, detail)),
        ("transaction_status", order.provider_status.as_str()),
    ];
    if detail.begun() { checkout::back(finish, &report) } else { None }
}

/// The QR code of a QRIS or GoPay transaction. Midtrans sends a PNG; this is an SVG.
pub(super) fn qr(transaction_id: &str, desk: &Desk<'_>) -> Reply {
    let text =
        desk.order(transaction_id).and_then(|order| order.instructions.iter().find(|one| one.kind == "qr"));
    match text.and_then(|one| qr_svg(&one.value)) {
        Some(svg) => Reply::of(200, "image/svg+xml", svg.into_bytes()),
        None => checkout::not_found(),
    }
}
