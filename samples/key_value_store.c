#define _GNU_SOURCE
#include "key_value_store.h"

#include <eddy.h>
#include <errno.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct eddy_name journal_write = EDDY_NAME("journal.write");
static struct eddy_name journal_sync = EDDY_NAME("journal.sync");
static struct eddy_name stored_bytes = EDDY_METRIC("store.bytes", "By");

struct pair {
    const char *key;
    char *value; /* owned, as is the key of a pair in the tree */
};

static void *tree; /* of struct pair, see tsearch(3) */
static int64_t value_bytes;
static FILE *journal;

static void *abort_if_null(void *pointer)
{
    if (pointer == NULL) {
        abort();
    }
    return pointer;
}

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct pair *)a)->key, ((const struct pair *)b)->key);
}

static struct pair *find(const char *key)
{
    struct pair **found = tfind(&(struct pair){.key = key}, &tree, compare);

    return found ? *found : NULL;
}

static struct pair *add(const char *key)
{
    struct pair *pair = abort_if_null(malloc(sizeof(*pair)));

    pair->key = abort_if_null(strdup(key));
    pair->value = abort_if_null(strdup(""));
    abort_if_null(tsearch(pair, &tree, compare));
    return pair;
}

int store_open(void)
{
    journal = tmpfile();
    return journal ? 0 : -errno;
}

const char *store_get(const char *key)
{
    const struct pair *pair = find(key);

    return pair ? pair->value : NULL;
}

void store_put(const char *key, const char *value)
{
    struct pair *pair = find(key);

    if (pair == NULL) {
        pair = add(key);
    }
    value_bytes += (int64_t)strlen(value) - (int64_t)strlen(pair->value);
    free(pair->value);
    pair->value = abort_if_null(strdup(value));
    fprintf(journal, "%s %s\n", key, value);
    eddy_gauge(&stored_bytes, value_bytes);
}

/* A step of a save: a child of the operation, and what both are waiting for. */
static uint64_t begin_step(struct eddy_name *name, uint64_t operation)
{
    uint64_t step = eddy_begin_child(name, operation);

    eddy_state(step, EDDY_WAITING_IO);
    return step;
}

bool store_save(uint64_t operation)
{
    eddy_state(operation, EDDY_WAITING_IO);
    uint64_t step = begin_step(&journal_write, operation);
    bool is_written = fflush(journal) == 0;
    eddy_end(step, is_written ? EDDY_OK : EDDY_ERROR);

    step = begin_step(&journal_sync, operation);
    bool is_durable = fdatasync(fileno(journal)) == 0;
    eddy_end(step, is_durable ? EDDY_OK : EDDY_ERROR);
    eddy_state(operation, EDDY_RUNNING);
    return is_written && is_durable;
}
