//! iPaymu v2: redirect and direct payment, COD, queries, notify.
//!
//! From its document, and from iPaymu's public documentation and clients where that goes
//! further. The texts of most refusals are ours: only the one of a signature is printed.

mod channels;
mod cod;
mod fields;
mod notify;
mod payments;
mod queries;
mod transaction;

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::checkout::{self, Checkout, Pressed};
use crate::provider::{Act, ActKind, Callback, Desk, Provider, Reply, Request, Setting};
use crate::raw::{self, Raw};
use crate::tools::{hex, qr_svg};

/// The simulator.
pub(crate) struct Simulator;

impl Provider for Simulator {
    fn id(&self) -> &'static str {
        "ipaymu"
    }

    fn settings(&self) -> &'static [Setting] {
        &[
            Setting { name: "va", default: "0000005500000001" },
            Setting { name: "api_key", default: "SANDBOXEXAMPLE00-0000-4000-8000-000000000000" },
            // Another account whose payments this one may make; empty: none.
            Setting { name: "account", default: "" },
            // Replaces the `notifyUrl` of requests, where set.
            Setting { name: "callback_url", default: "" },
            // Whose table of mandatory fields holds. iPaymu's own clients leave out `account`
            // and `timestamp`, which the `document` calls mandatory and the `public` one not.
            Setting { name: "mandatory", default: "public" },
            // `Data` as an `object`, or as an `array` of one.
            Setting { name: "data", default: "object" },
            // Whether the HTTP status agrees with the body's: `agree`, or always `200`.
            Setting { name: "http_status", default: "agree" },
            // Where a refusal has its reason: `Error` as printed, or `Message`.
            Setting { name: "reason_in", default: "Error" },
            // The `Status` of a paid transaction: 1, 6 (unsettled), 7 (escrow).
            Setting { name: "paid_status", default: "1" },
            // A notify is a `form` or `json`, signed; `printed` has five fields and no signature.
            Setting { name: "notify", default: "form" },
            // AWB as a `number`, as printed, or as a `text`.
            Setting { name: "awb", default: "number" },
            Setting { name: "balance", default: "1500000" },
        ]
    }

    fn config(&self, base: &str, get: &dyn Fn(&str) -> String) -> String {
        let (va, key, account) = (get("va"), get("api_key"), get("account"));
        let account = if account.is_empty() { String::new() } else { format!("account = \"{account}\"\n") };
        format!(
            "[providers.ipaymu]\n\
             environment = \"sandbox\"\n\
             va = \"{va}\"\n\
             api_key = \"{key}\"\n\
             base_url = \"{base}\"\n\
             {account}"
        )
    }

    fn handle(&self, request: &Request, desk: &mut Desk<'_>) -> Reply {
        let segments = request.segments();
        let path: Vec<&str> = segments.iter().map(String::as_str).collect();
        let rest = match path.as_slice() {
            ["payment", session] => return page(session, request, desk),
            ["qr", id] => return qr(id, desk),
            ["api", "v2", rest @ ..] => rest,
            _ => return refusal(404, "not found", desk),
        };
        let Some((method, operation)) = operation(rest) else { return refusal(404, "not found", desk) };
        if request.method != method {
            return refusal(405, "method not allowed", desk);
        }
        if let Err(message) = authorize(request, desk) {
            return refusal(401, message, desk);
        }
        let body = if request.body.is_empty() { Some(Raw::new()) } else { raw::object(&request.body) };
        let Some(body) = body else { return refusal(400, "request body is not valid JSON", desk) };
        if let Err(reason) = account(&body, operation, desk) {
            return refusal(400, &reason, desk);
        }
        match carry_out(operation, &body, desk) {
            Ok(data) => success(data, operation, desk),
            Err(reason) => refusal(400, &reason, desk),
        }
    }

    fn act(&self, act: &Act, order_id: &str, desk: &mut Desk<'_>) -> Result<(), String> {
        transaction::act(act, order_id, desk)
    }

    fn knows(&self, kind: ActKind) -> bool {
        matches!(kind, ActKind::Paid | ActKind::Failed | ActKind::Expired | ActKind::Refunded)
    }

    fn callback(&self, order_id: &str, desk: &Desk<'_>) -> Option<Callback> {
        notify::callback(order_id, desk)
    }

    /// "iPaymu will automatically retry the callback if your server doesn't respond with 200
    /// OK"; how often is not said.
    fn retries(&self, status: Option<u16>) -> u32 {
        if status == Some(200) { 0 } else { 3 }
    }

    fn trouble(&self) -> Reply {
        Reply::json(
            500,
            &json!({"Status": 500, "Success": false, "Message": "internal server error", "Data": null}),
        )
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    Redirect,
    Direct,
    Pickup,
    Area,
    Tracking,
    Transaction,
    Balance,
    History,
    Channels,
}

/// The printed paths, and those that iPaymu's site has today for pickup and tracking.
fn operation(path: &[&str]) -> Option<(&'static str, Operation)> {
    Some(match path {
        ["payment"] => ("POST", Operation::Redirect),
        ["payment", "direct"] => ("POST", Operation::Direct),
        ["cod" | "payment", "pickup"] => ("POST", Operation::Pickup),
        ["cod", "getarea"] => ("POST", Operation::Area),
        ["cod" | "payment", "tracking"] => ("POST", Operation::Tracking),
        ["transaction"] => ("POST", Operation::Transaction),
        ["balance"] => ("POST", Operation::Balance),
        ["history"] => ("POST", Operation::History),
        ["payment-channels"] => ("GET", Operation::Channels),
        _ => return None,
    })
}

fn carry_out(operation: Operation, body: &Raw, desk: &mut Desk<'_>) -> Result<Box<RawValue>, String> {
    match operation {
        Operation::Redirect => payments::redirect(body, desk).map(plain),
        Operation::Direct => payments::direct(body, desk).map(exact),
        Operation::Pickup => cod::pickup(body, desk).map(plain),
        Operation::Area => cod::area(body, desk).map(plain),
        Operation::Tracking => cod::tracking(body, desk).map(plain),
        Operation::Transaction => queries::transaction(body, desk).map(exact),
        Operation::Balance => Ok(plain(queries::balance(desk))),
        Operation::History => queries::history(body, desk).map(exact),
        Operation::Channels => Ok(plain(channels::list(&desk.base_url()))),
    }
}

fn plain(value: Value) -> Box<RawValue> {
    exact(value)
}

/// A document whose numbers may be decimals with a fixed text: those never were floats.
fn exact(value: impl serde::Serialize) -> Box<RawValue> {
    serde_json::value::to_raw_value(&value).expect("a document of strings and numbers can be written")
}

/// `HMAC-SHA256(StringToSign, ApiKey)` with
/// `StringToSign = METHOD:VA:lowerhex(SHA-256(body)):ApiKey`; an empty body counts as `{}`.
fn signature(method: &str, va: &str, body: &[u8], key: &str) -> String {
    let digest = hex(&Sha256::digest(if body.is_empty() { b"{}".as_slice() } else { body }));
    hmac(key, &format!("{method}:{va}:{digest}:{key}"))
}

/// Lower-case hex of HMAC-SHA256.
fn hmac(key: &str, message: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("a key of any length will do");
    mac.update(message.as_bytes());
    hex(&mac.finalize().into_bytes())
}

fn authorize(request: &Request, desk: &Desk<'_>) -> Result<(), &'static str> {
    let Some(va) = request.header("va") else { return Err("invalid header param - va is required") };
    let Some(given) = request.header("signature") else {
        return Err("invalid header param - signature is required");
    };
    match request.header("timestamp") {
        Some(time) if time.len() == 14 && time.bytes().all(|byte| byte.is_ascii_digit()) => {}
        None if desk.setting("mandatory") == "public" => {}
        _ => return Err("invalid header param - timestamp is required (YYYYMMDDhhmmss)"),
    }
    if va != desk.setting("va") {
        return Err("unauthorized credential");
    }
    if given != signature(&request.method, va, &request.body, desk.setting("api_key")) {
        return Err("unauthorized signature");
    }
    Ok(())
}

/// Checks `account`: ours, where it is given; given, where it is mandatory.
fn account(body: &Raw, operation: Operation, desk: &Desk<'_>) -> Result<(), String> {
    use Operation::{Area, Balance, Channels, Direct, History, Pickup, Redirect, Tracking, Transaction};
    let mandatory = match operation {
        Balance | Pickup | Area => true,
        Redirect => desk.setting("mandatory") == "document",
        Direct => desk.setting("mandatory") == "document" && fields::is_cod(body),
        Transaction | History | Channels | Tracking => false,
    };
    match raw::text(body, "account") {
        None if mandatory => Err("account is required".to_owned()),
        Some(account) if account != desk.setting("va") && account != desk.setting("account") => {
            Err(format!("account {account} not found"))
        }
        _ => Ok(()),
    }
}

fn success(data: Box<RawValue>, operation: Operation, desk: &Desk<'_>) -> Reply {
    let data = match (desk.setting("data"), operation) {
        // Lists are arrays already.
        ("array", operation) if operation != Operation::Channels => exact([data]),
        _ => data,
    };
    let mut document = Raw::new();
    document.insert("Status".to_owned(), exact(200));
    document.insert("Success".to_owned(), exact(true));
    document.insert("Data".to_owned(), data);
    // The samples of these two have no message.
    if !matches!(operation, Operation::Area) {
        document.insert("Message".to_owned(), exact("success"));
    }
    Reply::json(200, &document)
}

fn refusal(status: u16, reason: &str, desk: &Desk<'_>) -> Reply {
    let mut document = json!({"Status": status, "Success": false, "Data": null});
    if status == 401 || desk.setting("reason_in") == "Message" {
        document["Message"] = json!(reason);
    } else {
        document["Error"] = json!(reason);
        document["Message"] = json!("error");
    }
    let http = if desk.setting("http_status") == "200" { 200 } else { status };
    Reply::json(http, &document)
}

/// The payment page: a choice of methods, then what the payer needs.
fn page(session: &str, request: &Request, desk: &mut Desk<'_>) -> Reply {
    let Some(id) = desk.order(session).map(|order| order.order_id.clone()) else {
        return checkout::not_found();
    };
    if let Some(pressed) = checkout::pressed(request) {
        // A button that no longer applies does nothing: the page that follows shows the state.
        let _ = match pressed {
            Pressed::Method(name) => transaction::choose(&id, &name, desk),
            Pressed::Pay(_) => transaction::act(&Act { kind: ActKind::Paid, method: None }, &id, desk),
            Pressed::Fail => transaction::act(&Act { kind: ActKind::Failed, method: None }, &id, desk),
        };
        return Reply::see_other(session);
    }
    let order = desk.order(&id).expect("it was just found");
    let detail: transaction::Detail = order.read();
    let page = Checkout {
        shop: "iPaymu sandbox".to_owned(),
        choices: if detail.begun() { Vec::new() } else { channels::choices(&detail.allowed) },
        back: transaction::back(order, &detail),
        ..Checkout::default()
    };
    checkout::show(order, &page)
}

/// The picture behind `QrImage`.
fn qr(id: &str, desk: &Desk<'_>) -> Reply {
    let text = desk.order(id).and_then(|order| order.instructions.iter().find(|one| one.kind == "qr"));
    match text.and_then(|one| qr_svg(&one.value)) {
        Some(svg) => Reply::of(200, "image/svg+xml", svg.into_bytes()),
        None => checkout::not_found(),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_signature_is_the_one_computed_elsewhere() {
        // D=$(printf %s '{"account":"0000005500000001"}' | sha256sum | cut -d' ' -f1)
        // printf %s "POST:0000005500000001:$D:$KEY" | openssl dgst -sha256 -hmac "$KEY"
        let key = "SANDBOXEXAMPLE00-0000-4000-8000-000000000000";
        let body = br#"{"account":"0000005500000001"}"#;
        assert_eq!(
            super::signature("POST", "0000005500000001", body, key),
            "ab10a5788505fe47539d64f828167e6ad94852f4bf704fb7d0ab18a83811956c"
        );
        // The same with GET and `{}`.
        assert_eq!(
            super::signature("GET", "0000005500000001", b"", key),
            "b7d812cc99d47080ca416c2289b803d92e881c2b0636cfdb1321bfb53291ae32"
        );
    }
}
