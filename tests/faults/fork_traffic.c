/* Forks again and again while other threads charge through libbayar; each child asks for one
 * status, or charges, and ends. What each was answered goes to standard output.
 *
 *     fork_traffic CONFIG FORKS THREADS EVERY
 *
 * Every EVERY-th child charges by the engine that it inherited; the others end at once, as the
 * children of a program that runs another one do. */

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bayar.h"

static bayar_engine *engine;
static atomic_int stop;

/* Charges under a key and writes one line: the order, what it was answered for, the intent's document. */
static void charge(const char *who, int number) {
    char order[64], params[256];
    bayar_doc *doc = NULL;
    snprintf(order, sizeof order, "%sX%dXQ", who, number);
    int length = snprintf(params, sizeof params, "{\"order_id\":\"%s\",\"amount\":150000,\"channel\":\"bca_va\",\"key\":\"%s\"}", order, order);
    bayar_status status = bayar_call(engine, "midtrans", "charge", params, (size_t)length, &doc);
    /* One write: lines of several processes must not mix. */
    const char *json = bayar_doc_json(doc);
    size_t size = strlen(json) + 128;
    char *line = malloc(size);
    int written = snprintf(line, size, "%d\t%s\t%s\n", status, order, json);
    if (write(STDOUT_FILENO, line, (size_t)written) != written)
        abort();
    free(line);
    bayar_doc_free(doc);
}

static void *traffic(void *name) {
    for (int number = 0; !atomic_load(&stop); number++)
        charge(name, number);
    return NULL;
}

int main(int count, char **given) {
    if (count != 5)
        return 2;
    int forks = atoi(given[2]), threads = atoi(given[3]), every = atoi(given[4]), failed = 0;
    bayar_doc *error = NULL;
    if (bayar_engine_open(BAYAR_ABI, given[1], strlen(given[1]), &engine, &error) != 0) {
        fprintf(stderr, "%s\n", bayar_doc_json(error));
        return 1;
    }
    pthread_t *running = calloc((size_t)threads, sizeof *running);
    char (*names)[16] = calloc((size_t)threads, sizeof *names);
    for (int n = 0; n < threads; n++) {
        snprintf(names[n], sizeof names[n], "T%d", n);
        pthread_create(&running[n], NULL, traffic, names[n]);
    }
    for (int n = 0; n < forks; n++) {
        pid_t child = fork();
        if (child == 0) {
            alarm(60);
            if (n % every == 0)
                charge("C", n);
            _exit(0);
        }
        int status = 0;
        if (child < 0 || waitpid(child, &status, 0) != child || status != 0) {
            fprintf(stderr, "fork %d: the child ended with %d\n", n, status);
            failed++;
        }
    }
    atomic_store(&stop, 1);
    for (int n = 0; n < threads; n++)
        pthread_join(running[n], NULL);
    bayar_engine_free(engine);
    free(running);
    free(names);
    return failed != 0;
}
