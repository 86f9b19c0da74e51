#include "json_tree.h"

#include "json_text.h"
#include "text_format.h"

#include <cJSON.h>
#include <errno.h>
#include <math.h>
#include <string.h>

#define EXACT_LIMIT (1ULL << 53)

void json_release(struct json_tree *tree)
{
    cJSON_Delete(tree->root);
    *tree = (struct json_tree){0};
}

/*
 * Puts a member where its key belongs. Members are a list whose first one's prev is the last one. (cJSON's own insertion
 * refuses some places, depending on its version.)
 */
static void link_member(cJSON *object, cJSON *node)
{
    cJSON *last = object->child == NULL ? node : object->child->prev;
    cJSON *before = NULL;
    cJSON *after = object->child;

    while (after != NULL && strcmp(after->string, node->string) <= 0) {
        before = after;
        after = after->next;
    }
    node->next = after;
    node->prev = before == NULL ? last : before;
    if (before == NULL) {
        object->child = node;
    } else {
        before->next = node;
    }
    if (after == NULL) {
        object->child->prev = node;
    } else {
        after->prev = node;
    }
}

/* Gives node to the open object or array. cJSON's own functions for members append, whatever the key. */
static bool attach(struct json_tree *tree, const char *key, cJSON *node)
{
    if (tree->depth == 0) {
        bool is_first = tree->root == NULL;

        tree->root = is_first ? node : tree->root;
        return is_first;
    }

    cJSON *parent = tree->nodes[tree->depth - 1];

    if (key == NULL) {
        return cJSON_AddItemToArray(parent, node);
    }
    node->string = cJSON_malloc(strlen(key) + 1);
    if (node->string == NULL) {
        return false;
    }
    memcpy(node->string, key, strlen(key) + 1);
    link_member(parent, node);
    return true;
}

/* Adds a new node, which may be NULL for lack of memory. */
static cJSON *add(struct json_tree *tree, const char *key, cJSON *node)
{
    if (node == NULL || tree->is_failed) {
        cJSON_Delete(node);
        tree->is_failed = true;
        return NULL;
    }
    if (!attach(tree, key, node)) {
        cJSON_Delete(node);
        tree->is_failed = true;
        return NULL;
    }
    return node;
}

static void open_node(struct json_tree *tree, const char *key, cJSON *node)
{
    node = add(tree, key, node);
    if (tree->depth == JSON_MAX_DEPTH) {
        tree->is_failed = true;
        return;
    }
    tree->nodes[tree->depth++] = node;
}

void json_open_object(struct json_tree *tree, const char *key)
{
    open_node(tree, key, cJSON_CreateObject());
}

void json_open_array(struct json_tree *tree, const char *key)
{
    open_node(tree, key, cJSON_CreateArray());
}

void json_close(struct json_tree *tree)
{
    if (tree->depth > 0) {
        tree->depth--;
    }
}

/* cJSON copies text as it is: what is not UTF-8 must not get in, and a terminal must obey nothing that gets out. */
void json_add_text(struct json_tree *tree, const char *key, const char *text)
{
    AUTO_FREE char *literal = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&literal, &size);

    if (stream == NULL) {
        tree->is_failed = true;
        return;
    }
    json_put_text(stream, text);
    if (fclose(stream) != 0) {
        tree->is_failed = true;
        return;
    }
    (void)add(tree, key, cJSON_CreateRaw(literal));
}

void json_add_bool(struct json_tree *tree, const char *key, bool value)
{
    (void)add(tree, key, cJSON_CreateBool(value));
}

void json_add_null(struct json_tree *tree, const char *key)
{
    (void)add(tree, key, cJSON_CreateNull());
}

/* Raw text: cJSON itself prints numbers with 15 digits. */
void json_add_number(struct json_tree *tree, const char *key, double value)
{
    char text[JSON_NUMBER_BYTES];

    if (!isfinite(value)) {
        json_add_null(tree, key);
        return;
    }
    json_format_real(text, value);
    (void)add(tree, key, cJSON_CreateRaw(text));
}

void json_add_count(struct json_tree *tree, const char *key, uint64_t value)
{
    char text[JSON_NUMBER_BYTES];

    (void)snprintf(text, sizeof(text), value < EXACT_LIMIT ? "%llu" : "\"%llu\"",
                   (unsigned long long)value);
    (void)add(tree, key, cJSON_CreateRaw(text));
}

void json_add_digits(struct json_tree *tree, const char *key, uint64_t value)
{
    char text[JSON_NUMBER_BYTES];

    (void)snprintf(text, sizeof(text), "\"%llu\"", (unsigned long long)value);
    (void)add(tree, key, cJSON_CreateRaw(text));
}

void json_add_time(struct json_tree *tree, const char *key, uint64_t realtime_ns)
{
    char text[TEXT_BYTES];

    json_add_text(tree, key, text_time(text, realtime_ns));
}

int json_write(struct json_tree *tree, FILE *stream)
{
    char *text = tree->is_failed || tree->root == NULL ? NULL : cJSON_PrintUnformatted(tree->root);
    int r = text == NULL ? -ENOMEM : fputs(text, stream) < 0 ? -EIO : 0;

    cJSON_free(text);
    json_release(tree);
    return r;
}
