/* One charge from C: charge CONFIG ORDER_ID [CHANNEL]
 *
 *   cc -std=c99 -Wall -Wextra -Werror -pedantic -Iinclude -o charge bindings/c/charge.c \
 *      -L"$LIB" -lbayar -Wl,-rpath,"$LIB"
 *
 * where $LIB is the directory of libbayar.so and of its other name, libbayar.so.1.
 *
 * The rules of ownership, all of them: what came by an out pointer is freed once, by the
 * function for its kind, whether the call succeeded or not; freeing NULL is nothing; what was
 * passed in stays the caller's.
 */

#define _POSIX_C_SOURCE 200809L

#include <bayar.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* Prints a document's JSON on a line of its own. There is no document where memory ran out
 * or where NULL was given for it, hence the check. */
static void print_doc(FILE *to, const bayar_doc *doc) {
    if (doc != NULL) {
        fwrite(bayar_doc_json(doc), 1, bayar_doc_json_len(doc), to);
        fputc('\n', to);
    }
}

/* Prints what went wrong; the document says more than the name of its status. */
static void print_error(const char *what, bayar_status status, const bayar_doc *error) {
    fprintf(stderr, "%s: %s\n", what, bayar_status_name(status));
    print_doc(stderr, error);
}

/* Opens the engine of a configuration file; NULL if that failed. */
static bayar_engine *open_engine(const char *file) {
    char config[4096];
    int length = snprintf(config, sizeof config, "{\"file\": \"%s\"}", file);
    if (length < 0 || (size_t)length >= sizeof config) {
        fprintf(stderr, "the path of the configuration is too long\n");
        return NULL;
    }
    bayar_engine *engine = NULL;
    bayar_doc *error = NULL;
    bayar_status status = bayar_engine_open(BAYAR_ABI, config, (size_t)length, &engine, &error);
    if (status != BAYAR_OK) {
        print_error("the engine did not open", status, error);
    }
    bayar_doc_free(error);
    return engine;
}

/* Charges 150 000 rupiah. A program that takes its values from people builds the JSON with a
 * library; these come from our own command line and hold nothing to escape. */
static int charge(bayar_engine *engine, const char *order_id, const char *channel) {
    char params[1024];
    int length = snprintf(params, sizeof params,
        "{\"key\": \"%s-attempt-1\", \"order_id\": \"%s\", \"amount\": 150000%s%s%s,"
        " \"customer\": {\"name\": \"Budi Santoso\", \"email\": \"budi@example.com\", \"phone\": \"08123456789\"}}",
        order_id, order_id, channel != NULL ? ", \"channel\": \"" : "", channel != NULL ? channel : "",
        channel != NULL ? "\"" : "");
    if (length < 0 || (size_t)length >= sizeof params) {
        fprintf(stderr, "the order id is too long\n");
        return EXIT_FAILURE;
    }
    struct timespec began, ended;
    clock_gettime(CLOCK_MONOTONIC, &began);
    bayar_doc *answer = NULL;
    bayar_status status = bayar_call(engine, "midtrans", "charge", params, (size_t)length, &answer);
    clock_gettime(CLOCK_MONOTONIC, &ended);

    /* 0 exactly when the document is an outcome. Anything else is an error, and its "stage"
     * says whether the provider may have seen the request: then ask for the status of this
     * order, and never charge it again under another key. */
    if (status == BAYAR_OK) {
        double ms = (double)(ended.tv_sec - began.tv_sec) * 1e3 + (double)(ended.tv_nsec - began.tv_nsec) / 1e6;
        fprintf(stderr, "charged in %.2f ms\n", ms);
        print_doc(stdout, answer);
    } else {
        print_error("the charge did not succeed", status, answer);
    }
    bayar_doc_free(answer);
    return status == BAYAR_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv) {
    if (argc < 3) {
        fprintf(stderr, "usage: %s CONFIG ORDER_ID [CHANNEL]\n", argv[0]);
        return EXIT_FAILURE;
    }
    bayar_engine *engine = open_engine(argv[1]);
    if (engine == NULL) {
        return EXIT_FAILURE;
    }
    int end = charge(engine, argv[2], argc > 3 ? argv[3] : NULL);
    bayar_engine_free(engine);
    return end;
}
