#include "machine_parts.h"
#include "proc_table.h"

enum { PRESSURE_SOME, PRESSURE_FULL, PRESSURE_METRICS };

static const struct {
    const char *path;
    const char *prefix;
} resources[PRESSURE_COUNT] = {
    [PRESSURE_CPU] = {"/proc/pressure/cpu", "system.pressure.cpu."},
    [PRESSURE_MEMORY] = {"/proc/pressure/memory", "system.pressure.memory."},
    [PRESSURE_IO] = {"/proc/pressure/io", "system.pressure.io."},
};

static const struct metric_definition definitions[PRESSURE_METRICS] = {
    [PRESSURE_SOME] = {"some_time", "ns", NAME_COUNTER_TOTAL, VALUE_INTEGER},
    [PRESSURE_FULL] = {"full_time", "ns", NAME_COUNTER_TOTAL, VALUE_INTEGER},
};

int machine_pressure_open(struct machine_pressure *pressure, struct machine_metrics *metrics)
{
    int r = 0;

    for (int i = 0; i < PRESSURE_COUNT; i++) {
        pressure->fd[i] = machine_file_open(resources[i].path);
        pressure->metrics[i] =
            machine_metrics_define(metrics, resources[i].prefix, definitions, PRESSURE_METRICS);
        r = r < 0 ? r : pressure->metrics[i] < 0 ? pressure->metrics[i] : 0;
    }
    return r;
}

void machine_pressure_release(struct machine_pressure *pressure)
{
    for (int i = 0; i < PRESSURE_COUNT; i++) {
        cleanup_close(&pressure->fd[i]);
    }
}

/* "some avg10=0.00 avg60=0.00 avg300=0.00 total=12345", in us. */
static bool find_total(struct slice line, uint64_t *ret_us)
{
    struct slice word;

    while (proc_next_word(&line, &word)) {
        if (proc_word_number(word, "total=", ret_us)) {
            return true;
        }
    }
    return false;
}

void machine_pressure_sample_text(struct machine_pressure *pressure,
                                  struct machine_metrics *metrics, int resource, struct slice text)
{
    struct slice line;
    struct slice word;
    uint64_t us = 0;

    while (proc_next_line(&text, &line)) {
        if (!proc_next_word(&line, &word) || !find_total(line, &us)) {
            continue;
        }
        if (proc_word_is(word, "some")) {
            machine_metrics_count(metrics, pressure->metrics[resource] + PRESSURE_SOME,
                                  machine_product(us, NS_PER_US));
        } else if (proc_word_is(word, "full")) {
            machine_metrics_count(metrics, pressure->metrics[resource] + PRESSURE_FULL,
                                  machine_product(us, NS_PER_US));
        }
    }
}

void machine_pressure_sample(struct machine_pressure *pressure, struct machine_metrics *metrics,
                             struct machine_text *text)
{
    struct slice read;

    for (int i = 0; i < PRESSURE_COUNT; i++) {
        if (machine_text_read(text, pressure->fd[i], &read) == 0) {
            machine_pressure_sample_text(pressure, metrics, i, read);
        }
    }
}
