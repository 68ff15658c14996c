//! Promises that every provider keeps, written once. Each takes the provider's case files as its
//! material, so a new provider is held to all of them by having cases.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bayar_provider::{Callback, Charge, Code, Description, Nothing, Provider, Response, Settlement, schema};
use serde_json::{Value, json};

use crate::account::{Account, describe, take_log};
use crate::cases::{Case, CaseCall, CaseResponse, End, exchange, load, transcript};

/// Parameters that belong to the engine.
const RESERVED: [&str; 4] = ["key", "tenant", "reference", "deadline_ms"];

/// A description names what it refers to, leaves the engine's parameters alone and gives its sources.
pub fn description<P: Provider>(dir: &str) {
    check_description(&describe::<P>(None));
    for settings in settings_of::<P>(dir) {
        check_description(&describe::<P>(Some(&settings)));
    }
}

fn check_description(description: &Description) {
    let names: Vec<&str> = description.operations.iter().map(|o| o.name.as_str()).collect();
    assert_eq!(
        names.iter().collect::<BTreeSet<_>>().len(),
        names.len(),
        "operations are named once: {names:?}"
    );
    for operation in &description.operations {
        let name = &operation.name;
        let properties = operation.params.get("properties").and_then(Value::as_object);
        for reserved in RESERVED {
            assert!(properties.is_none_or(|p| !p.contains_key(reserved)), "{name} declares {reserved}");
        }
        assert_eq!(
            operation.params.get("additionalProperties"),
            Some(&json!(false)),
            "{name} takes anything"
        );
        assert!(!operation.source.is_empty() && !operation.summary.is_empty(), "{name} has no source");
        match &operation.settled {
            Settlement::Read { operation } | Settlement::Keyed { operation } => {
                assert!(
                    names.contains(&operation.as_str()),
                    "{name} is settled by {operation}, which is not there"
                );
            }
            Settlement::Callback => {
                assert!(description.callback.is_some(), "{name} is settled by no callback")
            }
            Settlement::Nobody => {}
        }
    }
    if let Some(rules) = &description.callback {
        let confirmed = rules.confirmed_by.as_deref().is_none_or(|operation| names.contains(&operation));
        assert!(confirmed, "callbacks are confirmed by an operation that is not there");
    }
    let channels: BTreeSet<&str> = description.channels.iter().map(|c| c.id.as_str()).collect();
    assert_eq!(channels.len(), description.channels.len(), "channels are named once");
    assert_eq!(
        description.settings.get("additionalProperties"),
        Some(&json!(false)),
        "settings take anything"
    );
    assert!(
        description.settings.pointer("/properties/environment").is_some(),
        "every provider has environment"
    );
}

/// Every operation that is described, under whichever settings, is called by some case.
pub fn coverage<P: Provider>(dir: &str) {
    let cases = load(dir);
    let called: BTreeSet<&str> =
        cases.iter().filter_map(|c| c.call.as_ref()).map(|c| c.operation.as_str()).collect();
    let mut described = describe::<P>(None).operations;
    described.extend(settings_of::<P>(dir).iter().flat_map(|s| describe::<P>(Some(s)).operations));
    let missing: BTreeSet<&str> =
        described.iter().map(|o| o.name.as_str()).filter(|name| !called.contains(name)).collect();
    assert!(missing.is_empty(), "no case calls {missing:?}");
    if describe::<P>(None).callback.is_some() {
        assert!(genuine::<P>(dir).next().is_some(), "no case has a genuine callback");
    }
}

/// The same call gives the same bytes, and the same answers the same outcome.
pub fn determinism<P: Provider>(dir: &str) {
    for case in load(dir) {
        assert_eq!(transcript::<P>(&case), transcript::<P>(&case), "{}", case.name);
    }
}

/// What is not described is refused, also where other settings have it.
pub fn undeclared<P: Provider>(dir: &str) {
    let every = describe::<P>(None).operations;
    for settings in settings_of::<P>(dir) {
        let description = describe::<P>(Some(&settings));
        let account = Account::open::<P>(&settings).expect("these settings are accepted");
        let here = |name: &str| description.operations.iter().any(|o| o.name == name);
        let names = every.iter().map(|o| o.name.as_str()).filter(|name| !here(name));
        for operation in names.chain(["no_such_operation", ""]) {
            let call =
                CaseCall { operation: operation.to_owned(), params: None, reference: None, session: None };
            let error = account.prepare(&call.call(&description)).expect_err("it is not described");
            assert_eq!(error.code, Code::Unsupported, "{operation}: {error}");
        }
    }
}

/// A charge's description lists what the provider takes: each field that is listed is taken in some
/// charge, and each that is not is refused, by name, in all of them.
pub fn charge_fields<P: Provider>(dir: &str) {
    let charges: Vec<CaseCall> = load(dir)
        .into_iter()
        .filter_map(|case| case.call)
        .filter(|call| call.operation == "charge" && call.params.is_some())
        .collect();
    for settings in settings_of::<P>(dir) {
        let description = describe::<P>(Some(&settings));
        let Some(charge) = description.operations.iter().find(|o| o.name == "charge") else { continue };
        let account = Account::open::<P>(&settings).expect("these settings are accepted");
        let taken = |call: &&CaseCall| account.prepare(&call.call(&description)).is_ok();
        let good: Vec<&CaseCall> = charges.iter().filter(taken).collect();
        // Settings that only a callback needs.
        if good.is_empty() {
            continue;
        }
        let listed = charge.params["properties"].as_object().expect("a charge has parameters");
        for field in schema::<Charge<Nothing>>()["properties"].as_object().expect("they are listed").keys() {
            let refused = |call: &&CaseCall| {
                let call =
                    CaseCall { params: call.params.clone().map(|p| with_field(p, field)), ..(*call).clone() };
                let found = account.prepare(&call.call(&description)).err();
                found.is_some_and(|error| error.field.as_deref() == Some(field))
            };
            if listed.contains_key(field) {
                assert!(
                    !good.iter().all(refused),
                    "{field} is listed, and no charge of these takes it: {settings}"
                );
            } else {
                assert!(good.iter().all(refused), "{field} is not listed, and taken: {settings}");
            }
        }
        let known = schema::<Charge<Nothing>>();
        let own = listed.keys().find(|name| known["properties"].get(name.as_str()).is_none());
        assert_eq!(own, None, "what only one provider has is in options");
    }
}

/// Parameters of a charge with a field that was not among them.
fn with_field(mut params: Value, field: &str) -> Value {
    let amount = params["amount"].clone();
    let value = match field {
        "currency" => json!("IDR"),
        "customer" => json!({"name": "Budi Santoso", "email": "budi@example.com", "phone": "081200000001"}),
        "items" => json!([{"name": "Hosting", "price": amount, "quantity": 1}]),
        "expires_in" => json!(86_400),
        "options" => json!({}),
        "channel" => json!("bca_va"),
        "order_id" => json!("INV-1001"),
        "description" => json!("Hosting"),
        _ => json!("https://shop.example.com/there"),
    };
    let params_of = params.as_object_mut().expect("parameters are an object");
    params_of.entry(field).or_insert(value);
    params
}

/// What no provider should answer, at each exchange of each case: a typed error, never a panic
/// and never an outcome.
pub fn hostile_answers<P: Provider>(dir: &str) {
    for case in load(dir) {
        let (Some(call), Ok(account)) = (&case.call, Account::open::<P>(&case.settings)) else { continue };
        let call = call.call(&describe::<P>(Some(&case.settings)));
        let run = exchange(&account, &call, &case.responses);
        let succeeds = matches!(run.end, End::Outcome(_));
        for (sent, real) in run.sent.iter().zip(case.responses.iter().map(Some).chain([None])) {
            for (what, response) in hostile(real) {
                let found = account.interpret(&call, &sent.state, &response);
                let at = format!("{}: {what}, HTTP {}", case.name, response.status);
                let error = found.expect_err(&at);
                let open = matches!(error.code, Code::OutcomeUnknown | Code::Protocol);
                // In a case that is itself about a refusal, the HTTP status alone may be the documented no.
                assert!(open || !succeeds && response.status >= 400, "{at}: {error}");
            }
            for response in real.iter().flat_map(|real| one_field_wrong(real)) {
                // What matters is only that it does not panic: an optional field may be missing.
                drop(account.interpret(&call, &sent.state, &response));
            }
        }
    }
}

fn hostile(real: Option<&CaseResponse>) -> Vec<(&'static str, Response)> {
    let html = b"<!DOCTYPE html><html><body><h1>502 Bad Gateway</h1></body></html>".to_vec();
    let answer = |status, body| Response { status, headers: Vec::new(), body };
    let mut answers: Vec<_> =
        [200, 201, 302, 429, 500, 503].map(|s| ("HTML", answer(s, html.clone()))).into();
    for (what, body) in [
        ("empty", Vec::new()),
        ("null", b"null".to_vec()),
        ("a list", b"[]".to_vec()),
        ("a number", b"200".to_vec()),
        ("an empty object", b"{}".to_vec()),
        ("not UTF-8", vec![0xff; 64]),
        ("huge", vec![b'a'; 256 * 1024]),
        ("deep", vec![b'['; 256 * 1024]),
    ] {
        answers.push((what, answer(200, body)));
    }
    if let Some(real) = real.filter(|real| real.body.is_object()) {
        let bytes = real.bytes();
        answers.push(("cut short", answer(real.status, bytes[..bytes.len() / 2].to_vec())));
        let spoiled =
            [("null-filled", spoil(&real.body, |_| Value::Null)), ("wrong types", spoil(&real.body, wrong))];
        for (what, body) in spoiled {
            answers.push((what, answer(real.status, body.to_string().into_bytes())));
        }
        for status in [302, 429, 500, 503] {
            answers.push(("a good body", answer(status, bytes.clone())));
        }
    }
    answers
}

/// A value of another type, in each place of a leaf.
fn wrong(leaf: &Value) -> Value {
    match leaf {
        Value::Bool(_) => json!("true"),
        Value::Number(_) => json!([]),
        _ => json!({"unexpected": true}),
    }
}

fn spoil(value: &Value, leaf: fn(&Value) -> Value) -> Value {
    match value {
        Value::Object(fields) => fields.iter().map(|(k, v)| (k.clone(), spoil(v, leaf))).collect(),
        Value::Array(items) => items.iter().map(|v| spoil(v, leaf)).collect(),
        other => leaf(other),
    }
}

fn one_field_wrong(real: &CaseResponse) -> Vec<Response> {
    let fields = real.body.as_object().into_iter().flat_map(|fields| fields.keys());
    let with = |field: &String, value: Option<Value>| {
        let mut body = real.body.clone();
        let object = body.as_object_mut().expect("it has fields");
        match value {
            Some(value) => object.insert(field.clone(), value),
            None => object.remove(field),
        };
        Response { status: real.status, headers: Vec::new(), body: body.to_string().into_bytes() }
    };
    let values =
        [None, Some(json!(null)), Some(json!(-1)), Some(json!(1.5e300)), Some(json!({})), Some(json!(""))];
    fields.flat_map(|field| values.clone().map(|value| with(field, value))).collect()
}

/// One byte flipped anywhere in a callback's signature or in what it covers, a signature that is
/// missing or empty, another key: refused, with the answer for the provider.
pub fn forgeries<P: Provider>(dir: &str) {
    for case in genuine::<P>(dir) {
        let account = Account::open::<P>(&case.settings).expect("a genuine callback has settings");
        let refused = |what: &str, callback: &Callback| {
            let found = account.verify(callback);
            let error = found.map(|_| ()).expect_err(&format!("{}: {what}", case.name));
            assert_eq!(error.code, Code::CallbackRefused, "{}: {what}: {error}", case.name);
            let answer = error.acknowledgement.map(|a| a.status);
            assert_eq!(answer, Some(401), "{}: {what}: not genuine is answered 401", case.name);
        };
        let source = case.callback.as_ref().expect("it is about a callback");
        let callback = source.callback();
        let signature = source.signature.as_deref().expect("a genuine callback says where its signature is");
        for place in source.signed.iter().map(String::as_str).chain([signature]) {
            let length = part(&callback, place).len();
            assert!(length > 0, "{}: {place} is empty", case.name);
            for at in 0..length {
                refused(&format!("byte {at} of {place} flipped"), &flipped(&callback, place, at));
            }
        }
        refused("an empty signature", &replaced(&callback, signature, b""));
        refused("half a signature", &replaced(&callback, signature, &part(&callback, signature)[..2]));
        refused("no signature", &without(&callback, signature));
        refused("an empty body", &Callback { body: Vec::new(), ..callback.clone() });
        refused("HTML", &Callback { body: b"<html></html>".to_vec(), ..callback.clone() });
        forged_with_other_settings::<P>(&case, &callback);
    }
}

/// A callback that is genuine for one account is not for an account with other secrets. (All of
/// them are others: while a key is rotated, two are accepted.)
fn forged_with_other_settings<P: Provider>(case: &Case, callback: &Callback) {
    let mut settings = case.settings.clone();
    for secret in secrets::<P>(&case.settings) {
        settings[&secret] = json!("ANOTHER-SECRET-0000000000000000");
    }
    let account = Account::open::<P>(&settings).expect("any other secret will do");
    let error = account.verify(callback).map(|_| ()).expect_err("another account's callback");
    assert_eq!(error.code, Code::CallbackRefused, "{}: other secrets", case.name);
}

/// The cases whose callback is accepted, or is genuine and concerns no payment.
fn genuine<P: Provider>(dir: &str) -> impl Iterator<Item = Case> {
    load(dir).into_iter().filter(|case| {
        let (Some(callback), Ok(account)) = (&case.callback, Account::open::<P>(&case.settings)) else {
            return false;
        };
        account.verify(&callback.callback()).map_or_else(|e| e.code == Code::CallbackIgnored, |_| true)
    })
}

/// The bytes at a place: `body`, `body.<field>` of a flat JSON or form body, `header.<name>`.
fn part(callback: &Callback, place: &str) -> Vec<u8> {
    match place.split_once('.') {
        Some(("header", name)) => callback.header(name).unwrap_or_default().as_bytes().to_vec(),
        Some(("body", field)) => callback.body[field_range(&callback.body, field)].to_vec(),
        _ => callback.body.clone(),
    }
}

fn replaced(callback: &Callback, place: &str, bytes: &[u8]) -> Callback {
    let mut callback = callback.clone();
    match place.split_once('.') {
        Some(("header", name)) => {
            let value = String::from_utf8_lossy(bytes).into_owned();
            callback
                .headers
                .iter_mut()
                .filter(|(n, _)| n.eq_ignore_ascii_case(name))
                .for_each(|h| h.1.clone_from(&value));
        }
        Some(("body", field)) => {
            let range = field_range(&callback.body, field);
            callback.body.splice(range, bytes.iter().copied());
        }
        _ => callback.body = bytes.to_vec(),
    }
    callback
}

fn flipped(callback: &Callback, place: &str, at: usize) -> Callback {
    let mut bytes = part(callback, place);
    // The lowest bit, so that a hexadecimal letter does not only change its case.
    bytes[at] ^= 1;
    replaced(callback, place, &bytes)
}

fn without(callback: &Callback, place: &str) -> Callback {
    match place.split_once('.') {
        Some(("header", name)) => {
            let mut callback = callback.clone();
            callback.headers.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
            callback
        }
        Some(("body", field)) => {
            // Renamed is as good as gone, and leaves the rest of the body as it is.
            let text = String::from_utf8_lossy(&callback.body).replacen(field, "gone", 1);
            Callback { body: text.into_bytes(), ..callback.clone() }
        }
        _ => Callback { body: Vec::new(), ..callback.clone() },
    }
}

/// Where the value of a field lies in a body: `"field":"value"` or `field=value`.
fn field_range(body: &[u8], field: &str) -> std::ops::Range<usize> {
    let text = std::str::from_utf8(body).expect("a genuine body is text");
    let (opening, closing) =
        [(format!("\"{field}\":\""), '"'), (format!("\"{field}\": \""), '"'), (format!("{field}="), '&')]
            .into_iter()
            .find(|(opening, _)| text.contains(opening.as_str()))
            .unwrap_or_else(|| panic!("{field} is not in the body"));
    let start = text.find(&opening).expect("it was found") + opening.len();
    let length = text[start..].find(closing).unwrap_or(text.len() - start);
    start..start + length
}

/// A secret setting that is empty is refused: an empty key verifies nothing.
pub fn empty_secrets<P: Provider>(dir: &str) {
    for settings in settings_of::<P>(dir) {
        for secret in secrets::<P>(&settings) {
            for empty in ["", " "] {
                let mut settings = settings.clone();
                settings[&secret] = json!(empty);
                let error = Account::open::<P>(&settings).map(|_| ()).expect_err("an empty secret");
                assert_eq!(error.code, Code::InvalidConfig, "{secret}: {error}");
                assert_eq!(error.field.as_deref(), Some(secret.as_str()), "{error}");
            }
        }
    }
}

/// Secrets planted in the settings come out in requests only: not in errors, outcomes, events,
/// states (which are kept), descriptions, `Debug` output or log records.
pub fn canaries<P: Provider>(dir: &str) {
    let mut planted = 0;
    for mut case in load(dir) {
        if Account::open::<P>(&case.settings).is_err() {
            continue;
        }
        let mut values = Vec::new();
        for secret in secrets::<P>(&case.settings) {
            let canary = format!("CANARY-{secret}-0123456789abcdef");
            case.settings[&secret] = json!(canary);
            values.push(canary);
        }
        planted += values.len();
        take_log();
        let mut said = everything_said::<P>(&case);
        said.extend(take_log());
        for canary in &values {
            for form in [canary.clone(), hex::encode(canary), STANDARD.encode(canary)[..32].to_owned()] {
                let leak = said.iter().find(|text| text.to_lowercase().contains(&form.to_lowercase()));
                assert!(leak.is_none(), "{}: a secret came out: {leak:?}", case.name);
            }
        }
    }
    assert!(planted > 0, "no case has a secret setting");
}

fn everything_said<P: Provider>(case: &Case) -> Vec<String> {
    let description = describe::<P>(Some(&case.settings));
    let account = Account::open::<P>(&case.settings).expect("only the secrets changed");
    let mut said = vec![format!("{description:?}")];
    if let Some(callback) = &case.callback {
        said.push(format!("{:?}", account.verify(&callback.callback())));
    }
    if let Some(call) = &case.call {
        let call = call.call(&description);
        let run = exchange(&account, &call, &case.responses);
        for sent in &run.sent {
            said.push(format!(
                "{} {:?} {}",
                sent.request.url,
                sent.request,
                String::from_utf8_lossy(&sent.state)
            ));
            for (_, response) in hostile(None) {
                said.push(format!("{:?}", account.interpret(&call, &sent.state, &response)));
            }
        }
        said.push(match run.end {
            End::Outcome(outcome) => format!("{outcome:?}"),
            End::Error(error) => format!("{error:?} {error}"),
            _ => String::new(),
        });
    }
    said
}

/// The settings among the cases that are accepted, each once.
fn settings_of<P: Provider>(dir: &str) -> Vec<Value> {
    let mut found: Vec<Value> = Vec::new();
    for case in load(dir) {
        if !found.contains(&case.settings) && Account::open::<P>(&case.settings).is_ok() {
            found.push(case.settings);
        }
    }
    found
}

/// The names of the secret settings that are given: those that the schema marks `writeOnly`.
fn secrets<P: Provider>(settings: &Value) -> Vec<String> {
    let schema = describe::<P>(None).settings;
    let properties = schema.get("properties").and_then(Value::as_object).expect("settings are an object");
    let secret = |name: &&String| {
        settings.get(name.as_str()).is_some() && properties[*name].to_string().contains("\"writeOnly\":true")
    };
    properties.keys().filter(secret).cloned().collect()
}
