#include "machine_session.h"

#include <errno.h>
#include <string.h>

int machine_session_open(struct machine_session *ret_machine, struct session_table *table,
                         uint64_t period_ns)
{
    const struct peer_identity self = {
        .pid = (uint32_t)getpid(),
        .uid = (uint32_t)geteuid(),
        .gid = (uint32_t)getegid(),
    };
    struct machine_session machine = {.table = table};
    struct hello hello;

    int r = machine_sampler_new(&machine.sampler, period_ns);
    if (r < 0) {
        return r;
    }
    struct slice packed = machine_sampler_hello(machine.sampler, &hello);
    r = session_table_add(table, &hello, packed, self, SOURCE_MACHINE, &machine.session);
    if (r < 0) {
        machine_session_release(&machine);
        return r;
    }
    *ret_machine = machine;
    return 0;
}

uint64_t machine_session_next_ns(const struct machine_session *machine)
{
    return machine->sampler == NULL ? UINT64_MAX : machine_sampler_next_ns(machine->sampler);
}

static int make_job(const struct machine_session *machine, struct memory_budget *budget,
                    const struct machine_frame *frame, struct disk_job **ret_job)
{
    struct client_session *session = machine->session;
    struct disk_job *job = disk_job_new(JOB_FRAME, frame->bytes.size);

    if (job == NULL) {
        return -ENOMEM;
    }
    /* Small and rare, and nobody could be made to wait: taken even if the budget is used up. */
    budget->used += disk_job_cost(job);
    memcpy(job->bytes, frame->bytes.data, frame->bytes.size);
    job->session = session;
    job->sequence = frame->sequence;
    job->gap = frame->sequence - session->last_sequence - 1;
    job->counts = frame->counts;
    job->first_ns = frame->first_ns;
    job->last_ns = frame->last_ns;
    job->plain_size = frame->plain_size;
    job->is_last = frame->is_last;
    *ret_job = job;
    return 1;
}

int machine_session_step(struct machine_session *machine, struct memory_budget *budget,
                         uint64_t now_ns, bool is_last, struct disk_job **ret_job)
{
    struct machine_frame frame;

    if (machine->sampler == NULL) {
        return 0;
    }
    machine_sampler_take(machine->sampler, now_ns);
    /* With a stopped disk the samples stay where they are, and the sampler counts what it must drop. */
    if (!is_last && budget->used > budget->limit / 2) {
        return 0;
    }
    int r = machine_sampler_frame(machine->sampler, now_ns, is_last, &frame);
    return r == 1 ? make_job(machine, budget, &frame, ret_job) : r;
}

void machine_session_release(struct machine_session *machine)
{
    machine_sampler_free(machine->sampler);
    if (machine->session != NULL) {
        session_table_leave(machine->table, machine->session);
    }
    *machine = (struct machine_session){0};
}
