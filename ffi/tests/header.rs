//! The committed headers are the ones that the code makes, and export exactly what is listed.

use std::fs;
use std::path::PathBuf;

fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// With `BAYAR_BLESS=1` (`make headers`) the committed file is written instead.
fn compare(config: &str, header: &str) {
    let config =
        cbindgen::Config::from_file(root().join("ffi").join(config)).expect("the configuration reads");
    let made = cbindgen::generate_with_config(root().join("ffi"), config).expect("the header is made");
    let mut text = Vec::new();
    made.write(&mut text);
    let path = root().join("include").join(header);
    if std::env::var_os("BAYAR_BLESS").is_some() {
        fs::write(&path, &text).expect("the header is written");
    }
    let committed = fs::read(&path).unwrap_or_default();
    assert!(
        committed == text,
        "include/{header} is not what ffi/src makes: run `make headers` and read the difference"
    );
}

#[test]
fn bayar_h_is_what_the_code_makes() {
    compare("cbindgen.toml", "bayar.h");
}

#[test]
fn bayar_ffi_h_is_what_the_code_makes() {
    compare("cbindgen-ffi.toml", "bayar.ffi.h");
    let twin = fs::read_to_string(root().join("include/bayar.ffi.h")).expect("it is there");
    for forbidden in ["#", "extern \"C\"", "visibility"] {
        assert!(!twin.contains(forbidden), "the twin must hold no {forbidden}: PHP FFI cannot read it");
    }
}
