//! What is said of an application, checked against what there is: a name that leads nowhere is told to
//! whoever writes it down, and not to the program that asks for it later.

use std::collections::BTreeSet;
use std::net::IpAddr;

use bayar::Error;
use bayar::transport::is_public;
use bayar_provider::params::nearest;

use crate::gateway::Gateway;
use crate::store::apps::Draft;

/// Checks the names of accounts and operations, and where callbacks are to go.
///
/// # Errors
/// [`bayar::Code::InvalidParams`], naming the field, what was found and what is allowed.
pub fn check(gateway: &Gateway, draft: &Draft) -> Result<(), Error> {
    let accounts: Vec<&str> = gateway.accounts.keys().map(String::as_str).collect();
    for account in draft.accounts.iter().filter(|name| *name != "*") {
        known("accounts", account, &accounts)?;
    }
    if let Some(account) = &draft.account {
        known("account", account, &accounts)?;
        if !draft.accounts.iter().any(|name| name == "*" || name == account) {
            let allowed = "one of the accounts that it may use";
            return Err(bayar_provider::Error::invalid("account", format!("{account:?}"), allowed).into());
        }
    }
    let operations: BTreeSet<&str> =
        gateway.accounts.values().flat_map(|account| account.operations.keys()).map(String::as_str).collect();
    let operations: Vec<&str> = operations.into_iter().collect();
    for operation in draft.operations.iter().filter(|name| *name != "*") {
        known("operations", operation, &operations)?;
    }
    match draft.callback_url.as_deref().map(is_outside) {
        Some(Err(why)) if !gateway.settings.allow_private_callbacks => {
            let found = format!("{:?}, which {why}", draft.callback_url.as_deref().unwrap_or_default());
            let allowed = "https:// to the public internet, or allow_private_callbacks = true in [gateway]";
            Err(bayar_provider::Error::invalid("callback_url", found, allowed).into())
        }
        _ => Ok(()),
    }
}

fn known(field: &str, found: &str, names: &[&str]) -> Result<(), Error> {
    if names.contains(&found) {
        return Ok(());
    }
    let near = nearest(found, names).map_or_else(String::new, |near| format!(" (did you mean {near}?)"));
    let allowed = format!("* for all, or of: {}", names.join(", "));
    Err(bayar_provider::Error::invalid(field, format!("{found:?}{near}"), allowed).into())
}

/// Whether an address may be one outside of this house, as far as can be told before its name is looked up.
fn is_outside(url: &str) -> Result<(), &'static str> {
    let Some(rest) = url.strip_prefix("https://") else { return Err("is not https") };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let six = host.strip_prefix('[').and_then(|rest| rest.split(']').next());
    let plain = six.unwrap_or_else(|| host.split(':').next().unwrap_or_default());
    match plain.parse::<IpAddr>() {
        Ok(address) if !is_public(address) => Err("is not on the public internet"),
        _ if plain.eq_ignore_ascii_case("localhost") => Err("is this machine"),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_this_house() {
        for url in ["https://shop.example.com/paid", "https://8.8.8.8:8443", "https://[2606:4700::1111]/x"] {
            assert_eq!(is_outside(url), Ok(()), "{url}");
        }
        for url in [
            "http://shop.example.com/",
            "https://localhost:8080/",
            "https://127.0.0.1",
            "https://10.0.0.1:443/x",
            "https://[::1]:443/",
            "https://[::ffff:10.0.0.1]?x",
        ] {
            assert!(is_outside(url).is_err(), "{url}");
        }
    }
}
