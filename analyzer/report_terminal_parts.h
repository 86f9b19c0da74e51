/*
 * The sections of the terminal summary, for report_terminal.c only. Each writes to page->stream, in UTF-8.
 */
#pragma once

#include "report_terminal.h"

struct terminal_page {
    const struct report *report;
    const struct terminal_style *style;
    FILE *stream;
};

/* "Title  remark" with an empty line before it. */
void terminal_put_title(const struct terminal_page *page, const char *title, const char *remark);

void terminal_put_operations(const struct terminal_page *page);
void terminal_put_budgets(const struct terminal_page *page);
void terminal_put_blame(const struct terminal_page *page);
void terminal_put_attributes(const struct terminal_page *page);
void terminal_put_loads(const struct terminal_page *page);
void terminal_put_censoring(const struct terminal_page *page);
void terminal_put_children(const struct terminal_page *page);
void terminal_put_distributions(const struct terminal_page *page);
void terminal_put_slowest(const struct terminal_page *page);
void terminal_put_queues(const struct terminal_page *page);
void terminal_put_pools(const struct terminal_page *page);
void terminal_put_processes(const struct terminal_page *page);
void terminal_put_metrics(const struct terminal_page *page);
void terminal_put_marks(const struct terminal_page *page);
