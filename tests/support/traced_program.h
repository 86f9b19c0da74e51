/*
 * What a program does with libeddy, for tests of its calls as a whole.
 */
#pragma once

#include "eddy.h"

extern struct eddy_name name;
extern struct eddy_name key;
extern struct eddy_name metric;
extern struct eddy_queue queue;

/* eddy_stats(), which must succeed. */
struct eddy_stats stats(void);
uint64_t sum_lost(const struct eddy_stats *found);

/* Every call once, as the exported functions. */
void call_everything(void);

/* Runs a check in a child, which has no session yet. Returns its exit status; a signal counts as -1. */
int in_child(int (*check)(void));
