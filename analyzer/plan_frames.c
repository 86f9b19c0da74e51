#include "plan_frames.h"

#include <errno.h>

static int compare_numbers(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int compare_places(const void *left, const void *right)
{
    const struct plan_frame *a = left;
    const struct plan_frame *b = right;
    int order = compare_numbers(a->input, b->input);

    return order != 0 ? order : compare_numbers(a->offset_bytes, b->offset_bytes);
}

static int compare_frames(const void *left, const void *right)
{
    const struct plan_frame *a = left;
    const struct plan_frame *b = right;
    int order = compare_numbers(a->process, b->process);

    order = order != 0 ? order : compare_numbers(a->sequence, b->sequence);
    return order != 0 ? order : compare_places(left, right);
}

/* Takes the frames out of the files, which do not need them any more. */
static int gather(struct report_plan *plan)
{
    size_t count = 0;

    for (size_t i = 0; i < plan->input_count; i++) {
        count += plan->inputs[i].file.frame_count;
    }
    plan->frames = calloc(count + 1, sizeof(*plan->frames));
    if (plan->frames == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < plan->input_count; i++) {
        struct plan_input *input = &plan->inputs[i];

        for (size_t k = 0; k < input->file.frame_count; k++) {
            const struct scanned_frame *frame = &input->file.frames[k];

            plan->frames[plan->frame_count++] = (struct plan_frame){
                .offset_bytes = frame->offset_bytes,
                .sequence = frame->sequence,
                .size_bytes = frame->size_bytes,
                .input = (uint32_t)i,
                .process = input->processes[frame->session],
            };
        }
        free(input->file.frames);
        input->file.frames = NULL;
    }
    qsort(plan->frames, plan->frame_count, sizeof(*plan->frames), compare_frames);
    return 0;
}

static int is_same_batch(const struct plan_frame *a, const struct plan_frame *b)
{
    return a->process == b->process && a->sequence == b->sequence;
}

static int move_repeats(struct report_plan *plan)
{
    size_t kept = 0;
    size_t repeats = 0;

    for (size_t i = 1; i < plan->frame_count; i++) {
        repeats += (size_t)is_same_batch(&plan->frames[i - 1], &plan->frames[i]);
    }
    plan->repeats = calloc(repeats + 1, sizeof(*plan->repeats));
    if (plan->repeats == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < plan->frame_count; i++) {
        if (kept > 0 && is_same_batch(&plan->frames[kept - 1], &plan->frames[i])) {
            plan->repeats[plan->repeat_count++] = plan->frames[i];
            plan->inputs[plan->frames[i].input].repeated_batches++;
        } else {
            plan->frames[kept++] = plan->frames[i];
        }
    }
    plan->frame_count = kept;
    qsort(plan->repeats, plan->repeat_count, sizeof(*plan->repeats), compare_places);
    return 0;
}

static void number_runs(struct report_plan *plan)
{
    for (size_t i = 0; i < plan->frame_count; i++) {
        struct plan_frame *frame = &plan->frames[i];
        struct plan_process *process = &plan->processes[frame->process];

        if (process->frame_count == 0) {
            process->first_frame = i;
        } else {
            frame->run = frame[-1].run + (frame->sequence != frame[-1].sequence + 1);
        }
        process->frame_count++;
        process->frame_bytes += frame->size_bytes;
    }
}

int plan_frames_make(struct report_plan *plan)
{
    int r = gather(plan);

    r = r < 0 ? r : move_repeats(plan);
    if (r == 0) {
        number_runs(plan);
    }
    return r;
}
