#include "machine_parts.h"
#include "proc_table.h"

#include <stdio.h>

enum {
    ALL_CPUS = 0, /* place */
    PREFIX_BYTES = 40,
};

/* Columns of a CPU's line in /proc/stat, in ticks. Guests are part of user and nice already. */
enum stat_column {
    STAT_USER,
    STAT_NICE,
    STAT_SYSTEM,
    STAT_IDLE,
    STAT_IOWAIT,
    STAT_IRQ,
    STAT_SOFTIRQ,
    STAT_STEAL,
    STAT_COLUMNS,
};

enum cpu_metric {
    CPU_USER,
    CPU_SYSTEM,
    CPU_IDLE,
    CPU_IOWAIT,
    CPU_STEAL,
    CPU_UTILIZATION,
    CPU_METRICS,
};

static const struct metric_definition cpu_definitions[CPU_METRICS] = {
    [CPU_USER] = {"user_time", "ns", NAME_COUNTER_TOTAL, VALUE_INTEGER},
    [CPU_SYSTEM] = {"system_time", "ns", NAME_COUNTER_TOTAL, VALUE_INTEGER},
    [CPU_IDLE] = {"idle_time", "ns", NAME_COUNTER_TOTAL, VALUE_INTEGER},
    [CPU_IOWAIT] = {"iowait_time", "ns", NAME_COUNTER_TOTAL, VALUE_INTEGER},
    [CPU_STEAL] = {"steal_time", "ns", NAME_COUNTER_TOTAL, VALUE_INTEGER},
    [CPU_UTILIZATION] = {"utilization", "1", NAME_GAUGE, VALUE_DOUBLE},
};

/* Lines of /proc/stat with one number for the whole system, in the order of their metrics. */
static const struct {
    const char *key;
    struct metric_definition definition;
} system_lines[] = {
    {"ctxt", {"context_switches", "{context_switch}", NAME_COUNTER_TOTAL, VALUE_INTEGER}},
    {"intr", {"interrupts", "{interrupt}", NAME_COUNTER_TOTAL, VALUE_INTEGER}},
    {"softirq", {"soft_interrupts", "{interrupt}", NAME_COUNTER_TOTAL, VALUE_INTEGER}},
    {"processes", {"processes.created", "{process}", NAME_COUNTER_TOTAL, VALUE_INTEGER}},
    {"procs_running", {"processes.running", "{process}", NAME_GAUGE, VALUE_INTEGER}},
    {"procs_blocked", {"processes.blocked", "{process}", NAME_GAUGE, VALUE_INTEGER}},
};

static const struct metric_definition load_definitions[] = {
    {"1m", "{thread}", NAME_GAUGE, VALUE_DOUBLE},
    {"5m", "{thread}", NAME_GAUGE, VALUE_DOUBLE},
    {"15m", "{thread}", NAME_GAUGE, VALUE_DOUBLE},
};

static int define_system(struct machine_metrics *metrics)
{
    struct metric_definition definitions[ARRAY_SIZE(system_lines)];

    for (size_t i = 0; i < ARRAY_SIZE(system_lines); i++) {
        definitions[i] = system_lines[i].definition;
    }
    return machine_metrics_define(metrics, "system.", definitions, ARRAY_SIZE(definitions));
}

int machine_cpu_open(struct machine_cpu *cpu, struct machine_metrics *metrics)
{
    long ticks_per_s = sysconf(_SC_CLK_TCK);

    *cpu = (struct machine_cpu){
        .stat_fd = machine_file_open("/proc/stat"),
        .load_fd = machine_file_open("/proc/loadavg"),
        .system_metrics = define_system(metrics),
        .load_metrics = machine_metrics_define(metrics, "system.cpu.load_average.",
                                               load_definitions, ARRAY_SIZE(load_definitions)),
        .ns_per_tick = NS_PER_S / (ticks_per_s > 0 ? (uint64_t)ticks_per_s : 100),
    };
    for (size_t i = 0; i < ARRAY_SIZE(cpu->cpu_metrics); i++) {
        cpu->cpu_metrics[i] = -1;
    }
    return cpu->system_metrics < 0 ? cpu->system_metrics
           : cpu->load_metrics < 0 ? cpu->load_metrics
                                   : 0;
}

void machine_cpu_release(struct machine_cpu *cpu)
{
    cleanup_close(&cpu->stat_fd);
    cleanup_close(&cpu->load_fd);
}

/* The index of the first metric of the CPU at place, defined when it is first seen; negative if that did not work. */
static int metrics_of(struct machine_cpu *cpu, struct machine_metrics *metrics, size_t place)
{
    char prefix[PREFIX_BYTES] = "system.cpu.";

    if (cpu->cpu_metrics[place] < 0) {
        if (place != ALL_CPUS) {
            (void)snprintf(prefix, sizeof(prefix), "system.cpu.%zu.", place - 1);
        }
        cpu->cpu_metrics[place] =
            machine_metrics_define(metrics, prefix, cpu_definitions, CPU_METRICS);
    }
    return cpu->cpu_metrics[place];
}

static void sample_utilization(struct machine_metrics *metrics, int metric, struct cpu_ticks *last,
                               struct cpu_ticks now)
{
    uint64_t all = now.all > last->all ? now.all - last->all : 0;
    uint64_t busy = now.busy > last->busy ? now.busy - last->busy : 0;

    if (last->all != 0 && all > 0) {
        machine_metrics_gauge_real(metrics, metric, (double)min_u64(busy, all) / (double)all);
    }
    *last = now;
}

static struct cpu_ticks sum_ticks(const uint64_t ticks[static STAT_COLUMNS])
{
    struct cpu_ticks sum = {0};

    for (int i = 0; i < STAT_COLUMNS; i++) {
        sum.all += ticks[i];
    }
    sum.busy = sum.all - ticks[STAT_IDLE] - ticks[STAT_IOWAIT] - ticks[STAT_STEAL];
    return sum;
}

static void sample_cpu(struct machine_cpu *cpu, struct machine_metrics *metrics, size_t place,
                       struct slice line)
{
    uint64_t ticks[STAT_COLUMNS];
    uint64_t ns_per_tick = cpu->ns_per_tick;
    int first = metrics_of(cpu, metrics, place);

    if (first < 0 || proc_next_numbers(&line, ticks, STAT_COLUMNS) < STAT_COLUMNS) {
        return;
    }

    const uint64_t time_ticks[] = {
        [CPU_USER] = ticks[STAT_USER] + ticks[STAT_NICE],
        [CPU_SYSTEM] = ticks[STAT_SYSTEM] + ticks[STAT_IRQ] + ticks[STAT_SOFTIRQ],
        [CPU_IDLE] = ticks[STAT_IDLE],
        [CPU_IOWAIT] = ticks[STAT_IOWAIT],
        [CPU_STEAL] = ticks[STAT_STEAL],
    };

    for (int i = 0; i < (int)ARRAY_SIZE(time_ticks); i++) {
        machine_metrics_count(metrics, first + i, machine_product(time_ticks[i], ns_per_tick));
    }
    sample_utilization(metrics, first + CPU_UTILIZATION, &cpu->last[place], sum_ticks(ticks));
}

static void sample_system_line(struct machine_cpu *cpu, struct machine_metrics *metrics,
                               struct slice key, struct slice line)
{
    uint64_t value = 0;

    for (int i = 0; i < (int)ARRAY_SIZE(system_lines); i++) {
        if (!proc_word_is(key, system_lines[i].key)) {
            continue;
        }
        if (!proc_next_number(&line, &value)) {
            return;
        }
        if (system_lines[i].definition.kind == NAME_GAUGE) {
            machine_metrics_gauge(metrics, cpu->system_metrics + i, value);
        } else {
            machine_metrics_count(metrics, cpu->system_metrics + i, value);
        }
        return;
    }
}

void machine_cpu_sample_stat(struct machine_cpu *cpu, struct machine_metrics *metrics,
                             struct slice text)
{
    struct slice line;
    struct slice key;
    uint64_t number = 0;

    while (proc_next_line(&text, &line)) {
        if (!proc_next_word(&line, &key)) {
            continue;
        }
        if (proc_word_is(key, "cpu")) {
            sample_cpu(cpu, metrics, ALL_CPUS, line);
        } else if (proc_word_number(key, "cpu", &number)) {
            if (number < MACHINE_MAX_CPUS) {
                sample_cpu(cpu, metrics, (size_t)number + 1, line);
            }
        } else {
            sample_system_line(cpu, metrics, key, line);
        }
    }
}

void machine_cpu_sample_load(struct machine_cpu *cpu, struct machine_metrics *metrics,
                             struct slice text)
{
    struct slice line;
    double load = 0;

    if (!proc_next_line(&text, &line)) {
        return;
    }
    for (int i = 0; i < (int)ARRAY_SIZE(load_definitions) && proc_next_fraction(&line, &load);
         i++) {
        machine_metrics_gauge_real(metrics, cpu->load_metrics + i, load);
    }
}

void machine_cpu_sample(struct machine_cpu *cpu, struct machine_metrics *metrics,
                        struct machine_text *text)
{
    struct slice read;

    if (machine_text_read(text, cpu->stat_fd, &read) == 0) {
        machine_cpu_sample_stat(cpu, metrics, read);
    }
    if (machine_text_read(text, cpu->load_fd, &read) == 0) {
        machine_cpu_sample_load(cpu, metrics, read);
    }
}
