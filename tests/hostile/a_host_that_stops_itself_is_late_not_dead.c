/*
 * A task that stops its own host is late, not dead: it is done when somebody continues it, and a kill ends it as well.
 * Others go on meanwhile.
 * Broken by: a death concluded from silence, or a kill that a stopped process can sit out.
 */
#include "hostile.h"

static int stop_oneself(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input_bytes;
    word_add(&(*(struct gate *const *)input)->arrived, 1);
    raise(SIGSTOP); /* and not the whole process by its id: then another thread may take the signal, and this one go on for a moment */
    word_add(&(*(struct gate *const *)input)->passed, 1);
    return 0;
}

static mortal_future stopped(mortal_pool *pool, struct gate *gate, pid_t *host)
{
    mortal_future future = submit_at(pool, stop_oneself, gate);
    word_await(&gate->arrived, 1);
    *host = host_of(future);
    POLL_UNTIL(state_of_process(*host) == 'T');
    return future;
}

/* Longer than it takes the supervisor to look around twice. */
static void let_it_be_late(mortal_pool *pool)
{
    uint64_t until = mortal_now_ns() + MS(1600);
    while (mortal_now_ns() < until)
        check_pool_works(pool);
}

void test(void)
{
    pid_t host;
    struct bystanders bystanders = bystanders_make();
    struct gate *gates = gates_make(2);
    mortal_pool *pool = pool_with(3);
    bystanders_begin(&bystanders, pool);
    mortal_future late = stopped(pool, &gates[0], &host);
    let_it_be_late(pool);
    CHECK_EQ(look_at(late).phase, MORTAL_RUNNING);
    CHECK_EQ(stats_of(pool).host_deaths, 0);
    CHECK_OK(kill(host, SIGCONT));
    CHECK_EQ(outcome_of(late), MORTAL_DONE);
    CHECK_EQ(atomic_load(&gates[0].passed), 1);

    mortal_future killed = stopped(pool, &gates[1], &host);
    CHECK_EQ(kill_and_read(killed), MORTAL_KILLED);
    CHECK(harness_process_gone(host));
    CHECK_EQ(atomic_load(&gates[1].passed), 0);
    bystanders_end(&bystanders);
    drain(pool);
    CHECK_EQ(harness_children(), 0);
}
