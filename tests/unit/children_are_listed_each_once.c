/*
 * process_children() names every child of this process once and nobody else, dead ones that were not waited for among
 * them; also when there are so many that the list does not fit into one read; and never more than there is room for. Read
 * on, the list names those that came since, and nobody twice.
 * Broken by: a kernel that lists children in another order, or ends a list for ever once it was read.
 */
#include "unit.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "system/process.h"

enum { MANY = 850 /* more than 4096 characters */, ROOM = 2 * MANY };

static pid_t made[MANY];
static uint32_t count;

static void make(uint32_t how_many)
{
    for (uint32_t i = 0; i < how_many; i++) {
        /* Some that nobody sees with wait(), as the supervisor is to its owner. */
        pid_t pid = process_fork(i % 3 == 0 ? 0 : SIGCHLD, false, NULL);
        if (pid == 0)
            for (;;)
                pause();
        CHECK(pid > 0);
        made[count++] = pid;
    }
}

static int by_number(const void *a, const void *b)
{
    return *(const pid_t *)a - *(const pid_t *)b;
}

static void check_listed(void)
{
    static pid_t listed[ROOM];
    CHECK_EQ(process_children(listed, ROOM), count);
    qsort(listed, count, sizeof *listed, by_number);
    qsort(made, count, sizeof *made, by_number);
    for (uint32_t i = 0; i < count; i++)
        CHECK_EQ(listed[i], made[i]);
    if (count == 0)
        return;
    listed[count - 1] = -7;
    CHECK_EQ(process_children(listed, count - 1), count - 1);
    CHECK_EQ(listed[count - 1], -7);
    CHECK_EQ(process_children(listed, 0), 0);
}

static void end_all(void)
{
    for (uint32_t i = 0; i < count; i++)
        kill(made[i], SIGKILL);
    harness_wait_gone(made[0]);
    check_listed(); /* dead or about to be, they are still there */
    while (count != 0)
        CHECK(waitpid(made[--count], NULL, __WALL) > 0);
    check_listed();
}

static void check_read_on(void)
{
    static pid_t listed[ROOM];
    int fd = process_children_open(getpid());
    CHECK(fd >= 0);
    CHECK_EQ(process_children_on(fd, listed, ROOM), count);
    CHECK_EQ(process_children_on(fd, listed, ROOM), 0);
    for (uint32_t i = 0; i < 3; i++) {
        uint32_t before = count;
        make(1 + i * 3);
        CHECK_EQ(process_children_on(fd, listed, ROOM), count - before);
        for (uint32_t at = before; at < count; at++)
            CHECK_EQ(listed[at - before], made[at]);
        kill(made[before], SIGKILL);
        harness_wait_gone(made[before]); /* dead, and not waited for: in its place still */
        CHECK_EQ(process_children_on(fd, listed, ROOM), 0);
    }
    CHECK_EQ(process_children_again(fd, listed, ROOM), count);
    CHECK_EQ(process_children_on(fd, listed, ROOM), 0);
    close(fd);
}

void test(void)
{
    pid_t none;
    if (process_children(&none, 1) == -ENOENT)
        SKIP("this kernel does not list children");
    check_listed();
    make(1);
    check_listed();
    make(4);
    check_listed();
    check_read_on();
    end_all();
    make(MANY);
    check_listed();
    end_all();
}
