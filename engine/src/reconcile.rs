//! The journal beside a provider's own report: what is in both, in one alone, or of another amount.
//!
//! The report comes from the provider (`operation`, such as iPaymu's `history`), or as the CSV that its
//! dashboard exports. A row is looked for in the whole journal; only what is *missing there* has a span
//! of time, for a report has one.
//!
//! ```text
//!   a row says      the order here is paid     known, and not paid     not known
//!   paid            matched / other amount     not_paid_here           missing_here
//!   not paid        not_paid_there             –                       –
//!   neither         matched / other amount     matched / other amount  missing_here
//!   no row          missing_there              –
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bayar_provider::Decimal;
use bayar_provider::money::decimal_from_wire;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::engine::Shared;
use crate::error::{Code, Error};
use crate::journal::{Filter, Intent, Journal, Order, Scope, State};
use crate::recover::call;

/// What is compared.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Params {
    /// The account.
    account: String,
    /// The read operation that gives the report: `history`, `report`.
    #[serde(default)]
    operation: Option<String>,
    /// Its parameters.
    #[serde(default)]
    params: Value,
    /// Instead of an operation: a CSV document with a line of headings.
    #[serde(default)]
    csv: Option<String>,
    /// The heading of the column that holds our reference, where it is not found by itself.
    #[serde(default)]
    reference_column: Option<String>,
    /// The heading of the column that holds the amount, where it is not found by itself.
    #[serde(default)]
    amount_column: Option<String>,
    /// From which moment the journal's orders are expected in the report, in milliseconds since 1970-01-01 UTC.
    #[serde(default)]
    since_ms: Option<i64>,
    /// Until which moment, likewise.
    #[serde(default)]
    until_ms: Option<i64>,
    /// Which of the journal's orders are expected in the report: `operation`, or a parameter of the call
    /// (`channel`, `id_member`), with what its value begins with. Without it: all that are paid.
    #[serde(default)]
    expect: BTreeMap<String, String>,
}

/// One line of the comparison.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
struct Line {
    result: Found,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    intent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    order_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<State>,
    /// The amount in the journal, in rupiah.
    #[serde(skip_serializing_if = "Option::is_none")]
    here: Option<i64>,
    /// The amount in the report.
    #[serde(skip_serializing_if = "Option::is_none")]
    there: Option<String>,
    /// What the report says of a row that names no order.
    #[serde(skip_serializing_if = "Option::is_none")]
    said: Option<String>,
    /// The number of the row in the report, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    row: Option<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize)]
#[serde(rename_all = "snake_case")]
enum Found {
    /// The same here and there.
    #[default]
    Matched,
    /// Both have it, of another amount.
    DifferentAmount,
    /// The journal has no such order.
    MissingHere,
    /// The report says that it was paid; the journal does not.
    NotPaidHere,
    /// The journal says that it was paid; the report does not have it.
    MissingThere,
    /// The journal says that it was paid; the report says that it was not.
    NotPaidThere,
    /// The report has it paid more than once.
    RepeatedThere,
    /// The row names no order: it cannot be compared.
    NotNamed,
}

impl Found {
    const ALL: [Found; 8] = [
        Found::Matched,
        Found::DifferentAmount,
        Found::MissingHere,
        Found::NotPaidHere,
        Found::MissingThere,
        Found::NotPaidThere,
        Found::RepeatedThere,
        Found::NotNamed,
    ];
}

/// The names of columns and fields, in lower case without blanks and punctuation; the surest first.
const REFERENCES: [&str; 10] = [
    "merchantorderid",
    "merchantreference",
    "merchantref",
    "orderid",
    "idorder",
    "referenceid",
    "reference",
    "invoicenumber",
    "invoiceno",
    "invoice",
];
const AMOUNTS: [&str; 7] =
    ["grossamount", "paymentamount", "transactionamount", "amount", "totalamount", "total", "nominal"];
const THEIRS: [&str; 3] = ["providerreference", "transactionid", "trxid"];
const STATUSES: [&str; 3] = ["transactionstatus", "paymentstatus", "status"];
const DESCRIPTIONS: [&str; 3] = ["description", "keterangan", "deskripsi"];

/// What reports call a payment that was made, in the same form; and one that was not.
const PAID: [&str; 13] = [
    "paid",
    "done",
    "settlement",
    "settled",
    "capture",
    "success",
    "successful",
    "completed",
    "sukses",
    "berhasil",
    "lunas",
    "refunded",
    "partiallyrefunded",
];
const UNPAID: [&str; 17] = [
    "pending",
    "process",
    "authorize",
    "authorized",
    "expire",
    "expired",
    "deny",
    "denied",
    "cancel",
    "canceled",
    "cancelled",
    "failed",
    "failure",
    "unpaid",
    "gagal",
    "batal",
    "kadaluarsa",
];

/// Compares.
pub(crate) fn reconcile(engine: &Arc<Shared>, params: Params) -> Result<Value, Error> {
    let Some(account) = engine.accounts.get(&params.account) else {
        let what = format!("no account {:?} is configured", params.account);
        return Err(Error::not_sent(Code::UnknownAccount, what).field("account"));
    };
    let rows = match (&params.csv, &params.operation) {
        (Some(csv), None) => of_csv(csv, &params)?,
        (None, Some(operation)) => of_operation(engine, &params, operation)?,
        _ => {
            let what = "reconcile needs a report: either csv, the text of an export, or operation, a read operation \
                that gives one (history, report)";
            return Err(Error::not_sent(Code::InvalidParams, what).field("csv"));
        }
    };
    let lines = compare(&*engine.journal, account.scope(), &rows, &params)?;
    let count = |found: &Found| lines.iter().filter(|line| line.result == *found).count();
    let summary: BTreeMap<String, usize> =
        Found::ALL.iter().map(|found| (crate::journal::word(found), count(found))).collect();
    Ok(json!({"account": params.account, "rows": rows.len(), "summary": summary, "lines": lines}))
}

/// One row of a report.
#[derive(Clone, PartialEq, Debug, Default)]
struct Row {
    reference: Option<String>,
    /// What the provider calls it.
    theirs: Option<String>,
    amount: Option<Decimal>,
    /// Whether it says that it was paid.
    paid: Option<bool>,
    /// A text that may hold our reference, where nothing else does.
    description: Option<String>,
    /// Into or out of a wallet: a payment and what was given back are two rows.
    direction: Option<String>,
}

fn compare(
    journal: &dyn Journal,
    scope: Scope<'_>,
    rows: &[Row],
    params: &Params,
) -> Result<Vec<Line>, Error> {
    let mut lines = Vec::new();
    let mut named = BTreeSet::new();
    let mut paid = BTreeSet::new();
    let mut unpaid = Vec::new();
    for (number, row) in rows.iter().enumerate() {
        let found = find(journal, scope, row)?;
        let there = Line {
            reference: row.reference.clone().or_else(|| row.theirs.clone()),
            there: row.amount.map(|amount| amount.normalize().to_string()),
            row: Some(number + 1),
            ..Line::default()
        };
        match found {
            Some(intent) if row.paid == Some(false) => unpaid.push((intent, there)),
            None if row.paid == Some(false) => {}
            None if there.reference.is_none() => {
                lines.push(Line { result: Found::NotNamed, said: row.description.clone(), ..there });
            }
            None => lines.push(Line { result: Found::MissingHere, ..there }),
            Some(intent) => {
                named.insert(intent.id.clone());
                let again = !paid.insert((intent.id.clone(), row.direction.clone()));
                let here = intent.payable_amount.or(intent.amount).map(Decimal::from);
                let result = if again {
                    Found::RepeatedThere
                } else if row.paid == Some(true) && !was_paid(&intent) {
                    Found::NotPaidHere
                } else if here.zip(row.amount).is_some_and(|(here, there)| here != there) {
                    Found::DifferentAmount
                } else {
                    Found::Matched
                };
                lines.push(line(result, &intent, there));
            }
        }
    }
    // An order that failed and was paid after all has a row of each.
    for (intent, there) in unpaid {
        if was_paid(&intent) && named.insert(intent.id.clone()) {
            lines.push(line(Found::NotPaidThere, &intent, there));
        }
    }
    for intent in expected(journal, scope, params)? {
        if !named.contains(&intent.id) {
            lines.push(line(Found::MissingThere, &intent, Line::default()));
        }
    }
    lines.sort_by(|a, b| (a.result, &a.reference, a.row).cmp(&(b.result, &b.reference, b.row)));
    Ok(lines)
}

fn line(result: Found, intent: &Intent, there: Line) -> Line {
    Line {
        result,
        reference: Some(intent.reference.clone()),
        intent: Some(intent.id.clone()),
        order_id: intent.order_id.clone(),
        state: Some(intent.state),
        here: intent.payable_amount.or(intent.amount),
        ..there
    }
}

/// Also what was given back, or is disputed, was paid once.
fn was_paid(intent: &Intent) -> bool {
    intent.state.is_earned() || matches!(intent.state, State::Refunded | State::Disputed)
}

/// The order that a row is about. Which of its names a report prints is the provider's choice.
fn find(journal: &dyn Journal, scope: Scope<'_>, row: &Row) -> Result<Option<Intent>, Error> {
    let mut names = Vec::new();
    if let Some(reference) = row.reference.as_deref() {
        let all =
            [Order::Reference(reference), Order::ProviderReference(reference), Order::OrderId(reference)];
        names.extend(all);
    }
    names.extend(row.theirs.as_deref().map(Order::ProviderReference));
    if row.reference.is_none() {
        let in_reference = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let words = row.description.iter().flat_map(|text| text.split(move |c| !in_reference(c)));
        let words = words.map(|word| word.trim_matches('.')).filter(|word| word.len() >= 4);
        names.extend(words.map(Order::Reference));
    }
    for name in names {
        if let Some(intent) = journal.of_order(scope, &name)? {
            return Ok(Some(intent));
        }
    }
    Ok(None)
}

/// The orders that were paid and are expected in the report.
fn expected(journal: &dyn Journal, scope: Scope<'_>, params: &Params) -> Result<Vec<Intent>, Error> {
    let mut all = Vec::new();
    let mut filter = Filter {
        account: Some(scope.account.to_owned()),
        since_ms: params.since_ms,
        until_ms: params.until_ms,
        limit: Some(1_000),
        ..Filter::default()
    };
    loop {
        let page = journal.intents(&filter)?;
        let Some(last) = page.last() else { return Ok(all) };
        filter.after = Some(last.id.clone());
        let is_expected = |intent: &Intent| {
            intent.owns
                && intent.environment == scope.environment
                && was_paid(intent)
                && params.expect.iter().all(|(name, value)| begins(intent, name, value))
        };
        all.extend(page.into_iter().filter(is_expected));
    }
}

fn begins(intent: &Intent, name: &str, value: &str) -> bool {
    if name == "operation" {
        return intent.operation == value;
    }
    let asked = intent.call.as_ref().and_then(|call| call.params.get(name)).and_then(Value::as_str);
    asked.is_some_and(|asked| asked.starts_with(value))
}

/// The report of a read operation: the first list in its data, all pages of it.
fn of_operation(engine: &Arc<Shared>, params: &Params, operation: &str) -> Result<Vec<Row>, Error> {
    let found = engine.accounts.get(&params.account).and_then(|account| account.operation(operation).ok());
    if let Some(found) = found
        && found.class != bayar_provider::Class::Read
    {
        let what =
            format!("operation: found {operation}, which moves money or goods; allowed: a read operation");
        return Err(Error::not_sent(Code::InvalidParams, what).field("operation"));
    }
    let mut rows = Vec::new();
    let mut asked = if params.params.is_null() { json!({}) } else { params.params.clone() };
    loop {
        let outcome = call(engine, &params.account, operation, asked.clone())?;
        let data = outcome.result.data.unwrap_or_default();
        let list = data.as_object().and_then(|data| data.values().find_map(Value::as_array));
        let Some(list) = list else {
            let what = format!("the operation {operation} gives no list to compare with");
            return Err(Error::not_sent(Code::InvalidParams, what).field("operation"));
        };
        rows.extend(list.iter().filter_map(Value::as_object).map(|fields| {
            let of = |names: &[&str]| {
                let named = |name: &&str| fields.iter().find(|(field, _)| plain(field) == *name);
                names.iter().find_map(named).map(|(_, value)| value).filter(|value| !value.is_null())
            };
            let text = |names: &[&str]| of(names).and_then(Value::as_str).map(str::to_owned);
            Row {
                reference: text(&REFERENCES),
                theirs: text(&THEIRS),
                amount: of(&AMOUNTS).and_then(decimal_from_wire),
                paid: of(&STATUSES).and_then(Value::as_str).and_then(says_paid),
                description: text(&DESCRIPTIONS),
                direction: text(&["direction"]),
            }
        }));
        let number = |name| data.get(name).and_then(Value::as_u64);
        match (number("page"), number("pages")) {
            (Some(page), Some(pages)) if page < pages && !list.is_empty() => asked["page"] = json!(page + 1),
            _ => return Ok(rows),
        }
    }
}

fn of_csv(text: &str, params: &Params) -> Result<Vec<Row>, Error> {
    let text = text.trim_start_matches('\u{feff}');
    let first = text.lines().next().unwrap_or_default();
    let often = |delimiter: &u8| first.bytes().filter(|byte| byte == delimiter).count();
    let delimiter = [b',', b';', b'\t'].into_iter().rev().max_by_key(often).unwrap_or(b',');
    let mut reader =
        csv::ReaderBuilder::new().flexible(true).delimiter(delimiter).from_reader(text.as_bytes());
    let invalid = |what: String| Error::not_sent(Code::InvalidParams, what).field("csv");
    let headings = reader.headers().map_err(|e| invalid(format!("csv cannot be read: {e}")))?.clone();
    let known = |names: &[&str]| {
        names.iter().find_map(|name| headings.iter().position(|heading| plain(heading) == *name))
    };
    let needed = |wanted: &Option<String>, names: &[&str], field: &str| {
        let found = match wanted {
            Some(wanted) => headings.iter().position(|heading| plain(heading) == plain(wanted)),
            None => known(names),
        };
        found.ok_or_else(|| {
            let all = headings.iter().collect::<Vec<_>>().join(", ");
            let what = match wanted {
                Some(wanted) => format!("{wanted:?}"),
                None => format!("for the {field}"),
            };
            let error = format!("csv has no column {what}: found {all}; name it in {field}_column");
            invalid(error).field(if wanted.is_some() { format!("{field}_column") } else { "csv".to_owned() })
        })
    };
    let reference = needed(&params.reference_column, &REFERENCES, "reference")?;
    let amount = needed(&params.amount_column, &AMOUNTS, "amount")?;
    let (theirs, status) = (known(&THEIRS).filter(|theirs| *theirs != reference), known(&STATUSES));
    let mut rows = Vec::new();
    for (number, record) in reader.records().enumerate() {
        let record = record.map_err(|e| invalid(format!("csv cannot be read: {e}")))?;
        let cell = |at: usize| {
            // A spreadsheet's mark that a cell is a text.
            let text = record.get(at).unwrap_or_default().trim().trim_start_matches('\'');
            Some(text).filter(|text| !text.is_empty()).map(str::to_owned)
        };
        if record.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        let money = cell(amount).map(|text| {
            let unreadable = || invalid(format!("csv, row {}: {text:?} is no amount", number + 1));
            read_amount(&text).ok_or_else(unreadable)
        });
        rows.push(Row {
            reference: cell(reference),
            theirs: theirs.and_then(cell),
            amount: money.transpose()?,
            paid: status.and_then(cell).as_deref().and_then(says_paid),
            ..Row::default()
        });
    }
    Ok(rows)
}

/// Whether a word for a state says that it was paid; nothing where the word is not known.
fn says_paid(word: &str) -> Option<bool> {
    let word = plain(word);
    let among = |words: &[&str]| words.contains(&word.as_str());
    if among(&PAID) { Some(true) } else { among(&UNPAID).then_some(false) }
}

/// An amount as people and spreadsheets write it: `Rp 150.000`, `150,000.00`, `150.000,00`, `150000`.
/// Of rupiah there are no thousandths, so a mark before three digits groups, and one before two divides.
fn read_amount(text: &str) -> Option<Decimal> {
    let text = text.trim();
    let text = text.strip_prefix("IDR").or_else(|| text.strip_prefix("Rp")).unwrap_or(text);
    let text: String = text.trim_start_matches('.').chars().filter(|c| !c.is_whitespace()).collect();
    let last = text.rfind(['.', ',']);
    let divides = |at: &usize| {
        let mark = &text[*at..=*at];
        text.len() - at - 1 != 3 && text.matches(mark).count() == 1
    };
    let digits = |part: &str| part.replace(['.', ','], "");
    let plain = match last.filter(divides) {
        Some(at) => format!("{}.{}", digits(&text[..at]), &text[at + 1..]),
        None => digits(&text),
    };
    decimal_from_wire(&Value::String(plain.trim_end_matches('.').to_owned()))
}

/// A heading without case, blanks and punctuation.
fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(fields: Value) -> Params {
        serde_json::from_value(fields).unwrap()
    }

    #[test]
    fn amounts_as_people_write_them() {
        for (text, expected) in [
            ("150000", Some("150000")),
            ("150000.00", Some("150000")),
            ("150,000", Some("150000")),
            ("150.000", Some("150000")),
            ("Rp 150.000", Some("150000")),
            ("Rp. 1.150.000,00", Some("1150000")),
            ("IDR 1,150,000.50", Some("1150000.5")),
            ("1.150.000", Some("1150000")),
            ("4.5", Some("4.5")),
            ("much", None),
            ("1-2", None),
        ] {
            let found = read_amount(text).map(|amount| amount.normalize().to_string());
            assert_eq!(found.as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn exports_of_dashboards() {
        let midtrans = "\u{feff}\"Date & Time\",\"Order ID\",\"Transaction type\",\"Channel\",\"Transaction status\",\"Amount\",\"Transaction ID\"\n\
            2025-11-20,INV-17,Payment,BCA VA,Settlement,\"150,000.00\",T-1\n\
            2025-11-20,INV-18,Payment,BCA VA,Expire,150000,T-2\n,,,,,,\n";
        let rows = of_csv(midtrans, &params(json!({"account": "midtrans"}))).unwrap();
        let brief = |row: &Row| {
            (row.reference.clone().unwrap(), row.amount.unwrap().normalize().to_string(), row.paid)
        };
        assert_eq!(
            rows.iter().map(brief).collect::<Vec<_>>(),
            [
                ("INV-17".to_owned(), "150000".to_owned(), Some(true)),
                ("INV-18".to_owned(), "150000".to_owned(), Some(false)),
            ]
        );
        assert_eq!(rows[0].theirs.as_deref(), Some("T-1"));
        let duitku = "Reference;Merchant Order Id;Payment Method;Amount;Status\nD0001;INV-17;BCA VA;Rp 150.000;Success\n";
        let rows = of_csv(duitku, &params(json!({"account": "duitku"}))).unwrap();
        assert_eq!(brief(&rows[0]), ("INV-17".to_owned(), "150000".to_owned(), Some(true)));
    }

    #[test]
    fn what_is_wrong_with_an_export_is_named() {
        for (fields, text, says) in [
            (json!({}), "a,b\n1,2\n", "no column for the reference: found a, b; name it in reference_column"),
            (json!({"reference_column": "Nomor"}), "Order ID,Amount\n1,2\n", "no column \"Nomor\""),
            (json!({}), "Order ID,Amount\nINV-1,15\nINV-2,much\n", "row 2: \"much\" is no amount"),
            (json!({}), "", "no column for the reference"),
        ] {
            let mut fields = fields;
            fields["account"] = json!("midtrans");
            let error = of_csv(text, &params(fields)).unwrap_err();
            assert!(error.message.contains(says), "{}", error.message);
        }
    }
}
