//! The response codes of §8, which account link and payment share.

/// A response code. Its text is the table's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Code(pub(super) &'static str);

impl Code {
    pub(super) const SUCCESS: Self = Self("00");
    pub(super) const FAILED: Self = Self("01");
    pub(super) const NO_PHONE: Self = Self("03");
    pub(super) const NO_METHOD: Self = Self("04");
    pub(super) const INVALID: Self = Self("05");
    pub(super) const NO_MERCHANT: Self = Self("06");
    pub(super) const NOT_AVAILABLE: Self = Self("07");
    pub(super) const NO_RETURN: Self = Self("08");
    pub(super) const NO_CUSTOMER: Self = Self("09");
    pub(super) const NO_CREDENTIAL: Self = Self("10");
    pub(super) const NO_BALANCE: Self = Self("-100");
}

const TEXTS: [(&str, &str); 12] = [
    ("00", "Sukses."),
    ("01", "Gagal."),
    ("02", "Kesalahan tak terduga / kesalahan lainnya."),
    ("03", "Nomor telepon tidak valid."),
    ("04", "Metode pembayaran yang anda masukkan salah"),
    ("05", "Permintaan tidak valid."),
    ("06", "Merchant tidak ditemukan."),
    ("07", "Metode pembayaran tidak tersedia."),
    ("08", "Return url tidak valid."),
    ("09", "Id unik pelanggan tidak valid."),
    ("10", "Kredensial kode tidak valid"),
    ("-100", "Saldo tidak mencukupi / kesalahan lainnya."),
];

/// What the table says of a code.
pub(super) fn text(code: Code) -> &'static str {
    TEXTS.iter().find(|(one, _)| *one == code.0).map_or("", |(_, text)| text)
}

/// The code of that name.
pub(super) fn named(name: &str) -> Option<Code> {
    TEXTS.iter().find(|(one, _)| *one == name).map(|(one, _)| Code(one))
}
