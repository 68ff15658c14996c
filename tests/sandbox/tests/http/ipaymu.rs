//! iPaymu.

use bayar_sandbox::Sandbox;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::common::{Answer, Merchant, call, control, order, start};

const VA: &str = "0000005500000001";
const KEY: &str = "SANDBOXEXAMPLE00-0000-4000-8000-000000000000";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn hmac(key: &str, message: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("a key");
    mac.update(message.as_bytes());
    hex(&mac.finalize().into_bytes())
}

fn send(sandbox: &Sandbox, method: &str, path: &str, body: &str) -> Answer {
    let signed = if body.is_empty() { "{}" } else { body };
    let digest = hex(&Sha256::digest(signed));
    let signature = hmac(KEY, &format!("{method}:{VA}:{digest}:{KEY}"));
    let headers = [("va", VA), ("signature", signature.as_str()), ("timestamp", "20260203151018")];
    call(&format!("{}/ipaymu/api/v2{path}", sandbox.base_url()), method, &headers, body)
}

fn post(sandbox: &Sandbox, path: &str, body: &Value) -> Answer {
    send(sandbox, "POST", path, &body.to_string())
}

fn data(sandbox: &Sandbox, path: &str, body: &Value) -> Value {
    let answer = post(sandbox, path, body);
    assert_eq!((answer.status, &answer.json()["Status"]), (200, &json!(200)), "{answer:?}");
    answer.json()["Data"].clone()
}

fn direct(id: &str, method: &str, channel: &str, notify: &str) -> Value {
    json!({
        "name": "Budi Santoso", "email": "budi@example.com", "phone": "081200000001", "amount": 500000,
        "paymentMethod": method, "paymentChannel": channel, "notifyUrl": notify, "referenceId": id,
    })
}

fn redirect(id: &str) -> Value {
    json!({
        "account": VA, "product": ["Kopi", "Teh"], "qty": ["2", 1], "price": [10000, "5000"], "referenceId": id,
        "returnUrl": "http://127.0.0.1:1/return", "cancelUrl": "http://127.0.0.1:1/cancel", "notifyUrl": "http://127.0.0.1:1/notify",
    })
}

fn cod(id: &str) -> Value {
    let mut body = direct(id, "cod", "cod", "http://127.0.0.1:1/n");
    let more = json!({"account": VA, "amount": 10000, "product": ["Kopi"], "qty": [2], "price": [5000], "weight": [1], "length": [10],
        "width": ["10"], "height": [0.5], "deliveryArea": "76111", "deliveryAddress": "Jl. Contoh 1"});
    body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    body
}

#[test]
fn a_signature_made_elsewhere_is_taken() {
    let sandbox = start(&[]);
    // printf %s "POST:$VA:$(sha256sum of the body):$KEY" | openssl dgst -sha256 -hmac "$KEY"
    let headers = [
        ("va", VA),
        ("signature", "ab10a5788505fe47539d64f828167e6ad94852f4bf704fb7d0ab18a83811956c"),
        ("timestamp", "20260203151018"),
    ];
    let url = format!("{}/ipaymu/api/v2/balance", sandbox.base_url());
    assert_eq!(call(&url, "POST", &headers, r#"{"account":"0000005500000001"}"#).status, 200);
    // The raw bytes are signed: one blank more is another body.
    let other = call(&url, "POST", &headers, r#"{"account": "0000005500000001"}"#);
    assert_eq!((other.status, &other.json()["Message"]), (401, &json!("unauthorized signature")));
    assert!(other.json()["Data"].is_null() && other.json()["Status"] == 401, "{other:?}");
}

#[test]
fn each_header_is_checked() {
    let sandbox = start(&[]);
    let url = format!("{}/ipaymu/api/v2/balance", sandbox.base_url());
    let body = r#"{"account":"0000005500000001"}"#;
    let (va, signature, time) = (
        ("va", VA),
        ("signature", "ab10a5788505fe47539d64f828167e6ad94852f4bf704fb7d0ab18a83811956c"),
        ("timestamp", "20260203151018"),
    );
    let try_ = |headers: &[(&str, &str)]| call(&url, "POST", headers, body);
    let said = |answer: Answer| answer.json()["Message"].as_str().expect("a text").to_owned();
    assert_eq!(said(try_(&[signature, time])), "invalid header param - va is required");
    assert_eq!(said(try_(&[va, time])), "invalid header param - signature is required");
    assert_eq!(said(try_(&[("va", "1"), signature, time])), "unauthorized credential");
    assert_eq!(try_(&[va, signature, ("timestamp", "2026-02-03")]).status, 401);
    assert_eq!(try_(&[va, signature]).status, 200, "public: not mandatory");
    control(&sandbox, "POST", "/settings", r#"{"ipaymu.mandatory":"document"}"#);
    assert_eq!(try_(&[va, signature]).status, 401, "printed: mandatory");
    control(&sandbox, "POST", "/settings", r#"{"ipaymu.http_status":"200"}"#);
    let inside = try_(&[va, signature]);
    assert_eq!((inside.status, &inside.json()["Status"]), (200, &json!(401)));
}

#[test]
fn a_page_is_paid_by_a_chosen_method() {
    let sandbox = start(&[]);
    let made = data(&sandbox, "/payment", &redirect("R-1"));
    let url = made["Url"].as_str().expect("an address");
    assert!(url.ends_with(made["SessionID"].as_str().expect("a session")), "{made}");
    assert_eq!(data(&sandbox, "/history", &json!({}))["Total"], 0, "nothing chosen, no transaction");
    let page = call(url, "GET", &[], "").text;
    assert!(page.contains("Rp25.000") && page.contains("Bank Artha Graha"), "{page}");
    call(url, "POST", &[], "method=va:bni");
    call(url, "POST", &[], "do=pay");
    let paid = call(url, "GET", &[], "").text;
    assert!(paid.contains("http://127.0.0.1:1/return?return=true&amp;sid="), "{paid}");
    let row = data(&sandbox, "/history", &json!({}))["Results"][0].clone();
    assert_eq!(
        (&row["ReferenceId"], &row["Amount"], &row["Status"]),
        (&json!("R-1"), &json!(25000), &json!(1))
    );
}

#[test]
fn a_page_is_checked() {
    let sandbox = start(&[]);
    for name in ["product", "qty", "price", "returnUrl", "cancelUrl", "notifyUrl"] {
        let mut without = redirect("W");
        without.as_object_mut().expect("an object").remove(name);
        let answer = post(&sandbox, "/payment", &without);
        assert_eq!((answer.status, &answer.json()["Error"]), (400, &json!(format!("{name} is required"))));
    }
    for (name, value) in [
        ("qty", json!([1])),
        ("price", json!(["1", "x"])),
        ("price", json!([1, 0])),
        ("price", json!([1, 1.5])),
        ("returnUrl", json!("javascript:x")),
        ("paymentMethod", json!("coins")),
        ("account", json!("1")),
        ("expired", json!(0)),
    ] {
        let mut wrong = redirect("W");
        wrong[name] = value.clone();
        assert_eq!(post(&sandbox, "/payment", &wrong).status, 400, "{name} {value}");
    }
    for method in
        ["bagva", "bniva", "mandiriva", "niagava", "bcatransfer", "cc", "cod", "cstore", "akulaku", "qris"]
    {
        let mut body = redirect(method);
        body["paymentMethod"] = json!(method);
        data(&sandbox, "/payment", &body);
    }
    let mut public = redirect("P");
    public.as_object_mut().expect("an object").remove("account");
    data(&sandbox, "/payment", &public);
    control(&sandbox, "POST", "/settings", r#"{"ipaymu.mandatory":"document","ipaymu.reason_in":"Message"}"#);
    assert_eq!(post(&sandbox, "/payment", &public).json()["Message"], "account is required");
}

#[test]
fn direct_payments_answer_what_the_payer_needs() {
    let sandbox = start(&[]);
    let va = data(&sandbox, "/payment/direct", &direct("D-1", "va", "bag", "http://127.0.0.1:1/n"));
    for (name, value) in [
        ("ReferenceId", json!("D-1")),
        ("Via", json!("VA")),
        ("Channel", json!("Bank Artha Graha")),
        ("PaymentName", json!("IPAYMU - Budi Santoso")),
        ("Total", json!("500000")),
        ("Fee", json!(3500)),
    ] {
        assert_eq!(va[name], value, "{name} in {va}");
    }
    assert!(va["TransactionId"].is_i64() && va["SessionId"].is_string(), "{va}");
    let number = va["PaymentNo"].as_str().expect("a number");
    assert!(call(sandbox.base_url(), "GET", &[], "").text.contains(number));
    let qris = data(&sandbox, "/payment/direct", &direct("D-2", "qris", "mpm", "http://127.0.0.1:1/n"));
    assert!(qris["QrString"].as_str().is_some_and(|qr| qr.starts_with("000201")), "{qris}");
    assert!(call(qris["QrImage"].as_str().expect("an address"), "GET", &[], "").text.starts_with("<svg"));
    let unique =
        data(&sandbox, "/payment/direct", &direct("D-3", "banktransfer", "bca", "http://127.0.0.1:1/n"));
    let total: i64 = unique["Total"].as_str().expect("a text").parse().expect("digits");
    assert!((500_001..=500_999).contains(&total), "{unique}");
    assert_eq!(order(&sandbox, "ipaymu", "D-3")["amount"], total);
    for (method, channel) in [
        ("cstore", "indomaret"),
        ("cstore", "alfamart"),
        ("qris", "linkaja"),
        ("akulaku", "akulaku"),
        ("paylater", "akulaku"),
        ("cc", "cc"),
        ("ewallet", "dana"),
        ("ewallet", "shopeepay"),
        ("va", "bni"),
        ("va", "cimb"),
        ("va", "mandiri"),
        ("va", "btn"),
    ] {
        data(
            &sandbox,
            "/payment/direct",
            &direct(&format!("{method}-{channel}"), method, channel, "http://127.0.0.1:1/n"),
        );
    }
    let mut without = direct("D-4", "va", "", "http://127.0.0.1:1/n");
    assert_eq!(
        data(&sandbox, "/payment/direct", &without)["Channel"],
        "Bank Artha Graha",
        "the channel may be left out"
    );
    without["feeDirection"] = json!("BUYER");
    without["referenceId"] = json!(77);
    let on_top = data(&sandbox, "/payment/direct", &without);
    assert_eq!((&on_top["Total"], &on_top["ReferenceId"]), (&json!("503500"), &json!("77")));
}

#[test]
fn direct_payments_are_checked() {
    let sandbox = start(&[]);
    let right = direct("W", "va", "bag", "http://127.0.0.1:1/n");
    for name in ["name", "email", "phone", "amount", "paymentMethod", "notifyUrl"] {
        let mut without = right.clone();
        without[name] = Value::Null;
        assert_eq!(
            post(&sandbox, "/payment/direct", &without).json()["Error"],
            format!("{name} is required")
        );
    }
    for (name, value) in [
        ("amount", json!(0)),
        ("amount", json!("1.5")),
        ("email", json!("x")),
        ("paymentMethod", json!("gold")),
        ("paymentChannel", json!("gold")),
    ] {
        let mut wrong = right.clone();
        wrong[name] = value.clone();
        assert_eq!(post(&sandbox, "/payment/direct", &wrong).status, 400, "{name} {value}");
    }
    assert_eq!(send(&sandbox, "POST", "/payment/direct", "[").status, 400);
    assert_eq!(send(&sandbox, "GET", "/payment/direct", "").status, 405);
    assert_eq!(post(&sandbox, "/nothing", &json!({})).status, 404);
}

#[test]
fn one_reference_may_be_charged_twice_and_that_is_counted() {
    let sandbox = start(&[]);
    for _ in 0..2 {
        data(&sandbox, "/payment/direct", &direct("T-1", "va", "bni", "http://127.0.0.1:1/n"));
    }
    let first = order(&sandbox, "ipaymu", "T-1");
    assert_eq!((&first["arrived"]["charge"], &first["executed"]["charge"]), (&json!(2), &json!(2)));
    assert_eq!(
        control(&sandbox, "GET", "/orders?provider=ipaymu", "").json().as_array().map(Vec::len),
        Some(2)
    );
}

#[test]
fn cash_on_delivery_from_order_to_tracking() {
    let sandbox = start(&[]);
    let made = post(&sandbox, "/payment/direct", &cod("C-1"));
    assert!(made.text.contains(r#""Fee":1399.02"#), "the printed fee, to the digit: {made:?}");
    let made = made.json()["Data"].clone();
    for (name, value) in [
        ("Via", json!("COD")),
        ("Channel", json!("COD")),
        ("Total", json!(10000)),
        ("ShippingFee", json!("36634")),
        ("CodStatus", json!(0)),
        ("CodStatusDesc", json!("OnProcess")),
    ] {
        assert_eq!(made[name], value, "{name} in {made}");
    }
    assert_eq!(made["SessionId"], made["TransactionId"], "a number here");
    let transaction = json!({"account": VA, "transactionId": made["TransactionId"]});
    let area = post(&sandbox, "/cod/getarea", &transaction).json();
    assert_eq!((&area["Data"]["area"][0]["postalcode"], area.get("Message")), (&json!("76111"), None));
    let pickup = data(&sandbox, "/cod/pickup", &transaction);
    assert!(pickup["Awb"].is_i64() && pickup["Pin"].is_string() && pickup["CodStatus"] == 1, "{pickup}");
    assert_eq!(post(&sandbox, "/payment/pickup", &transaction).status, 400, "once");
    let counts = order(&sandbox, "ipaymu", "C-1");
    assert_eq!((&counts["arrived"]["cod_pickup"], &counts["executed"]["cod_pickup"]), (&json!(2), &json!(1)));
    let tracking = data(&sandbox, "/cod/tracking", &json!({"awb": pickup["Awb"].to_string()}));
    let first = &tracking["Tracking"][0];
    assert_eq!((&first["Status"], &first["Location"]), (&json!("WPU"), &json!("NA")));
    assert!(first["Date"].as_str().is_some_and(|date| date.len() == 12 && date.contains(", ")), "{first}");
    assert!(
        first["Time"].as_str().is_some_and(|time| time.ends_with("AM") || time.ends_with("PM")),
        "{first}"
    );
    control(&sandbox, "POST", "/ipaymu/C-1/paid", "");
    assert_eq!(
        data(&sandbox, "/cod/tracking", &json!({"awb": pickup["Awb"]}))["Tracking"][1]["Status"],
        "DLV"
    );
    control(&sandbox, "POST", "/settings", r#"{"ipaymu.awb":"text"}"#);
    let other = data(&sandbox, "/payment/direct", &cod("C-2"));
    assert!(data(&sandbox, "/cod/pickup", &json!({"account": VA, "transactionId": other["TransactionId"]}))["Awb"].is_string());
}

#[test]
fn cash_on_delivery_is_checked() {
    let sandbox = start(&[]);
    for name in [
        "product",
        "qty",
        "price",
        "weight",
        "length",
        "width",
        "height",
        "deliveryArea",
        "deliveryAddress",
        "paymentChannel",
    ] {
        let mut without = cod("W");
        without.as_object_mut().expect("an object").remove(name);
        let answer = post(&sandbox, "/payment/direct", &without);
        assert_eq!(answer.status, 400, "{name}");
        assert!(
            answer.json()["Error"].as_str().is_some_and(|error| error.starts_with(name)),
            "{name}: {answer:?}"
        );
    }
    let mut wrong = cod("W");
    wrong["amount"] = json!(9999);
    assert_eq!(
        post(&sandbox, "/payment/direct", &wrong).json()["Error"],
        "amount must be the sum of qty * price"
    );
    wrong["amount"] = Value::Null;
    data(&sandbox, "/payment/direct", &wrong);
    let va = data(&sandbox, "/payment/direct", &direct("V", "va", "bni", "http://127.0.0.1:1/n"));
    let body = json!({"account": VA, "transactionId": va["TransactionId"]});
    for path in ["/cod/pickup", "/cod/getarea"] {
        assert_eq!(post(&sandbox, path, &body).status, 400, "{path}: no COD");
        assert_eq!(post(&sandbox, path, &json!({"transactionId": 1})).json()["Error"], "account is required");
    }
    assert_eq!(post(&sandbox, "/cod/tracking", &json!({"awb": "1"})).status, 400);
}

#[test]
fn a_transaction_is_queried_through_its_states() {
    let sandbox = start(&[]);
    let make = |id: &str| {
        data(&sandbox, "/payment/direct", &direct(id, "va", "bni", "http://127.0.0.1:1/n"))["TransactionId"]
            .clone()
    };
    let status = |number: &Value| {
        data(&sandbox, "/transaction", &json!({"transactionId": number, "account": VA}))["Status"].clone()
    };
    let numbers = ["paid", "failed", "expired"].map(|act| {
        let number = make(act);
        assert_eq!(status(&number), 0);
        control(&sandbox, "POST", &format!("/ipaymu/{act}/{act}"), "");
        number
    });
    assert_eq!(numbers.each_ref().map(status), [json!(1), json!(5), json!(-2)]);
    control(&sandbox, "POST", "/ipaymu/paid/refunded", "");
    assert_eq!(status(&numbers[0]), 3);
    for code in [6, 7] {
        control(&sandbox, "POST", "/settings", &json!({"ipaymu.paid_status": code.to_string()}).to_string());
        let id = format!("P-{code}");
        let number = make(&id);
        control(&sandbox, "POST", &format!("/ipaymu/{id}/paid"), "");
        assert_eq!(status(&number), code);
    }
    assert_eq!(
        post(&sandbox, "/transaction", &json!({"transactionId": "1"})).json()["Error"],
        "transaction not found"
    );
    assert_eq!(post(&sandbox, "/transaction", &json!({})).json()["Error"], "transactionId is required");
    control(&sandbox, "POST", "/settings", r#"{"ipaymu.data":"array"}"#);
    assert_eq!(
        data(&sandbox, "/transaction", &json!({"transactionId": numbers[1]}))[0]["Status"],
        5,
        "an array of one"
    );
}

#[test]
fn balance_history_and_channels() {
    let sandbox = start(&[]);
    assert_eq!(
        data(&sandbox, "/balance", &json!({"account": VA})),
        json!({"Va": VA, "MerchantBalance": "1500000", "MemberBalance": "0"})
    );
    assert_eq!(post(&sandbox, "/balance", &json!({})).json()["Error"], "account is required");
    for id in 0..25 {
        data(&sandbox, "/payment/direct", &direct(&format!("H-{id}"), "va", "bni", "http://127.0.0.1:1/n"));
    }
    control(&sandbox, "POST", "/ipaymu/H-3/paid", "");
    assert_eq!(data(&sandbox, "/balance", &json!({"account": VA}))["MerchantBalance"], "1996500");
    let ask = |body: Value| data(&sandbox, "/history", &body);
    let first = ask(json!({}));
    assert_eq!(
        (&first["Total"], &first["Per_Page"], &first["Total_Page"]),
        (&json!(25), &json!(20), &json!(2))
    );
    assert_eq!(first["Results"][0]["ReferenceId"], "H-24", "the newest first");
    assert_eq!(ask(json!({"page": 2, "limit": "10", "order": "ASC"}))["Results"][0]["ReferenceId"], "H-10");
    assert_eq!(ask(json!({"limit": -1}))["Results"].as_array().map(Vec::len), Some(25));
    assert_eq!(ask(json!({"status": "1", "date": "indate"}))["Results"][0]["ReferenceId"], "H-3");
    assert_eq!(ask(json!({"enddate": "2000-01-01"}))["Total"], 0);
    assert_eq!(post(&sandbox, "/history", &json!({"page": "x"})).status, 400);
    let list = send(&sandbox, "GET", "/payment-channels", "").json();
    assert_eq!(
        (&list["Data"][0]["Code"], &list["Data"][0]["Channels"][0]["Code"]),
        (&json!("va"), &json!("bag"))
    );
}

/// What a merchant makes of a notify, by iPaymu's rules.
fn canonical(pairs: Map<String, Value>) -> String {
    let typed = pairs.into_iter().map(|(name, value)| {
        let text = value.as_str().map(str::to_owned);
        let value = match (name.as_str(), text) {
            ("trx_id" | "status_code" | "transaction_status_code" | "paid_off", Some(text)) => {
                json!(text.parse::<i64>().expect("digits"))
            }
            ("is_escrow", Some(text)) => json!(text == "1" || text == "true"),
            ("additional_info", Some(_)) => json!([]),
            _ => value,
        };
        (name, value)
    });
    Value::Object(typed.collect()).to_string().replace('/', "\\/")
}

fn form(body: &str) -> Map<String, Value> {
    bayar_sandbox::provider::pairs(body).map(|(name, value)| (name, json!(value))).collect()
}

#[test]
fn a_notify_is_signed_by_the_va_number() {
    let merchant = Merchant::answering(&[200]);
    let sandbox = start(&[]);
    let mut body = direct("N/1", "va", "bni", &merchant.url);
    body["name"] = json!("Sitì & Rekan");
    data(&sandbox, "/payment/direct", &body);
    control(&sandbox, "POST", "/ipaymu/N%2F1/paid", "");
    let received = merchant.next();
    let fields = form(&received.body);
    for (name, value) in [
        ("status", "berhasil"),
        ("status_code", "1"),
        ("reference_id", "N/1"),
        ("is_escrow", "0"),
        ("additional_info", "[]"),
        ("amount", "500000"),
        ("paid_off", "496500"),
        ("buyer_name", "Sitì & Rekan"),
        ("settlement_date", "null"),
    ] {
        assert_eq!(fields[name], value, "{name} in {fields:?}");
    }
    let signature = hmac(VA, &canonical(fields));
    assert!(received.head.contains(&format!("x-signature: {signature}")), "{received:?}");
    assert!(received.head.contains("application/x-www-form-urlencoded"), "{received:?}");

    control(&sandbox, "POST", "/settings", r#"{"ipaymu.notify":"json"}"#);
    data(&sandbox, "/payment/direct", &direct("N-2", "qris", "mpm", &merchant.url));
    control(&sandbox, "POST", "/ipaymu/N-2/failed", "");
    let received = merchant.next();
    let fields = received.json();
    assert_eq!(
        (&fields["status"], &fields["status_code"], &fields["payment_no"], fields.get("va")),
        (&json!("gagal"), &json!(2), &json!(""), None)
    );
    let signature = hmac(VA, &canonical(fields.as_object().expect("an object").clone()));
    assert!(received.head.contains(&format!("x-signature: {signature}")), "{received:?}");
}

#[test]
fn the_printed_notify_has_five_fields_and_no_signature() {
    let merchant = Merchant::answering(&[404, 404, 200]);
    let sandbox = start(&[("ipaymu.notify", "printed"), ("ipaymu.callback_url", &merchant.url)]);
    data(&sandbox, "/payment/direct", &direct("N-3", "va", "bni", "http://127.0.0.1:1/elsewhere"));
    assert_eq!(control(&sandbox, "GET", "/ipaymu/N-3/callback", "").status, 409, "not while pending");
    let done = control(&sandbox, "POST", "/ipaymu/N-3/expired", "").json();
    assert_eq!(done["deliveries"][0]["attempts"].as_array().map(Vec::len), Some(3), "until 200");
    let received = merchant.next();
    let fields = form(&received.body);
    assert_eq!(fields.keys().collect::<Vec<_>>(), ["reference_id", "sid", "status", "status_code", "trx_id"]);
    assert_eq!((&fields["status"], &fields["status_code"]), (&json!("expired"), &json!("-2")));
    assert!(!received.head.contains("x-signature"), "{received:?}");
    data(&sandbox, "/payment", &redirect("N-4"));
    assert_eq!(control(&sandbox, "POST", "/ipaymu/N-4/paid?method=gold", "").status, 409);
    assert_eq!(control(&sandbox, "POST", "/ipaymu/N-4/paid?method=qris", "").status, 200);
    assert_eq!(order(&sandbox, "ipaymu", "N-4")["method"], "QRIS LinkAja (qris)");
}

#[test]
fn payments_expire_by_themselves() {
    let sandbox = start(&[]);
    let mut body = direct("X-1", "va", "bni", "http://127.0.0.1:1/n");
    body["expired"] = json!(1);
    body["expiredType"] = json!("seconds");
    let made = data(&sandbox, "/payment/direct", &body);
    std::thread::sleep(std::time::Duration::from_millis(1100));
    assert_eq!(
        data(&sandbox, "/transaction", &json!({"transactionId": made["TransactionId"]}))["Status"],
        -2
    );
}
