//! iPaymu v2: payment pages, direct payments, cash on delivery.
//!
//! | file | what stands there |
//! |---|---|
//! | `settings` | the settings |
//! | `describe` | operations, callback rules, with their sources |
//! | `channels` | ways to pay, and the list that iPaymu gives |
//! | `options` | what only iPaymu has in a charge, and where each of it belongs |
//! | `charge` | a payment page, and what pages and direct payments share |
//! | `direct` | a direct payment, cash on delivery included |
//! | `status`, `transaction` | the check, by iPaymu's id or found by ours in the history; how a transaction is read |
//! | `account` | balance and history |
//! | `cod` | pickup, area, tracking |
//! | `answer` | which answers are a no, and which leave the matter open |
//! | `callback`, `signature` | notify, its token and its signature; how requests are signed |

mod account;
mod answer;
mod callback;
mod channels;
mod charge;
mod cod;
mod describe;
mod direct;
mod options;
mod settings;
mod signature;
mod status;
mod transaction;

use bayar_provider::{
    Call, Callback, Code, Description, Error, Event, Provider, Request, Response, Rupiah, Step, log, time,
};
use serde::{Deserialize, Serialize};

use settings::Account;
pub use settings::Settings;

/// An iPaymu account.
pub struct Ipaymu {
    account: Account,
}

/// What was sent, so that the answer is read as what it is and compared with what was asked.
#[derive(Serialize, Deserialize)]
#[serde(tag = "sent", rename_all = "snake_case")]
pub enum State {
    /// A payment page.
    Page {
        /// What the payer is asked to pay.
        amount: Rupiah,
        /// Until when, if the host said so.
        expires_at: Option<String>,
    },
    /// A direct payment.
    Direct {
        /// What the payer is asked to pay.
        amount: Rupiah,
        /// iPaymu's method.
        method: String,
        /// iPaymu's channel of that method.
        channel: String,
    },
    /// A page of the history, to find our order in.
    Find {
        /// Our order.
        order: String,
        /// The number of the page.
        page: u32,
    },
    /// The check of one transaction.
    Check {
        /// Its id at iPaymu.
        id: String,
        /// Our order, which it must be of, where the host named it.
        order: Option<String>,
        /// What was odd about finding it.
        review: Option<String>,
    },
    /// A courier for one transaction.
    Pickup {
        /// Its id at iPaymu.
        id: String,
    },
    /// A question whose answer is compared with nothing.
    Question,
}

impl Provider for Ipaymu {
    type Settings = Settings;
    type State = State;

    fn describe(settings: Option<&Settings>) -> Description {
        describe::description(settings)
    }

    fn configure(settings: Settings) -> Result<Self, Error> {
        settings.check().map(|account| Ipaymu { account })
    }

    fn prepare(&self, call: &Call) -> Result<Step<State>, Error> {
        match call.operation.as_str() {
            "charge" => charge::prepare(&self.account, call),
            "status" => status::prepare(&self.account, call),
            "cod_pickup" => cod::pickup(&self.account, call),
            "cod_area" => cod::area(&self.account, call),
            "cod_tracking" => cod::tracking(&self.account, call),
            "balance" => account::balance(&self.account, call),
            "history" => account::history(&self.account, call),
            "channels" => channels::prepare(&self.account, call),
            other => Err(unsupported(other)),
        }
    }

    fn interpret(&self, call: &Call, state: State, response: &Response) -> Result<Step<State>, Error> {
        log::debug!("{} was answered with HTTP {}", call.operation, response.status);
        let outcome = match (state, call.operation.as_str()) {
            (State::Page { amount, expires_at }, _) => charge::read_page(response, amount, expires_at),
            (State::Direct { amount, method, channel }, _) => {
                direct::read(call, response, &direct::Asked { amount, method, channel })
            }
            (State::Find { order, page }, _) => {
                return status::read_page(&self.account, call, response, order, page);
            }
            (State::Check { id, order, review }, _) => status::read(response, &id, order.as_deref(), review),
            (State::Pickup { id }, _) => cod::read_pickup(response, &id),
            (State::Question, "cod_area") => cod::read_area(response),
            (State::Question, "cod_tracking") => cod::read_tracking(response),
            (State::Question, "balance") => account::read_balance(response),
            (State::Question, "history") => account::read_history(response),
            (State::Question, "channels") => channels::read(response),
            (State::Question, other) => Err(unsupported(other)),
        };
        outcome.map(Step::Done)
    }

    fn verify(&self, callback: &Callback) -> Result<Event, Error> {
        callback::verify(&self.account, callback)
    }
}

fn unsupported(operation: &str) -> Error {
    Error::new(Code::Unsupported, format!("iPaymu has no operation {operation:?}"))
}

/// A signed POST of a JSON document.
fn post<T: Serialize>(to: &Account, call: &Call, path: &str, body: &T) -> Result<Request, Error> {
    let body = serde_json::to_vec(body).map_err(|e| Error::new(Code::Internal, e.to_string()))?;
    Ok(request(to, call, "POST", path, body))
}

/// A signed request. iPaymu hashes the bytes that it gets, so these are the bytes that are signed.
/// The timestamp is not signed; it is WIB.
fn request(to: &Account, call: &Call, method: &str, path: &str, body: Vec<u8>) -> Request {
    let timestamp: String = time::to_wib(call.now()).chars().filter(char::is_ascii_digit).collect();
    let signature = signature::of_request(to, method, &body);
    Request::new(method, format!("{}/api/v2{path}", to.base_url))
        .header("Accept", "application/json")
        .header("Content-Type", "application/json")
        .header("va", to.va.as_str())
        .header("signature", signature)
        .header("timestamp", timestamp)
        .body(body)
}
