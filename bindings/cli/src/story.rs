//! One intent as a story: what happened, in the order of time, each with what it rests on; how it
//! stands; and what to do next.

use serde_json::Value;

use crate::output::{Failure, print_line, print_table, rupiah, text};
use crate::when;

/// Prints the story of one intent, without the payer's data.
pub fn tell(story: &Value) -> Result<(), Failure> {
    let intent = &story["intent"];
    head(intent)?;
    print_line("")?;
    let rows: Vec<Vec<String>> = timeline(story)
        .into_iter()
        .map(|step| vec![when::show(step.at_ms), step.what, step.evidence])
        .collect();
    print_table(&["when (WIB)", "what", "evidence"], &rows)?;
    print_line("")?;
    let review = intent.get("review").map(|why| format!(", waits for a review: {}", text(why)));
    print_line(&format!("state     {}{}", text(&intent["state"]), review.unwrap_or_default()))?;
    print_line(&format!("next      {}", next(story)))
}

fn head(intent: &Value) -> Result<(), Failure> {
    let of = |name: &str| text(&intent[name]);
    let mut lines = vec![
        ("intent", of("id")),
        ("account", format!("{} ({}, {})", of("account"), of("provider"), of("environment"))),
        ("operation", format!("{} ({})", of("operation"), of("class"))),
    ];
    let known =
        [("order", "order_id"), ("reference", "reference"), ("theirs", "provider_reference"), ("key", "key")];
    lines.extend(known.map(|(name, field)| (name, of(field))));
    lines.push(("tenant", of("tenant")));
    let (amount, payable) = (rupiah(&intent["amount"]), rupiah(&intent["payable_amount"]));
    let to_pay =
        if payable.is_empty() || payable == amount { String::new() } else { format!(", to pay {payable}") };
    lines.push(("amount", format!("{amount}{to_pay}")));
    let told = lines.iter().filter(|(_, value)| !value.is_empty());
    told.into_iter().try_for_each(|(name, value)| print_line(&format!("{name:9} {value}")))
}

/// One thing that happened.
struct Step {
    at_ms: i64,
    what: String,
    evidence: String,
}

fn timeline(story: &Value) -> Vec<Step> {
    let each = |name: &str| story[name].as_array().into_iter().flatten();
    let mut steps: Vec<Step> = Vec::new();
    let mut add = |at: &Value, what: String, evidence: String| {
        steps.extend(at.as_i64().map(|at_ms| Step { at_ms, what, evidence }));
    };
    for attempt in each("attempts") {
        let number = text(&attempt["number"]);
        add(&attempt["began_ms"], format!("request {number} goes out"), String::new());
        add(&attempt["ended_ms"], format!("request {number}: {}", ended(attempt)), String::new());
    }
    for event in each("events") {
        // What a person decided stands in the audit, with its reason.
        if event["source"] != "operator" {
            let rests_on =
                if event["source"] == "recovery" { String::new() } else { text(&event["evidence"]) };
            add(&event["at_ms"], said(event), rests_on);
        }
    }
    let misses = text(&story["intent"]["misses"]);
    let what = format!("the provider, asked what became of it, knows no such order ({misses} of 2 times)");
    add(&story["intent"]["missed_ms"], what, "E2".to_owned());
    for effect in each("effects") {
        let (name, transaction) = (text(&effect["name"]), text(&effect["transaction_id"]));
        let claim = format!("effect {name} claimed as {transaction} (claim {})", text(&effect["fence"]));
        let released = if effect["state"] == "released" { ", and released" } else { "" };
        add(&effect["claimed_ms"], format!("{claim}{released}"), String::new());
        add(&effect["confirmed_ms"], format!("effect {name} confirmed: it was applied"), String::new());
    }
    for deed in each("audit") {
        let what = format!("{}: {}: {}", text(&deed["actor"]), text(&deed["action"]), text(&deed["reason"]));
        let decides = deed["action"].as_str().is_some_and(|action| action.starts_with("resolve"));
        add(&deed["at_ms"], what, if decides { "E3".to_owned() } else { String::new() });
    }
    // Of one moment in the order above: a request before what its answer says.
    steps.sort_by_key(|step| step.at_ms);
    steps
}

fn ended(attempt: &Value) -> String {
    let stage = match attempt["stage"].as_str() {
        Some("answered") => "answered",
        Some("not_sent") => "not sent",
        Some("maybe_sent") => "no answer; it may have arrived",
        _ => "out",
    };
    let code = attempt.get("code").map(|code| format!(", {}", text(code))).unwrap_or_default();
    let http =
        attempt.get("http_status").map(|status| format!(", HTTP {}", text(status))).unwrap_or_default();
    format!("{stage}{code}{http}")
}

fn said(event: &Value) -> String {
    let status = text(&event["status"]);
    let amount = event.get("amount").map(|amount| format!(", {}", rupiah(amount))).unwrap_or_default();
    let theirs =
        event.get("provider_reference").map(|id| format!(", theirs {}", text(id))).unwrap_or_default();
    let review = event.get("review").map(|why| format!(": for a person: {}", text(why))).unwrap_or_default();
    let by = match text(&event["source"]).as_str() {
        "call" => "the answer says".to_owned(),
        "callback" => "a callback says".to_owned(),
        "missing" => return "the provider knows no such order, asked twice: it never arrived".to_owned(),
        "recovery" => return format!("recovery can learn nothing more{review}"),
        _ if event.get("refunded").is_some() => {
            return format!("{} given back", rupiah(&event["refunded"]));
        }
        operation => format!("the provider, asked by {operation}, says"),
    };
    format!("{by} {status}{amount}{theirs}{review}")
}

/// What to do about it, in a sentence.
fn next(story: &Value) -> String {
    let intent = &story["intent"];
    let id = text(&intent["id"]);
    if intent.get("review").is_some() {
        let good =
            if matches!(intent["operation"].as_str(), Some("charge" | "pay")) { "paid" } else { "done" };
        return format!(
            "look at the provider's own records, then: bayar journal resolve {id} --as {good} (or failed, …) --operator NAME --reason TEXT"
        );
    }
    let again = match intent["next_ms"].as_i64() {
        Some(at) => format!("bayar recover looks at it from {} on", when::show(at)),
        None => "nobody looks again by itself; bayar recover does not".to_owned(),
    };
    match intent["state"].as_str().unwrap_or_default() {
        "new" => "nothing was sent: call again with the same key".to_owned(),
        "sending" => format!("wait for the call that sends it; if that died, {again}"),
        "unknown" => format!("do not repeat it under another key; {again}"),
        "pending" => match intent["next_ms"].as_i64() {
            Some(_) => format!("wait for the payer; {again}"),
            None => "wait for the payer, and the provider's callback".to_owned(),
        },
        "authorized" => format!("the money is reserved; {again}"),
        "done" if story["effects"].as_array().is_none_or(Vec::is_empty) => "nothing".to_owned(),
        "paid" | "done" | "partially_refunded" => earned(story),
        "failed" | "expired" | "cancelled" => {
            "nothing; a new attempt takes a new key (a late payment would still be noticed)".to_owned()
        }
        "disputed" => "settle it with the provider".to_owned(),
        _ => "nothing".to_owned(),
    }
}

fn earned(story: &Value) -> String {
    let effects: Vec<&Value> = story["effects"].as_array().into_iter().flatten().collect();
    let open = effects.iter().filter(|effect| effect["state"] != "confirmed");
    let open: Vec<String> = open.map(|effect| text(&effect["name"])).collect();
    match (effects.is_empty(), open.is_empty()) {
        (true, _) => "no effect was claimed: credit what was bought by claim and confirm".to_owned(),
        (false, true) => "nothing: what was paid has taken effect".to_owned(),
        (false, false) => {
            format!(
                "not confirmed: {}; whoever claims it again gets the same transaction id",
                open.join(", ")
            )
        }
    }
}
