#include "text_format.h"

#include <criterion/criterion.h>
#include <math.h>

#define CHECK(call, expected)                                                                      \
    do {                                                                                           \
        char text[TEXT_BYTES];                                                                     \
        cr_expect_str_eq((call), (expected), "%s gives '%s'", #call, text);                        \
    } while (0)

Test(text_format, shows_durations_in_the_unit_that_fits)
{
    CHECK(text_duration(text, 0), "0 ns");
    CHECK(text_duration(text, 0.5), "0.50 ns");
    CHECK(text_duration(text, 999), "999 ns");
    CHECK(text_duration(text, 999.6), "1.00 µs");
    CHECK(text_duration(text, 1234), "1.23 µs");
    CHECK(text_duration(text, 12345678), "12.3 ms");
    CHECK(text_duration(text, 999999999), "1.00 s");
    CHECK(text_duration(text, 1e9), "1 s");
    CHECK(text_duration(text, 599e9), "599 s");
    CHECK(text_duration(text, 600e9), "10 min");
    CHECK(text_duration(text, 7200e9), "2 h");
    CHECK(text_duration(text, 2.5 * 86400e9), "2.50 d");
    CHECK(text_duration(text, -1234), "-1.23 µs");
    CHECK(text_duration(text, NAN), "-");
    CHECK(text_duration(text, INFINITY), "-");
}

Test(text_format, groups_counts_by_thousands)
{
    CHECK(text_count(text, 0), "0");
    CHECK(text_count(text, 999), "999");
    CHECK(text_count(text, 1000), "1,000");
    CHECK(text_count(text, 123456), "123,456");
    CHECK(text_count(text, UINT64_MAX), "18,446,744,073,709,551,615");
}

Test(text_format, shows_numbers_rates_and_bytes)
{
    CHECK(text_number(text, 0), "0");
    CHECK(text_number(text, 0.0123), "0.0123");
    CHECK(text_number(text, 1.5), "1.50");
    CHECK(text_number(text, 12), "12");
    CHECK(text_number(text, 1234567), "1.23 M");
    CHECK(text_number(text, -17.25), "-17.2");
    CHECK(text_rate(text, 20123), "20.1 k/s");
    CHECK(text_rate(text, NAN), "-");
    CHECK(text_bytes(text, 512), "512 B");
    CHECK(text_bytes(text, 1536), "1.50 KiB");
    CHECK(text_bytes(text, 256.0 * 1024 * 1024), "256 MiB");
}

Test(text_format, shows_hundred_per_cent_only_if_it_is)
{
    CHECK(text_share(text, 0), "0 %");
    CHECK(text_share(text, 1), "100 %");
    CHECK(text_share(text, 0.99999), "99.99 %");
    CHECK(text_share(text, 0.9997), "99.97 %");
    CHECK(text_share(text, 0.123), "12.3 %");
    CHECK(text_share(text, 0.00001), "<0.01 %");
    CHECK(text_share(text, NAN), "-");
}

Test(text_format, knows_ucum_units)
{
    CHECK(text_in_unit(text, 2048, "By"), "2 KiB");
    CHECK(text_in_unit(text, 1500, "us"), "1.50 ms");
    CHECK(text_in_unit(text, 0.25, "s"), "250 ms");
    CHECK(text_in_unit(text, 1, "{thread}"), "1 thread");
    CHECK(text_in_unit(text, 12, "{thread}"), "12 threads");
    CHECK(text_in_unit(text, 12, "{"), "12 ");
    CHECK(text_in_unit(text, 0.7, "1"), "0.70");
    CHECK(text_in_unit(text, 0.7, ""), "0.70");
    CHECK(text_in_unit(text, 3, "Cel"), "3 Cel");
    CHECK(text_in_unit(text, 3, "\x1b[31m"), "3 ?[31m");
    CHECK(text_in_unit(text, NAN, "By"), "-");
}

Test(text_format, shows_times_in_iso_8601)
{
    CHECK(text_time(text, 0), "1970-01-01T00:00:00.000000000Z");
    CHECK(text_time(text, 1764000000123456789ULL), "2025-11-24T16:00:00.123456789Z");
    CHECK(text_time(text, UINT64_MAX), "2554-07-21T23:34:33.709551615Z");
}
