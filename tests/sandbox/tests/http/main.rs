//! The sandbox over HTTP: every endpoint with its refusals, faults, callbacks, control calls.

mod biller;
mod common;
mod control;
mod core;
mod duitku;
mod duitku_common;
mod duitku_link;
mod faults;
mod gateway;
mod ipaymu;
mod klink;
mod klink_wallet;
mod notifications;
mod page;
mod snap;
mod template;
