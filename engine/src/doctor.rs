//! `doctor`: what this engine is made of and whether it can work, without sending anything.

use serde_json::{Value, json};

use crate::engine::Shared;

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
        "time": bayar_provider::time::rfc3339_wib(jiff::Timestamp::from_millisecond(engine.ambient.now_ms()).unwrap_or_default()),
        "accounts": accounts,
        "findings": findings(engine),
    })
}

/// What an operator should know, each with what to do.
fn findings(engine: &Shared) -> Vec<Value> {
    let mut findings = Vec::new();
    if engine.journal.name() == "none" {
        findings.push(json!({
            "level": "warning",
            "finding": "no journal: what is in flight when the process dies is not known afterwards, and a key is not remembered",
        }));
    }
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
