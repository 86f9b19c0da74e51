/*
 * A collector for the stress programs, in a thread of its own: greets, reads frames, acknowledges, and does all of that
 * badly (late, in parts, not at all) as a fixed seed says. Keeps the books of what it acknowledged.
 */
#pragma once

#include "loss.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FAKE_MAX_SEQUENCE = 1 << 16, FAKE_PATH_BYTES = 100 };

struct fake_collector {
    char path[FAKE_PATH_BYTES];
    int listener;
    pthread_t thread;
    uint64_t random;
    _Atomic bool is_kind;  /* from now on it neither stalls nor disconnects */
    _Atomic bool is_ended; /* it is to return */
    /* To be read when the thread was joined. */
    bool seen[FAKE_MAX_SEQUENCE];
    struct record_counts rows; /* of frames, each counted once */
    struct totals totals;      /* of the goodbye */
    bool said_goodbye;
    unsigned int connections;
    unsigned int frames;
    const char *problem; /* NULL: none */
};

/* Listens at a path of its own and starts the thread. Returns false if that cannot be done. */
bool fake_collector_start(struct fake_collector *fake, uint64_t seed);

/* Ends the thread, and takes the path away. */
void fake_collector_stop(struct fake_collector *fake);
