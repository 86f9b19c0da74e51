#include "settings.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>

/* A process of a set-user-id program gets neither variables nor a recorder. */
static unsigned long at_secure;

unsigned long __real_getauxval(unsigned long type);
unsigned long __wrap_getauxval(unsigned long type);
char *__wrap_secure_getenv(const char *name);

unsigned long __wrap_getauxval(unsigned long type)
{
    return type == AT_SECURE ? at_secure : __real_getauxval(type);
}

char *__wrap_secure_getenv(const char *name)
{
    return at_secure != 0 ? NULL : getenv(name);
}

static const char *const variables[] = {
    "EDDY_SOCKET",   "EDDY_DISABLE",    "EDDY_LABELS",    "EDDY_RING_KIB",
    "EDDY_SLOTS",    "EDDY_MEMORY_MIB", "EDDY_SAMPLE_MS", "EDDY_LONG_RUN_US",
    "EDDY_MALLINFO", "EDDY_ATTRIBUTES", "EDDY_DEBUG",     "XDG_RUNTIME_DIR",
};

static struct settings settings;

static void clear_environment(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(variables); i++) {
        (void)unsetenv(variables[i]);
    }
}

static void read_with(const char *name, const char *value)
{
    clear_environment();
    (void)setenv(name, value, 1);
    settings_read(&settings);
}

TestSuite(settings, .init = clear_environment);

Test(settings, defaults_without_any_variable)
{
    settings_read(&settings);
    cr_assert(!settings.disabled && !settings.debug && !settings.attributes_off);
    cr_assert_eq(settings.socket_path_count, 1);
    cr_assert_str_eq(settings.socket_paths[0], "/run/eddy/collector.sock");
    cr_assert_eq(settings.sizes.memory_bytes, 64 * MIB);
    cr_assert_eq(settings.sizes.ring_bytes, 2 * MIB);
    cr_assert_eq(settings.sizes.slot_count, 65536);
    cr_assert_eq(settings.sample_period_ns, 100 * NS_PER_MS);
    cr_assert_eq(settings.long_run_ns, NS_PER_MS);
    cr_assert(!settings.asks_malloc);
    cr_assert_eq(settings.label_count, 0);
    cr_assert_eq(settings.attribute_key_count, 0);
}

Test(settings, numbers_outside_their_limits_are_the_default)
{
    static const struct {
        const char *name;
        const char *value;
        uint64_t memory_mib;
        uint64_t ring_kib;
        uint64_t slots;
        uint64_t sample_ms;
    } cases[] = {
        {"EDDY_MEMORY_MIB", "8", 8, 2048, 1024, 100},
        {"EDDY_MEMORY_MIB", "7", 64, 2048, 65536, 100},
        {"EDDY_MEMORY_MIB", "65536", 65536, 2048, 65536, 100},
        {"EDDY_MEMORY_MIB", "65537", 64, 2048, 65536, 100},
        {"EDDY_MEMORY_MIB", "-8", 64, 2048, 65536, 100},
        {"EDDY_MEMORY_MIB", " 8", 64, 2048, 65536, 100},
        {"EDDY_MEMORY_MIB", "8 ", 64, 2048, 65536, 100},
        {"EDDY_MEMORY_MIB", "0x10", 64, 2048, 65536, 100},
        {"EDDY_MEMORY_MIB", "18446744073709551624", 64, 2048, 65536, 100}, /* 2^64 + 8 */
        {"EDDY_MEMORY_MIB", "", 64, 2048, 65536, 100},
        {"EDDY_RING_KIB", "16", 64, 16, 65536, 100},
        {"EDDY_RING_KIB", "15", 64, 2048, 65536, 100},
        {"EDDY_RING_KIB", "17", 64, 32, 65536, 100},
        {"EDDY_RING_KIB", "65536", 64, 65536, 65536, 100},
        {"EDDY_RING_KIB", "65537", 64, 2048, 65536, 100},
        {"EDDY_SLOTS", "1024", 64, 2048, 1024, 100},
        {"EDDY_SLOTS", "1023", 64, 2048, 65536, 100},
        {"EDDY_SLOTS", "1025", 64, 2048, 2048, 100},
        {"EDDY_SLOTS", "4194304", 64, 2048, 65536, 100}, /* as many as fit */
        {"EDDY_SLOTS", "many", 64, 2048, 65536, 100},
        {"EDDY_SAMPLE_MS", "0", 64, 2048, 65536, 0},
        {"EDDY_SAMPLE_MS", "9", 64, 2048, 65536, 100},
        {"EDDY_SAMPLE_MS", "10", 64, 2048, 65536, 10},
        {"EDDY_SAMPLE_MS", "60000", 64, 2048, 65536, 60000},
        {"EDDY_SAMPLE_MS", "60001", 64, 2048, 65536, 100},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        read_with(cases[i].name, cases[i].value);
        cr_expect_eq(settings.sizes.memory_bytes, cases[i].memory_mib * MIB, "case %zu", i);
        cr_expect_eq(settings.sizes.ring_bytes, cases[i].ring_kib * KIB, "case %zu", i);
        cr_expect_eq(settings.sizes.slot_count, cases[i].slots, "case %zu", i);
        cr_expect_eq(settings.sample_period_ns, cases[i].sample_ms * NS_PER_MS, "case %zu", i);
    }
}

Test(settings, long_runs_are_as_long_as_was_said)
{
    static const struct {
        const char *value;
        uint64_t us;
    } cases[] = {{"0", 0}, {"1", 1}, {"1000000000", 1000000000}, {"1000000001", 1000}, {"x", 1000}};

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        read_with("EDDY_LONG_RUN_US", cases[i].value);
        cr_expect_eq(settings.long_run_ns, cases[i].us * NS_PER_US, "case %zu", i);
    }
}

Test(settings, every_size_that_is_accepted_makes_a_recorder)
{
    static const char *const cases[][3] = {
        {"8", "16", "1024"}, {"8", "65536", "4194304"}, {"64", "1024", "65536"}, {"9", "17", "9"}};

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct recorder *recorder = NULL;
        int fd = -1;

        (void)setenv("EDDY_MEMORY_MIB", cases[i][0], 1);
        (void)setenv("EDDY_RING_KIB", cases[i][1], 1);
        (void)setenv("EDDY_SLOTS", cases[i][2], 1);
        settings_read(&settings);
        cr_assert_eq(recorder_new(&recorder, &fd, &settings.sizes, 1), 0, "case %zu", i);
        cr_assert_eq(recorder->size_bytes, settings.sizes.memory_bytes);
        recorder_free(recorder);
        (void)close(fd);
    }
}

Test(settings, yes_and_no)
{
    static const struct {
        const char *value;
        bool is_true;
    } cases[] = {{"1", true},  {"yes", true}, {"on", true},     {"true", true}, {"", false},
                 {"0", false}, {"no", false}, {"false", false}, {"off", false}};

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        read_with("EDDY_DISABLE", cases[i].value);
        cr_expect_eq(settings.disabled, cases[i].is_true, "%s", cases[i].value);
        read_with("EDDY_DEBUG", cases[i].value);
        cr_expect_eq(settings.debug, cases[i].is_true, "%s", cases[i].value);
    }
}

Test(settings, the_socket_is_looked_for_where_it_was_said)
{
    char path[2 * SETTINGS_PATH_BYTES] = "/";

    read_with("XDG_RUNTIME_DIR", "/run/user/7");
    cr_assert_eq(settings.socket_path_count, 2);
    cr_assert_str_eq(settings.socket_paths[0], "/run/user/7/eddy.sock");
    cr_assert_str_eq(settings.socket_paths[1], "/run/eddy/collector.sock");

    (void)setenv("EDDY_SOCKET", "/tmp/x y.sock", 1);
    settings_read(&settings);
    cr_assert_eq(settings.socket_path_count, 1);
    cr_assert_str_eq(settings.socket_paths[0], "/tmp/x y.sock");

    memset(path, 'x', SETTINGS_PATH_BYTES - 1);
    path[SETTINGS_PATH_BYTES - 1] = '\0';
    read_with("EDDY_SOCKET", path); /* the longest there can be */
    cr_assert_eq(settings.socket_path_count, 1);
    cr_assert_str_eq(settings.socket_paths[0], path);
    (void)strcat(path, "x");
    read_with("EDDY_SOCKET", path);
    cr_assert_eq(settings.socket_path_count, 0);
    read_with("XDG_RUNTIME_DIR", path); /* then the system's is the only one */
    cr_assert_eq(settings.socket_path_count, 1);
    cr_assert_str_eq(settings.socket_paths[0], "/run/eddy/collector.sock");
}

Test(settings, labels_are_what_can_be_read_of_the_list)
{
    static const struct {
        const char *list;
        size_t count;
        const char *key; /* of the last one */
        const char *value;
    } cases[] = {
        {"", 0, NULL, NULL},
        {"run=canary", 1, "run", "canary"},
        {"run=canary,version=1.2", 2, "version", "1.2"},
        {"a=b=c", 1, "a", "b=c"},
        {"a=", 1, "a", ""},
        {",,a=b,,", 1, "a", "b"},
        {"=b", 0, NULL, NULL},
        {"a", 0, NULL, NULL},
        {"a,b=c", 1, "b", "c"},
        {"k=\xff\x01z", 1, "k", "??z"},
        {"\xc3\xa4=\xe2\x82\xac", 1, "\xc3\xa4", "\xe2\x82\xac"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        read_with("EDDY_LABELS", cases[i].list);
        cr_assert_eq(settings.label_count, cases[i].count, "case %zu", i);
        if (cases[i].count > 0) {
            const struct label *last = &settings.labels[cases[i].count - 1];

            cr_expect_str_eq(last->key, cases[i].key, "case %zu", i);
            cr_expect_str_eq(last->value, cases[i].value, "case %zu", i);
        }
    }
}

Test(settings, lists_have_limits)
{
    static char list[64 << 10];
    char *end = list;

    for (int i = 0; i < SOURCE_MAX_LABELS + 8; i++) {
        end += sprintf(end, "k%d=v%d,", i, i);
    }
    read_with("EDDY_LABELS", list);
    cr_assert_eq(settings.label_count, SOURCE_MAX_LABELS);
    cr_assert_str_eq(settings.labels[SOURCE_MAX_LABELS - 1].key, "k31");

    /* One of 300 bytes is cut; of many the room for texts runs out, and what is left out is left out whole. */
    memset(list, 'x', 300);
    strcpy(list + 300, "=y");
    read_with("EDDY_LABELS", list);
    cr_assert_eq(settings.label_count, 1);
    cr_assert_eq(strlen(settings.labels[0].key), NAME_MAX_BYTES);
    end = list;
    for (int i = 0; i < 32; i++) {
        end += sprintf(end, "k%d=%0250d,", i, i);
    }
    read_with("EDDY_LABELS", list);
    cr_assert_gt(settings.label_count, 10);
    cr_assert_lt(settings.label_count, 17);
    for (size_t i = 0; i < settings.label_count; i++) {
        cr_assert_eq(strlen(settings.labels[i].value), 250);
    }
}

Test(settings, attributes_leave_as_far_as_the_list_says)
{
    static const struct {
        const char *list; /* NULL: unset */
        bool tenant;
        bool size;
    } cases[] = {
        {NULL, true, true},          {"", true, true},
        {"off", false, false},       {"tenant", true, false},
        {"size,tenant", true, true}, {"ten", false, false},
        {"tenants", false, false},   {",", false, false},
        {"off,size", false, true},   {"tenant,,", true, false},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        clear_environment();
        if (cases[i].list != NULL) {
            (void)setenv("EDDY_ATTRIBUTES", cases[i].list, 1);
        }
        settings_read(&settings);
        cr_expect_eq(settings_allow_attribute(&settings, "tenant", 6), cases[i].tenant, "%zu", i);
        cr_expect_eq(settings_allow_attribute(&settings, "size", 4), cases[i].size, "%zu", i);
        cr_expect_eq(settings_allow_attribute(&settings, "", 0),
                     cases[i].list == NULL || cases[i].list[0] == '\0', "%zu", i);
    }
}

Test(settings, keys_beyond_the_limit_stay_in_the_process)
{
    static char list[4096];
    char *end = list;

    for (int i = 0; i < SETTINGS_MAX_KEYS + 1; i++) {
        end += sprintf(end, "key%d,", i);
    }
    read_with("EDDY_ATTRIBUTES", list);
    cr_assert_eq(settings.attribute_key_count, SETTINGS_MAX_KEYS);
    cr_assert(settings_allow_attribute(&settings, "key63", 5));
    cr_assert(!settings_allow_attribute(&settings, "key64", 5));
}

Test(settings, nothing_is_recorded_or_read_in_a_set_user_id_program)
{
    at_secure = 1;
    read_with("EDDY_SOCKET", "/tmp/mine.sock");
    (void)setenv("EDDY_DEBUG", "1", 1);
    settings_read(&settings);
    cr_assert(settings.disabled && !settings.debug);
    cr_assert_str_eq(settings.socket_paths[0], "/run/eddy/collector.sock");
}
