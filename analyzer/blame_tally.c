#include "blame_tally.h"

#include "coarse_buckets.h"
#include "growing_list.h"

#include <errno.h>
#include <string.h>

void blame_tally_release(struct blame_tally *tally)
{
    for (size_t i = 0; i < tally->pair_count; i++) {
        free(tally->pairs[i].cells);
    }
    free(tally->pairs);
    *tally = (struct blame_tally){0};
}

size_t blame_tally_memory_bytes(const struct blame_tally *tally)
{
    size_t bytes = tally->pair_capacity * sizeof(*tally->pairs);

    for (size_t i = 0; i < tally->pair_count; i++) {
        bytes += tally->pairs[i].cell_capacity * sizeof(*tally->pairs[i].cells);
    }
    return bytes;
}

/* --- Pairs and their cells --- */

static int find_pair(struct blame_tally *tally, uint32_t holder, uint32_t delayed,
                     struct blame_pair **ret_pair)
{
    uint64_t wanted = (uint64_t)holder << 32 | delayed;
    size_t low = 0;
    size_t high = tally->pair_count;

    while (low < high) {
        size_t middle = (low + high) / 2;
        const struct blame_pair *pair = &tally->pairs[middle];

        if (((uint64_t)pair->holder << 32 | pair->delayed) < wanted) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == tally->pair_count || tally->pairs[low].holder != holder ||
        tally->pairs[low].delayed != delayed) {
        int r = growing_list_reserve((void *)&tally->pairs, &tally->pair_capacity,
                                     tally->pair_count, sizeof(*tally->pairs));

        if (r < 0) {
            return r;
        }
        memmove(&tally->pairs[low + 1], &tally->pairs[low],
                (tally->pair_count++ - low) * sizeof(*tally->pairs));
        tally->pairs[low] = (struct blame_pair){.holder = holder, .delayed = delayed};
    }
    *ret_pair = &tally->pairs[low];
    return 0;
}

static int add_to_cell(struct blame_pair *pair, uint32_t bucket, uint128 delay_ns)
{
    size_t at = pair->cell_count;

    while (at > 0 && pair->cells[at - 1].bucket >= bucket) {
        at--;
    }
    if (at == pair->cell_count || pair->cells[at].bucket != bucket) {
        int r = growing_list_reserve((void *)&pair->cells, &pair->cell_capacity, pair->cell_count,
                                     sizeof(*pair->cells));

        if (r < 0) {
            return r;
        }
        memmove(&pair->cells[at + 1], &pair->cells[at],
                (pair->cell_count++ - at) * sizeof(*pair->cells));
        pair->cells[at] = (struct blame_cell){.bucket = bucket};
    }
    pair->cells[at].delay_ns += delay_ns;
    return 0;
}

/* The one that brought more delay first; the order is total. */
static int compare_exemplars(const struct blame_exemplar *a, const struct blame_exemplar *b)
{
    return a->delay_ns != b->delay_ns ? (a->delay_ns > b->delay_ns ? -1 : 1)
                                      : memcmp(&a->run, &b->run, sizeof(a->run));
}

static void add_exemplar(struct blame_pair *pair, const struct blame_exemplar *exemplar)
{
    size_t at = pair->exemplar_count;

    while (at > 0 && compare_exemplars(exemplar, &pair->exemplars[at - 1]) < 0) {
        at--;
    }
    if (at == BLAME_EXEMPLARS) {
        return;
    }
    pair->exemplar_count += pair->exemplar_count < BLAME_EXEMPLARS;
    memmove(&pair->exemplars[at + 1], &pair->exemplars[at],
            (pair->exemplar_count - 1 - at) * sizeof(*exemplar));
    pair->exemplars[at] = *exemplar;
}

/* --- Runs meet waits --- */

/* Waits of one session, by thread and begin, and how far back those reach that begin before them on the same thread. */
struct wait_index {
    const struct blame_list *waits;
    uint64_t *latest_ns; /* owned; greatest end of the waits of the thread up to this one */
};

static uint64_t end_of(const struct blame_row *row)
{
    return row->begin_ns + row->length_ns;
}

static int index_waits(struct wait_index *ret_index, const struct blame_list *waits)
{
    uint64_t *latest_ns = malloc((waits->count + 1) * sizeof(*latest_ns));

    if (latest_ns == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < waits->count; i++) {
        bool is_first = i == 0 || waits->rows[i - 1].serial != waits->rows[i].serial;

        latest_ns[i] = max_u64(is_first ? 0 : latest_ns[i - 1], end_of(&waits->rows[i]));
    }
    *ret_index = (struct wait_index){waits, latest_ns};
    return 0;
}

/* The first wait that does not begin before the end of the run, on its thread. */
static size_t first_behind(const struct blame_list *waits, const struct blame_row *run)
{
    size_t low = 0;
    size_t high = waits->count;

    while (low < high) {
        size_t middle = (low + high) / 2;
        const struct blame_row *wait = &waits->rows[middle];

        if (wait->serial < run->serial ||
            (wait->serial == run->serial && wait->begin_ns < end_of(run))) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* What a run did to the operations of one name. */
struct delayed_name {
    uint32_t name;
    struct blame_exemplar exemplar;
};

struct delayed_names {
    size_t count;
    size_t capacity;
    struct delayed_name *names; /* owned */
};

static int note_delay(struct delayed_names *names, const struct blame_row *run, uint32_t name,
                      uint64_t delay_ns)
{
    size_t at = 0;

    while (at < names->count && names->names[at].name != name) {
        at++;
    }
    if (at == names->count) {
        int r = growing_list_reserve((void *)&names->names, &names->capacity, names->count,
                                     sizeof(*names->names));

        if (r < 0) {
            return r;
        }
        names->names[names->count++] = (struct delayed_name){name, {.run = *run}};
    }

    struct blame_exemplar *exemplar = &names->names[at].exemplar;

    exemplar->delayed++;
    exemplar->delay_ns += min_u64(delay_ns, UINT64_MAX - exemplar->delay_ns);
    return 0;
}

static int add_delay(struct blame_tally *tally, struct delayed_names *names,
                     const struct blame_row *run, const struct blame_row *wait)
{
    uint64_t begin_ns = max_u64(run->begin_ns, wait->begin_ns);
    uint64_t end_ns = min_u64(end_of(run), end_of(wait));
    struct blame_pair *pair = NULL;

    if (begin_ns >= end_ns || (run->id != 0 && run->id == wait->id)) {
        return 0;
    }

    int r = find_pair(tally, run->name, wait->name, &pair);

    if (r < 0) {
        return r;
    }
    pair->delay_ns += end_ns - begin_ns;
    pair->delays++;
    r = add_to_cell(pair, (uint32_t)coarse_bucket_of(wait->duration_ns), end_ns - begin_ns);
    return r < 0 ? r : note_delay(names, run, wait->name, end_ns - begin_ns);
}

static int join_run(struct blame_tally *tally, const struct wait_index *index,
                    const struct blame_row *run, struct delayed_names *names)
{
    const struct blame_list *waits = index->waits;
    size_t i = first_behind(waits, run);
    int r = 0;

    names->count = 0;
    while (r == 0 && i-- > 0 && waits->rows[i].serial == run->serial &&
           index->latest_ns[i] > run->begin_ns) {
        r = add_delay(tally, names, run, &waits->rows[i]);
    }
    for (size_t k = 0; r == 0 && k < names->count; k++) {
        struct blame_pair *pair = NULL;

        r = find_pair(tally, run->name, names->names[k].name, &pair);
        if (r == 0) {
            add_exemplar(pair, &names->names[k].exemplar);
        }
    }
    tally->run_ns += run->length_ns;
    return r;
}

int blame_tally_join(struct blame_tally *tally, const struct blame_list *runs,
                     const struct blame_list *waits)
{
    struct delayed_names names = {0};
    struct wait_index index = {0};
    int r = index_waits(&index, waits);

    for (size_t i = 0; r == 0 && i < runs->count; i++) {
        r = join_run(tally, &index, &runs->rows[i], &names);
    }
    free(index.latest_ns);
    free(names.names);
    tally->runs += runs->added;
    tally->runs_left_out += runs->added - runs->count;
    tally->waits += waits->added;
    tally->waits_left_out += waits->added - waits->count;
    return r;
}

/* --- Merging --- */

static int merge_pair(struct blame_tally *tally, const struct blame_pair *from)
{
    struct blame_pair *pair = NULL;
    int r = find_pair(tally, from->holder, from->delayed, &pair);

    if (r < 0) {
        return r;
    }
    pair->delay_ns += from->delay_ns;
    pair->delays += from->delays;
    for (size_t i = 0; r == 0 && i < from->cell_count; i++) {
        r = add_to_cell(pair, from->cells[i].bucket, from->cells[i].delay_ns);
    }
    for (size_t i = 0; i < from->exemplar_count; i++) {
        add_exemplar(pair, &from->exemplars[i]);
    }
    return r;
}

int blame_tally_merge(struct blame_tally *tally, const struct blame_tally *source)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < source->pair_count; i++) {
        r = merge_pair(tally, &source->pairs[i]);
    }
    tally->runs += source->runs;
    tally->runs_left_out += source->runs_left_out;
    tally->run_ns += source->run_ns;
    tally->waits += source->waits;
    tally->waits_left_out += source->waits_left_out;
    tally->unplaced += source->unplaced;
    return r;
}
