/*
 * What the parts of the Markdown report share, for report_markdown*.c only: cells of table rows, which begin with "| name |"
 * and go on with " text |", and tables that stand in files of their own.
 *
 * Threads:  one stream or page, one thread at a time.
 */
#pragma once

#include "markdown_page.h"
#include "report.h"

/* The first cell of a row; text from outside, as that of put_code_cell. */
void markdown_put_name(FILE *stream, const char *name);

/* Text of our own. */
void markdown_put_cell(FILE *stream, const char *text);
void markdown_put_code_cell(FILE *stream, const char *text);
void markdown_put_duration(FILE *stream, double duration_ns);
void markdown_put_count(FILE *stream, uint64_t count);

/* Children of each name of parents. */
void markdown_put_children(struct markdown_page *page, const struct report *report);

/* Operations that were given up or had not ended. */
void markdown_put_censoring(struct markdown_page *page, const struct report *report);

/* What the slowest operations spent their time on, and all cohorts. */
void markdown_put_tail_budgets(struct markdown_page *page, const struct report *report);
void markdown_put_budgets(struct markdown_page *page, const struct report *report);

/* Long runs, and who waited meanwhile. */
void markdown_put_blame(struct markdown_page *page, const struct report *report);

void markdown_put_queues(struct markdown_page *page, const struct report *report);

/* What operations that carry an attribute have in common. */
void markdown_put_attributes(struct markdown_page *page, const struct report *report);

/* How many came and were in flight, and what that did to their durations. */
void markdown_put_loads(struct markdown_page *page, const struct report *report);
