/*
 * A host has a sitter, a process that keeps its memory from being given back before its death is told. A task that kills
 * it, stops it, or overwrites its stack, or that names another process as its sitter, harms nobody: it is killed, it
 * crashes, and it ends as any other, and the one that it named lives.
 * Broken by: a supervisor that kills whom a host names; a sitter that runs on its stack; a death that needs one.
 */
#include "system/memory.h"

#include "hostile.h"

#include <sys/mman.h>

enum { LIARS = 6 };
enum harm { NONE, KILL, STOP, OVERWRITE_STACK, NAME_ANOTHER, HARMS };

struct order_of_harm {
    struct gate *gate;
    enum harm harm;
    pid_t bystander;
    bool crash;
};

static _Atomic int32_t *sitter_of_this(void)
{
    const struct host *host = worker_self()->host;
    return &host_head(host->region, host->place.life)->sitter;
}

/* Where it sleeps, as the kernel tells: the last but one of the words is the stack pointer. */
static void overwrite_stack(pid_t sitter)
{
    char path[64], text[512];
    unsigned long stack = 0, code = 0;
    snprintf(path, sizeof path, "/proc/%d/syscall", (int)sitter);
    int fd = -1;
    ssize_t got = 0;
    for (;;) { /* until it has come to rest */
        fd = open(path, O_RDONLY | O_CLOEXEC);
        CHECK(fd >= 0);
        got = read(fd, text, sizeof text - 1);
        close(fd);
        text[got > 0 ? got : 0] = '\0';
        if (got <= 0)
            return; /* this kernel does not tell */
        if (sscanf(text, "%*d %*x %*x %*x %*x %*x %*x %lx %lx", &stack, &code) == 2)
            break;
    }
    unsigned char *page = (unsigned char *)(stack & ~(unsigned long)(PAGE_BYTES - 1));
    memset(page, 0x5a, PAGE_BYTES);
    CHECK_OK(kill(sitter, SIGSTOP)); /* let it look at what it has */
    CHECK_OK(kill(sitter, SIGCONT));
}

/* Before the supervisor has asked. */
static int lie_from_the_start(const void *context, size_t context_bytes)
{
    (void)context_bytes;
    uint32_t other = atomic_load(*(word *const *)context);
    if (other != 0)
        atomic_store(sitter_of_this(), (int32_t)other);
    return 0;
}

static void do_harm(enum harm harm, pid_t bystander)
{
    pid_t sitter = atomic_load(sitter_of_this());
#if defined(__x86_64__) || defined(__aarch64__)
    CHECK(sitter > 0);
    CHECK(kill(sitter, 0) == 0);
#endif
    if (sitter <= 0)
        return;
    if (harm == KILL)
        CHECK_OK(kill(sitter, SIGKILL));
    if (harm == STOP)
        CHECK_OK(kill(sitter, SIGSTOP));
    if (harm == OVERWRITE_STACK)
        overwrite_stack(sitter);
    if (harm == NAME_ANOTHER)
        atomic_store(sitter_of_this(), bystander);
}

static int harm_and_go_on(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input_bytes;
    const struct order_of_harm *order = input;
    do_harm(order->harm, order->bystander);
    if (order->crash)
        *(volatile int *)16 = 1;
    word_add(&order->gate->arrived, 1);
    compute_for_ever();
}

static void check(mortal_pool *pool, struct gate *gate, enum harm harm, pid_t bystander, bool crash)
{
    struct order_of_harm order = {gate, harm, bystander, crash};
    mortal_future future = submit(pool, harm_and_go_on, &order, sizeof order);
    if (!crash) {
        word_await(&gate->arrived, 1);
        CHECK_EQ(kill_and_read(future), MORTAL_KILLED);
    }
    CHECK_EQ(outcome_and_release(future), crash ? MORTAL_CRASHED : MORTAL_KILLED);
    check_pool_works(pool);
    CHECK(kill(bystander, 0) == 0);
}

void test(void)
{
    struct gate *gates = gates_make(2 * HARMS + LIARS);
    word *lie = harness_shared(sizeof *lie);
    struct bystanders bystanders = bystanders_make();
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 2, .init = lie_from_the_start, .context = &lie,
                                                        .context_bytes = sizeof lie});
    POLL_UNTIL(stats_of(pool).hosts == 2 && stats_of(pool).standby == 1);
    bystanders_begin(&bystanders, pool);
    pid_t bystander = host_of(bystanders.held);
    for (enum harm harm = NONE; harm < HARMS; harm++) {
        check(pool, &gates[2 * harm], harm, bystander, false);
        check(pool, &gates[2 * harm + 1], harm, bystander, true);
    }
    word_set(lie, (uint32_t)bystander);
    for (unsigned i = 0; i < LIARS; i++)
        check(pool, &gates[2 * HARMS + i], NONE, bystander, i % 2 != 0);
    bystanders_end(&bystanders);
    drain(pool);
    CHECK_EQ(harness_children(), 0);
}
