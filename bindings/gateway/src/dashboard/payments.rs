//! The list of payments: searched, filtered, page by page.

use std::collections::{BTreeMap, BTreeSet};

use bayar::Error;
use bayar::journal::{Filter, Intent, Order};
use bayar_provider::Class;
use jiff::ToSpan;
use jiff::civil::Date;
use maud::{Markup, html};

use super::ROOT;
use super::answer::{Answer, Fault};
use super::show::{Input, Time, address, badge, label, midnight, nothing, rupiah, select, table};
use super::visit::{Fields, Visit};
use super::words::{Language, STATES, state_of};
use crate::gateway::Gateway;
use crate::tell::word;

/// How many stand on a page.
const PAGE: u32 = 50;

pub(super) const PATH: &str = "/dashboard/payments";

pub(super) fn show(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let query = &visit.query;
    let searched = query.text("q");
    let (intents, more) = if searched.is_empty() {
        let after = query.some("after");
        let filter = Filter { after, limit: Some(PAGE + 1), ..filter(query) };
        let mut intents = visit.gateway.journal.intents(&filter)?;
        let more = intents.len() > PAGE as usize;
        intents.truncate(PAGE as usize);
        (intents, more)
    } else {
        (search(visit.gateway, searched)?, false)
    };
    let body = html! {
        (filters(visit)?)
        @if intents.is_empty() {
            (nothing(visit.say("No payments match.", "Tidak ada pembayaran yang cocok.")))
        } @else {
            (list(visit, &intents))
        }
        nav.pages aria-label=(visit.say("Pages", "Halaman")) {
            @if query.has("after") { a href=(with(query, "")) { (visit.say("Newest", "Terbaru")) } }
            @if let Some(last) = intents.last().filter(|_| more) {
                a rel="next" href=(with(query, &last.id)) { (visit.say("Older", "Lebih lama")) }
            }
        }
    };
    Answer::page(visit.say("Payments", "Pembayaran"), body)
}

/// Which payments a query names.
pub(super) fn filter(query: &Fields) -> Filter {
    let date = |name: &str, days: i64| {
        let date: Date = query.text(name).parse().ok()?;
        midnight(date.checked_add(days.days()).ok()?)
    };
    Filter {
        state: state_of(query.text("state")),
        review: query.has("review"),
        account: query.some("account"),
        operation: query.some("operation"),
        tenant: query.some("app"),
        since_ms: date("since", 0),
        // The last day is in it.
        until_ms: date("until", 1),
        ..Filter::default()
    }
}

/// The names of the filter's fields.
const FIELDS: [&str; 7] = ["q", "state", "account", "operation", "app", "since", "until"];

/// The address of the same list, behind the intent given.
fn with(query: &Fields, after: &str) -> String {
    let mut pairs: Vec<(&str, &str)> = FIELDS.iter().map(|name| (*name, query.text(name))).collect();
    if query.has("review") {
        pairs.push(("review", "1"));
    }
    pairs.push(("after", after));
    address(PATH, &pairs)
}

/// Whatever is known by this name, newest first: an intent, an order of a host's, a reference of ours or of
/// a provider's. Each is looked up where there is an index for it.
fn search(gateway: &Gateway, name: &str) -> Result<Vec<Intent>, Error> {
    let mut found: BTreeMap<String, Intent> = BTreeMap::new();
    let mut add = |intent: Intent| {
        found.insert(intent.id.clone(), intent);
    };
    if let Some(story) = gateway.journal.intent(name)? {
        add(story.intent);
    }
    for account in gateway.accounts.values() {
        for order in [Order::OrderId(name), Order::Reference(name), Order::ProviderReference(name)] {
            gateway.journal.of_order(account.scope(), &order)?.into_iter().for_each(&mut add);
        }
    }
    for app in gateway.store.apps()? {
        let filter = Filter {
            tenant: Some(app.code),
            order_id: Some(name.to_owned()),
            limit: Some(PAGE),
            ..Filter::default()
        };
        gateway.journal.intents(&filter)?.into_iter().for_each(&mut add);
    }
    Ok(found.into_values().rev().collect())
}

fn filters(visit: &Visit<'_>) -> Result<Markup, Fault> {
    let query = &visit.query;
    let any = || (String::new(), visit.say("all", "semua").to_owned());
    let states = STATES.iter().map(|state| (word(*state), visit.language.state(*state).to_owned()));
    let states: Vec<_> = std::iter::once(any()).chain(states).collect();
    let same = |name: &String| (name.clone(), name.clone());
    let accounts: Vec<_> = std::iter::once(any()).chain(visit.gateway.accounts.keys().map(same)).collect();
    let operations: BTreeSet<&String> = visit
        .gateway
        .accounts
        .values()
        .flat_map(|account| account.operations.values())
        .filter(|operation| operation.class != Class::Read)
        .map(|operation| &operation.name)
        .collect();
    let operations: Vec<_> = std::iter::once(any()).chain(operations.into_iter().map(same)).collect();
    let apps = visit.gateway.store.apps()?;
    let apps: Vec<_> = std::iter::once(any()).chain(apps.iter().map(|app| same(&app.code))).collect();
    let narrowed = FIELDS.iter().skip(1).any(|name| !query.text(name).is_empty()) || query.has("review");
    let date = |name: &'static str, label: &'static str| Input {
        name,
        label,
        kind: "date",
        value: query.text(name),
        required: false,
        ..Input::default()
    };
    Ok(html! {
        form.filters method="get" action=(PATH) role="search" {
            div.search {
                label for="q" { (visit.say("Order or reference", "Pesanan atau referensi")) }
                input id="q" name="q" type="search" value=(query.text("q")) autocomplete="off";
                button type="submit" { (visit.say("Search", "Cari")) }
            }
            details open[narrowed] {
                summary { (visit.say("Filter", "Saring")) }
                div.grid {
                    (select("state", visit.say("State", "Keadaan"), &states, query.text("state")))
                    (select("account", visit.say("Account", "Akun penyedia"), &accounts, query.text("account")))
                    (select("operation", visit.say("Operation", "Operasi"), &operations, query.text("operation")))
                    (select("app", visit.say("Application", "Aplikasi"), &apps, query.text("app")))
                    (date("since", visit.say("From", "Dari")))
                    (date("until", visit.say("To", "Sampai")))
                    label.check {
                        input type="checkbox" name="review" value="1" checked[query.has("review")];
                        (visit.say("waits for a review", "menunggu tinjauan"))
                    }
                }
                div.actions {
                    button type="submit" { (visit.say("Show", "Tampilkan")) }
                    @if narrowed { a href=(PATH) { (visit.say("Show all", "Tampilkan semua")) } }
                }
            }
            p.actions { a href=(csv(query)) { (visit.say("Download as CSV", "Unduh sebagai CSV")) } }
        }
    })
}

fn csv(query: &Fields) -> String {
    with(query, "").replacen(PATH, &format!("{PATH}.csv"), 1)
}

/// A table of payments.
pub(super) fn list(visit: &Visit<'_>, intents: &[Intent]) -> Markup {
    let head = [
        ("", visit.say("Order", "Pesanan")),
        ("number", visit.say("Amount", "Jumlah")),
        ("", visit.say("State", "Keadaan")),
        ("wide", visit.say("Channel", "Kanal")),
        ("wide", visit.say("Application", "Aplikasi")),
        ("", visit.say("Made (WIB)", "Dibuat (WIB)")),
    ];
    let rows = html! { @for intent in intents { (row(visit, intent)) } };
    table(visit.say("Payments", "Pembayaran"), &head, rows)
}

fn row(visit: &Visit<'_>, intent: &Intent) -> Markup {
    html! {
        tr {
            th scope="row" {
                a href={ (ROOT) "/payments/" (intent.id) } { (name(intent)) }
                @if !intent.owns { " " (label("off", &intent.operation)) }
            }
            td.number { @if let Some(amount) = intent.payable_amount.or(intent.amount) { (rupiah(amount)) } }
            td {
                (badge(visit.language, intent.state))
                @if intent.review.is_some() { " " (label("alarm", visit.say("review", "tinjauan"))) }
            }
            td.wide { (intent.account) " · " (channel(visit.language, intent)) }
            td.wide { (intent.tenant) }
            td { (Time(intent.created_ms)) }
        }
    }
}

/// What people call a payment.
pub(super) fn name(intent: &Intent) -> &str {
    match (&intent.order_id, intent.reference.as_str()) {
        (Some(order_id), _) => order_id,
        (None, "") => &intent.id,
        (None, reference) => reference,
    }
}

/// How the payer was to pay, or what else was asked for.
pub(super) fn channel(language: Language, intent: &Intent) -> &str {
    let channel = intent.call.as_ref().and_then(|call| call.params.get("channel")?.as_str());
    match channel {
        Some(channel) => channel,
        None if intent.operation == "charge" => language.say("payer chooses", "pembayar memilih"),
        None => &intent.operation,
    }
}
