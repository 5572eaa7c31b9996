/*
 * Kills that fall into a fork, or into the unmapping of gigabytes: the task is killed, its host certainly dead, and no
 * half-made child is left.
 * Broken by: a death that is certain for the kernel's caller only, or a child that is born after its kin were counted.
 */
#include "hostile.h"

#include <sys/mman.h>

enum { ROUNDS = 30, ROUNDS_LONG = 600 };
#define SPAN  (16ull << 30) /* of address space; one page in each two megabytes of it, 32 MiB, is there */
#define APART (2ull << 20)

/* The children end at once, or stay: each third of them. */
static int fork_for_ever(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input_bytes;
    word_add(&(*(struct gate *const *)input)->arrived, 1);
    for (unsigned i = 0;; i++) {
        pid_t child = fork();
        if (child == 0 && i % 3 == 0 && i < 30)
            for (;;)
                pause();
        if (child == 0)
            _exit(0);
        while (waitpid(-1, NULL, WNOHANG) > 0)
            ;
    }
}

static int unmap_for_ever(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input_bytes;
    for (;;) {
        char *memory = mmap(NULL, SPAN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (memory == MAP_FAILED)
            return 1;
        (void)madvise(memory, SPAN, MADV_NOHUGEPAGE);
        for (uint64_t at = 0; at < SPAN; at += APART)
            memory[at] = 1;
        word_add(&(*(struct gate *const *)input)->arrived, 1);
        munmap(memory, SPAN);
    }
}

static void hit(mortal_pool *pool, mortal_function *function, struct gate *gate, unsigned round)
{
    memset(gate, 0, sizeof *gate);
    mortal_future future = submit_at(pool, function, gate);
    word_await(&gate->arrived, 1);
    if (round % 4 != 0)
        usleep(round * 37 % 1500);
    pid_t host = host_of(future);
    CHECK_EQ(kill_and_read(future), MORTAL_KILLED);
    CHECK(harness_process_gone(host));
    CHECK_OK(mortal_future_release(future));
}

void test(void)
{
    struct bystanders bystanders = bystanders_make();
    struct gate *gate = gates_make(1);
    mortal_pool *pool = pool_with(2);
    bystanders_begin(&bystanders, pool);
    for (unsigned i = 0; i < (TEST_LONG ? ROUNDS_LONG : ROUNDS); i++)
        hit(pool, i % 2 ? fork_for_ever : unmap_for_ever, gate, i);
    bystanders_end(&bystanders);
    drain(pool);
    CHECK_EQ(harness_children(), 0);
}
