/*
 * Sessions whose connection ended without a goodbye and whose client brought a recorder along. What it holds is salvaged
 * once the client is dead, and not before: a client that lives comes back with the same session, or goes on writing.
 *
 * Who the client is, the kernel says: by the descriptor of the process behind the socket (SO_PEERPIDFD) where there is one,
 * else by the process id (SO_PEERCRED) of a process that did not start after the connection. A process is dead when all of
 * its threads are; nobody need have waited for it.
 *
 * Each one that waits has two descriptors, as a connection has (descriptor_plan.h), and counts as one: if there are too
 * many, the one that has waited longest is given up.
 */
#pragma once

#include "base.h"
#include "event_loop.h"

#include <stdbool.h>

struct client_session;
struct collector;
struct connection;

/* A process that is killed is dead soon after its connections end. If it takes longer, its part is closed meanwhile. */
#define SALVAGE_PART_WAIT_NS NS_PER_S

struct salvage_wait {
    struct event_watcher watcher;   /* first; of the process */
    struct collector *collector;    /* borrowed */
    struct client_session *session; /* borrowed; it stays while is_awaited */
    uint64_t since_ns;
    int recorder_fd; /* owned, as the process's in watcher */
    struct salvage_wait *next;
};

struct salvage_watch {
    struct salvage_wait *first; /* owned; the oldest first */
    size_t count;
    struct salvage_wait *buried; /* owned; may still be named by events of the present round */
};

/*
 * The connection of session ends, and nobody else feeds the session. If it is worth it, session is salvaged, now or when its
 * process is dead. Takes connection->recorder_fd.
 *
 * Returns:  whether that is so: then the session's part is not to be closed now.
 * Threads:  the loop's only, as all functions here.
 */
bool salvage_watch_add(struct collector *collector, struct connection *connection,
                       struct client_session *session);

/* The session goes on after all. */
void salvage_watch_cancel(struct collector *collector, struct client_session *session);

/* Gives up those that have waited longest, as long as they and the connections are too many; closes the parts of those whose
 * process did not die at once; frees what was buried. To be called once in a round. */
void salvage_watch_step(struct collector *collector);

/* The end: salvages those whose process is dead by now, and forgets the others. */
void salvage_watch_finish(struct collector *collector);
