#include "blame_rows.h"

#include "growing_list.h"

#include <string.h>

void blame_list_release(struct blame_list *list)
{
    free(list->rows);
    *list = (struct blame_list){.limit = list->limit};
}

/* The longest first; the order of what is equally long is total, and the same everywhere. */
static int compare_lengths(const void *left, const void *right)
{
    const struct blame_row *a = left;
    const struct blame_row *b = right;

    return a->length_ns != b->length_ns ? (a->length_ns > b->length_ns ? -1 : 1)
                                        : memcmp(a, b, sizeof(*a));
}

static int compare_begins(const void *left, const void *right)
{
    const struct blame_row *a = left;
    const struct blame_row *b = right;

    if (a->serial != b->serial) {
        return a->serial < b->serial ? -1 : 1;
    }
    return a->begin_ns != b->begin_ns ? (a->begin_ns < b->begin_ns ? -1 : 1)
                                      : compare_lengths(left, right);
}

static void cut(struct blame_list *list)
{
    if (list->count > list->limit) {
        qsort(list->rows, list->count, sizeof(*list->rows), compare_lengths);
        list->count = list->limit;
    }
}

static int append(struct blame_list *list, const struct blame_row *row)
{
    if (list->count >= 2 * list->limit) {
        cut(list);
    }

    int r = growing_list_reserve((void *)&list->rows, &list->capacity, list->count,
                                 sizeof(*list->rows));

    if (r == 0) {
        list->rows[list->count++] = *row;
    }
    return r;
}

int blame_list_add(struct blame_list *list, const struct blame_row *row)
{
    list->added++;
    return append(list, row);
}

int blame_list_merge(struct blame_list *list, const struct blame_list *source)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < source->count; i++) {
        r = append(list, &source->rows[i]);
    }
    list->added += source->added;
    return r;
}

void blame_list_finish(struct blame_list *list)
{
    cut(list);
    if (list->count > 0) {
        qsort(list->rows, list->count, sizeof(*list->rows), compare_begins);
    }
}
