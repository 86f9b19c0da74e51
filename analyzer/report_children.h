/*
 * What operations of one name did inside their children. Plain data, part of report.h.
 */
#pragma once

#include "report_summary.h"

struct report_child {
    char *name;
    uint64_t count;          /* of all parents, as far as both were found */
    uint64_t outlived;       /* that ended after their parent */
    double outlived_mean_ns; /* by how much; NaN if none did */
    double inside_mean_ns;   /* per parent: time of these children within its life */
    double share; /* of the time of all parents; concurrent children may make it more than 1 */
    double tail_inside_mean_ns; /* the same of the slowest parents; NaN if there are none */
    double tail_share;
};

struct report_children {
    uint64_t parents; /* that have children */
    double parents_mean_ns;
    struct report_summary fan_out;
    uint64_t tail_parents; /* the slowest hundredth; 0 if there are too few */
    double tail_from_ns;   /* least duration of them; NaN if there are none */
    double tail_mean_ns;
    size_t child_count;
    struct report_child *children; /* by tail_share, then share, falling */
};
