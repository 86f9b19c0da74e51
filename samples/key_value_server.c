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
 *
 * With --fault it goes wrong in one of the ways in which such programs go wrong in production.
 */
#define _GNU_SOURCE
#include "key_value_requests.h"
#include "sample_options.h"

#include <arpa/inet.h>
#include <eddy.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { MAX_LINE_BYTES = 4096, MAX_EVENTS = 64, MAX_DESCRIPTORS = 1024 };

static struct eddy_name listening = EDDY_NAME("server.listening");
static struct eddy_name server_loop = EDDY_NAME("server.loop");
static struct eddy_name open_connections = EDDY_METRIC("server.connections", "{connection}");
static struct eddy_name bytes_sent = EDDY_METRIC("server.bytes_sent", "By");

struct connection {
    struct client client;
    int fd;
    bool finished; /* sends no more, or too long a line: send what is to be sent, then close */
    char input[MAX_LINE_BYTES];
    size_t input_bytes, used_bytes;
};

/* Those of enum fault. */
static const char *const fault_names[] = {"none", "blocking-dns", "leak", NULL};

static const char usage[] =
    "usage: key_value_server [--seconds N] [--port N] [--fault NAME]\n"
    "Listens on 127.0.0.1, on a free port unless told, and prints which.\n"
    "Faults:\n"
    "  blocking-dns  the loop looks up who wants to PUT, now and then, and waits for the answer\n"
    "  leak          what is got is kept in a cache, and stays there when a PUT made it useless\n";

static volatile sig_atomic_t stopping;
static int epoll_fd, listener_fd;
static struct connection *connections[MAX_DESCRIPTORS]; /* by descriptor */
static int64_t connection_count;

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
    free(connection->client.output);
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
        requests_take(&connection->client, line);
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
    size_t size = connection->client.output_bytes;
    ssize_t n = size > 0 ? send(connection->fd, connection->client.output, size, MSG_NOSIGNAL) : 0;

    if (n < 0 && errno != EAGAIN) {
        close_connection(connection);
        return;
    }
    if (n > 0) {
        eddy_count(&bytes_sent, n);
        connection->client.output_bytes -= (size_t)n;
        memmove(connection->client.output, connection->client.output + n,
                connection->client.output_bytes);
    }
    if ((connection->finished && connection->client.output_bytes == 0) ||
        connection->client.failed) {
        close_connection(connection);
        return;
    }
    struct epoll_event event = {.events = connection->client.output_bytes > 0 ? EPOLLOUT : EPOLLIN,
                                .data.ptr = connection};
    epoll_ctl(epoll_fd, EPOLL_CTL_MOD, connection->fd, &event);
}

static void turn(void)
{
    struct epoll_event events[MAX_EVENTS];
    int count = epoll_wait(epoll_fd, events, MAX_EVENTS, 100);
    uint64_t round =
        eddy_loop_begin(&server_loop); /* until it sleeps again, nobody else is heard */

    for (int i = 0; i < count; i++) {
        if (events[i].data.ptr == NULL) {
            accept_connection();
        } else if ((events[i].events & EPOLLIN) != 0) {
            receive(events[i].data.ptr);
        }
    }
    requests_serve();
    for (int i = 0; i < count; i++) {
        if (events[i].data.ptr != NULL) {
            forget_served_input(events[i].data.ptr);
            send_answers(events[i].data.ptr);
        }
    }
    eddy_loop_end(round);
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

static bool start(in_port_t port, enum fault fault)
{
    int r = requests_start(fault);

    sigaction(SIGINT, &(struct sigaction){.sa_handler = stop}, NULL);
    sigaction(SIGTERM, &(struct sigaction){.sa_handler = stop}, NULL);
    errno = -r;
    return r == 0 && listen_on(port);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"seconds", 1, NULL, 's'},
                                            {"port", 1, NULL, 'p'},
                                            {"fault", 1, NULL, 'x'},
                                            {"help", 0, NULL, 'h'},
                                            {0}};
    double seconds = 10;
    in_port_t port = 0;
    enum fault fault = FAULT_NONE;

    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == 's') {
            seconds = number_option("seconds", optarg, 0.1, 1e6);
        } else if (c == 'p') {
            port = (in_port_t)number_option("port", optarg, 0, 65535);
        } else if (c == 'x') {
            fault = (enum fault)choice_option("fault", optarg, fault_names);
        } else {
            fputs(usage, c == 'h' ? stdout : stderr);
            return c == 'h' ? 0 : 2;
        }
    }
    if (!start(port, fault)) {
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
    printf("key_value_server: %lld requests served\n", (long long)requests_served());
    return 0;
}
