//! What a payer's browser sees: the Snap page, the wallet's page, the QR picture.

use maud::{Markup, html};

use super::methods;
use super::transaction::{self, Detail};
use crate::page;
use crate::provider::{Act, ActKind, Desk, Order, Reply, Request, Status};
use crate::tools::{qr_svg, rp, wib};

fn not_found() -> Reply {
    let body = html! { h1 { "Not found" } p { "There is no such payment in this sandbox." } };
    Reply::html(404, page::document("Not found", body).into_string())
}

/// The page of one payment, by token or transaction id; a form on it chooses, pays or fails.
pub(super) fn checkout(key: &str, request: &Request, desk: &mut Desk<'_>) -> Reply {
    let Some(id) = desk.order(key).map(|order| order.order_id.clone()) else { return not_found() };
    if request.method == "POST" {
        press(&id, request, desk);
        // Relative to the page itself, which works behind any host name.
        return Reply::see_other(request.path.rsplit('/').next().unwrap_or_default());
    }
    let order = desk.order(&id).expect("it was just found");
    Reply::html(200, page::document("Pembayaran", body(order)).into_string())
}

/// A button. One that no longer applies does nothing: the page that follows shows the state.
fn press(id: &str, request: &Request, desk: &mut Desk<'_>) {
    let unchosen =
        desk.order(id).is_some_and(|order| order.method.is_none() && order.status == Status::Pending);
    if let Some(method) = request.form("method").as_deref().and_then(methods::named).filter(|_| unchosen) {
        transaction::choose(id, method, desk);
        return;
    }
    let kind = match request.form("do").as_deref() {
        Some("pay") => ActKind::Paid,
        Some("fail") => ActKind::Failed,
        _ => return,
    };
    let _ = transaction::act(&Act { kind, method: None }, id, desk);
}

fn body(order: &Order) -> Markup {
    let detail: Detail = order.read();
    html! {
        main.narrow {
            p.muted { "TOKO CONTOH · Midtrans sandbox" }
            h1.amount { (rp(order.amount)) }
            p { "Order " code { (order.order_id) } " " (page::badge(order.status)) }
            @if order.status == Status::Pending && !detail.begun() {
                (choice(&detail))
            } @else if order.status == Status::Pending {
                (page::instructions(order))
                @if let Some(end) = order.expires_at { p.muted { "Bayar sebelum " (wib(end)) " WIB" } }
                form.buttons method="post" {
                    button.primary name="do" value="pay" { "Bayar (pay)" }
                    button name="do" value="fail" { "Gagal (fail)" }
                }
            } @else {
                p { "Nothing more to do here." }
            }
            @if let Some(finish) = back(order, &detail) { p { a href=(finish) { "Kembali ke toko (back to the shop)" } } }
        }
    }
}

fn choice(detail: &Detail) -> Markup {
    let enabled = detail.snap.as_ref().map(|session| session.enabled.as_slice()).unwrap_or_default();
    let shown = |name: &str| enabled.is_empty() || enabled.iter().any(|one| one == name);
    html! {
        p { "Pilih metode pembayaran (choose how to pay):" }
        form.choices method="post" {
            @for method in methods::ALL.iter().filter(|method| shown(method.name)) {
                button name="method" value=(method.name) { (method.label) }
            }
        }
    }
}

/// The shop's page with what Snap adds to it, once there is something to report. Only a web
/// address becomes a link.
fn back(order: &Order, detail: &Detail) -> Option<String> {
    let finish = detail.snap.as_ref()?.finish.as_deref()?;
    if !detail.begun() || !(finish.starts_with("http://") || finish.starts_with("https://")) {
        return None;
    }
    let joint = if finish.contains('?') { '&' } else { '?' };
    let code = transaction::code(order, detail);
    let status = &order.provider_status;
    Some(format!("{finish}{joint}order_id={}&status_code={code}&transaction_status={status}", order.order_id))
}

/// The QR code of a QRIS or GoPay transaction. Midtrans sends a PNG; this is an SVG.
pub(super) fn qr(transaction_id: &str, desk: &Desk<'_>) -> Reply {
    let text =
        desk.order(transaction_id).and_then(|order| order.instructions.iter().find(|one| one.kind == "qr"));
    match text.and_then(|one| qr_svg(&one.value)) {
        Some(svg) => Reply::of(200, "image/svg+xml", svg.into_bytes()),
        None => not_found(),
    }
}
