//! `bayar daemon`: the engine for hosts that cannot load a library, over a Unix socket or over
//! standard input and output.

mod conversation;
mod message;
mod peers;
mod socket;

use std::io::{Write, stdin, stdout};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use crate::commands::Cli;
use crate::output::Failure;
use crate::records;
use conversation::{Answer, Conversation};
use message::End;

#[derive(Args)]
pub struct Daemon {
    /// The socket to listen at
    #[arg(short, long, default_value = "/run/bayar/bayar.sock", value_name = "PATH")]
    socket: PathBuf,
    /// The group that may connect, beside this user and root
    #[arg(short, long, value_name = "NAME")]
    group: Option<String>,
    /// A user that may connect; may be given several times
    #[arg(long, value_name = "NAME")]
    allow: Vec<String>,
    /// How many clients are served at once; others wait
    #[arg(long, default_value_t = 128, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    connections: u16,
    /// After so many seconds without a request a connection is closed
    #[arg(long, default_value_t = 300, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..))]
    idle: u32,
    /// Speak over standard input and output, with the program that started this one
    #[arg(long, conflicts_with_all = ["socket", "group", "allow", "connections", "idle"])]
    stdio: bool,
}

impl Daemon {
    pub fn run(&self, cli: &Cli) -> Result<ExitCode, Failure> {
        if self.stdio {
            return over_stdio(cli);
        }
        let engine = cli.engine()?;
        let allowed = peers::Allowed::of(self.group.as_deref(), &self.allow).map_err(Failure::Usage)?;
        let options = socket::Options {
            path: self.socket.clone(),
            allowed,
            connections: self.connections.into(),
            idle: Duration::from_secs(self.idle.into()),
        };
        socket::serve(engine, options).map_err(Failure::Usage)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// One conversation with the program that started this one, until it closes its end.
fn over_stdio(cli: &Cli) -> Result<ExitCode, Failure> {
    let mut conversation = match cli.config {
        Some(_) => Conversation::with(cli.engine()?),
        None => Conversation::without_engine(),
    };
    records::begin();
    let (mut from, mut to) = (stdin().lock(), stdout().lock());
    loop {
        match message::read(&mut from) {
            Ok(message) => answer(&mut to, &conversation.answer(message))?,
            Err(End::Closed) => return Ok(ExitCode::SUCCESS),
            Err(End::Broken(why)) => return Err(Failure::Usage(format!("standard input: {why}"))),
        }
    }
}

fn answer(to: &mut impl Write, answer: &Answer) -> Result<(), Failure> {
    message::write(to, answer).map_err(|e| Failure::Usage(format!("standard output: {e}")))
}
