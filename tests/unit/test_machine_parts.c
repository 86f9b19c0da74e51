/*
 * What becomes of the texts of /proc. Samples are looked up by name in the batch that they went into.
 */
#include "machine_parts.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static struct batch batch;
static struct machine_metrics metrics;

static void set_up(void)
{
    batch_init(&batch);
    cr_assert_eq(batch_reserve_names(&batch, MACHINE_MAX_METRICS), 0);
    cr_assert_eq(batch_reserve_samples(&batch, 4096), 0);
    metrics = (struct machine_metrics){.batch = &batch, .most_samples = 4096, .time_ns = NS_PER_S};
}

static void tear_down(void)
{
    machine_metrics_release(&metrics);
    batch_release(&batch);
}

TestSuite(machine_parts, .init = set_up, .fini = tear_down);

static struct slice slice_of(const char *text)
{
    return (struct slice){(const uint8_t *)text, strlen(text)};
}

/* The last sample of that name; there must be one. */
static uint64_t bits_of(const char *name, enum value_type type)
{
    for (uint32_t i = batch.samples.count; i-- > 0;) {
        const struct batch_name *entry = &batch.names[batch.samples.metric[i]];

        if (strcmp(entry->text, name) == 0) {
            cr_assert_eq(entry->value, type, "%s", name);
            return batch.samples.value[i];
        }
    }
    cr_assert_fail("no sample of %s", name);
    return 0;
}

static uint64_t value_of(const char *name)
{
    return bits_of(name, VALUE_INTEGER);
}

static double real_of(const char *name)
{
    uint64_t bits = bits_of(name, VALUE_DOUBLE);
    double value;

    memcpy(&value, &bits, sizeof(value));
    return value;
}

static bool has(const char *name)
{
    for (uint32_t i = 0; i < batch.samples.count; i++) {
        if (strcmp(batch.names[batch.samples.metric[i]].text, name) == 0) {
            return true;
        }
    }
    return false;
}

/* --- CPUs and load --- */

static struct machine_cpu cpu;

static void open_cpu(void)
{
    cr_assert_eq(machine_cpu_open(&cpu, &metrics), 0);
    cpu.ns_per_tick = 10 * NS_PER_MS;
}

Test(machine_parts, cpu_times_are_totals_of_each_and_of_all)
{
    open_cpu();
    machine_cpu_sample_stat(&cpu, &metrics,
                            slice_of("cpu  1 2 3 4 5 6 7 8 9 10\ncpu7 10 20 30 40 50 60 70 80\n"
                                     "intr 55 1 2 3\nctxt 66\nbtime 5\nprocesses 77\n"
                                     "procs_running 3\nprocs_blocked 2\nsoftirq 88 1 2\n"));
    cr_expect_eq(value_of("system.cpu.user_time"), 30 * NS_PER_MS);
    cr_expect_eq(value_of("system.cpu.system_time"), 160 * NS_PER_MS);
    cr_expect_eq(value_of("system.cpu.idle_time"), 40 * NS_PER_MS);
    cr_expect_eq(value_of("system.cpu.iowait_time"), 50 * NS_PER_MS);
    cr_expect_eq(value_of("system.cpu.steal_time"), 80 * NS_PER_MS);
    cr_expect_eq(value_of("system.cpu.7.user_time"), 300 * NS_PER_MS);
    cr_expect_eq(value_of("system.cpu.7.system_time"), 1600 * NS_PER_MS);
    cr_expect_eq(value_of("system.interrupts"), 55);
    cr_expect_eq(value_of("system.context_switches"), 66);
    cr_expect_eq(value_of("system.processes.created"), 77);
    cr_expect_eq(value_of("system.processes.running"), 3);
    cr_expect_eq(value_of("system.processes.blocked"), 2);
    cr_expect_eq(value_of("system.soft_interrupts"), 88);
    cr_expect_not(has("system.cpu.utilization"), "there is no interval yet");
    machine_cpu_release(&cpu);
}

Test(machine_parts, utilization_is_of_the_time_since_the_last_sample)
{
    open_cpu();
    machine_cpu_sample_stat(&cpu, &metrics, slice_of("cpu 100 0 100 200 0 0 0 0\n"));
    machine_cpu_sample_stat(&cpu, &metrics, slice_of("cpu 110 5 110 240 10 2 3 20\n"));
    cr_expect_float_eq(real_of("system.cpu.utilization"), 30.0 / 100, 1e-12);
    machine_cpu_sample_stat(&cpu, &metrics, slice_of("cpu 110 5 110 240 10 2 3 20\n"));
    cr_expect_eq(batch.samples.count, 3 * 5 + 1, "no time, no share");
    machine_cpu_release(&cpu);
}

Test(machine_parts, counters_never_go_back)
{
    open_cpu();
    machine_cpu_sample_stat(&cpu, &metrics, slice_of("cpu 1 0 1 100 9 0 0 0\n"));
    machine_cpu_sample_stat(&cpu, &metrics, slice_of("cpu 1 0 1 101 8 0 0 0\n"));
    cr_expect_eq(value_of("system.cpu.iowait_time"), 90 * NS_PER_MS);
    machine_cpu_sample_stat(&cpu, &metrics, slice_of("cpu 1 0 1 102 10 0 0 0\n"));
    cr_expect_eq(value_of("system.cpu.iowait_time"), 110 * NS_PER_MS);
    machine_cpu_release(&cpu);
}

Test(machine_parts, cpus_beyond_the_limit_and_broken_lines_are_left_out)
{
    open_cpu();
    machine_cpu_sample_stat(&cpu, &metrics,
                            slice_of("cpu255 1 1 1 1 1 1 1 1\ncpu256 1 1 1 1 1 1 1 1\n"
                                     "cpu18446744073709551615 1 1 1 1 1 1 1 1\n"
                                     "cpu-1 1 1 1 1 1 1 1 1\ncpu1 1 2 3\ncpu2 1 2 x 4 5 6 7 8\n"
                                     "ctxt\nintr -1\n\n   \nprocesses 99999999999999999999\n"));
    cr_expect_eq(batch.samples.count, 5);
    cr_expect(has("system.cpu.255.user_time"));
    machine_cpu_release(&cpu);
}

Test(machine_parts, values_beyond_63_bits_become_the_greatest)
{
    open_cpu();
    machine_cpu_sample_stat(&cpu, &metrics,
                            slice_of("cpu 18446744073709551615 0 0 9223372036854775807 0 0 0 0\n"
                                     "procs_running 18446744073709551615\n"));
    cr_expect_eq(value_of("system.cpu.user_time"), INT64_MAX);
    cr_expect_eq(value_of("system.cpu.idle_time"), INT64_MAX);
    cr_expect_eq(value_of("system.processes.running"), INT64_MAX);
    machine_cpu_release(&cpu);
}

Test(machine_parts, load_is_three_averages)
{
    open_cpu();
    machine_cpu_sample_load(&cpu, &metrics, slice_of("0.25 1.50 12.75 2/88 5986\n"));
    cr_expect_float_eq(real_of("system.cpu.load_average.1m"), 0.25, 1e-12);
    cr_expect_float_eq(real_of("system.cpu.load_average.5m"), 1.5, 1e-12);
    cr_expect_float_eq(real_of("system.cpu.load_average.15m"), 12.75, 1e-12);
    machine_cpu_sample_load(&cpu, &metrics, slice_of("x 1.50 12.75\n"));
    machine_cpu_sample_load(&cpu, &metrics, slice_of(""));
    cr_expect_eq(batch.samples.count, 3);
    machine_cpu_release(&cpu);
}

/* --- Pressure and memory --- */

Test(machine_parts, pressure_is_the_totals)
{
    struct machine_pressure pressure;

    cr_assert_eq(machine_pressure_open(&pressure, &metrics), 0);
    machine_pressure_sample_text(&pressure, &metrics, PRESSURE_IO,
                                 slice_of("some avg10=1.00 avg60=2.00 avg300=3.00 total=42\n"
                                          "full avg10=0.00 avg60=0.00 avg300=0.00 total=7\n"));
    machine_pressure_sample_text(&pressure, &metrics, PRESSURE_CPU,
                                 slice_of("some avg10=1.00 total=\nfull total=x\nnone total=1\n"
                                          "some avg10=1.00 avg60=2.00 avg300=3.00 total=5\n"));
    cr_expect_eq(value_of("system.pressure.io.some_time"), 42 * NS_PER_US);
    cr_expect_eq(value_of("system.pressure.io.full_time"), 7 * NS_PER_US);
    cr_expect_eq(value_of("system.pressure.cpu.some_time"), 5 * NS_PER_US);
    cr_expect_eq(batch.samples.count, 3);
    machine_pressure_release(&pressure);
}

Test(machine_parts, memory_is_bytes_and_totals)
{
    struct machine_memory memory;

    cr_assert_eq(machine_memory_open(&memory, &metrics), 0);
    machine_memory_sample_meminfo(
        &memory, &metrics,
        slice_of("MemTotal:  100 kB\nMemFree: 50 kB\nMemAvailable: 70 kB\n"
                 "Buffers: 1 kB\nCached: 2 kB\nSwapCached: 9 kB\n"
                 "Dirty: 3 kB\nWriteback: 4 kB\nWritebackTmp: 9 kB\n"
                 "SwapTotal: 20 kB\nSwapFree: 10 kB\n"));
    machine_memory_sample_vmstat(&memory, &metrics,
                                 slice_of("pswpin 1\npswpout 2\nallocstall_dma 3\n"
                                          "allocstall_normal 4\npgfault 1000\npgmajfault 10\n"
                                          "pgscan_kswapd 5\npgsteal_kswapd 6\npgscan_direct 7\n"
                                          "pgscan_direct_throttle 99\npgsteal_direct 8\n"));
    cr_expect_eq(value_of("system.memory.limit"), 100 * KIB);
    cr_expect_eq(value_of("system.memory.free"), 50 * KIB);
    cr_expect_eq(value_of("system.memory.available"), 70 * KIB);
    cr_expect_eq(value_of("system.memory.buffers"), KIB);
    cr_expect_eq(value_of("system.memory.cached"), 2 * KIB);
    cr_expect_eq(value_of("system.memory.dirty"), 3 * KIB);
    cr_expect_eq(value_of("system.memory.writeback"), 4 * KIB);
    cr_expect_eq(value_of("system.swap.limit"), 20 * KIB);
    cr_expect_eq(value_of("system.swap.free"), 10 * KIB);
    cr_expect_eq(value_of("system.swap.in_pages"), 1);
    cr_expect_eq(value_of("system.swap.out_pages"), 2);
    cr_expect_eq(value_of("system.reclaim.stalls"), 7);
    cr_expect_eq(value_of("system.page_faults.minor"), 990);
    cr_expect_eq(value_of("system.page_faults.major"), 10);
    cr_expect_eq(value_of("system.reclaim.kswapd_scanned"), 5);
    cr_expect_eq(value_of("system.reclaim.kswapd_reclaimed"), 6);
    cr_expect_eq(value_of("system.reclaim.direct_scanned"), 7);
    cr_expect_eq(value_of("system.reclaim.direct_reclaimed"), 8);
    cr_expect_not(has("system.out_of_memory_kills"), "what the kernel does not say is left out");
    machine_memory_release(&memory);
}

/* --- Disks --- */

static struct machine_disks disks;
static char folder[] = "/tmp/eddy-disks-XXXXXX";

/* A folder in place of /sys/block, with these devices. */
static void open_disks(const char *const *names, size_t count)
{
    machine_disks_open(&disks);
    cr_assert_not_null(mkdtemp(folder));
    if (disks.folder_fd >= 0) {
        cr_assert_eq(close(disks.folder_fd), 0);
    }
    disks.folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    cr_assert_geq(disks.folder_fd, 0);
    for (size_t i = 0; i < count; i++) {
        cr_assert_eq(mkdirat(disks.folder_fd, names[i], 0700), 0);
    }
}

static void close_disks(const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        cr_assert_eq(unlinkat(disks.folder_fd, names[i], AT_REMOVEDIR), 0);
    }
    cr_assert_eq(rmdir(folder), 0);
    machine_disks_release(&disks);
}

Test(machine_parts, disks_are_whole_devices_that_did_something)
{
    static const char *const names[] = {"sda", "loop0", "cciss!c0d0"};

    open_disks(names, ARRAY_SIZE(names));
    machine_disks_sample_text(&disks, &metrics,
                              slice_of("   8 0 sda 10 1 20 30 40 2 50 60 3 70 80 0 0 0 0 0 0\n"
                                       "   8 1 sda1 10 1 20 30 40 2 50 60 3 70 80 0 0 0 0\n"
                                       "   7 0 loop0 0 0 0 0 0 0 0 0 0 0 0\n"
                                       " 104 0 cciss/c0d0 1 0 1 1 0 0 0 0 0 1 1\n"));
    cr_expect_eq(disks.count, 2);
    cr_expect_eq(value_of("system.disk.sda.read_operations"), 10);
    cr_expect_eq(value_of("system.disk.sda.write_operations"), 40);
    cr_expect_eq(value_of("system.disk.sda.read_bytes"), 20 * 512);
    cr_expect_eq(value_of("system.disk.sda.write_bytes"), 50 * 512);
    cr_expect_eq(value_of("system.disk.sda.read_time"), 30 * NS_PER_MS);
    cr_expect_eq(value_of("system.disk.sda.write_time"), 60 * NS_PER_MS);
    cr_expect_eq(value_of("system.disk.sda.io_time"), 70 * NS_PER_MS);
    cr_expect_eq(value_of("system.disk.sda.pending_operations"), 3);
    cr_expect_eq(value_of("system.disk.cciss/c0d0.read_operations"), 1);
    cr_expect_not(has("system.disk.sda.utilization"));
    close_disks(names, ARRAY_SIZE(names));
}

Test(machine_parts, latency_and_utilization_are_of_the_interval)
{
    static const char *const names[] = {"vda"};

    open_disks(names, ARRAY_SIZE(names));
    machine_disks_sample_text(&disks, &metrics, slice_of("254 0 vda 10 0 0 100 5 0 0 50 0 60 0\n"));
    metrics.time_ns += NS_PER_S;
    machine_disks_sample_text(&disks, &metrics,
                              slice_of("254 0 vda 14 0 0 130 5 0 0 50 0 310 0\n"));
    cr_expect_float_eq(real_of("system.disk.vda.utilization"), 0.25, 1e-12);
    cr_expect_eq(value_of("system.disk.vda.read_latency"), 30 * NS_PER_MS / 4);
    cr_expect_not(has("system.disk.vda.write_latency"), "no write ended");
    metrics.time_ns += NS_PER_S;
    machine_disks_sample_text(&disks, &metrics,
                              slice_of("254 0 vda 14 0 0 130 6 0 0 60 0 9999 0\n"));
    cr_expect_float_eq(real_of("system.disk.vda.utilization"), 1, 1e-12);
    cr_expect_eq(value_of("system.disk.vda.write_latency"), 10 * NS_PER_MS);
    /* Taken away and put back: nothing of what it did before is counted again. */
    metrics.time_ns += NS_PER_S;
    machine_disks_sample_text(&disks, &metrics, slice_of("254 0 vda 2 0 0 1 0 0 0 0 0 1 0\n"));
    cr_expect_eq(value_of("system.disk.vda.read_operations"), 14);
    metrics.time_ns += NS_PER_S;
    machine_disks_sample_text(&disks, &metrics, slice_of("254 0 vda 5 0 0 1 0 0 0 0 0 1 0\n"));
    cr_expect_eq(value_of("system.disk.vda.read_operations"), 17);
    close_disks(names, ARRAY_SIZE(names));
}

Test(machine_parts, hostile_lines_name_no_disk)
{
    open_disks(NULL, 0);
    machine_disks_sample_text(
        &disks, &metrics,
        slice_of("8 0 .. 1 1 1 1 1 1 1 1 1 1 1\n8 0 . 1 1 1 1 1 1 1 1 1 1 1\n"
                 "8 0 ../../etc 1 1 1 1 1 1 1 1 1 1 1\n8 0 \xff\xfe 1 1 1 1 1 1 1 1 1 1 1\n"
                 "8 0 \x1b[31m 1 1 1 1 1 1 1 1 1 1 1\n"
                 "8 0 a-name-that-is-as-long-as-no-kernel-would-have-it 1 1 1 1 1 1 1 1 1 1 1\n"
                 "8 0 sda 1 1 1\n8 0\n8 0 sda 1 1 1 1 1 1 1 1 1 1 x\nsda 1 1 1\n\n"));
    cr_expect_eq(disks.count, 0);
    cr_expect_eq(batch.samples.count, 0);
    close_disks(NULL, 0);
}

Test(machine_parts, disks_are_bounded)
{
    static char names[MACHINE_MAX_DISKS + 3][8];
    const char *list[ARRAY_SIZE(names)];
    char line[1024];

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        (void)snprintf(names[i], sizeof(names[i]), "d%zu", i);
        list[i] = names[i];
    }
    open_disks(list, ARRAY_SIZE(list));
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        (void)snprintf(line, sizeof(line), "8 0 %s 1 1 1 1 1 1 1 1 1 1 1\n", names[i]);
        machine_disks_sample_text(&disks, &metrics, slice_of(line));
    }
    cr_expect_eq(disks.count, MACHINE_MAX_DISKS);
    close_disks(list, ARRAY_SIZE(list));
}

Test(machine_parts, a_device_does_nothing_twice_at_the_same_time)
{
    static const char *const names[] = {"sda"};

    open_disks(names, ARRAY_SIZE(names));
    machine_disks_sample_text(
        &disks, &metrics,
        slice_of("8 0 sda 1 1 1 1 1 1 1 1 1 1 1\n8 0 sda 9 9 9 9 9 9 9 9 9 9 9\n"));
    cr_expect_eq(batch.samples.count, 16);
    cr_expect_not(has("system.disk.sda.utilization"));
    close_disks(names, ARRAY_SIZE(names));
}

/* --- What they all go into --- */

Test(machine_parts, samples_without_room_are_counted)
{
    static const struct metric_definition one = {"one", "1", NAME_GAUGE, VALUE_INTEGER};
    int metric = machine_metrics_define(&metrics, "test.", &one, 1);

    cr_assert_eq(metric, 0);
    metrics.most_samples = 3;
    for (uint64_t i = 0; i < 5; i++) {
        machine_metrics_gauge(&metrics, metric, i);
    }
    cr_expect_eq(batch.samples.count, 3);
    cr_expect_eq(metrics.produced, 5);
    cr_expect_eq(metrics.refused, 2);
    machine_metrics_next_batch(&metrics);
    cr_expect_eq(batch.name_count, 0);
    machine_metrics_gauge(&metrics, metric, 9);
    cr_expect_eq(value_of("test.one"), 9);
    cr_expect_eq(batch.name_count, 1);
}

Test(machine_parts, metrics_are_bounded)
{
    static const struct metric_definition two[] = {{"a", "1", NAME_GAUGE, VALUE_INTEGER},
                                                   {"b", "1", NAME_GAUGE, VALUE_INTEGER}};

    for (int i = 0; i < MACHINE_MAX_METRICS; i += 2) {
        cr_assert_eq(machine_metrics_define(&metrics, "x.", two, 2), i);
    }
    cr_expect_eq(machine_metrics_define(&metrics, "x.", two, 1), -ENOSPC);
    cr_expect_eq(metrics.count, MACHINE_MAX_METRICS);
}
