//! Keys that opened a moment ago: under load they are not looked up anew for each request.
//!
//! What this process changes of applications and keys counts at once, for the store tells that something was
//! changed. Another process, the command line or another instance, waits after its change for [`BELIEVED`]: when
//! it says that a key is revoked, the key opens nothing anywhere.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use sha2::{Digest, Sha256};

use crate::store::apps::App;
use crate::store::{BELIEVED, Store};

/// How many are remembered.
const MOST: usize = 1024;

#[derive(Default)]
pub(crate) struct Opened(Mutex<HashMap<Name, Once>>);

/// What opens, hashed, so that no key is kept.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Name([u8; 32]);

struct Once {
    app: Arc<App>,
    moment: Moment,
}

/// When a key is looked up, and how often applications had been changed by then.
#[derive(Clone, Copy)]
pub(crate) struct Moment {
    at: Instant,
    changed: u64,
}

impl Name {
    pub(crate) fn of(code: &str, key: &str) -> Name {
        let mut digest = Sha256::new();
        digest.update((code.len() as u64).to_be_bytes());
        digest.update(code);
        digest.update(key);
        Name(digest.finalize().into())
    }
}

impl Moment {
    /// To be taken before the key is looked up.
    pub(crate) fn now(store: &Store) -> Moment {
        Moment { at: Instant::now(), changed: store.apps_changed() }
    }
}

impl Opened {
    /// The application, if the key opened a moment ago and nothing was changed since.
    pub(crate) fn get(&self, name: Name, now: Moment) -> Option<Arc<App>> {
        let known = self.lock();
        let once = known.get(&name)?;
        let age = now.at.saturating_duration_since(once.moment.at);
        (age < BELIEVED && once.moment.changed == now.changed).then(|| Arc::clone(&once.app))
    }

    /// Remembers that a key opened when it was looked up.
    pub(crate) fn put(&self, name: Name, app: &Arc<App>, moment: Moment) {
        let mut known = self.lock();
        if known.len() >= MOST {
            known.retain(|_, once| moment.at.saturating_duration_since(once.moment.at) < BELIEVED);
        }
        if known.len() < MOST {
            known.insert(name, Once { app: Arc::clone(app), moment });
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Name, Once>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::calls::tests::app;

    #[test]
    fn it_opens_for_a_moment_and_until_something_is_changed() {
        let opened = Opened::default();
        let name = |key| Name::of("biling", key);
        let began = Moment { at: Instant::now(), changed: 7 };
        let after = |time: Duration| Moment { at: began.at + time, ..began };
        assert!(opened.get(name("a"), began).is_none());
        opened.put(name("a"), &Arc::new(app("biling")), began);
        assert!(opened.get(name("a"), began).is_some() && opened.get(name("b"), began).is_none());
        assert!(opened.get(Name::of("bilin", "ga"), began).is_none());
        assert!(opened.get(name("a"), after(BELIEVED - Duration::from_millis(1))).is_some());
        assert!(opened.get(name("a"), after(BELIEVED)).is_none());
        assert!(opened.get(name("a"), Moment { changed: 8, ..began }).is_none());
        // Looked up before the change, remembered after it.
        opened.put(name("a"), &Arc::new(app("biling")), began);
        assert!(opened.get(name("a"), Moment { changed: 8, ..began }).is_none());
    }

    #[test]
    fn not_more_than_fit() {
        let opened = Opened::default();
        let began = Moment { at: Instant::now(), changed: 0 };
        let app = Arc::new(app("biling"));
        for number in 0..2 * MOST {
            opened.put(Name::of("biling", &number.to_string()), &app, began);
        }
        assert_eq!(opened.lock().len(), MOST);
        let later = Moment { at: began.at + BELIEVED, ..began };
        opened.put(Name::of("biling", "later"), &app, later);
        assert_eq!(opened.lock().len(), 1);
    }
}
