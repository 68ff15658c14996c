//! Duitku's payments: inquiry, invoice, status, methods, callback.

use std::collections::BTreeMap;

use bayar_sandbox::{Options, print_config};
use serde_json::{Value, json};

use crate::common::{Merchant, Received, call, control, order, start};
use crate::duitku_common::{
    CODE, HMAC_CODE, HMAC_KEY, KEY, hmac, inquiry, inquiry_body, md5, pay, post, refused, set, sha256, sign,
    status, url,
};

const STATUS: &str = "/webapi/api/merchant/transactionStatus";
const METHODS: &str = "/webapi/api/merchant/paymentmethod/getpaymentmethod";
const INVOICE: &str = "/api/merchant/createInvoice";

fn fields(received: &Received) -> BTreeMap<String, String> {
    assert!(received.head.contains("content-type: application/x-www-form-urlencoded"), "{received:?}");
    form(&received.body)
}

fn form(body: &str) -> BTreeMap<String, String> {
    let decode = |text: &str| {
        let text = text.replace('+', " ");
        percent_encoding::percent_decode_str(&text).decode_utf8_lossy().into_owned()
    };
    body.split('&')
        .map(|pair| pair.split_once('=').expect("a pair"))
        .map(|(name, value)| (decode(name), decode(value)))
        .collect()
}

#[test]
fn the_signature_is_that_of_the_fields_in_their_order() {
    let sandbox = start(&[]);
    let body = |signature: String| {
        let mut body = inquiry_body("INV-1", "VA", "http://127.0.0.1:1/n");
        body["signature"] = json!(signature);
        inquiry(&sandbox, &body)
    };
    for wrong in [
        md5(&format!("{CODE}10000INV-1{KEY}")),
        md5(&format!("{CODE}INV-110000{HMAC_KEY}")),
        md5(&format!("{CODE}INV-110000{KEY}")).to_uppercase(),
        sha256(&format!("{CODE}INV-110000{KEY}")),
        hmac(KEY, &format!("{CODE}INV-110000")),
    ] {
        assert_eq!(refused(&body(wrong.clone())), (401, "Wrong signature".to_owned()), "{wrong}");
    }
    // printf %s DS00001INV-110000"$KEY" | md5sum
    assert_eq!(body("4996dc8f0b65353af35ea7a15edc4144".to_owned()).status, 200);
}

#[test]
fn an_inquiry_answers_what_the_payer_needs() {
    let sandbox = start(&[]);
    let va = pay(&sandbox, "V-1", "BC", "http://127.0.0.1:1/n");
    assert_eq!((&va["merchantCode"], &va["amount"]), (&json!(CODE), &json!("10000")));
    assert_eq!(va["statusMessage"], "SUCCESS");
    assert!(va["reference"].as_str().is_some_and(|text| text.starts_with(CODE)), "{va}");
    let number = va["vaNumber"].as_str().expect("a number");
    assert!(number.len() == 16 && number.bytes().all(|byte| byte.is_ascii_digit()), "{va}");
    assert!(va.get("qrString").is_none() && va.get("AppUrl").is_none(), "{va}");
    for page in [va["paymentUrl"].as_str().expect("an address"), sandbox.base_url()] {
        let text = call(page, "GET", &[], "").text;
        for part in [number, "Rp10.000", "WIB"] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }
    let qris = pay(&sandbox, "Q-1", "SP", "http://127.0.0.1:1/n");
    assert!(qris["qrString"].as_str().is_some_and(|text| text.starts_with("000201")), "{qris}");
    assert!(qris.get("vaNumber").is_none(), "{qris}");
    let text = call(qris["paymentUrl"].as_str().expect("an address"), "GET", &[], "").text;
    assert!(text.contains("<svg"), "{text}");
    let shop = pay(&sandbox, "T-1", "T1", "http://127.0.0.1:1/n");
    assert!(shop["AppUrl"].is_string(), "{shop}");
    let ovo = pay(&sandbox, "O-1", "OV", "http://127.0.0.1:1/n");
    assert!(ovo.get("vaNumber").is_none() && ovo.get("qrString").is_none(), "{ovo}");
}

#[test]
fn numbers_come_as_texts_and_names_in_any_case() {
    let sandbox = start(&[]);
    let mut body = inquiry_body("P-1", "BC", "http://127.0.0.1:1/n");
    body["paymentAmount"] = json!("10000");
    // §5 prints `callbackurl`.
    let object = body.as_object_mut().expect("an object");
    let callback = object.remove("callbackUrl").expect("it is there");
    object.insert("callbackurl".to_owned(), callback);
    assert_eq!(inquiry(&sandbox, &body).json()["statusCode"], "00");
    assert_eq!(order(&sandbox, "duitku", "P-1")["amount"], 10_000);
}

#[test]
fn mandatory_fields_and_lengths_are_checked() {
    let sandbox = start(&[]);
    let try_ = |name: &str, value: Value| {
        let mut body = inquiry_body("M-1", "BC", "http://127.0.0.1:1/n");
        body[name] = value;
        if name != "signature" {
            body = sign(body);
        }
        refused(&inquiry(&sandbox, &body))
    };
    for name in [
        "merchantCode",
        "paymentAmount",
        "merchantOrderId",
        "productDetails",
        "email",
        "paymentMethod",
        "returnUrl",
        "callbackUrl",
        "signature",
    ] {
        assert_eq!(try_(name, Value::Null), (400, format!("{name} is mandatory")));
        assert_eq!(try_(name, json!("")), (400, format!("{name} is mandatory")));
    }
    for (name, most) in [
        ("merchantCode", 50),
        ("merchantOrderId", 50),
        ("productDetails", 255),
        ("email", 50),
        ("additionalParam", 255),
        ("paymentMethod", 2),
        ("merchantUserInfo", 255),
        ("customerVaName", 20),
        ("phoneNumber", 50),
        ("returnUrl", 255),
        ("callbackUrl", 255),
        ("signature", 255),
    ] {
        let long = json!("é".repeat(most + 1));
        assert_eq!(try_(name, long), (400, format!("length of {name} can't > {most}")));
    }
    let mut longest = inquiry_body(&"x".repeat(50), "BC", "http://127.0.0.1:1/n");
    longest["customerVaName"] = json!("é".repeat(20));
    longest["phoneNumber"] = json!("1".repeat(50));
    longest["productDetails"] = json!("é".repeat(255));
    assert_eq!(inquiry(&sandbox, &longest).status, 200);
    set(&sandbox, "phone_length", "20");
    assert_eq!(try_("phoneNumber", json!("1".repeat(21))).1, "length of phoneNumber can't > 20");
    assert_eq!(status(&sandbox, "M-1").status, 404, "nothing was made");
}

#[test]
fn values_are_checked() {
    let sandbox = start(&[("duitku.maximum", "20000")]);
    let item = |price: Value| json!([{"name": "Apel", "price": price, "quantity": 2}]);
    let table = [
        ("merchantCode", json!("D9"), 404, "Merchant not found"),
        ("paymentMethod", json!("ZZ"), 404, "Payment channel not available"),
        ("paymentAmount", json!(9999), 400, "Minimum Payment 10000 IDR"),
        ("paymentAmount", json!(20001), 400, "Maximum Payment exceeded"),
        ("paymentAmount", json!(10000.5), 400, "paymentAmount must be an integer"),
        ("paymentAmount", json!("10000.00"), 400, "paymentAmount must be an integer"),
        ("paymentAmount", json!("sepuluh"), 400, "paymentAmount must be an integer"),
        ("email", json!("budi"), 400, "Invalid Email Address"),
        ("email", json!("budi@localhost"), 400, "Invalid Email Address"),
        ("returnUrl", json!("javascript:x"), 400, "returnUrl is not a valid URL"),
        ("callbackUrl", json!("toko"), 400, "callbackUrl is not a valid URL"),
        ("expiryPeriod", json!(0), 400, "expiryPeriod must be at least 1"),
        ("expiryPeriod", json!("x"), 400, "expiryPeriod must be an integer"),
        ("itemDetails", item(json!(5000)), 409, "Payment amount must be equal to all item price"),
        ("itemDetails", item(json!("x")), 400, "price must be an integer"),
        ("itemDetails", json!([{"price": 10000, "quantity": 1}]), 400, "name is mandatory"),
        ("itemDetails", json!([{"name": "Apel", "price": 10000}]), 400, "quantity is mandatory"),
        ("itemDetails", json!({"name": "Apel"}), 400, "itemDetails is not an array of objects"),
        ("creditCardDetail", json!({"acquirer": "0014"}), 400, "length of acquirer can't > 3"),
        ("creditCardDetail", json!({"binWhitelist": ["4000000"]}), 400, "binWhitelist is not valid"),
        ("creditCardDetail", json!({"binWhitelist": vec!["014"; 26]}), 400, "binWhitelist is not valid"),
    ];
    for (name, value, status, message) in table {
        let mut body = inquiry_body("W-1", "BC", "http://127.0.0.1:1/n");
        body[name] = value.clone();
        let answer = inquiry(&sandbox, &sign(body));
        assert_eq!(refused(&answer), (status, message.to_owned()), "{name} {value}");
    }
    let mut none = inquiry_body("W-2", "BC", "http://127.0.0.1:1/n");
    none["itemDetails"] = json!([]);
    assert_eq!(inquiry(&sandbox, &none).status, 200, "clients send an empty list");
}

#[test]
fn some_methods_want_more() {
    let sandbox = start(&[]);
    let mut shop = inquiry_body("S-1", "T1", "http://127.0.0.1:1/n");
    shop["customerVaName"] = json!("");
    let empty = "Customer VA Name must not be empty for this payment channel";
    assert_eq!(refused(&inquiry(&sandbox, &shop)), (400, empty.to_owned()));
    let mut qris = inquiry_body("S-2", "SP", "http://127.0.0.1:1/n");
    qris["customerVaName"] = json!("");
    assert_eq!(inquiry(&sandbox, &qris).status, 200);
    set(&sandbox, "mandatory", "document");
    assert_eq!(inquiry(&sandbox, &qris).status, 400);
    let mut loan = inquiry_body("S-3", "DN", "http://127.0.0.1:1/n");
    assert_eq!(refused(&inquiry(&sandbox, &loan)), (400, "customerDetail is mandatory".to_owned()));
    loan["customerDetail"] = json!({"firstName": "Budi"});
    assert_eq!(inquiry(&sandbox, &loan).status, 200);
}

#[test]
fn a_body_that_is_no_json_is_refused() {
    let sandbox = start(&[]);
    let good = inquiry_body("J-1", "BC", "http://127.0.0.1:1/n").to_string();
    for (kind, body) in [("application/json", "{"), ("application/json", "[]"), ("text/plain", good.as_str())]
    {
        let at = url(&sandbox, "/webapi/api/merchant/v2/inquiry");
        assert_eq!(call(&at, "POST", &[("content-type", kind)], body).status, 400, "{kind} {body}");
    }
}

#[test]
fn what_does_not_exist_is_said() {
    let sandbox = start(&[]);
    for path in ["/webapi/api/merchant/v2/inquiry", STATUS, METHODS, INVOICE] {
        let get = call(&url(&sandbox, path), "GET", &[], "");
        assert_eq!(get.status, 405, "{path}");
        assert!(get.json()["Message"].is_string(), "{get:?}");
    }
    assert_eq!(post(&sandbox, "/webapi/api/merchant/inquiry", &json!({})).status, 404);
}

#[test]
fn the_status_tells_where_a_transaction_stands() {
    let sandbox = start(&[]);
    let made = pay(&sandbox, "S-1", "BC", "http://127.0.0.1:1/n");
    let expected = |code: &str, message: &str| {
        json!({
            "merchantOrderId": "S-1", "reference": made["reference"], "amount": "10000", "fee": "0.00",
            "statusCode": code, "statusMessage": message,
        })
    };
    assert_eq!(status(&sandbox, "S-1").json(), expected("01", "PENDING"));
    control(&sandbox, "POST", "/duitku/S-1/paid", "");
    assert_eq!(status(&sandbox, "S-1").json(), expected("00", "SUCCESS"));
    for (id, act) in [("S-2", "failed"), ("S-3", "expired")] {
        pay(&sandbox, id, "BC", "http://127.0.0.1:1/n");
        control(&sandbox, "POST", &format!("/duitku/{id}/{act}"), "");
        assert_eq!(status(&sandbox, id).json()["statusCode"], "02", "{act}");
        assert_eq!(control(&sandbox, "POST", &format!("/duitku/{id}/paid"), "").status, 409);
    }
    assert_eq!(control(&sandbox, "POST", "/duitku/S-1/refunded", "").status, 409, "no such thing here");
}

#[test]
fn a_status_query_is_checked() {
    let sandbox = start(&[]);
    pay(&sandbox, "S-1", "BC", "http://127.0.0.1:1/n");
    let signature = md5(&format!("{CODE}S-1{KEY}"));
    let try_ = |body: Value| refused(&post(&sandbox, STATUS, &body));
    for name in ["merchantCode", "merchantOrderId", "signature"] {
        let mut body = json!({"merchantCode": CODE, "merchantOrderId": "S-1", "signature": signature});
        body.as_object_mut().expect("an object").remove(name);
        assert_eq!(try_(body), (400, format!("{name} is mandatory")));
    }
    let of = |code: &str, id: &str, signature: &str| {
        try_(json!({"merchantCode": code, "merchantOrderId": id, "signature": signature}))
    };
    assert_eq!(of("D9", "S-1", &signature), (404, "Merchant not found".to_owned()));
    assert_eq!(of(CODE, "S-2", &signature), (401, "Wrong signature".to_owned()));
    let elsewhere = hmac(HMAC_KEY, &format!("{HMAC_CODE}S-1"));
    assert_eq!(of(HMAC_CODE, "S-1", &elsewhere), (404, "Transaction not found".to_owned()));
    let body = json!({"merchantCode": CODE, "merchantOrderId": "S-1", "signature": signature});
    assert_eq!(post(&sandbox, "/api/merchant/transactionStatus", &body).json()["statusCode"], "01");
    // The public documentation says a form, and its samples send JSON.
    let form = format!("merchantCode={CODE}&merchantOrderId=S-1&signature={signature}");
    let kind = [("content-type", "application/x-www-form-urlencoded")];
    assert_eq!(call(&url(&sandbox, STATUS), "POST", &kind, &form).json()["statusCode"], "01");
}

#[test]
fn the_callback_puts_the_amount_first() {
    let sandbox = start(&[]);
    let merchant = Merchant::answering(&[200]);
    let made = pay(&sandbox, "C-1", "SP", &merchant.url);
    assert_eq!(control(&sandbox, "GET", "/duitku/C-1/callback", "").status, 409, "nothing to tell yet");
    control(&sandbox, "POST", "/duitku/C-1/paid", "");
    let received = merchant.next();
    assert!(received.body.contains("productDetail=Tas+%26+Topi&"), "{received:?}");
    let sent = fields(&received);
    for (name, value) in [
        ("merchantCode", CODE),
        ("amount", "10000"),
        ("merchantOrderId", "C-1"),
        ("productDetail", "Tas & Topi"),
        ("additionalParam", "a=1"),
        ("paymentCode", "SP"),
        ("resultCode", "00"),
        ("merchantUserId", "budi"),
        ("reference", made["reference"].as_str().expect("a reference")),
        ("signature", md5(&format!("{CODE}10000C-1{KEY}")).as_str()),
        ("spUserHash", "xxxyyyzzz"),
        ("issuerCode", "93600523"),
    ] {
        assert_eq!(sent.get(name).map(String::as_str), Some(value), "{name}");
    }
    assert!(sent.contains_key("publisherOrderId") && sent["settlementDate"].len() == 10, "{sent:?}");
    let preview = control(&sandbox, "GET", "/duitku/C-1/callback", "").json();
    assert_eq!(preview["urls"], json!([merchant.url]));
    assert_eq!(form(preview["body"].as_str().expect("a form")), sent);
}

#[test]
fn a_failure_is_01_in_a_callback() {
    let sandbox = start(&[]);
    let merchant = Merchant::answering(&[200]);
    for act in ["failed", "expired"] {
        pay(&sandbox, act, "BC", &merchant.url);
        control(&sandbox, "POST", &format!("/duitku/{act}/{act}"), "");
        assert_eq!(fields(&merchant.next())["resultCode"], "01", "{act}");
    }
}

#[test]
fn a_printed_callback_has_nine_fields() {
    let sandbox = start(&[("duitku.callback", "printed")]);
    let merchant = Merchant::answering(&[200]);
    set(&sandbox, "callback_url", &merchant.url);
    pay(&sandbox, "C-1", "BC", "http://127.0.0.1:1/n");
    control(&sandbox, "POST", "/duitku/C-1/paid", "");
    let sent = fields(&merchant.next());
    assert_eq!(sent.len(), 9, "{sent:?}");
    assert_eq!(sent["productDetails"], "Tas & Topi");
}

#[test]
fn a_callback_is_sent_again_until_200() {
    let sandbox = start(&[]);
    let merchant = Merchant::answering(&[500, 201, 200]);
    pay(&sandbox, "R-1", "BC", &merchant.url);
    let done = control(&sandbox, "POST", "/duitku/R-1/paid", "").json();
    assert_eq!(done["deliveries"][0]["attempts"].as_array().map(Vec::len), Some(3), "{done}");
    let sent = merchant.so_far();
    assert_eq!((sent.len(), &sent[0].body), (3, &sent[2].body));
    let never = Merchant::answering(&[404]);
    pay(&sandbox, "R-2", "BC", &never.url);
    control(&sandbox, "POST", "/duitku/R-2/paid", "");
    assert_eq!(never.so_far().len(), 6, "once, and five times again");
}

#[test]
fn the_other_project_signs_with_hmac() {
    let sandbox = start(&[]);
    let merchant = Merchant::answering(&[200]);
    pay(&sandbox, "H-1", "BC", "http://127.0.0.1:1/n");
    let mut body = inquiry_body("H-1", "BC", &merchant.url);
    body["merchantCode"] = json!(HMAC_CODE);
    body["signature"] = json!(md5(&format!("{HMAC_CODE}H-110000{HMAC_KEY}")));
    assert_eq!(refused(&inquiry(&sandbox, &body)).0, 401, "MD5 is the other one's");
    // printf %s DS00002H-110000 | openssl dgst -sha256 -hmac 1111111111111111111111111EXAMPLE
    body["signature"] = json!("4db9bd4a7b56087261dff8160fa9c7f8f813df5702f5c232d703955b420265fd");
    let made = inquiry(&sandbox, &body).json();
    assert_eq!((&made["statusCode"], &made["merchantCode"]), (&json!("00"), &json!(HMAC_CODE)));
    // The same number in two projects: two transactions.
    control(&sandbox, "POST", "/duitku/H-1%232/paid", "");
    let sent = fields(&merchant.next());
    assert_eq!(sent["merchantOrderId"], "H-1");
    assert_eq!(sent["signature"], hmac(HMAC_KEY, &format!("{HMAC_CODE}10000H-1")));
    assert_eq!(status(&sandbox, "H-1").json()["statusCode"], "01");
    let query = json!({"merchantCode": HMAC_CODE, "merchantOrderId": "H-1",
        "signature": hmac(HMAC_KEY, &format!("{HMAC_CODE}H-1"))});
    assert_eq!(post(&sandbox, STATUS, &query).json()["statusCode"], "00");
    // An id that looks like the other project's is still its owner's.
    pay(&sandbox, "DS00002/H-2", "BC", "http://127.0.0.1:1/n");
    let query = json!({"merchantCode": HMAC_CODE, "merchantOrderId": "H-2",
        "signature": hmac(HMAC_KEY, &format!("{HMAC_CODE}H-2"))});
    assert_eq!(post(&sandbox, STATUS, &query).status, 404);
    set(&sandbox, "signature", "hmac-sha256");
    assert_eq!(status(&sandbox, "H-1").status, 401, "the first project may change, too");
}

#[test]
fn a_used_order_id_is_paid_for_again_or_refused() {
    let sandbox = start(&[]);
    let first = pay(&sandbox, "U-1", "BC", "http://127.0.0.1:1/n");
    let second = pay(&sandbox, "U-1", "BC", "http://127.0.0.1:1/n");
    assert_eq!(first["reference"], second["reference"]);
    assert_ne!(first["vaNumber"], second["vaNumber"]);
    let kept = order(&sandbox, "duitku", "U-1");
    assert_eq!((&kept["arrived"]["charge"], &kept["executed"]["charge"]), (&json!(2), &json!(2)));
    let again = || refused(&inquiry(&sandbox, &inquiry_body("U-1", "BC", "http://127.0.0.1:1/n"))).0;
    set(&sandbox, "repeated_order", "409");
    assert_eq!(again(), 409);
    set(&sandbox, "repeated_order", "again");
    control(&sandbox, "POST", "/duitku/U-1/paid", "");
    assert_eq!(again(), 409, "what is decided stays so");
    let kept = order(&sandbox, "duitku", "U-1");
    assert_eq!((&kept["arrived"]["charge"], &kept["executed"]["charge"]), (&json!(4), &json!(2)));
}

#[test]
fn an_answer_may_hide_that_the_transaction_was_made() {
    let sandbox = start(&[("duitku.inquiry_code", "02")]);
    let answer = inquiry(&sandbox, &inquiry_body("X-1", "BC", "http://127.0.0.1:1/n"));
    assert_eq!((answer.status, &answer.json()["statusCode"]), (200, &json!("02")));
    assert_eq!(status(&sandbox, "X-1").json()["statusCode"], "01");
}

#[test]
fn the_end_follows_the_wish_or_the_method() {
    let sandbox = start(&[]);
    let minutes = |id: &str, method: &str, wish: Option<i64>| {
        let mut body = inquiry_body(id, method, "http://127.0.0.1:1/n");
        body["expiryPeriod"] = json!(wish);
        assert_eq!(inquiry(&sandbox, &body).status, 200);
        let kept = order(&sandbox, "duitku", id);
        let time = |name: &str| {
            let text = kept[name].as_str().expect("a time").to_owned();
            let clock: Vec<i64> =
                text[8..].split([' ', ':']).map(|part| part.parse().expect("a number")).collect();
            clock[0] * 1440 + clock[1] * 60 + clock[2]
        };
        (time("expires_at") - time("created_at")).rem_euclid(1440)
    };
    assert_eq!(minutes("E-1", "BC", Some(30)), 30);
    assert_eq!(minutes("E-2", "SP", Some(600)), 60);
    assert_eq!(minutes("E-3", "SP", None), 10);
    assert_eq!(minutes("E-4", "VC", Some(5)), 30);
}

#[test]
fn the_payment_page_pays_fails_and_expires() {
    let sandbox = start(&[]);
    for (id, pressed, code) in [("B-1", "pay", "00"), ("B-2", "fail", "02"), ("B-3", "expire", "02")] {
        let made = pay(&sandbox, id, "BC", "http://127.0.0.1:1/n");
        let page = made["paymentUrl"].as_str().expect("an address");
        let back = |code: &str| {
            let reference = made["reference"].as_str().expect("a reference");
            format!(
                "http://127.0.0.1:1/return?merchantOrderId={id}&amp;resultCode={code}&amp;reference={reference}"
            )
        };
        let before = call(page, "GET", &[], "").text;
        assert!(before.contains(&back("01")) && before.contains("Kedaluwarsa"), "{before}");
        assert_eq!(call(page, "POST", &[], &format!("do={pressed}")).status, 303);
        assert_eq!(status(&sandbox, id).json()["statusCode"], code);
        assert!(call(page, "GET", &[], "").text.contains(&back(code)));
    }
    assert_eq!(call(&url(&sandbox, "/pay/nothing"), "GET", &[], "").status, 404);
}

fn invoice_body(id: &str) -> Value {
    let mut body = inquiry_body(id, "BC", "http://127.0.0.1:1/n");
    for name in ["merchantCode", "paymentMethod", "signature", "customerVaName"] {
        body.as_object_mut().expect("an object").remove(name);
    }
    body
}

#[test]
fn an_invoice_lets_the_payer_choose() {
    let sandbox = start(&[]);
    let time = "1657710956368";
    let send = |signature: &str, time: &str, body: &Value| {
        let headers = [
            ("content-type", "application/json"),
            ("x-duitku-merchantcode", CODE),
            ("x-duitku-timestamp", time),
            ("x-duitku-signature", signature),
        ];
        call(&url(&sandbox, INVOICE), "POST", &headers, &body.to_string())
    };
    let plain = sha256(&format!("{CODE}{time}{KEY}"));
    let made = send(&plain, time, &invoice_body("I-1")).json();
    assert_eq!((&made["statusCode"], &made["statusMessage"]), (&json!("00"), &json!("SUCCESS")));
    assert_eq!(status(&sandbox, "I-1").json()["statusCode"], "01");
    let page = made["paymentUrl"].as_str().expect("an address");
    let text = call(page, "GET", &[], "").text;
    assert!(text.contains("BCA VA") && !text.contains("OVO LINK"), "{text}");
    call(page, "POST", &[], "method=I1");
    assert!(call(page, "GET", &[], "").text.contains("BNI VA"));
    call(page, "POST", &[], "do=pay");
    assert_eq!(status(&sandbox, "I-1").json()["statusCode"], "00");

    // Released clients sign it with the HMAC, too.
    assert_eq!(send(&hmac(KEY, &format!("{CODE}{time}")), time, &invoice_body("I-2")).status, 200);
    control(&sandbox, "POST", "/duitku/I-2/paid?method=SP", "");
    assert_eq!(order(&sandbox, "duitku", "I-2")["method"], "SHOPEEPAY QRIS (SP)");
    assert_eq!(send(&plain, time, &invoice_body("I-3")).status, 200);
    assert_eq!(control(&sandbox, "POST", "/duitku/I-3/paid?method=OL", "").status, 409);
    control(&sandbox, "POST", "/duitku/I-3/paid", "");
    assert_eq!(order(&sandbox, "duitku", "I-3")["method"], "BCA VA (BC)");
    let mut chosen = invoice_body("I-4");
    chosen["paymentMethod"] = json!("SP");
    assert_eq!(send(&plain, time, &chosen).status, 200);
    assert_eq!(order(&sandbox, "duitku", "I-4")["method"], "SHOPEEPAY QRIS (SP)");

    assert_eq!(send("x", time, &invoice_body("I-5")).status, 401);
    let seconds = sha256(&format!("{CODE}1657710956{KEY}"));
    assert_eq!(send(&seconds, "1657710956", &invoice_body("I-5")).status, 401, "milliseconds");
    let mut long = invoice_body("I-5");
    long["customerVaName"] = json!("x".repeat(21));
    assert_eq!(refused(&send(&plain, time, &long)).1, "length of customerVaName can't > 20");
    let mut without = invoice_body("I-5");
    without["email"] = Value::Null;
    assert_eq!(refused(&send(&plain, time, &without)), (400, "email is mandatory".to_owned()));
    let nobody = call(&url(&sandbox, INVOICE), "POST", &[], "{}");
    assert_eq!(refused(&nobody), (404, "Merchant not found".to_owned()));
}

#[test]
fn methods_are_listed() {
    let sandbox = start(&[]);
    let time = "2022-01-25 16:23:08";
    let ask = |name: &str, time: &str, signature: String| {
        let body = json!({name: CODE, "amount": 10000, "datetime": time, "signature": signature});
        post(&sandbox, METHODS, &body)
    };
    let plain = sha256(&format!("{CODE}10000{time}{KEY}"));
    let answer = ask("merchantcode", time, plain.clone()).json();
    assert_eq!((&answer["responseCode"], &answer["responseMessage"]), (&json!("00"), &json!("SUCCESS")));
    let all = answer["paymentFee"].as_array().expect("a list");
    let va = all.iter().find(|one| one["paymentMethod"] == "VA").expect("Maybank");
    assert_eq!((&va["paymentName"], &va["totalFee"]), (&json!("MAYBANK VA"), &json!("0")));
    assert!(va["paymentImage"].is_string(), "{va}");
    // Clients write it so.
    assert_eq!(ask("merchantCode", time, plain.clone()).status, 200);
    assert_eq!(ask("merchantcode", time, hmac(KEY, &format!("{CODE}10000{time}"))).status, 200);
    assert_eq!(refused(&ask("merchantcode", "2022-01-25 16:23:09", plain)).0, 401);
    let day = sha256(&format!("{CODE}100002022-01-25{KEY}"));
    assert_eq!(refused(&ask("merchantcode", "2022-01-25", day)).0, 400);
    assert_eq!(refused(&ask("merchantcode", time, md5(&format!("{CODE}10000{time}{KEY}")))).0, 401);
}

#[test]
fn faults_strike_here_too() {
    let sandbox = start(&[]);
    control(&sandbox, "POST", "/faults", r#"{"fault":"500","provider":"duitku"}"#);
    let body = inquiry_body("F-1", "BC", "http://127.0.0.1:1/n");
    let answer = inquiry(&sandbox, &body);
    assert_eq!(refused(&answer), (500, "An error has occurred.".to_owned()));
    assert_eq!(status(&sandbox, "F-1").status, 404);
    let after = r#"{"fault":"500","provider":"duitku","when":"after"}"#;
    control(&sandbox, "POST", "/faults", after);
    assert_eq!(inquiry(&sandbox, &body).status, 500);
    assert_eq!(status(&sandbox, "F-1").json()["statusCode"], "01", "made, and its answer lost");
}

#[test]
fn the_configuration_has_both_accounts() {
    let set = vec![("duitku.merchant_key".to_owned(), "mine".to_owned())];
    let text = print_config(&Options { set, ..Options::default() });
    let (_, rest) = text.split_once("[providers.duitku]\n").expect("the account");
    let (first, second) = rest.split_once("\n[providers.duitku-hmac]\n").expect("the other account");
    let base = "base_url = \"http://127.0.0.1:8400/duitku\"";
    for line in [
        "environment = \"sandbox\"",
        "merchant_code = \"DS00001\"",
        "merchant_key = \"mine\"",
        "\"md5\"",
        base,
    ] {
        assert!(first.contains(line), "{line} in {first}");
    }
    for line in ["plugin = \"duitku\"", "merchant_code = \"DS00002\"", "signature = \"hmac-sha256\"", base] {
        assert!(second.contains(line), "{line} in {second}");
    }
}
