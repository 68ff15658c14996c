//! Applications, their keys, and what signs their callbacks.

use bayar_provider::Secret;
use maud::{Markup, html};

use super::answer::{Answer, Fault, failure};
use super::deliveries::shown;
use super::show::{Input, button, facts, field, label, maybe_time, nothing, select, table, token};
use super::visit::Visit;
use crate::drafts;
use crate::store::apps::{App, Draft};
use crate::store::keys::{Key, now_ms};
use crate::store::people::Role;

pub(super) const PATH: &str = "/dashboard/apps";

/// How long the keys or secrets before a new one may go on working, in hours.
const GRACES: [i64; 4] = [0, 1, 24, 7 * 24];

const HOUR_MS: i64 = 3_600_000;

pub(super) fn list(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let store = &visit.gateway.store;
    let apps = store.apps()?;
    let keys = store.keys(None)?;
    let now = now_ms();
    let head = [
        ("", visit.say("Application", "Aplikasi")),
        ("", visit.say("Charges through", "Menagih lewat")),
        ("number", visit.say("Keys", "Kunci")),
        ("", visit.say("Last used", "Terakhir dipakai")),
    ];
    let rows = html! {
        @for app in &apps {
            @let own: Vec<&Key> = keys.iter().filter(|key| key.app == app.code && key.is_valid(now)).collect();
            tr {
                th scope="row" {
                    a href={ (PATH) "/" (app.code) } { (app.code) }
                    @if app.stopped_ms.is_some() { " " (label("bad", visit.say("stopped", "dihentikan"))) }
                    @if !app.name.is_empty() { br; span.under { (app.name) } }
                }
                td { (app.account.as_deref().unwrap_or("–")) @if let Some(channel) = &app.channel { " · " (channel) } }
                td.number { (own.len()) }
                td { (maybe_time(own.iter().filter_map(|key| key.used_ms).max(), visit.say("never", "belum pernah"))) }
            }
        }
    };
    let body = html! {
        @if visit.may(Role::Owner) {
            div.actions { a.button.main href={ (PATH) "/new" } { (visit.say("New application", "Aplikasi baru")) } }
        }
        @if apps.is_empty() {
            (nothing(visit.say("No application may call yet.", "Belum ada aplikasi yang boleh memanggil.")))
        } @else {
            (table("App Keys", &head, rows))
        }
    };
    Answer::page("App Keys", body)
}

pub(super) fn show_new(visit: &Visit<'_>) -> Result<Answer, Fault> {
    new_page(visit, &Draft { accounts: vec!["*".to_owned()], ..Draft::default() }, html! {})
}

pub(super) fn create(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let draft = draft(visit);
    let checked = drafts::check(visit.gateway, &draft);
    let make = |()| visit.gateway.store.create_app(visit.form.text("code"), &draft, &visit.by());
    match checked.and_then(make) {
        Ok(app) => Answer::go(&format!("{PATH}/{}", app.code), "saved"),
        Err(error) => new_page(visit, &draft, failure(visit.language, &error)),
    }
}

fn new_page(visit: &Visit<'_>, draft: &Draft, notice: Markup) -> Result<Answer, Fault> {
    let body = html! {
        (notice)
        form.narrow method="post" action={ (PATH) "/new" } {
            (token(visit))
            (Input {
                name: "code",
                label: visit.say("Code", "Kode"),
                hint: visit.say("What it sends as X-App-Code: letters, digits, - _ . It stays.", "Dikirim sebagai X-App-Code: huruf, angka, - _ . Tidak bisa diubah."),
                value: visit.form.text("code"),
                ..Input::default()
            })
            (fields(visit, draft))
            button.main type="submit" { (visit.say("Make the application", "Buat aplikasi")) }
        }
    };
    Answer::page(visit.say("New application", "Aplikasi baru"), body)
}

/// What a form says of an application.
fn draft(visit: &Visit<'_>) -> Draft {
    let form = &visit.form;
    let names = |name: &str| {
        let lines = form.text(name).split([',', '\n', ' ']).map(str::trim).filter(|name| !name.is_empty());
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let accounts = if form.has("every") { vec!["*".to_owned()] } else { form.all("accounts") };
    Draft {
        name: form.text("name").to_owned(),
        account: form.some("account"),
        channel: form.some("channel"),
        accounts,
        operations: names("operations"),
        callback_url: form.some("callback_url"),
    }
}

fn fields(visit: &Visit<'_>, draft: &Draft) -> Markup {
    let none = (
        String::new(),
        visit
            .say(
                "midtrans, or the only one; else each request names one",
                "midtrans, atau satu-satunya; jika tidak, disebut di tiap permintaan",
            )
            .to_owned(),
    );
    let names = visit.gateway.accounts.keys();
    let accounts: Vec<_> =
        std::iter::once(none).chain(names.clone().map(|name| (name.clone(), name.clone()))).collect();
    let every = draft.accounts.iter().any(|name| name == "*");
    html! {
        (Input { name: "name", label: visit.say("Name", "Nama"), hint: visit.say("Payers see it where they pay", "Terlihat oleh pembayar di halaman pembayaran"), value: &draft.name, required: false, ..Input::default() })
        (select("account", visit.say("Charges through", "Menagih lewat"), &accounts, draft.account.as_deref().unwrap_or_default()))
        (Input {
            name: "channel",
            label: visit.say("Channel", "Kanal"),
            hint: visit.say("Empty: the payer chooses, where the provider has such a page", "Kosong: pembayar memilih, bila penyedia punya halamannya"),
            value: draft.channel.as_deref().unwrap_or_default(),
            required: false,
            ..Input::default()
        })
        (Input {
            name: "callback_url",
            label: visit.say("Address for callbacks", "Alamat callback"),
            hint: visit.say("It is told there what becomes of its payments", "Di sana aplikasi diberi tahu nasib pembayarannya"),
            kind: "url",
            value: draft.callback_url.as_deref().unwrap_or_default(),
            required: false,
            ..Input::default()
        })
        fieldset {
            legend { (visit.say("Accounts that it may use", "Akun yang boleh dipakai")) }
            label.check {
                input type="checkbox" name="every" value="1" checked[every];
                (visit.say("all, also those to come", "semua, juga yang akan datang"))
            }
            @for name in names {
                label.check {
                    input type="checkbox" name="accounts" value=(name) checked[!every && draft.accounts.contains(name)];
                    (name)
                }
            }
        }
        (field("operations", visit.say("Operations beyond payments", "Operasi di luar pembayaran"),
            visit.say("Names such as transfer, or * for all. Charging, asking, cancelling and refunding its own it may anyway.",
                "Nama seperti transfer, atau * untuk semua. Menagih, bertanya, membatalkan, dan mengembalikan miliknya selalu boleh."),
            |hint| html! {
                input id="operations" name="operations" type="text" autocomplete="off" value=(draft.operations.join(", ")) aria-describedby=(hint);
            }))
    }
}

/// The application that the path names.
pub(super) fn app(visit: &Visit<'_>) -> Result<App, Fault> {
    visit.gateway.store.app(visit.name("code"))?.ok_or(Fault::Nowhere)
}

pub(super) fn show(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let app = app(visit)?;
    let draft = Draft {
        name: app.name.clone(),
        account: app.account.clone(),
        channel: app.channel.clone(),
        accounts: app.accounts.clone(),
        operations: app.operations.clone(),
        callback_url: app.callback_url.clone(),
    };
    page(visit, &app, &draft, html! {})
}

pub(super) fn change(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let app = app(visit)?;
    let draft = draft(visit);
    let checked = drafts::check(visit.gateway, &draft);
    match checked.and_then(|()| visit.gateway.store.change_app(&app.code, &draft, &visit.by())) {
        Ok(_) => Answer::go(&format!("{PATH}/{}", app.code), "saved"),
        Err(error) => page(visit, &app, &draft, failure(visit.language, &error)),
    }
}

fn page(visit: &Visit<'_>, app: &App, draft: &Draft, notice: Markup) -> Result<Answer, Fault> {
    let at = format!("{PATH}/{}", app.code);
    let keys = visit.gateway.store.keys(Some(&app.code))?;
    let owner = visit.may(Role::Owner);
    let body = html! {
        (notice)
        @if app.stopped_ms.is_some() {
            p.notice.bad { (visit.say("This application is stopped: its keys open nothing.", "Aplikasi ini dihentikan: kuncinya tidak berlaku.")) }
        }
        h2 { (visit.say("Keys", "Kunci")) }
        (key_list(visit, app, &keys))
        @if owner {
            form.inline.actions method="post" action={ (at) "/keys" } {
                (token(visit))
                (graces(visit, "grace", visit.say("The keys before", "Kunci sebelumnya"), true))
                button.main type="submit" { (visit.say("Create a key", "Buat kunci")) }
            }
        }
        h2 { (visit.say("Settings", "Pengaturan")) }
        @if owner {
            form.narrow method="post" action=(at) {
                (token(visit))
                (fields(visit, draft))
                button type="submit" { (visit.say("Save", "Simpan")) }
            }
            (secret_form(visit, app, &at))
            h2 { (visit.say("Stop", "Hentikan")) }
            @if app.stopped_ms.is_some() {
                (button(visit, &format!("{at}/start"), visit.say("Let its keys open again", "Berlakukan lagi kuncinya"), ""))
            } @else {
                p { (visit.say("Its keys open nothing until it is let in again. What is under way goes on.", "Kuncinya tidak berlaku sampai diizinkan lagi. Yang sedang berjalan tetap berjalan.")) }
                p { a.button.danger href={ (at) "/stop" } { (visit.say("Stop the application …", "Hentikan aplikasi …")) } }
            }
        } @else {
            (facts(&[
                (visit.say("Name", "Nama"), html! { (app.name) }),
                (visit.say("Charges through", "Menagih lewat"), html! { (app.account.as_deref().unwrap_or("–")) }),
                (visit.say("Channel", "Kanal"), html! { (app.channel.as_deref().unwrap_or("–")) }),
                (visit.say("Address for callbacks", "Alamat callback"), html! { (app.callback_url.as_deref().map_or_else(|| "–".to_owned(), |url| shown(visit, url))) }),
                (visit.say("Accounts", "Akun"), html! { (app.accounts.join(", ")) }),
            ]))
        }
    };
    Answer::page(app.code.clone(), body)
}

fn key_list(visit: &Visit<'_>, app: &App, keys: &[Key]) -> Markup {
    if keys.is_empty() {
        return nothing(visit.say(
            "It has no key yet, and can call nothing.",
            "Belum punya kunci, dan tidak bisa memanggil apa pun.",
        ));
    }
    let now = now_ms();
    let head = [
        ("", visit.say("Key", "Kunci")),
        ("", visit.say("State", "Keadaan")),
        ("", visit.say("Last used", "Terakhir dipakai")),
        ("wide", visit.say("Made", "Dibuat")),
        ("", visit.say("Revoke", "Cabut")),
    ];
    let rows = html! {
        @for key in keys {
            @let open = key.is_valid(now);
            tr {
                th scope="row" { code { "…" (key.hint) } }
                td {
                    @match (open, key.until_ms) {
                        (true, None) => { (label("good", visit.say("opens", "berlaku"))) }
                        (true, until) => { (label("wait", visit.say("opens until", "berlaku sampai"))) " " (maybe_time(until, "")) }
                        (false, _) => { (label("off", visit.say("opens nothing", "tidak berlaku"))) }
                    }
                }
                td { (maybe_time(key.used_ms, visit.say("never", "belum pernah"))) }
                td.wide { (maybe_time(Some(key.created_ms), "")) }
                td {
                    @if open && visit.may(Role::Owner) {
                        a.button.danger href={ (PATH) "/" (app.code) "/keys/" (key.id) "/revoke" } aria-label={ (visit.say("Revoke … the key", "Cabut … kunci")) " …" (key.hint) } { (visit.say("Revoke …", "Cabut …")) }
                    }
                }
            }
        }
    };
    table(visit.say("Keys", "Kunci"), &head, rows)
}

/// For how long those before go on.
fn graces(visit: &Visit<'_>, name: &str, text: &str, stay: bool) -> Markup {
    let hours = |hours: i64| match (hours, visit.say(true, false)) {
        (0, true) => "end at once".to_owned(),
        (0, false) => "langsung berakhir".to_owned(),
        (1, true) => "go on for an hour".to_owned(),
        (1, false) => "berlaku sejam lagi".to_owned(),
        (24, true) => "go on for a day".to_owned(),
        (24, false) => "berlaku sehari lagi".to_owned(),
        (_, true) => "go on for a week".to_owned(),
        (_, false) => "berlaku seminggu lagi".to_owned(),
    };
    let stays =
        stay.then(|| (String::new(), visit.say("stay as they are", "tetap seperti semula").to_owned()));
    let choices: Vec<_> =
        stays.into_iter().chain(GRACES.map(|grace| (grace.to_string(), hours(grace)))).collect();
    let chosen = if stay { "" } else { "24" };
    select(name, text, &choices, chosen)
}

fn secret_form(visit: &Visit<'_>, app: &App, at: &str) -> Markup {
    html! {
        h2 { (visit.say("What signs its callbacks", "Penanda tangan callback-nya")) }
        p { (visit.say(
            "Callbacks are signed as Standard Webhooks say. While secrets are exchanged, both sign.",
            "Callback ditandatangani menurut Standard Webhooks. Selama pergantian, keduanya menandatangani.",
        )) }
        @if app.callback_url.is_none() {
            p.hint { (visit.say("It has no address for callbacks yet.", "Belum ada alamat callback.")) }
        }
        form.inline.actions method="post" action={ (at) "/secret" } {
            (token(visit))
            (graces(visit, "secret-grace", visit.say("The secret before", "Rahasia sebelumnya"), false))
            button type="submit" { (visit.say("Make a new secret", "Buat rahasia baru")) }
        }
    }
}

/// The grace that a form names, in milliseconds; nothing where those before stay.
fn grace_ms(text: &str) -> Option<i64> {
    let hours: i64 = text.parse().ok()?;
    GRACES.contains(&hours).then_some(hours * HOUR_MS)
}

pub(super) fn create_key(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let app = app(visit)?;
    let (_, secret) =
        visit.gateway.store.create_key(&app.code, grace_ms(visit.form.text("grace")), &visit.by())?;
    let text = visit.say(
        "This is the key. It is shown now and never again: what is kept cannot be turned back into it.",
        "Ini kuncinya. Hanya ditampilkan sekarang: yang disimpan tidak bisa dikembalikan menjadi kunci.",
    );
    let pairs = [("X-App-Code", app.code.as_str()), ("X-Api-Key", secret.expose())];
    once(visit, &app, visit.say("New key", "Kunci baru"), text, &pairs)
}

pub(super) fn new_secret(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let app = app(visit)?;
    let grace = grace_ms(visit.form.text("secret-grace")).unwrap_or_default();
    let secret: Secret = visit.gateway.store.new_webhook_secret(&app.code, grace, &visit.by())?;
    let text = visit.say(
        "This signs the application's callbacks from now on. It is shown now and not again.",
        "Ini menandatangani callback aplikasi mulai sekarang. Hanya ditampilkan sekarang.",
    );
    once(visit, &app, visit.say("New secret", "Rahasia baru"), text, &[("", secret.expose())])
}

fn once(
    visit: &Visit<'_>,
    app: &App,
    title: &str,
    text: &str,
    pairs: &[(&str, &str)],
) -> Result<Answer, Fault> {
    let body = html! {
        div.notice.good { p { (text) } }
        dl.facts.secrets {
            @for (name, value) in pairs {
                div { dt { (if name.is_empty() { visit.say("Secret", "Rahasia") } else { name }) } dd { code.copy #(name.to_lowercase()) { (value) } } }
            }
        }
        p { a.button.main href={ (PATH) "/" (app.code) } { (visit.say("I have kept it", "Sudah saya simpan")) } }
    };
    Answer::page(title, body)
}

pub(super) fn start(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let app = app(visit)?;
    visit.gateway.store.stop_app(&app.code, false, &visit.by())?;
    Answer::go(&format!("{PATH}/{}", app.code), "started")
}
