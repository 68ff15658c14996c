//! A cancellation. Its answer is the payment, which `status` reads.
//!
//! To change: the path; or leave the file out, here, in `lib` and in `describe`.

use bayar_provider::{Call, Error, Step};
use serde::Serialize;

use crate::settings::Account;
use crate::{State, charge, status};

/// The provider wants an object, and nothing in it.
#[derive(Serialize)]
struct Body {}

/// Builds the request.
pub fn prepare(account: &Account, call: &Call) -> Result<Step<State>, Error> {
    status::check_which(&call.read()?)?;
    let request = charge::post(account, call, &charge::path_of(call, "/cancel")?, &Body {})?;
    Ok(Step::Send(request.moving(), State::Payment))
}
