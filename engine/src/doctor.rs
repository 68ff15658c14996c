//! `doctor`: what this engine is made of and whether it can work, without sending anything.

use serde_json::{Value, json};

use crate::engine::Shared;
use crate::journal::Filter;

/// Examines an open engine.
pub(crate) fn examine(engine: &Shared) -> Value {
    let accounts: Vec<Value> = engine
        .accounts
        .values()
        .map(|account| {
            json!({
                "account": account.name,
                "provider": account.provider,
                "environment": account.environment,
                "origins": account.origins,
                "operations": account.operations.keys().collect::<Vec<_>>(),
                "callbacks": account.callback.is_some(),
            })
        })
        .collect();
    json!({
        "version": crate::VERSION,
        "contract": bayar_provider::CONTRACT,
        "arch": std::env::consts::ARCH,
        "plugins": engine.plugin_directory(),
        "journal": engine.journal.name(),
        "time": bayar_provider::time::rfc3339_wib(jiff::Timestamp::from_millisecond(engine.ambient.now_ms()).unwrap_or_default()),
        "accounts": accounts,
        "findings": findings(engine),
    })
}

/// What an operator should know, each with what to do.
fn findings(engine: &Shared) -> Vec<Value> {
    let mut findings = Vec::new();
    findings.extend(journal(engine));
    if engine.accounts.is_empty() {
        findings.push(json!({"level": "warning", "finding": "no account is configured: add a section [providers.NAME]"}));
    }
    for account in engine.accounts.values() {
        if account.http.allow_http == Some(true) {
            findings.push(json!({"level": "warning", "finding": format!("{}: allow_http lets requests go out unencrypted", account.name)}));
        }
    }
    findings
}

/// Whether the journal can be used, and what in it waits for people.
fn journal(engine: &Shared) -> Option<Value> {
    if !engine.journal.keeps() {
        let what = "no journal: what is in flight when the process dies is not known afterwards, and a key is not remembered";
        return Some(json!({"level": "warning", "finding": what}));
    }
    let waiting = Filter { review: true, limit: Some(1000), ..Filter::default() };
    match engine.journal.intents(&waiting) {
        Err(error) => Some(json!({"level": "error", "finding": error.message})),
        Ok(waiting) if waiting.is_empty() => None,
        Ok(waiting) => {
            let what = format!("{} wait for a review: bayar journal list --review", waiting.len());
            Some(json!({"level": "warning", "finding": what}))
        }
    }
}
