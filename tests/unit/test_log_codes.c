#include "log_codes.h"

#include "test_values.h"

#include <criterion/criterion.h>

enum { COUNT = 3000 };

/* As the header says it, without bit tricks. */
static unsigned int code_by_definition(uint64_t value)
{
    unsigned int octave = 0;

    while (value >> octave >= 2 * LOG_CODES_PER_OCTAVE) {
        octave++;
    }
    return value < LOG_CODES_PER_OCTAVE
               ? (unsigned int)value
               : (octave + 1) * LOG_CODES_PER_OCTAVE + (unsigned int)(value >> octave) -
                     LOG_CODES_PER_OCTAVE;
}

Test(log_codes, follow_the_definition_for_all_sizes_and_counts)
{
    static uint64_t values[COUNT];
    static uint16_t codes[COUNT];

    for (int shape = 0; shape < SHAPE_COUNT; shape++) {
        test_values((enum value_shape)shape, 7, values, COUNT);
        for (size_t count = 0; count < COUNT; count = count < 40 ? count + 1 : count * 2) {
            codes[count] = 0xabcd;
            log_codes_of(codes, values, count);
            for (size_t i = 0; i < count; i++) {
                cr_assert_eq(codes[i], code_by_definition(values[i]), "%llu",
                             (unsigned long long)values[i]);
            }
            cr_assert_eq(codes[count], 0xabcd);
        }
    }
}

Test(log_codes, borders_of_octaves_have_no_gap)
{
    enum { BORDERS = 64 };
    uint64_t values[3 * BORDERS];
    uint16_t codes[3 * BORDERS];

    /* First all of them, then those of whole vectors below 2^52. */
    for (unsigned int bits = BORDERS; bits >= 48; bits -= 16) {
        size_t count = 0;

        for (unsigned int bit = 0; bit < bits; bit++) {
            values[count++] = (UINT64_C(1) << bit) - 1;
            values[count++] = UINT64_C(1) << bit;
            values[count++] = (UINT64_C(1) << bit) + 1;
        }
        log_codes_of(codes, values, count);
        for (size_t i = 0; i < count; i++) {
            cr_assert_eq(codes[i], code_by_definition(values[i]));
            cr_assert_eq(codes[i], log_code_of(values[i]));
        }
        for (size_t i = 3; i < count; i += 3) {
            cr_assert_eq(codes[i + 1], codes[i] + (values[i] != values[i + 1]));
        }
    }
    cr_assert_eq(log_code_of(UINT64_MAX), LOG_CODE_OCTAVES * LOG_CODES_PER_OCTAVE - 1);
}
