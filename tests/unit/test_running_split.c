#include "running_split.h"

#include <criterion/criterion.h>
#include <string.h>

enum { NAMES = 8, SAMPLES = 64, ROWS = 16 };

enum {
    NAME_WAIT,
    NAME_USER,
    NAME_SYSTEM,
    NAME_THROTTLED,
    NAME_GC,
    NAME_WORK,
    NAME_WAIT_GAUGE,
    NAME_PAUSE
};

static const struct batch_name all_names[NAMES] = {
    {"process.run_queue.wait", "ns", NAME_COUNTER_TOTAL, VALUE_INTEGER, 0, 0},
    {"process.cpu.user_time", "ns", NAME_COUNTER_TOTAL, VALUE_INTEGER, 0, 0},
    {"process.cpu.system_time", "ns", NAME_COUNTER_TOTAL, VALUE_INTEGER, 0, 0},
    {"process.cgroup.cpu.throttled_time", "ns", NAME_COUNTER_TOTAL, VALUE_INTEGER, 0, 0},
    {"gc", "", NAME_OPERATION, VALUE_INTEGER, 0, 0},
    {"work", "", NAME_OPERATION, VALUE_INTEGER, 0, 0},
    {"process.run_queue.wait", "ns", NAME_GAUGE, VALUE_INTEGER, 0, 0},
    {"gc.minor", UNIT_COLLECTION, NAME_OPERATION, VALUE_INTEGER, 0, 0},
};

static struct running_split split;
static struct batch batch;

/* A batch of threads 11, 12 and 11 again, as a thread that records later than it is sampled. */
static void begin(void)
{
    batch_init(&batch);
    cr_assert_eq(batch_reserve_names(&batch, NAMES), 0);
    cr_assert_eq(batch_reserve_threads(&batch, 3), 0);
    cr_assert_eq(batch_reserve_samples(&batch, SAMPLES), 0);
    cr_assert_eq(batch_reserve_operations(&batch, ROWS), 0);
    memcpy(batch.names, all_names, sizeof(all_names));
    batch.name_count = NAMES;
    batch.thread_count = 3;
    batch.threads[0] = (struct batch_thread){11, "", 1};
    batch.threads[1] = (struct batch_thread){12, "", 2};
    batch.threads[2] = (struct batch_thread){11, "", 3};
}

static void end(void)
{
    running_split_release(&split);
    batch_release(&batch);
}

static void sample(uint64_t time_ns, uint16_t metric, uint32_t thread, uint64_t value)
{
    uint32_t at = batch.samples.count++;

    batch.samples.time_ns[at] = time_ns;
    batch.samples.metric[at] = metric;
    batch.samples.thread[at] = thread;
    batch.samples.value[at] = value;
}

static void sample_thread(uint64_t time_ns, uint32_t thread, uint64_t wait_ns, uint64_t cpu_ns)
{
    sample(time_ns, NAME_USER, thread, cpu_ns - cpu_ns / 3);
    sample(time_ns, NAME_SYSTEM, thread, cpu_ns / 3);
    sample(time_ns, NAME_WAIT, thread, wait_ns);
}

static void operate(uint16_t name, uint64_t begin_ns, uint64_t duration_ns, uint16_t end_thread)
{
    uint32_t at = batch.operations.count++;

    batch.operations.begin_ns[at] = begin_ns;
    batch.operations.duration_ns[at] = duration_ns;
    batch.operations.name[at] = name;
    batch.operations.begin_thread[at] = 1;
    batch.operations.end_thread[at] = end_thread;
}

static uint64_t not_on_cpu(uint32_t row, uint64_t running_ns)
{
    const struct running_estimates found = running_split_estimate(&split, &batch, row, running_ns);

    cr_assert_eq(found.sampled_ns, running_ns);
    return found.ns[RUNNING_NOT_ON_CPU];
}

Test(running_split, a_thread_that_waits_for_a_cpu_was_not_running)
{
    begin();
    sample_thread(1000, 1, 50, 100);
    sample_thread(2000, 1, 350, 400);  /* half and half */
    sample_thread(3000, 1, 350, 1300); /* always on a CPU */
    operate(NAME_WORK, 1200, 300, 0);
    operate(NAME_WORK, 1200, 300, 2);
    operate(NAME_WORK, 2000, 500, 0);
    operate(NAME_WORK, 1500, 1000, 0);
    operate(NAME_WORK, 100, 300, 0);
    operate(NAME_WORK, 4000, 300, 0);
    operate(NAME_WORK, 2000, 0, 0);
    cr_assert_eq(running_split_make(&split, &batch), 0);
    cr_assert_eq(running_split_sources(&split), 1U << RUNNING_NOT_ON_CPU);
    cr_assert_eq(not_on_cpu(0, 200), 100);
    cr_assert_eq(not_on_cpu(1, 200), 100, "the same thread under another number");
    cr_assert_eq(not_on_cpu(2, 200), 0);
    cr_assert_eq(not_on_cpu(3, 150), 30, "from 1000 to 3000: 300 of 1500");
    cr_assert_eq(not_on_cpu(4, 200), 100, "before the first sample");
    cr_assert_eq(not_on_cpu(5, 200), 0, "behind the last one");
    cr_assert_eq(not_on_cpu(6, 0), 0);
    end();
}

Test(running_split, without_two_samples_of_the_thread_nothing_is_known)
{
    begin();
    sample_thread(1000, 1, 50, 100);
    sample_thread(1000, 2, 50, 100);
    sample_thread(2000, 2, 90, 100);
    sample(1500, NAME_WAIT_GAUGE, 1, 7);
    operate(NAME_WORK, 1200, 300, 0);
    operate(NAME_WORK, 1200, 300, 1);
    cr_assert_eq(running_split_make(&split, &batch), 0);
    cr_assert_eq(running_split_estimate(&split, &batch, 0, 10).sampled_ns, 0);
    cr_assert_eq(running_split_estimate(&split, &batch, 0, 10).ns[RUNNING_NOT_ON_CPU], 0);
    cr_assert_eq(not_on_cpu(1, 10), 10, "it waited and never ran");
    end();
}

Test(running_split, throttling_is_part_of_the_wait)
{
    begin();
    sample(1000, NAME_THROTTLED, 0, 0);
    sample_thread(1000, 1, 0, 0);
    sample(2000, NAME_THROTTLED, 0, 800);
    sample_thread(2000, 1, 400, 600);
    operate(NAME_WORK, 1200, 300, 0);
    operate(NAME_WORK, 1200, 300, 1);
    cr_assert_eq(running_split_make(&split, &batch), 0);
    cr_assert_eq(running_split_sources(&split), 1U << RUNNING_NOT_ON_CPU | 1U << RUNNING_THROTTLED);
    cr_assert_eq(running_split_estimate(&split, &batch, 0, 100).ns[RUNNING_THROTTLED], 40);
    cr_assert_eq(running_split_estimate(&split, &batch, 1, 100).ns[RUNNING_THROTTLED], 80);
    end();
}

Test(running_split, collections_are_counted_once_where_they_overlap)
{
    begin();
    operate(NAME_GC, 100, 100, 1);
    operate(NAME_PAUSE, 150, 100, 1);
    operate(NAME_GC, 160, 10, 1);
    operate(NAME_GC, 400, 50, 1);
    operate(NAME_WORK, 0, 1000, 0);
    operate(NAME_WORK, 250, 150, 0);
    operate(NAME_WORK, 200, 100, 0);
    operate(NAME_WORK, 430, 1, 0);
    cr_assert_eq(running_split_make(&split, &batch), 0);
    cr_assert_eq(running_split_sources(&split), 1U << RUNNING_IN_GC);
    cr_assert_eq(running_split_estimate(&split, &batch, 4, 1000).ns[RUNNING_IN_GC], 200);
    cr_assert_eq(running_split_estimate(&split, &batch, 4, 500).ns[RUNNING_IN_GC], 100);
    cr_assert_eq(running_split_estimate(&split, &batch, 5, 150).ns[RUNNING_IN_GC], 0);
    cr_assert_eq(running_split_estimate(&split, &batch, 6, 100).ns[RUNNING_IN_GC], 50);
    cr_assert_eq(running_split_estimate(&split, &batch, 7, 1).ns[RUNNING_IN_GC], 1);
    end();
}
