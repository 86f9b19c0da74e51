#include "scanned_file.h"

#include "clock_line.h"
#include "growing_list.h"
#include "source_facts.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void scanned_file_release(struct scanned_file *file)
{
    for (size_t i = 0; i < file->session_count; i++) {
        source_facts_release(&file->sessions[i].source);
        free(file->sessions[i].steps);
    }
    free(file->sessions);
    free(file->frames);
    free(file->ends);
    *file = (struct scanned_file){0};
}

void scanned_file_complain(struct scanned_file *file, enum input_state state, uint64_t offset_bytes,
                           const char *format, ...)
{
    va_list arguments;

    if (file->problem[0] == '\0') {
        file->problem_offset_bytes = offset_bytes;
        va_start(arguments, format);
        (void)vsnprintf(file->problem, sizeof(file->problem), format, arguments);
        va_end(arguments);
    }
    if (file->state < state) {
        file->state = state;
    }
}

int scanned_file_session(struct scanned_file *file, const uint8_t *id, uint32_t *ret_session)
{
    /* The latest first: a file's batches are of one session after the other. */
    for (size_t i = file->session_count; i-- > 0;) {
        if (memcmp(file->sessions[i].id, id, SESSION_ID_BYTES) == 0) {
            *ret_session = (uint32_t)i;
            return 0;
        }
    }
    if (file->session_count == SCANNED_SESSION_LIMIT) {
        return -E2BIG;
    }

    int r = growing_list_reserve((void *)&file->sessions, &file->session_capacity,
                                 file->session_count, sizeof(*file->sessions));

    if (r < 0) {
        return r;
    }
    *ret_session = (uint32_t)file->session_count;
    file->sessions[file->session_count++] = (struct scanned_session){0};
    memcpy(file->sessions[*ret_session].id, id, SESSION_ID_BYTES);
    return 0;
}

int scanned_file_add_frame(struct scanned_file *file, const struct scanned_frame *frame)
{
    int r = growing_list_reserve((void *)&file->frames, &file->frame_capacity, file->frame_count,
                                 sizeof(*file->frames));

    if (r == 0) {
        file->frames[file->frame_count++] = *frame;
    }
    return r;
}

int scanned_file_add_end(struct scanned_file *file, const struct scanned_end *end)
{
    int r = growing_list_reserve((void *)&file->ends, &file->end_capacity, file->end_count,
                                 sizeof(*file->ends));

    if (r == 0) {
        file->ends[file->end_count++] = *end;
    }
    return r;
}

void scanned_session_take_totals(struct scanned_session *session, uint64_t sequence,
                                 const struct totals *totals, bool is_final)
{
    if (!session->has_totals || sequence >= session->totals_sequence) {
        session->is_final = is_final || (session->is_final && sequence == session->totals_sequence);
        session->totals_sequence = sequence;
        session->totals = *totals;
        session->has_totals = true;
    }
}

static int add_step(struct scanned_session *session, uint64_t sequence, int64_t step_ns)
{
    size_t capacity = session->step_count; /* steps are rare: grown one by one */
    struct clock_step *steps = reallocarray(session->steps, capacity + 1, sizeof(*session->steps));

    if (steps == NULL) {
        return -ENOMEM;
    }
    session->steps = steps;
    session->steps[session->step_count++] = (struct clock_step){sequence, step_ns};
    return 0;
}

int scanned_session_take_clock(struct scanned_session *session, uint64_t sequence,
                               const struct clock_reading *clock)
{
    int64_t step_ns = 0;

    if (!clock_is_read(clock)) {
        return 0;
    }
    if (!clock_is_read(&session->first_clock)) {
        session->first_clock = *clock;
    } else {
        step_ns = clock_step_ns(&session->last_clock, clock);
    }
    session->last_clock = *clock;
    return step_ns == 0 ? 0 : add_step(session, sequence, step_ns);
}

void scanned_session_take_range(struct scanned_session *session, const struct batch_head *head)
{
    if (head->operations == 0 && head->samples == 0 && head->marks == 0) {
        return;
    }
    session->first_ns =
        session->has_records ? min_u64(session->first_ns, head->min_begin_ns) : head->min_begin_ns;
    session->last_ns =
        session->has_records ? max_u64(session->last_ns, head->max_end_ns) : head->max_end_ns;
    session->has_records = true;
}
