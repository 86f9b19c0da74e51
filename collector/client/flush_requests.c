#include "flush_requests.h"

#include "clocks.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>

/* Whoever wakes looks again at what it waits for. */
#define LONGEST_SLEEP_NS NS_PER_S

/* Announces what was stored before. Pairs with the acquire of changes in the waiting functions. */
static void wake_all(struct flush_requests *requests)
{
    (void)atomic_fetch_add_explicit(&requests->changes, 1, memory_order_release);
    (void)syscall(SYS_futex, &requests->changes, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

/* Sleeps while nothing has changed, at most until then. */
static void sleep_while(struct flush_requests *requests, uint32_t seen, uint64_t until_ns)
{
    uint64_t now_ns = clock_monotonic_ns();
    uint64_t left_ns = until_ns > now_ns ? min_u64(until_ns - now_ns, LONGEST_SLEEP_NS) : 0;
    struct timespec timeout = {(time_t)(left_ns / NS_PER_S), (long)(left_ns % NS_PER_S)};

    (void)syscall(SYS_futex, &requests->changes, FUTEX_WAIT_PRIVATE, seen, &timeout, NULL, 0);
}

uint32_t flush_requests_ask(struct flush_requests *requests)
{
    /* Pairs with the acquire of the flusher: what this thread published before is drained for this ticket. */
    return atomic_fetch_add_explicit(&requests->asked, 1, memory_order_acq_rel) + 1;
}

bool flush_requests_ask_to_end(struct flush_requests *requests, uint64_t by_ns)
{
    atomic_store_explicit(&requests->end_by_ns, by_ns, memory_order_relaxed);
    return !atomic_exchange_explicit(&requests->is_ending, true, memory_order_acq_rel);
}

static bool is_served(uint32_t served, uint32_t ticket)
{
    return (int32_t)(served - ticket) >= 0;
}

int flush_requests_wait(struct flush_requests *requests, uint32_t ticket, uint64_t until_ns)
{
    for (;;) {
        uint32_t seen = atomic_load_explicit(&requests->changes, memory_order_acquire);

        if (is_served(atomic_load_explicit(&requests->served, memory_order_acquire), ticket)) {
            return 0;
        }
        if (atomic_load_explicit(&requests->has_ended, memory_order_acquire)) {
            return -ESHUTDOWN;
        }
        if (clock_monotonic_ns() >= until_ns) {
            return atomic_load_explicit(&requests->is_connected, memory_order_relaxed) ? -ETIMEDOUT
                                                                                       : -ENOTCONN;
        }
        sleep_while(requests, seen, until_ns);
    }
}

int flush_requests_wait_for_end(struct flush_requests *requests, uint64_t until_ns)
{
    for (;;) {
        uint32_t seen = atomic_load_explicit(&requests->changes, memory_order_acquire);

        if (atomic_load_explicit(&requests->has_ended, memory_order_acquire)) {
            return 0;
        }
        if (clock_monotonic_ns() >= until_ns) {
            return -ETIMEDOUT;
        }
        sleep_while(requests, seen, until_ns);
    }
}

void flush_requests_serve(struct flush_requests *requests, uint32_t ticket)
{
    atomic_store_explicit(&requests->served, ticket, memory_order_release);
    wake_all(requests);
}

void flush_requests_end(struct flush_requests *requests)
{
    atomic_store_explicit(&requests->has_ended, true, memory_order_release);
    wake_all(requests);
}
