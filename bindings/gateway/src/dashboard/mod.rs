//! The dashboard: pages for the people who run the gateway. Plain forms and links, no scripts; everything
//! works with JavaScript switched off.
//!
//! | file | what stands there |
//! |---|---|
//! | `visit` | what every request passes: who is signed in, whether they may, whether it is from a page of ours |
//! | `answer`, `page` | what comes back: pages in their frame, other pages, tables, faults; the headers of all |
//! | `password`, `codes` | what people prove who they are with |
//! | `sign_in`, `join`, `me` | signing in and out, taking an invitation up, one's own settings |
//! | `overview`, `counting`, `chart` | what came in, how much of it succeeded, how long providers took |
//! | `payments`, `payment`, `money` | payments: the list, one with all that happened to it, giving money back |
//! | `reviews` | payments that wait for a person |
//! | `deliveries`, `providers`, `apps`, `people`, `audit` | what their names say |
//! | `export` | lists as CSV |
//! | `show`, `words` | the pieces that pages are made of, and what they are called in both languages |

mod answer;
mod apps;
mod audit;
mod chart;
pub(crate) mod codes;
mod counting;
mod deliveries;
mod ending;
mod export;
mod join;
mod me;
mod money;
mod overview;
mod page;
pub(crate) mod password;
mod payment;
mod payments;
mod people;
mod providers;
mod reasons;
mod reviews;
mod show;
mod sign_in;
#[cfg(test)]
mod tests;
mod visit;
mod words;

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Extension, RawPathParams, State};
use axum::http::HeaderMap;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::middleware::map_response;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{MethodRouter, get, post};

use answer::{Answer, Fault};
pub(crate) use show::{jakarta, rupiah};
use visit::{Asked, Visit};
pub(crate) use words::Language;

use crate::gateway::Gateway;
use crate::http::client::Client;
use crate::store::people::Role;

/// Where the dashboard is.
pub(crate) const ROOT: &str = "/dashboard";

const SIGN_IN: &str = "/dashboard/sign-in";

/// A page: where it is, who may have it, and what makes it.
struct Route {
    path: &'static str,
    /// Whether it changes something; then it is asked for by POST, with the token of the session.
    changes: bool,
    /// Whether it waits for a provider.
    calls: bool,
    /// What whoever asks must at least be; nothing where nobody need be signed in.
    least: Option<Role>,
    page: fn(&Visit<'_>) -> Result<Answer, Fault>,
}

const fn read(path: &'static str, least: Role, page: fn(&Visit<'_>) -> Result<Answer, Fault>) -> Route {
    Route { path, changes: false, calls: false, least: Some(least), page }
}

const fn change(path: &'static str, least: Role, page: fn(&Visit<'_>) -> Result<Answer, Fault>) -> Route {
    Route { changes: true, ..read(path, least, page) }
}

const fn call(path: &'static str, least: Role, page: fn(&Visit<'_>) -> Result<Answer, Fault>) -> Route {
    Route { calls: true, ..change(path, least, page) }
}

const fn open(route: Route) -> Route {
    Route { least: None, ..route }
}

/// All pages. Whoever adds one says here who may have it.
const ROUTES: &[Route] = {
    use Role::{Operator, Owner, Viewer};
    &[
        open(read("/sign-in", Viewer, sign_in::show)),
        open(change("/sign-in", Viewer, sign_in::sign_in)),
        change("/sign-out", Viewer, sign_in::sign_out),
        open(read("/join/{token}", Viewer, join::show)),
        open(change("/join/{token}", Viewer, join::join)),
        read("", Viewer, overview::show),
        read("/payments", Viewer, payments::show),
        read("/payments.csv", Viewer, export::payments),
        read("/payments/{intent}", Viewer, payment::show),
        call("/payments/{intent}/ask", Operator, money::ask),
        read("/payments/{intent}/refund", Operator, money::show_refund),
        call("/payments/{intent}/refund", Operator, money::refund),
        read("/payments/{intent}/cancel", Operator, money::show_cancel),
        call("/payments/{intent}/cancel", Operator, money::cancel),
        read("/reviews", Viewer, reviews::list),
        read("/reviews/{intent}", Operator, reviews::show),
        change("/reviews/{intent}", Operator, reviews::decide),
        change("/reviews/{intent}/confirm", Operator, reviews::confirm),
        change("/reviews/{intent}/withdraw", Operator, reviews::withdraw),
        read("/deliveries", Viewer, deliveries::list),
        read("/deliveries.csv", Viewer, export::deliveries),
        read("/deliveries/{event}", Viewer, deliveries::show),
        change("/deliveries/{event}/resend", Operator, deliveries::resend),
        read("/providers", Viewer, providers::list),
        change("/providers/{account}/address", Owner, providers::new_address),
        read("/apps", Viewer, apps::list),
        read("/apps/new", Owner, apps::show_new),
        change("/apps/new", Owner, apps::create),
        read("/apps/{code}", Viewer, apps::show),
        change("/apps/{code}", Owner, apps::change),
        change("/apps/{code}/keys", Owner, apps::create_key),
        read("/apps/{code}/keys/{key}/revoke", Owner, ending::show_revoke),
        change("/apps/{code}/keys/{key}/revoke", Owner, ending::revoke),
        change("/apps/{code}/secret", Owner, apps::new_secret),
        read("/apps/{code}/stop", Owner, ending::show_stop),
        change("/apps/{code}/stop", Owner, ending::stop),
        change("/apps/{code}/start", Owner, apps::start),
        read("/people", Owner, people::list),
        change("/people", Owner, people::invite),
        read("/people/{person}", Owner, people::show),
        change("/people/{person}", Owner, people::change),
        change("/people/{person}/invite", Owner, people::invite_again),
        change("/people/{person}/disable", Owner, people::disable),
        change("/people/{person}/enable", Owner, people::enable),
        read("/audit", Viewer, audit::list),
        read("/audit.csv", Viewer, export::audit),
        read("/me", Viewer, me::show),
        change("/me/look", Viewer, me::look),
        change("/me/password", Viewer, me::password),
        read("/me/authenticator", Viewer, me::show_authenticator),
        change("/me/authenticator", Viewer, me::authenticator),
        change("/me/recovery", Viewer, me::recovery),
        change("/me/sessions/end", Viewer, me::end_sessions),
    ]
};

/// The pages, at `/dashboard`; `/` leads there.
pub(crate) fn router() -> Router<Arc<Gateway>> {
    let mut router = Router::new()
        .route("/", get(async || Redirect::to(ROOT)))
        .route(&format!("{ROOT}/"), get(async || Redirect::to(ROOT)))
        .route(&format!("{ROOT}/style.css"), get(style))
        .route(&format!("{ROOT}/{{*rest}}"), get(nowhere));
    for route in ROUTES {
        router = router.route(&format!("{ROOT}{}", route.path), door(route));
    }
    router.layer(map_response(answer::headers))
}

fn door(route: &'static Route) -> MethodRouter<Arc<Gateway>> {
    let handler = async move |State(gateway): State<Arc<Gateway>>,
                              Extension(client): Extension<Client>,
                              names: RawPathParams,
                              parts: Parts,
                              body: Bytes| {
        let names = names.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let Parts { method, uri, headers, .. } = parts;
        serve(gateway, route, Asked { method, uri, headers, names, client, body: body.to_vec() }).await
    };
    if route.changes { post(handler) } else { get(handler) }
}

async fn serve(gateway: Arc<Gateway>, route: &'static Route, asked: Asked) -> Response {
    let language = Language::asked(&asked.headers);
    let work = move |gateway: &Gateway| visit::answer(gateway, route, asked);
    let answered = if route.calls { gateway.call(work).await } else { gateway.look(work).await };
    match answered {
        Ok((Ok(answer), _)) => answer.into_response(&gateway),
        Ok((Err(fault), language)) => {
            if let Fault::Failed(error) = &fault {
                tracing::warn!("{}: {error}", route.path);
            }
            fault.into_response(language)
        }
        Err(_) => answer::busy(language),
    }
}

async fn style() -> Response {
    let head =
        [(CONTENT_TYPE, "text/css; charset=utf-8"), (CACHE_CONTROL, "public, max-age=31536000, immutable")];
    (head, page::STYLE).into_response()
}

async fn nowhere(headers: HeaderMap) -> Response {
    Fault::Nowhere.into_response(Language::asked(&headers))
}
