/*
 * ear.h - how a task hears that it was asked to stop, beside mortal_task_should_stop()
 *
 * By a signal to its worker's thread, or by a descriptor that turns readable. Neither may come to the next task on that
 * thread, so neither is sent from outside: the host's main thread, which runs no task, is called by the supervisor, looks
 * whose task was asked, and passes it on while the worker cannot go on to another.
 */
#ifndef HOST_EAR_H
#define HOST_EAR_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct host;
struct worker;

enum ear_state {
    EAR_SHUT = 0, /* no task, or one that wants to hear nothing: it costs one look at its end */
    EAR_OPEN,
    EAR_BUSY,     /* somebody is telling it, or changes its descriptors: the task cannot end meanwhile */
    EAR_DEAF,     /* the main thread does not answer any more: it hears nothing for good */
};

/* One worker's, in the host's private memory. ORD(*) */
struct ear {
    _Atomic uint32_t state;
    _Atomic bool has_fd; /* this task asked for the descriptor */
    uint32_t heard;      /* bits of enum asked that this task was told */
    int32_t signal;      /* of this task; 0: none */
    pid_t thread;
    int fds[2];          /* a pair of sockets, kept from task to task; the first is what tasks poll */
    uint64_t inodes[2];  /* theirs: a task may close any descriptor and open something else at its number; 0: none */
};

void ear_settle(struct worker *worker);             /* on its own thread */
void ear_open(struct worker *worker, int32_t signal); /* before its task begins */
void ear_tell(struct worker *worker);               /* its task, if that was asked and does not know yet */
void ear_shut(struct worker *worker);               /* its task has returned: nothing comes to it any more */
void ear_serve(struct host *host, struct worker *workers, uint32_t count) __attribute__((noreturn)); /* main thread */

#endif
