/*
 * The descriptor of mortal_task_stop_fd() turns readable when the task is asked to stop, by its soft deadline or by the
 * grace of a kill, and also if it was before the descriptor was asked for. Each task gets it afresh. What a task does with
 * the number, by closing it and opening a file there, is its own affair: nothing is written into its file.
 * Broken by: a descriptor that stays readable for the next task, one that is made after the look and not told, a byte
 * that is sent to a number without a look at what is behind it.
 */
#include "tasks.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>

static struct gate *gate;

static bool is_readable(int fd, int timeout_ms)
{
    struct pollfd look = {.fd = fd, .events = POLLIN};
    return poll(&look, 1, timeout_ms) == 1 && (look.revents & POLLIN) != 0;
}

static int poll_until_asked(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input, (void)input_bytes;
    int fd = -1, again = -1;
    CHECK_OK(mortal_task_stop_fd(task, &fd));
    if (fd < 3 || is_readable(fd, 0) || mortal_task_should_stop(task))
        return 1;
    CHECK_OK(mortal_task_stop_fd(task, &again));
    if (again != fd)
        return 2;
    word_add(&gate->arrived, 1);
    return is_readable(fd, -1) && mortal_task_should_stop(task) ? 0 : 3;
}

static int ask_for_it_late(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input, (void)input_bytes;
    int fd = -1;
    while (!mortal_task_should_stop(task))
        ;
    CHECK_OK(mortal_task_stop_fd(task, &fd));
    return is_readable(fd, 0) ? 0 : 1;
}

static bool is_same(int fd, int other)
{
    struct stat one, two;
    return fstat(fd, &one) == 0 && fstat(other, &two) == 0 && one.st_ino == two.st_ino && one.st_dev == two.st_dev;
}

/* What was its descriptor is a file of its own when it is asked; or a socket of its own. */
static int put_something_there(mortal_task *task, int something)
{
    int fd = -1, another = -1;
    CHECK_OK(mortal_task_stop_fd(task, &fd));
    struct stat stat;
    CHECK_EQ(fstat(fd, &stat), 0);
    for (int i = 3; i < 64; i++) /* the library's own end, wherever it is, and this one */
        if (i != something && fstat(i, &stat) == 0 && S_ISSOCK(stat.st_mode))
            CHECK_EQ(dup2(something, i), i);
    while (!mortal_task_should_stop(task))
        ;
    harness_sleep_ms(5);
    CHECK_OK(mortal_task_stop_fd(task, &another));
    bool readable = is_readable(another, 0);
    for (int i = 3; i < 64; i++)
        if (i != something && i != another && is_same(i, something))
            close(i);
    return readable ? 0 : 1;
}

static int put_a_file_there(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input, (void)input_bytes;
    int file = (int)syscall(SYS_memfd_create, "mine", 1u);
    CHECK(file >= 0);
    int status = put_something_there(task, file);
    struct stat stat;
    CHECK_EQ(fstat(file, &stat), 0);
    close(file);
    return stat.st_size == 0 ? status : 10;
}

static int put_a_socket_there(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input, (void)input_bytes;
    int ends[2];
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    int hidden = dup2(ends[1], 100);
    close(ends[1]);
    int status = put_something_there(task, ends[0]);
    bool was_written_to = is_readable(hidden, 0);
    close(ends[0]);
    close(hidden);
    return was_written_to ? 10 : status;
}

static int close_everything(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input, (void)input_bytes;
    int fd = -1;
    CHECK_OK(mortal_task_stop_fd(task, &fd));
    for (int i = 0; i < 64; i++)
        close(i);
    while (!mortal_task_should_stop(task))
        ;
    harness_sleep_ms(5);
    CHECK_OK(mortal_task_stop_fd(task, &fd));
    return fd >= 3 && is_readable(fd, 0) ? 0 : 1;
}

static int ask_wrongly(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input, (void)input_bytes;
    int fd = 77;
    CHECK_ERR(mortal_task_stop_fd(NULL, &fd), -EINVAL);
    CHECK_ERR(mortal_task_stop_fd(task, NULL), -EINVAL);
    CHECK_EQ(fd, 77);
    return 0;
}

static unsigned descriptors_there(mortal_pool *pool)
{
    return descriptors_of(host_when_idle(pool, gate));
}

static void each_gets_it_afresh(mortal_pool *pool)
{
    unsigned before = 0;
    for (unsigned i = 0; i < 30; i++) {
        mortal_task_options soon = {.soft_deadline_ns = MS(20)};
        CHECK_EQ(wait_for(submit_like(pool, poll_until_asked, NULL, 0, soon)).status, 0);
        CHECK_EQ(wait_for(submit_like(pool, ask_for_it_late, NULL, 0, soon)).status, 0);
        if (i == 0)
            before = descriptors_there(pool);
    }
    CHECK_EQ(descriptors_there(pool), before);
}

static void a_kill_tells_it_too(mortal_pool *pool)
{
    atomic_store(&gate->arrived, 0);
    mortal_verdict verdict = {0};
    mortal_future future = submit(pool, poll_until_asked, NULL, 0);
    word_await(&gate->arrived, 1);
    CHECK_OK(mortal_future_kill(future, MORTAL_FOREVER, MORTAL_FOREVER, &verdict));
    CHECK_EQ(verdict.outcome, MORTAL_DONE);
}

static void its_number_is_not_believed(mortal_pool *pool)
{
    mortal_task_options soon = {.soft_deadline_ns = MS(20)};
    for (unsigned i = 0; i < 5; i++) {
        CHECK_EQ(wait_for(submit_like(pool, put_a_file_there, NULL, 0, soon)).status, 0);
        CHECK_EQ(wait_for(submit_like(pool, put_a_socket_there, NULL, 0, soon)).status, 0);
        CHECK_EQ(wait_for(submit_like(pool, close_everything, NULL, 0, soon)).status, 0);
        CHECK_EQ(wait_for(submit_like(pool, poll_until_asked, NULL, 0, soon)).status, 0);
    }
}

void test(void)
{
    gate = gates_make(1);
    mortal_pool *pool = pool_with(1);
    each_gets_it_afresh(pool);
    a_kill_tells_it_too(pool);
    its_number_is_not_believed(pool);
    CHECK_EQ(outcome_of(submit(pool, ask_wrongly, NULL, 0)), MORTAL_DONE);
    CHECK_EQ(stats_of(pool).host_deaths, 0);
    drain(pool);
}
