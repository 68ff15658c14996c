//! K-Link: session, channels, payments, callbacks. The wallet is in `klink_wallet`.

use bayar_sandbox::Sandbox;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::common::{Answer, Merchant, call, control, order, start};

/// A call with this token.
pub(crate) fn with_token(sandbox: &Sandbox, token: &str, path: &str, body: &Value) -> Answer {
    let url = format!("{}/klink{path}", sandbox.base_url());
    call(&url, "POST", &[("authorization", token)], &body.to_string())
}

/// Logs in.
pub(crate) fn login(sandbox: &Sandbox) -> String {
    let body = json!({"email": "toko@example.com", "password": "klink-password-EXAMPLE"});
    let answer = with_token(sandbox, "", "/auth/login", &body);
    assert_eq!((answer.status, &answer.json()["status"]), (200, &json!("success")));
    answer.json()["Authorization"].as_str().expect("a token").to_owned()
}

/// A call with a new token; its document.
pub(crate) fn klink(sandbox: &Sandbox, path: &str, body: &Value) -> Value {
    let answer = with_token(sandbox, &login(sandbox), path, body);
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

fn wanted(id: &str, bank: &str, product: &str) -> Value {
    json!({
        "rq_uuid": format!("uuid-{id}"), "rq_datetime": "2022-07-21 15:28:11", "order_id": id,
        "no_hp": "081200000001", "fullname": "Siti Aminah", "email": "siti@example.com",
        "bank_code": bank, "product_code": product, "nominal": "1500", "pay_ship": "500",
    })
}

fn hmac(key: &str, message: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("a key");
    mac.update(message.as_bytes());
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02X}")).collect()
}

#[test]
fn the_printed_vector_is_what_this_test_computes() {
    // `openssl dgst -sha256 -hmac 033389b9-…` over the printed message gives the same.
    let message = r#"{"rq_uuid": "klnu00242", "rq_datetime": "2020-11-06 09:13:19", "order_id": "klnu00242", "status":"success", "message":"transaction success!"}"#;
    let expected = "84CBE7E264FE83FFEC1023892E1F61C84E302F07A927121E21F1086A2702CAF5";
    assert_eq!(hmac("033389b9-cc42-4005-ae9e-8e8ff23738d7", message), expected);
}

#[test]
fn a_session_is_needed_and_ends() {
    let sandbox = start(&[]);
    let member = json!({"id_member": "idspaaa001"});
    let path = "/api/kwallet/check_saldo";
    for token in ["", "nothing", &format!("Bearer {}", login(&sandbox))] {
        let answer = with_token(&sandbox, token, path, &member);
        assert_eq!((answer.status, &answer.json()["status"]), (401, &json!("fail")), "{token}");
    }
    let wrong = json!({"email": "toko@example.com", "password": "other"});
    assert_eq!(with_token(&sandbox, "", "/auth/login", &wrong).status, 401);

    let (first, second) = (login(&sandbox), login(&sandbox));
    assert_ne!(first, second);
    assert_eq!(with_token(&sandbox, &first, path, &member).status, 200, "sessions live side by side");
    control(&sandbox, "POST", "/settings", r#"{"klink.session_seconds":"0"}"#);
    assert_eq!(with_token(&sandbox, &login(&sandbox), path, &member).status, 401, "expired");
    assert_eq!(with_token(&sandbox, &second, path, &member).status, 200, "the older one lives on");
}

#[test]
fn a_single_session_ends_with_the_next_login() {
    let sandbox = start(&[("klink.single_session", "true")]);
    let (first, second) = (login(&sandbox), login(&sandbox));
    let ask = |token: &str| with_token(&sandbox, token, "/api/list_bank", &Value::Null).status;
    assert_eq!((ask(&first), ask(&second)), (401, 200));
}

#[test]
fn the_token_comes_where_asked_for() {
    let sandbox = start(&[("klink.token_in", "data")]);
    let body = json!({"email": "toko@example.com", "password": "klink-password-EXAMPLE"});
    let answer = with_token(&sandbox, "", "/auth/login", &body).json();
    assert!(answer["data"]["Authorization"].is_string() && answer.get("Authorization").is_none(), "{answer}");
    control(&sandbox, "POST", "/settings", r#"{"klink.token_in":"header"}"#);
    let raw = crate::common::raw(
        &sandbox,
        &format!(
            "POST /klink/auth/login HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            body.to_string().len()
        ),
    );
    assert!(raw.0.contains("\r\nauthorization: ") && !raw.0.contains("\"Authorization\""), "{raw:?}");
}

#[test]
fn disputed_paths_are_both_there_and_others_are_not() {
    let sandbox = start(&[]);
    for path in ["/api/list_bank", "/api/listbank"] {
        assert_eq!(klink(&sandbox, path, &Value::Null)["data"][0]["productCode"], "BCAATM", "{path}");
    }
    for (id, path) in [("P-1", "/api/pay_service"), ("P-2", "/api/pay_service_new")] {
        assert_eq!(klink(&sandbox, path, &wanted(id, "014", "BCAATM"))["status"], "success", "{path}");
    }
    let token = login(&sandbox);
    assert_eq!(with_token(&sandbox, &token, "/api/nothing", &Value::Null).status, 404);
    let url = format!("{}/klink/api/list_bank", sandbox.base_url());
    assert_eq!(call(&url, "GET", &[("authorization", &token)], "").status, 405);
}

#[test]
fn channels_have_the_printed_fields() {
    let sandbox = start(&[]);
    let list = klink(&sandbox, "/api/list_bank", &Value::Null)["data"].clone();
    let rows = list.as_array().expect("an array");
    for name in [
        "bankCode",
        "bankDesc",
        "bankDisplayNm",
        "bank_pemilik",
        "bankacc",
        "cabang",
        "charge_admin",
        "charge_connectivity",
        "id",
        "img_url",
        "install_12",
        "install_6",
        "is_installment",
        "kategori",
        "productCode",
        "productName",
        "status",
    ] {
        assert!(rows.iter().all(|row| row.get(name).is_some()), "{name} in {list}");
    }
    let manual = rows.iter().find(|row| row["productCode"] == "MANDIRIMANUAL").expect("a manual transfer");
    assert_eq!(manual["bankacc"], 1_190_000_000_001_i64);
    assert!(rows.iter().any(|row| row["status"] == "0"), "one is switched off");

    let gopay =
        klink(&sandbox, "/api/list_bank_midtrans", &json!({"nominal": "1000000", "pay_ship": "5000"}));
    let gopay = &gopay["data"][0];
    assert_eq!(
        (&gopay["bankCode"], &gopay["productCode"], &gopay["charge_admin"]),
        (&json!("gopay"), &json!("e_money"), &json!("2500"))
    );
    assert!(gopay["cara_bayar"].is_null() && gopay["install_6"].is_null(), "{gopay}");
    assert_eq!(klink(&sandbox, "/api/list_bank_midtrans", &json!({"nominal": "1"}))["status"], "fail");
}

#[test]
fn a_va_a_card_and_a_manual_transfer() {
    let sandbox = start(&[("klink.kode_unik", "765")]);
    let va = klink(&sandbox, "/api/pay_service", &wanted("V-1", "014", "BCAATM"))["data"].clone();
    assert_eq!(va["is_va"], 1);
    let number = va["va_number"].as_str().expect("a number").to_owned();

    let card = klink(&sandbox, "/api/pay_service", &wanted("C-1", "008", "MANDIRICC"))["data"].clone();
    assert_eq!(card["is_va"], 0);
    let url = card["url_pay"].as_str().expect("an address");
    assert!(call(url, "GET", &[], "").text.contains("Rp2.000"));
    assert_eq!(call(url, "POST", &[], "do=pay").status, 303);
    assert_eq!(order(&sandbox, "klink", "C-1")["status"], "paid");

    let manual = klink(&sandbox, "/api/pay_service", &wanted("M-1", "008", "MANDIRIMANUAL"))["data"].clone();
    let expected = json!({"kode_unik": 765, "koneksi": 1, "pay_ship": "500", "total_bayar": 2765, "total_belanja": "1500", "is_va": 0});
    for (name, value) in expected.as_object().expect("an object") {
        assert_eq!(&manual[name], value, "{name} in {manual}");
    }
    assert!(manual["kd_pay"].is_string() && manual["kd_ref"].is_string(), "{manual}");
    assert!(
        manual.get("bankacc").is_none() && !manual.to_string().contains("1190000000001"),
        "no account here"
    );
    assert_eq!(order(&sandbox, "klink", "M-1")["amount"], 2765, "what the payer owes");
    let page = call(sandbox.base_url(), "GET", &[], "").text;
    for part in [number.as_str(), "Rp2.765 (kode unik 765)", "1190000000001", "/_sandbox/klink/V%2D1/expired"]
    {
        assert!(page.contains(part), "{part}");
    }
}

#[test]
fn unique_codes_stay_within_their_range() {
    let sandbox = start(&[]);
    let token = login(&sandbox);
    for number in 0..40 {
        let body = wanted(&format!("U-{number}"), "008", "MANDIRIMANUAL");
        let data = with_token(&sandbox, &token, "/api/pay_service", &body).json()["data"].clone();
        let code = data["kode_unik"].as_i64().expect("a number");
        assert!((1..=2000).contains(&code) && data["total_bayar"] == 2000 + code, "{data}");
    }
}

#[test]
fn payments_are_checked_and_unique() {
    let sandbox = start(&[]);
    for name in [
        "rq_uuid",
        "rq_datetime",
        "order_id",
        "no_hp",
        "fullname",
        "email",
        "bank_code",
        "product_code",
        "nominal",
        "pay_ship",
    ] {
        let mut without = wanted("W-1", "014", "BCAATM");
        without.as_object_mut().expect("an object").remove(name);
        for path in ["/api/pay_service", "/api/pay_service_midtrans"] {
            let answer = klink(&sandbox, path, &without);
            assert_eq!(
                (&answer["status"], &answer["message"]),
                (&json!("failed"), &json!(format!("{name} wajib diisi!")))
            );
        }
    }
    for (name, value) in [
        ("nominal", "0"),
        ("nominal", "1.5"),
        ("pay_ship", "-1"),
        ("rq_datetime", "21/07/2022"),
        ("bank_code", "999"),
        ("product_code", "BCA"),
        ("bank_code", "016"),
    ] {
        let mut wrong = wanted("W-1", "014", "BCAATM");
        wrong[name] = json!(value);
        assert_eq!(klink(&sandbox, "/api/pay_service", &wrong)["status"], "failed", "{name} {value}");
    }
    assert_eq!(
        klink(&sandbox, "/api/pay_service", &wanted("W-1", "016", "MAYBANKATM"))["status"],
        "failed",
        "switched off"
    );
    assert_eq!(control(&sandbox, "GET", "/klink/W-1", "").status, 404);

    assert_eq!(klink(&sandbox, "/api/pay_service", &wanted("W-1", "014", "BCAATM"))["status"], "success");
    let same_uuid = klink(&sandbox, "/api/pay_service", &wanted("W-1", "014", "BCAATM"));
    assert_eq!(same_uuid["message"], "rq_uuid uuid-W-1 sudah digunakan!");
    let mut same_order = wanted("W-1", "014", "BCAATM");
    same_order["rq_uuid"] = json!("another");
    assert_eq!(klink(&sandbox, "/api/pay_service", &same_order)["message"], "order_id W-1 sudah digunakan!");
    let counts = order(&sandbox, "klink", "W-1");
    assert_eq!((&counts["arrived"]["charge"], &counts["executed"]["charge"]), (&json!(3), &json!(1)));
}

#[test]
fn gopay_and_the_others_over_midtrans() {
    let sandbox = start(&[]);
    let answer = klink(&sandbox, "/api/pay_service_midtrans", &wanted("G-1", "gopay", "e_wallets"));
    let data = &answer["data"];
    assert_eq!(
        (&data["status_code"], &data["gross_amount"], &data["transaction_status"]),
        (&json!("201"), &json!("2000.00"), &json!("pending"))
    );
    assert_eq!(answer["data_input"], wanted("G-1", "gopay", "e_wallets"));
    let actions = data["actions"].as_array().expect("actions");
    let of = |name: &str| {
        let action =
            actions.iter().find(|one| one["name"] == name).unwrap_or_else(|| panic!("{name} in {data}"));
        (action["method"].as_str().expect("a method"), action["url"].as_str().expect("an address"))
    };
    let (method, qr) = of("generate-qr-code");
    assert!(call(qr, method, &[], "").text.starts_with("<svg"), "a picture");
    for name in ["get-status", "cancel"] {
        let (method, url) = of(name);
        assert_eq!(call(url, method, &[], "").status, 401, "only K-Link has Midtrans' key");
    }
    call(of("deeplink-redirect").1, "POST", &[], "do=pay");
    assert_eq!(order(&sandbox, "klink", "G-1")["status"], "paid");

    assert_eq!(
        klink(&sandbox, "/api/pay_service_midtrans", &wanted("G-2", "gopay", "e_money"))["data"]["status_code"],
        "201"
    );
    let permata = klink(&sandbox, "/api/pay_service_midtrans", &wanted("G-3", "permata", "transfer_bank"));
    assert!(permata["data"]["permata_va_number"].is_string(), "{permata}");
    for store in ["alfamart", "indomaret"] {
        let answer = klink(&sandbox, "/api/pay_service_midtrans", &wanted(store, store, "cstore"));
        assert!(answer["data"]["payment_code"].is_string(), "{answer}");
    }
    assert_eq!(
        klink(&sandbox, "/api/pay_service_midtrans", &wanted("G-4", "gopay", "cash"))["status"],
        "failed"
    );
}

#[test]
fn midtrans_refuses_inside_a_success() {
    let sandbox = start(&[]);
    for code in ["401", "406", "503", "05", "900"] {
        control(&sandbox, "POST", "/settings", &json!({"klink.midtrans_code": code}).to_string());
        let id = format!("E-{code}");
        let answer = klink(&sandbox, "/api/pay_service_midtrans", &wanted(&id, "gopay", "e_wallets"));
        assert_eq!((&answer["status"], &answer["data"]["status_code"]), (&json!("success"), &json!(code)));
        assert_eq!(control(&sandbox, "GET", &format!("/klink/{id}"), "").status, 404, "nothing was made");
    }
    control(&sandbox, "POST", "/settings", r#"{"klink.midtrans_code":"201"}"#);
    klink(&sandbox, "/api/pay_service_midtrans", &wanted("E-1", "gopay", "e_wallets"));
    let mut again = wanted("E-1", "gopay", "e_wallets");
    again["rq_uuid"] = json!("another");
    assert_eq!(klink(&sandbox, "/api/pay_service_midtrans", &again)["data"]["status_code"], "406");
}

#[test]
fn callbacks_are_signed_over_their_bytes() {
    let merchant = Merchant::answering(&[200]);
    let sandbox = start(&[
        ("klink.callback_url", &merchant.url),
        ("klink.kode_unik", "7"),
        ("klink.pid_key", "033389b9-cc42-4005-ae9e-8e8ff23738d7"),
    ]);
    let signed = |fields: &Value| {
        let received = merchant.next();
        let signature = hmac("033389b9-cc42-4005-ae9e-8e8ff23738d7", &received.body).to_lowercase();
        assert!(received.head.contains(&format!("x-servicepayment: {signature}")), "{received:?}");
        for (name, value) in fields.as_object().expect("an object") {
            assert_eq!(&received.json()[name], value, "{name} in {received:?}");
        }
    };
    klink(&sandbox, "/api/pay_service", &wanted("V-1", "014", "BCAATM"));
    klink(&sandbox, "/api/pay_service", &wanted("M-1", "008", "MANDIRIMANUAL"));
    klink(&sandbox, "/api/pay_service_midtrans", &wanted("1234/917/ATG", "gopay", "e_wallets"));
    control(&sandbox, "POST", "/klink/V-1/paid", "");
    signed(
        &json!({"status": "success", "message": "transaction success!", "rq_uuid": "uuid-V-1", "order_id": "V-1", "tot_bayar": "-", "norek": "-", "transaction": "multipayment"}),
    );
    control(&sandbox, "POST", "/klink/M-1/failed", "");
    signed(
        &json!({"status": "fail", "tot_bayar": "2007", "norek": "1190000000001", "transaction": "mandiri_manual"}),
    );
    control(&sandbox, "POST", "/klink/1234%2F917%2FATG/paid", "");
    signed(&json!({"status": "success", "order_id": "1234/917/ATG", "transaction": "gopay"}));
    let headers = control(&sandbox, "GET", "/klink/V-1/callback", "").json()["headers"].clone();
    let sent = headers[1][1].as_str().expect("a signature");
    assert_eq!((sent.len(), sent), (64, sent.to_uppercase().as_str()));
}

#[test]
fn callbacks_vary_as_asked() {
    let merchant = Merchant::answering(&[500, 500, 200]);
    let sandbox = start(&[
        ("klink.callback_url", &merchant.url),
        ("klink.callback_unsigned", "true"),
        ("klink.callback_fields", "data"),
    ]);
    klink(&sandbox, "/api/pay_service_midtrans", &wanted("G-1", "gopay", "e_wallets"));
    klink(&sandbox, "/api/pay_service", &wanted("V-1", "014", "BCAATM"));
    let done = control(&sandbox, "POST", "/klink/G-1/paid", "").json();
    assert_eq!(
        done["deliveries"][0]["attempts"].as_array().map(Vec::len),
        Some(3),
        "again until it is taken"
    );
    let received = merchant.next();
    assert!(!received.head.contains("x-servicepayment"), "{received:?}");
    assert_eq!(received.json()["data"]["order_id"], "G-1");
    let va = control(&sandbox, "GET", "/klink/V-1/callback", "");
    assert_eq!(va.status, 409, "pending is not notified");
    control(&sandbox, "POST", "/klink/V-1/expired", "");
    assert_eq!(order(&sandbox, "klink", "V-1")["status"], "expired");
    assert_eq!(control(&sandbox, "GET", "/klink/V-1/callback", "").status, 409, "nor is an expiry");
    assert_eq!(control(&sandbox, "POST", "/klink/V-1/paid", "").status, 409);
}

#[test]
fn the_finance_report_lists_what_was_asked_for() {
    let sandbox = start(&[("klink.path_report", "/api/laporan")]);
    for id in ["R-1", "R-2"] {
        klink(&sandbox, "/api/pay_service_midtrans", &wanted(id, "gopay", "e_wallets"));
    }
    klink(&sandbox, "/api/pay_service", &wanted("R-3", "014", "BCAATM"));
    control(&sandbox, "POST", "/klink/R-1/paid", "");
    let ask = |status: &str, end: &str| {
        let body = json!({"datetime_start": "", "datetime_end": end, "bank_code": "gopay", "transaction_status": status});
        klink(&sandbox, "/api/laporan", &body)
    };
    let all = ask("all", "2199-01-01 00:00:00");
    assert_eq!(all.as_array().map(Vec::len), Some(2), "{all}");
    assert_eq!(
        (&all[1]["order_id"], &all[1]["gross_amount"], &all[1]["status_code"]),
        (&json!("R-1"), &json!(2000), &json!("200"))
    );
    assert_eq!(all[0]["signature_key"].as_str().map(str::len), Some(128));
    assert!(all[0].get("transaction_status").is_none(), "no evidence of a payment");
    assert_eq!(ask("settlement", "").as_array().map(Vec::len), Some(1));
    assert_eq!(ask("all", "2000-01-01 00:00:00"), json!([]));
    assert_eq!(ask("all", "yesterday")["status"], "fail");
    let token = login(&sandbox);
    assert_eq!(
        with_token(&sandbox, &token, "/api/finance_report", &Value::Null).status,
        404,
        "it is where it was set to be"
    );
}
