#include "disk_writer.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

/* How often the thread looks at ages and limits while nothing else happens. */
#define WAKE_INTERVAL_NS NS_PER_S

/* While there is more to do, the loop hears of it each time that so many bytes were written. */
#define PUBLISH_BYTES MIB

/* Heads of batches are read for the statistics once in this time for each session, and for all together only as long as
 * that costs less than some per cent of a CPU. */
#define TOTALS_INTERVAL_NS NS_PER_S
#define TOTALS_INTERVAL_MAX_BYTES (16 * MIB)

int disk_writer_provide_part(struct disk_writer *writer, struct client_session *session)
{
    struct part *part = session->output.part;
    int r = part == NULL ? 0 : part_pool_use(&writer->pool, part);

    if (r < 0) {
        /* Somebody took the file away, or there is no descriptor: the session goes on in a new part. */
        disk_sync_distrust(writer, part, r);
    } else if (part != NULL) {
        return 0;
    }
    r = part_open(&part, &writer->maker, session);
    if (disk_space_make_room(writer, r)) {
        r = part_open(&part, &writer->maker, session);
    }
    if (r < 0) {
        return r;
    }
    session->output.part = part;
    part_pool_add(&writer->pool, part);
    writer->folder->needs_sync = true;
    writer->counters.parts_opened++;
    writer->counters.open_parts++;
    disk_channel_report_session(writer->channel, session, &(struct progress_update){.holds = 1});
    return 0;
}

/* A part without descriptor is synced with all others, by syncfs(). */
static void limit_descriptors(struct disk_writer *writer)
{
    struct part *part = part_pool_surplus(&writer->pool);

    if (part != NULL) {
        part_pool_suspend(&writer->pool, part);
    }
}

static int write_frame(struct disk_writer *writer, const struct disk_job *job)
{
    struct client_session *session = job->session;

    int r = disk_writer_provide_part(writer, session);
    if (r < 0) {
        disk_channel_report_event(writer->channel, DISK_PART_NOT_OPENED, r, 1, session->shown_name);
        return r;
    }
    struct part *part = session->output.part;
    r = part_append(part, job);
    if (disk_space_make_room(writer, r)) {
        r = part_append(part, job);
    }
    if (r < 0) {
        disk_channel_report_event(writer->channel, DISK_WRITE_FAILED, r, 1, part->writer.name);
        return r;
    }
    part_pool_note_growth(&writer->pool, part);
    writer->counters.frames_written++;
    writer->counters.bytes_written += job->size;
    writer->bytes_since_check += job->size;
    record_counts_add(&writer->counters.stored, &job->counts);
    disk_sync_note(writer, part, job->size);
    limit_descriptors(writer);
    return 0;
}

static bool may_read_totals(struct disk_writer *writer, const struct session_output *output,
                            uint64_t now_ns)
{
    const struct totals_reader *reader = &writer->maker.totals;

    if (now_ns >= writer->totals_due_ns) {
        writer->totals_due_ns = now_ns + TOTALS_INTERVAL_NS;
        writer->totals_max_bytes = reader->plain_bytes + TOTALS_INTERVAL_MAX_BYTES;
    }
    return reader->plain_bytes < writer->totals_max_bytes &&
           now_ns - output->totals_read_ns >= TOTALS_INTERVAL_NS;
}

/* What the client says about its own losses, while the frame is in memory; also if the frame could not be kept. A goodbye
 * comes once in a session, which makes a file: beside that, one head more does not matter. */
static const struct totals *read_totals(struct disk_writer *writer, const struct disk_job *job)
{
    struct session_output *output = &job->session->output;
    struct packet_id id = {.sequence = job->sequence};
    uint64_t now_ns = clock_monotonic_ns();

    if (!job->is_last && !may_read_totals(writer, output, now_ns)) {
        return NULL;
    }
    output->totals_read_ns = now_ns;
    memcpy(id.session, job->session->id, SESSION_ID_BYTES);
    if (totals_read(&writer->maker.totals, (struct slice){job->bytes, job->size}, &id,
                    &output->totals) < 0) {
        return NULL;
    }
    output->totals_sequence = job->sequence;
    output->totals_final = job->is_last;
    return &output->totals;
}

void disk_writer_end_part(struct disk_writer *writer, struct client_session *session,
                          enum end_reason reason)
{
    session->output.end_reason = reason;
    if (session->output.part != NULL) {
        disk_sync_finish(writer, session->output.part, reason);
    }
    disk_losses_settle(writer, session);
}

void disk_writer_take_frame(struct disk_writer *writer, const struct disk_job *job,
                            struct progress_update *update)
{
    struct client_session *session = job->session;

    update->written = job->sequence;
    session->output.gaps += job->gap;
    disk_losses_release(writer, session);
    disk_space_check_if_due(writer, clock_monotonic_ns());
    if (writer->counters.limit_reached) {
        disk_losses_count(writer, job, LOSS_DISK_LIMIT);
        update->lost = job->counts;
    } else if (write_frame(writer, job) < 0) {
        writer->counters.write_errors++;
        writer->counters.last_error_ns = clock_monotonic_ns();
        disk_losses_count(writer, job, LOSS_WRITE_FAILED);
        update->lost = job->counts;
    } else {
        update->bytes_written = job->size;
        update->stored = job->counts;
    }
    update->totals = read_totals(writer, job);

    struct part *part = session->output.part;
    if (job->is_last) {
        disk_writer_end_part(writer, session, END_SESSION_ENDED);
    } else if (part != NULL && part_is_full(part, &writer->part_limits, clock_monotonic_ns())) {
        disk_sync_finish(writer, part, END_ROTATED);
    }
}

static void finish_all(struct disk_writer *writer, enum end_reason reason)
{
    for (struct part *part = part_pool_any(&writer->pool); part != NULL;
         part = part_pool_any(&writer->pool)) {
        disk_sync_finish(writer, part, reason);
        disk_sync_if_due(writer, clock_monotonic_ns());
    }
    disk_losses_tell(writer);
    disk_sync_now(writer);
}

static void rotate_old_parts(struct disk_writer *writer, uint64_t now_ns)
{
    /* Rotated parts leave the pool. */
    for (struct part *part = writer->pool.first_opened;
         part != NULL && now_ns - part->opened_ns >= writer->part_limits.rotate_age_ns;
         part = writer->pool.first_opened) {
        disk_sync_finish(writer, part, END_ROTATED);
        disk_sync_if_due(writer, now_ns);
    }
}

static void handle_job(struct disk_writer *writer, const struct disk_job *job,
                       struct progress_update *update)
{
    switch (job->kind) {
    case JOB_FRAME:
        disk_writer_take_frame(writer, job, update);
        break;
    case JOB_END_PART:
        disk_writer_end_part(writer, job->session, job->reason);
        break;
    case JOB_SALVAGE:
        break; /* done in steps: disk_salvage.c */
    case JOB_ROTATE:
        finish_all(writer, END_ROTATED);
        disk_sync_now(writer); /* once more, for the names of what was closed */
        break;
    case JOB_CONFIGURE:
        writer->part_limits = job->part_limits;
        writer->folder_limits = job->folder_limits;
        writer->space_check_due_ns = 0;
        break;
    case JOB_STOP:
        while (disk_salvage_is_due(writer)) {
            disk_salvage_step(writer);
            disk_sync_if_due(writer, clock_monotonic_ns());
        }
        finish_all(writer, END_COLLECTOR_STOPPED);
        disk_sync_now(writer); /* once more, for the names of what was closed */
        writer->is_stopping = true;
        break;
    }
}

static void work_on(struct disk_writer *writer, struct disk_job *jobs)
{
    size_t unpublished_bytes = 0;

    while (jobs != NULL) {
        struct disk_job *next = jobs->next;
        struct progress_update update = {.jobs_done = 1};

        if (jobs->kind == JOB_SALVAGE) {
            disk_salvage_queue(writer, jobs);
            jobs = next;
            continue;
        }
        handle_job(writer, jobs, &update);
        unpublished_bytes += disk_job_cost(jobs);
        disk_channel_report_done(writer->channel, jobs, &update, &writer->counters);
        if (unpublished_bytes >= PUBLISH_BYTES) {
            disk_channel_publish(writer->channel, &writer->counters, false);
            unpublished_bytes = 0;
        }
        disk_sync_if_due(writer, clock_monotonic_ns());
        jobs = next;
    }
}

static uint64_t wake_time_ns(const struct disk_writer *writer)
{
    uint64_t wake_ns = clock_monotonic_ns() + WAKE_INTERVAL_NS;

    if (disk_salvage_is_due(writer)) {
        return 0;
    }
    return writer->sync_due_ns == 0 ? wake_ns : min_u64(wake_ns, writer->sync_due_ns);
}

static void *writer_main(void *context)
{
    struct disk_writer *writer = context;

    disk_space_start(writer);
    while (!writer->is_stopping) {
        disk_channel_publish(writer->channel, &writer->counters, false);
        work_on(writer, disk_channel_take(writer->channel, wake_time_ns(writer)));
        disk_salvage_step(writer);
        uint64_t now_ns = clock_monotonic_ns();
        rotate_old_parts(writer, now_ns);
        disk_losses_tell_if_due(writer, now_ns);
        disk_sync_if_due(writer, now_ns);
        disk_space_check_if_due(writer, now_ns);
    }
    disk_channel_publish(writer->channel, &writer->counters, true);
    return NULL;
}

static int start_thread(struct disk_writer *writer)
{
    sigset_t all;
    sigset_t before;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&writer->thread, NULL, writer_main, writer);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error != 0) {
        return -error;
    }
    (void)pthread_setname_np(writer->thread, "eddy-writer");
    writer->is_running = true;
    return 0;
}

int disk_writer_start(struct disk_writer *writer, struct disk_channel *channel,
                      struct output_folder *folder, const struct collector_config *config,
                      const struct descriptor_plan *descriptors)
{
    *writer = (struct disk_writer){
        .channel = channel,
        .folder = folder,
        .part_limits = config->part,
        .folder_limits = config->folder,
        .pool = {.most_open = descriptors->open_parts},
        .most_finished = descriptors->finished_parts,
        .scan = malloc(sizeof(*writer->scan)),
    };
    int r = writer->scan == NULL ? -ENOMEM : part_maker_open(&writer->maker, folder->fd);
    if (r == 0) {
        r = start_thread(writer);
    }
    if (r < 0) {
        disk_writer_join(writer);
    }
    return r;
}

void disk_writer_join(struct disk_writer *writer)
{
    if (writer->is_running) {
        (void)pthread_join(writer->thread, NULL);
    }
    part_maker_release(&writer->maker);
    free(writer->scan);
    *writer = (struct disk_writer){0};
}
