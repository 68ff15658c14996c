//! Calls what standard input says, one JSON line a call, and prints what came of it:
//! `{"account": "midtrans", "operation": "status", "params": {"order_id": "INV-17"}}`, or
//! `{"account": …, "envelope": {method, path, query, headers, remote_addr}, "body": "…"}`.
//! The configuration is the file that `BAYAR_CONFIG` names.

use std::io::BufRead;

use bayar::{Callback, Engine};
use serde_json::{Value, json};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let engine = Engine::open(&json!({"file": std::env::var("BAYAR_CONFIG")?}).to_string())?;
    for line in std::io::stdin().lock().lines() {
        let mut call: Value = serde_json::from_str(&line?)?;
        let account = call["account"].as_str().unwrap_or_default();
        let done = match call.get("envelope") {
            Some(envelope) => {
                let body = call["body"].as_str().unwrap_or_default().as_bytes().to_vec();
                engine.callback(account, Callback { body, ..serde_json::from_value(envelope.clone())? })
            }
            None => {
                let operation = call["operation"].as_str().unwrap_or_default();
                engine.call(account, operation, call["params"].clone())
            }
        };
        call = done.map_or_else(|error| json!({"error": error}), |outcome| json!(outcome));
        println!("{call}");
    }
    Ok(())
}
