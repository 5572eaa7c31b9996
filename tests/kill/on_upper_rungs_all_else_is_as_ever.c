/*
 * In a control group or a namespace of processes of its own a host is told, asked, limited and ended as anywhere: process
 * ids are those that the owner sees, a backtrace is that of the stuck thread, signals end a host as they would any process,
 * caps and soft deadlines hold, preload is inherited, what sleeps on a descriptor is woken, and a sitter stays outside.
 * Broken by: an id of a thread that is taken from within a namespace; a host that is a first process; a notice that
 * nobody passes on; a sitter that is born with its host.
 */
#include "tasks.h"

#include <poll.h>

static int preloaded;
static word *running;

static int preload(const void *context, size_t context_bytes)
{
    (void)context, (void)context_bytes;
    preloaded = 7;
    return 0;
}

static int tell_preloaded(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input, (void)input_bytes;
    return mortal_task_reply(task, &preloaded, sizeof preloaded);
}

static int run_for_ever(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input, (void)input_bytes;
    word_add(running, 1);
    compute_for_ever();
}

static int raise_signal(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input_bytes;
    sigset_t all;
    sigemptyset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    raise(*(const int *)input);
    return 1;
}

static int wait_for_signal(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input, (void)input_bytes;
    while (!mortal_task_should_stop(task))
        usleep(1000000); /* cut short by the signal */
    return 0;
}

/* True: it told where it was, for which it has 2 ms. */
static bool check_obituary(mortal_pool *pool)
{
    mortal_obituary obituary;
    atomic_store(running, 0);
    mortal_future future = submit_like(pool, run_for_ever, NULL, 0, (mortal_task_options){.deadline_ns = MS(20)});
    word_await(running, 1);
    pid_t host = host_of(future);
    CHECK(kill(host, 0) == 0);
    mortal_verdict verdict = wait_for(future);
    CHECK_EQ(verdict.outcome, MORTAL_TIMED_OUT);
    CHECK_OK(mortal_pool_obituary(pool, verdict.obituary, &obituary));
    CHECK_EQ(obituary.pid, host);
    CHECK_OK(mortal_future_release(future));
    return obituary.backtrace == MORTAL_BACKTRACE_TAKEN;
}

static void check_signal(mortal_pool *pool, int number)
{
    mortal_future future = submit(pool, raise_signal, &number, sizeof number);
    mortal_verdict verdict = wait_for(future);
    CHECK_EQ(verdict.outcome, MORTAL_CRASHED);
    CHECK_EQ(verdict.signal, number);
    CHECK_OK(mortal_future_release(future));
}

static void check_group(mortal_pool *pool)
{
    mortal_group *group;
    mortal_verdict verdict;
    int fd;
    CHECK_OK(mortal_group_open(&group, pool));
    CHECK_OK(mortal_group_fd(group, &fd));
    for (unsigned i = 0; i < 20; i++) {
        mortal_task_options options = {.size = sizeof options, .group = group};
        CHECK_OK(mortal_pool_submit(pool, task_nothing, NULL, 0, &options, NULL));
        struct pollfd entry = {.fd = fd, .events = POLLIN};
        CHECK_EQ(poll(&entry, 1, 30000), 1);
        CHECK_OK(mortal_group_next(group, LIMIT, &verdict));
        CHECK_EQ(verdict.outcome, MORTAL_DONE);
        CHECK_OK(mortal_future_release(verdict.future));
    }
    CHECK_OK(mortal_group_close(group));
}

/* Its group is not that of its host. */
static void check_sitters(mortal_pool *pool)
{
    char path[64], line[256];
    pid_t supervisor = supervisor_of(pool);
    unsigned sitters = 0, outside = 0;
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)supervisor, (int)supervisor);
    FILE *file = fopen(path, "re");
    CHECK(file != NULL);
    for (int child; fscanf(file, "%d", &child) == 1;) {
        if (!is_sitter(child))
            continue;
        sitters++;
        snprintf(path, sizeof path, "/proc/%d/cgroup", child);
        FILE *group = fopen(path, "re");
        CHECK(group != NULL);
        bool is_inside = false;
        while (fgets(line, sizeof line, group) != NULL)
            is_inside = is_inside || strstr(line, "/mortal-") != NULL;
        fclose(group);
        snprintf(path, sizeof path, "/proc/%d/status", child);
        FILE *status = fopen(path, "re");
        CHECK(status != NULL);
        while (fgets(line, sizeof line, status) != NULL)
            if (strncmp(line, "NSpid:", 6) == 0) /* as many numbers as this process has */
                outside += !is_inside && strrchr(line, '\t') == line + 6;
        fclose(status);
    }
    fclose(file);
    CHECK(sitters >= 2);
    CHECK_EQ(outside, sitters);
}

static void check_own_pool(int rung, mortal_pool *pool)
{
    CHECK_EQ(stats_of(pool).containment, rung);
    POLL_UNTIL(stats_of(pool).hosts == 1 && stats_of(pool).standby == 1);
    check_sitters(pool);
    mortal_future future = submit(pool, tell_preloaded, NULL, 0);
    mortal_verdict verdict = wait_for(future);
    CHECK_EQ(verdict.outcome, MORTAL_DONE);
    CHECK_EQ(*(const int *)verdict.result, 7);
    CHECK_OK(mortal_future_release(future));
    while (!check_obituary(pool)) /* others may have the processor just then; but not always */
        ;
    check_signal(pool, SIGABRT);
    check_signal(pool, SIGTERM);
    check_signal(pool, SIGSEGV);
    check_group(pool);
    future = submit_like(pool, wait_for_signal, NULL, 0,
                         (mortal_task_options){.soft_deadline_ns = MS(5), .soft_signal = SIGUSR1});
    CHECK_EQ(outcome_and_release(future), MORTAL_DONE);
}

/* The processor time of one thread of several, whose id is asked for. */
static void check_shared_host(mortal_pool *pool)
{
    mortal_future sleeper = submit_at(pool, task_held, harness_shared(sizeof(struct gate)));
    mortal_future runner = submit_like(pool, run_for_ever, NULL, 0, (mortal_task_options){.cpu_ns = MS(30)});
    CHECK_EQ(outcome_and_release(runner), MORTAL_TIMED_OUT);
    CHECK_EQ(outcome_and_release(sleeper), MORTAL_COLLATERAL);
}

static bool check_rung(int rung)
{
    mortal_pool *pool = NULL;
    mortal_pool_options options = {.size = sizeof options, .workers = 1, .containment = rung, .preload = preload,
                                   .backtrace = MORTAL_BACKTRACE_DEADLINE};
    int error = mortal_pool_open(&pool, &options);
    if (error == -EPERM || error == -ENOTSUP) {
        harness_note("%s", mortal_why());
        return false;
    }
    CHECK_OK(error);
    check_own_pool(rung, pool);
    end(pool);
    pool = pool_like((mortal_pool_options){.workers = 2, .workers_per_host = 2, .containment = rung});
    check_shared_host(pool);
    check_pool_works(pool);
    end(pool);
    CHECK_EQ(harness_children(), 0);
    return true;
}

void test(void)
{
    running = harness_shared(sizeof *running);
    bool group = check_rung(MORTAL_CONTAIN_CGROUP), namespace = check_rung(MORTAL_CONTAIN_NAMESPACE);
    if (!group && !namespace)
        SKIP("neither control groups nor namespaces of processes can be had here");
}
