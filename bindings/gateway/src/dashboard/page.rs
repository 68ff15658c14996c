//! The frame of every page.

use std::sync::LazyLock;

use bayar::journal::Filter;
use maud::{DOCTYPE, Markup, html};
use sha2::{Digest, Sha256};

use super::ROOT;
use super::show::{address, token};
use super::visit::Visit;
use super::words::Language;
use crate::store::people::{Person, Role};

pub(super) const STYLE: &str = concat!(include_str!("../colours.css"), include_str!("style.css"));

/// The address of the style names what is in it, so that browsers may keep it.
pub(super) static STYLE_ADDRESS: LazyLock<String> =
    LazyLock::new(|| format!("{ROOT}/style.css?{}", &hex::encode(Sha256::digest(STYLE))[..12]));

/// How many waiting reviews are counted.
const COUNTED: u32 = 100;

/// The parts of the dashboard.
struct Part {
    path: &'static str,
    name: [&'static str; 2],
    least: Role,
}

const PARTS: [Part; 8] = [
    Part { path: "", name: ["Overview", "Ikhtisar"], least: Role::Viewer },
    Part { path: "/payments", name: ["Payments", "Pembayaran"], least: Role::Viewer },
    Part { path: "/reviews", name: ["Reviews", "Tinjauan"], least: Role::Viewer },
    Part { path: "/deliveries", name: ["Deliveries", "Pengiriman"], least: Role::Viewer },
    Part { path: "/providers", name: ["Providers", "Penyedia"], least: Role::Viewer },
    Part { path: "/apps", name: ["App Keys", "App Keys"], least: Role::Viewer },
    Part { path: "/people", name: ["People", "Orang"], least: Role::Owner },
    Part { path: "/audit", name: ["Audit log", "Log audit"], least: Role::Viewer },
];

/// A whole page, for whoever is signed in or not.
pub(super) fn framed(visit: &Visit<'_>, title: &str, body: Markup) -> Markup {
    let Some(session) = visit.session() else {
        return bare(visit.language, title, html! { (body) (languages(visit)) });
    };
    let me = &session.person;
    let inner = html! {
        a.skip href="#main" { (visit.say("Skip to the content", "Langsung ke isi")) }
        header.top {
            a.brand href=(ROOT) { "Bayar" }
            @if !visit.gateway.production { span.sandbox { (visit.say("sandbox", "sandbox")) } }
            (account(visit, me))
        }
        nav.parts aria-label=(visit.say("Parts of the dashboard", "Bagian dasbor")) { ul { (parts(visit, me)) } }
        main #main tabindex="-1" {
            h1 { (title) }
            (said(visit))
            (body)
        }
        footer { (look(visit, me)) }
    };
    document(visit.language, me.theme.as_deref(), title, "", inner)
}

/// A page without the parts: to sign in, to join, and for faults.
pub(super) fn bare(language: Language, title: &str, body: Markup) -> Markup {
    let inner = html! {
        main #main.bare {
            p.brand { "Bayar" }
            h1 { (title) }
            (body)
        }
    };
    document(language, None, title, "", inner)
}

/// A page that asks for itself once more; from here the browser sends the cookie.
pub(super) fn again(language: Language) -> Markup {
    let text = language.say("Continue to the dashboard", "Lanjut ke dasbor");
    let inner = html! { main #main.bare { h1 { "Bayar" } p { a href="" { (text) } } } };
    document(language, None, "Bayar", "0", inner)
}

fn document(language: Language, theme: Option<&str>, title: &str, refresh: &str, inner: Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang=(language.tag()) data-theme=[theme] {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex";
                meta name="color-scheme" content=(theme.unwrap_or("light dark"));
                @if !refresh.is_empty() { meta http-equiv="refresh" content=(refresh); }
                title { (title) " · Bayar" }
                link rel="icon" href="data:,";
                link rel="stylesheet" href=(STYLE_ADDRESS.as_str());
            }
            body { (inner) }
        }
    }
}

fn parts(visit: &Visit<'_>, me: &Person) -> Markup {
    let within = visit.path.strip_prefix(ROOT).unwrap_or_default();
    let is_here = |part: &Part| match part.path {
        "" => within.is_empty(),
        path => within.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '.'])),
    };
    let reviews = waiting(visit);
    html! {
        @for part in PARTS.iter().filter(|part| me.role >= part.least) {
            @let current = is_here(part).then_some("page");
            li {
                a href={ (ROOT) (part.path) } aria-current=[current] {
                    (visit.say(part.name[0], part.name[1]))
                    @if part.path == "/reviews" && reviews > 0 {
                        " " span.count { (if reviews >= COUNTED as usize { "99+".to_owned() } else { reviews.to_string() }) }
                    }
                }
            }
        }
    }
}

/// How many payments wait for a person; a frame is shown also where that cannot be counted.
fn waiting(visit: &Visit<'_>) -> usize {
    let filter = Filter { review: true, limit: Some(COUNTED), ..Filter::default() };
    visit.gateway.journal.intents(&filter).map_or(0, |intents| intents.len())
}

fn account(visit: &Visit<'_>, me: &Person) -> Markup {
    html! {
        div.me {
            a href={ (ROOT) "/me" } aria-current=[(visit.path == format!("{ROOT}/me")).then_some("page")] { (me.name) }
            form.inline method="post" action={ (ROOT) "/sign-out" } {
                (token(visit))
                button.plain type="submit" { (visit.say("Sign out", "Keluar")) }
            }
        }
    }
}

/// Language, and light or dark.
fn look(visit: &Visit<'_>, me: &Person) -> Markup {
    let theme = me.theme.as_deref().unwrap_or_default();
    let themes = [
        ("", visit.say("As the system", "Ikut sistem")),
        ("light", visit.say("Light", "Terang")),
        ("dark", visit.say("Dark", "Gelap")),
    ];
    html! {
        form.look method="post" action={ (ROOT) "/me/look" } {
            (token(visit))
            input type="hidden" name="back" value=(visit.here());
            fieldset {
                legend { (visit.say("Language", "Bahasa")) }
                @for language in [Language::Indonesian, Language::English] {
                    button type="submit" name="language" value=(language.tag()) lang=(language.tag())
                        aria-pressed=(language == visit.language) { (language.say("English", "Indonesia")) }
                }
            }
            fieldset {
                legend { (visit.say("Appearance", "Tampilan")) }
                @for (value, name) in themes {
                    button type="submit" name="theme" value=(value) aria-pressed=(value == theme) { (name) }
                }
            }
        }
        p.hint { "Bayar " (bayar::VERSION) " · " (visit.say("times are Jakarta's (WIB)", "waktu dalam WIB")) }
    }
}

/// The same page in the other language, where nobody is signed in yet.
fn languages(visit: &Visit<'_>) -> Markup {
    let to = visit.query.text("to");
    html! {
        p.languages {
            @for language in [Language::Indonesian, Language::English] {
                @if language == visit.language {
                    span lang=(language.tag()) { (language.say("English", "Indonesia")) }
                } @else {
                    a href=(address(&visit.path, &[("lang", language.tag()), ("to", to)])) lang=(language.tag()) {
                        (language.say("English", "Indonesia"))
                    }
                }
                " "
            }
        }
    }
}

/// What was just done, by a word in the address; whatever else stands there is not shown.
fn said(visit: &Visit<'_>) -> Markup {
    let say = |english: &'static str, indonesian: &'static str| visit.say(english, indonesian);
    let text = match visit.query.text("said") {
        "saved" => say("Saved.", "Tersimpan."),
        "refunded" => say("The money is on its way back.", "Dana sedang dikembalikan."),
        "cancelled" => say("The payment was cancelled.", "Pembayaran dibatalkan."),
        "asked" => say(
            "The provider was asked; this is how it stands.",
            "Penyedia sudah ditanya; inilah keadaannya.",
        ),
        "resent" => say("It is sent again now.", "Sedang dikirim ulang."),
        "resolved" => say("The review is decided.", "Tinjauan sudah diputuskan."),
        "proposed" => say(
            "Kept. It counts when a second person confirms it.",
            "Tercatat. Berlaku setelah dikonfirmasi orang kedua.",
        ),
        "withdrawn" => say("The decision was taken back.", "Keputusan ditarik kembali."),
        "revoked" => say("The key opens nothing any more.", "Kunci itu tidak berlaku lagi."),
        "stopped" => {
            say("The application's keys open nothing now.", "Kunci aplikasi itu sekarang tidak berlaku.")
        }
        "started" => say("The application's keys open again.", "Kunci aplikasi itu berlaku lagi."),
        "ended" => say("All other sessions have ended.", "Semua sesi lain sudah diakhiri."),
        _ => return html! {},
    };
    html! { p.notice.good role="status" { (text) } }
}
