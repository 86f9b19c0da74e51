/*
 * key_value_requests.h - what the server of key_value_server.c is asked, and what it answers.
 *
 * In are lines, out are answers in the output of who asked. Requests wait in the queue "kv.pending" until all that has
 * arrived is served, one after the other; whoever stands behind a slow one waits as long.
 *
 * Threads: one.
 */
#ifndef KEY_VALUE_REQUESTS_H
#define KEY_VALUE_REQUESTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How requests go wrong, if they do. */
enum fault { FAULT_NONE, FAULT_BLOCKING_DNS, FAULT_LEAK };

/* Who asks. Empty at first. */
struct client {
    char kind[16];
    uint64_t known_until_ns; /* its name was looked up, and counts until then */
    char *output;            /* owned */
    size_t output_bytes;
    bool failed; /* memory ran out: it is not told everything */
};

/* Makes an empty store. Call it once, before all else. Returns 0 or a negative errno. */
int requests_start(enum fault fault);

/* Takes a request. Client and line stay where they are, the line to be written in, until it is served. */
void requests_take(struct client *client, char *line);

/* Serves all requests taken. */
void requests_serve(void);

/* Returns how many were served. */
int64_t requests_served(void);

#endif
