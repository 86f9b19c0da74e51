/*
 * The recorder as the client has it: made, mapped, and found in. What stands where, and what holds at every instant, is said
 * in recorder_layout.h.
 */
#pragma once

#include "base.h"
#include "recorder_layout.h"

/* How large the parts of a recorder are. */
struct recorder_sizes {
    uint64_t memory_bytes;
    uint64_t ring_bytes; /* a power of two */
    uint32_t slot_count; /* a power of two */
};

/* What a recorder of these sizes has left for rings; 0 if the sizes do not fit into the memory. Threads: any. */
uint64_t recorder_room_for_rings(const struct recorder_sizes *sizes);

/*
 * Makes an empty recorder.
 *
 * Returns:  0; -EINVAL if the sizes do not fit into the memory; -EFBIG if the process may not have files of that size;
 *           -EMFILE if it has no descriptor above the standard ones; a negative errno of memfd_create, ftruncate or mmap.
 * Owns:     the mapping and *ret_fd, CLOEXEC and moved above the descriptors a program is likely to use, are the
 *           caller's.
 */
MUST_USE int recorder_new(struct recorder **ret_recorder, int *ret_fd,
                          const struct recorder_sizes *sizes, uint32_t epoch);
void recorder_free(struct recorder *recorder);
