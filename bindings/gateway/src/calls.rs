//! What an application may call, and how: always as the engine's tenant of its own code, only about orders
//! of its own, and nothing beyond the everyday operations that it was not given.

use bayar::journal::{Intent, Order};
use bayar::{Code, ENGINE_ACCOUNT, Error, Outcome};
use serde_json::{Map, Value, json};

use crate::gateway::{Account, Gateway, unknown_account};
use crate::metrics;
use crate::problem::Problem;
use crate::store::apps::App;
use crate::tell;

/// What every application may call, on the accounts that it may use.
const EVERYDAY: [&str; 5] = ["charge", "status", "cancel", "refund", "channels"];
/// What it may call of the engine itself, about intents of its own.
const OF_ENGINE: [&str; 5] = ["claim", "confirm", "release", "intent", "intents"];

/// Calls an operation for an application, and tells what came of it. Blocks.
///
/// # Errors
/// The engine's, and what the application may not do.
pub(crate) fn call(
    gateway: &Gateway,
    app: &App,
    account: &str,
    operation: &str,
    params: Map<String, Value>,
) -> Result<Outcome, Problem> {
    if account == ENGINE_ACCOUNT {
        return Ok(of_engine(gateway, app, operation, params)?);
    }
    if !app.may_use(account) {
        return Err(unknown_account(account).into());
    }
    let account = gateway.account(account)?;
    let params = permitted(gateway, app, account, operation, params)?;
    let ended = with_callback_url(gateway, account, operation, params);
    let result = match &ended {
        Ok(outcome) => json!(outcome.result.status).as_str().unwrap_or_default().to_owned(),
        Err(error) => error.code.as_str().to_owned(),
    };
    let labels =
        metrics::Call { account: account.name.clone(), operation: known_name(account, operation), result };
    gateway.metrics.calls.get_or_create(&labels).inc();
    if let Ok(outcome) = &ended {
        tell::of_outcome(gateway, account, operation, outcome);
    }
    Ok(ended?)
}

/// Whether an application may call an operation of a provider.
pub(crate) fn may_call(app: &App, operation: &str) -> bool {
    EVERYDAY.contains(&operation) || app.was_given(operation)
}

/// What applications may call of the engine itself, for descriptions.
pub(crate) fn of_engine_described() -> Value {
    OF_ENGINE
        .iter()
        .map(|name| json!({"name": name, "summary": "About an intent of the application's own."}))
        .collect()
}

/// Labels come from a list, never from outside.
fn known_name(account: &Account, operation: &str) -> String {
    if account.operations.contains_key(operation) { operation.to_owned() } else { "unknown".to_owned() }
}

/// Checks what the application may do, and puts in whose call it is.
fn permitted(
    gateway: &Gateway,
    app: &App,
    account: &Account,
    operation: &str,
    mut params: Map<String, Value>,
) -> Result<Map<String, Value>, Problem> {
    // Where there is no such operation, the engine says what there is.
    let Some(described) = account.operations.get(operation) else { return Ok(params) };
    if !may_call(app, operation) {
        let what = format!("the application {} was not given the operation {operation}", app.code);
        let advice = "Nothing was sent. Have it given in the dashboard, under the application.";
        return Err(
            Problem::new(axum::http::StatusCode::FORBIDDEN, "forbidden", what, advice).field("operation")
        );
    }
    own_tenant(app, &mut params)?;
    if params.get("callback_url").is_some_and(|url| !url.is_null()) {
        let allowed = "nothing: providers call the gateway, which tells the application at its own address";
        return Err(Error::from(bayar_provider::Error::invalid("callback_url", "an address", allowed)).into());
    }
    let longest = gateway.engine.longest_call().as_millis();
    if let Some(found) = params.get("deadline_ms").filter(|found| !found.is_null())
        && found.as_u64().is_none_or(|ms| u128::from(ms) > longest)
    {
        let allowed = format!("1 to {longest} milliseconds");
        return Err(Error::from(bayar_provider::Error::invalid("deadline_ms", found, allowed)).into());
    }
    own_orders(gateway, app, account, described.about_order, &params)?;
    params.insert("tenant".to_owned(), json!(app.code));
    Ok(params)
}

/// A host that names its tenant names the application.
fn own_tenant(app: &App, params: &mut Map<String, Value>) -> Result<(), Error> {
    match params.remove("tenant") {
        None | Some(Value::Null) => Ok(()),
        Some(found) if found == json!(app.code) => Ok(()),
        Some(found) => {
            let allowed = format!("{:?}, the application's own code, or nothing", app.code);
            Err(bayar_provider::Error::invalid("tenant", found, allowed).into())
        }
    }
}

/// Whatever names an order must name one of the application's own: another's is as unknown as none.
fn own_orders(
    gateway: &Gateway,
    app: &App,
    account: &Account,
    about_order: bool,
    params: &Map<String, Value>,
) -> Result<(), Error> {
    let mut named = false;
    for field in ["order_id", "reference", "provider_reference"] {
        let Some(Value::String(name)) = params.get(field) else { continue };
        let order = match field {
            // What a charge or the like calls its own new order.
            "order_id" if !about_order => continue,
            "order_id" => Order::OfTenant(&app.code, name),
            "reference" if !about_order => {
                let allowed = "nothing: the gateway chooses what the provider knows an order by";
                return Err(bayar_provider::Error::invalid("reference", format!("{name:?}"), allowed).into());
            }
            "reference" => Order::Reference(name),
            _ => Order::ProviderReference(name),
        };
        let intent = gateway.journal.of_order(account.scope(), &order)?;
        if intent.is_none_or(|intent| intent.tenant != app.code) {
            let what = format!("the application {} has no order {name:?} at {}", app.code, account.name);
            return Err(Error::not_sent(Code::OrderNotFound, what).field(field));
        }
        named = true;
    }
    if about_order && !named {
        let needed = "the id of one of the application's orders";
        return Err(bayar_provider::Error::missing("order_id", needed).into());
    }
    Ok(())
}

/// Calls, and where that is a charge, tells the provider where callbacks go: for most it can be said with
/// each charge, and some know no other way.
fn with_callback_url(
    gateway: &Gateway,
    account: &Account,
    operation: &str,
    params: Map<String, Value>,
) -> Result<Outcome, Error> {
    let call =
        |params: Map<String, Value>| gateway.engine.call(&account.name, operation, Value::Object(params));
    let described = account.operations.get(operation);
    let takes = described.is_some_and(|one| one.params.pointer("/properties/callback_url").is_some());
    let url = if takes { address_for(gateway, account, &params)? } else { None };
    let Some(url) = url else {
        return call(params).map_err(|error| match error.field.as_deref() {
            Some("callback_url") if takes => Error {
                advice: "Set public_url in [gateway]: this provider must be told where its callbacks go."
                    .to_owned(),
                ..error
            },
            _ => error,
        });
    };
    let mut with = params.clone();
    with.insert("callback_url".to_owned(), json!(url));
    match call(with) {
        // This provider is told in its own dashboard, or by its settings.
        Err(error) if error.code == Code::InvalidParams && error.field.as_deref() == Some("callback_url") => {
            call(params)
        }
        ended => ended,
    }
}

/// The address of the account's callbacks. A call that is repeated names the one that it named first, which
/// may have been replaced since: another would be another request.
fn address_for(
    gateway: &Gateway,
    account: &Account,
    params: &Map<String, Value>,
) -> Result<Option<String>, Error> {
    let tenant = params.get("tenant").and_then(Value::as_str).unwrap_or_default();
    if let Some(key) = params.get("key").and_then(Value::as_str)
        && let Some(known) = gateway.journal.of_key(tenant, key)?
    {
        let first = known.call.as_ref().and_then(|call| call.params.get("callback_url"));
        return Ok(first.and_then(Value::as_str).map(str::to_owned));
    }
    gateway.callback_url(&account.name)
}

/// The engine's own operations that are an application's business.
fn of_engine(
    gateway: &Gateway,
    app: &App,
    operation: &str,
    mut params: Map<String, Value>,
) -> Result<Outcome, Error> {
    if !OF_ENGINE.contains(&operation) {
        let what = format!(
            "the operation {operation:?} of the engine is not for applications. There is: {}",
            OF_ENGINE.join(", ")
        );
        return Err(Error::not_sent(Code::Unsupported, what).field("operation"));
    }
    own_tenant(app, &mut params)?;
    if operation == "intents" {
        params.insert("tenant".to_owned(), json!(app.code));
    } else {
        let id = params.get("intent").and_then(Value::as_str).unwrap_or_default();
        let own = gateway.journal.intent(id)?.is_some_and(|story| story.intent.tenant == app.code);
        if !own {
            let allowed = "the id of an intent in the journal";
            return Err(bayar_provider::Error::invalid("intent", format!("{id:?}"), allowed).into());
        }
    }
    gateway.engine.call(ENGINE_ACCOUNT, operation, Value::Object(params))
}

/// The account of a charge: the one that is named, by its own name or its provider's; else the application's
/// own; else `midtrans`, as the gateway's document has it; else the only one.
pub(crate) fn choose_account<'a>(
    gateway: &'a Gateway,
    app: &App,
    named: Option<&str>,
) -> Result<&'a str, Error> {
    let usable: Vec<&Account> = gateway.accounts.values().filter(|one| app.may_use(&one.name)).collect();
    if let Some(named) = named {
        if let Some(account) = usable.iter().find(|account| account.name == named) {
            return Ok(&account.name);
        }
        let mut of_provider = usable.iter().filter(|account| account.provider == named);
        return match (of_provider.next(), of_provider.next()) {
            (Some(account), None) => Ok(&account.name),
            _ => {
                let names: Vec<&str> = usable.iter().map(|account| account.name.as_str()).collect();
                let error = unknown_account(named);
                Err(Error { message: format!("{}; there is: {}", error.message, names.join(", ")), ..error })
            }
        };
    }
    let own = app.account.as_deref().or(Some("midtrans"));
    if let Some(account) = usable.iter().find(|account| Some(account.name.as_str()) == own) {
        return Ok(&account.name);
    }
    match usable.as_slice() {
        [only] if app.account.is_none() => Ok(&only.name),
        _ => {
            let names: Vec<&str> = usable.iter().map(|account| account.name.as_str()).collect();
            Err(bayar_provider::Error::missing("account", format!("one of: {}", names.join(", "))).into())
        }
    }
}

/// Asks the provider about an order that an application made, and tells what came of it.
///
/// # Errors
/// The engine's.
pub(crate) fn ask(gateway: &Gateway, app: &App, intent: &Intent) -> Result<Outcome, Problem> {
    let named = |theirs: bool| {
        let mut params = Map::new();
        params.insert("reference".to_owned(), json!(intent.reference));
        if let Some(theirs) = intent.provider_reference.as_ref().filter(|_| theirs) {
            params.insert("provider_reference".to_owned(), json!(theirs));
        }
        call(gateway, app, &intent.account, "status", params)
    };
    // Some providers find an order only by their own id, others only by ours.
    match named(true) {
        Err(problem) if problem.members.get("field") == Some(&json!("provider_reference")) => named(false),
        answer => answer,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// An application that may use every account.
    pub(crate) fn app(code: &str) -> App {
        App {
            code: code.to_owned(),
            name: String::new(),
            account: None,
            channel: None,
            accounts: vec!["*".to_owned()],
            operations: Vec::new(),
            callback_url: None,
            created_ms: 0,
            stopped_ms: None,
        }
    }
}
