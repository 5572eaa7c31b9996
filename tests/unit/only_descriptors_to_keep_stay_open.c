/*
 * process_close_all_but() closes all above 2 but those on the list, whatever the list is like: empty, dense, with gaps,
 * duplicates, numbers that are not open, numbers below 3. Each time in a child, which has nothing to lose.
 */
#include "unit.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "system/process.h"

enum { MOST = 300 };

static int by_number(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

static void in_child(int open_percent, int keep_percent)
{
    bool was_open[MOST], kept[MOST] = {false};
    int keep[2 * MOST];
    size_t count = 0;
    for (int fd = 0; fd < MOST; fd++) {
        if (fd > 2 && chance((uint32_t)open_percent))
            CHECK_EQ(dup2(0, fd), fd);
        else if (fd > 2)
            close(fd);
        was_open[fd] = is_open(fd);
        kept[fd] = chance((uint32_t)keep_percent);
        for (uint32_t times = kept[fd] ? 1 + chance(20) : 0; times != 0; times--)
            keep[count++] = fd;
    }
    qsort(keep, count, sizeof *keep, by_number);
    process_close_all_but(keep, count);
    for (int fd = 0; fd < MOST; fd++)
        CHECK_EQ(is_open(fd), (fd < 3 || kept[fd]) && was_open[fd]);
    for (int fd = MOST; fd < 2 * MOST; fd++)
        CHECK(!is_open(fd));
    _exit(0);
}

static void check(int open_percent, int keep_percent)
{
    int status = 0;
    (void)dice(); /* the child's dice are a copy: another throw for the next one */
    pid_t pid = fork();
    if (pid == 0)
        in_child(open_percent, keep_percent);
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status, 0);
}

/* The last number that there can be, and numbers that cannot. */
static void check_odd_lists(void)
{
    static const int lists[][6] = {{-5, -1, 0, 1, 2, 5}, {5, 5, 5, 5, 5, INT32_MAX}, {3, 4, 5, 6, 7, 8}};
    for (size_t i = 0; i < COUNT(lists); i++) {
        int status = 0;
        pid_t pid = fork();
        if (pid == 0) {
            CHECK_EQ(dup2(0, 5), 5);
            CHECK_EQ(dup2(0, 9), 9);
            process_close_all_but(lists[i], 6);
            CHECK(is_open(0) && is_open(1) && is_open(2) && is_open(5) && !is_open(9));
            process_close_all_but(NULL, 0);
            CHECK(is_open(0) && is_open(1) && is_open(2) && !is_open(5));
            _exit(0);
        }
        CHECK_EQ(waitpid(pid, &status, 0), pid);
        CHECK_EQ(status, 0);
    }
}

void test(void)
{
    const int percents[] = {0, 5, 50, 95, 100};
    for (size_t o = 0; o < COUNT(percents); o++)
        for (size_t k = 0; k < COUNT(percents); k++)
            check(percents[o], percents[k]);
    for (uint32_t i = 0; i < more_if_long(20); i++)
        check((int)below(101), (int)below(101));
    check_odd_lists();
}
