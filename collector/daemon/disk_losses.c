#include "disk_writer.h"

/* So often it is tried again to write what no file tells of yet. */
#define RETRY_INTERVAL_NS NS_PER_S

static void note_loss(struct session_output *output, enum loss_cause cause,
                      const struct disk_job *job)
{
    struct loss *loss = NULL;

    for (uint32_t i = 0; i < output->loss_count; i++) {
        if (output->losses[i].cause == cause) {
            loss = &output->losses[i];
        }
    }
    if (loss == NULL) {
        loss = &output->losses[output->loss_count++];
        *loss = (struct loss){.cause = cause, .first_ns = job->first_ns};
    }
    record_counts_add(&loss->count, &job->counts);
    loss->first_ns = min_u64(loss->first_ns, job->first_ns);
    loss->last_ns = max_u64(loss->last_ns, job->last_ns);
}

void disk_losses_count(struct disk_writer *writer, const struct disk_job *job,
                       enum loss_cause cause)
{
    note_loss(&job->session->output, cause, job);
    record_counts_add(&writer->counters.lost[cause], &job->counts);
    writer->counters.frames_lost++;
}

static void hold(struct disk_writer *writer, struct client_session *session)
{
    struct session_output *output = &session->output;

    if (output->is_untold) {
        return;
    }
    output->is_untold = true;
    output->next_untold = NULL;
    output->previous_untold = writer->last_untold;
    if (writer->last_untold != NULL) {
        writer->last_untold->output.next_untold = session;
    } else {
        writer->first_untold = session;
    }
    writer->last_untold = session;
    writer->counters.sessions_untold++;
    disk_channel_report_session(writer->channel, session, &(struct progress_update){.holds = 1});
}

void disk_losses_release(struct disk_writer *writer, struct client_session *session)
{
    struct session_output *output = &session->output;

    if (!output->is_untold) {
        return;
    }
    output->is_untold = false;
    if (output->previous_untold != NULL) {
        output->previous_untold->output.next_untold = output->next_untold;
    } else {
        writer->first_untold = output->next_untold;
    }
    if (output->next_untold != NULL) {
        output->next_untold->output.previous_untold = output->previous_untold;
    } else {
        writer->last_untold = output->previous_untold;
    }
    writer->counters.sessions_untold--;
    disk_channel_report_session(writer->channel, session, &(struct progress_update){.holds = -1});
}

/* A part with nothing but a Source and an End. Returns whether that could be written. */
static bool write_account(struct disk_writer *writer, struct client_session *session)
{
    if (disk_writer_provide_part(writer, session) < 0) {
        return false;
    }
    disk_losses_release(writer, session);
    disk_sync_finish(writer, session->output.part, session->output.end_reason);
    if (session->output.loss_count > 0) {
        hold(writer, session);
        return false;
    }
    return true;
}

void disk_losses_tell(struct disk_writer *writer)
{
    uint64_t now_ns = clock_monotonic_ns();

    writer->tell_due_ns = now_ns + RETRY_INTERVAL_NS;
    /* If there is no room for one, there is none for the others. */
    while (writer->first_untold != NULL && write_account(writer, writer->first_untold)) {
        disk_sync_if_due(writer, now_ns);
    }
}

void disk_losses_tell_if_due(struct disk_writer *writer, uint64_t now_ns)
{
    if (writer->first_untold != NULL && now_ns >= writer->tell_due_ns) {
        disk_losses_tell(writer);
    }
}

void disk_losses_settle(struct disk_writer *writer, struct client_session *session)
{
    if (session->output.loss_count > 0) {
        hold(writer, session);
        disk_losses_tell(writer);
    }
}
