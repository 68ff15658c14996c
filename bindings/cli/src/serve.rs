//! `bayar serve` and `bayar app`: the HTTP gateway, and who may call it.

use std::path::PathBuf;
use std::process::ExitCode;

use bayar_gateway::config::{Loaded, load};
use bayar_gateway::drafts;
use bayar_gateway::gateway::Gateway;
use bayar_gateway::store::Store;
use bayar_gateway::store::apps::{App, Draft};
use bayar_gateway::store::audit::By;
use clap::{Args, Subcommand};

use crate::commands::Cli;
use crate::output::{Failure, print_line, print_table};
use crate::when;

#[derive(Args)]
pub struct Serve {
    /// Print the address that each account's provider is to send callbacks to, and end
    #[arg(long)]
    print_callbacks: bool,
    /// Make an owner of the dashboard, asking at this terminal, and end
    #[arg(long, conflicts_with = "print_callbacks")]
    setup: bool,
}

#[derive(Args)]
pub struct Apps {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Make an application and its first key, which is shown this once
    Create {
        /// Its code: X-App-Code
        code: String,
        #[command(flatten)]
        options: Options,
    },
    /// Change what is said of an application; what is not named stays
    Change {
        /// Its code
        code: String,
        #[command(flatten)]
        options: Options,
    },
    /// List applications and their keys
    List,
    /// Make another key, which is shown this once; the ones before it end after a while
    Key {
        /// The application's code
        code: String,
        /// For how many hours the keys before stay valid; without it they stay until they are revoked
        #[arg(long, value_name = "N")]
        grace_hours: Option<u16>,
    },
    /// Have a key open nothing any more
    Revoke {
        /// The key's id, as `list` shows it
        key: String,
    },
    /// Show what signs an application's callbacks
    Secret {
        /// The application's code
        code: String,
        /// Make a new one; the one before signs beside it for a day
        #[arg(long)]
        rotate: bool,
    },
    /// Have an application's keys open nothing for now
    Stop {
        /// The application's code
        code: String,
    },
    /// Have them open again
    Start {
        /// The application's code
        code: String,
    },
}

#[derive(Args)]
struct Options {
    /// For people: payers see it where they pay
    #[arg(long)]
    name: Option<String>,
    /// The account that it charges through unless a request names another
    #[arg(long)]
    account: Option<String>,
    /// The channel, likewise
    #[arg(long)]
    channel: Option<String>,
    /// The accounts that it may use, with commas between them; * for all
    #[arg(long, value_delimiter = ',', value_name = "NAME,…")]
    accounts: Option<Vec<String>>,
    /// What it may call beyond charge, status, cancel, refund and channels; * for everything
    #[arg(long, value_delimiter = ',', value_name = "NAME,…")]
    operations: Option<Vec<String>>,
    /// Where it is told what changed; empty for nowhere
    #[arg(long, value_name = "URL")]
    callback_url: Option<String>,
}

impl Serve {
    pub fn run(&self, cli: &Cli) -> Result<ExitCode, Failure> {
        let loaded = loaded(cli)?;
        if self.print_callbacks {
            return print_callbacks(loaded);
        }
        if self.setup {
            bayar_gateway::setup(&loaded, &operator()).map_err(Failure::told)?;
            return Ok(ExitCode::SUCCESS);
        }
        bayar_gateway::run(loaded).map_err(Failure::told)?;
        Ok(ExitCode::SUCCESS)
    }
}

fn loaded(cli: &Cli) -> Result<Loaded, Failure> {
    let file: &PathBuf = cli.config.as_ref().ok_or_else(|| {
        let what = "no configuration: give --config FILE (bayar.toml, or an .env) or set BAYAR_CONFIG";
        Failure::Usage(what.to_owned())
    })?;
    load(file).map_err(Failure::told)
}

fn print_callbacks(loaded: Loaded) -> Result<ExitCode, Failure> {
    let gateway = Gateway::open(loaded).map_err(Failure::told)?;
    gateway.store.check_key().map_err(Failure::told)?;
    if gateway.settings.public_url.is_none() {
        let what = "public_url is not set in [gateway]: it is not known how providers reach this gateway";
        return Err(Failure::Usage(what.to_owned()));
    }
    let mut rows = Vec::new();
    for name in gateway.accounts.keys() {
        let url = gateway.callback_url(name).map_err(Failure::told)?.unwrap_or_default();
        rows.push(vec![name.clone(), url]);
    }
    print_table(&["account", "callbacks"], &rows)?;
    Ok(ExitCode::SUCCESS)
}

impl Apps {
    pub fn run(&self, cli: &Cli) -> Result<ExitCode, Failure> {
        let loaded = loaded(cli)?;
        let store = bayar_gateway::open_store(&loaded).map_err(Failure::told)?;
        store.check_key().map_err(Failure::told)?;
        self.what.run(&store, loaded).map(|()| ExitCode::SUCCESS)
    }
}

impl What {
    fn run(&self, store: &Store, loaded: Loaded) -> Result<(), Failure> {
        let by = operator();
        // Against the accounts that there are, which takes their plugins.
        let checked = |draft: Draft| {
            let gateway = Gateway::open(loaded).map_err(Failure::told)?;
            drafts::check(&gateway, &draft).map_err(Failure::told)?;
            Ok::<_, Failure>(draft)
        };
        match self {
            What::Create { code, options } => {
                let everything = Draft { accounts: vec!["*".to_owned()], ..Draft::default() };
                let draft = checked(options.onto(everything))?;
                store.create_app(code, &draft, &by).map_err(Failure::told)?;
                let (key, secret) = store.create_key(code, None, &by).map_err(Failure::told)?;
                print_line(&format!("X-App-Code: {code}"))?;
                print_line(&format!("X-Api-Key: {}", secret.expose()))?;
                print_line(&format!("The key ({}) is shown this once.", key.id))
            }
            What::Change { code, options } => {
                let app = store.app(code).map_err(Failure::told)?.ok_or_else(|| no_app(code))?;
                let draft = checked(options.onto(draft(app)))?;
                store.change_app(code, &draft, &by).map_err(Failure::told)?;
                print_line(&format!("{code} is changed"))
            }
            What::List => list(store),
            What::Key { code, grace_hours } => {
                let grace = grace_hours.map(|hours| i64::from(hours) * 3_600_000);
                let (key, secret) = store.create_key(code, grace, &by).map_err(Failure::told)?;
                print_line(&format!("X-Api-Key: {}", secret.expose()))?;
                print_line(&format!("The key ({}) is shown this once.", key.id))
            }
            What::Revoke { key } => {
                store.revoke_key(key, &by).map_err(Failure::told)?;
                print_line(&format!("{key} opens nothing any more"))
            }
            What::Secret { code, rotate } => {
                store.app(code).map_err(Failure::told)?.ok_or_else(|| no_app(code))?;
                if *rotate {
                    store.new_webhook_secret(code, 24 * 3_600_000, &by).map_err(Failure::told)?;
                }
                let secrets = store.webhook_secrets(code).map_err(Failure::told)?;
                secrets.iter().try_for_each(|secret| print_line(secret.expose()))
            }
            What::Stop { code } => {
                store.stop_app(code, true, &by).map_err(Failure::told)?;
                print_line(&format!("the keys of {code} open nothing now"))
            }
            What::Start { code } => {
                store.stop_app(code, false, &by).map_err(Failure::told)?;
                print_line(&format!("the keys of {code} open again"))
            }
        }
    }
}

impl Options {
    /// What is named here over what was there.
    fn onto(&self, draft: Draft) -> Draft {
        let some = |text: &Option<String>, before: Option<String>| match text {
            Some(text) => Some(text.clone()).filter(|text| !text.is_empty()),
            None => before,
        };
        Draft {
            name: self.name.clone().unwrap_or(draft.name),
            account: some(&self.account, draft.account),
            channel: some(&self.channel, draft.channel),
            accounts: self.accounts.clone().unwrap_or(draft.accounts),
            operations: self.operations.clone().unwrap_or(draft.operations),
            callback_url: some(&self.callback_url, draft.callback_url),
        }
    }
}

fn draft(app: App) -> Draft {
    Draft {
        name: app.name,
        account: app.account,
        channel: app.channel,
        accounts: app.accounts,
        operations: app.operations,
        callback_url: app.callback_url,
    }
}

fn list(store: &Store) -> Result<(), Failure> {
    let keys = store.keys(None).map_err(Failure::told)?;
    let mut rows = Vec::new();
    for app in store.apps().map_err(Failure::told)? {
        let own: Vec<_> = keys.iter().filter(|key| key.app == app.code).collect();
        let state = if app.stopped_ms.is_some() { "stopped" } else { "" };
        if own.is_empty() {
            rows.push(row(&app.code, "", "", "", "", state));
        }
        for key in own {
            let until = key.until_ms.map(when::show).unwrap_or_default();
            let used = key.used_ms.map(when::show).unwrap_or_default();
            rows.push(row(&app.code, &key.id, &format!("…{}", key.hint), &used, &until, state));
        }
    }
    print_table(&["application", "key", "ends with", "last used", "valid until", ""], &rows)
}

fn row(app: &str, key: &str, hint: &str, used: &str, until: &str, state: &str) -> Vec<String> {
    [app, key, hint, used, until, state].map(str::to_owned).to_vec()
}

fn no_app(code: &str) -> Failure {
    Failure::Usage(format!("there is no application {code:?}: bayar app list"))
}

/// Whoever sits at the terminal, as the audit log has it.
fn operator() -> By {
    let name = ["SUDO_USER", "USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok());
    By::operator(&format!("{}@terminal", name.unwrap_or_else(|| "somebody".to_owned())))
}
