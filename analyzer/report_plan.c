#include "report_plan.h"

#include "clock_line.h"
#include "plan_frames.h"
#include "plan_processes.h"
#include "utf8.h"

#include <errno.h>
#include <string.h>

enum { FILE_NAME_BYTES = 512 };

void report_plan_release(struct report_plan *plan)
{
    for (size_t i = 0; i < plan->input_count; i++) {
        scanned_file_release(&plan->inputs[i].file);
        free(plan->inputs[i].processes);
        free(plan->inputs[i].name);
    }
    free(plan->inputs);
    free(plan->processes);
    free(plan->frames);
    free(plan->repeats);
    name_ranks_release(&plan->names);
    *plan = (struct report_plan){0};
}

/* The base name as valid UTF-8. */
static char *shown_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash == NULL ? path : slash + 1;
    char shown[FILE_NAME_BYTES];

    (void)utf8_copy(shown, sizeof(shown), base, strlen(base), NULL);
    return strdup(shown);
}

static int compare_numbers(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

/* By session, part, content; files without a session last. Equal contents differ in nothing but their names. */
static int compare_inputs(const void *left, const void *right)
{
    const struct scanned_file *a = &((const struct plan_input *)left)->file;
    const struct scanned_file *b = &((const struct plan_input *)right)->file;
    int order = (a->session_count == 0) - (b->session_count == 0);

    if (order == 0 && a->session_count > 0) {
        order = memcmp(a->sessions[0].id, b->sessions[0].id, SESSION_ID_BYTES);
        order = order != 0
                    ? order
                    : compare_numbers(a->sessions[0].source.part, b->sessions[0].source.part);
    }
    order = order != 0 ? order : compare_numbers(a->content_hash, b->content_hash);
    order = order != 0 ? order
                       : strcmp(((const struct plan_input *)left)->name,
                                ((const struct plan_input *)right)->name);
    return order != 0 ? order : strcmp(a->path, b->path);
}

static int take_inputs(struct report_plan *plan, struct scanned_file *files, size_t file_count)
{
    int r = 0;

    plan->inputs = calloc(file_count + 1, sizeof(*plan->inputs));
    for (size_t i = 0; i < file_count; i++) {
        if (plan->inputs == NULL) {
            scanned_file_release(&files[i]);
            continue;
        }

        struct plan_input *input = &plan->inputs[plan->input_count++];

        input->file = files[i];
        input->name = shown_name(files[i].path);
        input->processes = calloc(files[i].session_count + 1, sizeof(*input->processes));
        r = input->name == NULL || input->processes == NULL ? -ENOMEM : r;
        files[i] = (struct scanned_file){0};
    }
    if (plan->inputs == NULL || r < 0) {
        return -ENOMEM;
    }
    qsort(plan->inputs, plan->input_count, sizeof(*plan->inputs), compare_inputs);
    return 0;
}

static void find_range(struct report_plan *plan)
{
    for (size_t i = 0; i < plan->process_count; i++) {
        const struct plan_process *process = &plan->processes[i];

        if (!process->has_records) {
            continue;
        }

        uint64_t first_ns = clock_realtime_ns(process->first_ns, process->offset_ns);
        uint64_t last_ns = clock_realtime_ns(process->last_ns, process->offset_ns);

        plan->first_realtime_ns =
            plan->first_realtime_ns == 0 ? first_ns : min_u64(plan->first_realtime_ns, first_ns);
        plan->last_realtime_ns = max_u64(plan->last_realtime_ns, last_ns);
    }
    if (plan->first_realtime_ns != 0) {
        plan->grid = time_grid_make(plan->first_realtime_ns, plan->last_realtime_ns);
    }
}

static uint64_t bytes_of(const struct report_plan *plan)
{
    uint64_t bytes = plan->input_count * sizeof(*plan->inputs) +
                     plan->process_count * sizeof(*plan->processes) +
                     (plan->frame_count + plan->repeat_count) * sizeof(*plan->frames);

    for (size_t i = 0; i < plan->input_count; i++) {
        const struct scanned_file *file = &plan->inputs[i].file;

        bytes +=
            file->session_count * sizeof(*file->sessions) + file->end_count * sizeof(*file->ends);
    }
    return bytes;
}

/* Metrics may be those of pools. */
static uint64_t queue_bytes(const struct report_plan *plan, const struct memory_wish *wish)
{
    const struct ranked_names *groups = plan->names.groups;

    return groups[GROUP_QUEUE].count + groups[GROUP_METRIC].count == 0
               ? 0
               : queue_room_bytes(wish->memory_bytes);
}

int report_plan_make(struct report_plan *ret_plan, struct scanned_file *files, size_t file_count,
                     struct name_ranks *names, const struct memory_wish *wish)
{
    *ret_plan = (struct report_plan){.names = *names};
    *names = (struct name_ranks){.memory_limit_bytes = names->memory_limit_bytes};

    int r = take_inputs(ret_plan, files, file_count);

    r = r < 0 ? r : plan_processes_make(ret_plan);
    r = r < 0 ? r : plan_frames_make(ret_plan);
    r = r < 0 ? r : name_ranks_rank(&ret_plan->names);
    if (r < 0) {
        return r;
    }
    find_range(ret_plan);

    if (wish->with_load) {
        ret_plan->load_room =
            load_room_make(wish->memory_bytes, ret_plan->names.groups[GROUP_OPERATION].count);
    }

    const struct memory_need need = {ret_plan->grid.count, bytes_of(ret_plan) +
                                                               ret_plan->load_room.bytes +
                                                               queue_bytes(ret_plan, wish)};

    return memory_plan_make(&ret_plan->memory, &ret_plan->names, wish, &need);
}

bool report_plan_is_last_frame(const struct report_plan *plan, const struct plan_frame *frame)
{
    const struct plan_process *process = &plan->processes[frame->process];

    return frame == &plan->frames[process->first_frame + process->frame_count - 1];
}
