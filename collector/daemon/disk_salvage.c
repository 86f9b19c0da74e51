#include "disk_writer.h"
#include "salvage.h"

/* Jobs wait as they are, with their descriptors: only one recorder at a time takes memory. */
void disk_salvage_queue(struct disk_writer *writer, struct disk_job *job)
{
    struct disk_job **link = &writer->first_salvage;

    while (*link != NULL) {
        link = &(*link)->next;
    }
    job->next = NULL;
    *link = job;
}

bool disk_salvage_is_due(const struct disk_writer *writer)
{
    return writer->first_salvage != NULL;
}

/* The session is over, and its job is done. */
static void finish(struct disk_writer *writer, enum end_reason reason)
{
    struct disk_job *job = writer->first_salvage;

    writer->first_salvage = job->next;
    salvage_free(take_pointer(&writer->salvage));
    disk_writer_end_part(writer, job->session, reason);
    disk_channel_report_done(writer->channel, job, &(struct progress_update){.jobs_done = 1},
                             &writer->counters);
}

static void give_up(struct disk_writer *writer, int error)
{
    writer->counters.recorders_refused++;
    disk_channel_report_event(writer->channel, DISK_RECORDER_REFUSED, error, 1,
                              writer->first_salvage->session->shown_name);
    finish(writer, END_CONNECTION_LOST);
}

/* What the last batch says is the last word: nobody is there who could say more. */
static void succeed(struct disk_writer *writer)
{
    const struct salvage *salvage = writer->salvage;
    struct session_output *output = &salvage->session->output;

    if (!salvage->said_goodbye) {
        output->totals = salvage->rows.batch.totals;
        output->totals_sequence = salvage->last_sequence;
        output->totals_final = true;
    }
    writer->counters.recorders_salvaged++;
    disk_channel_report_event(writer->channel, DISK_RECORDER_SALVAGED, 0,
                              record_counts_sum(&salvage->salvaged), salvage->session->shown_name);
    finish(writer, END_SALVAGED);
}

static void write_frame(struct disk_writer *writer, struct disk_job *frame)
{
    struct progress_update update = {0};

    disk_writer_take_frame(writer, frame, &update);
    disk_channel_report_session(writer->channel, frame->session, &update);
    free(frame);
}

void disk_salvage_step(struct disk_writer *writer)
{
    struct disk_job *job = writer->first_salvage;
    struct disk_job *frame = NULL;
    int r = 0;

    if (job == NULL) {
        return;
    }
    if (writer->salvage == NULL) {
        r = salvage_new(&writer->salvage, job->session, take_fd(&job->recorder_fd), job->sequence);
    }
    r = r < 0 ? r : salvage_step(writer->salvage, &frame);
    if (r > 0) {
        write_frame(writer, frame);
    } else if (r < 0) {
        give_up(writer, r);
    } else {
        succeed(writer);
    }
}
