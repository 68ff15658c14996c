//! `bayar`: the command line.

mod backup;
mod commands;
mod daemon;
mod journal;
mod output;
mod reconcile;
mod records;
mod recover;
mod serve;
mod story;
mod when;

use std::process::ExitCode;

use clap::Parser;
use commands::{Cli, Command};

/// The gateway's many threads allocate at the same time, which glibc's allocator makes slow: a charge through the
/// gateway took an eighth more of the processor with it, and musl's is slower than that.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    // The gateway has a log of its own.
    if !matches!(cli.command, Command::Serve(_)) {
        output::log_to_stderr(cli.verbose);
    }
    match cli.run() {
        Ok(code) => code,
        Err(failure) => failure.report(),
    }
}

impl Cli {
    fn run(&self) -> Result<ExitCode, output::Failure> {
        match &self.command {
            Command::Call(call) => call.run(self),
            Command::Callback(callback) => callback.run(self),
            Command::Describe(describe) => describe.run(self),
            Command::Recover(recover) => recover.run(self),
            Command::Journal(journal) => journal.run(self),
            Command::Reconcile(reconcile) => reconcile.run(self),
            Command::Daemon(daemon) => daemon.run(self),
            Command::Serve(serve) => serve.run(self),
            Command::App(apps) => apps.run(self),
            Command::Backup(backup) => backup.run(self),
            Command::Doctor => commands::doctor(self),
            Command::Sandbox(sandbox) => sandbox.run(self),
            Command::Completions { shell } => {
                commands::completions(*shell)?;
                Ok(ExitCode::SUCCESS)
            }
        }
    }
}
