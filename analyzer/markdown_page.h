/*
 * A Markdown document of limited size: blocks that do not fit are left out whole, so that no table or code span is ever cut.
 */
#pragma once

#include "base.h"

#include <stdio.h>

struct markdown_page {
    FILE *stream;      /* borrowed */
    size_t left_bytes; /* room for further blocks */
    int r;             /* the first error: -ENOMEM */
};

/* Writes the content of a block. context is that of the call. */
typedef void markdown_block_function(FILE *stream, const void *context, size_t i);

/* Writes one block if there is room for it. Threads: one page, one thread at a time. */
void markdown_put_block(struct markdown_page *page, markdown_block_function *put,
                        const void *context);

struct markdown_table {
    const char *title;
    const char *header; /* both rows of it, with line ends */
    size_t row_count;
    size_t row_limit;
    markdown_block_function *put_row; /* the i-th row, with line end */
};

/* Writes a table, or nothing if it has no rows. What was left out is said in a line below it. */
void markdown_put_table(struct markdown_page *page, const struct markdown_table *table,
                        const void *context);
