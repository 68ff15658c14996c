//! Taking an invitation up: a password, an authenticator, and recovery codes.

use bayar::Error;
use bayar_provider::Secret;
use maud::{Markup, html};

use super::answer::{Answer, Fault, failure};
use super::show::Input;
use super::sign_in::by;
use super::visit::Visit;
use super::{SIGN_IN, codes, password};
use crate::store::keys::now_ms;
use crate::store::people::Person;

pub(super) fn show(visit: &Visit<'_>) -> Result<Answer, Fault> {
    match visit.gateway.store.invited(visit.name("token"))? {
        Some((person, totp)) => page(visit, &person, &totp, html! {}),
        None => over(visit),
    }
}

pub(super) fn join(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let store = &visit.gateway.store;
    let token = visit.name("token");
    let Some((person, totp)) = store.invited(token)? else { return over(visit) };
    let (password, step) = match chosen(visit, &person, &totp) {
        Ok(chosen) => chosen,
        Err(error) => return page(visit, &person, &totp, failure(visit.language, &error)),
    };
    let (codes, kept) = codes::recovery()?;
    let hash = password::hash(&password)?;
    if store.join(token, &hash, step, &kept, &by(visit, &person))?.is_none() {
        return over(visit);
    }
    let body = html! {
        (recovery_codes(visit, &codes))
        p { a.button.main href=(SIGN_IN) { (visit.say("Sign in", "Masuk")) } }
    };
    Answer::page(visit.say("You are in", "Berhasil bergabung"), body)
}

/// The password and the code of a form, if both are as they should be.
pub(super) fn chosen(visit: &Visit<'_>, person: &Person, totp: &Secret) -> Result<(String, i64), Error> {
    let password = chosen_password(visit, person)?;
    Ok((password, proven_step(visit, person, totp)?))
}

/// The password of a form, given twice.
pub(super) fn chosen_password(visit: &Visit<'_>, person: &Person) -> Result<String, Error> {
    let password = visit.form.exact("password");
    if password != visit.form.exact("again") {
        return Err(invalid("again", visit.say("The two passwords differ.", "Kedua kata sandi berbeda.")));
    }
    password::check(password, &person.email)?;
    Ok(password.to_owned())
}

/// The step of the code in a form: it shows that the authenticator has the secret, and that its clock is right.
pub(super) fn proven_step(visit: &Visit<'_>, person: &Person, totp: &Secret) -> Result<i64, Error> {
    codes::step_of(totp, &person.email, visit.form.text("code"), now_ms()).ok_or_else(|| {
        let text = visit.say(
            "The code is not the authenticator's present one. Is the device's clock right?",
            "Kode itu bukan kode autentikator saat ini. Apakah jam perangkatnya benar?",
        );
        invalid("code", text)
    })
}

pub(super) fn invalid(field: &str, text: &str) -> Error {
    Error::not_sent(bayar::Code::InvalidParams, text).field(field)
}

fn over(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let text = visit.say(
        "The link was used, or it is older than a day. Ask an owner to invite you again.",
        "Tautan ini sudah dipakai, atau lebih dari sehari. Minta pemilik mengundang Anda lagi.",
    );
    let title = visit.say("This invitation is over", "Undangan ini sudah tidak berlaku");
    Answer::refused(title, html! { p { (text) } })
}

fn page(visit: &Visit<'_>, person: &Person, totp: &Secret, notice: Markup) -> Result<Answer, Fault> {
    let title = match visit.say(true, false) {
        true => format!("Welcome, {}", person.name),
        false => format!("Selamat datang, {}", person.name),
    };
    let body = html! {
        (notice)
        form.narrow method="post" {
            p { (visit.say("You sign in with", "Anda masuk dengan")) " " strong { (person.email) } "." }
            input type="hidden" autocomplete="username" name="email" value=(person.email);
            (passwords(visit))
            (authenticator(visit, person, totp)?)
            button.main type="submit" { (visit.say("Join", "Bergabung")) }
        }
    };
    Answer::page(title, body)
}

/// The fields of a new password.
pub(super) fn passwords(visit: &Visit<'_>) -> Markup {
    html! {
        (Input {
            name: "password",
            label: visit.say("New password", "Kata sandi baru"),
            hint: visit.say("At least 12 characters. A few words are easy to remember.", "Paling sedikit 12 karakter. Beberapa kata mudah diingat."),
            kind: "password",
            autocomplete: "new-password",
            ..Input::default()
        })
        (Input { name: "again", label: visit.say("The same again", "Ulangi"), kind: "password", autocomplete: "new-password", ..Input::default() })
    }
}

/// The secret of an authenticator as a picture and as text, and the field for its first code.
pub(super) fn authenticator(visit: &Visit<'_>, person: &Person, totp: &Secret) -> Result<Markup, Fault> {
    let uri = codes::uri(totp, &person.email)?;
    let groups: Vec<&str> = (0..totp.expose().len())
        .step_by(4)
        .map(|at| &totp.expose()[at..(at + 4).min(totp.expose().len())])
        .collect();
    Ok(html! {
        p { (visit.say(
            "Scan this with an authenticator (any that knows TOTP), or type the secret into it.",
            "Pindai ini dengan aplikasi autentikator (yang mendukung TOTP), atau ketikkan rahasianya.",
        )) }
        @if let Some(picture) = codes::picture(&uri) {
            div.qr role="img" aria-label=(visit.say("QR code of the secret below", "Kode QR dari rahasia di bawah")) { (picture) }
        }
        p.secret { code { (groups.join(" ")) } }
        (Input {
            name: "code",
            label: visit.say("The code that it shows now", "Kode yang ditampilkannya sekarang"),
            kind: "code",
            autocomplete: "one-time-code",
            ..Input::default()
        })
    })
}

/// Recovery codes, shown this once.
pub(super) fn recovery_codes(visit: &Visit<'_>, codes: &[String]) -> Markup {
    html! {
        p { (visit.say(
            "Keep these recovery codes where your authenticator is not. Each takes the place of one code, once. They are shown now and never again.",
            "Simpan kode pemulihan ini terpisah dari autentikator. Masing-masing menggantikan satu kode, sekali saja. Hanya ditampilkan sekarang.",
        )) }
        ul.codes { @for code in codes { li { code { (code) } } } }
    }
}
