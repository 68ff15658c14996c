//! `bayar-provider`: all that Bayar's engine and its provider plugins agree on.
//!
//! No I/O, no clock, no randomness: a plugin is a set of pure functions over these types.

mod exchange;

pub use exchange::{Request, Response};
