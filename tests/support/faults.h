/*
 * System calls that fail when a test wants them to. Only functions named in WRAP of eddy_unit_test() come here, and only
 * calls of the code under test and of the test, not those of libraries.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum fault_extent {
    FAULT_ONCE,      /* the n-th call fails, those behind it do not */
    FAULT_FROM_HERE, /* the n-th call and all behind it fail */
};

struct fault {
    const char *function; /* whose calls are counted; NULL: all wrapped functions */
    unsigned int nth;     /* counted from 1 */
    int error; /* errno of the failing call; 0: pwrite() and pread() move half of their bytes only */
    enum fault_extent extent;
};

/* From now on, calls are counted, and those that fault says fail. */
void faults_arm(const struct fault *fault);

/* Ends that. Returns whether the n-th call was reached. */
bool faults_disarm(void);

/* Bytes that pread() and pwrite() moved since the last faults_arm(). */
uint64_t faults_bytes_moved(void);
