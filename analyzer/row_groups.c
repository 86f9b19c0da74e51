#include "row_groups.h"

#include <errno.h>
#include <string.h>

void row_groups_release(struct row_groups *groups)
{
    free(groups->starts);
    free(groups->rows);
    *groups = (struct row_groups){0};
}

static int reserve(uint32_t **array, size_t *capacity, size_t count)
{
    if (count <= *capacity) {
        return 0;
    }
    free(*array);
    *array = malloc(count * sizeof(**array));
    *capacity = *array == NULL ? 0 : count;
    return *array == NULL ? -ENOMEM : 0;
}

/* Makes room and sets all counts to 0. */
static int begin(struct row_groups *groups, size_t count, size_t key_count)
{
    int r = reserve(&groups->starts, &groups->start_capacity, key_count + 2);

    r = r < 0 ? r : reserve(&groups->rows, &groups->row_capacity, max_u64(count, 1));
    if (r == 0) {
        groups->key_count = key_count;
        memset(groups->starts, 0, (key_count + 2) * sizeof(*groups->starts));
    }
    return r;
}

/*
 * starts[key + 2] holds the count of key; afterwards starts[key + 1] is where key begins, and moves to its end while rows
 * are put: then starts[key] is its begin.
 */
static void sum_up(struct row_groups *groups)
{
    for (size_t key = 2; key < groups->key_count + 2; key++) {
        groups->starts[key] += groups->starts[key - 1];
    }
}

int row_groups_make(struct row_groups *groups, const uint16_t *keys, size_t count, size_t key_count)
{
    int r = begin(groups, count, key_count);

    if (r < 0) {
        return r;
    }
    for (size_t i = 0; i < count; i++) {
        groups->starts[keys[i] + 2]++;
    }
    sum_up(groups);
    for (size_t i = 0; i < count; i++) {
        groups->rows[groups->starts[keys[i] + 1]++] = (uint32_t)i;
    }
    return 0;
}

int row_groups_make_sparse(struct row_groups *groups, const uint16_t *keys, const uint32_t *rows,
                           size_t count, size_t key_count)
{
    int r = begin(groups, count, key_count);

    if (r < 0) {
        return r;
    }
    for (size_t i = 0; i < count; i++) {
        groups->starts[keys[rows[i]] + 2]++;
    }
    sum_up(groups);
    for (size_t i = 0; i < count; i++) {
        groups->rows[groups->starts[keys[rows[i]] + 1]++] = (uint32_t)i;
    }
    return 0;
}
