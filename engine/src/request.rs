//! What a host asked: the engine's own parameters taken out, the rest handed to the plugin.

use std::time::{Duration, Instant};

use bayar_provider::{Call, Class};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::ambient::{Ambient, make_id};
use crate::engine::Account;
use crate::error::{Code, Error};
use crate::plugins::hex;

/// The longest that a host may let a call take.
const LONGEST: Duration = Duration::from_secs(600);

/// A host's call, read and checked as far as the engine goes.
pub(crate) struct HostCall {
    /// The operation's name.
    pub operation: String,
    /// The host's key; empty where the operation takes none.
    pub key: String,
    /// The host's scope of keys.
    pub tenant: Option<String>,
    /// The host's own id of the order.
    pub order_id: Option<String>,
    /// When the call must be over.
    pub deadline: Instant,
    /// The call as the plugin gets it, without a session.
    pub call: Call,
}

impl HostCall {
    /// Reads a host's parameters.
    ///
    /// # Errors
    /// [`Code::Unsupported`] and [`Code::InvalidParams`], naming the field, what was found and what is allowed.
    pub fn read(
        account: &Account,
        operation: &str,
        params: Value,
        ambient: &dyn Ambient,
    ) -> Result<HostCall, Error> {
        let described = account.operation(operation)?;
        let mut params = match params {
            Value::Object(params) => params,
            Value::Null => Map::new(),
            other => return Err(invalid("params", &format!("found {other}"), "a JSON object")),
        };
        let key = text(&mut params, "key", 255)?;
        let tenant = text(&mut params, "tenant", 128)?;
        let named = text(&mut params, "reference", usize::MAX)?;
        let deadline = deadline(params.remove("deadline_ms"), account)?;
        if described.class.moves() && key.is_none() {
            let what = "missing: this operation moves money, so it needs a key of yours, the same for every attempt at this one payment";
            return Err(invalid("key", what, "1 to 255 characters, such as invoice-17-attempt-1"));
        }
        let order_id = match params.get("order_id") {
            None | Some(Value::Null) => None,
            Some(Value::String(order_id)) => Some(order_id.clone()),
            Some(other) => return Err(invalid("order_id", &format!("found {other}"), "a string")),
        };
        let (now_ms, nonce) = (ambient.now_ms(), ambient.nonce()?);
        let creates = described.class != Class::Read && !params.contains_key("provider_reference");
        let reference = match (named, &order_id) {
            (Some(reference), _) => allowed(account, "reference", reference)?,
            (None, Some(order_id)) => allowed(account, "order_id", order_id.clone())?,
            (None, None) if creates => make_id('B', now_ms, &nonce),
            (None, None) => String::new(),
        };
        let key = key.unwrap_or_default();
        let key_digest = if key.is_empty() {
            String::new()
        } else {
            key_digest(&account.name, operation, tenant.as_deref(), &key)
        };
        let call = Call {
            operation: operation.to_owned(),
            params: Value::Object(params),
            intent: make_id('I', now_ms, &nonce),
            reference,
            key_digest,
            now_ms,
            nonce: hex(&nonce),
            session: None,
        };
        Ok(HostCall { operation: operation.to_owned(), key, tenant, order_id, deadline, call })
    }
}

/// Takes one of the engine's own parameters out.
fn text(params: &mut Map<String, Value>, name: &str, longest: usize) -> Result<Option<String>, Error> {
    let allowed = || {
        if longest == usize::MAX {
            "a string that is not empty".to_owned()
        } else {
            format!("1 to {longest} characters")
        }
    };
    match params.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if !text.is_empty() && text.chars().count() <= longest => Ok(Some(text)),
        Some(Value::String(text)) => {
            Err(invalid(name, &format!("found {} characters", text.chars().count()), &allowed()))
        }
        Some(other) => Err(invalid(name, &format!("found {other}"), &allowed())),
    }
}

fn deadline(given: Option<Value>, account: &Account) -> Result<Instant, Error> {
    let longest = LONGEST.as_millis() as u64;
    let after = match given {
        None | Some(Value::Null) => account.http.deadline(),
        Some(value) => match value.as_u64().filter(|ms| (1..=longest).contains(ms)) {
            Some(ms) => Duration::from_millis(ms),
            None => {
                return Err(invalid(
                    "deadline_ms",
                    &format!("found {value}"),
                    &format!("1 to {longest} milliseconds"),
                ));
            }
        },
    };
    Ok(Instant::now() + after)
}

/// A reference must be within the provider's alphabet and length: it is refused, never rewritten.
fn allowed(account: &Account, field: &str, reference: String) -> Result<String, Error> {
    let rule = &account.reference;
    if rule.allows(&reference) {
        Ok(reference)
    } else {
        Err(invalid(field, &format!("found {reference:?}"), &rule.to_string()))
    }
}

/// What a provider gets as its idempotency key: never the host's own text, which may be
/// longer than it takes or say more than it should know.
fn key_digest(account: &str, operation: &str, tenant: Option<&str>, key: &str) -> String {
    let mut digest = Sha256::new();
    for part in [account, operation, tenant.unwrap_or_default(), key] {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    hex(&digest.finalize()[..16])
}

fn invalid(field: &str, found: &str, allowed: &str) -> Error {
    let verb = if found.starts_with("missing") { " is " } else { ": " };
    Error::not_sent(Code::InvalidParams, format!("{field}{verb}{found}; allowed: {allowed}")).field(field)
}
