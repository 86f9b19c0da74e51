#include "kin_rows.h"

#include "growing_list.h"

void kin_rows_release(struct kin_rows *rows)
{
    free(rows->parents);
    free(rows->children);
    *rows = (struct kin_rows){0};
}

void kin_rows_clear(struct kin_rows *rows)
{
    rows->parent_count = 0;
    rows->child_count = 0;
}

int kin_rows_add_parent(struct kin_rows *rows, const struct kin *parent)
{
    int r = growing_list_reserve((void *)&rows->parents, &rows->parent_capacity, rows->parent_count,
                                 sizeof(*rows->parents));

    if (r == 0) {
        rows->parents[rows->parent_count++] = *parent;
    }
    return r;
}

int kin_rows_add_child(struct kin_rows *rows, const struct kin *child)
{
    int r = growing_list_reserve((void *)&rows->children, &rows->child_capacity, rows->child_count,
                                 sizeof(*rows->children));

    if (r == 0) {
        rows->children[rows->child_count++] = *child;
    }
    return r;
}
