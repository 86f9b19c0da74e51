/*
 * The sampler on the machine that runs the test: what it says is checked by decoding its frames, with any system call or
 * allocation failing.
 */
#include "machine_sampler.h"

#include "batch_decode.h"
#include "frame.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>

/* Calls until one fails, and how many do; negative: none. */
static int calls_left = -1;
static int failures_left;
static int calls_made;

static bool fails(void)
{
    calls_made++;
    if (calls_left < 0 || calls_left-- > 0) {
        return false;
    }
    calls_left = failures_left-- > 1 ? 0 : -1;
    return true;
}

ssize_t __real_pread(int fd, void *buffer, size_t size, off_t offset);
ssize_t __wrap_pread(int fd, void *buffer, size_t size, off_t offset);
ssize_t __wrap_pread(int fd, void *buffer, size_t size, off_t offset)
{
    if (fails()) {
        errno = EIO;
        return -1;
    }
    return __real_pread(fd, buffer, size, offset);
}

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...)
{
    if (fails()) {
        errno = ENOENT;
        return -1;
    }
    return __real_open(path, flags, 0);
}

#define FAILING_ALLOCATION(name, declaration, arguments)                                           \
    void *__real_##name declaration;                                                               \
    void *__wrap_##name declaration;                                                               \
    void *__wrap_##name declaration                                                                \
    {                                                                                              \
        return fails() ? NULL : __real_##name arguments;                                           \
    }

FAILING_ALLOCATION(malloc, (size_t size), (size))
FAILING_ALLOCATION(calloc, (size_t count, size_t size), (count, size))
FAILING_ALLOCATION(realloc, (void *memory, size_t size), (memory, size))
FAILING_ALLOCATION(strdup, (const char *text), (text))

static void fail_call(int number, int count)
{
    calls_left = number;
    failures_left = count;
    calls_made = 0;
}

/* --- Frames and back --- */

static struct frame_reader *reader;
static struct batch_decoder *decoder;
static struct batch batch;

static void set_up(void)
{
    cr_assert_eq(frame_reader_new(&reader), 0);
    cr_assert_eq(batch_decoder_new(&decoder), 0);
    batch_init(&batch);
}

static void tear_down(void)
{
    frame_reader_free(reader);
    batch_decoder_free(decoder);
    batch_release(&batch);
}

TestSuite(machine_sampler, .init = set_up, .fini = tear_down);

static void decode(const struct machine_frame *frame)
{
    struct slice plain;
    struct frame_info info;

    cr_assert_eq(frame_check(frame->bytes, &info), 0);
    cr_assert_eq(info.size, frame->bytes.size);
    cr_assert_eq(info.plain_size, frame->plain_size);
    cr_assert_eq(frame_decompress(reader, frame->bytes, &plain), 0);
    cr_assert_eq(batch_decode(decoder, plain, &batch), 0);
    cr_assert_eq(batch.samples.count, frame->counts.samples);
    cr_assert_eq(batch.id.sequence, frame->sequence);
    cr_assert_eq(batch.min_begin_ns, frame->first_ns);
    cr_assert_eq(batch.max_end_ns, frame->last_ns);
}

static uint64_t kept_and_lost(uint64_t stored)
{
    return stored + totals_lost(&batch.totals).samples;
}

static const struct batch_name *find_name(const char *text)
{
    for (uint32_t i = 0; i < batch.name_count; i++) {
        if (strcmp(batch.names[i].text, text) == 0) {
            return &batch.names[i];
        }
    }
    return NULL;
}

static void expect_rows(const char *text, uint64_t rows)
{
    const struct batch_name *name = find_name(text);

    cr_assert_not_null(name, "%s", text);
    cr_expect_eq(name->rows, rows, "%s", text);
}

/* --- Tests --- */

/* Whatever a sample costs where the test runs, the period stays as it is wanted. */
#define PERIOD_NS MACHINE_MAX_PERIOD_NS

Test(machine_sampler, greets_like_a_client)
{
    struct machine_sampler *sampler;
    struct machine_sampler *other;
    struct packet_arena *arena;
    struct hello hello;
    struct hello other_hello;
    struct hello back;

    cr_assert_eq(machine_sampler_new(&sampler, PERIOD_NS), 0);
    cr_assert_eq(machine_sampler_new(&other, PERIOD_NS), 0);
    cr_assert_eq(packet_arena_new(&arena), 0);
    (void)machine_sampler_hello(other, &other_hello);
    cr_assert_eq(packet_unpack_hello(arena, machine_sampler_hello(sampler, &hello), &back), 0);
    cr_expect_eq(memcmp(back.session, hello.session, SESSION_ID_BYTES), 0);
    cr_expect_neq(memcmp(back.session, other_hello.session, SESSION_ID_BYTES), 0);
    cr_expect_eq(back.pid, (uint32_t)getpid());
    cr_expect_eq(back.next_sequence, 1);
    cr_expect_str_eq(back.executable, "system");
    packet_arena_free(arena);
    machine_sampler_free(sampler);
    machine_sampler_free(other);
}

Test(machine_sampler, samples_this_machine)
{
    struct machine_sampler *sampler;
    struct machine_frame frame;
    struct hello hello;

    cr_assert_eq(machine_sampler_new(&sampler, PERIOD_NS), 0);

    uint64_t now_ns = machine_sampler_next_ns(sampler);

    (void)machine_sampler_hello(sampler, &hello);
    for (int i = 0; i < 3; i++, now_ns += PERIOD_NS) {
        machine_sampler_take(sampler, now_ns);
        cr_expect_geq(machine_sampler_next_ns(sampler), now_ns + PERIOD_NS);
        machine_sampler_take(sampler, now_ns); /* not due */
    }
    cr_assert_eq(machine_sampler_frame(sampler, now_ns, true, &frame), 1);
    cr_expect(frame.is_last);
    cr_expect_eq(frame.sequence, 1);
    decode(&frame);
    cr_expect_eq(memcmp(batch.id.session, hello.session, SESSION_ID_BYTES), 0);
    expect_rows("system.cpu.user_time", 3);
    expect_rows("system.context_switches", 3);
    expect_rows("system.cpu.load_average.1m", 3);
    expect_rows("system.memory.limit", 3);
    expect_rows("system.page_faults.minor", 3);
    cr_expect_eq(batch.totals.produced.samples, frame.counts.samples);
    cr_expect_eq(batch.totals.batched.samples, frame.counts.samples);
    cr_expect_gt(batch.totals.client_cpu_ns, 0);
    cr_expect_geq(batch.sample_period_ns, PERIOD_NS);
    cr_expect_eq(machine_sampler_next_ns(sampler), UINT64_MAX);
    cr_expect_eq(machine_sampler_frame(sampler, now_ns, true, &frame), 0);
    machine_sampler_free(sampler);
}

Test(machine_sampler, batches_are_due_after_ten_seconds)
{
    struct machine_sampler *sampler;
    struct machine_frame frame;
    uint64_t stored = 0;

    cr_assert_eq(machine_sampler_new(&sampler, PERIOD_NS), 0);

    uint64_t now_ns = machine_sampler_next_ns(sampler);

    for (uint64_t sequence = 1; sequence <= 3; sequence++, now_ns += PERIOD_NS) {
        machine_sampler_take(sampler, now_ns);
        cr_assert_eq(machine_sampler_frame(sampler, now_ns + MACHINE_BATCH_NS - 1, false, &frame),
                     0);
        cr_assert_eq(machine_sampler_frame(sampler, now_ns + MACHINE_BATCH_NS, false, &frame), 1);
        cr_expect_eq(frame.sequence, sequence);
        cr_expect_eq(frame.first_ns, now_ns);
        cr_expect_eq(frame.last_ns, now_ns);
        cr_expect_not(frame.is_last);
        stored += frame.counts.samples;
        decode(&frame);
        cr_expect_eq(batch.totals.produced.samples, stored);
    }
    cr_assert_eq(machine_sampler_frame(sampler, now_ns, true, &frame), 1);
    cr_expect_eq(frame.counts.samples, 0, "an empty batch says that these totals are final");
    cr_expect_eq(frame.sequence, 4);
    decode(&frame);
    cr_expect_eq(batch.totals.produced.samples, stored);
    machine_sampler_free(sampler);
}

Test(machine_sampler, batches_are_due_with_many_samples)
{
    struct machine_sampler *sampler;
    struct machine_frame frame = {0};

    cr_assert_eq(machine_sampler_new(&sampler, PERIOD_NS), 0);

    uint64_t first_ns = machine_sampler_next_ns(sampler);
    int r = 0;

    /* Asked as of the first sample, so that none is due for its age. */
    for (int i = 0; r == 0 && i < MACHINE_BATCH_SAMPLES; i++) {
        machine_sampler_take(sampler, machine_sampler_next_ns(sampler));
        r = machine_sampler_frame(sampler, first_ns, false, &frame);
    }
    cr_assert_eq(r, 1);
    cr_expect_geq(frame.counts.samples, MACHINE_BATCH_SAMPLES);
    decode(&frame);
    cr_expect_eq(batch.totals.produced.samples, frame.counts.samples);
    machine_sampler_free(sampler);
}

/* Nobody asks for frames: what finds no room is counted, and told with the batch that comes at last. */
Test(machine_sampler, samples_without_room_are_lost_and_counted)
{
    struct machine_sampler *sampler;
    struct machine_frame frame;

    cr_assert_eq(machine_sampler_new(&sampler, PERIOD_NS), 0);

    uint64_t now_ns = machine_sampler_next_ns(sampler);
    uint64_t first_ns = now_ns;

    for (int i = 0; i < 1000; i++, now_ns += PERIOD_NS) {
        machine_sampler_take(sampler, now_ns);
    }
    cr_assert_eq(machine_sampler_frame(sampler, now_ns, true, &frame), 1);
    cr_expect_eq(frame.counts.samples, MACHINE_MAX_SAMPLES);
    decode(&frame);
    cr_assert_eq(batch.loss_count, 1);
    cr_expect_eq(batch.losses[0].cause, LOSS_COLLECTOR_BUSY);
    cr_expect_gt(batch.losses[0].first_ns, first_ns);
    cr_expect_geq(batch.losses[0].first_ns, frame.last_ns);
    cr_expect_eq(batch.losses[0].last_ns, now_ns - PERIOD_NS);
    cr_expect_eq(batch.losses[0].count.samples, batch.totals.lost[LOSS_COLLECTOR_BUSY].samples);
    cr_expect_eq(batch.totals.produced.samples, kept_and_lost(frame.counts.samples));
    machine_sampler_free(sampler);
}

Test(machine_sampler, a_sleep_is_not_made_up_for)
{
    struct machine_sampler *sampler;

    cr_assert_eq(machine_sampler_new(&sampler, PERIOD_NS), 0);

    uint64_t now_ns = machine_sampler_next_ns(sampler);

    machine_sampler_take(sampler, now_ns);
    cr_expect_eq(machine_sampler_next_ns(sampler), now_ns + PERIOD_NS);
    machine_sampler_take(sampler, now_ns + PERIOD_NS + 5);
    cr_expect_eq(machine_sampler_next_ns(sampler), now_ns + 2 * PERIOD_NS, "in step");
    machine_sampler_take(sampler, now_ns + 60 * PERIOD_NS);
    cr_expect_eq(machine_sampler_next_ns(sampler), now_ns + 61 * PERIOD_NS);
    machine_sampler_free(sampler);
}

Test(machine_sampler, periods_may_change)
{
    struct machine_sampler *sampler;

    cr_assert_eq(machine_sampler_new(&sampler, PERIOD_NS), 0);

    uint64_t now_ns = machine_sampler_next_ns(sampler);

    machine_sampler_set_period(sampler, 2 * PERIOD_NS);
    cr_expect_eq(machine_sampler_next_ns(sampler), now_ns, "the first one is due all the same");
    machine_sampler_take(sampler, now_ns);
    cr_expect_eq(machine_sampler_next_ns(sampler), now_ns + 2 * PERIOD_NS);
    machine_sampler_set_period(sampler, PERIOD_NS);
    cr_expect_eq(machine_sampler_next_ns(sampler), now_ns + PERIOD_NS);
    machine_sampler_free(sampler);
}

/* A nanosecond cannot be afforded: reading a dozen files takes far longer than a five-hundredth of it. */
Test(machine_sampler, widens_its_period_to_what_a_sample_costs)
{
    struct machine_sampler *sampler;

    cr_assert_eq(machine_sampler_new(&sampler, 1), 0);

    uint64_t now_ns = machine_sampler_next_ns(sampler);

    machine_sampler_take(sampler, now_ns);
    cr_expect_gt(machine_sampler_next_ns(sampler), now_ns + 500);
    cr_expect_leq(machine_sampler_next_ns(sampler), now_ns + MACHINE_MAX_PERIOD_NS);
    machine_sampler_free(sampler);
}

Test(machine_sampler, any_call_of_the_constructor_may_fail)
{
    struct machine_sampler *sampler = NULL;

    fail_call(-1, 0);
    cr_assert_eq(machine_sampler_new(&sampler, PERIOD_NS), 0);
    machine_sampler_free(sampler);

    int calls = calls_made;

    cr_assert_gt(calls, 20);
    for (int i = 0; i < calls; i++) {
        sampler = NULL;
        fail_call(i, 1);

        int r = machine_sampler_new(&sampler, PERIOD_NS);

        cr_expect(r == 0 || r == -ENOMEM, "call %d: %d", i, r);
        cr_expect_eq(sampler == NULL, r < 0, "call %d", i);
        cr_expect_lt(calls_left, 0, "call %d was reached", i);
        machine_sampler_free(sampler);
    }
}

/* One sample and the last batch, with some calls failing. The account stays right in any case. */
static void sample_with_failures(int number, int count)
{
    struct machine_sampler *sampler;
    struct machine_frame frame;

    cr_assert_eq(machine_sampler_new(&sampler, PERIOD_NS), 0);
    fail_call(number, count);
    machine_sampler_take(sampler, machine_sampler_next_ns(sampler));

    int r = machine_sampler_frame(sampler, machine_sampler_next_ns(sampler), true, &frame);

    cr_expect(r == 1 || r == -ENOMEM, "call %d: %d", number, r);
    if (r < 0) {
        /* Lost, but not forgotten. */
        cr_assert_eq(machine_sampler_frame(sampler, UINT64_MAX, true, &frame), 1);
    }
    calls_left = -1;
    decode(&frame);
    cr_expect_eq(batch.totals.produced.samples, kept_and_lost(frame.counts.samples));
    cr_expect_eq(batch.loss_count, r < 0 && batch.totals.produced.samples > 0);
    machine_sampler_free(sampler);
}

Test(machine_sampler, any_call_of_a_sample_may_fail)
{
    sample_with_failures(-1, 0);

    int calls = calls_made;

    cr_assert_gt(calls, 10);
    for (int i = 0; i < calls; i++) {
        sample_with_failures(i, 1);
    }
}

Test(machine_sampler, without_any_file_there_is_nothing_to_sample)
{
    struct machine_sampler *sampler;
    struct machine_frame frame;

    /* The files are opened last. */
    fail_call(-1, 0);
    cr_assert_eq(machine_sampler_new(&sampler, PERIOD_NS), 0);
    fail_call(0, 1000);
    machine_sampler_take(sampler, machine_sampler_next_ns(sampler));
    calls_left = -1;
    cr_assert_eq(machine_sampler_frame(sampler, UINT64_MAX, true, &frame), 1);
    cr_expect_eq(frame.counts.samples, 0);
    decode(&frame);
    cr_expect_eq(batch.totals.produced.samples, 0);
    machine_sampler_free(sampler);
}
