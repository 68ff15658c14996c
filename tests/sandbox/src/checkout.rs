//! The page on which a payer pays one order, for providers that have such a page.

use maud::{Markup, html};

use crate::page;
use crate::provider::{Order, Reply, Request, Status};
use crate::tools::{rp, wib};

/// All but what never needs encoding in an address.
const UNRESERVED: &percent_encoding::AsciiSet =
    &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// What of the page differs from provider to provider.
#[derive(Default)]
pub(crate) struct Checkout {
    /// Whose page it is.
    pub(crate) shop: String,
    /// Methods to choose from: value and label. Empty once one is chosen.
    pub(crate) choices: Vec<(String, String)>,
    /// Asked for before the payment: the label of a PIN.
    pub(crate) pin: Option<&'static str>,
    /// Where the payer goes afterwards.
    pub(crate) back: Option<String>,
    /// What went wrong with the last press.
    pub(crate) wrong: Option<String>,
    /// What the first button does, where it does not pay.
    pub(crate) verb: Option<&'static str>,
    /// Whether a third button lets the time run out.
    pub(crate) expires: bool,
}

/// What the payer pressed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Pressed {
    /// A method of the choices.
    Method(String),
    /// The payment, with the PIN where the page asks for one.
    Pay(String),
    /// A failed payment.
    Fail,
}

/// Reads the form of the page.
pub(crate) fn pressed(request: &Request) -> Option<Pressed> {
    if request.method != "POST" {
        return None;
    }
    if let Some(method) = request.form("method") {
        return Some(Pressed::Method(method));
    }
    match request.form("do")?.as_str() {
        "pay" => Some(Pressed::Pay(request.form("pin").unwrap_or_default())),
        "fail" => Some(Pressed::Fail),
        _ => None,
    }
}

/// The page itself.
pub(crate) fn show(order: &Order, checkout: &Checkout) -> Reply {
    let body = html! {
        main.narrow {
            p.muted { "TOKO CONTOH · " (checkout.shop) }
            @if order.amount > 0 { h1.amount { (rp(order.amount)) } }
            p { "Order " code { (order.order_id) } " " (page::badge(order.status)) }
            @if let Some(wrong) = &checkout.wrong { p.bad { (wrong) } }
            @if order.status == Status::Pending { (open(order, checkout)) } @else { p { "Nothing more to do here." } }
            @if let Some(back) = &checkout.back { p { a href=(back) { "Kembali ke toko (back to the shop)" } } }
        }
    };
    Reply::html(200, page::document(&checkout.shop, body).into_string())
}

fn open(order: &Order, checkout: &Checkout) -> Markup {
    html! {
        @if checkout.choices.is_empty() {
            @let here = order.instructions.iter().filter(|one| one.kind != "link").cloned().collect::<Vec<_>>();
            (page::instructions(&here))
            @if let Some(end) = order.expires_at { p.muted { "Bayar sebelum " (wib(end)) " WIB" } }
            form method="post" {
                @if let Some(label) = checkout.pin {
                    p { label { (label) " " input name="pin" inputmode="numeric" autocomplete="off"; } }
                }
                div.buttons {
                    button.primary name="do" value="pay" { (checkout.verb.unwrap_or("Bayar (pay)")) }
                    button name="do" value="fail" { "Gagal (fail)" }
                    @if checkout.expires { button name="do" value="expire" { "Kedaluwarsa (expire)" } }
                }
            }
        } @else {
            p { "Pilih metode pembayaran (choose how to pay):" }
            form.choices method="post" {
                @for (value, label) in &checkout.choices { button name="method" value=(value) { (label) } }
            }
        }
    }
}

/// The page of nothing.
pub(crate) fn not_found() -> Reply {
    let body = html! { h1 { "Not found" } p { "There is no such payment in this sandbox." } };
    Reply::html(404, page::document("Not found", body).into_string())
}

/// A merchant's address with what the provider adds to it. Only a web address becomes a link.
pub(crate) fn back(url: &str, pairs: &[(&str, &str)]) -> Option<String> {
    if !(url.starts_with("http://") || url.starts_with("https://")) {
        return None;
    }
    let mut text = url.to_owned();
    for (name, value) in pairs {
        text.push(if text.contains('?') { '&' } else { '?' });
        text.push_str(name);
        text.push('=');
        text.extend(percent_encoding::utf8_percent_encode(value, UNRESERVED));
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::back;

    #[test]
    fn what_is_added_is_encoded() {
        assert_eq!(back("http://a/x", &[("id", "A/1")]).as_deref(), Some("http://a/x?id=A%2F1"));
        assert_eq!(back("https://a/?b=c", &[("d", "e")]).as_deref(), Some("https://a/?b=c&d=e"));
        assert_eq!(back("javascript:alert(1)", &[]), None);
    }
}
