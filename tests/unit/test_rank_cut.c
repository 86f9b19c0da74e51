#include "rank_cut.h"

#include <criterion/criterion.h>

Test(rank_cut, takes_the_border_nearest_to_the_rank)
{
    static const struct {
        uint64_t counts[5];
        size_t count;
        double rank;
        size_t from;
        size_t cut;
    } cases[] = {
        {{0}, 0, .5, 0, 0},                 /* nothing */
        {{7}, 1, .5, 0, 1},                 /* one bucket: nothing to cut */
        {{1, 1}, 2, .5, 0, 1},              /* in the middle */
        {{10, 80, 10}, 3, .5, 0, 1},        /* .1 and .9 are as near: the lower one */
        {{10, 79, 11}, 3, .5, 0, 2},        /* .89 is nearer */
        {{10, 79, 11}, 3, .99, 0, 2},       /* there is always something above */
        {{50, 30, 10, 9, 1}, 5, .99, 0, 4}, /* exactly */
        {{50, 30, 10, 9, 1}, 5, .5, 2, 2},  /* not below from */
        {{50, 30, 10, 8, 1}, 5, .99, 0, 5}, /* 99 in all: less than one is expected above */
        {{UINT64_MAX / 2, 1}, 2, .9, 0, 1},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        cr_assert_eq(rank_cut(cases[i].counts, cases[i].count, cases[i].rank, cases[i].from),
                     cases[i].cut, "case %zu", i);
    }
}
