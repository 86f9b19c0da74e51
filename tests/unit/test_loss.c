#include "loss.h"

#include <criterion/criterion.h>
#include <string.h>

static const enum loss_cause causes[] = {
    LOSS_UNKNOWN,      LOSS_RING_FULL,      LOSS_NO_SLOT,        LOSS_NO_RING,      LOSS_REENTRY,
    LOSS_OUT_OF_RANGE, LOSS_OUTBOX_FULL,    LOSS_AFTER_SHUTDOWN, LOSS_WRITE_FAILED, LOSS_DISK_LIMIT,
    LOSS_QUOTA,        LOSS_COLLECTOR_BUSY, LOSS_RECORDER_LOST,
};

enum { CAUSES = sizeof(causes) / sizeof(causes[0]) };

Test(loss, every_cause_has_a_name_and_advice_of_its_own)
{
    for (int i = 0; i < CAUSES; i++) {
        cr_assert_gt(strlen(loss_cause_name(causes[i])), 0);
        cr_assert_gt(strlen(loss_cause_advice(causes[i])), 0);
        for (int j = 0; j < i; j++) {
            cr_assert_str_neq(loss_cause_name(causes[i]), loss_cause_name(causes[j]));
            cr_assert_str_neq(loss_cause_advice(causes[i]), loss_cause_advice(causes[j]));
        }
    }
    cr_assert_str_eq(loss_cause_name(LOSS_RING_FULL), "ring_full");
}

Test(loss, numbers_that_are_no_cause_are_unknown)
{
    static const int numbers[] = {-1, 8, 15, LOSS_CAUSE_COUNT, 1000};

    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        cr_assert_str_eq(loss_cause_name((enum loss_cause)numbers[i]), "unknown");
        cr_assert_str_eq(loss_cause_advice((enum loss_cause)numbers[i]),
                         loss_cause_advice(LOSS_UNKNOWN));
    }
}

Test(loss, totals_sum_over_all_causes)
{
    struct totals totals = {0};
    struct record_counts sum = totals_lost(&totals);

    cr_assert(record_counts_are_zero(&sum));
    totals.lost[0] = (struct record_counts){1, 2, 3, 4};
    totals.lost[LOSS_CAUSE_COUNT - 1] = (struct record_counts){10, 20, 30, 40};
    sum = totals_lost(&totals);
    cr_assert_eq(sum.operations, 11);
    cr_assert_eq(sum.samples, 22);
    cr_assert_eq(sum.marks, 33);
    cr_assert_eq(sum.long_runs, 44);
    cr_assert_eq(record_counts_sum(&sum), 110);
    cr_assert_not(record_counts_are_zero(&sum));
}
