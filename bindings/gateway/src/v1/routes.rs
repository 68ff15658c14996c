//! Every route of API v1: its address, what it takes, what it answers, and what does it.

use std::sync::Arc;

use axum::routing::{MethodRouter, get, post};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Value, json};

use super::ask::KEY;
use super::types::{
    Balance, Channels, Charge, Charges, Events, NewCharge, NewRefund, Nothing, OutcomeDocument, Refund,
    Version,
};
use super::{charges, events, operations};
use crate::gateway::Gateway;

/// What `status` of a list may be.
pub(super) const STATUSES: &str = "new, pending, authorized, paid, failed, expired, cancelled, partially_refunded, \
    refunded, disputed, unknown";

/// How a type becomes a schema.
type Make = fn(&mut SchemaGenerator) -> Schema;

/// A route.
pub(super) struct Route {
    pub method: &'static str,
    pub path: &'static str,
    pub id: &'static str,
    pub summary: &'static str,
    pub parameters: Vec<Parameter>,
    pub body: Option<Make>,
    pub answer: (u16, &'static str, Make),
    pub handler: MethodRouter<Arc<Gateway>>,
}

/// A parameter of a route.
pub(super) struct Parameter {
    pub name: &'static str,
    pub place: &'static str,
    pub about: &'static str,
    pub needed: bool,
    pub schema: Value,
}

fn schema<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

fn query(name: &'static str, about: &'static str, schema: Value) -> Parameter {
    Parameter { name, place: "query", about, needed: false, schema }
}

fn in_path(name: &'static str, about: &'static str) -> Parameter {
    Parameter { name, place: "path", about, needed: true, schema: json!({"type": "string", "minLength": 1}) }
}

fn key(needed: bool) -> Parameter {
    let about = "Your key of this payment: the same for every attempt at it. The same key with the same request \
        gives the current state, with another one 409.";
    let schema =
        json!({"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]([ -~]*[!-~])?$"});
    Parameter { name: KEY, place: "header", about, needed, schema }
}

fn text() -> Value {
    json!({"type": "string"})
}

fn page() -> Value {
    json!({"type": "integer", "minimum": 1, "maximum": 100, "default": 20})
}

/// All of them.
pub(super) fn all() -> Vec<Route> {
    let mut routes = of_charges();
    routes.extend(of_accounts());
    routes
}

fn of_charges() -> Vec<Route> {
    let moment = || json!({"type": "string", "format": "date-time"});
    let id = || json!({"type": "string", "pattern": "^I[0-9A-HJKMNP-TV-Z]{22}[A-Z]$"});
    let one = || in_path("id", "The charge's id");
    let statuses: Vec<&str> = STATUSES.split(", ").map(str::trim).collect();
    vec![
        Route {
            method: "post",
            path: "/v1/charges",
            id: "createCharge",
            summary: "Asks a payer to pay.",
            parameters: vec![key(true)],
            body: Some(schema::<NewCharge>),
            answer: (201, "The charge.", schema::<Charge>),
            handler: post(charges::create),
        },
        Route {
            method: "get",
            path: "/v1/charges",
            id: "listCharges",
            summary: "The application's charges, newest first.",
            parameters: vec![
                query("status", "Only in this state.", json!({"type": "string", "enum": statuses})),
                query("order_id", "Only of this order.", text()),
                query("account", "Only through this account.", text()),
                query("review", "Only those that wait for a person.", json!({"type": "boolean"})),
                query("created_after", "Only those made at or after this moment.", moment()),
                query("created_before", "Only those made before this moment.", moment()),
                query("after", "A charge of the application: the `next` of the page before.", id()),
                query("limit", "How many at most.", page()),
            ],
            body: None,
            answer: (200, "A page of charges.", schema::<Charges>),
            handler: get(charges::list),
        },
        Route {
            method: "get",
            path: "/v1/charges/{id}",
            id: "getCharge",
            summary: "One charge, as it is known here.",
            parameters: vec![
                one(),
                query("fresh", "Whether the provider is asked first.", json!({"type": "boolean"})),
            ],
            body: None,
            answer: (200, "The charge.", schema::<Charge>),
            handler: get(charges::get),
        },
        Route {
            method: "post",
            path: "/v1/charges/{id}/cancel",
            id: "cancelCharge",
            summary: "Withdraws a charge that was not paid.",
            parameters: vec![one(), key(false)],
            body: Some(schema::<Nothing>),
            answer: (200, "The charge, as it is now.", schema::<Charge>),
            handler: post(charges::cancel),
        },
        Route {
            method: "post",
            path: "/v1/charges/{id}/refund",
            id: "refundCharge",
            summary: "Gives back what was paid, or part of it.",
            parameters: vec![one(), key(true)],
            body: Some(schema::<NewRefund>),
            answer: (200, "The refund, and the charge as it is now.", schema::<Refund>),
            handler: post(charges::refund),
        },
    ]
}

fn of_accounts() -> Vec<Route> {
    let account = || in_path("account", "The account");
    let named = || query("account", "The account, or its provider; the application's own if absent.", text());
    let number = json!({"type": "integer", "minimum": 0, "default": 0});
    let amount = json!({"type": "integer", "minimum": 1, "maximum": 999_999_999_999_999_u64});
    vec![
        Route {
            method: "get",
            path: "/v1/channels",
            id: "listChannels",
            summary: "The ways to pay.",
            parameters: vec![named(), query("amount", "For this amount, where that matters.", amount)],
            body: None,
            answer: (200, "The ways to pay.", schema::<Channels>),
            handler: get(operations::channels),
        },
        Route {
            method: "get",
            path: "/v1/balance",
            id: "getBalance",
            summary: "What is there. The application must have been given `balance`.",
            parameters: vec![named()],
            body: None,
            answer: (200, "What is there.", schema::<Balance>),
            handler: get(operations::balance),
        },
        Route {
            method: "get",
            path: "/v1/events",
            id: "listEvents",
            summary: "What the application was told, oldest first.",
            parameters: vec![
                query("after", "The `next` of the page before.", number),
                query("limit", "How many at most.", page()),
            ],
            body: None,
            answer: (200, "A page of events.", schema::<Events>),
            handler: get(events::list),
        },
        Route {
            method: "post",
            path: "/v1/accounts/{account}/operations/{operation}",
            id: "callOperation",
            summary: "Calls an operation of an account as it is; `bayar` is the engine itself.",
            parameters: vec![
                account(),
                in_path("operation", "The operation, as describe lists it"),
                key(false),
            ],
            body: Some(schema::<serde_json::Map<String, Value>>),
            answer: (200, "The outcome; 201 for a charge that was made.", schema::<OutcomeDocument>),
            handler: post(operations::call),
        },
        Route {
            method: "get",
            path: "/v1/describe",
            id: "describe",
            summary: "Every account that the application may use, and what it may call.",
            parameters: vec![],
            body: None,
            answer: (200, "The descriptions.", schema::<serde_json::Map<String, Value>>),
            handler: get(operations::describe_all),
        },
        Route {
            method: "get",
            path: "/v1/accounts/{account}/describe",
            id: "describeAccount",
            summary: "One account, and what the application may call.",
            parameters: vec![account()],
            body: None,
            answer: (200, "The description.", schema::<serde_json::Map<String, Value>>),
            handler: get(operations::describe),
        },
        Route {
            method: "get",
            path: "/v1/version",
            id: "version",
            summary: "The version of the gateway.",
            parameters: vec![],
            body: None,
            answer: (200, "The version.", schema::<Version>),
            handler: get(operations::version),
        },
    ]
}
