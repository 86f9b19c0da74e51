/*
 * What there is to sample of a machine, one part per file of /proc (or several that belong together). Each part defines its
 * metrics, reads text and adds samples. What text does not hold is left out.
 *
 *     machine_cpu.c, /proc/stat          system.cpu.* of all CPUs together, system.cpu.N.* of each:
 *         user_time (with nice), system_time (with interrupts), idle_time, iowait_time, steal_time   ns, totals
 *         utilization   1   share of the time since the last sample in which it ran something
 *       system.context_switches, .interrupts, .soft_interrupts, .processes.created   totals
 *       system.processes.running, .blocked
 *     machine_cpu.c, /proc/loadavg       system.cpu.load_average.1m, .5m, .15m   {thread}
 *     machine_pressure.c, /proc/pressure/{cpu,memory,io}
 *       system.pressure.{cpu,memory,io}.some_time, .full_time   ns, totals: in which some, or all, tasks were stalled
 *     machine_memory.c, /proc/meminfo    system.memory.limit, .free, .available, .cached, .buffers, .dirty, .writeback   By
 *       system.swap.limit, .free   By
 *     machine_memory.c, /proc/vmstat     system.page_faults.minor, .major; system.swap.in_pages, .out_pages;
 *       system.reclaim.kswapd_scanned, .kswapd_reclaimed, .direct_scanned, .direct_reclaimed   {page}, totals
 *       system.reclaim.stalls, system.out_of_memory_kills   totals
 *     machine_disks.c, /proc/diskstats   system.disk.NAME.*, of whole devices that have done something:
 *         read_operations, write_operations, read_bytes, write_bytes   totals
 *         read_time, write_time (sums over operations), io_time (in which any was under way)   ns, totals
 *         pending_operations   {operation}
 *         utilization   1   io_time since the last sample
 *         read_latency, write_latency   ns   mean of the operations that ended since the last sample, if any
 */
#pragma once

#include "machine_metrics.h"
#include "machine_text.h"

/* Busy and all ticks of a CPU, as of the last sample. */
struct cpu_ticks {
    uint64_t busy;
    uint64_t all;
};

/* Place 0 stands for all CPUs together, place N + 1 for CPU N. */
struct machine_cpu {
    int stat_fd; /* owned, as the descriptors below; -1 if there is none */
    int load_fd;
    int system_metrics; /* index of the first of them, as below; negative: not defined */
    int load_metrics;
    int cpu_metrics[MACHINE_MAX_CPUS + 1];
    struct cpu_ticks last[MACHINE_MAX_CPUS + 1];
    uint64_t ns_per_tick;
};

enum { PRESSURE_CPU, PRESSURE_MEMORY, PRESSURE_IO, PRESSURE_COUNT };

struct machine_pressure {
    int fd[PRESSURE_COUNT];
    int metrics[PRESSURE_COUNT];
};

struct machine_memory {
    int meminfo_fd;
    int vmstat_fd;
    int meminfo_metrics;
    int vmstat_metrics;
};

enum { DISK_NAME_BYTES = 32, DISK_FIELDS = 11 };

struct machine_disk {
    char name[DISK_NAME_BYTES];
    int metrics;
    bool has_last;
    uint64_t last_ns;
    uint64_t last[DISK_FIELDS];
};

struct machine_disks {
    int diskstats_fd;
    int folder_fd; /* of /sys/block, which lists the whole devices */
    uint32_t count;
    struct machine_disk disks[MACHINE_MAX_DISKS]; /* all that were ever seen */
};

/*
 * Open the files and define the metrics.
 *
 * Returns:  0, or -ENOMEM; then x_release() is still due.
 * Threads:  one part and the metrics, one thread at a time, as all functions here.
 */
MUST_USE int machine_cpu_open(struct machine_cpu *cpu, struct machine_metrics *metrics);
MUST_USE int machine_pressure_open(struct machine_pressure *pressure,
                                   struct machine_metrics *metrics);
MUST_USE int machine_memory_open(struct machine_memory *memory, struct machine_metrics *metrics);
void machine_disks_open(struct machine_disks *disks);

void machine_cpu_release(struct machine_cpu *cpu);
void machine_pressure_release(struct machine_pressure *pressure);
void machine_memory_release(struct machine_memory *memory);
void machine_disks_release(struct machine_disks *disks);

/* Sample the text of a file, at metrics->time_ns. */
void machine_cpu_sample_stat(struct machine_cpu *cpu, struct machine_metrics *metrics,
                             struct slice text);
void machine_cpu_sample_load(struct machine_cpu *cpu, struct machine_metrics *metrics,
                             struct slice text);
void machine_pressure_sample_text(struct machine_pressure *pressure,
                                  struct machine_metrics *metrics, int resource, struct slice text);
void machine_memory_sample_meminfo(struct machine_memory *memory, struct machine_metrics *metrics,
                                   struct slice text);
void machine_memory_sample_vmstat(struct machine_memory *memory, struct machine_metrics *metrics,
                                  struct slice text);
void machine_disks_sample_text(struct machine_disks *disks, struct machine_metrics *metrics,
                               struct slice text);

/* Read the files and sample them. */
void machine_cpu_sample(struct machine_cpu *cpu, struct machine_metrics *metrics,
                        struct machine_text *text);
void machine_pressure_sample(struct machine_pressure *pressure, struct machine_metrics *metrics,
                             struct machine_text *text);
void machine_memory_sample(struct machine_memory *memory, struct machine_metrics *metrics,
                           struct machine_text *text);
void machine_disks_sample(struct machine_disks *disks, struct machine_metrics *metrics,
                          struct machine_text *text);
