//! Short names of banks, as every provider's instructions have them: `bca`.
//!
//! K-Link's list names a bank by its number at Bank Indonesia (`014`, part 2 b) and describes it in words
//! that may as well be of the product. So the number counts, and the words only where it is not known.

/// Number at Bank Indonesia (sandi bank), short name.
const KNOWN: [(&str, &str); 23] = [
    ("002", "bri"),
    ("008", "mandiri"),
    ("009", "bni"),
    ("011", "danamon"),
    ("013", "permata"),
    ("014", "bca"),
    ("016", "maybank"),
    ("019", "panin"),
    ("022", "cimb"),
    ("023", "uob"),
    ("028", "ocbc"),
    ("037", "artha_graha"),
    ("147", "muamalat"),
    ("153", "sinarmas"),
    ("200", "btn"),
    ("213", "btpn"),
    ("426", "mega"),
    ("441", "bukopin"),
    ("451", "bsi"),
    ("490", "neo_commerce"),
    ("501", "bca_digital"),
    ("523", "sahabat_sampoerna"),
    ("542", "jago"),
];

/// The short name of the bank with this code, of which the list says this in words.
pub fn short_name(code: &str, words: &str) -> String {
    if let Some((_, name)) = KNOWN.iter().find(|(known, _)| *known == code) {
        return (*name).to_owned();
    }
    let words = words.to_lowercase();
    let mut words = words.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let name = words.find(|word| !matches!(*word, "bank" | "pt"));
    name.map_or_else(|| code.to_lowercase(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bank_has_one_short_name() {
        for (code, words, name) in [
            ("014", "BANK BCA", "bca"),
            ("014", "BCA VA ONLINE", "bca"),
            ("022", "PT Bank CIMB Niaga Tbk", "cimb"),
            ("451", "", "bsi"),
            ("900", "DOMPET", "dompet"),
            ("113", "BANK JATENG (VA)", "jateng"),
            ("X1", "BANK", "x1"),
            ("X1", " ", "x1"),
        ] {
            assert_eq!(short_name(code, words), name, "{code} {words}");
        }
    }
}
