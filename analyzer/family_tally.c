#include "family_tally.h"

#include "coarse_buckets.h"
#include "growing_list.h"

enum { BUCKET_BITS = 16 };

void family_tally_release(struct family_tally *tally)
{
    free(tally->cells);
    distribution_release(&tally->fan_out);
    *tally = (struct family_tally){0};
}

size_t family_tally_memory_bytes(const struct family_tally *tally)
{
    return tally->capacity * sizeof(*tally->cells) + distribution_memory_bytes(&tally->fan_out);
}

static size_t find_cell(const struct family_tally *tally, uint32_t key)
{
    size_t low = 0;
    size_t high = tally->count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (tally->cells[middle].key < key) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static int make_cell(struct family_tally *tally, uint32_t key, struct family_cell **ret_cell)
{
    size_t at = find_cell(tally, key);

    if (at == tally->count || tally->cells[at].key != key) {
        int r = growing_list_insert((void *)&tally->cells, &tally->capacity, &tally->count, at,
                                    sizeof(*tally->cells));

        if (r < 0) {
            return r;
        }
        tally->cells[at] = (struct family_cell){.key = key};
    }
    *ret_cell = &tally->cells[at];
    return 0;
}

static uint32_t key_of(uint32_t child, const struct kin *parent)
{
    return child << BUCKET_BITS | (uint32_t)coarse_bucket_of(parent->end_ns - parent->begin_ns);
}

int family_tally_add_child(struct family_tally *tally, const struct kin *parent,
                           const struct kin *child)
{
    uint32_t number = (uint32_t)min_u64(child->number, FAMILY_CHILD_LIMIT);
    uint64_t from_ns = max_u64(child->begin_ns, parent->begin_ns);
    uint64_t to_ns = min_u64(child->end_ns, parent->end_ns);
    struct family_cell *cell = NULL;
    int r = make_cell(tally, key_of(number, parent), &cell);

    if (r < 0) {
        return r;
    }
    cell->count++;
    cell->inside_ns += to_ns - min_u64(from_ns, to_ns);
    if (child->end_ns > parent->end_ns) {
        cell->outlived++;
        cell->outlived_ns += child->end_ns - parent->end_ns;
    }
    return 0;
}

int family_tally_add_parent(struct family_tally *tally, const struct kin *parent)
{
    const uint64_t children = parent->children;
    struct family_cell *cell = NULL;

    if (children == 0) {
        return 0;
    }

    int r = make_cell(tally, key_of(FAMILY_SELF, parent), &cell);

    if (r < 0) {
        return r;
    }
    cell->count++;
    cell->inside_ns += parent->end_ns - parent->begin_ns;
    return distribution_add(&tally->fan_out, &children, 1);
}

int family_tally_merge(struct family_tally *tally, const struct family_tally *source)
{
    int r = distribution_merge(&tally->fan_out, &source->fan_out);

    for (size_t i = 0; r == 0 && i < source->count; i++) {
        const struct family_cell *from = &source->cells[i];
        struct family_cell *cell = NULL;

        r = make_cell(tally, from->key, &cell);
        if (r == 0) {
            cell->inside_ns += from->inside_ns;
            cell->outlived_ns += from->outlived_ns;
            cell->count += from->count;
            cell->outlived += from->outlived;
        }
    }
    return r;
}
