/*
 * A file that was wrapped is let go of when its buffer is closed and the last task that named it has ended, however: no
 * process of the pool has it open or mapped after that, idle hosts that used it, standbys and the supervisor included, so
 * that its space on the disk is free. While such a task runs, it is there.
 * Broken by: a host that is not called when it ends, a descriptor that the supervisor keeps, a count that a kill leaves
 * wrong, a copy that what a task forks takes along.
 */
#include "tasks.h"

#include <dirent.h>
#include <sys/mman.h>
#include <unistd.h>

#define MARK "wrapped-file-of-this-test"

static word *steps; /* 0: how many use it, 1: they may go on */

static int use(mortal_task *task, const void *input, size_t input_bytes)
{
    volatile unsigned char *base;
    (void)input_bytes;
    CHECK_OK(mortal_task_buffer(task, *(const mortal_buffer *)input, (void **)(uintptr_t)&base, NULL));
    CHECK_EQ(base[4999], 7);
    word_add(&steps[0], 1);
    word_await(&steps[1], 1);
    CHECK_OK(mortal_task_buffer(task, *(const mortal_buffer *)input, NULL, NULL)); /* closed, and still there */
    CHECK_EQ(base[4999], 7);
    return 0;
}

static bool names_it(const char *path)
{
    char  line[512];
    FILE *file = fopen(path, "re");
    bool  found = false;
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        found = found || strstr(line, MARK) != NULL;
    if (file != NULL)
        fclose(file);
    return found;
}

static bool has_open(pid_t pid)
{
    char           path[64], name[512];
    struct dirent *entry;
    bool           found = false;
    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    DIR *folder = opendir(path);
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        ssize_t length = readlinkat(dirfd(folder), entry->d_name, name, sizeof name - 1);
        name[length > 0 ? length : 0] = 0;
        found = found || strstr(name, MARK) != NULL;
    }
    if (folder != NULL)
        closedir(folder);
    return found;
}

/* This process, and everybody who may have been started by it, has it open or mapped. */
static int count_keepers(void)
{
    DIR           *all = opendir("/proc");
    struct dirent *entry;
    int            count = 0;
    CHECK(all != NULL);
    while ((entry = readdir(all)) != NULL) {
        char path[64];
        int  pid = atoi(entry->d_name);
        snprintf(path, sizeof path, "/proc/%d/maps", pid);
        if (pid > 0 && (names_it(path) || has_open(pid)))
            count++;
    }
    closedir(all);
    return count;
}

static void until_nobody_keeps_it(void)
{
    while (count_keepers() != 0)
        harness_sleep_ms(1);
}

static mortal_buffer wrapped(mortal_pool *pool)
{
    int           fd = memfd_create(MARK, MFD_CLOEXEC);
    mortal_buffer buffer;
    CHECK_EQ(pwrite(fd, "\7", 1, 4999), 1);
    CHECK_OK(mortal_buffer_wrap_fd(&buffer, pool, fd, 0, 0, 0));
    CHECK_OK(close(fd));
    word_set(&steps[0], 0);
    word_set(&steps[1], 0);
    return buffer;
}

static mortal_future start(mortal_pool *pool, const mortal_buffer *buffer, uint32_t count)
{
    mortal_task_options options = {.size = sizeof options, .buffer_count = 1, .buffers = buffer};
    mortal_future future = submit_like(pool, use, buffer, sizeof *buffer, options);
    word_await(&steps[0], count);
    return future;
}

static void idle_hosts_let_go(mortal_pool *pool)
{
    mortal_buffer buffer = wrapped(pool);
    mortal_future first = start(pool, &buffer, 1), second = start(pool, &buffer, 2);
    CHECK(count_keepers() >= 4); /* this, the supervisor, and two hosts */
    word_set(&steps[1], 1);
    CHECK_EQ(outcome_and_release(first), MORTAL_DONE);
    CHECK_EQ(outcome_and_release(second), MORTAL_DONE);
    CHECK(count_keepers() >= 4);
    CHECK_OK(mortal_buffer_close(buffer));
    until_nobody_keeps_it();
}

static void the_last_task_lets_go(mortal_pool *pool)
{
    mortal_buffer buffer = wrapped(pool);
    mortal_future first = start(pool, &buffer, 1), second = start(pool, &buffer, 2);
    CHECK_OK(mortal_buffer_close(buffer));
    CHECK_OK(mortal_future_kill(second, 0, LIMIT, NULL));
    check_pool_works(pool); /* the supervisor has had many turns since */
    CHECK(count_keepers() >= 3);
    word_set(&steps[1], 1);
    CHECK_EQ(outcome_and_release(first), MORTAL_DONE);
    until_nobody_keeps_it();
    CHECK_OK(mortal_future_release(second));
}

static int forks(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input_bytes;
    CHECK_OK(mortal_task_buffer(task, *(const mortal_buffer *)input, NULL, NULL));
    if (fork() == 0)
        for (;;)
            pause();
    return 0;
}

static int computes(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input, (void)input_bytes;
    compute_for_ever();
}

/* Also while a task of the host computes and does not look around. */
static void children_have_none(mortal_pool *pool)
{
    mortal_buffer buffer = wrapped(pool);
    CHECK_EQ(outcome_and_release(submit(pool, forks, &buffer, sizeof buffer)), MORTAL_DONE);
    mortal_future busy[2] = {submit(pool, computes, NULL, 0), submit(pool, computes, NULL, 0)};
    CHECK_OK(mortal_buffer_close(buffer));
    until_nobody_keeps_it();
    for (unsigned i = 0; i < 2; i++) {
        CHECK_OK(mortal_future_kill(busy[i], 0, LIMIT, NULL));
        CHECK_OK(mortal_future_release(busy[i]));
    }
}

static int prepare(const void *context, size_t context_bytes)
{
    (void)context, (void)context_bytes;
    return 0;
}

void test(void)
{
    steps = harness_shared(2 * sizeof *steps);
    for (unsigned with_template = 0; with_template < 2; with_template++) {
        mortal_pool *pool = pool_like((mortal_pool_options){.workers = 2, .preload = with_template ? prepare : NULL});
        idle_hosts_let_go(pool);
        the_last_task_lets_go(pool);
        children_have_none(pool);
        mortal_buffer left = wrapped(pool); /* and with the pool */
        mortal_future first = start(pool, &left, 1);
        word_set(&steps[1], 1);
        CHECK_EQ(outcome_and_release(first), MORTAL_DONE);
        CHECK(count_keepers() >= 3);
        end(pool);
        until_nobody_keeps_it();
    }
}
