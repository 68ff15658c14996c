//! K-Link service-payment: the wallet, VA / card / manual transfer, and GoPay over Midtrans.
//!
//! From its document. Many of its samples were pictures that are lost; the texts of most
//! refusals are ours. All but login need the session's token; a refusal is HTTP 200 with the
//! error inside, except of a token.

mod channels;
mod escrow;
mod midtrans;
mod notify;
mod payments;
mod quirks;
mod session;
mod wallet;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::checkout::{self, Checkout, Pressed};
use crate::provider::{Act, ActKind, Callback, Desk, Provider, Reply, Request, Setting, Status};
use crate::raw::{self, Raw};
use crate::tools::{qr_svg, rupiah};

/// The simulator.
pub(crate) struct Simulator;

/// What it keeps beside its orders.
#[derive(Default)]
struct Book {
    /// Tokens, and until when they live.
    tokens: BTreeMap<String, Timestamp>,
    /// Wallets of members, by `id_member`.
    wallets: BTreeMap<String, wallet::Wallet>,
    /// `rq_uuid`s, which must be unique.
    requests: BTreeSet<String>,
    /// The last id of a wallet transaction.
    transactions: i64,
}

impl Provider for Simulator {
    fn id(&self) -> &'static str {
        "klink"
    }

    fn settings(&self) -> &'static [Setting] {
        &[
            Setting { name: "email", default: "toko@example.com" },
            Setting { name: "password", default: "klink-password-EXAMPLE" },
            // The callback key, which K-Link calls PID.
            Setting { name: "pid_key", default: "00000000-0000-4000-8000-00000000001d" },
            // "Terlebih dahulu informasikan URL webhook anda": registered beforehand.
            Setting { name: "callback_url", default: "" },
            // Whether the GoPay callback comes without its signature, which the document's
            // third part does not repeat.
            Setting { name: "callback_unsigned", default: "false" },
            // Where a callback has its fields: at the `root`, or in `data`.
            Setting { name: "callback_fields", default: "root" },
            // "Token satu sesi": `true` ends the old token at each login.
            Setting { name: "single_session", default: "false" },
            Setting { name: "session_seconds", default: "3600" },
            // Where the answer to a login has the token: `root`, `data` or `header`.
            Setting { name: "token_in", default: "root" },
            // JSON inside a string: `escaped`, or `as_printed`, which is no JSON at all.
            Setting { name: "json_in_string", default: "escaped" },
            // What a member's wallet holds when it is first heard of.
            Setting { name: "opening_balance", default: "1000000" },
            // Ids that exist, separated by commas; empty: all do.
            Setting { name: "members", default: "" },
            // Banks whose VA cannot be registered now, separated by commas.
            Setting { name: "va_errors", default: "" },
            // `error` leaves a wallet payment half done, which `reconcile` then repairs.
            Setting { name: "pay", default: "ok" },
            // Whether a voucher code works once only.
            Setting { name: "voucher_once", default: "true" },
            // The unique code of manual transfers; empty: a random one, 1 to 2000.
            Setting { name: "kode_unik", default: "" },
            // The Midtrans status code of the next GoPay charges: 201, 401, 406, 503, 05, 900.
            Setting { name: "midtrans_code", default: "201" },
            // The finance report, whose path is not printed.
            Setting { name: "path_report", default: "/api/finance_report" },
        ]
    }

    fn config(&self, base: &str, get: &dyn Fn(&str) -> String) -> String {
        let (email, password, key) = (get("email"), get("password"), get("pid_key"));
        let report = get("path_report");
        let unsigned = if get("callback_unsigned") == "true" { "callback_unsigned = true\n" } else { "" };
        format!(
            "[providers.klink]\n\
             environment = \"sandbox\"\n\
             email = \"{email}\"\n\
             password = \"{password}\"\n\
             pid_key = \"{key}\"\n\
             base_url = \"{base}\"\n\
             {unsigned}\
             path_report = \"{report}\"    # K-Link's document prints no path for it: ask K-Link for theirs\n"
        )
    }

    fn handle(&self, request: &Request, desk: &mut Desk<'_>) -> Reply {
        let segments = request.segments();
        let path: Vec<&str> = segments.iter().map(String::as_str).collect();
        match path.as_slice() {
            ["pay", key] => return pay_page(key, request, desk),
            ["v2", rest @ ..] => return midtrans_itself(rest, desk),
            _ => {}
        }
        let report = format!("/{}", desk.setting("path_report").trim_start_matches('/'));
        let known = operation(&path).or_else(|| (request.path == report).then_some(Operation::Report));
        let Some(operation) = known else { return fail(404, "Not Found") };
        if request.method != "POST" {
            return fail(405, "Method Not Allowed");
        }
        if operation == Operation::Login {
            return session::login(request, desk);
        }
        if !session::valid(request, desk) {
            return fail(401, "Unauthorized: token tidak valid atau kedaluwarsa");
        }
        // "Send: Null": an operation without fields may have no body.
        let empty = request.body.is_empty() || request.body == b"null";
        let body = if empty { Some(Raw::new()) } else { raw::object(&request.body) };
        let Some(body) = body else { return fail(200, "Format JSON tidak valid!") };
        carry_out(operation, &body, desk).unwrap_or_else(|Refusal { word, field, message }| {
            Reply::json(200, &json!({field: word, "message": message}))
        })
    }

    fn act(&self, act: &Act, order_id: &str, desk: &mut Desk<'_>) -> Result<(), String> {
        let order = desk.order_mut(order_id).expect("the frame looked it up");
        if order.status != Status::Pending || order.operation != "charge" {
            return Err(format!("the order is {}: this cannot happen to it", order.provider_status));
        }
        match act.kind {
            ActKind::Paid => order.become_(Status::Paid, "success"),
            ActKind::Failed => order.become_(Status::Failed, "fail"),
            // The document's callbacks report settlements: of an expiry K-Link says nothing.
            _ => {
                order.become_(Status::Expired, "expired");
                return Ok(());
            }
        }
        let callback = self.callback(order_id, desk);
        desk.send(callback);
        Ok(())
    }

    fn knows(&self, kind: ActKind) -> bool {
        matches!(kind, ActKind::Paid | ActKind::Failed | ActKind::Expired)
    }

    fn callback(&self, order_id: &str, desk: &Desk<'_>) -> Option<Callback> {
        notify::callback(order_id, desk)
    }

    fn trouble(&self) -> Reply {
        fail(500, "Internal Server Error")
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    Login,
    RegisterVa,
    Balance,
    History,
    Transfer,
    Voucher,
    Pay,
    Reconcile,
    RefundQuote,
    RefundAccept,
    Channels,
    Charge,
    MidtransChannels,
    MidtransCharge,
    Report,
}

/// The printed paths, and the links behind the print where those differ.
fn operation(path: &[&str]) -> Option<Operation> {
    Some(match path {
        ["auth", "login"] => Operation::Login,
        ["api", "kwallet", "register_va"] => Operation::RegisterVa,
        ["api", "kwallet", "check_saldo"] => Operation::Balance,
        ["api", "kwallet", "history_transaction"] => Operation::History,
        ["api", "kwallet", "transfer_to_account"] => Operation::Transfer,
        ["api", "kwallet", "voucher_saldo" | "voucher_saldo_kwallet"] => Operation::Voucher,
        ["api", "kwallet", "pay"] => Operation::Pay,
        ["api", "kwallet", "reconcile", "reconcile"] | ["api", "kwallet", "reconcile"] => {
            Operation::Reconcile
        }
        ["api", "escrow", "refund"] => Operation::RefundQuote,
        ["api", "escrow", "refund-accept"] => Operation::RefundAccept,
        ["api", "list_bank" | "listbank"] => Operation::Channels,
        ["api", "pay_service" | "pay_service_new"] => Operation::Charge,
        ["api", "list_bank_midtrans"] => Operation::MidtransChannels,
        ["api", "pay_service_midtrans"] => Operation::MidtransCharge,
        _ => return None,
    })
}

fn carry_out(operation: Operation, body: &Raw, desk: &mut Desk<'_>) -> Result<Reply, Refusal> {
    let document = match operation {
        Operation::Login => unreachable!("it was answered before"),
        Operation::RegisterVa => wallet::register_va(body, desk)?,
        Operation::Balance => wallet::balance(body, desk)?,
        Operation::History => return wallet::history(body, desk),
        Operation::Transfer => wallet::transfer(body, desk)?,
        Operation::Voucher => wallet::voucher(body, desk)?,
        Operation::Pay => escrow::pay(body, desk)?,
        Operation::Reconcile => return escrow::reconcile(body, desk),
        Operation::RefundQuote => escrow::quote(body, desk)?,
        Operation::RefundAccept => escrow::accept(body, desk)?,
        Operation::Channels => json!({"data": channels::list(desk)}),
        Operation::Charge => payments::charge(body, desk)?,
        Operation::MidtransChannels => midtrans::channels(body)?,
        Operation::MidtransCharge => midtrans::charge(body, desk)?,
        Operation::Report => midtrans::report(body, desk)?,
    };
    Ok(Reply::json(200, &document))
}

/// A refusal in the operation's own words: most write `status: fail`, the transfer `stutas`,
/// the payment service `failed`.
struct Refusal {
    field: &'static str,
    word: &'static str,
    message: String,
}

fn refuse<T>(message: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal { field: "status", word: "fail", message: message.into() })
}

fn fail(http: u16, message: &str) -> Reply {
    Reply::json(http, &json!({"status": "fail", "message": message}))
}

/// A field that must be there and not empty.
fn need(body: &Raw, name: &str) -> Result<String, Refusal> {
    match raw::text(body, name) {
        Some(text) => Ok(text),
        None => refuse(format!("{name} wajib diisi!")),
    }
}

/// An amount: digits, as a text or a number.
fn amount(body: &Raw, name: &str, least: i64) -> Result<i64, Refusal> {
    let text = need(body, name)?;
    match rupiah(&text) {
        Ok(amount) if amount >= least && text.bytes().all(|byte| byte.is_ascii_digit()) => Ok(amount),
        _ => refuse(format!("{name} tidak valid!")),
    }
}

/// `2000.00`.
fn money(amount: i64) -> String {
    format!("{amount}.00")
}

/// The page of a card, or the wallet's app.
fn pay_page(key: &str, request: &Request, desk: &mut Desk<'_>) -> Reply {
    let Some(id) = desk.order(key).map(|order| order.order_id.clone()) else { return checkout::not_found() };
    let kind = match checkout::pressed(request) {
        Some(Pressed::Pay(_)) => Some(ActKind::Paid),
        Some(Pressed::Fail) => Some(ActKind::Failed),
        _ => None,
    };
    if let Some(kind) = kind {
        // A button that no longer applies does nothing: the page that follows shows the state.
        let _ = Simulator.act(&Act { kind, method: None }, &id, desk);
        return Reply::see_other(key);
    }
    let order = desk.order(&id).expect("it was just found");
    checkout::show(order, &Checkout { shop: "K-Link sandbox".to_owned(), ..Checkout::default() })
}

/// What the addresses in `actions` lead to. Status and cancel are Midtrans' own and need the
/// server key, which only K-Link has.
fn midtrans_itself(path: &[&str], desk: &Desk<'_>) -> Reply {
    if let [_, id, "qr-code"] = path {
        let qr = desk.order(id).and_then(|order| order.instructions.iter().find(|one| one.kind == "qr"));
        return match qr.and_then(|one| qr_svg(&one.value)) {
            Some(svg) => Reply::of(200, "image/svg+xml", svg.into_bytes()),
            None => checkout::not_found(),
        };
    }
    let message = "Transaction cannot be authorized with the current client/server key.";
    Reply::json(401, &json!({"status_code": "401", "status_message": message}))
}

/// A document of an object, with more fields.
fn with(mut document: Value, fields: Value) -> Value {
    let (Value::Object(all), Value::Object(more)) = (&mut document, fields) else {
        unreachable!("both are objects")
    };
    all.extend(more);
    document
}
