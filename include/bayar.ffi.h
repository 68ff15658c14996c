/* Bayar's C ABI without preprocessor, for PHP FFI and others. What it promises stands in bayar.h.
 * Made from ffi/src by `make headers`; a test compares the two. Not to be edited. */

typedef enum {
  BAYAR_OK = 0,
  BAYAR_NEED_HTTP = 1,
  BAYAR_WAIT = 2,
  BAYAR_INVALID_ARGUMENT = -1,
  BAYAR_ABI_MISMATCH = -2,
  BAYAR_INVALID_CONFIG = -3,
  BAYAR_CONFIG_EXPOSED = -4,
  BAYAR_UNKNOWN_ACCOUNT = -5,
  BAYAR_UNSUPPORTED = -6,
  BAYAR_INVALID_PARAMS = -7,
  BAYAR_CONFLICT = -8,
  BAYAR_IN_PROGRESS = -9,
  BAYAR_INTERNAL = -10,
  BAYAR_NOT_FOUND = -20,
  BAYAR_UNTRUSTED = -21,
  BAYAR_HASH = -22,
  BAYAR_TRUNCATED = -23,
  BAYAR_WRONG_MACHINE = -24,
  BAYAR_DLOPEN = -25,
  BAYAR_NOT_A_PROVIDER = -26,
  BAYAR_INCOMPATIBLE = -27,
  BAYAR_PLUGIN_FAILED = -28,
  BAYAR_NETWORK = -40,
  BAYAR_TLS = -41,
  BAYAR_TIMEOUT = -42,
  BAYAR_PROTOCOL = -43,
  BAYAR_FORBIDDEN_ORIGIN = -44,
  BAYAR_TOO_MANY_EXCHANGES = -45,
  BAYAR_REJECTED = -60,
  BAYAR_UNAUTHORIZED = -61,
  BAYAR_ORDER_NOT_FOUND = -62,
  BAYAR_NOT_POSSIBLE = -63,
  BAYAR_OUTCOME_UNKNOWN = -64,
  BAYAR_CALLBACK_REFUSED = -80,
  BAYAR_CALLBACK_IGNORED = -81,
  BAYAR_CALLBACK_UNCONFIRMED = -82,
  BAYAR_JOURNAL_UNAVAILABLE = -100,
  BAYAR_JOURNAL_FORKED = -101,
  BAYAR_JOURNAL_OPEN_ELSEWHERE = -102,
} bayar_code;

typedef enum {
  BAYAR_NOT_SENT = 1,
  BAYAR_MAYBE_SENT = 2,
} bayar_failure;

typedef struct bayar_doc bayar_doc;

typedef struct bayar_engine bayar_engine;

typedef struct bayar_op bayar_op;

typedef int32_t bayar_status;

typedef void (*bayar_log_fn)(void *user, int32_t level, const char *target, const char *message);

uint32_t bayar_abi_version(void);

const char *bayar_version(void);

const char *bayar_status_name(bayar_status status);

bayar_status bayar_engine_open(uint32_t abi,
                               const char *config,
                               size_t len,
                               bayar_engine **out,
                               bayar_doc **err);

void bayar_engine_free(bayar_engine *engine);

bayar_status bayar_describe(const bayar_engine *engine, const char *account, bayar_doc **out);

bayar_status bayar_call(bayar_engine *engine,
                        const char *account,
                        const char *operation,
                        const char *params,
                        size_t len,
                        bayar_doc **out);

bayar_status bayar_callback(bayar_engine *engine,
                            const char *account,
                            const char *envelope,
                            size_t elen,
                            const void *body,
                            size_t blen,
                            bayar_doc **out);

bayar_status bayar_set_log(bayar_engine *engine,
                           int32_t max_level,
                           bayar_log_fn function,
                           void *user);

bayar_status bayar_drain_log(bayar_engine *engine, bayar_doc **out);

bayar_status bayar_op_start(bayar_engine *engine,
                            const char *account,
                            const char *operation,
                            const char *params,
                            size_t len,
                            bayar_op **out,
                            bayar_doc **err);

bayar_status bayar_op_callback(bayar_engine *engine,
                               const char *account,
                               const char *envelope,
                               size_t elen,
                               const void *body,
                               size_t blen,
                               bayar_op **out,
                               bayar_doc **err);

bayar_status bayar_op_next(bayar_op *op, bayar_doc **out);

bayar_status bayar_op_response(bayar_op *op,
                               uint32_t seq,
                               int32_t http_status,
                               const char *headers,
                               size_t hlen,
                               const void *body,
                               size_t blen,
                               bayar_doc **err);

bayar_status bayar_op_failure(bayar_op *op,
                              uint32_t seq,
                              int32_t kind,
                              const char *message,
                              bayar_doc **err);

void bayar_op_free(bayar_op *op);

const char *bayar_doc_json(const bayar_doc *doc);

size_t bayar_doc_json_len(const bayar_doc *doc);

const void *bayar_doc_body(const bayar_doc *doc, size_t *len);

void bayar_doc_free(bayar_doc *doc);
