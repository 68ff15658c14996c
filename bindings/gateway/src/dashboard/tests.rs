//! That every page is reached by its door alone: nobody, whoever may not, and forms of others are turned
//! away, whichever page it is.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::header::{CONTENT_TYPE, COOKIE, HOST, LOCATION, ORIGIN};
use axum::http::{Request, Response, StatusCode};
use axum::middleware::Next;
use axum::middleware::from_fn;
use sha2::{Digest, Sha256};
use tower_service::Service;

use super::visit::COOKIE_NAME;
use super::{ROOT, ROUTES, Route, SIGN_IN, router};
use crate::config::load;
use crate::gateway::Gateway;
use crate::http::client::Client;
use crate::store::audit::By;
use crate::store::people::Role;

/// A gateway without accounts, and its pages.
struct World {
    gateway: Arc<Gateway>,
    pages: Router,
    runtime: tokio::runtime::Runtime,
    _directory: tempfile::TempDir,
}

impl World {
    fn new() -> World {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let file = directory.path().join("bayar.toml");
        std::fs::write(&file, "").expect("is written");
        let gateway = Gateway::open(load(&file).expect("it is read")).expect("it opens");
        let from_here = async |mut request: axum::extract::Request, next: Next| {
            let address = "192.0.2.1".parse().expect("an address");
            request.extensions_mut().insert(Client { address, doubtful: false });
            next.run(request).await
        };
        let pages = router().layer(from_fn(from_here)).with_state(Arc::clone(&gateway));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        World { gateway, pages, runtime, _directory: directory }
    }

    /// The token of a session of somebody with this role.
    fn signed_in(&self, role: Role) -> String {
        let store = &self.gateway.store;
        let by = By::operator("test");
        let (person, link) =
            store.invite(&format!("{}@example.com", role.word()), "Ani", role, &by).expect("is invited");
        store.join(link.expose(), "hash", 1, &[], &by).expect("is kept");
        store.start_session(&person.id, "192.0.2.1", "").expect("begins").expose().to_owned()
    }

    fn ask(&mut self, route: &Route, with: &With<'_>) -> Response<Body> {
        let path = route.path.replace("{intent}", "I1").replace(['{', '}'], "");
        let method = if route.changes { "POST" } else { "GET" };
        let mut request =
            Request::builder().method(method).uri(format!("{ROOT}{path}")).header(HOST, "localhost");
        if let Some(origin) = with.origin {
            request = request.header(ORIGIN, origin);
        }
        if !with.session.is_empty() {
            request = request.header(COOKIE, format!("{COOKIE_NAME}={}", with.session));
        }
        let form = format!("token={}", with.token);
        let request =
            request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(Body::from(form));
        let request = request.expect("a request");
        self.runtime.block_on(self.pages.call(request)).expect("pages do not fail")
    }
}

/// What comes with a request.
struct With<'a> {
    session: &'a str,
    token: &'a str,
    origin: Option<&'a str>,
}

const OURS: Option<&str> = Some("http://localhost");

fn token(session: &str) -> String {
    hex::encode(Sha256::digest(format!("form {session}")))
}

#[test]
fn nobody_sees_or_changes_anything() {
    let mut world = World::new();
    for route in ROUTES.iter().filter(|route| route.least.is_some()) {
        for session in ["", "a-token-of-nobody"] {
            let answer = world.ask(route, &With { session, token: &token(session), origin: OURS });
            let to = answer.headers().get(LOCATION).and_then(|to| to.to_str().ok()).unwrap_or_default();
            assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{}", route.path);
            assert!(to.starts_with(SIGN_IN), "{} leads to {to}", route.path);
        }
    }
}

#[test]
fn whoever_may_not_is_turned_away() {
    let mut world = World::new();
    for role in Role::ALL {
        let session = world.signed_in(role);
        for route in ROUTES.iter().filter(|route| route.path != "/sign-out") {
            let answer = world.ask(route, &With { session: &session, token: &token(&session), origin: OURS });
            let refused = answer.status() == StatusCode::FORBIDDEN;
            // Signing in with nothing is refused to everybody.
            if route.least.is_some() {
                let text = world.runtime.block_on(to_bytes(answer.into_body(), 1 << 20)).expect("a page");
                let of_role = String::from_utf8_lossy(&text).contains("This takes the role of");
                assert_eq!(refused && of_role, Some(role) < route.least, "{} for {role:?}", route.path);
            }
            // Some of them end all sessions.
            if world.gateway.store.session(&session).expect("is read").is_none() {
                assert!(route.path.ends_with("/end"), "{} ended the session", route.path);
                break;
            }
        }
    }
}

/// Said once more, apart from the table: who may change what.
#[test]
fn each_role_has_its_duties() {
    for route in ROUTES.iter().filter(|route| route.least.is_some()) {
        let part = route.path.split('/').nth(1).unwrap_or_default();
        let least = match (part, route.changes) {
            ("sign-out" | "me", true) => Role::Viewer,
            ("payments" | "reviews" | "deliveries", true) => Role::Operator,
            ("apps" | "people" | "providers", true) | ("people", false) => Role::Owner,
            (part, true) => panic!("nobody said who may change {part}"),
            (_, false) => continue,
        };
        assert_eq!(route.least, Some(least), "{}", route.path);
    }
}

#[test]
fn forms_of_others_change_nothing() {
    let mut world = World::new();
    let session = world.signed_in(Role::Owner);
    let right = token(&session);
    for route in ROUTES.iter().filter(|route| route.changes) {
        let refused = |world: &mut World, token: &str, origin: Option<&str>| {
            world.ask(route, &With { session: &session, token, origin }).status() == StatusCode::FORBIDDEN
        };
        for origin in [None, Some("null"), Some("https://evil.example")] {
            assert!(refused(&mut world, &right, origin), "{} from {origin:?}", route.path);
        }
        if route.least.is_some() {
            assert!(
                refused(&mut world, "", OURS) && refused(&mut world, &token("other"), OURS),
                "{}",
                route.path
            );
        }
    }
    assert!(world.gateway.store.session(&session).expect("is read").is_some(), "nothing ended it");
    assert_eq!(world.gateway.store.people().expect("is read").len(), 1);
}

#[test]
fn every_page_forbids_scripts() {
    let mut world = World::new();
    let session = world.signed_in(Role::Owner);
    for route in ROUTES.iter().filter(|route| !route.changes) {
        let answer = world.ask(route, &With { session: &session, token: "", origin: None });
        let policy = answer.headers().get("content-security-policy").and_then(|value| value.to_str().ok());
        assert!(policy.is_some_and(|policy| policy.contains("default-src 'none'")), "{}", route.path);
        assert_eq!(
            answer.headers().get("cache-control").map(|value| value.as_bytes()),
            Some(&b"no-store"[..])
        );
        let text = world.runtime.block_on(to_bytes(answer.into_body(), 1 << 20)).expect("a page");
        let text = String::from_utf8_lossy(&text);
        assert!(
            !text.contains("<script") && !text.contains("style=") && !text.contains("javascript:"),
            "{}",
            route.path
        );
    }
}
