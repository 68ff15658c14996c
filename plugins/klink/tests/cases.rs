//! Every request that is built, every answer and callback that is read, and the promises of all providers.

use bayar_klink::Klink;
use bayar_tests::{cases, promises};

bayar_tests::provider!(Klink);

/// A report without rows is an empty list, which to all other operations is no answer at all: its
/// cases stand apart from those that the promise of hostile answers takes as its material.
#[test]
fn reports_match_their_snapshots() {
    apart(concat!(env!("CARGO_MANIFEST_DIR"), "/report"));
}

/// What nobody signed cannot be refused for a flipped byte: these callbacks stand apart from those
/// that the promise of forgeries takes as its material.
#[test]
fn unsigned_callbacks_match_their_snapshots() {
    apart(concat!(env!("CARGO_MANIFEST_DIR"), "/unsigned"));
}

/// The cases of a directory of their own, and the promises that hold for them too.
fn apart(dir: &str) {
    cases::run::<Klink>(dir);
    promises::determinism::<Klink>(dir);
    promises::canaries::<Klink>(dir);
}
