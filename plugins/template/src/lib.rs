//! Template: a provider that does not exist, whole, to be copied for one that does.
//!
//! Copy the directory, rename `template` and `Template` in it, and you have a provider that builds
//! and passes its tests. Then go through the files in this order and change what differs:
//!
//! | file | what stands there |
//! |---|---|
//! | `settings` | what an account is configured with |
//! | `describe` | what the provider can do, and what a repeat of it would do |
//! | `signature` | how requests and callbacks are signed |
//! | `answer` | which answers are a no, and which leave the matter open |
//! | `charge` | a charge, and the request that all operations share |
//! | `status` | the status query, and how a payment is read |
//! | `cancel`, `refund` | as they say; a refund may need two exchanges |
//! | `callback` | the provider's callbacks |
//!
//! To change here: the operations, in [`Provider::prepare`], and what is remembered, in [`State`].

mod answer;
mod callback;
mod cancel;
mod charge;
mod describe;
mod refund;
mod settings;
mod signature;
mod status;

use bayar_provider::{
    Call, Callback, Channels, Code, Description, Error, Event, Nothing, Outcome, Provider, Response, Rupiah,
    Status, Step, log,
};
use serde::{Deserialize, Serialize};

use settings::Account;
pub use settings::Settings;

/// A Template account: its settings, checked.
pub struct Template {
    account: Account,
}

/// What was sent, to read the answer as what it is. It is stored with the intent: no secrets in here.
#[derive(Serialize, Deserialize)]
#[serde(tag = "sent", rename_all = "snake_case")]
pub enum State {
    /// A charge of this amount.
    Charge {
        /// What the payer is asked to pay.
        amount: Rupiah,
    },
    /// A status query or a cancellation: the answer is the payment.
    Payment,
    /// The question how much there is to refund.
    Quote {
        /// Why, for the refund that follows.
        reason: Option<String>,
    },
    /// A refund of this amount.
    Refund {
        /// How much goes back.
        amount: Rupiah,
    },
}

impl Provider for Template {
    type Settings = Settings;
    type State = State;

    fn describe(settings: Option<&Settings>) -> Description {
        describe::description(settings)
    }

    fn configure(settings: Settings) -> Result<Self, Error> {
        settings.check().map(|account| Template { account })
    }

    fn prepare(&self, call: &Call) -> Result<Step<State>, Error> {
        match call.operation.as_str() {
            "charge" => charge::prepare(&self.account, call),
            "status" => status::prepare(&self.account, call),
            "cancel" => cancel::prepare(&self.account, call),
            "refund" => refund::prepare(&self.account, call),
            "channels" => channels(call),
            other => Err(Error::new(Code::Unsupported, format!("Template has no operation {other:?}"))),
        }
    }

    fn interpret(&self, call: &Call, state: State, response: &Response) -> Result<Step<State>, Error> {
        // Log what helps whoever looks for a fault; never a header or a body, which may hold secrets.
        log::debug!("{} was answered with HTTP {}", call.operation, response.status);
        match state {
            State::Charge { amount } => charge::read(call, response, amount).map(Step::Done),
            State::Payment => status::read(call, response).map(Step::Done),
            State::Quote { reason } => refund::read_quote(&self.account, call, response, reason.as_deref()),
            State::Refund { amount } => refund::read(call, response, amount).map(Step::Done),
        }
    }

    fn verify(&self, callback: &Callback) -> Result<Event, Error> {
        callback::verify(&self.account, callback)
    }
}

/// The ways to pay, from data: this provider has no such query.
fn channels(call: &Call) -> Result<Step<State>, Error> {
    let Nothing {} = call.read()?;
    let data = serde_json::to_value(Channels { channels: describe::channels() }).ok();
    Ok(Step::Done(Outcome { data, ..Outcome::answered(Status::Done) }))
}
