#include "machine_parts.h"
#include "proc_table.h"

enum { MEMINFO_KEYS = 9, VMSTAT_METRICS = 10, VMSTAT_KEYS = 14 };

/* Keys of /proc/meminfo, in KiB, and their metrics. */
static const char *const meminfo_keys[MEMINFO_KEYS] = {
    "MemTotal:", "MemFree:",   "MemAvailable:", "Cached:",   "Buffers:",
    "Dirty:",    "Writeback:", "SwapTotal:",    "SwapFree:",
};

static const struct metric_definition meminfo_definitions[MEMINFO_KEYS] = {
    {"memory.limit", "By", NAME_GAUGE, VALUE_INTEGER},
    {"memory.free", "By", NAME_GAUGE, VALUE_INTEGER},
    {"memory.available", "By", NAME_GAUGE, VALUE_INTEGER},
    {"memory.cached", "By", NAME_GAUGE, VALUE_INTEGER},
    {"memory.buffers", "By", NAME_GAUGE, VALUE_INTEGER},
    {"memory.dirty", "By", NAME_GAUGE, VALUE_INTEGER},
    {"memory.writeback", "By", NAME_GAUGE, VALUE_INTEGER},
    {"swap.limit", "By", NAME_GAUGE, VALUE_INTEGER},
    {"swap.free", "By", NAME_GAUGE, VALUE_INTEGER},
};

enum vmstat_metric {
    VMSTAT_FAULTS, /* of all kinds; told without the major ones */
    VMSTAT_MAJOR_FAULTS,
    VMSTAT_SWAP_IN,
    VMSTAT_SWAP_OUT,
    VMSTAT_KSWAPD_SCANNED,
    VMSTAT_KSWAPD_RECLAIMED,
    VMSTAT_DIRECT_SCANNED,
    VMSTAT_DIRECT_RECLAIMED,
    VMSTAT_STALLS,
    VMSTAT_KILLS,
};

static const struct metric_definition vmstat_definitions[VMSTAT_METRICS] = {
    [VMSTAT_FAULTS] = {"page_faults.minor", "{fault}", NAME_COUNTER_TOTAL, VALUE_INTEGER},
    [VMSTAT_MAJOR_FAULTS] = {"page_faults.major", "{fault}", NAME_COUNTER_TOTAL, VALUE_INTEGER},
    [VMSTAT_SWAP_IN] = {"swap.in_pages", "{page}", NAME_COUNTER_TOTAL, VALUE_INTEGER},
    [VMSTAT_SWAP_OUT] = {"swap.out_pages", "{page}", NAME_COUNTER_TOTAL, VALUE_INTEGER},
    [VMSTAT_KSWAPD_SCANNED] = {"reclaim.kswapd_scanned", "{page}", NAME_COUNTER_TOTAL,
                               VALUE_INTEGER},
    [VMSTAT_KSWAPD_RECLAIMED] = {"reclaim.kswapd_reclaimed", "{page}", NAME_COUNTER_TOTAL,
                                 VALUE_INTEGER},
    [VMSTAT_DIRECT_SCANNED] = {"reclaim.direct_scanned", "{page}", NAME_COUNTER_TOTAL,
                               VALUE_INTEGER},
    [VMSTAT_DIRECT_RECLAIMED] = {"reclaim.direct_reclaimed", "{page}", NAME_COUNTER_TOTAL,
                                 VALUE_INTEGER},
    [VMSTAT_STALLS] = {"reclaim.stalls", "{stall}", NAME_COUNTER_TOTAL, VALUE_INTEGER},
    [VMSTAT_KILLS] = {"out_of_memory_kills", "{process}", NAME_COUNTER_TOTAL, VALUE_INTEGER},
};

/* Keys of /proc/vmstat; several keys of one metric are added up (one per zone; none was before Linux 4.8). */
static const char *const vmstat_keys[VMSTAT_KEYS] = {
    "pgfault",
    "pgmajfault",
    "pswpin",
    "pswpout",
    "pgscan_kswapd",
    "pgsteal_kswapd",
    "pgscan_direct",
    "pgsteal_direct",
    "oom_kill",
    "allocstall_dma",
    "allocstall_dma32",
    "allocstall_normal",
    "allocstall_movable",
    "allocstall",
};

static const enum vmstat_metric vmstat_metric_of_key[VMSTAT_KEYS] = {
    VMSTAT_FAULTS,         VMSTAT_MAJOR_FAULTS,     VMSTAT_SWAP_IN,        VMSTAT_SWAP_OUT,
    VMSTAT_KSWAPD_SCANNED, VMSTAT_KSWAPD_RECLAIMED, VMSTAT_DIRECT_SCANNED, VMSTAT_DIRECT_RECLAIMED,
    VMSTAT_KILLS,          VMSTAT_STALLS,           VMSTAT_STALLS,         VMSTAT_STALLS,
    VMSTAT_STALLS,         VMSTAT_STALLS,
};

int machine_memory_open(struct machine_memory *memory, struct machine_metrics *metrics)
{
    *memory = (struct machine_memory){
        .meminfo_fd = machine_file_open("/proc/meminfo"),
        .vmstat_fd = machine_file_open("/proc/vmstat"),
        .meminfo_metrics =
            machine_metrics_define(metrics, "system.", meminfo_definitions, MEMINFO_KEYS),
        .vmstat_metrics =
            machine_metrics_define(metrics, "system.", vmstat_definitions, VMSTAT_METRICS),
    };
    return memory->meminfo_metrics < 0  ? memory->meminfo_metrics
           : memory->vmstat_metrics < 0 ? memory->vmstat_metrics
                                        : 0;
}

void machine_memory_release(struct machine_memory *memory)
{
    cleanup_close(&memory->meminfo_fd);
    cleanup_close(&memory->vmstat_fd);
}

void machine_memory_sample_meminfo(struct machine_memory *memory, struct machine_metrics *metrics,
                                   struct slice text)
{
    uint64_t values[MEMINFO_KEYS];
    bool found[MEMINFO_KEYS];

    proc_find_keys(text, meminfo_keys, MEMINFO_KEYS, values, found);
    for (int i = 0; i < MEMINFO_KEYS; i++) {
        if (found[i]) {
            machine_metrics_gauge(metrics, memory->meminfo_metrics + i,
                                  machine_product(values[i], KIB));
        }
    }
}

void machine_memory_sample_vmstat(struct machine_memory *memory, struct machine_metrics *metrics,
                                  struct slice text)
{
    uint64_t values[VMSTAT_KEYS];
    bool found[VMSTAT_KEYS];
    uint64_t sums[VMSTAT_METRICS] = {0};
    bool is_known[VMSTAT_METRICS] = {false};

    proc_find_keys(text, vmstat_keys, VMSTAT_KEYS, values, found);
    for (int i = 0; i < VMSTAT_KEYS; i++) {
        if (found[i]) {
            sums[vmstat_metric_of_key[i]] += values[i];
            is_known[vmstat_metric_of_key[i]] = true;
        }
    }
    sums[VMSTAT_FAULTS] -= min_u64(sums[VMSTAT_MAJOR_FAULTS], sums[VMSTAT_FAULTS]);
    for (int i = 0; i < VMSTAT_METRICS; i++) {
        if (is_known[i]) {
            machine_metrics_count(metrics, memory->vmstat_metrics + i, sums[i]);
        }
    }
}

void machine_memory_sample(struct machine_memory *memory, struct machine_metrics *metrics,
                           struct machine_text *text)
{
    struct slice read;

    if (machine_text_read(text, memory->meminfo_fd, &read) == 0) {
        machine_memory_sample_meminfo(memory, metrics, read);
    }
    if (machine_text_read(text, memory->vmstat_fd, &read) == 0) {
        machine_memory_sample_vmstat(memory, metrics, read);
    }
}
