//! What a call costs without the network: `cargo bench -p bayar`.
//!
//! libbayar and the plugins are built first (profile `fast`: release without the long link) and
//! loaded as a host loads them. Goals, to be read beside the figures and never gated:
//! a charge built and read through the C ABI ≤ 50 µs, a callback verified ≤ 10 µs, an engine
//! opened with its plugins ≤ 5 ms.

#![allow(unsafe_code, reason = "calls libbayar as a C host does; the types are those of include/bayar.h")]

use std::ffi::{CStr, c_char, c_void};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::ptr::{null, null_mut};
use std::sync::{Arc, LazyLock};
use std::time::Instant;

use bayar::plugins::{Instance, Plugin};
use bayar::{Callback, Engine};
use divan::{Bencher, black_box};
use libloading::os::unix::Library;
use serde_json::json;

const CHARGE: &[u8] = br#"{"order_id":"INV-17","amount":150000,"key":"invoice-17-attempt-1","customer":{"name":"Budi Santoso","email":"budi@example.com","phone":"08123456789"},"items":[{"id":"VPS-01","name":"Cloud VPS Basic","price":150000,"quantity":1}]}"#;
const ANSWER: &[u8] = br#"{"token":"0f8736b5-2f1f-40bd-b3ad-0ef0a06d3443","redirect_url":"https://app.sandbox.midtrans.com/snap/v4/redirection/0f8736b5-2f1f-40bd-b3ad-0ef0a06d3443"}"#;
/// The signature is SHA-512 of `INV-1001` `200` `150000.00` and the key, made with sha512sum.
const CALLBACK: &str = r#"{"transaction_time":"2026-02-03 15:10:18","transaction_status":"settlement","transaction_id":"1eae238a-cb9e-4f92-b284-aac8b39e4eab","status_message":"midtrans payment notification","status_code":"200","signature_key":"49b259843a6b8e0bc4fe3dbcfa66706da479f68ba1b2ac38c6edc8be2a8f4e056f9a85b7bcfaeb45d04ecc8efbb306f3128c09a807423695617d7d395be5c838","settlement_time":"2026-02-03 15:12:00","payment_type":"bank_transfer","order_id":"INV-1001","merchant_id":"G000000001","gross_amount":"150000.00","fraud_status":"accept","currency":"IDR"}"#;

fn main() {
    LazyLock::force(&BUILT);
    if std::env::var_os("BAYAR_BENCH_FIRST_OPEN").is_some() {
        return print_first_open();
    }
    first_open_in_new_processes();
    divan::main();
}

/// The directory of libbayar.so and the plugins, built if need be.
static BUILT: LazyLock<PathBuf> = LazyLock::new(|| {
    let bench = std::env::current_exe().expect("a bench has a file");
    let target = bench.ancestors().nth(3).expect("target/release/deps/bench");
    let plugins = plugin_crates();
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .args(["build", "--quiet", "--profile", "fast", "--package", "bayar-ffi", "--target-dir"])
        .arg(target);
    cargo.args(plugins.iter().flat_map(|name| ["--package".to_owned(), format!("bayar-{name}-plugin")]));
    assert!(cargo.status().is_ok_and(|status| status.success()), "libbayar and the plugins are built");
    target.join("fast")
});

/// The providers: every directory of `plugins/` but the one that is there to be copied.
fn plugin_crates() -> Vec<String> {
    let plugins = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins");
    let entries = std::fs::read_dir(plugins).expect("the repository").flatten();
    let names = entries.filter(|entry| entry.path().join("plugin").is_dir());
    names.filter_map(|entry| entry.file_name().into_string().ok()).filter(|name| name != "template").collect()
}

fn config(account: usize) -> String {
    json!({
        "engine": {"journal": "none", "plugins": *BUILT},
        "providers": {"midtrans": {"server_key": format!("SB-Mid-server-EXAMPLE{account:016}"), "client_key": "SB-Mid-client-EXAMPLE00000000"}},
    })
    .to_string()
}

/// The functions of `include/bayar.h` that the bench calls.
struct Abi {
    open: unsafe extern "C" fn(u32, *const c_char, usize, *mut *mut c_void, *mut *mut c_void) -> i32,
    start: unsafe extern "C" fn(
        *mut c_void,
        *const c_char,
        *const c_char,
        *const c_char,
        usize,
        *mut *mut c_void,
        *mut *mut c_void,
    ) -> i32,
    next: unsafe extern "C" fn(*mut c_void, *mut *mut c_void) -> i32,
    response: unsafe extern "C" fn(
        *mut c_void,
        u32,
        i32,
        *const c_char,
        usize,
        *const c_void,
        usize,
        *mut *mut c_void,
    ) -> i32,
    op_free: unsafe extern "C" fn(*mut c_void),
    json: unsafe extern "C" fn(*const c_void) -> *const c_char,
    doc_free: unsafe extern "C" fn(*mut c_void),
}

static ABI: LazyLock<Abi> = LazyLock::new(|| {
    let path = BUILT.join("libbayar.so");
    // SAFETY: libbayar's constructors do nothing, and each symbol has the type that bayar.h gives it.
    unsafe {
        let library = Library::new(path).expect("libbayar loads");
        let abi = Abi {
            open: *library.get(b"bayar_engine_open").expect("exported"),
            start: *library.get(b"bayar_op_start").expect("exported"),
            next: *library.get(b"bayar_op_next").expect("exported"),
            response: *library.get(b"bayar_op_response").expect("exported"),
            op_free: *library.get(b"bayar_op_free").expect("exported"),
            json: *library.get(b"bayar_doc_json").expect("exported"),
            doc_free: *library.get(b"bayar_doc_free").expect("exported"),
        };
        std::mem::forget(library);
        abi
    }
});

/// prepare + interpret, with all that a C host pays for: parameters in, request out, response
/// in, outcome out.
#[divan::bench]
fn charge_through_the_c_abi(bencher: Bencher<'_, '_>) {
    let config = config(0);
    let mut engine = null_mut();
    // SAFETY: the arguments are as bayar.h asks.
    let opened = unsafe { (ABI.open)(1, config.as_ptr().cast(), config.len(), &mut engine, null_mut()) };
    assert_eq!(opened, 0, "opens");
    let engine = engine as usize;
    bencher.bench_local(|| {
        // SAFETY: the handle is open; everything given out is freed once.
        unsafe {
            let (mut op, mut request, mut outcome) = (null_mut(), null_mut(), null_mut());
            let (params, len) = (CHARGE.as_ptr().cast(), CHARGE.len());
            let engine = engine as *mut c_void;
            assert_eq!(
                (ABI.start)(
                    engine,
                    c"midtrans".as_ptr(),
                    c"charge".as_ptr(),
                    params,
                    len,
                    &mut op,
                    null_mut()
                ),
                0
            );
            assert_eq!((ABI.next)(op, &mut request), 1);
            black_box(CStr::from_ptr((ABI.json)(request)));
            assert_eq!(
                (ABI.response)(op, 1, 201, null(), 0, ANSWER.as_ptr().cast(), ANSWER.len(), null_mut()),
                0
            );
            assert_eq!((ABI.next)(op, &mut outcome), 0);
            black_box(CStr::from_ptr((ABI.json)(outcome)));
            (ABI.doc_free)(request);
            (ABI.doc_free)(outcome);
            (ABI.op_free)(op);
        }
    });
}

fn instance() -> Instance {
    let plugin = Plugin::load(&BUILT.join("libbayar_midtrans.so"), None).expect("loads");
    plugin
        .configure(&json!({"server_key": "SB-Mid-server-EXAMPLE0000000000000000"}), Arc::default())
        .expect("configures")
}

/// Verifying and reading one callback inside the engine.
#[divan::bench]
fn callback_verified(bencher: Bencher<'_, '_>) {
    let instance = instance();
    let headers =
        [("content-type", "application/json"), ("user-agent", "Veritrans"), ("accept", "application/json")];
    let callback = Callback {
        headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
        body: CALLBACK.as_bytes().to_vec(),
        ..Callback::default()
    };
    instance.verify(&callback).expect("the plugin answers").expect("it is genuine");
    bencher.bench_local(|| instance.verify(black_box(&callback)));
}

/// Opening an engine whose plugins are mapped already, each time with another configuration.
#[divan::bench]
fn open_again(bencher: Bencher<'_, '_>) {
    let mut account = 0;
    bencher
        .with_inputs(|| {
            account += 1;
            config(account)
        })
        .bench_local_values(|config| Engine::open(&config).expect("opens"));
}

/// Every provider's plugin loaded and one account opened, in a process that has just started.
fn first_open_in_new_processes() {
    let bench = std::env::current_exe().expect("a bench has a file");
    let mut times: Vec<f64> = (0..21)
        .map(|_| {
            let output = Command::new(&bench).env("BAYAR_BENCH_FIRST_OPEN", "1").output().expect("runs");
            String::from_utf8_lossy(&output.stdout).trim().parse().expect("a time")
        })
        .collect();
    times.sort_by(f64::total_cmp);
    let count = plugin_crates().len();
    println!(
        "first open in a new process, {count} plugins loaded: median {:.2} ms (of 21; fastest {:.2}, slowest {:.2})",
        times[10], times[0], times[20]
    );
}

fn print_first_open() {
    let start = Instant::now();
    for plugin in plugin_crates() {
        Plugin::load(&BUILT.join(format!("libbayar_{plugin}.so")), None)
            .expect("loads")
            .describe(None)
            .expect("describes");
    }
    drop(Engine::open(&config(0)).expect("opens"));
    println!("{}", start.elapsed().as_secs_f64() * 1e3);
}
