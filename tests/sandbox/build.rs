//! Lists `src/providers/`, so that adding a provider adds only its file.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let folder = root.join("src/providers");
    println!("cargo::rerun-if-changed={}", folder.display());

    let mut modules = String::new();
    let mut entries = String::new();
    for (id, file) in providers(&folder) {
        let doc = format!("The simulator of `{id}`.");
        writeln!(modules, "#[doc = {doc:?}]\n#[path = {file:?}]\nmod {id};").expect("a string takes all");
        writeln!(entries, "    Box::new({id}::Simulator),").expect("a string takes all");
    }
    let text = format!(
        "{modules}\npub(crate) fn all() -> Vec<Box<dyn Provider>> {{\n    vec![\n{entries}    ]\n}}\n"
    );
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    fs::write(out.join("providers.rs"), text).expect("OUT_DIR can be written");
}

/// `<id>.rs`, or `<id>/mod.rs` for a provider that needs more than one file; sorted, so that
/// every machine builds the same table.
fn providers(folder: &Path) -> Vec<(String, PathBuf)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("src/providers exists") {
        let path = entry.expect("src/providers can be listed").path();
        let Some(id) = path.file_stem().and_then(|stem| stem.to_str()) else { continue };
        if path.is_dir() && path.join("mod.rs").is_file() {
            found.push((id.to_owned(), path.join("mod.rs")));
        } else if path.extension().is_some_and(|ext| ext == "rs") {
            found.push((id.to_owned(), path.clone()));
        }
    }
    found.sort();
    found
}
