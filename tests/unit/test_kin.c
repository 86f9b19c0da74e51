#include "family_tally.h"
#include "kin_window.h"

#include "test_values.h"

#include <criterion/criterion.h>
#include <string.h>

enum { SIZE = 8, PARENT = 0, CHILD = 1, FAMILIES = 1 };

static struct kin kin(uint64_t id, uint64_t begin_ns, uint64_t end_ns, uint32_t number)
{
    return (struct kin){id, begin_ns, end_ns, number, 0};
}

Test(kin_ring, keeps_the_newest_and_finds_them_by_id)
{
    struct kin_ring ring;
    struct kin out;

    cr_assert_eq(kin_ring_init(&ring, SIZE), 0);
    for (uint64_t id = 0; id < 100; id++) {
        const struct kin put = kin(id, id, id + 1, 0);

        cr_assert_eq(kin_ring_put(&ring, &put, &out), id >= SIZE);
        cr_assert(id < SIZE || out.id == id - SIZE);
        for (uint64_t of = 0; of <= id; of++) {
            const struct kin_entry *found = kin_ring_find(&ring, of);

            cr_assert(of + SIZE > id ? found != NULL && found->kin.id == of : found == NULL);
        }
    }
    kin_ring_release(&ring);
}

Test(kin_ring, what_was_taken_is_not_pushed_out)
{
    struct kin_ring ring;
    struct kin out;
    uint64_t state = 3;
    uint64_t held = 0;

    cr_assert_eq(kin_ring_init(&ring, SIZE), 0);
    for (int i = 0; i < 5000; i++) {
        uint64_t id = test_random(&state) % 12;
        struct kin_entry *found = kin_ring_find(&ring, id);

        if (found != NULL && test_random(&state) % 2 == 0) {
            kin_ring_take(&ring, found);
            held--;
        } else {
            const struct kin put = kin(id, 0, 1, 0);

            held += !kin_ring_put(&ring, &put, &out);
        }
        cr_assert_leq(held, SIZE);
    }
    for (uint64_t id = 0; id < 12; id++) {
        for (struct kin_entry *found; (found = kin_ring_find(&ring, id)) != NULL; held--) {
            kin_ring_take(&ring, found);
        }
    }
    cr_assert_eq(held, 0);
    kin_ring_release(&ring);
}

/* --- Families --- */

static const struct family_cell *cell_of(const struct family_tally *tally, uint32_t child)
{
    for (size_t i = 0; i < tally->count; i++) {
        if (tally->cells[i].key >> 16 == child) {
            return &tally->cells[i];
        }
    }
    return NULL;
}

Test(family_tally, only_the_time_within_the_parent_counts)
{
    static const struct {
        uint64_t begin_ns;
        uint64_t end_ns;
        uint64_t inside_ns;
        uint64_t outlived_ns;
    } cases[] = {
        {100, 200, 100, 0}, {120, 150, 30, 0},  {50, 150, 50, 0},
        {150, 250, 50, 50}, {0, 300, 100, 100}, {0, 100, 0, 0},
        {200, 300, 0, 100}, {250, 300, 0, 100}, {10, 20, 0, 0},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct family_tally tally = {0};
        const struct kin parent = kin(7, 100, 200, PARENT);
        const struct kin child = kin(7, cases[i].begin_ns, cases[i].end_ns, CHILD);

        cr_assert_eq(family_tally_add_child(&tally, &parent, &child), 0);
        cr_assert_eq(tally.count, 1);
        cr_assert(tally.cells[0].inside_ns == cases[i].inside_ns);
        cr_assert(tally.cells[0].outlived_ns == cases[i].outlived_ns);
        cr_assert_eq(tally.cells[0].outlived, cases[i].end_ns > 200);
        family_tally_release(&tally);
    }
}

Test(family_tally, rare_names_share_a_number_and_merging_adds)
{
    struct family_tally a = {0};
    struct family_tally b = {0};
    struct kin parent = kin(7, 0, 1000, PARENT);
    const struct kin rare = kin(7, 0, 10, FAMILY_CHILD_LIMIT + 5);
    const struct kin rarer = kin(7, 0, 20, UINT32_MAX);

    cr_assert_eq(family_tally_add_child(&a, &parent, &rare), 0);
    cr_assert_eq(family_tally_add_child(&b, &parent, &rarer), 0);
    cr_assert_eq(family_tally_add_parent(&a, &parent), 0, "without children: nothing");
    parent.children = 2;
    cr_assert_eq(family_tally_add_parent(&b, &parent), 0);
    cr_assert_eq(family_tally_merge(&a, &b), 0);
    cr_assert_eq(a.count, 2);
    cr_assert(cell_of(&a, FAMILY_CHILD_LIMIT)->inside_ns == 30);
    cr_assert_eq(cell_of(&a, FAMILY_CHILD_LIMIT)->count, 2);
    cr_assert(cell_of(&a, FAMILY_SELF)->inside_ns == 1000);
    cr_assert_eq(a.fan_out.count, 1);
    cr_assert_eq(a.fan_out.max, 2);
    family_tally_release(&a);
    family_tally_release(&b);
}

/* --- A session --- */

static struct tally *new_tally(void)
{
    struct tally_shape shape = {.families = FAMILIES};
    struct tally *tally = NULL;

    for (int group = 0; group < GROUP_COUNT; group++) {
        shape.counts[group] = 4;
    }
    cr_assert_eq(tally_new(&tally, &shape), 0);
    return tally;
}

static void add(struct kin_rows *rows, bool is_parent, struct kin row)
{
    cr_assert_eq(is_parent ? kin_rows_add_parent(rows, &row) : kin_rows_add_child(rows, &row), 0);
}

static void join(struct kin_window *window, struct kin_rows *rows, struct tally *tally)
{
    cr_assert_eq(kin_window_join(window, rows, tally), 0);
    kin_rows_clear(rows);
}

Test(kin_window, children_find_their_parents_before_and_after)
{
    struct kin_window window = {.size = SIZE};
    struct kin_rows rows = {0};
    struct tally *tally = new_tally();

    add(&rows, false, kin(1, 0, 10, CHILD));
    add(&rows, false, kin(1, 10, 20, CHILD));
    add(&rows, false, kin(9, 0, 10, CHILD)); /* nobody's */
    join(&window, &rows, tally);
    add(&rows, true, kin(1, 0, 100, PARENT));
    add(&rows, true, kin(2, 0, 100, PARENT)); /* without children */
    add(&rows, true, kin(3, 0, 100, 2));      /* of a name beyond the families */
    join(&window, &rows, tally);
    add(&rows, false, kin(1, 90, 130, CHILD));
    add(&rows, false, kin(3, 90, 130, CHILD));
    join(&window, &rows, tally);
    cr_assert_eq(kin_window_finish(&window, tally), 0);

    const struct family_tally *family = tally->operations[PARENT]->family;

    cr_assert_eq(tally->kin.matched, 4);
    cr_assert_eq(tally->kin.unmatched, 1);
    cr_assert_eq(cell_of(family, CHILD)->count, 3);
    cr_assert(cell_of(family, CHILD)->inside_ns == 30);
    cr_assert_eq(cell_of(family, CHILD)->outlived, 1);
    cr_assert_eq(cell_of(family, FAMILY_SELF)->count, 1);
    cr_assert_eq(family->fan_out.max, 3);
    cr_assert_null(tally->operations[2]);
    kin_rows_release(&rows);
    kin_window_release(&window);
    tally_free(tally);
}

Test(kin_window, what_is_pushed_out_is_counted)
{
    struct kin_window window = {.size = SIZE};
    struct kin_rows rows = {0};
    struct tally *tally = new_tally();

    for (uint64_t id = 0; id < 3 * SIZE; id++) {
        struct kin parent = kin(id, 0, 100, PARENT);

        parent.children = 1; /* found in its batch */
        add(&rows, true, parent);
        add(&rows, false, kin(1000 + id, 0, 100, CHILD));
    }
    join(&window, &rows, tally);
    cr_assert_eq(tally->kin.unmatched, 2 * SIZE);
    for (uint64_t id = 0; id < 3 * SIZE; id++) {
        add(&rows, false, kin(id, 0, 50, CHILD));
    }
    join(&window, &rows, tally);
    cr_assert_eq(tally->kin.matched, SIZE);
    cr_assert_eq(kin_window_finish(&window, tally), 0);
    cr_assert_eq(tally->kin.unmatched, 2 * SIZE + 2 * SIZE + SIZE);
    cr_assert_eq(tally->operations[PARENT]->family->fan_out.count, 3 * SIZE);
    cr_assert(tally->operations[PARENT]->family->fan_out.sum == 4 * SIZE);
    kin_rows_release(&rows);
    kin_window_release(&window);
    tally_free(tally);
}
