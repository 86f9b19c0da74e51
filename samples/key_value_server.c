/*
 * key_value_server.c - a key-value store behind TCP: one thread, one epoll loop.
 *
 * A request is a line, and so is its answer:
 *
 *     PUT key value      OK
 *     GET key            VALUE value | MISSING
 *     DIGEST key rounds  DIGEST number   hashes the value again and again: work for the CPU
 *     SAVE               OK              writes the puts since the last one, waits for the disk
 *     CLIENT kind        OK              says who asks on this connection: "web", "batch"
 *
 * Each turn of the loop reads what has arrived, serves it in order, and sends the answers. What
 * arrived behind a slow request waits: the queue "kv.pending" and the state "queued" show it.
 */
#define _GNU_SOURCE
#include "key_value_store.h"
#include "sample_options.h"

#include <arpa/inet.h>
#include <eddy.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum {
    MAX_LINE_BYTES = 4096,
    MAX_PENDING = 1024,
    MAX_EVENTS = 64,
    MAX_ROUNDS = 10000,
    MAX_DESCRIPTORS = 1024
};

static struct eddy_name kv_get = EDDY_NAME("kv.get");
static struct eddy_name kv_put = EDDY_NAME("kv.put");
static struct eddy_name kv_digest = EDDY_NAME("kv.digest");
static struct eddy_name kv_save = EDDY_NAME("kv.save");
static struct eddy_name kv_client = EDDY_NAME("kv.client");
static struct eddy_name kv_invalid = EDDY_NAME("kv.invalid");
static struct eddy_queue pending_queue = EDDY_QUEUE("kv.pending", MAX_PENDING);
static struct eddy_name key_bytes = EDDY_NAME("key.bytes");
static struct eddy_name key_found = EDDY_NAME("key.found");
static struct eddy_name client_kind = EDDY_NAME("client.kind");
static struct eddy_name listening = EDDY_NAME("server.listening");
static struct eddy_name open_connections = EDDY_METRIC("server.connections", "{connection}");
static struct eddy_name bytes_sent = EDDY_METRIC("server.bytes_sent", "By");

struct connection {
    int fd;
    bool finished; /* sends no more, or too long a line: send what is to be sent, then close */
    char kind[16];
    char input[MAX_LINE_BYTES];
    size_t input_bytes, used_bytes;
    char *output; /* owned */
    size_t output_bytes;
};

struct request {
    struct connection *connection;
    const struct verb *verb;
    char *arguments; /* in connection->input */
    uint64_t operation;
};

struct verb {
    const char *word;
    struct eddy_name *name;
    enum eddy_status (*serve)(struct request *request);
};

static volatile sig_atomic_t stopping;
static int epoll_fd, listener_fd;
static struct connection *connections[MAX_DESCRIPTORS]; /* by descriptor */
static struct request pending[MAX_PENDING];
static size_t pending_count;
static int64_t connection_count, served_count;

/* ---- Requests ---- */

static enum eddy_status answer(struct request *request, const char *word, const char *value)
{
    struct connection *connection = request->connection;
    size_t size = connection->output_bytes + strlen(word) + strlen(value) + 1;
    char *output = realloc(connection->output, size + 1);

    if (output == NULL) {
        connection->finished = true;
        return EDDY_ERROR;
    }
    sprintf(output + connection->output_bytes, "%s%s\n", word, value);
    connection->output = output;
    connection->output_bytes = size;
    return EDDY_OK;
}

static enum eddy_status refuse(struct request *request, const char *reason)
{
    answer(request, "ERROR ", reason);
    return EDDY_ERROR;
}

static enum eddy_status serve_get(struct request *request)
{
    const char *value = store_get(request->arguments);

    eddy_set_u64(request->operation, &key_bytes, strlen(request->arguments));
    eddy_set_bool(request->operation, &key_found, value != NULL);
    return answer(request, value ? "VALUE " : "MISSING", value ? value : "");
}

static enum eddy_status serve_put(struct request *request)
{
    char *value = request->arguments;
    const char *key = strsep(&value, " ");

    if (*key == '\0' || value == NULL) {
        return refuse(request, "PUT needs a key and a value");
    }
    eddy_set_u64(request->operation, &key_bytes, strlen(key));
    store_put(key, value);
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
    char *kind = request->connection->kind;

    snprintf(kind, sizeof(request->connection->kind), "%s", request->arguments);
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

static void serve_pending(void)
{
    for (size_t i = 0; i < pending_count; i++) {
        struct request *request = &pending[i];

        eddy_state(request->operation, EDDY_RUNNING); /* leaves the queue */
        eddy_set_text(request->operation, &client_kind, request->connection->kind);
        eddy_end(request->operation, request->verb->serve(request));
    }
    served_count += (int64_t)pending_count;
    pending_count = 0;
}

static void take_request(struct connection *connection, char *line)
{
    const struct verb *verb = verbs;
    char *arguments = line;
    const char *word = strsep(&arguments, " ");

    while (verb->word != NULL && strcmp(verb->word, word) != 0) {
        verb++;
    }
    if (pending_count == MAX_PENDING) {
        serve_pending();
    }
    pending[pending_count++] = (struct request){
        .connection = connection,
        .verb = verb,
        .arguments = arguments ? arguments : strchr(line, '\0'),
        .operation = eddy_begin_queued(verb->name, &pending_queue),
    };
}

/* ---- Connections ---- */

static void accept_connection(void)
{
    int fd = accept4(listener_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    struct connection *connection = calloc(1, sizeof(*connection));
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};

    if (fd < 0 || fd >= MAX_DESCRIPTORS || connection == NULL ||
        epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) {
        free(connection);
        close(fd);
        return;
    }
    connection->fd = fd;
    connections[fd] = connection;
    eddy_gauge(&open_connections, ++connection_count);
}

static void close_connection(struct connection *connection)
{
    close(connection->fd);
    connections[connection->fd] = NULL;
    free(connection->output);
    free(connection);
    eddy_gauge(&open_connections, --connection_count);
}

static void receive(struct connection *connection)
{
    char *input = connection->input;
    size_t room_bytes = MAX_LINE_BYTES - connection->input_bytes;
    ssize_t n = recv(connection->fd, input + connection->input_bytes, room_bytes, 0);
    char *line = input;

    if (n <= 0) {
        connection->finished = n == 0 || errno != EAGAIN;
        return;
    }
    connection->input_bytes += (size_t)n;
    for (char *end; (end = memchr(line, '\n', (size_t)(input + connection->input_bytes - line)));) {
        *end = '\0';
        take_request(connection, line);
        line = end + 1;
    }
    connection->used_bytes = (size_t)(line - input);
    connection->finished = line == input && connection->input_bytes == MAX_LINE_BYTES;
}

static void forget_served_input(struct connection *connection)
{
    connection->input_bytes -= connection->used_bytes;
    memmove(connection->input, connection->input + connection->used_bytes, connection->input_bytes);
    connection->used_bytes = 0;
}

/* Whoever does not take the answers is not read from: this bounds what one client can pile up. */
static void send_answers(struct connection *connection)
{
    size_t size = connection->output_bytes;
    ssize_t n = size > 0 ? send(connection->fd, connection->output, size, MSG_NOSIGNAL) : 0;

    if (n < 0 && errno != EAGAIN) {
        close_connection(connection);
        return;
    }
    if (n > 0) {
        eddy_count(&bytes_sent, n);
        connection->output_bytes -= (size_t)n;
        memmove(connection->output, connection->output + n, connection->output_bytes);
    }
    if (connection->finished && connection->output_bytes == 0) {
        close_connection(connection);
        return;
    }
    struct epoll_event event = {.events = connection->output_bytes > 0 ? EPOLLOUT : EPOLLIN,
                                .data.ptr = connection};
    epoll_ctl(epoll_fd, EPOLL_CTL_MOD, connection->fd, &event);
}

static void turn(void)
{
    struct epoll_event events[MAX_EVENTS];
    int count = epoll_wait(epoll_fd, events, MAX_EVENTS, 100);

    for (int i = 0; i < count; i++) {
        if (events[i].data.ptr == NULL) {
            accept_connection();
        } else if ((events[i].events & EPOLLIN) != 0) {
            receive(events[i].data.ptr);
        }
    }
    serve_pending();
    for (int i = 0; i < count; i++) {
        if (events[i].data.ptr != NULL) {
            forget_served_input(events[i].data.ptr);
            send_answers(events[i].data.ptr);
        }
    }
}

/* ---- Start and end ---- */

static void stop(int signal_number)
{
    (void)signal_number;
    stopping = 1;
}

static bool listen_on(in_port_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    socklen_t size = sizeof(address);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    listener_fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(listener_fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (bind(listener_fd, (struct sockaddr *)&address, size) < 0 ||
        listen(listener_fd, SOMAXCONN) < 0 ||
        getsockname(listener_fd, (struct sockaddr *)&address, &size) < 0 ||
        epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener_fd, &event) < 0) {
        return false;
    }
    printf("port %d\n", ntohs(address.sin_port));
    eddy_mark(&listening);
    return fflush(stdout) == 0;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"seconds", 1, NULL, 's'}, {"port", 1, NULL, 'p'}, {"help", 0, NULL, 'h'}, {0}};
    double seconds = 10;
    in_port_t port = 0;

    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == 's') {
            seconds = number_option("seconds", optarg, 0.1, 1e6);
        } else if (c == 'p') {
            port = (in_port_t)number_option("port", optarg, 0, 65535);
        } else {
            fprintf(c == 'h' ? stdout : stderr,
                    "usage: key_value_server [--seconds N] [--port N]\n"
                    "Listens on 127.0.0.1, on a free port unless told, and prints which.\n");
            return c == 'h' ? 0 : 2;
        }
    }
    sigaction(SIGINT, &(struct sigaction){.sa_handler = stop}, NULL);
    sigaction(SIGTERM, &(struct sigaction){.sa_handler = stop}, NULL);
    if (store_open() < 0 || !listen_on(port)) {
        fprintf(stderr, "key_value_server: cannot start: %s\n", strerror(errno));
        return 1;
    }
    uint64_t end_ns = eddy_now_ns() + (uint64_t)(seconds * 1e9);
    while (!stopping && eddy_now_ns() < end_ns) {
        turn();
    }
    for (int fd = 0; fd < MAX_DESCRIPTORS; fd++) {
        if (connections[fd] != NULL) {
            close_connection(connections[fd]);
        }
    }
    printf("key_value_server: %lld requests served\n", (long long)served_count);
    return 0;
}
