/*
 * A group that is asked to tell of the parts of some of its tasks does: by its descriptor, which is readable exactly while
 * a part or a verdict can be taken, and by giving them, each task's in their order, also those of attempts that were cut.
 * Of tasks of which it was not asked it tells verdicts only.
 * Broken by: a part that rings nobody, an event loop that sleeps although one is there or spins although none is, a task
 * whose parts wait for another's end, a task that is still asked when it is gone.
 */
#include "parts.h"

#include <poll.h>

enum { MOST = 500, MANY = 3000, MANY_LONG = 100000, TASKS = 5 };

struct plan {
    uint32_t     seed, count, crashes; /* crashes: attempts that end in a crash when all was emitted */
    struct gate *gate; /* passed before the last one; null: none */
};

static int emit_all(mortal_task *task, const void *input, size_t input_bytes)
{
    struct plan plan = *(const struct plan *)input;
    (void)input_bytes;
    for (uint32_t i = 0; i < plan.count; i++) {
        if (i + 1 == plan.count && plan.gate != NULL)
            gate_pass(plan.gate);
        int error = emit_part(task, plan.seed, i, MOST, MORTAL_FOREVER);
        if (error != 0)
            return error;
    }
    if (mortal_task_attempt(task) <= plan.crashes)
        abort();
    return 0;
}

static bool is_readable(int fd, int timeout_ms)
{
    struct pollfd poller = {.fd = fd, .events = POLLIN};
    return poll(&poller, 1, timeout_ms) == 1;
}

/* Another process writes to it for hosts, and may do so after what it is about was taken. The next call silences it. */
static bool falls_silent(mortal_group *group, int fd)
{
    unsigned tries = 0;
    for (; is_readable(fd, 0) && tries < 100; tries++) {
        mortal_verdict verdict;
        int error = mortal_group_next(group, 0, &verdict);
        CHECK(error == -ETIMEDOUT || error == -ENOENT);
    }
    return tries < 100;
}

static mortal_future start(mortal_pool *pool, mortal_group *group, struct plan *plan)
{
    return submit_like(pool, emit_all, plan, sizeof *plan,
                       (mortal_task_options){.group = group, .tag = plan, .attempts = plan->crashes + 1});
}

static bool is_same(mortal_future a, mortal_future b) { return a.place == b.place && a.life == b.life; }

static mortal_part take(mortal_group *group, uint64_t timeout_ns)
{
    mortal_part part;
    CHECK_OK(mortal_group_next_part(group, timeout_ns, &part));
    return part;
}

static void expect(const mortal_part *part, mortal_future future, uint32_t number)
{
    CHECK(is_same(part->future, future));
    part_check(part, ((struct plan *)part->tag)->seed, number, MOST);
    CHECK_EQ(part->number, number);
}

static void readable_while_there_is_something(mortal_pool *pool, mortal_group *group, int fd, struct gate *gates)
{
    struct plan    plan = {.seed = 3, .count = 2, .gate = &gates[0]}, quiet = {.seed = 4, .count = 2, .gate = &gates[1]};
    mortal_part    part = {.number = 77};
    mortal_verdict verdict;
    mortal_future  future = start(pool, group, &plan), silent = start(pool, group, &quiet);
    word_await(&gates[0].arrived, 1); /* both have given one */
    word_await(&gates[1].arrived, 1);
    CHECK(falls_silent(group, fd));
    CHECK_ERR(mortal_group_next_part(group, MORTAL_FOREVER, &part), -ENOENT);
    CHECK_OK(mortal_group_stream(group, future));
    CHECK_OK(mortal_group_stream(group, future));
    CHECK(is_readable(fd, 0));
    CHECK(is_readable(fd, 0));
    CHECK_ERR(mortal_group_next(group, 0, &verdict), -ETIMEDOUT);
    CHECK(is_readable(fd, 0)); /* not until the part is taken */
    part = take(group, 0);
    expect(&part, future, 0);
    CHECK(falls_silent(group, fd));
    CHECK_ERR(mortal_group_next_part(group, 0, &part), -ETIMEDOUT);
    CHECK_ERR(mortal_group_next_part(group, MS(1), &part), -ETIMEDOUT);
    CHECK_EQ(part.number, 0);

    gate_open(&gates[1]); /* its parts are told of to nobody, its verdict is */
    CHECK(is_readable(fd, 60000));
    CHECK_OK(mortal_group_next(group, LIMIT, &verdict));
    CHECK(is_same(verdict.future, silent));
    CHECK(falls_silent(group, fd));
    CHECK_EQ(part_of(silent).number, 0);

    gate_open(&gates[0]);
    CHECK(is_readable(fd, 60000));
    part = take(group, LIMIT);
    expect(&part, future, 1);
    CHECK_ERR(mortal_group_next_part(group, LIMIT, &part), -ENOENT);
    CHECK_OK(mortal_group_next(group, LIMIT, &verdict));
    CHECK(is_same(verdict.future, future));
    CHECK(falls_silent(group, fd));
    CHECK_OK(mortal_future_release(future));
    CHECK_OK(mortal_future_release(silent));
}

/* All that there is to be heard is heard by the descriptor. */
static void an_event_loop(mortal_pool *pool, mortal_group *group, int fd)
{
    struct plan   plans[TASKS];
    mortal_future futures[TASKS];
    uint32_t      taken[TASKS] = {0}, ended = 0;
    for (unsigned i = 0; i < TASKS; i++) {
        plans[i] = (struct plan){.seed = 10 + i, .count = TEST_LONG ? MANY_LONG : MANY};
        futures[i] = start(pool, group, &plans[i]);
        CHECK_OK(mortal_group_stream(group, futures[i]));
    }
    for (bool is_over = false; !is_over;) {
        mortal_part    part;
        mortal_verdict verdict;
        int            parts, verdicts;
        CHECK(is_readable(fd, 60000));
        while ((parts = mortal_group_next_part(group, 0, &part)) == 0) {
            size_t who = (size_t)((struct plan *)part.tag - plans);
            expect(&part, futures[who], taken[who]++);
        }
        while ((verdicts = mortal_group_next(group, 0, &verdict)) == 0) {
            CHECK_EQ(verdict.outcome, MORTAL_DONE);
            ended++;
        }
        is_over = parts == -ENOENT && verdicts == -ENOENT;
        CHECK(is_over || parts == -ETIMEDOUT || verdicts == -ETIMEDOUT);
    }
    CHECK_EQ(ended, TASKS);
    for (unsigned i = 0; i < TASKS; i++) {
        CHECK_EQ(taken[i], plans[i].count);
        CHECK_OK(mortal_future_release(futures[i]));
    }
    CHECK(falls_silent(group, fd));
}

/* Who waits here sleeps and is woken; parts of attempts that crashed come too, and each task has its turn. */
static void a_sleeper(mortal_pool *pool, mortal_group *group)
{
    struct plan   plans[TASKS];
    mortal_future futures[TASKS];
    uint32_t      taken[TASKS] = {0};
    mortal_part   part;
    int           error;
    for (unsigned i = 0; i < TASKS; i++) {
        plans[i] = (struct plan){.seed = 20 + i, .count = 60, .crashes = i % 2 != 0 ? 2 : 0};
        futures[i] = start(pool, group, &plans[i]);
        CHECK_OK(mortal_group_stream(group, futures[i]));
    }
    while ((error = mortal_group_next_part(group, MORTAL_FOREVER, &part)) == 0) {
        size_t who = (size_t)((struct plan *)part.tag - plans);
        CHECK_EQ(part.attempt, taken[who] / 60 + 1);
        CHECK_EQ(part.number, taken[who]);
        part_check(&part, plans[who].seed, taken[who]++ % 60, MOST);
    }
    CHECK_EQ(error, -ENOENT);
    for (unsigned i = 0; i < TASKS; i++) {
        CHECK_EQ(taken[i], 60 * (plans[i].crashes + 1));
        CHECK_EQ(outcome_and_release(futures[i]), MORTAL_DONE);
    }
}

static void who_is_gone_is_not_asked(mortal_pool *pool, mortal_group *group, int fd, struct gate *gates)
{
    struct plan   plans[] = {{.seed = 30, .count = 2, .gate = &gates[0]}, {.seed = 31, .count = 2, .gate = &gates[1]}};
    mortal_future first = start(pool, group, &plans[0]), second = start(pool, group, &plans[1]);
    mortal_part   part;
    word_await(&gates[0].arrived, 1);
    word_await(&gates[1].arrived, 1);
    CHECK_OK(mortal_group_stream(group, first));
    CHECK_OK(mortal_group_stream(group, second));
    CHECK_OK(mortal_future_release(first));
    part = take(group, 0);
    expect(&part, second, 0);
    CHECK_ERR(mortal_group_next_part(group, 0, &part), -ETIMEDOUT);
    CHECK(falls_silent(group, fd));
    CHECK_OK(mortal_future_kill(second, 0, MORTAL_FOREVER, NULL));
    CHECK(is_readable(fd, 60000));
    CHECK_ERR(mortal_group_next_part(group, MORTAL_FOREVER, &part), -ENOENT);
    CHECK_OK(mortal_future_release(second));
    gate_open(&gates[0]);
}

/* One part, then the end of its host; the next attempt gives none. Input: two gates. */
static int emit_and_crash(mortal_task *task, const void *input, size_t input_bytes)
{
    struct gate *gates = *(struct gate *const *)input;
    (void)input_bytes;
    if (mortal_task_attempt(task) == 1) {
        CHECK_OK(emit_part(task, 50, 0, MOST, 0));
        gate_pass(&gates[0]);
        abort();
    }
    gate_pass(&gates[1]);
    return 0;
}

/* A host may die when a part is there and nobody was rung for it: so a death rings, also where the task starts again. */
static void a_death_is_heard(mortal_pool *pool, mortal_group *group, int fd, struct gate *gates)
{
    mortal_future  future = submit_like(pool, emit_and_crash, &gates, sizeof gates,
                                        (mortal_task_options){.group = group, .attempts = 2});
    mortal_part    part;
    mortal_verdict verdict;
    word_await(&gates[0].arrived, 1); /* before it is asked for: else the ring for the part may be later than its taking */
    CHECK_OK(mortal_group_stream(group, future));
    CHECK_EQ(take(group, 0).attempt, 1);
    CHECK(falls_silent(group, fd));
    gate_open(&gates[0]);
    word_await(&gates[1].arrived, 1);
    CHECK(is_readable(fd, 60000));
    CHECK_ERR(mortal_group_next_part(group, 0, &part), -ETIMEDOUT);
    CHECK(falls_silent(group, fd));
    gate_open(&gates[1]);
    CHECK_OK(mortal_group_next(group, LIMIT, &verdict));
    CHECK_EQ(verdict.attempts, 2);
    CHECK_ERR(mortal_group_next_part(group, LIMIT, &part), -ENOENT);
    CHECK_OK(mortal_future_release(future));
}

static void bad_ones(mortal_pool *pool, mortal_group *group, struct gate *gate)
{
    struct plan   plan = {.seed = 40, .count = 1, .gate = gate};
    mortal_group *other;
    mortal_part   part = {.number = 77};
    CHECK_OK(mortal_group_open(&other, pool));
    mortal_future alone = start(pool, NULL, &plan), future = start(pool, other, &plan);
    CHECK_ERR(mortal_group_stream(group, alone), -EINVAL);
    CHECK_ERR(mortal_group_stream(group, future), -EINVAL);
    CHECK(strstr(mortal_why(), "not one of that group") != NULL);
    CHECK_ERR(mortal_group_stream(NULL, future), -EINVAL);
    CHECK_ERR(mortal_group_stream(other, (mortal_future){0, 0}), -EINVAL);
    CHECK_ERR(mortal_group_next_part(other, 0, NULL), -EINVAL);
    CHECK_ERR(mortal_group_next_part(NULL, 0, &part), -EINVAL);
    CHECK_OK(mortal_group_stream(other, future));
    CHECK_OK(mortal_group_close(other));
    CHECK_ERR(mortal_group_next_part(other, 0, &part), -EINVAL);
    CHECK_ERR(mortal_group_stream(other, future), -EINVAL);
    CHECK_EQ(part.number, 77);
    gate_open(gate);
    CHECK_EQ(part_of(future).number, 0); /* it is as good as ever */
    CHECK_EQ(outcome_and_release(future), MORTAL_DONE);
    CHECK_EQ(outcome_and_release(alone), MORTAL_DONE);
    CHECK_ERR(mortal_group_stream(group, future), -ESTALE);
}

void test(void)
{
    struct gate  *gates = gates_make(7);
    mortal_pool  *pool = pool_like((mortal_pool_options){.workers = 2, .stream_bytes = 8192});
    mortal_group *group;
    int           fd;
    CHECK_OK(mortal_group_open(&group, pool));
    CHECK_OK(mortal_group_fd(group, &fd));
    readable_while_there_is_something(pool, group, fd, &gates[0]);
    an_event_loop(pool, group, fd);
    a_sleeper(pool, group);
    who_is_gone_is_not_asked(pool, group, fd, &gates[2]);
    bad_ones(pool, group, &gates[4]);
    a_death_is_heard(pool, group, fd, &gates[5]);
    drain(pool);
}
