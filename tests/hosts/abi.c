/* Misuse of the C ABI, and what it promises where things go wrong: abi CONFIG ORDER_ID ROUNDS
 *
 * Run under valgrind. Ends with a line `N passed, N failed`. */

#include <bayar.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int passed, failed;

#define CHECK(condition) check((condition) != 0, #condition, __LINE__)

static void check(int holds, const char *what, int line) {
    if (holds) {
        passed++;
    } else {
        failed++;
        printf("abi.c:%d: not so: %s\n", line, what);
    }
}

/* Whether a document holds a text; frees it. */
static int says(bayar_doc *doc, const char *part) {
    int found = doc != NULL && strstr(bayar_doc_json(doc), part) != NULL;
    if (!found) {
        printf("found: %s\n", doc != NULL ? bayar_doc_json(doc) : "no document");
    }
    bayar_doc_free(doc);
    return found;
}

static bayar_engine *open_engine(const char *config) {
    bayar_engine *engine = NULL;
    bayar_doc *err = NULL;
    if (bayar_engine_open(BAYAR_ABI, config, strlen(config), &engine, &err) != BAYAR_OK) {
        printf("the engine did not open: %s\n", bayar_doc_json(err));
        exit(EXIT_FAILURE);
    }
    CHECK(err == NULL);
    return engine;
}

/* A pointer that a failing function must overwrite with NULL. */
#define STALE(type) ((type *)&passed)

static void without_an_engine(void) {
    CHECK(bayar_abi_version() == BAYAR_ABI);
    CHECK(bayar_version()[0] != '\0');
    CHECK(strcmp(bayar_status_name(BAYAR_OK), "ok") == 0);
    CHECK(strcmp(bayar_status_name(BAYAR_INVALID_PARAMS), "invalid_params") == 0);
    CHECK(strcmp(bayar_status_name(INT32_MIN), "unknown_status") == 0);

    /* Freeing NULL is nothing, as often as one likes. */
    for (int i = 0; i < 2; i++) {
        bayar_engine_free(NULL);
        bayar_doc_free(NULL);
        bayar_op_free(NULL);
    }
    CHECK(bayar_doc_json(NULL) == NULL);
    CHECK(bayar_doc_json_len(NULL) == 0);
    size_t len = 7;
    CHECK(bayar_doc_body(NULL, &len) == NULL && len == 0);
    CHECK(bayar_doc_body(NULL, NULL) == NULL);

    bayar_doc *doc = STALE(bayar_doc);
    bayar_op *op = STALE(bayar_op);
    CHECK(bayar_describe(NULL, NULL, &doc) == BAYAR_INVALID_ARGUMENT && says(doc, "engine: found NULL"));
    CHECK(bayar_describe(NULL, NULL, NULL) == BAYAR_INVALID_ARGUMENT);
    CHECK(bayar_call(NULL, NULL, NULL, NULL, 0, NULL) == BAYAR_INVALID_ARGUMENT);
    CHECK(bayar_call(NULL, "midtrans", "charge", NULL, 0, &doc) == BAYAR_INVALID_ARGUMENT && says(doc, "engine"));
    CHECK(bayar_callback(NULL, NULL, NULL, 0, NULL, 0, NULL) == BAYAR_INVALID_ARGUMENT);
    CHECK(bayar_set_log(NULL, 5, NULL, NULL) == BAYAR_INVALID_ARGUMENT);
    CHECK(bayar_drain_log(NULL, NULL) == BAYAR_INVALID_ARGUMENT);
    CHECK(bayar_drain_log(NULL, &doc) == BAYAR_INVALID_ARGUMENT && says(doc, "engine"));
    CHECK(bayar_op_start(NULL, NULL, NULL, NULL, 0, NULL, NULL) == BAYAR_INVALID_ARGUMENT);
    CHECK(bayar_op_start(NULL, "midtrans", "charge", NULL, 0, &op, &doc) == BAYAR_INVALID_ARGUMENT && op == NULL
        && says(doc, "engine"));
    CHECK(bayar_op_callback(NULL, NULL, NULL, 0, NULL, 0, NULL, NULL) == BAYAR_INVALID_ARGUMENT);
    CHECK(bayar_op_next(NULL, NULL) == BAYAR_INVALID_ARGUMENT);
    CHECK(bayar_op_next(NULL, &doc) == BAYAR_INVALID_ARGUMENT && says(doc, "op: found NULL"));
    CHECK(bayar_op_response(NULL, 1, 200, NULL, 0, NULL, 0, NULL) == BAYAR_INVALID_ARGUMENT);
    CHECK(bayar_op_failure(NULL, 1, BAYAR_NOT_SENT, NULL, &doc) == BAYAR_INVALID_ARGUMENT && says(doc, "op"));
}

static void opening(const char *config) {
    size_t len = strlen(config);
    bayar_engine *engine = STALE(bayar_engine);
    bayar_doc *err = NULL;
    CHECK(bayar_engine_open(BAYAR_ABI + 1, config, len, &engine, &err) == BAYAR_ABI_MISMATCH && engine == NULL
        && says(err, "built for ABI 2"));
    CHECK(bayar_engine_open(BAYAR_ABI, NULL, 5, &engine, &err) == BAYAR_INVALID_ARGUMENT
        && says(err, "config: found NULL with a length of 5"));
    CHECK(bayar_engine_open(BAYAR_ABI, config, SIZE_MAX, &engine, &err) == BAYAR_INVALID_ARGUMENT
        && says(err, "cannot be"));
    CHECK(bayar_engine_open(BAYAR_ABI, "[\xff]", 3, &engine, &err) == BAYAR_INVALID_ARGUMENT
        && says(err, "not UTF-8 after 1 bytes"));
    CHECK(bayar_engine_open(BAYAR_ABI, config, len, NULL, &err) == BAYAR_INVALID_ARGUMENT && says(err, "out: found NULL"));
    CHECK(bayar_engine_open(BAYAR_ABI, config, len - 1, &engine, NULL) == BAYAR_INVALID_CONFIG && engine == NULL);
    CHECK(bayar_engine_open(BAYAR_ABI, config, len, NULL, NULL) == BAYAR_INVALID_ARGUMENT);
    /* Nothing is a configuration without accounts. */
    CHECK(bayar_engine_open(BAYAR_ABI, NULL, 0, &engine, &err) == BAYAR_OK && err == NULL);
    bayar_engine_free(engine);
}

static void calling(const char *config) {
    bayar_engine *engine = open_engine(config);
    bayar_doc *doc = STALE(bayar_doc);
    CHECK(bayar_describe(engine, NULL, &doc) == BAYAR_OK && says(doc, "\"accounts\""));
    CHECK(bayar_describe(engine, "midtrans", &doc) == BAYAR_OK && says(doc, "\"operations\""));
    CHECK(bayar_describe(engine, "\xff", &doc) == BAYAR_INVALID_ARGUMENT && says(doc, "account: it is not UTF-8"));

    CHECK(bayar_call(engine, NULL, "charge", NULL, 0, &doc) == BAYAR_INVALID_ARGUMENT && says(doc, "account: found NULL"));
    CHECK(bayar_call(engine, "midtrans", NULL, NULL, 0, &doc) == BAYAR_INVALID_ARGUMENT && says(doc, "operation"));
    CHECK(bayar_call(engine, "midtrans", "charge", NULL, 3, &doc) == BAYAR_INVALID_ARGUMENT && says(doc, "params"));
    CHECK(bayar_call(engine, "midtrans", "charge", "{}", SIZE_MAX, &doc) == BAYAR_INVALID_ARGUMENT && says(doc, "params"));
    CHECK(bayar_call(engine, "midtrans", "charge", "{\"\xff\": 1}", 8, &doc) == BAYAR_INVALID_ARGUMENT && says(doc, "UTF-8"));
    CHECK(bayar_call(engine, "midtrans", "charge", "{\"amount\": 1", 12, &doc) == BAYAR_INVALID_PARAMS && says(doc, "not JSON"));
    CHECK(bayar_call(engine, "midtrans", "charge", "[]", 2, &doc) == BAYAR_INVALID_PARAMS && says(doc, "a JSON object"));
    CHECK(bayar_call(engine, "midtrans", "charge", NULL, 0, &doc) == BAYAR_INVALID_PARAMS && says(doc, "key is missing"));
    CHECK(bayar_call(engine, "midtrans", "charge", NULL, 0, NULL) == BAYAR_INVALID_ARGUMENT);

    const char *envelope = "{\"method\": \"POST\", \"headers\": []}";
    size_t elen = strlen(envelope);
    CHECK(bayar_callback(engine, "midtrans", envelope, elen, NULL, 0, &doc) == BAYAR_CALLBACK_REFUSED
        && says(doc, "\"acknowledgement\""));
    CHECK(bayar_callback(engine, "midtrans", envelope, elen, "\0\xff", 2, &doc) == BAYAR_CALLBACK_REFUSED
        && says(doc, "\"status\":401"));
    CHECK(bayar_callback(engine, "midtrans", envelope, elen, NULL, 2, &doc) == BAYAR_INVALID_ARGUMENT && says(doc, "body"));
    CHECK(bayar_callback(engine, "midtrans", envelope, elen, "x", SIZE_MAX, &doc) == BAYAR_INVALID_ARGUMENT && says(doc, "body"));
    CHECK(bayar_callback(engine, "midtrans", NULL, 0, NULL, 0, &doc) == BAYAR_INVALID_ARGUMENT && says(doc, "envelope"));
    CHECK(bayar_callback(engine, "midtrans", "{\"metod\": 1}", 12, NULL, 0, &doc) == BAYAR_INVALID_ARGUMENT
        && says(doc, "did you mean method?"));
    bayar_engine_free(engine);
}

/* One charge over real HTTP, read by its length. */
static void charging(const char *config, const char *order) {
    bayar_engine *engine = open_engine(config);
    char params[256];
    int len = snprintf(params, sizeof params, "{\"key\": \"%s\", \"order_id\": \"%s\", \"amount\": 150000}", order, order);
    bayar_doc *doc = NULL;
    CHECK(bayar_call(engine, "midtrans", "charge", params, (size_t)len, &doc) == BAYAR_OK);
    CHECK(strlen(bayar_doc_json(doc)) == bayar_doc_json_len(doc));
    size_t body = 7;
    CHECK(bayar_doc_body(doc, &body) == NULL && body == 0);
    /* A document does not need its engine. */
    bayar_engine_free(engine);
    CHECK(says(doc, "\"status\":\"pending\""));
}

struct heard {
    int records;
    int malformed;
};

static void hear(void *user, int32_t level, const char *target, const char *message) {
    struct heard *heard = user;
    heard->records++;
    if (level < 1 || level > 5 || strncmp(target, "bayar", 5) != 0 || message[0] == '\0') {
        heard->malformed++;
    }
}

#define STATUS_PARAMS "{\"order_id\": \"ABI-1\"}"

static bayar_op *start(bayar_engine *engine) {
    bayar_op *op = NULL;
    bayar_doc *err = NULL;
    bayar_status status = bayar_op_start(engine, "midtrans", "status", STATUS_PARAMS, strlen(STATUS_PARAMS), &op, &err);
    CHECK(status == BAYAR_OK && op != NULL && err == NULL);
    return op;
}

static bayar_status next(bayar_op *op, const char *part) {
    bayar_doc *doc = NULL;
    bayar_status status = bayar_op_next(op, &doc);
    CHECK(says(doc, part));
    return status;
}

static void logging(const char *config) {
    bayar_engine *engine = open_engine(config);
    struct heard *heard = calloc(1, sizeof *heard);
    if (heard == NULL) {
        exit(EXIT_FAILURE);
    }
    CHECK(bayar_set_log(engine, 5, hear, heard) == BAYAR_OK);
    bayar_op *living = start(engine);
    CHECK(next(living, "\"seq\":1") == BAYAR_NEED_HTTP);
    CHECK(heard->records > 0 && heard->malformed == 0);

    int before = heard->records;
    CHECK(bayar_set_log(engine, 0, hear, heard) == BAYAR_OK);
    bayar_op *quiet = start(engine);
    CHECK(next(quiet, "\"seq\":1") == BAYAR_NEED_HTTP);
    CHECK(heard->records == before);

    /* The host's object dies with the handle. What still runs must not reach it: valgrind sees it. */
    CHECK(bayar_set_log(engine, 5, hear, heard) == BAYAR_OK);
    bayar_engine_free(engine);
    free(heard);
    CHECK(bayar_op_failure(living, 1, BAYAR_MAYBE_SENT, "reset by peer", NULL) == BAYAR_OK);
    CHECK(next(living, "\"code\":\"network\"") == BAYAR_NETWORK);
    bayar_op_free(living);
    bayar_op_free(quiet);
}

static void records_are_kept(const char *config) {
    bayar_engine *engine = open_engine(config);
    bayar_doc *doc = NULL;
    CHECK(bayar_drain_log(engine, NULL) == BAYAR_INVALID_ARGUMENT);
    CHECK(bayar_drain_log(engine, &doc) == BAYAR_OK && says(doc, "\"records\":[]"));
    bayar_op *op = start(engine);
    CHECK(next(op, "\"seq\":1") == BAYAR_NEED_HTTP);
    CHECK(bayar_op_failure(op, 1, BAYAR_MAYBE_SENT, "reset by peer", NULL) == BAYAR_OK);
    CHECK(next(op, "\"code\":\"network\"") == BAYAR_NETWORK);
    CHECK(bayar_drain_log(engine, &doc) == BAYAR_OK && says(doc, "reset by peer"));
    CHECK(bayar_drain_log(engine, &doc) == BAYAR_OK && says(doc, "\"records\":[]"));
    bayar_op_free(op);
    bayar_engine_free(engine);
}

static void operations(const char *config) {
    bayar_engine *engine = open_engine(config);
    bayar_doc *err = NULL;
    bayar_op *op = start(engine);
    bayar_engine_free(engine);

    CHECK(bayar_op_response(op, 1, 200, NULL, 0, NULL, 0, &err) == BAYAR_INVALID_ARGUMENT && says(err, "no request waits"));
    CHECK(next(op, "\"seq\":1") == BAYAR_NEED_HTTP);
    CHECK(next(op, "\"seq\":1") == BAYAR_NEED_HTTP);
    CHECK(bayar_op_next(op, NULL) == BAYAR_INVALID_ARGUMENT);
    CHECK(bayar_op_response(op, 2, 200, NULL, 0, NULL, 0, &err) == BAYAR_INVALID_ARGUMENT
        && says(err, "found 2, the request that waits is 1"));
    CHECK(bayar_op_response(op, 1, 99, NULL, 0, NULL, 0, &err) == BAYAR_INVALID_ARGUMENT && says(err, "http_status"));
    CHECK(bayar_op_response(op, 1, 200, "{}", 2, NULL, 0, &err) == BAYAR_INVALID_ARGUMENT && says(err, "headers"));
    CHECK(bayar_op_response(op, 1, 200, NULL, 2, NULL, 0, &err) == BAYAR_INVALID_ARGUMENT && says(err, "headers"));
    CHECK(bayar_op_response(op, 1, 200, NULL, 0, NULL, 2, &err) == BAYAR_INVALID_ARGUMENT && says(err, "body"));
    CHECK(bayar_op_failure(op, 1, 3, NULL, &err) == BAYAR_INVALID_ARGUMENT && says(err, "BAYAR_MAYBE_SENT"));
    CHECK(bayar_op_failure(op, 1, BAYAR_NOT_SENT, "\xff", &err) == BAYAR_INVALID_ARGUMENT && says(err, "message"));

    const char *body = "{\"status_code\": \"404\", \"status_message\": \"Transaction doesn't exist.\"}";
    CHECK(bayar_op_response(op, 1, 200, NULL, 0, body, strlen(body), &err) == BAYAR_OK && err == NULL);
    CHECK(bayar_op_response(op, 1, 200, NULL, 0, body, strlen(body), &err) == BAYAR_INVALID_ARGUMENT
        && says(err, "no request waits"));
    CHECK(next(op, "\"code\":\"order_not_found\"") == BAYAR_ORDER_NOT_FOUND);
    CHECK(next(op, "\"code\":\"order_not_found\"") == BAYAR_ORDER_NOT_FOUND);
    CHECK(bayar_op_failure(op, 1, BAYAR_NOT_SENT, NULL, NULL) == BAYAR_INVALID_ARGUMENT);
    bayar_op_free(op);
}

/* The body of a request stands beside its document, and the host may let go at any point. */
static void let_go(const char *config) {
    bayar_engine *engine = open_engine(config);
    bayar_op_free(start(engine));
    const char *params = "{\"key\": \"ABI-2\", \"order_id\": \"ABI-2\", \"amount\": 150000}";
    bayar_op *op = NULL;
    bayar_doc *doc = NULL;
    CHECK(bayar_op_start(engine, "midtrans", "charge", params, strlen(params), &op, &doc) == BAYAR_OK);
    CHECK(bayar_op_next(op, &doc) == BAYAR_NEED_HTTP);
    size_t len = 0;
    const char *body = bayar_doc_body(doc, &len);
    CHECK(body != NULL && len > 0 && body[0] == '{' && body[len - 1] == '}');
    bayar_op_free(op);
    CHECK(body[0] == '{'); /* a document does not need its operation */
    bayar_doc_free(doc);
    CHECK(bayar_op_start(engine, "midtrans", "chrage", NULL, 0, &op, &doc) == BAYAR_UNSUPPORTED && op == NULL
        && says(doc, "did you mean charge?"));
    CHECK(bayar_op_callback(engine, "midtrans", "{}", 2, "x", 1, &op, &doc) == BAYAR_OK);
    CHECK(next(op, "\"acknowledgement\"") == BAYAR_CALLBACK_REFUSED);
    bayar_op_free(op);
    bayar_engine_free(engine);
}

int main(int argc, char **argv) {
    if (argc != 4) {
        fprintf(stderr, "usage: %s CONFIG ORDER_ID ROUNDS\n", argv[0]);
        return EXIT_FAILURE;
    }
    char config[4096], order[64];
    snprintf(config, sizeof config, "{\"file\": \"%s\"}", argv[1]);
    for (int round = 0; round < atoi(argv[3]); round++) {
        snprintf(order, sizeof order, "%s-%d", argv[2], round);
        without_an_engine();
        opening(config);
        calling(config);
        charging(config, order);
        logging(config);
        records_are_kept(config);
        operations(config);
        let_go(config);
    }
    printf("%d passed, %d failed\n", passed, failed);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
