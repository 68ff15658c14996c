//! Why a payment waits for a person, and where a provider is told our address: the engine and its plugins say
//! both in English. What they always say in the same words is said in Indonesian here; everything else stays
//! as it is and is marked as English, so that what reads pages aloud reads it right.

use maud::{Markup, html};

use super::words::Language;

/// Between the reasons of one review.
const BETWEEN: &str = "; ";

/// What the engine and the plugins of this repository write. `{}` is what differs: ids and amounts.
/// `{en}` is somebody's own words.
const REASONS: &[(&str, &str)] = &[
    ("the amount is said to be {}, owed was {}", "jumlahnya dinyatakan {}, padahal tagihannya {}"),
    ("it is said of the payment {}, ours is {}", "ini tentang pembayaran {}, sedangkan milik kami {}"),
    ("it is said to have succeeded and to have failed", "dinyatakan berhasil dan juga gagal"),
    ("paid more than once: {}", "dibayar lebih dari sekali: {}"),
    ("the provider's id {} belongs to the intent {}", "id penyedia {} sudah milik id mesin {}"),
    ("a callback names another {} than was asked", "callback menyebut {} yang berbeda dari yang diminta"),
    (
        "a callback names a {}, and what was asked is not kept any more",
        "callback menyebut {}, dan yang diminta sudah tidak disimpan",
    ),
    ("no order of this journal has the reference {}", "tidak ada pesanan di jurnal ini dengan referensi {}"),
    (
        "when it was asked, the provider did not know the order either: {en}",
        "ketika ditanya, penyedia juga tidak mengenal pesanan ini: {en}",
    ),
    (
        "the provider knows no such order, which proves nothing: it may still come",
        "penyedia tidak mengenal pesanan ini, tetapi itu belum bukti: mungkin masih akan datang",
    ),
    (
        "no callback came in a day, and it cannot be asked about: look at the provider's own records",
        "tidak ada callback dalam sehari, dan tidak bisa ditanyakan: periksa catatan penyedia",
    ),
    (
        "what became of it cannot be asked: look at the provider's own records",
        "nasibnya tidak bisa ditanyakan: periksa catatan penyedia",
    ),
    (
        "its request cannot be made again, for it held what is not kept; ask the provider",
        "permintaannya tidak bisa diulang, karena berisi hal yang tidak disimpan; tanyakan kepada penyedia",
    ),
    (
        "what became of it can be settled by the operation {}, an operator's step",
        "nasibnya bisa diselesaikan dengan operasi {}, oleh operator",
    ),
    (
        "this version of the plugin has no such operation: a person must look",
        "versi plugin ini tidak punya operasi itu: harus diperiksa orang",
    ),
    (
        "the provider answered an amount of {}, asked was {}",
        "penyedia menjawab dengan jumlah {}, padahal yang diminta {}",
    ),
    (
        "the callback names the {en} {}, the provider answers {}",
        "callback menyebut {en} {}, sedangkan penyedia menjawab {}",
    ),
    (
        "Midtrans' fraud detection challenges this card payment: approve or deny it",
        "deteksi penipuan Midtrans meragukan pembayaran kartu ini: terima atau tolak",
    ),
    ("the transaction is not in rupiah", "transaksinya bukan dalam rupiah"),
    ("the transaction is of merchant {}, not {}", "transaksinya milik merchant {}, bukan {}"),
];

/// Where our address goes, by the plugins of this repository.
const PLACES: &[(&str, &str)] = &[
    ("callback_url of each charge", "callback_url di tiap tagihan"),
    (
        "dashboard, Settings, Payment, Notification URL; or callback_url of each charge",
        "dasbor Midtrans, Settings, Payment, Notification URL; atau callback_url di tiap tagihan",
    ),
    (
        "K-Link's IT team, beforehand; not per charge",
        "tim TI K-Link, sebelum dipakai; tidak bisa di tiap tagihan",
    ),
    (
        "the biller, beforehand: https://shop.example.com/callback/TOKEN, or …?token=TOKEN",
        "biller, sebelum dipakai: https://shop.example.com/callback/TOKEN, atau …?token=TOKEN",
    ),
];

/// Why a payment waits: one reason, or several.
pub(super) fn why(language: Language, review: &str) -> Markup {
    if language == Language::English {
        return html! { (review) };
    }
    let pieces: Vec<&str> = review.split(BETWEEN).collect();
    let mut said = Vec::new();
    let mut at = 0;
    while at < pieces.len() {
        // A reason may have our separator in it.
        let two = pieces.get(at..at + 2).map(|two| two.join(BETWEEN));
        let whole = two.as_deref().and_then(|two| translated(REASONS, two));
        at += if whole.is_some() { 2 } else { 1 };
        let last = pieces[at - 1];
        said.push(whole.or_else(|| translated(REASONS, last)).unwrap_or_else(|| foreign(language, last)));
    }
    html! { @for (at, one) in said.iter().enumerate() { @if at > 0 { (BETWEEN) } (one) } }
}

/// Where the provider is told our address.
pub(super) fn place(language: Language, registration: &str) -> Markup {
    let indonesian = match language {
        Language::English => None,
        Language::Indonesian => translated(PLACES, registration),
    };
    indonesian.unwrap_or_else(|| foreign(language, registration))
}

/// English, on a page of whichever language.
pub(super) fn foreign(language: Language, text: &str) -> Markup {
    match language {
        Language::English => html! { (text) },
        Language::Indonesian => html! { span lang=(Language::English.tag()) { (text) } },
    }
}

/// The text in Indonesian, if it is one of those of the table.
fn translated(table: &[(&str, &str)], text: &str) -> Option<Markup> {
    table.iter().find_map(|(english, indonesian)| Some(filled(indonesian, &taken(english, text)?)))
}

/// What stands in the places of a pattern, if the text is of that form.
fn taken<'t>(pattern: &str, text: &'t str) -> Option<Vec<&'t str>> {
    let pattern = pattern.replace("{en}", "{}");
    let mut literals = pattern.split("{}");
    let mut rest = text.strip_prefix(literals.next()?)?;
    let mut values = Vec::new();
    let mut literals = literals.peekable();
    while let Some(literal) = literals.next() {
        let end = match literals.peek() {
            None => rest.strip_suffix(literal)?.len(),
            Some(_) => rest.find(literal)?,
        };
        values.push(&rest[..end]);
        rest = &rest[end + literal.len()..];
    }
    rest.is_empty().then_some(values)
}

/// A pattern with its places filled.
fn filled(pattern: &str, values: &[&str]) -> Markup {
    let mut values = values.iter();
    let mut rest = pattern;
    let mut parts = Vec::new();
    while let Some(at) = rest.find('{') {
        let end = rest[at..].find('}').map_or(rest.len(), |end| at + end + 1);
        let value = *values.next().unwrap_or(&"");
        parts.push(html! {
            (rest[..at])
            @if rest[at..end] == *"{en}" { (foreign(Language::Indonesian, value)) } @else { (value) }
        });
        rest = &rest[end..];
    }
    html! { @for part in &parts { (part) } (rest) }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    fn indonesian(review: &str) -> String {
        why(Language::Indonesian, review).into_string()
    }

    #[test]
    fn reasons_are_said_in_indonesian() {
        let amount = "the amount is said to be 150000, owed was 151500";
        assert_eq!(indonesian(amount), "jumlahnya dinyatakan 150000, padahal tagihannya 151500");
        assert_eq!(why(Language::English, amount).into_string(), amount);
        assert_eq!(
            indonesian(
                "a plugin's own words; its request cannot be made again, for it held what is not kept; ask the provider; paid more than once: a, b"
            ),
            "<span lang=\"en\">a plugin's own words</span>; permintaannya tidak bisa diulang, karena berisi hal yang tidak \
             disimpan; tanyakan kepada penyedia; dibayar lebih dari sekali: a, b"
        );
        assert_eq!(
            indonesian("when it was asked, the provider did not know the order either: It <said> so."),
            "ketika ditanya, penyedia juga tidak mengenal pesanan ini: <span lang=\"en\">It &lt;said&gt; so.</span>"
        );
    }

    #[test]
    fn places_are_said_in_indonesian() {
        let place = |text| place(Language::Indonesian, text).into_string();
        assert_eq!(place("callback_url of each charge"), "callback_url di tiap tagihan");
        assert_eq!(place("somewhere else"), "<span lang=\"en\">somewhere else</span>");
    }

    /// What is changed where it is written is to be changed here.
    #[test]
    fn the_tables_have_what_is_written() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut sources = String::new();
        for directory in ["engine/src", "plugins"] {
            read(&root.join(directory), &mut sources);
        }
        let continued = sources.replace("\\\n", " ");
        let written = continued.split_whitespace().collect::<Vec<_>>().join(" ");
        for (english, indonesian) in REASONS.iter().chain(PLACES) {
            let longest =
                english.split("{}").flat_map(|part| part.split("{en}")).max_by_key(|part| part.len());
            let longest = longest.expect("a part").trim();
            assert!(written.contains(longest), "nothing writes {longest:?}");
            let places = |text: &str| (text.matches("{}").count(), text.matches("{en}").count());
            assert_eq!(places(english), places(indonesian), "{english}");
        }
    }

    fn read(directory: &Path, into: &mut String) {
        for entry in fs::read_dir(directory).expect("a directory") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                read(&path, into);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                into.push_str(&fs::read_to_string(&path).expect("a text"));
            }
        }
    }
}
