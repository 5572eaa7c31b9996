/*
 * A task that waits for room for a part is ended there by a kill, a deadline, within_ns and the closing of its pool;
 * it hears that it was asked to stop, and that its future was released; without a time it waits as long as it was
 * told; and every part that was emitted before is kept.
 * Broken by: a wait that nothing ends but a part that is taken, a release that leaves somebody waiting for it.
 */
#include "parts.h"

enum { PART = 1000 };

struct scene {
    word full;      /* a part did not fit: the next call waits */
    word parts;     /* emitted */
    word heard;     /* what the waiting call returned, negated */
};

struct plan {
    struct scene *scene;
    uint64_t timeout_ns;
};

static int fill_and_wait(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input_bytes;
    struct plan plan = *(const struct plan *)input;
    static const char part[PART];
    while (mortal_task_emit(task, part, sizeof part, 0) == 0)
        word_add(&plan.scene->parts, 1);
    word_set(&plan.scene->full, 1);
    int error = mortal_task_emit(task, part, sizeof part, plan.timeout_ns);
    word_set(&plan.scene->heard, (uint32_t)-error);
    return error;
}

static mortal_future begin(mortal_pool *pool, struct scene *scene, uint64_t timeout_ns, mortal_task_options options)
{
    struct plan plan = {scene, timeout_ns};
    memset(scene, 0, sizeof *scene);
    mortal_future future = submit_like(pool, fill_and_wait, &plan, sizeof plan, options);
    word_await(&scene->full, 1);
    return future;
}

static void check_kept(mortal_future future, const struct scene *scene)
{
    mortal_part part;
    for (uint32_t i = 0; i < atomic_load(&scene->parts); i++)
        CHECK_EQ(part_of(future).bytes, PART);
    CHECK_ERR(mortal_future_next(future, LIMIT, &part), -ENOENT);
    CHECK_OK(mortal_future_release(future));
}

static void ended_by(mortal_pool *pool, struct scene *scene, mortal_task_options options, int outcome)
{
    mortal_future future = begin(pool, scene, MORTAL_FOREVER, options);
    if (outcome == MORTAL_KILLED)
        CHECK_OK(mortal_future_kill(future, 0, MORTAL_FOREVER, NULL));
    CHECK_EQ(outcome_of(future), outcome);
    CHECK_EQ(atomic_load(&scene->heard), 0);
    check_kept(future, scene);
}

static void told_by(mortal_pool *pool, struct scene *scene, uint64_t timeout_ns, int error)
{
    uint64_t soft = error == -ECANCELED ? MS(50) : 0;
    mortal_future future = begin(pool, scene, timeout_ns, (mortal_task_options){.soft_deadline_ns = soft});
    mortal_verdict verdict = wait_for(future);
    CHECK_EQ(verdict.outcome, MORTAL_FAILED);
    CHECK_EQ(verdict.status, error);
    check_kept(future, scene);
}

static void a_grace_is_heard(mortal_pool *pool, struct scene *scene)
{
    mortal_future future = begin(pool, scene, MORTAL_FOREVER, (mortal_task_options){.size = 0});
    mortal_verdict verdict;
    CHECK_OK(mortal_future_kill(future, LIMIT, MORTAL_FOREVER, &verdict));
    CHECK_EQ(verdict.outcome, MORTAL_FAILED);
    CHECK_EQ(verdict.status, -ECANCELED);
    check_kept(future, scene);
}

static void a_release_is_heard(mortal_pool *pool, struct scene *scene)
{
    mortal_future future = begin(pool, scene, MORTAL_FOREVER, (mortal_task_options){.size = 0});
    CHECK_OK(mortal_future_release(future));
    word_await(&scene->heard, 1);
    CHECK_EQ(atomic_load(&scene->heard), EPIPE);
    struct plan plan = {scene, MORTAL_FOREVER};
    memset(scene, 0, sizeof *scene);
    CHECK_OK(mortal_pool_submit(pool, fill_and_wait, &plan, sizeof plan, NULL, NULL)); /* released at once */
    word_await(&scene->heard, 1);
    CHECK_EQ(atomic_load(&scene->heard), EPIPE);
    CHECK_EQ(atomic_load(&scene->parts), 0);
}

static void room_is_heard(mortal_pool *pool, struct scene *scene)
{
    mortal_future future = begin(pool, scene, MORTAL_FOREVER, (mortal_task_options){.size = 0});
    uint32_t parts = atomic_load(&scene->parts);
    CHECK(parts > 2);
    for (uint32_t i = 0; i < parts + 1; i++)
        CHECK_EQ(part_of(future).bytes, PART);
    CHECK_EQ(outcome_of(future), MORTAL_DONE);
    CHECK_OK(mortal_future_release(future));
}

void test(void)
{
    struct scene *scene = harness_shared(sizeof *scene);
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 1, .stream_bytes = 8192});
    ended_by(pool, scene, (mortal_task_options){.size = 0}, MORTAL_KILLED);
    ended_by(pool, scene, (mortal_task_options){.deadline_ns = MS(50)}, MORTAL_TIMED_OUT);
    ended_by(pool, scene, (mortal_task_options){.within_ns = MS(1000)}, MORTAL_TIMED_OUT);
    told_by(pool, scene, 0, -EAGAIN);
    told_by(pool, scene, MS(5), -EAGAIN);
    told_by(pool, scene, MORTAL_FOREVER, -ECANCELED);
    a_grace_is_heard(pool, scene);
    a_release_is_heard(pool, scene);
    room_is_heard(pool, scene);
    (void)begin(pool, scene, MORTAL_FOREVER, (mortal_task_options){.size = 0});
    end(pool);
}
