#include "gauge_steps.h"

#include <criterion/criterion.h>

enum { FRAMES = 5 };

static bool only_frame_3_is_cut_off(const void *context, size_t frame)
{
    (void)context;
    return frame != 3;
}

/* Three frames' samples; frame 1 has none. */
static void add(struct gauge_steps *steps, const size_t *order)
{
    static const struct {
        uint64_t time_ns;
        uint64_t value;
    } samples[FRAMES][2] = {
        {{100, 1}, {150, 3}}, {{0, 0}, {0, 0}},       {{300, 0}, {310, 2}},
        {{400, 5}, {420, 1}}, {{500, 300}, {510, 0}},
    };

    for (size_t i = 0; i < FRAMES; i++) {
        size_t frame = order[i];

        for (size_t k = 0; frame != 1 && k < 2; k++) {
            gauge_steps_add(steps, frame, samples[frame][k].time_ns, samples[frame][k].value);
        }
    }
}

Test(gauge_steps, values_hold_until_the_next_sample_whatever_the_order_of_frames)
{
    static const size_t orders[][FRAMES] = {{0, 1, 2, 3, 4}, {4, 2, 0, 3, 1}};

    for (size_t i = 0; i < 2; i++) {
        struct gauge_steps steps;

        cr_assert_eq(gauge_steps_init(&steps, FRAMES), 0);
        add(&steps, orders[i]);
        gauge_steps_finish(&steps, NULL, NULL, 600);
        cr_assert_eq(steps.samples, 8);
        cr_assert_eq(steps.level_ns[1], 50 + 80);
        cr_assert_eq(steps.level_ns[3], 150, "from frame 0 to frame 2");
        cr_assert_eq(steps.level_ns[0], 10 + 90, "to the end");
        cr_assert_eq(steps.level_ns[2], 90);
        cr_assert_eq(steps.level_ns[5], 20);
        cr_assert_eq(steps.level_ns[GAUGE_LEVELS - 1], 10);
        gauge_steps_release(&steps);
    }
}

Test(gauge_steps, nothing_holds_across_what_is_missing)
{
    static const size_t order[FRAMES] = {3, 4, 1, 2, 0};
    struct gauge_steps steps;

    cr_assert_eq(gauge_steps_init(&steps, FRAMES), 0);
    add(&steps, order);
    gauge_steps_finish(&steps, only_frame_3_is_cut_off, NULL, 510);
    cr_assert_eq(steps.level_ns[2], 0);
    cr_assert_eq(steps.level_ns[3], 150);
    cr_assert_eq(steps.level_ns[0], 10);
    gauge_steps_release(&steps);
}

Test(gauge_steps, no_sample_says_nothing)
{
    struct gauge_steps steps;

    cr_assert_eq(gauge_steps_init(&steps, 0), 0);
    gauge_steps_finish(&steps, NULL, NULL, 1000);
    for (size_t i = 0; i < GAUGE_LEVELS; i++) {
        cr_assert_eq(steps.level_ns[i], 0);
    }
    gauge_steps_release(&steps);
}
