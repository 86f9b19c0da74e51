/*
 * A process that lives shortly, in one of the ways that are easy to get wrong:
 *
 *     short_life          records, then waits for a line on standard input
 *     short_life fork     records 10 operations, forks; the child records 20
 *     short_life leave    the main thread calls pthread_exit(); another goes on for a moment
 *     short_life exec     records, then becomes "ls -l /proc/self/fd"
 */
#include "eddy.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct eddy_name step = EDDY_NAME("short.step");

static void record(int count)
{
    for (int i = 0; i < count; i++) {
        eddy_end(eddy_begin(&step), EDDY_OK);
    }
}

static void *go_on(void *argument)
{
    (void)argument;
    (void)nanosleep(&(struct timespec){0, 300000000}, NULL);
    record(1);
    return NULL;
}

static int live_on_in_a_child(void)
{
    record(10);

    pid_t child = fork();

    if (child == 0) {
        record(20);
        return 0;
    }

    int status = 0;

    return child > 0 && waitpid(child, &status, 0) == child ? status : 1;
}

static int leave(void)
{
    pthread_t thread;

    record(1);
    if (pthread_create(&thread, NULL, go_on, NULL) != 0) {
        return 1;
    }
    pthread_exit(NULL);
}

int main(int argc, char **argv)
{
    const char *how = argc > 1 ? argv[1] : "";

    if (strcmp(how, "fork") == 0) {
        return live_on_in_a_child();
    }
    if (strcmp(how, "leave") == 0) {
        return leave();
    }
    record(1);
    (void)eddy_flush(10000);
    if (strcmp(how, "exec") == 0) {
        (void)execlp("ls", "ls", "-l", "/proc/self/fd", (char *)NULL);
        return 1;
    }
    (void)getchar();
    return 0;
}
