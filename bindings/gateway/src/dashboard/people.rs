//! Who may sign in, for owners: inviting, changing what somebody may do, locking out.

use bayar_provider::Secret;
use maud::{Markup, html};

use super::ROOT;
use super::answer::{Answer, Fault, failure};
use super::show::{Input, Time, button, label, maybe_time, select, table, token};
use super::visit::Visit;
use crate::store::keys::now_ms;
use crate::store::people::{Person, Role};

const PATH: &str = "/dashboard/people";

pub(super) fn list(visit: &Visit<'_>) -> Result<Answer, Fault> {
    page(visit, html! {})
}

fn page(visit: &Visit<'_>, notice: Markup) -> Result<Answer, Fault> {
    let people = visit.gateway.store.people()?;
    let head = [
        ("", visit.say("Name", "Nama")),
        ("", visit.say("Role", "Peran")),
        ("", visit.say("State", "Keadaan")),
        ("", visit.say("Last signed in", "Terakhir masuk")),
    ];
    let rows = html! {
        @for person in &people {
            tr {
                th scope="row" { a href={ (PATH) "/" (person.id) } { (person.name) } br; span.under { (person.email) } }
                td { (visit.language.role(person.role)) }
                td { (state(visit, person)) }
                td { (maybe_time(person.seen_ms, visit.say("never", "belum pernah"))) }
            }
        }
    };
    let role = Role::of(visit.form.text("role")).unwrap_or(Role::Viewer);
    let body = html! {
        (notice)
        (table(visit.say("People", "Orang"), &head, rows))
        h2 { (visit.say("Invite somebody", "Undang seseorang")) }
        form.narrow method="post" action=(PATH) {
            (token(visit))
            (Input { name: "name", label: visit.say("Name", "Nama"), value: visit.form.text("name"), ..Input::default() })
            (Input { name: "email", label: visit.say("E-mail address", "Alamat email"), kind: "email", value: visit.form.text("email"), ..Input::default() })
            (roles(visit, role))
            button.main type="submit" { (visit.say("Invite", "Undang")) }
        }
    };
    Answer::page(visit.say("People", "Orang"), body)
}

fn state(visit: &Visit<'_>, person: &Person) -> Markup {
    if person.disabled_ms.is_some() {
        return label("off", visit.say("locked out", "dikunci"));
    }
    match person.invite_until_ms {
        Some(until) if until > now_ms() => html! {
            (label("wait", visit.say("invited until", "diundang sampai"))) " " (Time(until))
        },
        Some(_) => label("bad", visit.say("invitation is over", "undangan habis")),
        None => label("good", visit.say("may sign in", "boleh masuk")),
    }
}

fn roles(visit: &Visit<'_>, chosen: Role) -> Markup {
    let choice = |role: Role| {
        (role.word().to_owned(), format!("{}: {}", visit.language.role(role), visit.language.duties(role)))
    };
    select("role", visit.say("Role", "Peran"), &Role::ALL.map(choice), chosen.word())
}

pub(super) fn invite(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let form = &visit.form;
    let role = Role::of(form.text("role")).unwrap_or(Role::Viewer);
    match visit.gateway.store.invite(form.text("email"), form.text("name"), role, &visit.by()) {
        Ok((person, link)) => invited(visit, &person, &link),
        Err(error) => page(visit, failure(visit.language, &error)),
    }
}

fn invited(visit: &Visit<'_>, person: &Person, link: &Secret) -> Result<Answer, Fault> {
    let to = visit.link(&format!("{ROOT}/join/{}", link.expose()));
    let body = html! {
        div.notice.good { p { (visit.say(
            "Give this link to nobody but",
            "Berikan tautan ini hanya kepada",
        )) " " strong { (person.name) } ". " (visit.say(
            "It works once, within a day, and is shown now and not again.",
            "Berlaku sekali, dalam sehari, dan hanya ditampilkan sekarang.",
        )) } }
        p { code.copy #link { (to) } }
        p { a.button.main href=(PATH) { (visit.say("Done", "Selesai")) } }
    };
    Answer::page(visit.say("Invitation", "Undangan"), body)
}

/// The person whom the path names.
fn person(visit: &Visit<'_>) -> Result<Person, Fault> {
    visit.gateway.store.person(visit.name("person"))?.ok_or(Fault::Nowhere)
}

pub(super) fn show(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let person = person(visit)?;
    one(visit, &person, html! {})
}

fn one(visit: &Visit<'_>, person: &Person, notice: Markup) -> Result<Answer, Fault> {
    let at = format!("{PATH}/{}", person.id);
    let myself = visit.me()?.id == person.id;
    let body = html! {
        (notice)
        p { (person.email) " " (state(visit, person)) }
        form.narrow method="post" action=(at) {
            (token(visit))
            (Input { name: "name", label: visit.say("Name", "Nama"), value: &person.name, ..Input::default() })
            (roles(visit, person.role))
            p.hint { (visit.say("With another role they sign in anew.", "Dengan peran lain mereka harus masuk lagi.")) }
            button type="submit" { (visit.say("Save", "Simpan")) }
        }
        @if !myself {
            h2 { (visit.say("Lost password or authenticator", "Kata sandi atau autentikator hilang")) }
            p { (visit.say(
                "A new invitation takes away password, authenticator, recovery codes and sessions.",
                "Undangan baru menghapus kata sandi, autentikator, kode pemulihan, dan sesi.",
            )) }
            (button(visit, &format!("{at}/invite"), visit.say("Invite again", "Undang lagi"), ""))
            h2 { (visit.say("Lock out", "Kunci")) }
            @if person.disabled_ms.is_some() {
                (button(visit, &format!("{at}/enable"), visit.say("Let in again", "Izinkan lagi"), ""))
            } @else {
                (button(visit, &format!("{at}/disable"), visit.say("Lock out now", "Kunci sekarang"), "danger"))
            }
        }
    };
    Answer::page(person.name.clone(), body)
}

pub(super) fn change(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let person = person(visit)?;
    let role = Role::of(visit.form.text("role")).unwrap_or(person.role);
    match visit.gateway.store.change_person(&person.id, visit.form.text("name"), role, &visit.by()) {
        Ok(_) => Answer::go(&format!("{PATH}/{}", person.id), "saved"),
        Err(error) => one(visit, &person, failure(visit.language, &error)),
    }
}

pub(super) fn invite_again(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let person = person(visit)?;
    if visit.me()?.id == person.id {
        return Err(Fault::Nowhere);
    }
    let (person, link) = visit.gateway.store.invite_again(&person.id, &visit.by())?;
    invited(visit, &person, &link)
}

pub(super) fn disable(visit: &Visit<'_>) -> Result<Answer, Fault> {
    lock(visit, true)
}

pub(super) fn enable(visit: &Visit<'_>) -> Result<Answer, Fault> {
    lock(visit, false)
}

fn lock(visit: &Visit<'_>, out: bool) -> Result<Answer, Fault> {
    let person = person(visit)?;
    match visit.gateway.store.disable_person(&person.id, out, &visit.by()) {
        Ok(_) => Answer::go(&format!("{PATH}/{}", person.id), "saved"),
        Err(error) => one(visit, &person, failure(visit.language, &error)),
    }
}
