//! The refund of a wallet payment, always whole, in two steps: a question what there is to refund,
//! and its confirmation, which alone moves money. `refund` does both where nothing is left to decide.
//!
//! Source: part 1 i, Escrow Refund.

use bayar_provider::{Call, Code, Error, Outcome, Response, Rupiah, Status, Step, time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::State;
use crate::answer::{self, Purpose, Verdict, text};
use crate::exchange::{act, ask, check_reference, required};
use crate::settings::Settings;

/// Parameters of the unified `refund`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// The host's own id of the order.
    #[expect(dead_code, reason = "the engine has made it the call's reference")]
    order_id: String,
    /// How much goes back: all of it, for K-Link knows no other. Refused where the payment's amount differs.
    #[serde(default)]
    amount: Option<Rupiah>,
    /// Why, for K-Link's records.
    #[serde(default)]
    reason: String,
    /// What only K-Link needs.
    options: Options,
}

/// What only K-Link needs for a refund.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Options {
    /// Whose wallet paid and gets the money back.
    id_member: String,
}

/// Parameters of `refund_quote`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QuoteParams {
    /// The host's own id of the order.
    #[expect(dead_code, reason = "the engine has made it the call's reference")]
    order_id: String,
    /// Whose wallet paid.
    id_member: String,
}

/// Parameters of `refund_accept`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptParams {
    /// The host's own id of the order.
    #[expect(dead_code, reason = "the engine has made it the call's reference")]
    order_id: String,
    /// Whose wallet gets the money back.
    id_member: String,
    /// K-Link's id of the payment, as `refund_quote` gave it.
    id_trans: String,
    /// Why, for K-Link's records.
    #[serde(default)]
    note: String,
}

/// `data` of `refund_quote`.
#[derive(Serialize, JsonSchema)]
pub struct Quotes {
    /// What could be refunded.
    quotes: Vec<Quote>,
}

/// One payment that could be refunded.
#[derive(Serialize, JsonSchema)]
struct Quote {
    /// K-Link's id of the payment.
    id_trans: String,
    /// The order.
    order_id: String,
    /// Whose wallet paid.
    id_member: String,
    /// How much it paid, and would get back.
    amount: Rupiah,
    /// What was paid for.
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    /// When it was paid, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<String>,
}

/// `data` of `refund` and `refund_accept`.
#[derive(Serialize, JsonSchema)]
pub struct Refunded {
    /// K-Link's id of the payment that went back, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    id_trans: Option<String>,
    /// Whether it had been refunded before this call.
    already: bool,
    /// The state of the charge after it.
    charge_status: Status,
}

#[derive(Serialize)]
struct QuoteBody<'a> {
    id_order: &'a str,
    id_member: &'a str,
}

#[derive(Serialize)]
struct AcceptBody<'a> {
    id_order: &'a str,
    id_member: &'a str,
    id_trans: &'a str,
    note: &'a str,
}

/// Builds the first step of a refund.
pub fn prepare(account: &Settings, call: &Call) -> Result<Step<State>, Error> {
    let params: Params = call.read()?;
    if params.amount.is_some_and(|amount| amount.get() == 0) {
        return Err(Error::invalid("amount", 0, "the whole amount of the payment, or none for all"));
    }
    let id_member = required("options.id_member", &params.options.id_member, "a member's id")?;
    ask_quote(account, call, id_member)
}

/// Builds the question alone.
pub fn quote(account: &Settings, call: &Call) -> Result<Step<State>, Error> {
    let params: QuoteParams = call.read()?;
    ask_quote(account, call, required("id_member", &params.id_member, "a member's id")?)
}

fn ask_quote(account: &Settings, call: &Call, id_member: &str) -> Result<Step<State>, Error> {
    let body = QuoteBody { id_order: check_reference(call)?, id_member };
    ask(account, call, &account.path_refund_quote, &body, State::RefundQuote)
}

/// Builds the confirmation alone.
pub fn accept(account: &Settings, call: &Call) -> Result<Step<State>, Error> {
    let params: AcceptParams = call.read()?;
    let id_member = required("id_member", &params.id_member, "a member's id")?;
    let id_trans = required("id_trans", &params.id_trans, "the id that refund_quote gave")?;
    send_accept(account, call, id_member, id_trans, &params.note, None)
}

fn send_accept(
    account: &Settings,
    call: &Call,
    id_member: &str,
    id_trans: &str,
    note: &str,
    amount: Option<Rupiah>,
) -> Result<Step<State>, Error> {
    let body = AcceptBody { id_order: check_reference(call)?, id_member, id_trans, note };
    let state = State::RefundAccept { id_trans: id_trans.to_owned(), amount };
    act(account, call, &account.path_refund_accept, &body, state)
}

/// Reads what could be refunded, for the host to decide.
pub fn read_quote(response: &Response) -> Result<Outcome, Error> {
    let body = answer::success(response, Purpose::Read, None)?;
    let data = serde_json::to_value(Quotes { quotes: quotes(response, &body)? }).ok();
    Ok(Outcome { data, raw: body, ..Outcome::answered(Status::Done) })
}

/// Reads what could be refunded, and confirms it: exactly one payment, of this order and member,
/// and of the amount that the host named.
pub fn confirm(account: &Settings, call: &Call, response: &Response) -> Result<Step<State>, Error> {
    let params: Params = call.read()?;
    let body = answer::object(response, Purpose::Read, None)?;
    if let Some(done) = existing(call, response, &body, Purpose::Read)? {
        return Ok(Step::Done(done));
    }
    answer::judge(response, Purpose::Read, &body)?;
    let quotes = quotes(response, &body)?;
    let [quote] = quotes.as_slice() else {
        let what = format!(
            "K-Link lists {} payments to refund, and one was expected: look at refund_quote",
            quotes.len()
        );
        return Err(Error::new(Code::NotPossible, what).provider(answer::said(response)));
    };
    if quote.order_id != call.reference || quote.id_member != params.options.id_member {
        return Err(answer::open(
            response,
            Purpose::Read,
            "the answer is about another order or member than was asked for",
        ));
    }
    if let Some(asked) = params.amount.filter(|asked| *asked != quote.amount) {
        let whole = format!("{}, for K-Link refunds a payment whole or not at all", quote.amount);
        return Err(Error::invalid("amount", asked, whole));
    }
    send_accept(account, call, &quote.id_member, &quote.id_trans, &params.reason, Some(quote.amount))
}

fn quotes(response: &Response, body: &Value) -> Result<Vec<Quote>, Error> {
    let rows = body.get("data").and_then(Value::as_array);
    let quotes = rows.and_then(|rows| rows.iter().map(Quote::of).collect::<Option<Vec<_>>>());
    quotes
        .ok_or_else(|| answer::open(response, Purpose::Read, "the answer has no list of payments to refund"))
}

impl Quote {
    fn of(row: &Value) -> Option<Self> {
        let field = |name| text(Some(row), name);
        Some(Quote {
            id_trans: field("id_trans")?,
            order_id: field("id_order")?,
            id_member: field("id_member")?,
            amount: Rupiah::from_wire(row.get("credit")?)?,
            description: field("description"),
            at: field("datetime").as_deref().and_then(time::wib_to_rfc3339),
        })
    }
}

/// Reads the answer to a confirmation.
pub fn read_accept(
    call: &Call,
    response: &Response,
    id_trans: String,
    amount: Option<Rupiah>,
) -> Result<Outcome, Error> {
    let body = answer::object(response, Purpose::Keyed, None)?;
    if let Some(done) = existing(call, response, &body, Purpose::Keyed)? {
        return Ok(Outcome { amount, ..done });
    }
    answer::judge(response, Purpose::Keyed, &body)?;
    Ok(Outcome { amount, ..refunded(Some(id_trans), false, body) })
}

/// `refund existing, id_trans:323, order_id:…`: it was refunded before, which is what was wanted.
/// It must be this order's refund that exists.
fn existing(
    call: &Call,
    response: &Response,
    body: &Value,
    purpose: Purpose,
) -> Result<Option<Outcome>, Error> {
    let message = answer::message(body).unwrap_or_default();
    if answer::verdict(body) != Verdict::Fail || !message.to_ascii_lowercase().starts_with("refund existing")
    {
        return Ok(None);
    }
    match said_in(&message, "order_id") {
        Some(order) if order == call.reference => {
            Ok(Some(refunded(said_in(&message, "id_trans").map(str::to_owned), true, body.clone())))
        }
        _ => Err(answer::open(response, purpose, "a refund exists, and it is not said to be of this order")),
    }
}

/// The value after `name:` in a message whose parts are set off by commas.
fn said_in<'a>(message: &'a str, name: &str) -> Option<&'a str> {
    let part = |part: &'a str| part.trim().strip_prefix(name)?.strip_prefix(':');
    message.split(',').find_map(part).map(|value| value.trim_end_matches('!').trim())
}

fn refunded(id_trans: Option<String>, already: bool, body: Value) -> Outcome {
    let data = Refunded { id_trans, already, charge_status: Status::Refunded };
    Outcome { data: serde_json::to_value(data).ok(), raw: body, ..Outcome::answered(Status::Done) }
}
