//! The state of an intent: a pure function of what is known of it. The same facts give the same
//! state in whatever order, and however often, they arrived.

use std::collections::BTreeSet;

use bayar_provider::{Evidence, Stage, Status};
use serde::{Deserialize, Serialize};

/// The state of an intent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nothing was sent: the same key may send.
    New,
    /// A request is out, or was when its process died.
    Sending,
    /// Waiting for the payer, or for the provider to finish.
    Pending,
    /// Reserved on a card, not yet taken.
    Authorized,
    /// The money was taken.
    Paid,
    /// Succeeded, and is no payment.
    Done,
    /// It did not succeed.
    Failed,
    /// The payer did not pay in time.
    Expired,
    /// Withdrawn before it was paid.
    Cancelled,
    /// Part of the money went back.
    PartiallyRefunded,
    /// All of the money went back.
    Refunded,
    /// The payer's bank took the money back, or disputes it.
    Disputed,
    /// A request may have reached the provider; what became of it is not known.
    Unknown,
}

impl State {
    /// The state as hosts see it, where there is something to see.
    pub fn status(self) -> Option<Status> {
        Some(match self {
            State::New | State::Sending => return None,
            State::Pending => Status::Pending,
            State::Authorized => Status::Authorized,
            State::Paid => Status::Paid,
            State::Done => Status::Done,
            State::Failed => Status::Failed,
            State::Expired => Status::Expired,
            State::Cancelled => Status::Cancelled,
            State::PartiallyRefunded => Status::PartiallyRefunded,
            State::Refunded => Status::Refunded,
            State::Disputed => Status::Disputed,
            State::Unknown => Status::Unknown,
        })
    }

    /// Whether the money was taken, or what was bought delivered, and not all of it went back.
    pub fn is_earned(self) -> bool {
        matches!(self, State::Paid | State::Done | State::PartiallyRefunded)
    }

    /// Whether something may still become of it without the host doing anything.
    pub fn is_open(self) -> bool {
        matches!(self, State::Sending | State::Pending | State::Authorized | State::Unknown)
    }
}

/// How far one request got; nothing where it is out.
pub type Try = Option<Stage>;

/// What one event says.
#[derive(Clone, PartialEq, Debug)]
pub struct Fact {
    /// Whether it is the answer to the intent's own request.
    pub own: bool,
    /// What it rests on.
    pub evidence: Evidence,
    /// The status that it names.
    pub status: Status,
    /// The amount that it names, in rupiah.
    pub amount: Option<i64>,
    /// What the payer was told to pay, in rupiah.
    pub payable: Option<i64>,
    /// What one refund gave back, in rupiah.
    pub refunded: Option<i64>,
    /// The provider's own id.
    pub provider_reference: Option<String>,
    /// Why a person should look.
    pub review: Option<String>,
    /// The reasons for a review that an operator has dealt with.
    pub clears: Vec<String>,
}

/// What the facts come to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Folded {
    /// The state.
    pub state: State,
    /// Why a person should look, if so; the paid effect is blocked.
    pub review: BTreeSet<String>,
    /// The provider's own id.
    pub provider_reference: Option<String>,
    /// What the payer was told to pay, in rupiah.
    pub payable: Option<i64>,
}

/// Folds. `asked` is the amount that the host asked for, in rupiah.
pub fn fold(asked: Option<i64>, tries: &[Try], facts: &[Fact]) -> Folded {
    let mut review: BTreeSet<String> = facts.iter().filter_map(|fact| fact.review.clone()).collect();
    let owed = facts.iter().filter(|fact| fact.own).find_map(|fact| fact.payable).or(asked);
    let own_reference =
        facts.iter().filter(|fact| fact.own).find_map(|fact| fact.provider_reference.as_deref());

    // A fact about another amount or another payment asks for a person instead of moving the state.
    let believed: Vec<&Fact> = facts
        .iter()
        .filter(|fact| {
            let doubt = doubt(fact, owed, own_reference);
            let none = doubt.is_none();
            review.extend(doubt);
            none
        })
        .collect();

    // What gives money back is counted, and says nothing else.
    let (back, believed): (Vec<&Fact>, Vec<&Fact>) =
        believed.into_iter().partition(|fact| fact.refunded.is_some());
    let has = |least: Evidence, among: &[Status]| {
        believed.iter().any(|fact| fact.evidence >= least && among.contains(&fact.status))
    };
    let earned = [Status::Paid, Status::Done];
    let over = [Status::Failed, Status::Expired, Status::Cancelled];

    let paid_twice: BTreeSet<&str> = believed
        .iter()
        .filter(|fact| fact.evidence >= Evidence::E1 && earned.contains(&fact.status))
        .filter_map(|fact| fact.provider_reference.as_deref())
        .collect();
    if paid_twice.len() > 1 {
        let all: Vec<&str> = paid_twice.iter().copied().collect();
        review.insert(format!("paid more than once: {}", all.join(", ")));
    }

    let given_back: i64 =
        back.iter().filter(|fact| fact.evidence >= Evidence::E2).filter_map(|fact| fact.refunded).sum();
    let all_back = owed.is_some_and(|owed| owed > 0 && given_back >= owed);
    let state = if has(Evidence::E2, &[Status::Refunded]) || all_back {
        State::Refunded
    } else if has(Evidence::E1, &[Status::Disputed]) {
        State::Disputed
    } else if has(Evidence::E2, &[Status::PartiallyRefunded]) || given_back > 0 {
        State::PartiallyRefunded
    } else if has(Evidence::E1, &earned) {
        // Late success wins where our own exchange saw it; said by a digest alone, beside a failure, a
        // person looks. Paid never becomes failed.
        if !has(Evidence::E2, &earned) && has(Evidence::E1, &over) {
            review.insert("it is said to have succeeded and to have failed".to_owned());
        }
        let done = !believed.iter().any(|fact| fact.evidence >= Evidence::E1 && fact.status == Status::Paid);
        if done { State::Done } else { State::Paid }
    } else if has(Evidence::E1, &over) {
        // Of several ends the one with the better evidence; of equals the one that names a cause.
        let ends = [
            (Status::Cancelled, State::Cancelled),
            (Status::Expired, State::Expired),
            (Status::Failed, State::Failed),
        ];
        let by = |least| ends.iter().find(|(status, _)| has(least, &[*status])).map(|(_, state)| *state);
        by(Evidence::E3).or(by(Evidence::E2)).or(by(Evidence::E1)).unwrap_or(State::Failed)
    } else if has(Evidence::E1, &[Status::Authorized]) {
        State::Authorized
    } else if has(Evidence::E1, &[Status::Pending]) {
        State::Pending
    } else if tries.contains(&None) {
        State::Sending
    } else if tries.iter().any(|stage| *stage != Some(Stage::NotSent)) {
        State::Unknown
    } else {
        State::New
    };

    for fact in facts.iter().filter(|fact| fact.evidence == Evidence::E3) {
        fact.clears.iter().for_each(|reason| {
            review.remove(reason);
        });
    }
    let newest = |among: &mut dyn Iterator<Item = &&Fact>| {
        among.filter_map(|fact| fact.provider_reference.clone()).max()
    };
    let provider_reference = own_reference.map(str::to_owned).or_else(|| {
        newest(&mut believed.iter().filter(|fact| earned.contains(&fact.status)))
            .or_else(|| newest(&mut believed.iter().filter(|fact| fact.evidence >= Evidence::E1)))
    });
    Folded { state, review, provider_reference, payable: owed }
}

/// Why a fact is not about what was asked, if so. What is absent is no difference; what nothing
/// proves moves nothing anyway.
fn doubt(fact: &Fact, owed: Option<i64>, own_reference: Option<&str>) -> Option<String> {
    let moves = fact.evidence == Evidence::E1 || fact.evidence == Evidence::E2;
    if fact.own || !moves || fact.refunded.is_some() {
        return None;
    }
    if let (Some(named), Some(own)) = (fact.provider_reference.as_deref(), own_reference)
        && named != own
    {
        return Some(format!("it is said of the payment {named}, ours is {own}"));
    }
    match (fact.amount, owed) {
        (Some(named), Some(owed)) if named != owed => {
            Some(format!("the amount is said to be {named}, owed was {owed}"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fact(evidence: Evidence, status: Status) -> Fact {
        Fact {
            own: false,
            evidence,
            status,
            amount: None,
            payable: None,
            refunded: None,
            provider_reference: None,
            review: None,
            clears: Vec::new(),
        }
    }

    fn state(facts: &[Fact]) -> (State, bool) {
        let folded = fold(Some(150_000), &[Some(Stage::Answered)], facts);
        (folded.state, !folded.review.is_empty())
    }

    #[test]
    fn requests_alone() {
        for (tries, expected) in [
            (vec![], State::New),
            (vec![Some(Stage::NotSent)], State::New),
            (vec![Some(Stage::NotSent), None], State::Sending),
            (vec![Some(Stage::MaybeSent)], State::Unknown),
            (vec![Some(Stage::MaybeSent), Some(Stage::NotSent)], State::Unknown),
        ] {
            assert_eq!(fold(None, &tries, &[]).state, expected, "{tries:?}");
        }
    }

    #[test]
    fn what_each_evidence_moves() {
        use Evidence::*;
        use Status::*;
        for (facts, expected) in [
            (vec![fact(E0, Paid)], (State::Unknown, false)),
            (vec![fact(E2, Pending), fact(E0, Paid)], (State::Pending, false)),
            (vec![fact(E2, Pending), fact(E1, Paid)], (State::Paid, false)),
            (vec![fact(E2, Failed), fact(E2, Paid)], (State::Paid, false)),
            (vec![fact(E2, Failed), fact(E1, Paid)], (State::Paid, true)),
            (vec![fact(E1, Done), fact(E1, Failed)], (State::Done, true)),
            (vec![fact(E2, Paid), fact(E1, Expired)], (State::Paid, false)),
            (vec![fact(E2, Paid), fact(E1, Refunded)], (State::Paid, false)),
            (vec![fact(E2, Paid), fact(E2, Refunded)], (State::Refunded, false)),
            (vec![fact(E2, Paid), fact(E2, Disputed)], (State::Disputed, false)),
            (vec![fact(E2, Authorized), fact(E2, Cancelled)], (State::Cancelled, false)),
            (vec![fact(E2, Expired), fact(E1, Cancelled)], (State::Expired, false)),
            (vec![fact(E3, Failed)], (State::Failed, false)),
            (vec![fact(E2, Unknown)], (State::Unknown, false)),
        ] {
            assert_eq!(state(&facts), expected, "{facts:?}");
        }
    }

    #[test]
    fn another_amount_or_payment_is_for_a_person() {
        let own = Fact {
            own: true,
            payable: Some(151_500),
            provider_reference: Some("A".to_owned()),
            ..fact(Evidence::E2, Status::Pending)
        };
        let paid = |amount, reference: &str| Fact {
            amount,
            provider_reference: Some(reference.to_owned()),
            ..fact(Evidence::E2, Status::Paid)
        };
        for (said, expected) in [
            (paid(Some(151_500), "A"), (State::Paid, false)),
            (paid(None, "A"), (State::Paid, false)),
            (paid(Some(150_000), "A"), (State::Pending, true)),
            (paid(Some(151_500), "B"), (State::Pending, true)),
        ] {
            assert_eq!(state(&[own.clone(), said.clone()]), expected, "{said:?}");
            assert_eq!(state(&[said.clone(), own.clone()]), expected, "{said:?}");
        }
    }

    #[test]
    fn refunds_add_up_and_an_operator_clears() {
        let back = |amount| Fact { refunded: Some(amount), ..fact(Evidence::E2, Status::Done) };
        let paid = fact(Evidence::E2, Status::Paid);
        assert_eq!(state(&[paid.clone(), back(50_000)]).0, State::PartiallyRefunded);
        assert_eq!(state(&[back(50_000), paid.clone(), back(100_000)]).0, State::Refunded);
        let doubtful = Fact { review: Some("why".to_owned()), ..paid };
        let cleared = Fact { clears: vec!["why".to_owned()], ..fact(Evidence::E3, Status::Paid) };
        assert_eq!(state(std::slice::from_ref(&doubtful)), (State::Paid, true));
        assert_eq!(state(&[cleared, doubtful]), (State::Paid, false));
    }

    fn facts() -> impl Strategy<Value = Vec<Fact>> {
        use Status::*;
        let statuses = prop::sample::select(vec![
            Pending,
            Authorized,
            Paid,
            Failed,
            Expired,
            Cancelled,
            PartiallyRefunded,
            Refunded,
            Disputed,
            Unknown,
            Done,
        ]);
        let evidence = prop::sample::select(vec![Evidence::E0, Evidence::E1, Evidence::E2, Evidence::E3]);
        let amount = prop::sample::select(vec![None, Some(150_000), Some(1)]);
        let reference = prop::sample::select(vec![None, Some("A"), Some("B")]);
        let review = prop::sample::select(vec![None, Some("one"), Some("two")]);
        let one =
            (evidence, statuses, amount, reference, review, prop::option::of(Just(50_000)), any::<bool>());
        let one = one.prop_map(|(evidence, status, amount, reference, review, refunded, clears)| Fact {
            amount,
            refunded,
            provider_reference: reference.map(str::to_owned),
            review: review.map(str::to_owned),
            clears: if clears && evidence == Evidence::E3 { vec!["one".to_owned()] } else { vec![] },
            ..fact(evidence, status)
        });
        prop::collection::vec(one, 0..7)
    }

    proptest! {
        #[test]
        fn every_order_gives_one_state(
            (facts, shuffled) in facts().prop_flat_map(|facts| (Just(facts.clone()), Just(facts).prop_shuffle())),
        ) {
            let tries = [Some(Stage::MaybeSent)];
            prop_assert_eq!(fold(Some(150_000), &tries, &facts), fold(Some(150_000), &tries, &shuffled));
        }

        /// A refund counts as often as it is there; the database keeps each event once. Everything
        /// else may come twice.
        #[test]
        fn repetitions_change_nothing(facts in facts()) {
            let facts: Vec<Fact> = facts.into_iter().map(|fact| Fact { refunded: None, ..fact }).collect();
            let twice: Vec<Fact> = facts.iter().chain(&facts).cloned().collect();
            let tries = [Some(Stage::MaybeSent)];
            prop_assert_eq!(fold(Some(150_000), &tries, &facts), fold(Some(150_000), &tries, &twice));
        }

        #[test]
        fn paid_is_never_lost(facts in facts()) {
            let paid = fact(Evidence::E2, Status::Paid);
            let all: Vec<Fact> = facts.into_iter().chain([paid]).collect();
            let state = fold(Some(150_000), &[None], &all).state;
            prop_assert!(!matches!(state, State::Failed | State::Expired | State::Cancelled | State::Pending
                | State::Unknown | State::Sending | State::New | State::Authorized), "{:?}", state);
        }
    }
}
