//! What a host asked: the engine's own parameters taken out, the rest handed to the plugin.

use std::time::{Duration, Instant};

use bayar_provider::{Call, Class};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::ambient::make_id;
use crate::engine::{Account, Shared};
use crate::error::{Code, Error};
use crate::journal::{Intent, Order, Sent, State};
use crate::plugins::hex;

/// The longest id of an order, in characters; providers take fewer.
const LONGEST_NAME: usize = 255;

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
    /// The digest of the request: the same key with another one is a conflict.
    pub digest: String,
    /// Whether this call makes the order of its reference.
    pub owns: bool,
    /// Whether the host chose the reference, so that the engine may not choose another.
    pub named: bool,
    /// What the journal has of this key already.
    pub known: Option<Box<Intent>>,
    /// The attempt that this call goes on after: recovery sends the same bytes again.
    pub after: Option<Sent>,
    /// The call as the plugin gets it, without a session.
    pub call: Call,
}

impl HostCall {
    /// Reads a host's parameters.
    ///
    /// # Errors
    /// [`Code::Unsupported`] and [`Code::InvalidParams`], naming the field, what was found and what is allowed.
    pub fn read(
        engine: &Shared,
        account: &Account,
        operation: &str,
        params: Value,
    ) -> Result<HostCall, Error> {
        let described = account.operation(operation)?;
        let mut params = match params {
            Value::Object(params) => params,
            Value::Null => Map::new(),
            other => return Err(invalid("params", &format!("found {other}"), "a JSON object")),
        };
        let key = text(&mut params, "key", 255)?;
        let tenant = text(&mut params, "tenant", 128)?;
        let named = text(&mut params, "reference", LONGEST_NAME)?;
        let deadline = deadline(params.remove("deadline_ms"), account)?;
        if described.class.moves() && key.is_none() {
            let what = "missing: this operation moves money, so it needs a key of yours, the same for every attempt at this one payment";
            return Err(invalid("key", what, "1 to 255 characters, such as invoice-17-attempt-1"));
        }
        let order_id = match params.get("order_id") {
            None | Some(Value::Null) => None,
            Some(Value::String(order_id)) if can_be_kept(order_id, LONGEST_NAME) => Some(order_id.clone()),
            Some(Value::String(order_id)) => {
                let found = format!("found {} characters", order_id.chars().count());
                return Err(invalid("order_id", &found, &allowed_name(LONGEST_NAME)));
            }
            Some(other) => return Err(invalid("order_id", &format!("found {other}"), "a string")),
        };
        let (now_ms, nonce) = (engine.ambient.now_ms(), engine.ambient.nonce()?);
        let key = key.unwrap_or_default();
        let digest = digest(&account.name, operation, named.as_deref(), &params)?;
        let known = match key.as_str() {
            "" => None,
            key => engine.journal.of_key(tenant.as_deref().unwrap_or_default(), key)?,
        };
        if let Some(known) = known.as_ref().filter(|known| known.digest != digest) {
            return Err(conflict(known));
        }
        let chosen = named.is_some();
        let creates = described.class != Class::Read && !params.contains_key("provider_reference");
        let order = Asked { account, tenant: tenant.as_deref(), about_order: described.about_order, creates };
        let reference = match (&known, named) {
            (Some(known), _) => known.reference.clone(),
            (None, Some(reference)) => allowed(account, "reference", reference)?,
            (None, None) => {
                let made = || make_id('B', now_ms, &nonce);
                order.reference(engine, order_id.as_deref(), made)?
            }
        };
        let key_digest = if key.is_empty() {
            String::new()
        } else {
            key_digest(&account.name, operation, tenant.as_deref(), &key)
        };
        let fresh = Call {
            operation: operation.to_owned(),
            params: Value::Object(params),
            intent: make_id('I', now_ms, &nonce),
            reference,
            key_digest,
            now_ms,
            nonce: hex(&nonce),
            session: None,
        };
        let owns = described.class.moves() && !described.about_order && !fresh.reference.is_empty();
        let call = match &known {
            // Nothing of it was sent: the same call again, with the parameters given now, for what
            // was masked in those that were kept.
            Some(known) if known.state == State::New => Call {
                intent: known.id.clone(),
                now_ms: known.call.as_ref().map_or(now_ms, |call| call.now_ms),
                nonce: known.call.as_ref().map_or_else(|| fresh.nonce.clone(), |call| call.nonce.clone()),
                ..fresh
            },
            _ => fresh,
        };
        Ok(HostCall {
            operation: operation.to_owned(),
            key,
            tenant,
            order_id,
            deadline,
            digest,
            owns,
            named: chosen,
            known: known.map(Box::new),
            after: None,
            call,
        })
    }

    /// The call of an intent that is sent again, byte for byte, after its last attempt.
    pub fn again(account: &Account, intent: &Intent) -> Option<HostCall> {
        let call = intent.call.clone().filter(|_| intent.resend)?;
        let after = Sent { intent: intent.id.clone(), number: intent.attempts, fence: intent.fence };
        Some(HostCall {
            operation: intent.operation.clone(),
            key: intent.key.clone().unwrap_or_default(),
            tenant: Some(intent.tenant.clone()).filter(|tenant| !tenant.is_empty()),
            order_id: intent.order_id.clone(),
            deadline: Instant::now() + account.http.deadline(),
            digest: intent.digest.clone(),
            owns: intent.owns,
            named: true,
            known: None,
            after: Some(after),
            call,
        })
    }

    /// Gives the order another reference, for this one belongs to another order.
    pub fn rename(&mut self, engine: &Shared) -> Result<(), Error> {
        self.call.reference = make_id('B', engine.ambient.now_ms(), &engine.ambient.nonce()?);
        Ok(())
    }
}

/// Which reference a call gets.
struct Asked<'a> {
    account: &'a Account,
    tenant: Option<&'a str>,
    about_order: bool,
    creates: bool,
}

impl Asked<'_> {
    fn reference(
        &self,
        engine: &Shared,
        order_id: Option<&str>,
        made: impl Fn() -> String,
    ) -> Result<String, Error> {
        let scope = self.account.scope();
        let Some(order_id) = order_id else {
            return Ok(if self.creates && !self.about_order { made() } else { String::new() });
        };
        // Whether another order has it already is seen when the intent is kept: then it gets another.
        let within = self.account.reference.allows(order_id);
        if self.about_order || !self.creates {
            // The host's name for it, or what the provider knows it by.
            // Two tenants may call different orders by one name.
            let named = match self.tenant {
                Some(tenant) => Order::OfTenant(tenant, order_id),
                None => Order::OrderId(order_id),
            };
            if let Some(intent) = engine.journal.of_order(scope, &named)? {
                return Ok(intent.reference);
            }
        } else if engine.journal.keeps() && !within {
            return Ok(made());
        }
        allowed(self.account, "order_id", order_id.to_owned())
    }
}

/// The digest of a request, version 1: SHA-256 over its canonical JSON (RFC 8785), amounts as
/// numbers, without the engine's own parameters and without what is absent or the default.
fn digest(
    account: &str,
    operation: &str,
    reference: Option<&str>,
    params: &Map<String, Value>,
) -> Result<String, Error> {
    let mut params = Value::Object(params.clone());
    normalise(&mut params);
    if let Some(params) = params.as_object_mut()
        && params.get("currency").and_then(Value::as_str) == Some("IDR")
    {
        params.remove("currency");
    }
    let mut request = serde_json::json!({"account": account, "operation": operation, "params": params});
    if let Some(reference) = reference {
        request["reference"] = reference.into();
    }
    let text = serde_json_canonicalizer::to_vec(&request).map_err(|e| {
        Error::not_sent(Code::Internal, format!("the request cannot be written as JSON: {e}"))
    })?;
    Ok(format!("1:{}", hex(&Sha256::digest(text))))
}

/// `"150000"` and `150000` are one amount, and what is null is absent.
fn normalise(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, value| !value.is_null());
            for (name, value) in fields.iter_mut() {
                let amount = matches!(name.as_str(), "amount" | "price" | "quantity");
                match value.as_str().and_then(|text| text.parse::<u64>().ok()).filter(|_| amount) {
                    Some(number) => *value = number.into(),
                    None => normalise(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(normalise),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn conflict(known: &Intent) -> Error {
    let what = format!(
        "the key was used at {} for another request ({} of {}, {})",
        crate::known::moment(known.created_ms),
        known.operation,
        known.account,
        known.order_id.as_deref().unwrap_or(&known.reference),
    );
    let error = Error::not_sent(Code::Conflict, what).field("key");
    Error { intent: Some(known.id.clone()), reference: Some(known.reference.clone()), ..error }
}

/// Takes one of the engine's own parameters out.
fn text(params: &mut Map<String, Value>, name: &str, longest: usize) -> Result<Option<String>, Error> {
    let allowed = || allowed_name(longest);
    match params.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if !text.is_empty() && can_be_kept(&text, longest) => Ok(Some(text)),
        Some(Value::String(text)) => {
            Err(invalid(name, &format!("found {} characters", text.chars().count()), &allowed()))
        }
        Some(other) => Err(invalid(name, &format!("found {other}"), &allowed())),
    }
}

/// Whether every journal can keep it and find it again: PostgreSQL takes no NUL, and indexes nothing that is
/// much longer.
fn can_be_kept(name: &str, longest: usize) -> bool {
    name.chars().count() <= longest && !name.contains('\0')
}

fn allowed_name(longest: usize) -> String {
    format!("1 to {longest} characters, none of them NUL")
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
