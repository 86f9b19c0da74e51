#include "running_split.h"

#include "growing_list.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

enum {
    LEAST_CAPACITY = 64,   /* a power of two */
    HASHES_PER_THREAD = 2, /* likewise */
};

static const char wait_name[] = "process.run_queue.wait";
static const char user_name[] = "process.cpu.user_time";
static const char system_name[] = "process.cpu.system_time";
static const char throttled_name[] = "process.cgroup.cpu.throttled_time";
static const char gc_name[] = "gc";

/* Which samples make points, which are added to their CPU times. */
enum sample_role { ROLE_NONE, ROLE_POINT, ROLE_CPU };

void running_split_release(struct running_split *split)
{
    free(split->slots);
    free(split->hashes);
    free(split->starts);
    free(split->points);
    free(split->spans);
    *split = (struct running_split){0};
}

/* --- Samples --- */

static enum sample_role role_of(const struct batch *batch, uint32_t sample)
{
    const struct batch_name *name = &batch->names[batch->samples.metric[sample]];
    bool is_thread = batch->samples.thread[sample] != 0;

    if (name->kind != NAME_COUNTER_TOTAL || name->value != VALUE_INTEGER ||
        (int64_t)batch->samples.value[sample] < 0) {
        return ROLE_NONE;
    }
    if (strcmp(name->text, is_thread ? wait_name : throttled_name) == 0) {
        return ROLE_POINT;
    }
    return is_thread && (strcmp(name->text, user_name) == 0 || strcmp(name->text, system_name) == 0)
               ? ROLE_CPU
               : ROLE_NONE;
}

/*
 * A thread is sampled from its first moment and records later, as another one: both have its tid. The table has at least two
 * places for each thread.
 */
static void find_slots(struct running_split *split, const struct batch *batch)
{
    uint32_t mask = (uint32_t)(HASHES_PER_THREAD * split->thread_capacity) - 1;

    memset(split->hashes, 0, HASHES_PER_THREAD * split->thread_capacity * sizeof(*split->hashes));
    for (uint32_t i = 0; i < batch->thread_count; i++) {
        uint32_t tid = batch->threads[i].tid;
        uint32_t at = tid * 2654435761U & mask; /* Knuth's multiplicative hash */

        split->slots[i] = i;
        while (tid != 0 && split->hashes[at] != 0 &&
               batch->threads[split->hashes[at] - 1].tid != tid) {
            at = (at + 1) & mask;
        }
        if (tid != 0 && split->hashes[at] != 0) {
            split->slots[i] = split->hashes[at] - 1;
        } else if (tid != 0) {
            split->hashes[at] = i + 1;
        }
    }
}

/* Threads are 0 .. thread_count - 1, the process is thread_count. */
static uint32_t slot_of(const struct running_split *split, const struct batch *batch,
                        uint32_t sample)
{
    uint32_t thread = batch->samples.thread[sample];

    return thread == 0 ? split->thread_count : split->slots[thread - 1];
}

static int reserve_threads(struct running_split *split, size_t count)
{
    size_t capacity = LEAST_CAPACITY;

    if (count <= split->thread_capacity) {
        return 0;
    }
    while (capacity < count) {
        capacity *= 2;
    }
    free(split->slots);
    free(split->hashes);
    free(split->starts);
    split->slots = calloc(capacity, sizeof(*split->slots));
    split->hashes = calloc(HASHES_PER_THREAD * capacity, sizeof(*split->hashes));
    split->starts = calloc(capacity, sizeof(*split->starts));
    split->thread_capacity = capacity;
    if (split->slots == NULL || split->hashes == NULL || split->starts == NULL) {
        split->thread_capacity = 0;
        return -ENOMEM;
    }
    return 0;
}

static int reserve(struct running_split *split, const struct batch *batch)
{
    size_t points = max_u64(batch->samples.count, 1);

    if (points > split->point_capacity) {
        free(split->points);
        split->points = calloc(points, sizeof(*split->points));
        split->point_capacity = split->points == NULL ? 0 : points;
    }
    return split->points == NULL ? -ENOMEM
                                 : reserve_threads(split, batch->thread_count + (size_t)3);
}

/* A counting sort, as that of row_groups.c: starts[i + 1] moves to the end of i while points are put. */
static void put_points(struct running_split *split, const struct batch *batch)
{
    memset(split->starts, 0, (split->thread_count + (size_t)3) * sizeof(*split->starts));
    for (uint32_t i = 0; i < batch->samples.count; i++) {
        if (role_of(batch, i) == ROLE_POINT) {
            split->starts[slot_of(split, batch, i) + 2]++;
        }
    }
    for (uint32_t i = 2; i < split->thread_count + 3; i++) {
        split->starts[i] += split->starts[i - 1];
    }
    for (uint32_t i = 0; i < batch->samples.count; i++) {
        if (role_of(batch, i) == ROLE_POINT) {
            split->points[split->starts[slot_of(split, batch, i) + 1]++] =
                (struct split_point){batch->samples.time_ns[i], batch->samples.value[i], 0};
        }
    }
}

/* The first of a thread's points that is at time_ns or later, or end. */
static uint32_t first_from(const struct running_split *split, uint32_t first, uint32_t end,
                           uint64_t time_ns)
{
    while (first < end) {
        uint32_t middle = first + (end - first) / 2;

        if (split->points[middle].time_ns < time_ns) {
            first = middle + 1;
        } else {
            end = middle;
        }
    }
    return first;
}

/* CPU times are sampled together with the wait. */
static void put_cpu_times(struct running_split *split, const struct batch *batch)
{
    for (uint32_t i = 0; i < batch->samples.count; i++) {
        if (role_of(batch, i) != ROLE_CPU) {
            continue;
        }

        uint32_t slot = slot_of(split, batch, i);
        uint32_t end = split->starts[slot + 1];
        uint32_t at = first_from(split, split->starts[slot], end, batch->samples.time_ns[i]);

        if (at < end && split->points[at].time_ns == batch->samples.time_ns[i]) {
            split->points[at].cpu_ns += batch->samples.value[i];
        }
    }
}

/* --- Garbage collections --- */

static int add_span(struct running_split *split, uint64_t begin_ns, uint64_t end_ns)
{
    struct gc_span *last = split->span_count == 0 ? NULL : &split->spans[split->span_count - 1];

    if (last != NULL && begin_ns <= last->end_ns) {
        last->end_ns = max_u64(last->end_ns, end_ns);
        return 0;
    }

    uint64_t before_ns = last == NULL ? 0 : last->before_ns + (last->end_ns - last->begin_ns);
    int r = growing_list_reserve((void *)&split->spans, &split->span_capacity, split->span_count,
                                 sizeof(*split->spans));

    if (r == 0) {
        split->spans[split->span_count++] = (struct gc_span){begin_ns, end_ns, before_ns};
    }
    return r;
}

/* Pauses say what they are by their unit; what is called "gc" is taken for one, too. */
static bool is_collection(const struct batch_name *name)
{
    return name->kind == NAME_OPERATION &&
           (strcmp(name->unit, UNIT_COLLECTION) == 0 || strcmp(name->text, gc_name) == 0);
}

static bool has_collections(const struct batch *batch)
{
    uint32_t name = 0;

    while (name < batch->name_count && !is_collection(&batch->names[name])) {
        name++;
    }
    return name < batch->name_count;
}

static int put_spans(struct running_split *split, const struct batch *batch)
{
    const struct batch_operations *operations = &batch->operations;
    bool has_any = has_collections(batch);
    int r = 0;

    split->span_count = 0;
    for (uint32_t i = 0; r == 0 && has_any && i < operations->count; i++) {
        if (is_collection(&batch->names[operations->name[i]])) {
            r = add_span(split, operations->begin_ns[i],
                         operations->begin_ns[i] + operations->duration_ns[i]);
        }
    }
    return r;
}

/* The time before time_ns that is covered. */
static uint64_t covered_until(const struct running_split *split, uint64_t time_ns)
{
    size_t low = 0;
    size_t high = split->span_count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (split->spans[middle].begin_ns < time_ns) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == 0) {
        return 0;
    }

    const struct gc_span *span = &split->spans[low - 1];

    return span->before_ns + (min_u64(time_ns, span->end_ns) - span->begin_ns);
}

int running_split_make(struct running_split *split, const struct batch *batch)
{
    int r = reserve(split, batch);

    split->thread_count = batch->thread_count;
    if (r == 0) {
        find_slots(split, batch);
        put_points(split, batch);
        put_cpu_times(split, batch);
        r = put_spans(split, batch);
    }
    return r;
}

unsigned int running_split_sources(const struct running_split *split)
{
    unsigned int sources = split->span_count > 0 ? 1U << RUNNING_IN_GC : 0;

    if (split->starts[split->thread_count] > 0) {
        sources |= 1U << RUNNING_NOT_ON_CPU;
    }
    if (split->starts[split->thread_count + 1] > split->starts[split->thread_count]) {
        sources |= 1U << RUNNING_THROTTLED;
    }
    return sources;
}

/* --- One operation --- */

/* What passed between the points of a slot that enclose the time, else the nearest two. false if there are no two. */
static bool difference(const struct running_split *split, uint32_t slot, uint64_t begin_ns,
                       uint64_t end_ns, struct split_point *ret_difference)
{
    uint32_t first = split->starts[slot];
    uint32_t end = split->starts[slot + 1];

    if (end - first < 2) {
        return false;
    }

    uint32_t to = first_from(split, first + 1, end - 1, end_ns);
    uint32_t from = first_from(split, first, to, begin_ns);

    from -= from == to || (from > first && split->points[from].time_ns > begin_ns);

    const struct split_point *a = &split->points[from];
    const struct split_point *b = &split->points[to];

    *ret_difference = (struct split_point){
        b->time_ns - a->time_ns,
        b->wait_ns - min_u64(a->wait_ns, b->wait_ns),
        b->cpu_ns - min_u64(a->cpu_ns, b->cpu_ns),
    };
    return true;
}

/* value * part / whole, with 0 <= part <= whole; nothing of nothing. */
static uint64_t share_of(uint64_t value, double part, double whole)
{
    return whole > 0 ? min_u64((uint64_t)((double)value * (part / whole)), value) : 0;
}

struct running_estimates running_split_estimate(const struct running_split *split,
                                                const struct batch *batch, uint32_t row,
                                                uint64_t running_ns)
{
    uint64_t begin_ns = batch->operations.begin_ns[row];
    uint64_t duration_ns = batch->operations.duration_ns[row];
    uint64_t end_ns = begin_ns + duration_ns;
    struct running_estimates found = {0};
    struct split_point passed;
    uint64_t most_ns = running_ns;

    if (difference(split, split->slots[batch->operations.end_thread[row]], begin_ns, end_ns,
                   &passed)) {
        found.sampled_ns = running_ns;
        most_ns = share_of(running_ns, (double)passed.wait_ns,
                           (double)passed.wait_ns + (double)passed.cpu_ns);
        found.ns[RUNNING_NOT_ON_CPU] = most_ns;
    }
    if (difference(split, split->thread_count, begin_ns, end_ns, &passed)) {
        uint64_t throttled_ns = min_u64(passed.wait_ns, passed.time_ns);

        found.ns[RUNNING_THROTTLED] =
            min_u64(most_ns, share_of(running_ns, (double)throttled_ns, (double)passed.time_ns));
    }
    if (split->span_count > 0) {
        uint64_t covered_ns = covered_until(split, end_ns) - covered_until(split, begin_ns);

        found.ns[RUNNING_IN_GC] = share_of(running_ns, (double)covered_ns, (double)duration_ns);
    }
    return found;
}
