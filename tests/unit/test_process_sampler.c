#include "client_fixture.h"
#include "clocks.h"
#include "names.h"
#include "process_sampler.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <sys/resource.h>

static bool usage_fails;
static int allocations_left = -1;

int __real_getrusage(__rusage_who_t who, struct rusage *ret_usage);
int __wrap_getrusage(__rusage_who_t who, struct rusage *ret_usage);
int __wrap_getrusage(__rusage_who_t who, struct rusage *ret_usage)
{
    errno = ENOSYS;
    return usage_fails ? -1 : __real_getrusage(who, ret_usage);
}

void *__real_realloc(void *pointer, size_t size);
void *__wrap_realloc(void *pointer, size_t size);
void *__wrap_realloc(void *pointer, size_t size)
{
    return allocations_left == 0 ? NULL : __real_realloc(pointer, size);
}

static struct process_sampler sampler;

static void set_up(void)
{
    client_set_up();
    cr_assert_eq(process_sampler_init(&sampler, recorder, 100 * NS_PER_MS, true), 0);
}

static void tear_down(void)
{
    process_sampler_release(&sampler);
    client_tear_down();
}

TestSuite(process_sampler, .init = set_up, .fini = tear_down);

static const char *text_of(uint32_t id)
{
    return recorder_at(recorder,
                       recorder->name_text_offset + recorder_name(recorder, id)->text_offset);
}

/* The newest sample of the whole process with that name, or NULL. */
static const struct own_sample *find(const char *text)
{
    for (uint32_t i = sampler.buffer.count; i-- > 0;) {
        const struct own_sample *sample = &sampler.buffer.samples[i];

        if (sample->thread == 0 && strcmp(text_of(sample->name), text) == 0) {
            return sample;
        }
    }
    return NULL;
}

Test(process_sampler, says_what_the_kernel_knows)
{
    static const char *const always[] = {
        "process.cpu.user_time",
        "process.cpu.system_time",
        "process.context_switches.voluntary",
        "process.context_switches.involuntary",
        "process.memory.rss",
        "process.memory.heap_in_use",
        "process.page_faults.minor",
        "process.page_faults.major",
        "process.threads",
        "process.open_descriptors",
        "process.open_descriptors.limit",
        "process.memory.malloc_in_use",
        "process.memory.malloc_free",
    };
    uint64_t now_ns = clock_monotonic_ns();

    process_sampler_step(&sampler, now_ns, true, true);
    cr_assert_eq(sampler.taken, sampler.buffer.count);
    for (size_t i = 0; i < ARRAY_SIZE(always); i++) {
        cr_expect_not_null(find(always[i]), "%s", always[i]);
    }
    cr_expect_null(find("process.cpu.utilization"), "between two samples only");
    cr_assert_gt(find("process.memory.rss")->value, MIB);
    cr_assert_leq(find("process.memory.heap_in_use")->value, find("process.memory.rss")->value);
    cr_assert_geq(find("process.threads")->value, 1);
    cr_assert_eq(find("process.memory.rss")->time_ns, now_ns);

    process_sampler_step(&sampler, now_ns + NS_PER_S, true, true);

    double ratio;

    memcpy(&ratio, &find("process.cpu.utilization")->value, sizeof(ratio));
    cr_assert(ratio >= 0 && ratio <= 1);
}

Test(process_sampler, totals_never_shrink)
{
    uint64_t now_ns = clock_monotonic_ns();
    uint64_t last = 0;

    for (uint64_t i = 0; i < 20; i++) {
        process_sampler_step(&sampler, now_ns + i * 10 * NS_PER_S, true, true);
        cr_assert_geq(find("process.cpu.user_time")->value, last);
        last = find("process.cpu.user_time")->value;
    }
}

Test(process_sampler, samples_when_it_is_due_and_somebody_listens)
{
    static const struct {
        bool is_active;
        bool is_listening;
        uint64_t after_ns;
        bool is_sampled;
    } cases[] = {
        {true, true, 0, true},
        {true, true, 50 * NS_PER_MS, false},
        {false, true, 3 * NS_PER_S, true},
        {false, true, 900 * NS_PER_MS, false},
        {true, false, 100 * NS_PER_S, false},
        {true, true, 100 * NS_PER_S, true},
    };
    uint64_t now_ns = clock_monotonic_ns();

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        uint64_t before = sampler.taken;

        now_ns += cases[i].after_ns;
        sampler.cost_ns = 1000; /* whatever this machine needs */
        process_sampler_step(&sampler, now_ns, cases[i].is_active, cases[i].is_listening);
        cr_expect_eq(sampler.taken > before, cases[i].is_sampled, "case %zu", i);
    }
}

Test(process_sampler, one_that_costs_much_is_taken_seldom)
{
    uint64_t now_ns = clock_monotonic_ns();

    process_sampler_step(&sampler, now_ns, true, true);
    sampler.cost_ns = 10 * NS_PER_MS;
    process_sampler_step(&sampler, now_ns + NS_PER_S, true, true);
    cr_assert_eq(sampler.period_ns, 5 * NS_PER_S); /* 0.2 % */
}

/* The flusher sleeps until the next sample is due: without a call that works it must not stop sleeping. */
Test(process_sampler, without_getrusage_the_next_sample_is_still_in_the_future)
{
    uint64_t now_ns = clock_monotonic_ns();

    usage_fails = true;
    process_sampler_step(&sampler, now_ns, true, true);
    cr_assert_not_null(find("process.memory.rss"));
    cr_assert_gt(process_sampler_due_ns(&sampler), now_ns);
}

Test(process_sampler, period_0_takes_nothing)
{
    struct process_sampler none;

    cr_assert_eq(process_sampler_init(&none, recorder, 0, false), 0);
    process_sampler_step(&none, clock_monotonic_ns(), true, true);
    cr_assert_eq(none.taken, 0);
    cr_assert_eq(process_sampler_due_ns(&none), UINT64_MAX);
    process_sampler_release(&none);
}

Test(process_sampler, queues_have_a_depth)
{
    uint32_t queue = names_intern_queue(recorder, "inbox", 8);

    atomic_store(&recorder_queue(recorder, queue - 1)->depth, 5);
    process_sampler_step(&sampler, clock_monotonic_ns(), true, true);
    cr_assert_eq(find("inbox.depth")->value, 5);
    atomic_store(&recorder_queue(recorder, queue - 1)->depth, -1); /* left in two places at once */
    process_sampler_step(&sampler, clock_monotonic_ns() + 100 * NS_PER_S, true, true);
    cr_assert_eq(find("inbox.depth")->value, 0);
}

Test(process_sampler, what_finds_no_memory_is_counted)
{
    allocations_left = 0;
    process_sampler_step(&sampler, clock_monotonic_ns(), true, true);
    allocations_left = -1;
    cr_assert_eq(sampler.buffer.count, 0);
    cr_assert_gt(sampler.taken, 0);
    cr_assert_eq(sampler.buffer.lost.samples, sampler.taken);
}

Test(process_sampler, a_buffer_nobody_empties_is_bounded)
{
    struct sample_buffer buffer = {0};

    for (uint32_t i = 0; i < SAMPLE_BUFFER_MAX + 100; i++) {
        sample_buffer_add(&buffer, i, 1, 0, i);
    }
    cr_assert_eq(buffer.count, SAMPLE_BUFFER_MAX);
    cr_assert_eq(buffer.lost.samples, 100);
    cr_assert_eq(buffer.samples[SAMPLE_BUFFER_MAX - 1].value, SAMPLE_BUFFER_MAX - 1);
    sample_buffer_release(&buffer);
}
