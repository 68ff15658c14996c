//! `GET /status/{order_id}`. The provider is asked, as the document says; but not again about what it was
//! asked a moment ago, and what is set aside for a person is never shown as paid.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use bayar::journal::{Filter, Intent, State};
use bayar::{Code, Error, Status};
use serde_json::{Map, Value, json};

use crate::calls;
use crate::gateway::Gateway;
use crate::problem::Problem;
use crate::store::apps::App;
use crate::store::keys::now_ms;

/// How old an answer may be: of what still waits for its payer, and of what has ended, which the provider's
/// callbacks and recovery keep up to date.
const OPEN: Duration = Duration::from_secs(1);
const ENDED: Duration = Duration::from_secs(60);
/// How many answers are remembered.
const MOST: usize = 10_000;

/// The answers of a moment ago: nothing is lost with them but time.
#[derive(Default)]
pub(crate) struct Asked(Mutex<HashMap<String, Answer>>);

struct Answer {
    at: Instant,
    /// As the journal had it then: whatever is newer there is newer than this.
    changed_ms: i64,
    body: Value,
}

impl Asked {
    fn get(&self, intent: &Intent) -> Option<Value> {
        let answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = answers.get(&intent.id)?;
        let fresh = answer.at.elapsed() < if intent.state.is_open() { OPEN } else { ENDED };
        (fresh && answer.changed_ms == intent.updated_ms).then(|| answer.body.clone())
    }

    fn put(&self, intent: &Intent, body: &Value) {
        let mut answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if answers.len() >= MOST {
            answers.retain(|_, answer| answer.at.elapsed() < ENDED);
        }
        if answers.len() < MOST {
            let answer = Answer { at: Instant::now(), changed_ms: intent.updated_ms, body: body.clone() };
            answers.insert(intent.id.clone(), answer);
        }
    }
}

/// What is known of an order.
pub(super) enum Known {
    /// Enough to answer.
    Fresh(Value),
    /// The provider is to be asked.
    Stale(Box<Intent>),
}

/// Looks an application's order up.
pub(super) fn known(gateway: &Gateway, app: &App, order_id: &str) -> Result<Known, Error> {
    let intent = newest(gateway, app, order_id)?.ok_or_else(|| no_order(app, order_id))?;
    if let Some(body) = gateway.asked.get(&intent) {
        return Ok(Known::Fresh(body));
    }
    // Just heard of, by a callback say.
    let heard = Duration::from_millis(u64::try_from(now_ms() - intent.updated_ms).unwrap_or_default());
    if !intent.state.is_open() && heard < ENDED {
        return Ok(Known::Fresh(body(&intent, &Value::Null)));
    }
    Ok(Known::Stale(Box::new(intent)))
}

/// Asks the provider.
pub(super) fn ask(gateway: &Gateway, app: &App, order_id: &str, intent: &Intent) -> Result<Value, Problem> {
    let answered = calls::ask(gateway, app, intent);
    let raw = match answered {
        Ok(outcome) => outcome.result.raw,
        // Nobody has chosen how to pay yet, or its page was made only now.
        Err(problem) if problem.code == Code::OrderNotFound.as_str() => Value::Null,
        // There is nothing to ask it by.
        Err(problem) if problem.code == Code::Unsupported.as_str() => Value::Null,
        Err(_) if !intent.state.is_open() => Value::Null,
        Err(problem) => return Err(problem),
    };
    let now = newest(gateway, app, order_id)?.ok_or_else(|| no_order(app, order_id))?;
    let body = body(&now, &raw);
    gateway.asked.put(&now, &body);
    Ok(body)
}

/// The newest charge that was made under an order id. One that was refused made no order.
fn newest(gateway: &Gateway, app: &App, order_id: &str) -> Result<Option<Intent>, Error> {
    let filter =
        Filter { tenant: Some(app.code.clone()), order_id: Some(order_id.to_owned()), ..Filter::default() };
    let made = |intent: &Intent| {
        intent.owns
            && intent.state != State::New
            && (intent.state != State::Failed || intent.outcome.is_some())
    };
    Ok(gateway.journal.intents(&filter)?.into_iter().find(made))
}

fn no_order(app: &App, order_id: &str) -> Error {
    let what = format!("the application {} has no order {order_id:?}", app.code);
    Error::not_sent(Code::OrderNotFound, what).field("order_id")
}

/// The document's fields. What the journal has decided comes first; the provider's own words only where they
/// say the same.
fn body(intent: &Intent, raw: &Value) -> Value {
    let said = raw.as_object().filter(|said| agrees(said, intent)).cloned().unwrap_or_default();
    let (word, code) = words(intent);
    let pick =
        |name: &str, other: Value| said.get(name).cloned().filter(|value| !value.is_null()).unwrap_or(other);
    let id = pick("transaction_id", json!(intent.provider_reference));
    let (fraud, message) = match &intent.review {
        Some(why) => (json!("challenge"), json!(format!("Waiting for a review: {why}"))),
        None => {
            let earned = matches!(intent.state, State::Paid | State::Done).then_some("accept");
            (pick("fraud_status", json!(earned)), pick("status_message", json!(message(intent))))
        }
    };
    json!({
        "id": id,
        "transaction_id": id,
        "transaction_status": pick("transaction_status", json!(word)),
        "fraud_status": fraud,
        "status_code": pick("status_code", json!(code)),
        "status_message": message,
    })
}

/// Whether Midtrans' words mean what the journal says.
fn agrees(said: &Map<String, Value>, intent: &Intent) -> bool {
    let word = said.get("transaction_status").and_then(Value::as_str).unwrap_or_default().to_lowercase();
    let means = match word.as_str() {
        "settlement" | "capture" => Status::Paid,
        "pending" => Status::Pending,
        "authorize" => Status::Authorized,
        "deny" | "failure" => Status::Failed,
        "cancel" => Status::Cancelled,
        "expire" => Status::Expired,
        "refund" => Status::Refunded,
        "partial_refund" => Status::PartiallyRefunded,
        "chargeback" | "partial_chargeback" => Status::Disputed,
        _ => return false,
    };
    intent.review.is_none() && intent.state.status() == Some(means)
}

/// `transaction_status` and `status_code`, as Midtrans would say it. Whatever waits for a person is pending:
/// a program that credits on `settlement` must not credit it.
fn words(intent: &Intent) -> (&'static str, &'static str) {
    if intent.review.is_some() {
        return ("pending", "201");
    }
    match intent.state {
        State::Paid | State::Done => ("settlement", "200"),
        State::Authorized => ("authorize", "200"),
        State::Failed => ("deny", "202"),
        State::Cancelled => ("cancel", "200"),
        State::Expired => ("expire", "407"),
        State::Refunded => ("refund", "200"),
        State::PartiallyRefunded => ("partial_refund", "200"),
        State::Disputed => ("chargeback", "200"),
        State::New | State::Sending | State::Pending | State::Unknown => ("pending", "201"),
    }
}

fn message(intent: &Intent) -> &'static str {
    match intent.state {
        State::Sending | State::Unknown => "What became of it is not known yet, and is being found out",
        _ => "Success, transaction is found",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn intent(state: &str, review: Option<&str>) -> Intent {
        let document = json!({
            "id": "I1", "account": "midtrans", "environment": "sandbox", "provider": "midtrans", "operation": "charge",
            "class": "keyed", "tenant": "biling", "digest": "1:x", "reference": "R1", "owns": true, "state": state,
            "provider_reference": "T1", "review": review, "resend": true, "fence": 1, "lease_ms": 0, "tries": 0,
            "misses": 0, "created_ms": 0, "updated_ms": 0, "attempts": 1,
        });
        serde_json::from_value(document).expect("an intent")
    }

    #[test]
    fn as_the_document_prints_it() {
        let raw = json!({
            "transaction_id": "e67a2012", "transaction_status": "settlement", "fraud_status": "accept",
            "status_code": "200", "status_message": "Success, transaction is found", "gross_amount": "150000.00",
        });
        let expected = json!({
            "id": "e67a2012", "transaction_id": "e67a2012", "transaction_status": "settlement",
            "fraud_status": "accept", "status_code": "200", "status_message": "Success, transaction is found",
        });
        assert_eq!(body(&intent("paid", None), &raw), expected);
        let own = body(&intent("paid", None), &Value::Null);
        assert_eq!((&own["id"], &own["transaction_status"]), (&json!("T1"), &json!("settlement")));
    }

    #[test]
    fn what_waits_for_a_person_is_not_paid() {
        let raw = json!({"transaction_status": "settlement", "fraud_status": "accept", "status_code": "200"});
        let shown = body(&intent("paid", Some("the amount differs")), &raw);
        assert_eq!(shown["transaction_status"], "pending");
        assert_eq!((&shown["fraud_status"], &shown["status_code"]), (&json!("challenge"), &json!("201")));
    }

    #[test]
    fn what_the_journal_knows_better_is_not_undone() {
        let raw = json!({"transaction_status": "pending", "status_code": "201"});
        assert_eq!(body(&intent("refunded", None), &raw)["transaction_status"], "refund");
        let words: Vec<String> =
            ["pending", "unknown", "failed", "expired", "cancelled", "disputed", "authorized"]
                .into_iter()
                .map(|state| body(&intent(state, None), &Value::Null)["transaction_status"].to_string())
                .collect();
        assert_eq!(
            words.join(" ").replace('"', ""),
            "pending pending deny expire cancel chargeback authorize"
        );
    }
}
