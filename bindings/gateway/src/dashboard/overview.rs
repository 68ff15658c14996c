//! The first page: what came in, how much of it succeeded, how long providers took, and what waits for
//! somebody.

use bayar::journal::Filter;
use maud::{Markup, html};

use super::ROOT;
use super::answer::{Answer, Fault};
use super::chart::{self, Bar};
use super::counting::{self, Channel, Day, Sum, is_bound};
use super::show::{address, grouped, milliseconds, nothing, rupiah, table};
use super::visit::Visit;

/// For how many days it can be seen.
const PERIODS: [i64; 3] = [7, 30, 90];

pub(super) fn show(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let asked: i64 = visit.query.text("days").parse().unwrap_or_default();
    let count = if PERIODS.contains(&asked) { asked } else { PERIODS[1] };
    let days = counting::days(visit.gateway, count)?;
    let body = html! {
        (tiles(visit, &days)?)
        nav.switch aria-label=(visit.say("Period", "Periode")) {
            @for period in PERIODS {
                a href=(address(ROOT, &[("days", &period.to_string())])) aria-current=[(period == count).then_some("true")] {
                    (period) " " (visit.say("days", "hari"))
                }
            }
        }
        (chart::volume(visit, &bars(&days)))
        h2 { (visit.say("Channels", "Kanal")) }
        (channels(visit, &days))
    };
    Answer::page(visit.say("Overview", "Ikhtisar"), body)
}

fn tiles(visit: &Visit<'_>, days: &[Day]) -> Result<Markup, Fault> {
    let today = Sum::of(days.last().iter().flat_map(|day| &day.figures));
    let all = Sum::of(days.iter().flat_map(|day| &day.figures));
    let counts = visit.gateway.store.delivery_counts()?;
    let waiting = Filter { review: true, limit: Some(100), ..Filter::default() };
    let reviews = visit.gateway.journal.intents(&waiting)?.len();
    let tile = |name: &str, value: String, under: String, to: Option<&str>, alarm: bool| {
        html! {
            li class=[alarm.then_some("alarm")] {
                span.name { @if let Some(to) = to { a href={ (ROOT) (to) } { (name) } } @else { (name) } }
                strong { (value) }
                @if !under.is_empty() { span.under { (under) } }
            }
        }
    };
    let of_payments = match visit.say(true, false) {
        true => format!("{} of {} payments", today.paid, today.made),
        false => format!("{} dari {} pembayaran", today.paid, today.made),
    };
    let due = match visit.say(true, false) {
        true => format!("{} more are tried again", counts.due),
        false => format!("{} lagi akan dicoba ulang", counts.due),
    };
    Ok(html! {
        ul.tiles {
            (tile(visit.say("Paid today", "Lunas hari ini"), rupiah(today.amount), of_payments, None, false))
            (tile(visit.say("Success", "Berhasil"), all.paid_of_1000().map_or("–".to_owned(), |share| percent(visit, share)),
                visit.say("of what came to an end", "dari yang sudah selesai").to_owned(), None, false))
            (tile(visit.say("Reviews", "Tinjauan"), reviews.to_string(), visit.say("wait for a person", "menunggu orang").to_owned(),
                Some("/reviews"), reviews > 0))
            (tile(visit.say("Deliveries parked", "Pengiriman terhenti"), counts.parked.to_string(), due,
                Some("/deliveries?state=parked"), counts.parked > 0))
            (tile(visit.say("Unknown", "Tidak diketahui"), all.unknown.to_string(),
                visit.say("recovery asks about them", "pemulihan menanyakannya").to_owned(), Some("/payments?state=unknown"), all.unknown > 0))
        }
    })
}

fn bars(days: &[Day]) -> Vec<Bar> {
    let bar = |day: &Day| {
        let sum = Sum::of(&day.figures);
        let open = sum.made - sum.paid - sum.over;
        Bar { day: day.date.to_string(), paid: sum.paid, over: sum.over, open, amount: sum.amount }
    };
    days.iter().map(bar).collect()
}

fn channels(visit: &Visit<'_>, days: &[Day]) -> Markup {
    let all = counting::channels(days);
    if all.is_empty() {
        return nothing(visit.say("No payments in this time.", "Tidak ada pembayaran pada masa ini."));
    }
    let bounds = all.values().filter_map(|sum| sum.within(95)).filter(|ms| is_bound(*ms));
    let whole = bounds.max().unwrap_or(1000);
    let head = [
        ("", visit.say("Channel", "Kanal")),
        ("number wide", visit.say("Made", "Dibuat")),
        ("number", visit.say("Paid", "Lunas")),
        ("number wide", visit.say("Sum paid", "Jumlah lunas")),
        ("", visit.say("Success", "Berhasil")),
        ("", visit.say("Answer of the provider", "Jawaban penyedia")),
    ];
    let rows = html! { @for (channel, sum) in &all { (row(visit, channel, sum, whole)) } };
    html! {
        (table(visit.say("Channels", "Kanal"), &head, rows))
        p.hint { (visit.say(
            "Success: paid, of what came to an end. Answer: half of the first requests, and 95 of 100, ended within this time.",
            "Berhasil: lunas, dari yang sudah selesai. Jawaban: separuh permintaan pertama, dan 95 dari 100, selesai dalam waktu ini.",
        )) }
    }
}

fn row(visit: &Visit<'_>, channel: &Channel, sum: &Sum, whole: i64) -> Markup {
    let took = |ms: i64| {
        let shown = if is_bound(ms) { ms } else { 20_000 };
        let sign = if is_bound(ms) { "≤ " } else { "> " };
        format!("{sign}{}", milliseconds(visit.language, shown))
    };
    html! {
        tr {
            th scope="row" { (channel_name(visit, channel)) }
            td.number.wide { (grouped(sum.made)) }
            td.number { (grouped(sum.paid)) }
            td.number.wide { (rupiah(sum.amount)) }
            td {
                @match sum.paid_of_1000() {
                    Some(share) => { span.value { (percent(visit, share)) } (chart::share(share)) }
                    None => { "–" }
                }
            }
            td {
                @match (sum.within(50), sum.within(95)) {
                    (Some(half), Some(nearly)) => { span.value { (took(half)) ", " (took(nearly)) } (chart::latency(half, nearly, whole)) }
                    _ => { "–" }
                }
            }
        }
    }
}

fn channel_name(visit: &Visit<'_>, channel: &Channel) -> Markup {
    html! {
        (channel.account) " · "
        @match &channel.channel {
            Some(channel) => { (channel) }
            None if channel.operation == "charge" => { (visit.say("payer chooses", "pembayar memilih")) }
            None => { (channel.operation) }
        }
    }
}

/// `87.5 %`.
fn percent(visit: &Visit<'_>, of_1000: i64) -> String {
    match of_1000 % 10 {
        0 => format!("{}\u{a0}%", of_1000 / 10),
        tenths => format!("{}{}{tenths}\u{a0}%", of_1000 / 10, visit.say(".", ",")),
    }
}
