//! API v1: charges, the operations of every account, events. Every route stands in [`routes`], from which both
//! the router and the OpenAPI document are made.
//!
//! | file | what stands there |
//! |---|---|
//! | `routes` | every route, with what it takes and answers |
//! | `openapi` | the same as an OpenAPI 3.1 document |
//! | `types` | what is sent and answered |
//! | `ask` | what a request holds, taken apart |
//! | `charges`, `operations`, `events` | what the routes do |

mod ask;
mod charges;
mod events;
mod openapi;
mod operations;
mod routes;
mod types;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};

use crate::gateway::Gateway;
use crate::http::auth;
use crate::problem::Problem;

/// The routes, for applications that show their key; the OpenAPI document for everybody.
pub(crate) fn router(gateway: &Arc<Gateway>) -> Router<Arc<Gateway>> {
    let routes = routes::all();
    let document = Arc::new(openapi::document(&routes));
    let mut router = Router::new();
    for route in routes {
        router = router.route(route.path, route.handler);
    }
    router
        .layer(from_fn_with_state(Arc::clone(gateway), only_applications))
        .route("/v1/openapi.json", axum::routing::get(async move || axum::Json(document.as_ref().clone())))
        .method_not_allowed_fallback(not_allowed)
}

/// Lets a request in if it shows an application's key, and brings what can be read.
async fn only_applications(
    State(gateway): State<Arc<Gateway>>,
    mut request: Request,
    next: Next,
) -> Response {
    if let Some(found) = request.headers().get(CONTENT_TYPE)
        && !is_json(found.to_str().unwrap_or_default())
    {
        let what = format!("the body is said to be {found:?}; expected: application/json");
        let advice = "Nothing was sent. Send JSON.";
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return Problem::new(status, "unsupported_media_type", what, advice).into_response();
    }
    match auth::application(&gateway, request.headers()).await {
        Ok(app) => {
            request.extensions_mut().insert(app);
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || essence.ends_with("+json")
}

async fn not_allowed() -> Problem {
    let what = "this address knows other methods";
    let advice = "Nothing was sent. See Allow, or /v1/openapi.json.";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", what, advice)
}
