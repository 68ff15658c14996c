//! The API of the gateway's document: `POST /charge` and `GET /status/{order_id}`, statuses and bodies as it
//! prints them.
//!
//! Source: Dokumentasi API Payment Gateway 1.0.0, sections 1 and 2, and its table of errors.

mod charge;
mod defaults;
pub(crate) mod status;

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bayar::Code;
use serde_json::{Value, json};

use crate::gateway::Gateway;
use crate::http::{auth, body};
use crate::problem::Problem;

/// Its two endpoints. Everything else about them is the wrong address, as the document has it.
pub(crate) fn router() -> Router<Arc<Gateway>> {
    let other = async || nowhere();
    Router::new()
        .route("/charge", post(charge).fallback(other))
        .route("/status/{*order_id}", get(status).fallback(other))
}

async fn charge(
    State(gateway): State<Arc<Gateway>>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<Response, Refusal> {
    let app = auth::application(&gateway, &headers).await?;
    let asked = charge::read(body::object(&bytes)?)?;
    let made = gateway.call(move |gateway| charge::make(gateway, &app, asked)).await??;
    Ok((StatusCode::CREATED, axum::Json(made)).into_response())
}

async fn status(
    State(gateway): State<Arc<Gateway>>,
    Path(order_id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let app = auth::application(&gateway, &headers).await?;
    let order_id = Arc::<str>::from(order_id);
    let known = {
        let (app, order_id) = (Arc::clone(&app), Arc::clone(&order_id));
        gateway.look(move |gateway| status::known(gateway, &app, &order_id)).await??
    };
    let answer = match known {
        status::Known::Fresh(answer) => answer,
        status::Known::Stale(intent) => {
            gateway.call(move |gateway| status::ask(gateway, &app, &order_id, &intent)).await??
        }
    };
    Ok(axum::Json(answer).into_response())
}

/// An address that there is not.
pub(crate) fn endpoint_not_found() -> Problem {
    let what = "there is no such endpoint here";
    let advice = "Use POST /charge or GET /status/{order_id}; /v1/openapi.json lists the rest.";
    Problem::new(StatusCode::NOT_FOUND, "endpoint_not_found", what, advice)
}

/// The same, as the document has it.
pub(crate) fn nowhere() -> Response {
    Refusal(endpoint_not_found()).into_response()
}

/// A problem as the document has it.
pub(crate) fn refused(problem: Problem) -> Response {
    Refusal(problem).into_response()
}

/// A problem in the document's form: its words in `error`, and for machines the same members as everywhere.
struct Refusal(Problem);

impl<P: Into<Problem>> From<P> for Refusal {
    fn from(problem: P) -> Self {
        Refusal(problem.into())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut problem = named(self.0);
        problem.status = printed(problem.status);
        let words = match (problem.status, problem.code.as_str()) {
            (StatusCode::NOT_FOUND, "endpoint_not_found") => "Endpoint not found",
            (status, _) => status.canonical_reason().unwrap_or("Error"),
        };
        let mut body = problem.members.clone();
        body.insert("error".to_owned(), json!(words));
        problem.answer("application/json", &Value::Object(body))
    }
}

/// A problem with the fields called what the document calls them.
fn named(mut problem: Problem) -> Problem {
    // The document has no 404 for a provider that charges nobody, and no word for an operation.
    if problem.code == Code::Unsupported.as_str() {
        return Problem { status: StatusCode::BAD_REQUEST, ..problem }.field("provider");
    }
    let Some(field) = problem.members.get("field").and_then(Value::as_str).map(str::to_owned) else {
        return problem;
    };
    let (first, rest) = field.split_at(field.find(['.', '[']).unwrap_or(field.len()));
    let theirs = match (first, rest) {
        ("items", rest) => format!("item_details{rest}"),
        ("customer", ".name") => "customer_details.first_name".to_owned(),
        ("customer", rest) => format!("customer_details{rest}"),
        _ => return problem,
    };
    if let Some(message) = problem.message().strip_prefix(&field).map(|rest| format!("{theirs}{rest}")) {
        problem.members.insert("message".to_owned(), json!(message));
    }
    problem.field(&theirs)
}

/// The document knows 400, 401, 404 and 500. What it does not speak of keeps its own status: too large, too
/// often, not now.
fn printed(status: StatusCode) -> StatusCode {
    match status {
        StatusCode::CONFLICT | StatusCode::UNPROCESSABLE_ENTITY | StatusCode::FORBIDDEN => {
            StatusCode::BAD_REQUEST
        }
        StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT => StatusCode::INTERNAL_SERVER_ERROR,
        other => other,
    }
}
