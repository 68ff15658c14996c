//! Midtrans: Snap and the Core API with a server key, or a Midtrans HTTP gateway with an app code.
//!
//! | file | what stands there |
//! |---|---|
//! | `settings` | the settings, and the way to reach Midtrans that they make |
//! | `describe` | operations, channels, callback rules, with their sources |
//! | `charge` | Snap, and what Snap and direct charges share |
//! | `direct` | a direct charge of the Core API, per channel |
//! | `status` | the status query, and how a transaction is read |
//! | `change` | cancel, expire, approve, deny |
//! | `refund` | refund |
//! | `answer` | which answers are a no, and which leave the matter open |
//! | `callback`, `signature` | notifications |
//! | `gateway` | the same two operations through a gateway |

mod answer;
mod callback;
mod change;
mod charge;
mod describe;
mod direct;
mod gateway;
mod refund;
mod settings;
mod signature;
mod status;

use bayar_provider::{
    Call, Callback, Channels, Code, Description, Error, Event, Nothing, Outcome, Provider, Request, Response,
    Rupiah, Status, Step, log,
};
use serde::{Deserialize, Serialize};

pub use settings::Settings;
use settings::{Direct, Reach};

/// A Midtrans account.
pub struct Midtrans {
    reach: Reach,
}

/// What was sent, so that the answer is read as what it is and compared with what was asked.
#[derive(Serialize, Deserialize)]
#[serde(tag = "sent", rename_all = "snake_case")]
pub enum State {
    /// A Snap page was asked for, here or at a gateway.
    Page {
        /// What the payer is asked to pay.
        amount: Rupiah,
        /// Until when, if the host said so.
        expires_at: Option<String>,
    },
    /// A direct charge.
    Charge {
        /// What the payer is asked to pay.
        amount: Rupiah,
    },
    /// A question about, or a change of, one transaction.
    Transaction {
        /// Midtrans' own id, where the host named the transaction by it.
        transaction_id: Option<String>,
    },
    /// A refund.
    Refund {
        /// Midtrans' own id, where the host named the transaction by it.
        transaction_id: Option<String>,
        /// How much was asked back; none for all.
        amount: Option<Rupiah>,
        /// Our id of the refund.
        refund_key: String,
    },
}

impl Provider for Midtrans {
    type Settings = Settings;
    type State = State;

    fn describe(settings: Option<&Settings>) -> Description {
        describe::description(settings)
    }

    fn configure(settings: Settings) -> Result<Self, Error> {
        settings.reach().map(|reach| Midtrans { reach })
    }

    fn prepare(&self, call: &Call) -> Result<Step<State>, Error> {
        match (&self.reach, call.operation.as_str()) {
            (Reach::Direct(to), "charge") => charge::prepare(to, call),
            (Reach::Direct(to), "status") => status::prepare(to, call),
            (Reach::Direct(to), "cancel" | "expire" | "approve" | "deny") => change::prepare(to, call),
            (Reach::Direct(to), "refund") => refund::prepare(to, call),
            (Reach::Direct(_), "channels") => channels(call),
            (Reach::Gateway(to), "charge") => gateway::charge(to, call),
            (Reach::Gateway(to), "status") => gateway::status(to, call),
            (_, other) => Err(unsupported(other)),
        }
    }

    fn interpret(&self, call: &Call, state: State, response: &Response) -> Result<Step<State>, Error> {
        log::debug!("{} was answered with HTTP {}", call.operation, response.status);
        let outcome = match (&self.reach, state) {
            (Reach::Direct(from), State::Page { amount, expires_at }) => {
                charge::read_page(response, amount, expires_at, from.client_key.as_deref())
            }
            (Reach::Direct(from), State::Charge { amount }) => direct::read(from, call, response, amount),
            (Reach::Direct(from), State::Transaction { transaction_id }) => {
                status::read(from, call, response, transaction_id.as_deref())
            }
            (Reach::Direct(from), State::Refund { transaction_id, amount, refund_key }) => {
                let asked = refund::Asked { transaction_id, amount, refund_key };
                refund::read(from, call, response, &asked)
            }
            (Reach::Gateway(from), State::Page { amount, .. }) => gateway::read_page(from, response, amount),
            (Reach::Gateway(_), State::Transaction { .. }) => gateway::read_status(call, response),
            (Reach::Gateway(_), State::Charge { .. } | State::Refund { .. }) => {
                return Err(unsupported(&call.operation));
            }
        };
        outcome.map(Step::Done).map_err(|e| answer::attributed(e, response))
    }

    fn verify(&self, callback: &Callback) -> Result<Event, Error> {
        match &self.reach {
            Reach::Direct(from) => callback::verify(from, callback),
            Reach::Gateway(_) => Err(callback::refused(
                "this account goes through a gateway, which sends no callbacks of Midtrans",
            )),
        }
    }
}

/// The ways to pay that a charge can name. Answered from data: Midtrans has no such query.
fn channels(call: &Call) -> Result<Step<State>, Error> {
    let Nothing {} = call.read()?;
    let data = serde_json::to_value(Channels { channels: describe::channels() }).ok();
    Ok(Step::Done(Outcome { data, ..Outcome::answered(Status::Done) }))
}

fn unsupported(operation: &str) -> Error {
    Error::new(Code::Unsupported, format!("Midtrans, under these settings, has no operation {operation:?}"))
}

/// A request to Midtrans itself, with the headers that all of them carry.
fn request(to: &Direct, method: &str, url: String) -> Request {
    Request::new(method, url)
        .header("Accept", "application/json")
        .header("Authorization", to.authorization.expose())
}

/// A POST of a JSON document.
fn post<T: Serialize>(to: &Direct, url: String, body: &T) -> Result<Request, Error> {
    let body = serde_json::to_vec(body).map_err(|e| Error::new(Code::Internal, e.to_string()))?;
    Ok(request(to, "POST", url).header("Content-Type", "application/json").body(body))
}

/// Adds our idempotency key. It is global across endpoints and the body is not compared
/// (API Headers & Idempotency), so the operation is part of it. At most 46 characters: 32 + 1 + 6.
fn idempotent(request: Request, call: &Call) -> Request {
    match call.key_digest.as_str() {
        "" => request,
        digest => request.header("Idempotency-Key", format!("{digest}-{}", call.operation)),
    }
}
