//! The page at `/`.
use crate::server::Frame;
use axum::extract::State;
use axum::response::{Html, IntoResponse as _, Response};
use std::sync::Arc;
pub(crate) async fn show(State(_frame): State<Arc<Frame>>) -> Response {
    Html("soon").into_response()
}
