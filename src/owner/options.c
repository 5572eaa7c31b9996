/* options.c - what was asked for, checked and completed */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>

#include "owner/seat.h"
#include "region/heritage.h"
#include "system/memory.h"
#include "region/stream.h"
#include "system/process.h"
#include "system/why.h"

#define DEFAULT_QUEUE 4096u
#define DEFAULT_HELD 131072u
#define DEFAULT_BYTES (64ull << 20)
#define DEFAULT_START_NS 60000000000ull
#define DEFAULT_CLEANUP_NS 1000000000ull
#define DEFAULT_CELLS_BYTES (64ull << 10)
#define DEFAULT_STREAM_BYTES (64ull << 10)
#define CELLS_BYTES_MOST ((uint64_t)CELLS_PAGES_MOST * 4096)
#define TASKS_MOST 1000000u
#define WORKERS_MOST 1024u
#define STANDBY_MOST 64u
#define BYTES_MOST (64ull << 30)
#define DEFAULT_BUFFERS (1ull << 40)
#define BUFFERS_MOST (16ull << 40)

/* Structs may grow at their end: an older caller's is shorter, and what it lacks is zero. A newer caller's is longer, and
 * what we do not know must be zero, or it asks for something that we would silently not do. */
int options_read(void *to, size_t known, const void *from, const char *call, const char *name) {
    size_t size = *(const size_t *)from;
    if (size < sizeof(size_t) || size > 4096)
        return why(-EINVAL, "%s: %s.size is %zu: set it to sizeof(%s)", call, name, size, name);
    memset(to, 0, known);
    memcpy(to, from, size < known ? size : known);
    for (size_t i = known; i < size; i++)
        if (((const uint8_t *)from)[i] != 0)
            return why(-EINVAL, "%s: %s has an option that this version does not know: use the header of the library "
                                "that is installed", call, name);
    return 0;
}

static int in_range(const char *name, uint64_t *value, uint64_t fallback, uint64_t least, uint64_t most) {
    if (*value == 0)
        *value = fallback;
    if (*value >= least && *value <= most)
        return 0;
    return why(-EINVAL, "mortal_pool_open: %s is %llu: it must be from %llu to %llu", name, (unsigned long long)*value,
               (unsigned long long)least, (unsigned long long)most);
}

static uint64_t power_of_two_from(uint64_t value) {
    uint64_t power = STREAM_BYTES_LEAST;
    while (power < value)
        power *= 2;
    return power;
}

static int plan_streams(const mortal_pool_options *o, struct limits *l) {
    uint64_t most = heap_largest_of(l->results_bytes), stream = o->stream_bytes;
    if (most > STREAM_BYTES_MOST)
        most = STREAM_BYTES_MOST;
    int error = in_range("stream_bytes", &stream, most < DEFAULT_STREAM_BYTES ? most : DEFAULT_STREAM_BYTES,
                         STREAM_BYTES_LEAST, most);
    if (error == 0)
        l->stream_bytes = power_of_two_from(stream);
    return error;
}

static int plan_sizes(const mortal_pool_options *o, struct limits *l) {
    uint64_t workers = o->workers, per_host = o->workers_per_host, queue = o->queue_tasks, held = o->held_tasks;
    uint64_t inputs = o->inputs_bytes, results = o->results_bytes, buffers = o->buffers_bytes;
    uint64_t cpus = process_usable_cpus();
    int error = in_range("workers", &workers, cpus < WORKERS_MOST ? cpus : WORKERS_MOST, 1, WORKERS_MOST);
    if (error == 0)
        error = in_range("workers_per_host", &per_host, 1, 1, workers);
    if (error == 0)
        error = in_range("queue_tasks", &queue, held != 0 && held < DEFAULT_QUEUE ? held : DEFAULT_QUEUE, 1, TASKS_MOST);
    if (error == 0)
        error = in_range("held_tasks", &held, queue > DEFAULT_HELD ? queue : DEFAULT_HELD, 1, TASKS_MOST);
    if (error == 0)
        error = in_range("inputs_bytes", &inputs, DEFAULT_BYTES, 4096, BYTES_MOST);
    if (error == 0)
        error = in_range("results_bytes", &results, DEFAULT_BYTES, 4096, BYTES_MOST);
    uint64_t cells = o->cells_bytes;
    if (error == 0)
        error = in_range("cells_bytes", &cells, DEFAULT_CELLS_BYTES, 64, CELLS_BYTES_MOST);
    if (error == 0)
        error = in_range("buffers_bytes", &buffers, DEFAULT_BUFFERS, 1u << 20, BUFFERS_MOST);
    if (error != 0)
        return error;
    if (held < queue)
        return why(-EINVAL, "mortal_pool_open: held_tasks is %llu and queue_tasks %llu: a task that waits is also held, so "
                            "held_tasks must not be smaller", (unsigned long long)held, (unsigned long long)queue);
    uint32_t standby = o->standby == 0 ? 1 : o->standby == MORTAL_NONE ? 0 : o->standby;
    if (standby > STANDBY_MOST)
        return why(-EINVAL, "mortal_pool_open: standby is %u: it must be at most %u, or MORTAL_NONE", standby, STANDBY_MOST);
    *l = (struct limits){.held_tasks = (uint32_t)held, .queue_tasks = (uint32_t)queue, .workers = (uint32_t)workers,
                         .workers_per_host = (uint32_t)per_host, .standby = standby, .inputs_bytes = inputs,
                         .results_bytes = results, .measure = o->measure, .cells_bytes = cells,
                         .results = o->results,
                         .cells_if_possible = o->cells_bytes == 0,
                         .buffers_bytes = round_up(buffers, 1u << 20)};
    return plan_streams(o, l);
}

#define DEFAULT_DEATHS_PERIOD_NS 60000000000ull

static int plan_breaker(const mortal_pool_options *o, struct plan *plan) {
    if (o->deaths > TASKS_MOST && o->deaths != MORTAL_NONE)
        return why(-EINVAL, "mortal_pool_open: deaths is %u: it must be at most %u, or MORTAL_NONE", o->deaths,
                   TASKS_MOST);
    if (o->deaths == 0 && o->deaths_period_ns != 0)
        return why(-EINVAL, "mortal_pool_open: deaths_period_ns is %llu and deaths is 0: there is no circuit breaker "
                            "without deaths", (unsigned long long)o->deaths_period_ns);
    if (o->reserved1 != 0)
        return why(-EINVAL, "mortal_pool_open: a reserved field of mortal_pool_options is not zero: clear the struct "
                            "first");
    if (o->deaths == 0)
        return 0;
    plan->deaths = o->deaths == MORTAL_NONE ? 0 : o->deaths;
    plan->deaths_period_ns = o->deaths_period_ns != 0 ? o->deaths_period_ns : DEFAULT_DEATHS_PERIOD_NS;
    return 0;
}

#define BACKTRACE_BITS \
    (MORTAL_BACKTRACE_CRASH | MORTAL_BACKTRACE_DEADLINE | MORTAL_BACKTRACE_KILL | MORTAL_BACKTRACE_NONE)

static int check_rest(const mortal_pool_options *o) {
    if (o->start != 0 && o->start != MORTAL_START_FORK && o->start != MORTAL_START_EXEC)
        return why(-EINVAL, "mortal_pool_open: start is %d: it must be MORTAL_START_FORK or MORTAL_START_EXEC",
                   (int)o->start);
    if ((o->measure & ~(MORTAL_MEASURE_TIMES | MORTAL_MEASURE_CPU | MORTAL_MEASURE_MEMORY)) != 0)
        return why(-EINVAL, "mortal_pool_open: measure is 0x%x: this version knows MORTAL_MEASURE_TIMES, _CPU and _MEMORY",
                   (unsigned)o->measure);
    if ((o->harden & ~MORTAL_HARDEN_KEYS) != 0)
        return why(-EINVAL, "mortal_pool_open: harden is 0x%x: this version knows MORTAL_HARDEN_KEYS only",
                   (unsigned)o->harden);
    if ((o->results & ~MORTAL_RESULTS_LAZY) != 0 || o->reserved5 != 0)
        return why(-EINVAL, "mortal_pool_open: results is 0x%x, and a reserved field 0x%x: this version knows "
                            "MORTAL_RESULTS_LAZY only", (unsigned)o->results, (unsigned)o->reserved5);
    if ((o->backtrace & ~BACKTRACE_BITS) != 0 || o->reserved2 != 0)
        return why(-EINVAL, "mortal_pool_open: backtrace is 0x%x, and a reserved field 0x%x: this version knows "
                            "MORTAL_BACKTRACE_CRASH, _DEADLINE, _KILL and _NONE", (unsigned)o->backtrace,
                   (unsigned)o->reserved2);
    if (o->context == NULL && o->context_bytes != 0)
        return why(-EINVAL, "mortal_pool_open: context is null and context_bytes is %zu", o->context_bytes);
    if (o->keep_fd_count > KEEP_FDS_MOST || (o->keep_fds == NULL && o->keep_fd_count != 0))
        return why(-EINVAL, "mortal_pool_open: keep_fd_count is %zu: it must be at most %u, and keep_fds not null",
                   o->keep_fd_count, KEEP_FDS_MOST);
    for (size_t i = 0; i < o->keep_fd_count; i++)
        if (fcntl(o->keep_fds[i], F_GETFD) < 0)
            return why(-EINVAL, "mortal_pool_open: keep_fds[%zu] is %d, which is not open", i, o->keep_fds[i]);
    if (o->task != NULL && (o->task->group != NULL || o->task->tag != NULL))
        return why(-EINVAL, "mortal_pool_open: task has a group or a tag: a default for all tasks can have neither");
    return 0;
}

/* Those by which hosts are ended or stopped for good, or tell how they crashed; that by which they tell the supervisor
 * something; and those that the C library keeps for itself, which lie between the kernel's first real-time signal and its
 * own. */
static int check_soft_signal(const char *call, int32_t number) {
    static const int32_t taken[] = {SIGKILL, SIGSTOP, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS, SIGNAL_NOTICE};
    bool is_taken = number < 0 || number > SIGRTMAX || number == SIGNAL_TRACE || (number >= 32 && number < SIGRTMIN);
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        is_taken = is_taken || number == taken[i];
    return is_taken ? why(-EINVAL, "%s: soft_signal is %d: it must be a signal that tasks can handle and the library does "
                                   "not use, such as SIGUSR1", call, (int)number) : 0;
}

static int read_task_options(const mortal_task_options *from, const char *call, mortal_task_options *to) {
    int error = options_read(to, sizeof *to, from, call, "mortal_task_options");
    if (error == 0 && to->attempts > 1000000)
        error = why(-EINVAL, "%s: attempts is %u: it must be at most 1000000", call, to->attempts);
    if (error == 0 && (to->priority < MORTAL_PRIORITY_LOW || to->priority > MORTAL_PRIORITY_HIGH))
        error = why(-EINVAL, "%s: priority is %d: it must be MORTAL_PRIORITY_HIGH, _NORMAL or _LOW", call,
                    (int)to->priority);
    if (error == 0 && (to->reserved0 != 0 || to->reserved1 != 0))
        error = why(-EINVAL, "%s: a reserved field of mortal_task_options is not zero: clear the struct first", call);
    if (error == 0)
        error = check_soft_signal(call, to->soft_signal);
    if (error == 0 && (to->buffer_count > TASK_BUFFERS_MOST || (to->buffers == NULL && to->buffer_count != 0)))
        error = why(-EINVAL, "%s: buffer_count is %u: it must be at most %u, and buffers not null", call,
                    to->buffer_count, TASK_BUFFERS_MOST);
    return error;
}

int options_plan(const mortal_pool_options *from, struct plan *plan) {
    static const mortal_pool_options none = {.size = sizeof none};
    mortal_pool_options o = {0}; /* looked at below even if there is nothing to be read */
    memset(plan, 0, sizeof *plan);
    int error = options_read(&o, sizeof o, from != NULL ? from : &none, "mortal_pool_open", "mortal_pool_options");
    if (error == 0)
        error = check_rest(&o);
    if (error == 0)
        error = containment_check(&o);
    if (error == 0)
        error = plan_sizes(&o, &plan->limits);
    if (error == 0)
        error = plan_breaker(&o, plan);
    if (error == 0 && o.task != NULL)
        error = read_task_options(o.task, "mortal_pool_open", &plan->task);
    if (error == 0)
        error = caps_plan(&o, plan);
    if (error == 0 && plan->task.buffer_count != 0)
        error = why(-EINVAL, "mortal_pool_open: task has buffers: a default for all tasks can have none");
    plan->start_ns = o.start_ns != 0 ? o.start_ns : DEFAULT_START_NS;
    plan->backtrace = o.backtrace == 0 ? MORTAL_BACKTRACE_CRASH : (uint32_t)(o.backtrace & ~MORTAL_BACKTRACE_NONE);
    plan->cleanup_ns = o.cleanup_ns != 0 ? o.cleanup_ns : DEFAULT_CLEANUP_NS;
    plan->asked = o;
    return error;
}

bool options_are_plain(const mortal_task_options *o) {
    return o->name == NULL && (o->within_ns | o->deadline_ns | o->soft_deadline_ns | o->shield_ns | o->cpu_ns) == 0 &&
           o->memory_bytes == 0 && o->soft_signal == 0 && o->more_memory_percent == 0 && o->priority == 0;
}

int options_task(struct pool *pool, const mortal_task_options *from, mortal_task_options *out) {
    if (from == NULL) {
        *out = pool->defaults;
        return 0;
    }
    int error = read_task_options(from, "mortal_pool_submit", out);
    if (error != 0)
        return error;
    const mortal_task_options *defaults = &pool->defaults;
    if (out->name == NULL)
        out->name = defaults->name;
    if (out->within_ns == 0)
        out->within_ns = defaults->within_ns;
    if (out->deadline_ns == 0)
        out->deadline_ns = defaults->deadline_ns;
    if (out->attempts == 0)
        out->attempts = defaults->attempts;
    if (out->soft_deadline_ns == 0)
        out->soft_deadline_ns = defaults->soft_deadline_ns;
    if (out->shield_ns == 0)
        out->shield_ns = defaults->shield_ns;
    if (out->soft_signal == 0)
        out->soft_signal = defaults->soft_signal;
    if (out->priority == 0)
        out->priority = defaults->priority;
    return caps_complete(pool, out, out);
}
