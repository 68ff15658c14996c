//! One payment with all that happened to it, in the order of time, each with what it rests on.

use bayar::journal::{Intent, Story};
use maud::{Markup, html};
use serde_json::Value;

use super::answer::{Answer, Fault};
use super::payments::{channel, name};
use super::show::{Time, badge, button, facts, maybe_time, rupiah};
use super::visit::Visit;
use super::words::Language;
use super::{ROOT, money, reasons};
use crate::store::deliveries::{Delivery, DeliveryState, Which};
use crate::store::people::Role;

pub(super) fn show(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let story = story(visit)?;
    let intent = &story.intent;
    let told = told(visit, &intent.id)?;
    let body = html! {
        @if let Some(why) = &intent.review { (review(visit, intent, why)) }
        p.sum {
            @if let Some(amount) = intent.payable_amount.or(intent.amount) { strong { (rupiah(amount)) } " " }
            (badge(visit.language, intent.state))
        }
        (actions(visit, intent))
        section.columns {
            div { h2 { (visit.say("Payment", "Pembayaran")) } (about(visit, intent)) }
            div {
                h2 { (visit.say("What the payer got", "Yang diterima pembayar")) }
                (instruction(visit, intent))
                @if visit.may(Role::Operator) { (payer(visit, &story.params)) }
            }
        }
        h2 { (visit.say("What happened", "Yang terjadi")) }
        (timeline(visit, &story, &told))
        (evidence(visit.language))
    };
    Answer::page(name(intent), body)
}

/// The payment that the path names.
pub(super) fn story(visit: &Visit<'_>) -> Result<Story, Fault> {
    visit.gateway.journal.intent(visit.name("intent"))?.ok_or(Fault::Nowhere)
}

fn review(visit: &Visit<'_>, intent: &Intent, why: &str) -> Markup {
    html! {
        div.notice.alarm {
            p { strong { (visit.say("This payment waits for a person.", "Pembayaran ini menunggu keputusan orang.")) } }
            p { (reasons::why(visit.language, why)) }
            @if visit.may(Role::Operator) {
                p { a.button.main href={ (ROOT) "/reviews/" (intent.id) } { (visit.say("Decide", "Putuskan")) } }
            }
        }
    }
}

fn actions(visit: &Visit<'_>, intent: &Intent) -> Markup {
    let at = format!("{ROOT}/payments/{}", intent.id);
    let (asks, refunds, cancels) =
        (money::may_ask(visit, intent), money::may_refund(visit, intent), money::may_cancel(visit, intent));
    html! {
        @if visit.may(Role::Operator) && (asks || refunds || cancels) {
            div.actions {
                @if asks { (button(visit, &format!("{at}/ask"), visit.say("Ask the provider now", "Tanya penyedia sekarang"), "")) }
                @if refunds { a.button href={ (at) "/refund" } { (visit.say("Refund …", "Kembalikan dana …")) } }
                @if cancels { a.button href={ (at) "/cancel" } { (visit.say("Cancel …", "Batalkan …")) } }
            }
        }
    }
}

fn about(visit: &Visit<'_>, intent: &Intent) -> Markup {
    let code = |text: &str| html! { @if text.is_empty() { "–" } @else { code { (text) } } };
    let amounts = html! {
        (intent.amount.map(rupiah).unwrap_or_default())
        @if let Some(payable) = intent.payable_amount.filter(|payable| Some(*payable) != intent.amount) {
            ", " (visit.say("to pay", "yang dibayar")) " " (rupiah(payable))
        }
    };
    let app = html! {
        @if intent.tenant.is_empty() { "–" } @else { a href={ (ROOT) "/apps/" (intent.tenant) } { (intent.tenant) } }
    };
    // Whoever has its address sees what the payer owes and how to pay it.
    let page = visit.gateway.pay.page(&intent.id).filter(|_| intent.operation == "charge");
    let page = html! {
        @match page.filter(|_| visit.may(Role::Operator)) {
            Some(url) => { a href=(url) rel="noreferrer" { (visit.say("Open", "Buka")) } " " code.copy { (url) } }
            None => { "–" }
        }
    };
    facts(&[
        (visit.say("Order", "Pesanan"), code(intent.order_id.as_deref().unwrap_or_default())),
        (visit.say("Application", "Aplikasi"), app),
        (
            visit.say("Account", "Akun penyedia"),
            html! { (intent.account) " (" (intent.provider) ", " (intent.environment) ")" },
        ),
        (visit.say("Channel", "Kanal"), html! { (channel(visit.language, intent)) }),
        (visit.say("Amount", "Jumlah"), amounts),
        (visit.say("Reference", "Referensi"), code(&intent.reference)),
        (
            visit.say("Provider's reference", "Referensi penyedia"),
            code(intent.provider_reference.as_deref().unwrap_or_default()),
        ),
        (visit.say("Intent", "Id mesin"), code(&intent.id)),
        (visit.say("Page for the payer", "Halaman untuk pembayar"), page),
        (visit.say("Made", "Dibuat"), html! { (Time(intent.created_ms)) }),
        (visit.say("Asked about again", "Ditanyakan lagi"), maybe_time(intent.next_ms, "–")),
    ])
}

/// What the payer needs in order to pay, without what opens a page in their name.
fn instruction(visit: &Visit<'_>, intent: &Intent) -> Markup {
    let none = html! { p.nothing { (visit.say("Nothing.", "Tidak ada.")) } };
    let Some(outcome) = &intent.outcome else { return none };
    let Some(fields) = outcome["instruction"].as_object() else { return none };
    html! {
        dl.facts {
            @for (name, value) in fields.iter().filter(|(name, _)| !["token", "client_key"].contains(&name.as_str())) {
                div {
                    dt { (visit.language.part(name)) }
                    dd.wrap { @if name == "kind" { (visit.language.kind(&text(value))) } @else { code { (text(value)) } } }
                }
            }
            @if let Some(until) = outcome["expires_at"].as_str() {
                div { dt { (visit.say("until", "sampai")) } dd { (until) } }
            }
        }
    }
}

fn payer(visit: &Visit<'_>, params: &Value) -> Markup {
    let Some(customer) = params["customer"].as_object() else { return html! {} };
    html! {
        h2 { (visit.say("Payer", "Pembayar")) }
        dl.facts {
            @for (name, value) in customer { div { dt { (visit.language.part(name)) } dd { (text(value)) } } }
        }
    }
}

/// Something that the application was told of this payment.
type Told = (String, Delivery);

fn told(visit: &Visit<'_>, intent: &str) -> Result<Vec<Told>, Fault> {
    let store = &visit.gateway.store;
    let mut told = Vec::new();
    for event in store.events_of(intent)? {
        let which = Which { event: Some(event.id.clone()), ..Which::default() };
        told.extend(store.deliveries(&which, 1)?.into_iter().map(|delivery| (event.kind.clone(), delivery)));
    }
    Ok(told)
}

/// One thing that happened.
struct Step {
    at_ms: i64,
    /// Who: `out` (we ask), `in` (they say), `person`, `app`.
    class: &'static str,
    what: Markup,
    evidence: String,
}

fn timeline(visit: &Visit<'_>, story: &Story, told: &[Told]) -> Markup {
    let mut steps = attempts(visit, story);
    steps.extend(events(visit, story));
    steps.extend(effects(visit, story));
    steps.extend(deeds(visit.language, story));
    steps.extend(told.iter().map(|(kind, delivery)| delivered(visit, kind, delivery)));
    // Of one moment in the order above: a request before what its answer says.
    steps.sort_by_key(|step| step.at_ms);
    html! {
        ol.timeline {
            @for step in &steps {
                li class=(step.class) {
                    (Time(step.at_ms)) " "
                    span.what { (step.what) }
                    @if !step.evidence.is_empty() {
                        " " abbr.evidence title=(visit.language.evidence(&step.evidence)) { (step.evidence) }
                    }
                }
            }
        }
    }
}

fn attempts(visit: &Visit<'_>, story: &Story) -> Vec<Step> {
    let mut steps = Vec::new();
    for attempt in &story.attempts {
        let number = text(&attempt["number"]);
        let out = html! { (visit.say("Request", "Permintaan")) " " (number) " " (visit.say("goes out", "dikirim")) };
        steps.extend(step(&attempt["began_ms"], "out", out, ""));
        let ended = match attempt["stage"].as_str() {
            Some("answered") => visit.say("was answered", "dijawab"),
            Some("not_sent") => visit.say("was not sent", "tidak terkirim"),
            Some("maybe_sent") => {
                visit.say("got no answer; it may have arrived", "tidak dijawab; mungkin sudah sampai")
            }
            _ => visit.say("is out", "sedang dikirim"),
        };
        let what = html! {
            (visit.say("Request", "Permintaan")) " " (number) " " (ended)
            @if let Some(code) = attempt["code"].as_str() { " (" code { (code) } ")" }
            @if let Some(status) = attempt["http_status"].as_i64() { ", HTTP " (status) }
        };
        steps.extend(step(&attempt["ended_ms"], "out", what, ""));
    }
    let misses = story.intent.misses;
    if let Some(at_ms) = story.intent.missed_ms {
        let what = html! {
            (visit.say("The provider, asked what became of it, knows no such order", "Penyedia, ketika ditanya, tidak mengenal pesanan ini"))
            " (" (misses) "/2)"
        };
        steps.push(Step { at_ms, class: "in", what, evidence: "E2".to_owned() });
    }
    steps
}

fn events(visit: &Visit<'_>, story: &Story) -> Vec<Step> {
    // What a person decided stands in the audit, with its reason.
    let events = story.events.iter().filter(|event| event["source"] != "operator");
    events.filter_map(|event| step(&event["at_ms"], "in", said(visit, event), &rests_on(event))).collect()
}

fn rests_on(event: &Value) -> String {
    if event["source"] == "recovery" { String::new() } else { text(&event["evidence"]) }
}

fn said(visit: &Visit<'_>, event: &Value) -> Markup {
    let review = html! {
        @if let Some(why) = event["review"].as_str() { ". " (visit.say("For a person", "Untuk orang")) ": " (reasons::why(visit.language, why)) }
    };
    if let Some(back) = event["refunded"].as_i64() {
        return html! { (rupiah(back)) " " (visit.say("given back", "dikembalikan")) (review) };
    }
    let source = event["source"].as_str().unwrap_or_default();
    let by = match source {
        "call" => visit.say("The answer says", "Jawabannya"),
        "callback" => visit.say("A callback says", "Callback menyatakan"),
        "missing" => {
            return html! { (visit.say(
                "The provider knows no such order, asked twice: it never arrived",
                "Penyedia tidak mengenal pesanan ini, sudah dua kali ditanya: tidak pernah sampai",
            )) };
        }
        "recovery" => {
            return html! { (visit.say("Recovery can learn nothing more", "Pemulihan tidak bisa tahu lebih banyak")) (review) };
        }
        _ => visit.say("The provider, asked, says", "Penyedia, ketika ditanya, menyatakan"),
    };
    html! {
        (by) " " strong { (visit.language.status(event["status"].as_str().unwrap_or_default())) }
        @if let Some(amount) = event["amount"].as_i64() { ", " (rupiah(amount)) }
        @if let Some(theirs) = event["provider_reference"].as_str() { ", " (visit.say("theirs", "referensi mereka")) " " code { (theirs) } }
        (review)
    }
}

fn effects(visit: &Visit<'_>, story: &Story) -> Vec<Step> {
    let mut steps = Vec::new();
    for effect in &story.effects {
        let name = html! { code { (text(&effect["name"])) } };
        let claimed = html! {
            (visit.say("The application claims the effect", "Aplikasi mengklaim akibat")) " " (name) " "
            (visit.say("as", "sebagai")) " " code { (text(&effect["transaction_id"])) }
            @if effect["state"] == "released" { ", " (visit.say("and gave it back", "dan melepaskannya")) }
        };
        steps.extend(step(&effect["claimed_ms"], "app", claimed, ""));
        let confirmed =
            html! { (visit.say("The effect was applied", "Akibat sudah diterapkan")) ": " (name) };
        steps.extend(step(&effect["confirmed_ms"], "app", confirmed, ""));
    }
    steps
}

fn deeds(language: Language, story: &Story) -> Vec<Step> {
    let deed = |deed: &Value| {
        let decides = deed["action"].as_str().is_some_and(|action| action.starts_with("resolve"));
        let action = reasons::foreign(language, &text(&deed["action"]));
        let what = html! { (text(&deed["actor"])) ": " (action) ": " q { (text(&deed["reason"])) } };
        step(&deed["at_ms"], "person", what, if decides { "E3" } else { "" })
    };
    story.audit.iter().filter_map(deed).collect()
}

fn delivered(visit: &Visit<'_>, kind: &str, delivery: &Delivery) -> Step {
    let how = match delivery.state {
        DeliveryState::Done => visit.say("The application has it", "Aplikasi sudah menerimanya"),
        DeliveryState::Due => visit.say("The application is told", "Aplikasi sedang diberi tahu"),
        DeliveryState::Parked => {
            visit.say("The application could not be told", "Aplikasi tidak bisa diberi tahu")
        }
    };
    let what = html! { (how) ": " a href={ (ROOT) "/deliveries/" (delivery.event.id) } { (kind) } };
    Step { at_ms: delivery.event.at_ms, class: "app", what, evidence: String::new() }
}

fn step(at: &Value, class: &'static str, what: Markup, evidence: &str) -> Option<Step> {
    at.as_i64().map(|at_ms| Step { at_ms, class, what, evidence: evidence.to_owned() })
}

/// What E0 to E3 mean.
fn evidence(language: Language) -> Markup {
    html! {
        details {
            summary { (language.say("What E0 to E3 mean", "Arti E0 sampai E3")) }
            dl.facts {
                @for name in ["E0", "E1", "E2", "E3"] { div { dt { (name) } dd { (language.evidence(name)) } } }
            }
        }
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
