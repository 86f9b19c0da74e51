#include "cgroup_sampler.h"

#include "columns.h"
#include "names.h"
#include "proc_file.h"

#include <stdio.h>
#include <string.h>

enum {
    TEXT_BYTES = 2048, /* cpu.stat of v2 has a dozen lines */
    MAX_DEPTH = 16,
    FIELD_BYTES = 32,
};

#define LOOK_PERIOD_NS NS_PER_S
#define SAMPLE_PERIOD_NS (250 * NS_PER_MS)
#define SEARCH_PERIOD_NS (10 * NS_PER_S)
/* v1 says "none" as the greatest number of whole pages. */
#define NO_MEMORY_LIMIT (UINT64_C(1) << 62)

enum metric {
    METRIC_THROTTLED_TIME,
    METRIC_THROTTLED_PERIODS,
    METRIC_CPU_LIMIT,
    METRIC_MEMORY_USAGE,
    METRIC_MEMORY_LIMIT,
};

static const struct {
    const char *text;
    const char *unit;
    enum name_kind kind;
    enum value_type value;
} metrics[CGROUP_METRICS] = {
    [METRIC_THROTTLED_TIME] = {"process.cgroup.cpu.throttled_time", "ns", NAME_COUNTER_TOTAL,
                               VALUE_INTEGER},
    [METRIC_THROTTLED_PERIODS] = {"process.cgroup.cpu.throttled_periods", "{period}",
                                  NAME_COUNTER_TOTAL, VALUE_INTEGER},
    [METRIC_CPU_LIMIT] = {"process.cgroup.cpu.limit", "{cpu}", NAME_GAUGE, VALUE_DOUBLE},
    [METRIC_MEMORY_USAGE] = {"process.cgroup.memory.usage", "By", NAME_GAUGE, VALUE_INTEGER},
    [METRIC_MEMORY_LIMIT] = {"process.cgroup.memory.limit", "By", NAME_GAUGE, VALUE_INTEGER},
};

void cgroup_sampler_init(struct cgroup_sampler *sampler, struct recorder *recorder,
                         const char *root)
{
    *sampler = (struct cgroup_sampler){.recorder = recorder, .root = root};
}

static void add(struct cgroup_sampler *sampler, struct sample_buffer *buffer, enum metric metric,
                uint64_t now_ns, uint64_t value)
{
    if (sampler->names[metric] == 0) {
        sampler->names[metric] =
            names_intern(sampler->recorder, metrics[metric].text, metrics[metric].unit,
                         metrics[metric].kind, metrics[metric].value);
    }
    sample_buffer_add(buffer, now_ns, sampler->names[metric], 0, value);
}

/* --- What a group says --- */

static bool read_number(const char *folder, const char *file, uint64_t *ret_number)
{
    char text[FIELD_BYTES];
    const char *at = text;

    return proc_file_read_path(text, sizeof(text), "%s/%s", folder, file) >= 0 &&
           proc_file_next_number(&at, ret_number);
}

/* cpu.stat is called so in both versions; what it says of time is in different units. */
static bool read_throttling(const char *folder, uint64_t *ret_periods, uint64_t *ret_throttled,
                            uint64_t *ret_ns)
{
    char text[TEXT_BYTES];
    uint64_t us = 0;

    if (proc_file_read_path(text, sizeof(text), "%s/cpu.stat", folder) < 0 ||
        !proc_file_number(text, "nr_periods ", ret_periods) ||
        !proc_file_number(text, "nr_throttled ", ret_throttled)) {
        return false;
    }
    if (proc_file_number(text, "throttled_usec ", &us)) {
        *ret_ns = us * NS_PER_US;
        return true;
    }
    return proc_file_number(text, "throttled_time ", ret_ns);
}

/* In CPUs; 0 if there is none. */
static double read_cpu_limit(const char *folder)
{
    char text[2 * FIELD_BYTES];
    const char *at = text;
    uint64_t quota = 0;
    uint64_t period = 0;

    if (proc_file_read_path(text, sizeof(text), "%s/cpu.max", folder) >= 0) {
        bool is_limit = proc_file_next_number(&at, &quota) && proc_file_next_number(&at, &period);

        return is_limit && period > 0 ? (double)quota / (double)period : 0;
    }
    return read_number(folder, "cpu.cfs_quota_us", &quota) &&
                   read_number(folder, "cpu.cfs_period_us", &period) && period > 0
               ? (double)quota / (double)period
               : 0;
}

/* 0 if there is none. */
static uint64_t read_memory_limit(const char *folder)
{
    uint64_t limit = 0;

    return (read_number(folder, "memory.max", &limit) ||
            read_number(folder, "memory.limit_in_bytes", &limit)) &&
                   limit < NO_MEMORY_LIMIT
               ? limit
               : 0;
}

static bool has_cpu_limit(const char *folder)
{
    return read_cpu_limit(folder) > 0;
}

static bool has_memory_limit(const char *folder)
{
    return read_memory_limit(folder) > 0;
}

/* --- Which group it is --- */

/* Where systemd, and everybody after it, mounts cgroups. A controller is in one place only. */
static const struct {
    const char *controller; /* of v1, as /proc/self/cgroup lists it; NULL: v2 */
    const char *mount;      /* below the root */
} places[] = {
    {NULL, ""},
    {NULL, "/unified"},
    {"cpu", "/cpu"},
    {"memory", "/memory"},
};

/*
 * The nearest group with a limit, from path below base upwards; "" if none. Folders that are not there are passed over: in
 * a container, the path may be the one outside.
 */
static void find_limited(char *ret_folder, const char *base, const struct slice *path,
                         bool (*has_limit)(const char *folder))
{
    size_t base_length = strlen(base);
    int length = snprintf(ret_folder, CGROUP_PATH_BYTES, "%s%.*s", base, (int)path->size,
                          (const char *)path->data);

    for (int depth = 0; length > 0 && length < CGROUP_PATH_BYTES && depth < MAX_DEPTH; depth++) {
        if (has_limit(ret_folder)) {
            return;
        }
        if (strlen(ret_folder) <= base_length) {
            break;
        }
        *strrchr(ret_folder, '/') = '\0';
    }
    ret_folder[0] = '\0';
}

static bool lists(struct slice controllers, const char *controller)
{
    const char *at = (const char *)controllers.data;
    const char *end = at + controllers.size;

    while (at < end) {
        size_t one = strcspn(at, ",:");

        if (one == strlen(controller) && memcmp(at, controller, one) == 0) {
            return true;
        }
        at += one + 1;
    }
    return false;
}

/* One line of /proc/self/cgroup: "ID:CONTROLLERS:PATH"; v2 has no list of controllers. */
static void take_line(struct cgroup_sampler *sampler, const char *line)
{
    const char *controllers = strchr(line, ':');
    const char *path = controllers == NULL ? NULL : strchr(++controllers, ':');

    if (path == NULL) {
        return;
    }

    struct slice list = {(const uint8_t *)controllers, (size_t)(path - controllers)};
    struct slice name = {(const uint8_t *)path + 1, strcspn(path + 1, "\n")};

    name.size = name.size == 1 ? 0 : name.size; /* "/" */
    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        const char *controller = places[i].controller;
        char base[CGROUP_PATH_BYTES];

        if (controller == NULL ? list.size > 0 : !lists(list, controller)) {
            continue;
        }
        (void)snprintf(base, sizeof(base), "%s%s", sampler->root, places[i].mount);
        if (sampler->cpu[0] == '\0') {
            find_limited(sampler->cpu, base, &name, has_cpu_limit);
        }
        if (sampler->memory[0] == '\0') {
            find_limited(sampler->memory, base, &name, has_memory_limit);
        }
    }
}

static void search(struct cgroup_sampler *sampler)
{
    for (const char *line = sampler->membership; line[0] != '\0';) {
        take_line(sampler, line);
        line += strcspn(line, "\n");
        line += line[0] == '\n';
    }
}

/* What another group counted before is not ours. */
static void begin_at(struct cgroup_sampler *sampler)
{
    uint64_t periods = 0;

    sampler->seen_ns = 0;
    sampler->seen_periods = 0;
    if (sampler->cpu[0] != '\0') {
        (void)read_throttling(sampler->cpu, &periods, &sampler->seen_periods, &sampler->seen_ns);
    }
}

static bool has_moved(struct cgroup_sampler *sampler)
{
    char membership[CGROUP_LIST_BYTES];

    if (proc_file_read(membership, sizeof(membership), "cgroup") < 0 ||
        strcmp(membership, sampler->membership) == 0) {
        return false;
    }
    memcpy(sampler->membership, membership, sizeof(membership));
    return true;
}

static void look(struct cgroup_sampler *sampler, uint64_t now_ns)
{
    bool moved = has_moved(sampler);
    char before[CGROUP_PATH_BYTES];

    memcpy(before, sampler->cpu, sizeof(before));
    if (moved) {
        sampler->cpu[0] = '\0';
        sampler->memory[0] = '\0';
    }
    if (moved || now_ns >= sampler->search_due_ns) {
        search(sampler);
        sampler->search_due_ns = now_ns + SEARCH_PERIOD_NS;
    }
    if (strcmp(before, sampler->cpu) != 0) {
        begin_at(sampler);
    }
    sampler->cpu_limit = sampler->cpu[0] == '\0' ? 0 : read_cpu_limit(sampler->cpu);
    sampler->memory_limit = sampler->memory[0] == '\0' ? 0 : read_memory_limit(sampler->memory);
}

/* --- Sampling --- */

static void sample_cpu(struct cgroup_sampler *sampler, struct sample_buffer *buffer,
                       uint64_t now_ns)
{
    uint64_t periods = 0;
    uint64_t throttled = 0;
    uint64_t ns = 0;
    uint64_t bits;

    if (sampler->cpu[0] == '\0' || !read_throttling(sampler->cpu, &periods, &throttled, &ns)) {
        return;
    }
    sampler->throttled_ns += ns - min_u64(sampler->seen_ns, ns);
    sampler->throttled_periods += throttled - min_u64(sampler->seen_periods, throttled);
    sampler->seen_ns = ns;
    sampler->seen_periods = throttled;
    add(sampler, buffer, METRIC_THROTTLED_TIME, now_ns, sampler->throttled_ns);
    add(sampler, buffer, METRIC_THROTTLED_PERIODS, now_ns, sampler->throttled_periods);
    if (sampler->cpu_limit > 0) {
        memcpy(&bits, &sampler->cpu_limit, sizeof(bits));
        add(sampler, buffer, METRIC_CPU_LIMIT, now_ns, bits);
    }
}

static void sample_memory(struct cgroup_sampler *sampler, struct sample_buffer *buffer,
                          uint64_t now_ns)
{
    uint64_t usage = 0;

    if (sampler->memory_limit == 0 ||
        (!read_number(sampler->memory, "memory.current", &usage) &&
         !read_number(sampler->memory, "memory.usage_in_bytes", &usage))) {
        return;
    }
    add(sampler, buffer, METRIC_MEMORY_USAGE, now_ns, usage);
    add(sampler, buffer, METRIC_MEMORY_LIMIT, now_ns, sampler->memory_limit);
}

void cgroup_sampler_sample(struct cgroup_sampler *sampler, struct sample_buffer *buffer,
                           uint64_t now_ns)
{
    if (now_ns < sampler->due_ns) {
        return;
    }
    sampler->due_ns = now_ns + SAMPLE_PERIOD_NS;
    if (now_ns >= sampler->look_due_ns) {
        look(sampler, now_ns);
        sampler->look_due_ns = now_ns + LOOK_PERIOD_NS;
    }
    sample_cpu(sampler, buffer, now_ns);
    sample_memory(sampler, buffer, now_ns);
}
