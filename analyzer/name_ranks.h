/*
 * The names of all trace files: counted while files are scanned, then ranked, so that those with the most rows get a small
 * number each and all others share one: "(other)".
 *
 * Names differ by group and text, those of metrics by kind and unit too. What is called "(other)" already (a program's own
 * table was full) counts to the others. The order is total (rows falling, then bytes), so equal inputs give equal numbers.
 */
#pragma once

#include "base.h"
#include "batch.h"

enum name_group {
    GROUP_OPERATION,
    GROUP_METRIC,
    GROUP_MARK,
    GROUP_QUEUE,
    GROUP_ATTRIBUTE,
    GROUP_COUNT,
};

#define OTHER_NAME "(other)"

/* What operations of a name are, as its unit says. */
enum operation_role {
    ROLE_ORDINARY,
    ROLE_LOOP_ROUND, /* of an event loop, from waking up to sleeping again */
    ROLE_COLLECTION, /* a pause of a garbage collector */
    ROLE_COUNT,
};

struct name_entry {
    const char *text; /* borrowed from the table */
    const char *unit;
    enum name_kind kind;
    enum operation_role role; /* if any batch says it */
    uint64_t rows;
    uint64_t hash;
    uint32_t number; /* within its group; that of the others if it was not kept */
};

struct ranked_names {
    size_t count;
    uint32_t *entries; /* owned; indexes into entries[], in order of rank */
    size_t kept;       /* numbers 0 .. kept - 1; kept is the number of the others */
};

/* {.memory_limit_bytes = n} is an empty table. */
struct name_ranks {
    size_t memory_limit_bytes;
    size_t memory_bytes;
    size_t count;
    size_t capacity;
    struct name_entry *entries; /* owned */
    size_t slot_count;
    uint32_t *slots;          /* owned; hash table of index + 1 */
    struct text_block *texts; /* owned */
    struct ranked_names groups[GROUP_COUNT];
};

enum name_group name_group_of(enum name_kind kind);

void name_ranks_release(struct name_ranks *table);

/*
 * Counts name->rows more rows of a name.
 *
 * Returns:  0, -ENOMEM, or -E2BIG if the name is new and the limit of memory is reached.
 * Threads:  one table, one thread at a time; name_ranks_find() by any number of threads once numbers are given.
 */
MUST_USE int name_ranks_count(struct name_ranks *table, const struct batch_name *name);

/* Puts each group in order. Returns 0 or -ENOMEM. */
MUST_USE int name_ranks_rank(struct name_ranks *table);

/* Gives numbers to the first count names of a group (fewer if there are fewer). After name_ranks_rank(). */
void name_ranks_keep(struct name_ranks *table, enum name_group group, size_t count);

/* The number of a name in its group; that of the others if it is not known. */
uint32_t name_ranks_find(const struct name_ranks *table, enum name_kind kind, const char *text,
                         const char *unit);

/* The entry of a number below kept. */
const struct name_entry *name_ranks_entry(const struct name_ranks *table, enum name_group group,
                                          size_t number);

/* Names that share the number of the others, without "(other)" itself. */
uint64_t name_ranks_folded(const struct name_ranks *table, enum name_group group);
