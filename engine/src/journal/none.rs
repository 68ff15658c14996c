//! No journal.

use bayar_provider::Event;

use super::{Attempt, Begun, End, Intent, Journal, Received, Scope, Sent};
use crate::error::Error;

/// No journal: nothing is kept. What is in flight when the process dies is not known afterwards.
#[derive(Clone, Copy, Debug)]
pub struct NoJournal;

impl Journal for NoJournal {
    fn name(&self) -> &str {
        "none"
    }

    fn keeps(&self) -> bool {
        false
    }

    fn sending(&self, attempt: &Attempt<'_>) -> Result<Begun, Error> {
        let number = attempt.after.map_or(1, |before| before.number + 1);
        Ok(Begun::Sent(Sent { intent: attempt.call.intent.clone(), number, fence: 1 }))
    }

    fn concluded(&self, _: &Sent, _: &End<'_>) -> Result<Option<Intent>, Error> {
        Ok(None)
    }

    fn received(&self, _: Scope<'_>, _: &Event) -> Result<Received, Error> {
        Ok(Received { repeated: false, intent: None })
    }
}
