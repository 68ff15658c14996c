//! What an application was told, for those that would rather ask.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, State};
use axum::http::request::Parts;
use serde_json::Value;

use super::ask::Query;
use super::types::{Event, Events};
use crate::gateway::Gateway;
use crate::problem::Problem;
use crate::store::apps::App;
use crate::store::events::moment;

/// How many a page has, at most and by default.
const PAGE: (i64, i64) = (100, 20);

pub(super) async fn list(
    State(gateway): State<Arc<Gateway>>,
    Extension(app): Extension<Arc<App>>,
    parts: Parts,
) -> Result<Json<Events>, Problem> {
    let query = Query::of(&parts, &["after", "limit"])?;
    let after = query.number("after", 0, i64::MAX)?.unwrap_or_default();
    let limit = u32::try_from(query.number("limit", 1, PAGE.0)?.unwrap_or(PAGE.1)).unwrap_or(1);
    let found = gateway.look(move |gateway| gateway.store.events(&app.code, after, limit)).await??;
    let next = found.last().map_or(after, |last| last.number);
    let event = |event: crate::store::events::Event| {
        let body: Value = serde_json::from_str(&event.body).unwrap_or_default();
        Event {
            timestamp: body["timestamp"].as_str().map_or_else(|| moment(event.at_ms), str::to_owned),
            data: body.get("data").cloned().unwrap_or_default(),
            id: event.id,
            number: event.number,
            kind: event.kind,
        }
    };
    Ok(Json(Events { data: found.into_iter().map(event).collect(), next }))
}
