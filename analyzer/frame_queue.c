#include "frame_queue.h"

#include <errno.h>

int frame_queue_init(struct frame_queue *ret_queue, const struct report_plan *plan)
{
    *ret_queue = (struct frame_queue){
        .plan = plan, .taken = calloc(plan->process_count + 1, sizeof(*ret_queue->taken))};
    return ret_queue->taken == NULL ? -ENOMEM : 0;
}

void frame_queue_release(struct frame_queue *queue)
{
    free(queue->taken);
    queue->taken = NULL;
}

/* A number that nobody else takes. */
static size_t take_number(atomic_size_t *next)
{
    return atomic_fetch_add_explicit(next, 1, memory_order_relaxed);
}

/* The next frame of a process, or SIZE_MAX. */
static size_t take_of(struct frame_queue *queue, size_t process)
{
    const struct plan_process *planned = &queue->plan->processes[process];
    size_t number = take_number(&queue->taken[process]);

    return number < planned->frame_count ? planned->first_frame + number : SIZE_MAX;
}

/* The process with most frames that nobody has taken, or SIZE_MAX. */
static size_t find_most(struct frame_queue *queue)
{
    size_t most = 0;
    size_t found = SIZE_MAX;

    for (size_t i = 0; i < queue->plan->process_count; i++) {
        size_t count = queue->plan->processes[i].frame_count;
        size_t taken = atomic_load_explicit(&queue->taken[i], memory_order_relaxed);
        size_t left = count - min_u64(taken, count);

        if (left > most) {
            most = left;
            found = i;
        }
    }
    return found;
}

size_t frame_queue_take(struct frame_queue *queue, size_t process)
{
    size_t frame = process == SIZE_MAX ? SIZE_MAX : take_of(queue, process);

    while (frame == SIZE_MAX) {
        process = take_number(&queue->next_process);
        if (process >= queue->plan->process_count) {
            process = find_most(queue);
        }
        if (process == SIZE_MAX) {
            return SIZE_MAX;
        }
        frame = take_of(queue, process);
    }
    return frame;
}

size_t frame_queue_take_repeat(struct frame_queue *queue)
{
    size_t number = take_number(&queue->next_repeat);

    return number < queue->plan->repeat_count ? number : SIZE_MAX;
}
