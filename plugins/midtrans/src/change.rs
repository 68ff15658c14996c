//! Cancel, expire, approve, deny: a POST to the transaction, answered with the transaction.
//!
//! Source: docs.midtrans.com, Core API, Cancel / Expire / Approve / Deny Transaction.

use bayar_provider::{Call, Error, Step};
use serde::Serialize;

use crate::settings::Direct;
use crate::status::Target;
use crate::{State, idempotent, post};

/// Nothing is said beyond the address. Official clients send `{}`, `null` or nothing; `{}` needs no exception anywhere.
#[derive(Serialize)]
struct Body {}

/// Builds the request; the operation's name is the last part of the path.
pub fn prepare(to: &Direct, call: &Call) -> Result<Step<State>, Error> {
    let target = Target::of(call, call.read()?)?;
    let request = idempotent(post(to, target.url(to, &call.operation), &Body {})?, call);
    // Only cancel gives money back (a captured card payment); the others change a state.
    let request = if call.operation == "cancel" { request.moving() } else { request };
    Ok(Step::Send(request, State::Transaction { transaction_id: target.transaction_id }))
}
