#include "descriptor_plan.h"

#include <criterion/criterion.h>

Test(descriptor_plan, divides_no_more_than_there_is)
{
    for (uint64_t limit = 0; limit < 70000; limit = limit < 2000 ? limit + 1 : limit + 997) {
        struct descriptor_plan plan = descriptor_plan_make(limit);

        cr_assert_geq(plan.connections, 1);
        cr_assert_geq(plan.open_parts, 1);
        cr_assert_geq(plan.finished_parts, 1);
        if (limit >= 64) {
            cr_assert_leq(plan.connections * DESCRIPTORS_PER_CONNECTION + plan.open_parts +
                              plan.finished_parts + PRIVILEGED_CONNECTIONS,
                          limit);
        }
    }
}

Test(descriptor_plan, serves_as_many_programs_as_is_left)
{
    cr_expect_geq(descriptor_plan_make(1024).connections, 250);
    cr_expect_geq(descriptor_plan_make(65536).connections, 32000);
    cr_expect_eq(descriptor_plan_make(65536).open_parts, 512);
    cr_expect_geq(descriptor_plan_of_process().connections, 1);
}
