/*
 * The collector as a whole: takes connections and their messages (this thread), hands frames to the disk (the writer
 * thread), and keeps account. A command makes one, runs it step by step, drains it, and releases it.
 *
 * Served time is the monotonic clock less the times in which the collector did not run (SIGSTOP, a suspended machine): a
 * client is not late because the collector was away.
 */
#pragma once

#include "client_session.h"
#include "collector_config.h"
#include "collector_counters.h"
#include "connection_table.h"
#include "daemon_log.h"
#include "descriptor_plan.h"
#include "disk_writer.h"
#include "event_loop.h"
#include "listener.h"
#include "machine_session.h"
#include "memory_budget.h"
#include "output_folder.h"
#include "salvage_watch.h"

enum { COLLECTOR_ERROR_MAX_BYTES = 1024 };

struct collector_watcher {
    struct event_watcher watcher; /* first */
    struct collector *collector;  /* borrowed */
};

struct collector {
    struct collector_config config;
    struct daemon_log *log; /* borrowed */
    struct event_loop loop;
    struct listener listener;
    struct collector_watcher listening[LISTENER_MAX_SOCKETS];
    int spare_fd; /* owned; given up for a moment to refuse a connection when no descriptor is left */
    struct descriptor_plan descriptors;
    size_t connection_limit;

    struct output_folder folder; /* the writer thread's while it runs */
    struct disk_channel channel;
    struct collector_watcher reporting;
    struct disk_writer writer;
    unsigned int rotations;    /* on their way to the writer thread */
    struct disk_job *stop_job; /* owned until pushed: made early, so that the end needs no memory */

    struct session_table sessions;
    struct connection_table connections;
    struct memory_budget frame_memory;
    struct memory_budget greeting_memory; /* also of control requests */
    struct memory_budget answer_memory;   /* of long answers to these, until they are taken */
    struct packet_arena *arena;           /* owned */
    struct machine_session machine;
    struct salvage_watch salvage;

    struct collector_counters counters;
    struct disk_counters disk; /* as last reported */
    uint64_t started_ns;       /* monotonic, as all below */
    uint64_t round_ns;         /* of the present round */
    uint64_t served_ns;
    uint64_t forget_due_ns; /* served time */
    bool is_reading;        /* false at the end: what still comes is left to the next collector */
    bool is_disk_done;      /* the writer thread has closed everything */
};

/* How a collector stands to its surroundings. */
enum collector_place {
    COLLECTOR_SERVICE, /* owns its folder; a service manager may have made the socket */
    COLLECTOR_PRIVATE, /* of one command: shares its folder with others, and creates it */
};

/*
 * Opens folder and socket and starts the writer thread. From then on clients can connect.
 *
 * config    copied
 * ret_error one sentence or two that say what is wrong and what to do, filled in on error
 * Returns:  0; a negative errno, and nothing is left behind.
 * Threads:  one thread only, as all functions here: the loop's.
 */
MUST_USE int collector_open(struct collector *collector, const struct collector_config *config,
                            enum collector_place place, struct daemon_log *log,
                            char ret_error[static COLLECTOR_ERROR_MAX_BYTES]);

/* Waits at most so long for something to do, and does it. Returns 0 or a negative errno. */
MUST_USE int collector_step(struct collector *collector, uint64_t timeout_ns);

/* Takes over what can change while it runs; tells in the log what cannot. */
void collector_reconfigure(struct collector *collector, const struct collector_config *config);

/*
 * The end: takes no more connections, reads what has arrived, writes it, closes all parts, acknowledges, and closes all
 * connections. Waits for the disk as long as it takes; on_wait is called now and then meanwhile.
 */
void collector_drain(struct collector *collector, void (*on_wait)(void *context), void *context);

/* Frees everything; only after collector_open() succeeded. Sessions stay readable until then. */
void collector_release(struct collector *collector);

/* --- For the parts of the collector. --- */

/* Asks the writer thread to rotate all parts; ticket comes back with its report. -EBUSY: too many are on their way. */
MUST_USE int collector_rotate(struct collector *collector, uint64_t ticket);

/* Counts a frame as received, from a client or from the machine, and hands it over to the writer thread. */
void collector_take_frame(struct collector *collector, struct disk_job *job);

/* Asks the writer thread to close the part of session, if frames came since that was last done. Without memory for it, the part
 * stays open until it is old enough, the session comes back, or the collector ends. */
void collector_end_part(struct collector *collector, struct client_session *session,
                        enum end_reason reason);

/* Takes the reports of the writer thread. */
void collector_collect(struct collector *collector);
