/*
 * A task that is blocked in the kernel is killed like any other: reading, waiting for a child, stopped, in a vfork.
 * Broken by: a kill that only works on running code, or that waits for descendants which will never end.
 */
#include "tasks.h"

#include <sys/socket.h>

static void read_nothing(void)
{
    int ends[2];
    char byte;
    if (pipe(ends) == 0 && read(ends[0], &byte, 1) == 1)
        abort();
}

static void receive_nothing(void)
{
    int ends[2];
    char byte;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0 && recv(ends[0], &byte, 1, 0) == 1)
        abort();
}

static void wait_on_a_word(void)
{
    static word never;
    word_await(&never, 1);
}

static void wait_for_a_child(void)
{
    if (fork() == 0)
        pause();
    wait(NULL);
}

static void wait_for_a_vfork(void)
{
    if (vfork() == 0)
        syscall(SYS_pause);
}

static void stop_oneself(void)
{
    kill(getpid(), SIGSTOP);
}

static void (*const ways[])(void) = {read_nothing,     receive_nothing,  wait_on_a_word,
                                     wait_for_a_child, wait_for_a_vfork, stop_oneself};

struct block {
    struct gate *gate;
    unsigned way;
};

static int block(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input_bytes;
    const struct block *what = input;
    word_add(&what->gate->arrived, 1);
    ways[what->way]();
    pause();
    return 0;
}

static bool every_thread_sleeps(pid_t pid)
{
    char path[300];
    unsigned awake = 0;
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *dir = opendir(path);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        snprintf(path, sizeof path, "%d/task/%s", (int)pid, entry->d_name);
        awake += entry->d_name[0] != '.' && state_of(path) == 'R';
    }
    if (dir)
        closedir(dir);
    return awake == 0;
}

void test(void)
{
    struct gate *gates = gates_make(COUNT(ways));
    mortal_pool *pool = pool_with(1);
    for (unsigned i = 0; i < COUNT(ways); i++) {
        struct block what = {&gates[i], i};
        mortal_verdict verdict = {0};
        mortal_future future = submit(pool, block, &what, sizeof what);
        word_await(&gates[i].arrived, 1);
        pid_t host = host_of(future);
        POLL_UNTIL(every_thread_sleeps(host));
        CHECK_OK(mortal_future_kill(future, 0, MORTAL_FOREVER, &verdict));
        CHECK_EQ(verdict.outcome, MORTAL_KILLED);
        CHECK(harness_process_gone(host));
        check_pool_works(pool);
    }
    drain(pool);
}
