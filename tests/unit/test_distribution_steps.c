#include "distribution_steps.h"

#include "test_values.h"

#include <criterion/criterion.h>

enum { COUNT = 9000 };

/* The values that steps stand for are those of the distribution, bucket by bucket. */
static void check(const struct distribution_steps *steps, const uint64_t *values, size_t count)
{
    uint64_t total = 0;

    for (size_t i = 0; i < steps->count; i++) {
        const struct distribution_step *step = &steps->steps[i];
        uint64_t inside = 0;

        cr_assert(i == 0 || step[-1].low + step[-1].width <= step->low);
        for (size_t k = 0; steps->count < 100 && k < count; k++) {
            inside += values[k] >= step->low && values[k] - step->low < step->width;
        }
        cr_assert(steps->count >= 100 || inside == step->count);
        cr_assert_gt(step->count, 0);
        total += step->count;
    }
    cr_assert_eq(total, count);
}

Test(distribution_steps, list_every_value_once)
{
    static uint64_t values[COUNT];
    static const size_t counts[] = {0, 1, 30, 4096, COUNT};

    for (size_t i = 0; i < SHAPE_COUNT * ARRAY_SIZE(counts); i++) {
        size_t count = counts[i / SHAPE_COUNT];
        struct distribution distribution = {0};
        struct distribution_steps exact;
        struct distribution_steps buckets;

        test_values((enum value_shape)(i % SHAPE_COUNT), 4, values, count);
        cr_assert_eq(distribution_add(&distribution, values, count), 0);
        cr_assert_eq(distribution_steps_make(&exact, &distribution, false), 0);
        cr_assert_eq(distribution_steps_make(&buckets, &distribution, true), 0);
        check(&exact, values, count);
        check(&buckets, values, count);
        cr_assert_leq(buckets.count, exact.count);
        distribution_steps_release(&exact);
        distribution_steps_release(&buckets);
        distribution_release(&distribution);
    }
}

Test(distribution_steps, buckets_of_few_values_are_those_of_many)
{
    static uint64_t values[COUNT];
    struct distribution few = {0};
    struct distribution many = {0};
    struct distribution_steps of_few;
    struct distribution_steps of_many;

    test_values(SHAPE_LOG_UNIFORM, 8, values, COUNT);
    cr_assert_eq(distribution_add(&few, values, 1000), 0);
    cr_assert_eq(distribution_add(&many, values, COUNT), 0);
    cr_assert_eq(distribution_steps_make(&of_few, &few, true), 0);
    cr_assert_eq(distribution_steps_make(&of_many, &many, false), 0);
    for (size_t i = 0, at = 0; i < of_few.count; i++) {
        while (of_many.steps[at].low != of_few.steps[i].low) {
            cr_assert_lt(++at, of_many.count);
        }
        cr_assert_eq(of_many.steps[at].width, of_few.steps[i].width);
        cr_assert_leq(of_few.steps[i].count, of_many.steps[at].count);
    }
    distribution_steps_release(&of_few);
    distribution_steps_release(&of_many);
    distribution_release(&few);
    distribution_release(&many);
}
