#include "flush_requests.h"

#include "clocks.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>

#define SOON (clock_monotonic_ns() + NS_PER_MS)
#define LATE (clock_monotonic_ns() + 20 * NS_PER_S)

static struct flush_requests requests;

Test(flush_requests, tickets_are_served_in_order)
{
    uint32_t first = flush_requests_ask(&requests);
    uint32_t second = flush_requests_ask(&requests);

    cr_assert_eq(second, first + 1);
    flush_requests_serve(&requests, first);
    cr_assert_eq(flush_requests_wait(&requests, first, 0), 0);
    cr_assert_eq(flush_requests_wait(&requests, second, 0), -ENOTCONN);
    atomic_store(&requests.is_connected, true);
    cr_assert_eq(flush_requests_wait(&requests, second, SOON), -ETIMEDOUT);
    flush_requests_serve(&requests, second);
    cr_assert_eq(flush_requests_wait(&requests, first, 0), 0);
    cr_assert_eq(flush_requests_wait(&requests, second, 0), 0);
}

Test(flush_requests, numbers_may_wrap)
{
    atomic_store(&requests.asked, UINT32_MAX);
    atomic_store(&requests.served, UINT32_MAX);

    uint32_t ticket = flush_requests_ask(&requests);

    cr_assert_eq(ticket, 0);
    cr_assert_eq(flush_requests_wait(&requests, ticket, 0), -ENOTCONN);
    flush_requests_serve(&requests, ticket);
    cr_assert_eq(flush_requests_wait(&requests, ticket, 0), 0);
    cr_assert_eq(flush_requests_wait(&requests, UINT32_MAX, 0), 0);
}

Test(flush_requests, the_end_is_asked_for_once_and_sends_everybody_home)
{
    uint32_t ticket = flush_requests_ask(&requests);

    cr_assert_eq(flush_requests_wait_for_end(&requests, SOON), -ETIMEDOUT);
    cr_assert(flush_requests_ask_to_end(&requests, 5));
    cr_assert(!flush_requests_ask_to_end(&requests, 6));
    flush_requests_end(&requests);
    cr_assert_eq(flush_requests_wait_for_end(&requests, 0), 0);
    cr_assert_eq(flush_requests_wait(&requests, ticket, LATE), -ESHUTDOWN);
}

static void *ask_and_wait(void *argument)
{
    uint32_t ticket = flush_requests_ask(&requests);

    (void)argument;
    return (void *)(intptr_t)flush_requests_wait(&requests, ticket, LATE);
}

Test(flush_requests, those_who_sleep_are_woken)
{
    enum { THREADS = 4 };
    pthread_t threads[THREADS];
    uint32_t served = 0;

    for (int i = 0; i < THREADS; i++) {
        cr_assert_eq(pthread_create(&threads[i], NULL, ask_and_wait, NULL), 0);
    }
    while (served < THREADS) {
        uint32_t asked = atomic_load(&requests.asked);

        if (asked > served) {
            served = asked;
            flush_requests_serve(&requests, served);
        }
    }
    for (int i = 0; i < THREADS; i++) {
        void *result = NULL;

        cr_assert_eq(pthread_join(threads[i], &result), 0);
        cr_assert_null(result);
    }
}
