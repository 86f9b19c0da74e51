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
    part->opened_after = NULL;
    part->opened_before = pool->last_opened;
    if (pool->last_opened != NULL) {
        pool->last_opened->opened_after = part;
    } else {
        pool->first_opened = part;
    }
    pool->last_opened = part;
    part->pooled_bytes = 0;
    part_pool_note_growth(pool, part);
}

void part_pool_note_growth(struct part_pool *pool, struct part *part)
{
    pool->bytes += part->writer.size_bytes - part->pooled_bytes;
    part->pooled_bytes = part->writer.size_bytes;
}

void part_pool_remove(struct part_pool *pool, struct part *part)
{
    list_remove(list_of(pool, part), part);
    if (part->opened_before != NULL) {
        part->opened_before->opened_after = part->opened_after;
    } else {
        pool->first_opened = part->opened_after;
    }
    if (part->opened_after != NULL) {
        part->opened_after->opened_before = part->opened_before;
    } else {
        pool->last_opened = part->opened_before;
    }
    pool->bytes -= part->pooled_bytes;
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

struct part *part_pool_largest(const struct part_pool *pool)
{
    struct part *largest = pool->first_opened;

    for (struct part *part = largest; part != NULL; part = part->opened_after) {
        if (part->writer.size_bytes > largest->writer.size_bytes) {
            largest = part;
        }
    }
    return largest;
}

size_t part_pool_count(const struct part_pool *pool)
{
    return pool->open.count + pool->suspended.count;
}

void part_pool_visit(const struct part_pool *pool, void (*visit)(void *context, struct part *part),
                     void *context)
{
    for (struct part *part = pool->first_opened; part != NULL; part = part->opened_after) {
        visit(context, part);
    }
}
