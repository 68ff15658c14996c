//! Charges: made, looked up, listed, cancelled, refunded.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Extension, Path, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use bayar::journal::{self, Filter, Intent};
use bayar::{Code, Error};
use serde_json::{Map, Value, json};

use super::ask::{self, Query};
use super::types::{Charge, Charges, Refund};
use crate::calls;
use crate::gateway::Gateway;
use crate::http::body;
use crate::problem::Problem;
use crate::store::apps::App;

type Gw = State<Arc<Gateway>>;
type Who = Extension<Arc<App>>;

/// How many charges a page has, at most and by default.
const PAGE: (i64, i64) = (100, 20);

/// How often cancelling one charge may be refused before its last refusal stands.
const ATTEMPTS: u32 = 100;

pub(super) async fn create(
    State(gateway): Gw,
    Extension(app): Who,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, Problem> {
    let key = ask::needed_key(&headers)?;
    let mut params = body::object(&bytes)?;
    let named = match params.remove("account") {
        None | Some(Value::Null) => None,
        Some(Value::String(name)) => Some(name),
        Some(other) => {
            return Err(Error::from(bayar_provider::Error::invalid("account", other, "a name")).into());
        }
    };
    // The key of the body would be one more to agree with.
    if params.contains_key("key") {
        let allowed = format!("nothing: the header {} names it", ask::KEY);
        return Err(Error::from(bayar_provider::Error::invalid("key", "a key", allowed)).into());
    }
    // What is null is absent.
    params.retain(|_, value| !value.is_null());
    params.insert("key".to_owned(), json!(key));
    let made = gateway.call(move |gateway| make(gateway, &app, named.as_deref(), params)).await??;
    Ok((StatusCode::CREATED, Json(made)).into_response())
}

fn make(
    gateway: &Gateway,
    app: &App,
    named: Option<&str>,
    mut params: Map<String, Value>,
) -> Result<Charge, Problem> {
    let account = calls::choose_account(gateway, app, named)?;
    if let (Some(channel), None, false) = (&app.channel, named, params.contains_key("channel")) {
        params.insert("channel".to_owned(), json!(channel));
    }
    let outcome = calls::call(gateway, app, account, "charge", params)?;
    Ok(Charge::of(gateway, &own(gateway, app, &outcome.intent)?))
}

pub(super) async fn get(
    State(gateway): Gw,
    Extension(app): Who,
    Path(id): Path<String>,
    parts: Parts,
) -> Result<Json<Charge>, Problem> {
    let fresh = Query::of(&parts, &["fresh"])?.truth("fresh")?;
    let (app_of, id_of) = (Arc::clone(&app), id.clone());
    let intent = gateway.look(move |gateway| own(gateway, &app_of, &id_of)).await??;
    if !fresh {
        return Ok(Json(Charge::of(&gateway, &intent)));
    }
    let asked = move |gateway: &Gateway| match calls::ask(gateway, &app, &intent) {
        Ok(_) => own(gateway, &app, &id).map_err(Problem::from),
        // Its payer has chosen nothing yet.
        Err(problem) if problem.code == Code::OrderNotFound.as_str() => Ok(intent),
        Err(problem) => Err(problem),
    };
    let intent = gateway.call(asked).await??;
    Ok(Json(Charge::of(&gateway, &intent)))
}

pub(super) async fn list(
    State(gateway): Gw,
    Extension(app): Who,
    parts: Parts,
) -> Result<Json<Charges>, Problem> {
    let known =
        ["status", "order_id", "account", "review", "created_after", "created_before", "after", "limit"];
    let query = Query::of(&parts, &known)?;
    let text = |name: &str| query.text(name).map(str::to_owned);
    let limit = query.number("limit", 1, PAGE.0)?.unwrap_or(PAGE.1);
    let filter = Filter {
        state: query.word("status", super::routes::STATUSES)?,
        review: query.truth("review")?,
        unconfirmed: None,
        account: text("account"),
        operation: Some("charge".to_owned()),
        order_id: text("order_id"),
        tenant: Some(app.code.clone()),
        since_ms: query.moment("created_after")?,
        until_ms: query.moment("created_before")?,
        after: text("after"),
        // One more tells whether there is another page.
        limit: u32::try_from(limit + 1).ok(),
    };
    let found = gateway
        .look(move |gateway| {
            // What names no charge would otherwise begin anywhere.
            if let Some(after) = &filter.after {
                own(gateway, &app, after).map_err(|error| not_after(error, after))?;
            }
            gateway.journal.intents(&filter)
        })
        .await??;
    let page = usize::try_from(limit).unwrap_or(usize::MAX);
    let data: Vec<Charge> = found.iter().take(page).map(|intent| Charge::of(&gateway, intent)).collect();
    let next = data.last().filter(|_| found.len() > page).map(|last| last.id.clone());
    Ok(Json(Charges { data, next }))
}

pub(super) async fn cancel(
    State(gateway): Gw,
    Extension(app): Who,
    Path(id): Path<String>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Json<Charge>, Problem> {
    ask::nothing(&body::object(&bytes)?)?;
    let key = ask::key(&headers)?;
    let cancelled = gateway.call(move |gateway| {
        let intent = own(gateway, &app, &id)?;
        let key = key.map_or_else(|| key_of_cancelling(gateway, &app, &id), Ok)?;
        let mut params = about(&intent);
        params.insert("key".to_owned(), json!(key));
        calls::call(gateway, &app, &intent.account, "cancel", params)?;
        Ok::<_, Problem>(Charge::of(gateway, &own(gateway, &app, &id)?))
    });
    Ok(Json(cancelled.await??))
}

pub(super) async fn refund(
    State(gateway): Gw,
    Extension(app): Who,
    Path(id): Path<String>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Json<Refund>, Problem> {
    let key = ask::needed_key(&headers)?;
    let given = body::object(&bytes)?;
    for name in ["order_id", "reference", "provider_reference", "key"] {
        if given.contains_key(name) {
            let error = bayar_provider::Error::invalid(name, "it", "nothing: the address names the charge");
            return Err(Error::from(error).into());
        }
    }
    let refunded = gateway.call(move |gateway| {
        let intent = own(gateway, &app, &id)?;
        let mut params = about(&intent);
        params.extend(given.into_iter().filter(|(_, value)| !value.is_null()));
        params.insert("key".to_owned(), json!(key));
        let outcome = calls::call(gateway, &app, &intent.account, "refund", params)?;
        let charge = Charge::of(gateway, &own(gateway, &app, &id)?);
        let result = outcome.result;
        Ok::<_, Problem>(Refund { id: outcome.intent, status: result.status, amount: result.amount, charge })
    });
    Ok(Json(refunded.await??))
}

/// Cancelling twice is cancelling once. What was refused cancelled nothing, and may be possible by now: the next
/// attempt has its own key.
fn key_of_cancelling(gateway: &Gateway, app: &App, id: &str) -> Result<String, Error> {
    let of =
        |attempt: u32| if attempt == 1 { format!("cancel {id}") } else { format!("cancel {id} {attempt}") };
    for attempt in 1..=ATTEMPTS {
        let known = gateway.journal.of_key(&app.code, &of(attempt))?;
        if known.is_none_or(|one| one.state != journal::State::Failed || one.outcome.is_some()) {
            return Ok(of(attempt));
        }
    }
    Ok(of(ATTEMPTS))
}

/// How an order is named to whoever cancels it or gives it back: the same each time, so that a repeated
/// request is the same.
fn about(intent: &Intent) -> Map<String, Value> {
    let mut params = Map::new();
    params.insert("reference".to_owned(), json!(intent.reference));
    if let Some(order_id) = &intent.order_id {
        params.insert("order_id".to_owned(), json!(order_id));
    }
    params
}

/// A page begins after a charge that there is.
fn not_after(error: Error, after: &str) -> Error {
    match error.code {
        Code::OrderNotFound => {
            let allowed = "the id of a charge of this application, such as `next` of a page has it";
            bayar_provider::Error::invalid("after", format!("{after:?}"), allowed).into()
        }
        _ => error,
    }
}

/// The charge of that id, if it is the application's: another's is as unknown as none.
fn own(gateway: &Gateway, app: &App, id: &str) -> Result<Intent, Error> {
    let found = gateway.journal.intent(id)?.map(|story| story.intent);
    found.filter(|intent| intent.tenant == app.code && intent.operation == "charge").ok_or_else(|| {
        let what = format!("the application {} has no charge {id:?}", app.code);
        Error::not_sent(Code::OrderNotFound, what).field("id")
    })
}
