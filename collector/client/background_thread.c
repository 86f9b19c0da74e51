#include "background_thread.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>

enum { STACK_BYTES = 1 << 20 };

/* With the attributes that suit us, or at least as all threads of the program are made. Returns a positive errno. */
static int create(const pthread_attr_t *attributes, void *(*run)(void *), void *argument)
{
    pthread_t thread;
    int error = pthread_create(&thread, attributes, run, argument);

    /* The thread-local storage of the program may need more than our stack, and priorities may not be ours to set. */
    if (error == EINVAL || error == EPERM) {
        error = pthread_create(&thread, NULL, run, argument);
        if (error == 0) {
            (void)pthread_detach(thread);
        }
    }
    return error;
}

int background_thread_start(void *(*run)(void *), void *argument)
{
    pthread_attr_t attributes;
    sigset_t all;
    sigset_t before;
    int error = pthread_attr_init(&attributes);

    if (error != 0) {
        return -error;
    }
    (void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    (void)pthread_attr_setstacksize(&attributes, STACK_BYTES);
    if (sched_getscheduler(0) != SCHED_OTHER) {
        /* Else inherited; new attributes say SCHED_OTHER. */
        (void)pthread_attr_setinheritsched(&attributes, PTHREAD_EXPLICIT_SCHED);
    }
    /* The new thread inherits the mask: no signal of the program is ever handled on it. */
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    error = create(&attributes, run, argument);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    (void)pthread_attr_destroy(&attributes);
    return -error;
}
