#include "connection_table.h"

#include "connection.h"

#include <criterion/criterion.h>

static struct connection_table table;

static void set_up(void)
{
    connection_table_init(&table);
}

static void tear_down(void)
{
    while (table.first != NULL) {
        connection_table_remove(&table, table.first);
    }
    connection_table_release(&table);
}

TestSuite(connection_table, .init = set_up, .fini = tear_down);

static struct connection *add(uint32_t uid)
{
    struct connection *connection = calloc(1, sizeof(*connection));

    cr_assert_not_null(connection);
    connection->peer.uid = uid;
    cr_assert_eq(connection_table_add(&table, connection), 0);
    return connection;
}

Test(connection_table, counts_connections_and_users)
{
    struct connection *connections[100];

    for (uint32_t i = 0; i < 100; i++) {
        connections[i] = add(i % 40);
    }
    cr_expect_eq(table.count, 100);
    cr_expect_eq(connection_table_user_count(&table, 0), 3);
    cr_expect_eq(connection_table_user_count(&table, 39), 2);
    cr_expect_eq(connection_table_user_count(&table, 40), 0);
    for (uint32_t i = 0; i < 100; i += 2) {
        connection_table_remove(&table, connections[i]);
    }
    cr_expect_eq(table.count, 50);
    cr_expect_eq(connection_table_user_count(&table, 0), 0);
    cr_expect_eq(connection_table_user_count(&table, 1), 3);
    cr_expect_eq(table.user_count, 20);
}

Test(connection_table, finds_by_serial_and_never_uses_one_again)
{
    struct connection *first = add(1);
    struct connection *second = add(1);
    uint64_t serial = second->serial;

    cr_expect_eq(connection_table_find(&table, first->serial), first);
    cr_expect_eq(connection_table_find(&table, serial), second);
    connection_table_remove(&table, second);
    cr_expect_null(connection_table_find(&table, serial));
    cr_expect_gt(add(1)->serial, serial);
}

Test(connection_table, removed_ones_stay_in_memory_until_they_are_freed)
{
    struct connection *connection = add(5);

    connection_table_remove(&table, connection);
    cr_expect_eq(connection->peer.uid, 5);
    cr_expect_eq(table.buried, connection);
    connection_table_free_buried(&table);
    cr_expect_null(table.buried);
}

Test(connection_table, who_waits_first_is_served_first)
{
    struct connection *connections[5];

    for (int i = 0; i < 5; i++) {
        connections[i] = add(1);
        connection_table_wait(&table, connections[i]);
    }
    connection_table_wait(&table, connections[0]); /* waits already */
    connection_table_remove(&table, connections[4]);
    connection_table_remove(&table, connections[1]);
    cr_expect_eq(connection_table_next_waiting(&table), connections[0]);
    connection_table_wait(&table, connections[0]);
    cr_expect_eq(connection_table_next_waiting(&table), connections[2]);
    cr_expect_eq(connection_table_next_waiting(&table), connections[3]);
    cr_expect_eq(connection_table_next_waiting(&table), connections[0]);
    cr_expect_null(connection_table_next_waiting(&table));
    connection_table_wait(&table, connections[3]);
    cr_expect_eq(connection_table_next_waiting(&table), connections[3]);
}

Test(connection_table, deadlines_are_due_once)
{
    struct connection *early = add(1);
    struct connection *late = add(1);

    cr_expect_null(connection_table_next_overdue(&table, UINT64_MAX - 1));
    connection_table_set_deadline(&table, early, 100);
    connection_table_set_deadline(&table, late, 200);
    cr_expect_eq(table.deadline_ns, 100);
    cr_expect_null(connection_table_next_overdue(&table, 99));
    cr_expect_eq(connection_table_next_overdue(&table, 100), early);
    cr_expect_null(connection_table_next_overdue(&table, 100));
    cr_expect_eq(table.deadline_ns, 200);
    connection_table_set_deadline(&table, late, 0);
    cr_expect_null(connection_table_next_overdue(&table, 300));
    cr_expect_eq(table.deadline_ns, UINT64_MAX);
}
