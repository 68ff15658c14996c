//! Giving money back, cancelling, asking the provider. Before money moves, a page shows what will happen and
//! has the amount typed once more.

use bayar::journal::{Intent, State, Story};
use bayar::{Code, Error};
use maud::{Markup, html};
use serde_json::{Map, Value, json};

use super::ROOT;
use super::answer::{Answer, Fault, failure};
use super::join::invalid;
use super::payment::story;
use super::payments::name;
use super::show::{Input, facts, read_rupiah, rupiah, token};
use super::visit::Visit;
use crate::gateway::Account;
use crate::store::new_id;
use crate::{metrics, tell};

pub(super) fn may_ask(visit: &Visit<'_>, intent: &Intent) -> bool {
    intent.owns && can(visit, intent, "status")
}

pub(super) fn may_refund(visit: &Visit<'_>, intent: &Intent) -> bool {
    let earned = matches!(intent.state, State::Paid | State::PartiallyRefunded);
    intent.owns && earned && can(visit, intent, "refund")
}

pub(super) fn may_cancel(visit: &Visit<'_>, intent: &Intent) -> bool {
    let open = matches!(intent.state, State::Pending | State::Authorized | State::Unknown);
    intent.owns && open && can(visit, intent, "cancel")
}

fn can(visit: &Visit<'_>, intent: &Intent, operation: &str) -> bool {
    account_of(visit, intent).is_ok_and(|account| account.operations.contains_key(operation))
}

/// The account of a payment, if it still is in this environment.
fn account_of<'v>(visit: &Visit<'v>, intent: &Intent) -> Result<&'v Account, Error> {
    let account = visit.gateway.account(&intent.account)?;
    if account.environment == intent.environment {
        return Ok(account);
    }
    let what = format!(
        "the payment was made in {}, and the account {} is now in {}; expected the same environment",
        intent.environment, account.name, account.environment
    );
    Err(Error::not_sent(Code::NotPossible, what))
}

pub(super) fn ask(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let story = story(visit)?;
    call(visit, &story.intent, "status", Map::new())?;
    Answer::go(&at(&story.intent), "asked")
}

pub(super) fn show_refund(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let story = story(visit)?;
    refund_page(visit, &story, &new_key(visit)?, html! {})
}

pub(super) fn refund(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let story = story(visit)?;
    let intent = &story.intent;
    let key = visit.form.text("key");
    let done = (|| {
        let params = refund_params(visit, intent)?;
        let detail = format!("{}: {}", params["amount"], visit.form.text("reason"));
        visit.gateway.store.note(&visit.by(), "payment.refund", &intent.id, &detail)?;
        call(visit, intent, "refund", with_key(params, key))
    })();
    match done {
        Ok(()) => Answer::go(&at(intent), "refunded"),
        Err(error) => refund_page(visit, &story, key, failure(visit.language, &error)),
    }
}

pub(super) fn show_cancel(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let story = story(visit)?;
    cancel_page(visit, &story, &new_key(visit)?, html! {})
}

pub(super) fn cancel(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let story = story(visit)?;
    let intent = &story.intent;
    let key = visit.form.text("key");
    let done = (|| {
        let whole = intent.payable_amount.or(intent.amount);
        if read_rupiah(visit.form.text("again")) != whole {
            return Err(wrong(visit, "again", whole));
        }
        let reason = reason(visit)?;
        visit.gateway.store.note(&visit.by(), "payment.cancel", &intent.id, &reason)?;
        call(visit, intent, "cancel", with_key(Map::new(), key))
    })();
    match done {
        Ok(()) => Answer::go(&at(intent), "cancelled"),
        // What was not possible cancelled nothing and may be possible by and by: pressed again, it is asked again.
        Err(error) if error.code == Code::NotPossible => {
            cancel_page(visit, &story, &new_key(visit)?, failure(visit.language, &error))
        }
        Err(error) => cancel_page(visit, &story, key, failure(visit.language, &error)),
    }
}

/// What a refund's form says, if the amount stands in it twice and is no more than was paid.
fn refund_params(visit: &Visit<'_>, intent: &Intent) -> Result<Map<String, Value>, Error> {
    let form = &visit.form;
    let amount = read_rupiah(form.text("amount"));
    let most = intent.payable_amount.or(intent.amount);
    let Some(amount) = amount.filter(|amount| *amount > 0 && most.is_none_or(|most| *amount <= most)) else {
        return Err(wrong(visit, "amount", most));
    };
    if read_rupiah(form.text("again")) != Some(amount) {
        return Err(wrong(visit, "again", Some(amount)));
    }
    let mut params = Map::new();
    params.insert("amount".to_owned(), json!(amount));
    params.insert("reason".to_owned(), json!(reason(visit)?));
    let options: Map<String, Value> = options(account_of(visit, intent)?)
        .into_iter()
        .filter_map(|name| Some((name.clone(), json!(form.some(&format!("option-{name}"))?))))
        .collect();
    if !options.is_empty() {
        params.insert("options".to_owned(), Value::Object(options));
    }
    Ok(params)
}

fn reason(visit: &Visit<'_>) -> Result<String, Error> {
    let missing = visit.say("Say why: it is kept.", "Sebutkan alasannya: akan dicatat.");
    visit.form.some("reason").ok_or_else(|| invalid("reason", missing))
}

fn wrong(visit: &Visit<'_>, field: &str, expected: Option<i64>) -> Error {
    let expected = expected.map_or_else(String::new, rupiah);
    let text = match (field, visit.say(true, false)) {
        ("amount", true) => format!("The amount must be from 1 rupiah to {expected}."),
        ("amount", false) => format!("Jumlahnya harus dari 1 rupiah sampai {expected}."),
        (_, true) => format!("The amount that was typed again is not {expected}."),
        (_, false) => format!("Jumlah yang diketik ulang bukan {expected}."),
    };
    invalid(field, &text)
}

/// Calls an operation about a payment as its own application would, and tells that application what came of it.
fn call(
    visit: &Visit<'_>,
    intent: &Intent,
    operation: &str,
    mut params: Map<String, Value>,
) -> Result<(), Error> {
    let account = account_of(visit, intent)?;
    // By what the provider knows it by: an order id may be that of several payments.
    params.insert("reference".to_owned(), json!(intent.reference));
    if !intent.tenant.is_empty() {
        params.insert("tenant".to_owned(), json!(intent.tenant));
    }
    let gateway = visit.gateway;
    let ended = gateway.engine.call(&account.name, operation, Value::Object(params));
    let result = match &ended {
        Ok(outcome) => json!(outcome.result.status).as_str().unwrap_or_default().to_owned(),
        Err(error) => error.code.as_str().to_owned(),
    };
    let labels = metrics::Call { account: account.name.clone(), operation: operation.to_owned(), result };
    gateway.metrics.calls.get_or_create(&labels).inc();
    tell::of_outcome(gateway, account, operation, &ended?);
    Ok(())
}

/// The key of what a page asks for is made with the page: sent twice, it is done once.
fn new_key(visit: &Visit<'_>) -> Result<String, Error> {
    Ok(format!("dashboard-{}", new_id('D', visit.gateway.store.now_ms()?)?))
}

fn with_key(mut params: Map<String, Value>, key: &str) -> Map<String, Value> {
    params.insert("key".to_owned(), json!(key));
    params
}

fn at(intent: &Intent) -> String {
    format!("{ROOT}/payments/{}", intent.id)
}

/// What only this provider wants of a refund, by its own schema.
fn options(account: &Account) -> Vec<String> {
    let Some(refund) = account.operations.get("refund") else { return Vec::new() };
    let mut schema = &refund.params["properties"]["options"];
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.strip_prefix("#/$defs/")) {
        schema = &refund.params["$defs"][name];
    }
    schema["properties"].as_object().map(|names| names.keys().cloned().collect()).unwrap_or_default()
}

fn refund_page(visit: &Visit<'_>, story: &Story, key: &str, notice: Markup) -> Result<Answer, Fault> {
    let intent = &story.intent;
    let account = account_of(visit, intent)?;
    let whole = intent.payable_amount.or(intent.amount).unwrap_or_default();
    let extra = options(account);
    let known = |name: &str| story.params["options"][name].as_str().unwrap_or_default().to_owned();
    let fields = html! {
        (money(visit, "amount", visit.say("Amount to give back", "Jumlah yang dikembalikan"), &whole.to_string()))
        (money(visit, "again", visit.say("The amount again", "Ketik ulang jumlahnya"), ""))
        (why(visit))
        @for name in &extra {
            (Input { name: &format!("option-{name}"), label: name, value: &known(name), required: false, ..Input::default() })
        }
    };
    let text = visit.say(
        "The provider gives the money back to the payer. This cannot be undone.",
        "Penyedia mengembalikan dana kepada pembayar. Ini tidak bisa dibatalkan.",
    );
    let button = visit.say("Give the money back", "Kembalikan dananya");
    page(visit, intent, visit.say("Refund", "Pengembalian dana"), text, notice, fields, (key, button))
}

fn cancel_page(visit: &Visit<'_>, story: &Story, key: &str, notice: Markup) -> Result<Answer, Fault> {
    let fields = html! {
        (money(visit, "again", visit.say("The amount again", "Ketik ulang jumlahnya"), ""))
        (why(visit))
    };
    let text = visit.say(
        "The payer will not be able to pay any more. What was reserved on a card is set free.",
        "Pembayar tidak akan bisa membayar lagi. Dana yang ditahan di kartu dilepaskan.",
    );
    let button = visit.say("Cancel the payment", "Batalkan pembayaran");
    page(visit, &story.intent, visit.say("Cancel", "Pembatalan"), text, notice, fields, (key, button))
}

fn money(visit: &Visit<'_>, name: &str, label: &str, value: &str) -> Markup {
    let hint = visit.say("In rupiah: 150000 or 150.000", "Dalam rupiah: 150000 atau 150.000");
    let value = visit.form.some(name).filter(|_| name == "amount").unwrap_or_else(|| value.to_owned());
    html! { (Input { name, label, hint, kind: "money", value: &value, ..Input::default() }) }
}

fn why(visit: &Visit<'_>) -> Markup {
    html! { (Input { name: "reason", label: visit.say("Why", "Alasan"), value: visit.form.text("reason"), ..Input::default() }) }
}

fn page(
    visit: &Visit<'_>,
    intent: &Intent,
    title: &str,
    text: &str,
    notice: Markup,
    fields: Markup,
    (key, button): (&str, &str),
) -> Result<Answer, Fault> {
    let whole = intent.payable_amount.or(intent.amount).unwrap_or_default();
    let body = html! {
        (notice)
        (facts(&[
            (visit.say("Order", "Pesanan"), html! { (name(intent)) }),
            (visit.say("Amount", "Jumlah"), html! { (rupiah(whole)) }),
            (visit.say("State", "Keadaan"), html! { (visit.language.state(intent.state)) }),
            (visit.say("Account", "Akun penyedia"), html! { (intent.account) " (" (intent.environment) ")" }),
        ]))
        p { (text) }
        form.narrow method="post" {
            (token(visit))
            input type="hidden" name="key" value=(key);
            (fields)
            div.actions {
                button.danger type="submit" { (button) }
                a href=(at(intent)) { (visit.say("Back, change nothing", "Kembali, jangan ubah apa pun")) }
            }
        }
    };
    Answer::page(title, body)
}
