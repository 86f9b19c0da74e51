/*
 * The first pass over the CSV files of one process: every row is checked, so that the second pass, which writes, can fail
 * only for the disk's sake. Out come the facts that the second pass needs before its first row.
 */
#pragma once

#include "content_hash.h"
#include "csv_dictionary.h"
#include "csv_operations.h"
#include "csv_samples.h"

enum { IMPORT_PROCESS_BYTES = NAME_MAX_BYTES + 1 };

/* What is imported as one process. */
struct import_source {
    char process[IMPORT_PROCESS_BYTES]; /* name of the executable in the trace file */
    const char *operations_path;        /* borrowed; NULL if there are none */
    const char *samples_path;           /* likewise */
};

struct metric_facts {
    char *unit; /* owned */
    bool is_integer;
};

struct import_facts {
    struct content_hash hash; /* of the process name and of all rows, in their order */
    uint64_t operations;      /* finished ones */
    uint64_t unfinished;
    uint64_t samples;
    uint64_t first_ns; /* least time of all rows, UINT64_MAX if there are none */
    uint64_t last_ns;  /* greatest */
    struct csv_dictionary operation_names;
    struct csv_dictionary threads;
    struct csv_dictionary metric_names;
    size_t metric_capacity;
    struct metric_facts *metrics; /* owned; by number in metric_names */
};

/* Where and why a file was refused, for one message. */
struct import_problem {
    const char *path; /* borrowed from the source */
    char text[CSV_PROBLEM_BYTES];
};

void import_facts_release(struct import_facts *facts);

/*
 * Scans the files of source.
 *
 * ret_facts   to be released, also after an error
 * ret_problem filled in after every error
 * Returns:    0; -EBADMSG if a file is not what it must be; -ENOMEM; what open() or read() said.
 * Threads:    any, on different objects.
 */
MUST_USE int import_scan(const struct import_source *source, struct import_facts *ret_facts,
                         struct import_problem *ret_problem);

/*
 * As import_scan() for each of the two files, from an open descriptor at its beginning.
 *
 * table     scratch; its problem says what is wrong after -EBADMSG
 */
MUST_USE int import_scan_operations(struct csv_table *table, int fd, struct import_facts *facts);
MUST_USE int import_scan_samples(struct csv_table *table, int fd, struct import_facts *facts);

/* Opens a CSV for one of the passes. Returns a descriptor, -EBADMSG if it is not a regular file, or a negative errno. */
MUST_USE int import_open(const char *path);

/* Both passes add rows to the content's hash in the same way. */
void import_hash_operation(struct content_hash *hash, const struct csv_operation *operation);
void import_hash_sample(struct content_hash *hash, const struct csv_sample *sample);
