/*
 * load_generator.c - load for key_value_server.c: random arrivals over many connections.
 *
 * Open loop: requests arrive when they arrive, whether or not earlier ones were answered, as users
 * do. Each operation begins at its intended time, not when this program got round to sending it;
 * so a server that stands still for 50 ms looks as slow as it was to everybody who came meanwhile.
 * Arrivals are a Poisson process whose rate swells and ebbs by half every five seconds.
 */
#define _GNU_SOURCE
#include "sample_options.h"

#include <arpa/inet.h>
#include <eddy.h>
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum {
    MAX_CONNECTIONS = 512,
    MAX_IN_FLIGHT = 256, /* on one connection */
    MAX_OUTPUT_BYTES = 64 << 10,
    MAX_REQUEST_BYTES = 2500,
    KEY_COUNT = 20000,
    SWELL_SECONDS = 5,
    DRAIN_SECONDS = 3
};

static struct eddy_name client_connect = EDDY_NAME("client.connect");
static struct eddy_name client_get = EDDY_NAME("client.get");
static struct eddy_name client_put = EDDY_NAME("client.put");
static struct eddy_name client_digest = EDDY_NAME("client.digest");
static struct eddy_name client_save = EDDY_NAME("client.save");
static struct eddy_name request_bytes = EDDY_NAME("request.bytes");
static struct eddy_name arrivals_ended = EDDY_NAME("load.arrivals_ended");
static struct eddy_name in_flight = EDDY_METRIC("client.in_flight", "{request}");
static struct eddy_name bytes_received = EDDY_METRIC("client.bytes_received", "By");

struct connection {
    int fd;
    bool in_answer, answer_is_error;
    uint64_t operations[MAX_IN_FLIGHT]; /* a ring: answers come in the order of the requests */
    unsigned sent_count, answered_count;
    char output[MAX_OUTPUT_BYTES];
    size_t output_bytes;
};

static struct connection connections[MAX_CONNECTIONS];
static int connection_count = 32;
static int epoll_fd, timer_fd;
static double rate = 2000;
static uint64_t start_ns, end_ns, next_arrival_ns;
static long long sent_count, answered_count, refused_count, failed_count;

/* ---- What arrives, and when ---- */

static double uniform(void)
{
    return drand48() + 0x1p-60; /* never 0 */
}

/* Most are small, a few a hundred times that: a bounded Pareto distribution. */
static int heavy_tailed(int least, int most)
{
    double value = least * pow(uniform(), -1 / 1.2);

    return value < most ? (int)value : most;
}

static void plan_next_arrival(void)
{
    double turns = (double)(next_arrival_ns - start_ns) / 1e9 / SWELL_SECONDS;
    double rate_now = rate * (1 + 0.5 * sin(2 * M_PI * turns));

    next_arrival_ns += (uint64_t)(-log(uniform()) / rate_now * 1e9);
}

/* Writes a random request: 70 % get, 20 % put, 9.5 % digest, 0.5 % save. Returns its name. */
static struct eddy_name *compose_request(char *text)
{
    int key = (int)(KEY_COUNT * pow(uniform(), 3)); /* some are asked for more than others */
    double choice = uniform();

    if (choice < 0.70) {
        sprintf(text, "GET key-%d\n", key);
        return &client_get;
    }
    if (choice < 0.90) {
        sprintf(text, "PUT key-%d %0*d\n", key, heavy_tailed(20, 2000), key);
        return &client_put;
    }
    if (choice < 0.995) {
        sprintf(text, "DIGEST key-%d %d\n", key, heavy_tailed(20, 2000));
        return &client_digest;
    }
    strcpy(text, "SAVE\n");
    return &client_save;
}

/* ---- Connections ---- */

static bool send_output(struct connection *connection)
{
    size_t size = connection->output_bytes;
    ssize_t n = size > 0 ? send(connection->fd, connection->output, size, MSG_NOSIGNAL) : 0;

    if (n < 0 && errno != EAGAIN) {
        return false;
    }
    if (n > 0) {
        connection->output_bytes -= (size_t)n;
        memmove(connection->output, connection->output + n, connection->output_bytes);
    }
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    event.events |= connection->output_bytes > 0 ? EPOLLOUT : 0;
    return epoll_ctl(epoll_fd, EPOLL_CTL_MOD, connection->fd, &event) == 0;
}

static bool send_request(struct connection *connection, uint64_t operation, const char *text)
{
    eddy_set_u64(operation, &request_bytes, strlen(text));
    eddy_state(operation, EDDY_WAITING_IO);
    connection->operations[connection->sent_count++ % MAX_IN_FLIGHT] = operation;
    memcpy(connection->output + connection->output_bytes, text, strlen(text));
    connection->output_bytes += strlen(text);
    sent_count++;
    return send_output(connection);
}

/* What arrives at a full connection is refused at once: to wait would hide the overload. */
static bool arrive(struct connection *connection)
{
    char text[MAX_REQUEST_BYTES];
    uint64_t operation = eddy_begin_at(compose_request(text), next_arrival_ns);

    if (connection->sent_count - connection->answered_count < MAX_IN_FLIGHT &&
        connection->output_bytes + strlen(text) <= MAX_OUTPUT_BYTES) {
        return send_request(connection, operation, text);
    }
    eddy_end(operation, EDDY_CANCELLED);
    refused_count++;
    return true;
}

static bool send_due_requests(void)
{
    struct itimerspec wake = {0};

    while (next_arrival_ns <= eddy_now_ns() && next_arrival_ns < end_ns) {
        if (!arrive(&connections[lrand48() % connection_count])) {
            return false;
        }
        plan_next_arrival();
    }
    eddy_gauge(&in_flight, sent_count - answered_count);
    if (next_arrival_ns < end_ns) {
        wake.it_value.tv_sec = (time_t)(next_arrival_ns / 1000000000);
        wake.it_value.tv_nsec = (long)(next_arrival_ns % 1000000000);
    }
    return timerfd_settime(timer_fd, TFD_TIMER_ABSTIME, &wake, NULL) == 0;
}

static void end_request(struct connection *connection)
{
    uint64_t operation = connection->operations[connection->answered_count++ % MAX_IN_FLIGHT];

    eddy_end(operation, connection->answer_is_error ? EDDY_ERROR : EDDY_OK);
    answered_count++;
    failed_count += connection->answer_is_error;
}

/* An answer is a line; one that begins with E is an error. */
static bool receive_answers(struct connection *connection)
{
    static char input[64 << 10];
    ssize_t n = recv(connection->fd, input, sizeof(input), 0);

    for (ssize_t i = 0; i < n; i++) {
        if (!connection->in_answer) {
            connection->answer_is_error = input[i] == 'E';
        }
        connection->in_answer = input[i] != '\n';
        if (!connection->in_answer) {
            end_request(connection);
        }
    }
    eddy_count(&bytes_received, n > 0 ? n : 0);
    errno = n == 0 ? ECONNRESET : errno; /* the server closed */
    return n > 0 || (n < 0 && errno == EAGAIN);
}

/* The operation lasts until the server has answered the greeting. */
static bool open_connection(struct connection *connection, const struct sockaddr_in *address)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    uint64_t operation = eddy_begin(&client_connect);

    eddy_state(operation, EDDY_WAITING_IO);
    connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (connection->fd < 0 || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, connection->fd, &event) < 0) {
        return false;
    }
    if (connect(connection->fd, (const struct sockaddr *)address, sizeof(*address)) < 0 &&
        errno != EINPROGRESS) {
        return false;
    }
    return send_request(connection, operation,
                        connection->fd % 4 == 0 ? "CLIENT batch\n" : "CLIENT web\n");
}

/* ---- Start and end ---- */

static bool start(const struct sockaddr_in *address, double seconds)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};

    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    for (int i = 0; i < connection_count; i++) {
        if (!open_connection(&connections[i], address)) {
            return false;
        }
    }
    start_ns = next_arrival_ns = eddy_now_ns();
    end_ns = start_ns + (uint64_t)(seconds * 1e9);
    plan_next_arrival();
    return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, timer_fd, &event) == 0 && send_due_requests();
}

static bool turn(void)
{
    struct epoll_event events[64];
    int count = epoll_wait(epoll_fd, events, 64, 100);

    for (int i = 0; i < count; i++) {
        struct connection *connection = events[i].data.ptr;
        bool is_well = connection == NULL                  ? send_due_requests()
                       : (events[i].events & EPOLLIN) != 0 ? receive_answers(connection)
                                                           : send_output(connection);
        if (!is_well) {
            return false;
        }
    }
    return true;
}

static bool run(void)
{
    uint64_t drained_ns = end_ns + DRAIN_SECONDS * 1000000000ULL;

    while (eddy_now_ns() < end_ns) {
        if (!turn()) {
            return false;
        }
    }
    eddy_mark(&arrivals_ended);
    while (sent_count > answered_count && eddy_now_ns() < drained_ns) {
        if (!turn()) {
            return false;
        }
    }
    return true;
}

static void time_out_unanswered(void)
{
    for (int i = 0; i < connection_count; i++) {
        while (connections[i].answered_count != connections[i].sent_count) {
            eddy_end(connections[i].operations[connections[i].answered_count++ % MAX_IN_FLIGHT],
                     EDDY_TIMEOUT);
        }
    }
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"port", 1, NULL, 'p'}, {"seconds", 1, NULL, 's'},
                                            {"rate", 1, NULL, 'r'}, {"connections", 1, NULL, 'c'},
                                            {"help", 0, NULL, 'h'}, {0}};
    struct sockaddr_in address = {.sin_family = AF_INET};
    double seconds = 10;

    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == 'p') {
            address.sin_port = htons((in_port_t)number_option("port", optarg, 1, 65535));
        } else if (c == 's') {
            seconds = number_option("seconds", optarg, 0.1, 1e6);
        } else if (c == 'r') {
            rate = number_option("rate", optarg, 1, 1e6);
        } else if (c == 'c') {
            connection_count = (int)number_option("connections", optarg, 1, MAX_CONNECTIONS);
        } else {
            fprintf(
                c == 'h' ? stdout : stderr,
                "usage: load_generator --port N [--seconds N] [--rate N] [--connections N]\n"
                "Asks the key_value_server at 127.0.0.1:PORT, rate times a second on average.\n");
            return c == 'h' ? 0 : 2;
        }
    }
    if (address.sin_port == 0) {
        fprintf(stderr,
                "load_generator: --port is missing: the number that key_value_server prints\n");
        return 2;
    }
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (!start(&address, seconds) || !run()) {
        fprintf(stderr, "load_generator: lost the server at 127.0.0.1:%d: %s\n",
                ntohs(address.sin_port), strerror(errno));
        return 1;
    }
    time_out_unanswered();
    printf("load_generator: %lld requests answered, %.1f/s; %lld failed, %lld refused, "
           "%lld unanswered\n",
           answered_count, (double)answered_count / seconds, failed_count, refused_count,
           sent_count - answered_count);
    return failed_count == 0 && sent_count == answered_count ? 0 : 1;
}
