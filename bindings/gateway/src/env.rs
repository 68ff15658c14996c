//! The document's `.env`: names and values by line, as python-dotenv reads them, but for `${…}`, which is text
//! like any other.
//!
//! | name | is |
//! |---|---|
//! | `SECRET_KEY` | `gateway.secret_key` |
//! | `MIDTRANS_IS_PRODUCTION` | the environment of the account `midtrans`; `false` if absent |
//! | `MIDTRANS_SERVER_KEY` and any other `MIDTRANS_…` | the setting of that name of the account `midtrans` |
//! | `BAYAR_GATEWAY_…` | a setting of `[gateway]`: `BAYAR_GATEWAY_LISTEN`; lists with commas between |
//! | `BAYAR_ENGINE_…` | a setting of `[engine]`: `BAYAR_ENGINE_JOURNAL` |
//!
//! Whatever else stands there belongs to other programs and is left alone.

use std::path::Path;

use bayar::config::Wiped;
use bayar::{Code, Error};
use serde_json::{Map, Value, json};

/// Reads a file into the configuration that it means.
pub(crate) fn read(file: &Path) -> Result<Wiped, Error> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| refuse(&format!("{} cannot be read: {error}", file.display())))?;
    let pairs = parse(&text)
        .map_err(|line| refuse(&format!("{}: line {line}: expected NAME=VALUE", file.display())))?;
    let directory = file.parent().unwrap_or_else(|| Path::new("/"));
    let mut config = meaning(pairs).map_err(|what| refuse(&format!("{}: {what}", file.display())))?;
    if config.0["providers"].as_object().is_none_or(Map::is_empty) {
        let what =
            "MIDTRANS_SERVER_KEY is missing; expected the key of Midtrans' dashboard, Settings, Access Keys";
        return Err(refuse(&format!("{}: {what}", file.display())));
    }
    let journal = format!("sqlite:{}", directory.join("journal.db").display());
    let engine = config.0["engine"].as_object_mut().expect("it was made an object");
    engine.entry("journal").or_insert_with(|| json!(journal));
    Ok(config)
}

fn refuse(what: &str) -> Error {
    Error::not_sent(Code::InvalidConfig, what).field("file")
}

/// What the names mean.
fn meaning(pairs: Vec<(String, String)>) -> Result<Wiped, String> {
    let (mut engine, mut gateway, mut midtrans) = (Map::new(), Map::new(), Map::new());
    for (name, value) in pairs {
        let lower = |rest: &str| rest.to_ascii_lowercase();
        if name == "SECRET_KEY" {
            gateway.insert("secret_key".to_owned(), json!(value));
        } else if name == "MIDTRANS_IS_PRODUCTION" {
            let environment = if truth(&value)? { "production" } else { "sandbox" };
            midtrans.insert("environment".to_owned(), json!(environment));
        } else if let Some(rest) = name.strip_prefix("MIDTRANS_") {
            // As text: a merchant id may consist of digits.
            midtrans.insert(lower(rest), json!(value));
        } else if let Some(rest) = name.strip_prefix("BAYAR_GATEWAY_") {
            let setting = lower(rest);
            let value = match setting.as_str() {
                // Text, also where it consists of digits.
                "secret_key" | "previous_secret_key" | "metrics_token" | "mail_from" | "smtp" => json!(value),
                "trusted_proxies" | "mail_to" if !value.starts_with('[') => {
                    value.split(',').map(str::trim).filter(|one| !one.is_empty()).collect()
                }
                _ => typed(value),
            };
            gateway.insert(setting, value);
        } else if let Some(rest) = name.strip_prefix("BAYAR_ENGINE_") {
            engine.insert(lower(rest), typed(value));
        }
    }
    let mut providers = Map::new();
    if !midtrans.is_empty() {
        providers.insert("midtrans".to_owned(), Value::Object(midtrans));
    }
    Ok(Wiped(json!({"engine": engine, "gateway": gateway, "providers": providers})))
}

/// A truth or a number where it is written like one.
fn typed(value: String) -> Value {
    match serde_json::from_str(&value) {
        Ok(found @ (Value::Bool(_) | Value::Number(_) | Value::Array(_))) => found,
        _ => Value::String(value),
    }
}

fn truth(value: &str) -> Result<bool, String> {
    match value.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" | "" => Ok(false),
        _ => Err(format!("MIDTRANS_IS_PRODUCTION is {value:?}; expected true or false")),
    }
}

/// Names and values, or the number of the line that is neither. The line itself may hold a secret.
fn parse(text: &str) -> Result<Vec<(String, String)>, usize> {
    // As editors of Windows write it.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n");
    let mut pairs = Vec::new();
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let number = text[..text.len() - rest.len()].matches('\n').count() + 1;
        let line = rest.split('\n').next().unwrap_or_default();
        let after = |taken: usize| rest[taken..].split_once('\n').map_or("", |(_, after)| after);
        let plain = exported(line.trim());
        if plain.is_empty() || plain.starts_with('#') {
            rest = after(0);
            continue;
        }
        let name = plain.split('=').next().unwrap_or_default().trim();
        if name.is_empty() || name.contains(|c: char| c.is_whitespace() || "#'\":".contains(c)) {
            return Err(number);
        }
        let Some(equals) = line.find('=') else {
            // A name without a value says nothing.
            rest = after(0);
            continue;
        };
        // The value may go on in the lines below, where it is quoted.
        let (value, taken) = value_of(&rest[equals + 1..]).ok_or(number)?;
        pairs.push((name.to_owned(), value));
        rest = after(equals + 1 + taken);
    }
    Ok(pairs)
}

/// What follows `export`, as shells have it.
fn exported(line: &str) -> &str {
    match line.strip_prefix("export") {
        Some(rest) if rest.starts_with([' ', '\t']) => rest.trim_start(),
        _ => line,
    }
}

/// Quoted, or up to a `#` that stands behind a blank; and how many bytes of the text it takes.
fn value_of(text: &str) -> Option<(String, usize)> {
    let blanks = text.len() - text.trim_start_matches([' ', '\t']).len();
    let Some(quote) = text[blanks..].chars().next().filter(|c| matches!(c, '"' | '\'')) else {
        let line = text.split('\n').next().unwrap_or_default();
        let plain = line[blanks..].trim_end();
        let comment = plain.match_indices('#').find(|(at, _)| plain[..*at].ends_with([' ', '\t']));
        let value = comment.map_or(plain, |(at, _)| &plain[..at]);
        return Some((value.trim_end().to_owned(), line.len()));
    };
    let mut value = String::new();
    let mut rest = text[blanks + 1..].chars();
    while let Some(c) = rest.next() {
        match c {
            '\\' if quote == '"' => value.push(match rest.next()? {
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                other => other,
            }),
            '\\' => match rest.next()? {
                c @ ('\'' | '\\') => value.push(c),
                c => value.extend(['\\', c]),
            },
            c if c == quote => {
                let behind = rest.as_str().split('\n').next().unwrap_or_default();
                let comment = behind.trim_start();
                let taken = text.len() - rest.as_str().len() + behind.len();
                return (comment.is_empty() || comment.starts_with('#')).then_some((value, taken));
            }
            c => value.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documents_file() {
        let text = "# Security App\nSECRET_KEY=change-me\n\n# Midtrans Credentials (Dapat dari Dashboard Midtrans)\n\
            MIDTRANS_SERVER_KEY=Mid-server-EXAMPLE0000000000000000\nMIDTRANS_CLIENT_KEY=Mid-client-EXAMPLE00000000\n\
            MIDTRANS_MERCHANT_ID=G000000001\n\n# Mode Environment\nMIDTRANS_IS_PRODUCTION=true\nFLASK_DEBUG=1\n";
        let config = meaning(parse(text).expect("it is read")).expect("it is understood");
        let expected = json!({
            "engine": {},
            "gateway": {"secret_key": "change-me"},
            "providers": {"midtrans": {
                "server_key": "Mid-server-EXAMPLE0000000000000000",
                "client_key": "Mid-client-EXAMPLE00000000",
                "merchant_id": "G000000001",
                "environment": "production",
            }},
        });
        assert_eq!(config.0, expected);
    }

    #[test]
    fn values_as_they_are_written() {
        for (line, value) in [
            ("A=b", "b"),
            ("export A = b # why", "b"),
            ("A=b#c", "b#c"),
            ("A=", ""),
            ("A='$b \\n' # c", "$b \\n"),
            ("A=\"b\\n\\\"c\\\"\"", "b\n\"c\""),
            ("A='it\\'s'", "it's"),
            ("\u{feff}export\tA=b\t# why", "b"),
            ("A=\"b\nc\" # d", "b\nc"),
            ("A=b\r\n", "b"),
            ("B\nA=b", "b"),
            ("A=b=c", "b=c"),
            ("A=#b", "#b"),
        ] {
            assert_eq!(parse(line), Ok(vec![("A".to_owned(), value.to_owned())]), "{line}");
        }
        for text in ["\n=b", "\nA B=c", "\nA: b", "\nA='b", "\nA='b'c", "B=\"\"\nA=\"b\nC=d"] {
            assert_eq!(parse(text), Err(2), "{text}");
        }
    }

    #[test]
    fn settings_of_gateway_and_engine() {
        let text = "BAYAR_GATEWAY_LISTEN=127.0.0.1:1\nBAYAR_GATEWAY_CALLS=7\nBAYAR_ENGINE_JOURNAL=none\n\
            BAYAR_GATEWAY_METRICS_TOKEN=12\nBAYAR_GATEWAY_MAIL_TO=a@example.com, b@example.com\n\
            MIDTRANS_MERCHANT_ID=123\nMIDTRANS_IS_PRODUCTION=False\n";
        let config = meaning(parse(text).expect("it is read")).expect("it is understood").0.clone();
        let expected = json!({
            "listen": "127.0.0.1:1", "calls": 7, "metrics_token": "12", "mail_to": ["a@example.com", "b@example.com"],
        });
        assert_eq!(config["gateway"], expected);
        assert_eq!(config["engine"], json!({"journal": "none"}));
        assert_eq!(config["providers"]["midtrans"], json!({"merchant_id": "123", "environment": "sandbox"}));
        let wrong = meaning(vec![("MIDTRANS_IS_PRODUCTION".to_owned(), "maybe".to_owned())]);
        assert!(wrong.err().is_some_and(|what| what.contains("expected true or false")));
    }
}
