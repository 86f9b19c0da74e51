#include "name_ranks.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct batch_name name_of(const char *text, enum name_kind kind, const char *unit,
                                 uint64_t rows)
{
    return (struct batch_name){.text = text, .unit = unit, .kind = kind, .rows = rows};
}

static void count(struct name_ranks *table, const char *text, enum name_kind kind, const char *unit,
                  uint64_t rows)
{
    struct batch_name name = name_of(text, kind, unit, rows);

    cr_assert_eq(name_ranks_count(table, &name), 0);
}

static void check_entry(const struct name_ranks *table, enum name_group group, size_t number,
                        const char *text, uint64_t rows)
{
    const struct name_entry *entry = name_ranks_entry(table, group, number);

    cr_assert_str_eq(entry->text, text);
    cr_assert_eq(entry->rows, rows);
    cr_assert_eq(entry->number, number);
}

Test(name_ranks, ranks_by_rows_then_bytes_and_folds_the_rest)
{
    struct name_ranks table = {.memory_limit_bytes = MIB};

    count(&table, "b", NAME_OPERATION, "", 5);
    count(&table, OTHER_NAME, NAME_OPERATION, "", 900);
    count(&table, "c", NAME_OPERATION, "", 2);
    count(&table, "a", NAME_OPERATION, "", 5);
    count(&table, "c", NAME_OPERATION, "ignored", 7);
    count(&table, "d", NAME_OPERATION, "", 1);
    cr_assert_eq(name_ranks_rank(&table), 0);
    name_ranks_keep(&table, GROUP_OPERATION, 3);
    check_entry(&table, GROUP_OPERATION, 0, "c", 9);
    check_entry(&table, GROUP_OPERATION, 1, "a", 5);
    check_entry(&table, GROUP_OPERATION, 2, "b", 5);
    cr_assert_eq(name_ranks_find(&table, NAME_OPERATION, "c", ""), 0);
    cr_assert_eq(name_ranks_find(&table, NAME_OPERATION, "d", ""), 3);
    cr_assert_eq(name_ranks_find(&table, NAME_OPERATION, OTHER_NAME, ""), 3);
    cr_assert_eq(name_ranks_find(&table, NAME_OPERATION, "never seen", ""), 3);
    cr_assert_eq(name_ranks_folded(&table, GROUP_OPERATION), 1);
    name_ranks_keep(&table, GROUP_OPERATION, 100);
    cr_assert_eq(table.groups[GROUP_OPERATION].kept, 4);
    cr_assert_eq(name_ranks_folded(&table, GROUP_OPERATION), 0);
    name_ranks_release(&table);
}

Test(name_ranks, groups_and_units_keep_names_apart)
{
    struct name_ranks table = {.memory_limit_bytes = MIB};

    count(&table, "x", NAME_OPERATION, "", 1);
    count(&table, "x", NAME_QUEUE, "", 2);
    count(&table, "x", NAME_GAUGE, "By", 3);
    count(&table, "x", NAME_GAUGE, "s", 4);
    count(&table, "x", NAME_COUNTER_TOTAL, "s", 5);
    cr_assert_eq(name_ranks_rank(&table), 0);
    cr_assert_eq(table.groups[GROUP_METRIC].count, 3);
    for (int group = 0; group < GROUP_COUNT; group++) {
        name_ranks_keep(&table, (enum name_group)group, 10);
    }
    check_entry(&table, GROUP_QUEUE, 0, "x", 2);
    cr_assert_eq(name_ranks_find(&table, NAME_GAUGE, "x", "By"), 2);
    cr_assert_eq(name_ranks_find(&table, NAME_COUNTER_TOTAL, "x", "s"), 0);
    cr_assert_eq(table.groups[GROUP_MARK].kept, 0);
    name_ranks_release(&table);
}

Test(name_ranks, units_say_what_operations_are)
{
    static const struct {
        const char *text;
        const char *unit;
        enum name_kind kind;
        enum operation_role role;
    } cases[] = {
        {"plain", "", NAME_OPERATION, ROLE_ORDINARY},
        {"strange", "{iterations}", NAME_OPERATION, ROLE_ORDINARY},
        {"loop", UNIT_ITERATION, NAME_OPERATION, ROLE_LOOP_ROUND},
        {"gc", UNIT_COLLECTION, NAME_OPERATION, ROLE_COLLECTION},
        {"mark", UNIT_COLLECTION, NAME_MARK, ROLE_ORDINARY},
    };
    struct name_ranks table = {.memory_limit_bytes = 1 << 20};

    for (size_t pass = 0; pass < 2; pass++) { /* also of batches that do not say it */
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
            const struct batch_name name = {.text = cases[i].text,
                                            .unit = pass == 0 ? cases[i].unit : "",
                                            .kind = cases[i].kind,
                                            .rows = 1};

            cr_assert_eq(name_ranks_count(&table, &name), 0);
        }
    }
    cr_assert_eq(table.count, ARRAY_SIZE(cases));
    for (size_t i = 0; i < table.count; i++) {
        cr_expect_eq(table.entries[i].role, cases[i].role, "%s", table.entries[i].text);
    }
    name_ranks_release(&table);
}

Test(name_ranks, many_names_do_not_get_lost_and_the_order_of_counting_does_not_show)
{
    enum { COUNT = 5000 };
    struct name_ranks tables[2] = {{.memory_limit_bytes = 8 * MIB},
                                   {.memory_limit_bytes = 8 * MIB}};
    char text[NAME_MAX_BYTES];

    for (int i = 0; i < COUNT; i++) {
        for (int side = 0; side < 2; side++) {
            int number = side == 0 ? i : COUNT - 1 - i;

            (void)snprintf(text, sizeof(text), "%0200d", number);
            count(&tables[side], text, NAME_OPERATION, "", (uint64_t)(number % 7));
        }
    }
    for (int side = 0; side < 2; side++) {
        cr_assert_eq(tables[side].count, COUNT);
        cr_assert_eq(name_ranks_rank(&tables[side]), 0);
        name_ranks_keep(&tables[side], GROUP_OPERATION, COUNT);
    }
    for (int i = 0; i < COUNT; i++) {
        (void)snprintf(text, sizeof(text), "%0200d", i);
        cr_assert_eq(name_ranks_find(&tables[0], NAME_OPERATION, text, ""),
                     name_ranks_find(&tables[1], NAME_OPERATION, text, ""));
    }
    name_ranks_release(&tables[0]);
    name_ranks_release(&tables[1]);
}

Test(name_ranks, refuses_names_beyond_its_memory)
{
    struct name_ranks table = {.memory_limit_bytes = 100 * KIB};
    char text[NAME_MAX_BYTES];
    int r = 0;

    for (int i = 0; r == 0 && i < 100000; i++) {
        (void)snprintf(text, sizeof(text), "name %d", i);
        struct batch_name name = name_of(text, NAME_OPERATION, "", 1);

        r = name_ranks_count(&table, &name);
    }
    cr_assert_eq(r, -E2BIG);
    cr_assert_leq(table.memory_bytes, 100 * KIB);

    struct batch_name known = name_of("name 0", NAME_OPERATION, "", 1);

    cr_assert_eq(name_ranks_count(&table, &known), 0);
    name_ranks_release(&table);
}
