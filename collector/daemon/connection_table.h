/*
 * The connections that are open: all of them, how many each user has, whose time is up, and who waits for memory.
 *
 * Connections that were taken out may still be named by events of the present round; they are buried and freed when it
 * is over.
 */
#pragma once

#include "base.h"

#include <stdbool.h>

struct connection;

struct user_connections {
    uint32_t uid;
    size_t count;
};

struct connection_table {
    struct connection *first; /* owned, by next */
    size_t count;
    struct user_connections *users; /* owned; those with a connection at present */
    size_t user_count;
    size_t user_capacity;
    struct connection *buried;        /* owned, by next */
    struct connection *first_waiting; /* for memory, in order of their coming */
    struct connection **last_waiting;
    uint64_t deadline_ns; /* the earliest that may be due; UINT64_MAX: none */
    uint64_t last_serial;
};

void connection_table_init(struct connection_table *ret_table);

/* Adds a connection and gives it its serial. Returns 0 or -ENOMEM. Threads: the loop's only, as all functions here. */
MUST_USE int connection_table_add(struct connection_table *table, struct connection *connection);

/* Takes a connection out and buries it. */
void connection_table_remove(struct connection_table *table, struct connection *connection);

/* The connections of a user. */
size_t connection_table_user_count(const struct connection_table *table, uint32_t uid);

/* The connection with that serial, or NULL if it is gone. */
struct connection *connection_table_find(const struct connection_table *table, uint64_t serial);

/* Puts a connection at the end of those that wait for memory; takes the first one of them out, NULL if there is none. */
void connection_table_wait(struct connection_table *table, struct connection *connection);
struct connection *connection_table_next_waiting(struct connection_table *table);

/* The connection's time is up at deadline_ns (0: never). */
void connection_table_set_deadline(struct connection_table *table, struct connection *connection,
                                   uint64_t deadline_ns);

/* Some connection whose time is up, or NULL; its deadline is cleared. */
struct connection *connection_table_next_overdue(struct connection_table *table, uint64_t now_ns);

/* Frees the connections that were buried. */
void connection_table_free_buried(struct connection_table *table);

/* Frees what the table owns; it must be empty. */
void connection_table_release(struct connection_table *table);
