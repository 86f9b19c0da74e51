#include "ticks.h"

#include <fcntl.h>
#include <string.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

#define CLOCK_SOURCE_FILE "/sys/devices/system/clocksource/clocksource0/current_clocksource"

enum {
    READING_TRIES = 5,
    CPUID_INVARIANT_TSC = 1 << 8,
};

#define CPUID_POWER 0x80000007U

/* The first slope is measured over this time; good to about a thousandth, and used for nothing but the first look. */
#define ROUGH_BASE_NS (20 * NS_PER_US)
/* Time in which a new slope leads back to the true time, and the most that it deviates for that. */
#define LEAD_BACK_NS (1.0 * NS_PER_S)
#define MAX_CORRECTION 5e-6
/* Further apart than this, the clocks did not drift: one of them was set. */
#define MAX_ERROR_NS (1.0 * NS_PER_MS)
/* The base line of the slope is renewed so that slow changes of the rate are followed. */
#define LONGEST_BASE_NS (64 * NS_PER_S)

bool ticks_are_counter;

#if defined(__x86_64__)
static bool cpu_has_invariant_counter(void)
{
    unsigned int eax = 0;
    unsigned int ebx = 0;
    unsigned int ecx = 0;
    unsigned int edx = 0;

    return __get_cpuid(CPUID_POWER, &eax, &ebx, &ecx, &edx) != 0 &&
           (edx & CPUID_INVARIANT_TSC) != 0;
}

/*
 * Whether the kernel itself keeps time by the counter. It checks that the counters of all CPUs agree, and stops using them
 * if they do not. Where it cannot be asked, the answer is no.
 */
static bool kernel_trusts_counter(void)
{
    char name[32] = {0};
    AUTO_CLOSE int fd = open(CLOCK_SOURCE_FILE, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || read(fd, name, sizeof(name) - 1) <= 0) {
        return false;
    }
    return strcmp(name, "tsc\n") == 0 || strcmp(name, "kvm-clock\n") == 0;
}

void ticks_init(void)
{
    ticks_are_counter = cpu_has_invariant_counter() && kernel_trusts_counter();
}
#else
/* The generic timer of arm64 is the same for all CPUs by definition; others have clock_gettime(). */
void ticks_init(void)
{
#if defined(__aarch64__)
    ticks_are_counter = true;
#endif
}
#endif

/* Both clocks at one instant. */
struct tick_pair {
    uint64_t ticks;
    uint64_t ns;
};

/* Of several tries, the one in which least could come between. */
static struct tick_pair read_pair(void)
{
    struct tick_pair best = {0};
    uint64_t least = UINT64_MAX;

    for (int i = 0; i < READING_TRIES; i++) {
        uint64_t before = ticks_now();
        uint64_t ns = clock_monotonic_ns();
        uint64_t bracket = ticks_now() - before;

        if (bracket < least) {
            least = bracket;
            best = (struct tick_pair){before + bracket / 2, ns};
        }
    }
    if (!ticks_are_counter) {
        best.ticks = best.ns;
    }
    return best;
}

static double slope_since_first(const struct tick_clock *clock, struct tick_pair now)
{
    return (double)(now.ns - clock->first_ns) / (double)(now.ticks - clock->first_ticks);
}

static void start_at(struct tick_clock *clock, struct tick_pair now)
{
    clock->anchor_ticks = now.ticks;
    clock->anchor_ns = now.ns;
    clock->first_ticks = now.ticks;
    clock->first_ns = now.ns;
}

void tick_clock_init(struct tick_clock *clock)
{
    start_at(clock, read_pair());
    clock->ns_per_tick = 1.0;

    struct tick_pair now;

    do {
        now = read_pair();
    } while (now.ns < clock->first_ns + ROUGH_BASE_NS);
    if (ticks_are_counter) {
        clock->ns_per_tick = slope_since_first(clock, now);
    }
}

static double clamp(double value, double most)
{
    return value > most ? most : value < -most ? -most : value;
}

/* Moves the begin of the base line, on the line that was measured. */
static void renew_base(struct tick_clock *clock, struct tick_pair now, double slope)
{
    const uint64_t base_ns = LONGEST_BASE_NS / 2;

    if (now.ns - clock->first_ns > LONGEST_BASE_NS) {
        clock->first_ns = now.ns - base_ns;
        clock->first_ticks = now.ticks - (uint64_t)((double)base_ns / slope);
    }
}

void tick_clock_calibrate(struct tick_clock *clock)
{
    struct tick_pair now = read_pair();
    /* Nobody has used the rough slope yet: the line through both pairs is exact at either end. */
    bool is_first = clock->anchor_ticks == clock->first_ticks;
    uint64_t mapped_ns = tick_clock_ns(clock, now.ticks);
    double error_ns = (double)(int64_t)(now.ns - mapped_ns);

    if (now.ticks <= clock->first_ticks || now.ns <= clock->first_ns) {
        return;
    }
    if (!is_first && (error_ns > MAX_ERROR_NS || error_ns < -MAX_ERROR_NS)) {
        /* The slope stays: it is still the best one known. */
        start_at(clock, now);
        return;
    }

    double slope = ticks_are_counter ? slope_since_first(clock, now) : 1.0;

    clock->anchor_ticks = now.ticks;
    clock->anchor_ns = is_first ? now.ns : mapped_ns;
    clock->ns_per_tick =
        slope * (1.0 + (is_first ? 0.0 : clamp(error_ns / LEAD_BACK_NS, MAX_CORRECTION)));
    renew_base(clock, now, slope);
}
