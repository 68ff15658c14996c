//! Operations whose HTTP the host sends itself.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use engine::transport::{Failure, Reason, Stage};
use engine::{Error, Gave, Need, Outcome, Progress, Task};
use serde_json::{Value, json};

use crate::doc::bayar_doc;
use crate::logs::HandleLog;
use crate::{bayar_status, invalid, status};

/// An operation under way, to be driven by `bayar_op_next`. From one thread at a time.
///
/// To be freed with `bayar_op_free`, at any point: a request that was handed out by then may
/// have been sent, and is recorded so.
#[allow(non_camel_case_types, reason = "C's name")]
pub struct bayar_op {
    /// `None` once it is finished, or after it panicked.
    task: Option<Task<Result<Outcome, Error>>>,
    state: State,
    seq: u32,
    /// Records go to the handle that started it, as long as that lives.
    log: Weak<HandleLog>,
}

enum State {
    /// Nothing is needed: advance.
    Ready,
    /// A request was handed out.
    Http {
        document: Value,
        body: Vec<u8>,
        body_cap: usize,
    },
    /// To be advanced again at that time.
    Wait(Instant),
    Finished(bayar_status, Value),
}

impl bayar_op {
    pub(crate) fn new(task: Task<Result<Outcome, Error>>, log: &Arc<HandleLog>) -> Box<Self> {
        Box::new(bayar_op { task: Some(task), state: State::Ready, seq: 0, log: Arc::downgrade(log) })
    }

    pub(crate) fn log(&self) -> Option<Arc<HandleLog>> {
        self.log.upgrade()
    }

    /// What to do next. Asked again before it was done, the answer is the same.
    pub(crate) fn step(&mut self) -> (bayar_status, Box<bayar_doc>) {
        if let State::Wait(until) = self.state
            && until <= Instant::now()
        {
            self.give(Gave::Waited);
        }
        if matches!(self.state, State::Ready) {
            self.advance();
        }
        match &self.state {
            State::Http { document, body, .. } => {
                (status::NEED_HTTP, bayar_doc::with_body(document, body.clone()))
            }
            State::Wait(until) => {
                let after = until.saturating_duration_since(Instant::now()).as_millis() as u64;
                (status::WAIT, bayar_doc::new(&json!({"after_ms": after + 1})))
            }
            State::Finished(status, document) => (*status, bayar_doc::new(document)),
            State::Ready => unreachable!("advance leaves another state"),
        }
    }

    /// The response to request `seq`.
    pub(crate) fn response(
        &mut self,
        seq: u32,
        http_status: i32,
        headers: &[u8],
        body: &[u8],
    ) -> Result<(), Error> {
        let body_cap = self.expect_http(seq)?;
        let http_status = u16::try_from(http_status).ok().filter(|status| (100..1000).contains(status));
        let http_status = http_status.ok_or_else(|| invalid("http_status", "expected 100 to 999"))?;
        let headers = if headers.is_empty() { b"[]" } else { headers };
        let headers = serde_json::from_slice(headers)
            .map_err(|e| invalid("headers", &format!("expected JSON [[name, value], …]: {e}")))?;
        if body.len() > body_cap {
            let message = format!("the answer's body has {} bytes, the cap is {body_cap}", body.len());
            self.give(Gave::Failure(Failure {
                reason: Reason::BodyTooLarge,
                stage: Stage::MaybeSent,
                message,
            }));
        } else {
            self.give(Gave::Response(engine::Response { status: http_status, headers, body: body.to_vec() }));
        }
        Ok(())
    }

    /// Why there is no response to request `seq`.
    pub(crate) fn failure(&mut self, seq: u32, kind: i32, message: &str) -> Result<(), Error> {
        self.expect_http(seq)?;
        let stage = match kind {
            kind if kind == status::bayar_failure::BAYAR_NOT_SENT as i32 => Stage::NotSent,
            kind if kind == status::bayar_failure::BAYAR_MAYBE_SENT as i32 => Stage::MaybeSent,
            _ => return Err(invalid("kind", "expected BAYAR_NOT_SENT or BAYAR_MAYBE_SENT")),
        };
        let message = format!("the host could not complete the request: {message}");
        self.give(Gave::Failure(Failure { reason: Reason::Closed, stage, message }));
        Ok(())
    }

    fn expect_http(&self, seq: u32) -> Result<usize, Error> {
        match &self.state {
            State::Http { body_cap, .. } if seq == self.seq => Ok(*body_cap),
            State::Http { .. } => {
                Err(invalid("seq", &format!("found {seq}, the request that waits is {}", self.seq)))
            }
            _ => Err(invalid("seq", "no request waits: call bayar_op_next")),
        }
    }

    fn give(&mut self, gave: Gave) {
        if let Some(task) = &mut self.task {
            task.give(gave);
            self.state = State::Ready;
        }
    }

    fn advance(&mut self) {
        // Taken out while it runs: after a panic it must not be polled again.
        let Some(mut task) = self.task.take() else {
            self.state =
                finished(Err(Error::not_sent(engine::Code::Internal, "the operation failed before")));
            return;
        };
        self.state = match task.advance() {
            Progress::Done(end) => finished(end),
            Progress::Need(need) => {
                self.task = Some(task);
                self.needing(need)
            }
        };
    }

    fn needing(&mut self, need: Need) -> State {
        match need {
            Need::Wait(at_most) => State::Wait(Instant::now() + at_most),
            Need::Http { request, fresh, deadline, body_cap } => {
                self.seq += 1;
                let timeout: Duration = deadline.saturating_duration_since(Instant::now());
                let document = json!({
                    "seq": self.seq,
                    "method": request.method,
                    "url": request.url,
                    "headers": request.headers,
                    "moves": request.moves,
                    "fresh": fresh,
                    "timeout_ms": timeout.as_millis() as u64,
                    "body_cap": body_cap,
                });
                State::Http { document, body: request.body, body_cap }
            }
        }
    }
}

fn finished(end: Result<Outcome, Error>) -> State {
    match end {
        Ok(outcome) => State::Finished(status::OK, json!(outcome)),
        Err(error) => State::Finished(error.code as bayar_status, json!(error)),
    }
}
