#include "gauge_steps.h"

#include <errno.h>

int gauge_steps_init(struct gauge_steps *ret_steps, size_t frame_count)
{
    *ret_steps = (struct gauge_steps){.frame_count = frame_count,
                                      .ends = calloc(frame_count + 1, sizeof(*ret_steps->ends))};
    return ret_steps->ends == NULL ? -ENOMEM : 0;
}

void gauge_steps_release(struct gauge_steps *steps)
{
    free(steps->ends);
    *steps = (struct gauge_steps){0};
}

static void hold(struct gauge_steps *steps, uint64_t from_ns, uint64_t to_ns, uint64_t value)
{
    if (to_ns > from_ns) {
        steps->level_ns[min_u64(value, GAUGE_LEVELS - 1)] += to_ns - from_ns;
    }
}

void gauge_steps_add(struct gauge_steps *steps, size_t frame, uint64_t time_ns, uint64_t value)
{
    struct gauge_ends *ends = &steps->ends[frame];

    steps->samples++;
    if (!ends->is_known) {
        ends->is_known = true;
        ends->first_ns = time_ns;
    } else {
        hold(steps, ends->last_ns, time_ns, ends->last_value);
    }
    ends->last_ns = time_ns;
    ends->last_value = value;
}

void gauge_steps_finish(struct gauge_steps *steps,
                        bool (*is_joined)(const void *context, size_t frame), const void *context,
                        uint64_t end_ns)
{
    const struct gauge_ends *before = NULL;

    for (size_t i = 0; i < steps->frame_count; i++) {
        if (is_joined != NULL && !is_joined(context, i)) {
            before = NULL;
        }
        if (!steps->ends[i].is_known) {
            continue;
        }
        if (before != NULL) {
            hold(steps, before->last_ns, steps->ends[i].first_ns, before->last_value);
        }
        before = &steps->ends[i];
    }
    if (before != NULL) {
        hold(steps, before->last_ns, end_ns, before->last_value);
    }
}
