/*
 * preload runs once, before any host; init runs in each new host before its first task; both get a copy of the
 * context.
 * Broken by: a preload per host or per restart, a task that starts before init, a host that lacks what preload made.
 */
#include "tasks.h"

enum { WORKERS = 3, KILLS = 5 };

struct scene {
    word preloads, inits, early;
    struct gate gates[2 * WORKERS + KILLS];
};

struct context {
    struct scene *scene;
    char word[8];
};

static char *dictionary;       /* private memory: made by preload, inherited by hosts, never seen by the owner */
static pid_t prepared_process; /* where init ran */

static int make_dictionary(const void *context, size_t context_bytes)
{
    const struct context *given = context;
    if (context_bytes != sizeof *given || strcmp(given->word, "mortal") != 0)
        return 1;
    dictionary = strdup(given->word);
    if (atomic_load(&given->scene->inits))
        atomic_store(&given->scene->early, 1);
    atomic_fetch_add(&given->scene->preloads, 1);
    return 0;
}

static int prepare_host(const void *context, size_t context_bytes)
{
    const struct context *given = context;
    if (context_bytes != sizeof *given || !dictionary || strcmp(dictionary, given->word) != 0)
        return 1;
    prepared_process = getpid();
    atomic_fetch_add(&given->scene->inits, 1);
    return 0;
}

static int look_around(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input_bytes;
    if (prepared_process != getpid())
        return 1;
    gate_pass(*(struct gate *const *)input);
    return mortal_task_reply(task, dictionary, strlen(dictionary) + 1);
}

static void check_each_host(mortal_pool *pool, struct gate *gates)
{
    mortal_future futures[WORKERS];
    for (unsigned i = 0; i < WORKERS; i++)
        futures[i] = submit_at(pool, look_around, &gates[i]);
    for (unsigned i = 0; i < WORKERS; i++)
        word_await(&gates[i].arrived, 1);
    for (unsigned i = 0; i < WORKERS; i++) {
        gate_open(&gates[i]);
        mortal_verdict verdict = wait_for(futures[i]);
        CHECK_EQ(verdict.outcome, MORTAL_DONE);
        CHECK_STR((const char *)verdict.result, "mortal");
    }
}

void test(void)
{
    struct scene *scene = harness_shared(sizeof *scene);
    struct context context = {scene, "mortal"};
    mortal_pool_options options = {.workers = WORKERS, .preload = make_dictionary, .init = prepare_host};
    options.context = &context;
    options.context_bytes = sizeof context;
    mortal_pool *pool = pool_like(options);
    memset(&context, 0, sizeof context);
    CHECK(atomic_load(&scene->inits) >= 1);
    check_each_host(pool, scene->gates);
    CHECK(atomic_load(&scene->inits) >= WORKERS);

    for (unsigned i = 0; i < KILLS; i++) {
        struct gate *gate = &scene->gates[WORKERS + i];
        mortal_future future = submit_at(pool, look_around, gate);
        word_await(&gate->arrived, 1);
        CHECK_OK(mortal_future_kill(future, 0, MORTAL_FOREVER, NULL));
        CHECK_EQ(outcome_of(future), MORTAL_KILLED);
    }
    check_each_host(pool, &scene->gates[WORKERS + KILLS]);
    CHECK(atomic_load(&scene->inits) >= WORKERS + KILLS);
    CHECK_EQ(atomic_load(&scene->preloads), 1);
    CHECK_EQ(atomic_load(&scene->early), 0);
    CHECK(dictionary == NULL);
    drain(pool);
}
