//! `bayar-gateway`: Bayar over HTTP, for billing systems that embed nothing. `bayar serve` runs it.
//!
//! | module | what stands there |
//! |---|---|
//! | `config`, `env` | the section `[gateway]` of `bayar.toml`, and the document's `.env` |
//! | `gateway` | what all parts work with: engine, store, settings, places for calls |
//! | `http` | connections, what every request passes, who may call and how often |
//! | `calls` | what an application may call |
//! | `drafts` | what is said of an application, checked |
//! | `tell` | telling applications what changed |
//! | `callbacks` | callbacks of providers |
//! | `deliver` | callbacks to applications |
//! | `background` | what goes on without being asked |
//! | `document` | `/charge` and `/status`, as the gateway's document has them |
//! | `v1` | API v1, and its OpenAPI document |
//! | `store`, `seal` | applications, their keys, what they are told; secrets sealed |
//! | `dashboard` | pages for people |
//! | `pay` | pages for payers |
//! | `setup` | the first of them, at the terminal |
//! | `mail` | telling people of payments that wait for them |
//! | `problem` | what is answered where there is no outcome |
//! | `logs`, `metrics` | what is written and counted |

mod background;
mod callbacks;
mod calls;
pub mod config;
mod dashboard;
mod deliver;
mod document;
pub mod drafts;
mod env;
pub mod gateway;
mod http;
mod logs;
mod mail;
mod metrics;
mod ops;
mod pay;
pub mod problem;
mod run;
mod seal;
mod setup;
pub mod store;
mod tell;
mod v1;

pub use run::run;
pub use setup::setup;

/// Opens the gateway's tables without serving: for what is done at the terminal.
///
/// # Errors
/// What the configuration makes impossible.
pub fn open_store(loaded: &config::Loaded) -> Result<store::Store, bayar::Error> {
    store::Store::new(&loaded.database, seal::Seal::open(&loaded.settings, &loaded.database)?)
}
