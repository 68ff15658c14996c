//! How libbayar.so is linked.

fn main() {
    // Within one SONAME symbols are only ever added.
    println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libbayar.so.1");
    // PHP closes a library at the end of each request; the engine must outlive that.
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    println!("cargo:rerun-if-changed=build.rs");
}
