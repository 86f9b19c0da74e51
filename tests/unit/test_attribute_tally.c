#include "attribute_tally.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

enum { VALUES = 3 * ATTRIBUTE_VALUE_LIMIT };

static void add_number(struct attribute_tally *tally, uint32_t key, int number)
{
    char text[32];

    (void)snprintf(text, sizeof(text), "value %d", number);
    cr_assert_eq(attribute_tally_add(tally, key, text, (uint64_t)number % 3 + 1), 0);
}

static void release(struct report_attribute *attribute)
{
    for (size_t i = 0; i < attribute->value_count; i++) {
        free(attribute->values[i].text);
    }
    free(attribute->values);
}

Test(attribute_tally, few_values_are_all_listed_by_count)
{
    struct attribute_tally tally = {0};
    struct report_attribute attribute = {0};

    cr_assert_eq(attribute_tally_add(&tally, 7, "red", 1), 0);
    cr_assert_eq(attribute_tally_add(&tally, 2, "other key", 1), 0);
    cr_assert_eq(attribute_tally_add(&tally, 7, "blue", 4), 0);
    cr_assert_eq(attribute_tally_add(&tally, 7, "red", 2), 0);
    cr_assert_eq(tally.key_count, 2);
    cr_assert_eq(tally.keys[1].key, 7);
    cr_assert_eq(attribute_values_describe(&tally.keys[1], &attribute), 0);
    cr_assert_eq(attribute.count, 7);
    cr_assert_eq(attribute.other.count, 0);
    cr_assert_eq(attribute.value_count, 2);
    cr_assert_str_eq(attribute.values[0].text, "blue");
    cr_assert_eq(attribute.values[1].slice.count, 3);
    release(&attribute);
    attribute_tally_release(&tally);
}

/* Which values are kept, and how often they were counted, depends on neither order nor pieces. */
Test(attribute_tally, what_is_kept_of_many_values_does_not_depend_on_the_order)
{
    struct attribute_tally up = {0};
    struct attribute_tally down[2] = {0};
    struct report_attribute attribute = {0};
    uint64_t listed = 0;

    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < VALUES; i++) {
            add_number(&up, 1, i);
            add_number(&down[i % 2], 1, VALUES - 1 - i);
        }
    }
    cr_assert_eq(attribute_tally_merge(&down[0], &down[1]), 0);
    cr_assert_eq(up.keys[0].value_count, ATTRIBUTE_VALUE_LIMIT);
    cr_assert_eq(down[0].keys[0].value_count, ATTRIBUTE_VALUE_LIMIT);
    cr_assert_eq(down[0].keys[0].count, up.keys[0].count);
    for (size_t i = 0; i < ATTRIBUTE_VALUE_LIMIT; i++) {
        const struct attribute_value *value = &up.keys[0].values[i];

        cr_assert_str_eq(value->text, down[0].keys[0].values[i].text);
        cr_assert_eq(value->count, down[0].keys[0].values[i].count);
        cr_assert_eq(value->count, 2 * (strtoul(value->text + strlen("value "), NULL, 10) % 3 + 1));
    }
    cr_assert_eq(attribute_values_describe(&up.keys[0], &attribute), 0);
    cr_assert_eq(attribute.value_count, ATTRIBUTE_LISTED_VALUES);
    for (size_t i = 0; i < attribute.value_count; i++) {
        listed += attribute.values[i].slice.count;
    }
    cr_assert_eq(listed + attribute.other.count, attribute.count);
    release(&attribute);
    attribute_tally_release(&up);
    attribute_tally_release(&down[0]);
    attribute_tally_release(&down[1]);
}
