#include "disk_channel.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>

int disk_channel_open(struct disk_channel *channel)
{
    pthread_condattr_t attributes;

    *channel = (struct disk_channel){.event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    channel->last_link = &channel->first_job;
    if (channel->event_fd < 0) {
        return -errno;
    }
    /* Neither can fail on Linux with these arguments. */
    (void)pthread_mutex_init(&channel->mutex, NULL);
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&channel->jobs_arrived, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    return 0;
}

void disk_channel_release(struct disk_channel *channel)
{
    while (channel->first_job != NULL) {
        struct disk_job *job = channel->first_job;

        channel->first_job = job->next;
        cleanup_close(&job->recorder_fd);
        free(job);
    }
    if (channel->event_fd >= 0 && channel->last_link != NULL) {
        (void)pthread_cond_destroy(&channel->jobs_arrived);
        (void)pthread_mutex_destroy(&channel->mutex);
        (void)close(channel->event_fd);
    }
    *channel = (struct disk_channel){.event_fd = -1};
}

struct disk_job *disk_job_new(enum disk_job_kind kind, size_t size)
{
    struct disk_job *job = malloc(sizeof(*job) + size);

    if (job != NULL) {
        *job = (struct disk_job){.kind = kind, .recorder_fd = -1, .size = size};
    }
    return job;
}

void disk_channel_push(struct disk_channel *channel, struct disk_job *job)
{
    job->next = NULL;
    (void)pthread_mutex_lock(&channel->mutex);
    *channel->last_link = job;
    channel->last_link = &job->next;
    bool is_awaited = channel->is_awaited;
    channel->is_awaited = false;
    (void)pthread_mutex_unlock(&channel->mutex);
    /* Not before: who is woken would have to wait for the mutex. */
    if (is_awaited) {
        (void)pthread_cond_signal(&channel->jobs_arrived);
    }
}

struct disk_job *disk_channel_take(struct disk_channel *channel, uint64_t deadline_ns)
{
    const struct timespec deadline = {
        .tv_sec = (time_t)(deadline_ns / NS_PER_S),
        .tv_nsec = (long)(deadline_ns % NS_PER_S),
    };
    int r = 0;

    (void)pthread_mutex_lock(&channel->mutex);
    while (channel->first_job == NULL && r != ETIMEDOUT) {
        channel->is_awaited = true;
        r = pthread_cond_timedwait(&channel->jobs_arrived, &channel->mutex, &deadline);
    }
    channel->is_awaited = false;
    struct disk_job *jobs = channel->first_job;
    channel->first_job = NULL;
    channel->last_link = &channel->first_job;
    (void)pthread_mutex_unlock(&channel->mutex);
    return jobs;
}

void disk_channel_collect(struct disk_channel *channel, struct disk_reports *ret_reports)
{
    uint64_t ignored;

    /* Emptied first: a report that comes now makes it readable again. */
    ssize_t r = read(channel->event_fd, &ignored, sizeof(ignored));
    (void)r;
    (void)pthread_mutex_lock(&channel->mutex);
    *ret_reports = channel->reports;
    for (struct client_session *session = ret_reports->sessions; session != NULL;
         session = session->next_reported) {
        session->known = session->progress;
        session->next_updated = session->next_reported;
        session->is_reported = false;
    }
    channel->reports = (struct disk_reports){
        .counters = ret_reports->counters,
        .stopped = ret_reports->stopped,
    };
    channel->has_news = false;
    channel->is_woken = false;
    (void)pthread_mutex_unlock(&channel->mutex);
}

static void wake_loop(const struct disk_channel *channel)
{
    const uint64_t one = 1;

    /* Fails only if the counter is full: the loop is awake then. */
    ssize_t r = write(channel->event_fd, &one, sizeof(one));
    (void)r;
}

static void apply_update(struct session_progress *progress, const struct progress_update *update)
{
    progress->durable = max_u64(progress->durable, update->durable);
    /* A sync may be over before the job is that wrote the frame. */
    progress->written = max_u64(max_u64(progress->written, update->written), update->durable);
    progress->jobs_done += update->jobs_done;
    progress->holds += (uint64_t)update->holds;
    record_counts_add(&progress->stored, &update->stored);
    record_counts_add(&progress->lost, &update->lost);
    progress->bytes_written += update->bytes_written;
    if (update->totals != NULL) {
        progress->totals = *update->totals;
        progress->has_totals = true;
    }
}

static void note_session(struct disk_channel *channel, struct client_session *session,
                         const struct progress_update *update)
{
    apply_update(&session->progress, update);
    if (!session->is_reported) {
        session->is_reported = true;
        session->next_reported = channel->reports.sessions;
        channel->reports.sessions = session;
    }
    channel->has_news = true;
}

void disk_channel_report_session(struct disk_channel *channel, struct client_session *session,
                                 const struct progress_update *update)
{
    (void)pthread_mutex_lock(&channel->mutex);
    note_session(channel, session, update);
    (void)pthread_mutex_unlock(&channel->mutex);
}

void disk_channel_report_event(struct disk_channel *channel, enum disk_event_kind kind, int error,
                               uint64_t count, const char *name)
{
    struct disk_reports *reports = &channel->reports;

    (void)pthread_mutex_lock(&channel->mutex);
    if (reports->event_count < DISK_EVENTS_MAX) {
        struct disk_event *event = &reports->events[reports->event_count++];

        *event = (struct disk_event){.kind = kind, .error = error, .count = count};
        (void)snprintf(event->name, sizeof(event->name), "%s", name);
    } else {
        reports->events_lost++;
    }
    channel->has_news = true;
    (void)pthread_mutex_unlock(&channel->mutex);
}

void disk_channel_report_done(struct disk_channel *channel, struct disk_job *job,
                              const struct progress_update *update,
                              const struct disk_counters *counters)
{
    struct disk_reports *reports = &channel->reports;

    (void)pthread_mutex_lock(&channel->mutex);
    if (job->session != NULL) {
        note_session(channel, job->session, update);
    }
    if (job->kind == JOB_FRAME) {
        reports->released_bytes += disk_job_cost(job);
    }
    /* The loop has no more rotations on their way than this. */
    if (job->kind == JOB_ROTATE && reports->ticket_count < DISK_TICKETS_MAX) {
        reports->tickets[reports->ticket_count++] = job->ticket;
    }
    reports->counters = *counters;
    channel->has_news = true;
    (void)pthread_mutex_unlock(&channel->mutex);
    free(job);
}

void disk_channel_publish(struct disk_channel *channel, const struct disk_counters *counters,
                          bool stopped)
{
    (void)pthread_mutex_lock(&channel->mutex);
    channel->reports.counters = *counters;
    channel->reports.stopped = stopped;
    bool must_wake = (channel->has_news || stopped) && !channel->is_woken;
    channel->is_woken = channel->is_woken || must_wake;
    (void)pthread_mutex_unlock(&channel->mutex);
    if (must_wake) {
        wake_loop(channel);
    }
}
