/*
 * The values of attributes that the operations of one name carry, with how many carry each.
 *
 * Of a key at most ATTRIBUTE_VALUE_LIMIT different values are kept: those with the least hashes, so that what is kept does not
 * depend on the order, and every count is exact. A key with fewer values than that has all of them.
 */
#pragma once

#include "report_operations.h"

enum {
    ATTRIBUTE_VALUE_LIMIT = 1024,
    ATTRIBUTE_LISTED_VALUES = 50, /* in the report */
};

struct attribute_value {
    uint64_t hash;
    uint64_t count;
    char *text; /* owned */
};

struct attribute_values {
    uint32_t key; /* number of the name */
    uint64_t count;
    size_t value_count;
    size_t value_capacity;
    struct attribute_value *values; /* owned; by hash, then text */
    struct number_range numbers;    /* of values that are numbers and not redacted */
};

/* {0} is an empty one. */
struct attribute_tally {
    size_t key_count;
    size_t key_capacity;
    struct attribute_values *keys; /* owned; by number */
};

void attribute_tally_release(struct attribute_tally *tally);

/*
 * Counts operations that carry a value.
 *
 * Returns:  0 or -ENOMEM.
 * Threads:  one tally, one thread at a time, as all functions here.
 */
MUST_USE int attribute_tally_add(struct attribute_tally *tally, uint32_t key, const char *text,
                                 uint64_t count);
/* Notes the number that a value is. */
MUST_USE int attribute_tally_add_number(struct attribute_tally *tally, uint32_t key, double number);
MUST_USE int attribute_tally_merge(struct attribute_tally *tally,
                                   const struct attribute_tally *source);
size_t attribute_tally_memory_bytes(const struct attribute_tally *tally);

/* A key as it stands in the report, without its name. Returns 0 or -ENOMEM; what was made belongs to ret_attribute. */
MUST_USE int attribute_values_describe(const struct attribute_values *values,
                                       struct report_attribute *ret_attribute);
