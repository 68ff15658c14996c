//! Duitku: payments by every method, POP pages, and linked OVO and ShopeePay accounts.
//!
//! | file | what stands there |
//! |---|---|
//! | `settings` | the settings, and the addresses that they lead to |
//! | `describe` | operations, callback rules, the texts that OVO requires, with their sources |
//! | `methods` | Duitku's codes of ways to pay, and the list that an account has |
//! | `charge` | a charge: a page, a payment, or a payment from a linked account |
//! | `body` | what a charge's parameters become on the wire, and the limits of the document |
//! | `status` | the status query |
//! | `link` | link, unlink, account, top-up guide |
//! | `answer` | which answers are a no, and which leave the matter open; the code tables |
//! | `callback`, `signature` | callbacks, and every signature of the document |

mod answer;
mod body;
mod callback;
mod charge;
mod describe;
mod link;
mod methods;
mod settings;
mod signature;
mod status;

use bayar_provider::{
    Call, Callback, Code, Description, Error, Event, Provider, Request, Response, Rupiah, Step, log,
};
use serde::{Deserialize, Serialize};

use settings::Account;
pub use settings::Settings;

/// A Duitku account.
pub struct Duitku {
    account: Account,
}

/// What was sent, so that the answer is read as what it is and compared with what was asked.
#[derive(Serialize, Deserialize)]
#[serde(tag = "sent", rename_all = "snake_case")]
pub enum State {
    /// Whether the account is linked, before it pays.
    Check,
    /// A payment or a page.
    Payment {
        /// What the payer is asked to pay.
        amount: Rupiah,
        /// Duitku's code of the way to pay; none for a page.
        channel: Option<String>,
        /// Until when, if the host said so.
        expires_at: Option<String>,
    },
    /// The state of a payment.
    Status,
    /// The ways to pay of this account.
    Methods,
    /// Linking, unlinking, or a question about a linked account.
    Link,
}

impl Provider for Duitku {
    type Settings = Settings;
    type State = State;

    fn describe(settings: Option<&Settings>) -> Description {
        describe::description(settings)
    }

    fn configure(settings: Settings) -> Result<Self, Error> {
        settings.check().map(|account| Duitku { account })
    }

    fn prepare(&self, call: &Call) -> Result<Step<State>, Error> {
        match call.operation.as_str() {
            "charge" => charge::prepare(&self.account, call),
            "status" => status::prepare(&self.account, call),
            "channels" => methods::prepare(&self.account, call),
            "link" => link::connect(&self.account, call),
            "unlink" => link::disconnect(&self.account, call),
            "account" => link::user_info(&self.account, call),
            "topup_guide" => link::instructions(&self.account, call),
            other => Err(unsupported(other)),
        }
    }

    fn interpret(&self, call: &Call, state: State, response: &Response) -> Result<Step<State>, Error> {
        log::debug!("{} was answered with HTTP {}", call.operation, response.status);
        let outcome = match (state, call.operation.as_str()) {
            (State::Check, _) => return charge::pay_if_linked(&self.account, call, response),
            (State::Payment { amount, channel, expires_at }, _) => {
                let asked = charge::Asked { amount, channel, expires_at };
                charge::read(&self.account, response, asked)
            }
            (State::Status, _) => status::read(call, response),
            (State::Methods, _) => methods::read(response),
            (State::Link, "link") => link::read_link(response),
            (State::Link, "unlink") => link::read_unlink(response),
            (State::Link, "account") => link::read_account(call, response),
            (State::Link, "topup_guide") => link::read_guide(response),
            (State::Link, other) => Err(unsupported(other)),
        };
        outcome.map(Step::Done)
    }

    fn verify(&self, callback: &Callback) -> Result<Event, Error> {
        callback::verify(&self.account, callback)
    }
}

fn unsupported(operation: &str) -> Error {
    Error::new(Code::Unsupported, format!("Duitku has no operation {operation:?}"))
}

/// The bytes of a JSON document: what is signed is what is sent.
fn json_bytes<T: Serialize>(body: &T) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(body).map_err(|e| Error::new(Code::Internal, e.to_string()))
}

/// A POST of a JSON document, to which the operation adds its own headers.
fn post(url: String, body: Vec<u8>) -> Request {
    Request::new("POST", url)
        .header("Accept", "application/json")
        .header("Content-Type", "application/json")
        .body(body)
}
