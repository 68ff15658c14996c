//! `GET /pay/{token}`: a page for whoever is to pay, where the provider has none of its own. It shows what the
//! journal knows and asks nobody; callbacks and recovery move the state.
//!
//! | file | what stands there |
//! |---|---|
//! | `links` | addresses that cannot be guessed |
//! | `page` | the page: how much, for what, how it stands |
//! | `how` | how to pay: each kind of instruction |

mod how;
mod links;
mod page;

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::extract::{Path, RawQuery, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, LOCATION, REFERRER_POLICY, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::map_response;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{any, get};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bayar::Error;
use bayar::journal::Intent;
use maud::Markup;
use sha2::{Digest, Sha256};

pub(crate) use links::Links;

use crate::dashboard::Language;
use crate::gateway::Gateway;
use page::{SCRIPT, STYLE};

/// The page, and where providers send payers back to.
pub(crate) fn router() -> Router<Arc<Gateway>> {
    Router::new()
        .route("/pay/{token}", get(show))
        // Some providers come back by POST.
        .route("/pay/back/{token}", any(back))
        .layer(map_response(headers))
}

/// What a page is made of.
struct Payment {
    intent: Intent,
    /// What the application that asks for the money is called, where it has a name.
    payee: Option<String>,
}

async fn show(
    State(gateway): State<Arc<Gateway>>,
    Path(token): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let pairs = form_urlencoded::parse(query.as_deref().unwrap_or_default().as_bytes());
    let chosen = pairs.filter(|(name, _)| name == "lang").find_map(|(_, tag)| Language::of(&tag));
    let language = chosen.unwrap_or_else(|| Language::asked(&headers));
    let Some(intent) = gateway.pay.intent_of(&token).map(str::to_owned) else {
        return html(StatusCode::NOT_FOUND, page::nowhere(language));
    };
    match gateway.look(move |gateway| payment(gateway, &intent)).await {
        Ok(Ok(Some(payment))) => html(StatusCode::OK, page::page(&gateway.pay, language, &payment)),
        Ok(Ok(None)) => html(StatusCode::NOT_FOUND, page::nowhere(language)),
        Ok(Err(error)) => {
            tracing::warn!("a pay page: {error}");
            busy(language)
        }
        Err(_) => busy(language),
    }
}

fn payment(gateway: &Gateway, id: &str) -> Result<Option<Payment>, Error> {
    let intent = gateway.journal.intent(id)?.map(|story| story.intent);
    let Some(intent) = intent.filter(|intent| intent.operation == "charge") else { return Ok(None) };
    let app = if intent.tenant.is_empty() { None } else { gateway.store.app(&intent.tenant)? };
    let payee = app.map(|app| app.name).filter(|name| !name.is_empty());
    Ok(Some(Payment { intent, payee }))
}

/// Leads on to the page, without what the provider wrote into the address.
async fn back(
    State(gateway): State<Arc<Gateway>>,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Response {
    let language = Language::asked(&headers);
    let Some((app, key)) = gateway.pay.call_of(&token) else {
        return html(StatusCode::NOT_FOUND, page::nowhere(language));
    };
    match gateway.look(move |gateway| gateway.journal.of_key(&app, &key)).await {
        // Relative: the gateway may be reached below a path.
        Ok(Ok(Some(intent))) => {
            let to = format!("../{}", gateway.pay.token(&intent.id));
            (StatusCode::SEE_OTHER, [(LOCATION, to)]).into_response()
        }
        Ok(Ok(None)) => html(StatusCode::NOT_FOUND, page::nowhere(language)),
        Ok(Err(error)) => {
            tracing::warn!("a way back to a pay page: {error}");
            busy(language)
        }
        Err(_) => busy(language),
    }
}

fn html(status: StatusCode, page: Markup) -> Response {
    (status, Html(page.into_string())).into_response()
}

fn busy(language: Language) -> Response {
    ([(RETRY_AFTER, "5")], html(StatusCode::SERVICE_UNAVAILABLE, page::busy(language))).into_response()
}

/// The page's own style and script, and nothing else: nothing of anybody's is loaded, or sent on.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let digest = |text: &str| BASE64_STANDARD.encode(Sha256::digest(text));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; connect-src 'self'; img-src data:; \
         form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
        digest(STYLE),
        digest(SCRIPT)
    );
    HeaderValue::from_str(&policy).expect("it is of ASCII")
});

async fn headers(mut response: Response) -> Response {
    const ALL: [(HeaderName, &str); 7] = [
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        // The address is a secret between the payer and us.
        (REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("x-robots-tag"), "noindex, nofollow"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (CACHE_CONTROL, "no-store"),
    ];
    let headers = response.headers_mut();
    for (name, value) in ALL {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(CONTENT_SECURITY_POLICY, POLICY.clone());
    response
}
