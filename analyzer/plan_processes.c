#include "plan_processes.h"

#include "clock_line.h"

#include <errno.h>
#include <string.h>

/* A session in a file. */
struct appearance {
    const struct scanned_session *session;
    uint32_t input;
    uint32_t number;  /* in the file */
    uint32_t process; /* before processes are sorted */
};

/* A clock reading, the first or last of a file. */
struct border_reading {
    uint32_t process;
    bool is_first;
    const struct clock_reading *clock;
};

struct merging {
    struct report_plan *plan;
    size_t count;
    struct appearance *appearances; /* owned */
    uint32_t *places;               /* owned; of processes, once sorted */
};

static int compare_numbers(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int compare_appearances(const void *left, const void *right)
{
    const struct appearance *a = left;
    const struct appearance *b = right;
    int order = memcmp(a->session->id, b->session->id, SESSION_ID_BYTES);

    order = order != 0 ? order : compare_numbers(a->session->source.part, b->session->source.part);
    order = order != 0 ? order : compare_numbers(a->input, b->input);
    return order != 0 ? order : compare_numbers(a->number, b->number);
}

static int gather(struct merging *merging)
{
    const struct report_plan *plan = merging->plan;
    size_t count = 0;

    for (size_t i = 0; i < plan->input_count; i++) {
        count += plan->inputs[i].file.session_count;
    }
    merging->appearances = calloc(count + 1, sizeof(*merging->appearances));
    merging->places = calloc(count + 1, sizeof(*merging->places));
    if (merging->appearances == NULL || merging->places == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < plan->input_count; i++) {
        const struct scanned_file *file = &plan->inputs[i].file;

        for (size_t k = 0; k < file->session_count; k++) {
            merging->appearances[merging->count++] =
                (struct appearance){&file->sessions[k], (uint32_t)i, (uint32_t)k, 0};
        }
    }
    qsort(merging->appearances, merging->count, sizeof(*merging->appearances), compare_appearances);
    return 0;
}

/* --- One session out of many appearances --- */

static void merge_totals(struct plan_process *process, const struct scanned_session *session)
{
    if (!session->has_totals) {
        return;
    }
    if (process->totals == NULL || session->totals_sequence > process->totals_sequence ||
        (session->totals_sequence == process->totals_sequence && session->is_final &&
         !process->is_final)) {
        process->totals = &session->totals;
        process->totals_sequence = session->totals_sequence;
        process->is_final = session->is_final;
    }
}

static void merge_appearance(struct plan_process *process, const struct scanned_session *session)
{
    memcpy(process->session, session->id, SESSION_ID_BYTES);
    if (process->source == NULL && session->source.is_known) {
        process->source = &session->source;
    }
    merge_totals(process, session);
    if (session->has_records) {
        process->first_ns = process->has_records ? min_u64(process->first_ns, session->first_ns)
                                                 : session->first_ns;
        process->last_ns = max_u64(process->last_ns, session->last_ns);
        process->has_records = true;
    }
    if (clock_is_read(&session->last_clock) &&
        (!clock_is_read(&process->last_clock) ||
         session->last_clock.monotonic_ns > process->last_clock.monotonic_ns)) {
        process->last_clock = session->last_clock;
    }
}

static int merge_sessions(struct merging *merging)
{
    struct report_plan *plan = merging->plan;

    plan->processes = calloc(merging->count + 1, sizeof(*plan->processes));
    if (plan->processes == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < merging->count; i++) {
        struct appearance *at = &merging->appearances[i];

        plan->process_count +=
            i == 0 || memcmp(at[-1].session->id, at->session->id, SESSION_ID_BYTES) != 0;
        at->process = (uint32_t)plan->process_count - 1;
        merge_appearance(&plan->processes[at->process], at->session);
    }
    return 0;
}

/* --- Their order --- */

static const char *executable_of(const struct plan_process *process)
{
    return process->source == NULL ? "" : process->source->executable;
}

static int compare_processes(const void *left, const void *right, void *context)
{
    const struct plan_process *processes = context;
    const struct plan_process *a = &processes[*(const uint32_t *)left];
    const struct plan_process *b = &processes[*(const uint32_t *)right];
    int order = (a->source == NULL) - (b->source == NULL);

    order = order != 0 ? order : strcmp(executable_of(a), executable_of(b));
    if (order == 0 && a->source != NULL) {
        order = compare_numbers(a->source->pid, b->source->pid);
    }
    return order != 0 ? order : memcmp(a->session, b->session, SESSION_ID_BYTES);
}

static int sort_processes(struct merging *merging)
{
    struct report_plan *plan = merging->plan;
    AUTO_FREE uint32_t *order = calloc(plan->process_count + 1, sizeof(*order));
    AUTO_FREE struct plan_process *sorted = calloc(plan->process_count + 1, sizeof(*sorted));

    if (order == NULL || sorted == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < plan->process_count; i++) {
        order[i] = (uint32_t)i;
    }
    qsort_r(order, plan->process_count, sizeof(*order), compare_processes, plan->processes);
    for (size_t i = 0; i < plan->process_count; i++) {
        sorted[i] = plan->processes[order[i]];
        merging->places[order[i]] = (uint32_t)i;
    }
    free(plan->processes);
    plan->processes = take_pointer(&sorted);
    for (size_t i = 0; i < merging->count; i++) {
        struct appearance *at = &merging->appearances[i];

        at->process = merging->places[at->process];
        plan->inputs[at->input].processes[at->number] = at->process;
    }
    return 0;
}

/* --- Clocks --- */

static const char *boot_of(const struct plan_process *process)
{
    return process->source == NULL ? "" : process->source->boot_id;
}

static int compare_boots(const void *left, const void *right, void *context)
{
    const struct plan_process *processes = context;
    const struct plan_process *a = &processes[*(const uint32_t *)left];
    const struct plan_process *b = &processes[*(const uint32_t *)right];
    int order = strcmp(boot_of(a), boot_of(b));

    order = order != 0 ? order
                       : compare_numbers(b->last_clock.monotonic_ns, a->last_clock.monotonic_ns);
    return order != 0 ? order : compare_numbers(*(const uint32_t *)left, *(const uint32_t *)right);
}

/* Sessions of one boot share a time line: all take the latest reading of any of them. */
static int set_offsets(struct report_plan *plan)
{
    AUTO_FREE uint32_t *order = calloc(plan->process_count + 1, sizeof(*order));
    const struct plan_process *latest = NULL;

    if (order == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < plan->process_count; i++) {
        order[i] = (uint32_t)i;
    }
    qsort_r(order, plan->process_count, sizeof(*order), compare_boots, plan->processes);
    for (size_t i = 0; i < plan->process_count; i++) {
        struct plan_process *process = &plan->processes[order[i]];

        if (latest == NULL || boot_of(process)[0] == '\0' ||
            strcmp(boot_of(process), boot_of(latest)) != 0) {
            latest = process;
        }
        process->offset_ns =
            clock_is_read(&latest->last_clock) ? clock_offset_ns(&latest->last_clock) : 0;
    }
    return 0;
}

static void add_step(struct plan_process *process, int64_t step_ns)
{
    uint64_t size = step_ns < 0 ? 0 - (uint64_t)step_ns : (uint64_t)step_ns;
    int64_t greatest = process->greatest_clock_step_ns;
    uint64_t greatest_size = greatest < 0 ? 0 - (uint64_t)greatest : (uint64_t)greatest;

    process->clock_steps++;
    if (size > greatest_size || (size == greatest_size && step_ns > greatest)) {
        process->greatest_clock_step_ns = step_ns;
    }
}

static bool has_step(const struct scanned_session *session, const struct clock_step *step)
{
    for (size_t i = 0; i < session->step_count; i++) {
        if (session->steps[i].sequence == step->sequence &&
            session->steps[i].step_ns == step->step_ns) {
            return true;
        }
    }
    return false;
}

/* A step that an earlier copy of the same part saw too is the same step. */
static void count_steps_inside(const struct merging *merging, size_t at)
{
    const struct appearance *this = &merging->appearances[at];

    for (size_t i = 0; i < this->session->step_count; i++) {
        const struct clock_step *step = &this->session->steps[i];
        bool is_known = false;

        for (size_t k = at; k > 0 && merging->appearances[k - 1].process == this->process; k--) {
            is_known |= has_step(merging->appearances[k - 1].session, step);
        }
        if (!is_known) {
            add_step(&merging->plan->processes[this->process], step->step_ns);
        }
    }
}

static int compare_readings(const void *left, const void *right)
{
    const struct border_reading *a = left;
    const struct border_reading *b = right;
    int order = compare_numbers(a->process, b->process);

    order = order != 0 ? order : compare_numbers(a->clock->monotonic_ns, b->clock->monotonic_ns);
    return order != 0 ? order : (int)b->is_first - (int)a->is_first;
}

/* Steps between the last reading of one file and the first of the next. */
static int count_steps_between(const struct merging *merging)
{
    AUTO_FREE struct border_reading *readings = calloc(2 * merging->count + 1, sizeof(*readings));
    size_t count = 0;

    if (readings == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < merging->count; i++) {
        const struct appearance *at = &merging->appearances[i];

        if (clock_is_read(&at->session->first_clock)) {
            readings[count++] =
                (struct border_reading){at->process, true, &at->session->first_clock};
            readings[count++] =
                (struct border_reading){at->process, false, &at->session->last_clock};
        }
    }
    qsort(readings, count, sizeof(*readings), compare_readings);
    for (size_t i = 1; i < count; i++) {
        bool is_border = readings[i].is_first && readings[i - 1].process == readings[i].process;
        int64_t step_ns = is_border ? clock_step_ns(readings[i - 1].clock, readings[i].clock) : 0;

        if (step_ns != 0) {
            add_step(&merging->plan->processes[readings[i].process], step_ns);
        }
    }
    return 0;
}

static int count_steps(const struct merging *merging)
{
    for (size_t i = 0; i < merging->count; i++) {
        count_steps_inside(merging, i);
    }
    return count_steps_between(merging);
}

/* --- What collectors lost --- */

static void add_loss(struct plan_process *process, const struct loss *loss)
{
    struct plan_loss *sum = &process->losses[loss->cause];

    if (record_counts_are_zero(&loss->count)) {
        return;
    }
    sum->first_ns = record_counts_are_zero(&sum->count) ? loss->first_ns
                                                        : min_u64(sum->first_ns, loss->first_ns);
    sum->last_ns = max_u64(sum->last_ns, loss->last_ns);
    record_counts_add(&sum->count, &loss->count);
}

/* An End that tells of losses. */
struct lossy_end {
    uint32_t process;
    const struct scanned_end *end;
};

static int compare_ends(const void *left, const void *right)
{
    const struct lossy_end *a = left;
    const struct lossy_end *b = right;
    int order = compare_numbers(a->process, b->process);

    order = order != 0 ? order : compare_numbers(a->end->part, b->end->part);
    return order != 0 ? order : compare_numbers(b->end->sequence, a->end->sequence);
}

static int gather_ends(const struct report_plan *plan, struct lossy_end **ret_ends,
                       size_t *ret_count)
{
    size_t count = 0;

    for (size_t i = 0; i < plan->input_count; i++) {
        count += plan->inputs[i].file.end_count;
    }
    *ret_ends = calloc(count + 1, sizeof(**ret_ends));
    *ret_count = 0;
    for (size_t i = 0; *ret_ends != NULL && i < plan->input_count; i++) {
        const struct plan_input *input = &plan->inputs[i];

        for (size_t k = 0; k < input->file.end_count; k++) {
            const struct scanned_end *end = &input->file.ends[k];

            (*ret_ends)[(*ret_count)++] = (struct lossy_end){input->processes[end->session], end};
        }
    }
    return *ret_ends == NULL ? -ENOMEM : 0;
}

/* Copies of a part have the same End: it counts once. */
static int add_losses(struct report_plan *plan)
{
    AUTO_FREE struct lossy_end *ends = NULL;
    size_t count = 0;
    int r = gather_ends(plan, &ends, &count);

    if (r < 0) {
        return r;
    }
    qsort(ends, count, sizeof(*ends), compare_ends);
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && ends[i].process == ends[i - 1].process &&
            ends[i].end->part == ends[i - 1].end->part) {
            continue;
        }
        for (uint32_t n = 0; n < ends[i].end->loss_count; n++) {
            add_loss(&plan->processes[ends[i].process], &ends[i].end->losses[n]);
        }
    }
    return 0;
}

int plan_processes_make(struct report_plan *plan)
{
    struct merging merging = {.plan = plan};
    int r = gather(&merging);

    r = r < 0 ? r : merge_sessions(&merging);
    r = r < 0 ? r : sort_processes(&merging);
    r = r < 0 ? r : set_offsets(plan);
    r = r < 0 ? r : count_steps(&merging);
    r = r < 0 ? r : add_losses(plan);
    free(merging.appearances);
    free(merging.places);
    return r;
}
