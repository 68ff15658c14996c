//! The tables of people and of what they do at the dashboard.

/// The step that makes them.
pub(super) const TABLES: &[&str] = &[
    // Who may sign in. `password` is an Argon2id hash, `totp` a sealed secret, `totp_step` the last thirty
    // seconds whose code was used. Until `invite_until_ms` the holder of `invite`, hashed, may set both.
    "CREATE TABLE gateway_person (
        id TEXT NOT NULL PRIMARY KEY,
        email TEXT NOT NULL,
        name TEXT NOT NULL,
        role TEXT NOT NULL,
        language TEXT,
        theme TEXT,
        password TEXT,
        totp TEXT NOT NULL,
        totp_step BIGINT NOT NULL,
        invite TEXT,
        invite_until_ms BIGINT,
        created_ms BIGINT NOT NULL,
        seen_ms BIGINT,
        disabled_ms BIGINT
    )",
    "CREATE UNIQUE INDEX gateway_person_email ON gateway_person (email)",
    "CREATE UNIQUE INDEX gateway_person_invite ON gateway_person (invite) WHERE invite IS NOT NULL",
    // Codes for whoever lost the device; each is 80 random bits, and opens once.
    "CREATE TABLE gateway_recovery (
        person TEXT NOT NULL,
        digest TEXT NOT NULL,
        PRIMARY KEY (person, digest)
    )",
    // Who is signed in. A session's name is 256 random bits, of which only the SHA-256 is kept.
    "CREATE TABLE gateway_session (
        digest TEXT NOT NULL PRIMARY KEY,
        person TEXT NOT NULL,
        address TEXT NOT NULL,
        agent TEXT NOT NULL,
        created_ms BIGINT NOT NULL,
        seen_ms BIGINT NOT NULL,
        until_ms BIGINT NOT NULL
    )",
    "CREATE INDEX gateway_session_person ON gateway_session (person, until_ms)",
    // How often somebody tried in vain, counted before it is known whether it is in vain.
    "CREATE TABLE gateway_tried (
        subject TEXT NOT NULL PRIMARY KEY,
        tries BIGINT NOT NULL,
        until_ms BIGINT NOT NULL
    )",
    // What one person decided about a review, for another to confirm.
    "CREATE TABLE gateway_proposal (
        intent TEXT NOT NULL PRIMARY KEY,
        review TEXT NOT NULL,
        status TEXT NOT NULL,
        reason TEXT NOT NULL,
        person TEXT NOT NULL,
        email TEXT NOT NULL,
        at_ms BIGINT NOT NULL
    )",
    // Which reviews people were told of.
    "CREATE TABLE gateway_review_told (
        intent TEXT NOT NULL PRIMARY KEY,
        review TEXT NOT NULL,
        at_ms BIGINT NOT NULL
    )",
    // What the payments of a day came to, as JSON, and when that was counted.
    "CREATE TABLE gateway_figures (
        day TEXT NOT NULL PRIMARY KEY,
        figures TEXT NOT NULL,
        counted_ms BIGINT NOT NULL
    )",
];
