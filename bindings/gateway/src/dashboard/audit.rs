//! What people did: who, what, to what, when, from where.

use maud::html;

use super::answer::{Answer, Fault};
use super::show::{Time, address, nothing, table};
use super::visit::Visit;

const PAGE: u32 = 100;

const PATH: &str = "/dashboard/audit";

pub(super) fn list(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let mut done = visit.gateway.store.audit(visit.query.some("after").as_deref(), PAGE + 1)?;
    let more = done.len() > PAGE as usize;
    done.truncate(PAGE as usize);
    let head = [
        ("", visit.say("When (WIB)", "Kapan (WIB)")),
        ("", visit.say("Who", "Siapa")),
        ("", visit.say("What", "Apa")),
        ("wrap", visit.say("To what", "Terhadap apa")),
        ("wide wrap", visit.say("With what, or why", "Dengan apa, atau mengapa")),
        ("", visit.say("From", "Dari")),
    ];
    let rows = html! {
        @for one in &done {
            tr {
                td { (Time(one.at_ms)) }
                td { (one.actor) }
                td { code { (one.action) } }
                td.wrap { (one.target) }
                td.wide.wrap { (one.detail) }
                td { (one.address.as_deref().unwrap_or("–")) }
            }
        }
    };
    let body = html! {
        p.actions { a href={ (PATH) ".csv" } { (visit.say("Download as CSV", "Unduh sebagai CSV")) } }
        @if done.is_empty() {
            (nothing(visit.say("Nothing was done yet.", "Belum ada yang dilakukan.")))
        } @else {
            (table(visit.say("Audit log", "Log audit"), &head, rows))
        }
        nav.pages aria-label=(visit.say("Pages", "Halaman")) {
            @if visit.query.has("after") { a href=(PATH) { (visit.say("Newest", "Terbaru")) } }
            @if let Some(last) = done.last().filter(|_| more) {
                a rel="next" href=(address(PATH, &[("after", &last.id)])) { (visit.say("Older", "Lebih lama")) }
            }
        }
    };
    Answer::page(visit.say("Audit log", "Log audit"), body)
}
