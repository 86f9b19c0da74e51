/*
 * What the process's control group allows it and takes from it, where it has a limit (cgroup v1 or v2):
 *
 *     process.cgroup.cpu.throttled_time     ns          all of the group was held, summed over CPUs; total
 *     process.cgroup.cpu.throttled_periods  {period}    periods in which it was; total
 *     process.cgroup.cpu.limit              {cpu}       quota / period
 *     process.cgroup.memory.usage           By          with page cache, as the limit counts it
 *     process.cgroup.memory.limit           By
 *
 * Of the groups from the process's own up to the root that can be seen, the nearest one with a limit counts. Totals begin
 * at 0 when the group is first seen, and go on when the process moves to another one. Nothing is sampled where there is no
 * limit, or no cgroup.
 */
#pragma once

#include "sample_buffer.h"

enum { CGROUP_PATH_BYTES = 512, CGROUP_LIST_BYTES = 4096, CGROUP_METRICS = 5 };

struct cgroup_sampler {
    struct recorder *recorder;          /* borrowed */
    const char *root;                   /* where cgroups are mounted: borrowed, as in CGROUP_ROOT */
    char membership[CGROUP_LIST_BYTES]; /* /proc/self/cgroup, as last seen */
    char cpu[CGROUP_PATH_BYTES];        /* folder of the group with a limit; "": none */
    char memory[CGROUP_PATH_BYTES];
    uint64_t due_ns;
    uint64_t look_due_ns;   /* whether the process moved */
    uint64_t search_due_ns; /* for limits, where there was none */
    double cpu_limit;       /* 0: none known */
    uint64_t memory_limit;  /* likewise */
    uint64_t seen_ns;       /* what the group said last */
    uint64_t seen_periods;
    uint64_t throttled_ns; /* totals of ours */
    uint64_t throttled_periods;
    uint32_t names[CGROUP_METRICS]; /* ids; 0: not used yet */
};

#define CGROUP_ROOT "/sys/fs/cgroup"

void cgroup_sampler_init(struct cgroup_sampler *sampler, struct recorder *recorder,
                         const char *root);

/*
 * Adds samples to buffer, four times a second at most. That the process moved is seen within a second, a limit that it got
 * where it is within ten.
 *
 * Cost:     two small files a time where there are limits.
 * Threads:  the flusher's only.
 */
void cgroup_sampler_sample(struct cgroup_sampler *sampler, struct sample_buffer *buffer,
                           uint64_t now_ns);
