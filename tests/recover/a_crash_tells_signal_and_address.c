/*
 * A crash says which signal it was, and for faults where: wild pointers, read-only memory, a stack overflow, a
 * division.
 * Broken by: a death that is reported as another one, or a handler that swallows the signal it should report.
 */
#include "tasks.h"

#include <pthread.h>
#include <sys/mman.h>

struct scene {
    _Atomic uint64_t address;
};

static void touch(struct scene *scene, void *place)
{
    atomic_store(&scene->address, (uintptr_t)place);
    *(volatile int *)place = 1;
}

static void near_null(struct scene *scene)
{
    touch(scene, (void *)0x10);
}

static void read_only(struct scene *scene)
{
    touch(scene, (char *)mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) + 0x120);
}

static void behind_the_file(struct scene *scene)
{
    int file = memfd_create("short", MFD_CLOEXEC);
    touch(scene, (char *)mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0) + 0x40);
}

static void by_default_action(struct scene *scene)
{
    signal(SIGSEGV, SIG_DFL);
    touch(scene, (void *)0x20);
}

static void aborts(struct scene *scene)
{
    (void)scene;
    abort();
}

static void terminates(struct scene *scene)
{
    (void)scene;
    raise(SIGTERM);
}

static void kills_itself(struct scene *scene)
{
    (void)scene;
    kill(getpid(), SIGKILL);
}

static int recurse(volatile char *above, unsigned depth)
{
    volatile char own[4096];
    own[0] = above ? above[0] : 1;
    own[sizeof own - 1] = (char)depth;
    return recurse(own, depth + 1) + own[0] + own[sizeof own - 1];
}

static void overflows(struct scene *scene)
{
    atomic_store(&scene->address, (uint64_t)recurse(NULL, 0));
}

static void *abort_here(void *nothing)
{
    (void)nothing;
    abort();
}

static void aborts_in_a_thread(struct scene *scene)
{
    (void)scene;
    pthread_t thread;
    pthread_create(&thread, NULL, abort_here, NULL);
    pause();
}

#if defined(__x86_64__)
static void divides(struct scene *scene)
{
    (void)scene;
    __asm__ volatile("xorl %%ecx, %%ecx\n\tmovl $1, %%eax\n\tcltd\n\tidivl %%ecx" ::: "eax", "ecx", "edx");
}

static void traps(struct scene *scene)
{
    (void)scene;
    __asm__ volatile("ud2");
}
#endif

enum { ADDRESS_OPEN, ADDRESS_TOLD, ADDRESS_SOME };

static const struct way {
    const char *name;
    void (*crash)(struct scene *);
    int signal, code, address;
} ways[] = {
    {"near null", near_null, SIGSEGV, SEGV_MAPERR, ADDRESS_TOLD},
    {"read only", read_only, SIGSEGV, SEGV_ACCERR, ADDRESS_TOLD},
    {"behind the file", behind_the_file, SIGBUS, BUS_ADRERR, ADDRESS_TOLD},
    {"by default action", by_default_action, SIGSEGV, 0, ADDRESS_OPEN},
    {"abort", aborts, SIGABRT, 0, ADDRESS_OPEN},
    {"terminate", terminates, SIGTERM, 0, ADDRESS_OPEN},
    {"kill", kills_itself, SIGKILL, 0, ADDRESS_OPEN},
    {"stack overflow", overflows, SIGSEGV, 0, ADDRESS_SOME},
    {"abort in a thread", aborts_in_a_thread, SIGABRT, 0, ADDRESS_OPEN},
#if defined(__x86_64__)
    {"divide", divides, SIGFPE, FPE_INTDIV, ADDRESS_SOME},
    {"trap", traps, SIGILL, ILL_ILLOPN, ADDRESS_SOME},
#endif
};

struct order {
    struct scene *scene;
    unsigned way;
};

static int crash(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input_bytes;
    const struct order *order = input;
    ways[order->way].crash(order->scene);
    return 0;
}

static bool is_address_right(int address, uint64_t expected, uint64_t found)
{
    return address == ADDRESS_OPEN || (address == ADDRESS_TOLD ? found == expected : found != 0);
}

static bool is_as_told(const struct way *way, const mortal_verdict *verdict, uint64_t address)
{
    if (verdict->outcome != MORTAL_CRASHED || verdict->cause != MORTAL_CAUSE_SIGNAL || verdict->culprit != 1)
        return false;
    if (verdict->signal != way->signal || (way->code != 0 && verdict->signal_code != way->code))
        return false;
    return is_address_right(way->address, address, verdict->fault_address);
}

void test(void)
{
    struct scene *scene = harness_shared(sizeof *scene);
    mortal_pool *pool = pool_with(1);
    for (unsigned i = 0; i < COUNT(ways); i++) {
        struct order order = {scene, i};
        mortal_verdict verdict = wait_for(submit(pool, crash, &order, sizeof order));
        char text[200];
        mortal_verdict_text(&verdict, text, sizeof text);
        if (!is_as_told(&ways[i], &verdict, atomic_load(&scene->address)))
            harness_fail(__FILE__, __LINE__, "%s: %s (cause %d, code %d, culprit %u, told %#llx)", ways[i].name, text,
                         verdict.cause, verdict.signal_code, verdict.culprit,
                         (unsigned long long)atomic_load(&scene->address));
        check_pool_works(pool);
    }
    drain(pool);
}
