/* What the calls of eddy.h promise to a program that is not to be disturbed. */
#include "eddy.h"

#include "thread_ring.h"
#include "traced_program.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

static void call_flush(void)
{
    (void)!eddy_flush(5);
}

static void call_start(void)
{
    (void)!eddy_start();
}

static void call_stats(void)
{
    (void)stats();
}

static void call_interns(void)
{
    (void)!eddy_name_intern("run.time.name");
    (void)!eddy_metric_intern("run.time.metric", "By");
    (void)!eddy_queue_intern("run.time.queue", 7);
    (void)!eddy_now_ns();
}

static void call_shutdown(void)
{
    (void)!eddy_shutdown(100);
}

Test(client_calls, errno_is_untouched)
{
    static void (*const calls[])(void) = {
        call_start,   call_everything, call_flush,      call_stats,
        call_interns, call_shutdown,   call_everything, call_flush,
    };

    for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
        errno = EXDEV;
        calls[i]();
        cr_expect_eq(errno, EXDEV, "call %zu", i);
    }
}

Test(client_calls, null_and_nonsense_are_taken)
{
    uint64_t operation = eddy_begin(&name);
    struct eddy_name nameless = EDDY_NAME(NULL);
    struct eddy_stats wrong = {.size_bytes = 8};

    cr_assert_eq(eddy_begin(NULL), 0);
    cr_assert_neq(eddy_begin(&nameless), 0);
    cr_assert_neq(eddy_begin_queued(&name, NULL), 0);
    eddy_state(operation, 6);
    eddy_state(operation, UINT32_MAX);
    eddy_enqueue(operation, NULL);
    eddy_set_u64(operation, NULL, 1);
    eddy_set_text(operation, &key, NULL);
    eddy_set_text(operation, &nameless, "x");
    eddy_gauge(NULL, 1);
    eddy_mark(NULL);
    eddy_record(NULL, 1, 1, 1);
    eddy_end(operation, UINT32_MAX);
    eddy_end(operation, 0);
    eddy_end(UINT64_MAX, 0);
    cr_assert_eq(eddy_stats(NULL), -EINVAL);
    cr_assert_eq(eddy_stats(&wrong), -EINVAL);
    cr_assert_null(eddy_name_intern(NULL));
    cr_assert_eq(stats().stale_ends, 2);
    cr_assert_eq(stats().open, 2);
}

Test(client_calls, run_time_names_of_one_text_are_one)
{
    char text[400];

    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    cr_assert_eq(eddy_name_intern("a"), eddy_name_intern("a"));
    cr_assert_neq(eddy_name_intern("a"), eddy_name_intern("b"));
    cr_assert_neq((void *)eddy_name_intern("a"), (void *)eddy_metric_intern("a", NULL));
    cr_assert_eq(strlen(eddy_name_intern(text)->text), 255);
    cr_assert_eq(eddy_queue_intern("q", 5)->capacity, 5);
    cr_assert_str_eq(eddy_metric_intern("m", "By")->unit, "By");
}

/* How many of this process's descriptors are of a recorder. */
static int count_recorders(void)
{
    DIR *folder = opendir("/proc/self/fd");
    const struct dirent *entry;
    int found = 0;

    while ((entry = readdir(folder)) != NULL) {
        char target[256] = "";

        (void)!readlinkat(dirfd(folder), entry->d_name, target, sizeof(target) - 1);
        found += strstr(target, "memfd:eddy") != NULL;
    }
    (void)closedir(folder);
    return found;
}

static int has_nothing_of_its_parent(void)
{
    struct eddy_stats before = stats();
    int inherited = count_recorders();

    eddy_end(eddy_begin(&name), EDDY_OK);

    struct eddy_stats after = stats();

    return inherited == 0 && before.produced == 0 && after.produced >= 1 &&
                   atomic_load(&thread_ring->finished) == 1 && count_recorders() == 1
               ? 0
               : 1;
}

static int ends_what_its_parent_began(void)
{
    uint64_t operation = eddy_begin(&name);
    int result = 0;

    if (fork() == 0) {
        eddy_end(operation, EDDY_OK); /* of no session */
        eddy_state(operation, EDDY_RUNNING);
        call_everything();
        eddy_end(operation, EDDY_OK); /* stale */
        _exit(stats().stale_ends == 1 && stats().open == 0 ? 0 : 1);
    }
    if (wait(&result) < 0 || result != 0) {
        return 1;
    }
    eddy_end(operation, EDDY_OK);
    return stats().stale_ends == 0 && atomic_load(&thread_ring->finished) == 1 ? 0 : 2;
}

Test(client_calls, a_forked_child_begins_anew)
{
    cr_assert_eq(in_child(ends_what_its_parent_began), 0);
    eddy_end(eddy_begin(&name), EDDY_OK);
    cr_assert_eq(count_recorders(), 1);
    cr_assert_eq(in_child(has_nothing_of_its_parent), 0);
    cr_assert_eq(atomic_load(&thread_ring->finished), 1);
}

/* Attributes fill 256 bytes of an operation; empty texts take room, too. */
Test(client_calls, attributes_beyond_their_room_are_cut)
{
    char text[8];
    uint64_t operation = eddy_begin(&name);
    uint32_t index = (uint32_t)operation & session->slot_mask;

    for (int i = 0; i < 64; i++) {
        (void)sprintf(text, "key%d", i);
        eddy_set_text(operation, eddy_name_intern(text), "");
    }
    cr_assert_eq(session->slots[index].attribute_bytes, ATTRIBUTE_BYTES);
    cr_assert_eq(thread_ring->attributes_cut, 64 - ATTRIBUTE_BYTES / 16);
}
