//! `bayar`: a payment engine that a billing system embeds.
//!
//! ```no_run
//! use serde_json::json;
//!
//! let engine = bayar::Engine::open(r#"{"file": "/etc/bayar/bayar.toml"}"#)?;
//! let outcome = engine.call("midtrans", "charge", json!({
//!     "order_id": "INV-17", "amount": 150000, "key": "invoice-17-attempt-1",
//! }))?;
//! println!("{:?}", outcome.result.instruction);
//! # Ok::<(), bayar::Error>(())
//! ```
//!
//! The way out stands in `execute`, the way in in `callback`; both are driven by [`Engine`]
//! itself or, through [`Task`], by a host that sends HTTP with means of its own.

mod ambient;
mod callback;
pub mod config;
mod doctor;
mod drive;
mod engine;
mod error;
mod execute;
mod faults;
pub mod journal;
mod known;
mod outcome;
mod own;
pub mod plugins;
pub mod process;
mod reconcile;
mod recover;
mod redact;
mod registry;
mod request;
mod session;
pub mod transport;

pub use ambient::{Ambient, System, make_id};
pub use bayar_provider::json::strict as strict_json;
pub use bayar_provider::params::read as read_params;
pub use bayar_provider::{
    Acknowledgement, Callback, Evidence, Instruction, ProviderError, Request, Response, Rupiah, Status,
};
pub use drive::{Gave, Need, Progress, Task};
pub use engine::{Builder, ENGINE_ACCOUNT, Engine};
pub use error::{Code, Error, Stage};
pub use journal::database;
pub use outcome::Outcome;
pub use registry::open_shared;

/// The version of the engine.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
