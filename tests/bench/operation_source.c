#include "operation_source.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double tail_weight = 0.002;
static const double tail_alpha = 1.3;
static const double tail_start = 20.0; /* medians */
static const double burst_end = 0.12;  /* probability that a gap is one between bursts */
static const double burst_gap_ns = 900.0;
static const double least_gap_ns = 50.0;
static const double pause_ns = 160000.0;
static const double longest_ns = 6e10;
static const double status_up_to[] = {0.985, 0.995, 0.999, 1.0};

/* --- Random numbers: xoshiro256** by Blackman and Vigna --- */

static uint64_t rotate(uint64_t x, int bits)
{
    return (x << bits) | (x >> (64 - bits));
}

static uint64_t next_random(struct operation_source *source)
{
    uint64_t *s = source->random;
    uint64_t result = rotate(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return result;
}

/* The first numbers of a simple seed are not random yet: they are thrown away. */
static void seed(struct operation_source *source, const uint64_t *state, int thrown_away)
{
    memcpy(source->random, state, sizeof(source->random));
    for (int i = 0; i < thrown_away; i++) {
        (void)next_random(source);
    }
}

/* Within (0, 1). */
static double uniform(struct operation_source *source)
{
    return ((double)(next_random(source) >> 11) + 0.5) * 0x1p-53;
}

static double normal(struct operation_source *source)
{
    double u = uniform(source);
    double v = uniform(source);

    return sqrt(-2 * log(u)) * cos(2 * M_PI * v);
}

static double exponential(struct operation_source *source, double mean)
{
    return -mean * log(uniform(source));
}

/* --- The program --- */

static void init_names(struct operation_source *source)
{
    static const char *const verbs[] = {"read", "write",    "fsync", "send",
                                        "recv", "rpc.call", "query", "cache.get"};
    static const char *const objects[] = {"user", "order", "session", "index", "blob"};
    double sum = 0;
    double up_to = 0;

    for (int i = 0; i < SOURCE_NAME_COUNT; i++) {
        (void)snprintf(source->names[i], SOURCE_NAME_BYTES, "%s.%s", verbs[i % 8], objects[i / 8]);
        source->name_share[i] = 1 / pow(i + 1, 1.05);
        sum += source->name_share[i];
    }
    for (int i = 0; i < SOURCE_NAME_COUNT; i++) {
        source->name_share[i] /= sum;
        up_to += source->name_share[i];
        source->name_up_to[i] = up_to;
    }
    source->name_up_to[SOURCE_NAME_COUNT - 1] = 1;
}

static void init_durations(struct operation_source *source)
{
    for (int i = 0; i < SOURCE_NAME_COUNT; i++) {
        struct duration_mixture *mixture = &source->durations[i];

        mixture->median_ns = exp(log(2000) + uniform(source) * log(2500));
        mixture->sigma = 0.25 + 0.35 * uniform(source);
        mixture->second_weight = 0.03 + 0.12 * uniform(source);
        mixture->second_median_ns = mixture->median_ns * (5 + 15 * uniform(source));
        mixture->second_sigma = 0.5 + 0.5 * uniform(source);
    }
}

void operation_source_init(struct operation_source *ret_source, uint32_t number)
{
    *ret_source = (struct operation_source){0};
    seed(ret_source, (const uint64_t[]){1234567, 89, 777, 4242}, 100);
    init_names(ret_source);
    init_durations(ret_source);
    seed(ret_source, (const uint64_t[]){1000003ULL * (number + 1ULL), 99991, number + 5ULL, 31337},
         200);
}

static uint8_t draw(struct operation_source *source, const double *up_to)
{
    double u = uniform(source);
    uint8_t drawn = 0;

    while (up_to[drawn] < u) {
        drawn++;
    }
    return drawn;
}

static uint64_t draw_gap(struct operation_source *source)
{
    double gap = uniform(source) < burst_end ? exponential(source, pause_ns)
                                             : least_gap_ns + exponential(source, burst_gap_ns);

    return (uint64_t)gap;
}

static uint64_t draw_duration(struct operation_source *source,
                              const struct duration_mixture *mixture)
{
    double u = uniform(source);
    double duration;

    if (u < tail_weight) {
        duration = tail_start * mixture->median_ns * pow(uniform(source), -1 / tail_alpha);
    } else if (u < tail_weight + mixture->second_weight) {
        duration = mixture->second_median_ns * exp(mixture->second_sigma * normal(source));
    } else {
        duration = mixture->median_ns * exp(mixture->sigma * normal(source));
    }
    return (uint64_t)fmax(1, fmin(duration, longest_ns));
}

struct operation operation_source_next(struct operation_source *source)
{
    struct operation operation;

    source->now_ns += draw_gap(source);
    operation.begin_ns = source->now_ns;
    operation.name = draw(source, source->name_up_to);
    operation.duration_ns = draw_duration(source, &source->durations[operation.name]);
    operation.thread = next_random(source) % SOURCE_THREAD_COUNT;
    operation.status = draw(source, status_up_to);
    return operation;
}

/* --- Entropy --- */

static double log_normal_density(double x, double median, double sigma)
{
    double z = (log(x) - log(median)) / sigma;

    return exp(-0.5 * z * z) / (x * sigma * sqrt(2 * M_PI));
}

static double duration_density(const struct duration_mixture *mixture, double x)
{
    double start = tail_start * mixture->median_ns;
    double density = (1 - mixture->second_weight - tail_weight) *
                         log_normal_density(x, mixture->median_ns, mixture->sigma) +
                     mixture->second_weight *
                         log_normal_density(x, mixture->second_median_ns, mixture->second_sigma);

    return x < start ? density
                     : density + tail_weight * tail_alpha * pow(start, tail_alpha) /
                                     pow(x, tail_alpha + 1);
}

static double gap_density(double x)
{
    double density = burst_end * exp(-x / pause_ns) / pause_ns;

    return x < least_gap_ns
               ? density
               : density + (1 - burst_end) * exp(-(x - least_gap_ns) / burst_gap_ns) / burst_gap_ns;
}

static double entropy_of_shares(const double *shares, int count)
{
    double bits = 0;

    for (int i = 0; i < count; i++) {
        bits -= shares[i] * log2(shares[i]);
    }
    return bits;
}

double operation_source_entropy_bits(uint32_t number, uint64_t count)
{
    static const double status_shares[] = {0.985, 0.010, 0.004, 0.001};
    struct operation_source source;
    uint64_t before_ns = 0;
    double bits = 0;

    operation_source_init(&source, number);
    for (uint64_t i = 0; i < count; i++) {
        struct operation operation = operation_source_next(&source);
        const struct duration_mixture *mixture = &source.durations[operation.name];

        /* Values are cut to whole ns: the density in the middle of each. */
        bits -= log2(gap_density((double)(operation.begin_ns - before_ns) + 0.5));
        bits -= log2(duration_density(mixture, (double)operation.duration_ns + 0.5));
        before_ns = operation.begin_ns;
    }
    return bits / (double)count + entropy_of_shares(source.name_share, SOURCE_NAME_COUNT) +
           entropy_of_shares(status_shares, 4) + log2(SOURCE_THREAD_COUNT);
}
