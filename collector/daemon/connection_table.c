#include "connection_table.h"

#include "connection.h"

#include <errno.h>

enum { FIRST_USER_CAPACITY = 16 };

void connection_table_init(struct connection_table *ret_table)
{
    *ret_table = (struct connection_table){.deadline_ns = UINT64_MAX};
    ret_table->last_waiting = &ret_table->first_waiting;
}

static struct user_connections *find_user(const struct connection_table *table, uint32_t uid)
{
    for (size_t i = 0; i < table->user_count; i++) {
        if (table->users[i].uid == uid) {
            return &table->users[i];
        }
    }
    return NULL;
}

static int count_user(struct connection_table *table, uint32_t uid)
{
    struct user_connections *user = find_user(table, uid);

    if (user != NULL) {
        user->count++;
        return 0;
    }
    if (table->user_count == table->user_capacity) {
        size_t capacity = max_u64(2 * table->user_capacity, FIRST_USER_CAPACITY);
        struct user_connections *users =
            reallocarray(table->users, capacity, sizeof(table->users[0]));

        if (users == NULL) {
            return -ENOMEM;
        }
        table->users = users;
        table->user_capacity = capacity;
    }
    table->users[table->user_count++] = (struct user_connections){.uid = uid, .count = 1};
    return 0;
}

static void discount_user(struct connection_table *table, uint32_t uid)
{
    struct user_connections *user = find_user(table, uid);

    if (user != NULL && --user->count == 0) {
        *user = table->users[--table->user_count];
    }
}

int connection_table_add(struct connection_table *table, struct connection *connection)
{
    int r = count_user(table, connection->peer.uid);

    if (r < 0) {
        return r;
    }
    connection->serial = ++table->last_serial;
    connection->next = table->first;
    connection->link = &table->first;
    if (table->first != NULL) {
        table->first->link = &connection->next;
    }
    table->first = connection;
    table->count++;
    return 0;
}

static void stop_waiting(struct connection_table *table, struct connection *connection)
{
    struct connection **link = &table->first_waiting;

    if (!connection->is_waiting) {
        return;
    }
    while (*link != connection) {
        link = &(*link)->next_waiting;
    }
    *link = connection->next_waiting;
    if (table->last_waiting == &connection->next_waiting) {
        table->last_waiting = link;
    }
    connection->is_waiting = false;
}

void connection_table_remove(struct connection_table *table, struct connection *connection)
{
    stop_waiting(table, connection);
    discount_user(table, connection->peer.uid);
    *connection->link = connection->next;
    if (connection->next != NULL) {
        connection->next->link = connection->link;
    }
    table->count--;
    connection->link = NULL;
    connection->next = table->buried;
    table->buried = connection;
}

size_t connection_table_user_count(const struct connection_table *table, uint32_t uid)
{
    const struct user_connections *user = find_user(table, uid);

    return user == NULL ? 0 : user->count;
}

struct connection *connection_table_find(const struct connection_table *table, uint64_t serial)
{
    struct connection *connection = table->first;

    while (connection != NULL && connection->serial != serial) {
        connection = connection->next;
    }
    return connection;
}

void connection_table_wait(struct connection_table *table, struct connection *connection)
{
    if (connection->is_waiting) {
        return;
    }
    connection->is_waiting = true;
    connection->next_waiting = NULL;
    *table->last_waiting = connection;
    table->last_waiting = &connection->next_waiting;
}

struct connection *connection_table_next_waiting(struct connection_table *table)
{
    struct connection *connection = table->first_waiting;

    if (connection != NULL) {
        stop_waiting(table, connection);
    }
    return connection;
}

void connection_table_set_deadline(struct connection_table *table, struct connection *connection,
                                   uint64_t deadline_ns)
{
    connection->deadline_ns = deadline_ns;
    if (deadline_ns != 0) {
        table->deadline_ns = min_u64(table->deadline_ns, deadline_ns);
    }
}

struct connection *connection_table_next_overdue(struct connection_table *table, uint64_t now_ns)
{
    uint64_t earliest_ns = UINT64_MAX;

    if (now_ns < table->deadline_ns) {
        return NULL;
    }
    for (struct connection *connection = table->first; connection != NULL;
         connection = connection->next) {
        if (connection->deadline_ns == 0) {
            continue;
        }
        if (connection->deadline_ns <= now_ns) {
            connection->deadline_ns = 0;
            return connection;
        }
        earliest_ns = min_u64(earliest_ns, connection->deadline_ns);
    }
    table->deadline_ns = earliest_ns;
    return NULL;
}

void connection_table_free_buried(struct connection_table *table)
{
    while (table->buried != NULL) {
        struct connection *connection = table->buried;

        table->buried = connection->next;
        free(connection);
    }
}

void connection_table_release(struct connection_table *table)
{
    connection_table_free_buried(table);
    free(table->users);
    connection_table_init(table);
}
