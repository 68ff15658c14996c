//! What the pages say, in Indonesian and in English. Both stand beside each other where they are said;
//! here are those that several pages share.

use axum::http::HeaderMap;
use axum::http::header::ACCEPT_LANGUAGE;
use bayar::journal::State;
use bayar::{Code, Error, Stage};

use crate::store::people::Role;

/// A language of the pages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Language {
    English,
    Indonesian,
}

impl Language {
    /// For `lang`, and as it is kept.
    pub fn tag(self) -> &'static str {
        match self {
            Language::English => "en",
            Language::Indonesian => "id",
        }
    }

    /// The language of that tag.
    pub fn of(tag: &str) -> Option<Language> {
        [Language::English, Language::Indonesian].into_iter().find(|language| language.tag() == tag)
    }

    /// What the browser prefers among the two.
    pub fn asked(headers: &HeaderMap) -> Language {
        let header = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let mut best = (0.0, Language::English);
        for part in header.split(',') {
            let (range, weight) = part.split_once(';').unwrap_or((part, "q=1"));
            let weight: f32 = weight.trim().strip_prefix("q=").and_then(|q| q.parse().ok()).unwrap_or(0.0);
            // `in` is what Indonesian was called before 1989, and some systems still call it that.
            let language = match range.trim().split('-').next().unwrap_or_default() {
                "id" | "in" => Language::Indonesian,
                "en" => Language::English,
                _ => continue,
            };
            if weight > best.0 {
                best = (weight, language);
            }
        }
        best.1
    }

    /// The text in this language.
    pub fn say<T>(self, english: T, indonesian: T) -> T {
        match self {
            Language::English => english,
            Language::Indonesian => indonesian,
        }
    }

    /// A state of a payment.
    pub fn state(self, state: State) -> &'static str {
        match state {
            State::New => self.say("not sent", "belum dikirim"),
            State::Sending => self.say("sending", "sedang dikirim"),
            State::Pending => self.say("pending", "menunggu"),
            State::Authorized => self.say("authorized", "diotorisasi"),
            State::Paid => self.say("paid", "lunas"),
            State::Done => self.say("done", "selesai"),
            State::Failed => self.say("failed", "gagal"),
            State::Expired => self.say("expired", "kedaluwarsa"),
            State::Cancelled => self.say("cancelled", "dibatalkan"),
            State::PartiallyRefunded => self.say("partly refunded", "dikembalikan sebagian"),
            State::Refunded => self.say("refunded", "dikembalikan"),
            State::Disputed => self.say("disputed", "disengketakan"),
            State::Unknown => self.say("unknown", "tidak diketahui"),
        }
    }

    /// The same of a word as it stands in documents.
    pub fn status(self, word: &str) -> String {
        state_of(word).map_or_else(|| word.to_owned(), |state| self.state(state).to_owned())
    }

    /// What a piece of evidence is worth.
    pub fn evidence(self, evidence: &str) -> &'static str {
        match evidence {
            "E0" => self.say(
                "Nothing proves it. It only made the engine ask the provider.",
                "Tidak ada buktinya. Hanya membuat mesin bertanya kepada penyedia.",
            ),
            "E1" => self.say(
                "A digest under a secret that only the provider and this gateway know.",
                "Tanda tangan dengan rahasia yang hanya diketahui penyedia dan gerbang ini.",
            ),
            "E2" => {
                self.say("Our own exchange with the provider.", "Percakapan kami sendiri dengan penyedia.")
            }
            "E3" => self.say(
                "A person's decision, with a name and a reason.",
                "Keputusan seseorang, dengan nama dan alasan.",
            ),
            _ => "",
        }
    }

    /// What a role is called.
    pub fn role(self, role: Role) -> &'static str {
        match role {
            Role::Viewer => self.say("viewer", "pengamat"),
            Role::Operator => self.say("operator", "operator"),
            Role::Owner => self.say("owner", "pemilik"),
        }
    }

    /// What a role may do.
    pub fn duties(self, role: Role) -> &'static str {
        match role {
            Role::Viewer => self.say(
                "looks at everything but payers' data and addresses of callbacks",
                "melihat semuanya kecuali data pembayar dan alamat callback",
            ),
            Role::Operator => self.say(
                "also refunds, cancels, decides reviews, sends again",
                "juga mengembalikan dana, membatalkan, memutuskan tinjauan, mengirim ulang",
            ),
            Role::Owner => self.say(
                "also manages applications, keys and people",
                "juga mengelola aplikasi, kunci, dan orang",
            ),
        }
    }

    /// What a part of an instruction, or of what is known of a payer, is called.
    pub fn part(self, name: &str) -> &str {
        match name {
            "kind" => self.say("How", "Cara"),
            "url" => self.say("Page", "Halaman"),
            "text" => self.say("QR text", "Isi QR"),
            "image_url" => self.say("QR picture", "Gambar QR"),
            "number" => self.say("Number", "Nomor"),
            "biller_code" => self.say("Biller code", "Kode biller"),
            "store" => self.say("Shop", "Gerai"),
            "code" => self.say("Code", "Kode"),
            "holder" => self.say("Account holder", "Pemilik rekening"),
            "bank" => "Bank",
            "name" => self.say("Name", "Nama"),
            "email" => self.say("E-mail address", "Alamat email"),
            "phone" => self.say("Telephone", "Telepon"),
            "id" => "Id",
            other => other,
        }
    }

    /// How a payer pays, as instructions have it.
    pub fn kind(self, kind: &str) -> &str {
        match kind {
            "redirect" => self.say("on a page of the provider", "di halaman penyedia"),
            "virtual_account" => self.say("to a virtual account", "ke virtual account"),
            "qr" => self.say("by QR code", "dengan kode QR"),
            "deeplink" => self.say("in an app", "di aplikasi"),
            "retail" => self.say("in a shop", "di gerai"),
            "manual_transfer" => self.say("by bank transfer", "dengan transfer bank"),
            "cod" => self.say("on delivery", "saat barang diterima"),
            other => other,
        }
    }

    /// What to do after an error, for people.
    pub fn advice(self, error: &Error) -> &str {
        match error.code {
            Code::InvalidParams => {
                self.say("Correct it and send the form again.", "Perbaiki, lalu kirim lagi formulirnya.")
            }
            // Whether anything was sent is said before.
            _ => error.advice.strip_prefix("Nothing was sent. ").unwrap_or(&error.advice),
        }
    }

    /// Whether a request may have been acted upon, after an error.
    pub fn stage(self, stage: Stage) -> &'static str {
        match stage {
            Stage::NotSent => {
                self.say("Nothing was sent to the provider.", "Tidak ada yang dikirim ke penyedia.")
            }
            Stage::MaybeSent => self.say(
                "The provider may have received it. Look at the payment before anything else.",
                "Penyedia mungkin sudah menerimanya. Periksa pembayaran itu sebelum yang lain.",
            ),
            Stage::Answered => self
                .say("The provider received it and answered no.", "Penyedia menerimanya dan menjawab tidak."),
        }
    }
}

/// All states, in the order in which a payment may pass them.
pub(super) const STATES: [State; 13] = [
    State::New,
    State::Sending,
    State::Pending,
    State::Authorized,
    State::Paid,
    State::Done,
    State::Failed,
    State::Expired,
    State::Cancelled,
    State::PartiallyRefunded,
    State::Refunded,
    State::Disputed,
    State::Unknown,
];

/// The state of that word.
pub(super) fn state_of(word: &str) -> Option<State> {
    serde_json::from_value(serde_json::json!(word)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_browser_is_asked() {
        let asked = |header: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_LANGUAGE, header.parse().expect("a value"));
            Language::asked(&headers).tag()
        };
        assert_eq!(asked("id-ID,id;q=0.9,en-US;q=0.8,en;q=0.7"), "id");
        assert_eq!(asked("en-US,en;q=0.9,id;q=0.8"), "en");
        assert_eq!(asked("nl,in;q=0.5,en;q=0.4"), "id");
        assert_eq!([asked("nl"), asked(""), asked("id;q=x")], ["en", "en", "en"]);
        assert_eq!(Language::asked(&HeaderMap::new()), Language::English);
    }

    #[test]
    fn every_state_has_its_word() {
        for state in STATES {
            let word = crate::tell::word(state);
            assert_eq!(state_of(&word), Some(state));
            assert_ne!(Language::Indonesian.status(&word), word, "{word} in Indonesian");
        }
    }
}
