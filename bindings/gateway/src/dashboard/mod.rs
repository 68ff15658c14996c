//! The dashboard: pages for the people who run the gateway. It has a module directory of its own, and works
//! with [`Gateway`](crate::gateway::Gateway): its store, its engine and its journal.

use std::sync::Arc;

use axum::Router;

use crate::gateway::Gateway;

/// The pages.
pub(crate) fn router() -> Router<Arc<Gateway>> {
    Router::new()
}
