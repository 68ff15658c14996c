//! One path, two drivers.
//!
//! `execute` and `callback` are written once, top to bottom, as `async` functions whose only
//! points of waiting are [`Wire::send`] and [`Wire::wait`]. There is no runtime: whoever drives
//! polls by hand. [`crate::Engine::call`] does what is needed itself and blocks; a host that
//! has its own HTTP (`bayar_op_*`) is told what is needed and comes back with it.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bayar_provider::{Request, Response};

use crate::transport::Failure;

/// What a path needs in order to go on.
#[derive(Debug)]
pub enum Need {
    /// This request sent, before the deadline.
    Http {
        /// The request.
        request: Request,
        /// Whether a kept connection must not be used if it may be half closed.
        fresh: bool,
        /// When the whole call ends.
        deadline: Instant,
        /// The largest body of an answer, in bytes after decoding.
        body_cap: usize,
    },
    /// Some time to pass, or another caller to finish.
    Wait(Duration),
}

/// What a driver came back with.
#[derive(Debug)]
pub enum Gave {
    /// The response.
    Response(Response),
    /// Why there is none.
    Failure(Failure),
    /// The time passed.
    Waited,
}

/// The path's end of the line between path and driver.
#[derive(Clone, Default)]
pub(crate) struct Wire(Arc<Mutex<Line>>);

#[derive(Default)]
struct Line {
    need: Option<Need>,
    gave: Option<Gave>,
}

impl Wire {
    /// Has a request sent.
    pub async fn send(
        &self,
        request: Request,
        fresh: bool,
        deadline: Instant,
        body_cap: usize,
    ) -> Result<Response, Failure> {
        match self.ask(Need::Http { request, fresh, deadline, body_cap }).await {
            Gave::Response(response) => Ok(response),
            Gave::Failure(failure) => Err(failure),
            Gave::Waited => unreachable!("Task::give refuses an answer that does not fit the need"),
        }
    }

    /// Waits.
    pub async fn wait(&self, at_most: Duration) {
        self.ask(Need::Wait(at_most)).await;
    }

    async fn ask(&self, need: Need) -> Gave {
        self.line(|line| line.need = Some(need));
        poll_fn(|_| self.line(|line| line.gave.take()).map_or(Poll::Pending, Poll::Ready)).await
    }

    fn line<T>(&self, change: impl FnOnce(&mut Line) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A path under way. Dropping it ends the path where it waits.
pub struct Task<T> {
    path: Pin<Box<dyn Future<Output = T> + Send>>,
    wire: Wire,
}

/// How far a path got.
#[derive(Debug)]
pub enum Progress<T> {
    /// It needs something.
    Need(Need),
    /// It is finished.
    Done(T),
}

impl<T> Task<T> {
    /// Starts a path; nothing of it runs before [`Task::advance`].
    pub(crate) fn new<F>(path: impl FnOnce(Wire) -> F) -> Self
    where
        F: Future<Output = T> + Send + 'static,
    {
        let wire = Wire::default();
        Task { path: Box::pin(path(wire.clone())), wire }
    }

    /// Runs the path until it needs something or is finished. After [`Progress::Done`] it must
    /// not be called again.
    pub fn advance(&mut self) -> Progress<T> {
        match self.path.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(result) => Progress::Done(result),
            Poll::Pending => {
                let need = self.wire.line(|line| line.need.take());
                Progress::Need(need.expect("a path waits only inside Wire::ask, which leaves its need"))
            }
        }
    }

    /// Hands over what the path needed.
    pub fn give(&mut self, gave: Gave) {
        self.wire.line(|line| line.gave = Some(gave));
    }
}
