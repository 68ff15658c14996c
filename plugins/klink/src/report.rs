//! The finance report of the charges over Midtrans. Its rows have no state of the payment: they are
//! never evidence that one was paid.
//!
//! Source: part 3 e. The path is not printed ("the endpoint is provided by the client application"),
//! so it is a setting, and until it is set the operation is refused.

use bayar_provider::money::decimal_from_wire;
use bayar_provider::{Call, Error, Outcome, Response, Status, Step, time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::State;
use crate::answer::{self, Purpose, text};
use crate::exchange::{ask, required};
use crate::settings::{Settings, wrong};

/// Parameters of `report`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// From when, `YYYY-MM-DD HH:MM:SS` in WIB; from the beginning if empty.
    #[serde(default)]
    datetime_start: String,
    /// Until when, likewise; until now if empty.
    #[serde(default)]
    datetime_end: String,
    /// Of which channel: `gopay`.
    bank_code: String,
    /// Of which state, in Midtrans' words; `all` if absent.
    #[serde(default = "all")]
    transaction_status: String,
}

fn all() -> String {
    "all".to_owned()
}

/// `data` of `report`.
#[derive(Serialize, JsonSchema)]
pub struct Report {
    /// The rows, in K-Link's order.
    rows: Vec<Row>,
}

/// One charge. It does not say whether it was paid.
#[derive(Serialize, JsonSchema)]
struct Row {
    /// The order.
    order_id: String,
    /// Rupiah, as a decimal string.
    amount: String,
    /// Midtrans' id.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    /// Of which channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    bank_code: Option<String>,
    /// Midtrans' code: `201`.
    #[serde(skip_serializing_if = "Option::is_none")]
    status_code: Option<String>,
    /// What Midtrans' fraud detection said.
    #[serde(skip_serializing_if = "Option::is_none")]
    fraud_status: Option<String>,
    /// When it was asked about, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    inquired_at: Option<String>,
    /// When it was notified, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    notified_at: Option<String>,
}

#[derive(Serialize)]
struct Body<'a> {
    datetime_start: &'a str,
    datetime_end: &'a str,
    bank_code: &'a str,
    transaction_status: &'a str,
}

/// Builds the question.
pub fn prepare(account: &Settings, call: &Call) -> Result<Step<State>, Error> {
    let params: Params = call.read()?;
    let unset = "is not set: K-Link's document prints no path for the report, ask K-Link for it";
    let path = account.path_report.as_deref().ok_or_else(|| wrong("path_report", unset))?;
    let now = time::to_wib(call.now());
    let end = moment("datetime_end", &params.datetime_end)?;
    let body = Body {
        datetime_start: moment("datetime_start", &params.datetime_start)?,
        datetime_end: if end.is_empty() { &now } else { end },
        bank_code: required("bank_code", &params.bank_code, "a channel's bank code, such as gopay")?,
        transaction_status: &params.transaction_status,
    };
    ask(account, call, path, &body, State::Report)
}

fn moment<'a>(field: &str, text: &'a str) -> Result<&'a str, Error> {
    if text.is_empty() || time::from_wib(text).is_some() {
        return Ok(text);
    }
    Err(Error::invalid(field, format!("{text:?}"), "YYYY-MM-DD HH:MM:SS in WIB, or nothing"))
}

/// Reads the rows: printed as a list without anything around it; one in `data` is read too.
pub fn read(response: &Response) -> Result<Outcome, Error> {
    let listed = bayar_provider::json::strict(&response.body).ok().filter(Value::is_array);
    let body = match listed {
        Some(rows) if (200..300).contains(&response.status) => json!({ "data": rows }),
        _ => answer::success(response, Purpose::Read, None)?,
    };
    let rows = body.get("data").and_then(Value::as_array);
    let Some(rows) = rows.and_then(|rows| rows.iter().map(Row::of).collect::<Option<Vec<_>>>()) else {
        return Err(answer::open(response, Purpose::Read, "the answer is no list of charges"));
    };
    let data = serde_json::to_value(Report { rows }).ok();
    Ok(Outcome { data, raw: body, ..Outcome::answered(Status::Done) })
}

impl Row {
    fn of(row: &Value) -> Option<Self> {
        let field = |name| text(Some(row), name);
        let at = |name| field(name).as_deref().and_then(time::wib_to_rfc3339);
        Some(Row {
            order_id: field("order_id")?,
            amount: decimal_from_wire(row.get("gross_amount")?)?.normalize().to_string(),
            id: field("id"),
            bank_code: field("bank_code"),
            status_code: field("status_code"),
            fraud_status: field("fraud_status"),
            inquired_at: at("inquiry_time"),
            notified_at: at("notification_time"),
        })
    }
}
