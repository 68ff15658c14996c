//! The host's own actions ("credit invoice 17"): claimed under a lease, applied by the host,
//! confirmed. At least once whatever dies where; exactly once for a host that applies each
//! transaction id once.

use serde::Serialize;

use super::database::Transaction;
use super::ledger::{Ledger, new_id};
use super::rows::{Row, int, one_intent, text};
use crate::error::{Code, Error, Stage};

/// The state of an effect.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EffectState {
    /// A caller is applying it, or was when it died.
    Claimed,
    /// Nobody is applying it.
    Released,
    /// It was applied.
    Confirmed,
}

/// An effect, as a caller finds or changes it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Claim {
    /// The intent.
    pub intent: String,
    /// The effect's name.
    pub effect: String,
    /// The state that it is in now.
    pub state: EffectState,
    /// Whether this caller is to apply it now.
    pub granted: bool,
    /// The same for every claim of this effect: what the host applies once.
    pub transaction_id: String,
    /// What `confirm` and `release` must name.
    pub fence: i64,
    /// Until when the claim holds, in milliseconds since 1970-01-01 UTC.
    pub lease_ms: i64,
}

impl Ledger {
    pub(super) fn claim_effect(&self, intent: &str, effect: &str, lease_ms: i64) -> Result<Claim, Error> {
        self.write(|tx| {
            let now = tx.now_ms()?;
            let Some(found) = one_intent(tx, "WHERE id = ?1 /*for update*/", &[text(intent)])? else {
                return Err(no_intent(intent));
            };
            let known = effect_of(tx, intent, effect)?;
            if let Some(claim) = known.filter(|claim| claim.state == EffectState::Confirmed) {
                return Ok(claim);
            }
            if let Some(why) = &found.review {
                return Err(refused(intent, format!("waits for a review: {why}")));
            }
            if !found.state.is_earned() {
                return Err(refused(
                    intent,
                    format!("is {}, and only what is paid has effects", super::rows::word(&found.state)),
                ));
            }
            let until = now + lease_ms;
            let sql = "INSERT INTO effect (intent, name, state, transaction_id, fence, lease_ms, claimed_ms)
                VALUES (?1, ?2, 'claimed', ?3, 1, ?4, ?5) ON CONFLICT DO NOTHING";
            let values = [text(intent), text(effect), text(new_id('X', now)?), int(until), int(now)];
            if tx.execute(sql, &values)? == 0 {
                let sql =
                    "UPDATE effect SET state = 'claimed', fence = fence + 1, lease_ms = ?3, claimed_ms = ?4
                    WHERE intent = ?1 AND name = ?2 AND state <> 'confirmed' AND lease_ms <= ?4";
                if tx.execute(sql, &[text(intent), text(effect), int(until), int(now)])? == 0 {
                    return Err(held(intent, effect));
                }
            }
            let claim = effect_of(tx, intent, effect)?.ok_or_else(|| no_intent(intent))?;
            Ok(Claim { granted: true, ..claim })
        })
    }

    pub(super) fn end_effect(
        &self,
        intent: &str,
        effect: &str,
        fence: i64,
        applied: bool,
    ) -> Result<Claim, Error> {
        self.write(|tx| {
            let now = tx.now_ms()?;
            // A claim that ran out and was not given to another may still be confirmed: it was applied.
            let changed = if applied {
                let sql = "UPDATE effect SET state = 'confirmed', confirmed_ms = ?4, lease_ms = 0
                    WHERE intent = ?1 AND name = ?2 AND fence = ?3 AND state = 'claimed'";
                tx.execute(sql, &[text(intent), text(effect), int(fence), int(now)])?
            } else {
                let sql = "UPDATE effect SET state = 'released', lease_ms = 0
                    WHERE intent = ?1 AND name = ?2 AND fence = ?3 AND state = 'claimed'";
                tx.execute(sql, &[text(intent), text(effect), int(fence)])?
            };
            match effect_of(tx, intent, effect)? {
                Some(claim) if changed == 1 => Ok(claim),
                // The same word again, from the same holder.
                Some(claim) if claim.fence == fence && claim.state == EffectState::Confirmed && applied => {
                    Ok(claim)
                }
                Some(claim) if claim.fence == fence && claim.state == EffectState::Released && !applied => {
                    Ok(claim)
                }
                Some(claim) => Err(outdated(&claim, fence)),
                None => Err(refused(intent, format!("has no claimed effect {effect:?}"))),
            }
        })
    }
}

pub(super) fn effect_of(
    tx: &mut dyn Transaction,
    intent: &str,
    effect: &str,
) -> Result<Option<Claim>, Error> {
    let sql = "SELECT state, transaction_id, fence, lease_ms FROM effect WHERE intent = ?1 AND name = ?2 /*for update*/";
    let rows = tx.query(sql, &[text(intent), text(effect)])?;
    let claim = |cells| {
        let mut row = Row::of(cells);
        let state = match row.text()?.as_str() {
            "confirmed" => EffectState::Confirmed,
            "released" => EffectState::Released,
            _ => EffectState::Claimed,
        };
        Ok(Claim {
            intent: intent.to_owned(),
            effect: effect.to_owned(),
            state,
            granted: false,
            transaction_id: row.text()?,
            fence: row.int()?,
            lease_ms: row.int()?,
        })
    };
    rows.into_iter().next().map(claim).transpose()
}

/// No intent of that id.
pub(super) fn no_intent(id: &str) -> Error {
    let what = format!("intent: found {id:?}; allowed: the id of an intent in the journal");
    Error::not_sent(Code::InvalidParams, what).field("intent")
}

fn refused(intent: &str, why: String) -> Error {
    let error = Error::not_sent(Code::NotPossible, format!("the intent {intent} {why}"));
    Error { intent: Some(intent.to_owned()), ..error.at(Stage::NotSent, false) }
}

fn held(intent: &str, effect: &str) -> Error {
    let what = format!("the effect {effect:?} of {intent} is claimed by another caller");
    let advice =
        "Claim it again after a moment: it may be confirmed by then, or its claim have run out.".to_owned();
    Error { intent: Some(intent.to_owned()), advice, ..Error::not_sent(Code::InProgress, what) }
}

/// Waiting helps nobody whose claim is over.
fn outdated(claim: &Claim, fence: i64) -> Error {
    let Claim { intent, effect, .. } = claim;
    let now = match claim.state {
        EffectState::Confirmed => "it is confirmed",
        EffectState::Released => "it is released",
        EffectState::Claimed => "another caller has claimed it",
    };
    let why =
        format!("has no claim {fence} on the effect {effect:?} any more: {now}, by claim {}", claim.fence);
    let advice = "Apply nothing under this claim; what was applied under its transaction id must count once."
        .to_owned();
    Error { advice, ..refused(intent, why) }
}
