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
use std::time::{Duration, Instant};

use bayar_provider::{
    Call, Class, Deduplication, Operation, ProviderError, Request, Response, Rupiah, SESSION, Status,
};
use serde_json::Value;

use crate::drive::Wire;
use crate::engine::{Account, Shared};
use crate::error::{Code, Error, Stage};
use crate::faults;
use crate::journal::{Attempt, Begun, End, Intent, Journal, Order, Said, Sent};
use crate::known;
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
    mut host: HostCall,
    wire: Wire,
) -> Result<Outcome, Error> {
    let operation = account.operation(&host.operation)?;
    if let Some(state) = host.known.as_deref().and_then(known::answer) {
        return state;
    }
    loop {
        let mut run = Run {
            engine: &engine,
            account: &account,
            operation,
            host: &host,
            wire: &wire,
            exchanges: 0,
            moved: 0,
            sent: host.after.clone(),
        };
        let end = match run.exchange_until_done().await {
            Ok(outcome) => Ok(run.envelope(outcome)),
            Err(Halt::Error(error)) => Err(run.sign(run.about_page(*error))),
            // The key was used by another caller meanwhile: its intent decides.
            Err(Halt::Known(intent)) => {
                return known::answer(&intent).unwrap_or_else(|| Err(run.sign(faster())));
            }
            Err(Halt::Taken) if host.named || !host.owns => return Err(run.sign(taken(&host.call.reference))),
            Err(Halt::Taken) => {
                host.rename(&engine)?;
                continue;
            }
        };
        return run.conclude(end);
    }
}

/// Why a call ends before it was sent, or with an error.
enum Halt {
    Error(Box<Error>),
    /// The intent of this key is another's.
    Known(Box<Intent>),
    /// The reference belongs to another order.
    Taken,
}

impl From<Error> for Halt {
    fn from(error: Error) -> Self {
        Halt::Error(Box::new(error))
    }
}

impl From<bayar_provider::Error> for Halt {
    fn from(error: bayar_provider::Error) -> Self {
        Halt::Error(Box::new(error.into()))
    }
}

/// One call under way.
struct Run<'a> {
    engine: &'a Shared,
    account: &'a Account,
    operation: &'a Operation,
    host: &'a HostCall,
    wire: &'a Wire,
    exchanges: u32,
    /// Requests of this call that move or change something and were recorded as `sending`.
    moved: u32,
    /// The last attempt that was recorded.
    sent: Option<Sent>,
}

impl Run<'_> {
    /// The loop over exchanges: it ends with the plugin's outcome, or with an error that
    /// knows whether the request may have been acted upon.
    async fn exchange_until_done(&mut self) -> Result<bayar_provider::Outcome, Halt> {
        let mut call = self.host.call.clone();
        let mut session = None;
        let mut renewed = false;
        let mut document = to_json(&call)?;
        let mut step = self.account.instance.prepare(&document)?;
        let mut last = Last::Nothing;
        loop {
            match step {
                Step::Done(outcome) => return Ok(self.check(*outcome, last)?),
                Step::Failed(error) => return Err(self.failed(error, last).into()),
                Step::Session(..) => {
                    return Err(defect("it answered a session where none was asked for", last.stage()).into());
                }
                Step::NeedsSession if renewed => return Err(self.session_refused(last).into()),
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
                    faults::step("call: prepared");
                    let sending = moves.then(|| self.record()).transpose()?;
                    faults::step("call: recorded");
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
                    faults::step("call: interpreted");
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
        let again = request.moves && self.moved > 0 && !matches!(last, Last::Answer { status: 401, .. });
        if again && matches!(self.operation.class, Class::Once | Class::Payable) {
            return Err(defect("it wanted to send a second request that moves money", Stage::MaybeSent));
        }
        Ok(())
    }

    /// Makes the intent and this attempt durable, before the first byte of the request.
    fn record(&mut self) -> Result<Sending, Halt> {
        let host = self.host;
        let kept = self.account.redactor.kept_call(&host.call);
        let left = host.deadline.saturating_duration_since(Instant::now());
        let begun = self.engine.journal.sending(&Attempt {
            scope: self.account.scope(),
            provider: &self.account.provider,
            operation: &self.operation.name,
            class: self.operation.class,
            owns: host.owns,
            key: &host.key,
            tenant: host.tenant.as_deref().unwrap_or_default(),
            digest: &host.digest,
            order_id: host.order_id.as_deref(),
            resend: kept.params == host.call.params,
            call: &kept,
            after: self.sent.as_ref(),
            lease_ms: i64::try_from((left + LEASE_MARGIN).as_millis()).unwrap_or(i64::MAX),
        })?;
        let sent = match begun {
            Begun::Sent(sent) => sent,
            Begun::Known(intent) => return Err(Halt::Known(intent)),
            Begun::Taken => return Err(Halt::Taken),
        };
        self.moved += 1;
        self.sent = Some(sent.clone());
        Ok(Sending { journal: Some(Arc::clone(&self.engine.journal)), sent })
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

    /// A change that the provider knows no order for, where our own charge made a page: what that means is
    /// said, for "not found" alone reads as if the order did not exist.
    fn about_page(&self, error: Error) -> Error {
        let by_reference = !self.host.call.params.get("provider_reference").is_some_and(Value::is_string);
        let changes = self.operation.about_order && self.operation.class != Class::Read;
        if error.code != Code::OrderNotFound || !changes || !by_reference {
            return error;
        }
        let order = Order::Reference(&self.host.call.reference);
        match self.engine.journal.of_order(self.account.scope(), &order) {
            Ok(Some(owner)) => known::page_not_begun(&owner, &self.operation.name, error),
            _ => error,
        }
    }

    fn sign(&self, error: Error) -> Error {
        let reference = Some(self.host.call.reference.clone()).filter(|r| !r.is_empty());
        Error { intent: Some(self.host.call.intent.clone()), reference, ..self.account.redactor.error(error) }
    }

    /// Makes the end durable before the host learns of it.
    fn conclude(&self, end: Result<Outcome, Error>) -> Result<Outcome, Error> {
        let recorded = match (&self.sent, &end) {
            (Some(sent), _) if self.moved > 0 => self.conclude_own(sent, &end),
            (_, Ok(outcome)) => self.learn(outcome),
            (_, Err(_)) => Ok(None),
        };
        match (recorded, end) {
            (Ok(Some(intent)), Ok(mut outcome)) => {
                known::present(&mut outcome, &intent);
                Ok(outcome)
            }
            (Ok(_), end) => end,
            (Err(error), Ok(outcome)) if self.moved > 0 => {
                Err(self.sign(Error { outcome: Some(Box::new(outcome)), ..error.at(Stage::Answered, false) }))
            }
            (Err(error), Ok(_)) => Err(self.sign(error)),
            // The error says more than that it could not be written: the intent stays `sending`.
            (Err(unwritten), Err(error)) => {
                log::error!(target: "bayar", "{}: the journal could not record how {} ended: {}", self.account.name, self.host.call.intent, unwritten.message);
                Err(error)
            }
        }
    }

    /// The end of this call's own intent; and what it says of the order, where another made that.
    fn conclude_own(&self, sent: &Sent, end: &Result<Outcome, Error>) -> Result<Option<Intent>, Error> {
        let journal = &self.engine.journal;
        match end {
            Ok(outcome) => {
                let kept = self.account.redactor.kept_outcome(outcome);
                let end = End::Outcome(&kept);
                let intent = match journal.concluded(sent, &end) {
                    // Reported, and nothing of ours was lost: the answer is not to be lost either.
                    Err(error) if error.code == Code::JournalOpenElsewhere => {
                        journal.concluded(sent, &end)?
                    }
                    result => result?,
                };
                if self.operation.about_order {
                    self.learn(outcome)?;
                }
                // The order may have been heard of before its own answer was: a fast callback.
                Ok(intent.filter(|intent| intent.state.status().is_some()))
            }
            Err(error) => journal.concluded(sent, &End::Error(error)).map(|_| None),
        }
    }

    /// What an exchange about an order that another intent made says of that one. Gives it where this
    /// call has no intent of its own.
    fn learn(&self, outcome: &Outcome) -> Result<Option<Intent>, Error> {
        let result = &outcome.result;
        let gives_back = self.operation.class.moves() && self.operation.name.starts_with("refund");
        if !self.operation.about_order || (result.status == Status::Done && !gives_back) {
            return Ok(None);
        }
        let named = self.host.call.params.get("provider_reference").and_then(Value::as_str);
        let order = match (result.reference.as_deref(), named) {
            (Some(reference), _) => Order::Reference(reference),
            (None, Some(named)) => Order::ProviderReference(named),
            (None, None) => return Ok(None),
        };
        let journal = &self.engine.journal;
        let refund = match gives_back {
            false => None,
            true => {
                let asked = self.host.call.params.get("amount").and_then(Rupiah::from_wire);
                let amount = match result.amount.or(asked) {
                    Some(amount) => i64::try_from(amount.get()).ok(),
                    // All of it.
                    None => {
                        journal.of_order(self.account.scope(), &order)?.and_then(|owner| owner.payable_amount)
                    }
                };
                Some((self.host.call.intent.as_str(), amount.unwrap_or_default()))
            }
        };
        let kept = self.account.redactor.kept_outcome(outcome);
        let said = Said { operation: &self.operation.name, refund, outcome: &kept };
        let owner = journal.learned(self.account.scope(), &order, &said)?;
        Ok(owner.filter(|_| self.moved == 0))
    }
}

/// How much longer than the call itself its lease is: for the journal's own commits.
const LEASE_MARGIN: Duration = Duration::from_secs(10);

fn faster() -> Error {
    Error::not_sent(Code::InProgress, "another caller is using this key just now")
}

fn taken(reference: &str) -> Error {
    let what = format!("the reference {reference:?} belongs to another order of this account");
    Error::not_sent(Code::Conflict, what).field("reference")
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
    sent: Sent,
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
            && let Err(error) = journal.concluded(&self.sent, &End::Abandoned)
        {
            log::error!(target: "bayar", "the journal could not record that {} was abandoned: {}", self.sent.intent, error.message);
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
