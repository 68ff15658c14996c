//! The operations of every account, as they are; and the two that are asked for most.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Extension, Path, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use bayar_provider::CONTRACT;
use serde_json::{Map, Value, json};

use super::ask::{self, Query};
use super::types::{Balance, Channels, Version};
use crate::calls;
use crate::gateway::{Account, Gateway, unknown_account};
use crate::http::body;
use crate::problem::Problem;
use crate::store::apps::App;

type Gw = State<Arc<Gateway>>;
type Who = Extension<Arc<App>>;

/// The outcome, exactly as the engine gives it; 201 for a charge.
pub(super) async fn call(
    State(gateway): Gw,
    Extension(app): Who,
    Path((account, operation)): Path<(String, String)>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, Problem> {
    let mut params = body::object(&bytes)?;
    ask::keyed(&headers, &mut params)?;
    let made = operation == "charge";
    let called = move |gateway: &Gateway| calls::call(gateway, &app, &account, &operation, params);
    let outcome = gateway.call(called).await??;
    let status = if made { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(outcome)).into_response())
}

pub(super) async fn describe_all(State(gateway): Gw, Extension(app): Who) -> Json<Value> {
    let accounts = gateway.accounts.values().filter(|account| app.may_use(&account.name));
    let accounts: Vec<Value> = accounts.map(|account| described(account, &app)).collect();
    Json(json!({
        "bayar": bayar::VERSION,
        "contract": CONTRACT,
        "operations": calls::of_engine_described(),
        "accounts": accounts,
    }))
}

pub(super) async fn describe(
    State(gateway): Gw,
    Extension(app): Who,
    Path(name): Path<String>,
) -> Result<Json<Value>, Problem> {
    let account = gateway.account(&name)?;
    if !app.may_use(&name) {
        return Err(unknown_account(&name).into());
    }
    Ok(Json(described(account, &app)))
}

/// What an account is and can do, for this application.
fn described(account: &Account, app: &App) -> Value {
    let mut description = account.description.clone();
    if let Some(operations) = description["operations"].as_array_mut() {
        operations.retain(|one| one["name"].as_str().is_some_and(|name| calls::may_call(app, name)));
    }
    description
}

pub(super) async fn channels(
    State(gateway): Gw,
    Extension(app): Who,
    parts: Parts,
) -> Result<Json<Channels>, Problem> {
    let query = Query::of(&parts, &["account", "amount"])?;
    let amount = query.number("amount", 1, 999_999_999_999_999)?;
    let named = query.text("account").map(str::to_owned);
    let asked = move |gateway: &Gateway| {
        let account = calls::choose_account(gateway, &app, named.as_deref())?.to_owned();
        let mut params = Map::new();
        // Not every provider's list depends on it.
        let described = gateway.account(&account)?.operations.get("channels");
        let matters = described.is_some_and(|one| one.params.pointer("/properties/amount").is_some());
        if let Some(amount) = amount.filter(|_| matters) {
            params.insert("amount".to_owned(), json!(amount));
        }
        let outcome = calls::call(gateway, &app, &account, "channels", params)?;
        let listed = outcome.result.data.and_then(|mut data| data.get_mut("channels").map(Value::take));
        let data = serde_json::from_value(listed.unwrap_or_else(|| json!([])))
            .map_err(|error| Problem::internal(&format!("a list of channels cannot be read: {error}")))?;
        Ok::<_, Problem>(Channels { account, data })
    };
    Ok(Json(gateway.call(asked).await??))
}

pub(super) async fn balance(
    State(gateway): Gw,
    Extension(app): Who,
    parts: Parts,
) -> Result<Json<Balance>, Problem> {
    let query = Query::of(&parts, &["account"])?;
    let named = query.text("account").map(str::to_owned);
    let asked = move |gateway: &Gateway| {
        let account = calls::choose_account(gateway, &app, named.as_deref())?.to_owned();
        let outcome = calls::call(gateway, &app, &account, "balance", Map::new())?;
        Ok::<_, Problem>(Balance { account, data: outcome.result.data.unwrap_or_default() })
    };
    Ok(Json(gateway.call(asked).await??))
}

pub(super) async fn version() -> Json<Version> {
    Json(Version { version: bayar::VERSION.to_owned() })
}
