//! The gateway's tables. Steps only go forward, and the version before survives each.
//!
//! Times are milliseconds since 1970-01-01 UTC.

use bayar::database::Schema;

use super::dashboard;

/// Every name begins with `gateway_`: the journal may be in the same PostgreSQL.
pub(crate) const SCHEMA: Schema = Schema {
    what: "gateway's database",
    setting: "gateway.database",
    meta: "gateway_meta",
    steps: &[(1, 0, FIRST), (1, 1, dashboard::TABLES)],
};

const FIRST: &[&str] = &[
    // Who may call. `accounts` and `operations` are JSON lists of names, or ["*"].
    "CREATE TABLE gateway_app (
        code TEXT NOT NULL PRIMARY KEY,
        name TEXT NOT NULL,
        account TEXT,
        channel TEXT,
        accounts TEXT NOT NULL,
        operations TEXT NOT NULL,
        callback_url TEXT,
        events BIGINT NOT NULL,
        created_ms BIGINT NOT NULL,
        updated_ms BIGINT NOT NULL,
        stopped_ms BIGINT
    )",
    // A key is 256 random bits, so its SHA-256 gives nothing away.
    "CREATE TABLE gateway_key (
        id TEXT NOT NULL PRIMARY KEY,
        app TEXT NOT NULL,
        digest TEXT NOT NULL,
        hint TEXT NOT NULL,
        created_ms BIGINT NOT NULL,
        until_ms BIGINT,
        used_ms BIGINT
    )",
    "CREATE UNIQUE INDEX gateway_key_digest ON gateway_key (digest)",
    "CREATE INDEX gateway_key_app ON gateway_key (app)",
    // What signs an application's callbacks: several are valid while they are exchanged.
    "CREATE TABLE gateway_secret (
        id TEXT NOT NULL PRIMARY KEY,
        app TEXT NOT NULL,
        sealed TEXT NOT NULL,
        created_ms BIGINT NOT NULL,
        until_ms BIGINT
    )",
    "CREATE INDEX gateway_secret_app ON gateway_secret (app)",
    // The last part of the address that a provider sends an account's callbacks to.
    "CREATE TABLE gateway_inbound (
        id TEXT NOT NULL PRIMARY KEY,
        account TEXT NOT NULL,
        sealed TEXT NOT NULL,
        created_ms BIGINT NOT NULL,
        until_ms BIGINT
    )",
    "CREATE INDEX gateway_inbound_account ON gateway_inbound (account)",
    // What an application was last told of an intent.
    "CREATE TABLE gateway_told (
        intent TEXT NOT NULL PRIMARY KEY,
        app TEXT NOT NULL,
        state TEXT NOT NULL,
        review BIGINT NOT NULL,
        changed_ms BIGINT NOT NULL,
        told_ms BIGINT NOT NULL
    )",
    // Everything that it was told, numbered without a gap.
    "CREATE TABLE gateway_event (
        app TEXT NOT NULL,
        number BIGINT NOT NULL,
        id TEXT NOT NULL,
        intent TEXT NOT NULL,
        type TEXT NOT NULL,
        body TEXT NOT NULL,
        at_ms BIGINT NOT NULL,
        PRIMARY KEY (app, number)
    )",
    "CREATE UNIQUE INDEX gateway_event_id ON gateway_event (id)",
    "CREATE INDEX gateway_event_intent ON gateway_event (intent)",
    "CREATE INDEX gateway_event_age ON gateway_event (at_ms)",
    // Whether and how it heard of it. `tries` counts those of this round, `attempts` all.
    "CREATE TABLE gateway_delivery (
        event TEXT NOT NULL PRIMARY KEY,
        app TEXT NOT NULL,
        state TEXT NOT NULL,
        tries BIGINT NOT NULL,
        attempts BIGINT NOT NULL,
        next_ms BIGINT NOT NULL,
        lease_ms BIGINT NOT NULL,
        fence BIGINT NOT NULL,
        status BIGINT,
        error TEXT,
        created_ms BIGINT NOT NULL,
        updated_ms BIGINT NOT NULL
    )",
    "CREATE INDEX gateway_delivery_due ON gateway_delivery (app, next_ms) WHERE state = 'due'",
    "CREATE INDEX gateway_delivery_list ON gateway_delivery (state, event)",
    "CREATE TABLE gateway_try (
        event TEXT NOT NULL,
        number BIGINT NOT NULL,
        url TEXT NOT NULL,
        status BIGINT,
        error TEXT,
        took_ms BIGINT NOT NULL,
        at_ms BIGINT NOT NULL,
        PRIMARY KEY (event, number)
    )",
    // How far work is that all instances share: moments.
    "CREATE TABLE gateway_mark (
        name TEXT NOT NULL PRIMARY KEY,
        ms BIGINT NOT NULL
    )",
    // What people did.
    "CREATE TABLE gateway_audit (
        id TEXT NOT NULL PRIMARY KEY,
        at_ms BIGINT NOT NULL,
        actor TEXT NOT NULL,
        action TEXT NOT NULL,
        target TEXT NOT NULL,
        detail TEXT NOT NULL,
        address TEXT
    )",
    "CREATE INDEX gateway_audit_at ON gateway_audit (at_ms)",
];
