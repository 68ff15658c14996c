//! Payments that wait for a person, and what people decide about them. Above the amount that the
//! configuration names, one decides and another confirms.

use bayar::Status;
use bayar::journal::{Filter, Intent};
use maud::{Markup, html};
use serde_json::Value;

use super::answer::{Answer, Fault, failure};
use super::join::invalid;
use super::payment::story;
use super::payments::name;
use super::show::{Time, badge, button, facts, field, nothing, rupiah, select, table, token};
use super::visit::Visit;
use super::{ROOT, reasons};
use crate::store::people::Role;
use crate::store::reviews::Proposal;
use crate::tell;

/// How many are listed.
const LISTED: u32 = 200;

/// What a payment can be decided to be.
const ENDS: [&str; 10] = [
    "paid",
    "done",
    "failed",
    "expired",
    "cancelled",
    "authorized",
    "pending",
    "partially_refunded",
    "refunded",
    "disputed",
];

pub(super) fn list(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let filter = Filter { review: true, limit: Some(LISTED), ..Filter::default() };
    let intents = visit.gateway.journal.intents(&filter)?;
    let unmatched = visit.gateway.journal.unmatched(LISTED)?;
    let body = html! {
        @if intents.is_empty() {
            (nothing(visit.say("Nothing waits for a person.", "Tidak ada yang menunggu keputusan orang.")))
        } @else {
            (waiting(visit, &intents)?)
        }
        h2 { (visit.say("Callbacks that match no payment", "Callback tanpa pembayaran yang cocok")) }
        @if unmatched.is_empty() {
            (nothing(visit.say("None.", "Tidak ada.")))
        } @else {
            p { (visit.say(
                "They changed nothing. Somebody may have paid outside of this gateway, or another program uses the account. What the provider did not know either may come of a key that somebody else has: look at the provider's own records.",
                "Tidak mengubah apa pun. Mungkin ada yang membayar di luar gerbang ini, atau program lain memakai akun itu. Yang juga tidak dikenal penyedia bisa berasal dari kunci yang jatuh ke tangan orang lain: periksa catatan penyedia.",
            )) }
            (strangers(visit, &unmatched))
        }
    };
    Answer::page(visit.say("Reviews", "Tinjauan"), body)
}

fn waiting(visit: &Visit<'_>, intents: &[Intent]) -> Result<Markup, Fault> {
    let head = [
        ("", visit.say("Order", "Pesanan")),
        ("number", visit.say("Amount", "Jumlah")),
        ("", visit.say("State", "Keadaan")),
        ("wrap", visit.say("Why", "Mengapa")),
        ("", visit.say("Decided", "Diputuskan")),
        ("wide", visit.say("Made (WIB)", "Dibuat (WIB)")),
    ];
    let mut rows = Vec::new();
    for intent in intents {
        let proposal = proposal(visit, intent)?;
        let to = if visit.may(Role::Operator) { "reviews" } else { "payments" };
        rows.push(html! {
            tr {
                th scope="row" { a href={ (ROOT) "/" (to) "/" (intent.id) } { (name(intent)) } }
                td.number { (intent.payable_amount.or(intent.amount).map(rupiah).unwrap_or_default()) }
                td { (badge(visit.language, intent.state)) }
                td.wrap { (reasons::why(visit.language, intent.review.as_deref().unwrap_or_default())) }
                td { @if let Some(proposal) = &proposal { (visit.say("by", "oleh")) " " (proposal.email) } @else { "–" } }
                td.wide { (Time(intent.created_ms)) }
            }
        });
    }
    let rows = html! { @for row in &rows { (row) } };
    Ok(table(
        visit.say("Payments that wait for a person", "Pembayaran yang menunggu keputusan orang"),
        &head,
        rows,
    ))
}

fn strangers(visit: &Visit<'_>, callbacks: &[Value]) -> Markup {
    let head = [
        ("", visit.say("Came (WIB)", "Datang (WIB)")),
        ("", visit.say("Account", "Akun penyedia")),
        ("", visit.say("Reference", "Referensi")),
        ("", visit.say("Says", "Menyatakan")),
        ("number", visit.say("Amount", "Jumlah")),
        ("", visit.say("Evidence", "Bukti")),
        ("wrap", visit.say("Why", "Mengapa")),
    ];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let rows = html! {
        @for one in callbacks {
            tr {
                td { (Time(one["at_ms"].as_i64().unwrap_or_default())) }
                td { (text(&one["account"])) }
                td.wrap { (text(&one["reference"])) " " (text(&one["provider_reference"])) }
                td { (visit.language.status(&text(&one["status"]))) }
                td.number { (one["amount"].as_i64().map(rupiah).unwrap_or_default()) }
                td { (text(&one["evidence"])) }
                td.wrap { (reasons::why(visit.language, one["review"].as_str().unwrap_or_default())) }
            }
        }
    };
    table(visit.say("Callbacks that match no payment", "Callback tanpa pembayaran yang cocok"), &head, rows)
}

/// What somebody decided, if it was about the reason that it waits for now.
fn proposal(visit: &Visit<'_>, intent: &Intent) -> Result<Option<Proposal>, Fault> {
    let proposal = visit.gateway.store.proposal(&intent.id)?;
    Ok(proposal.filter(|proposal| intent.review.as_ref() == Some(&proposal.review)))
}

pub(super) fn show(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let intent = story(visit)?.intent;
    page(visit, &intent, html! {})
}

pub(super) fn decide(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let intent = story(visit)?.intent;
    let store = &visit.gateway.store;
    let (status, reason) = (visit.form.text("status"), visit.form.text("reason"));
    let Some(review) = &intent.review else { return Answer::go(&at_payment(&intent), "") };
    if reason.is_empty() || status_of(status).is_none() {
        let text = visit.say(
            "Choose a state, and say why: both are kept.",
            "Pilih keadaan, dan sebutkan alasannya: keduanya dicatat.",
        );
        return page(visit, &intent, failure(visit.language, &invalid("reason", text)));
    }
    if takes_two(visit, &intent) {
        store.propose(&intent.id, review, status, reason, visit.me()?, &visit.by())?;
        return Answer::go(&format!("{ROOT}/reviews"), "proposed");
    }
    resolve(visit, &intent, status, &visit.me()?.email, reason)
}

pub(super) fn confirm(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let intent = story(visit)?.intent;
    let me = visit.me()?;
    // What was confirmed is what was seen: another decision may have taken its place meanwhile.
    let seen = |proposal: &Proposal| proposal.at_ms.to_string() == visit.form.text("at");
    let Some(proposal) = proposal(visit, &intent)?.filter(seen) else {
        let text = visit.say(
            "The decision has changed meanwhile: look again.",
            "Keputusannya sudah berubah: lihat lagi.",
        );
        return page(visit, &intent, failure(visit.language, &invalid("at", text)));
    };
    if proposal.person == me.id {
        let text = visit.say(
            "Another person than the one who decided must confirm.",
            "Harus dikonfirmasi orang lain, bukan yang memutuskan.",
        );
        return page(visit, &intent, failure(visit.language, &invalid("person", text)));
    }
    let both = format!("{}, {}", proposal.email, me.email);
    let answer = resolve(visit, &intent, &proposal.status, &both, &proposal.reason)?;
    visit.gateway.store.drop_proposal(&intent.id, &visit.by(), "review.confirm")?;
    Ok(answer)
}

pub(super) fn withdraw(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let intent = visit.name("intent");
    visit.gateway.store.drop_proposal(intent, &visit.by(), "review.withdraw")?;
    Answer::go(&format!("{ROOT}/reviews"), "withdrawn")
}

fn resolve(
    visit: &Visit<'_>,
    intent: &Intent,
    status: &str,
    who: &str,
    reason: &str,
) -> Result<Answer, Fault> {
    let Some(decided) = status_of(status) else { return Err(Fault::Nowhere) };
    let gateway = visit.gateway;
    if let Err(error) = gateway.journal.resolve(&intent.id, decided, who, reason) {
        return page(visit, intent, failure(visit.language, &error));
    }
    gateway.store.note(&visit.by(), "review.resolve", &intent.id, &format!("{status}: {reason}"))?;
    // Where it cannot be told now, it is found in the journal and told later.
    let _ = tell::of_intent(gateway, &intent.id);
    Answer::go(&at_payment(intent), "resolved")
}

fn status_of(word: &str) -> Option<Status> {
    if ENDS.contains(&word) { serde_json::from_value(Value::String(word.to_owned())).ok() } else { None }
}

fn at_payment(intent: &Intent) -> String {
    format!("{ROOT}/payments/{}", intent.id)
}

/// Whether one person is not enough. An amount that is not known is as much as any.
fn takes_two(visit: &Visit<'_>, intent: &Intent) -> bool {
    let amount = intent.payable_amount.max(intent.amount);
    visit
        .gateway
        .settings
        .review_two_people_above
        .is_some_and(|most| amount.is_none_or(|amount| amount > most))
}

fn page(visit: &Visit<'_>, intent: &Intent, notice: Markup) -> Result<Answer, Fault> {
    let Some(review) = &intent.review else { return Answer::go(&at_payment(intent), "") };
    let proposal = proposal(visit, intent)?;
    let body = html! {
        (notice)
        (facts(&[
            (visit.say("Payment", "Pembayaran"), html! { a href=(at_payment(intent)) { (name(intent)) } }),
            (visit.say("Amount", "Jumlah"), html! { (intent.payable_amount.or(intent.amount).map(rupiah).unwrap_or_default()) }),
            (visit.say("State", "Keadaan"), html! { (badge(visit.language, intent.state)) }),
            (visit.say("Why", "Mengapa"), html! { strong { (reasons::why(visit.language, review)) } }),
        ]))
        p { (visit.say(
            "Look at the provider's own records first. What you decide is kept with your name; what is proven otherwise is refused.",
            "Periksa dulu catatan penyedia. Keputusan Anda disimpan dengan nama Anda; yang terbukti lain akan ditolak.",
        )) }
        @match &proposal {
            Some(proposal) => { (proposed(visit, intent, proposal)?) }
            None => { (decision(visit, intent)) }
        }
    };
    Answer::page(visit.say("Review", "Tinjauan"), body)
}

fn decision(visit: &Visit<'_>, intent: &Intent) -> Markup {
    let choices: Vec<(String, String)> =
        ENDS.iter().map(|word| ((*word).to_owned(), visit.language.status(word))).collect();
    let chosen = visit.form.some("status").unwrap_or_else(|| tell::word(intent.state));
    html! {
        form.narrow method="post" action={ (ROOT) "/reviews/" (intent.id) } {
            (token(visit))
            (select("status", visit.say("What became of it", "Apa yang terjadi dengannya"), &choices, &chosen))
            (field("reason", visit.say("Why, and what it rests on", "Alasan dan dasarnya"), "", |_| html! {
                textarea id="reason" name="reason" rows="3" required { (visit.form.text("reason")) }
            }))
            @if takes_two(visit, intent) {
                p.hint { (visit.say("A second person has to confirm this amount.", "Jumlah ini harus dikonfirmasi orang kedua.")) }
            }
            button.main type="submit" { (visit.say("Decide", "Putuskan")) }
        }
    }
}

fn proposed(visit: &Visit<'_>, intent: &Intent, proposal: &Proposal) -> Result<Markup, Fault> {
    let at = format!("{ROOT}/reviews/{}", intent.id);
    let mine = visit.me()?.id == proposal.person;
    Ok(html! {
        div.notice {
            p {
                (proposal.email) " " (visit.say("decided", "memutuskan")) " " strong { (visit.language.status(&proposal.status)) }
                ", " (Time(proposal.at_ms)) ": " q { (proposal.reason) }
            }
            div.actions {
                @if mine {
                    p { (visit.say("Another person has to confirm it.", "Harus dikonfirmasi orang lain.")) }
                } @else {
                    form.inline method="post" action={ (at) "/confirm" } {
                        (token(visit))
                        input type="hidden" name="at" value=(proposal.at_ms);
                        button.main type="submit" { (visit.say("Confirm", "Konfirmasi")) }
                    }
                }
                (button(visit, &format!("{at}/withdraw"), visit.say("Take it back", "Tarik kembali"), ""))
            }
        }
    })
}
