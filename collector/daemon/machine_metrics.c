#include "machine_metrics.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { LEAST_CAPACITY = 128 };

void machine_metrics_release(struct machine_metrics *metrics)
{
    for (uint32_t i = 0; i < metrics->count; i++) {
        free(metrics->metrics[i].text);
    }
    free(metrics->metrics);
    *metrics = (struct machine_metrics){0};
}

static int reserve(struct machine_metrics *metrics, size_t more)
{
    size_t capacity = metrics->capacity == 0 ? LEAST_CAPACITY : metrics->capacity;

    if (more > MACHINE_MAX_METRICS - metrics->count) {
        return -ENOSPC;
    }
    while (capacity < metrics->count + more) {
        capacity *= 2;
    }
    if (capacity == metrics->capacity) {
        return 0;
    }

    struct machine_metric *grown = realloc(metrics->metrics, capacity * sizeof(*grown));

    if (grown == NULL) {
        return -ENOMEM;
    }
    metrics->metrics = grown;
    metrics->capacity = (uint32_t)capacity;
    return 0;
}

int machine_metrics_define(struct machine_metrics *metrics, const char *prefix,
                           const struct metric_definition *definitions, size_t count)
{
    char text[NAME_MAX_BYTES + 1];
    uint32_t first = metrics->count;
    int r = reserve(metrics, count);

    if (r < 0) {
        return r;
    }
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(text, sizeof(text), "%s%s", prefix, definitions[i].name);

        struct machine_metric metric = {
            .text = strdup(text),
            .unit = definitions[i].unit,
            .kind = definitions[i].kind,
            .value = definitions[i].value,
            .batch_name = -1,
        };

        if (metric.text == NULL) {
            while (metrics->count > first) {
                free(metrics->metrics[--metrics->count].text);
            }
            return -ENOMEM;
        }
        metrics->metrics[metrics->count++] = metric;
    }
    return (int)first;
}

/* Puts the name of metric into the batch, unless it is there. */
static uint16_t batch_name(struct machine_metrics *metrics, struct machine_metric *metric)
{
    struct batch *batch = metrics->batch;

    if (metric->batch_name < 0) {
        metric->batch_name = (int)batch->name_count;
        batch->names[batch->name_count++] = (struct batch_name){
            .text = metric->text,
            .unit = metric->unit,
            .kind = metric->kind,
            .value = metric->value,
        };
    }
    return (uint16_t)metric->batch_name;
}

static void add(struct machine_metrics *metrics, struct machine_metric *metric, uint64_t bits)
{
    struct batch_samples *samples = &metrics->batch->samples;

    metrics->produced++;
    if (samples->count >= metrics->most_samples) {
        metrics->refused++;
        return;
    }
    samples->time_ns[samples->count] = metrics->time_ns;
    samples->metric[samples->count] = batch_name(metrics, metric);
    samples->thread[samples->count] = 0;
    samples->value[samples->count++] = bits;
}

void machine_metrics_count(struct machine_metrics *metrics, int metric, uint64_t value)
{
    struct machine_metric *counter = &metrics->metrics[metric];
    uint64_t increment = !counter->has_last      ? value
                         : value > counter->last ? value - counter->last
                                                 : 0;

    counter->total += min_u64(increment, INT64_MAX - counter->total);
    counter->last = value;
    counter->has_last = true;
    add(metrics, counter, counter->total);
}

void machine_metrics_gauge(struct machine_metrics *metrics, int metric, uint64_t value)
{
    add(metrics, &metrics->metrics[metric], min_u64(value, INT64_MAX));
}

void machine_metrics_gauge_real(struct machine_metrics *metrics, int metric, double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof(bits));
    add(metrics, &metrics->metrics[metric], bits);
}

void machine_metrics_next_batch(struct machine_metrics *metrics)
{
    for (uint32_t i = 0; i < metrics->count; i++) {
        metrics->metrics[i].batch_name = -1;
    }
    batch_clear(metrics->batch);
}
