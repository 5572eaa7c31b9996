/*
 * Hosts whose start fails, since init or preload fails, crashes or hangs, are deaths too: after so many of them the
 * circuit breaker opens, who waits is told why, no further start is tried, and a mend tries again.
 * Broken by: failing starts that nobody hears of, that are counted twice, or that go on behind an open breaker.
 */
#include "tasks.h"

enum { DEATHS = 3 };

enum trouble { NO_TROUBLE, FAILS, CRASHES, HANGS, TROUBLES };

struct scene {
    word tries, trouble;
    struct gate gate;
};

static int prepare(const void *context, size_t context_bytes)
{
    (void)context_bytes;
    struct scene *scene = *(struct scene *const *)context;
    word_add(&scene->tries, 1);
    switch ((enum trouble)atomic_load(&scene->trouble)) {
    case FAILS:
        return 3;
    case CRASHES:
        abort();
    case HANGS:
        compute_for_ever();
    default:
        return 0;
    }
}

static void kill_the_host(mortal_pool *pool, struct gate *gate)
{
    atomic_store(&gate->arrived, 0);
    mortal_future endless = submit_at(pool, task_endless, gate);
    word_await(&gate->arrived, 1);
    CHECK_OK(mortal_future_kill(endless, 0, MORTAL_FOREVER, NULL));
}

/* The template is the supervisor's only child by that name. */
static void kill_the_template(mortal_pool *pool)
{
    char path[64], line[64], text[4096] = "";
    pid_t supervisor = supervisor_of(pool), killed = 0;
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)supervisor, (int)supervisor);
    FILE *file = fopen(path, "re");
    CHECK(file != NULL);
    CHECK(fgets(text, sizeof text, file) != NULL);
    fclose(file);
    for (char *at = text; *at != '\0' && *at != '\n';) {
        pid_t pid = (pid_t)strtol(at, &at, 10);
        at += strspn(at, " ");
        snprintf(path, sizeof path, "/proc/%d/comm", (int)pid);
        file = fopen(path, "re");
        if (file != NULL && fgets(line, sizeof line, file) != NULL && strncmp(line, "mortal-template", 15) == 0) {
            CHECK_OK(kill(pid, SIGKILL));
            killed = pid;
        }
        if (file != NULL)
            fclose(file);
    }
    CHECK(killed > 0);
    harness_wait_gone(killed);
}

static void check_trouble(bool in_preload, enum trouble trouble, const char *reason)
{
    struct scene *scene = harness_shared(sizeof *scene);
    mortal_pool *pool = pool_like((mortal_pool_options){
        .workers = 1, .standby = MORTAL_NONE, .deaths = DEATHS, .deaths_period_ns = MORTAL_FOREVER,
        .start_ns = trouble == HANGS ? MS(100) : 0, .init = in_preload ? NULL : prepare,
        .preload = in_preload ? prepare : NULL, .context = &scene, .context_bytes = sizeof scene});
    atomic_store(&scene->trouble, trouble);
    if (in_preload)
        kill_the_template(pool);
    kill_the_host(pool, &scene->gate);
    mortal_future pending = {0, 0};
    if (mortal_pool_submit(pool, task_nothing, NULL, 0, NULL, &pending) == 0) /* else it was open already */
        CHECK_ERR(mortal_future_wait(pending, MORTAL_FOREVER, NULL), -EHOSTDOWN);
    if (strstr(mortal_why(), reason) == NULL)
        harness_fail(__FILE__, __LINE__, "\"%s\" does not say \"%s\"", mortal_why(), reason);
    mortal_stats stats = stats_of(pool);
    CHECK_EQ(stats.breaker, 1);
    CHECK_EQ(atomic_load(&scene->tries), 1 + DEATHS + 1);
    /* A fork may have been asked of a template whose end was not known yet: nobody died. */
    uint64_t no_fork = stats.failed_starts - (DEATHS + 1);
    CHECK(no_fork == 0 || (in_preload && no_fork == 1));
    atomic_store(&scene->trouble, NO_TROUBLE);
    CHECK_OK(mortal_pool_mend(pool));
    check_pool_works(pool);
    if (pending.place != 0)
        CHECK_EQ(outcome_of(pending), MORTAL_DONE);
    CHECK_EQ(atomic_load(&scene->tries), 1 + DEATHS + 1 + 1);
    CHECK_EQ(stats_of(pool).breaker_opened, 1);
    drain(pool);
}

/* A host that works, and a standby that cannot be made: what runs goes on, and behind the open breaker nothing is
 * tried. */
static void check_standby(void)
{
    struct scene *scene = harness_shared(sizeof *scene);
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 1, .standby = 1, .deaths = DEATHS, .init = prepare,
                                                        .context = &scene, .context_bytes = sizeof scene});
    POLL_UNTIL(stats_of(pool).standby == 1);
    atomic_store(&scene->trouble, FAILS);
    kill_the_host(pool, &scene->gate);
    POLL_UNTIL(stats_of(pool).breaker == 1);
    CHECK_EQ(stats_of(pool).hosts, 1);
    harness_sleep_ms(100); /* the pause after the last failure */
    for (int turn = 0; turn < 2; turn++)
        CHECK_OK(mortal_pool_kill(pool, MORTAL_RUNNING, 0, MORTAL_FOREVER, NULL)); /* the supervisor looks around */
    harness_sleep_ms(50); /* long enough for another start to show */
    CHECK_EQ(atomic_load(&scene->tries), 2 + DEATHS + 1);
    CHECK_ERR(mortal_pool_submit(pool, task_nothing, NULL, 0, NULL, NULL), -EHOSTDOWN);
    CHECK_OK(mortal_pool_mend(pool));
    check_pool_works(pool); /* on the host that lived */
    POLL_UNTIL(stats_of(pool).breaker == 1);
    CHECK_EQ(stats_of(pool).breaker_opened, 2); /* the cause had not ended */
    end(pool);
}

void test(void)
{
    check_standby();
    check_trouble(false, FAILS, "since init failed: it returned a status other than 0");
    check_trouble(false, CRASHES, "since init ended its process");
    check_trouble(false, HANGS, "since init did not end within start_ns");
    check_trouble(true, FAILS, "since preload failed: it returned a status other than 0");
    check_trouble(true, CRASHES, "since preload ended its process");
    check_trouble(true, HANGS, "since preload did not end within start_ns");
}
