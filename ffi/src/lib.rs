//! libbayar: Bayar's C ABI. `include/bayar.h` is made of this file and is its specification.

#![allow(unsafe_code, reason = "the border to C; each function states what it asks of its caller")]
#![allow(
    clippy::missing_safety_doc,
    reason = "what each function asks of its caller stands in its text, which becomes the header"
)]

mod doc;
mod guard;
mod logs;
mod op;
mod status;

use std::ffi::{c_char, c_void};
use std::sync::Arc;

use engine::{Callback, Code, Engine, Error, Outcome, Task};
use serde_json::Value;

pub use doc::bayar_doc;
use guard::{bytes, guard, set, text};
pub use logs::bayar_log_fn;
use logs::{HandleLog, Listening};
pub use op::bayar_op;
pub use status::{bayar_code, bayar_failure};

/// A status: 0 success, above 0 progress, below 0 an error. See `bayar_code`.
#[allow(non_camel_case_types, reason = "C's name")]
pub type bayar_status = i32;

/// The version of this ABI. Within one SONAME functions are only added, so it does not change.
const ABI_VERSION: u32 = 1;

/// A handle to an engine. Handles with the same resolved configuration share one engine.
///
/// May be used from many threads. To be freed with `bayar_engine_free`.
#[allow(non_camel_case_types, reason = "C's name")]
pub struct bayar_engine {
    engine: Engine,
    log: Arc<HandleLog>,
}

/// The version of this ABI, for `bayar_engine_open`: 1.
#[unsafe(no_mangle)]
pub extern "C" fn bayar_abi_version() -> u32 {
    ABI_VERSION
}

/// The version of the engine, such as `0.1.0`; never to be freed.
#[unsafe(no_mangle)]
pub extern "C" fn bayar_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

/// The name of a status as documents give it, such as `invalid_params`; never to be freed.
#[unsafe(no_mangle)]
pub extern "C" fn bayar_status_name(status: bayar_status) -> *const c_char {
    status::name(status).as_ptr()
}

/// Opens an engine.
///
/// `abi` is the version that the host was built for (1). `config` is TOML, JSON, or JSON of
/// the form `{"file": "/etc/bayar/bayar.toml"}`, `len` bytes of UTF-8. Loads plugins; opens no
/// socket and no database, and starts no thread. On success `*out` is a handle and `*err`
/// NULL; otherwise `*out` is NULL and `*err`, if `err` is not NULL, an error document.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bayar_engine_open(
    abi: u32,
    config: *const c_char,
    len: usize,
    out: *mut *mut bayar_engine,
    err: *mut *mut bayar_doc,
) -> bayar_status {
    // SAFETY: the caller gives valid pointers or NULL, as said above.
    unsafe {
        guard(err, None, || {
            let out = set(out, "out")?;
            if abi != ABI_VERSION {
                return Err(Error::not_sent(
                    Code::AbiMismatch,
                    format!("the host was built for ABI {abi}, this library speaks {ABI_VERSION}"),
                ));
            }
            let log = HandleLog::new();
            // What opening has to say is kept for the new handle.
            let listening = Listening::to(Some(Arc::clone(&log)));
            let engine = engine::open_shared(text(config.cast(), len, "config")?)?;
            drop(listening);
            log.belongs_to(&engine);
            *out = Box::into_raw(Box::new(bayar_engine { engine, log }));
            Ok(())
        })
    }
}

/// Frees a handle; NULL is nothing. The engine behind it stays ready for the next open of the
/// same configuration. Operations that were started go on; its log callback is not called any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bayar_engine_free(engine: *mut bayar_engine) {
    if !engine.is_null() {
        // SAFETY: a handle that bayar_engine_open gave, freed once.
        let engine = unsafe { Box::from_raw(engine) };
        guard::quietly(|| drop(engine));
    }
}

/// What an account is and can do; `account` NULL: the engine, every account and every plugin.
/// `*out` is the description, or an error document.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bayar_describe(
    engine: *const bayar_engine,
    account: *const c_char,
    out: *mut *mut bayar_doc,
) -> bayar_status {
    // SAFETY: a live handle or NULL, a string that ends in NUL or NULL, a valid out pointer or NULL.
    unsafe {
        let handle = engine.as_ref();
        guard(out, handle.map(|handle| Arc::clone(&handle.log)), || {
            let out = set(out, "out")?;
            let account = if account.is_null() { None } else { Some(guard::name(account, "account")?) };
            let description = living(handle)?.engine.describe(account)?;
            *out = Box::into_raw(bayar_doc::new(&description));
            Ok(())
        })
    }
}

/// Calls an operation and waits for its end.
///
/// `params` is a JSON object of `len` bytes (NULL with 0: none). Status 0 exactly when `*out`
/// is an outcome; otherwise `*out` is an error document, whose `stage` says whether the
/// request may have reached the provider.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bayar_call(
    engine: *mut bayar_engine,
    account: *const c_char,
    operation: *const c_char,
    params: *const c_char,
    len: usize,
    out: *mut *mut bayar_doc,
) -> bayar_status {
    // SAFETY: as for bayar_describe; `params` has `len` bytes.
    unsafe {
        let handle = engine.as_ref();
        guard(out, handle.map(|handle| Arc::clone(&handle.log)), || {
            let out = set(out, "out")?;
            let (account, operation) =
                (guard::name(account, "account")?, guard::name(operation, "operation")?);
            let params = read_params(params, len)?;
            let outcome = living(handle)?.engine.call(account, operation, params)?;
            *out = Box::into_raw(bayar_doc::new(&outcome));
            Ok(())
        })
    }
}

/// Receives a callback and waits for its end.
///
/// `envelope` is JSON `{method, path, query, headers: [[name, value], …], remote_addr}`, with
/// the query raw; `body` the body byte for byte. Status 0 exactly when the callback is proven
/// genuine and `*out` is an outcome. Both outcome and error carry the `acknowledgement`
/// {status, body, content_type} to answer the provider.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bayar_callback(
    engine: *mut bayar_engine,
    account: *const c_char,
    envelope: *const c_char,
    elen: usize,
    body: *const c_void,
    blen: usize,
    out: *mut *mut bayar_doc,
) -> bayar_status {
    // SAFETY: as for bayar_call; `envelope` has `elen` bytes, `body` has `blen`.
    unsafe {
        let handle = engine.as_ref();
        guard(out, handle.map(|handle| Arc::clone(&handle.log)), || {
            let out = set(out, "out")?;
            let account = guard::name(account, "account")?;
            let callback = read_callback(envelope, elen, body, blen)?;
            let outcome = living(handle)?.engine.callback(account, callback)?;
            *out = Box::into_raw(bayar_doc::new(&outcome));
            Ok(())
        })
    }
}

/// Has log records of calls through this handle handed to `function`, up to `max_level`
/// (1 error … 5 trace). NULL or level 0 ends it. A forked child inherits it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bayar_set_log(
    engine: *mut bayar_engine,
    max_level: i32,
    function: bayar_log_fn,
    user: *mut c_void,
) -> bayar_status {
    // SAFETY: a live handle or NULL; function and user as bayar_log_fn says.
    unsafe {
        let handle = engine.as_ref();
        guard(std::ptr::null_mut(), None, || {
            living(handle)?.log.set(max_level, function, user);
            Ok(())
        })
    }
}

/// Takes the records of this handle's calls that were kept since the last time, at most 1024
/// of level info and above: `{records: [{level, target, message}], dropped}`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bayar_drain_log(
    engine: *mut bayar_engine,
    out: *mut *mut bayar_doc,
) -> bayar_status {
    // SAFETY: a live handle or NULL, a valid out pointer or NULL.
    unsafe {
        let handle = engine.as_ref();
        guard(out, None, || {
            let out = set(out, "out")?;
            *out = Box::into_raw(bayar_doc::new(&living(handle)?.log.drain()));
            Ok(())
        })
    }
}

/// Starts a call whose HTTP the host sends itself. Bad input is refused here. On success
/// `*out` is an operation and `*err` NULL, otherwise the other way round.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bayar_op_start(
    engine: *mut bayar_engine,
    account: *const c_char,
    operation: *const c_char,
    params: *const c_char,
    len: usize,
    out: *mut *mut bayar_op,
    err: *mut *mut bayar_doc,
) -> bayar_status {
    // SAFETY: as for bayar_call.
    unsafe {
        let handle = engine.as_ref();
        guard(err, handle.map(|handle| Arc::clone(&handle.log)), || {
            let out = set(out, "out")?;
            let (account, operation) =
                (guard::name(account, "account")?, guard::name(operation, "operation")?);
            let params = read_params(params, len)?;
            let handle = living(handle)?;
            start(handle, handle.engine.start(account, operation, params)?, out);
            Ok(())
        })
    }
}

/// Starts receiving a callback whose confirming query, if one is needed, the host sends itself.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bayar_op_callback(
    engine: *mut bayar_engine,
    account: *const c_char,
    envelope: *const c_char,
    elen: usize,
    body: *const c_void,
    blen: usize,
    out: *mut *mut bayar_op,
    err: *mut *mut bayar_doc,
) -> bayar_status {
    // SAFETY: as for bayar_callback.
    unsafe {
        let handle = engine.as_ref();
        guard(err, handle.map(|handle| Arc::clone(&handle.log)), || {
            let out = set(out, "out")?;
            let account = guard::name(account, "account")?;
            let callback = read_callback(envelope, elen, body, blen)?;
            let handle = living(handle)?;
            start(handle, handle.engine.start_callback(account, callback)?, out);
            Ok(())
        })
    }
}

/// What to do next.
///
/// - `BAYAR_NEED_HTTP`: send `{seq, method, url, headers: [[name, value], …], moves, fresh,
///   timeout_ms, body_cap}` with the document's body, without following redirects and without
///   repeating it, and come back with `bayar_op_response` or `bayar_op_failure`. `fresh`: not on
///   a kept connection that may be half closed.
/// - `BAYAR_WAIT`: call again after `after_ms` milliseconds.
/// - 0: `*out` is the outcome; below 0: an error document. Asked again, the same again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bayar_op_next(op: *mut bayar_op, out: *mut *mut bayar_doc) -> bayar_status {
    // SAFETY: a live operation or NULL, used by no other thread now; a valid out pointer or NULL.
    unsafe {
        let op = op.as_mut();
        let mut progress = status::OK;
        let ended = guard(out, op.as_ref().and_then(|op| op.log()), || {
            let out = set(out, "out")?;
            let (status, document) = op.ok_or_else(|| invalid("op", "found NULL"))?.step();
            progress = status;
            *out = Box::into_raw(document);
            Ok(())
        });
        if ended == status::OK { progress } else { ended }
    }
}

/// The whole response to request `seq`: `headers` JSON `[[name, value], …]` of `hlen` bytes
/// (NULL with 0: none), the body after content decoding. A response that was cut short is a
/// `bayar_op_failure`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bayar_op_response(
    op: *mut bayar_op,
    seq: u32,
    http_status: i32,
    headers: *const c_char,
    hlen: usize,
    body: *const c_void,
    blen: usize,
    err: *mut *mut bayar_doc,
) -> bayar_status {
    // SAFETY: as for bayar_op_next; `headers` has `hlen` bytes, `body` has `blen`.
    unsafe {
        let op = op.as_mut();
        guard(err, op.as_ref().and_then(|op| op.log()), || {
            let (headers, body) =
                (bytes(headers.cast(), hlen, "headers")?, bytes(body.cast(), blen, "body")?);
            op.ok_or_else(|| invalid("op", "found NULL"))?.response(seq, http_status, headers, body)
        })
    }
}

/// There is no whole response to request `seq`. `kind` says how far it got (`bayar_failure`);
/// in doubt `BAYAR_MAYBE_SENT`. `message` ends in NUL, or is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bayar_op_failure(
    op: *mut bayar_op,
    seq: u32,
    kind: i32,
    message: *const c_char,
    err: *mut *mut bayar_doc,
) -> bayar_status {
    // SAFETY: as for bayar_op_next; a string that ends in NUL, or NULL.
    unsafe {
        let op = op.as_mut();
        guard(err, op.as_ref().and_then(|op| op.log()), || {
            let message =
                if message.is_null() { "no reason given" } else { guard::name(message, "message")? };
            op.ok_or_else(|| invalid("op", "found NULL"))?.failure(seq, kind, message)
        })
    }
}

/// Frees an operation; NULL is nothing. If a request was handed out and not answered, it is
/// recorded that it may have been sent.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bayar_op_free(op: *mut bayar_op) {
    if !op.is_null() {
        // SAFETY: an operation that bayar_op_start or bayar_op_callback gave, freed once.
        let op = unsafe { Box::from_raw(op) };
        let _listening = Listening::to(op.log());
        guard::quietly(|| drop(op));
    }
}

/// The JSON of a document, UTF-8 and ending in NUL; lives as long as the document. NULL gives NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bayar_doc_json(doc: *const bayar_doc) -> *const c_char {
    // SAFETY: a live document or NULL.
    unsafe { doc.as_ref() }.map_or(std::ptr::null(), |doc| doc.json().as_ptr().cast())
}

/// The length of a document's JSON in bytes, without its NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bayar_doc_json_len(doc: *const bayar_doc) -> usize {
    // SAFETY: a live document or NULL.
    unsafe { doc.as_ref() }.map_or(0, |doc| doc.json().len() - 1)
}

/// The bytes beside a document (the body of a request to send), `*len` of them; lives as long
/// as the document. NULL where there are none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bayar_doc_body(doc: *const bayar_doc, len: *mut usize) -> *const c_void {
    // SAFETY: a live document or NULL; a valid pointer or NULL.
    let (body, len) = unsafe { (doc.as_ref().map_or(&[][..], |doc| doc.body()), len.as_mut()) };
    if let Some(len) = len {
        *len = body.len();
    }
    if body.is_empty() { std::ptr::null() } else { body.as_ptr().cast() }
}

/// Frees a document; NULL is nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bayar_doc_free(doc: *mut bayar_doc) {
    if !doc.is_null() {
        // SAFETY: a document that an out pointer gave, freed once.
        drop(unsafe { Box::from_raw(doc) });
    }
}

fn living(handle: Option<&bayar_engine>) -> Result<&bayar_engine, Error> {
    handle.ok_or_else(|| invalid("engine", "found NULL"))
}

fn start(handle: &bayar_engine, task: Task<Result<Outcome, Error>>, out: &mut *mut bayar_op) {
    *out = Box::into_raw(bayar_op::new(task, &handle.log));
}

/// # Safety
/// `params` has `len` bytes, or is NULL.
unsafe fn read_params(params: *const c_char, len: usize) -> Result<Value, Error> {
    // SAFETY: as above.
    let params = unsafe { text(params.cast(), len, "params")? };
    if params.is_empty() {
        return Ok(Value::Object(serde_json::Map::new()));
    }
    engine::strict_json(params.as_bytes()).map_err(|e| {
        Error::not_sent(Code::InvalidParams, format!("the parameters are not JSON: {e}")).field("params")
    })
}

/// # Safety
/// `envelope` has `elen` bytes, `body` has `blen`, or they are NULL.
unsafe fn read_callback(
    envelope: *const c_char,
    elen: usize,
    body: *const c_void,
    blen: usize,
) -> Result<Callback, Error> {
    // SAFETY: as above.
    let (envelope, body) =
        unsafe { (text(envelope.cast(), elen, "envelope")?, bytes(body.cast(), blen, "body")?) };
    let envelope = engine::strict_json(envelope.as_bytes())
        .map_err(|e| invalid("envelope", &format!("it is not JSON: {e}")))?;
    let callback: Callback = engine::read_params(&envelope).map_err(|e| invalid("envelope", &e.message))?;
    Ok(Callback { body: body.to_vec(), ..callback })
}

fn invalid(argument: &str, what: &str) -> Error {
    Error::not_sent(Code::InvalidArgument, format!("{argument}: {what}")).field(argument)
}
