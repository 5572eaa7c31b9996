/*
 * Where a file system has no files without a name, a draft has one from the beginning. It is removed when its task is
 * cut, at whatever moment, and when its function returns without having published it.
 * Broken by: a name that is there before the clean-up that removes it, a draft that is forgotten.
 */
#include "../harness/tasks.h"

#include "region/plant.h"

struct input {
    word *step;
    enum { PUBLISHES, RETURNS, STAYS } what;
};

static int body(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input_bytes;
    const struct input *in = input;
    for (;;) {
        int fd;
        CHECK_OK(mortal_task_file_open(task, "file", 0600, &fd));
        CHECK_EQ(write(fd, "whole", 5), 5);
        word_add(in->step, 1);
        if (in->what == RETURNS)
            return 0;
        if (in->what == STAYS)
            compute_for_ever();
        CHECK_OK(mortal_task_file_publish(task, fd));
    }
}

static unsigned files(void)
{
    unsigned count = 0;
    DIR *dir = opendir(".");
    CHECK(dir != NULL);
    for (struct dirent *entry; (entry = readdir(dir));)
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(dir);
    return count;
}

static void check_kill(mortal_pool *pool, const struct input *input, unsigned wait_turns)
{
    mortal_verdict verdict;
    uint32_t steps = atomic_load(input->step);
    unsigned before = files();
    mortal_future future = submit(pool, body, input, sizeof *input);
    word_await(input->step, steps + 1);
    if (input->what == STAYS)
        CHECK_EQ(files(), before + 1); /* the draft, under its name */
    for (volatile unsigned turns = wait_turns; turns != 0; turns--)
        ;
    CHECK_OK(mortal_future_kill(future, 0, MORTAL_FOREVER, &verdict));
    CHECK_EQ(verdict.outcome, MORTAL_KILLED);
    CHECK_OK(mortal_future_release(future));
}

void test(void)
{
    word *step = harness_shared(sizeof *step);
    planted_bug = PLANT_NAMED_DRAFT;
    mortal_pool *pool = pool_with(1);
    CHECK_EQ(outcome_and_release(submit(pool, body, &(struct input){step, RETURNS}, sizeof(struct input))), MORTAL_DONE);
    CHECK_EQ(files(), 0);
    check_kill(pool, &(struct input){step, STAYS}, 0);
    CHECK_EQ(files(), 0);
    for (unsigned i = 0; i < 40; i++) {
        check_kill(pool, &(struct input){step, PUBLISHES}, i * 5000);
        CHECK(files() <= 1);
    }
    drain(pool);
    (void)unlink("file");
    planted_bug = PLANT_NONE;
}
