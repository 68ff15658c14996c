//! Plugins that are wrong, each refused by its own code, and plugins that misbehave, which
//! must never take the host with them.

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use bayar::plugins::Plugin;
use bayar::{Callback, Code, Engine, Error, Stage};
use common::{built, hex_digest};
use serde_json::{Value, json};

/// A copy of a good plugin in a directory of our own, changed by the test.
struct Copy {
    _directory: tempfile::TempDir,
    path: PathBuf,
}

/// The workspace builds `libfixture_*.so`, so that nobody takes them for plugins to install.
fn copy_of(plugin: &str, change: impl FnOnce(&mut Vec<u8>)) -> Copy {
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    let path = directory.path().join(format!("libbayar_{plugin}.so"));
    let mut bytes = fs::read(built(&format!("libfixture_{plugin}.so"))).expect("the plugin was built");
    change(&mut bytes);
    fs::write(&path, bytes).expect("a copy");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("a mode");
    Copy { _directory: directory, path }
}

fn refused(path: &Path, pin: Option<&str>) -> Error {
    let error = Plugin::load(path, pin).err().expect("is refused");
    assert_eq!(error.stage, Stage::NotSent);
    assert!(error.message.contains(&*path.to_string_lossy()), "names the file: {}", error.message);
    error
}

#[test]
fn a_good_one_loads_and_two_plugins_are_two() {
    let unruly = Plugin::load(&built("libfixture_unruly.so"), None).expect("loads");
    let midtrans = Plugin::load(&built("libbayar_midtrans.so"), None).expect("loads");
    assert_eq!(unruly.describe(None).expect("describes").id, "unruly");
    assert_eq!(midtrans.describe(None).expect("describes").id, "midtrans");
}

#[test]
fn what_is_not_there() {
    assert_eq!(refused(Path::new("/nonexistent/libbayar_x.so"), None).code, Code::NotFound);
    assert_eq!(refused(Path::new("libbayar_unruly.so"), None).code, Code::NotFound, "a relative path");
}

#[test]
fn a_truncated_file_never_reaches_dlopen() {
    for keep in [10, 63, 64, 4096, 100_000] {
        let copy = copy_of("unruly", |bytes| bytes.truncate(keep));
        assert_eq!(refused(&copy.path, None).code, Code::Truncated, "cut to {keep} bytes");
    }
    let copy = copy_of("unruly", |bytes| bytes.truncate(bytes.len() - 1));
    assert_eq!(refused(&copy.path, None).code, Code::Truncated, "one byte short");
}

#[test]
fn another_machine() {
    let copy = copy_of("unruly", |bytes| bytes[18] = 0xf3);
    let error = refused(&copy.path, None);
    assert_eq!(error.code, Code::WrongMachine);
    assert!(error.message.contains("machine 243"), "{}", error.message);
    let copy = copy_of("unruly", |bytes| bytes[4] = 1);
    assert_eq!(refused(&copy.path, None).code, Code::WrongMachine, "32 bits");
}

#[test]
fn what_is_no_plugin() {
    let copy = copy_of("unruly", |bytes| *bytes = b"#!/bin/sh\n".to_vec());
    assert_eq!(refused(&copy.path, None).code, Code::NotAProvider, "a text");
    let copy = copy_of("unruly", Vec::clear);
    assert_eq!(refused(&copy.path, None).code, Code::NotAProvider, "an empty file");
    let copy = copy_of("unruly", |bytes| bytes[16] = 1);
    assert_eq!(refused(&copy.path, None).code, Code::NotAProvider, "an object file");
    assert_eq!(refused(&system_library(), None).code, Code::NotAProvider, "a library without our symbol");
}

/// libc is mapped into every process, so its path stands in our own maps.
fn system_library() -> PathBuf {
    let maps = fs::read_to_string("/proc/self/maps").expect("Linux");
    let line = maps.lines().find(|line| line.contains("/libc.so.6")).expect("libc is mapped");
    PathBuf::from(line.split_whitespace().last().expect("a path"))
}

#[test]
fn dlopen_itself_refuses() {
    // A needed library that does not exist is found by the dynamic linker only.
    let copy = copy_of("unruly", |bytes| {
        let name = b"libc.so.6\0";
        let at = bytes.windows(name.len()).position(|window| window == name).expect("needs libc");
        bytes[at + 3] = b'X';
    });
    let error = refused(&copy.path, None);
    assert_eq!(error.code, Code::Dlopen);
    assert!(error.message.contains("libX.so.6"), "says what the linker said: {}", error.message);
}

#[test]
fn another_major_version() {
    let error = refused(&built("libfixture_major.so"), None);
    assert_eq!(error.code, Code::Incompatible);
    assert!(error.message.contains("version 2.0 of the contract, this engine 1."), "{}", error.message);
}

#[test]
fn a_digest_that_differs_from_its_pin() {
    let copy = copy_of("unruly", |_| ());
    let digest = hex_digest(&fs::read(&copy.path).expect("reads"));
    Plugin::load(&copy.path, Some(&digest.to_uppercase())).expect("the pinned one loads");
    let error = refused(&copy.path, Some(&"0".repeat(64)));
    assert_eq!(error.code, Code::Hash);
    assert!(error.message.contains(&digest), "says what was found: {}", error.message);
    // And through the configuration.
    let config = json!({
        "engine": {"journal": "none", "plugins": copy.path.parent()},
        "providers": {"unruly": {"plugin_sha256": "0".repeat(64)}},
    });
    assert_eq!(Engine::open(&config.to_string()).expect_err("is refused").code, Code::Hash);
}

#[test]
fn what_others_may_write() {
    let copy = copy_of("unruly", |_| ());
    fs::set_permissions(&copy.path, fs::Permissions::from_mode(0o666)).expect("a mode");
    let error = refused(&copy.path, None);
    assert_eq!(error.code, Code::Untrusted);
    assert!(error.message.contains("others may write to it (mode 666)"), "{}", error.message);

    fs::set_permissions(&copy.path, fs::Permissions::from_mode(0o644)).expect("a mode");
    let directory = copy.path.parent().expect("a directory");
    fs::set_permissions(directory, fs::Permissions::from_mode(0o777)).expect("a mode");
    let error = Plugin::load(&copy.path, None).err().expect("is refused");
    assert_eq!(error.code, Code::Untrusted);
    assert!(
        error.message.starts_with(&*directory.to_string_lossy()),
        "names the directory: {}",
        error.message
    );

    fs::set_permissions(directory, fs::Permissions::from_mode(0o755)).expect("a mode");
    Plugin::load(&copy.path, None).expect("loads once that is mended");
}

#[test]
fn a_symbolic_link_is_judged_by_what_it_leads_to() {
    let good = copy_of("unruly", |_| ());
    let elsewhere = tempfile::tempdir().expect("a directory");
    let link = elsewhere.path().join("libbayar_unruly.so");
    std::os::unix::fs::symlink(&good.path, &link).expect("a link");
    Plugin::load(&link, None).expect("a link to a good one loads");
    fs::set_permissions(&good.path, fs::Permissions::from_mode(0o666)).expect("a mode");
    assert_eq!(Plugin::load(&link, None).err().expect("is refused").code, Code::Untrusted);
    let folder = tempfile::tempdir().expect("a directory");
    assert_eq!(
        Plugin::load(folder.path(), None).err().expect("is refused").code,
        Code::Untrusted,
        "a directory"
    );
}

#[test]
fn a_foreign_owner() {
    // Only root can give files away; elsewhere there is nothing to test with.
    let copy = copy_of("unruly", |_| ());
    if std::os::unix::fs::chown(&copy.path, Some(12345), None).is_ok() {
        let error = refused(&copy.path, None);
        assert_eq!(error.code, Code::Untrusted);
        assert!(error.message.contains("uid 12345"), "{}", error.message);
    }
}

fn unruly(settings: Value) -> Result<Engine, Error> {
    static PLUGINS: LazyLock<Copy> = LazyLock::new(|| copy_of("unruly", |_| ()));
    let config = json!({
        "engine": {"journal": "none", "plugins": PLUGINS.path.parent()},
        "providers": {"unruly": settings},
    });
    Engine::open(&config.to_string())
}

fn assert_panicked(error: &Error, function: &str) {
    assert_eq!(error.code, Code::PluginFailed);
    assert!(error.message.contains(&format!("unruly in {function}")), "{}", error.message);
    assert!(error.message.contains("tests/plugins/unruly/src/lib.rs:"), "says where: {}", error.message);
}

#[test]
fn a_panic_in_any_function_is_an_error_with_file_and_line() {
    for function in ["describe", "configure"] {
        assert_panicked(&unruly(json!({"panic_in": function})).expect_err("does not open"), function);
    }
    let engine = unruly(json!({"panic_in": "prepare"})).expect("opens");
    let error = engine.call("unruly", "echo", json!({})).expect_err("panics");
    assert_panicked(&error, "prepare");
    assert_eq!(error.stage, Stage::NotSent);

    let server = common::Server::answering(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    let engine = unruly(json!({"panic_in": "interpret", "base_url": server.url()})).expect("opens");
    let error = engine.call("unruly", "echo", json!({})).expect_err("panics");
    assert_panicked(&error, "interpret");
    assert_eq!(error.stage, Stage::Answered, "a read was answered and moved nothing");

    let engine = unruly(json!({"panic_in": "verify"})).expect("opens");
    let error = engine.callback("unruly", Callback::default()).expect_err("panics");
    assert_panicked(&error, "verify");
    assert_eq!(
        error.acknowledgement.expect("says what to answer").status,
        503,
        "a defect may pass: to be sent again"
    );

    let records = common::records();
    drop(unruly(json!({"panic_in": "release"})).expect("opens"));
    let said = |part: &str| {
        records.lock().expect("no panic in the logger").iter().any(|record| record.contains(part))
    };
    assert!(said("while an account was closed: unruly in release"));
    let engine = unruly(json!({})).expect("the host lives");
    assert!(engine.call("unruly", "echo", json!({})).is_ok());
}

#[test]
fn log_records_of_plugins_arrive_without_secrets() {
    let records = common::records();
    let engine = unruly(json!({"secret": "CANARY-SECRET"})).expect("opens");
    engine.call("unruly", "echo", json!({})).expect("works");
    let records = records.lock().expect("no panic in the logger");
    let record = records.iter().find(|record| record.contains("preparing echo with *"));
    assert_eq!(record.map(String::as_str), Some("INFO bayar_fixture_unruly: preparing echo with ***"));
    assert!(!records.iter().any(|record| record.contains("CANARY")));
}
