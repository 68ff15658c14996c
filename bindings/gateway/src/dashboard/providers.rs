//! The configured accounts: what they are, how they do, where their providers send callbacks to. Nothing of
//! their credentials is here: the engine does not give them out.

use maud::{Markup, html};
use serde_json::Value;

use super::answer::{Answer, Fault};
use super::counting::{self, Health};
use super::show::{Time, button, facts, label, nothing};
use super::visit::Visit;
use super::{ROOT, reasons};
use crate::gateway::Account;
use crate::store::people::Role;

/// How far back an account's answers are looked for, in days.
const DAYS: i64 = 7;

/// How long the address before goes on working, in milliseconds: as long as it takes to paste a new one.
const GRACE_MS: i64 = 24 * 3_600_000;

pub(super) fn list(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let health = counting::health(&counting::days(visit.gateway, DAYS)?);
    let mut accounts = Vec::new();
    for account in visit.gateway.accounts.values() {
        accounts.push(one(visit, account, health.get(&account.name))?);
    }
    let body = html! {
        @if accounts.is_empty() {
            (nothing(visit.say("No account is configured.", "Belum ada akun yang dikonfigurasi.")))
        }
        @for account in &accounts { (account) }
        p.hint { (visit.say(
            "Accounts and their credentials stand in the configuration file, and are not shown here.",
            "Akun dan kredensialnya ada di berkas konfigurasi, dan tidak ditampilkan di sini.",
        )) }
    };
    Answer::page(visit.say("Providers", "Penyedia"), body)
}

fn one(visit: &Visit<'_>, account: &Account, health: Option<&Health>) -> Result<Markup, Fault> {
    let described = |name: &str| account.description[name].as_str().unwrap_or_default().to_owned();
    let real = account.environment == "production";
    let operations: Vec<&str> = account.operations.keys().map(String::as_str).collect();
    let none = Health::default();
    let health = health.unwrap_or(&none);
    Ok(html! {
        section.card {
            h2 {
                (account.name) " "
                (label(if real { "alarm" } else { "off" }, &account.environment))
            }
            (facts(&[
                (visit.say("Provider", "Penyedia"), html! { (described("name")) }),
                (visit.say("Plugin", "Plugin"), html! { (account.provider) " " (described("version")) }),
                (visit.say("Last answered", "Terakhir menjawab"), answered(visit, health)),
                (visit.say("Last failed", "Terakhir gagal"), failed(visit, health)),
                (visit.say("Operations", "Operasi"), html! { (operations.join(", ")) }),
                (visit.say("Callbacks to", "Callback ke"), callback(visit, account)?),
            ]))
        }
    })
}

fn answered(visit: &Visit<'_>, health: &Health) -> Markup {
    match health.answered_ms {
        Some(at) => html! { (Time(at)) },
        None => html! { (visit.say("not within a week", "tidak dalam seminggu")) },
    }
}

fn failed(visit: &Visit<'_>, health: &Health) -> Markup {
    match &health.failed {
        Some((at, code)) => html! { (Time(*at)) " " code { (code) } },
        None => html! { (visit.say("not within a week", "tidak dalam seminggu")) },
    }
}

/// The address to paste at the provider: who knows it can make the gateway ask, so viewers do not see it.
fn callback(visit: &Visit<'_>, account: &Account) -> Result<Markup, Fault> {
    let rules = &account.description["callback"];
    if rules == &Value::Null {
        return Ok(html! { (visit.say("sends none", "tidak mengirim")) });
    }
    if !visit.may(Role::Operator) {
        return Ok(html! { (visit.say("for operators to see", "hanya untuk operator")) });
    }
    let Some(url) = visit.gateway.callback_url(&account.name)? else {
        return Ok(html! { (visit.say(
            "set public_url in [gateway], so that providers can reach it",
            "isi public_url di [gateway], agar penyedia bisa menjangkaunya",
        )) });
    };
    let registered = rules["registration"].as_str().unwrap_or_default();
    Ok(html! {
        code.copy { (url) }
        @if !registered.is_empty() { p.hint { (visit.say("Where to paste it", "Tempat menempelkannya")) ": " (reasons::place(visit.language, registered)) } }
        @if visit.may(Role::Owner) {
            (button(visit, &format!("{ROOT}/providers/{}/address", account.name),
                visit.say("Make a new address", "Buat alamat baru"), ""))
        }
    })
}

pub(super) fn new_address(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let account = visit.name("account");
    if !visit.gateway.accounts.contains_key(account) {
        return Err(Fault::Nowhere);
    }
    visit.gateway.store.new_inbound_secret(account, GRACE_MS, &visit.by())?;
    Answer::go(&format!("{ROOT}/providers"), "saved")
}
