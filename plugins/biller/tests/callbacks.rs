//! Callbacks by GET. Their guards stand in path, query and address, and a GET has no body, so they
//! stand apart from the cases that the promise of forgeries takes as its material (it looks for a
//! signature in header or body), and what it promises is held here.

use bayar_biller::Biller;
use bayar_provider::{Callback, Code};
use bayar_tests::account::Account;
use bayar_tests::{cases, promises};
use serde_json::json;

const DIR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/by_get");

#[test]
fn cases_match_their_snapshots() {
    cases::run::<Biller>(DIR);
}

#[test]
fn the_same_callback_gives_the_same_event_and_no_secret() {
    promises::determinism::<Biller>(DIR);
    promises::canaries::<Biller>(DIR);
}

/// One byte of the token flipped, half of it, none of it, another address, another account's
/// token: refused, with 401 for whoever sent it.
#[test]
fn forged_callbacks_are_refused() {
    let mut forged = 0;
    for case in cases::load(DIR) {
        let token = case.settings["callback_token"].as_str().expect("it has a token").to_owned();
        let account = Account::open::<Biller>(&case.settings).expect("its settings are accepted");
        let callback = case.callback.as_ref().expect("it is about a callback").callback();
        account.verify(&callback).unwrap_or_else(|e| panic!("{}: genuine, and refused: {e}", case.name));
        let mut other = case.settings.clone();
        other["callback_token"] = json!("ANOTHER-SECRET-0000000000000000");
        let other = Account::open::<Biller>(&other).expect("any other token will do");
        refused(&other, &callback, &case.name);
        for forgery in forgeries(&callback, &token) {
            refused(&account, &forgery, &case.name);
            forged += 1;
        }
    }
    assert!(forged > 300, "only {forged} forgeries were tried");
}

fn refused(account: &Account, callback: &Callback, name: &str) {
    let error = account.verify(callback).expect_err(name);
    assert_eq!(error.code, Code::CallbackRefused, "{name}: {error}");
    assert_eq!(error.acknowledgement.map(|answer| answer.status), Some(401), "{name}");
}

fn forgeries(callback: &Callback, token: &str) -> Vec<Callback> {
    let flipped = (0..token.len()).map(|at| {
        let mut bytes = token.as_bytes().to_vec();
        bytes[at] ^= 1;
        String::from_utf8(bytes).expect("a flipped bit of ASCII is ASCII")
    });
    let half = token[..token.len() / 2].to_owned();
    let tokens = flipped.chain([half, String::new(), format!("{token}0"), token.to_uppercase()]);
    let mut forgeries: Vec<Callback> = tokens
        .map(|other| Callback {
            path: callback.path.replace(token, &other),
            query: callback.query.replace(token, &other),
            ..callback.clone()
        })
        .collect();
    for address in [None, Some("203.0.113.8"), Some(""), Some("203.0.113.7:443"), Some("::")] {
        forgeries.push(Callback { remote_addr: address.map(str::to_owned), ..callback.clone() });
    }
    forgeries
}
