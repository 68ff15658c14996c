//! The way out: from a host's call to a provider's answer.
//!
//! ```text
//!   read ──► prepare ──► Send ──► journal: sending ──► HTTP ──► interpret ──► journal: concluded ──► host
//!                         ▲                                        │
//!                         └───────── one more request ◄────────────┤
//!   session ◄── needs one, or had one refused ◄────────────────────┘
//! ```
//!
//! Every exchange passes the same steps, and there is a limit to them.

use std::sync::Arc;
use std::time::Instant;

use bayar_provider::{
    Call, Class, Deduplication, Operation, ProviderError, Request, Response, Rupiah, SESSION,
};

use crate::drive::Wire;
use crate::engine::{Account, Shared};
use crate::error::{Code, Error, Stage};
use crate::journal::{Attempt, End, Journal};
use crate::outcome::Outcome;
use crate::plugins::Step;
use crate::request::HostCall;
use crate::session::{Session, Turn};
use crate::transport::{self, Failure, Reason, origin_of};

/// The most exchanges that one call may need, a session's included.
const MAX_EXCHANGES: u32 = 8;

/// Executes one call of a host, from its parameters to its outcome.
pub(crate) async fn execute(
    engine: Arc<Shared>,
    account: Arc<Account>,
    host: HostCall,
    wire: Wire,
) -> Result<Outcome, Error> {
    let operation = account.operation(&host.operation)?;
    let mut run = Run {
        engine: &engine,
        account: &account,
        operation,
        host: &host,
        wire: &wire,
        exchanges: 0,
        attempts: 0,
    };
    let end = run.exchange_until_done().await;
    let end = end.map(|outcome| run.envelope(outcome)).map_err(|error| run.sign(error));
    run.conclude(end)
}

/// One call under way.
struct Run<'a> {
    engine: &'a Shared,
    account: &'a Account,
    operation: &'a Operation,
    host: &'a HostCall,
    wire: &'a Wire,
    exchanges: u32,
    /// Requests that move or change something and were recorded as `sending`.
    attempts: u32,
}

impl Run<'_> {
    /// The loop over exchanges: it ends with the plugin's outcome, or with an error that
    /// knows whether the request may have been acted upon.
    async fn exchange_until_done(&mut self) -> Result<bayar_provider::Outcome, Error> {
        let mut call = self.host.call.clone();
        let mut session = None;
        let mut renewed = false;
        let mut document = to_json(&call)?;
        let mut step = self.account.instance.prepare(&document)?;
        let mut last = Last::Nothing;
        loop {
            match step {
                Step::Done(outcome) => return self.check(*outcome, last),
                Step::Failed(error) => return Err(self.failed(error, last)),
                Step::Session(..) => {
                    return Err(defect("it answered a session where none was asked for", last.stage()));
                }
                Step::NeedsSession if renewed => return Err(self.session_refused(last)),
                Step::NeedsSession => {
                    let refused = session.map(|session: Session| session.number);
                    renewed = refused.is_some();
                    let got = self.session(refused).await?;
                    call.session = Some(got.token.expose().to_owned());
                    session = Some(got);
                    document = to_json(&call)?;
                    step = self.account.instance.prepare(&document)?;
                }
                Step::Send(request, state) => {
                    let moves = request.moves || self.operation.class == Class::Change;
                    self.allow(&request, last)?;
                    let sending = moves.then(|| self.record()).transpose()?;
                    let response = self.exchange(request).await.map_err(|failure| self.lost(failure, moves));
                    if let Some(sending) = sending {
                        sending.answered();
                    }
                    let response = response?;
                    last = Last::Answer { moved: moves, status: response.status };
                    step = self
                        .account
                        .instance
                        .interpret(&document, &state, &response)
                        .map_err(|e| e.at(last.stage(), false))?;
                }
            }
        }
    }

    /// What must hold before a request may go out.
    fn allow(&mut self, request: &Request, last: Last) -> Result<(), Error> {
        self.exchanges += 1;
        if self.exchanges > MAX_EXCHANGES {
            let error = Error::not_sent(
                Code::TooManyExchanges,
                format!("the plugin wanted more than {MAX_EXCHANGES} exchanges for one call"),
            );
            return Err(error.at(last.stage(), false));
        }
        let origin = origin_of(&request.url).map_err(|failure| self.lost(failure, false))?;
        if !self.account.origins.contains(&origin) {
            let allowed = self.account.origins.join(", ");
            let error = Error::not_sent(
                Code::ForbiddenOrigin,
                format!("the plugin wanted to send to {origin}; allowed: {allowed}"),
            );
            return Err(error.at(last.stage(), false));
        }
        // At most one request that moves, unless the provider refused to look at the first (401).
        let again = request.moves && self.attempts > 0 && !matches!(last, Last::Answer { status: 401, .. });
        if again && matches!(self.operation.class, Class::Once | Class::Payable) {
            return Err(defect("it wanted to send a second request that moves money", Stage::MaybeSent));
        }
        Ok(())
    }

    /// Makes the intent and this attempt durable, before the first byte of the request.
    fn record(&mut self) -> Result<Sending, Error> {
        self.engine.journal.sending(&Attempt {
            account: &self.account.name,
            operation: &self.operation.name,
            intent: &self.host.call.intent,
            key: &self.host.key,
            tenant: self.host.tenant.as_deref(),
            reference: &self.host.call.reference,
            number: self.attempts + 1,
            call: &self.host.call,
        })?;
        self.attempts += 1;
        Ok(Sending { journal: Some(Arc::clone(&self.engine.journal)), intent: self.host.call.intent.clone() })
    }

    async fn exchange(&self, request: Request) -> Result<Response, Failure> {
        let fresh = matches!(self.operation.class, Class::Once | Class::Payable);
        log::debug!(target: "bayar", "{} {}: {} {}", self.account.name, self.operation.name, request.method, without_query(&request.url));
        let response = self.wire.send(request, fresh, self.host.deadline, self.account.http.body_cap()).await;
        match &response {
            Ok(response) => {
                log::debug!(target: "bayar", "{} {}: HTTP {}", self.account.name, self.operation.name, response.status)
            }
            Err(failure) => {
                log::warn!(target: "bayar", "{} {}: {failure}", self.account.name, self.operation.name)
            }
        }
        response
    }

    /// The session of this account: kept, or got by this caller for all of them.
    async fn session(&mut self, refused: Option<u64>) -> Result<Session, Error> {
        loop {
            match self.account.sessions.turn(refused, self.host.deadline) {
                Turn::Have(session) => return Ok(session),
                Turn::Wait(at_most) if Instant::now() < self.host.deadline => self.wire.wait(at_most).await,
                Turn::Wait(_) => {
                    return Err(Error::not_sent(
                        Code::Timeout,
                        "the deadline passed while another caller was logging in",
                    ));
                }
                Turn::Lead(leader) => {
                    let (token, expires_in) = self.log_in().await?;
                    return Ok(leader.keep(token, expires_in));
                }
            }
        }
    }

    /// Runs the plugin's reserved operation `session`. It moves nothing.
    async fn log_in(&mut self) -> Result<(bayar_provider::Secret, Option<u64>), Error> {
        let call = Call {
            operation: SESSION.to_owned(),
            params: serde_json::json!({}),
            session: None,
            ..self.host.call.clone()
        };
        let document = to_json(&call)?;
        let mut step = self.account.instance.prepare(&document)?;
        let mut last = Last::Nothing;
        loop {
            match step {
                Step::Session(token, expires_in) => return Ok((token, expires_in)),
                Step::Send(request, state) if !request.moves => {
                    self.allow(&request, last)?;
                    let response = self
                        .exchange(request)
                        .await
                        .map_err(|failure| self.lost(failure, false).at(Stage::NotSent, true))?;
                    last = Last::Answer { moved: false, status: response.status };
                    step = self.account.instance.interpret(&document, &state, &response)?;
                }
                Step::Failed(error) => return Err(self.failed(error, last).at(Stage::NotSent, false)),
                Step::Send(..) | Step::Done(_) | Step::NeedsSession => {
                    return Err(defect("logging in gave something else than a session", Stage::NotSent));
                }
            }
        }
    }

    fn session_refused(&self, last: Last) -> Error {
        let provider = ProviderError { http_status: last.status(), ..ProviderError::default() };
        let error = bayar_provider::Error::new(
            Code::Unauthorized,
            "the provider refused a session that it had just given",
        );
        // Not acted upon, whatever the request was.
        Error::of_plugin(error.provider(provider), Stage::Answered, false)
    }

    /// An exchange that gave no whole answer.
    fn lost(&self, failure: Failure, moved: bool) -> Error {
        let maybe_sent = failure.stage == transport::Stage::MaybeSent;
        let code = match failure.reason {
            _ if maybe_sent && moved => Code::OutcomeUnknown,
            Reason::InvalidUrl | Reason::InvalidRequest | Reason::Insecure => Code::ForbiddenOrigin,
            Reason::Tls => Code::Tls,
            Reason::Timeout => Code::Timeout,
            Reason::Protocol | Reason::HeaderTooLarge | Reason::BodyTooLarge | Reason::Encoding => {
                Code::Protocol
            }
            _ => Code::Network,
        };
        let stage = if maybe_sent { Stage::MaybeSent } else { Stage::NotSent };
        Error::not_sent(code, failure.message)
            .at(stage, self.repeatable(stage) && code != Code::ForbiddenOrigin)
    }

    /// The plugin read the answer as a failure, or found before sending that the call cannot be made.
    fn failed(&self, error: bayar_provider::Error, last: Last) -> Error {
        let Last::Answer { moved, status } = last else {
            return Error::from(error);
        };
        let unclear = matches!(
            error.code,
            Code::OutcomeUnknown | Code::Protocol | Code::Network | Code::Timeout | Code::Internal
        );
        let code = if unclear && moved { Code::OutcomeUnknown } else { error.code };
        let stage = if unclear && moved { Stage::MaybeSent } else { Stage::Answered };
        let retry = unclear && self.repeatable(stage);
        let mut provider = error.provider.unwrap_or_default();
        provider.http_status = provider.http_status.or(Some(status));
        Error::of_plugin(bayar_provider::Error { code, provider: Some(provider), ..error }, stage, retry)
    }

    /// Whether the same call may be made again now: nothing was sent, nothing moves, or the
    /// provider is proven to recognise the key.
    fn repeatable(&self, stage: Stage) -> bool {
        stage == Stage::NotSent
            || self.operation.class == Class::Read
            || (self.operation.class == Class::Keyed && self.operation.deduplication == Deduplication::Proven)
    }

    /// Compares what the provider echoes with what was asked. Another order's answer is no
    /// answer; another amount is one for a person to look at.
    fn check(
        &self,
        mut outcome: bayar_provider::Outcome,
        last: Last,
    ) -> Result<bayar_provider::Outcome, Error> {
        let asked = &self.host.call.reference;
        if let Some(echo) = outcome.reference.as_ref().filter(|echo| !asked.is_empty() && *echo != asked) {
            let error = bayar_provider::Error::new(
                Code::Protocol,
                format!("the provider answered for the order {echo:?}, asked was {asked:?}"),
            );
            return Err(self.failed(error, last));
        }
        let amount = self.host.call.params.get("amount").and_then(Rupiah::from_wire);
        if let (true, Some(asked), Some(found)) = (self.operation.name == "charge", amount, outcome.amount)
            && asked != found
        {
            outcome.review.get_or_insert_with(|| {
                format!("the provider answered an amount of {found}, asked was {asked}")
            });
        }
        Ok(outcome)
    }

    fn envelope(&self, mut result: bayar_provider::Outcome) -> Outcome {
        self.account.redactor.value(&mut result.raw);
        result.data.iter_mut().for_each(|data| self.account.redactor.value(data));
        let reference = &self.host.call.reference;
        if result.reference.is_none() && !reference.is_empty() {
            result.reference = Some(reference.clone());
        }
        Outcome {
            account: self.account.name.clone(),
            provider: self.account.provider.clone(),
            operation: self.operation.name.clone(),
            intent: self.host.call.intent.clone(),
            order_id: self.host.order_id.clone().or_else(|| result.reference.clone()),
            tenant: self.host.tenant.clone(),
            result,
            acknowledgement: None,
        }
    }

    fn sign(&self, error: Error) -> Error {
        let reference = Some(self.host.call.reference.clone()).filter(|r| !r.is_empty());
        Error { intent: Some(self.host.call.intent.clone()), reference, ..self.account.redactor.error(error) }
    }

    /// Makes the end durable before the host learns of it.
    fn conclude(&self, end: Result<Outcome, Error>) -> Result<Outcome, Error> {
        if self.attempts == 0 {
            return end;
        }
        let recorded = match &end {
            Ok(outcome) => self.engine.journal.concluded(&self.host.call.intent, End::Outcome(outcome)),
            Err(error) => self.engine.journal.concluded(&self.host.call.intent, End::Error(error)),
        };
        match (recorded, end) {
            (Ok(()), end) => end,
            (Err(error), Ok(outcome)) => {
                Err(self.sign(Error { outcome: Some(Box::new(outcome)), ..error.at(Stage::Answered, false) }))
            }
            // The error says more than that it could not be written: the intent stays `sending`.
            (Err(unwritten), Err(error)) => {
                log::error!(target: "bayar", "{}: the journal could not record how {} ended: {}", self.account.name, self.host.call.intent, unwritten.message);
                Err(error)
            }
        }
    }
}

/// The last thing heard from the provider.
#[derive(Clone, Copy)]
enum Last {
    Nothing,
    Answer { moved: bool, status: u16 },
}

impl Last {
    fn stage(self) -> Stage {
        match self {
            Last::Nothing => Stage::NotSent,
            Last::Answer { moved: true, .. } => Stage::MaybeSent,
            Last::Answer { moved: false, .. } => Stage::Answered,
        }
    }

    fn status(self) -> Option<u16> {
        match self {
            Last::Nothing => None,
            Last::Answer { status, .. } => Some(status),
        }
    }
}

/// A recorded attempt whose request is out. Dropped before it was answered (a host freed its
/// operation), it is recorded as abandoned: it may have been sent.
struct Sending {
    journal: Option<Arc<dyn Journal>>,
    intent: String,
}

impl Sending {
    /// The exchange ended; its end is recorded by `conclude`.
    fn answered(mut self) {
        self.journal = None;
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        if let Some(journal) = self.journal.take()
            && let Err(error) = journal.concluded(&self.intent, End::Abandoned)
        {
            log::error!(target: "bayar", "the journal could not record that {} was abandoned: {}", self.intent, error.message);
        }
    }
}

fn to_json(call: &Call) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(call)
        .map_err(|e| Error::not_sent(Code::Internal, format!("the call cannot be written as JSON: {e}")))
}

fn defect(what: &str, stage: Stage) -> Error {
    Error::not_sent(Code::PluginFailed, format!("the plugin broke the contract: {what}")).at(stage, false)
}

/// A query may carry personal data or tokens.
fn without_query(url: &str) -> &str {
    url.split('?').next().unwrap_or(url)
}
