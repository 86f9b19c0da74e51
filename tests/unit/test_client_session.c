#include "client_session.h"

#include "collector.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

static struct session_table table;

static void tear_down(void)
{
    session_table_release(&table);
}

TestSuite(client_session, .fini = tear_down);

static struct hello make_hello(uint32_t number)
{
    struct hello hello = {.executable = "web\x1b server", .pid = number, .next_sequence = 5};

    memcpy(hello.session, &number, sizeof(number));
    hello.session[15] = 1;
    return hello;
}

static struct client_session *add(uint32_t number)
{
    struct hello hello = make_hello(number);
    struct client_session *session = NULL;
    const uint8_t packed[] = "packed";

    cr_assert_eq(session_table_add(&table, &hello, (struct slice){packed, sizeof(packed)},
                                   (struct peer_identity){.pid = 7, .uid = 8, .gid = 9},
                                   SOURCE_PROCESS, &session),
                 0);
    return session;
}

Test(client_session, a_session_keeps_what_it_was_made_of)
{
    struct client_session *session = add(3);

    cr_expect_eq(session->peer.pid, 7);
    cr_expect_eq(session->first_sequence, 5);
    cr_expect_eq(session->last_sequence, 4);
    cr_expect_eq(session->hello_size, sizeof("packed"));
    cr_expect_eq(memcmp(session->hello, "packed", sizeof("packed")), 0);
    cr_expect_str_eq(session->shown_name, "web? server");
}

Test(client_session, sessions_are_found_by_their_id)
{
    struct client_session *sessions[3000];

    for (uint32_t i = 0; i < 3000; i++) {
        sessions[i] = add(i * SESSION_BUCKETS / 2);
    }
    for (uint32_t i = 0; i < 3000; i++) {
        struct hello hello = make_hello(i * SESSION_BUCKETS / 2);

        cr_expect_eq(session_table_find(&table, hello.session), sessions[i]);
    }
    struct hello unknown = make_hello(1);
    cr_expect_null(session_table_find(&table, unknown.session));
}

static int add_large(uint32_t number, struct client_session **ret_session)
{
    static uint8_t large[1 << 20];
    struct hello hello = make_hello(number);

    return session_table_add(&table, &hello, (struct slice){large, sizeof(large)},
                             (struct peer_identity){0}, SOURCE_PROCESS, ret_session);
}

/* As if it had sent something once, and all of that were done. */
static void make_idle(struct client_session *session)
{
    session->jobs_pushed = 1;
    session->known.jobs_done = 1;
}

static bool is_known(uint32_t number)
{
    struct hello hello = make_hello(number);

    return session_table_find(&table, hello.session) != NULL;
}

Test(client_session, memory_for_greetings_is_limited_and_those_that_left_give_way)
{
    const uint32_t most = SESSIONS_MAX_HELLO_BYTES >> 20;
    struct client_session *sessions[64] = {0};

    for (uint32_t i = 0; i < most; i++) {
        cr_assert_eq(add_large(i, &sessions[i]), 0);
        make_idle(sessions[i]);
    }
    cr_expect_eq(add_large(most, &sessions[most]), -EDQUOT);
    session_table_leave(&table, sessions[5]);
    session_table_leave(&table, sessions[3]);
    cr_expect_eq(add_large(most, &sessions[most]), 0);
    cr_expect_not(is_known(5));
    cr_expect(is_known(3));
    cr_expect_eq(table.count, most);
    cr_expect_eq(table.hello_bytes, (size_t)SESSIONS_MAX_HELLO_BYTES);
}

Test(client_session, no_more_sessions_are_remembered_than_there_is_room_for)
{
    for (uint32_t i = 0; i < SESSIONS_MAX_LEFT + 1000; i++) {
        struct client_session *session = add(i);

        make_idle(session);
        session_table_leave(&table, session);
    }
    cr_expect_eq(table.count, SESSIONS_MAX_LEFT + 1);
    session_table_trim(&table);
    cr_expect_eq(table.count, SESSIONS_MAX_LEFT);
    cr_expect_eq(table.left_count, SESSIONS_MAX_LEFT);
    cr_expect_not(is_known(999));
    cr_expect(is_known(1000));
    session_table_forget(&table, UINT64_MAX);
    cr_expect_eq(table.count, 0);
    cr_expect_eq(table.hello_bytes, 0);
}

Test(client_session, who_never_sent_anything_is_forgotten_at_once)
{
    struct client_session *quiet = add(1);
    struct client_session *busy = add(2);

    busy->jobs_pushed = 1;
    session_table_leave(&table, quiet);
    session_table_leave(&table, busy);
    cr_expect_not(is_known(1));
    cr_expect(is_known(2));
    cr_expect_eq(table.count, 1);
}

Test(client_session, what_the_writer_thread_has_is_not_forgotten)
{
    struct client_session *pushed = add(1);
    struct client_session *held = add(2);
    struct client_session *idle = add(3);

    pushed->jobs_pushed = 1;
    make_idle(held);
    held->known.holds = 1;
    make_idle(idle);
    session_table_leave(&table, pushed);
    session_table_leave(&table, held);
    session_table_leave(&table, idle);
    session_table_forget(&table, UINT64_MAX);
    cr_expect_eq(table.count, 2);
    cr_expect_not(is_known(3));
    pushed->known.jobs_done = 1;
    held->known.holds = 0;
    session_table_forget(&table, UINT64_MAX);
    cr_expect_eq(table.count, 0);
}

Test(client_session, nobody_new_is_taken_while_too_many_that_left_are_in_use)
{
    struct client_session *session = NULL;
    struct hello hello = make_hello(SESSIONS_MAX_LEFT + 1);
    struct slice nothing = {(const uint8_t *)"", 0};

    for (uint32_t i = 0; i <= SESSIONS_MAX_LEFT; i++) {
        session = add(i);
        session->jobs_pushed = 1;
        session_table_leave(&table, session);
    }
    cr_expect_eq(session_table_add(&table, &hello, nothing, (struct peer_identity){0},
                                   SOURCE_PROCESS, &session),
                 -EDQUOT);
    session->known.jobs_done = 1;
    /* Each attempt looks at some of them. */
    int r = -EDQUOT;
    for (uint32_t i = 0; i < SESSIONS_MAX_LEFT && r == -EDQUOT; i++) {
        r = session_table_add(&table, &hello, nothing, (struct peer_identity){0}, SOURCE_PROCESS,
                              &session);
    }
    cr_expect_eq(r, 0);
    cr_expect_not(is_known(SESSIONS_MAX_LEFT));
}

Test(client_session, only_what_was_left_long_ago_is_forgotten_and_nothing_that_came_back)
{
    struct client_session *sessions[3] = {add(0), add(1), add(2)};

    for (size_t i = 0; i < ARRAY_SIZE(sessions); i++) {
        make_idle(sessions[i]);
        session_table_leave(&table, sessions[i]);
        sessions[i]->last_seen_ns = 1000 + i;
    }
    session_table_return(&table, sessions[0]);
    session_table_forget(&table, 1002);
    cr_expect(is_known(0));
    cr_expect_not(is_known(1));
    cr_expect(is_known(2));
    cr_expect_eq(table.left_count, 1);
    session_table_return(&table, sessions[2]);
    session_table_return(&table, sessions[2]);
    cr_expect_eq(table.left_count, 0);
}

Test(client_session, frames_are_counted_as_they_are_handed_over)
{
    struct client_session *session = add(1);
    struct disk_job *job = disk_job_new(JOB_FRAME, 100);

    job->sequence = 9;
    job->counts = (struct record_counts){.operations = 3, .samples = 2, .marks = 1};
    session_note_frame(session, job);
    session_note_frame(session, job);
    cr_expect_eq(session->last_sequence, 9);
    cr_expect_eq(session->frames, 2);
    cr_expect_eq(session->frame_bytes, 200);
    cr_expect_eq(session->jobs_pushed, 2);
    cr_expect_eq(session->received.operations, 6);
    cr_expect_eq(session->received.marks, 2);
    free(job);
}

static size_t count_jobs(const struct disk_channel *channel)
{
    size_t count = 0;

    for (const struct disk_job *job = channel->first_job; job != NULL; job = job->next) {
        count++;
    }
    return count;
}

static void note_frame(struct client_session *session, bool is_last)
{
    struct disk_job *job = disk_job_new(JOB_FRAME, 0);

    job->sequence = session->last_sequence + 1;
    job->is_last = is_last;
    session_note_frame(session, job);
    free(job);
}

Test(client_session, coming_and_going_without_frames_makes_no_jobs)
{
    static struct collector collector;
    struct client_session *session = add(1);

    cr_assert_eq(disk_channel_open(&collector.channel), 0);
    collector_end_part(&collector, session, END_CONNECTION_LOST);
    cr_expect_eq(count_jobs(&collector.channel), 0);
    note_frame(session, false);
    note_frame(session, false);
    collector_end_part(&collector, session, END_CONNECTION_LOST);
    collector_end_part(&collector, session, END_CONNECTION_LOST);
    cr_expect_eq(count_jobs(&collector.channel), 1);
    cr_expect_eq(session->jobs_pushed, 3);
    note_frame(session, true);
    collector_end_part(&collector, session, END_CONNECTION_LOST);
    cr_expect_eq(count_jobs(&collector.channel), 1);
    disk_channel_release(&collector.channel);
}
