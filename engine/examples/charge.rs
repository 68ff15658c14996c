//! One charge from Rust: `cargo run -p bayar --example charge CONFIG ORDER_ID [CHANNEL]`
//!
//! Plugins are looked for beside the program; `plugins` in the section `[engine]` names another place.

use std::process::ExitCode;
use std::time::Instant;

use bayar::{Code, Engine, Error};
use serde_json::json;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (Some(config), Some(order_id)) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: charge CONFIG ORDER_ID [CHANNEL]");
        return ExitCode::FAILURE;
    };
    match charge(&config, &order_id, arguments.next()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            if error.code == Code::OutcomeUnknown {
                eprintln!("Ask for the status of {order_id}; do not charge again.");
            }
            ExitCode::FAILURE
        }
    }
}

fn charge(config: &str, order_id: &str, channel: Option<String>) -> Result<(), Error> {
    let engine = Engine::open(&json!({"file": config}).to_string())?;
    let params = json!({
        "key": format!("{order_id}-attempt-1"),
        "order_id": order_id,
        "amount": 150_000,
        "channel": channel,
        "customer": {"name": "Budi Santoso", "email": "budi@example.com", "phone": "08123456789"},
    });
    let began = Instant::now();
    let outcome = engine.call("midtrans", "charge", params)?;
    eprintln!("charged in {:.2} ms", began.elapsed().as_secs_f64() * 1000.0);
    println!("{}", json!(outcome));
    Ok(())
}
