//! `bayar journal`: what the journal holds, and what people decide.

use std::io::{BufRead, IsTerminal, Write};
use std::process::ExitCode;

use bayar::{ENGINE_ACCOUNT, Engine};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Map, Value, json};

use crate::commands::Cli;
use crate::output::{Failure, Table, print_json, print_line, print_table, rupiah, text};
use crate::{story, when};

#[derive(Args)]
pub struct Journal {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// List payments and other calls, newest first
    List(List),
    /// Show one from its beginning to now, and what to do next
    Show {
        /// The id of the intent: I…
        intent: String,
        /// Print everything that is kept of it as JSON, the payer's data included
        #[arg(long)]
        json: bool,
    },
    /// List callbacks that match no order, newest first
    Unmatched {
        /// List no more than this many
        #[arg(long, value_name = "N", default_value_t = 100)]
        limit: u32,
        /// Print them as JSON, the payer's data included
        #[arg(long)]
        json: bool,
    },
    /// Decide what became of one that waits for a review
    Resolve(Resolve),
    /// Mask a payer's personal data, and keep amounts, states, references and times
    Forget(Forget),
    /// Drop what is kept long enough
    Tidy {
        /// Drop the bodies of callbacks and answers that are older than this
        #[arg(long, value_name = "DAYS", default_value_t = 90)]
        body_days: u32,
        /// Drop what ended, waits for nobody and did not change for this long
        #[arg(long, value_name = "DAYS", default_value_t = 730)]
        intent_days: u32,
    },
    /// Print all payments and other calls, newest first, for another program
    Export(Export),
}

/// Which intents.
#[derive(Args)]
struct Which {
    /// Only in this state
    #[arg(long, value_parser = clap::builder::PossibleValuesParser::new(STATES))]
    state: Option<String>,
    /// Only those that wait for a review
    #[arg(long)]
    review: bool,
    /// Only those that are paid and wait for no review, while this effect of theirs is not confirmed: credit
    #[arg(long, value_name = "EFFECT")]
    unconfirmed: Option<String>,
    /// Only of this account
    #[arg(long)]
    account: Option<String>,
    /// Only of this order of yours
    #[arg(long, value_name = "ID")]
    order: Option<String>,
    /// Only of this operation
    #[arg(long)]
    operation: Option<String>,
    /// Only those made at or after this: 2025-11-20, or a moment
    #[arg(long, value_name = "DATE", value_parser = when::since)]
    since: Option<i64>,
    /// Only those made before this, or on this day
    #[arg(long, value_name = "DATE", value_parser = when::until)]
    until: Option<i64>,
}

const STATES: [&str; 13] = [
    "new",
    "sending",
    "pending",
    "authorized",
    "paid",
    "done",
    "failed",
    "expired",
    "cancelled",
    "partially_refunded",
    "refunded",
    "disputed",
    "unknown",
];

#[derive(Args)]
struct List {
    #[command(flatten)]
    which: Which,
    /// List no more than this many
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
    /// Print them as JSON, the payer's data included
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
struct Resolve {
    /// The id of the intent: I…
    intent: String,
    /// What became of it. What is proven otherwise is refused
    #[arg(long = "as", value_name = "STATE", value_parser = clap::builder::PossibleValuesParser::new(ENDS))]
    status: String,
    #[command(flatten)]
    decision: Decision,
}

const ENDS: [&str; 10] = [
    "paid",
    "done",
    "failed",
    "expired",
    "cancelled",
    "authorized",
    "pending",
    "partially_refunded",
    "refunded",
    "disputed",
];

/// Who decides, and why: both are kept.
#[derive(Args)]
struct Decision {
    /// Who decides
    #[arg(long, value_name = "NAME")]
    operator: String,
    /// Why, and what it rests on
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

#[derive(Args)]
#[command(group(clap::ArgGroup::new("whom").required(true).args(["intent", "payer"])))]
struct Forget {
    /// This one, by the id of the intent
    #[arg(long, value_name = "INTENT")]
    intent: Vec<String>,
    /// All that hold this text: an e-mail address, a phone number, as it was given
    #[arg(long, value_name = "TEXT")]
    payer: Option<String>,
    #[command(flatten)]
    decision: Decision,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
}

#[derive(Args)]
struct Export {
    /// csv holds no personal data; json is everything, one intent a line in one list
    #[arg(long, value_enum)]
    format: Format,
    #[command(flatten)]
    which: Which,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Csv,
    Json,
}

impl Journal {
    pub fn run(&self, cli: &Cli) -> Result<ExitCode, Failure> {
        let engine = cli.engine()?;
        match &self.command {
            Command::List(list) => list.run(&engine)?,
            Command::Show { intent, json } => {
                let story = own(&engine, "intent", json!({"intent": intent}))?;
                if *json { print_json(&story)? } else { story::tell(&story)? }
            }
            Command::Unmatched { limit, json } => unmatched(&engine, *limit, *json)?,
            Command::Resolve(resolve) => resolve.run(&engine)?,
            Command::Forget(forget) => forget.run(&engine)?,
            Command::Tidy { body_days, intent_days } => {
                let did = own(&engine, "tidy", json!({"body_days": body_days, "intent_days": intent_days}))?;
                print_line(&format!(
                    "dropped {} bodies and {} intents",
                    text(&did["bodies"]),
                    text(&did["intents"])
                ))?;
            }
            Command::Export(export) => export.run(&engine)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// One operation of the engine's own; what it gives.
fn own(engine: &Engine, operation: &str, params: Value) -> Result<Value, Failure> {
    let outcome = engine.call(ENGINE_ACCOUNT, operation, params).map_err(Failure::told)?;
    Ok(outcome.result.data.unwrap_or_default())
}

impl Which {
    fn filter(&self, limit: u32) -> Map<String, Value> {
        let filter = json!({
            "state": self.state,
            "review": self.review,
            "unconfirmed": self.unconfirmed,
            "account": self.account,
            "order_id": self.order,
            "operation": self.operation,
            "since_ms": self.since,
            "until_ms": self.until,
            "limit": limit,
        });
        filter.as_object().cloned().unwrap_or_default()
    }
}

fn page(engine: &Engine, filter: &Map<String, Value>) -> Result<Vec<Value>, Failure> {
    match own(engine, "intents", Value::Object(filter.clone()))?["intents"].take() {
        Value::Array(intents) => Ok(intents),
        _ => Ok(Vec::new()),
    }
}

impl List {
    fn run(&self, engine: &Engine) -> Result<(), Failure> {
        let intents = page(engine, &self.which.filter(self.limit))?;
        if self.json {
            return print_json(&intents);
        }
        print_intents(&intents)?;
        match intents.len() {
            0 => print_line("none"),
            count if count == self.limit as usize => {
                print_line(&format!("\n{count}, and there may be more: --limit"))
            }
            _ => Ok(()),
        }
    }
}

fn print_intents(intents: &[Value]) -> Result<(), Failure> {
    let row = |intent: &Value| {
        let time = intent["created_ms"].as_i64().map(when::show).unwrap_or_default();
        let amount = rupiah(intent.get("payable_amount").unwrap_or(&intent["amount"]));
        let order = text(intent.get("order_id").unwrap_or(&intent["reference"]));
        let of = |name: &str| text(&intent[name]);
        vec![time, of("id"), of("account"), of("operation"), order, amount, of("state"), of("review")]
    };
    let rows: Vec<Vec<String>> = intents.iter().map(row).collect();
    if rows.is_empty() {
        return Ok(());
    }
    print_table(
        &["made (WIB)", "intent", "account", "operation", "order", "amount", "state", "review"],
        &rows,
    )
}

fn unmatched(engine: &Engine, limit: u32, json: bool) -> Result<(), Failure> {
    let callbacks = own(engine, "unmatched", json!({"limit": limit}))?["callbacks"].take();
    if json {
        return print_json(&callbacks);
    }
    let row = |event: &Value| {
        let time = event["at_ms"].as_i64().map(when::show).unwrap_or_default();
        let mut cells = vec![time];
        cells.extend(["account", "reference", "provider_reference", "status"].map(|name| text(&event[name])));
        let of = |name: &str| text(&event[name]);
        cells.extend([rupiah(&event["amount"]), of("evidence"), of("id"), of("review")]);
        cells
    };
    let rows: Vec<Vec<String>> = callbacks.as_array().into_iter().flatten().map(row).collect();
    if rows.is_empty() {
        return print_line("none");
    }
    print_table(
        &["came (WIB)", "account", "reference", "theirs", "says", "amount", "evidence", "event", "why"],
        &rows,
    )
}

impl Resolve {
    fn run(&self, engine: &Engine) -> Result<(), Failure> {
        let Decision { operator, reason } = &self.decision;
        let params =
            json!({"intent": self.intent, "status": self.status, "operator": operator, "reason": reason});
        let intent = own(engine, "resolve", params)?;
        print_line(&format!("{} is {}", text(&intent["id"]), text(&intent["state"])))
    }
}

impl Forget {
    fn run(&self, engine: &Engine) -> Result<(), Failure> {
        let Decision { operator, reason } = &self.decision;
        let mut params =
            json!({"intents": self.intent, "operator": operator, "reason": reason, "preview": true});
        if let Some(payer) = &self.payer {
            params["payer"] = json!(payer);
        }
        // What is shown is what is masked, also where a payment of this payer comes in meanwhile.
        let ids = own(engine, "forget", params.clone())?["intents"].take();
        let ids: Vec<String> = ids.as_array().into_iter().flatten().map(text).collect();
        if ids.is_empty() {
            return print_line("nothing in the journal holds that text");
        }
        let mut intents = Vec::new();
        for id in &ids {
            intents.push(own(engine, "intent", json!({"intent": id}))?["intent"].take());
        }
        print_intents(&intents)?;
        if !self.yes && !agreed(ids.len())? {
            return print_line("nothing was masked");
        }
        let params = json!({"intents": ids, "operator": operator, "reason": reason});
        let did = own(engine, "forget", params)?;
        print_line(&format!("masked the personal data of {}", text(&did["forgotten"])))
    }
}

fn agreed(count: usize) -> Result<bool, Failure> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        return Err(Failure::Usage("nothing was masked: there is nobody to ask; give --yes".to_owned()));
    }
    eprint!("Mask the personal data of these {count} for good? [y/N] ");
    let _ = std::io::stderr().flush();
    let mut answer = String::new();
    stdin.lock().read_line(&mut answer).map_err(|e| Failure::Usage(format!("standard input: {e}")))?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// How many are held in memory at a time.
const PAGE: u32 = 1_000;

impl Export {
    fn run(&self, engine: &Engine) -> Result<(), Failure> {
        match self.format {
            Format::Csv => {
                let mut table = Table::new(&COLUMNS);
                self.each(engine, |intent| table.row(COLUMNS.map(|column| cell(intent, column))))?;
                table.end()
            }
            Format::Json => {
                let mut before = "[";
                self.each(engine, |intent| {
                    print_line(&format!("{before}{intent}"))?;
                    before = ",";
                    Ok(())
                })?;
                print_line(if before == "[" { "[]" } else { "]" })
            }
        }
    }

    fn each(
        &self,
        engine: &Engine,
        mut act: impl FnMut(&Value) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let mut filter = self.which.filter(PAGE);
        loop {
            let intents = page(engine, &filter)?;
            let Some(last) = intents.last() else { return Ok(()) };
            filter.insert("after".to_owned(), last["id"].clone());
            intents.iter().try_for_each(&mut act)?;
        }
    }
}

/// Of the CSV: nothing that says who a payer is.
const COLUMNS: [&str; 14] = [
    "intent",
    "account",
    "environment",
    "provider",
    "operation",
    "order_id",
    "reference",
    "provider_reference",
    "amount",
    "payable_amount",
    "state",
    "review",
    "created_at",
    "updated_at",
];

fn cell(intent: &Value, column: &str) -> String {
    let time = |name: &str| intent[name].as_i64().map(when::rfc3339).unwrap_or_default();
    match column {
        "intent" => text(&intent["id"]),
        "created_at" => time("created_ms"),
        "updated_at" => time("updated_ms"),
        name => text(&intent[name]),
    }
}
