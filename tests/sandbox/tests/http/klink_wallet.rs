//! K-Link's wallet: members, transfers, vouchers, payments and their refund.

use serde_json::{Value, json};

use crate::common::{control, order, start};
use crate::klink::{klink, login, with_token};

fn balance(sandbox: &bayar_sandbox::Sandbox, member: &str) -> String {
    let answer = klink(sandbox, "/api/kwallet/check_saldo", &json!({"id_member": member}));
    assert_eq!(answer["status"], "success");
    answer["last_saldo"].as_str().expect("a text").to_owned()
}

fn payment(id: &str, amount: &str) -> Value {
    json!({"id_member": "idspaa001", "amount": amount, "id_order": id, "description": "Pembelian Paket Klorofil"})
}

#[test]
fn a_member_gets_a_number_per_bank() {
    let sandbox = start(&[("klink.va_errors", "022")]);
    let member = json!({"id_member": "idspaaa025", "name": "Budi Santoso", "hp": "081200000001", "email": "budi@example.com"});
    let answer = klink(&sandbox, "/api/kwallet/register_va", &member);
    let data = &answer["data"];
    assert_eq!(answer["message"], "VA will be success Created!");
    let bca = &data["014"];
    assert_eq!((&bca["error_code"], &bca["amount"], &bca["fee"]), (&json!("00"), &json!(0), &json!("0.00")));
    assert!(bca["va_number"].as_str().is_some_and(|number| number.len() == 16), "{bca}");
    assert_ne!(data["022"]["error_code"], "00", "one bank is down: a part of it succeeds");
    assert!(data["rq_uuid"].is_string() && data["date"].is_string(), "{data}");
    let again = klink(&sandbox, "/api/kwallet/register_va", &member);
    assert_eq!(again["data"]["014"]["va_number"], bca["va_number"], "the same number");
    for name in ["id_member", "name", "hp", "email"] {
        let mut without = member.clone();
        without[name] = json!("");
        assert_eq!(klink(&sandbox, "/api/kwallet/register_va", &without)["status"], "fail", "{name}");
    }
}

#[test]
fn members_may_be_limited() {
    let sandbox = start(&[("klink.members", "a,b")]);
    assert_eq!(balance(&sandbox, "a"), "1000000.00");
    let other = klink(&sandbox, "/api/kwallet/check_saldo", &json!({"id_member": "c"}));
    assert_eq!(
        (&other["status"], &other["message"]),
        (&json!("fail"), &json!("ID Member c tidak ditemukan!"))
    );
}

#[test]
fn a_transfer_is_spelt_stutas_and_moves_each_time() {
    let sandbox = start(&[("klink.opening_balance", "250000")]);
    let transfer = json!({"id_member_send": "idspaa0012", "amount": "100000", "description": "Transfer untuk uang makan", "id_member_receipt": "idspaaa090"});
    let send = |body: &Value| klink(&sandbox, "/api/kwallet/transfer_to_account", body);
    let done = send(&transfer);
    assert_eq!(
        done,
        json!({"stutas": "success", "message": "Payment transfer idspaa0012 to account idspaaa090!"})
    );
    assert_eq!(send(&transfer)["stutas"], "success", "nothing makes it unique");
    assert_eq!(send(&transfer), json!({"stutas": "fail", "message": "Saldo tidak mencukupi!"}));
    assert_eq!(
        (balance(&sandbox, "idspaa0012"), balance(&sandbox, "idspaaa090")),
        ("50000.00".into(), "450000.00".into())
    );
    let all = control(&sandbox, "GET", "/orders?provider=klink", "").json();
    assert_eq!(all.as_array().map(Vec::len), Some(2), "each execution is in the ledger: {all}");
    for (name, value) in [
        ("amount", "0"),
        ("amount", "1e5"),
        ("amount", "-5"),
        ("amount", "10.50"),
        ("id_member_receipt", "idspaa0012"),
        ("description", ""),
    ] {
        let mut wrong = transfer.clone();
        wrong[name] = json!(value);
        assert_eq!(send(&wrong)["stutas"], "fail", "{name} {value}");
    }
}

#[test]
fn a_voucher_works_once_on_both_paths() {
    let sandbox = start(&[]);
    let voucher = |code: &str| json!({"voucher_code": code, "amount": "10000", "description": "topup", "id_member_receipt": "idspaaa95913"});
    let first = klink(&sandbox, "/api/kwallet/voucher_saldo", &voucher("asdfkeijk"));
    assert_eq!(first["message"], "Insert Voucher Saldo 10000 for ID Member idspaaa95913 Success!");
    assert_eq!(
        klink(&sandbox, "/api/kwallet/voucher_saldo_kwallet", &voucher("asdfkeijk"))["status"],
        "fail"
    );
    assert_eq!(klink(&sandbox, "/api/kwallet/voucher_saldo_kwallet", &voucher("other"))["status"], "success");
    assert_eq!(balance(&sandbox, "idspaaa95913"), "1020000.00");
    control(&sandbox, "POST", "/settings", r#"{"klink.voucher_once":"false"}"#);
    assert_eq!(klink(&sandbox, "/api/kwallet/voucher_saldo", &voucher("asdfkeijk"))["status"], "success");
    let counts = order(&sandbox, "klink", "voucher-asdfkeijk");
    assert_eq!((&counts["arrived"]["voucher"], &counts["executed"]["voucher"]), (&json!(3), &json!(2)));
}

#[test]
fn history_is_an_array_inside_a_string() {
    let sandbox = start(&[("klink.opening_balance", "0")]);
    let voucher = json!({"voucher_code": "a", "amount": "3000000", "description": "XXXXX \"success\" Sari Transfer Debit", "id_member_receipt": "m"});
    klink(&sandbox, "/api/kwallet/voucher_saldo", &voucher);
    klink(
        &sandbox,
        "/api/kwallet/transfer_to_account",
        &json!({"id_member_send": "m", "amount": "500000", "description": "x", "id_member_receipt": "n"}),
    );
    let ask = |start: &str, end: &str| {
        let body = json!({"id_member": "m", "startdate": start, "enddate": end});
        klink(&sandbox, "/api/kwallet/history_transaction", &body)
    };
    let inner = |answer: &Value| -> Value {
        serde_json::from_str(answer["transaction"].as_str().expect("a text")).expect("JSON inside")
    };
    let lines = inner(&ask("", ""));
    assert_eq!(
        (&lines[0]["debit"], &lines[0]["credit"], &lines[0]["balance"]),
        (&json!("3000000.00"), &json!("0.00"), &json!("3000000.00"))
    );
    assert_eq!(
        (&lines[1]["debit"], &lines[1]["credit"], &lines[1]["balance"]),
        (&json!("0.00"), &json!("500000.00"), &json!("2500000.00")),
        "credit lowers"
    );
    assert_eq!(lines[0]["description"], "XXXXX \"success\" Sari Transfer Debit");
    let time = lines[0]["datetime"].as_str().expect("a time");
    assert!(time.len() == "2021-06-17 22: 02: 04".len() && time.contains(": "), "blanks in {time}");
    assert_eq!(inner(&ask("2000-01-01", "2000-12-31")), json!([]));
    assert_eq!(inner(&ask(&time[..10], &time[..10])).as_array().map(Vec::len), Some(2), "the whole day");
    assert_eq!(ask("17-06-2021", "")["status"], "fail");

    control(&sandbox, "POST", "/settings", r#"{"klink.json_in_string":"as_printed"}"#);
    let token = login(&sandbox);
    let body = json!({"id_member": "n", "startdate": "", "enddate": ""});
    let text = with_token(&sandbox, &token, "/api/kwallet/history_transaction", &body).text;
    assert!(text.contains(r#""transaction":"[{"credit": "0.00", "debit": "500000.00", "description": "x", "balance": "500000.00", "datetime": ""#), "{text}");
    assert!(serde_json::from_str::<Value>(&text).is_err(), "as printed it is no JSON");
}

#[test]
fn a_payment_is_made_once_and_reconciled() {
    let sandbox = start(&[]);
    let pay = |id: &str, amount: &str| klink(&sandbox, "/api/kwallet/pay", &payment(id, amount));
    assert_eq!(
        pay("123456789", "90000"),
        json!({"status": "success", "message": "Payment ID Order 123456789 Success!"})
    );
    assert_eq!(pay("123456789", "90000")["status"], "fail");
    assert_eq!(pay("much", "910001"), json!({"status": "fail", "message": "Saldo tidak mencukupi!"}));
    assert_eq!(balance(&sandbox, "idspaa001"), "910000.00");
    let counts = order(&sandbox, "klink", "123456789");
    assert_eq!(
        (&counts["status"], &counts["arrived"]["pay"], &counts["executed"]["pay"]),
        (&json!("paid"), &json!(2), &json!(1))
    );

    for path in ["/api/kwallet/reconcile/reconcile", "/api/kwallet/reconcile"] {
        let answer = klink(&sandbox, path, &json!({"id_order": "123456789"}));
        assert_eq!(answer["message"], "Reconcile ID Order 123456789 Success!");
        let data: Value =
            serde_json::from_str(answer["data"].as_str().expect("a text")).expect("JSON inside");
        for (name, value) in [
            ("id_member", "idspaa001"),
            ("order_id", "123456789"),
            ("comm_code", "SYSTEM"),
            ("description", "Pembelian Paket Klorofil"),
            ("debit", "0.00"),
            ("credit", "90000.00"),
            ("balance", "910000.00"),
        ] {
            assert_eq!(data[name], value, "{name} in {data}");
        }
        assert_eq!(data["valuedate"].as_str(), data["datetime"].as_str().map(|time| &time[..10]));
    }
    assert_eq!(balance(&sandbox, "idspaa001"), "910000.00", "nothing to repair");
    assert_eq!(klink(&sandbox, "/api/kwallet/reconcile", &json!({"id_order": "nobody"}))["status"], "fail");
    control(&sandbox, "POST", "/settings", r#"{"klink.json_in_string":"as_printed"}"#);
    let token = login(&sandbox);
    let text = with_token(&sandbox, &token, "/api/kwallet/reconcile", &json!({"id_order": "123456789"})).text;
    assert!(text.contains(r#""data":"{"id_member": "idspaa001", "order_id": "123456789", "#), "{text}");
}

#[test]
fn reconcile_moves_the_money_of_a_payment_that_broke() {
    let sandbox = start(&[("klink.pay", "error")]);
    assert_eq!(klink(&sandbox, "/api/kwallet/pay", &payment("B-1", "90000"))["status"], "fail");
    assert_eq!(
        (balance(&sandbox, "idspaa001"), &order(&sandbox, "klink", "B-1")["executed"]),
        ("1000000.00".into(), &json!({}))
    );
    for _ in 0..2 {
        assert_eq!(
            klink(&sandbox, "/api/kwallet/reconcile", &json!({"id_order": "B-1"}))["status"],
            "success"
        );
    }
    assert_eq!(balance(&sandbox, "idspaa001"), "910000.00");
    assert_eq!(order(&sandbox, "klink", "B-1")["executed"], json!({"pay": 1, "reconcile": 1}));
}

#[test]
fn a_refund_takes_two_steps_and_happens_once() {
    let sandbox = start(&[]);
    let (id, member) = ("123456789", "idspaa001");
    let quote = |id: &str, member: &str| {
        klink(&sandbox, "/api/escrow/refund", &json!({"id_order": id, "id_member": member}))
    };
    assert_eq!(quote(id, member)["status"], "fail", "not paid yet");
    klink(&sandbox, "/api/kwallet/pay", &payment(id, "90000"));
    assert_eq!(quote(id, "another")["status"], "fail");
    let answer = quote(id, member);
    assert_eq!(
        (&answer["status"], &answer["message"]),
        (&json!("success"), &json!("Apakah benar data yang akan direfund?"))
    );
    let row = &answer["data"][0];
    assert_eq!(
        (&row["credit"], &row["id_order"], &row["id_member"]),
        (&json!(90000), &json!(id), &json!(member))
    );
    let transaction = row["id_trans"].as_i64().expect("a number");
    assert_eq!(balance(&sandbox, member), "910000.00", "a question moves nothing");

    let accept = |transaction: &str, note: &str| {
        let body = json!({"id_order": id, "id_member": member, "id_trans": transaction, "note": note});
        klink(&sandbox, "/api/escrow/refund-accept", &body)
    };
    let transaction = transaction.to_string();
    assert_eq!(accept("1", "x")["status"], "fail");
    assert_eq!(accept(&transaction, "")["status"], "fail", "a note is needed");
    let done = accept(&transaction, "refund dana karena dokter tidak sedang standby");
    assert_eq!(done, json!({"status": "success", "message": "success refund saldo for member idspaa001!"}));
    assert_eq!(balance(&sandbox, member), "1000000.00");
    let again = accept(&transaction, "x");
    let message = again["message"].as_str().expect("a text");
    assert_eq!(again["status"], "fail");
    assert!(
        message.starts_with("refund existing, id_trans:")
            && message.contains(", order_id:123456789, member_id:idspaa001, datetime:"),
        "{message}"
    );
    assert_eq!(balance(&sandbox, member), "1000000.00", "once");
    let counts = order(&sandbox, "klink", id);
    assert_eq!((&counts["status"], &counts["executed"]["refund"]), (&json!("refunded"), &json!(1)));
    assert_eq!(quote(id, member)["data"][0]["credit"], 90000, "the question can be asked again");
}
