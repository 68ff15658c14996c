//! HTTP itself: connections, what every request passes, who may call, and how often.

pub mod auth;
pub(crate) mod body;
pub(crate) mod client;
pub(crate) mod layers;
pub(crate) mod limits;
pub(crate) mod opened;
pub(crate) mod server;
mod slow;
pub(crate) mod tls;
