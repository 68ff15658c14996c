//! The commands, each a thin way to one function of the engine.

use std::io::Read;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use bayar::{Callback, Engine};
use bayar_gateway::config::{is_env, load};
use clap::{Args, CommandFactory, Parser, Subcommand};
use clap_complete::Shell;
use serde_json::{Map, Value, json};

use crate::backup::Backup;
use crate::daemon::Daemon;
use crate::journal::Journal;
use crate::output::{Failure, print_json, print_line, print_table};
use crate::reconcile::Reconcile;
use crate::recover::Recover;
use crate::serve::{Apps, Serve};

/// Takes payments through Indonesian providers, from the command line.
#[derive(Parser)]
#[command(name = "bayar", version, max_term_width = 100)]
pub struct Cli {
    /// The configuration file
    #[arg(short, long, global = true, env = "BAYAR_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The directory of the plugins, where no configuration names one
    #[arg(long, global = true, value_name = "DIR")]
    pub plugins: Option<PathBuf>,
    /// Log to standard error; twice for everything
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    /// Call an operation of an account: charge, status, cancel, refund, …
    ///
    /// Ends with 0 (an outcome), 1 (the provider said no), 2 (nothing was sent) or 3 (it may
    /// have been sent: ask for the status before anything else).
    Call(Call),
    /// Verify a callback that a provider sent, its body on standard input
    Callback(CallbackArgs),
    /// Show what plugins and accounts can do
    Describe(Describe),
    /// Look at payments whose end nobody heard, and ask the providers what became of them
    ///
    /// For cron and timers. Ends with 0 (nothing is left to do for people), 1 (something waits
    /// for a review, or its account cannot be asked) or 2 (nothing could be done).
    Recover(Recover),
    /// Look into the journal: payments and their stories, reviews, privacy, exports
    Journal(Journal),
    /// Compare the journal with a provider's own report
    ///
    /// Ends with 0 (all matched), 1 (there are differences) or 2 (nothing was compared).
    Reconcile(Reconcile),
    /// Serve the engine to local programs that cannot load the library
    ///
    /// Ends on SIGTERM and SIGINT, when the calls in flight have ended.
    Daemon(Daemon),
    /// Serve the engine over HTTP: the gateway
    ///
    /// The configuration is a bayar.toml, or an .env as the gateway's document has it. Ends on SIGTERM and
    /// SIGINT, when what is under way has ended.
    Serve(Serve),
    /// Who may call the gateway: applications and their keys
    App(Apps),
    /// Copy the journal, and the gateway's tables, while they are in use
    ///
    /// Prints the name of each copy; a copy is read from end to end before it counts. For databases in
    /// files: PostgreSQL has pg_dump.
    Backup(Backup),
    /// Examine the installation and the configuration, without sending anything
    Doctor,
    /// Run all providers, simulated, on this machine
    Sandbox(Sandbox),
    /// Print the completions of a shell
    Completions { shell: Shell },
}

#[derive(Args)]
pub struct Call {
    /// The account: a section [providers.NAME] of the configuration
    account: String,
    /// The operation, as `bayar describe` lists it
    operation: String,
    /// Parameters as a JSON object; - reads them from standard input
    #[arg(default_value = "{}")]
    params: String,
    /// One parameter; a value that is JSON is taken as such, anything else as text
    #[arg(short, long = "param", value_name = "NAME=VALUE")]
    param: Vec<String>,
    /// Your key of this payment: the same for every attempt, so that it is made once
    #[arg(short, long)]
    key: Option<String>,
}

#[derive(Args)]
pub struct CallbackArgs {
    /// The account that the callback is for
    account: String,
    /// The HTTP method that it came by
    #[arg(long, default_value = "POST")]
    method: String,
    /// The raw query string
    #[arg(long, default_value = "")]
    query: String,
    /// One header
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE")]
    header: Vec<String>,
    /// The address that it came from
    #[arg(long)]
    remote_addr: Option<String>,
}

#[derive(Args)]
pub struct Describe {
    /// Only this account
    account: Option<String>,
    /// The whole description as JSON, with the schemas of all parameters
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub struct Sandbox {
    /// Where to listen; port 0 takes any free port
    #[arg(short, long, default_value = bayar_sandbox::DEFAULT_LISTEN, value_name = "ADDR:PORT")]
    listen: SocketAddr,
    /// Replace a documented default: --set midtrans.server_key=…
    #[arg(long, value_name = "PROVIDER.NAME=VALUE")]
    set: Vec<String>,
    /// Print a bayar.toml that points at this sandbox, and end
    #[arg(long)]
    print_config: bool,
    /// Without a line for every request
    #[arg(short, long)]
    quiet: bool,
}

impl Cli {
    /// The engine of the configuration that was named.
    pub fn engine(&self) -> Result<Engine, Failure> {
        let file = self.config.as_ref().ok_or_else(|| {
            Failure::Usage("no configuration: give --config FILE or set BAYAR_CONFIG. `bayar sandbox --print-config` writes one to start with".to_owned())
        })?;
        let file = absolute(file)?;
        if is_env(&file) {
            return Ok(Engine::builder().open_parsed(load(&file)?.engine)?);
        }
        Ok(Engine::open(&json!({"file": file}).to_string())?)
    }

    /// The same, or one without accounts: for what works without a configuration.
    fn engine_if_configured(&self) -> Result<Engine, Failure> {
        if self.config.is_some() {
            return self.engine();
        }
        let mut engine = json!({"journal": "none"});
        if let Some(plugins) = &self.plugins {
            engine["plugins"] = json!(absolute(plugins)?);
        }
        Ok(Engine::open(&json!({"engine": engine}).to_string())?)
    }
}

fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path).map_err(|e| Failure::Usage(format!("{}: {e}", path.display())))
}

impl Call {
    pub fn run(&self, cli: &Cli) -> Result<ExitCode, Failure> {
        let text = if self.params == "-" { stdin()? } else { self.params.clone().into_bytes() };
        let params = bayar::strict_json(&text)
            .map_err(|e| Failure::Usage(format!("the parameters are not JSON: {e}")))?;
        let Value::Object(mut params) = params else {
            return Err(Failure::Usage(
                "the parameters must be a JSON object: {\"amount\": 150000}".to_owned(),
            ));
        };
        for pair in &self.param {
            let (name, value) = split(pair, '=', "--param", "NAME=VALUE")?;
            set(&mut params, name, serde_json::from_str(value).unwrap_or_else(|_| json!(value)));
        }
        if let Some(key) = &self.key {
            params.insert("key".to_owned(), json!(key));
        }
        let outcome = cli.engine()?.call(&self.account, &self.operation, Value::Object(params))?;
        print_json(&outcome)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// `customer.name` names a field inside an object.
fn set(params: &mut Map<String, Value>, name: &str, value: Value) {
    match name.split_once('.') {
        None => {
            params.insert(name.to_owned(), value);
        }
        Some((object, rest)) => {
            let inner = params.entry(object).or_insert_with(|| json!({}));
            if let Value::Object(inner) = inner {
                set(inner, rest, value);
            }
        }
    }
}

impl CallbackArgs {
    pub fn run(&self, cli: &Cli) -> Result<ExitCode, Failure> {
        let header = |text: &String| {
            split(text, ':', "--header", "NAME: VALUE")
                .map(|(name, value)| (name.to_owned(), value.trim_start().to_owned()))
        };
        let callback = Callback {
            method: self.method.to_uppercase(),
            query: self.query.clone(),
            headers: self.header.iter().map(header).collect::<Result<_, _>>()?,
            remote_addr: self.remote_addr.clone(),
            body: stdin()?,
            ..Callback::default()
        };
        print_json(&cli.engine()?.callback(&self.account, callback)?)?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Describe {
    pub fn run(&self, cli: &Cli) -> Result<ExitCode, Failure> {
        let engine = if self.account.is_some() { cli.engine()? } else { cli.engine_if_configured()? };
        let description = engine.describe(self.account.as_deref())?;
        if self.json {
            print_json(&description)?;
            return Ok(ExitCode::SUCCESS);
        }
        match &self.account {
            Some(_) => print_operations(&description)?,
            None => {
                for list in ["accounts", "plugins"] {
                    for one in description[list].as_array().into_iter().flatten() {
                        print_operations(one)?;
                        print_line("")?;
                    }
                }
                print_line("The parameters of each operation: bayar describe --json")?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn print_operations(one: &Value) -> Result<(), Failure> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    if let Some(error) = one.get("error") {
        return print_line(&format!("plugin {}: {}", text(&one["id"]), text(&error["message"])));
    }
    let account = one
        .get("account")
        .map_or_else(|| "plugin".to_owned(), |name| format!("account {}: plugin", text(name)));
    print_line(&format!(
        "{account} {} {} — {}",
        text(&one["id"]),
        text(&one["version"]),
        text(&one["summary"])
    ))?;
    let operations = one["operations"].as_array().into_iter().flatten();
    let rows: Vec<Vec<String>> = operations
        .map(|operation| ["name", "class", "summary"].iter().map(|field| text(&operation[*field])).collect())
        .collect();
    print_table(&["operation", "class", "what it does"], &rows)
}

/// Prints what the engine finds; ends with 1 where a finding is an error.
pub fn doctor(cli: &Cli) -> Result<ExitCode, Failure> {
    let outcome = cli.engine_if_configured()?.call(bayar::ENGINE_ACCOUNT, "doctor", json!({}))?;
    let report = outcome.result.data.unwrap_or_default();
    for name in ["version", "contract", "arch", "plugins", "time"] {
        print_line(&format!("{name:9} {}", report[name].as_str().unwrap_or("-")))?;
    }
    for account in report["accounts"].as_array().into_iter().flatten() {
        let field = |name: &str| account[name].as_str().unwrap_or("-").to_owned();
        print_line(&format!(
            "account   {} ({}, {})",
            field("account"),
            field("provider"),
            field("environment")
        ))?;
    }
    let findings: Vec<&Value> = report["findings"].as_array().into_iter().flatten().collect();
    for finding in &findings {
        print_line(&format!(
            "{:9} {}",
            finding["level"].as_str().unwrap_or("-"),
            finding["finding"].as_str().unwrap_or("-")
        ))?;
    }
    let failed = findings.iter().any(|finding| finding["level"] == "error");
    Ok(ExitCode::from(u8::from(failed)))
}

impl Sandbox {
    pub fn run(&self, cli: &Cli) -> Result<ExitCode, Failure> {
        let pair = |text: &String| {
            split(text, '=', "--set", "PROVIDER.NAME=VALUE")
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
        };
        let set = self.set.iter().map(pair).collect::<Result<_, _>>()?;
        let directory = cli.plugins.clone().or_else(bayar::plugins::default_directory);
        let plugins = directory.map(|directory| bayar::plugins::list(&directory));
        let options = bayar_sandbox::Options { listen: self.listen, set, quiet: self.quiet, plugins };
        options.check().map_err(|e| Failure::Usage(e.to_string()))?;
        if self.print_config {
            print_line(bayar_sandbox::print_config(&options).trim_end())?;
        } else {
            bayar_sandbox::run(options)
                .map_err(|e| Failure::Usage(format!("the sandbox cannot run on {}: {e}", self.listen)))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Prints the completions of a shell, for `source <(bayar completions bash)`.
pub fn completions(shell: Shell) -> Result<(), Failure> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "bayar", &mut text);
    print_line(String::from_utf8_lossy(&text).trim_end())
}

pub fn split<'a>(text: &'a str, at: char, option: &str, form: &str) -> Result<(&'a str, &'a str), Failure> {
    text.split_once(at).ok_or_else(|| Failure::Usage(format!("{option} {text}: expected {form}")))
}

fn stdin() -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    std::io::stdin()
        .read_to_end(&mut bytes)
        .map_err(|e| Failure::Usage(format!("standard input cannot be read: {e}")))?;
    Ok(bytes)
}
