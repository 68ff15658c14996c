//! The sandbox: every provider that Bayar speaks, simulated on one port, each under its own
//! path (`/midtrans`, `/template`, …).
//!
//! It is written from the providers' documents and never from Bayar's plugins: what checks a
//! signature here shares no line with what makes it there.
//!
//! - [`provider`]: what one simulated provider is; the one file to write for a new one
//! - `ledger`: what was really executed, and everything that arrived and left
//! - `faults`: delays, resets, cut answers, asked for over `/_sandbox/faults`
//! - `control`, `page`: the same acts for scripts and for people
//!
//! Nothing here may ever move money: callbacks go to this machine only.

mod callbacks;
mod checkout;
mod control;
mod faults;
mod ledger;
mod line;
mod page;
pub mod provider;
mod qris;
mod raw;
mod server;
mod settings;
pub mod tools;

/// The simulators, listed by the build script from the files of `src/providers/`.
mod providers {
    use crate::provider::Provider;
    include!(concat!(env!("OUT_DIR"), "/providers.rs"));
}

use std::io;
use std::net::SocketAddr;

pub use server::Sandbox;

/// Where the sandbox listens when nobody says otherwise.
pub const DEFAULT_LISTEN: &str = "127.0.0.1:8400";

/// What `bayar sandbox` was asked for.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where to listen; port 0 takes any free port.
    pub listen: SocketAddr,
    /// Settings that replace the documented defaults: `("midtrans.server_key", "…")`.
    pub set: Vec<(String, String)>,
    /// Without a line on standard error for every request.
    pub quiet: bool,
    /// The plugins that are there: [`print_config`] leaves the others' providers out.
    pub plugins: Option<Vec<String>>,
}

impl Default for Options {
    fn default() -> Self {
        let listen = SocketAddr::from(([127, 0, 0, 1], 8400));
        Self { listen, set: Vec::new(), quiet: false, plugins: None }
    }
}

impl Options {
    /// Refuses a `--set` that no provider knows, naming those it does.
    pub fn check(&self) -> io::Result<()> {
        settings::Settings::resolve(&providers::all(), &self.set).map(|_| ())
    }
}

/// Runs the sandbox on this thread until the process ends.
///
/// The first line on standard output is `listening on http://127.0.0.1:PORT`, flushed, so
/// that a script that asked for port 0 learns the port.
pub fn run(options: Options) -> io::Result<()> {
    server::run(&options)
}

/// A `bayar.toml` with every provider whose plugin is there, pointed at a sandbox that listens as
/// `options` say.
///
/// A setting that no provider knows is left out; [`Options::check`] says so beforehand.
pub fn print_config(options: &Options) -> String {
    let mut providers = providers::all();
    let set: Vec<_> =
        options.set.iter().filter(|pair| settings::known(&providers, &pair.0)).cloned().collect();
    let settings = settings::Settings::resolve(&providers, &set).expect("unknown settings were left out");
    providers.retain(|provider| {
        options.plugins.as_ref().is_none_or(|there| there.iter().any(|id| id == provider.id()))
    });
    settings::config(&providers, &settings, &settings::base_url(options.listen))
}
