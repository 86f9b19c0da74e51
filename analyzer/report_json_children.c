#include "report_json_parts.h"

static void add_child(struct json_tree *tree, const struct report_child *child)
{
    json_open_object(tree, NULL);
    json_add_text(tree, "name", child->name);
    json_add_count(tree, "count", child->count);
    json_add_count(tree, "outlived", child->outlived);
    report_json_number(tree, "outlived_mean_ns", child->outlived_mean_ns, REASON_NO_DATA);
    report_json_number(tree, "inside_mean_ns", child->inside_mean_ns, REASON_NO_DATA);
    report_json_number(tree, "share", child->share, REASON_NO_DATA);
    report_json_number(tree, "tail_inside_mean_ns", child->tail_inside_mean_ns, REASON_TOO_FEW);
    report_json_number(tree, "tail_share", child->tail_share, REASON_TOO_FEW);
    json_close(tree);
}

void report_json_children(struct json_tree *tree, const struct report_operation *operation)
{
    const struct report_children *children = operation->children;

    if (children == NULL) {
        json_add_null(tree, "children");
        json_add_text(tree, "children_reason", report_reason_name(REASON_NO_DATA));
        return;
    }
    json_open_object(tree, "children");
    json_add_count(tree, "parents", children->parents);
    report_json_number(tree, "parents_mean_ns", children->parents_mean_ns, REASON_NO_DATA);
    report_json_summary(tree, "fan_out", &children->fan_out, "");
    json_add_count(tree, "tail_parents", children->tail_parents);
    report_json_number(tree, "tail_from_ns", children->tail_from_ns, REASON_TOO_FEW);
    report_json_number(tree, "tail_mean_ns", children->tail_mean_ns, REASON_TOO_FEW);
    json_open_array(tree, "by_name");
    for (size_t i = 0; i < children->child_count; i++) {
        add_child(tree, &children->children[i]);
    }
    json_close(tree);
    json_close(tree);
}
