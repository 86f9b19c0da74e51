#define _GNU_SOURCE
#include "key_value_requests.h"

#include "answer_cache.h"
#include "key_value_store.h"
#include "slow_resolver.h"

#include <eddy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_PENDING = 1024, MAX_ROUNDS = 10000 };

#define NAME_COUNTS_NS 1500000000ULL

static struct eddy_name kv_get = EDDY_NAME("kv.get");
static struct eddy_name kv_put = EDDY_NAME("kv.put");
static struct eddy_name kv_digest = EDDY_NAME("kv.digest");
static struct eddy_name kv_save = EDDY_NAME("kv.save");
static struct eddy_name kv_client = EDDY_NAME("kv.client");
static struct eddy_name kv_invalid = EDDY_NAME("kv.invalid");
static struct eddy_name dns_lookup = EDDY_NAME("dns.lookup");
static struct eddy_queue pending_queue = EDDY_QUEUE("kv.pending", MAX_PENDING);
static struct eddy_name key_bytes = EDDY_NAME("key.bytes");
static struct eddy_name key_found = EDDY_NAME("key.found");
static struct eddy_name client_kind = EDDY_NAME("client.kind");

struct request {
    struct client *client;
    const struct verb *verb;
    char *arguments; /* in the line taken */
    uint64_t operation;
};

struct verb {
    const char *word;
    struct eddy_name *name;
    enum eddy_status (*serve)(struct request *request);
};

static enum fault fault;
static struct request pending[MAX_PENDING];
static size_t pending_count;
static int64_t served_count;
static uint64_t store_version; /* one more with each put */

/* ---- Answers ---- */

static enum eddy_status answer(struct request *request, const char *word, const char *value)
{
    struct client *client = request->client;
    size_t size = client->output_bytes + strlen(word) + strlen(value) + 1;
    char *output = realloc(client->output, size + 1);

    if (output == NULL) {
        client->failed = true;
        return EDDY_ERROR;
    }
    sprintf(output + client->output_bytes, "%s%s\n", word, value);
    client->output = output;
    client->output_bytes = size;
    return EDDY_OK;
}

static enum eddy_status refuse(struct request *request, const char *reason)
{
    answer(request, "ERROR ", reason);
    return EDDY_ERROR;
}

/* ---- Requests ---- */

static const char *get(const char *key)
{
    const char *value;

    if (fault != FAULT_LEAK) {
        return store_get(key);
    }
    if (!answer_cache_find(key, store_version, &value)) {
        value = store_get(key);
        answer_cache_add(key, store_version, value);
    }
    return value;
}

static enum eddy_status serve_get(struct request *request)
{
    const char *value = get(request->arguments);

    eddy_set_u64(request->operation, &key_bytes, strlen(request->arguments));
    eddy_set_bool(request->operation, &key_found, value != NULL);
    return answer(request, value ? "VALUE " : "MISSING", value ? value : "");
}

/*
 * Only a client whose address has a name may write. It looks like any other call of a function, and the loop stands still
 * until it returns: the state of the request says "running", as nobody thought of anything else.
 */
static bool may_write(struct client *client, uint64_t operation)
{
    if (fault != FAULT_BLOCKING_DNS || eddy_now_ns() < client->known_until_ns) {
        return true;
    }
    uint64_t step = eddy_begin_child(&dns_lookup, operation);
    eddy_state(step, EDDY_WAITING_IO);
    bool has_name = slow_resolver_has_name();
    eddy_end(step, has_name ? EDDY_OK : EDDY_ERROR);
    client->known_until_ns = has_name ? eddy_now_ns() + NAME_COUNTS_NS : 0;
    return has_name;
}

static enum eddy_status serve_put(struct request *request)
{
    char *value = request->arguments;
    const char *key = strsep(&value, " ");

    if (*key == '\0' || value == NULL) {
        return refuse(request, "PUT needs a key and a value");
    }
    eddy_set_u64(request->operation, &key_bytes, strlen(key));
    if (!may_write(request->client, request->operation)) {
        return refuse(request, "who are you?");
    }
    store_put(key, value);
    store_version++;
    return answer(request, "OK", "");
}

static enum eddy_status serve_digest(struct request *request)
{
    char *rounds_text = request->arguments;
    const char *value = store_get(strsep(&rounds_text, " "));
    int rounds = rounds_text ? atoi(rounds_text) : 0;
    uint64_t hash = 0xcbf29ce484222325; /* FNV-1a */
    char number[24];

    if (rounds < 1 || rounds > MAX_ROUNDS) {
        return refuse(request, "DIGEST needs a key and 1 to 10000 rounds");
    }
    for (int i = 0; value != NULL && i < rounds; i++) {
        for (const char *c = value; *c != '\0'; c++) {
            hash = (hash ^ (unsigned char)*c) * 0x100000001b3;
        }
    }
    snprintf(number, sizeof(number), "%016llx", (unsigned long long)hash);
    return answer(request, "DIGEST ", number);
}

/* The loop stands still meanwhile: whoever is in the queue waits as well. */
static enum eddy_status serve_save(struct request *request)
{
    return store_save(request->operation) ? answer(request, "OK", "")
                                          : refuse(request, "the journal could not be written");
}

static enum eddy_status serve_client(struct request *request)
{
    char *kind = request->client->kind;

    snprintf(kind, sizeof(request->client->kind), "%s", request->arguments);
    return answer(request, "OK", "");
}

static enum eddy_status serve_invalid(struct request *request)
{
    return refuse(request, "known requests are PUT, GET, DIGEST, SAVE, CLIENT");
}

static const struct verb verbs[] = {
    {"GET", &kv_get, serve_get},          {"PUT", &kv_put, serve_put},
    {"DIGEST", &kv_digest, serve_digest}, {"SAVE", &kv_save, serve_save},
    {"CLIENT", &kv_client, serve_client}, {NULL, &kv_invalid, serve_invalid},
};

/* ---- The queue ---- */

void requests_serve(void)
{
    for (size_t i = 0; i < pending_count; i++) {
        struct request *request = &pending[i];

        eddy_state(request->operation, EDDY_RUNNING); /* leaves the queue */
        eddy_set_text(request->operation, &client_kind, request->client->kind);
        eddy_end(request->operation, request->verb->serve(request));
    }
    served_count += (int64_t)pending_count;
    pending_count = 0;
}

void requests_take(struct client *client, char *line)
{
    const struct verb *verb = verbs;
    char *arguments = line;
    const char *word = strsep(&arguments, " ");

    while (verb->word != NULL && strcmp(verb->word, word) != 0) {
        verb++;
    }
    if (pending_count == MAX_PENDING) {
        requests_serve();
    }
    pending[pending_count++] = (struct request){
        .client = client,
        .verb = verb,
        .arguments = arguments ? arguments : strchr(line, '\0'),
        .operation = eddy_begin_queued(verb->name, &pending_queue),
    };
}

int64_t requests_served(void)
{
    return served_count;
}

int requests_start(enum fault wanted_fault)
{
    int r = wanted_fault == FAULT_BLOCKING_DNS ? slow_resolver_start() : 0;

    fault = wanted_fault;
    return r < 0 ? r : store_open();
}
