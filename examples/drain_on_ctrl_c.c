/*
 * drain_on_ctrl_c.c - the first Ctrl-C lets what was begun finish, the second ends it at once
 *
 * Both are a single call that may be made in a signal handler; no flag has to be watched and no thread started.
 */
#include <mortal.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

static mortal_pool *pool;
static volatile sig_atomic_t presses;

static void on_ctrl_c(int signal_number) {
    (void)signal_number;
    presses = presses + 1;
    if (presses == 1) {
        mortal_pool_seal(pool); /* no more is taken in; what was submitted runs to its end */
    } else {
        mortal_pool_kill_now(pool, MORTAL_UNENDED);
    }
}

static int work(mortal_task *task, const void *input, size_t input_bytes) {
    struct timespec second = {1, 0};
    (void)task, (void)input_bytes;
    nanosleep(&second, NULL);
    printf("%d done\n", *(const int *)input);
    return 0;
}

/* Counts outcomes until none is outstanding or none arrives in time. */
static void collect(mortal_group *group, uint64_t timeout_ns, unsigned *counts) {
    mortal_verdict verdict;
    int error;
    while ((error = mortal_group_next(group, timeout_ns, &verdict)) == 0 || error == -EINTR) {
        if (error == 0) {
            counts[verdict.outcome]++;
            mortal_future_release(verdict.future);
        }
    }
}

int main(void) {
    unsigned counts[MORTAL_LOST + 1] = {0};
    mortal_group *group;
    mortal_pool_options options = {.size = sizeof options, .workers = 2, .queue_tasks = 4};
    struct sigaction action = {.sa_handler = on_ctrl_c};
    if (mortal_pool_open(&pool, &options) || mortal_group_open(&group, pool)) {
        fprintf(stderr, "drain_on_ctrl_c: %s\n", mortal_why());
        return 1;
    }
    sigaction(SIGINT, &action, NULL); /* after open: tasks are not concerned */
    printf("Two tasks a second, for ever. Ctrl-C drains, a second Ctrl-C kills.\n");
    fflush(stdout);

    int error = 0;
    for (int number = 0; error != -ESHUTDOWN; number += error == 0) {
        mortal_task_options task = {.size = sizeof task, .group = group};
        mortal_future future; /* it comes back in the verdict */
        error = mortal_pool_submit(pool, work, &number, sizeof number, &task, &future);
        if (error && error != -EINTR && error != -ESHUTDOWN) {
            fprintf(stderr, "drain_on_ctrl_c: %s\n", mortal_why());
            return 1;
        }
        collect(group, 0, counts);
    }
    collect(group, MORTAL_FOREVER, counts);
    for (int outcome = MORTAL_DONE; outcome <= MORTAL_LOST; outcome++) {
        if (counts[outcome]) {
            printf("%u %s\n", counts[outcome], mortal_outcome_name(outcome));
        }
    }
    return mortal_pool_close(pool, MORTAL_CLOSE_DRAIN, MORTAL_FOREVER, NULL) != 0;
}
