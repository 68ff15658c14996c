//! What machines ask of the gateway: whether it lives, whether it can work, what it counted.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Extension, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bayar::journal::Filter;
use subtle::ConstantTimeEq;

use crate::gateway::Gateway;
use crate::http::client::Client;
use crate::problem::Problem;

pub(crate) fn router() -> Router<Arc<Gateway>> {
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
}

/// Whether the databases answer and it is not about to stop.
async fn ready(State(gateway): State<Arc<Gateway>>) -> Response {
    if gateway.stop.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "stopping\n").into_response();
    }
    let looked = gateway
        .look(|gateway| {
            gateway.store.now_ms()?;
            gateway.journal.intents(&Filter { limit: Some(1), ..Filter::default() })
        })
        .await;
    match looked {
        Ok(Ok(_)) => "ready\n".into_response(),
        Ok(Err(error)) => {
            tracing::error!("not ready: {error}");
            (StatusCode::SERVICE_UNAVAILABLE, "a database does not answer\n").into_response()
        }
        Err(problem) => problem.into_response(),
    }
}

async fn metrics(
    State(gateway): State<Arc<Gateway>>,
    Extension(client): Extension<Client>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if !may_read_metrics(&gateway, client, &headers) {
        let what = "metrics are for this machine, or for whoever knows metrics_token";
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "forbidden",
            what,
            "Ask from there, or send the token.",
        ));
    }
    gateway.look(measure).await??;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(CONTENT_TYPE, kind)], gateway.metrics.text()).into_response())
}

fn may_read_metrics(gateway: &Gateway, client: Client, headers: &HeaderMap) -> bool {
    match &gateway.settings.metrics_token {
        None => client.address.is_loopback() && !client.doubtful,
        Some(token) => {
            let given = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
            let given = given.strip_prefix("Bearer ").unwrap_or_default();
            !token.is_empty() && bool::from(given.as_bytes().ct_eq(token.expose().as_bytes()))
        }
    }
}

/// What is not counted as it happens.
fn measure(gateway: &Gateway) -> Result<(), Problem> {
    let counts = gateway.store.delivery_counts()?;
    gateway.metrics.due.set(counts.due);
    gateway.metrics.parked.set(counts.parked);
    let waiting = Filter { review: true, limit: Some(10_000), ..Filter::default() };
    let reviews = gateway.journal.intents(&waiting)?.len();
    gateway.metrics.reviews.set(i64::try_from(reviews).unwrap_or(i64::MAX));
    Ok(())
}
