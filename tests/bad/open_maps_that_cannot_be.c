/*
 * An open map that makes no sense is an error with a reason and leaves nothing behind; so is a call of one that is closed, of
 * something that is none, of one whose pool is sealed or closed, and in a child. A pool that is closed takes its maps along.
 * Broken by: a size that wraps around, a handle that is believed, a buffer or a group that is left behind.
 */
#include "openmap.h"

static int nothing(mortal_task *task, const void *item, void *result)
{
    (void)task, (void)item, (void)result;
    return 0;
}

static int try(mortal_pool *pool, mortal_map_function *function, mortal_map_options options)
{
    mortal_map *map = (mortal_map *)pool;
    options.size = options.size != 0 ? options.size : sizeof options;
    int error = mortal_map_open(&map, pool, function, &options);
    CHECK(error != 0 && map == (mortal_map *)pool); /* untouched */
    CHECK(strncmp(mortal_why(), "mortal_map_open: ", 17) == 0); /* and not a call that it makes itself */
    return error;
}

/* Of its items, in the task's options. */
static void limits_that_items_cannot_have(mortal_pool *pool)
{
    mortal_buffer buffer;
    CHECK_OK(mortal_buffer_open(&buffer, pool, 4096, 0));
    const mortal_task_options tasks[] = {{.tag = pool},           {.within_ns = 1}, {.soft_deadline_ns = 1},
                                         {.soft_signal = SIGUSR1}, {.shield_ns = 1}, {.cpu_ns = SECONDS(1)},
                                         {.memory_bytes = 1 << 30, .attempts = 2, .more_memory_percent = 50},
                                         {.buffers = &buffer, .buffer_count = 1}};
    for (unsigned i = 0; i < COUNT(tasks); i++) {
        mortal_task_options task = tasks[i];
        task.size = sizeof task;
        CHECK_ERR(try(pool, nothing, (mortal_map_options){.task = &task}), -EINVAL);
        CHECK(strstr(mortal_why(), "mortal_map_open") != NULL && strstr(mortal_why(), "item") != NULL);
    }
    CHECK_OK(mortal_buffer_close(buffer));
}

static void refused(mortal_pool *pool)
{
    static char no_code[16];
    mortal_map_function *no_function = (mortal_map_function *)(uintptr_t)no_code; /* NOLINT(performance-no-int-to-ptr) */
    mortal_group *group;
    CHECK_ERR(mortal_map_open(NULL, pool, nothing, NULL), -EINVAL);
    CHECK_ERR(try(NULL, nothing, (mortal_map_options){0}), -EINVAL);
    CHECK_ERR(try(pool, NULL, (mortal_map_options){0}), -EINVAL);
    CHECK_ERR(try(pool, nothing, (mortal_map_options){.size = 3}), -EINVAL);
    CHECK_ERR(try(pool, nothing, (mortal_map_options){.window = (1 << 20) + 1}), -EINVAL);
    CHECK_ERR(try(pool, nothing, (mortal_map_options){.order = 2}), -EINVAL);
    CHECK_ERR(try(pool, nothing, (mortal_map_options){.item_bytes = SIZE_MAX}), -EINVAL);
    CHECK_ERR(try(pool, nothing, (mortal_map_options){.result_bytes = SIZE_MAX / 2}), -EINVAL);
    CHECK_ERR(try(pool, nothing, (mortal_map_options){.result_bytes = (size_t)1 << 38}), -ENOBUFS);
    CHECK_ERR(try(pool, no_function, (mortal_map_options){0}), -ENOEXEC);
    CHECK_OK(mortal_group_open(&group, pool));
    CHECK_OK(mortal_group_close(group));
    mortal_task_options task = {.size = sizeof task, .group = group};
    CHECK_ERR(try(pool, nothing, (mortal_map_options){.task = &task}), -EINVAL);
    task = (mortal_task_options){.size = sizeof task, .attempts = UINT32_MAX};
    CHECK_ERR(try(pool, nothing, (mortal_map_options){.task = &task}), -EINVAL);
    CHECK_EQ(stats_of(pool).buffers, 0);
}

static void call_all(mortal_map *map, int expected)
{
    mortal_map_entry entry;
    uint64_t item = 0;
    CHECK_ERR(mortal_map_put(map, &item, NULL, 0), expected);
    CHECK_ERR(mortal_map_next(map, 0, &entry), expected);
    CHECK_ERR(mortal_map_end(map), expected);
    CHECK_ERR(mortal_map_kill(map, MORTAL_UNENDED, 0, 0, NULL), expected);
    if (map != NULL)
        CHECK_ERR(mortal_map_close(map), expected);
}

static void bad_handles(mortal_pool *pool)
{
    mortal_map_options shape = {.item_bytes = 8, .window = 3};
    mortal_map *map = map_like(pool, nothing, shape), *closed = map_like(pool, nothing, shape);
    mortal_verdict verdict;
    mortal_group *group;
    CHECK_OK(mortal_map_close(closed));
    CHECK_OK(mortal_map_close(NULL));
    CHECK_OK(mortal_group_open(&group, pool));
    call_all(NULL, -EINVAL);
    call_all(closed, -EINVAL);
    call_all((mortal_map *)pool, -EINVAL);
    call_all((mortal_map *)group, -EINVAL);
    CHECK_ERR(mortal_group_next((mortal_group *)map, 0, &verdict), -EINVAL);
    CHECK_ERR(mortal_map_put(map, NULL, NULL, 0), -EINVAL);
    CHECK_ERR(mortal_map_next(map, 0, NULL), -EINVAL);
    CHECK_ERR(mortal_map_kill(map, 0, 0, 0, NULL), -EINVAL);
    pid_t child = fork();
    if (child == 0) {
        call_all(map, -EPERM);
        CHECK_ERR(try(pool, nothing, (mortal_map_options){0}), -EPERM);
        _exit(0);
    }
    int status = -1;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
    put_number(map, 5);
    CHECK_EQ(take(map).verdict.outcome, MORTAL_DONE);
    CHECK_OK(mortal_group_close(group));
    end_map(map);
}

static int hold(mortal_task *task, const void *item, void *result)
{
    (void)task, (void)result;
    word *gate;
    memcpy(&gate, item, sizeof gate);
    word_add(&gate[0], 1);
    word_await(&gate[1], 1);
    return 0;
}

/* What was put before goes on, and what is not taken, or does not end, goes with the pool. */
static void with_the_pool(word *gate)
{
    mortal_pool *pool = pool_with(1);
    mortal_map_entry entry;
    mortal_map *map = map_like(pool, hold, (mortal_map_options){.item_bytes = sizeof gate, .window = 5});
    for (unsigned i = 0; i < 3; i++)
        CHECK_OK(mortal_map_put(map, &gate, NULL, 0));
    word_await(&gate[0], 1);
    mortal_pool_seal(pool);
    CHECK_ERR(mortal_map_put(map, &gate, NULL, 0), -ESHUTDOWN);
    CHECK_ERR(mortal_map_next(map, 0, &entry), -ETIMEDOUT);
    end(pool);
    call_all(map, -EINVAL);
}

static void too_many(mortal_pool *pool)
{
    static mortal_map *maps[2000];
    unsigned open = 0;
    mortal_map_options shape = {.size = sizeof shape, .window = 1};
    int error = 0;
    while (open < COUNT(maps) && (error = mortal_map_open(&maps[open], pool, nothing, &shape)) == 0)
        open++;
    CHECK_ERR(error, -EMFILE);
    for (unsigned i = 0; i < open; i++)
        CHECK_OK(mortal_map_close(maps[i]));
    CHECK_EQ(stats_of(pool).buffers, 0);
}

void test(void)
{
    word *gate = harness_shared(2 * sizeof *gate);
    mortal_pool *pool = pool_with(1);
    refused(pool);
    limits_that_items_cannot_have(pool);
    bad_handles(pool);
    too_many(pool);
    mortal_pool_seal(pool);
    mortal_map *map = map_like(pool, nothing, (mortal_map_options){.window = 1});
    mortal_map_entry entry;
    CHECK_ERR(mortal_map_put(map, NULL, NULL, 0), -ESHUTDOWN);
    CHECK_ERR(mortal_map_next(map, MORTAL_FOREVER, &entry), -ENOENT);
    end_map(map);
    end(pool);
    with_the_pool(gate);
}
