/*
 * A task that has more processes than it may is ended, with all of them, and told why; as many as it may have it may
 * have, daemons count, and other tasks are not touched. A bomb that doubles is bounded.
 * Broken by: counting children only, or a kill that a bomb outruns.
 */
#include "tasks.h"

enum { MAY_HAVE = 10, SAFETY_S = 20, BOUND = 3000 };

/* Ends by itself in any case: a test that fails leaves no bomb. */
static _Noreturn void stay(void)
{
    alarm(SAFETY_S);
    for (;;)
        pause();
}

struct wish {
    word *made;
    uint32_t processes;
    bool as_daemons;
    bool is_too_many; /* it must be ended for it, however late that is noticed */
};

static int start_some(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input_bytes;
    const struct wish *wish = input;
    word *made = wish->made;
    for (uint32_t i = 0, most = wish->processes; i < most; i++) {
        bool as_daemon = wish->as_daemons;
        pid_t child = fork();
        if (child == 0) {
            if (as_daemon && (setsid() < 0 || fork() != 0))
                _exit(0);
            word_add(made, 1);
            stay();
        }
        if (child > 0 && as_daemon)
            waitpid(child, NULL, 0);
    }
    word_await(made, wish->processes);
    while (wish->is_too_many)
        pause();
    harness_sleep_ms(30); /* it would be ended if these were too many, in time as a rule */
    return 0;
}

/* Each process makes more of them, as fast as it can. */
static int bomb(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input_bytes;
    const struct wish *wish = input;
    word *made = wish->made;
    bool as_daemons = wish->as_daemons;
    for (;;) {
        if (atomic_fetch_add(made, 1) >= BOUND)
            stay();
        if (fork() == 0) {
            alarm(SAFETY_S);
            if (as_daemons)
                setsid();
        }
    }
}

static void check_ended(mortal_pool *pool, mortal_function *function, const void *input, size_t bytes)
{
    char text[200];
    mortal_verdict verdict = wait_for(submit(pool, function, input, bytes));
    CHECK_EQ(verdict.outcome, MORTAL_CRASHED);
    CHECK_EQ(verdict.cause, MORTAL_CAUSE_PROCESSES);
    CHECK_EQ(verdict.culprit, 1);
    mortal_verdict_text(&verdict, text, sizeof text);
    CHECK(strstr(text, "processes") != NULL);
    check_pool_works(pool);
}

void test(void)
{
    struct gate *gate = gates_make(1);
    word *made = harness_shared(8 * sizeof *made);
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 2, .processes = MAY_HAVE});
    CHECK((stats_of(pool).caps & MORTAL_CAPS_PROCESSES_WATCHED) != 0);
    mortal_future bystander = submit_at(pool, task_held, gate);
    word_await(&gate->arrived, 1);
    struct wish some = {&made[0], MAY_HAVE, false, false}, many = {&made[1], MAY_HAVE + 1, false, true},
                daemons = {&made[2], MAY_HAVE + 1, true, true};
    CHECK_EQ(outcome_of(submit(pool, start_some, &some, sizeof some)), MORTAL_DONE);
    CHECK_OK(mortal_pool_kill(pool, MORTAL_PENDING, 0, 0, NULL));
    check_ended(pool, start_some, &many, sizeof many);
    check_ended(pool, start_some, &daemons, sizeof daemons);
    struct wish bombs[] = {{&made[3], 0, false, true}, {&made[4], 0, true, true}};
    for (unsigned i = 0; i < COUNT(bombs); i++) {
        check_ended(pool, bomb, &bombs[i], sizeof bombs[i]);
        harness_note("a bomb that doubles%s made %u processes where %u are allowed", i == 0 ? "" : ", in sessions of their own,",
                     atomic_load(bombs[i].made), MAY_HAVE);
    }
    gate_open(gate);
    CHECK_EQ(outcome_of(bystander), MORTAL_DONE);
    drain(pool);

    pool = pool_like((mortal_pool_options){.workers = 1, .processes = MORTAL_NONE});
    struct wish one = {&made[5], 1, false, true};
    check_ended(pool, start_some, &one, sizeof one);
    drain(pool);
}
