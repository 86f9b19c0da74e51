/*
 * Between the loop and the writer thread: jobs one way, reports the other. The only place where the two meet.
 *
 * Jobs are worked on in the order they were pushed. Their memory is bounded by the loop's memory_budget, which takes the
 * bytes before a message is received and gives them back when the report says that they are free.
 *
 * Reports are gathered, and the loop is woken once for all of them: by disk_channel_publish(). Whatever it takes, woken or
 * not, belongs together: what is reported of a job is reported at once.
 */
#pragma once

#include "client_session.h"
#include "collector_config.h"
#include "collector_counters.h"
#include "trace_writer.h"

#include <pthread.h>

enum disk_job_kind {
    JOB_FRAME,    /* write a frame of session */
    JOB_END_PART, /* close the open part of session */
    JOB_SALVAGE, /* write what the client of session has left in its recorder, and close its part */
    JOB_ROTATE,  /* close all open parts, then report ticket */
    JOB_CONFIGURE, /* new limits */
    JOB_STOP,      /* close all parts and end the thread */
};

/* Also the buffer that a message is received into, so that a frame is never copied. */
struct disk_job {
    struct disk_job *next;
    enum disk_job_kind kind;
    struct client_session *session; /* borrowed; alive while the job is */
    uint64_t ticket;                /* JOB_ROTATE: who asked */
    enum end_reason reason;         /* JOB_END_PART, JOB_STOP */
    struct part_limits part_limits; /* JOB_CONFIGURE */
    struct folder_limits folder_limits;
    int recorder_fd; /* JOB_SALVAGE: owned, -1 if there is none */

    /* JOB_FRAME: from the header of the message. JOB_SALVAGE: sequence is the greatest that arrived. */
    uint64_t sequence;
    uint64_t gap; /* batches between this one and the one before that never arrived */
    struct record_counts counts;
    uint64_t first_ns;
    uint64_t last_ns;
    size_t plain_size;
    bool is_last; /* the session ends with this frame */

    size_t size;
    uint8_t bytes[];
};

/* Things worth a line in the log, told by the writer thread. */
enum disk_event_kind {
    DISK_WRITE_FAILED,
    DISK_PART_NOT_OPENED,
    DISK_SYNC_FAILED,
    DISK_LIMIT_REACHED,
    DISK_LIMIT_LEFT,
    DISK_PART_DELETED,
    DISK_DELETE_FAILED,
    DISK_PARTS_ADOPTED,
    DISK_PARTS_LEFT,
    DISK_FOLDER_UNREADABLE,
    DISK_RECORDER_SALVAGED,
    DISK_RECORDER_REFUSED,
    DISK_EVENT_COUNT,
};

struct disk_event {
    enum disk_event_kind kind;
    int error; /* negative errno, 0 if none */
    uint64_t count;
    char name[TRACE_NAME_MAX_BYTES];
};

/* A step of a session; numbers are added to its progress but for the sequences, which only grow. */
struct progress_update {
    uint64_t written;
    uint64_t durable;
    uint64_t jobs_done;
    int64_t holds;
    struct record_counts stored;
    struct record_counts lost;
    uint64_t bytes_written;
    const struct totals *totals; /* NULL: nothing new */
};

enum {
    DISK_EVENTS_MAX = 16,
    DISK_TICKETS_MAX = 16,
};

/* What the writer thread did since the last look. */
struct disk_reports {
    struct client_session *sessions; /* list by next_updated; their progress was copied to known */
    size_t released_bytes;           /* of jobs done */
    size_t ticket_count;
    uint64_t tickets[DISK_TICKETS_MAX]; /* rotations done */
    size_t event_count;
    struct disk_event events[DISK_EVENTS_MAX];
    uint64_t events_lost; /* that did not fit in */
    struct disk_counters counters;
    bool stopped; /* the writer thread has closed everything and ends */
};

struct disk_channel {
    pthread_mutex_t mutex;
    pthread_cond_t jobs_arrived;
    struct disk_job *first_job; /* owned */
    struct disk_job **last_link;
    bool is_awaited; /* the writer thread sleeps until a job comes */
    struct disk_reports reports;
    bool has_news; /* in reports, since the loop took them */
    bool is_woken; /* the loop was told to take them */
    int event_fd;  /* owned; readable while there are published reports */
};

MUST_USE int disk_channel_open(struct disk_channel *channel);

/* Frees what is left in it. The writer thread must have ended. */
void disk_channel_release(struct disk_channel *channel);

/* A job with room for size bytes, or NULL. Owned by the caller until pushed. Threads: any. */
struct disk_job *disk_job_new(enum disk_job_kind kind, size_t size);

/* What a frame's job takes from the budget: its message and what surrounds it. */
static inline size_t disk_job_cost(const struct disk_job *job)
{
    return sizeof(*job) + job->size;
}

/* Hands job over to the writer thread. Threads: the loop's. Never blocks but for the mutex. */
void disk_channel_push(struct disk_channel *channel, struct disk_job *job);

/*
 * Takes what the writer thread reported, and copies the progress of each session reported to session->known.
 *
 * Threads:  the loop's.
 */
void disk_channel_collect(struct disk_channel *channel, struct disk_reports *ret_reports);

/*
 * Takes all jobs, waiting for them until deadline_ns (CLOCK_MONOTONIC).
 *
 * Returns:  a list by next, now the caller's; NULL if the time is over.
 * Threads:  the writer's, as all below.
 */
struct disk_job *disk_channel_take(struct disk_channel *channel, uint64_t deadline_ns);

/* Reports that session got on. */
void disk_channel_report_session(struct disk_channel *channel, struct client_session *session,
                                 const struct progress_update *update);

void disk_channel_report_event(struct disk_channel *channel, enum disk_event_kind kind, int error,
                               uint64_t count, const char *name);

/* Frees a job and reports it as done, with its bytes, its ticket, what it did for its session, and what there is now. */
void disk_channel_report_done(struct disk_channel *channel, struct disk_job *job,
                              const struct progress_update *update,
                              const struct disk_counters *counters);

/* Lets the loop know what was reported. To be called before anything that may take long. */
void disk_channel_publish(struct disk_channel *channel, const struct disk_counters *counters,
                          bool stopped);
