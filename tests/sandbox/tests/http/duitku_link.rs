//! Duitku's account link: §1–4 of its document, and payment by a linked account.

use serde_json::{Value, json};

use crate::common::{call, control, order, start};
use crate::duitku_common::{
    CODE, HMAC_CODE, HMAC_KEY, KEY, connect_body, inquiry, link, link_raw, linked, linked_body, set, sha256,
    status, url,
};

const PATH: &str = "/accountlinking/api/accountlinking/v1";

fn code_of(answer: &Value) -> &str {
    answer["resultCode"].as_str().expect("a code")
}

#[test]
fn the_printed_signature_is_taken() {
    let sandbox = start(&[
        ("duitku.merchant_code", "D01xx"),
        ("duitku.merchant_key", "732B39FC6XXXXXXXXXXXXXXXXXXXXXXXXXXX"),
    ]);
    let headers = [
        ("content-type", "application/json"),
        ("x-duitku-merchant", "D01xx"),
        ("x-duitku-timestamp", "1650606622042"),
        ("x-duitku-signature", "9a6d1209e7db65fd97bac3e6c89fc6a0d3454e52b1ed0a93eab6d5646b198c66"),
    ];
    let at = url(&sandbox, &format!("{PATH}/connect"));
    let taken = call(&at, "POST", &headers, r#"{"phoneNumber":"0812342xxx"}"#);
    // Past the signature: the masked number of the sample is none.
    assert_eq!((taken.status, code_of(&taken.json())), (200, "03"));
    // The raw bytes are signed: one blank more is another body.
    let other = call(&at, "POST", &headers, r#"{"phoneNumber": "0812342xxx"}"#);
    assert_eq!((other.status, &other.json()["Message"]), (401, &json!("Wrong signature")));
}

#[test]
fn each_header_is_checked() {
    let sandbox = start(&[]);
    let body = connect_body("OL").to_string();
    let time = "1657710956368";
    let signature = sha256(&format!("{CODE}{time}{body}{KEY}"));
    let try_ = |merchant: &str, time: &str, signature: &str, kind: &str| {
        let headers = [
            ("content-type", kind),
            ("x-duitku-merchant", merchant),
            ("x-duitku-timestamp", time),
            ("x-duitku-signature", signature),
        ];
        call(&url(&sandbox, &format!("{PATH}/connect")), "POST", &headers, &body)
    };
    assert_eq!(code_of(&try_("D9", time, &signature, "application/json").json()), "06");
    assert_eq!(code_of(&try_("", time, &signature, "application/json").json()), "06");
    assert_eq!(try_(CODE, "1657710956369", &signature, "application/json").status, 401);
    assert_eq!(try_(CODE, time, "", "application/json").status, 401);
    let blank = sha256(&format!("{CODE}{body}{KEY}"));
    assert_eq!(try_(CODE, "", &blank, "application/json").status, 401, "a timestamp is mandatory");
    let dashed = sha256(&format!("{CODE}2022-07-13{body}{KEY}"));
    assert_eq!(try_(CODE, "2022-07-13", &dashed, "application/json").status, 401, "alphanumeric");
    assert_eq!(code_of(&try_(CODE, time, &signature, "text/plain").json()), "05");
    assert_eq!(code_of(&try_(CODE, time, &signature, "application/json; charset=UTF-8").json()), "00");
}

#[test]
fn what_does_not_exist_is_said() {
    let sandbox = start(&[]);
    let get = call(&url(&sandbox, &format!("{PATH}/connect")), "GET", &[], "");
    assert_eq!(get.status, 405);
    assert_eq!(link_raw(&sandbox, "/reconnect", "{}").status, 404);
}

#[test]
fn a_connection_is_checked() {
    let sandbox = start(&[]);
    let long = |count: usize| json!("1".repeat(count));
    let table = [
        ("phoneNumber", json!(""), "03"),
        ("phoneNumber", json!("0812-34"), "03"),
        ("phoneNumber", json!("+"), "03"),
        ("phoneNumber", long(51), "03"),
        ("customerUniqueId", Value::Null, "09"),
        ("customerUniqueId", long(256), "09"),
        ("channel", json!("XX"), "04"),
        ("channel", Value::Null, "04"),
        ("returnUrl", json!("toko.example"), "08"),
        ("returnUrl", json!(format!("http://{}", "a".repeat(249))), "08"),
    ];
    for (name, value, code) in table {
        let mut body = connect_body("OL");
        body[name] = value.clone();
        let answer = link(&sandbox, "/connect", &body);
        assert_eq!(code_of(&answer), code, "{name} {value}");
    }
    assert_eq!(code_of(&link_raw(&sandbox, "/connect", "[]").json()), "05");
    let said = link_raw(&sandbox, "/connect", "{").json();
    assert_eq!(said, json!({"resultCode": "05", "resultMessage": "Permintaan tidak valid."}));
    set(&sandbox, "link_refusal", "400");
    assert_eq!(link_raw(&sandbox, "/connect", "{").status, 400);
    assert_eq!(control(&sandbox, "GET", "/orders", "").json(), json!([]), "nothing was made");
    set(&sandbox, "link_refusal", "200");
    let mut longest = connect_body("SL");
    longest["phoneNumber"] = long(50);
    longest["customerUniqueId"] = long(255);
    longest["returnUrl"] = json!(format!("http://{}", "a".repeat(248)));
    assert_eq!(code_of(&link(&sandbox, "/connect", &longest)), "00");
}

#[test]
fn an_account_is_linked_on_its_page() {
    let sandbox = start(&[]);
    let made = link(&sandbox, "/connect", &connect_body("OL"));
    assert_eq!((&made["resultCode"], &made["resultMessage"]), (&json!("00"), &json!("SUCCESS")));
    let page = made["webviewUrl"].as_str().expect("an address");
    let shown = call(page, "GET", &[], "").text;
    for part in ["OVO link", "0812000001", "PIN", "Hubungkan", "Gagal", "Kedaluwarsa"] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    let wrong = call(page, "POST", &[], "do=pay&pin=000000");
    assert!(wrong.status == 200 && wrong.text.contains("PIN salah"), "{wrong:?}");
    let done = call(page, "POST", &[], "do=pay&pin=123456");
    let start =
        "http://127.0.0.1:1/linked?resultCode=00&phoneNumber=0812000001&state=LINKAGE&credentialCode=";
    assert!(done.status == 303 && done.location.starts_with(start), "{done:?}");
    let code = &done.location[start.len()..];
    assert_eq!(code.len(), 36, "as in the sample");
    let info = link(&sandbox, "/user/info", &json!({"credentialCode": code, "channel": "OL"}));
    let expected = json!({
        "accountStatus": "LINKED", "channel": "OL", "balanceCash": 549159, "balancePoint": 0,
        "resultCode": "00", "resultMessage": "SUCCESS",
    });
    assert_eq!(info, expected);
    set(&sandbox, "balances", "text");
    let info = link(&sandbox, "/user/info", &json!({"credentialCode": code, "channel": "OL"}));
    assert_eq!((&info["balanceCash"], &info["balancePoint"]), (&json!("549159"), &json!("0")));
    let sent = control(&sandbox, "GET", "/requests?direction=out", "").json();
    assert_eq!(sent, json!([]), "no callback is documented");
}

#[test]
fn a_refused_or_forgotten_link_is_none() {
    let sandbox = start(&[]);
    for (pressed, state) in [("fail", "failed"), ("expire", "expired")] {
        let made = link(&sandbox, "/connect", &connect_body("SL"));
        let page = made["webviewUrl"].as_str().expect("an address");
        let done = call(page, "POST", &[], &format!("do={pressed}"));
        assert_eq!(
            done.location,
            "http://127.0.0.1:1/linked?resultCode=01&phoneNumber=0812000001&state=LINKAGE"
        );
        assert_eq!(order(&sandbox, "duitku", "link-SL-c-1")["status"], state);
        let late = call(page, "POST", &[], "do=pay&pin=123456");
        assert_eq!(order(&sandbox, "duitku", "link-SL-c-1")["status"], state, "{late:?}");
        // A page is good for one request only.
        link(&sandbox, "/connect", &connect_body("SL"));
        assert_eq!(call(page, "GET", &[], "").status, 404);
    }
    assert_eq!(order(&sandbox, "duitku", "link-SL-c-1")["executed"]["link"], 4);
}

#[test]
fn a_script_links_too() {
    let sandbox = start(&[]);
    link(&sandbox, "/connect", &connect_body("OL"));
    let done = control(&sandbox, "POST", "/duitku/link-OL-c-1/paid", "");
    assert_eq!((done.status, &done.json()["order"]["status"]), (200, &json!("done")), "{done:?}");
    let code = done.json()["order"]["detail"]["credential"].clone();
    let info = link(&sandbox, "/user/info", &json!({"credentialCode": code, "channel": "OL"}));
    assert_eq!(info["accountStatus"], "LINKED");
    assert_eq!(control(&sandbox, "POST", "/duitku/link-OL-c-1/paid", "").status, 409);
    assert_eq!(control(&sandbox, "GET", "/duitku/link-OL-c-1/callback", "").status, 409);
}

#[test]
fn an_unlinked_account_says_so() {
    let sandbox = start(&[]);
    let code = linked(&sandbox, "OL");
    let which = json!({"credentialCode": code, "channel": "OL"});
    let done = link(&sandbox, "/disconnect", &which);
    assert_eq!(done, json!({"resultCode": "00", "resultMessage": "SUCCESS"}));
    assert_eq!(link(&sandbox, "/user/info", &which)["accountStatus"], "UNLINKED");
    assert_eq!(code_of(&link(&sandbox, "/disconnect", &which)), "01");
    assert_eq!(code_of(&link(&sandbox, "/topup/intructions", &which)), "10");
    let order_ = order(&sandbox, "duitku", "link-OL-c-1");
    assert_eq!((&order_["arrived"]["unlink"], &order_["executed"]["unlink"]), (&json!(2), &json!(1)));
    assert_eq!(linked(&sandbox, "OL"), code, "linked again, the same code");
    assert_eq!(link(&sandbox, "/user/info", &which)["accountStatus"], "LINKED");
}

#[test]
fn a_credential_code_is_checked() {
    let sandbox = start(&[]);
    let code = linked(&sandbox, "OL");
    for path in ["/disconnect", "/user/info", "/topup/intructions"] {
        for (body, expected) in [
            (json!({"credentialCode": "8320D4EB", "channel": "OL"}), "10"),
            (json!({"credentialCode": "x".repeat(51), "channel": "OL"}), "10"),
            (json!({"channel": "OL"}), "10"),
            (json!({"credentialCode": code}), "04"),
            (json!({"credentialCode": code, "channel": "OVO"}), "04"),
        ] {
            assert_eq!(code_of(&link(&sandbox, path, &body)), expected, "{path} {body}");
        }
    }
    let body = json!({"credentialCode": code, "channel": "OL"}).to_string();
    let signature = sha256(&format!("{HMAC_CODE}1657710956368{body}{HMAC_KEY}"));
    let headers = [
        ("content-type", "application/json"),
        ("x-duitku-merchant", HMAC_CODE),
        ("x-duitku-timestamp", "1657710956368"),
        ("x-duitku-signature", signature.as_str()),
    ];
    let other = call(&url(&sandbox, &format!("{PATH}/user/info")), "POST", &headers, &body);
    assert_eq!((other.status, code_of(&other.json())), (200, "10"), "another project's");
    let elsewhere = json!({"credentialCode": code, "channel": "SL"});
    assert_eq!(code_of(&link(&sandbox, "/user/info", &elsewhere)), "10");
}

#[test]
fn top_up_instructions_are_ovos() {
    let sandbox = start(&[]);
    let code = linked(&sandbox, "OL");
    for path in ["/topup/intructions", "/topup/instructions"] {
        let answer = link(&sandbox, path, &json!({"credentialCode": code, "channel": "OL"}));
        let names: Vec<_> =
            answer["data"].as_array().expect("a list").iter().map(|one| one["displayText"].clone()).collect();
        assert_eq!(json!(names), json!(["ATM", "Internet / Mobile Banking", "Grab", "Tokopedia"]));
        assert!(answer["data"][0]["icon"].is_string() && answer["data"][0]["url"].is_string(), "{answer}");
    }
    let shopee = linked(&sandbox, "SL");
    let answer = link(&sandbox, "/topup/intructions", &json!({"credentialCode": shopee, "channel": "SL"}));
    assert_eq!(code_of(&answer), "07");
}

#[test]
fn a_linked_account_pays_with_its_pin() {
    let sandbox = start(&[]);
    for channel in ["OL", "SL"] {
        let code = linked(&sandbox, channel);
        let answer = inquiry(&sandbox, &linked_body(channel, channel, &code)).json();
        let reference = answer["reference"].as_str().expect("a reference");
        let page = answer["paymentUrl"].as_str().expect("an address");
        let expected = json!({
            "merchantCode": CODE, "reference": reference, "paymentUrl": page, "amount": "10000",
            "statusCode": "00", "statusMessage": "SUCCESS",
        });
        assert_eq!(answer, expected, "the six printed fields and no other");
        assert!(call(page, "GET", &[], "").text.contains("PIN"));
        call(page, "POST", &[], "do=pay&pin=1");
        assert_eq!(status(&sandbox, channel).json()["statusCode"], "01");
        call(page, "POST", &[], "do=pay&pin=123456");
        assert_eq!(status(&sandbox, channel).json()["statusCode"], "00");
        let info = link(&sandbox, "/user/info", &json!({"credentialCode": code, "channel": channel}));
        assert_eq!(info["balanceCash"], 539_159);
    }
}

#[test]
fn an_account_that_cannot_pay_answers_a_code() {
    let sandbox = start(&[("duitku.balance_cash", "9999")]);
    let unknown = inquiry(&sandbox, &linked_body("N-1", "OL", "8320D4EB"));
    assert_eq!((unknown.status, &unknown.json()["statusCode"]), (200, &json!("10")));
    let code = linked(&sandbox, "OL");
    let poor = inquiry(&sandbox, &linked_body("N-2", "OL", &code)).json();
    assert_eq!(
        (&poor["statusCode"], &poor["statusMessage"]),
        (&json!("-100"), &json!("Saldo tidak mencukupi / kesalahan lainnya."))
    );
    link(&sandbox, "/disconnect", &json!({"credentialCode": code, "channel": "OL"}));
    assert_eq!(inquiry(&sandbox, &linked_body("N-3", "OL", &code)).json()["statusCode"], "10");
    for id in ["N-1", "N-2", "N-3"] {
        assert_eq!(status(&sandbox, id).status, 404, "{id}");
    }
}

#[test]
fn account_link_fields_are_checked() {
    let sandbox = start(&[]);
    let (ovo, shopee) = (linked(&sandbox, "OL"), linked(&sandbox, "SL"));
    let details = |one: Value| json!({"credentialCode": ovo, "ovo": {"paymentDetails": one}});
    let of = |one: Value| json!({"credentialCode": shopee, "shopee": one});
    let table = [
        ("OL", Value::Null, "accountLink is mandatory"),
        ("OL", json!({"ovo": {}}), "credentialCode is mandatory"),
        ("OL", json!({"credentialCode": "x".repeat(51)}), "length of credentialCode can't > 50"),
        ("OL", of(json!({})), "ovo is mandatory"),
        ("OL", details(json!([])), "paymentDetails is mandatory"),
        ("OL", details(json!([{"amount": 1}])), "paymentType is mandatory"),
        (
            "OL",
            details(json!([{"paymentType": "CASHCASHCASH", "amount": 1}])),
            "length of paymentType can't > 10",
        ),
        ("OL", details(json!([{"paymentType": "CASH", "amount": "1.5"}])), "amount must be an integer"),
        ("SL", details(json!([])), "shopee is mandatory"),
        ("SL", of(json!({"promoId": ""})), "useCoin is mandatory"),
        ("SL", of(json!({"useCoin": "false", "promoId": ""})), "useCoin is mandatory"),
        ("SL", of(json!({"useCoin": false})), "promoId is mandatory"),
        ("SL", of(json!({"useCoin": false, "promoId": "x".repeat(51)})), "length of promoId can't > 50"),
    ];
    for (method, value, expected) in table {
        let mut body = linked_body("A-1", method, &ovo);
        body["accountLink"] = value.clone();
        let answer = inquiry(&sandbox, &body);
        assert_eq!((answer.status, &answer.json()["Message"]), (400, &json!(expected)), "{method} {value}");
    }
    for (method, value) in [
        ("OL", details(json!([{"paymentType": "CASH", "amount": 10000}]))),
        ("SL", of(json!({"useCoin": true, "promo_ids": "campaign111"}))),
    ] {
        let mut body = linked_body(&format!("B-{method}"), method, &ovo);
        body["accountLink"] = value;
        assert_eq!(inquiry(&sandbox, &body).json()["statusCode"], "00", "{method}");
    }
}
