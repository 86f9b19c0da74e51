#include "report_make_parts.h"

#include "coarse_buckets.h"
#include "rank_cut.h"

#include <errno.h>
#include <math.h>
#include <string.h>

enum { KEY_BUCKET_BITS = 16, KEY_BUCKET_MASK = (1 << KEY_BUCKET_BITS) - 1 };

#define TAIL_RANK 0.99

/* Sums over some cells. */
struct family_sum {
    uint64_t count;
    uint64_t outlived;
    uint128 inside_ns;
    uint128 outlived_ns;
};

/* The cells of a child, or of the parents themselves: those of a key's upper half stand together. */
struct family_run {
    const struct family_cell *cells;
    size_t count;
};

static uint32_t child_of(const struct family_cell *cell)
{
    return cell->key >> KEY_BUCKET_BITS;
}

static struct family_run run_from(const struct family_tally *family, size_t at)
{
    struct family_run run = {&family->cells[at], 1};

    while (at + run.count < family->count &&
           child_of(&family->cells[at + run.count]) == child_of(&family->cells[at])) {
        run.count++;
    }
    return run;
}

static struct family_sum sum_up(const struct family_run *run, size_t from_bucket)
{
    struct family_sum sum = {0};

    for (size_t i = 0; i < run->count; i++) {
        const struct family_cell *cell = &run->cells[i];

        if ((cell->key & KEY_BUCKET_MASK) >= from_bucket) {
            sum.count += cell->count;
            sum.outlived += cell->outlived;
            sum.inside_ns += cell->inside_ns;
            sum.outlived_ns += cell->outlived_ns;
        }
    }
    return sum;
}

/* The parents stand last. */
static struct family_run parents_of(const struct family_tally *family)
{
    size_t at = family->count;

    while (at > 0 && child_of(&family->cells[at - 1]) == FAMILY_SELF) {
        at--;
    }
    return (struct family_run){&family->cells[at], family->count - at};
}

/* The first coarse bucket of the slowest parents; COARSE_BUCKETS if there are none. */
static int find_tail(const struct family_run *parents, size_t *ret_bucket)
{
    AUTO_FREE uint64_t *counts = calloc(parents->count + 1, sizeof(*counts));

    if (counts == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < parents->count; i++) {
        counts[i] = parents->cells[i].count;
    }

    size_t cut = rank_cut(counts, parents->count, TAIL_RANK, 0);

    *ret_bucket =
        cut == parents->count ? COARSE_BUCKETS : parents->cells[cut].key & KEY_BUCKET_MASK;
    return 0;
}

static double ratio(double part, double whole)
{
    return whole > 0 ? part / whole : NAN;
}

static int describe_child(struct report_child *child, const struct family_run *run,
                          const struct report_children *family, size_t tail_bucket,
                          const struct name_ranks *names)
{
    const struct family_sum all = sum_up(run, 0);
    const struct family_sum tail = sum_up(run, tail_bucket);
    uint32_t number = child_of(run->cells);
    bool is_other = number >= FAMILY_CHILD_LIMIT || number >= names->groups[GROUP_OPERATION].kept;

    *child = (struct report_child){
        .name =
            strdup(is_other ? OTHER_NAME : name_ranks_entry(names, GROUP_OPERATION, number)->text),
        .count = all.count,
        .outlived = all.outlived,
        .outlived_mean_ns = ratio((double)all.outlived_ns, (double)all.outlived),
        .inside_mean_ns = ratio((double)all.inside_ns, (double)family->parents),
        .tail_inside_mean_ns = ratio((double)tail.inside_ns, (double)family->tail_parents),
    };
    child->share = ratio(child->inside_mean_ns, family->parents_mean_ns);
    child->tail_share = ratio(child->tail_inside_mean_ns, family->tail_mean_ns);
    return child->name == NULL ? -ENOMEM : 0;
}

/* NaN is less than any number; names are unique but for the others. */
static int compare_children(const void *left, const void *right)
{
    const struct report_child *a = left;
    const struct report_child *b = right;
    double by_tail =
        (isnan(b->tail_share) ? -1 : b->tail_share) - (isnan(a->tail_share) ? -1 : a->tail_share);
    double by_all = (isnan(b->share) ? -1 : b->share) - (isnan(a->share) ? -1 : a->share);

    if (by_tail != 0 || by_all != 0) {
        return by_tail != 0 ? (by_tail > 0 ? 1 : -1) : (by_all > 0 ? 1 : -1);
    }
    return strcmp(a->name, b->name);
}

static int list_children(struct report_children *made, const struct family_tally *family,
                         size_t tail_bucket, const struct name_ranks *names)
{
    int r = 0;

    made->children = calloc(family->count + 1, sizeof(*made->children));
    if (made->children == NULL) {
        return -ENOMEM;
    }
    for (size_t at = 0; r == 0 && at < family->count;) {
        const struct family_run run = run_from(family, at);

        at += run.count;
        if (child_of(run.cells) != FAMILY_SELF) {
            r = describe_child(&made->children[made->child_count++], &run, made, tail_bucket,
                               names);
        }
    }
    if (r == 0) {
        qsort(made->children, made->child_count, sizeof(*made->children), compare_children);
    }
    return r;
}

int report_make_children(struct report_operation *operation, const struct operation_tally *tally,
                         const struct name_ranks *names)
{
    const struct family_tally *family = tally->family;

    if (family == NULL || family->fan_out.count == 0) {
        return 0;
    }
    operation->children = calloc(1, sizeof(*operation->children));

    struct report_children *made = operation->children;
    const struct family_run parents = parents_of(family);
    size_t tail_bucket = 0;
    int r = made == NULL ? -ENOMEM : find_tail(&parents, &tail_bucket);

    if (r < 0) {
        return r;
    }

    const struct family_sum all = sum_up(&parents, 0);
    const struct family_sum tail = sum_up(&parents, tail_bucket);

    made->parents = all.count;
    made->parents_mean_ns = ratio((double)all.inside_ns, (double)all.count);
    made->tail_parents = tail.count;
    made->tail_from_ns = tail.count > 0 ? (double)coarse_bucket_low(tail_bucket) : NAN;
    made->tail_mean_ns = ratio((double)tail.inside_ns, (double)tail.count);
    distribution_summarize(&family->fan_out, &made->fan_out);
    return list_children(made, family, tail_bucket, names);
}
