//! Loads one plugin as the engine does and prints what it says of itself:
//! `cargo run --example load -- /usr/lib/bayar/plugins/libbayar_midtrans.so`

use std::path::Path;
use std::process::ExitCode;

use bayar::plugins::Plugin;

fn main() -> ExitCode {
    let Some(path) = std::env::args().nth(1) else {
        eprintln!("usage: load /path/to/libbayar_NAME.so");
        return ExitCode::from(2);
    };
    match Plugin::load(Path::new(&path), None).and_then(|plugin| plugin.describe(None)) {
        Ok(description) => {
            println!("{} {}: {}", description.id, description.version, description.summary);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
