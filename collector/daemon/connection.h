/*
 * One accepted socket: whole messages in, answers out, never blocking. What a message means is decided by
 * client_protocol.h.
 *
 * Reading stops while there is no memory for what a client wants to send (memory_budget.h): the client then notices that
 * nobody reads. Greetings and control requests have a budget of their own, so that a stopped disk does not silence the
 * collector.
 */
#pragma once

#include "client_session.h"
#include "event_loop.h"
#include "message_receiver.h"
#include "refusal.h"

struct collector;

enum {
    /* A welcome, or an acknowledgement. */
    CONNECTION_SMALL_OUTPUT_BYTES = 512,
};

/* A message that has begun must be complete in this time; and while others wait for the memory that it holds, in that. */
#define MESSAGE_TIMEOUT_NS (60 * NS_PER_S)
#define MESSAGE_TIMEOUT_WHEN_SHORT_NS (5 * NS_PER_S)

enum connection_stage {
    CONNECTION_NEW,     /* has said nothing yet */
    CONNECTION_CLIENT,  /* has greeted: session is set */
    CONNECTION_CONTROL, /* has asked something; is closed when it got its answer */
    CONNECTION_CLOSED,
};

struct connection {
    struct event_watcher watcher; /* first: its address is the connection's */
    struct collector *collector;  /* borrowed */
    int fd;                       /* owned */
    enum connection_stage stage;
    uint64_t serial; /* never used again */
    struct peer_identity peer;
    struct client_session *session; /* borrowed; CONNECTION_CLIENT only */
    struct message_receiver receiver;
    int recorder_fd; /* owned; that came with the greeting, -1: none */
    uint64_t connected_realtime_ns;
    uint64_t connected_boottime_ns;

    struct connection *next; /* in the table */
    struct connection **link;
    struct connection *next_waiting;
    bool is_waiting;      /* for memory; not read from meanwhile */
    uint64_t deadline_ns; /* served time (collector.h); 0: none */

    uint8_t *long_output; /* owned; NULL unless a long answer is on its way */
    size_t output_size;   /* of the message that is being sent; 0: none */
    size_t output_sent;
    uint8_t output[CONNECTION_SMALL_OUTPUT_BYTES];
    bool ack_is_due;
    uint64_t acked_written;
    uint64_t acked_durable;
};

/*
 * Takes over an accepted socket.
 *
 * Returns:  0; a negative errno, and fd is closed.
 * Threads:  the loop's only, as all functions here.
 */
MUST_USE int connection_open(struct collector *collector, int fd, struct peer_identity peer);

/* Answers with a message of that type; payload is copied. */
void connection_answer(struct connection *connection, const struct wire_header *header,
                       struct slice payload);

/* Acknowledges what is written and durable, as soon as the socket takes it, if there is anything new to say (or is_due). */
void connection_acknowledge(struct connection *connection, bool is_due);

/* Reads what has arrived, without waiting; not more than its share. */
void connection_read(struct connection *connection);

/* Ends the connection. Its session, if any, is then not connected; the part that it writes to is closed. */
void connection_close(struct connection *connection);

/* The same, counted and logged: the client did what refusal says. */
void connection_refuse(struct connection *connection, enum refusal refusal);

/* Its time is up. */
void connection_time_out(struct connection *connection);
