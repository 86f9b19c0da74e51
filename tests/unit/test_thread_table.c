#include "thread_table.h"

#include <criterion/criterion.h>

static struct thread_entry *enter(struct thread_table *table, uint64_t serial, const char *name,
                                  uint64_t sequence)
{
    struct batch_thread thread = {(uint32_t)serial + 100, name, serial};
    struct thread_entry *entry = NULL;

    cr_assert_eq(thread_table_enter(table, &thread, sequence, &entry), 0);
    return entry;
}

Test(thread_table, the_latest_name_stands_whatever_the_order)
{
    struct thread_table tables[2] = {0};

    (void)enter(&tables[0], 1, "old", 3);
    (void)enter(&tables[0], 1, "new", 9);
    (void)enter(&tables[1], 1, "between", 5);
    cr_assert_eq(thread_table_merge(&tables[1], &tables[0]), 0);
    cr_assert_eq(thread_table_merge(&tables[0], &tables[1]), 0);
    cr_assert_str_eq(tables[0].entries[0].name, "new");
    cr_assert_str_eq(tables[1].entries[0].name, "new");
    thread_table_release(&tables[0]);
    thread_table_release(&tables[1]);
}

Test(thread_table, counts_add_up_and_running_totals_do_not)
{
    struct thread_table tables[2] = {0};

    for (uint64_t serial = 1; serial <= 1000; serial++) {
        struct thread_entry *entry = enter(&tables[serial % 2], serial, "", 1);

        entry->begun = serial;
        entry = enter(&tables[0], serial, "", 1);
        entry->ended += 1;
        thread_entry_use(entry, USAGE_USER_NS, 5 * serial);
        thread_entry_use(entry, USAGE_USER_NS, 3 * serial);
    }
    cr_assert_eq(thread_table_merge(&tables[0], &tables[1]), 0);
    cr_assert_eq(tables[0].count, 1000);
    cr_assert_eq(thread_table_active(&tables[0]), 1000);
    for (uint64_t serial = 1; serial <= 1000; serial++) {
        const struct thread_entry *entry = enter(&tables[0], serial, "", 1);

        cr_assert_eq(entry->begun, serial);
        cr_assert_eq(entry->ended, 1);
        cr_assert_eq(entry->usage[USAGE_USER_NS], 5 * serial);
        cr_assert(!entry->has_usage[USAGE_VOLUNTARY]);
    }
    thread_table_release(&tables[0]);
    thread_table_release(&tables[1]);
}

Test(thread_table, threads_without_end_have_no_entry)
{
    struct thread_table table = {0};

    cr_assert_not_null(enter(&table, THREAD_SERIAL_LIMIT, "", 1));
    cr_assert_null(enter(&table, THREAD_SERIAL_LIMIT + 1, "", 1));
    cr_assert_eq(table.count, 1);
    cr_assert_eq(table.greatest_serial, THREAD_SERIAL_LIMIT + 1);
    thread_table_release(&table);
}
