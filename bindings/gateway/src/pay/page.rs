//! The page: how much, to whom, for what, how it stands, and where to go from there.

use bayar::journal::{Intent, State};
use jiff::Timestamp;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde_json::Value;

use super::how::{self, web};
use super::{Links, Payment};
use crate::dashboard::{Language, jakarta, rupiah};

pub(super) const STYLE: &str = concat!(include_str!("../colours.css"), include_str!("style.css"));
pub(super) const SCRIPT: &str = include_str!("script.js");

/// How often a page that waits looks again, in seconds.
const AGAIN: u32 = 15;

/// How many lines of what is paid for are shown.
const LINES: usize = 20;

/// How a payment stands, as its payer is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Standing {
    Waiting,
    /// The provider's time is over, and it has not said what became of it.
    Late,
    /// It may be paid or not: a person looks, or the provider is being asked.
    Checking,
    Paid,
    GivenBack,
    Failed,
    Expired,
    Cancelled,
}

impl Standing {
    fn of(intent: &Intent, until_ms: Option<i64>) -> Standing {
        match intent.state {
            // Whatever the state says: a person has the last word.
            _ if intent.review.is_some() => Standing::Checking,
            State::Pending if until_ms.is_some_and(|until| until <= intent.read_ms) => Standing::Late,
            State::Pending => Standing::Waiting,
            State::New | State::Sending | State::Unknown | State::Authorized | State::Disputed => {
                Standing::Checking
            }
            State::Paid | State::Done => Standing::Paid,
            State::PartiallyRefunded | State::Refunded => Standing::GivenBack,
            State::Failed => Standing::Failed,
            State::Expired => Standing::Expired,
            State::Cancelled => Standing::Cancelled,
        }
    }

    /// For the script and for style.
    fn word(self) -> &'static str {
        match self {
            Standing::Waiting => "waiting",
            Standing::Late => "late",
            Standing::Checking => "checking",
            Standing::Paid => "paid",
            Standing::GivenBack => "refunded",
            Standing::Failed => "failed",
            Standing::Expired => "expired",
            Standing::Cancelled => "cancelled",
        }
    }

    /// Whether it may still change by itself.
    fn moves(self) -> bool {
        matches!(self, Standing::Waiting | Standing::Late | Standing::Checking)
    }

    fn title(self, language: Language) -> &'static str {
        match self {
            Standing::Waiting => language.say("Waiting for your payment", "Menunggu pembayaran"),
            Standing::Late => language.say("The time to pay is over", "Waktu pembayaran habis"),
            Standing::Checking => language.say("Being checked", "Sedang diperiksa"),
            Standing::Paid => language.say("Paid", "Lunas"),
            Standing::GivenBack => language.say("Given back", "Dana dikembalikan"),
            Standing::Failed => language.say("The payment failed", "Pembayaran gagal"),
            Standing::Expired => language.say("Expired", "Kedaluwarsa"),
            Standing::Cancelled => language.say("Cancelled", "Dibatalkan"),
        }
    }

    fn said(self, language: Language) -> &'static str {
        match self {
            Standing::Waiting => language.say(
                "This page shows by itself when the payment has arrived.",
                "Halaman ini berubah sendiri begitu pembayaran masuk.",
            ),
            Standing::Late => language.say(
                "Please do not pay any more. If you have paid in time, nothing is lost: this page shows it when the provider confirms it.",
                "Jangan membayar lagi. Jika Anda sudah membayar tepat waktu, dana Anda aman: halaman ini berubah begitu penyedia mengonfirmasi.",
            ),
            Standing::Checking => language.say(
                "Please do not pay a second time. This page shows how it ended when that is certain.",
                "Jangan membayar dua kali. Halaman ini menampilkan hasilnya begitu sudah pasti.",
            ),
            Standing::Paid => {
                language.say("Thank you. The payment has arrived.", "Terima kasih. Pembayaran sudah diterima.")
            }
            Standing::GivenBack => language.say(
                "The payment was given back, in whole or in part.",
                "Pembayaran sudah dikembalikan, seluruhnya atau sebagian.",
            ),
            Standing::Failed => language.say(
                "Nothing was paid here. Ask for a new payment where you ordered.",
                "Tidak ada yang terbayar di sini. Mintalah pembayaran baru di tempat Anda memesan.",
            ),
            Standing::Expired => language.say(
                "It was not paid in time. Please do not pay any more; ask for a new payment where you ordered.",
                "Tidak dibayar tepat waktu. Jangan membayar lagi; mintalah pembayaran baru di tempat Anda memesan.",
            ),
            Standing::Cancelled => language.say(
                "It was withdrawn. Please do not pay any more.",
                "Pembayaran ini ditarik kembali. Jangan membayar lagi.",
            ),
        }
    }
}

/// What is known of the payer, so that it can be left out: applications and providers write it into texts.
#[derive(Default)]
pub(super) struct Payer(Vec<String>);

impl Payer {
    fn of(params: &Value) -> Payer {
        let known =
            ["name", "email", "phone"].map(|field| params["customer"][field].as_str().unwrap_or_default());
        Payer(
            known
                .into_iter()
                .map(|text| text.trim().to_lowercase())
                .filter(|text| text.chars().count() > 2)
                .collect(),
        )
    }

    /// The text without the payer.
    pub(super) fn kept_out_of(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for known in &self.0 {
            // Lower case may be longer or shorter than what it is of; then nothing can be said about places.
            while let (lower, Some(at)) = (text.to_lowercase(), text.to_lowercase().find(known)) {
                let whole = lower.len() == text.len() && text.is_char_boundary(at + known.len());
                if !whole || !text.is_char_boundary(at) {
                    return "…".to_owned();
                }
                text.replace_range(at..at + known.len(), "…");
            }
        }
        text
    }
}

/// The page of a payment. What is known of the payer does not stand on it: whoever has the address sees it.
pub(super) fn page(links: &Links, language: Language, payment: &Payment) -> Markup {
    let intent = &payment.intent;
    let outcome = intent.as_outcome();
    let until = outcome.result.expires_at.as_deref().and_then(|text| text.parse::<Timestamp>().ok());
    let standing = Standing::of(intent, until.map(Timestamp::as_millisecond));
    let owed = intent.payable_amount.or(intent.amount).unwrap_or_default();
    let params = intent.call.as_ref().map_or(&Value::Null, |call| &call.params);
    let payer = Payer::of(params);
    let body = html! {
        @if intent.environment == "sandbox" {
            p.sandbox { (language.say("Sandbox: no real money is paid here.", "Sandbox: tidak ada uang sungguhan di sini.")) }
        }
        section.sheet.sum {
            @if let Some(payee) = &payment.payee {
                p.payee { (language.say("Payment to", "Pembayaran kepada")) " " strong { (payee) } }
            }
            h1 { (rupiah(owed)) }
            (difference(language, intent, owed))
            (paid_for(language, intent, params, &payer))
        }
        section class={ "sheet standing " (standing.word()) } role="status" {
            p { strong { (standing.title(language)) } }
            p { (standing.said(language)) }
            @if standing == Standing::Waiting && let Some(until) = until { (deadline(language, until)) }
            @if !standing.moves() { (way_back(links, language, params)) }
        }
        @if standing == Standing::Waiting {
            section.sheet.how {
                h2 { (language.say("How to pay", "Cara membayar")) }
                (how::instruction(language, owed, outcome.result.instruction.as_ref(), &payer))
            }
        }
    };
    let title = format!("{} · {}", standing.title(language), rupiah(owed));
    document(language, standing.word(), &title, if standing.moves() { AGAIN } else { 0 }, body)
}

/// Where the payer owes another amount than was asked, that is said plainly.
fn difference(language: Language, intent: &Intent, owed: i64) -> Markup {
    let Some(asked) = intent.amount.filter(|asked| *asked != owed) else { return html! {} };
    html! {
        p.difference {
            (language.say("The bill is", "Tagihannya")) " " (rupiah(asked)) ". "
            @if owed > asked {
                (language.say("To pay are", "Yang harus dibayar")) " " strong { (rupiah(owed)) } ": "
                (rupiah(owed - asked)) " "
                (language.say("more, for fees or to tell your transfer from others.", "lebih banyak, untuk biaya atau sebagai kode unik transfer Anda."))
            } @else {
                (language.say("To pay are only", "Yang harus dibayar hanya")) " " strong { (rupiah(owed)) } "."
            }
        }
    }
}

/// What is paid for: the items, else the description; and the order.
fn paid_for(language: Language, intent: &Intent, params: &Value, payer: &Payer) -> Markup {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    };
    let items: &[Value] = params["items"].as_array().map_or(&[], Vec::as_slice);
    let order = intent.order_id.clone().unwrap_or_else(|| intent.reference.clone());
    // Where only the order was named, it stands below.
    let said = |text: &String| !text.is_empty() && *text != order;
    let description = Some(text(&params["description"])).filter(said);
    let items = if matches!(items, [one] if !said(&text(&one["name"]))) { &[] } else { items };
    let price = |item: &Value| text(&item["price"]).parse::<i64>().ok();
    let count = |item: &Value| text(&item["quantity"]).parse::<i64>().unwrap_or(1);
    html! {
        @if let Some(description) = &description { p.description { (payer.kept_out_of(description)) } }
        @if !items.is_empty() {
            ul.items {
                @for item in items.iter().take(LINES) {
                    li {
                        span { (payer.kept_out_of(&text(&item["name"]))) @if count(item) != 1 { " × " (count(item)) } }
                        @if let Some(sum) = price(item).and_then(|price| price.checked_mul(count(item))) { span.number { (rupiah(sum)) } }
                    }
                }
                @if items.len() > LINES { li { "…" } }
            }
        }
        @if !order.is_empty() { p.order { (language.say("Order", "Pesanan")) " " span { (order) } } }
    }
}

/// Until when, in Jakarta's time and named so.
fn deadline(language: Language, until: Timestamp) -> Markup {
    const MONTHS: [[&str; 2]; 12] = [
        ["January", "Januari"],
        ["February", "Februari"],
        ["March", "Maret"],
        ["April", "April"],
        ["May", "Mei"],
        ["June", "Juni"],
        ["July", "Juli"],
        ["August", "Agustus"],
        ["September", "September"],
        ["October", "Oktober"],
        ["November", "November"],
        ["December", "Desember"],
    ];
    let until = until.to_zoned(jakarta());
    let [english, indonesian] = MONTHS[usize::from(until.month().unsigned_abs() - 1)];
    let month = language.say(english, indonesian);
    let clock = until.strftime(language.say("%H:%M", "%H.%M"));
    html! {
        p.until {
            (language.say("Pay before", "Bayar sebelum")) " "
            time datetime=(until.strftime("%Y-%m-%dT%H:%M:%S%:z")) {
                strong { (until.day()) " " (month) " " (until.year()) ", " (clock) " WIB" }
            }
            " " span.quiet { (language.say("(Jakarta, UTC+7)", "(UTC+7)")) }
        }
    }
}

/// Back to where the payer came from, if the charge said where.
fn way_back(links: &Links, language: Language, params: &Value) -> Markup {
    let url = params["return_url"].as_str().filter(|url| !links.is_back(url));
    html! {
        @if let Some(url) = url.and_then(web) {
            p { a.button href=(url) rel="noreferrer" { (language.say("Back to where you ordered", "Kembali ke tempat Anda memesan")) } }
        }
    }
}

/// There is no such page.
pub(super) fn nowhere(language: Language) -> Markup {
    let title = language.say("No payment here", "Tidak ada pembayaran di sini");
    let text = language.say(
        "This address belongs to no payment. It may have been cut off: open it again as you were given it.",
        "Alamat ini bukan milik pembayaran mana pun. Mungkin terpotong: buka lagi seperti yang Anda terima.",
    );
    document(language, "none", title, 0, html! { section.sheet { h1.word { (title) } p { (text) } } })
}

/// Not now.
pub(super) fn busy(language: Language) -> Markup {
    let title = language.say("One moment", "Sebentar");
    let text = language.say(
        "This page cannot be shown just now. It tries again by itself; your payment is not affected.",
        "Halaman ini belum bisa ditampilkan. Akan dicoba lagi otomatis; pembayaran Anda tidak terpengaruh.",
    );
    document(language, "busy", title, AGAIN, html! { section.sheet { h1.word { (title) } p { (text) } } })
}

/// Where scripts run, the page looks by itself and is drawn anew only when something changed, so that nobody
/// loses their place; where they do not, the browser asks for the whole page.
fn document(language: Language, word: &str, title: &str, again: u32, body: Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang=(language.tag()) data-standing=(word) data-again=[(again > 0).then_some(again)] {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex, nofollow";
                meta name="referrer" content="no-referrer";
                meta name="color-scheme" content="light dark";
                @if again > 0 { noscript { meta http-equiv="refresh" content=(again); } }
                title { (title) }
                link rel="icon" href="data:,";
                style { (PreEscaped(STYLE)) }
            }
            body {
                main { (body) }
                footer {
                    p.languages {
                        @for other in [Language::Indonesian, Language::English] {
                            @let name = other.say("English", "Indonesia");
                            @if other == language { span lang=(other.tag()) { (name) } }
                            @else { a href={ "?lang=" (other.tag()) } lang=(other.tag()) { (name) } }
                        }
                    }
                }
                p #said .hidden aria-live="polite" {}
                script { (PreEscaped(SCRIPT)) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATES: [&str; 13] = [
        "new",
        "sending",
        "pending",
        "authorized",
        "paid",
        "done",
        "failed",
        "expired",
        "cancelled",
        "partially_refunded",
        "refunded",
        "disputed",
        "unknown",
    ];

    fn standing(state: &str, review: Option<&str>, until_ms: Option<i64>) -> Standing {
        let intent: Intent = serde_json::from_value(serde_json::json!({
            "id": "I1", "account": "midtrans", "environment": "sandbox", "provider": "midtrans", "operation": "charge",
            "class": "keyed", "tenant": "biling", "digest": "1:x", "reference": "R1", "owns": true, "state": state,
            "review": review, "resend": true, "fence": 1, "lease_ms": 0, "tries": 0, "misses": 0, "created_ms": 0,
            "updated_ms": 0, "attempts": 1,
        }))
        .expect("an intent");
        Standing::of(&Intent { read_ms: 1000, ..intent }, until_ms)
    }

    #[test]
    fn only_what_is_paid_for_certain_is_paid() {
        let paid: Vec<&str> =
            STATES.into_iter().filter(|state| standing(state, None, None) == Standing::Paid).collect();
        assert_eq!(paid, ["paid", "done"]);
        for state in STATES {
            assert_eq!(standing(state, Some("why"), None), Standing::Checking, "{state} and a review");
        }
        assert_eq!(standing("authorized", None, None), Standing::Checking);
    }

    #[test]
    fn nobody_is_told_to_pay_what_is_over() {
        assert_eq!(standing("pending", None, Some(1001)), Standing::Waiting);
        assert_eq!(standing("pending", None, Some(1000)), Standing::Late);
        assert_eq!(standing("pending", None, None), Standing::Waiting);
        assert_eq!(standing("paid", None, Some(1)), Standing::Paid);
    }

    #[test]
    fn the_payer_is_left_out() {
        let payer = Payer::of(
            &serde_json::json!({"customer": {"name": "Budi Santoso", "phone": "0812", "email": ""}}),
        );
        assert_eq!(payer.kept_out_of("IPAYMU - BUDI SANTOSO"), "IPAYMU - …");
        assert_eq!(payer.kept_out_of("Budi Santoso 0812, Budi santoso"), "… …, …");
        assert_eq!(payer.kept_out_of("İ Budi Santoso"), "…");
        assert_eq!(payer.kept_out_of("PT TOKO CONTOH"), "PT TOKO CONTOH");
        assert_eq!(Payer::of(&Value::Null).kept_out_of("Hosting"), "Hosting");
        // What stands in its place is nobody's name: it would be replaced for ever.
        assert_eq!(Payer::of(&serde_json::json!({"customer": {"name": "…"}})).kept_out_of("a…b"), "a…b");
    }

    #[test]
    fn the_end_has_its_zone() {
        let until: Timestamp = "2026-11-30T00:05:00+07:00".parse().expect("a moment");
        let text = deadline(Language::Indonesian, until).into_string();
        assert!(text.contains("30 November 2026, 00.05 WIB"), "{text}");
        assert!(text.contains("datetime=\"2026-11-30T00:05:00+07:00\""), "{text}");
    }
}
