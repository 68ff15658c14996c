/* Calls what standard input says and prints what came of it, one line a call.
 *
 * A call is a line of fields between tabs, for C has no JSON: `call ACCOUNT OPERATION PARAMS`
 * or `callback ACCOUNT ENVELOPE BODY`. JSON writes tabs and line ends inside strings as
 * escapes, and the bodies of the providers' callbacks hold neither. */

#define _POSIX_C_SOURCE 200809L

#include <bayar.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *field(char **rest) {
    char *start = *rest;
    char *end = start + strcspn(start, "\t\n");
    *rest = *end == '\0' ? end : end + 1;
    *end = '\0';
    return start;
}

int main(void) {
    char config[4096];
    int length = snprintf(config, sizeof config, "{\"file\": \"%s\"}", getenv("BAYAR_CONFIG"));
    bayar_engine *engine = NULL;
    bayar_doc *doc = NULL;
    if (bayar_engine_open(BAYAR_ABI, config, (size_t)length, &engine, &doc) != BAYAR_OK) {
        fprintf(stderr, "%s\n", bayar_doc_json(doc));
        bayar_doc_free(doc);
        return EXIT_FAILURE;
    }
    char *line = NULL;
    size_t size = 0;
    while (getline(&line, &size, stdin) > 0) {
        char *rest = line;
        const char *kind = field(&rest), *account = field(&rest);
        const char *third = field(&rest), *fourth = field(&rest);
        bayar_status status;
        if (strcmp(kind, "callback") == 0) {
            status = bayar_callback(engine, account, third, strlen(third), fourth, strlen(fourth), &doc);
        } else {
            status = bayar_call(engine, account, third, fourth, strlen(fourth), &doc);
        }
        printf(status == BAYAR_OK ? "%s\n" : "{\"error\": %s}\n", bayar_doc_json(doc));
        fflush(stdout);
        bayar_doc_free(doc);
    }
    free(line);
    bayar_engine_free(engine);
    return EXIT_SUCCESS;
}
