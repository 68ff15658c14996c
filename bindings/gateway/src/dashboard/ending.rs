//! What ends for good, or stops what goes on at once: a page asks before it is done.

use maud::{Markup, html};

use super::answer::{Answer, Fault};
use super::apps::{PATH, app};
use super::show::{facts, maybe_time, token};
use super::visit::Visit;
use crate::store::apps::App;
use crate::store::keys::{Key, now_ms};

pub(super) fn show_revoke(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let app = app(visit)?;
    let Some(key) = key(visit, &app)? else { return Answer::go(&at(&app), "") };
    let what = facts(&[
        (visit.say("Application", "Aplikasi"), html! { (app.code) }),
        (visit.say("Key", "Kunci"), html! { code { "…" (key.hint) } }),
        (
            visit.say("Last used", "Terakhir dipakai"),
            maybe_time(key.used_ms, visit.say("never", "belum pernah")),
        ),
        (visit.say("Made", "Dibuat"), maybe_time(Some(key.created_ms), "")),
    ]);
    let means = visit.say(
        "It opens nothing from then on, and cannot be brought back. Whoever still uses it is answered 401.",
        "Kunci ini tidak berlaku lagi sejak saat itu, dan tidak bisa dikembalikan. Yang masih memakainya dijawab 401.",
    );
    let revoke = Question {
        title: visit.say("Revoke the key", "Cabut kunci"),
        what,
        means,
        to: format!("{}/keys/{}/revoke", at(&app), key.id),
        act: visit.say("Revoke", "Cabut"),
    };
    revoke.ask(visit, &app)
}

pub(super) fn revoke(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let app = app(visit)?;
    if let Some(key) = key(visit, &app)? {
        visit.gateway.store.revoke_key(&key.id, &visit.by())?;
    }
    Answer::go(&at(&app), "revoked")
}

pub(super) fn show_stop(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let app = app(visit)?;
    if app.stopped_ms.is_some() {
        return Answer::go(&at(&app), "");
    }
    let now = now_ms();
    let keys = visit.gateway.store.keys(Some(&app.code))?;
    let open = keys.iter().filter(|key| key.is_valid(now));
    let what = facts(&[
        (visit.say("Application", "Aplikasi"), html! { (app.code) }),
        (visit.say("Keys that open", "Kunci yang berlaku"), html! { (open.clone().count()) }),
        (
            visit.say("Last used", "Terakhir dipakai"),
            maybe_time(open.filter_map(|key| key.used_ms).max(), visit.say("never", "belum pernah")),
        ),
    ]);
    let stop = Question {
        title: visit.say("Stop the application", "Hentikan aplikasi"),
        what,
        means: visit.say(
            "Its keys open nothing until it is let in again: it can charge nobody. What is under way goes on.",
            "Kuncinya tidak berlaku sampai diizinkan lagi: tidak bisa menagih siapa pun. Yang sedang berjalan tetap berjalan.",
        ),
        to: format!("{}/stop", at(&app)),
        act: visit.say("Stop", "Hentikan"),
    };
    stop.ask(visit, &app)
}

pub(super) fn stop(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let app = app(visit)?;
    visit.gateway.store.stop_app(&app.code, true, &visit.by())?;
    Answer::go(&at(&app), "stopped")
}

/// What is asked before it is done.
struct Question<'a> {
    title: &'a str,
    what: Markup,
    /// What it means.
    means: &'a str,
    /// Where the yes goes.
    to: String,
    act: &'a str,
}

impl Question<'_> {
    fn ask(&self, visit: &Visit<'_>, app: &App) -> Result<Answer, Fault> {
        let body = html! {
            (self.what)
            p { (self.means) }
            form.narrow method="post" action=(self.to) {
                (token(visit))
                div.actions {
                    button.danger type="submit" { (self.act) }
                    a.button href=(at(app)) { (visit.say("Back", "Kembali")) }
                }
            }
        };
        Answer::page(self.title, body)
    }
}

fn at(app: &App) -> String {
    format!("{PATH}/{}", app.code)
}

/// The key that the path names, if it is the application's and opens something.
fn key(visit: &Visit<'_>, app: &App) -> Result<Option<Key>, Fault> {
    let keys = visit.gateway.store.keys(Some(&app.code))?;
    Ok(keys.into_iter().find(|key| key.id == visit.name("key") && key.is_valid(now_ms())))
}
