/*
 * Who may have how many of the process's descriptors: connections, open trace files, and trace files that are finished
 * and not closed yet. What is left over is for everything else.
 */
#pragma once

#include "base.h"

enum {
    /* So many more connections for root and the collector's own user: who administrates must get in when it is full. */
    PRIVILEGED_CONNECTIONS = 16,
    /* The socket and the client's recorder; later the recorder and the process whose death is awaited. */
    DESCRIPTORS_PER_CONNECTION = 2,
};

struct descriptor_plan {
    size_t connections; /* of all users; without the privileged ones */
    size_t open_parts;
    size_t finished_parts;
};

/* Divides limit descriptors. Threads: any, as all here. */
struct descriptor_plan descriptor_plan_make(uint64_t limit);

/* Raises the limit of this process as far as permitted, and divides it. */
struct descriptor_plan descriptor_plan_of_process(void);
