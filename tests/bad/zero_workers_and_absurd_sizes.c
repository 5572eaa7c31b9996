/*
 * Options at their limits work; beyond them open says -EINVAL, or that the memory is not there. Zero is always a
 * default.
 * Broken by: an overflow in a size, a limit that is off by one, a refused open that leaves something.
 */
#include "tasks.h"

static int open_with(mortal_pool_options options)
{
    mortal_pool *pool = NULL;
    unsigned descriptors = entries_of("/proc/self/fd");
    if (options.size == 0)
        options.size = sizeof options;
    int error = mortal_pool_open(&pool, &options);
    if (error == 0) {
        check_pool_works(pool);
        drain(pool);
    }
    CHECK((error == 0) == (pool != NULL));
    CHECK_EQ(entries_of("/proc/self/fd"), descriptors);
    CHECK_EQ(harness_children(), 0);
    return error;
}

static void beyond_the_limits(void)
{
    int closed = dup(0);
    close(closed);
    CHECK_ERR(open_with((mortal_pool_options){.workers = 1025}), -EINVAL);
    CHECK_ERR(open_with((mortal_pool_options){.workers = UINT32_MAX}), -EINVAL);
    CHECK_ERR(open_with((mortal_pool_options){.standby = 65}), -EINVAL);
    CHECK_ERR(open_with((mortal_pool_options){.queue_tasks = 1000001}), -EINVAL);
    CHECK_ERR(open_with((mortal_pool_options){.held_tasks = 1000001}), -EINVAL);
    CHECK_ERR(open_with((mortal_pool_options){.held_tasks = UINT32_MAX - 1}), -EINVAL);
    CHECK_ERR(open_with((mortal_pool_options){.start = -1}), -EINVAL);
    CHECK_ERR(open_with((mortal_pool_options){.start = 3}), -EINVAL);
    CHECK_ERR(open_with((mortal_pool_options){.measure = 1 << 20}), -EINVAL);
    CHECK_ERR(open_with((mortal_pool_options){.context_bytes = 5}), -EINVAL);
    CHECK_ERR(open_with((mortal_pool_options){.keep_fd_count = 5}), -EINVAL);
    CHECK_ERR(open_with((mortal_pool_options){.keep_fds = &closed, .keep_fd_count = 1}), -EINVAL);
}

static void wrong_sizes_of_structures(void)
{
    mortal_task_options task = {.size = 0};
    mortal_pool *pool = NULL;
    mortal_pool_options options = {.size = 0};
    CHECK_ERR(mortal_pool_open(&pool, &options), -EINVAL);
    CHECK_ERR(open_with((mortal_pool_options){.size = 3}), -EINVAL);
    CHECK_ERR(open_with((mortal_pool_options){.size = SIZE_MAX}), -EINVAL);
    CHECK_ERR(open_with((mortal_pool_options){.task = &task}), -EINVAL);
}

static void absurd_memory(void)
{
    static const size_t sizes[] = {SIZE_MAX, SIZE_MAX / 2, SIZE_MAX - 4096, (size_t)1 << 62, (size_t)1 << 50};
    for (unsigned i = 0; i < COUNT(sizes); i++) {
        int error = open_with((mortal_pool_options){.workers = 1, .inputs_bytes = sizes[i]});
        CHECK(error == -EINVAL || error == -ENOMEM || error == -EFBIG);
        error = open_with((mortal_pool_options){.workers = 1, .results_bytes = sizes[i]});
        CHECK(error == -EINVAL || error == -ENOMEM || error == -EFBIG);
    }
}

static void at_the_limits(void)
{
    CHECK_OK(open_with((mortal_pool_options){.workers = 0}));
    CHECK_OK(open_with((mortal_pool_options){.workers = 1, .standby = MORTAL_NONE, .queue_tasks = 1, .held_tasks = 1}));
    CHECK_OK(open_with((mortal_pool_options){.workers = 1, .queue_tasks = 1000000, .held_tasks = 1000000}));
    CHECK_OK(open_with((mortal_pool_options){.workers = 1, .standby = 64}));
    CHECK_OK(open_with((mortal_pool_options){.workers = 64, .workers_per_host = 64}));
    CHECK_OK(open_with((mortal_pool_options){.workers = 3, .workers_per_host = 2}));
    CHECK_OK(open_with((mortal_pool_options){.workers = 1, .name = "a name that is far too long to be kept whole"}));
    CHECK_OK(open_with((mortal_pool_options){.workers = 1, .name = ""}));
    CHECK_OK(open_with((mortal_pool_options){.workers = 1, .inputs_bytes = 4096, .results_bytes = 4096}));
    CHECK_OK(open_with((mortal_pool_options){.workers = 1, .start_ns = MORTAL_FOREVER}));
}

void test(void)
{
    beyond_the_limits();
    wrong_sizes_of_structures();
    absurd_memory();
    at_the_limits();
}
