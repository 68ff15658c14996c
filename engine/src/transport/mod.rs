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
//! rustls, socket2 and httparse do the work below. A whole HTTP client was measured and is not
//! used: ureq 3.5.1 returns `Ok` for a body that was cut by a reset, if it was one that lasts
//! until the connection ends, and for chunks that stop before the last line; its trace log has
//! every byte, credentials with them; and it changes the case of headers.

mod body;
mod connect;
mod connection;
mod exchange;
mod failure;
mod options;
mod pool;
mod target;

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use bayar_provider::{Request, Response};
use rustls::ClientConfig;

use crate::process::PerProcess;
use exchange::Limits;
use failure::Trouble;
use options::Settings;
use pool::Pool;
use target::Target;

pub use failure::{Failure, Reason, Stage};
pub use options::{Options, OptionsError};
pub use target::origin_of;

/// Sends requests, and keeps connections between them. To be shared by all threads.
pub struct Transport {
    settings: Settings,
    here: PerProcess<Here>,
}

/// What belongs to one process: connections, and the keys to resume TLS sessions.
struct Here {
    pool: Pool,
    tls: Arc<ClientConfig>,
}

impl Transport {
    /// A transport with these options. Reads `ca_file`; opens no socket, starts no thread.
    ///
    /// # Errors
    /// An option that cannot be used, with what was found and what is expected.
    pub fn new(options: Options) -> Result<Transport, OptionsError> {
        Ok(Transport { settings: Settings::check(options)?, here: PerProcess::new() })
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
        let bytes = exchange::to_bytes(request, &target, &self.settings.user_agent)?;

        let here = self.here();
        let kept = here.pool.take(&target.origin, fresh);
        let opened = kept.map_or_else(|| self.open(&here, &target, deadline), Ok);
        let mut connection = opened.map_err(|trouble| trouble.at(Stage::NotSent, &target.origin))?;

        connection.begin(deadline);
        match exchange::run(&mut connection, &bytes, &request.method, self.limits()) {
            Ok((response, keep)) => {
                if keep {
                    here.pool.put(target.origin, connection);
                }
                Ok(response)
            }
            Err(trouble) => Err(trouble.at(connection.stage(), &target.origin)),
        }
    }

    /// Closes the idle connections of this process; those in use are not touched.
    pub fn forget_connections(&self) {
        if let Some(here) = self.here.peek() {
            here.pool.clear();
        }
    }

    fn open(
        &self,
        here: &Here,
        target: &Target,
        deadline: Instant,
    ) -> Result<connection::Connection, Trouble> {
        let now = Instant::now();
        let opened = now.checked_add(self.settings.connect_timeout).unwrap_or(deadline).min(deadline);
        if opened <= now {
            return Err(Trouble::new(
                Reason::Timeout,
                "the deadline had passed before a connection was opened",
            ));
        }
        connect::open(&self.settings, &here.tls, target, opened)
    }

    fn here(&self) -> Arc<Here> {
        self.here.get(|| Here { pool: Pool::default(), tls: self.settings.tls() })
    }

    fn limits(&self) -> Limits {
        Limits { header: self.settings.header_cap, body: self.settings.body_cap }
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport").finish_non_exhaustive()
    }
}
