//! Account link (§1–4): connect, disconnect, user info, top-up instructions.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::accounts;
use super::codes::{self, Code};
use super::fields::{self, Refusal};
use super::project::Project;
use super::transaction::free_id;
use crate::provider::{Act, ActKind, Desk, Instruction, Order, Reply, Request, Status};
use crate::raw::{self, Raw};
use crate::tools::uuid;

/// What is kept of a connection, which is an order of its own: a person or a script decides it.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Link {
    pub(super) merchant: String,
    pub(super) channel: String,
    pub(super) phone: String,
    pub(super) return_url: String,
    /// Made when the payer agrees, and the same from then on.
    pub(super) credential: Option<String>,
}

/// Answers below `…/accountlinking/v1`.
pub(super) fn handle(path: &[&str], request: &Request, desk: &mut Desk<'_>) -> Reply {
    let carry_out = match path {
        ["connect"] => connect,
        ["disconnect"] => disconnect,
        ["user", "info"] => info,
        // "intructions" is what §4 prints and the official client sends.
        ["topup", "intructions" | "instructions"] => topup,
        _ => return super::nowhere(),
    };
    if request.method != "POST" {
        return super::not_post();
    }
    let project = match authorize(request, desk) {
        Ok(project) => project,
        Err(reply) => return *reply,
    };
    let body = fields::object(&request.body).filter(|_| fields::is_type(request, "application/json"));
    let done = body.ok_or(Code::INVALID).and_then(|body| carry_out(&body, &project, desk));
    match done {
        Ok(mut document) => {
            document["resultCode"] = json!(Code::SUCCESS.0);
            document["resultMessage"] = json!("SUCCESS");
            Reply::json(200, &document)
        }
        Err(code) => refuse(code, desk),
    }
}

/// §8 has a table of codes and one of HTTP statuses, and does not say how they go together.
fn refuse(code: Code, desk: &Desk<'_>) -> Reply {
    let status = if desk.setting("link_refusal") == "400" { 400 } else { 200 };
    Reply::json(status, &json!({"resultCode": code.0, "resultMessage": codes::text(code)}))
}

/// Checks the three headers.
fn authorize(request: &Request, desk: &Desk<'_>) -> Result<Project, Box<Reply>> {
    let header = |name: &str| request.header(name).unwrap_or_default();
    let Some(project) = Project::find(header("x-duitku-merchant"), desk) else {
        return Err(Box::new(refuse(Code::NO_MERCHANT, desk)));
    };
    let time = header("x-duitku-timestamp");
    // "Timestamp (unix). Format: alfanumerik."
    let timed = !time.is_empty() && time.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !timed || header("x-duitku-signature") != project.link_signature(time, &request.body) {
        return Err(Box::new(Refusal::wrong_signature().reply()));
    }
    Ok(project)
}

/// A text of at most so many characters, or the code of its own that §8 has for it.
fn need(body: &Raw, name: &str, most: usize, code: Code) -> Result<String, Code> {
    raw::text(body, &name.to_lowercase()).filter(|text| text.chars().count() <= most).ok_or(code)
}

fn channel(body: &Raw) -> Result<String, Code> {
    need(body, "channel", 2, Code::NO_METHOD).and_then(|channel| {
        if matches!(channel.as_str(), "OL" | "SL") { Ok(channel) } else { Err(Code::NO_METHOD) }
    })
}

fn connect(body: &Raw, project: &Project, desk: &mut Desk<'_>) -> Result<Value, Code> {
    let phone = need(body, "phoneNumber", 50, Code::NO_PHONE)?;
    let digits = phone.strip_prefix('+').unwrap_or(&phone);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Code::NO_PHONE);
    }
    let customer = need(body, "customerUniqueId", 255, Code::NO_CUSTOMER)?;
    let channel = channel(body)?;
    let return_url = need(body, "returnUrl", 255, Code::NO_RETURN)?;
    if !fields::is_web(&return_url) {
        return Err(Code::NO_RETURN);
    }
    let key = format!("{}/link/{channel}/{customer}", project.code);
    let known = desk.order(&key).filter(|order| order.operation == "link");
    let id = match known.map(|order| order.order_id.clone()) {
        Some(id) => id,
        None => {
            let id = free_id(&format!("link-{channel}-{customer}"), desk);
            let mut order = Order::new(desk, &id, "link", 0);
            // `Order::new` counts the first request, which the lines below count as every other.
            order.arrived.clear();
            order.executed.clear();
            desk.open(order);
            desk.alias(&key, &id);
            id
        }
    };
    let ticket = uuid();
    let url = format!("{}/link/{ticket}", desk.base_url());
    desk.alias(&ticket, &id);
    let order = desk.order_mut(&id).expect("it was just found or opened");
    let credential = if order.detail.as_object().is_some_and(|detail| detail.is_empty()) {
        None
    } else {
        order.read::<Link>().credential
    };
    order.arrive("link");
    order.execute("link");
    order.become_(Status::Pending, "UNLINKED");
    order.provider_reference = ticket;
    order.method = Some(channel.clone());
    order.instructions = vec![
        Instruction::text("Phone", phone.clone()),
        Instruction::link("Page to link the account", url.clone()),
    ];
    order.write(&Link { merchant: project.code.clone(), channel, phone, return_url, credential });
    Ok(json!({"webviewUrl": url}))
}

/// Reads credential code and channel, which the other three operations have in common.
fn credential(body: &Raw) -> Result<(String, String), Code> {
    Ok((need(body, "credentialCode", 50, Code::NO_CREDENTIAL)?, channel(body)?))
}

fn disconnect(body: &Raw, project: &Project, desk: &mut Desk<'_>) -> Result<Value, Code> {
    let (code, channel) = credential(body)?;
    let account = accounts::find(&code, &project.code, &channel, desk).ok_or(Code::NO_CREDENTIAL)?;
    let id = account.order_id.clone();
    let linked = std::mem::replace(&mut account.linked, false);
    let order = desk.order_mut(&id).expect("an account has its order");
    order.arrive("unlink");
    if !linked {
        return Err(Code::FAILED);
    }
    order.execute("unlink");
    order.become_(Status::Cancelled, "UNLINKED");
    Ok(json!({}))
}

fn info(body: &Raw, project: &Project, desk: &mut Desk<'_>) -> Result<Value, Code> {
    let (code, channel) = credential(body)?;
    // Strings in the table, numbers in the sample.
    let as_text = desk.setting("balances") == "text";
    let account = accounts::find(&code, &project.code, &channel, desk).ok_or(Code::NO_CREDENTIAL)?;
    let money = |amount: i64| if as_text { json!(amount.to_string()) } else { json!(amount) };
    Ok(json!({
        "accountStatus": if account.linked { "LINKED" } else { "UNLINKED" },
        "channel": channel,
        "balanceCash": money(account.cash),
        "balancePoint": money(account.points),
    }))
}

/// "Mendukung: OVO".
fn topup(body: &Raw, project: &Project, desk: &mut Desk<'_>) -> Result<Value, Code> {
    let (code, channel) = credential(body)?;
    if channel != "OL" {
        return Err(Code::NOT_AVAILABLE);
    }
    let base = desk.base_url();
    let account = accounts::find(&code, &project.code, &channel, desk).ok_or(Code::NO_CREDENTIAL)?;
    if !account.linked {
        return Err(Code::NO_CREDENTIAL);
    }
    let one = |(text, icon, page): (&str, &str, &str)| {
        json!({
            "displayText": text,
            "icon": format!("{base}/fintech/topup/icons/{icon}.png"),
            "url": format!("{base}/fintech/topup/{page}.html"),
        })
    };
    let ways = [
        ("ATM", "ic_bank_topup", "topup_atm"),
        ("Internet / Mobile Banking", "ic_mobile_bank_topup", "topup_mobile"),
        ("Grab", "ic_grab", "topup_grab"),
        ("Tokopedia", "ic_tokopedia", "topup_tokopedia"),
    ];
    Ok(json!({"data": ways.map(one)}))
}

/// What the payer does on the page: agrees, or not.
pub(super) fn act(act: &Act, id: &str, desk: &mut Desk<'_>) -> Result<(), String> {
    let order = desk.order(id).expect("the frame looked it up");
    if order.status != Status::Pending {
        return Err(format!("the connection is {}: nobody is asked about it", order.status.word()));
    }
    let mut link: Link = order.read();
    let agreed = act.kind == ActKind::Paid;
    if agreed {
        let code = link.credential.get_or_insert_with(|| uuid().to_uppercase()).clone();
        accounts::link(&code, &link.merchant, &link.channel, id, desk);
    }
    let order = desk.order_mut(id).expect("it was just found");
    match act.kind {
        ActKind::Paid => order.become_(Status::Done, "LINKED"),
        ActKind::Expired => order.become_(Status::Expired, "UNLINKED"),
        _ => order.become_(Status::Failed, "UNLINKED"),
    }
    order.write(&link);
    Ok(())
}
