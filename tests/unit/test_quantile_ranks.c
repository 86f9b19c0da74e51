#include "quantile_ranks.h"

#include <criterion/criterion.h>
#include <math.h>

Test(quantile_ranks, refuse_where_less_than_one_value_lies_on_the_far_side)
{
    static const struct {
        uint64_t count;
        double p;
        enum report_reason reason;
    } cases[] = {
        {0, 0.5, REASON_NO_DATA},    {0, 0.99, REASON_NO_DATA},
        {1, 0.5, REASON_NONE},       {1, 0.25, REASON_TOO_FEW},
        {3, 0.75, REASON_TOO_FEW},   {4, 0.75, REASON_NONE},
        {4, 0.25, REASON_NONE},      {9, 0.1, REASON_TOO_FEW},
        {10, 0.1, REASON_NONE},      {10, 0.9, REASON_NONE},
        {19, 0.95, REASON_TOO_FEW},  {20, 0.95, REASON_NONE},
        {20, 0.05, REASON_NONE},     {99, 0.01, REASON_TOO_FEW},
        {100, 0.01, REASON_NONE},    {99, 0.99, REASON_TOO_FEW},
        {100, 0.99, REASON_NONE},    {999, 0.999, REASON_TOO_FEW},
        {1000, 0.999, REASON_NONE},  {9999, .9999, REASON_TOO_FEW},
        {10000, .9999, REASON_NONE}, {UINT64_MAX, .9999, REASON_NONE},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        cr_assert_eq(quantile_refusal(cases[i].count, cases[i].p), cases[i].reason, "n %zu, p %g",
                     (size_t)cases[i].count, cases[i].p);
    }
}

/* Ranks from sums of weights in decimal arithmetic of 50 digits. */
Test(quantile_ranks, intervals_are_those_of_the_binomial_distribution)
{
    static const struct {
        uint64_t count;
        double p;
        uint64_t low;
        uint64_t high;
    } cases[] = {
        {1, .5, 0, 2},
        {2, .5, 0, 3},
        {5, .5, 0, 6},
        {6, .5, 1, 6},
        {10, .1, 0, 4},
        {10, .5, 2, 9},
        {10, .9, 7, 11},
        {10, .95, 8, 11},
        {30, .1, 0, 8},
        {30, .5, 10, 21},
        {30, .9, 23, 31},
        {30, .95, 26, 31},
        {100, .01, 0, 4},
        {100, .05, 1, 11},
        {100, .5, 40, 61},
        {100, .99, 97, 101},
        {101, .01, 0, 4},
        {101, .05, 1, 11},
        {101, .5, 41, 61},
        {101, .99, 98, 102},
        {1000, .01, 4, 18},
        {1000, .25, 223, 278},
        {1000, .5, 469, 532},
        {1000, .95, 936, 964},
        {1000, .999, 997, 1001},
        {4097, .01, 29, 55},
        {4097, .25, 970, 1080},
        {4097, .5, 1986, 2112},
        {4097, .95, 3864, 3920},
        {4097, .999, 4089, 4097},
        {10000, .01, 81, 121},
        {10000, .05, 458, 544},
        {10000, .1, 942, 1060},
        {10000, .25, 2415, 2586},
        {10000, .5, 4902, 5099},
        {10000, .75, 7415, 7586},
        {10000, .9, 8941, 9059},
        {10000, .95, 9457, 9543},
        {10000, .99, 9880, 9920},
        {10000, .999, 9983, 9997},
        {10000, .9999, 9997, 10001},
        {1000000, .01, 9805, 10196},
        {1000000, .05, 49573, 50429},
        {1000000, .1, 99412, 100589},
        {1000000, .25, 249152, 250850},
        {1000000, .5, 499020, 500981},
        {1000000, .75, 749151, 750849},
        {1000000, .9, 899412, 900589},
        {1000000, .95, 949572, 950428},
        {1000000, .99, 989805, 990196},
        {1000000, .999, 998938, 999062},
        {1000000, .9999, 999880, 999920},
        {12345678, .01, 122772, 124143},
        {12345678, .05, 615783, 618786},
        {12345678, .1, 1232502, 1236635},
        {12345678, .25, 3083438, 3089403},
        {12345678, .5, 6169396, 6176283},
        {12345678, .75, 9256276, 9262241},
        {12345678, .9, 11109044, 11113177},
        {12345678, .95, 11726893, 11729896},
        {12345678, .99, 12221536, 12222907},
        {12345678, .999, 12333114, 12333551},
        {12345678, .9999, 12344374, 12344513},
        {100000000, .01, 998050, 1001952},
        {100000000, .05, 4995729, 5004273},
        {100000000, .1, 9994120, 10005881},
        {100000000, .25, 24991513, 25008488},
        {100000000, .5, 49990200, 50009801},
        {100000000, .75, 74991513, 75008488},
        {100000000, .9, 89994120, 90005881},
        {100000000, .95, 94995728, 95004272},
        {100000000, .99, 98998049, 99001951},
        {100000000, .999, 99899380, 99900620},
        {100000000, .9999, 99989804, 99990197},
        {1000000000, .5, 499969010, 500030991},
        {1000000000, .75, 749973162, 750026839},
        {10000000000, .99, 9899980498, 9900019502},
        {1000000000000, .9999, 999899980401, 999900019599},
        {20000000000, .01, 199972421, 200027581},
        {2500000000, .05, 124978642, 125021360},
        {12000000007, .99, 11879978644, 11880021370},
        {1500000000001, .9999, 1499849975997, 1499850024005},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        uint64_t low;
        uint64_t high;

        quantile_interval_ranks(cases[i].count, cases[i].p, &low, &high);
        cr_assert(low == cases[i].low && high == cases[i].high,
                  "n %zu, p %g: %zu to %zu, not %zu to %zu", (size_t)cases[i].count, cases[i].p,
                  (size_t)low, (size_t)high, (size_t)cases[i].low, (size_t)cases[i].high);
    }
}

/* 0, 1, 2, ..., and a value below them all that was never counted. */
static double rank_itself(const void *values, uint64_t rank)
{
    cr_assert_lt(rank, *(const uint64_t *)values);
    return (double)rank;
}

Test(quantile_ranks, interpolate_as_type_7_and_stay_within_least_and_greatest)
{
    uint64_t count = 101;
    struct ranked_values ranked = {count, 10, 90, &count, rank_itself};
    struct report_quantile quantile;

    cr_assert_eq(quantile_of_ranked(&ranked, 0.5), 50);
    cr_assert_float_eq(quantile_of_ranked(&ranked, 0.255), 25.5, 1e-12);
    cr_assert_eq(quantile_of_ranked(&ranked, 0.05), 10);
    cr_assert_eq(quantile_of_ranked(&ranked, 0.95), 90);
    cr_assert(isnan(quantile_of_ranked(&ranked, 0.999)));
    quantile_summarize(&ranked, 0.5, &quantile);
    cr_assert_eq(quantile.value, 50);
    cr_assert(quantile.low == 40 && quantile.high == 60);
    cr_assert_eq(quantile.reason, REASON_NONE);
    quantile_summarize(&ranked, 0.99, &quantile);
    cr_assert_eq(quantile.value, 90);
    cr_assert(isnan(quantile.high) && !isnan(quantile.low));
    cr_assert_eq(quantile.reason, REASON_BEYOND_DATA);
}
