/* Bayar: a payment engine that a billing system embeds.
 *
 * Made from ffi/src by `make headers`; a test compares the two. Not to be edited.
 *
 * Ownership   What an out pointer gives belongs to the caller, who frees it once: a handle with
 *             bayar_engine_free, a document with bayar_doc_free, an operation with bayar_op_free.
 *             Freeing NULL is nothing. What a function returns as const belongs to the library.
 * Arguments   Are borrowed for the call. Names end in NUL; everything else comes with its length.
 *             Text is UTF-8. Out pointers are set to NULL first.
 * Errors      Every function gives a status; below 0 it is an error, and the document says more:
 *             {code, message, stage: not_sent|maybe_sent|answered, retry, advice, field?, intent?,
 *             reference?, acknowledgement?, outcome?, provider?: {code, message, http_status}}.
 *             Status 0 of a call or callback exactly when its document is an outcome.
 * Threads     A handle may be used from many threads, an operation from one at a time.
 * Forks       Allowed at any moment. Calls in flight stay with the parent.
 * Panics      Never cross into the host.
 */

#ifndef BAYAR_H
#define BAYAR_H

#include <stddef.h>
#include <stdint.h>

/* The version of this ABI, for bayar_engine_open. */
#define BAYAR_ABI 1

// What every function returns: 0 is success, above 0 is progress, below 0 an error whose
// document says more. `bayar_status_name` gives the name that documents use.
typedef enum {
  // Success. From a call or callback: the document is an outcome.
  BAYAR_OK = 0,
  // From `bayar_op_next`: send the request that the document describes.
  BAYAR_NEED_HTTP = 1,
  // From `bayar_op_next`: call again after `after_ms` milliseconds.
  BAYAR_WAIT = 2,
  // The C ABI was misused: NULL where a value must be, a wrong length, text that is not UTF-8.
  BAYAR_INVALID_ARGUMENT = -1,
  // The host was built for another major version of this ABI.
  BAYAR_ABI_MISMATCH = -2,
  // The configuration cannot be used.
  BAYAR_INVALID_CONFIG = -3,
  // A file that others can read holds production credentials.
  BAYAR_CONFIG_EXPOSED = -4,
  // No account of that name is configured.
  BAYAR_UNKNOWN_ACCOUNT = -5,
  // The account's provider has no such operation.
  BAYAR_UNSUPPORTED = -6,
  // A parameter is missing, unknown, or not of the allowed form. Nothing was sent.
  BAYAR_INVALID_PARAMS = -7,
  // The same key was used before with another request. Nothing was sent.
  BAYAR_CONFLICT = -8,
  // Another caller is executing the intent of this key just now.
  BAYAR_IN_PROGRESS = -9,
  // Something in the engine itself failed, a panic included.
  BAYAR_INTERNAL = -10,
  // No plugin file where one was looked for.
  BAYAR_NOT_FOUND = -20,
  // The plugin's file or a directory above it may be written by others, or is not a regular file.
  BAYAR_UNTRUSTED = -21,
  // The plugin's SHA-256 differs from the one that the configuration pins.
  BAYAR_HASH = -22,
  // The plugin's file ends before its own header says.
  BAYAR_TRUNCATED = -23,
  // The plugin was built for another machine.
  BAYAR_WRONG_MACHINE = -24,
  // The dynamic linker refused the plugin.
  BAYAR_DLOPEN = -25,
  // The file is no Bayar plugin.
  BAYAR_NOT_A_PROVIDER = -26,
  // The plugin speaks another major version of the contract, or its layout differs.
  BAYAR_INCOMPATIBLE = -27,
  // The plugin broke the contract: it panicked, or answered what the engine cannot read.
  BAYAR_PLUGIN_FAILED = -28,
  // The provider could not be reached, or the connection broke.
  BAYAR_NETWORK = -40,
  // TLS failed.
  BAYAR_TLS = -41,
  // The deadline passed.
  BAYAR_TIMEOUT = -42,
  // The provider's answer could not be read.
  BAYAR_PROTOCOL = -43,
  // The plugin wanted to send to an origin that its description does not list.
  BAYAR_FORBIDDEN_ORIGIN = -44,
  // One call needed more exchanges than are allowed.
  BAYAR_TOO_MANY_EXCHANGES = -45,
  // The provider refused the request, for a documented reason.
  BAYAR_REJECTED = -60,
  // The provider refused the credentials; it did not act upon the request.
  BAYAR_UNAUTHORIZED = -61,
  // The provider knows no such order.
  BAYAR_ORDER_NOT_FOUND = -62,
  // What was asked cannot be done in the present state of the payment.
  BAYAR_NOT_POSSIBLE = -63,
  // The request may have reached the provider, and what became of it is not known.
  BAYAR_OUTCOME_UNKNOWN = -64,
  // The callback is not genuine, or cannot be verified. Credit nothing.
  BAYAR_CALLBACK_REFUSED = -80,
  // The callback is genuine and concerns no payment: a provider's test button.
  BAYAR_CALLBACK_IGNORED = -81,
  // The callback looks genuine, and confirming it failed for now. Credit nothing yet.
  BAYAR_CALLBACK_UNCONFIRMED = -82,
  // The journal could not be written or read.
  BAYAR_JOURNAL_UNAVAILABLE = -100,
  // The process was forked while the journal was in use.
  BAYAR_JOURNAL_FORKED = -101,
  // Something other than the engine has the journal's file open in this process.
  BAYAR_JOURNAL_OPEN_ELSEWHERE = -102,
} bayar_code;

// How far a request got that `bayar_op_failure` reports.
typedef enum {
  // Certainly no byte of the request was written: the name did not resolve, the connection or TLS failed.
  BAYAR_NOT_SENT = 1,
  // Anything else: the provider may have read the request.
  BAYAR_MAYBE_SENT = 2,
} bayar_failure;

// A document: JSON text, and for requests a body of bytes beside it.
//
// Given by an out pointer; to be freed with `bayar_doc_free`. It does not change, and may be
// read from any thread.
typedef struct bayar_doc bayar_doc;

// A handle to an engine. Handles with the same resolved configuration share one engine.
//
// May be used from many threads. To be freed with `bayar_engine_free`.
typedef struct bayar_engine bayar_engine;

// An operation under way, to be driven by `bayar_op_next`. From one thread at a time.
//
// To be freed with `bayar_op_free`, at any point: a request that was handed out by then may
// have been sent, and is recorded so.
typedef struct bayar_op bayar_op;

// A status: 0 success, above 0 progress, below 0 an error. See `bayar_code`.
typedef int32_t bayar_status;

// Takes one log record. `level` is 1 (error), 2 (warning), 3 (info), 4 (debug) or 5 (trace);
// `target` names the part that speaks. Both strings end in NUL and live for the call only.
//
// Called only on the thread that is inside a function of this library, during that call, and
// under no lock. It must not call back into the same operation.
typedef void (*bayar_log_fn)(void *user, int32_t level, const char *target, const char *message);

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// The version of this ABI, for `bayar_engine_open`: 1.
uint32_t bayar_abi_version(void);

// The version of the engine, such as `0.1.0`; never to be freed.
const char *bayar_version(void);

// The name of a status as documents give it, such as `invalid_params`; never to be freed.
const char *bayar_status_name(bayar_status status);

// Opens an engine.
//
// `abi` is the version that the host was built for (1). `config` is TOML, JSON, or JSON of
// the form `{"file": "/etc/bayar/bayar.toml"}`, `len` bytes of UTF-8. Loads plugins; opens no
// socket and no database, and starts no thread. On success `*out` is a handle and `*err`
// NULL; otherwise `*out` is NULL and `*err`, if `err` is not NULL, an error document.
bayar_status bayar_engine_open(uint32_t abi,
                               const char *config,
                               size_t len,
                               bayar_engine **out,
                               bayar_doc **err);

// Frees a handle; NULL is nothing. The engine behind it stays ready for the next open of the
// same configuration. Operations that were started go on; its log callback is not called any more.
void bayar_engine_free(bayar_engine *engine);

// What an account is and can do; `account` NULL: the engine, every account and every plugin.
// `*out` is the description, or an error document.
bayar_status bayar_describe(const bayar_engine *engine, const char *account, bayar_doc **out);

// Calls an operation and waits for its end.
//
// `params` is a JSON object of `len` bytes (NULL with 0: none). Status 0 exactly when `*out`
// is an outcome; otherwise `*out` is an error document, whose `stage` says whether the
// request may have reached the provider.
bayar_status bayar_call(bayar_engine *engine,
                        const char *account,
                        const char *operation,
                        const char *params,
                        size_t len,
                        bayar_doc **out);

// Receives a callback and waits for its end.
//
// `envelope` is JSON `{method, path, query, headers: [[name, value], …], remote_addr}`, with
// the query raw; `body` the body byte for byte. Status 0 exactly when the callback is proven
// genuine and `*out` is an outcome. Both outcome and error carry the `acknowledgement`
// {status, body, content_type} to answer the provider.
bayar_status bayar_callback(bayar_engine *engine,
                            const char *account,
                            const char *envelope,
                            size_t elen,
                            const void *body,
                            size_t blen,
                            bayar_doc **out);

// Has log records of calls through this handle handed to `function`, up to `max_level`
// (1 error … 5 trace). NULL or level 0 ends it. A forked child inherits it.
bayar_status bayar_set_log(bayar_engine *engine,
                           int32_t max_level,
                           bayar_log_fn function,
                           void *user);

// Takes the records of this handle's calls that were kept since the last time, at most 1024
// of level info and above: `{records: [{level, target, message}], dropped}`.
bayar_status bayar_drain_log(bayar_engine *engine, bayar_doc **out);

// Starts a call whose HTTP the host sends itself. Bad input is refused here. On success
// `*out` is an operation and `*err` NULL, otherwise the other way round.
bayar_status bayar_op_start(bayar_engine *engine,
                            const char *account,
                            const char *operation,
                            const char *params,
                            size_t len,
                            bayar_op **out,
                            bayar_doc **err);

// Starts receiving a callback whose confirming query, if one is needed, the host sends itself.
bayar_status bayar_op_callback(bayar_engine *engine,
                               const char *account,
                               const char *envelope,
                               size_t elen,
                               const void *body,
                               size_t blen,
                               bayar_op **out,
                               bayar_doc **err);

// What to do next.
//
// - `BAYAR_NEED_HTTP`: send `{seq, method, url, headers: [[name, value], …], moves, fresh,
//   timeout_ms, body_cap}` with the document's body, without following redirects and without
//   repeating it, and come back with `bayar_op_response` or `bayar_op_failure`. `fresh`: not on
//   a kept connection that may be half closed.
// - `BAYAR_WAIT`: call again after `after_ms` milliseconds.
// - 0: `*out` is the outcome; below 0: an error document. Asked again, the same again.
bayar_status bayar_op_next(bayar_op *op, bayar_doc **out);

// The whole response to request `seq`: `headers` JSON `[[name, value], …]` of `hlen` bytes
// (NULL with 0: none), the body after content decoding. A response that was cut short is a
// `bayar_op_failure`.
bayar_status bayar_op_response(bayar_op *op,
                               uint32_t seq,
                               int32_t http_status,
                               const char *headers,
                               size_t hlen,
                               const void *body,
                               size_t blen,
                               bayar_doc **err);

// There is no whole response to request `seq`. `kind` says how far it got (`bayar_failure`);
// in doubt `BAYAR_MAYBE_SENT`. `message` ends in NUL, or is NULL.
bayar_status bayar_op_failure(bayar_op *op,
                              uint32_t seq,
                              int32_t kind,
                              const char *message,
                              bayar_doc **err);

// Frees an operation; NULL is nothing. If a request was handed out and not answered, it is
// recorded that it may have been sent.
void bayar_op_free(bayar_op *op);

// The JSON of a document, UTF-8 and ending in NUL; lives as long as the document. NULL gives NULL.
const char *bayar_doc_json(const bayar_doc *doc);

// The length of a document's JSON in bytes, without its NUL.
size_t bayar_doc_json_len(const bayar_doc *doc);

// The bytes beside a document (the body of a request to send), `*len` of them; lives as long
// as the document. NULL where there are none.
const void *bayar_doc_body(const bayar_doc *doc, size_t *len);

// Frees a document; NULL is nothing.
void bayar_doc_free(bayar_doc *doc);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* BAYAR_H */
