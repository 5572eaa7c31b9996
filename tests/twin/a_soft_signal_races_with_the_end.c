/*
 * Tasks end about when they are told that their soft deadline is over. The host's main thread tells, the worker goes on to
 * its next task: that one gets no signal, and the descriptor of a task is not written for another.
 * Broken by: a worker that goes on while its task is being told, a signal that is sent after a look only.
 */
#include "twin.h"

#include <poll.h>

#include "system/clock.h"

static mortal_pool *pool;
static word over;
static _Atomic uint64_t told, stray;
static _Thread_local volatile sig_atomic_t is_anothers;

static void note(int number)
{
    (void)number;
    atomic_fetch_add(is_anothers ? &stray : &told, 1);
}

/* Input: how long it takes. It is asked at once, and told within about that time. */
static int end_about_then(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input_bytes;
    while (!mortal_task_should_stop(task))
        sched_yield();
    spin(*(const uint32_t *)input);
    return 0;
}

static int hear_by_descriptor(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input_bytes;
    int fd = -1;
    CHECK_OK(mortal_task_stop_fd(task, &fd));
    struct pollfd look = {.fd = fd, .events = POLLIN};
    bool readable = poll(&look, 1, 0) == 1;
    if (readable)
        CHECK(mortal_task_should_stop(task));
    spin(*(const uint32_t *)input);
    return 0;
}

static int look_out(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input_bytes;
    is_anothers = 1;
    spin(*(const uint32_t *)input);
    is_anothers = 0;
    return 0;
}

/* What the main thread of each host does. */
static void *tell(void *unused)
{
    while (atomic_load(&over) == 0) {
        for (uint32_t i = 0; i < twin.host_count; i++)
            for (uint32_t j = 0; j < twin_region()->g.workers_per_host; j++)
                ear_tell(&twin.hosts[i].workers[j].worker);
        sched_yield();
    }
    return unused;
}

static void *supervise(void *argument)
{
    while (atomic_load(&over) == 0) {
        (void)deadline_check(argument, clock_ns());
        sched_yield();
    }
    return NULL;
}

static void check(uint32_t workers, uint32_t workers_per_host)
{
    struct supervisor s;
    mortal_future futures[3];
    uint64_t dice = workers;
    pool = twin_open(workers, workers_per_host, (mortal_pool_options){.queue_tasks = 32});
    twin_supervisor_open(&s);
    atomic_store(&over, 0);
    pthread_t teller = thread_start(tell, NULL), supervisor = thread_start(supervise, &s);
    for (uint32_t i = 0; i < more_if_long(1200); i++) {
        uint32_t turns = below(&dice, 60000);
        mortal_task_options soon = {.soft_deadline_ns = 1 + below(&dice, 5000), .soft_signal = SIGUSR1};
        futures[0] = submit_like(pool, end_about_then, &turns, sizeof turns, soon);
        futures[1] = submit(pool, look_out, &turns, sizeof turns);
        soon.soft_signal = 0;
        futures[2] = submit_like(pool, hear_by_descriptor, &turns, sizeof turns, soon);
        for (size_t j = 0; j < COUNT(futures); j++)
            CHECK_EQ(outcome_and_release(futures[j]), MORTAL_DONE);
    }
    word_set(&over, 1);
    pthread_join(teller, NULL);
    pthread_join(supervisor, NULL);
    for (uint32_t i = 0; i < twin.host_count; i++)
        for (uint32_t j = 0; j < workers_per_host; j++)
            for (unsigned end = 0; end < 2; end++)
                if (twin.hosts[i].workers[j].worker.ear.inodes[end] != 0)
                    close(twin.hosts[i].workers[j].worker.ear.fds[end]); /* a host's end would */
    twin_supervisor_close(&s);
    twin_close(pool);
}

void test(void)
{
    struct sigaction action = {.sa_handler = note}, before;
#if defined(__SANITIZE_THREAD__) /* it hands signals on when it likes */
    action.sa_handler = SIG_IGN;
#endif
    CHECK_EQ(sigaction(SIGUSR1, &action, &before), 0);
    check(1, 1);
    check(2, 2);
    CHECK_EQ(atomic_load(&stray), 0);
    harness_note("%lu signals were heard", (unsigned long)atomic_load(&told));
    CHECK_EQ(sigaction(SIGUSR1, &before, NULL), 0);
}
