#include "machine_sampler.h"

#include "batch_encode.h"
#include "clocks.h"
#include "machine_parts.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

enum {
    HELLO_BYTES = 256,
    TIMES_THE_COST = 500, /* between two samples: 0.2 % of a CPU */
    COST_WEIGHT = 8,      /* the newest sample is one part of so many of the smoothed cost */
};

/* Why samples are lost, and the cause that stands for it. */
enum sampler_loss { LOST_FOR_WANT_OF_ROOM, LOST_UNENCODED, SAMPLER_LOSSES };

static const enum loss_cause causes[SAMPLER_LOSSES] = {
    [LOST_FOR_WANT_OF_ROOM] = LOSS_COLLECTOR_BUSY,
    [LOST_UNENCODED] = LOSS_UNKNOWN,
};

struct machine_sampler {
    uint8_t session[SESSION_ID_BYTES];
    uint8_t hello_bytes[HELLO_BYTES];
    size_t hello_size;
    struct hello hello;

    uint64_t wanted_period_ns;
    uint64_t period_ns; /* in force */
    uint64_t due_ns;
    uint64_t cost_ns; /* of a sample, smoothed */
    bool is_finished;

    struct machine_metrics metrics; /* owned, as the following */
    struct machine_cpu cpu;
    struct machine_pressure pressure;
    struct machine_memory memory;
    struct machine_disks disks;
    struct machine_text text;

    struct batch batch;
    struct batch_encoder *encoder;
    uint8_t *frame;
    size_t frame_capacity;
    uint64_t sequence; /* of the batch returned last */
    uint64_t batched;  /* samples in all batches returned */
    uint64_t frame_bytes;
    uint64_t cpu_ns;                     /* of sampling and encoding */
    struct loss pending[SAMPLER_LOSSES]; /* not yet in a batch */
    uint64_t lost[SAMPLER_LOSSES];       /* since the beginning */
};

/* --- A session of its own --- */

static int start_session(struct machine_sampler *sampler)
{
    if (getrandom(sampler->session, sizeof(sampler->session), 0) !=
        (ssize_t)sizeof(sampler->session)) {
        return errno != 0 ? -errno : -EIO;
    }
    sampler->hello = (struct hello){
        .pid = (uint32_t)getpid(),
        .executable = "system",
        .session_start_ns = clock_monotonic_ns(),
        .next_sequence = 1,
        .client_version = "eddy-collector " EDDY_PROJECT_VERSION,
    };
    memcpy(sampler->hello.session, sampler->session, SESSION_ID_BYTES);
    return packet_pack_hello(&sampler->hello, sampler->hello_bytes, sizeof(sampler->hello_bytes),
                             &sampler->hello_size);
}

static int reserve_batch(struct machine_sampler *sampler)
{
    int r = batch_reserve_names(&sampler->batch, MACHINE_MAX_METRICS);

    r = r < 0 ? r : batch_reserve_samples(&sampler->batch, MACHINE_MAX_SAMPLES);
    r = r < 0 ? r : batch_reserve_losses(&sampler->batch, SAMPLER_LOSSES);
    return r < 0 ? r : batch_encoder_new(&sampler->encoder);
}

static int open_parts(struct machine_sampler *sampler)
{
    int r = machine_cpu_open(&sampler->cpu, &sampler->metrics);

    r = r < 0 ? r : machine_pressure_open(&sampler->pressure, &sampler->metrics);
    r = r < 0 ? r : machine_memory_open(&sampler->memory, &sampler->metrics);
    if (r == 0) {
        machine_disks_open(&sampler->disks);
    }
    return r;
}

static struct machine_sampler *sampler_with_nothing_open(void)
{
    struct machine_sampler *sampler = calloc(1, sizeof(*sampler));

    if (sampler == NULL) {
        return NULL;
    }
    sampler->metrics.batch = &sampler->batch;
    sampler->metrics.most_samples = MACHINE_MAX_SAMPLES;
    sampler->cpu.stat_fd = sampler->cpu.load_fd = -1;
    sampler->memory.meminfo_fd = sampler->memory.vmstat_fd = -1;
    sampler->disks.diskstats_fd = sampler->disks.folder_fd = -1;
    for (int i = 0; i < PRESSURE_COUNT; i++) {
        sampler->pressure.fd[i] = -1;
    }
    batch_init(&sampler->batch);
    return sampler;
}

int machine_sampler_new(struct machine_sampler **ret_sampler, uint64_t period_ns)
{
    struct machine_sampler *sampler = sampler_with_nothing_open();

    if (sampler == NULL) {
        return -ENOMEM;
    }

    int r = start_session(sampler);

    r = r < 0 ? r : reserve_batch(sampler);
    r = r < 0 ? r : open_parts(sampler);
    if (r < 0) {
        machine_sampler_free(sampler);
        return r;
    }
    sampler->due_ns = sampler->hello.session_start_ns;
    machine_sampler_set_period(sampler, period_ns);
    *ret_sampler = sampler;
    return 0;
}

void machine_sampler_free(struct machine_sampler *sampler)
{
    if (sampler == NULL) {
        return;
    }
    machine_cpu_release(&sampler->cpu);
    machine_pressure_release(&sampler->pressure);
    machine_memory_release(&sampler->memory);
    machine_disks_release(&sampler->disks);
    machine_text_release(&sampler->text);
    machine_metrics_release(&sampler->metrics);
    batch_encoder_free(sampler->encoder);
    batch_release(&sampler->batch);
    free(sampler->frame);
    free(sampler);
}

struct slice machine_sampler_hello(const struct machine_sampler *sampler, struct hello *ret_hello)
{
    *ret_hello = sampler->hello;
    return (struct slice){sampler->hello_bytes, sampler->hello_size};
}

/* --- Samples --- */

static void choose_period(struct machine_sampler *sampler)
{
    uint64_t affordable_ns = min_u64(sampler->cost_ns * TIMES_THE_COST, MACHINE_MAX_PERIOD_NS);

    sampler->period_ns = max_u64(sampler->wanted_period_ns, affordable_ns);
}

void machine_sampler_set_period(struct machine_sampler *sampler, uint64_t period_ns)
{
    uint64_t last_ns = sampler->due_ns - sampler->period_ns;

    sampler->wanted_period_ns = max_u64(period_ns, 1);
    choose_period(sampler);
    /* Nothing was sampled yet: the first sample is due at once. */
    if (sampler->metrics.time_ns != 0) {
        sampler->due_ns = last_ns + sampler->period_ns;
    }
}

uint64_t machine_sampler_next_ns(const struct machine_sampler *sampler)
{
    return sampler->is_finished ? UINT64_MAX : sampler->due_ns;
}

static void note_loss(struct machine_sampler *sampler, enum sampler_loss which, uint64_t samples,
                      uint64_t first_ns, uint64_t last_ns)
{
    struct loss *pending = &sampler->pending[which];

    if (samples == 0) {
        return;
    }
    if (pending->count.samples == 0) {
        *pending = (struct loss){.cause = causes[which], .first_ns = first_ns};
    }
    pending->count.samples += samples;
    pending->last_ns = last_ns;
    sampler->lost[which] += samples;
}

static void sample_all(struct machine_sampler *sampler, uint64_t now_ns)
{
    struct machine_metrics *metrics = &sampler->metrics;

    metrics->time_ns = max_u64(metrics->time_ns, now_ns);
    machine_cpu_sample(&sampler->cpu, metrics, &sampler->text);
    machine_pressure_sample(&sampler->pressure, metrics, &sampler->text);
    machine_memory_sample(&sampler->memory, metrics, &sampler->text);
    machine_disks_sample(&sampler->disks, metrics, &sampler->text);
    note_loss(sampler, LOST_FOR_WANT_OF_ROOM, metrics->refused, metrics->time_ns, metrics->time_ns);
    metrics->refused = 0;
}

void machine_sampler_take(struct machine_sampler *sampler, uint64_t now_ns)
{
    if (now_ns < machine_sampler_next_ns(sampler)) {
        return;
    }

    uint64_t cpu_ns = clock_thread_cpu_ns();

    sample_all(sampler, now_ns);
    cpu_ns = clock_thread_cpu_ns() - cpu_ns;
    sampler->cpu_ns += cpu_ns;
    sampler->cost_ns = sampler->cost_ns == 0
                           ? cpu_ns
                           : (sampler->cost_ns * (COST_WEIGHT - 1) + cpu_ns) / COST_WEIGHT;
    choose_period(sampler);
    /* In step with the clock; what was missed (a suspended machine) is not made up for. */
    sampler->due_ns += sampler->period_ns;
    if (sampler->due_ns <= now_ns) {
        sampler->due_ns = now_ns + sampler->period_ns;
    }
}

/* --- Batches --- */

static bool is_due(const struct machine_sampler *sampler, uint64_t now_ns)
{
    const struct batch_samples *samples = &sampler->batch.samples;

    return samples->count >= MACHINE_BATCH_SAMPLES ||
           (samples->count > 0 && now_ns >= samples->time_ns[0] &&
            now_ns - samples->time_ns[0] >= MACHINE_BATCH_NS);
}

/* Totals as they are when this batch is out. */
static struct totals total(const struct machine_sampler *sampler)
{
    struct totals totals = {
        .produced.samples = sampler->metrics.produced,
        .batched.samples = sampler->batched + sampler->batch.samples.count,
        .client_cpu_ns = sampler->cpu_ns,
        .frame_bytes = sampler->frame_bytes,
    };

    for (int i = 0; i < SAMPLER_LOSSES; i++) {
        totals.lost[causes[i]].samples = sampler->lost[i];
    }
    return totals;
}

/* Everything but the rows and their names. */
static void fill_head(struct machine_sampler *sampler)
{
    struct batch *batch = &sampler->batch;

    memcpy(batch->id.session, sampler->session, SESSION_ID_BYTES);
    batch->id.sequence = sampler->sequence + 1;
    batch->clock = clock_read_all();
    batch->totals = total(sampler);
    batch->sample_period_ns = sampler->period_ns;
    batch->loss_count = 0;
    for (int i = 0; i < SAMPLER_LOSSES; i++) {
        if (sampler->pending[i].count.samples > 0) {
            batch->losses[batch->loss_count++] = sampler->pending[i];
        }
    }
}

static int reserve_frame(struct machine_sampler *sampler)
{
    size_t bound = batch_encode_bound(&sampler->batch);

    if (bound <= sampler->frame_capacity) {
        return 0;
    }
    free(sampler->frame);
    sampler->frame_capacity = 0;
    sampler->frame = malloc(bound);
    if (sampler->frame == NULL) {
        return -ENOMEM;
    }
    sampler->frame_capacity = bound;
    return 0;
}

static int encode(struct machine_sampler *sampler, struct machine_frame *ret_frame)
{
    struct batch *batch = &sampler->batch;
    struct frame_info info = {0};
    size_t size = 0;

    fill_head(sampler);

    int r = reserve_frame(sampler);

    r = r < 0
            ? r
            : batch_encode(sampler->encoder, batch, sampler->frame, sampler->frame_capacity, &size);
    r = r < 0 ? r : frame_check((struct slice){sampler->frame, size}, &info);
    if (r < 0) {
        return r;
    }
    *ret_frame = (struct machine_frame){
        .bytes = {sampler->frame, size},
        .sequence = batch->id.sequence,
        .counts.samples = batch->samples.count,
        .first_ns = batch->min_begin_ns,
        .last_ns = batch->max_end_ns,
        .plain_size = info.plain_size,
    };
    return 0;
}

static void note_batched(struct machine_sampler *sampler, const struct machine_frame *frame)
{
    sampler->sequence = frame->sequence;
    sampler->batched += frame->counts.samples;
    sampler->frame_bytes += frame->bytes.size;
    memset(sampler->pending, 0, sizeof(sampler->pending));
}

static void note_unencoded(struct machine_sampler *sampler)
{
    const struct batch_samples *samples = &sampler->batch.samples;

    if (samples->count > 0) {
        note_loss(sampler, LOST_UNENCODED, samples->count, samples->time_ns[0],
                  samples->time_ns[samples->count - 1]);
    }
}

int machine_sampler_frame(struct machine_sampler *sampler, uint64_t now_ns, bool is_last,
                          struct machine_frame *ret_frame)
{
    if (sampler->is_finished || (!is_last && !is_due(sampler, now_ns))) {
        return 0;
    }

    uint64_t cpu_ns = clock_thread_cpu_ns();
    struct machine_frame frame = {0};
    int r = encode(sampler, &frame);

    if (r < 0) {
        note_unencoded(sampler);
    } else {
        note_batched(sampler, &frame);
        frame.is_last = is_last;
        sampler->is_finished = is_last;
        *ret_frame = frame;
    }
    machine_metrics_next_batch(&sampler->metrics);
    sampler->cpu_ns += clock_thread_cpu_ns() - cpu_ns;
    return r < 0 ? r : 1;
}
