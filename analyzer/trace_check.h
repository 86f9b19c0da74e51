/*
 * A trace file to a verdict: is every byte of it what the format says, and does what it counts agree with what it holds?
 *
 * Read are all frames with their checksums, all rows of all batches, the order of the batches, and the End. Gaps in the
 * numbers of batches are facts, not faults: the batch never arrived.
 */
#pragma once

#include "packet_walk.h"
#include "trace_writer.h"

enum { CHECK_PROBLEM_BYTES = 200 };

enum check_verdict {
    CHECK_GOOD,
    CHECK_OPEN, /* good as far as it goes, without an End: still being written, or its writer was killed */
    CHECK_CUT_OFF,      /* ends within a frame */
    CHECK_DAMAGED,      /* holds bytes that are no good frame */
    CHECK_INCONSISTENT, /* good frames that contradict each other */
    CHECK_NEWER,        /* holds packets that this program does not understand */
    CHECK_NO_TRACE,     /* holds no packet at all */
    CHECK_UNREADABLE,
};

struct trace_check {
    enum check_verdict verdict;
    int error;                 /* CHECK_UNREADABLE: negative errno */
    uint64_t batches;          /* good ones */
    uint64_t open_operations;  /* rows */
    struct record_counts rows; /* of good batches */
    uint64_t missing_batches;  /* gaps in their numbers */
    uint64_t damaged_places;
    uint64_t skipped_bytes;
    uint64_t file_bytes;               /* when it was opened */
    uint64_t problem_offset_bytes;     /* of the first problem */
    char problem[CHECK_PROBLEM_BYTES]; /* the first one, in words without the offset; "" if none */
};

/*
 * Checks one file. A file called *.partial that ends within a frame gets a moment to grow: its writer may be at work.
 *
 * Returns:  0, or -ENOMEM; everything else is a verdict.
 * Threads:  any, on different objects.
 */
MUST_USE int trace_check_file(const char *path, struct trace_check *ret_check);
