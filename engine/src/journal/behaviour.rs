//! What a journal promises, written once and held by both databases.

use std::sync::Arc;
use std::thread;

use bayar_provider::{Acknowledgement, Call, Class, Event, Evidence, ProviderError, Rupiah, Stage, Status};
use serde_json::json;

use super::*;
use crate::error::Code;

type Promise = fn(&Arc<dyn Journal>);

const PROMISES: [(&str, Promise); 17] = [
    ("one_intent_a_key", one_intent_a_key),
    ("ends", every_end_has_its_state),
    ("at_most_once", what_must_not_repeat_is_sent_once),
    ("not_sent", what_was_not_sent_may_be_sent_again),
    ("callbacks", callbacks_move_what_they_prove),
    ("amounts", another_amount_waits_for_a_person),
    ("refunds", refunds_move_their_charge),
    ("learned", the_same_answer_is_nothing_new),
    ("asking", one_question_in_thirty_seconds),
    ("recovery", each_intent_goes_to_one_recoverer),
    ("effects", an_effect_is_applied_once),
    ("unconfirmed", what_is_paid_and_not_confirmed_is_listed),
    ("people", people_decide_and_are_named),
    ("forgetting", the_payer_is_forgotten_and_the_money_is_not),
    ("references", a_provider_reference_belongs_to_one_order),
    ("tenants", a_tenant_sees_its_own),
    ("figures", orders_are_counted_by_what_became_of_them),
];

#[test]
fn sqlite_keeps_the_promises() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    for (name, promise) in PROMISES {
        let path = directory.path().join(format!("{name}.db"));
        promise(&open(&format!("sqlite:{}", path.display())).expect("a journal"));
        println!("kept: {name}");
    }
}

#[cfg(feature = "postgres")]
#[test]
fn postgres_keeps_the_promises() {
    for (name, promise) in PROMISES {
        let url = bayar_tests::postgres::cluster().database(&format!("journal_{name}"));
        promise(&open(&url).expect("a journal"));
        println!("kept: {name}");
    }
}

const SHOP: Scope<'_> = Scope { account: "shop", environment: "sandbox" };

fn call(intent: &str, reference: &str) -> Call {
    Call {
        operation: "charge".to_owned(),
        params: json!({"amount": 150_000, "destination": "0812", "customer": {"email": "budi@example.com"}}),
        intent: intent.to_owned(),
        reference: reference.to_owned(),
        key_digest: String::new(),
        now_ms: 1_770_130_924_000,
        nonce: "00".repeat(16),
        session: None,
    }
}

fn attempt<'a>(call: &'a Call, key: &'a str, class: Class) -> Attempt<'a> {
    Attempt {
        scope: SHOP,
        provider: "toy",
        operation: "charge",
        class,
        owns: true,
        key,
        tenant: "",
        digest: "1:digest",
        order_id: Some("INV-17"),
        call,
        resend: true,
        after: None,
        lease_ms: 60_000,
    }
}

fn sent(journal: &Arc<dyn Journal>, intent: &str, class: Class) -> Sent {
    let call = call(intent, &format!("R{intent}"));
    match journal.sending(&attempt(&call, &format!("key of {intent}"), class)).expect("is kept") {
        Begun::Sent(sent) => sent,
        other => panic!("{other:?}"),
    }
}

fn outcome(status: Status) -> Outcome {
    let mut result = bayar_provider::Outcome::answered(status);
    result.amount = Rupiah::new(150_000);
    result.payable_amount = Rupiah::new(151_500);
    result.raw = json!({"name": "Budi Santoso"});
    Outcome {
        account: "shop".to_owned(),
        provider: "toy".to_owned(),
        operation: "charge".to_owned(),
        intent: "I1".to_owned(),
        order_id: Some("INV-17".to_owned()),
        tenant: None,
        result,
        acknowledgement: None,
    }
}

fn charged(journal: &Arc<dyn Journal>, intent: &str, status: Status) -> Intent {
    let sent = sent(journal, intent, Class::Keyed);
    let end = outcome(status);
    journal.concluded(&sent, &End::Outcome(&end)).expect("is kept").expect("the intent")
}

fn error(code: Code, stage: Stage) -> Error {
    let provider = ProviderError { http_status: Some(500), ..ProviderError::default() };
    Error { provider: Some(provider), ..Error::not_sent(code, "why").at(stage, false) }
}

fn event(reference: &str, status: Status, evidence: Evidence, dedupe: &str) -> Event {
    let mut event = Event::new(reference, status, evidence, dedupe, Acknowledgement::json(200, "{}"));
    event.raw = json!({"payer": "budi@example.com"});
    event
}

fn now(journal: &Arc<dyn Journal>, id: &str) -> Intent {
    journal.intent(id).expect("is read").expect("is there").intent
}

fn one_intent_a_key(journal: &Arc<dyn Journal>) {
    let calls: Vec<Call> = (0..8).map(|n| call(&format!("I{n}"), &format!("R{n}"))).collect();
    let begun: Vec<Begun> = thread::scope(|scope| {
        let threads: Vec<_> = calls
            .iter()
            .map(|call| scope.spawn(move || journal.sending(&attempt(call, "one key", Class::Once))))
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic").expect("is kept")).collect()
    });
    let sent = begun.iter().filter(|begun| matches!(begun, Begun::Sent(_))).count();
    let known = begun.iter().filter(|begun| matches!(begun, Begun::Known(_))).count();
    assert_eq!((sent, known), (1, 7));
    let found = journal.of_key("", "one key").expect("is read").expect("is there");
    assert_eq!((found.state, found.attempts, found.resend), (State::Sending, 1, true));
    assert!(journal.of_key("another tenant", "one key").expect("is read").is_none());
    // Another key, and the reference is in use.
    let other = call("I9", &found.reference);
    assert!(matches!(journal.sending(&attempt(&other, "other key", Class::Once)), Ok(Begun::Taken)));
    assert!(journal.of_key("", "other key").expect("is read").is_none(), "nothing of it is kept");
}

fn every_end_has_its_state(journal: &Arc<dyn Journal>) {
    let ends: [(&str, End<'_>, State); 4] = [
        ("Ia", End::Error(&error(Code::Network, Stage::NotSent)), State::New),
        ("Ib", End::Error(&error(Code::OutcomeUnknown, Stage::MaybeSent)), State::Unknown),
        ("Ic", End::Error(&error(Code::Rejected, Stage::Answered)), State::Failed),
        ("Id", End::Abandoned, State::Unknown),
    ];
    for (id, end, state) in ends {
        let sent = sent(journal, id, Class::Keyed);
        let intent = journal.concluded(&sent, &end).expect("is kept").expect("the intent");
        assert_eq!((intent.state, intent.lease_ms), (state, 0), "{id}");
    }
    let intent = charged(journal, "Ie", Status::Pending);
    assert_eq!(
        (intent.state, intent.amount, intent.payable_amount),
        (State::Pending, Some(150_000), Some(151_500))
    );
    for order in [Order::Reference("RIe"), Order::OrderId("INV-17")] {
        assert_eq!(journal.of_order(SHOP, &order).expect("is read").expect("is there").id, "Ie");
    }
    let elsewhere = Scope { environment: "production", ..SHOP };
    assert!(journal.of_order(elsewhere, &Order::Reference("RIe")).expect("is read").is_none());
}

fn what_must_not_repeat_is_sent_once(journal: &Arc<dyn Journal>) {
    let first = sent(journal, "I1", Class::Once);
    let call = call("I1", "RI1");
    let more = |after| Attempt { after, ..attempt(&call, "key of I1", Class::Once) };
    assert!(matches!(journal.sending(&more(None)), Ok(Begun::Known(_))), "it is out");
    // Answered by a 401, which means that it was not acted upon: one more.
    let Ok(Begun::Sent(second)) = journal.sending(&more(Some(&first))) else { panic!("one more") };
    assert_eq!((second.number, second.fence), (2, 1));
    journal.concluded(&second, &End::Abandoned).expect("is kept");
    assert_eq!(now(journal, "I1").state, State::Unknown);
    assert!(matches!(journal.sending(&more(None)), Ok(Begun::Known(_))), "it may have been read");
    assert!(matches!(
        journal.sending(&more(Some(&Sent { number: 2, ..first.clone() }))),
        Ok(Begun::Known(_))
    ));
    assert_eq!(now(journal, "I1").attempts, 2);
}

fn what_was_not_sent_may_be_sent_again(journal: &Arc<dyn Journal>) {
    let first = sent(journal, "I1", Class::Payable);
    journal.concluded(&first, &End::Error(&error(Code::Network, Stage::NotSent))).expect("is kept");
    assert_eq!(now(journal, "I1").state, State::New);
    let again = sent(journal, "I1", Class::Payable);
    assert_eq!((again.number, again.fence), (2, 2));
    assert_eq!(now(journal, "I1").state, State::Sending);
}

fn callbacks_move_what_they_prove(journal: &Arc<dyn Journal>) {
    charged(journal, "I1", Status::Pending);
    let receive = |event: &Event| journal.received(SHOP, event).expect("is kept");
    let claims = receive(&event("RI1", Status::Paid, Evidence::E0, "a"));
    assert_eq!((claims.repeated, claims.intent.expect("ours").state), (false, State::Pending));
    let proves = event("RI1", Status::Paid, Evidence::E1, "b");
    let first = receive(&proves);
    assert_eq!((first.repeated, first.intent.expect("ours").state), (false, State::Paid));
    let again = receive(&proves);
    assert_eq!((again.repeated, again.intent.expect("ours").state), (true, State::Paid));
    // Of nobody, and of another account.
    assert!(receive(&event("RI9", Status::Paid, Evidence::E1, "c")).intent.is_none());
    let other = Scope { account: "other", ..SHOP };
    assert!(journal.received(other, &proves).expect("is kept").intent.is_none());
    assert_eq!(journal.unmatched(10).expect("is read").len(), 2);
    // What the provider, asked about it, did not know either: noted once, and how long ago it came.
    let nobodys = event("RI9", Status::Paid, Evidence::E1, "c");
    for _ in 0..2 {
        let age = journal.denied(SHOP, &nobodys, "asked, and not known").expect("is noted");
        assert!((0..60_000).contains(&age), "{age}");
    }
    let unmatched = journal.unmatched(10).expect("is read");
    let noted: Vec<&serde_json::Value> = unmatched.iter().filter(|one| one["review"].is_string()).collect();
    assert_eq!((unmatched.len(), noted.len()), (2, 1));
    assert_eq!(noted[0]["review"], "asked, and not known");
    // One of ours is left alone: it waits for no person because of what anybody may say.
    journal.denied(SHOP, &proves, "asked, and not known").expect("is nothing");
    assert_eq!(now(journal, "I1").review, None);
    // A guard that does not hold makes it prove nothing.
    charged(journal, "I2", Status::Pending);
    let mut guarded = event("RI2", Status::Done, Evidence::E1, "d");
    guarded.must_match.insert("destination".to_owned(), "0899".to_owned());
    let odd = receive(&guarded).intent.expect("ours");
    assert_eq!(odd.state, State::Pending);
    assert_eq!(odd.review.as_deref(), Some("a callback names another destination than was asked"));
}

fn another_amount_waits_for_a_person(journal: &Arc<dyn Journal>) {
    charged(journal, "I1", Status::Pending);
    let mut less = event("RI1", Status::Paid, Evidence::E1, "a");
    less.amount = Rupiah::new(150_000);
    let intent = journal.received(SHOP, &less).expect("is kept").intent.expect("ours");
    assert_eq!(intent.state, State::Pending);
    assert_eq!(intent.review.as_deref(), Some("the amount is said to be 150000, owed was 151500"));
    assert_eq!(journal.claim("I1", "credit", 1000).expect_err("waits").code, Code::NotPossible);
}

fn refunds_move_their_charge(journal: &Arc<dyn Journal>) {
    charged(journal, "I1", Status::Paid);
    let back = outcome(Status::Done);
    let refund = |of: &str, amount| {
        let said = Said { operation: "refund", refund: Some((of, amount)), outcome: &back };
        journal.learned(SHOP, &Order::Reference("RI1"), &said).expect("is kept").expect("ours").state
    };
    assert_eq!(refund("I2", 51_500), State::PartiallyRefunded);
    assert_eq!(refund("I2", 51_500), State::PartiallyRefunded, "the same one again counts once");
    assert_eq!(refund("I3", 100_000), State::Refunded);
}

fn the_same_answer_is_nothing_new(journal: &Arc<dyn Journal>) {
    charged(journal, "I1", Status::Pending);
    let learn = |status| {
        let answer = outcome(status);
        let said = Said { operation: "status", refund: None, outcome: &answer };
        journal.learned(SHOP, &Order::Reference("RI1"), &said).expect("is kept").expect("ours").state
    };
    assert_eq!(learn(Status::Pending), State::Pending);
    let events = journal.intent("I1").expect("is read").expect("is there").events.len();
    assert_eq!(learn(Status::Pending), State::Pending);
    assert_eq!(journal.intent("I1").expect("is read").expect("is there").events.len(), events);
    assert_eq!(learn(Status::Expired), State::Expired);
    assert_eq!(learn(Status::Paid), State::Paid, "late success");
    assert_eq!(learn(Status::Expired), State::Paid, "paid never becomes expired");
    let answer = Outcome {
        operation: "status".to_owned(),
        intent: "I-of-the-question".to_owned(),
        ..outcome(Status::Paid)
    };
    let said = Said { operation: "status", refund: None, outcome: &answer };
    // Of one whose own answer was lost, this is what its key answers from now on.
    let lost = sent(journal, "I2", Class::Keyed);
    journal.concluded(&lost, &End::Abandoned).expect("is kept");
    assert!(now(journal, "I2").outcome.is_none());
    journal.learned(SHOP, &Order::Reference("RI2"), &said).expect("is kept");
    let kept = now(journal, "I2").outcome.expect("is kept");
    assert_eq!(
        (&kept["intent"], &kept["operation"]),
        (&json!("I2"), &json!("charge")),
        "what can be claimed"
    );
    assert!(journal.learned(SHOP, &Order::Reference("nobody's"), &said).expect("is read").is_none());
}

fn one_question_in_thirty_seconds(journal: &Arc<dyn Journal>) {
    charged(journal, "I1", Status::Pending);
    assert!(journal.may_ask("I1").expect("is kept"));
    let later = now(journal, "I1").next_ms.expect("is looked at later");
    assert!(!journal.may_ask("I1").expect("is kept"));
    let sooner = now(journal, "I1").next_ms.expect("is looked at later");
    assert!(sooner < later, "recovery asks instead");
}

fn each_intent_goes_to_one_recoverer(journal: &Arc<dyn Journal>) {
    let sent = sent(journal, "I1", Class::Once);
    let due = Due { account: None, now: true, limit: 10, lease_ms: 60_000 };
    assert!(journal.due(&due).expect("is read").is_empty(), "its sender holds it");
    // A sender with a lease that is over: as if it had died.
    let call = call("I2", "RI2");
    let dead = Attempt { lease_ms: -1, ..attempt(&call, "k2", Class::Once) };
    journal.sending(&dead).expect("is kept");
    let taken: Vec<Intent> = thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| journal.due(&due).expect("is read"))).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("no panic")).collect()
    });
    assert_eq!(taken.len(), 1, "{taken:?}");
    assert_eq!((taken[0].id.as_str(), taken[0].state), ("I2", State::Unknown));
    let stale = Intent { fence: taken[0].fence - 1, ..taken[0].clone() };
    assert!(journal.looked(&stale, &Look::Review("late")).expect("is read").is_none());
    let looked =
        journal.looked(&taken[0], &Look::Review("nobody knows")).expect("is kept").expect("it is ours");
    assert_eq!((looked.review.as_deref(), looked.next_ms), (Some("nobody knows"), None));
    // Whoever comes late with an answer is heard all the same.
    let late = outcome(Status::Done);
    let late =
        journal.concluded(&Sent { intent: "I2".to_owned(), number: 1, fence: 1 }, &End::Outcome(&late));
    assert_eq!(late.expect("is kept").expect("the intent").state, State::Done);
    journal.concluded(&sent, &End::Abandoned).expect("is kept");
    let twice = |look: &Look<'_>| {
        let taken = journal.due(&due).expect("is read");
        let intent = taken.iter().find(|intent| intent.id == "I1").expect("is due").clone();
        journal.looked(&intent, look).expect("is kept").expect("ours")
    };
    let missed = twice(&Look::Missing);
    assert_eq!((missed.misses, missed.missed_ms.is_some()), (1, true));
    assert_eq!(twice(&Look::NeverArrived).state, State::Failed);
}

fn an_effect_is_applied_once(journal: &Arc<dyn Journal>) {
    charged(journal, "I1", Status::Pending);
    assert_eq!(journal.claim("I1", "credit", 1000).expect_err("is not paid").code, Code::NotPossible);
    assert_eq!(journal.claim("I9", "credit", 1000).expect_err("is not there").code, Code::InvalidParams);
    journal.received(SHOP, &event("RI1", Status::Paid, Evidence::E1, "a")).expect("is kept");
    let results: Vec<Result<Claim, Error>> = thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| journal.claim("I1", "credit", 60_000))).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    let granted: Vec<&Claim> = results.iter().flatten().collect();
    assert_eq!(granted.len(), 1);
    assert!(results.iter().filter_map(|r| r.as_ref().err()).all(|e| e.code == Code::InProgress));
    let first = granted[0];
    // Given back, claimed by another whose lease runs out, claimed again.
    assert!(!journal.release("I1", "credit", first.fence).expect("is kept").granted);
    let second = journal.claim("I1", "credit", -1).expect("is granted");
    let third = journal.claim("I1", "credit", 60_000).expect("the lease is over");
    assert_eq!((second.fence, third.fence), (2, 3));
    assert_eq!(
        (&second.transaction_id, &third.transaction_id),
        (&first.transaction_id, &first.transaction_id)
    );
    assert_eq!(
        journal.confirm("I1", "credit", second.fence).expect_err("is not its").code,
        Code::NotPossible
    );
    assert_eq!(journal.confirm("I1", "credit", third.fence).expect("is kept").state, EffectState::Confirmed);
    assert_eq!(journal.confirm("I1", "credit", third.fence).expect("again").state, EffectState::Confirmed);
    let after = journal.claim("I1", "credit", 60_000).expect("says so");
    assert_eq!((after.granted, after.state), (false, EffectState::Confirmed));
    assert!(journal.claim("I1", "another", 60_000).expect("is granted").granted);
}

fn what_is_paid_and_not_confirmed_is_listed(journal: &Arc<dyn Journal>) {
    let listed = |effect: &str, state| {
        let filter = Filter { unconfirmed: Some(effect.to_owned()), state, ..Filter::default() };
        let found = journal.intents(&filter).expect("is read");
        found.into_iter().map(|intent| intent.id).collect::<Vec<_>>()
    };
    charged(journal, "I1", Status::Pending);
    charged(journal, "I2", Status::Paid);
    charged(journal, "I3", Status::Paid);
    charged(journal, "I4", Status::Done);
    let mut odd = event("RI3", Status::Paid, Evidence::E1, "a");
    odd.review = Some("odd".to_owned());
    journal.received(SHOP, &odd).expect("is kept");
    assert_eq!(listed("credit", None), ["I2"], "neither what is open nor what waits for a person");
    journal.received(SHOP, &event("RI1", Status::Paid, Evidence::E1, "b")).expect("is kept");
    assert_eq!(listed("credit", None), ["I2", "I1"], "newest first");
    assert_eq!(listed("credit", Some(State::Done)), ["I4"]);
    // Another effect is another matter; a claim is no confirmation.
    let mail = journal.claim("I1", "mail", 60_000).expect("is granted");
    journal.confirm("I1", "mail", mail.fence).expect("is kept");
    let claim = journal.claim("I1", "credit", 60_000).expect("is granted");
    assert_eq!(listed("credit", Some(State::Paid)), ["I2", "I1"]);
    assert_eq!(listed("mail", None), ["I2"]);
    journal.release("I1", "credit", claim.fence).expect("is kept");
    assert_eq!(listed("credit", None), ["I2", "I1"]);
    let claim = journal.claim("I1", "credit", 60_000).expect("is granted");
    journal.confirm("I1", "credit", claim.fence).expect("is kept");
    assert_eq!(listed("credit", None), ["I2"]);
    journal.resolve("I3", Status::Paid, "sari", "seen on the bank's page").expect("is kept");
    assert_eq!(listed("credit", None), ["I3", "I2"], "a person has decided");
}

fn people_decide_and_are_named(journal: &Arc<dyn Journal>) {
    charged(journal, "I1", Status::Pending);
    let mut odd = event("RI1", Status::Paid, Evidence::E1, "a");
    odd.review = Some("odd".to_owned());
    journal.received(SHOP, &odd).expect("is kept");
    let waits = journal.intents(&Filter { review: true, ..Filter::default() }).expect("is read");
    assert_eq!(waits.len(), 1);
    let resolved = journal.resolve("I1", Status::Paid, "sari", "seen on the bank's page").expect("is kept");
    assert_eq!((resolved.state, resolved.review), (State::Paid, None));
    let story = journal.intent("I1").expect("is read").expect("is there");
    assert_eq!(story.audit[0]["actor"], "sari");
    assert_eq!(story.events.len(), 3);
    assert!(journal.intents(&Filter { review: true, ..Filter::default() }).expect("is read").is_empty());
    let paid = Filter { state: Some(State::Paid), account: Some("shop".to_owned()), ..Filter::default() };
    assert_eq!(journal.intents(&paid).expect("is read").len(), 1);
    assert_eq!(journal.resolve("I9", Status::Paid, "a", "b").expect_err("no such").code, Code::InvalidParams);
}

fn the_payer_is_forgotten_and_the_money_is_not(journal: &Arc<dyn Journal>) {
    charged(journal, "I1", Status::Pending);
    journal.received(SHOP, &event("RI1", Status::Paid, Evidence::E1, "a")).expect("is kept");
    assert_eq!(journal.naming("budi@example.com").expect("is read"), ["I1"]);
    assert_eq!(journal.naming("Budi Santoso").expect("is read"), ["I1"]);
    assert!(journal.naming("budi_example").expect("is read").is_empty(), "no pattern");
    assert_eq!(journal.forget(&["I1".to_owned()], "sari", "asked for it").expect("is kept"), 1);
    let story = journal.intent("I1").expect("is read").expect("is there");
    let all = json!({"story": story, "call": story.intent.call.as_ref().map(|call| call.params.clone())})
        .to_string();
    assert!(!all.contains("budi@example.com") && !all.contains("Budi Santoso"), "{all}");
    assert_eq!((story.intent.state, story.intent.payable_amount), (State::Paid, Some(151_500)));
    assert!(!story.intent.resend, "what is left makes other bytes");
    assert_eq!(story.params["amount"], 150_000);
    assert_eq!(journal.tidy(90, 730).expect("is kept"), Tidied::default());
    assert_eq!(journal.tidy_daily(90, 730).expect("is kept"), Some(Tidied::default()));
    assert_eq!(journal.tidy_daily(90, 730).expect("is read"), None, "that was today");
    charged(journal, "I2", Status::Paid);
    let all = journal.tidy(-1, -1).expect("is kept");
    assert_eq!((all.bodies, all.intents), (1, 2), "a day that has not been yet");
    assert!(journal.intent("I2").expect("is read").is_none());
}

fn a_provider_reference_belongs_to_one_order(journal: &Arc<dyn Journal>) {
    let with = |id: &str, theirs: &str| {
        let sent = sent(journal, id, Class::Keyed);
        let mut end = outcome(Status::Pending);
        end.result.provider_reference = Some(theirs.to_owned());
        journal.concluded(&sent, &End::Outcome(&end)).expect("is kept").expect("the intent")
    };
    assert_eq!(with("I1", "T1").review, None);
    let second = with("I2", "T1");
    assert_eq!(second.review.as_deref(), Some("the provider's id T1 belongs to the intent I1"));
    assert_eq!(second.provider_reference, None);
    let theirs = journal.of_order(SHOP, &Order::ProviderReference("T1")).expect("is read");
    assert_eq!(theirs.map(|intent| intent.id).as_deref(), Some("I1"));
}

fn a_tenant_sees_its_own(journal: &Arc<dyn Journal>) {
    // Two orders of one name, the later one another tenant's; and one of nobody's.
    for (id, tenant) in [("Ia", "apples"), ("Ib", "pears"), ("Ic", "")] {
        let call = call(id, &format!("R{id}"));
        let attempt = Attempt { tenant, ..attempt(&call, "the same key", Class::Keyed) };
        let Ok(Begun::Sent(sent)) = journal.sending(&attempt) else { panic!("{id} is another key") };
        journal.concluded(&sent, &End::Outcome(&outcome(Status::Pending))).expect("is kept");
    }
    let of = |tenant| journal.of_order(SHOP, &Order::OfTenant(tenant, "INV-17")).expect("is read");
    assert_eq!(of("apples").map(|intent| intent.id).as_deref(), Some("Ia"));
    assert_eq!(of("pears").map(|intent| intent.id).as_deref(), Some("Ib"));
    assert!(of("plums").is_none() && of("").is_none());
    let filter = Filter { tenant: Some("apples".to_owned()), ..Filter::default() };
    let listed = journal.intents(&filter).expect("is read");
    assert_eq!(listed.iter().map(|intent| intent.id.as_str()).collect::<Vec<_>>(), ["Ia"]);
    assert_eq!(listed[0].as_outcome().tenant.as_deref(), Some("apples"));

    let ids = |changes: Vec<Change>| changes.into_iter().map(|change| change.intent).collect::<Vec<_>>();
    let all = journal.changed(0, "", 10).expect("is read");
    assert_eq!(all.iter().map(|change| change.state).collect::<Vec<_>>(), [State::Pending; 2]);
    let (moment, first) = (all[0].updated_ms, all[0].intent.clone());
    assert_eq!(ids(journal.changed(moment, &first, 10).expect("is read")), ["Ib"]);
    assert_eq!(ids(journal.changed(0, "", 1).expect("is read")), ["Ia"]);
    let paid = event("RIa", Status::Paid, Evidence::E1, "one");
    journal.received(SHOP, &paid).expect("is kept");
    let all = journal.changed(0, "", 10).expect("is read");
    let moved = all.iter().find(|change| change.intent == "Ia").expect("it changed");
    assert_eq!((moved.state, moved.review), (State::Paid, false));
    assert!(moved.updated_ms >= moment);
}

fn orders_are_counted_by_what_became_of_them(journal: &Arc<dyn Journal>) {
    // Ids as the engine makes them: a count reads only those of about its time.
    let now = i64::try_from(std::time::SystemTime::UNIX_EPOCH.elapsed().expect("after 1970").as_millis())
        .expect("soon");
    let id = |n: u8| crate::ambient::make_id('I', now, &[n; 16]);
    let charge = |n: u8, channel: Option<&str>| {
        let mut call = call(&id(n), &format!("R{n}"));
        if let Some(channel) = channel {
            call.params["channel"] = json!(channel);
        }
        match journal.sending(&attempt(&call, &format!("key {n}"), Class::Keyed)).expect("is kept") {
            Begun::Sent(sent) => sent,
            other => panic!("{other:?}"),
        }
    };
    for n in 1..=2 {
        let sent = charge(n, Some("bca_va"));
        journal.concluded(&sent, &End::Outcome(&outcome(Status::Pending))).expect("is kept");
    }
    let sent = charge(3, None);
    let refused = error(Code::Rejected, Stage::Answered);
    journal.concluded(&sent, &End::Error(&refused)).expect("is kept");
    charge(4, None);

    let day = 86_400_000;
    let mut found = journal.figures(now - day, now + day).expect("is counted");
    found.sort_by_key(|figure| (figure.count, figure.state));
    let told: Vec<_> = found
        .iter()
        .map(|f| (f.channel.as_deref(), f.state, f.stage, f.code.as_deref(), f.count, f.amount))
        .collect();
    let answered = Some(Stage::Answered);
    let expected = [
        (None, State::Sending, None, None, 1, 150_000),
        (None, State::Failed, answered, Some("rejected"), 1, 150_000),
        (Some("bca_va"), State::Pending, answered, None, 2, 300_000),
    ];
    assert_eq!(told, expected);
    assert!(found[2].took_ms.is_some_and(|took| TOOK_MS.contains(&took)) && found[0].took_ms.is_none());
    assert!(found[2].last_ms.is_some_and(|at| (now - day..now + day).contains(&at)));
    assert!(journal.figures(now - 2 * day, now - day).expect("is counted").is_empty());
}
