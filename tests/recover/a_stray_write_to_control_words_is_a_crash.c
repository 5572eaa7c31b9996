/*
 * With protection keys, a write to the library's own records by a task, or by a thread that a task started, is a
 * crash of that task that tells the address, also after calls of the library and after signal handlers; the word it
 * would have hit is as it was, everybody else's results and the pool are untouched. What tasks may write, results of
 * every size, they still can.
 * Broken by: a key that is not shut before a task, or is left open by a call of the library inside it.
 */
#include "tasks.h"

#include <pthread.h>
#include <sys/mman.h>

#ifndef SEGV_PKUERR
#define SEGV_PKUERR 4
#endif

enum { BYTES = 64, HELD = 20 };

/* Where a mapping of the library's begins in this process, and how long it is. In a host the first one of the answers
 * that is not someone else's is its own arena, which begins with its own records. */
static unsigned char *mapping(const char *name, size_t *bytes)
{
    char line[512];
    unsigned long from = 0, to = 0;
    unsigned char *found = NULL;
    FILE *maps = fopen("/proc/self/maps", "re");
    while (maps && !found && fgets(line, sizeof line, maps))
        if (strstr(line, name) && strstr(line, "-s ") && sscanf(line, "%lx-%lx", &from, &to) == 2)
            found = (unsigned char *)from;
    if (maps)
        fclose(maps);
    *bytes = to - from;
    return found;
}

static unsigned char *end_of(const char *name)
{
    size_t bytes;
    unsigned char *from = mapping(name, &bytes);
    return from + bytes;
}

enum where { CURSOR, BELL, LAST_WORD, HEAD, DESK, PLACES };
enum how { PLAINLY, IN_A_THREAD, AFTER_A_REPLY, AFTER_A_HANDLER, WAYS };

static unsigned char *place_of(enum where where)
{
    size_t bytes;
    switch (where) {
    case CURSOR:
        return mapping("memfd:mortal:claims", &bytes);
    case BELL:
        return mapping("memfd:mortal:claims", &bytes) + 512;
    case LAST_WORD:
        return end_of("memfd:mortal:claims") - BYTES;
    case HEAD:
        return mapping("memfd:mortal:answers", &bytes);
    case DESK:
    default:
        return mapping("memfd:mortal:answers", &bytes) + 128;
    }
}

struct order {
    enum where where;
    enum how how;
    _Atomic uint64_t *told; /* the address, before it is written to */
};

static void *scribble(void *place)
{
    memset(place, 0xa5, 8);
    return NULL;
}

static void nothing_much(int signal_number)
{
    (void)signal_number;
}

static int stray(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input_bytes;
    const struct order *order = input;
    unsigned char *place = place_of(order->where);
    pthread_t thread;
    atomic_store(order->told, (uintptr_t)place);
    switch (order->how) {
    case IN_A_THREAD:
        if (pthread_create(&thread, NULL, scribble, place) == 0)
            pthread_join(thread, NULL);
        break;
    case AFTER_A_REPLY:
        mortal_task_reply(task, "small", 5);
        mortal_task_result(task, 5000);
        scribble(place);
        break;
    case AFTER_A_HANDLER:
        signal(SIGUSR1, nothing_much);
        raise(SIGUSR1);
        scribble(place);
        break;
    default:
        scribble(place);
    }
    return 0;
}

static int expected_code(void)
{
    return getenv("MORTAL_TEST_KEYS_EMULATED") != NULL ? SEGV_ACCERR : SEGV_PKUERR;
}

static void one_stray(mortal_pool *pool, _Atomic uint64_t *told, enum where where, enum how how)
{
    struct order order = {where, how, told};
    unsigned char *own = place_of(BELL), before[8];
    memcpy(before, own, sizeof before);
    mortal_verdict verdict = wait_for(submit(pool, stray, &order, sizeof order));
    CHECK_EQ(verdict.outcome, MORTAL_CRASHED);
    CHECK_EQ(verdict.cause, MORTAL_CAUSE_SIGNAL);
    CHECK_EQ(verdict.signal, SIGSEGV);
    CHECK_EQ(verdict.signal_code, expected_code());
    CHECK_EQ(verdict.fault_address, atomic_load(told));
    CHECK_EQ(verdict.culprit, 1);
    CHECK_EQ(memcmp(before, own, sizeof before), 0); /* the bell of a group that is not there */
    CHECK_OK(mortal_future_release(verdict.future));
}

static void check_results(mortal_pool *pool)
{
    static char big[100000];
    static const size_t sizes[] = {0, 1, 31, 32, 33, 4096, sizeof big};
    memset(big, 'x', sizeof big);
    for (unsigned i = 0; i < COUNT(sizes); i++) {
        mortal_verdict verdict = wait_for(submit(pool, task_echo, big, sizes[i]));
        CHECK_EQ(verdict.outcome, MORTAL_DONE);
        CHECK_EQ(verdict.result_bytes, sizes[i]);
        CHECK(sizes[i] == 0 || memcmp(verdict.result, big, sizes[i]) == 0);
        CHECK_OK(mortal_future_release(verdict.future));
    }
}

static mortal_pool *open_hardened(uint32_t workers, uint32_t per_host)
{
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = workers, .workers_per_host = per_host,
                                                        .harden = MORTAL_HARDEN_KEYS});
    if (stats_of(pool).hardened == 0) {
        drain(pool);
        SKIP("this machine has no memory protection keys");
    }
    CHECK_EQ(stats_of(pool).hardened, MORTAL_HARDEN_KEYS);
    return pool;
}

void test(void)
{
    _Atomic uint64_t *told = harness_shared(sizeof *told);
    mortal_pool *pool = open_hardened(1, 1);
    mortal_future held[HELD];
    for (unsigned i = 0; i < HELD; i++)
        CHECK_EQ(outcome_of(held[i] = submit(pool, task_echo, "taken before", 13)), MORTAL_DONE);
    for (unsigned where = 0; where < PLACES; where++)
        for (unsigned how = 0; how < WAYS; how++) {
            one_stray(pool, told, where, how);
            check_pool_works(pool);
        }
    for (unsigned i = 0; i < HELD; i++)
        CHECK_STR((const char *)wait_for(held[i]).result, "taken before");
    check_results(pool);
    CHECK_EQ(stats_of(pool).hardened, MORTAL_HARDEN_KEYS); /* of the hosts that came after the crashes too */
    CHECK_EQ(stats_of(pool).ended[MORTAL_LOST], 0);
    drain(pool);
}
