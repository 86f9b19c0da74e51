#include "descriptor_plan.h"

#include <sys/resource.h>

enum {
    OPEN_PARTS_MAX = 512,
    FINISHED_PARTS_MAX = 128,
    /* Sockets that listen, the loop, the folder, the machine's files, standard streams. */
    OTHERS = 64,
};

struct descriptor_plan descriptor_plan_make(uint64_t limit)
{
    struct descriptor_plan plan = {
        .open_parts = min_u64(OPEN_PARTS_MAX, limit / 4),
        .finished_parts = min_u64(FINISHED_PARTS_MAX, limit / 8),
    };
    uint64_t reserved =
        plan.open_parts + plan.finished_parts + PRIVILEGED_CONNECTIONS + min_u64(OTHERS, limit / 4);

    plan.connections = limit > reserved ? (limit - reserved) / DESCRIPTORS_PER_CONNECTION : 0;
    /* Even with next to nothing something must go on. */
    plan.connections = max_u64(plan.connections, 1);
    plan.open_parts = max_u64(plan.open_parts, 1);
    plan.finished_parts = max_u64(plan.finished_parts, 1);
    return plan;
}

struct descriptor_plan descriptor_plan_of_process(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0) {
        return descriptor_plan_make(1024); /* what every system has */
    }
    if (limit.rlim_cur < limit.rlim_max) {
        struct rlimit raised = {.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};

        if (setrlimit(RLIMIT_NOFILE, &raised) == 0) {
            limit = raised;
        }
    }
    return descriptor_plan_make(limit.rlim_cur);
}
