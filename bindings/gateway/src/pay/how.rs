//! How to pay, for each kind of instruction. Nothing that a provider named is loaded from anywhere, and only
//! addresses of the web and of known wallets become links.

use bayar::Instruction;
use maud::{Markup, PreEscaped, html};
use qrcode::render::svg;
use qrcode::{EcLevel, QrCode};

use super::page::Payer;
use crate::dashboard::{Language, rupiah};

/// What opens a wallet's application.
const WALLETS: [&str; 10] =
    ["gojek", "gopay", "shopeeid", "shopee", "ovo", "dana", "id.dana", "linkaja", "astrapay", "jenius"];

/// What the payer does.
pub(super) fn instruction(
    language: Language,
    owed: i64,
    instruction: Option<&Instruction>,
    payer: &Payer,
) -> Markup {
    match instruction {
        Some(Instruction::Redirect { url, .. }) => page(language, url),
        // The name that the bank shows may be the payer's own.
        Some(Instruction::VirtualAccount { bank, number, biller_code, name: _ }) => {
            virtual_account(language, bank, number, biller_code.as_deref())
        }
        Some(Instruction::Qr { text, image_url }) => {
            code(language, text.as_deref(), image_url.as_deref(), false)
        }
        Some(Instruction::Deeplink { url, image_url, text }) => html! {
            (wallet(language, url))
            (code(language, text.as_deref(), image_url.as_deref(), true))
        },
        Some(Instruction::Retail { store, code }) => retail(language, owed, store, code),
        Some(Instruction::ManualTransfer { bank, number, holder, branch }) => {
            // Some providers name an account after the payer that it was opened for.
            let holder = payer.kept_out_of(holder);
            let holder = holder.trim_matches([' ', '-', '…']);
            transfer(language, owed, bank, number, holder, branch.as_deref())
        }
        Some(Instruction::Cod { awb }) => courier(language, owed, awb.as_deref()),
        Some(Instruction::None) => html! {
            p { (language.say("There is nothing for you to do: the payment is on its way.", "Tidak ada yang perlu Anda lakukan: pembayaran sedang diproses.")) }
        },
        None => html! {
            p { (language.say("The provider has not said how to pay. Ask where you ordered.", "Penyedia belum memberi cara membayar. Tanyakan di tempat Anda memesan.")) }
        },
    }
}

fn page(language: Language, url: &str) -> Markup {
    html! {
        @if let Some(url) = web(url) {
            p { (language.say("You pay on the provider's page.", "Anda membayar di halaman penyedia.")) }
            p { a.button href=(url) rel="noreferrer" { (language.say("Go on to pay", "Lanjut membayar")) } }
        } @else { (unusable(language)) }
    }
}

fn virtual_account(language: Language, bank: &str, number: &str, biller: Option<&str>) -> Markup {
    html! {
        dl {
            (fact(language.say("Bank", "Bank"), &named(bank)))
            @if let Some(biller) = biller { (copied(language, language.say("Biller code", "Kode biller"), biller)) }
            @let what = match biller {
                Some(_) => language.say("Bill key", "Kode bayar"),
                None => language.say("Virtual account number", "Nomor virtual account"),
            };
            (copied(language, what, number))
        }
        ol.steps {
            li { (language.say("Open your bank's app, or go to an ATM.", "Buka aplikasi bank Anda, atau datangi ATM.")) }
            @if biller.is_some() {
                li { (language.say("Choose to pay a bill, and enter the biller code and the bill key.", "Pilih bayar tagihan (multipayment), lalu masukkan kode biller dan kode bayar.")) }
            } @else {
                li { (language.say("Choose to pay to a virtual account, and enter the number.", "Pilih pembayaran virtual account, lalu masukkan nomornya.")) }
            }
            li { (language.say("Compare the amount with this page's, and confirm.", "Cocokkan jumlahnya dengan halaman ini, lalu konfirmasi.")) }
        }
    }
}

/// A QR code, drawn here. `besides`: where there is a button as well.
fn code(language: Language, text: Option<&str>, image_url: Option<&str>, besides: bool) -> Markup {
    let drawn = text.and_then(picture);
    let said = language.say("QR code to pay with", "Kode QR untuk membayar");
    html! {
        @if let Some(drawn) = drawn {
            @if besides {
                p { (language.say("Or scan this code with a phone that has the app:", "Atau pindai kode ini dengan ponsel yang punya aplikasinya:")) }
            } @else {
                p { (language.say("Scan this code with your bank's app or your wallet:", "Pindai kode ini dengan aplikasi bank atau dompet digital Anda:")) }
            }
            div.qr role="img" aria-label=(said) { (drawn) }
            @if !besides {
                p.quiet { (language.say("On this very phone: take a screenshot, and open it from the app.", "Di ponsel ini juga: ambil tangkapan layar, lalu buka dari aplikasinya.")) }
            }
        } @else if let Some(url) = image_url.and_then(web) {
            p { a.button.second href=(url) rel="noreferrer" { (language.say("Show the QR code", "Tampilkan kode QR")) } }
        } @else if !besides { (unusable(language)) }
    }
}

fn wallet(language: Language, url: &str) -> Markup {
    html! {
        @if let Some(url) = web(url).or_else(|| of_wallet(url)) {
            p { (language.say("You pay in the wallet's app.", "Anda membayar di aplikasi dompet digital.")) }
            p { a.button href=(url) rel="noreferrer" { (language.say("Open the app", "Buka aplikasi")) } }
        } @else { (unusable(language)) }
    }
}

fn retail(language: Language, owed: i64, store: &str, code: &str) -> Markup {
    html! {
        dl {
            (fact(language.say("Shop", "Gerai"), &named(store)))
            (copied(language, language.say("Payment code", "Kode pembayaran"), code))
        }
        ol.steps {
            li { (language.say("Go to the cashier of any of its shops.", "Datangi kasir gerai mana pun.")) }
            li { (language.say("Tell or show the payment code.", "Sebutkan atau tunjukkan kode pembayarannya.")) }
            li { (language.say("Pay", "Bayar")) " " (rupiah(owed)) ", " (language.say("and keep the receipt. The shop may add a fee of its own.", "dan simpan struknya. Gerai mungkin menambahkan biaya sendiri.")) }
        }
    }
}

fn transfer(
    language: Language,
    owed: i64,
    bank: &str,
    number: &str,
    holder: &str,
    branch: Option<&str>,
) -> Markup {
    html! {
        dl {
            (fact(language.say("Bank", "Bank"), &named(bank)))
            @if let Some(branch) = branch { (fact(language.say("Branch", "Cabang"), branch)) }
            (copied(language, language.say("Account number", "Nomor rekening"), number))
            @if !holder.is_empty() { (fact(language.say("Account holder", "Atas nama"), holder)) }
            (copyable(language, language.say("Exact amount", "Jumlah persis"), &rupiah(owed), &owed.to_string()))
        }
        p.notice {
            strong { (language.say("Transfer exactly this amount, to the last digit.", "Transfer persis sejumlah ini, sampai digit terakhir.")) } " "
            (language.say("By it your payment is recognised.", "Dengan itulah pembayaran Anda dikenali."))
        }
    }
}

fn courier(language: Language, owed: i64, awb: Option<&str>) -> Markup {
    html! {
        p { (language.say("Pay the courier when the goods arrive:", "Bayar kepada kurir saat barang tiba:")) " " strong { (rupiah(owed)) } "." }
        @if let Some(awb) = awb {
            dl { (copied(language, language.say("Way bill", "Nomor resi"), awb)) }
        }
    }
}

fn unusable(language: Language) -> Markup {
    html! {
        p.notice { (language.say("The provider's address cannot be opened from here. Ask where you ordered for another way to pay.", "Alamat dari penyedia tidak bisa dibuka dari sini. Mintalah cara membayar lain di tempat Anda memesan.")) }
    }
}

fn fact(name: &str, value: &str) -> Markup {
    html! { div { dt { (name) } dd { (value) } } }
}

/// A value to take away: it is marked whole by a tap, and where scripts run a button copies it.
fn copied(language: Language, name: &str, value: &str) -> Markup {
    copyable(language, name, value, value)
}

fn copyable(language: Language, name: &str, shown: &str, value: &str) -> Markup {
    html! {
        div.copied {
            dt { (name) }
            dd {
                code { @for group in groups(shown) { span { (group) } } }
                button type="button" hidden data-copy=(value) data-done=(language.say("Copied", "Tersalin"))
                    aria-label={ (language.say("Copy", "Salin")) ": " (name) } { (language.say("Copy", "Salin")) }
            }
        }
    }
}

/// Long numbers are read and typed four digits at a time. What sets them apart is no blank: they are copied whole.
fn groups(shown: &str) -> Vec<&str> {
    if shown.len() < 10 || !shown.bytes().all(|byte| byte.is_ascii_digit()) {
        return vec![shown];
    }
    (0..shown.len()).step_by(4).map(|at| &shown[at..shown.len().min(at + 4)]).collect()
}

/// A bank or shop as people know it; providers write them short, and small.
fn named(short: &str) -> String {
    match short {
        "cimb" => return "CIMB Niaga".to_owned(),
        "mandiri" => return "Bank Mandiri".to_owned(),
        "permata" => return "Bank Permata".to_owned(),
        "danamon" => return "Bank Danamon".to_owned(),
        "bmi" => return "Bank Muamalat".to_owned(),
        "bag" | "artha_graha" => return "Bank Artha Graha".to_owned(),
        "neo_commerce" => return "Bank Neo Commerce".to_owned(),
        "sahabat_sampoerna" => return "Bank Sahabat Sampoerna".to_owned(),
        "pos" => return "Pos Indonesia".to_owned(),
        written if written.chars().any(char::is_uppercase) => return written.to_owned(),
        _ => {}
    }
    let word = |word: &str| match word.len() {
        // BCA, BNI, ATM, VA.
        0..=3 => word.to_uppercase(),
        _ => {
            let mut letters = word.chars();
            letters
                .next()
                .map_or_else(String::new, |first| first.to_uppercase().collect::<String>() + letters.as_str())
        }
    };
    short.split(['_', ' ']).map(word).collect::<Vec<_>>().join(" ")
}

/// An address of the web; no other becomes a link.
pub(super) fn web(url: &str) -> Option<&str> {
    let scheme = scheme(url)?;
    let host = url[scheme.len()..].strip_prefix("://")?;
    let is = ["https", "http"].iter().any(|web| scheme.eq_ignore_ascii_case(web));
    (is && host.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '[')).then_some(url)
}

/// An address that opens the application of a wallet that is known.
fn of_wallet(url: &str) -> Option<&str> {
    let scheme = scheme(url)?;
    WALLETS.iter().any(|wallet| scheme.eq_ignore_ascii_case(wallet)).then_some(url)
}

/// What stands before the colon, if browsers would read the same there: no blanks, no control characters.
fn scheme(url: &str) -> Option<&str> {
    let plain = url.bytes().all(|byte| byte.is_ascii_graphic());
    url.split_once(':').filter(|_| plain).map(|(scheme, _)| scheme)
}

/// The code as a drawing, with the quiet zone that readers want.
fn picture(text: &str) -> Option<Markup> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
    let drawn = code.render::<svg::Color<'_>>().min_dimensions(240, 240).build();
    // The XML declaration may stand in a file, not in the middle of a page.
    drawn.find("<svg").map(|start| PreEscaped(drawn[start..].to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_web_and_wallets_become_links() {
        for url in ["https://pay.example.com/x?a=b", "http://127.0.0.1:8400/x", "HTTPS://a", "https://[::1]/"]
        {
            assert_eq!(web(url), Some(url));
        }
        for url in [
            "javascript:alert(1)",
            "JavaScript://x/%0aalert(1)",
            " https://a",
            "https://a b",
            "java\tscript:alert(1)",
            "data:text/html,x",
            "//a",
            "/a",
            "https:a",
            "https://",
            "https:///a",
            "vbscript:x",
            "",
        ] {
            assert_eq!((web(url), of_wallet(url)), (None, None), "{url}");
        }
        assert!(of_wallet("gojek://gopay/merchanttransfer?tref=1").is_some());
        assert!(of_wallet("id.dana://x").is_some() && of_wallet("intent://x#Intent;end").is_none());
    }

    #[test]
    fn what_is_no_link_is_no_attribute_either() {
        let bad = "javascript:alert(document.domain)";
        let instructions = [
            Instruction::Redirect { url: bad.to_owned(), token: None, client_key: None },
            Instruction::Deeplink { url: bad.to_owned(), image_url: Some(bad.to_owned()), text: None },
            Instruction::Qr { text: None, image_url: Some(bad.to_owned()) },
        ];
        for one in instructions {
            let text = instruction(Language::English, 1000, Some(&one), &Payer::default()).into_string();
            assert!(!text.contains("javascript") && !text.contains("href"), "{text}");
        }
    }

    #[test]
    fn the_payers_name_stays_away() {
        let account = Instruction::VirtualAccount {
            bank: "bca".to_owned(),
            number: "1234".to_owned(),
            biller_code: None,
            name: Some("BUDI SANTOSO".to_owned()),
        };
        let text = instruction(Language::English, 1000, Some(&account), &Payer::default()).into_string();
        assert!(text.contains("BCA") && text.contains("1234") && !text.contains("BUDI"), "{text}");
    }

    #[test]
    fn long_numbers_are_set_apart() {
        assert_eq!(groups("12345678901234"), ["1234", "5678", "9012", "34"]);
        assert_eq!((groups("70012"), groups("Rp 1.150.000")), (vec!["70012"], vec!["Rp 1.150.000"]));
    }

    #[test]
    fn names_as_people_know_them() {
        assert_eq!(named("bca"), "BCA");
        assert_eq!(named("mandiri"), "Bank Mandiri");
        assert_eq!(named("bca va online"), "BCA VA Online");
        assert_eq!(named("atm_bersama"), "ATM Bersama");
        assert_eq!(named("Bank Central Asia"), "Bank Central Asia");
        assert_eq!(named("alfamart"), "Alfamart");
    }
}
