/*
 * Tasks publish one file again and again and are killed at any moment. Whoever opens it finds one version, whole, and
 * after each kill nothing else is in its folder. What a task did not publish is not there, and what cannot be put in
 * its place leaves no trace.
 * Broken by: a file that is written in its place, a name that outlives its host, a draft that its task forgot.
 */
#include "tasks.h"

#include <sys/stat.h>

enum { BYTES = 100000 };
static const char path[] = "folder/file";

struct input {
    word *versions; /* published so far */
};

static void write_version(int fd, unsigned char version)
{
    unsigned char block[1000];
    memset(block, version, sizeof block);
    for (unsigned i = 0; i < BYTES / sizeof block; i++)
        CHECK_EQ(write(fd, block, sizeof block), sizeof block);
}

static int publish_for_ever(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input_bytes;
    const struct input *in = input;
    while (!mortal_task_should_stop(task)) { /* nobody asks */
        int fd;
        CHECK_OK(mortal_task_file_open(task, path, 0640, &fd));
        write_version(fd, (unsigned char)(getpid() + atomic_load(in->versions)));
        CHECK_OK(mortal_task_file_publish(task, fd));
        CHECK_EQ(fcntl(fd, F_GETFD), -1);
        word_add(in->versions, 1);
    }
    return 1;
}

static void check_whole(void)
{
    static unsigned char got[BYTES + 1];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    CHECK(fd >= 0);
    CHECK_EQ(read(fd, got, sizeof got), BYTES);
    close(fd);
    for (unsigned i = 1; i < BYTES; i++)
        CHECK_EQ(got[i], got[0]);
}

static void check_kills(mortal_pool *pool, word *versions, unsigned kills)
{
    struct input input = {versions};
    uint64_t dice = 3;
    for (unsigned i = 0; i < kills; i++) {
        mortal_future future = submit(pool, publish_for_ever, &input, sizeof input);
        word_await(versions, atomic_load(versions) + 1);
        dice = dice * 6364136223846793005ull + 1442695040888963407ull;
        uint64_t until = mortal_now_ns() + (dice >> 44); /* up to a millisecond */
        while (mortal_now_ns() < until)
            check_whole();
        mortal_verdict verdict;
        CHECK_OK(mortal_future_kill(future, 0, MORTAL_FOREVER, &verdict));
        CHECK_EQ(verdict.outcome, MORTAL_KILLED);
        CHECK(verdict.cleanup == 0 || verdict.cleanup == MORTAL_CLEANUP_DONE);
        CHECK_OK(mortal_future_release(future));
        check_whole();
        CHECK_EQ(entries_of("folder"), 1);
    }
}

static int forget(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input, (void)input_bytes;
    int first, second, other;
    struct stat before, after;
    CHECK_OK(mortal_task_file_open(task, "folder/forgotten", 0600, &first));
    CHECK_OK(mortal_task_file_open(task, "folder/closed", 0600, &second));
    write_version(first, 1);
    close(second);
    other = open("/dev/null", O_RDONLY | O_CLOEXEC);
    CHECK_EQ(other, second); /* not what it was: it must not be closed, and not be published */
    CHECK_ERR(mortal_task_file_publish(task, other), -EBADF);
    CHECK_EQ(fstat(other, &before), 0);
    CHECK_OK(mortal_task_file_open(task, "folder", 0600, &second)); /* where a folder is */
    int error = mortal_task_file_publish(task, second);
    CHECK(error == -EISDIR || error == -EEXIST || error == -ENOTEMPTY);
    CHECK_EQ(fstat(other, &after), 0);
    close(other);
    return (int)(before.st_ino - after.st_ino);
}

static int misuse(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input, (void)input_bytes;
    char longer[600];
    int fd = -7;
    memset(longer, 'x', sizeof longer);
    longer[sizeof longer - 1] = '\0';
    CHECK_ERR(mortal_task_file_open(NULL, path, 0600, &fd), -EINVAL);
    CHECK_ERR(mortal_task_file_open(task, NULL, 0600, &fd), -EINVAL);
    CHECK_ERR(mortal_task_file_open(task, "", 0600, &fd), -EINVAL);
    CHECK_ERR(mortal_task_file_open(task, path, 0600, NULL), -EINVAL);
    CHECK_ERR(mortal_task_file_open(task, longer, 0600, &fd), -ENAMETOOLONG);
    CHECK_ERR(mortal_task_file_open(task, "folder/", 0600, &fd), -EISDIR);
    CHECK_ERR(mortal_task_file_open(task, "no/such/folder", 0600, &fd), -ENOENT);
    CHECK_ERR(mortal_task_file_publish(NULL, 0), -EINVAL);
    CHECK_ERR(mortal_task_file_publish(task, 0), -EBADF);
    CHECK_ERR(mortal_task_file_publish(task, -1), -EBADF);
    CHECK_EQ(fd, -7);
    for (int i = 0; i < 8; i++)
        CHECK_OK(mortal_task_on_death(task, forget, NULL, 0));
    int error = mortal_task_file_open(task, "folder/full", 0600, &fd); /* refused here, or when it needs its name */
    CHECK_ERR(error != 0 ? error : mortal_task_file_publish(task, fd), -ENOBUFS);
    CHECK_OK(mortal_task_on_death(task, NULL, NULL, 0));
    if (error != 0)
        CHECK_OK(mortal_task_file_open(task, "folder/full", 0600, &fd));
    CHECK_OK(mortal_task_file_publish(task, fd));
    return 0;
}

void test(void)
{
    word *versions = harness_shared(sizeof *versions);
    CHECK_EQ(mkdir("folder", 0700), 0);
    mortal_pool *pool = pool_with(1);
    CHECK_EQ(outcome_and_release(submit(pool, forget, NULL, 0)), MORTAL_DONE);
    CHECK_EQ(entries_of("folder"), 0);
    check_kills(pool, versions, TEST_LONG ? 2000 : 60);
    CHECK_EQ(outcome_and_release(submit(pool, misuse, NULL, 0)), MORTAL_DONE);
    CHECK_EQ(entries_of("folder"), 2);
    drain(pool);
    CHECK_EQ(unlink(path), 0);
    CHECK_EQ(unlink("folder/full"), 0);
    CHECK_EQ(rmdir("folder"), 0);
}
