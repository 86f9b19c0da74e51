#include "process_sampler.h"

#include "clocks.h"
#include "names.h"
#include "proc_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

enum {
    TEXT_BYTES = 512,
    TIMES_THE_COST = 500, /* between two samples: 0.2 % of a CPU */
    COST_WEIGHT = 8,      /* the newest sample is one part of so many of the smoothed cost */
    FOLDER_BYTES = 4096,
    MOST_DESCRIPTORS_COUNTED = 16384,
};

#define IDLE_PERIOD_NS NS_PER_S
#define MALLOC_PERIOD_NS NS_PER_S
#define COUNTING_PERIOD_NS (10 * NS_PER_S)

enum metric {
    METRIC_USER_TIME,
    METRIC_SYSTEM_TIME,
    METRIC_UTILIZATION,
    METRIC_VOLUNTARY,
    METRIC_INVOLUNTARY,
    METRIC_RSS,
    METRIC_HEAP,
    METRIC_MINOR_FAULTS,
    METRIC_MAJOR_FAULTS,
    METRIC_THREADS,
    METRIC_READ_BYTES,
    METRIC_WRITE_BYTES,
    METRIC_READ_CALLS,
    METRIC_WRITE_CALLS,
    METRIC_DISK_READ_BYTES,
    METRIC_DISK_WRITE_BYTES,
    METRIC_DESCRIPTORS,
    METRIC_DESCRIPTOR_LIMIT,
    METRIC_MALLOC_IN_USE,
    METRIC_MALLOC_FREE,
    METRIC_COUNT,
};

static const struct {
    const char *text;
    const char *unit;
    enum name_kind kind;
    enum value_type value;
} metrics[METRIC_COUNT] = {
    [METRIC_USER_TIME] = {"process.cpu.user_time", "ns", NAME_COUNTER_TOTAL, VALUE_INTEGER},
    [METRIC_SYSTEM_TIME] = {"process.cpu.system_time", "ns", NAME_COUNTER_TOTAL, VALUE_INTEGER},
    [METRIC_UTILIZATION] = {"process.cpu.utilization", "1", NAME_GAUGE, VALUE_DOUBLE},
    [METRIC_VOLUNTARY] = {"process.context_switches.voluntary", "{context_switch}",
                          NAME_COUNTER_TOTAL, VALUE_INTEGER},
    [METRIC_INVOLUNTARY] = {"process.context_switches.involuntary", "{context_switch}",
                            NAME_COUNTER_TOTAL, VALUE_INTEGER},
    [METRIC_RSS] = {"process.memory.rss", "By", NAME_GAUGE, VALUE_INTEGER},
    [METRIC_HEAP] = {"process.memory.heap_in_use", "By", NAME_GAUGE, VALUE_INTEGER},
    [METRIC_MINOR_FAULTS] = {"process.page_faults.minor", "{fault}", NAME_COUNTER_TOTAL,
                             VALUE_INTEGER},
    [METRIC_MAJOR_FAULTS] = {"process.page_faults.major", "{fault}", NAME_COUNTER_TOTAL,
                             VALUE_INTEGER},
    [METRIC_THREADS] = {"process.threads", "{thread}", NAME_GAUGE, VALUE_INTEGER},
    [METRIC_READ_BYTES] = {"process.io.read_bytes", "By", NAME_COUNTER_TOTAL, VALUE_INTEGER},
    [METRIC_WRITE_BYTES] = {"process.io.write_bytes", "By", NAME_COUNTER_TOTAL, VALUE_INTEGER},
    [METRIC_READ_CALLS] = {"process.io.read_calls", "{call}", NAME_COUNTER_TOTAL, VALUE_INTEGER},
    [METRIC_WRITE_CALLS] = {"process.io.write_calls", "{call}", NAME_COUNTER_TOTAL, VALUE_INTEGER},
    [METRIC_DISK_READ_BYTES] = {"process.io.disk_read_bytes", "By", NAME_COUNTER_TOTAL,
                                VALUE_INTEGER},
    [METRIC_DISK_WRITE_BYTES] = {"process.io.disk_write_bytes", "By", NAME_COUNTER_TOTAL,
                                 VALUE_INTEGER},
    [METRIC_DESCRIPTORS] = {"process.open_descriptors", "{descriptor}", NAME_GAUGE, VALUE_INTEGER},
    [METRIC_DESCRIPTOR_LIMIT] = {"process.open_descriptors.limit", "{descriptor}", NAME_GAUGE,
                                 VALUE_INTEGER},
    [METRIC_MALLOC_IN_USE] = {"process.memory.malloc_in_use", "By", NAME_GAUGE, VALUE_INTEGER},
    [METRIC_MALLOC_FREE] = {"process.memory.malloc_free", "By", NAME_GAUGE, VALUE_INTEGER},
};
_Static_assert((int)METRIC_COUNT == (int)PROCESS_METRIC_COUNT, "one name id for each metric");

static uint64_t count_cpus(void)
{
    cpu_set_t cpus;

    CPU_ZERO(&cpus);
    return sched_getaffinity(0, sizeof(cpus), &cpus) < 0 ? 1 : (uint64_t)CPU_COUNT(&cpus);
}

int process_sampler_init(struct process_sampler *sampler, struct recorder *recorder,
                         uint64_t period_ns, bool asks_malloc)
{
    *sampler = (struct process_sampler){
        .recorder = recorder,
        .wanted_period_ns = period_ns,
        .period_ns = period_ns,
        .asks_malloc = asks_malloc,
        .cpu_count = max_u64(count_cpus(), 1),
        .page_bytes = (uint64_t)sysconf(_SC_PAGESIZE),
        .queue_names = calloc(RECORDER_MAX_QUEUES, sizeof(*sampler->queue_names)),
    };
    if (sampler->queue_names == NULL) {
        return -ENOMEM;
    }
    if (period_ns == 0) {
        return 0;
    }
    thread_sampler_init(&sampler->threads, recorder);
    cgroup_sampler_init(&sampler->cgroup, recorder, CGROUP_ROOT);
    return 0;
}

void process_sampler_release(struct process_sampler *sampler)
{
    free(sampler->queue_names);
    sampler->queue_names = NULL;
    thread_sampler_release(&sampler->threads);
    sample_buffer_release(&sampler->buffer);
}

static void add(struct process_sampler *sampler, enum metric metric, uint64_t now_ns,
                uint64_t value)
{
    if (sampler->names[metric] == 0) {
        sampler->names[metric] =
            names_intern(sampler->recorder, metrics[metric].text, metrics[metric].unit,
                         metrics[metric].kind, metrics[metric].value);
    }
    sample_buffer_add(&sampler->buffer, now_ns, sampler->names[metric], 0, value);
}

/* --- What there is to sample --- */

static uint64_t timeval_ns(struct timeval time)
{
    return (uint64_t)time.tv_sec * NS_PER_S + (uint64_t)time.tv_usec * NS_PER_US;
}

static void sample_utilization(struct process_sampler *sampler, uint64_t now_ns, uint64_t cpu_ns)
{
    if (sampler->last_ns != 0 && now_ns > sampler->last_ns) {
        double ratio = (double)(cpu_ns - min_u64(sampler->last_cpu_ns, cpu_ns)) /
                       (double)(now_ns - sampler->last_ns) / (double)sampler->cpu_count;
        uint64_t bits;

        memcpy(&bits, &ratio, sizeof(bits));
        add(sampler, METRIC_UTILIZATION, now_ns, bits);
    }
    sampler->last_ns = now_ns;
    sampler->last_cpu_ns = cpu_ns;
}

static void sample_usage(struct process_sampler *sampler, uint64_t now_ns)
{
    struct rusage usage;

    if (getrusage(RUSAGE_SELF, &usage) < 0) {
        return;
    }

    uint64_t user_ns = timeval_ns(usage.ru_utime);
    uint64_t system_ns = timeval_ns(usage.ru_stime);

    add(sampler, METRIC_USER_TIME, now_ns, user_ns);
    add(sampler, METRIC_SYSTEM_TIME, now_ns, system_ns);
    add(sampler, METRIC_VOLUNTARY, now_ns, (uint64_t)usage.ru_nvcsw);
    add(sampler, METRIC_INVOLUNTARY, now_ns, (uint64_t)usage.ru_nivcsw);
    add(sampler, METRIC_MINOR_FAULTS, now_ns, (uint64_t)usage.ru_minflt);
    add(sampler, METRIC_MAJOR_FAULTS, now_ns, (uint64_t)usage.ru_majflt);
    sample_utilization(sampler, now_ns, user_ns + system_ns);
}

/* statm: pages of the whole, resident, and resident of files or shared. */
static void sample_memory(struct process_sampler *sampler, uint64_t now_ns)
{
    char text[TEXT_BYTES];
    const char *at = text;
    uint64_t size = 0;
    uint64_t resident = 0;
    uint64_t shared = 0;

    if (proc_file_read(text, sizeof(text), "statm") < 0 || !proc_file_next_number(&at, &size) ||
        !proc_file_next_number(&at, &resident) || !proc_file_next_number(&at, &shared)) {
        return;
    }
    add(sampler, METRIC_RSS, now_ns, resident * sampler->page_bytes);
    add(sampler, METRIC_HEAP, now_ns, (resident - min_u64(shared, resident)) * sampler->page_bytes);
}

static void sample_io(struct process_sampler *sampler, uint64_t now_ns)
{
    static const struct {
        const char *key;
        enum metric metric;
    } lines[] = {
        {"rchar:", METRIC_READ_BYTES},
        {"wchar:", METRIC_WRITE_BYTES},
        {"syscr:", METRIC_READ_CALLS},
        {"syscw:", METRIC_WRITE_CALLS},
        {"\nread_bytes:", METRIC_DISK_READ_BYTES},
        {"\nwrite_bytes:", METRIC_DISK_WRITE_BYTES},
    };
    char text[TEXT_BYTES];
    uint64_t value = 0;

    if (proc_file_read(text, sizeof(text), "io") < 0) {
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        if (proc_file_number(text, lines[i].key, &value)) {
            add(sampler, lines[i].metric, now_ns, value);
        }
    }
}

/* Counts the entries of the folder, but for "." and "..", as far as they are not more than can be counted in little time. */
static bool count_descriptors(uint64_t *ret_count)
{
    _Alignas(struct dirent64) char entries[FOLDER_BYTES];
    AUTO_CLOSE int fd = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ssize_t size = 0;
    uint64_t count = 0;

    while (fd >= 0 && count <= MOST_DESCRIPTORS_COUNTED &&
           (size = getdents64(fd, entries, sizeof(entries))) > 0) {
        for (ssize_t at = 0; at < size;) {
            const struct dirent64 *entry = (const void *)(entries + at);

            count += entry->d_name[0] != '.';
            at += entry->d_reclen;
        }
    }
    *ret_count = count;
    return fd >= 0 && size == 0 && count <= MOST_DESCRIPTORS_COUNTED;
}

/*
 * Of the process: the flusher has a table of its own. Since Linux 6.2 the size of the folder is their number; before, it
 * is 0.
 */
static void sample_descriptors(struct process_sampler *sampler, uint64_t now_ns)
{
    struct stat folder;
    struct rlimit limit;
    uint64_t count = 0;

    if (stat("/proc/self/fd", &folder) < 0) {
        return;
    }
    count = (uint64_t)folder.st_size;
    if (count == 0) {
        if (now_ns < sampler->descriptors_due_ns) {
            return;
        }
        sampler->descriptors_due_ns = now_ns + COUNTING_PERIOD_NS;
        if (!count_descriptors(&count)) {
            return;
        }
    }
    add(sampler, METRIC_DESCRIPTORS, now_ns, count);
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        add(sampler, METRIC_DESCRIPTOR_LIMIT, now_ns, limit.rlim_cur);
    }
}

static void sample_malloc(struct process_sampler *sampler, uint64_t now_ns)
{
    if (!sampler->asks_malloc || now_ns < sampler->malloc_due_ns) {
        return;
    }

    struct mallinfo2 info = mallinfo2();

    sampler->malloc_due_ns = now_ns + MALLOC_PERIOD_NS;
    add(sampler, METRIC_MALLOC_IN_USE, now_ns, info.uordblks + info.hblkhd);
    add(sampler, METRIC_MALLOC_FREE, now_ns, info.fordblks);
}

/* The id of QUEUE.depth, or 0 if nobody used the queue yet. */
static uint32_t depth_name(struct process_sampler *sampler, uint32_t queue)
{
    char text[NAME_MAX_BYTES + 8];
    const struct recorder *recorder = sampler->recorder;
    /* Pairs with the release in names_intern_queue(). */
    uint32_t id =
        atomic_load_explicit(&recorder_queue(recorder, queue)->name, memory_order_acquire);

    if (sampler->queue_names[queue] == 0 && id != 0) {
        const struct name_entry *entry = recorder_name(recorder, id);
        const char *name = recorder_at(recorder, recorder->name_text_offset + entry->text_offset);

        (void)snprintf(text, sizeof(text), "%.*s.depth", NAME_MAX_BYTES - 6, name);
        sampler->queue_names[queue] =
            names_intern(sampler->recorder, text, "{operation}", NAME_GAUGE, VALUE_INTEGER);
    }
    return sampler->queue_names[queue];
}

static void sample_queues(struct process_sampler *sampler, uint64_t now_ns)
{
    uint32_t queue_count = (uint32_t)min_u64(
        atomic_load_explicit(&sampler->recorder->queue_count, memory_order_relaxed),
        RECORDER_MAX_QUEUES);

    for (uint32_t i = 0; i < queue_count; i++) {
        uint32_t name = depth_name(sampler, i);
        int64_t depth = atomic_load_explicit(&recorder_queue(sampler->recorder, i)->depth,
                                             memory_order_relaxed);

        if (name != 0) {
            sample_buffer_add(&sampler->buffer, now_ns, name, 0, (uint64_t)(depth > 0 ? depth : 0));
        }
    }
}

static void sample(struct process_sampler *sampler, uint64_t now_ns)
{
    uint64_t before = sampler->buffer.count + sampler->buffer.lost.samples;

    sample_usage(sampler, now_ns);
    sample_memory(sampler, now_ns);
    sample_malloc(sampler, now_ns);
    sample_io(sampler, now_ns);
    sample_descriptors(sampler, now_ns);
    cgroup_sampler_sample(&sampler->cgroup, &sampler->buffer, now_ns);
    thread_sampler_sample(&sampler->threads, &sampler->buffer, now_ns);
    if (sampler->threads.process_threads > 0) {
        add(sampler, METRIC_THREADS, now_ns, sampler->threads.process_threads);
    }
    sample_queues(sampler, now_ns);
    sampler->taken += sampler->buffer.count + sampler->buffer.lost.samples - before;
}

/* --- When --- */

uint64_t process_sampler_due_ns(const struct process_sampler *sampler)
{
    return sampler->period_ns == 0
               ? UINT64_MAX
               : min_u64(sampler->due_ns, sampler->sampled_ns + sampler->period_ns);
}

void process_sampler_step(struct process_sampler *sampler, uint64_t now_ns, bool is_active,
                          bool is_listening)
{
    uint64_t period_ns =
        is_active ? sampler->wanted_period_ns : max_u64(sampler->wanted_period_ns, IDLE_PERIOD_NS);

    if (sampler->wanted_period_ns == 0 || !is_listening) {
        sampler->period_ns = 0;
        return;
    }
    sampler->period_ns = max_u64(period_ns, sampler->cost_ns * TIMES_THE_COST);
    if (now_ns < process_sampler_due_ns(sampler)) {
        return;
    }

    uint64_t cpu_ns = clock_thread_cpu_ns();

    sample(sampler, now_ns);
    cpu_ns = clock_thread_cpu_ns() - cpu_ns;
    sampler->cost_ns = sampler->cost_ns == 0
                           ? cpu_ns
                           : (sampler->cost_ns * (COST_WEIGHT - 1) + cpu_ns) / COST_WEIGHT;
    sampler->sampled_ns = now_ns;
    sampler->due_ns = now_ns + sampler->period_ns;
}
