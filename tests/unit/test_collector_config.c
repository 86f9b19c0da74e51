#include "collector_config.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct collector_config config;
static char error[CONFIG_ERROR_MAX_BYTES];

static void set_up(void)
{
    (void)unsetenv("EDDY_SOCKET");
    (void)unsetenv("XDG_RUNTIME_DIR");
    config_init(&config);
}

TestSuite(collector_config, .init = set_up);

static int read_text(const char *text)
{
    return config_read_text(&config, "FILE", text, strlen(text), error);
}

Test(collector_config, defaults_are_within_their_own_limits)
{
    cr_expect_eq(config_check(&config, error), 0, "%s", error);
    cr_expect_str_eq(config.socket_path, "/run/eddy/collector.sock");
    cr_expect_str_eq(config.output_path, CONFIG_DEFAULT_OUTPUT);
    cr_expect_eq(config.socket_mode, 0660);
    cr_expect_eq(config.part.rotate_bytes, 256 * MIB);
    cr_expect_lt(config.part.rotate_plain_bytes, GIB);
    cr_expect_eq(config.part.rotate_age_ns, 3600 * NS_PER_S);
    cr_expect_eq(config.part.sync_interval_ns, NS_PER_S);
    cr_expect_eq(config.part.sync_bytes, 8 * MIB);
    cr_expect(config.sample_machine);
}

Test(collector_config, the_socket_comes_from_the_environment)
{
    (void)setenv("XDG_RUNTIME_DIR", "/run/user/7", 1);
    config_init(&config);
    cr_expect_str_eq(config.socket_path, "/run/user/7/eddy.sock");
    (void)setenv("EDDY_SOCKET", "/tmp/mine.sock", 1);
    config_init(&config);
    cr_expect_str_eq(config.socket_path, "/tmp/mine.sock");
    (void)setenv("EDDY_SOCKET", "", 1);
    (void)setenv("XDG_RUNTIME_DIR", "relative", 1);
    config_init(&config);
    cr_expect_str_eq(config.socket_path, "/run/eddy/collector.sock");
    char little[8];
    cr_expect_eq(config_default_socket(little, sizeof(little)), -ENAMETOOLONG);
}

Test(collector_config, every_key_is_read)
{
    cr_assert_eq(read_text("; a comment\n# another\n\n"
                           "[Socket]\nPath=/a b/c.sock\nGroup=eddy\nMode=0600\nMaxConnections=7\n"
                           "MaxConnectionsPerUser = 3\nHelloTimeout=2s\n"
                           "[Output]\nPath=/out\nQueueSize=32M\nSyncInterval=100ms\nSyncSize=1M\n"
                           "[Rotate]\nSize=1M\nPlainSize=2M\nAge=1min\n"
                           "[Keep]\nTotalSize=5M\nFreeSpace=unlimited\nAge=1d\n"
                           "[Machine]\nSample=no\nPeriod=10s\n"),
                 0, "%s", error);
    cr_expect_str_eq(config.socket_path, "/a b/c.sock");
    cr_expect_str_eq(config.socket_group, "eddy");
    cr_expect_eq(config.socket_mode, 0600);
    cr_expect_eq(config.max_connections, 7);
    cr_expect_eq(config.max_connections_per_user, 3);
    cr_expect_eq(config.hello_timeout_ns, 2 * NS_PER_S);
    cr_expect_str_eq(config.output_path, "/out");
    cr_expect_eq(config.queue_bytes, 32 * MIB);
    cr_expect_eq(config.part.sync_interval_ns, 100 * NS_PER_MS);
    cr_expect_eq(config.part.sync_bytes, MIB);
    cr_expect_eq(config.part.rotate_bytes, MIB);
    cr_expect_eq(config.part.rotate_plain_bytes, 2 * MIB);
    cr_expect_eq(config.part.rotate_age_ns, 60 * NS_PER_S);
    cr_expect_eq(config.folder.max_total_bytes, 5 * MIB);
    cr_expect_eq(config.folder.keep_free_bytes, 0);
    cr_expect_eq(config.folder.max_age_ns, 86400 * NS_PER_S);
    cr_expect_not(config.sample_machine);
    cr_expect_eq(config.sample_period_ns, 10 * NS_PER_S);
}

struct error_case {
    const char *text;
    const char *message;
};

Test(collector_config, errors_have_a_line)
{
    static const struct error_case cases[] = {
        {"[Rotate]\nSize=lots\n", "FILE:2: 'Size' must be a size"},
        {"[Rotate]\nSize=unlimited\n", "FILE:2: 'Size' is out of range"},
        {"[Rotate]\nPlainSize=1G\n", "FILE:2: 'PlainSize' is out of range"},
        {"[Rotate]\nAge=soon\n", "FILE:2: 'Age' must be a time"},
        {"\n\n[Keep]\nTotal=1G\n", "FILE:4: unknown key 'Total' in section [Keep]"},
        {"[keep]\nTotalSize=1G\n", "FILE:2: unknown key 'TotalSize' in section [keep]"},
        {"Size=1G\n", "FILE:1: unknown key 'Size' in section []"},
        {"[Output]\nPath=out\n", "FILE:2: 'Path' must be an absolute path"},
        {"[Output]\nPath=/a\nPath=/b\n", "FILE:3: 'Path' is given twice"},
        {"[Output]\nPath=/a\n  /b\n", "FILE:3: 'Path' is given twice (or continued"},
        {"[Socket]\nMode=rw\n", "FILE:2: 'Mode' must be a file mode"},
        {"[Socket]\nMaxConnections=many\n", "FILE:2: 'MaxConnections' must be a number"},
        {"[Machine]\nSample=2\n", "FILE:2: 'Sample' must be yes or no"},
        {"[Machine\nSample=no\n", "FILE:1: not a section"},
        {"[Machine]\nnonsense\n", "FILE:2: not a section"},
        {"[Machine]\nSample=2\nnonsense\n", "FILE:2: 'Sample' must be"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        config_init(&config);
        cr_expect_eq(read_text(cases[i].text), -EINVAL, "%s", cases[i].text);
        cr_expect_eq(strncmp(error, cases[i].message, strlen(cases[i].message)), 0, "%s", error);
    }
}

Test(collector_config, lines_and_values_have_a_length)
{
    char text[8192] = "[Output]\nPath=/";

    memset(text + strlen(text), 'x', CONFIG_PATH_MAX_BYTES);
    cr_expect_eq(read_text(text), -EINVAL);
    cr_expect_not_null(strstr(error, "FILE:2: "), "%s", error);
    cr_expect_eq(config_read_text(&config, "FILE", "[Out\0put]\n", 10, error), -EINVAL);
    cr_expect_not_null(strstr(error, "FILE:1: line contains a zero byte"), "%s", error);
    cr_expect_eq(config_read_text(&config, "FILE", "", 0, error), 0);
    /* The last line needs no end. */
    cr_expect_eq(read_text("[Rotate]\nSize=1M"), 0);
    cr_expect_eq(config.part.rotate_bytes, MIB);
}

Test(collector_config, files_that_cannot_be_read_are_told_with_their_name)
{
    cr_expect_eq(config_read_file(&config, "/nonexistent/conf", error), -ENOENT);
    cr_expect_str_eq(error,
                     "cannot read configuration '/nonexistent/conf': No such file or directory");
    cr_expect_eq(config_read_file(&config, "/tmp", error), -EISDIR);
    cr_expect_eq(config_read_file(&config, "/dev/zero", error), -E2BIG);
    cr_expect_eq(config_read_file(&config, "/dev/null", error), 0);
}

Test(collector_config, contradictions_are_errors)
{
    cr_assert_eq(read_text("[Rotate]\nSize=2M\n[Keep]\nTotalSize=1M\n"), 0);
    cr_expect_eq(config_check(&config, error), -EINVAL);
    cr_assert_eq(read_text("[Keep]\nTotalSize=unlimited\n"), 0);
    cr_expect_eq(config_check(&config, error), 0);
}

struct printed {
    char text[16 << 10];
    size_t size;
};

static void add_line(void *context, const char *line)
{
    struct printed *printed = context;

    printed->size += (size_t)snprintf(printed->text + printed->size,
                                      sizeof(printed->text) - printed->size, "%s\n", line);
}

Test(collector_config, what_is_printed_reads_as_the_same)
{
    static struct printed first;
    static struct printed second;
    struct collector_config read_again;

    cr_assert_eq(read_text("[Rotate]\nSize=70001\nAge=90min\n[Keep]\nAge=unlimited\n"
                           "[Output]\nSyncInterval=1500ms\n[Socket]\nMaxConnections=9\n"),
                 0);
    config_print(&config, add_line, &first);
    config_init(&read_again);
    cr_assert_eq(config_read_text(&read_again, "FILE", first.text, first.size, error), 0, "%s",
                 error);
    config_print(&read_again, add_line, &second);
    cr_expect_str_eq(first.text, second.text);
    cr_expect_eq(read_again.part.rotate_bytes, 70001);
    cr_expect_eq(read_again.part.rotate_age_ns, 90 * 60 * NS_PER_S);
    cr_expect_eq(read_again.part.sync_interval_ns, 1500 * NS_PER_MS);
    cr_expect_eq(read_again.folder.max_age_ns, 0);
}
