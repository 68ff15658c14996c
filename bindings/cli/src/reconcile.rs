//! `bayar reconcile`: the journal beside a provider's own report.

use std::path::PathBuf;
use std::process::ExitCode;

use bayar::ENGINE_ACCOUNT;
use clap::{Args, ValueEnum};
use serde_json::{Map, Value, json};

use crate::commands::{Cli, split};
use crate::output::{Failure, Table, print_json, print_line, print_table, rupiah, text};
use crate::when;

#[derive(Args)]
#[command(group(clap::ArgGroup::new("report").required(true).args(["csv", "operation"])))]
pub struct Reconcile {
    /// The account: a section [providers.NAME] of the configuration
    account: String,
    /// The report as a file: what the provider's dashboard exports, with a line of headings
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// The report as a read operation of the account: history, report
    #[arg(long)]
    operation: Option<String>,
    /// Parameters of that operation as a JSON object
    #[arg(long, value_name = "JSON", requires = "operation")]
    params: Option<String>,
    /// Payments made at or after this are expected in the report: 2025-11-20, or a moment
    #[arg(long, value_name = "DATE", value_parser = when::since)]
    since: Option<i64>,
    /// Payments made before this, or on this day, are expected in the report
    #[arg(long, value_name = "DATE", value_parser = when::until)]
    until: Option<i64>,
    /// Only these payments are expected in the report: operation=charge, or a parameter of the call with
    /// what its value begins with: channel=midtrans:gopay
    #[arg(long, value_name = "NAME=VALUE")]
    expect: Vec<String>,
    /// The heading of the column that holds your reference, where it is not found by itself
    #[arg(long, value_name = "HEADING", requires = "csv")]
    reference_column: Option<String>,
    /// The heading of the column that holds the amount, where it is not found by itself
    #[arg(long, value_name = "HEADING", requires = "csv")]
    amount_column: Option<String>,
    /// How to print it; the table leaves out what matched
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Format {
    Table,
    Csv,
    Json,
}

/// What each result means, beside its name.
const RESULTS: [(&str, &str); 8] = [
    ("matched", "matched"),
    ("different_amount", "of another amount"),
    ("missing_here", "not in the journal"),
    ("not_paid_here", "paid there, not paid in the journal"),
    ("missing_there", "not in the report"),
    ("not_paid_there", "paid in the journal, not paid there"),
    ("repeated_there", "there more than once"),
    ("not_named", "rows that name no order"),
];

impl Reconcile {
    pub fn run(&self, cli: &Cli) -> Result<ExitCode, Failure> {
        let data = cli.engine()?.call(ENGINE_ACCOUNT, "reconcile", self.params()?).map_err(Failure::told)?;
        let report = data.result.data.unwrap_or_default();
        let lines: &[Value] = report["lines"].as_array().map_or(&[], Vec::as_slice);
        let differs = |line: &&Value| line["result"] != "matched";
        match self.format {
            Format::Json => print_json(&report)?,
            Format::Csv => print_csv(lines)?,
            Format::Table => print_differences(&report, lines.iter().filter(differs))?,
        }
        Ok(ExitCode::from(u8::from(lines.iter().any(|line| differs(&line)))))
    }

    fn params(&self) -> Result<Value, Failure> {
        let mut params = Map::new();
        let mut put =
            |name: &str, value: Option<Value>| value.map(|value| params.insert(name.to_owned(), value));
        put("account", Some(json!(self.account)));
        if let Some(file) = &self.csv {
            let bytes =
                std::fs::read(file).map_err(|e| Failure::Usage(format!("{}: {e}", file.display())))?;
            let not_text =
                |_| Failure::Usage(format!("{} is not UTF-8: export it as CSV (UTF-8)", file.display()));
            put("csv", Some(json!(String::from_utf8(bytes).map_err(not_text)?)));
        }
        put("operation", self.operation.as_ref().map(|name| json!(name)));
        if let Some(text) = &self.params {
            let value = bayar::strict_json(text.as_bytes())
                .map_err(|e| Failure::Usage(format!("--params is not JSON: {e}")))?;
            if !value.is_object() {
                return Err(Failure::Usage("--params must be a JSON object: {\"limit\": 20}".to_owned()));
            }
            put("params", Some(value));
        }
        let expect = self.expect.iter().map(|pair| split(pair, '=', "--expect", "NAME=VALUE"));
        let expect: Map<String, Value> = expect
            .map(|pair| pair.map(|(name, value)| (name.to_owned(), json!(value))))
            .collect::<Result<_, _>>()?;
        put("expect", Some(Value::Object(expect)));
        put("since_ms", self.since.map(|ms| json!(ms)));
        put("until_ms", self.until.map(|ms| json!(ms)));
        put("reference_column", self.reference_column.as_ref().map(|name| json!(name)));
        put("amount_column", self.amount_column.as_ref().map(|name| json!(name)));
        Ok(Value::Object(params))
    }
}

fn print_differences<'a>(report: &Value, lines: impl Iterator<Item = &'a Value>) -> Result<(), Failure> {
    let row = |line: &Value| {
        let result = text(&line["result"]);
        let meaning =
            RESULTS.iter().find(|(name, _)| *name == result).map_or(result.as_str(), |(_, meaning)| meaning);
        let mut cells = vec![meaning.to_owned()];
        cells.push(text(line.get("reference").unwrap_or(&line["said"])));
        cells.extend(["order_id", "state"].map(|name| text(&line[name])));
        cells.extend(["here", "there"].map(|name| rupiah(&line[name])));
        cells.extend(["row", "intent"].map(|name| text(&line[name])));
        cells
    };
    let rows: Vec<Vec<String>> = lines.map(row).collect();
    if !rows.is_empty() {
        print_table(&["difference", "reference", "order", "state", "here", "there", "row", "intent"], &rows)?;
        print_line("")?;
    }
    let counts = RESULTS.iter().filter_map(|(name, meaning)| {
        let count = report["summary"][*name].as_u64().unwrap_or(0);
        (count > 0 || *name == "matched").then(|| format!("{count} {meaning}"))
    });
    let counts = counts.collect::<Vec<_>>().join(", ");
    print_line(&format!("{} rows: {counts}", report["rows"].as_u64().unwrap_or(0)))
}

fn print_csv(lines: &[Value]) -> Result<(), Failure> {
    let columns = ["result", "reference", "order_id", "intent", "state", "here", "there", "row", "said"];
    let mut table = Table::new(&columns);
    lines.iter().try_for_each(|line| table.row(columns.map(|name| text(&line[name]))))?;
    table.end()
}
