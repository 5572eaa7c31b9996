/*
 * A task that calls what only the owner may call gets -EPERM, and the pool is not touched.
 * Broken by: a host that follows the owner's pointers and changes its own copy, or rings somebody.
 */
#include "tasks.h"

#include <pthread.h>

struct scene {
    mortal_pool *pool;
    mortal_group *group;
    mortal_future other;
    mortal_buffer buffer;
};

static int item_nothing(mortal_task *task, const void *item, void *result)
{
    (void)task, (void)item, (void)result;
    return 0;
}

static void pool_calls(struct scene *scene)
{
    mortal_pool *pool = NULL;
    mortal_group *group = NULL;
    mortal_map *map = NULL;
    mortal_stats stats;
    CHECK_ERR(mortal_pool_open(&pool, NULL), -EPERM);
    CHECK_ERR(mortal_pool_submit(scene->pool, task_nothing, NULL, 0, NULL, NULL), -EPERM);
    CHECK_ERR(mortal_pool_try_submit(scene->pool, task_nothing, NULL, 0, NULL, NULL), -EPERM);
    CHECK_ERR(mortal_pool_submit_many(scene->pool, NULL, 0, NULL, NULL, NULL), -EPERM);
    CHECK_ERR(mortal_pool_kill(scene->pool, MORTAL_UNENDED, 0, MORTAL_FOREVER, NULL), -EPERM);
    CHECK_ERR(mortal_pool_stats(scene->pool, &stats), -EPERM);
    CHECK_ERR(mortal_pool_mend(scene->pool), -EPERM);
    CHECK_ERR(mortal_pool_close(scene->pool, MORTAL_CLOSE_KILL, 0, NULL), -EPERM);
    CHECK_ERR(mortal_group_open(&group, scene->pool), -EPERM);
    CHECK_ERR(mortal_map_open(&map, scene->pool, item_nothing, NULL), -EPERM);
    mortal_pool_kill_now(scene->pool, MORTAL_UNENDED);
    mortal_pool_seal(scene->pool);
    CHECK(pool == NULL && group == NULL && map == NULL);
}

static void group_and_future_calls(struct scene *scene)
{
    mortal_verdict verdict;
    mortal_look look;
    mortal_part part;
    mortal_buffer_info info;
    int fd;
    CHECK_ERR(mortal_group_next(scene->group, 0, &verdict), -EPERM);
    CHECK_ERR(mortal_group_next_part(scene->group, 0, &part), -EPERM);
    CHECK_ERR(mortal_group_stream(scene->group, scene->other), -EPERM);
    CHECK_ERR(mortal_buffer_look(scene->buffer, &info), -EPERM);
    CHECK_ERR(mortal_group_fd(scene->group, &fd), -EPERM);
    CHECK_ERR(mortal_group_kill(scene->group, MORTAL_UNENDED, 0, 0, NULL), -EPERM);
    CHECK_ERR(mortal_group_close(scene->group), -EPERM);
    CHECK_ERR(mortal_future_wait(scene->other, MORTAL_FOREVER, &verdict), -EPERM);
    CHECK_ERR(mortal_future_look(scene->other, &look), -EPERM);
    CHECK_ERR(mortal_future_cancel(scene->other), -EPERM);
    CHECK_ERR(mortal_future_kill(scene->other, 0, 0, &verdict), -EPERM);
    CHECK_ERR(mortal_future_take(scene->other, MORTAL_FOREVER, &verdict, NULL, 0), -EPERM);
    CHECK_ERR(mortal_future_release(scene->other), -EPERM);
}

static void *call_everything(void *scene)
{
    pool_calls(scene);
    group_and_future_calls(scene);
    return NULL;
}

static int try_everything(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input_bytes;
    struct scene *scene = *(struct scene *const *)input;
    pthread_t thread;
    call_everything(scene);
    if (pthread_create(&thread, NULL, call_everything, scene) || pthread_join(thread, NULL))
        return 1;
    if (mortal_now_ns() == 0 || mortal_outcome_name(MORTAL_DONE) == NULL)
        return 2;
    return 0;
}

void test(void)
{
    struct gate *gate = gates_make(1);
    struct scene *scene = harness_shared(sizeof *scene);
    scene->pool = pool_with(2);
    CHECK_OK(mortal_group_open(&scene->group, scene->pool));
    CHECK_OK(mortal_buffer_open(&scene->buffer, scene->pool, 4096, 0));
    scene->other = submit_at(scene->pool, task_held, gate);
    word_await(&gate->arrived, 1);
    mortal_verdict verdict = wait_for(submit_at(scene->pool, try_everything, scene));
    CHECK_EQ(verdict.status, 0);
    CHECK_EQ(verdict.outcome, MORTAL_DONE);
    CHECK_EQ(look_at(scene->other).phase, MORTAL_RUNNING);
    gate_open(gate);
    CHECK_EQ(outcome_of(scene->other), MORTAL_DONE);
    check_pool_works(scene->pool);
    drain(scene->pool);
}
