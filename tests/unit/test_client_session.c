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

Test(client_session, memory_for_greetings_is_limited)
{
    static uint8_t large[1 << 20];
    struct hello hello = make_hello(0);
    struct client_session *session = NULL;
    size_t count = 0;
    int r;

    do {
        hello = make_hello((uint32_t)count++);
        r = session_table_add(&table, &hello, (struct slice){large, sizeof(large)},
                              (struct peer_identity){0}, SOURCE_PROCESS, &session);
    } while (r == 0);
    cr_expect_eq(r, -EDQUOT);
    cr_expect_eq(count, SESSIONS_MAX_HELLO_BYTES / sizeof(large) + 1);
    session_table_forget_idle(&table, UINT64_MAX, 0);
    cr_expect_eq(table.count, 0);
    cr_expect_eq(table.hello_bytes, 0);
}

Test(client_session, only_idle_sessions_are_forgotten_the_oldest_first)
{
    struct client_session *busy[3] = {add(1), add(2), add(3)};
    struct connection *connected = (struct connection *)(void *)busy; /* only its presence counts */

    busy[0]->connection = connected;
    busy[1]->jobs_pushed = 1;
    busy[2]->known.holds = 1;
    for (uint32_t i = 0; i < 10; i++) {
        add(10 + i)->last_seen_ns = 1000 + i;
    }
    session_table_forget_idle(&table, 1003, 100);
    cr_expect_eq(table.count, 3 + 7);
    session_table_forget_idle(&table, 0, 2);
    cr_expect_eq(table.count, 3 + 2);
    struct hello newest = make_hello(19);
    cr_expect_not_null(session_table_find(&table, newest.session));
    session_table_forget_idle(&table, UINT64_MAX, 0);
    cr_expect_eq(table.count, 3);
    busy[0]->connection = NULL;
    busy[1]->known.jobs_done = 1;
    busy[2]->known.holds = 0;
    session_table_forget_idle(&table, UINT64_MAX, 0);
    cr_expect_eq(table.count, 0);
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
