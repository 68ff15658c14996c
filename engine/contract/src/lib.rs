//! `bayar-provider`: all that Bayar's engine and its provider plugins agree on.
//!
//! No I/O, no clock, no randomness. A provider implements [`Provider`] with plain types; the
//! crate that makes a plugin of it says [`export_provider!`] and nothing else. How the two
//! meet across a dynamic library stands in one file, [`abi`].

pub mod abi;
mod call;
mod callback;
mod charge;
mod describe;
mod error;
mod exchange;
pub mod form;
pub mod json;
pub mod money;
mod outcome;
pub mod params;
mod provider;
mod secret;
pub mod time;

pub use call::{Call, SESSION};
pub use callback::{Acknowledgement, Callback, Event};
pub use charge::{Charge, Currency, Customer, Item, Nothing, Refund, Which};
pub use describe::{
    CONTRACT, CallbackRules, Channel, Channels, Class, Deduplication, Description, Notice, Operation,
    ReferenceRule, Settlement, schema,
};
pub use error::{Code, Error, ProviderError, Stage};
pub use exchange::{Request, Response};
pub use money::Rupiah;
pub use outcome::{Delivery, Evidence, Instruction, Outcome, Status};
pub use provider::{Provider, Step};
pub use secret::{Secret, Wiped};

#[doc(no_inline)]
pub use {jiff, log, rust_decimal::Decimal, schemars, serde, serde_json};
