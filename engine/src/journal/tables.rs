//! The journal's tables. Steps only go forward, and the version before survives each.

/// The steps that make the tables: major version, minor version, statements. A new major version
/// is one that programs of the version before must not write to.
pub(crate) const STEPS: &[(u32, u32, &[&str])] =
    &[(1, 0, FIRST), (1, 1, TENANTS), (1, 2, CHANNEL), (1, 3, WAITING), (1, 4, PAID)];

/// For hosts that serve several tenants: each one's intents, its orders, and what changed of any.
/// Where no tenants are named these hold nothing and cost nothing.
const TENANTS: &[&str] = &[
    "CREATE INDEX intent_tenant ON intent (tenant, id) WHERE tenant <> ''",
    "CREATE INDEX intent_tenant_order ON intent (tenant, order_id, id) WHERE tenant <> '' AND order_id IS NOT NULL",
    "CREATE INDEX intent_changed ON intent (updated_ms, id) WHERE tenant <> ''",
];

/// How the payer was to pay, for figures; empty where the payer chooses, and in rows made before.
const CHANNEL: &[&str] = &["ALTER TABLE intent ADD COLUMN channel TEXT"];

/// What waits for a person, newest first, without reading all that does not.
const WAITING: &[&str] = &["CREATE INDEX intent_waiting ON intent (id) WHERE review IS NOT NULL"];

/// What is paid, newest first, for hosts that look for what they have not credited.
const PAID: &[&str] = &["CREATE INDEX intent_paid ON intent (id) WHERE state = 'paid' AND review IS NULL"];

const FIRST: &[&str] = &[
    // What a host asked for: one row a key. Times are milliseconds since 1970-01-01 UTC, amounts rupiah.
    "CREATE TABLE intent (
        id TEXT NOT NULL PRIMARY KEY,
        account TEXT NOT NULL,
        environment TEXT NOT NULL,
        provider TEXT NOT NULL,
        operation TEXT NOT NULL,
        class TEXT NOT NULL,
        tenant TEXT NOT NULL,
        key TEXT,
        digest TEXT NOT NULL,
        order_id TEXT,
        reference TEXT NOT NULL,
        owns BIGINT NOT NULL,
        provider_reference TEXT,
        amount BIGINT,
        payable BIGINT,
        state TEXT NOT NULL,
        review TEXT,
        call TEXT NOT NULL,
        resend BIGINT NOT NULL,
        outcome TEXT,
        error TEXT,
        fence BIGINT NOT NULL,
        lease_ms BIGINT NOT NULL,
        next_ms BIGINT,
        tries BIGINT NOT NULL,
        misses BIGINT NOT NULL,
        missed_ms BIGINT,
        asked_ms BIGINT,
        created_ms BIGINT NOT NULL,
        updated_ms BIGINT NOT NULL
    )",
    // One intent a key; rows without a key do not meet here.
    "CREATE UNIQUE INDEX intent_key ON intent (tenant, key)",
    // What a provider knows an order by is never used for another order.
    "CREATE UNIQUE INDEX intent_reference ON intent (account, environment, reference) WHERE owns = 1",
    "CREATE UNIQUE INDEX intent_provider_reference ON intent (account, environment, provider_reference)
        WHERE owns = 1 AND provider_reference IS NOT NULL",
    "CREATE INDEX intent_order ON intent (account, environment, order_id, created_ms) WHERE order_id IS NOT NULL",
    "CREATE INDEX intent_next ON intent (next_ms) WHERE next_ms IS NOT NULL",
    "CREATE INDEX intent_review ON intent (created_ms) WHERE review IS NOT NULL",
    // One request of an intent that moves or changes something.
    "CREATE TABLE attempt (
        intent TEXT NOT NULL,
        number BIGINT NOT NULL,
        class TEXT NOT NULL,
        stage TEXT NOT NULL,
        code TEXT,
        http_status BIGINT,
        began_ms BIGINT NOT NULL,
        ended_ms BIGINT,
        PRIMARY KEY (intent, number)
    )",
    // What must not be repeated has at most one request that may have been read.
    "CREATE UNIQUE INDEX attempt_once ON attempt (intent)
        WHERE class IN ('once', 'payable') AND stage IN ('sending', 'maybe_sent')",
    // Whatever was learned of an order; `intent` is empty where nothing of ours matches.
    "CREATE TABLE event (
        id TEXT NOT NULL PRIMARY KEY,
        intent TEXT,
        account TEXT NOT NULL,
        environment TEXT NOT NULL,
        source TEXT NOT NULL,
        dedupe TEXT NOT NULL,
        evidence TEXT NOT NULL,
        status TEXT NOT NULL,
        reference TEXT NOT NULL,
        provider_reference TEXT,
        amount BIGINT,
        payable BIGINT,
        refunded BIGINT,
        review TEXT,
        clears TEXT,
        document TEXT,
        at_ms BIGINT NOT NULL
    )",
    "CREATE UNIQUE INDEX event_dedupe ON event (account, environment, dedupe)",
    "CREATE INDEX event_intent ON event (intent, at_ms)",
    "CREATE INDEX event_body ON event (at_ms) WHERE document IS NOT NULL",
    "CREATE INDEX event_unmatched ON event (at_ms) WHERE intent IS NULL",
    // The host's own actions: claimed, applied by the host, confirmed.
    "CREATE TABLE effect (
        intent TEXT NOT NULL,
        name TEXT NOT NULL,
        state TEXT NOT NULL,
        transaction_id TEXT NOT NULL,
        fence BIGINT NOT NULL,
        lease_ms BIGINT NOT NULL,
        claimed_ms BIGINT NOT NULL,
        confirmed_ms BIGINT,
        PRIMARY KEY (intent, name)
    )",
    // What people did.
    "CREATE TABLE audit (
        id TEXT NOT NULL PRIMARY KEY,
        at_ms BIGINT NOT NULL,
        actor TEXT NOT NULL,
        action TEXT NOT NULL,
        intent TEXT,
        reason TEXT NOT NULL
    )",
    "CREATE INDEX audit_intent ON audit (intent, at_ms)",
];
