//! The way out to a provider: one HTTP/1.1 exchange, whole or failed, within a deadline.
//!
//! What matters most about a failed exchange is whether the other side may have read the
//! request. So everything that can fail beforehand is done beforehand: the request is
//! checked and written to memory, the connection is opened and its TLS handshake completed,
//! and only then are bytes of the request handed to it, and counted ([`Stage`]).
//!
//! - Nothing is ever sent twice: no retries, no redirects.
//! - An answer cut short never becomes a [`Response`].
//! - No threads. Nothing is opened before the first [`Transport::send`], and a forked child
//!   never touches its parent's connections.
//!
//! ureq speaks HTTP here: it writes requests, reads answers and keeps connections. The
//! connections are our own below it (`connection`, `connect`), for three things that its
//! errors do not tell or that it lets pass: whether a byte of the request was written, that
//! a body was cut by a reset, and how long what is around the body may get.
//!
//! For hosts in Rust: `ureq_proto` logs all bytes at level trace, credentials with them. Do
//! not enable trace for the target `ureq_proto`; the C interface never forwards it.

mod attempt;
mod body;
mod connect;
mod connection;
mod exchange;
mod failure;
mod options;
mod public;
mod target;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use bayar_provider::{Request, Response};
use rustls::ClientConfig;
use ureq::Agent;
use ureq::config::Config;

use crate::process::PerProcess;
use attempt::Attempt;
use connect::{NotYet, Opener};
use failure::Trouble;
use options::Settings;
use target::Target;

pub use failure::{Failure, Reason, Stage};
pub use options::{Options, OptionsError};
pub use public::is_public;
pub use target::origin_of;

/// How many connections are kept, over all origins.
const KEPT: usize = 16;
/// How long one is kept without use; common servers close them after 60 s or more.
const IDLE: Duration = Duration::from_secs(30);
/// The same for a request that must not meet a connection which is just being closed:
/// shorter than the shortest keep-alive time that common servers have (5 s).
const IDLE_FRESH: Duration = Duration::from_secs(2);

/// Sends requests, and keeps connections between them. To be shared by all threads.
pub struct Transport {
    settings: Arc<Settings>,
    here: PerProcess<Here>,
}

/// What belongs to one process: connections, and the keys to resume TLS sessions.
struct Here {
    tls: Arc<ClientConfig>,
    agent: ArcSwap<Agent>,
}

impl Transport {
    /// A transport with these options. Reads `ca_file`; opens no socket, starts no thread.
    ///
    /// # Errors
    /// An option that cannot be used, with what was found and what is expected.
    pub fn new(options: Options) -> Result<Transport, OptionsError> {
        Ok(Transport { settings: Arc::new(Settings::check(options)?), here: PerProcess::new() })
    }

    /// Sends one request, once, and returns its whole answer, whatever its status.
    ///
    /// With `fresh` the request does not go out on a connection that the other side may be
    /// closing at that moment: a kept one is only used if it was in use within the last two
    /// seconds. Every kept connection is looked at before it is used, `fresh` or not.
    ///
    /// # Errors
    /// [`Failure::stage`] says whether the request may have been received.
    pub fn send(&self, request: &Request, fresh: bool, deadline: Instant) -> Result<Response, Failure> {
        let target = Target::parse(&request.url)?;
        target.permitted(self.settings.allow_http)?;
        let message = exchange::to_http(request, &target, &self.settings.user_agent)?;

        let attempt = Attempt::begin();
        let agent = self.here().agent.load_full();
        let message = agent
            .configure_request(message)
            .timeout_global(Some(deadline.saturating_duration_since(Instant::now())))
            .max_idle_age(if fresh { IDLE_FRESH } else { IDLE })
            .build();
        let answer = match request.body.as_slice() {
            [] => agent.run(message),
            body => agent.run(message.map(|()| body)),
        };
        answer
            .map_err(|error| Trouble::from_ureq(error, attempt.stage()))
            .and_then(|answer| exchange::from_http(answer, &request.method, self.settings.body_cap, &attempt))
            .map_err(|trouble| trouble.at(attempt.stage(), &target.origin))
    }

    /// Closes the idle connections of this process; those in use are not touched. While
    /// there are some in use, the idle ones are closed as soon as those have done.
    pub fn forget_connections(&self) {
        if let Some(here) = self.here.peek() {
            let config = here.agent.load().config().clone();
            here.agent.store(Arc::new(self.agent(config, &here.tls)));
        }
    }

    fn here(&self) -> Arc<Here> {
        self.here.get(|| {
            let tls = self.settings.tls();
            Here { agent: ArcSwap::from_pointee(self.agent(self.config(), &tls)), tls }
        })
    }

    /// ureq with nothing of its own will: it follows, repeats, adds and decides nothing.
    fn config(&self) -> Config {
        Agent::config_builder()
            // In place of the environment's.
            .proxy(None)
            .http_status_as_error(false)
            .max_redirects(0)
            .allow_non_standard_methods(true)
            .user_agent("")
            .accept("")
            .accept_encoding("")
            .max_response_header_size(self.settings.header_cap)
            .max_idle_connections(KEPT)
            .max_idle_connections_per_host(KEPT)
            .max_idle_age(IDLE)
            .build()
    }

    fn agent(&self, config: Config, tls: &Arc<ClientConfig>) -> Agent {
        Agent::with_parts(config, Opener::new(Arc::clone(&self.settings), Arc::clone(tls)), NotYet)
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport").finish_non_exhaustive()
    }
}
