//! `bayar`: a payment engine that a billing system embeds.

pub mod process;
pub mod transport;
