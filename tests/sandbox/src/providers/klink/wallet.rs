//! Kwallet: VA numbers of a member, balance, history, transfer, voucher.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::{Book, Refusal, amount, money, need, quirks, refuse};
use crate::provider::{Desk, Instruction, Order, Reply, Status};
use crate::raw::{self, Raw};
use crate::tools::{digits, read_wib, rupiah, wib, wib_as};

/// A member's wallet: what happened to it, oldest first.
#[derive(Default)]
pub(super) struct Wallet {
    pub(super) entries: Vec<Entry>,
    pub(super) balance: i64,
}

/// One line of a wallet. Here debit raises the balance and credit lowers it.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) debit: i64,
    pub(super) credit: i64,
    pub(super) balance: i64,
    pub(super) description: String,
    pub(super) time: Timestamp,
}

/// The member of that id, with the opening balance if it is the first time.
pub(super) fn member<'a>(id: &str, desk: &'a mut Desk<'_>) -> Result<&'a mut Wallet, Refusal> {
    let known = desk.setting("members");
    if !known.is_empty() && !known.split(',').any(|one| one == id) {
        return refuse(format!("ID Member {id} tidak ditemukan!"));
    }
    let opening = rupiah(desk.setting("opening_balance")).unwrap_or(0);
    let now = desk.now;
    let wallets = &mut desk.own::<Book>().wallets;
    if !wallets.contains_key(id) {
        let mut wallet = Wallet::default();
        if opening > 0 {
            wallet.add(opening, "opening balance", now);
        }
        wallets.insert(id.to_owned(), wallet);
    }
    Ok(wallets.get_mut(id).expect("it was just put there"))
}

impl Wallet {
    /// Money comes in.
    pub(super) fn add(&mut self, amount: i64, description: &str, time: Timestamp) {
        self.enter(amount, 0, description, time);
    }

    /// Money goes out.
    pub(super) fn take(&mut self, amount: i64, description: &str, time: Timestamp) {
        self.enter(0, amount, description, time);
    }

    fn enter(&mut self, debit: i64, credit: i64, description: &str, time: Timestamp) {
        self.balance += debit - credit;
        let description = description.to_owned();
        self.entries.push(Entry { debit, credit, balance: self.balance, description, time });
    }
}

/// The banks of the sample: code, prefix and fee.
const BANKS: [(&str, &str, i64); 8] = [
    ("011", "9628910", 0),
    ("451", "9912142", 0),
    ("002", "1248391", 0),
    ("013", "8620910", 0),
    ("014", "4490591", 0),
    ("016", "7813191", 0),
    ("022", "8079910", 3000),
    ("008", "8920891", 0),
];

/// Answers `register_va`: a VA number per bank, each with its own error code. Asked again, the
/// same numbers.
pub(super) fn register_va(body: &Raw, desk: &mut Desk<'_>) -> Result<Value, Refusal> {
    let id = need(body, "id_member")?;
    for name in ["name", "hp", "email"] {
        need(body, name)?;
    }
    member(&id, desk)?;
    let order_id = format!("register_va-{id}");
    if let Some(order) = desk.order_mut(&order_id) {
        order.arrive("register_va");
        order.execute("register_va");
    } else {
        let mut order = Order::new(desk, &order_id, "register_va", 0);
        order.become_(Status::Done, "success");
        order.provider_reference = digits(9);
        for (code, prefix, _) in BANKS {
            let number = format!("{prefix}{}", order.provider_reference);
            order.instructions.push(Instruction::text(format!("Bank {code} VA"), number));
        }
        desk.open(order);
    }
    let now = desk.now;
    let order = desk.order(&order_id).expect("it was just opened or found");
    let end = now.checked_add(SignedDuration::from_hours(24 * 3)).unwrap_or(now);
    let errors = desk.setting("va_errors");
    let mut data = Map::new();
    for (code, prefix, fee) in BANKS {
        let down = errors.split(',').any(|one| one == code);
        let bank = json!({
            "fee": money(fee),
            // In the sample it is the fee alone, though the table calls it the whole balance.
            "total_amount": money(fee),
            "bank_code": code,
            "expiry_date_time": wib(end),
            "error_message": if down { "Bank is experiencing connection issue" } else { "Success" },
            "error_code": if down { "99" } else { "00" },
            // Of the VA, not of the wallet; a number, where the other amounts are texts.
            "amount": 0,
            "va_number": if down { String::new() } else { format!("{prefix}{}", order.provider_reference) },
            "description": "",
        });
        data.insert(code.to_owned(), bank);
    }
    let uuid = format!("{id}-{}-30", wib_as(now, "%Y%m%d%H%M%S"));
    // The print closes one brace more than it opens: `date` and `rq_uuid` belong to `data`.
    data.insert("date".to_owned(), json!(wib(now)));
    data.insert("rq_uuid".to_owned(), json!(uuid));
    Ok(json!({"status": "success", "message": "VA will be success Created!", "data": data}))
}

/// Answers `check_saldo`.
pub(super) fn balance(body: &Raw, desk: &mut Desk<'_>) -> Result<Value, Refusal> {
    let wallet = member(&need(body, "id_member")?, desk)?;
    let last = money(wallet.balance);
    Ok(json!({"status": "success", "message": "Saldo berhasil ditampilkan!", "last_saldo": last}))
}

/// Answers `history_transaction`: an array inside a string. The dates may be empty; their
/// format is not printed, so days and whole times are both read.
pub(super) fn history(body: &Raw, desk: &mut Desk<'_>) -> Result<Reply, Refusal> {
    let id = need(body, "id_member")?;
    let limit = |name: &str| match raw::text(body, name) {
        None => Ok(None),
        Some(text) => match read_wib(&text) {
            Some(time) => Ok(Some((time, text.len() == 10))),
            None => refuse(format!("{name} tidak valid!")),
        },
    };
    let (from, to) = (limit("startdate")?, limit("enddate")?);
    // A day alone ends with its last second.
    let to = to.map(|(time, day)| if day { time + SignedDuration::from_secs(86_399) } else { time });
    let wanted = |time: Timestamp| {
        let time = Timestamp::from_second(time.as_second()).unwrap_or(time);
        from.is_none_or(|(from, _)| time >= from) && to.is_none_or(|to| time <= to)
    };
    let wallet = member(&id, desk)?;
    let lines: Vec<String> = wallet
        .entries
        .iter()
        .filter(|entry| wanted(entry.time))
        .map(|entry| {
            quirks::object(&[
                ("credit", money(entry.credit)),
                ("debit", money(entry.debit)),
                ("description", entry.description.clone()),
                ("balance", money(entry.balance)),
                ("datetime", quirks::blanks(&wib(entry.time))),
            ])
        })
        .collect();
    let inner = format!("[{}]", lines.join(", "));
    let document = json!({"status": "success", "message": "Saldo berhasil ditampilkan!"});
    Ok(quirks::reply(&document, "transaction", &inner, desk))
}

/// Answers `transfer_to_account`, whose status is spelt `stutas`. Nothing makes it unique:
/// sent twice, it moves twice.
pub(super) fn transfer(body: &Raw, desk: &mut Desk<'_>) -> Result<Value, Refusal> {
    let done = try_transfer(body, desk);
    done.map_err(|refusal| Refusal { field: "stutas", ..refusal })
}

fn try_transfer(body: &Raw, desk: &mut Desk<'_>) -> Result<Value, Refusal> {
    let from = need(body, "id_member_send")?;
    let amount = amount(body, "amount", 1)?;
    let description = need(body, "description")?;
    // The table's name lost a letter.
    let to =
        need(body, "id_member_receipt").or_else(|refusal| need(body, "id_member_receip").or(Err(refusal)))?;
    if from == to {
        return refuse("ID Member pengirim dan penerima sama!");
    }
    member(&to, desk)?;
    let now = desk.now;
    let sender = member(&from, desk)?;
    if sender.balance < amount {
        return refuse("Saldo tidak mencukupi!");
    }
    sender.take(amount, &description, now);
    member(&to, desk)?.add(amount, &description, now);
    record("transfer", &format!("{from} → {to}: {description}"), amount, desk);
    Ok(json!({"stutas": "success", "message": format!("Payment transfer {from} to account {to}!")}))
}

/// Answers `voucher_saldo`.
pub(super) fn voucher(body: &Raw, desk: &mut Desk<'_>) -> Result<Value, Refusal> {
    let code = need(body, "voucher_code")?;
    let amount = amount(body, "amount", 1)?;
    let description = need(body, "description")?;
    let to =
        need(body, "id_member_receipt").or_else(|refusal| need(body, "id_member_receip").or(Err(refusal)))?;
    member(&to, desk)?;
    let order_id = format!("voucher-{code}");
    let once = desk.setting("voucher_once") != "false";
    if let Some(order) = desk.order_mut(&order_id) {
        order.arrive("voucher");
        if once {
            return refuse(format!("Voucher {code} sudah digunakan!"));
        }
        order.execute("voucher");
    } else {
        let mut order = Order::new(desk, &order_id, "voucher", amount);
        order.become_(Status::Done, "success");
        order.method = Some(to.clone());
        desk.open(order);
    }
    let now = desk.now;
    member(&to, desk)?.add(amount, &description, now);
    let message = format!("Insert Voucher Saldo {amount} for ID Member {to} Success!");
    Ok(json!({"status": "success", "message": message}))
}

/// Puts what has no id of its own into the ledger, so that one can count how often it happened.
fn record(operation: &'static str, what: &str, amount: i64, desk: &mut Desk<'_>) {
    let id = next(desk);
    let mut order = Order::new(desk, &format!("{operation}-{id}"), operation, amount);
    order.provider_reference = id.to_string();
    order.method = Some(what.to_owned());
    order.become_(Status::Done, "success");
    desk.open(order);
}

/// The id of a new wallet transaction. The document's are small numbers.
pub(super) fn next(desk: &mut Desk<'_>) -> i64 {
    let book = desk.own::<Book>();
    book.transactions += 1;
    136 + book.transactions
}
