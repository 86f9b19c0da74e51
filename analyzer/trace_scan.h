/*
 * The first pass over a trace file: where its frames are, which sessions they are of, and what Sources, heads and Ends say.
 * Enough to plan everything that follows; no row is decoded.
 *
 * Of a batch only the head is decompressed, so its checksum is not tested here: frames that turn out to be damaged later are
 * given to the next scan, which treats them as damage.
 */
#pragma once

#include "name_ranks.h"
#include "scanned_file.h"

#include <pthread.h>

struct offset_list {
    size_t count;
    size_t capacity;
    uint64_t *offsets; /* owned */
};

/* The names of all files that are scanned at the same time, and how many batches they have. */
struct shared_names {
    pthread_mutex_t lock;
    uint64_t frame_limit;
    uint64_t frames;         /* guarded by lock, as the table */
    struct name_ranks table; /* while files are scanned */
};

struct trace_scanner;

MUST_USE int trace_scanner_new(struct trace_scanner **ret_scanner, struct shared_names *names);
void trace_scanner_free(struct trace_scanner *scanner);

/*
 * Scans a file.
 *
 * path      borrowed by *ret_file
 * bad       offsets of frames that are known to be damaged, in order
 * ret_file  to be released, also after an error
 * Returns:  0; -ENOMEM; -E2BIG if the names or frames need more memory than they may have. A file that cannot be read is no
 *           error here: ret_file->error says so.
 * Threads:  one scanner, one thread at a time; scanners may share names.
 */
MUST_USE int trace_scan(struct trace_scanner *scanner, const char *path,
                        const struct offset_list *bad, struct scanned_file *ret_file);

/* Adds an offset. Returns 0 or -ENOMEM. Threads: one list, one thread at a time, as below. */
MUST_USE int offset_list_add(struct offset_list *list, uint64_t offset);

/* Puts the offsets in order, as trace_scan() needs them. */
void offset_list_sort(struct offset_list *list);

/* Opens a trace file; one that was closed since its folder was listed has lost ".partial". Returns a descriptor or -errno. */
MUST_USE int trace_file_open(const char *path);
