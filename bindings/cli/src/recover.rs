//! `bayar recover`: looks at what has no end yet, for cron and timers.

use std::process::ExitCode;

use bayar::ENGINE_ACCOUNT;
use clap::Args;
use serde_json::{Value, json};

use crate::commands::Cli;
use crate::output::{Failure, print_json, print_line, print_table, text};

#[derive(Args)]
pub struct Recover {
    /// Only payments of this account
    #[arg(long, value_name = "ACCOUNT")]
    account: Option<String>,
    /// Also those whose time to be looked at has not come yet
    #[arg(long)]
    now: bool,
    /// Look at no more than this many
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// Print nothing unless something waits for a person
    #[arg(short, long)]
    quiet: bool,
    /// Print the report as JSON
    #[arg(long, conflicts_with = "quiet")]
    json: bool,
}

impl Recover {
    pub fn run(&self, cli: &Cli) -> Result<ExitCode, Failure> {
        if !self.quiet {
            crate::output::show_progress("bayar::recovery", "looked at");
        }
        let engine = cli.engine()?;
        let own = |operation: &str, params: Value| {
            let outcome = engine.call(ENGINE_ACCOUNT, operation, params).map_err(Failure::told)?;
            Ok::<Value, Failure>(outcome.result.data.unwrap_or_default())
        };
        let wanted = json!({"account": self.account, "now": self.now, "limit": self.limit});
        let mut report = own("recover", wanted)?;
        // Also what was set aside earlier, or by a callback: until somebody decides.
        let filter = json!({"review": true, "account": self.account, "limit": 10_000});
        let waiting = own("intents", filter)?["intents"].take();
        let waiting: &[Value] = waiting.as_array().map_or(&[], Vec::as_slice);
        let looked: Vec<Value> = report["intents"].as_array().cloned().unwrap_or_default();
        let stuck: Vec<&Value> = looked.iter().filter(|one| one["passing"] == false).collect();
        if self.json {
            let ids: Vec<&Value> = waiting.iter().map(|intent| &intent["id"]).collect();
            report["waiting_for_review"] = json!(ids);
            print_json(&report)?;
        } else {
            if !self.quiet {
                print_looked(&looked)?;
            }
            print_waiting(waiting)?;
            if self.quiet {
                stuck.iter().try_for_each(|one| {
                    print_line(&format!(
                        "{} cannot be asked about: {}",
                        text(&one["intent"]),
                        text(&one["error"])
                    ))
                })?;
            } else {
                print_line(&closing(&report, waiting.len()))?;
            }
        }
        Ok(ExitCode::from(u8::from(!waiting.is_empty() || !stuck.is_empty())))
    }
}

fn print_looked(looked: &[Value]) -> Result<(), Failure> {
    if looked.is_empty() {
        return Ok(());
    }
    let row = |one: &Value| {
        let note = one.get("review").or_else(|| one.get("error")).map(text).unwrap_or_default();
        let state = if one["from"] == one["to"] {
            text(&one["to"])
        } else {
            format!("{} → {}", text(&one["from"]), text(&one["to"]))
        };
        vec![
            text(&one["intent"]),
            text(&one["account"]),
            text(&one["operation"]),
            text(&one["reference"]),
            state,
            note,
        ]
    };
    let rows: Vec<Vec<String>> = looked.iter().map(row).collect();
    print_table(&["intent", "account", "operation", "reference", "state", ""], &rows)?;
    print_line("")
}

fn print_waiting(waiting: &[Value]) -> Result<(), Failure> {
    if waiting.is_empty() {
        return Ok(());
    }
    print_line(&format!("{} for a person to look at:", waiting.len()))?;
    for intent in waiting {
        let order = intent.get("order_id").unwrap_or(&intent["reference"]);
        let (account, state) = (text(&intent["account"]), text(&intent["state"]));
        print_line(&format!(
            "  {}  {account} {} ({state}): {}",
            text(&intent["id"]),
            text(order),
            text(&intent["review"])
        ))?;
    }
    print_line("Each in full: bayar journal show INTENT; decided by bayar journal resolve INTENT")?;
    print_line("")
}

fn closing(report: &Value, waiting: usize) -> String {
    let number = |name: &str| report[name].as_u64().unwrap_or(0);
    if number("looked") == 0 {
        return format!("nothing was due; {waiting} wait for a review");
    }
    format!(
        "looked at {}: {} settled, {} still open, {} could not be asked about; {waiting} wait for a review",
        number("looked"),
        number("settled"),
        number("waiting"),
        number("failed"),
    )
}
