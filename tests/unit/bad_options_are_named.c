/*
 * Each option that is out of range is refused with -EINVAL and words that name it and its bounds; the values at the very
 * bounds are accepted.
 */
#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "owner/pool.h"

static struct plan plan;

static mortal_pool_options with(void)
{
    return (mortal_pool_options){.size = sizeof(mortal_pool_options)};
}

static void refuse(mortal_pool_options options, const char *name)
{
    CHECK_ERR(options_plan(&options, &plan), -EINVAL);
    if (strstr(mortal_why(), name) == NULL)
        harness_fail(__FILE__, __LINE__, "\"%s\" does not name %s", mortal_why(), name);
}

static void accept(mortal_pool_options options)
{
    CHECK_OK(options_plan(&options, &plan));
}

#define REFUSE(member, value, name)             \
    do {                                        \
        mortal_pool_options options = with();   \
        options.member = (value);               \
        refuse(options, name);                  \
    } while (0)
#define ACCEPT(member, value)                   \
    do {                                        \
        mortal_pool_options options = with();   \
        options.member = (value);               \
        accept(options);                        \
    } while (0)

static void check_sizes(void)
{
    REFUSE(workers, 1025, "workers is 1025");
    REFUSE(workers, UINT32_MAX, "workers");
    ACCEPT(workers, 1024);
    REFUSE(queue_tasks, 1000001, "queue_tasks is 1000001");
    ACCEPT(queue_tasks, 1000000);
    REFUSE(held_tasks, 1000001, "held_tasks is 1000001");
    ACCEPT(held_tasks, 1000000);
    ACCEPT(held_tasks, 1);
    REFUSE(standby, 65, "standby is 65");
    ACCEPT(standby, 64);
    ACCEPT(standby, MORTAL_NONE);
    REFUSE(inputs_bytes, 4095, "inputs_bytes is 4095");
    REFUSE(inputs_bytes, (64ull << 30) + 1, "inputs_bytes");
    ACCEPT(inputs_bytes, 4096);
    ACCEPT(inputs_bytes, 64ull << 30);
    REFUSE(results_bytes, 4095, "results_bytes is 4095");
    REFUSE(results_bytes, SIZE_MAX, "results_bytes");
    ACCEPT(results_bytes, 4096);
    ACCEPT(results_bytes, 64ull << 30);
}

static void check_sizes_together(void)
{
    mortal_pool_options options = with();
    options.workers = 4;
    options.workers_per_host = 5;
    refuse(options, "workers_per_host is 5: it must be from 1 to 4");
    options.workers_per_host = 4;
    accept(options);
    options = with();
    options.held_tasks = 10;
    options.queue_tasks = 11;
    refuse(options, "held_tasks is 10 and queue_tasks 11");
    options.queue_tasks = 10;
    accept(options);
}

static void check_breaker(void)
{
    REFUSE(deaths, 1000001, "deaths is 1000001");
    REFUSE(deaths, UINT32_MAX - 1, "deaths");
    REFUSE(deaths_period_ns, 1, "deaths_period_ns is 1 and deaths is 0");
    REFUSE(reserved1, 1, "reserved");
    ACCEPT(deaths, 1);
    ACCEPT(deaths, 1000000);
    ACCEPT(deaths, MORTAL_NONE);
}

static void check_kinds(void)
{
    REFUSE(start, 3, "start is 3");
    REFUSE(start, -1, "start is -1");
    ACCEPT(start, MORTAL_START_FORK);
    ACCEPT(start, MORTAL_START_EXEC);
    REFUSE(measure, 8, "measure is 0x8");
    REFUSE(measure, -1, "measure");
    ACCEPT(measure, MORTAL_MEASURE_TIMES);
    REFUSE(harden, 2, "harden is 0x2");
    REFUSE(harden, -1, "harden");
    ACCEPT(harden, MORTAL_HARDEN_KEYS);
    REFUSE(results, 2, "results is 0x2");
    REFUSE(results, -1, "results");
    REFUSE(reserved5, 1, "reserved");
    ACCEPT(results, MORTAL_RESULTS_LAZY);
    REFUSE(context_bytes, 3, "context is null and context_bytes is 3");
    ACCEPT(context, "with no bytes");
}

static void check_keep_fds(void)
{
    int fds[257];
    mortal_pool_options options = with();
    for (size_t i = 0; i < COUNT(fds); i++)
        fds[i] = 1;
    options.keep_fds = fds;
    options.keep_fd_count = 257;
    refuse(options, "keep_fd_count is 257");
    options.keep_fd_count = 256;
    accept(options);
    fds[200] = fcntl(1, F_DUPFD_CLOEXEC, 100);
    CHECK(fds[200] >= 100);
    accept(options);
    close(fds[200]);
    refuse(options, "keep_fds[200] is");
    fds[200] = -1;
    refuse(options, "keep_fds[200] is -1");
    options.keep_fds = NULL;
    refuse(options, "keep_fds");
}

static void check_task_defaults(void)
{
    mortal_task_options task = {.size = sizeof task, .attempts = 1000000, .within_ns = 1, .deadline_ns = MORTAL_FOREVER};
    ACCEPT(task, &task);
    CHECK_EQ(plan.task.attempts, 1000000);
    task.attempts++;
    REFUSE(task, &task, "attempts is 1000001");
    task = (mortal_task_options){.size = sizeof task, .tag = &task};
    REFUSE(task, &task, "tag");
    task = (mortal_task_options){.size = sizeof task, .group = (mortal_group *)&task};
    REFUSE(task, &task, "group");
    task = (mortal_task_options){.size = sizeof task, .reserved0 = 1};
    REFUSE(task, &task, "reserved");
    const int priorities[] = {2, -2, INT32_MAX, INT32_MIN};
    for (size_t i = 0; i < COUNT(priorities); i++) {
        task = (mortal_task_options){.size = sizeof task, .priority = priorities[i]};
        REFUSE(task, &task, "priority is ");
    }
    for (int priority = MORTAL_PRIORITY_LOW; priority <= MORTAL_PRIORITY_HIGH; priority++) {
        task = (mortal_task_options){.size = sizeof task, .priority = priority};
        ACCEPT(task, &task);
    }
    task = (mortal_task_options){.size = sizeof task, .reserved1 = 1};
    REFUSE(task, &task, "reserved");
    const int useless[] = {-1, SIGKILL, SIGSTOP, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS, SIGURG,
                           32, SIGRTMAX + 1, INT32_MAX, INT32_MIN};
    for (size_t i = 0; i < COUNT(useless); i++) {
        task = (mortal_task_options){.size = sizeof task, .soft_signal = useless[i]};
        REFUSE(task, &task, "soft_signal is ");
    }
    const int useful[] = {SIGUSR1, SIGALRM, SIGTSTP, SIGRTMIN, SIGRTMAX};
    for (size_t i = 0; i < COUNT(useful); i++) {
        task = (mortal_task_options){.size = sizeof task, .soft_signal = useful[i]};
        ACCEPT(task, &task);
    }
    task = (mortal_task_options){.size = sizeof task, .buffer_count = 1};
    REFUSE(task, &task, "buffer_count is 1");
    task = (mortal_task_options){.size = sizeof task, .buffer_count = 1, .buffers = &(mortal_buffer){1, 1}};
    REFUSE(task, &task, "buffers");
    task = (mortal_task_options){.size = 0};
    REFUSE(task, &task, "mortal_task_options.size is 0");
}

void test(void)
{
    check_sizes();
    check_sizes_together();
    check_breaker();
    check_kinds();
    check_keep_fds();
    check_task_defaults();
    CHECK_OK(options_plan(NULL, &plan));
}
