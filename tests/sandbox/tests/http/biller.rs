//! The biller.

use bayar_sandbox::Sandbox;
use md5::{Digest as _, Md5};
use serde_json::{Value, json};

use crate::common::{Answer, Merchant, call, control, order, start};

const PATH: &str = "/service/in/json";

fn sign(trxid: &str) -> String {
    let digest = Md5::digest(format!("usertesting{}{trxid}", "biller-password-EXAMPLE"));
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn body(trxid: &str, product: &str, customer: &str) -> Value {
    json!({"user": "usertesting", "sign": sign(trxid), "trxid": trxid, "cmd": "trx", "idpel": customer, "produk": product})
}

fn post(sandbox: &Sandbox, body: &Value) -> Answer {
    call(&format!("{}/biller{PATH}", sandbox.base_url()), "POST", &[], &body.to_string())
}

fn buy(sandbox: &Sandbox, trxid: &str) -> Value {
    let answer = post(sandbox, &body(trxid, "s5", "081200000001"));
    assert_eq!((answer.status, &answer.json()["status"]), (200, &json!(true)), "{answer:?}");
    answer.json()
}

#[test]
fn a_purchase_is_accepted_and_pending() {
    let sandbox = start(&[]);
    // The signature by `printf %s usertesting biller-password-EXAMPLE 22110111373985338 | md5sum`.
    let mut wanted = body("22110111373985338", "s5", "081200000001");
    wanted["sign"] = json!("d04fc545dac9dcdaf6a124a57ce0d4d9");
    let answer = post(&sandbox, &wanted).json();
    for (name, value) in [
        ("total", json!(5000)),
        ("status", json!(true)),
        ("reason", json!("Transaksi s5.081200000001 sedang diproses")),
        ("saldo", json!("1356424")),
        ("user", json!("usertesting")),
        ("kodeproduk", json!("s5")),
        ("tujuan", json!("081200000001")),
    ] {
        assert_eq!(answer[name], value, "{name} in {answer}");
    }
    assert!(answer["elapsed"].is_f64(), "{answer}");
    assert_eq!(answer["trxtime"].as_str().map(str::len), Some("2019-01-01 11:03:25.206500".len()));
    assert_eq!(answer["trxid"].as_str().map(str::len), Some(14), "the biller's own id: {answer}");
    assert_eq!(order(&sandbox, "biller", "22110111373985338")["status"], "pending");
}

#[test]
fn each_documented_failure_has_its_reason() {
    let sandbox = start(&[("biller.balance", "6000")]);
    let table = [
        ("x9", "Transaksi x9.0812 GAGAL Produk tidak tersedia (ROUTE)"),
        ("s10", "Transaksi s10.0812 GAGAL silakan coba lagi (DEDUCT)"),
        ("s1", "Transaksi s1.0812 GAGAL Produk tidak Aktif"),
    ];
    for (product, reason) in table {
        let answer = post(&sandbox, &body("F-1", product, "0812"));
        let document = answer.json();
        assert_eq!(
            (answer.status, &document["status"], &document["reason"], &document["total"]),
            (200, &json!(false), &json!(reason), &json!(0))
        );
        assert!(document.get("saldo").is_none(), "no balance on failure: {document}");
    }
    assert_eq!(control(&sandbox, "GET", "/biller/F-1", "").status, 404, "nothing was bought");
    assert_eq!(buy(&sandbox, "F-1")["saldo"], "1000");
}

#[test]
fn what_is_wrong_with_a_request_is_said() {
    let sandbox = start(&[]);
    for name in ["user", "sign", "trxid", "cmd", "idpel", "produk"] {
        let mut without = body("W-1", "s5", "0812");
        without.as_object_mut().expect("an object").remove(name);
        let answer = post(&sandbox, &without).json();
        assert_eq!(
            (&answer["status"], &answer["reason"]),
            (&json!(false), &json!(format!("Parameter {name} wajib diisi")))
        );
    }
    let table = [
        ("user", json!("other"), "User tidak ditemukan"),
        ("sign", json!(sign("W-2")), "Sign tidak valid"),
        ("sign", json!(sign("W-1").to_uppercase()), "Sign tidak valid"),
        ("cmd", json!("trX"), "Command trX tidak dikenal"),
    ];
    for (name, value, reason) in table {
        let mut wrong = body("W-1", "s5", "0812");
        wrong[name] = value;
        assert_eq!(post(&sandbox, &wrong).json()["reason"], reason);
    }
    let url = |path: &str| format!("{}/biller{path}", sandbox.base_url());
    assert_eq!(call(&url(PATH), "POST", &[], "[]").json()["reason"], "Format JSON tidak valid");
    assert_eq!(call(&url(PATH), "GET", &[], "").status, 405);
    assert_eq!(call(&url("/service"), "POST", &[], "{}").status, 404);
    assert_eq!(control(&sandbox, "GET", "/orders?provider=biller", "").json(), json!([]));
}

#[test]
fn a_used_trxid_is_bought_again_unless_told_otherwise() {
    let sandbox = start(&[]);
    assert_eq!(buy(&sandbox, "T-1")["saldo"], "1356424");
    assert_eq!(buy(&sandbox, "T-1")["saldo"], "1351424");
    let twice = order(&sandbox, "biller", "T-1");
    assert_eq!((&twice["arrived"]["purchase"], &twice["executed"]["purchase"]), (&json!(2), &json!(2)));
    control(&sandbox, "POST", "/settings", r#"{"biller.repeated_trxid":"refuse"}"#);
    let refused = post(&sandbox, &body("T-1", "s5", "081200000001")).json();
    assert_eq!(refused["reason"], "Transaksi s5.081200000001 GAGAL trxid sudah digunakan");
    let after = order(&sandbox, "biller", "T-1");
    assert_eq!((&after["arrived"]["purchase"], &after["executed"]["purchase"]), (&json!(3), &json!(2)));
}

#[test]
fn the_reversal_comes_by_get_with_the_printed_message() {
    let merchant = Merchant::answering(&[200]);
    let url = format!("{}?token=secret", merchant.url);
    let sandbox = start(&[
        ("biller.callback_url", &url),
        ("biller.serial", "1234-5678/BUDI S/R1"),
        ("biller.callback_product", "banktrf"),
    ]);
    buy(&sandbox, "R-1");
    assert_eq!(control(&sandbox, "GET", "/biller/R-1/callback", "").status, 409, "nothing to report yet");
    let done = control(&sandbox, "POST", "/biller/R-1/paid", "").json();
    assert_eq!(done["order"]["status"], "done");
    let query = control(&sandbox, "GET", "/biller/R-1/callback", "").json()["query"].clone();
    let cased = "message=Transaksi+s5.081200000001+SUKSES,+SN:+1234-5678/BUDI+S/R1,+Saldo:+Rp1,356,424,+Harga:+5,000,+Tgl:+";
    assert!(query.as_str().is_some_and(|query| query.contains(cased)), "{query}");
    let head = merchant.next().head;
    let line = head.lines().next().expect("a request line");
    let expected = "get /hook?token=secret&status=0&refid=r-1&product=banktrf&qty=1&dest=081200000001&message=transaksi+s5.081200000001+sukses,+sn:+1234-5678/budi+s/r1,+saldo:+rp1,356,424,+harga:+5,000,+tgl:+";
    assert!(line.starts_with(expected), "{line}");
    let time = line[expected.len()..].trim_end_matches(" http/1.1");
    assert_eq!((time.len(), &time[2..3], &time[5..6]), (14, "/", "+"), "day/month without a year: {time}");
}

#[test]
fn a_failure_gives_the_money_back_and_can_follow_a_success() {
    let merchant = Merchant::answering(&[200]);
    let sandbox = start(&[("biller.callback_url", &merchant.url), ("biller.thousands", ".")]);
    buy(&sandbox, "R-2");
    control(&sandbox, "POST", "/biller/R-2/paid", "");
    assert!(merchant.next().head.contains("status=0"));
    control(&sandbox, "POST", "/biller/R-2/failed", "");
    let head = merchant.next().head;
    let part = "status=1&refid=r-2&product=s5&qty=1&dest=081200000001&message=transaksi+s5.081200000001+gagal,+saldo:+rp1.361.424,+tgl:+";
    assert!(head.contains(part), "{head}");
    assert_eq!(buy(&sandbox, "R-3")["saldo"], "1356424", "the money came back");
    for act in ["paid", "failed", "expired"] {
        assert_eq!(control(&sandbox, "POST", &format!("/biller/R-2/{act}"), "").status, 409, "{act}");
    }
}

#[test]
fn the_scanned_name_of_the_id_can_be_had() {
    let sandbox = start(&[("biller.id_field", "ftrxid")]);
    let answer = buy(&sandbox, "S-1");
    assert!(answer["ftrxid"].is_string() && answer.get("trxid").is_none(), "{answer}");
}
