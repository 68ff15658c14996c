//! Signing in and out.
//!
//! E-mail address, password and code come in one form and are answered in one sentence, which takes as long
//! whatever was wrong. Tries are counted before they are looked at: for the address that they come from, and
//! for the e-mail address. Strangers' tries with a person's e-mail address do not lock that person out where
//! they have signed in from before.

use std::net::{IpAddr, Ipv6Addr};

use axum::http::StatusCode;
use maud::{Markup, html};

use super::answer::{Answer, Fault};
use super::show::Input;
use super::visit::{Visit, inside};
use super::{SIGN_IN, codes, password};
use crate::store::audit::By;
use crate::store::keys::now_ms;
use crate::store::people::{Person, plain_email};

/// How many tries in vain there may be in a quarter of an hour, from one address and for one e-mail address.
const FROM_ADDRESS: i64 = 30;
const FOR_EMAIL: i64 = 10;

pub(super) fn show(visit: &Visit<'_>) -> Result<Answer, Fault> {
    if visit.session().is_some() {
        return Answer::go(&inside(visit.query.text("to")), "");
    }
    let mut notice = html! {};
    if !visit.gateway.store.has_owner()? {
        let text = visit.say(
            "Nobody can sign in yet. On the machine that runs this gateway, make the first owner:",
            "Belum ada yang bisa masuk. Di mesin yang menjalankan gerbang ini, buat pemilik pertama:",
        );
        notice =
            html! { div.notice { p { (text) } p { code { "bayar --config bayar.toml serve --setup" } } } };
    }
    page(visit, StatusCode::OK, html! { (nowhere_to_keep(visit)) (notice) }, "", visit.query.text("to"))
}

/// Where signing in would lead back to this page.
fn nowhere_to_keep(visit: &Visit<'_>) -> Markup {
    if visit.keeps_sessions() {
        return html! {};
    }
    let text = visit.say(
        "Nobody can sign in from here: browsers keep a session over https only. Open this page on the gateway's own \
         machine, also through ssh -L 5000:localhost:5000, as http://localhost:5000; or put TLS in front and set \
         public_url to https://…",
        "Tidak bisa masuk dari sini: peramban hanya menyimpan sesi lewat https. Buka halaman ini di mesin gerbang \
         sendiri, juga lewat ssh -L 5000:localhost:5000, sebagai http://localhost:5000; atau pasang TLS di depannya \
         dan isi public_url dengan https://…",
    );
    html! { p.notice.bad role="alert" { (text) } }
}

pub(super) fn sign_in(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let store = &visit.gateway.store;
    let email = plain_email(visit.form.text("email"));
    let to = visit.form.text("to");
    let subjects = subjects(visit, &email)?;
    if !store.may_try(&subjects)? {
        tracing::warn!("too many tries to sign in");
        let text = visit.say(
            "Too many tries. Wait a quarter of an hour.",
            "Terlalu banyak percobaan. Tunggu seperempat jam.",
        );
        return page(visit, StatusCode::TOO_MANY_REQUESTS, alert(text), &email, to);
    }
    let Some(person) = proven(visit, &email)? else {
        tracing::warn!("a try to sign in was in vain");
        let text = visit.say(
            "E-mail address, password or code are not right. Each code works once.",
            "Alamat email, kata sandi, atau kode tidak benar. Setiap kode berlaku sekali.",
        );
        return page(visit, StatusCode::FORBIDDEN, alert(text), &email, to);
    };
    store.tried_well(&subjects[1..])?;
    if let Some(before) = visit.session() {
        store.end_session(&before.id)?;
    }
    let token = store.start_session(&person.id, &visit.address, &visit.agent)?;
    store.note(&by(visit, &person), "person.sign_in", &person.email, &visit.agent)?;
    Ok(Answer::Go { to: inside(to), session: Some(token.expose().to_owned()) })
}

pub(super) fn sign_out(visit: &Visit<'_>) -> Result<Answer, Fault> {
    if let Some(session) = visit.session() {
        visit.gateway.store.end_session(&session.id)?;
        visit.gateway.store.note(&visit.by(), "person.sign_out", &session.person.email, "")?;
    }
    Ok(Answer::Go { to: SIGN_IN.to_owned(), session: Some(String::new()) })
}

/// The person who proved who they are. What is wrong early is found out as late as what is wrong late.
fn proven(visit: &Visit<'_>, email: &str) -> Result<Option<Person>, Fault> {
    let store = &visit.gateway.store;
    let found = store.to_sign_in(email)?;
    let hash = found.as_ref().map(|(_, proofs)| proofs.password.as_str());
    let right = password::is(visit.form.exact("password"), hash);
    let code = visit.form.text("code");
    let recovery = codes::recovery_digest(code);
    let Some((person, proofs)) = found.filter(|_| right) else {
        // As a wrong code is: one write, which finds nothing.
        store.use_recovery("", &recovery)?;
        return Ok(None);
    };
    let used = match codes::step_of(&proofs.totp, email, code, now_ms()) {
        Some(step) => store.use_step(&person.id, step)?,
        None => {
            let used = store.use_recovery(&person.id, &recovery)?;
            if used {
                store.note(&by(visit, &person), "person.recovery_code", &person.email, "")?;
            }
            used
        }
    };
    Ok(used.then_some(person))
}

/// Whoever just proved who they are.
pub(super) fn by(visit: &Visit<'_>, person: &Person) -> By {
    By { actor: person.email.clone(), address: Some(visit.address.clone()) }
}

/// What tries are counted for: the address that they come from, and the e-mail address, the latter apart for
/// an address that its person signed in from before.
fn subjects(visit: &Visit<'_>, email: &str) -> Result<[(String, i64); 2], Fault> {
    let from = network(&visit.address);
    let known = visit.gateway.store.signed_in_from(email, &visit.address)?;
    let whose = if known { format!("email {email} from {from}") } else { format!("email {email}") };
    Ok([(format!("address {from}"), FROM_ADDRESS), (whose, FOR_EMAIL)])
}

/// A network of IPv6 counts as one address: whoever has one has all of it.
fn network(address: &str) -> String {
    match address.parse() {
        Ok(IpAddr::V6(six)) => {
            let [a, b, c, d, ..] = six.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).to_string()
        }
        _ => address.to_owned(),
    }
}

fn alert(text: &str) -> Markup {
    html! { p.notice.bad role="alert" { (text) } }
}

fn page(
    visit: &Visit<'_>,
    status: StatusCode,
    notice: Markup,
    email: &str,
    to: &str,
) -> Result<Answer, Fault> {
    let body = html! {
        (notice)
        form.narrow method="post" action=(SIGN_IN) {
            @if !to.is_empty() { input type="hidden" name="to" value=(to); }
            (Input { name: "email", label: visit.say("E-mail address", "Alamat email"), kind: "email", value: email, autocomplete: "username", ..Input::default() })
            (Input { name: "password", label: visit.say("Password", "Kata sandi"), kind: "password", autocomplete: "current-password", ..Input::default() })
            (Input {
                name: "code",
                label: visit.say("Code", "Kode"),
                hint: visit.say("The six digits of your authenticator, or a recovery code", "Enam angka dari aplikasi autentikator, atau kode pemulihan"),
                kind: "code",
                autocomplete: "one-time-code",
                ..Input::default()
            })
            button.main type="submit" { (visit.say("Sign in", "Masuk")) }
        }
    };
    Ok(Answer::Page { title: visit.say("Sign in", "Masuk").to_owned(), body, status })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_of_ipv6_is_one_address() {
        assert_eq!(network("2001:db8:1:2:3::4"), network("2001:db8:1:2:ffff::1"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        assert_eq!(network("192.0.2.1"), "192.0.2.1");
    }
}
