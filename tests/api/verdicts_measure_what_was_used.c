/*
 * With MORTAL_MEASURE_CPU and _MEMORY verdicts tell the processor time and the peak of memory of a task that returned, and
 * of one that was killed; each by itself, not those before it; and without them nothing.
 * Broken by: figures of the host instead of the task, a kill that forgets them.
 */
#include "tasks.h"

#include <sys/mman.h>
#include <time.h>

enum { MIB = 1 << 20, USE_MIB = 64, USE_MS = 20 };

static void use(void)
{
    char *memory = mmap(NULL, (size_t)USE_MIB * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(memory != MAP_FAILED);
    for (size_t at = 0; at < (size_t)USE_MIB * MIB; at += 4096)
        memory[at] = 1;
    munmap(memory, (size_t)USE_MIB * MIB);
    struct timespec now, first;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &first);
    do {
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    } while ((now.tv_sec - first.tv_sec) * 1000000000l + now.tv_nsec - first.tv_nsec < USE_MS * 1000000l);
}

static int use_and_return(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input, (void)input_bytes;
    use();
    return 0;
}

static int use_and_stay(mortal_task *task, const void *input, size_t input_bytes)
{
    use();
    return task_held(task, input, input_bytes);
}

static void check_used(const mortal_verdict *verdict, int measure)
{
    if ((measure & MORTAL_MEASURE_CPU) != 0)
        CHECK(verdict->cpu_ns >= MS(USE_MS) && verdict->cpu_ns < SECONDS(100));
    else
        CHECK_EQ(verdict->cpu_ns, 0);
    if ((measure & MORTAL_MEASURE_MEMORY) != 0)
        CHECK(verdict->memory_peak_bytes >= (uint64_t)USE_MIB * MIB);
    else
        CHECK_EQ(verdict->memory_peak_bytes, 0);
    CHECK_EQ(verdict->ran_ns != 0, (measure & MORTAL_MEASURE_TIMES) != 0);
}

static void check_measure(struct gate *gate, int measure)
{
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 1, .measure = measure});
    mortal_verdict verdict = wait_for(submit(pool, use_and_return, NULL, 0));
    CHECK_EQ(verdict.outcome, MORTAL_DONE);
    check_used(&verdict, measure);
    verdict = wait_for(submit(pool, task_nothing, NULL, 0));
    CHECK(verdict.cpu_ns < MS(USE_MS)); /* of processor time: whatever else the machine does */
    CHECK(verdict.memory_peak_bytes < (uint64_t)USE_MIB * MIB);
    mortal_future stays = submit_at(pool, use_and_stay, gate);
    word_await(&gate->arrived, 1);
    CHECK_OK(mortal_future_kill(stays, 0, MORTAL_FOREVER, NULL));
    verdict = wait_for(stays);
    CHECK_EQ(verdict.outcome, MORTAL_KILLED);
    check_used(&verdict, measure);
    drain(pool);
}

void test(void)
{
    struct gate *gates = gates_make(8);
    for (int measure = 0; measure < 8; measure++)
        check_measure(&gates[measure], measure);
}
