//! What applications were told, every try of it, and sending it again.

use maud::{Markup, html};
use serde_json::Value;

use super::ROOT;
use super::answer::{Answer, Fault};
use super::show::{Time, address, button, facts, label, maybe_time, milliseconds, nothing, select, table};
use super::visit::Visit;
use crate::store::deliveries::{Delivery, DeliveryState, Which};
use crate::store::events::Event;
use crate::store::people::Role;

const PAGE: u32 = 50;

const PATH: &str = "/dashboard/deliveries";

const STATES: [(&str, DeliveryState); 3] =
    [("due", DeliveryState::Due), ("done", DeliveryState::Done), ("parked", DeliveryState::Parked)];

/// Which deliveries a query names.
pub(super) fn which(visit: &Visit<'_>) -> Which {
    let state = STATES.iter().find(|(word, _)| *word == visit.query.text("state")).map(|(_, state)| *state);
    Which { app: visit.query.some("app"), state, event: None, after: visit.query.some("after") }
}

pub(super) fn word(state: DeliveryState) -> &'static str {
    STATES.iter().find(|(_, known)| *known == state).map_or("", |(word, _)| word)
}

fn name(visit: &Visit<'_>, state: DeliveryState) -> &'static str {
    match state {
        DeliveryState::Due => visit.say("is tried again", "akan dicoba lagi"),
        DeliveryState::Done => visit.say("delivered", "terkirim"),
        DeliveryState::Parked => visit.say("parked", "terhenti"),
    }
}

fn badge(visit: &Visit<'_>, state: DeliveryState) -> Markup {
    let class = match state {
        DeliveryState::Due => "wait",
        DeliveryState::Done => "good",
        DeliveryState::Parked => "bad",
    };
    label(class, name(visit, state))
}

pub(super) fn list(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let store = &visit.gateway.store;
    let mut found = store.deliveries(&which(visit), PAGE + 1)?;
    let more = found.len() > PAGE as usize;
    found.truncate(PAGE as usize);
    let (app, state) = (visit.query.text("app"), visit.query.text("state"));
    let any = || (String::new(), visit.say("all", "semua").to_owned());
    let states = STATES.iter().map(|(word, state)| ((*word).to_owned(), name(visit, *state).to_owned()));
    let states: Vec<_> = std::iter::once(any()).chain(states).collect();
    let apps = store.apps()?.into_iter().map(|app| (app.code.clone(), app.code));
    let apps: Vec<_> = std::iter::once(any()).chain(apps).collect();
    let body = html! {
        form.filters method="get" action=(PATH) {
            div.grid {
                (select("state", visit.say("State", "Keadaan"), &states, state))
                (select("app", visit.say("Application", "Aplikasi"), &apps, app))
            }
            div.actions {
                button type="submit" { (visit.say("Show", "Tampilkan")) }
                a href=(address(&format!("{PATH}.csv"), &[("state", state), ("app", app)])) { (visit.say("Download as CSV", "Unduh sebagai CSV")) }
            }
        }
        @if found.is_empty() {
            (nothing(visit.say("No application was told anything.", "Belum ada yang diberitahukan kepada aplikasi.")))
        } @else {
            (rows(visit, &found))
        }
        nav.pages aria-label=(visit.say("Pages", "Halaman")) {
            @if visit.query.has("after") {
                a href=(address(PATH, &[("state", state), ("app", app)])) { (visit.say("Newest", "Terbaru")) }
            }
            @if let Some(last) = found.last().filter(|_| more) {
                a rel="next" href=(address(PATH, &[("state", state), ("app", app), ("after", &last.event.id)])) { (visit.say("Older", "Lebih lama")) }
            }
        }
    };
    Answer::page(visit.say("Deliveries", "Pengiriman"), body)
}

fn rows(visit: &Visit<'_>, found: &[Delivery]) -> Markup {
    let head = [
        ("", visit.say("Event", "Peristiwa")),
        ("wide", visit.say("Application", "Aplikasi")),
        ("", visit.say("State", "Keadaan")),
        ("number wide", visit.say("Tries", "Percobaan")),
        ("wide wrap", visit.say("Last answer", "Jawaban terakhir")),
        ("", visit.say("When (WIB)", "Kapan (WIB)")),
    ];
    let rows = html! {
        @for one in found {
            tr {
                th scope="row" {
                    a href={ (PATH) "/" (one.event.id) } { (one.event.kind) }
                    @if let Some(order) = order(&one.event) { br; span.under { (order) } }
                }
                td.wide { (one.event.app) }
                td { (badge(visit, one.state)) }
                td.number.wide { (one.attempts) }
                td.wide.wrap { (answered(one.status, one.error.as_deref())) }
                td { (Time(one.event.at_ms)) }
            }
        }
    };
    table(visit.say("Deliveries", "Pengiriman"), &head, rows)
}

/// The order that an event is about, as its application calls it.
fn order(event: &Event) -> Option<String> {
    let said: Value = serde_json::from_str(&event.body).ok()?;
    said["data"]["order_id"].as_str().map(str::to_owned)
}

fn answered(status: Option<i64>, error: Option<&str>) -> Markup {
    html! {
        @if let Some(status) = status { "HTTP " (status) " " }
        @if let Some(error) = error { (error) }
    }
}

pub(super) fn show(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let store = &visit.gateway.store;
    let event = visit.name("event");
    let which = Which { event: Some(event.to_owned()), ..Which::default() };
    let Some(one) = store.deliveries(&which, 1)?.into_iter().next() else { return Err(Fault::Nowhere) };
    let tries = store.tries(event)?;
    let next = one.state == DeliveryState::Due;
    let body = html! {
        (facts(&[
            (visit.say("State", "Keadaan"), badge(visit, one.state)),
            (visit.say("Application", "Aplikasi"), html! { a href={ (ROOT) "/apps/" (one.event.app) } { (one.event.app) } }),
            (visit.say("Payment", "Pembayaran"), html! { a href={ (ROOT) "/payments/" (one.event.intent) } { (order(&one.event).unwrap_or_else(|| one.event.intent.clone())) } }),
            ("webhook-id", html! { code { (one.event.id) } }),
            (visit.say("When", "Kapan"), html! { (Time(one.event.at_ms)) }),
            (visit.say("Next try", "Percobaan berikut"), maybe_time(next.then_some(one.next_ms), "–")),
        ]))
        @if visit.may(Role::Operator) {
            div.actions { (button(visit, &format!("{PATH}/{}/resend", one.event.id), visit.say("Send again now", "Kirim ulang sekarang"), "main")) }
        }
        h2 { (visit.say("Tries", "Percobaan")) }
        @if tries.is_empty() {
            (nothing(visit.say("None yet.", "Belum ada.")))
        } @else {
            (table(visit.say("Tries", "Percobaan"), &[
                ("number", "#"),
                ("", visit.say("When (WIB)", "Kapan (WIB)")),
                ("wrap", visit.say("To", "Ke")),
                ("wrap", visit.say("Answer", "Jawaban")),
                ("number", visit.say("Took", "Lama")),
            ], html! {
                @for one in &tries {
                    tr {
                        td.number { (one.number) }
                        td { (Time(one.at_ms)) }
                        td.wrap { (shown(visit, &one.url)) }
                        td.wrap { (answered(one.status, one.error.as_deref())) }
                        td.number { (milliseconds(visit.language, one.took_ms)) }
                    }
                }
            }))
        }
        @if visit.may(Role::Operator) {
            h2 { (visit.say("What is sent", "Yang dikirim")) }
            pre tabindex="0" { code { (one.event.body) } }
        }
    };
    Answer::page(one.event.kind.clone(), body)
}

/// An address of an application may hold a secret of its own: to look at deliveries its origin is enough.
pub(super) fn shown(visit: &Visit<'_>, url: &str) -> String {
    if visit.may(Role::Operator) {
        url.to_owned()
    } else {
        bayar::transport::origin_of(url).unwrap_or_default()
    }
}

pub(super) fn resend(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let event = visit.name("event");
    visit.gateway.store.resend(event, &visit.by())?;
    visit.gateway.bell.notify_one();
    Answer::go(&format!("{PATH}/{event}"), "resent")
}
