//! The methods and channels, printed and public.

use serde_json::{Value, json};

/// A channel of a method.
pub(super) struct Channel {
    pub(super) method: &'static str,
    pub(super) channel: &'static str,
    pub(super) label: &'static str,
    /// What redirect pages call it.
    pub(super) redirect: &'static str,
    /// Flat, in rupiah.
    pub(super) fee: i64,
    /// Until it expires, by default.
    pub(super) hours: i64,
}

#[rustfmt::skip] // a table reads better as one
const ALL: [Channel; 23] = [
    Channel { method: "va", channel: "bag", label: "Bank Artha Graha", redirect: "bagva", fee: 3500, hours: 24 },
    Channel { method: "va", channel: "bni", label: "Bank Negara Indonesia", redirect: "bniva", fee: 3500, hours: 24 },
    Channel { method: "va", channel: "cimb", label: "Bank Cimb Niaga", redirect: "niagava", fee: 3500, hours: 24 },
    Channel { method: "va", channel: "mandiri", label: "Bank Mandiri", redirect: "mandiriva", fee: 3500, hours: 24 },
    Channel { method: "va", channel: "bca", label: "Bank Central Asia", redirect: "va", fee: 4000, hours: 12 },
    Channel { method: "va", channel: "bpd_bali", label: "BPD Bali", redirect: "va", fee: 3500, hours: 24 },
    Channel { method: "va", channel: "bmi", label: "Bank Muamalat", redirect: "va", fee: 3500, hours: 24 },
    Channel { method: "va", channel: "bri", label: "Bank Rakyat Indonesia", redirect: "va", fee: 3500, hours: 2 },
    Channel { method: "va", channel: "bsi", label: "Bank Syariah Indonesia", redirect: "va", fee: 3500, hours: 3 },
    Channel { method: "va", channel: "permata", label: "Bank Permata", redirect: "va", fee: 3500, hours: 24 },
    Channel { method: "va", channel: "danamon", label: "Bank Danamon", redirect: "va", fee: 3500, hours: 24 },
    Channel { method: "va", channel: "btn", label: "Bank Tabungan Negara", redirect: "va", fee: 3500, hours: 24 },
    Channel { method: "banktransfer", channel: "bca", label: "BCA Kode Unik", redirect: "bcatransfer", fee: 0, hours: 24 },
    Channel { method: "cstore", channel: "indomaret", label: "Indomaret", redirect: "cstore", fee: 4000, hours: 24 },
    Channel { method: "cstore", channel: "alfamart", label: "Alfamart", redirect: "cstore", fee: 4000, hours: 24 },
    Channel { method: "cod", channel: "cod", label: "COD", redirect: "cod", fee: 0, hours: 24 },
    Channel { method: "cod", channel: "rpx", label: "COD", redirect: "", fee: 0, hours: 24 },
    Channel { method: "qris", channel: "linkaja", label: "QRIS LinkAja", redirect: "qris", fee: 700, hours: 24 },
    Channel { method: "qris", channel: "mpm", label: "QRIS", redirect: "", fee: 700, hours: 24 },
    Channel { method: "akulaku", channel: "akulaku", label: "Akulaku", redirect: "akulaku", fee: 2000, hours: 24 },
    Channel { method: "paylater", channel: "akulaku", label: "Akulaku", redirect: "", fee: 2000, hours: 24 },
    Channel { method: "cc", channel: "cc", label: "Credit Card", redirect: "cc", fee: 5000, hours: 24 },
    Channel { method: "ewallet", channel: "dana", label: "DANA", redirect: "ewallet", fee: 1500, hours: 24 },
];

/// The channel of a direct payment; the method's first one, where none is named.
pub(super) fn find(method: &str, channel: Option<&str>) -> Option<&'static Channel> {
    // ShopeePay differs from DANA in nothing but its name.
    let channel = if channel == Some("shopeepay") { Some("dana") } else { channel };
    ALL.iter().find(|one| one.method == method && channel.is_none_or(|channel| one.channel == channel))
}

/// Whether redirect pages know this method.
pub(super) fn redirect_knows(name: &str) -> bool {
    ALL.iter().any(|one| one.redirect == name || one.method == name)
}

/// The choices of a page: value and label. Empty `allowed` allows all.
pub(super) fn choices(allowed: &str) -> Vec<(String, String)> {
    let shown = ALL.iter().filter(|one| {
        // COD needs more than a page asks for, and doubles are shown once.
        let offered = !one.redirect.is_empty() && one.method != "cod";
        offered && (allowed.is_empty() || one.redirect == allowed || one.method == allowed)
    });
    shown.map(|one| (format!("{}:{}", one.method, one.channel), one.label.to_owned())).collect()
}

/// Answers `payment-channels`.
pub(super) fn list(base: &str) -> Value {
    let mut methods: Vec<&str> = Vec::new();
    for one in &ALL {
        if !methods.contains(&one.method) {
            methods.push(one.method);
        }
    }
    let channel = |one: &Channel| {
        json!({
            "Code": one.channel,
            "Name": one.label,
            "Description": one.label,
            "Logo": format!("{base}/images/{}.png", one.channel),
            "PaymentInstructionsDoc": null,
            "FeatureStatus": "active",
            "HealthStatus": "online",
            "TransactionFee": {"ActualFee": one.fee, "ActualFeeType": "FLAT", "AdditionalFee": 0},
        })
    };
    let method = |name: &&str| {
        let channels: Vec<Value> = ALL.iter().filter(|one| one.method == *name).map(channel).collect();
        json!({"Code": name, "Name": name, "Description": name, "Channels": channels})
    };
    methods.iter().map(method).collect()
}
