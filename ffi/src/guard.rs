//! What every exported function passes: out pointers, arguments, panics.

use std::any::Any;
use std::ffi::{CStr, c_char};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use engine::{Code, Error};

use crate::doc::bayar_doc;
use crate::logs::{HandleLog, Listening};
use crate::{bayar_status, invalid, status};

#[cfg(not(panic = "unwind"))]
compile_error!("libbayar turns panics into errors: build with panic = \"unwind\"");

/// Runs the body of an exported function: log records go to its handle, an error becomes a
/// document in `err`, and a panic becomes an error. `err` is NULL or valid.
///
/// # Safety
/// `err` is NULL, or points to a place for a pointer.
pub unsafe fn guard(
    err: *mut *mut bayar_doc,
    log: Option<Arc<HandleLog>>,
    body: impl FnOnce() -> Result<(), Error>,
) -> bayar_status {
    // SAFETY: as the caller promised.
    if let Some(err) = unsafe { err.as_mut() } {
        *err = std::ptr::null_mut();
    }
    let ended = catch_unwind(AssertUnwindSafe(|| {
        let _listening = Listening::to(log);
        body()
    }));
    let error = match ended {
        Ok(Ok(())) => return status::OK,
        Ok(Err(error)) => error,
        // What was under way is not known: a request may be out.
        Err(panic) => Error::not_sent(Code::Internal, message(panic)).at(engine::Stage::MaybeSent, false),
    };
    let code = error.code as bayar_status;
    // SAFETY: as the caller promised.
    if let Some(err) = unsafe { err.as_mut() } {
        *err = Box::into_raw(bayar_doc::new(&error));
    }
    code
}

/// Runs what must not fail.
pub fn quietly(body: impl FnOnce()) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(body)) {
        log::error!(target: "bayar", "{}", message(panic));
    }
}

fn message(panic: Box<dyn Any + Send>) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .map(|s| (*s).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned());
    // Its drop might panic again.
    std::mem::forget(panic);
    format!("the engine panicked: {}", text.unwrap_or_default())
}

/// An out pointer, set to NULL.
///
/// # Safety
/// `out` is NULL, or points to a place for a pointer.
pub unsafe fn set<'a, T>(out: *mut *mut T, what: &str) -> Result<&'a mut *mut T, Error> {
    // SAFETY: as the caller promised.
    let out = unsafe { out.as_mut() }
        .ok_or_else(|| invalid(what, "found NULL, expected a place for the answer"))?;
    *out = std::ptr::null_mut();
    Ok(out)
}

/// A string that ends in NUL.
///
/// # Safety
/// `name` is NULL, or ends in NUL and lives for `'a`.
pub unsafe fn name<'a>(name: *const c_char, what: &str) -> Result<&'a str, Error> {
    if name.is_null() {
        return Err(invalid(what, "found NULL, expected a name"));
    }
    // SAFETY: as the caller promised.
    unsafe { CStr::from_ptr(name) }.to_str().map_err(|_| invalid(what, "it is not UTF-8"))
}

/// Bytes with their length.
///
/// # Safety
/// `start` is NULL, or has `len` bytes that live for `'a`.
pub unsafe fn bytes<'a>(start: *const u8, len: usize, what: &str) -> Result<&'a [u8], Error> {
    match (start.is_null(), len) {
        (_, 0) => Ok(&[]),
        (true, _) => Err(invalid(what, &format!("found NULL with a length of {len}"))),
        (false, len) if len > isize::MAX as usize => {
            Err(invalid(what, &format!("a length of {len} cannot be")))
        }
        // SAFETY: not NULL, of a possible length, and as the caller promised.
        (false, len) => Ok(unsafe { std::slice::from_raw_parts(start, len) }),
    }
}

/// UTF-8 text with its length.
///
/// # Safety
/// As for [`bytes`].
pub unsafe fn text<'a>(start: *const u8, len: usize, what: &str) -> Result<&'a str, Error> {
    // SAFETY: as the caller promised.
    let bytes = unsafe { bytes(start, len, what) }?;
    std::str::from_utf8(bytes)
        .map_err(|e| invalid(what, &format!("it is not UTF-8 after {} bytes", e.valid_up_to())))
}
