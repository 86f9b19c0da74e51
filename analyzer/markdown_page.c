#include "markdown_page.h"

#include <errno.h>
#include <stdbool.h>

/* Room that rows leave for the line that says how many were left out. */
enum { REMARK_BYTES = 80 };

/* Returns whether the block went into the page. */
static bool put(struct markdown_page *page, markdown_block_function *put_block, const void *context,
                size_t i, size_t reserve_bytes)
{
    AUTO_FREE char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);

    if (stream == NULL) {
        page->r = -ENOMEM;
        return false;
    }
    put_block(stream, context, i);
    if (fclose(stream) != 0) {
        page->r = -ENOMEM;
        return false;
    }
    if (size + reserve_bytes > page->left_bytes) {
        return false;
    }
    page->left_bytes -= size;
    (void)fwrite(text, 1, size, page->stream);
    return true;
}

void markdown_put_block(struct markdown_page *page, markdown_block_function *put_block,
                        const void *context)
{
    (void)put(page, put_block, context, 0, 0);
}

static void put_head(FILE *stream, const void *context, size_t i)
{
    const struct markdown_table *table = context;

    (void)i;
    (void)fprintf(stream, "\n## %s\n\n%s", table->title, table->header);
}

static void put_remark(FILE *stream, const void *context, size_t i)
{
    (void)context;
    (void)fprintf(stream, "\n%zu more %s not shown.\n", i, i == 1 ? "is" : "are");
}

void markdown_put_table(struct markdown_page *page, const struct markdown_table *table,
                        const void *context)
{
    size_t shown = 0;
    size_t most = min_u64(table->row_count, table->row_limit);

    if (most == 0 || !put(page, put_head, table, 0, REMARK_BYTES)) {
        return;
    }
    while (shown < most && put(page, table->put_row, context, shown, REMARK_BYTES)) {
        shown++;
    }
    if (shown < table->row_count) {
        (void)put(page, put_remark, NULL, table->row_count - shown, 0);
    }
}
