//! The biller: prepaid purchases (PPOB), concluded by a callback that it calls "reversal".
//!
//! | file | what stands there |
//! |---|---|
//! | `settings` | address, credentials, and the guards of callbacks |
//! | `describe` | operations, callback rules, with their sources |
//! | `purchase` | the request and its answer; `true` means accepted, not delivered |
//! | `callback` | the guards, and what a callback says |
//! | `form` | the callback's parameters |
//! | `message` | the text inside a callback: serial number, price, balance, time |

mod callback;
mod describe;
mod form;
mod message;
mod purchase;
mod settings;

use bayar_provider::{Call, Callback, Code, Description, Error, Event, Provider, Response, Step, log};
use serde::{Deserialize, Serialize};

pub use settings::Settings;

/// An account at the biller: its settings, checked.
pub struct Biller {
    account: settings::Account,
}

/// What was sent, so that the answer is compared with it. It is stored with the intent.
#[derive(Serialize, Deserialize)]
pub struct State {
    /// Whom the purchase is for.
    pub destination: String,
    /// What was bought.
    pub product: String,
}

impl Provider for Biller {
    type Settings = Settings;
    type State = State;

    fn describe(settings: Option<&Settings>) -> Description {
        describe::description(settings)
    }

    fn configure(settings: Settings) -> Result<Self, Error> {
        settings.check().map(|account| Biller { account })
    }

    fn prepare(&self, call: &Call) -> Result<Step<State>, Error> {
        match call.operation.as_str() {
            "purchase" => purchase::prepare(&self.account, call),
            other => Err(Error::new(Code::Unsupported, format!("the biller has no operation {other:?}"))),
        }
    }

    fn interpret(&self, call: &Call, state: State, response: &Response) -> Result<Step<State>, Error> {
        log::debug!("{} was answered with HTTP {}", call.operation, response.status);
        purchase::read(response, &state).map(Step::Done)
    }

    fn verify(&self, callback: &Callback) -> Result<Event, Error> {
        callback::verify(&self.account, callback)
    }
}
