#include "machine_parts.h"
#include "proc_table.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum {
    SECTOR_BYTES = 512, /* of /proc/diskstats, whatever the device's own are */
    PREFIX_BYTES = DISK_NAME_BYTES + 16,
};

/* Numbers behind a device's name (Documentation/admin-guide/iostats.rst); times in ms. */
enum disk_field {
    FIELD_READS,
    FIELD_READS_MERGED,
    FIELD_SECTORS_READ,
    FIELD_READ_MS,
    FIELD_WRITES,
    FIELD_WRITES_MERGED,
    FIELD_SECTORS_WRITTEN,
    FIELD_WRITE_MS,
    FIELD_PENDING,
    FIELD_IO_MS,
    FIELD_WEIGHTED_IO_MS,
};
_Static_assert((int)FIELD_WEIGHTED_IO_MS + 1 == (int)DISK_FIELDS, "what every kernel has");

enum disk_metric {
    DISK_READS,
    DISK_WRITES,
    DISK_READ_BYTES,
    DISK_WRITE_BYTES,
    DISK_READ_TIME,
    DISK_WRITE_TIME,
    DISK_IO_TIME,
    DISK_PENDING,
    DISK_UTILIZATION,
    DISK_READ_LATENCY,
    DISK_WRITE_LATENCY,
    DISK_METRICS,
};

static const struct metric_definition definitions[DISK_METRICS] = {
    [DISK_READS] = {"read_operations", "{operation}", NAME_COUNTER_TOTAL, VALUE_INTEGER},
    [DISK_WRITES] = {"write_operations", "{operation}", NAME_COUNTER_TOTAL, VALUE_INTEGER},
    [DISK_READ_BYTES] = {"read_bytes", "By", NAME_COUNTER_TOTAL, VALUE_INTEGER},
    [DISK_WRITE_BYTES] = {"write_bytes", "By", NAME_COUNTER_TOTAL, VALUE_INTEGER},
    [DISK_READ_TIME] = {"read_time", "ns", NAME_COUNTER_TOTAL, VALUE_INTEGER},
    [DISK_WRITE_TIME] = {"write_time", "ns", NAME_COUNTER_TOTAL, VALUE_INTEGER},
    [DISK_IO_TIME] = {"io_time", "ns", NAME_COUNTER_TOTAL, VALUE_INTEGER},
    [DISK_PENDING] = {"pending_operations", "{operation}", NAME_GAUGE, VALUE_INTEGER},
    [DISK_UTILIZATION] = {"utilization", "1", NAME_GAUGE, VALUE_DOUBLE},
    [DISK_READ_LATENCY] = {"read_latency", "ns", NAME_GAUGE, VALUE_INTEGER},
    [DISK_WRITE_LATENCY] = {"write_latency", "ns", NAME_GAUGE, VALUE_INTEGER},
};

/* Which field each counter comes from, and how many of its own units that is. */
static const struct {
    enum disk_metric metric;
    enum disk_field field;
    uint64_t factor;
} counters[] = {
    {DISK_READS, FIELD_READS, 1},
    {DISK_WRITES, FIELD_WRITES, 1},
    {DISK_READ_BYTES, FIELD_SECTORS_READ, SECTOR_BYTES},
    {DISK_WRITE_BYTES, FIELD_SECTORS_WRITTEN, SECTOR_BYTES},
    {DISK_READ_TIME, FIELD_READ_MS, NS_PER_MS},
    {DISK_WRITE_TIME, FIELD_WRITE_MS, NS_PER_MS},
    {DISK_IO_TIME, FIELD_IO_MS, NS_PER_MS},
};

void machine_disks_open(struct machine_disks *disks)
{
    *disks = (struct machine_disks){
        .diskstats_fd = machine_file_open("/proc/diskstats"),
        .folder_fd = open("/sys/block", O_PATH | O_DIRECTORY | O_CLOEXEC),
    };
}

void machine_disks_release(struct machine_disks *disks)
{
    cleanup_close(&disks->diskstats_fd);
    cleanup_close(&disks->folder_fd);
}

/* --- Which devices --- */

static struct machine_disk *find(struct machine_disks *disks, struct slice name)
{
    for (uint32_t i = 0; i < disks->count; i++) {
        if (proc_word_is(name, disks->disks[i].name)) {
            return &disks->disks[i];
        }
    }
    return NULL;
}

/* What a driver may call its device; anything else could not stand in a name and in a path. */
static bool name_is_plain(struct slice name)
{
    for (size_t i = 0; i < name.size; i++) {
        uint8_t byte = name.data[i];

        if (byte <= ' ' || byte > '~') {
            return false;
        }
    }
    return name.size < DISK_NAME_BYTES && name.data[0] != '.';
}

/* A partition has no entry of its own in /sys/block. There, '/' in a name is '!'. */
static bool is_whole_device(const struct machine_disks *disks, const char *name)
{
    char entry[DISK_NAME_BYTES];
    struct stat status;

    for (size_t i = 0; i < sizeof(entry); i++) {
        entry[i] = name[i];
        if (entry[i] == '/') {
            entry[i] = '!';
        }
    }
    return disks->folder_fd >= 0 && fstatat(disks->folder_fd, entry, &status, 0) == 0;
}

/* Takes up a device that is seen for the first time; NULL if it is none of ours. */
static struct machine_disk *add(struct machine_disks *disks, struct machine_metrics *metrics,
                                struct slice name)
{
    struct machine_disk *disk = &disks->disks[disks->count];
    char prefix[PREFIX_BYTES];

    if (disks->count == MACHINE_MAX_DISKS || !name_is_plain(name)) {
        return NULL;
    }
    *disk = (struct machine_disk){0};
    memcpy(disk->name, name.data, name.size);
    if (!is_whole_device(disks, disk->name)) {
        return NULL;
    }
    (void)snprintf(prefix, sizeof(prefix), "system.disk.%s.", disk->name);
    disk->metrics = machine_metrics_define(metrics, prefix, definitions, DISK_METRICS);
    if (disk->metrics < 0) {
        return NULL;
    }
    disks->count++;
    return disk;
}

/* --- What they did --- */

static uint64_t increment(const struct machine_disk *disk, const uint64_t *fields,
                          enum disk_field field)
{
    return fields[field] > disk->last[field] ? fields[field] - disk->last[field] : 0;
}

static void sample_latency(const struct machine_disk *disk, struct machine_metrics *metrics,
                           const uint64_t *fields, bool is_write)
{
    uint64_t count = increment(disk, fields, is_write ? FIELD_WRITES : FIELD_READS);
    uint64_t ms = increment(disk, fields, is_write ? FIELD_WRITE_MS : FIELD_READ_MS);

    if (count > 0) {
        machine_metrics_gauge(metrics,
                              disk->metrics + (is_write ? DISK_WRITE_LATENCY : DISK_READ_LATENCY),
                              machine_product(ms, NS_PER_MS) / count);
    }
}

/* What happened since the last sample. */
static void sample_interval(const struct machine_disk *disk, struct machine_metrics *metrics,
                            const uint64_t *fields)
{
    if (!disk->has_last || metrics->time_ns <= disk->last_ns) {
        return;
    }

    double ratio = (double)machine_product(increment(disk, fields, FIELD_IO_MS), NS_PER_MS) /
                   (double)(metrics->time_ns - disk->last_ns);

    machine_metrics_gauge_real(metrics, disk->metrics + DISK_UTILIZATION, ratio < 1 ? ratio : 1);
    sample_latency(disk, metrics, fields, false);
    sample_latency(disk, metrics, fields, true);
}

static void sample_disk(struct machine_disk *disk, struct machine_metrics *metrics,
                        const uint64_t fields[static DISK_FIELDS])
{
    for (size_t i = 0; i < ARRAY_SIZE(counters); i++) {
        machine_metrics_count(metrics, disk->metrics + (int)counters[i].metric,
                              machine_product(fields[counters[i].field], counters[i].factor));
    }
    machine_metrics_gauge(metrics, disk->metrics + DISK_PENDING, fields[FIELD_PENDING]);
    sample_interval(disk, metrics, fields);
    memcpy(disk->last, fields, sizeof(disk->last));
    disk->last_ns = metrics->time_ns;
    disk->has_last = true;
}

/* MAJOR MINOR NAME FIELDS... */
static void sample_line(struct machine_disks *disks, struct machine_metrics *metrics,
                        struct slice line)
{
    uint64_t device[2];
    uint64_t fields[DISK_FIELDS];
    struct slice name;

    if (proc_next_numbers(&line, device, 2) < 2 || !proc_next_word(&line, &name) ||
        proc_next_numbers(&line, fields, DISK_FIELDS) < DISK_FIELDS) {
        return;
    }

    struct machine_disk *disk = find(disks, name);

    if (disk == NULL && (fields[FIELD_READS] > 0 || fields[FIELD_WRITES] > 0)) {
        disk = add(disks, metrics, name);
    }
    if (disk != NULL) {
        sample_disk(disk, metrics, fields);
    }
}

void machine_disks_sample_text(struct machine_disks *disks, struct machine_metrics *metrics,
                               struct slice text)
{
    struct slice line;

    while (proc_next_line(&text, &line)) {
        sample_line(disks, metrics, line);
    }
}

void machine_disks_sample(struct machine_disks *disks, struct machine_metrics *metrics,
                          struct machine_text *text)
{
    struct slice read;

    if (machine_text_read(text, disks->diskstats_fd, &read) == 0) {
        machine_disks_sample_text(disks, metrics, read);
    }
}
