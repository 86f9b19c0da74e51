#include "part_pool.h"

static void list_add(struct part_list *list, struct part *part)
{
    part->newer = NULL;
    part->older = list->newest;
    if (list->newest != NULL) {
        list->newest->newer = part;
    } else {
        list->oldest = part;
    }
    list->newest = part;
    list->count++;
}

static void list_remove(struct part_list *list, struct part *part)
{
    if (part->newer != NULL) {
        part->newer->older = part->older;
    } else {
        list->newest = part->older;
    }
    if (part->older != NULL) {
        part->older->newer = part->newer;
    } else {
        list->oldest = part->newer;
    }
    part->newer = NULL;
    part->older = NULL;
    list->count--;
}

static struct part_list *list_of(struct part_pool *pool, const struct part *part)
{
    return part->writer.fd >= 0 ? &pool->open : &pool->suspended;
}

void part_pool_add(struct part_pool *pool, struct part *part)
{
    list_add(list_of(pool, part), part);
}

void part_pool_remove(struct part_pool *pool, struct part *part)
{
    list_remove(list_of(pool, part), part);
}

int part_pool_use(struct part_pool *pool, struct part *part)
{
    int r = 0;

    list_remove(list_of(pool, part), part);
    if (part->writer.fd < 0) {
        r = trace_writer_resume(&part->writer);
    }
    list_add(list_of(pool, part), part);
    return r;
}

struct part *part_pool_surplus(const struct part_pool *pool)
{
    return pool->open.count > pool->most_open ? pool->open.oldest : NULL;
}

void part_pool_suspend(struct part_pool *pool, struct part *part)
{
    list_remove(&pool->open, part);
    trace_writer_suspend(&part->writer);
    list_add(&pool->suspended, part);
}

struct part *part_pool_any(const struct part_pool *pool)
{
    return pool->open.newest != NULL ? pool->open.newest : pool->suspended.newest;
}

static bool is_larger(const struct part *a, const struct part *b)
{
    return a->writer.size_bytes > b->writer.size_bytes;
}

static bool was_opened_earlier(const struct part *a, const struct part *b)
{
    return a->opened_ns < b->opened_ns;
}

static struct part *best_of(const struct part_pool *pool,
                            bool (*is_better)(const struct part *, const struct part *))
{
    const struct part_list *lists[] = {&pool->open, &pool->suspended};
    struct part *best = NULL;

    for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
        for (struct part *part = lists[i]->newest; part != NULL; part = part->older) {
            if (best == NULL || is_better(part, best)) {
                best = part;
            }
        }
    }
    return best;
}

struct part *part_pool_first_opened(const struct part_pool *pool)
{
    return best_of(pool, was_opened_earlier);
}

struct part *part_pool_largest(const struct part_pool *pool)
{
    return best_of(pool, is_larger);
}

static uint64_t bytes_of(const struct part_list *list)
{
    uint64_t bytes = 0;

    for (const struct part *part = list->newest; part != NULL; part = part->older) {
        bytes += part->writer.size_bytes;
    }
    return bytes;
}

uint64_t part_pool_bytes(const struct part_pool *pool)
{
    return bytes_of(&pool->open) + bytes_of(&pool->suspended);
}

size_t part_pool_count(const struct part_pool *pool)
{
    return pool->open.count + pool->suspended.count;
}

static void visit_list(const struct part_list *list,
                       void (*visit)(void *context, struct part *part), void *context)
{
    for (struct part *part = list->newest; part != NULL; part = part->older) {
        visit(context, part);
    }
}

void part_pool_visit(const struct part_pool *pool, void (*visit)(void *context, struct part *part),
                     void *context)
{
    visit_list(&pool->open, visit, context);
    visit_list(&pool->suspended, visit, context);
}
