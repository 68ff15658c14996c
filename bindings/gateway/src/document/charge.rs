//! `POST /charge`. An order id stands for one charge: the same request again gives the same token, and
//! another one under it is refused.

use std::fmt;
use std::thread::sleep;
use std::time::{Duration, Instant};

use bayar::journal::{Filter, Intent, State};
use bayar::{Code, Error, Instruction, Outcome};
use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};
use serde_json::{Map, Value, json};

use super::defaults;
use crate::calls;
use crate::gateway::Gateway;
use crate::problem::Problem;
use crate::store::apps::App;

/// How long a second request for the same order waits for the first, and how often it looks.
const PATIENCE: Duration = Duration::from_secs(10);
const LOOK: Duration = Duration::from_millis(50);

/// The longest order id, in characters.
const LONGEST: usize = 128;

/// The body, as the document has it. `provider` and `channel` choose another way to pay than the
/// application's own; `description` and `return_url` are what some of those others want besides.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    order_id: String,
    amount: Whole,
    #[serde(default)]
    item_details: Option<Vec<ItemDetail>>,
    #[serde(default)]
    customer_details: Option<CustomerDetails>,
    #[serde(default)]
    provider: Option<String>,
    #[serde(default)]
    channel: Option<String>,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    return_url: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ItemDetail {
    #[serde(default, deserialize_with = "bayar_provider::json::text")]
    id: Option<String>,
    price: Whole,
    quantity: Whole,
    name: String,
    // Of Midtrans' own API; its page does not show them.
    #[serde(default, rename = "brand")]
    _brand: Option<Value>,
    #[serde(default, rename = "category")]
    _category: Option<Value>,
    #[serde(default, rename = "merchant_name")]
    _merchant_name: Option<Value>,
    #[serde(default, rename = "url")]
    _url: Option<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CustomerDetails {
    #[serde(default)]
    first_name: Option<String>,
    #[serde(default)]
    last_name: Option<String>,
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    phone: Option<String>,
    // Of Midtrans' own API; a payment does not need them.
    #[serde(default, rename = "billing_address")]
    _billing_address: Option<Value>,
    #[serde(default, rename = "shipping_address")]
    _shipping_address: Option<Value>,
}

/// "Nominal pembayaran (tanpa desimal)", and no text either.
#[derive(Clone, Copy)]
struct Whole(u64);

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number;

        impl Visitor<'_> for Number {
            type Value = Whole;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an integer without quotes or decimals, such as 150000")
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Whole, E> {
                Ok(Whole(number))
            }
        }

        deserializer.deserialize_any(Number)
    }
}

/// Reads the body.
pub(super) fn read(body: Map<String, Value>) -> Result<Asked, Error> {
    let asked = bayar::read_params::<Asked>(&Value::Object(body))?;
    let length = asked.order_id.chars().count();
    if !(1..=LONGEST).contains(&length) {
        let (found, allowed) = (format!("{length} characters"), format!("1 to {LONGEST}"));
        return Err(bayar_provider::Error::invalid("order_id", found, allowed).into());
    }
    Ok(asked)
}

/// Charges, and gives the body of the answer.
pub(super) fn make(gateway: &Gateway, app: &App, asked: Asked) -> Result<Value, Problem> {
    let account = calls::choose_account(gateway, app, asked.provider.as_deref());
    // The document has no 404 for this, and no other word for an account.
    let account = account.map_err(|error| Problem {
        status: axum::http::StatusCode::BAD_REQUEST,
        ..Problem::from(error).field("provider")
    })?;
    let account = gateway.account(account)?;
    let mut params = params(&asked, app, &account.provider);
    let (key, known) = key(gateway, app, &asked.order_id)?;
    defaults::fill(gateway, app, account, &key, known, &mut params);
    params.insert("key".to_owned(), json!(key));
    let until = Instant::now() + PATIENCE;
    loop {
        match calls::call(gateway, app, &account.name, "charge", params.clone()) {
            Ok(outcome) => return Ok(answer(gateway, &outcome)),
            // Pressed twice: the first one's answer is the second one's, too.
            Err(problem) if problem.code == Code::InProgress.as_str() && Instant::now() < until => {
                sleep(LOOK)
            }
            Err(problem) => return Err(explained(in_its_words(problem), &asked.order_id)),
        }
    }
}

/// One key for each order id. What was refused made no order: the next attempt under the same id has its own.
/// With it comes the intent that it has, if it has one.
fn key(gateway: &Gateway, app: &App, order_id: &str) -> Result<(String, Option<Intent>), Error> {
    let of = |attempt: u64| format!("/charge {attempt} {order_id}");
    let refused = |intent: &Intent| intent.state == State::Failed && intent.outcome.is_none();
    let first = gateway.journal.of_key(&app.code, &of(1))?;
    if !first.as_ref().is_some_and(refused) {
        return Ok((of(1), first));
    }
    let filter = Filter {
        tenant: Some(app.code.clone()),
        order_id: Some(order_id.to_owned()),
        operation: Some("charge".to_owned()),
        ..Filter::default()
    };
    let attempt = |intent: &Intent| {
        let (number, _) = intent.key.as_deref()?.strip_prefix("/charge ")?.split_once(' ')?;
        number.parse::<u64>().ok()
    };
    let charges = gateway.journal.intents(&filter)?;
    let numbered = charges.into_iter().filter_map(|intent| Some((attempt(&intent)?, intent)));
    Ok(match numbered.max_by_key(|(n, _)| *n) {
        None => (of(1), first),
        Some((n, newest)) if refused(&newest) => (of(n + 1), None),
        Some((n, newest)) => (of(n), Some(newest)),
    })
}

/// The same in the engine's words.
fn params(asked: &Asked, app: &App, provider: &str) -> Map<String, Value> {
    let item = |item: &ItemDetail| {
        let mut one = json!({"name": item.name, "price": item.price.0, "quantity": item.quantity.0});
        if let Some(id) = &item.id {
            one["id"] = json!(id);
        }
        one
    };
    let mut params = Map::new();
    params.insert("order_id".to_owned(), json!(asked.order_id));
    params.insert("amount".to_owned(), json!(asked.amount.0));
    if let Some(items) = asked.item_details.as_ref().filter(|items| !items.is_empty()) {
        params.insert("items".to_owned(), items.iter().map(item).collect());
    } else if provider != "midtrans" {
        // The document needs neither items nor a description; other providers than its own need one.
        params.insert("description".to_owned(), json!(asked.order_id));
    }
    for (field, value) in [("description", &asked.description), ("return_url", &asked.return_url)] {
        if let Some(value) = value {
            params.insert(field.to_owned(), json!(value));
        }
    }
    if let Some(customer) = asked.customer_details.as_ref().and_then(customer) {
        params.insert("customer".to_owned(), customer);
    }
    let own = app.channel.as_ref().filter(|_| asked.provider.is_none());
    if let Some(channel) = asked.channel.as_ref().or(own) {
        params.insert("channel".to_owned(), json!(channel));
    }
    params
}

fn customer(details: &CustomerDetails) -> Option<Value> {
    let names: Vec<&str> =
        [&details.first_name, &details.last_name].into_iter().flatten().map(|name| name.trim()).collect();
    let name = Some(names.join(" ").trim().to_owned()).filter(|name| !name.is_empty());
    let mut customer = Map::new();
    for (field, value) in [("name", &name), ("email", &details.email), ("phone", &details.phone)] {
        if let Some(value) = value.as_ref().filter(|value| !value.is_empty()) {
            customer.insert(field.to_owned(), json!(value));
        }
    }
    (!customer.is_empty()).then_some(Value::Object(customer))
}

/// `redirect_url` and `token`, as printed. Where the provider has no page for the payer, ours says what the
/// payer needs; the same stands beside it.
fn answer(gateway: &Gateway, outcome: &Outcome) -> Value {
    let (url, token) = match &outcome.result.instruction {
        Some(Instruction::Redirect { url, token, .. }) => (Some(url.clone()), token.as_ref()),
        // Without an address of our own, what opens the wallet is better than nothing.
        Some(Instruction::Deeplink { url, .. }) => {
            (gateway.pay.page(&outcome.intent).or_else(|| Some(url.clone())), None)
        }
        _ => (gateway.pay.page(&outcome.intent), None),
    };
    if let Some(token) = token {
        return json!({"redirect_url": url, "token": token});
    }
    json!({
        "redirect_url": url,
        "token": null,
        "instruction": outcome.result.instruction,
        "payable_amount": outcome.result.payable_amount,
        "expires_at": outcome.result.expires_at,
    })
}

/// A field by the name that it has in the document's body.
fn in_its_words(mut problem: Problem) -> Problem {
    const NAMES: [(&str, &str); 4] = [
        ("customer.name", "customer_details.first_name"),
        ("customer.email", "customer_details.email"),
        ("customer.phone", "customer_details.phone"),
        ("items", "item_details"),
    ];
    let Some(field) = problem.members.get("field").and_then(Value::as_str).map(str::to_owned) else {
        return problem;
    };
    let named = NAMES.iter().find_map(|(ours, its)| {
        let rest = field.strip_prefix(ours).filter(|rest| rest.is_empty() || rest.starts_with('['))?;
        Some(format!("{its}{rest}"))
    });
    let Some(named) = named else { return problem };
    let message = problem.message().to_owned();
    if let Some(rest) = message.strip_prefix(&field) {
        problem.members.insert("message".to_owned(), json!(format!("{named}{rest}")));
    }
    problem.field(&named)
}

/// What the document says of an order id that is not unique, whoever used it before.
fn explained(mut problem: Problem, order_id: &str) -> Problem {
    let by_provider = problem.members.get("provider").and_then(|provider| provider.get("http_status"));
    let refused = by_provider.and_then(Value::as_u64).is_some_and(|status| (400..500).contains(&status));
    let what = if problem.code == Code::Conflict.as_str() {
        format!(
            "order_id: found {order_id:?}, which was charged before with another request; allowed: one that is unique"
        )
    } else if problem.code == Code::OutcomeUnknown.as_str() && refused {
        format!("order_id: the provider has seen {order_id:?} before; allowed: one that is unique")
    } else {
        return problem;
    };
    problem.status = axum::http::StatusCode::BAD_REQUEST;
    problem.members.insert("message".to_owned(), json!(what));
    problem.members.insert("advice".to_owned(), json!("Use a new order_id for a new payment."));
    problem.members.insert("field".to_owned(), json!("order_id"));
    problem
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(body: Value) -> Result<Asked, Error> {
        let Value::Object(body) = body else { panic!("{body}") };
        read(body)
    }

    #[test]
    fn the_documents_request() {
        let body = json!({
            "order_id": "INV-2025-001", "amount": 150000,
            "customer_details":
                {"first_name": "Budi", "last_name": "Santoso", "email": "budi@example.com", "phone": "08123456789"},
            "item_details": [{"id": "VPS-01", "price": 150000, "quantity": 1, "name": "Cloud VPS Basic"}],
        });
        let app = App { channel: Some("qris".to_owned()), ..crate::calls::tests::app("biling") };
        let params = params(&asked(body).expect("it is read"), &app, "midtrans");
        let expected = json!({
            "order_id": "INV-2025-001", "amount": 150000, "channel": "qris",
            "customer": {"name": "Budi Santoso", "email": "budi@example.com", "phone": "08123456789"},
            "items": [{"id": "VPS-01", "price": 150000, "quantity": 1, "name": "Cloud VPS Basic"}],
        });
        assert_eq!(Value::Object(params), expected);
    }

    #[test]
    fn other_providers_are_told_what_is_paid_for() {
        let app = crate::calls::tests::app("biling");
        let least = || asked(json!({"order_id": "INV-1", "amount": 150000})).expect("it is read");
        assert_eq!(params(&least(), &app, "midtrans").get("description"), None);
        assert_eq!(params(&least(), &app, "duitku")["description"], "INV-1");
        let more = Asked { description: Some("Hosting".to_owned()), ..least() };
        assert_eq!(params(&more, &app, "midtrans")["description"], "Hosting");
        assert_eq!(params(&more, &app, "duitku")["description"], "Hosting");
    }

    #[test]
    fn a_field_has_the_documents_name() {
        let named = |field: &str| {
            let error: Error =
                bayar_provider::Error::missing(field, "K-Link wants it in every charge").into();
            let problem = in_its_words(error.into());
            let field = problem.members["field"].as_str().expect("a text").to_owned();
            assert!(problem.message().starts_with(&field), "{}", problem.message());
            field
        };
        assert_eq!(named("customer.phone"), "customer_details.phone");
        assert_eq!(named("customer.name"), "customer_details.first_name");
        assert_eq!(named("items[0].name"), "item_details[0].name");
        assert_eq!([named("itemsets"), named("channel")], ["itemsets", "channel"]);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (body, field, says) in [
            (json!({"amount": 1}), "order_id", "missing"),
            (json!({"order_id": 17, "amount": 1}), "order_id", "17"),
            (json!({"order_id": "", "amount": 1}), "order_id", "1 to 128"),
            (json!({"order_id": "a"}), "amount", "missing"),
            (json!({"order_id": "a", "amount": "150000"}), "amount", "an integer without quotes"),
            (json!({"order_id": "a", "amount": 10.5}), "amount", "an integer without quotes"),
            (json!({"order_id": "a", "amount": -1}), "amount", "an integer without quotes"),
            (
                json!({"order_id": "a", "amount": 1, "item_detail": []}),
                "item_detail",
                "did you mean item_details?",
            ),
            (json!({"order_id": "a", "amount": 1, "item_details": [{}]}), "item_details[0]", "missing"),
        ] {
            let error = asked(body.clone()).err().expect("is refused");
            assert_eq!(error.code, Code::InvalidParams);
            assert!(error.field.as_deref().is_some_and(|found| found.starts_with(field)), "{body}: {error}");
            assert!(error.message.contains(says), "{body}: {error}");
        }
    }
}
