#include "batch_build.h"
#include "client_fixture.h"
#include "codec_fixture.h"
#include "names.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

static struct batch_builder builder;
static struct stager stager;
static struct ring *ring;

/* Ten ticks are one ns, and tick 0 is at 1,000,000 ns. */
static const struct tick_clock tick_line = {.anchor_ns = 1000000, .ns_per_tick = 0.1};

static void set_up(void)
{
    client_set_up();
    codec_set_up();
    stager_init(&stager, recorder);
    stager_clear(&stager, 1);
    ring = make_test_ring(4096, (uint32_t)getpid(), 1);
    cr_assert_eq(batch_builder_init(&builder, recorder), 0);
}

static void tear_down(void)
{
    codec_tear_down();
    batch_builder_release(&builder);
    client_tear_down();
}

TestSuite(batch_build, .init = set_up, .fini = tear_down);

static void build_with(const struct own_sample *own, uint32_t count)
{
    cr_assert(stager_drain(&stager, ring));
    cr_assert_eq(batch_builder_build(&builder, &stager, &tick_line, own, count), 0);
    batch_threads_finish(&builder.threads, &builder.batch);
    stager_clear(&stager, 2);
}

/* The batch must be one that can be encoded and that comes back the same. */
static void build(void)
{
    build_with(NULL, 0);
    batch_release(&batch);
    batch = builder.batch; /* lent to the fixture */
    check_back(encode_and_decompress());
    builder.batch = batch;
    batch = (struct batch){0};
}

Test(batch_build, operations_come_in_order_and_in_ns)
{
    static const struct {
        const char *name;
        uint64_t begin;
        uint64_t end;
        uint64_t begin_ns;
        uint64_t duration_ns;
        uint8_t status;
        uint8_t flags;
    } rows[] = {
        /* as they come out; they go in from the last to the first */
        {"a", 500, 400, 500, 999540, STATUS_OK, RECORD_BEGIN_IS_NS},
        {"b", 123, 456, 123 + 600, 333, STATUS_TIMEOUT, RECORD_BEGIN_IS_NS | RECORD_END_IS_NS},
        {"a", 0, 1000, 1000000, 100, STATUS_ERROR, 0},
        {"c", 100, 90, 1000010, 0, STATUS_OK, 0},                     /* on two CPUs, say */
        {"a", 200, 204, 1000020, 0, STATUS_CANCELLED, 0},             /* 0.4 ns */
        {"a", 300, 306, 1000030, 1, STATUS_OK, 0},                    /* 0.6 ns */
        {"b", 2000000, 5, 2000000, 0, STATUS_OK, RECORD_BEGIN_IS_NS}, /* intended for later */
    };
    const size_t count = ARRAY_SIZE(rows);

    for (size_t i = count; i-- > 0;) {
        struct record record =
            plain_operation(operation_name(rows[i].name), rows[i].begin, rows[i].end);

        if (i == 1) {
            record.begin += 600;
            record.end += 600;
        }
        record.status = rows[i].status;
        record.flags = rows[i].flags;
        publish(ring, &record, NULL);
    }
    build();
    cr_assert_eq(builder.batch.operations.count, count);
    for (size_t i = 0; i < count; i++) {
        const struct batch_operations *operations = &builder.batch.operations;

        cr_expect_eq(operations->begin_ns[i], rows[i].begin_ns, "row %zu", i);
        cr_expect_eq(operations->duration_ns[i], rows[i].duration_ns, "row %zu: %lu", i,
                     operations->duration_ns[i]);
        cr_expect_eq(operations->status[i], rows[i].status, "row %zu", i);
        cr_expect_str_eq(builder.batch.names[operations->name[i]].text, rows[i].name);
    }
}

Test(batch_build, times_that_the_format_does_not_hold_are_refused)
{
    struct record record = plain_operation(operation_name("x"), 1, 2);

    publish(ring, &record, NULL);
    record.flags = RECORD_BEGIN_IS_NS | RECORD_END_IS_NS;
    record.end = record.begin + (UINT64_C(1) << 62);
    publish(ring, &record, NULL);
    record.end--;
    publish(ring, &record, NULL);
    record.begin = UINT64_MAX;
    record.end = UINT64_MAX;
    publish(ring, &record, NULL);
    build();
    cr_assert_eq(builder.refused_operations, 1);
    cr_assert_eq(builder.batch.operations.count, 3);
}

Test(batch_build, states_queues_parents_and_ids)
{
    uint32_t queue = names_intern_queue(recorder, "inbox", 16);
    struct state_entry states = {
        .ticks = {[STATE_QUEUED] = 1000, [STATE_RUNNING] = 70, [STATE_WAITING_IO] = 9999},
        .queue = atomic_load(&recorder_queue(recorder, queue - 1)->name),
        .depth = 3,
        .mask = 1 << STATE_QUEUED | 1 << STATE_RUNNING, /* waiting is not valid */
    };
    struct record continuation;
    struct record parent = plain_operation(operation_name("parent"), 100, 900);
    struct record child = plain_operation(operation_name("child"), 200, 300);

    parent.flags = RECORD_NEEDS_ID;
    child.parent = parent.id;
    child.flags = RECORD_HAS_STATES;
    child.continuations = 1;
    memcpy(&continuation, &states, sizeof(states));
    publish(ring, &child, &continuation);
    publish(ring, &parent, NULL);
    build();

    const struct batch *made = &builder.batch;

    cr_assert_eq(made->operations.id.count, 1);
    cr_assert_eq(made->operations.id.row[0], 0);
    cr_assert_eq(made->operations.id.value[0], parent.id);
    cr_assert_eq(made->operations.parent.count, 1);
    cr_assert_eq(made->operations.parent.row[0], 1);
    cr_assert_eq(made->operations.parent.value[0], parent.id);
    cr_assert_eq(made->operations.state_ns[STATE_QUEUED].value[0], 100);
    cr_assert_eq(made->operations.state_ns[STATE_RUNNING].value[0], 7);
    cr_assert_eq(made->operations.state_ns[STATE_WAITING_IO].count, 0);
    cr_assert_eq(made->queued.count, 1);
    cr_assert_eq(made->queued.row[0], 1);
    cr_assert_eq(made->queued.depth[0], 3);
    cr_assert_eq(made->queued.residence_ns[0], 100);
    cr_assert_str_eq(made->names[made->queued.queue[0]].text, "inbox");
    cr_assert_eq(made->names[made->queued.queue[0]].queue_capacity, 16);
}

/* 1000 ns after the intended begin, of which the calls saw 300: the others are those before eddy_begin_at(). */
Test(batch_build, an_operation_that_began_late_was_queued_until_then)
{
    struct state_entry states = {.ticks = {[STATE_RUNNING] = 3000}, .mask = 1 << STATE_RUNNING};
    struct record continuation;
    struct record late = plain_operation(operation_name("late"), 5000, 6000);
    struct record on_time = plain_operation(operation_name("on time"), 70000, 80000);

    memcpy(&continuation, &states, sizeof(states));
    late.flags = RECORD_HAS_STATES | RECORD_BEGIN_IS_NS | RECORD_END_IS_NS;
    late.continuations = 1;
    on_time.flags = RECORD_HAS_STATES;
    on_time.continuations = 1;
    publish(ring, &late, &continuation);
    publish(ring, &on_time, &continuation);
    build();

    const struct batch_operations *made = &builder.batch.operations;

    cr_assert_eq(made->state_ns[STATE_RUNNING].count, 2);
    cr_assert_eq(made->state_ns[STATE_QUEUED].count, 1);
    cr_assert_str_eq(builder.batch.names[made->name[made->state_ns[STATE_QUEUED].row[0]]].text,
                     "late");
    cr_assert_eq(made->state_ns[STATE_QUEUED].value[0], 700);
}

/* Writes an attribute as eddy_set_*() does; returns the bytes used. */
static size_t put_attribute(uint8_t *area, uint32_t key, enum attribute_type type,
                            const void *value, uint8_t length)
{
    struct attribute_entry entry = {.key = key, .type = (uint8_t)type, .length = length};
    size_t padded = length == 0 ? 8 : (length + 7U) / 8 * 8;

    memcpy(area, &entry, sizeof(entry));
    memset(area + sizeof(entry), 0, padded);
    memcpy(area + sizeof(entry), value, length);
    return sizeof(entry) + padded;
}

static uint32_t attribute_name(const char *text)
{
    return names_intern(recorder, text, NULL, NAME_ATTRIBUTE, VALUE_INTEGER);
}

Test(batch_build, attributes)
{
    static uint8_t area[4 * ENTRY_BYTES];
    const int64_t negative = -5;
    const double real = 0.25;
    const uint64_t yes = 1;
    size_t used = 0;
    struct record record = plain_operation(operation_name("x"), 1, 2);

    used += put_attribute(area + used, attribute_name("i"), ATTRIBUTE_I64, &negative, 8);
    used += put_attribute(area + used, attribute_name("f"), ATTRIBUTE_F64, &real, 8);
    used += put_attribute(area + used, 0, ATTRIBUTE_TEXT, "replaced", 8);
    used += put_attribute(area + used, attribute_name("b"), ATTRIBUTE_BOOL, &yes, 8);
    used += put_attribute(area + used, attribute_name("t"), ATTRIBUTE_TEXT, "blue", 4);
    used += put_attribute(area + used, attribute_name("e"), ATTRIBUTE_TEXT, "", 0);
    used += put_attribute(area + used, attribute_name("c"), ATTRIBUTE_TEXT_CUT, "blue", 4);
    used += put_attribute(area + used, attribute_name("8"), ATTRIBUTE_TEXT, "8 bytes.", 8);
    record.attribute_bytes = (uint16_t)used;
    record.continuations = (uint8_t)((used + ENTRY_BYTES - 1) / ENTRY_BYTES);
    publish(ring, &record, (const struct record *)area);
    build();

    static const char *const keys[] = {"i", "f", "b", "t", "e", "c", "8"};
    const struct batch_attributes *made = &builder.batch.attributes;
    double back_real;

    cr_assert_eq(made->count, ARRAY_SIZE(keys));
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        cr_expect_str_eq(builder.batch.names[made->key[i]].text, keys[i]);
        cr_expect_eq(made->row[i], 0);
    }
    cr_assert_eq((int64_t)made->value[0], -5);
    memcpy(&back_real, &made->value[1], sizeof(back_real));
    cr_assert_eq(back_real, 0.25);
    cr_assert_eq(made->value[2], 1);
    cr_assert_eq(made->text_count, 3, "equal texts are one");
    cr_assert_str_eq(made->texts[made->value[3]], "blue");
    cr_assert_str_eq(made->texts[made->value[4]], "");
    cr_assert_eq(made->value[5], made->value[3]);
    cr_assert_str_eq(made->texts[made->value[6]], "8 bytes.");
}

/* What no version of set_attribute() writes ends the list, and harms nothing. */
Test(batch_build, damaged_attributes_are_left_out)
{
    static const struct {
        uint8_t type;
        uint8_t length;
        uint16_t bytes;
    } cases[] = {
        {ATTRIBUTE_TYPE_COUNT, 8, 64}, {ATTRIBUTE_TEXT, 255, 64}, {ATTRIBUTE_U64, 8, 15},
        {ATTRIBUTE_TEXT, 57, 64},      {ATTRIBUTE_U64, 8, 7},     {ATTRIBUTE_U64, 8, 0},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        static uint8_t area[ENTRY_BYTES];
        struct attribute_entry entry = {
            .key = attribute_name("k"), .type = cases[i].type, .length = cases[i].length};
        struct record record = plain_operation(operation_name("x"), 1, 2);

        memset(area, 0, sizeof(area));
        memcpy(area, &entry, sizeof(entry));
        record.continuations = 1;
        record.attribute_bytes = cases[i].bytes;
        publish(ring, &record, (const struct record *)area);
        build();
        cr_expect_eq(builder.batch.operations.count, 1, "case %zu", i);
        cr_expect_eq(builder.batch.attributes.count, 0, "case %zu", i);
    }
}

Test(batch_build, ids_that_are_none_become_other)
{
    static const struct {
        uint32_t name;
        uint8_t kind;
    } cases[] = {
        {0, ENTRY_OPERATION},
        {NAME_ID_DENIED, ENTRY_OPERATION},
        {RECORDER_MAX_NAMES, ENTRY_MARK},
        {RECORDER_MAX_NAMES - 1, ENTRY_SAMPLE},
        {UINT32_MAX, ENTRY_OPERATION},
        {NAME_MARK + 1, ENTRY_OPERATION}, /* of another kind */
        {NAME_OPERATION + 1, ENTRY_SAMPLE},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct record record = plain_operation(cases[i].name, 1, 2);

        record.kind = cases[i].kind;
        publish(ring, &record, NULL);
        build();
        cr_expect_eq(builder.batch.name_count, 1);
        cr_expect_str_eq(builder.batch.names[0].text, "(other)", "case %zu", i);
    }
}

Test(batch_build, samples_and_marks_of_all_come_in_order)
{
    uint32_t gauge = names_intern(recorder, "g", "By", NAME_GAUGE, VALUE_INTEGER);
    uint32_t mark = names_intern(recorder, "m", NULL, NAME_MARK, VALUE_INTEGER);
    const struct own_sample own[] = {
        {.time_ns = 1000015, .value = 15, .name = gauge, .thread = 7},
        {.time_ns = 1000001, .value = 1, .name = gauge, .thread = 0},
    };

    for (uint64_t i = 0; i < 3; i++) {
        publish(ring,
                &(struct record){.begin = 300 - 100 * i,
                                 .end = 30 - 10 * i,
                                 .name = gauge,
                                 .end_thread = 1,
                                 .kind = ENTRY_SAMPLE},
                NULL);
        publish(ring,
                &(struct record){.begin = 300 - 100 * i,
                                 .name = mark,
                                 .end_thread = (uint32_t)i + 1,
                                 .kind = ENTRY_MARK},
                NULL);
    }
    build_with(own, 2);

    static const uint64_t times[] = {1000001, 1000010, 1000015, 1000020, 1000030};
    static const uint32_t threads[] = {0, 0, 7, 0, 0};
    const struct batch *made = &builder.batch;

    cr_assert_eq(made->samples.count, 5);
    for (size_t i = 0; i < 5; i++) {
        uint32_t thread = made->samples.thread[i];

        cr_expect_eq(made->samples.time_ns[i], times[i]);
        cr_expect_eq(made->samples.value[i], times[i] - 1000000);
        cr_expect_eq(thread == 0 ? 0 : made->threads[thread - 1].serial, threads[i]);
    }
    cr_assert_eq(made->marks.count, 3);
    for (size_t i = 0; i < 3; i++) {
        cr_expect_eq(made->marks.time_ns[i], 1000010 + 10 * i);
        cr_expect_eq(made->threads[made->marks.thread[i]].serial, 3 - i);
    }
}

Test(batch_build, threads_have_their_tid_and_name)
{
    (void)pthread_setname_np(pthread_self(), "a name");
    publish_operations(ring, operation_name("x"), 1, 1);

    struct record other = plain_operation(operation_name("x"), 5, 6);

    other.end_thread = 4711; /* of which nothing is known any more */
    publish(ring, &other, NULL);
    build();
    cr_assert_eq(builder.batch.thread_count, 2);

    const struct batch_thread *own =
        &builder.batch.threads[builder.batch.operations.begin_thread[0]];
    const struct batch_thread *gone =
        &builder.batch.threads[builder.batch.operations.end_thread[1]];

    cr_assert_eq(own->tid, (uint32_t)getpid());
    cr_assert_eq(own->serial, 1);
    cr_assert_str_eq(own->name, "a name");
    cr_assert_eq(gone->tid, 0);
    cr_assert_eq(gone->serial, 4711);
    cr_assert_str_eq(gone->name, "");
}

Test(batch_build, many_threads_and_texts_and_a_batch_after_it)
{
    enum { MANY = 3000 };
    uint32_t name = operation_name("x");
    uint32_t key = attribute_name("k");

    for (uint32_t i = 0; i < MANY; i += 500) {
        for (uint32_t j = i; j < i + 500; j++) {
            static uint8_t area[ENTRY_BYTES];
            char text[32];
            struct record record = plain_operation(name, 10 * (MANY - j), 10 * MANY);
            int length = sprintf(text, "text number %u", j);

            record.begin_thread = j + 1;
            record.end_thread = j / 2 + 1;
            record.attribute_bytes =
                (uint16_t)put_attribute(area, key, ATTRIBUTE_TEXT, text, (uint8_t)length);
            record.continuations = 1;
            publish(ring, &record, (const struct record *)area);
        }
        cr_assert(stager_drain(&stager, ring));
    }
    build();
    cr_assert_eq(builder.batch.thread_count, MANY);
    cr_assert_eq(builder.batch.attributes.text_count, MANY);
    for (uint32_t i = 0; i < MANY; i++) {
        const struct batch_operations *operations = &builder.batch.operations;
        char text[32];

        cr_assert_eq(builder.batch.threads[operations->begin_thread[i]].serial, MANY - i);
        (void)sprintf(text, "text number %u", MANY - 1 - i);
        cr_assert_str_eq(builder.batch.attributes.texts[builder.batch.attributes.value[i]], text);
    }
    publish_operations(ring, name, 1, 1);
    build();
    cr_assert_eq(builder.batch.operations.count, 1);
    cr_assert_eq(builder.batch.thread_count, 1);
    cr_assert_eq(builder.batch.attributes.count, 0);
    cr_assert_eq(builder.batch.name_count, 1);
}

Test(batch_build, long_runs_come_in_order_and_in_ns)
{
    static const uint64_t begins[] = {900, 100, 500};

    for (size_t i = 0; i < ARRAY_SIZE(begins); i++) {
        struct record record = plain_operation(operation_name(i == 1 ? "b" : "a"), begins[i],
                                               begins[i] + 1000 * (i + 1));

        record.id = 100 + i;
        record.kind = ENTRY_LONG_RUN;
        publish(ring, &record, NULL);
    }
    build();

    const struct batch_long_runs *runs = &builder.batch.long_runs;

    cr_assert_eq(runs->count, 3);
    cr_assert_eq(builder.batch.operations.count, 0);
    cr_assert_eq(builder.batch.min_begin_ns, 0); /* they are no part of the batch's times */
    for (size_t i = 0; i < 3; i++) {
        size_t order[] = {1, 2, 0};

        cr_expect_eq(runs->begin_ns[i], 1000000 + begins[order[i]] / 10);
        cr_expect_eq(runs->length_ns[i], 100 * (order[i] + 1));
        cr_expect_eq(runs->id[i], 100 + order[i]);
        cr_expect_str_eq(builder.batch.names[runs->name[i]].text, i == 0 ? "b" : "a");
        cr_expect_eq(builder.batch.threads[runs->thread[i]].serial, 1);
    }
    cr_assert_eq(builder.batch.names[0].rows, 0);
}

Test(batch_build, nothing_is_an_empty_batch)
{
    build();
    cr_assert_eq(builder.batch.operations.count, 0);
    cr_assert_eq(batch_builder_build(&builder, &(struct stager){0}, &tick_line, NULL, 0), 0);
    cr_assert_eq(builder.batch.name_count, 0);
}

/* As many attributes as staging takes are never more than a batch holds, whatever they are. */
Test(batch_build, the_fullest_staging_area_fits_into_a_batch)
{
    static uint8_t area[4 * ENTRY_BYTES];
    static struct record entries[STAGING_MAX_DETAILS / 4 * 5];
    struct record record = plain_operation(operation_name("x"), 1, 2);
    uint32_t used = 0;

    for (uint32_t i = 0; i < ATTRIBUTE_BYTES / 16; i++) {
        char key[8];

        (void)sprintf(key, "k%u", i);
        used += (uint32_t)put_attribute(area + used, attribute_name(key), ATTRIBUTE_TEXT, "", 0);
    }
    record.attribute_bytes = (uint16_t)used;
    record.continuations = 4;
    for (uint32_t i = 0; i < STAGING_MAX_DETAILS / 4; i++) {
        entries[5 * i] = record;
        memcpy(&entries[5 * i + 1], area, sizeof(area));
    }
    stager.entries = entries;
    stager.held = (struct staged){.entries = ARRAY_SIZE(entries),
                                  .operations = STAGING_MAX_DETAILS / 4,
                                  .details = STAGING_MAX_DETAILS};
    cr_assert_eq(batch_builder_build(&builder, &stager, &tick_line, NULL, 0), 0);
    cr_assert_eq(builder.batch.attributes.count, BATCH_MAX_ATTRIBUTES);
}
