//! K-Link service-payment: the Kwallet, virtual accounts, cards and manual transfers, and GoPay over Midtrans.
//!
//! | file | what stands there |
//! |---|---|
//! | `settings` | credentials, the address, every path |
//! | `describe` | operations, callback rules, with their sources |
//! | `session` | the login |
//! | `exchange` | the request that all operations share |
//! | `answer`, `embedded` | which answers are a no, which leave the matter open; JSON inside a string |
//! | `wallet`, `register`, `ledger` | balance, transfer, voucher, pay; a member's accounts; history and reconciliation |
//! | `refund` | the two escrow steps, apart and as one |
//! | `channels` | both channel lists |
//! | `charge` | a charge, and where it goes: `direct` (virtual account, card, manual transfer) or `gopay` |
//! | `report` | the finance report |
//! | `callback`, `signature` | both callbacks |

mod answer;
mod banks;
mod callback;
mod channels;
mod charge;
mod describe;
mod direct;
mod embedded;
mod exchange;
mod gopay;
mod ledger;
mod refund;
mod register;
mod report;
mod session;
mod settings;
mod signature;
mod wallet;

use bayar_provider::{
    Call, Callback, Code, Description, Error, Event, Provider, Response, Rupiah, SESSION, Step, log,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use channels::Destination;
pub use settings::Settings;

/// A K-Link account: its settings, checked.
pub struct Klink {
    account: Settings,
}

/// What was sent, so that the answer is read as what it is. It is stored with the intent: no secrets in here.
#[derive(Serialize, Deserialize)]
#[serde(tag = "sent", rename_all = "snake_case")]
pub enum State {
    /// The login.
    Session,
    /// A member's accounts were asked for.
    RegisterVa,
    /// A member's balance was asked for.
    Balance,
    /// A member's history was asked for.
    History,
    /// A transfer or a voucher.
    Moved {
        /// How much.
        amount: Rupiah,
    },
    /// A payment from a member's wallet.
    Pay {
        /// How much.
        amount: Rupiah,
    },
    /// A reconciliation.
    Reconcile,
    /// The question what there is to refund, with or without the intention to do it.
    RefundQuote,
    /// A refund.
    RefundAccept {
        /// K-Link's id of the payment that goes back.
        id_trans: String,
        /// How much, where the quote said it.
        amount: Option<Rupiah>,
    },
    /// The list of `va:` channels.
    Channels,
    /// The list of `midtrans:` channels, after the other.
    MoreChannels {
        /// The answer that was the other list.
        first: Value,
    },
    /// The list of `va:` channels, before a charge through one of them.
    ChargeChannel,
    /// A charge through a `va:` channel.
    Charge {
        /// What is due without the unique code.
        due: Due,
        /// The bank's short name.
        bank: String,
        /// Where to transfer to by hand, where the list says it.
        destination: Option<Destination>,
    },
    /// A charge through a `midtrans:` channel.
    ChargeGopay {
        /// What is due.
        due: Due,
    },
    /// The finance report.
    Report,
}

/// What a charge asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Due {
    /// The goods: what the host asked.
    pub nominal: Rupiah,
    /// The shipping, which comes on top.
    pub pay_ship: Rupiah,
    /// Both together.
    pub total: Rupiah,
}

impl Provider for Klink {
    type Settings = Settings;
    type State = State;

    fn describe(settings: Option<&Settings>) -> Description {
        describe::description(settings)
    }

    fn configure(settings: Settings) -> Result<Self, Error> {
        settings.check().map(|account| Klink { account })
    }

    fn prepare(&self, call: &Call) -> Result<Step<State>, Error> {
        let account = &self.account;
        match call.operation.as_str() {
            SESSION => session::prepare(account),
            "register_va" => register::prepare(account, call),
            "balance" => wallet::balance(account, call),
            "history" => ledger::history(account, call),
            "transfer" => wallet::transfer(account, call),
            "voucher" => wallet::voucher(account, call),
            "pay" => wallet::pay(account, call),
            "reconcile" => ledger::reconcile(account, call),
            "refund" => refund::prepare(account, call),
            "refund_quote" => refund::quote(account, call),
            "refund_accept" => refund::accept(account, call),
            "channels" => channels::prepare(account, call),
            "charge" => charge::prepare(account, call),
            "report" => report::prepare(account, call),
            other => Err(unsupported(other)),
        }
    }

    fn interpret(&self, call: &Call, state: State, response: &Response) -> Result<Step<State>, Error> {
        log::debug!("{} was answered with HTTP {}", call.operation, response.status);
        let outcome = match state {
            State::Session => return session::read(response),
            // The token ended, and the call was not acted upon. (A 401 inside a body is something else.)
            _ if response.status == 401 => return Ok(Step::NeedsSession),
            State::RefundQuote if call.operation == "refund" => {
                return refund::confirm(&self.account, call, response);
            }
            State::Channels => return channels::more(&self.account, call, response),
            State::ChargeChannel => return charge::through(&self.account, call, response),
            State::RegisterVa => register::read(response),
            State::Balance => wallet::read_balance(response),
            State::History => ledger::read_history(response),
            State::Moved { amount } => wallet::read_moved(response, amount),
            State::Pay { amount } => wallet::read_pay(response, amount),
            State::Reconcile => ledger::read_reconcile(call, response),
            State::RefundQuote => refund::read_quote(response),
            State::RefundAccept { id_trans, amount } => refund::read_accept(call, response, id_trans, amount),
            State::MoreChannels { first } => channels::read_more(response, &first),
            State::Charge { due, bank, destination } => direct::read(call, response, due, bank, destination),
            State::ChargeGopay { due } => gopay::read(call, response, due),
            State::Report => report::read(response),
        };
        outcome.map(Step::Done)
    }

    fn verify(&self, callback: &Callback) -> Result<Event, Error> {
        callback::verify(&self.account, callback)
    }
}

fn unsupported(operation: &str) -> Error {
    Error::new(Code::Unsupported, format!("K-Link has no operation {operation:?}"))
}
