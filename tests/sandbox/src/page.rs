//! The page at `/`: payments with their buttons, callbacks, requests. Plain forms, no script,
//! nothing from elsewhere.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{Html, IntoResponse as _, Response};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::ledger::Entry;
use crate::provider::{ActKind, Instruction, Order, Provider, Status};
use crate::server::Frame;
use crate::tools::{qr_svg, rp, wib};

/// How many payments, callbacks and requests are shown.
const SHOWN: usize = 50;

const STYLE: &str = include_str!("page.css");

/// A whole page around `body`.
pub(crate) fn document(title: &str, body: Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · Bayar sandbox" }
                link rel="icon" href="data:,";
                style { (PreEscaped(STYLE)) }
            }
            body { (body) }
        }
    }
}

/// A state as a coloured word.
pub(crate) fn badge(status: Status) -> Markup {
    html! { span class={ "badge " (status.word()) } { (status.word().replace('_', " ")) } }
}

/// What the payer needs: numbers and codes as text, QR codes as pictures, pages as links.
pub(crate) fn instructions(all: &[Instruction]) -> Markup {
    html! {
        @for one in all {
            div.instruction {
                @match one.kind {
                    "qr" => {
                        @if let Some(svg) = qr_svg(&one.value) { div.qr { (PreEscaped(svg)) } }
                        details { summary { "QR text" } code.long { (one.value) } }
                    }
                    "link" => { a href=(one.value) { (one.label) } }
                    _ => { span.muted { (one.label) } " " code.number { (one.value) } }
                }
            }
        }
    }
}

/// Answers `GET /`.
pub(crate) async fn show(State(frame): State<Arc<Frame>>) -> Response {
    frame.sweep();
    let books = frame.books();
    let total = books.orders.newest().count();
    let orders: Vec<&Order> = books.orders.newest().take(SHOWN).collect();
    let of = |direction: &'static str| {
        books.log.iter().rev().filter(move |entry| entry.direction == direction).take(SHOWN)
    };
    let callbacks: Vec<&Entry> = of("out").collect();
    let requests: Vec<&Entry> = of("in").collect();
    let body = html! {
        main {
            header {
                h1 { "Bayar sandbox" }
                p.muted {
                    "Nothing here is real money. Providers: "
                    @for (index, provider) in frame.providers.iter().enumerate() {
                        @if index > 0 { ", " }
                        code { (frame.base_url) "/" (provider.id()) }
                    }
                }
                nav { a href="/" { "Refresh" } a href="/_sandbox/orders" { "Orders (JSON)" } a href="/_sandbox/requests" { "Requests (JSON)" } }
            }
            (section("Payments", total, orders.is_empty(), "No payments yet. Point a merchant at an address above.", html! {
                div.cards { @for order in &orders { (card(order, frame.provider(order.provider))) } }
            }))
            (section("Callbacks", callbacks.len(), callbacks.is_empty(), "No callbacks were sent yet.", html! {
                div.rows { @for entry in &callbacks { (row(entry)) } }
            }))
            (section("Requests", requests.len(), requests.is_empty(), "No requests arrived yet.", html! {
                div.rows { @for entry in &requests { (row(entry)) } }
            }))
        }
    };
    Html(document("Payments", body).into_string()).into_response()
}

fn section(title: &str, count: usize, empty: bool, nothing: &str, content: Markup) -> Markup {
    html! {
        section {
            h2 { (title) " " span.count { (count) } }
            @if empty { p.empty { (nothing) } } @else { (content) }
        }
    }
}

fn card(order: &Order, provider: Option<&dyn Provider>) -> Markup {
    let knows = |kind: ActKind| provider.is_some_and(|provider| provider.knows(kind));
    let id = utf8_percent_encode(&order.order_id, NON_ALPHANUMERIC);
    let act = |word: &str| format!("/_sandbox/{}/{id}/{word}", order.provider);
    html! {
        article.card {
            div.top {
                div { strong.amount { (rp(order.amount)) } " " (badge(order.status)) }
                span.muted { (order.provider) }
            }
            dl {
                dt { "Order" } dd { code { (order.order_id) } }
                dt { "Method" } dd { (order.method.as_deref().unwrap_or("not chosen yet")) }
                @if let (Status::Pending, Some(end)) = (order.status, order.expires_at) {
                    dt { "Expires" } dd { (wib(end)) " WIB" }
                } @else {
                    dt { "Made" } dd { (wib(order.created_at)) " WIB" }
                }
                @for (operation, repeats) in repeats(order) { dt { "Repeated" } dd.fault { (operation) ": came in " (repeats) } }
            }
            @if order.status == Status::Pending { (instructions(&order.instructions)) }
            (buttons(order, &act, &knows))
        }
    }
}

/// Operations that came in more often than they were carried out, or were carried out more
/// than once: what to look at first when something was paid twice.
fn repeats(order: &Order) -> Vec<(&String, String)> {
    let done = |operation: &String| order.executed.get(operation).copied().unwrap_or(0);
    let seen = order.arrived.iter().filter(|(operation, count)| **count > 1 || done(operation) > 1);
    seen.map(|(operation, count)| (operation, format!("{count} times, carried out {}", done(operation))))
        .collect()
}

fn buttons(order: &Order, act: &dyn Fn(&str) -> String, knows: &dyn Fn(ActKind) -> bool) -> Markup {
    use ActKind::{Expired, Failed, Paid, Refunded};
    let possible: &[(&str, &str, ActKind)] = match order.status {
        Status::Pending => {
            &[("paid", "Pay", Paid), ("failed", "Fail", Failed), ("expired", "Expire", Expired)]
        }
        Status::Review => &[("failed", "Fail", Failed)],
        Status::Paid | Status::PartiallyRefunded => &[("refunded", "Refund", Refunded)],
        _ => &[],
    };
    let offered: Vec<_> = possible.iter().filter(|one| knows(one.2)).collect();
    html! {
        @if !offered.is_empty() {
            div.buttons {
                @for (word, label, _) in offered {
                    form method="post" action=(act(word)) {
                        button class=[(*word == "paid").then_some("primary")] aria-label={ (label) " " (order.order_id) } { (label) }
                    }
                }
            }
        }
    }
}

fn row(entry: &Entry) -> Markup {
    let outcome = entry.status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
    let good = matches!(entry.status, Some(200..=399));
    let path = if entry.query.is_empty() || entry.direction == "out" {
        entry.path.clone()
    } else {
        format!("{}?{}", entry.path, entry.query)
    };
    html! {
        details.row {
            summary {
                span.time { (entry.time.get(11..).unwrap_or(&entry.time)) }
                span.verb { (entry.method) }
                span.path { @if let Some(id) = &entry.order_id { code { (id) } " → " } (path) }
                @if let Some(fault) = &entry.fault { span.fault { "fault: " (fault) } }
                @if let Some(attempt) = entry.attempt.filter(|attempt| *attempt > 1) { span.fault { "attempt " (attempt) } }
                span class={ "outcome " (if good { "good" } else { "bad" }) } { (outcome) }
            }
            @if let Some(error) = &entry.error { p.bad { (error) } }
            @if !entry.body.is_empty() { h3 { "Body" } pre { (entry.body) } }
            @if !entry.answer.is_empty() { h3 { "Answer" } pre { (entry.answer) } }
        }
    }
}
