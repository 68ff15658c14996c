//! The sandbox on its own: `bayar-sandbox [--listen ADDR] [--set provider.name=value]…
//! [--print-config] [--quiet]`. `bayar sandbox` is the same with the rest of the command line.

use std::process::ExitCode;

use bayar_sandbox::Options;

fn main() -> ExitCode {
    match start() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("bayar-sandbox: {message}");
            ExitCode::from(2)
        }
    }
}

fn start() -> Result<(), String> {
    let mut options = Options::default();
    let mut print = false;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
        match argument.as_str() {
            "--listen" => {
                let text = value()?;
                options.listen = text.parse().map_err(|_| {
                    format!("--listen {text}: expected an address and a port, such as 127.0.0.1:8400")
                })?;
            }
            "--set" => {
                let text = value()?;
                let (name, value) =
                    text.split_once('=').ok_or(format!("--set {text}: expected provider.name=value"))?;
                options.set.push((name.to_owned(), value.to_owned()));
            }
            "--print-config" => print = true,
            "--quiet" => options.quiet = true,
            other => {
                return Err(format!(
                    "unknown argument {other}; known: --listen, --set, --print-config, --quiet"
                ));
            }
        }
    }
    options.check().map_err(|error| error.to_string())?;
    if print {
        print!("{}", bayar_sandbox::print_config(&options));
        return Ok(());
    }
    bayar_sandbox::run(options).map_err(|error| error.to_string())
}
