//! `bayar serve --setup`: the first owner, made by whoever runs the gateway on its own machine.

use std::io::{BufRead, IsTerminal, Write, stderr, stdin};

use bayar::{Code, Error};
use zeroize::Zeroizing;

use crate::config::Loaded;
use crate::dashboard::{ROOT, codes, password};
use crate::store::audit::By;
use crate::store::keys::now_ms;
use crate::store::people::{Proofs, new_totp, plain_email};

/// Asks for an owner's name, e-mail address and password, has an authenticator set up, and keeps all of it
/// when its first code is right. Whoever has that address already gets everything anew: so an owner who
/// lost password or authenticator comes in again.
///
/// # Errors
/// Where there is no terminal to ask at, and the store's.
pub fn setup(loaded: &Loaded, by: &By) -> Result<(), Error> {
    if !stdin().is_terminal() {
        let what = "there is nobody to ask: expected that this runs at a terminal";
        return Err(Error::not_sent(Code::NotPossible, what));
    }
    let store = crate::open_store(loaded)?;
    store.check_key()?;
    say("An owner of this gateway. Nothing is kept before the last question is answered.\n")?;
    let name = ask("Name: ")?;
    let email = plain_email(&ask("E-mail address: ")?);
    if store.people()?.iter().any(|person| person.email == email)
        && !ask("Somebody has this address. Give them everything anew? [y/N] ")?.eq_ignore_ascii_case("y")
    {
        return say("Nothing was changed.");
    }
    let password = password::hash(&ask_password(&email)?)?;
    let totp = new_totp()?;
    let step = set_up_authenticator(&totp, &email)?;
    let (codes, kept) = codes::recovery()?;
    let owner = store.make_owner(&email, &name, &Proofs { password, totp, step }, &kept, by)?;
    say(
        "\nRecovery codes. Each takes the place of one code of the authenticator, once. Keep them elsewhere:\n",
    )?;
    for code in &codes {
        say(&format!("    {code}"))?;
    }
    say(&format!("\n{} may sign in: {}", owner.email, address(loaded)))
}

fn address(loaded: &Loaded) -> String {
    let settings = &loaded.settings;
    let scheme = if settings.tls_cert.is_some() { "https" } else { "http" };
    let here = format!("{scheme}://{}", settings.listen);
    let base = settings.public_url.as_deref().unwrap_or(&here);
    format!("{}{ROOT}", base.trim_end_matches('/'))
}

fn ask_password(email: &str) -> Result<Zeroizing<String>, Error> {
    loop {
        let chosen = ask_unseen(&format!("Password (at least {} characters): ", password::SHORTEST))?;
        if let Err(error) = password::check(&chosen, email) {
            say(&error.message)?;
        } else if *ask_unseen("The same again: ")? == *chosen {
            return Ok(chosen);
        } else {
            say("The two differ.")?;
        }
    }
}

/// Shows the secret, and asks until a code shows that an authenticator has it. Gives the code's step.
fn set_up_authenticator(totp: &bayar_provider::Secret, email: &str) -> Result<i64, Error> {
    let uri = codes::uri(totp, email)?;
    say("\nScan this with an authenticator (any that knows TOTP), or give it the address below:\n")?;
    say(&codes::characters(&uri).unwrap_or_default())?;
    say(&format!("\n{}\n", uri.expose()))?;
    loop {
        if let Some(step) = codes::step_of(totp, email, &ask("The code that it shows now: ")?, now_ms()) {
            return Ok(step);
        }
        say("That is not its present code. Are the clocks of both right?")?;
    }
}

/// To standard error: what is printed is for the person at the terminal, and for no file.
fn say(text: &str) -> Result<(), Error> {
    writeln!(stderr(), "{text}").map_err(|error| unusable(&error))
}

fn ask(question: &str) -> Result<String, Error> {
    write!(stderr(), "{question}").and_then(|()| stderr().flush()).map_err(|error| unusable(&error))?;
    let mut line = String::new();
    let read = stdin().lock().read_line(&mut line).map_err(|error| unusable(&error))?;
    if read == 0 {
        return Err(Error::not_sent(Code::NotPossible, "the terminal was closed: nothing was kept"));
    }
    Ok(line.trim().to_owned())
}

fn ask_unseen(question: &str) -> Result<Zeroizing<String>, Error> {
    rpassword::prompt_password(question).map(Zeroizing::new).map_err(|error| unusable(&error))
}

fn unusable(error: &std::io::Error) -> Error {
    Error::not_sent(Code::Internal, format!("the terminal cannot be used: {error}"))
}
