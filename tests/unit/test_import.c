/*
 * What import is made of beside CSV reading: the plan, names, hashes, dictionaries, and the files that it writes.
 */
#include "import_parts.h"
#include "import_plan.h"
#include "import_rows.h"
#include "packet_walk.h"
#include "trace_check.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

Test(import, names_a_process_after_its_file)
{
    static const struct {
        const char *path;
        const char *name;
    } cases[] = {
        {"ops_p0.csv", "p0"},
        {"/data/x/gauges_p0.csv", "p0"},
        {"operations_web.CSV", "web"},
        {"samples_web", "web"},
        {"web.csv", "web"},
        {"web", "web"},
        {"ops_.csv", "imported"},
        {".csv", "imported"},
        {"dir/", "imported"},
        {"a\nb.csv", "a?b"},
    };
    char name[IMPORT_PROCESS_BYTES];

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        import_process_name(name, cases[i].path);
        cr_expect_str_eq(name, cases[i].name, "%s", cases[i].path);
    }
}

Test(import, plan_gives_files_to_processes_as_they_come)
{
    struct import_plan plan = {0};

    cr_assert_eq(import_plan_operations(&plan, "ops_a.csv"), 0);
    cr_assert_eq(import_plan_samples(&plan, "gauges_a.csv"), 0);
    cr_assert_eq(import_plan_samples(&plan, "gauges_b.csv"), 0);
    cr_assert_eq(import_plan_operations(&plan, "ops_c.csv"), 0);
    cr_assert_eq(import_plan_process(&plan, "d"), 0);
    cr_assert_eq(import_plan_operations(&plan, "x.csv"), 0);
    cr_assert_eq(import_plan_operations(&plan, "e.csv"), 0);
    cr_expect_null(import_plan_find_empty(&plan));
    cr_assert_eq(import_plan_process(&plan, "f"), 0);
    cr_assert_eq(plan.count, 6);

    static const struct import_source expected[] = {
        {"a", "ops_a.csv", "gauges_a.csv"},
        {"b", NULL, "gauges_b.csv"},
        {"c", "ops_c.csv", NULL},
        {"d", "x.csv", NULL},
        {"e", "e.csv", NULL},
        {"f", NULL, NULL},
    };
    for (size_t i = 0; i < plan.count; i++) {
        cr_expect_str_eq(plan.sources[i].process, expected[i].process);
        cr_expect_eq(plan.sources[i].operations_path == NULL, expected[i].operations_path == NULL);
        cr_expect_eq(plan.sources[i].samples_path == NULL, expected[i].samples_path == NULL);
    }
    cr_expect_eq(import_plan_find_empty(&plan), &plan.sources[5]);
    import_plan_release(&plan);
}

Test(import, plan_has_limits)
{
    struct import_plan plan = {0};
    char name[IMPORT_PROCESS_BYTES + 1];

    memset(name, 'x', sizeof(name));
    name[IMPORT_PROCESS_BYTES] = '\0';
    cr_expect_eq(import_plan_process(&plan, name), -EINVAL);
    cr_expect_eq(import_plan_process(&plan, ""), -EINVAL);
    cr_expect_eq(import_plan_process(&plan, "\xff"), -EINVAL);
    for (size_t i = 0; i < IMPORT_MAX_SOURCES; i++) {
        cr_assert_eq(import_plan_operations(&plan, "a.csv"), 0);
    }
    cr_expect_eq(import_plan_operations(&plan, "a.csv"), -E2BIG);
    import_plan_release(&plan);
}

Test(import, hashes_as_published)
{
    static const struct {
        const char *text;
        uint64_t high;
        uint64_t low;
    } cases[] = {
        {"", 0x6c62272e07bb0142, 0x62b821756295c58d},
        {"a", 0xd228cb696f1a8caf, 0x78912b704e4a8964},
        {"foobar", 0x343e1662793c64bf, 0x6f0d3597ba446f18},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct content_hash hash = content_hash_start();

        content_hash_add(&hash, cases[i].text, strlen(cases[i].text));
        cr_expect_eq(hash.high, cases[i].high, "'%s'", cases[i].text);
        cr_expect_eq(hash.low, cases[i].low, "'%s'", cases[i].text);
    }
}

Test(import, dictionary_numbers_texts_in_their_order)
{
    struct csv_dictionary dictionary = {0};
    char text[16];
    uint32_t number;

    cr_expect_eq(csv_dictionary_find(&dictionary, "a", &number), -ESTALE);
    for (uint32_t i = 0; i < DICTIONARY_MAX_ENTRIES; i++) {
        (void)snprintf(text, sizeof(text), "name %u", i);
        cr_assert_eq(csv_dictionary_intern(&dictionary, text, &number), 0);
        cr_assert_eq(number, i);
    }
    cr_expect_eq(csv_dictionary_intern(&dictionary, "one more", &number), -E2BIG);
    cr_expect_eq(csv_dictionary_intern(&dictionary, "name 17", &number), 0);
    cr_expect_eq(number, 17);
    cr_expect_eq(csv_dictionary_find(&dictionary, "name 65534", &number), 0);
    cr_expect_eq(number, 65534);
    cr_expect_eq(csv_dictionary_find(&dictionary, "name 65535", &number), -ESTALE);
    csv_dictionary_release(&dictionary);
}

/* A folder and an operations file in memory, imported into it. */
struct fixture {
    char folder[32];
    int dir_fd;
    int csv_fd;
    char csv_path[32];
    struct import_source source;
    struct import_facts facts;
    uint8_t session[SESSION_ID_BYTES];
};

static void fixture_open(struct fixture *fixture, FILE **ret_csv)
{
    *fixture = (struct fixture){.folder = "/tmp/test_import.XXXXXX", .source = {.process = "p"}};
    cr_assert_not_null(mkdtemp(fixture->folder));
    fixture->dir_fd = open(fixture->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    fixture->csv_fd = memfd_create("csv", MFD_CLOEXEC);
    (void)snprintf(fixture->csv_path, sizeof(fixture->csv_path), "/proc/self/fd/%d",
                   fixture->csv_fd);
    fixture->source.operations_path = fixture->csv_path;
    *ret_csv = fdopen(dup(fixture->csv_fd), "w");
}

static void fixture_close(struct fixture *fixture, uint32_t file_count)
{
    import_parts_remove(fixture->dir_fd, "p", fixture->session, file_count);
    import_facts_release(&fixture->facts);
    (void)close(fixture->dir_fd);
    (void)close(fixture->csv_fd);
    cr_expect_eq(rmdir(fixture->folder), 0, "nothing is left behind");
}

/* Writes the files; a part takes little. Returns their number, or what import_rows() said. */
static int write_parts(struct fixture *fixture, uint64_t plain_limit_bytes)
{
    const uint64_t times_ns[2] = {fixture->facts.first_ns, fixture->facts.last_ns};
    struct import_parts parts;

    content_hash_write(&fixture->facts.hash, fixture->session);
    cr_assert_eq(import_parts_open(&parts, fixture->dir_fd, "p", fixture->session, times_ns), 0);
    parts.plain_limit_bytes = plain_limit_bytes;

    int r = import_rows(&fixture->source, &fixture->facts, &parts);

    r = r < 0 ? r : import_parts_close(&parts);
    r = r < 0 ? r : (int)parts.file_count;
    import_parts_release(&parts);
    return r;
}

static void check_part(const struct fixture *fixture, uint32_t part, struct trace_check *ret_check)
{
    char name[TRACE_NAME_MAX_BYTES];
    char path[sizeof(fixture->folder) + TRACE_NAME_MAX_BYTES + 1];

    trace_file_name(name, "p", 0, fixture->session, part);
    (void)snprintf(path, sizeof(path), "%s/%s", fixture->folder, name);
    cr_assert_eq(trace_check_file(path, ret_check), 0);
    cr_expect_eq(ret_check->verdict, CHECK_GOOD, "part %u: %s", part, ret_check->problem);
}

Test(import, long_sessions_become_several_parts)
{
    enum { ROWS = 200000 };
    struct fixture fixture;
    struct import_problem problem;
    struct trace_check check;
    uint64_t rows = 0;
    FILE *csv;

    fixture_open(&fixture, &csv);
    (void)fputs("name,start_ns,duration_ns\n", csv);
    for (unsigned int i = 0; i < ROWS; i++) {
        (void)fprintf(csv, "a,%u,%u\n", ROWS - i, i);
    }
    (void)fclose(csv);
    cr_assert_eq(import_scan(&fixture.source, &fixture.facts, &problem), 0);
    cr_expect_eq(fixture.facts.operations, ROWS);
    cr_assert_eq(write_parts(&fixture, 0), 5, "an empty first part, and one for each batch");
    for (uint32_t part = 0; part < 5; part++) {
        check_part(&fixture, part, &check);
        rows += check.rows.operations;
    }
    cr_expect_eq(rows, ROWS);
    fixture_close(&fixture, 5);
}

Test(import, many_long_names_are_spread_over_batches)
{
    enum { ROWS = 65535 };
    struct fixture fixture;
    struct import_problem problem;
    struct trace_check check;
    char name[201];
    FILE *csv;

    fixture_open(&fixture, &csv);
    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    (void)fputs("name,start_ns,duration_ns,thread\n", csv);
    for (unsigned int i = 0; i < ROWS; i++) {
        (void)fprintf(csv, "%s%u,%u,1,thread number %u\n", name, i, i, i);
    }
    (void)fclose(csv);
    cr_assert_eq(import_scan(&fixture.source, &fixture.facts, &problem), 0, "%s", problem.text);
    cr_assert_eq(write_parts(&fixture, IMPORT_PART_PLAIN_BYTES), 1);
    check_part(&fixture, 0, &check);
    cr_expect_eq(check.rows.operations, ROWS);
    cr_expect_gt(check.batches, 4);
    fixture_close(&fixture, 1);
}

Test(import, too_many_names_are_refused_with_the_line)
{
    struct fixture fixture;
    struct import_problem problem;
    FILE *csv;

    fixture_open(&fixture, &csv);
    (void)fputs("name,start_ns,duration_ns\n", csv);
    for (unsigned int i = 0; i < 70000; i++) {
        (void)fprintf(csv, "n%u,1,1\n", i);
    }
    (void)fclose(csv);
    cr_expect_eq(import_scan(&fixture.source, &fixture.facts, &problem), -E2BIG);
    cr_expect_str_eq(problem.text,
                     "line 65537: more than 65535 different names or threads in one process");
    fixture_close(&fixture, 0);
}

Test(import, a_file_that_changes_between_the_passes_is_noticed)
{
    struct fixture fixture;
    struct import_problem problem;
    FILE *csv;

    fixture_open(&fixture, &csv);
    (void)fputs("name,start_ns,duration_ns\na,1,1\n", csv);
    (void)fflush(csv);
    cr_assert_eq(import_scan(&fixture.source, &fixture.facts, &problem), 0);
    (void)fputs("a,2,2\n", csv);
    (void)fclose(csv);
    cr_expect_eq(write_parts(&fixture, IMPORT_PART_PLAIN_BYTES), -ESTALE);
    fixture_close(&fixture, 1);
}

Test(import, never_replaces_a_file)
{
    struct fixture fixture;
    struct import_problem problem;
    struct import_parts parts;
    const uint64_t times_ns[2] = {1, 2};
    FILE *csv;

    fixture_open(&fixture, &csv);
    (void)fputs("name,start_ns,duration_ns\na,1,1\n", csv);
    (void)fclose(csv);
    cr_assert_eq(import_scan(&fixture.source, &fixture.facts, &problem), 0);
    cr_assert_eq(write_parts(&fixture, IMPORT_PART_PLAIN_BYTES), 1);
    cr_expect_eq(import_parts_open(&parts, fixture.dir_fd, "p", fixture.session, times_ns),
                 -EEXIST);
    cr_expect_eq(parts.file_count, 0, "what is not ours must not be removed");
    import_parts_release(&parts);
    fixture_close(&fixture, 1);
}
