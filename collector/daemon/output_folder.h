/*
 * The folder that trace files land in: who may use it, what is in it, how full it is. Everything happens below its
 * descriptor; nothing follows a symbolic link, and only regular files with names of trace files are ever touched.
 *
 * One daemon owns a folder (an exclusive lock on it); any number of "record" runs may share one. Parts that a killed
 * collector left as NAME.partial are given their final name by the next: whoever holds the exclusive lock knows that
 * nobody writes to them.
 */
#pragma once

#include "base.h"
#include "trace_writer.h"

#include <stdbool.h>

enum { FOLDER_ERROR_MAX_BYTES = 512, FOLDER_OLDEST_MAX = 256 };

struct output_folder {
    int fd; /* owned */
    bool is_exclusive;
    bool needs_sync; /* files were created or renamed since the last output_folder_sync() */
    uint64_t
        closed_bytes; /* of all closed parts, as of the last scan and what was closed and deleted since */
};

/* A part that nobody writes to. */
struct closed_part {
    uint64_t modified_ns; /* CLOCK_REALTIME */
    uint64_t size_bytes;
    char name[TRACE_NAME_MAX_BYTES + sizeof(TRACE_PARTIAL_SUFFIX)];
};

/* What a scan found. */
struct folder_scan {
    uint64_t closed_bytes;
    uint64_t closed_parts;
    size_t oldest_count;
    struct closed_part oldest[FOLDER_OLDEST_MAX]; /* the oldest first */
};

/*
 * Opens and locks the folder.
 *
 * share     others may write to it at the same time; parts left behind are adopted at once if nobody does yet
 * create    make it, and the folders above it, if it does not exist (mode 0750)
 * ret_error one sentence, filled in on error
 * Returns:  0; -EWOULDBLOCK if another collector owns it; a negative errno.
 * Threads:  one at a time, as all functions here.
 */
MUST_USE int output_folder_open(struct output_folder *ret_folder, const char *path, bool share,
                                bool create, char ret_error[static FOLDER_ERROR_MAX_BYTES]);
void output_folder_release(struct output_folder *folder);

/*
 * Gives parts left behind their final names, if the folder is owned alone. What cannot be renamed stays.
 *
 * ret_left  parts that could not be renamed
 * Returns:  0, or a negative errno if the folder cannot be read.
 */
MUST_USE int output_folder_adopt(struct output_folder *folder, uint64_t *ret_adopted,
                                 uint64_t *ret_left);

/*
 * Looks at all closed parts. open_names: sorted (strcmp) names of the parts that are being written, without .partial.
 *
 * Returns:  0, or a negative errno if the folder cannot be read.
 */
MUST_USE int output_folder_scan(struct output_folder *folder, const char *const *open_names,
                                size_t open_count, struct folder_scan *ret_scan);

/* Deletes a closed part, if it is still a regular file. Returns 0 or a negative errno. */
MUST_USE int output_folder_delete(struct output_folder *folder, const struct closed_part *part);

/* Space left for this user in the file system. Returns 0 or a negative errno. */
MUST_USE int output_folder_free_bytes(const struct output_folder *folder, uint64_t *ret_bytes);

/* Makes new names durable. Returns 0 or a negative errno. */
MUST_USE int output_folder_sync(struct output_folder *folder);

/* Everything written to the file system becomes durable. Returns 0 or a negative errno. */
MUST_USE int output_folder_sync_files(const struct output_folder *folder);
