//! Status codes, as C sees them.

use engine::Code;

use crate::bayar_status;

/// What every function returns: 0 is success, above 0 is progress, below 0 an error whose
/// document says more. `bayar_status_name` gives the name that documents use.
#[allow(non_camel_case_types, clippy::enum_variant_names, reason = "these are C's names")]
#[repr(C)]
pub enum bayar_code {
    /// Success. From a call or callback: the document is an outcome.
    BAYAR_OK = 0,
    /// From `bayar_op_next`: send the request that the document describes.
    BAYAR_NEED_HTTP = 1,
    /// From `bayar_op_next`: call again after `after_ms` milliseconds.
    BAYAR_WAIT = 2,

    /// The C ABI was misused: NULL where a value must be, a wrong length, text that is not UTF-8.
    BAYAR_INVALID_ARGUMENT = -1,
    /// The host was built for another major version of this ABI.
    BAYAR_ABI_MISMATCH = -2,
    /// The configuration cannot be used.
    BAYAR_INVALID_CONFIG = -3,
    /// A file that others can read holds production credentials.
    BAYAR_CONFIG_EXPOSED = -4,
    /// No account of that name is configured.
    BAYAR_UNKNOWN_ACCOUNT = -5,
    /// The account's provider has no such operation.
    BAYAR_UNSUPPORTED = -6,
    /// A parameter is missing, unknown, or not of the allowed form. Nothing was sent.
    BAYAR_INVALID_PARAMS = -7,
    /// The same key was used before with another request. Nothing was sent.
    BAYAR_CONFLICT = -8,
    /// Another caller is executing the intent of this key just now.
    BAYAR_IN_PROGRESS = -9,
    /// Something in the engine itself failed, a panic included.
    BAYAR_INTERNAL = -10,

    /// No plugin file where one was looked for.
    BAYAR_NOT_FOUND = -20,
    /// The plugin's file or a directory above it may be written by others, or is not a regular file.
    BAYAR_UNTRUSTED = -21,
    /// The plugin's SHA-256 differs from the one that the configuration pins.
    BAYAR_HASH = -22,
    /// The plugin's file ends before its own header says.
    BAYAR_TRUNCATED = -23,
    /// The plugin was built for another machine.
    BAYAR_WRONG_MACHINE = -24,
    /// The dynamic linker refused the plugin.
    BAYAR_DLOPEN = -25,
    /// The file is no Bayar plugin.
    BAYAR_NOT_A_PROVIDER = -26,
    /// The plugin speaks another major version of the contract, or its layout differs.
    BAYAR_INCOMPATIBLE = -27,
    /// The plugin broke the contract: it panicked, or answered what the engine cannot read.
    BAYAR_PLUGIN_FAILED = -28,

    /// The provider could not be reached, or the connection broke.
    BAYAR_NETWORK = -40,
    /// TLS failed.
    BAYAR_TLS = -41,
    /// The deadline passed.
    BAYAR_TIMEOUT = -42,
    /// The provider's answer could not be read.
    BAYAR_PROTOCOL = -43,
    /// The plugin wanted to send to an origin that its description does not list.
    BAYAR_FORBIDDEN_ORIGIN = -44,
    /// One call needed more exchanges than are allowed.
    BAYAR_TOO_MANY_EXCHANGES = -45,

    /// The provider refused the request, for a documented reason.
    BAYAR_REJECTED = -60,
    /// The provider refused the credentials; it did not act upon the request.
    BAYAR_UNAUTHORIZED = -61,
    /// The provider knows no such order.
    BAYAR_ORDER_NOT_FOUND = -62,
    /// What was asked cannot be done in the present state of the payment.
    BAYAR_NOT_POSSIBLE = -63,
    /// The request may have reached the provider, and what became of it is not known.
    BAYAR_OUTCOME_UNKNOWN = -64,

    /// The callback is not genuine, or cannot be verified. Credit nothing.
    BAYAR_CALLBACK_REFUSED = -80,
    /// The callback is genuine and concerns no payment: a provider's test button.
    BAYAR_CALLBACK_IGNORED = -81,
    /// The callback looks genuine, and confirming it failed for now. Credit nothing yet.
    BAYAR_CALLBACK_UNCONFIRMED = -82,

    /// The journal could not be written or read.
    BAYAR_JOURNAL_UNAVAILABLE = -100,
    /// The process was forked while the journal was in use.
    BAYAR_JOURNAL_FORKED = -101,
    /// Something other than the engine has the journal's file open in this process.
    BAYAR_JOURNAL_OPEN_ELSEWHERE = -102,
}

/// How far a request got that `bayar_op_failure` reports.
#[allow(non_camel_case_types, reason = "these are C's names")]
#[repr(C)]
pub enum bayar_failure {
    /// Certainly no byte of the request was written: the name did not resolve, the connection or TLS failed.
    BAYAR_NOT_SENT = 1,
    /// Anything else: the provider may have read the request.
    BAYAR_MAYBE_SENT = 2,
}

pub(crate) const OK: bayar_status = bayar_code::BAYAR_OK as bayar_status;
pub(crate) const NEED_HTTP: bayar_status = bayar_code::BAYAR_NEED_HTTP as bayar_status;
pub(crate) const WAIT: bayar_status = bayar_code::BAYAR_WAIT as bayar_status;

/// The name of a status, ending in NUL.
pub fn name(status: bayar_status) -> &'static std::ffi::CStr {
    match status {
        OK => c"ok",
        NEED_HTTP => c"need_http",
        WAIT => c"wait",
        _ => Code::ALL
            .iter()
            .find(|code| **code as bayar_status == status)
            .map_or(c"unknown_status", |code| of_code(*code)),
    }
}

/// [`Code::as_str`] ending in NUL. A test compares the two.
fn of_code(code: Code) -> &'static std::ffi::CStr {
    match code {
        Code::InvalidArgument => c"invalid_argument",
        Code::AbiMismatch => c"abi_mismatch",
        Code::InvalidConfig => c"invalid_config",
        Code::ConfigExposed => c"config_exposed",
        Code::UnknownAccount => c"unknown_account",
        Code::Unsupported => c"unsupported",
        Code::InvalidParams => c"invalid_params",
        Code::Conflict => c"conflict",
        Code::InProgress => c"in_progress",
        Code::Internal => c"internal",
        Code::NotFound => c"not_found",
        Code::Untrusted => c"untrusted",
        Code::Hash => c"hash",
        Code::Truncated => c"truncated",
        Code::WrongMachine => c"wrong_machine",
        Code::Dlopen => c"dlopen",
        Code::NotAProvider => c"not_a_provider",
        Code::Incompatible => c"incompatible",
        Code::PluginFailed => c"plugin_failed",
        Code::Network => c"network",
        Code::Tls => c"tls",
        Code::Timeout => c"timeout",
        Code::Protocol => c"protocol",
        Code::ForbiddenOrigin => c"forbidden_origin",
        Code::TooManyExchanges => c"too_many_exchanges",
        Code::Rejected => c"rejected",
        Code::Unauthorized => c"unauthorized",
        Code::OrderNotFound => c"order_not_found",
        Code::NotPossible => c"not_possible",
        Code::OutcomeUnknown => c"outcome_unknown",
        Code::CallbackRefused => c"callback_refused",
        Code::CallbackIgnored => c"callback_ignored",
        Code::CallbackUnconfirmed => c"callback_unconfirmed",
        Code::JournalUnavailable => c"journal_unavailable",
        Code::JournalForked => c"journal_forked",
        Code::JournalOpenElsewhere => c"journal_open_elsewhere",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_are_the_engines() {
        for code in Code::ALL {
            assert_eq!(name(*code as bayar_status).to_str(), Ok(code.as_str()));
        }
        assert_eq!(name(12345), c"unknown_status");
    }

    /// The enum that C sees must list every code under the same number.
    #[test]
    fn the_enum_for_c_is_complete() {
        let source = include_str!("status.rs");
        for code in Code::ALL {
            let line = format!("BAYAR_{} = {},", code.as_str().to_uppercase(), *code as i32);
            assert!(source.contains(&line), "status.rs lacks {line}");
        }
    }
}
