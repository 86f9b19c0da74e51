/*
 * The metrics of the machine, and the batch that their samples go into. The parts of machine_parts.h define metrics and
 * sample them; the sampler makes frames of the batch.
 *
 * Names follow the OpenTelemetry semantic conventions where they have one, and those of the client where it has one: what
 * stands in attributes there (which CPU, which disk, which state) stands in the name here. Units are UCUM.
 */
#pragma once

#include "batch.h"

enum {
    MACHINE_MAX_CPUS = 256,
    MACHINE_MAX_DISKS = 64,
    MACHINE_MAX_METRICS = 4096, /* more than all of these together have */
};

struct machine_metric {
    char *text; /* owned */
    const char *unit;
    enum name_kind kind;
    enum value_type value;
    bool has_last;
    uint64_t last;  /* of a counter: as the kernel said */
    uint64_t total; /* and as it was told: only grows */
    int batch_name; /* index into the batch's names, negative if not in it yet */
};

/* The end of a metric's name, and what its samples are. */
struct metric_definition {
    const char *name;
    const char *unit;
    enum name_kind kind;
    enum value_type value;
};

/* Owns the metrics. {.batch = ...} is an empty one. One thread at a time, as all functions here. */
struct machine_metrics {
    struct machine_metric *metrics; /* owned */
    uint32_t count;
    uint32_t capacity;
    struct batch *batch;   /* borrowed; with room for most_samples and MACHINE_MAX_METRICS names */
    uint32_t most_samples; /* those beyond it find no room */
    uint64_t time_ns;      /* of the sample being taken; never less than that of the one before */
    uint64_t produced;     /* samples, since the beginning */
    uint64_t refused;      /* of them: found no room; to be taken by the reader */
};

void machine_metrics_release(struct machine_metrics *metrics);

/*
 * Defines metrics whose names begin with prefix, next to each other.
 *
 * Returns:  the index of the first; -ENOSPC beyond MACHINE_MAX_METRICS; -ENOMEM.
 */
MUST_USE int machine_metrics_define(struct machine_metrics *metrics, const char *prefix,
                                    const struct metric_definition *definitions, size_t count);

/*
 * Add a sample of the metric with that index, which must be of that kind and type.
 *
 * A counter whose value became less (a device came back, 32 bits were used up, the kernel corrected itself) goes on from
 * there: what it lost is not taken back, so that its total only grows.
 */
void machine_metrics_count(struct machine_metrics *metrics, int metric, uint64_t value);
void machine_metrics_gauge(struct machine_metrics *metrics, int metric, uint64_t value);
void machine_metrics_gauge_real(struct machine_metrics *metrics, int metric, double value);

/* Empties the batch: what comes is for the next one. */
void machine_metrics_next_batch(struct machine_metrics *metrics);

/* a * b, or the greatest value that a sample can have. */
static inline uint64_t machine_product(uint64_t a, uint64_t b)
{
    uint64_t product;

    return __builtin_mul_overflow(a, b, &product) ? INT64_MAX : min_u64(product, INT64_MAX);
}
