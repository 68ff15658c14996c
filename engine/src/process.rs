//! Values that belong to one process and must not be shared with its forked children.
//!
//! A child that `fork` made holds a copy of everything its parent had: sockets that are
//! also the parent's, keys of TLS sessions, and locks in whatever state another thread had
//! left them in. [`PerProcess`] gives each process a value of its own, made at first use.

use std::mem;
use std::process;
use std::sync::Arc;

use arc_swap::ArcSwapOption;

/// A value that every process makes for itself at first use.
///
/// Reaching it takes no lock, so a child that was forked while another thread was busy here
/// cannot hang. An inherited value is leaked, never dropped and never looked into: its
/// `Drop` might close what is still the parent's, or wait for a lock whose holder does not
/// exist in the child.
///
/// A process is told by its id. A descendant that gets the id of a dead ancestor back from
/// the kernel, through intermediate processes that never used the value, is not told apart.
///
/// ```
/// use bayar::process::PerProcess;
///
/// static CELL: PerProcess<u32> = PerProcess::new();
/// assert_eq!(*CELL.get(std::process::id), std::process::id());
/// ```
#[derive(Debug)]
pub struct PerProcess<T> {
    node: ArcSwapOption<Node<T>>,
}

#[derive(Debug)]
struct Node<T> {
    pid: u32,
    value: Arc<T>,
}

impl<T> PerProcess<T> {
    /// An empty cell; it makes nothing until [`PerProcess::get`].
    pub const fn new() -> Self {
        PerProcess { node: ArcSwapOption::const_empty() }
    }

    /// This process's value, made by `make` if there is none yet.
    ///
    /// Threads that come first at the same time may each call `make`; all of them get the
    /// same value and the others are dropped unused, so `make` should only build, not open.
    pub fn get(&self, make: impl Fn() -> T) -> Arc<T> {
        let pid = process::id();
        loop {
            let found = self.node.load();
            if let Some(node) = found.as_ref().filter(|node| node.pid == pid) {
                return Arc::clone(&node.value);
            }
            let value = Arc::new(make());
            let node = Some(Arc::new(Node { pid, value: Arc::clone(&value) }));
            let previous = self.node.compare_and_swap(&found, node);
            let swapped = previous.as_ref().map(Arc::as_ptr) == found.as_ref().map(Arc::as_ptr);
            drop(found);
            if swapped {
                leak_if_foreign(arc_swap::Guard::into_inner(previous), pid);
                return value;
            }
        }
    }

    /// This process's value if it has been made already.
    pub fn peek(&self) -> Option<Arc<T>> {
        let found = self.node.load();
        let own = found.as_ref().filter(|node| node.pid == process::id());
        own.map(|node| Arc::clone(&node.value))
    }
}

impl<T> Default for PerProcess<T> {
    fn default() -> Self {
        PerProcess::new()
    }
}

impl<T> Drop for PerProcess<T> {
    fn drop(&mut self) {
        leak_if_foreign(self.node.swap(None), process::id());
    }
}

/// One forgotten count is enough: it never reaches zero, so the value is never dropped here.
fn leak_if_foreign<T>(node: Option<Arc<Node<T>>>, pid: u32) {
    if let Some(node) = node
        && node.pid != pid
    {
        mem::forget(node);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::thread;

    use super::*;

    #[test]
    fn one_value_for_all_threads() {
        let cell = PerProcess::new();
        let made = AtomicU32::new(0);
        let make = || made.fetch_add(1, Ordering::SeqCst);
        let values: Vec<u32> = thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| *cell.get(make))).collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic in the thread")).collect()
        });
        assert!(values.iter().all(|value| *value == values[0]), "{values:?}");
        assert_eq!(*cell.get(make), values[0]);
    }

    #[test]
    fn the_value_is_dropped_with_its_cell_in_its_own_process() {
        let witness = Arc::new(());
        let cell = PerProcess::new();
        assert!(cell.peek().is_none());
        cell.get(|| Arc::clone(&witness));
        assert!(cell.peek().is_some());
        assert_eq!(Arc::strong_count(&witness), 2);
        drop(cell);
        assert_eq!(Arc::strong_count(&witness), 1);
    }

    /// What a child finds: a node that another process made.
    #[test]
    fn a_foreign_value_is_replaced_and_never_dropped() {
        let witness = Arc::new(0);
        let foreign = |value| Some(Arc::new(Node { pid: process::id() ^ 1, value: Arc::new(value) }));
        let cell = PerProcess { node: ArcSwapOption::new(foreign(Arc::clone(&witness))) };
        assert!(cell.peek().is_none());
        assert_eq!(**cell.get(|| Arc::new(7)), 7);
        assert_eq!(Arc::strong_count(&witness), 2, "leaked, not dropped");

        let unused = PerProcess { node: ArcSwapOption::new(foreign(Arc::clone(&witness))) };
        drop(unused);
        assert_eq!(Arc::strong_count(&witness), 3, "leaked with its cell");
    }
}
