#include "control.h"

#include "collector.h"
#include "connection.h"
#include "stats.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { REQUEST_MAX_BYTES = 256, ANSWER_MAX_BYTES = 512 };

/* An answer that is not taken in this time is given up. */
#define ANSWER_TIMEOUT_NS (60 * NS_PER_S)

static void answer(struct connection *connection, int error, struct slice text)
{
    connection_table_set_deadline(&connection->collector->connections, connection,
                                  connection->collector->served_ns + ANSWER_TIMEOUT_NS);
    connection_answer(
        connection, &(struct wire_header){.type = WIRE_REPLY, .counts = {(uint32_t)-error}}, text);
}

static void answer_text(struct connection *connection, int error, const char *text)
{
    answer(connection, error, (struct slice){(const uint8_t *)text, strlen(text)});
}

static bool is_privileged(const struct connection *connection)
{
    return connection->peer.uid == 0 || connection->peer.uid == (uint32_t)geteuid();
}

/* Whether too much memory is held by those who asked and do not take their answers. The administrator has a part of it that
 * nobody else gets. */
static bool is_too_busy(const struct connection *connection)
{
    const struct memory_budget *budget = &connection->collector->answer_memory;

    return budget->used >= (is_privileged(connection) ? budget->limit : budget->limit / 2);
}

static void answer_stats(struct connection *connection,
                         void (*render)(struct text_buffer *, struct collector *))
{
    struct text_buffer text;

    if (is_too_busy(connection)) {
        answer_text(connection, -EBUSY, "too many answers are on their way; try again");
        return;
    }
    text_buffer_init(&text, WIRE_MAX_REPLY_BYTES);
    collector_collect(connection->collector);
    render(&text, connection->collector);
    if (text.has_failed) {
        answer_text(connection, -ENOMEM, "there is not enough memory for the answer");
    } else {
        answer(connection, 0, (struct slice){(const uint8_t *)text.bytes, text.size});
    }
    text_buffer_release(&text);
}

static void start_rotation(struct connection *connection)
{
    /* Each rotation makes files, so not everybody who may record may ask for it. */
    if (!is_privileged(connection)) {
        answer_text(connection, -EPERM,
                    "only root and the user that the collector runs as may rotate; try sudo");
        return;
    }
    int r = collector_rotate(connection->collector, connection->serial);
    if (r < 0) {
        answer_text(connection, r, "too many rotations are going on; try again");
    }
}

static void refuse_request(struct connection *connection, const char *request)
{
    char text[ANSWER_MAX_BYTES];

    connection->collector->counters.refused[REFUSED_BAD_REQUEST]++;
    (void)snprintf(text, sizeof(text),
                   "unknown request '%.60s': this is eddy-collector " EDDY_PROJECT_VERSION
                   ", is the other end newer?",
                   request);
    answer_text(connection, -EINVAL, text);
}

void control_take(struct connection *connection, struct slice request)
{
    char text[REQUEST_MAX_BYTES];
    size_t length = min_u64(request.size, sizeof(text) - 1);

    if (length > 0) {
        memcpy(text, request.data, length);
    }
    text[length] = '\0';
    /* Its first deadline was that of greetings. */
    connection_table_set_deadline(&connection->collector->connections, connection, 0);
    if (strcmp(text, "stats text") == 0) {
        answer_stats(connection, stats_put_text);
    } else if (strcmp(text, "stats json") == 0) {
        answer_stats(connection, stats_put_json);
    } else if (strcmp(text, "stats openmetrics") == 0) {
        answer_stats(connection, stats_put_openmetrics);
    } else if (strcmp(text, "rotate") == 0) {
        start_rotation(connection);
    } else {
        refuse_request(connection, text);
    }
}

void control_rotated(struct collector *collector, uint64_t serial)
{
    struct connection *connection = connection_table_find(&collector->connections, serial);

    if (connection != NULL && connection->stage == CONNECTION_CONTROL) {
        answer_text(connection, 0, "");
    }
}
