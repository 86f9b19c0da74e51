#include "cgroup_sampler.h"
#include "client_fixture.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Instead of /proc/self/cgroup; NULL: there is none. */
static const char *membership;

int __wrap_proc_file_read(char *buffer, size_t size, const char *format, ...);
int __wrap_proc_file_read(char *buffer, size_t size, const char *format, ...)
{
    cr_assert_str_eq(format, "cgroup");
    if (membership == NULL) {
        buffer[0] = '\0';
        return -ENOENT;
    }
    return snprintf(buffer, size, "%s", membership);
}

static char root[] = "/tmp/eddy-cgroup-XXXXXX";
static struct cgroup_sampler sampler;
static struct sample_buffer buffer;
static uint64_t now_ns;

static void set_up(void)
{
    client_set_up();
    cr_assert_not_null(mkdtemp(root));
    cgroup_sampler_init(&sampler, recorder, root);
    now_ns = 100 * NS_PER_S;
}

static void tear_down(void)
{
    char command[64];

    (void)snprintf(command, sizeof(command), "rm -r %s", root);
    cr_assert_eq(system(command), 0); /* NOLINT(cert-env33-c): in a folder of our own */
    sample_buffer_release(&buffer);
    client_tear_down();
}

TestSuite(cgroup_sampler, .init = set_up, .fini = tear_down);

/* Writes a file of a group, whose folders are made. */
static void say(const char *path, const char *text)
{
    char full[256];

    (void)snprintf(full, sizeof(full), "%s/%s", root, path);
    for (char *slash = full + strlen(root) + 1; (slash = strchr(slash, '/')) != NULL; slash++) {
        *slash = '\0';
        (void)mkdir(full, 0700);
        *slash = '/';
    }

    FILE *file = fopen(full, "w");

    cr_assert_not_null(file);
    cr_assert_geq(fputs(text, file), 0);
    cr_assert_eq(fclose(file), 0);
}

static void sample_after(uint64_t ms)
{
    now_ns += ms * NS_PER_MS;
    buffer.count = 0;
    cgroup_sampler_sample(&sampler, &buffer, now_ns);
}

static const struct own_sample *find(const char *name)
{
    for (uint32_t i = 0; i < buffer.count; i++) {
        const struct name_entry *entry = recorder_name(recorder, buffer.samples[i].name);

        if (strcmp(recorder_at(recorder, recorder->name_text_offset + entry->text_offset), name) ==
            0) {
            return &buffer.samples[i];
        }
    }
    return NULL;
}

static void expect(const char *name, uint64_t value)
{
    const struct own_sample *sample = find(name);

    cr_assert_not_null(sample, "%s", name);
    cr_expect_eq(sample->value, value, "%s: %lu", name, sample->value);
}

static uint64_t bits_of(double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof(bits));
    return bits;
}

Test(cgroup_sampler, throttling_and_limits_of_v2)
{
    membership = "0::/web/one\n";
    say("web/one/cpu.max", "150000 100000\n");
    say("web/one/cpu.stat", "usage_usec 9\nnr_periods 10\nnr_throttled 4\nthrottled_usec 7000\n");
    say("web/one/memory.max", "1048576\n");
    say("web/one/memory.current", "4096\n");
    sample_after(0);
    expect("process.cgroup.cpu.throttled_time", 0); /* what was before is not ours */
    expect("process.cgroup.cpu.throttled_periods", 0);
    expect("process.cgroup.cpu.limit", bits_of(1.5));
    expect("process.cgroup.memory.usage", 4096);
    expect("process.cgroup.memory.limit", 1048576);

    say("web/one/cpu.stat", "nr_periods 20\nnr_throttled 6\nthrottled_usec 9500\n");
    sample_after(200);
    cr_assert_eq(buffer.count, 0); /* not due */
    sample_after(50);
    expect("process.cgroup.cpu.throttled_time", 2500 * NS_PER_US);
    expect("process.cgroup.cpu.throttled_periods", 2);
}

Test(cgroup_sampler, throttling_and_limits_of_v1)
{
    membership = "8:memory:/m\n4:cpuacct,cpu:/c/d\n3:cpuset:/\n1:name=systemd:/x\n0::/\n";
    say("cpu/c/cpu.cfs_quota_us", "5000\n");
    say("cpu/c/cpu.cfs_period_us", "10000\n");
    say("cpu/c/cpu.stat", "nr_periods 1\nnr_throttled 1\nthrottled_time 77\n");
    say("cpu/c/d/cpu.cfs_quota_us", "-1\n"); /* none of its own: the one above counts */
    say("cpu/c/d/cpu.cfs_period_us", "10000\n");
    say("cpu/c/d/cpu.stat", "nr_periods 0\nnr_throttled 0\nthrottled_time 0\n");
    say("memory/m/memory.limit_in_bytes", "65536\n");
    say("memory/m/memory.usage_in_bytes", "123\n");
    sample_after(0);
    expect("process.cgroup.cpu.limit", bits_of(0.5));
    expect("process.cgroup.memory.usage", 123);
    expect("process.cgroup.memory.limit", 65536);
    say("cpu/c/cpu.stat", "nr_periods 2\nnr_throttled 2\nthrottled_time 177\n");
    sample_after(250);
    expect("process.cgroup.cpu.throttled_time", 100);
}

Test(cgroup_sampler, without_limits_nothing_is_said)
{
    static const char *const lists[] = {
        NULL,       "",           "0::/\n",        "0::/a\n4:cpu:/a\n5:memory:/a",
        "nonsense", ":::\n:\n0:", "0::/../../b\n",
    };

    say("cpu.stat", "usage_usec 9\n");
    say("a/cpu.max", "max 100000\n");
    say("a/memory.max", "max\n");
    say("cpu/a/cpu.cfs_quota_us", "-1\n");
    say("cpu/a/cpu.cfs_period_us", "100000\n");
    say("memory/a/memory.limit_in_bytes", "9223372036854771712\n");
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
        membership = lists[i];
        sample_after(20000);
        cr_expect_eq(buffer.count, 0, "case %zu", i);
    }
    cr_assert_eq(sampler.names[0], 0); /* nor is a name taken for it */
}

Test(cgroup_sampler, a_process_that_moves_takes_its_totals_along)
{
    membership = "0::/a\n";
    say("a/cpu.max", "1000 2000\n");
    say("a/cpu.stat", "nr_periods 1\nnr_throttled 1\nthrottled_usec 10\n");
    say("b/cpu.max", "1000 4000\n");
    say("b/cpu.stat", "nr_periods 900\nnr_throttled 800\nthrottled_usec 700\n");
    sample_after(0);
    say("a/cpu.stat", "nr_periods 2\nnr_throttled 2\nthrottled_usec 15\n");
    sample_after(500);
    expect("process.cgroup.cpu.throttled_time", 5 * NS_PER_US);
    membership = "0::/b\n";
    sample_after(500);
    expect("process.cgroup.cpu.throttled_time", 5 * NS_PER_US);
    expect("process.cgroup.cpu.limit", bits_of(0.25));
    say("b/cpu.stat", "nr_periods 901\nnr_throttled 801\nthrottled_usec 703\n");
    sample_after(500);
    expect("process.cgroup.cpu.throttled_time", 8 * NS_PER_US);
    expect("process.cgroup.cpu.throttled_periods", 2);
    say("b/cpu.stat", "nr_periods 1\nnr_throttled 1\nthrottled_usec 1\n"); /* made anew */
    sample_after(500);
    expect("process.cgroup.cpu.throttled_time", 8 * NS_PER_US);
}

Test(cgroup_sampler, a_limit_that_comes_later_is_found)
{
    membership = "0::/a\n";
    say("a/cpu.max", "max 2000\n");
    sample_after(0);
    cr_assert_eq(buffer.count, 0);
    say("a/cpu.max", "500 2000\n");
    say("a/cpu.stat", "nr_periods 1\nnr_throttled 1\nthrottled_usec 10\n");
    sample_after(9000);
    cr_assert_eq(buffer.count, 0);
    sample_after(1000);
    expect("process.cgroup.cpu.limit", bits_of(0.25));
}
