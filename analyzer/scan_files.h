/*
 * The first pass over all files, by several threads.
 */
#pragma once

#include "trace_scan.h"

struct scan_request {
    size_t count;
    char *const *paths;            /* borrowed by ret_files */
    const struct offset_list *bad; /* of each path */
    size_t jobs;
};

/*
 * Scans all files.
 *
 * ret_files room for request->count; each to be released, also after an error
 * Returns:  0, or what trace_scan() returned for any of them.
 * Threads:  one; starts more.
 */
MUST_USE int scan_files(const struct scan_request *request, struct shared_names *names,
                        struct scanned_file *ret_files);
