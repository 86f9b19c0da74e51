/*
 * Trace files to a report: scan, plan, count, make.
 *
 * A frame that turns out to be damaged while it is counted has spoiled the plan (its head may have said anything): then all of
 * it begins again without that frame.
 */
#pragma once

#include "input_paths.h"
#include "report.h"

struct report_request {
    const struct input_paths *inputs;
    size_t jobs;
    uint64_t memory_bytes;
    size_t slowest_limit;
    bool with_attributes;
    bool with_load;
    size_t redacted_count;
    char *const *redacted_keys;
    void (*tell_progress)(void *listener, uint64_t done, uint64_t total); /* may be NULL */
    void *listener;
};

/*
 * Makes the report.
 *
 * ret_report to be released, also after an error
 * Returns:   0; -ENODATA if no file holds anything that can be read (inputs of the report say why); -E2BIG if the memory
 *            does not suffice; -ENOMEM; -EAGAIN if no thread can be started.
 * Threads:   one; starts request->jobs more.
 */
MUST_USE int report_run(const struct report_request *request, struct report *ret_report);
