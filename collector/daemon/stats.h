/*
 * The collector's account of itself and of its clients, as text for people, JSON and OpenMetrics for programs.
 *
 * All three say the same numbers under the same names; records of a client are those of the frames that it sent:
 * received = stored + lost + on their way to the disk. What the client itself lost, it says in its batches.
 */
#pragma once

#include "collector.h"
#include "text_buffer.h"

enum {
    STATS_LINES_MAX = 64,
    /* Sessions that an answer lists: it then fits into WIRE_MAX_REPLY_BYTES, and keeps the loop for milliseconds only. */
    STATS_SESSIONS_MAX = 4096,
};

struct stats_line {
    const char *name; /* "frames_received" */
    const char *help;
    bool is_counter; /* only grows */
    uint64_t value;
};

/*
 * The numbers of the collector as a whole.
 *
 * Returns:  how many there are.
 * Threads:  the loop's only, as all functions here.
 */
size_t stats_gather(const struct collector *collector,
                    struct stats_line ret_lines[static STATS_LINES_MAX]);

/* All kinds of records together. */
uint64_t stats_records(const struct record_counts *counts);

/* The sessions of the table, those that are connected first, by their last sign of life. */
struct stats_sessions {
    struct client_session **sessions; /* owned array of borrowed sessions; free() */
    size_t count;
    size_t omitted; /* the last ones, of which there are more than asked for */
};

/* Lists at most so many. Returns 0 or -ENOMEM. */
MUST_USE int stats_list_sessions(struct collector *collector, size_t most,
                                 struct stats_sessions *ret_list);

/* "2026-11-24T15:27:17Z" */
enum { STATS_TIME_BYTES = 32 };
const char *stats_time(char ret_text[static STATS_TIME_BYTES], uint64_t realtime_ns);

void stats_put_text(struct text_buffer *text, struct collector *collector);
void stats_put_json(struct text_buffer *text, struct collector *collector);
void stats_put_openmetrics(struct text_buffer *text, struct collector *collector);
