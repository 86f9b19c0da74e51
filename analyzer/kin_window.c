#include "kin_window.h"

void kin_window_release(struct kin_window *window)
{
    kin_ring_release(&window->parents);
    kin_ring_release(&window->children);
}

static int reserve(struct kin_window *window)
{
    int r = window->parents.size > 0 ? 0 : kin_ring_init(&window->parents, window->size);

    return r < 0 || window->children.size > 0 ? r : kin_ring_init(&window->children, window->size);
}

/* Children that wait for this parent. */
static int join_children(struct kin_window *window, struct kin *parent, struct tally *tally)
{
    struct kin_entry *child;
    int r = 0;

    while (r == 0 && (child = kin_ring_find(&window->children, parent->id)) != NULL) {
        r = tally_add_child(tally, parent, &child->kin);
        parent->children++;
        kin_ring_take(&window->children, child);
    }
    return r;
}

static int join_parent(struct kin_window *window, const struct kin *row, struct tally *tally)
{
    struct kin parent = *row;
    struct kin pushed_out;
    int r = join_children(window, &parent, tally);

    if (r == 0 && kin_ring_put(&window->parents, &parent, &pushed_out)) {
        r = tally_add_parent(tally, &pushed_out);
    }
    return r;
}

static int join_child(struct kin_window *window, const struct kin *child, struct tally *tally)
{
    struct kin_entry *parent = kin_ring_find(&window->parents, child->id);
    struct kin pushed_out;

    if (parent != NULL) {
        parent->kin.children++;
        return tally_add_child(tally, &parent->kin, child);
    }
    if (kin_ring_put(&window->children, child, &pushed_out)) {
        tally->kin.unmatched++;
    }
    return 0;
}

int kin_window_join(struct kin_window *window, const struct kin_rows *rows, struct tally *tally)
{
    int r = 0;

    if (window->size == 0 || rows->parent_count + rows->child_count == 0) {
        tally->kin.unmatched += rows->child_count;
        for (size_t i = 0; r == 0 && i < rows->parent_count; i++) {
            r = tally_add_parent(tally, &rows->parents[i]);
        }
        return r;
    }
    r = reserve(window);
    for (size_t i = 0; r == 0 && i < rows->parent_count; i++) {
        r = join_parent(window, &rows->parents[i], tally);
    }
    for (size_t i = 0; r == 0 && i < rows->child_count; i++) {
        r = join_child(window, &rows->children[i], tally);
    }
    return r;
}

int kin_window_finish(struct kin_window *window, struct tally *tally)
{
    uint64_t kept = min_u64(window->parents.put_count, window->parents.size);
    int r = 0;

    for (uint64_t i = 0; r == 0 && i < kept; i++) {
        r = tally_add_parent(tally, &window->parents.entries[i].kin);
    }
    kept = min_u64(window->children.put_count, window->children.size);
    for (uint64_t i = 0; i < kept; i++) {
        tally->kin.unmatched += !window->children.entries[i].is_taken;
    }
    return r;
}
