#include "client_fixture.h"
#include "names.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

TestSuite(name_table, .init = client_set_up, .fini = client_tear_down);

static const char *text_of(uint32_t id)
{
    return recorder_at(recorder,
                       recorder->name_text_offset + recorder_name(recorder, id)->text_offset);
}

static const char *unit_of(uint32_t id)
{
    return recorder_at(recorder,
                       recorder->name_text_offset + recorder_name(recorder, id)->unit_offset);
}

Test(name_table, the_same_name_has_the_same_id)
{
    static const struct {
        const char *text;
        const char *unit;
        enum name_kind kind;
        enum value_type value;
    } names[] = {
        {"a", NULL, NAME_OPERATION, VALUE_INTEGER}, {"a", NULL, NAME_MARK, VALUE_INTEGER},
        {"a", "By", NAME_GAUGE, VALUE_INTEGER},     {"a", "By", NAME_GAUGE, VALUE_DOUBLE},
        {"", NULL, NAME_OPERATION, VALUE_INTEGER},  {"b", NULL, NAME_OPERATION, VALUE_INTEGER},
        {"a", NULL, NAME_QUEUE, VALUE_INTEGER},     {"a", NULL, NAME_ATTRIBUTE, VALUE_INTEGER},
    };
    uint32_t ids[ARRAY_SIZE(names)];

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        ids[i] =
            names_intern(recorder, names[i].text, names[i].unit, names[i].kind, names[i].value);
        for (size_t j = 0; j < i; j++) {
            cr_expect_neq(ids[i], ids[j], "%zu and %zu", i, j);
        }
    }
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        cr_expect_eq(
            names_intern(recorder, names[i].text, names[i].unit, names[i].kind, names[i].value),
            ids[i]);
        cr_expect_str_eq(text_of(ids[i]), names[i].text);
        cr_expect_str_eq(unit_of(ids[i]), names[i].unit == NULL ? "" : names[i].unit);
        cr_expect_eq(recorder_name(recorder, ids[i])->kind, names[i].kind);
    }
    cr_assert_eq(atomic_load(&recorder->names_folded), 0);
}

Test(name_table, texts_are_cut_and_made_valid)
{
    char text[300];
    uint32_t id;

    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    memcpy(text + 254, "\xc3\xa4", 2); /* would be cut in the middle */
    id = names_intern(recorder, text, text, NAME_OPERATION, VALUE_INTEGER);
    cr_assert_eq(strlen(text_of(id)), 254);
    cr_assert_eq(strlen(unit_of(id)), 63);
    cr_assert_str_eq(text_of(operation_name("a\xff\nb")), "a??b");
    cr_assert_str_eq(text_of(names_intern(recorder, NULL, NULL, NAME_MARK, VALUE_INTEGER)), "");
}

/* Each kind has its "(other)", so that records of names that found no room stay what they are. */
static void check_folded(const char *text)
{
    uint64_t folded = atomic_load(&recorder->names_folded);

    for (int kind = 0; kind < NAME_KIND_COUNT; kind++) {
        uint32_t id = names_intern(recorder, text, NULL, (enum name_kind)kind, VALUE_INTEGER);

        cr_expect_str_eq(text_of(id), "(other)");
        cr_expect_eq(recorder_name(recorder, id)->kind, kind);
    }

    uint32_t id = names_intern(recorder, text, NULL, NAME_GAUGE, VALUE_DOUBLE);

    cr_expect_str_eq(text_of(id), "(other)");
    cr_expect_eq(recorder_name(recorder, id)->value, VALUE_DOUBLE);
    cr_expect_eq(atomic_load(&recorder->names_folded), folded + NAME_KIND_COUNT + 1);
}

Test(name_table, more_names_than_it_holds_become_other)
{
    char text[32];
    uint32_t first = operation_name("first");

    for (uint32_t i = 0; i < RECORDER_MAX_NAMES; i++) {
        (void)sprintf(text, "name %u", i);
        (void)operation_name(text);
    }
    cr_assert_eq(atomic_load(&recorder->name_count), RECORDER_MAX_NAMES - 1);
    cr_assert_gt(atomic_load(&recorder->names_folded), 1);
    check_folded("a new one");
    cr_assert_eq(operation_name("first"), first, "those that are there are still found");
}

Test(name_table, more_text_than_it_holds_becomes_other)
{
    char text[256];

    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    for (uint32_t i = 0; i <= RECORDER_NAME_TEXT_BYTES / 255; i++) {
        (void)sprintf(text, "%08u", i);
        text[8] = 'x';
        (void)operation_name(text);
    }
    cr_assert_lt(atomic_load(&recorder->name_count), RECORDER_MAX_NAMES - 1);
    memset(text, 'y', sizeof(text) - 1);
    check_folded(text);
}

Test(name_table, queues)
{
    char text[32];
    uint32_t inbox = names_intern_queue(recorder, "inbox", 8);

    cr_assert_eq(inbox, 1);
    cr_assert_eq(names_intern_queue(recorder, "inbox", 9), inbox);
    cr_assert_str_eq(text_of(recorder_queue(recorder, 0)->name), "inbox");
    cr_assert_eq(recorder_name(recorder, recorder_queue(recorder, 0)->name)->queue_capacity, 8);
    for (uint32_t i = 1; i < RECORDER_MAX_QUEUES - 1; i++) {
        (void)sprintf(text, "queue %u", i);
        cr_assert_eq(names_intern_queue(recorder, text, 1), i + 1);
    }
    cr_assert_eq(atomic_load(&recorder->names_folded), 0);
    for (int i = 0; i < 3; i++) {
        (void)sprintf(text, "one too many: %d", i);
        cr_assert_eq(names_intern_queue(recorder, text, 1), RECORDER_MAX_QUEUES);
    }
    cr_assert_eq(atomic_load(&recorder->names_folded), 3);
    cr_assert_str_eq(text_of(recorder_queue(recorder, RECORDER_MAX_QUEUES - 1)->name), "(other)");
    cr_assert_eq(names_intern_queue(recorder, "inbox", 1), inbox);
}

Test(name_table, attributes_that_are_kept_back_have_no_name)
{
    struct settings settings = plain_settings("/x");
    uint32_t before = atomic_load(&recorder->name_count);

    settings.attributes_off = true;
    cr_assert_eq(names_intern_attribute(recorder, &settings, "key"), NAME_ID_DENIED);
    cr_assert_eq(names_intern_attribute(recorder, &settings, NULL), NAME_ID_DENIED);
    cr_assert_eq(atomic_load(&recorder->name_count), before);
    settings.attributes_off = false;
    cr_assert_str_eq(text_of(names_intern_attribute(recorder, &settings, "key")), "key");
}

static void *intern_many(void *argument)
{
    uint32_t *ids = argument;
    char text[32];

    for (uint32_t i = 0; i < 1000; i++) {
        (void)sprintf(text, "name %u", i);
        ids[i] = operation_name(text);
    }
    return NULL;
}

Test(name_table, threads_agree)
{
    enum { THREADS = 3 };
    static uint32_t ids[THREADS][1000];
    pthread_t threads[THREADS];

    for (int i = 0; i < THREADS; i++) {
        cr_assert_eq(pthread_create(&threads[i], NULL, intern_many, ids[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        (void)pthread_join(threads[i], NULL);
        cr_assert_arr_eq(ids[i], ids[0], sizeof(ids[0]));
    }
}
