/*
 * The slots of a recorder to the operations that its client had begun and not ended.
 *
 * An operation is open if its slot is live and not claimed. One that is claimed was being ended: its record, if it was
 * published, is among the newest entries of a ring, whether they were taken or not, since its thread did nothing else after
 * that; if it is not there, the operation did not end.
 */
#pragma once

#include "recorder_reader.h"

/* An operation that was begun and not ended. */
struct left_operation {
    uint64_t id;
    uint64_t begin_ns;
    uint32_t name;
    uint8_t state;
};

/*
 * Finds them, at most BATCH_MAX_OPEN.
 *
 * Owns:     *ret_open is the caller's.
 * Returns:  0 or a negative errno.
 * Threads:  one reader, one thread at a time.
 */
MUST_USE int left_operations_find(const struct recorder_reader *reader,
                                  struct left_operation **ret_open, uint32_t *ret_count);
