#include "walk_fixture.h"

#include <criterion/criterion.h>

struct trace_bytes bytes;
struct checked_walk walk;

struct slice all_of(const struct trace_bytes *file)
{
    return (struct slice){file->data, file->size};
}

void walk_all(void)
{
    checked_walk(all_of(&bytes), &walk);
}

uint64_t end_of_frame(size_t index)
{
    return bytes.offsets[index] + bytes.sizes[index];
}

bool has_step(enum step_kind kind, uint64_t offset)
{
    for (size_t i = 0; i < walk.count; i++) {
        if (walk.steps[i].kind == kind && walk.steps[i].offset == offset) {
            return true;
        }
    }
    return false;
}

void expect_steps(const struct step *steps, size_t count)
{
    cr_assert_eq(walk.count, count, "%zu steps instead of %zu", walk.count, count);
    for (size_t i = 0; i < count; i++) {
        cr_expect_eq(walk.steps[i].kind, steps[i].kind, "step %zu is %d", i, walk.steps[i].kind);
        cr_expect_eq(walk.steps[i].offset, steps[i].offset, "step %zu at %zu", i,
                     (size_t)walk.steps[i].offset);
        cr_expect_eq(walk.steps[i].size, steps[i].size, "step %zu of %zu", i,
                     (size_t)walk.steps[i].size);
    }
}

void expect_frames_only(void)
{
    cr_assert_eq(walk.count, bytes.frame_count, "%zu steps", walk.count);
    for (size_t i = 0; i < bytes.frame_count; i++) {
        cr_expect_eq(walk.steps[i].kind, STEP_GOOD);
        cr_expect_eq(walk.steps[i].offset, bytes.offsets[i]);
        cr_expect_eq(walk.steps[i].size, bytes.sizes[i]);
    }
}

void check_others(size_t damaged, size_t bit)
{
    for (size_t i = 0; i < bytes.frame_count; i++) {
        cr_assert(i == damaged || has_step(STEP_GOOD, bytes.offsets[i]),
                  "bit %zu in frame %zu hides frame %zu", bit, damaged, i);
    }
}
