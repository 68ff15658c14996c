//! One's own settings: how the pages look, password, authenticator, recovery codes, sessions.

use maud::{Markup, html};

use super::answer::{Answer, Fault, failure};
use super::join::{
    authenticator as fields_of, chosen_password, invalid, passwords, proven_step, recovery_codes,
};
use super::show::{Time, button, table, token};
use super::visit::{Visit, inside};
use super::words::Language;
use super::{ROOT, codes, password};
use crate::store::people::{Person, new_totp};
use crate::store::sessions::Session;

/// How often somebody may give a wrong password here in a quarter of an hour.
const WRONG: i64 = 10;

pub(super) fn show(visit: &Visit<'_>) -> Result<Answer, Fault> {
    page(visit, html! {})
}

pub(super) fn look(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let me = visit.me()?;
    let form = &visit.form;
    let language = if form.has("language") { form.some("language") } else { me.language.clone() };
    let theme = if form.has("theme") { form.some("theme") } else { me.theme.clone() };
    let language = language.filter(|language| Language::of(language).is_some());
    let theme = theme.filter(|theme| ["light", "dark"].contains(&theme.as_str()));
    visit.gateway.store.set_look(&me.id, language.as_deref(), theme.as_deref())?;
    Answer::go(&inside(form.text("back")), "")
}

pub(super) fn password(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let me = visit.me()?;
    check_present(visit, me)?;
    let chosen = match chosen_password(visit, me) {
        Ok(chosen) => chosen,
        Err(error) => return page(visit, failure(visit.language, &error)),
    };
    visit.gateway.store.set_password(me, &password::hash(&chosen)?, &visit.by())?;
    anew(visit, me)
}

pub(super) fn show_authenticator(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let sealed = visit.gateway.store.seal().seal(&purpose(visit.me()?), new_totp()?.expose())?;
    authenticator_page(visit, &sealed, html! {})
}

pub(super) fn authenticator(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let me = visit.me()?;
    check_present(visit, me)?;
    let sealed = visit.form.text("secret");
    let secret = visit.gateway.store.seal().unseal(&purpose(me), sealed)?;
    let step = match proven_step(visit, me, &secret) {
        Ok(step) => step,
        Err(error) => return authenticator_page(visit, sealed, failure(visit.language, &error)),
    };
    visit.gateway.store.set_totp(me, &secret, step, &visit.by())?;
    anew(visit, me)
}

pub(super) fn recovery(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let me = visit.me()?;
    check_present(visit, me)?;
    let (codes, kept) = codes::recovery()?;
    visit.gateway.store.set_recovery(me, &kept, &visit.by())?;
    Answer::page(visit.say("Recovery codes", "Kode pemulihan"), recovery_codes(visit, &codes))
}

pub(super) fn end_sessions(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let me = visit.me()?;
    visit.gateway.store.note(&visit.by(), "person.end_sessions", &me.email, "")?;
    match anew(visit, me)? {
        Answer::Go { session, .. } => Ok(Answer::Go { to: format!("{ROOT}/me?said=ended"), session }),
        other => Ok(other),
    }
}

/// All sessions end, and this one goes on under another name.
fn anew(visit: &Visit<'_>, me: &Person) -> Result<Answer, Fault> {
    let store = &visit.gateway.store;
    store.end_sessions_of(&me.id)?;
    let token = store.start_session(&me.id, &visit.address, &visit.agent)?;
    Ok(Answer::Go { to: format!("{ROOT}/me?said=saved"), session: Some(token.expose().to_owned()) })
}

/// A page that somebody left open must not be enough to take an account over.
fn check_present(visit: &Visit<'_>, me: &Person) -> Result<(), Fault> {
    let store = &visit.gateway.store;
    let subjects = [(format!("present password {}", me.id), WRONG)];
    let may = store.may_try(&subjects)?;
    let kept = store.to_sign_in(&me.email)?;
    let right =
        password::is(visit.form.exact("present"), kept.as_ref().map(|(_, proofs)| proofs.password.as_str()));
    if !(may && right) {
        let text = visit.say(
            "The present password is not right, or was wrong too often: wait a quarter of an hour.",
            "Kata sandi saat ini tidak benar, atau terlalu sering salah: tunggu seperempat jam.",
        );
        return Err(invalid("present", text).into());
    }
    Ok(store.tried_well(&subjects)?)
}

/// What a sealed secret in a form is for: nobody else's form takes it.
fn purpose(me: &Person) -> String {
    format!("new authenticator/{}", me.id)
}

fn authenticator_page(visit: &Visit<'_>, sealed: &str, notice: Markup) -> Result<Answer, Fault> {
    let me = visit.me()?;
    let secret = visit.gateway.store.seal().unseal(&purpose(me), sealed)?;
    let body = html! {
        (notice)
        form.narrow method="post" action={ (ROOT) "/me/authenticator" } {
            (token(visit))
            input type="hidden" name="secret" value=(sealed);
            (fields_of(visit, me, &secret)?)
            (present(visit, "present"))
            button.main type="submit" { (visit.say("Use this one from now on", "Pakai yang ini mulai sekarang")) }
        }
    };
    Answer::page(visit.say("Another authenticator", "Ganti autentikator"), body)
}

fn present(visit: &Visit<'_>, id: &str) -> Markup {
    // Several forms of one page ask for it: the ids differ, the name does not.
    html! {
        div.field {
            label for=(id) { (visit.say("Present password", "Kata sandi saat ini")) }
            input id=(id) name="present" type="password" autocomplete="current-password" required;
        }
    }
}

fn page(visit: &Visit<'_>, notice: Markup) -> Result<Answer, Fault> {
    let session = visit.session().ok_or(Fault::SignedOut)?;
    let me = &session.person;
    let left = visit.gateway.store.recovery_left(&me.id)?;
    let sessions = visit.gateway.store.sessions(&me.id)?;
    let left = match visit.say(true, false) {
        true => format!("{left} of 10 are left."),
        false => format!("Tersisa {left} dari 10."),
    };
    let body = html! {
        (notice)
        p { strong { (me.name) } " · " (me.email) " · " (visit.language.role(me.role)) }
        section.columns {
            div {
                h2 { (visit.say("Password", "Kata sandi")) }
                form.narrow method="post" action={ (ROOT) "/me/password" } {
                    (token(visit))
                    input type="hidden" autocomplete="username" name="email" value=(me.email);
                    (present(visit, "present-password"))
                    (passwords(visit))
                    button type="submit" { (visit.say("Change the password", "Ganti kata sandi")) }
                }
            }
            div {
                h2 { (visit.say("Authenticator", "Autentikator")) }
                p { a.button href={ (ROOT) "/me/authenticator" } { (visit.say("Use another one", "Pakai yang lain")) } }
                h2 { (visit.say("Recovery codes", "Kode pemulihan")) }
                p { (left) }
                form.narrow method="post" action={ (ROOT) "/me/recovery" } {
                    (token(visit))
                    (present(visit, "present-recovery"))
                    button type="submit" { (visit.say("Make new ones", "Buat yang baru")) }
                }
            }
        }
        h2 { (visit.say("Sessions", "Sesi")) }
        (table(visit.say("Sessions", "Sesi"), &[
            ("", visit.say("Last used", "Terakhir dipakai")),
            ("", visit.say("From", "Dari")),
            ("", visit.say("By", "Dengan")),
            ("", visit.say("Since", "Sejak")),
        ], html! { @for one in &sessions { (row(visit, one, session)) } }))
        (button(visit, &format!("{ROOT}/me/sessions/end"), visit.say("End all other sessions", "Akhiri semua sesi lain"), ""))
    };
    Answer::page(visit.say("My account", "Akun saya"), body)
}

fn row(visit: &Visit<'_>, one: &Session, this: &Session) -> Markup {
    html! {
        tr {
            td { (Time(one.seen_ms)) @if one.id == this.id { " " span.hint { (visit.say("(this one)", "(yang ini)")) } } }
            td { (one.address) }
            td.wrap { (one.agent) }
            td { (Time(one.created_ms)) }
        }
    }
}
