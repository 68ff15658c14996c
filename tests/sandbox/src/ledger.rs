//! What the providers really did, and everything that arrived and left.

use std::any::Any;
use std::collections::{BTreeSet, HashMap, VecDeque};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::provider::{Order, Reply, Status};

type Key = (&'static str, String);

/// What a provider keeps beside its orders.
#[derive(Default)]
pub(crate) struct Memory {
    /// Answers, to be given again.
    replies: HashMap<Key, (Timestamp, Reply)>,
    /// Whatever else: sessions, balances, linked accounts. One value each, of its own type.
    own: HashMap<&'static str, Box<dyn Any + Send>>,
}

impl Memory {
    /// No provider gives an answer again after more than this.
    const KEPT: SignedDuration = SignedDuration::from_hours(1);

    pub(crate) fn reply(&self, provider: &'static str, key: &str) -> Option<&(Timestamp, Reply)> {
        self.replies.get(&(provider, key.to_owned()))
    }

    pub(crate) fn remember(&mut self, provider: &'static str, key: &str, now: Timestamp, reply: &Reply) {
        // Now and then, for a sandbox may run for weeks; seldom, for this looks at all of them.
        if self.replies.len().is_multiple_of(4096) {
            self.replies.retain(|_, (time, _)| now.duration_since(*time) <= Self::KEPT);
        }
        self.replies.insert((provider, key.to_owned()), (now, reply.clone()));
    }

    pub(crate) fn own<T: Default + Send + 'static>(&mut self, provider: &'static str) -> &mut T {
        let slot = self.own.entry(provider).or_insert_with(|| Box::new(T::default()));
        slot.downcast_mut().expect("a provider keeps one type")
    }
}

/// All orders of all providers.
#[derive(Default)]
pub(crate) struct Orders {
    /// In the order of their making, so that the newest are the last.
    all: Vec<Order>,
    /// By merchant's id and by alias.
    index: HashMap<Key, usize>,
    /// Deadlines; one that an order no longer has is skipped when it comes.
    due: BTreeSet<(Timestamp, usize)>,
}

impl Orders {
    pub(crate) fn get(&self, provider: &'static str, id: &str) -> Option<&Order> {
        self.index.get(&(provider, id.to_owned())).map(|&at| &self.all[at])
    }

    pub(crate) fn get_mut(&mut self, provider: &'static str, id: &str) -> Option<&mut Order> {
        self.index.get(&(provider, id.to_owned())).map(|&at| &mut self.all[at])
    }

    pub(crate) fn insert(&mut self, order: Order) {
        let key = (order.provider, order.order_id.clone());
        assert!(!self.index.contains_key(&key), "a provider opens an order once");
        let at = self.all.len();
        if let Some(time) = order.expires_at {
            self.due.insert((time, at));
        }
        self.index.insert(key, at);
        self.all.push(order);
    }

    pub(crate) fn alias(&mut self, provider: &'static str, alias: &str, order_id: &str) {
        if let Some(&at) = self.index.get(&(provider, order_id.to_owned())) {
            // A merchant's own id always wins over another order's alias.
            self.index.entry((provider, alias.to_owned())).or_insert(at);
        }
    }

    pub(crate) fn expires(&mut self, provider: &'static str, order_id: &str, time: Timestamp) {
        if let Some(&at) = self.index.get(&(provider, order_id.to_owned())) {
            self.all[at].expires_at = Some(time);
            self.due.insert((time, at));
        }
    }

    /// Takes the orders whose time has come and that still wait for a payer.
    pub(crate) fn take_due(&mut self, now: Timestamp) -> Vec<Key> {
        let mut keys = Vec::new();
        while let Some(&(time, at)) = self.due.first() {
            if time > now {
                break;
            }
            self.due.pop_first();
            let order = &self.all[at];
            if order.status == Status::Pending && order.expires_at.is_some_and(|deadline| deadline <= now) {
                keys.push((order.provider, order.order_id.clone()));
            }
        }
        keys
    }

    /// The newest first.
    pub(crate) fn newest(&self) -> impl Iterator<Item = &Order> {
        self.all.iter().rev()
    }
}

/// Something that crossed the wire: a request that came `in`, or a callback that went `out`.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Entry {
    pub(crate) seq: u64,
    pub(crate) direction: &'static str,
    pub(crate) time: String,
    pub(crate) provider: String,
    pub(crate) method: String,
    /// Of a request: the whole path; of a callback: the URL.
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
    /// What was answered; of a callback by the merchant. Null until then, or without an answer.
    pub(crate) status: Option<u16>,
    pub(crate) answer: String,
    /// Of a request: how often the provider carried it out (0 under a fault `before`).
    pub(crate) handled: u32,
    /// The fault that it met.
    pub(crate) fault: Option<String>,
    /// Of a callback: its order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) order_id: Option<String>,
    /// Of a callback: which attempt, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) attempt: Option<u32>,
    /// Of a callback without an answer: why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
}

/// The last entries, oldest first. Bounded, for a sandbox may run for weeks.
#[derive(Default)]
pub(crate) struct Log {
    entries: VecDeque<Entry>,
    next: u64,
}

impl Log {
    const KEPT: usize = 1000;
    /// A body longer than this is cut in the log, not on the wire.
    const TEXT: usize = 64 * 1024;

    /// Adds an entry, numbers it and returns its number.
    pub(crate) fn push(&mut self, mut entry: Entry) -> u64 {
        self.next += 1;
        entry.seq = self.next;
        if self.entries.len() == Self::KEPT {
            self.entries.pop_front();
        }
        self.entries.push_back(entry);
        self.next
    }

    /// The entry of that number, if it is still kept.
    pub(crate) fn entry(&mut self, seq: u64) -> Option<&mut Entry> {
        let at = self.entries.binary_search_by_key(&seq, |entry| entry.seq).ok()?;
        self.entries.get_mut(at)
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        self.entries.iter()
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
    }

    /// A body as text for the log.
    pub(crate) fn text(body: &[u8]) -> String {
        String::from_utf8_lossy(&body[..body.len().min(Self::TEXT)]).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_provider_keeps_its_own() {
        let mut memory = Memory::default();
        memory.own::<Vec<u8>>("one").push(7);
        assert_eq!(memory.own::<Vec<u8>>("one"), &[7]);
        assert_eq!(memory.own::<String>("two"), "");
    }

    #[test]
    fn old_answers_are_forgotten() {
        let mut memory = Memory::default();
        let (early, reply) = (Timestamp::UNIX_EPOCH, Reply::html(200, ""));
        for number in 0..4096 {
            memory.remember("one", &number.to_string(), early, &reply);
        }
        let late = early + SignedDuration::from_hours(2);
        memory.remember("one", "late", late, &reply);
        assert!(memory.reply("one", "late").is_some() && memory.reply("one", "5").is_none());
    }
}
