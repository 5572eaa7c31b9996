/*
 * In a child forked by the owner every call on the pool returns -EPERM and changes nothing; the child may open its
 * own pool.
 * Broken by: a child that closes, kills or submits in its parent's pool, or whose exit takes the pool down.
 */
#include "tasks.h"

struct scene {
    mortal_pool *pool;
    mortal_group *group;
    mortal_future running, pending;
    mortal_buffer buffer;
};

static void the_pool_is_refused(struct scene *scene)
{
    mortal_group *group = NULL;
    mortal_stats stats;
    CHECK_ERR(mortal_pool_submit(scene->pool, task_nothing, NULL, 0, NULL, NULL), -EPERM);
    CHECK_ERR(mortal_pool_try_submit(scene->pool, task_nothing, NULL, 0, NULL, NULL), -EPERM);
    CHECK_ERR(mortal_pool_submit_many(scene->pool, NULL, 0, NULL, NULL, NULL), -EPERM);
    CHECK_ERR(mortal_pool_stats(scene->pool, &stats), -EPERM);
    CHECK_ERR(mortal_pool_mend(scene->pool), -EPERM);
    CHECK_ERR(mortal_pool_kill(scene->pool, MORTAL_UNENDED, 0, MORTAL_FOREVER, NULL), -EPERM);
    mortal_pool_kill_now(scene->pool, MORTAL_UNENDED);
    mortal_pool_seal(scene->pool);
    CHECK_ERR(mortal_group_open(&group, scene->pool), -EPERM);
    CHECK(group == NULL);
    CHECK_ERR(mortal_pool_close(scene->pool, MORTAL_CLOSE_KILL, 0, NULL), -EPERM);
}

static void group_and_futures_are_refused(struct scene *scene)
{
    mortal_verdict verdict;
    mortal_look look;
    mortal_part part;
    mortal_buffer_info info;
    int fd;
    CHECK_ERR(mortal_group_next(scene->group, 0, &verdict), -EPERM);
    CHECK_ERR(mortal_group_next_part(scene->group, 0, &part), -EPERM);
    CHECK_ERR(mortal_group_stream(scene->group, scene->running), -EPERM);
    CHECK_ERR(mortal_buffer_look(scene->buffer, &info), -EPERM);
    CHECK_ERR(mortal_group_fd(scene->group, &fd), -EPERM);
    CHECK_ERR(mortal_group_kill(scene->group, MORTAL_UNENDED, 0, MORTAL_FOREVER, NULL), -EPERM);
    CHECK_ERR(mortal_group_close(scene->group), -EPERM);
    CHECK_ERR(mortal_future_wait(scene->running, 0, &verdict), -EPERM);
    CHECK_ERR(mortal_future_look(scene->running, &look), -EPERM);
    CHECK_ERR(mortal_future_cancel(scene->pending), -EPERM);
    CHECK_ERR(mortal_future_kill(scene->running, 0, MORTAL_FOREVER, &verdict), -EPERM);
    CHECK_ERR(mortal_future_take(scene->running, 0, &verdict, NULL, 0), -EPERM);
    CHECK_ERR(mortal_future_release(scene->running), -EPERM);
}

static _Noreturn void be_a_child(struct scene *scene, bool in_a_grandchild)
{
    if (in_a_grandchild && fork() == 0)
        be_a_child(scene, false);
    the_pool_is_refused(scene);
    group_and_futures_are_refused(scene);
    mortal_pool *own = pool_with(1);
    check_pool_works(own);
    the_pool_is_refused(scene);
    drain(own);
    if (in_a_grandchild)
        wait(NULL);
    _exit(0);
}

void test(void)
{
    struct gate *gate = gates_make(1);
    void *place = gate;
    struct scene scene = {.pool = pool_with(1)};
    int status = 0;
    CHECK_OK(mortal_group_open(&scene.group, scene.pool));
    CHECK_OK(mortal_buffer_open(&scene.buffer, scene.pool, 4096, 0));
    mortal_task_options in_group = {.group = scene.group};
    scene.running = submit_like(scene.pool, task_held, &place, sizeof place, in_group);
    scene.pending = submit(scene.pool, task_echo, "still here", 11);
    word_await(&gate->arrived, 1);

    pid_t child = fork();
    if (child == 0)
        be_a_child(&scene, true);
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);

    CHECK_EQ(look_at(scene.running).phase, MORTAL_RUNNING);
    CHECK_EQ(look_at(scene.pending).phase, MORTAL_PENDING);
    gate_open(gate);
    CHECK_EQ(outcome_of(scene.running), MORTAL_DONE);
    CHECK_STR((const char *)wait_for(scene.pending).result, "still here");
    check_pool_works(scene.pool);
    drain(scene.pool);
}
