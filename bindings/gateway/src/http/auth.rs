//! Which application asks: `X-App-Code` and `X-Api-Key`, or the same by HTTP Basic.

use std::sync::Arc;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::opened::{Moment, Name};
use crate::gateway::Gateway;
use crate::problem::Problem;
use crate::store::apps::App;
use crate::store::keys::now_ms;

/// The application whose key came with a request; not more often than it may.
///
/// # Errors
/// [`Problem`] 401 and 429, and the store's.
pub(crate) async fn application(gateway: &Arc<Gateway>, headers: &HeaderMap) -> Result<Arc<App>, Problem> {
    let (code, key) = credentials(headers).ok_or_else(Problem::unauthorized)?;
    let name = Name::of(&code, &key);
    let now = Moment::now(&gateway.store);
    let app = match gateway.opened.get(name, now) {
        Some(app) => app,
        None => {
            let app = look_up(gateway, code, key).await?;
            gateway.opened.put(name, &app, now);
            app
        }
    };
    gateway.limits.application(&app.code)?;
    tracing::Span::current().record("app", app.code.as_str());
    Ok(app)
}

async fn look_up(gateway: &Arc<Gateway>, code: String, key: String) -> Result<Arc<App>, Problem> {
    let looked = gateway.look(move |gateway| gateway.store.opened_by(&code, &key)).await?;
    let (app, key) = looked?.ok_or_else(Problem::unauthorized)?;
    if key.is_stale(now_ms()) {
        let store = gateway.store.clone();
        // Nobody waits for it, and nothing depends on it.
        gateway.tasks.spawn_blocking(move || store.key_used(&key.id));
    }
    Ok(Arc::new(app))
}

fn credentials(headers: &HeaderMap) -> Option<(String, String)> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    if let (Some(code), Some(key)) = (text("x-app-code"), text("x-api-key")) {
        return Some((code, key));
    }
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, rest) = value.split_once(' ')?;
    let plain = BASE64_STANDARD.decode(rest.trim()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    let (code, key) = std::str::from_utf8(&plain).ok()?.split_once(':')?;
    Some((code.to_owned(), key.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_or_basic() {
        let with = |pairs: &[(&'static str, &str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.insert(*name, value.parse().expect("a value"));
            }
            credentials(&headers)
        };
        let both = Some(("biling".to_owned(), "a:b".to_owned()));
        assert_eq!(with(&[("x-app-code", "biling"), ("x-api-key", "a:b")]), both);
        assert_eq!(with(&[("authorization", "basic YmlsaW5nOmE6Yg==")]), both);
        assert_eq!(with(&[("x-app-code", "biling")]), None);
        assert_eq!(with(&[("authorization", "Bearer YmlsaW5nOmE6Yg==")]), None);
        assert_eq!(with(&[("authorization", "Basic ?")]), None);
    }
}
