/*
 * What a cut task left to be done is done once, the last one first, and its verdict comes after that and says how it went:
 * while the supervisor does its part, whatever hosts and owner do meanwhile; and if the host that does it is killed, for
 * real, after any of its instructions. What that host had not returned from is told as crashed; the rest is done elsewhere.
 * Broken by: a verdict before the end of it, a clean-up that is done twice or forgotten, one that is told as done and was
 * not.
 */
#include "stage/leave.h"
#include "stage/office.h"
#include "stage/trap.h"

#include "system/clock.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define BIT(visit) (1u << (visit))
enum { STEPS = 20000, STEPS_LONG = 2000000, ALL = 1 | 4, LAST = 4 }; /* the clean-ups that are left; and the last one */

static const struct ending its_own_crash = {"its own crash", SENTENCE_NONE, false, ACTOR};

static struct supervisor *supervisor_of(struct office *office) { return &office->u.supervisor; }

static struct region *region_of(struct office *office) { return &office->stage.owner; }

/* A task that leaves all it can, and is in the middle; a neighbour, who left nothing; and one that waits. */
static void set_scene(struct office *office, uint32_t attempts)
{
    struct stage  *stage = &office->stage;
    struct worker *actor = &stage->workers[ACTOR];
    stage_submit(stage, 0, (struct part){.act = {.seed = 1}});
    CHECK_EQ(stage_claim(stage, LIFE, NEIGHBOUR, true), 0 + 1);
    stage_submit(stage, TESTED_FIRST, (struct part){.is_tested = true, .attempts = attempts, .watched = true, .group = GROUP});
    CHECK_EQ(stage_claim(stage, LIFE, ACTOR, true), TESTED_FIRST + 1);
    actor->task = (struct mortal_task){.worker = actor, .order = order_of(&stage->heritage.region, TESTED_FIRST),
                                       .slot = TESTED_FIRST,
                                       .word = atomic_load(claim_of(&stage->owner, TESTED_FIRST))};
    worker_settle(actor);
    leave(&actor->task, stage->truth);
    stage_unsettle(actor);
    CHECK_EQ(stage->truth->stands[TESTED_FIRST], ALL);
    stage_submit(stage, LATER, (struct part){.worker = ACTOR});
    office->death = judge_death_of(&its_own_crash);
}

static void prepare_single(struct office *office) { set_scene(office, 1); }
static void prepare_restartable(struct office *office) { set_scene(office, 2); }

static void bury(struct office *office)
{
    death_bury(supervisor_of(office), BERTH, &office->death);
    death_rally(supervisor_of(office));
}

/* Nothing is told of the task so far. */
static void check_unsettled(struct office *office)
{
    uint64_t word = atomic_load(claim_of(region_of(office), TESTED_FIRST));
    if (word != office->words[TESTED_FIRST] || office->told[TESTED_FIRST].is_told)
        (void)office_breach(office, promise_cleaned, "its word is %#llx, and clean-ups are left", (unsigned long long)word);
    if (supervisor_of(office)->unclean_count != 1)
        (void)office_breach(office, promise_cleaned, "%u tasks are to be cleaned up after",
                            supervisor_of(office)->unclean_count);
}

static void check_all(struct office *office)
{
    struct scene scene = {.stage = &office->stage, .region = region_of(office), .ending = &its_own_crash,
                          .death = office->death, .truth = office->stage.truth, .fault = &office->fault};
    memcpy(scene.before, office->words, sizeof scene.before);
    undertaker_clean(&office->u);
    if (!office->stage.parts[TESTED_FIRST].is_cast) { /* the owner knew its verdict, and let go of it */
        if (office->u.flaw != NULL || office->u.cleaned[TESTED_FIRST] != ALL)
            (void)office_breach(office, promise_cleaned, "its clean-ups %#x were run", office->u.cleaned[TESTED_FIRST]);
        return;
    }
    (void)(judge_leavings(&scene, &office->u) && judge_fates(&scene) && judge_queue(&scene));
}

static void check_burial(struct office *office)
{
    check_unsettled(office);
    check_all(office);
}

/* ---- the clean-ups, from the first to the last ---- */

static void prepare_cleaning(struct office *office)
{
    set_scene(office, 1);
    bury(office);
    undertaker_meet_cleaner(&office->u);
}

static void clean(struct office *office) { undertaker_clean(&office->u); }

/* ---- one that is over while the supervisor looks ---- */

static void answer(struct office *office)
{
    undertaker_run_errand(&office->u);
    office->has_published = true; /* it has said so */
}

static void prepare_look(struct office *office)
{
    prepare_cleaning(office);
    (void)cleanup_turn(supervisor_of(office), clock_ns());
    CHECK_EQ(office->u.hosts[CLEANER_BERTH].state, HOST_CLEANING);
    office->meanwhile = answer;
}

static void take_turn(struct office *office) { (void)cleanup_turn(supervisor_of(office), clock_ns()); }

/* Each was seen, or will be. */
static void check_look(struct office *office)
{
    const struct unclean *task = supervisor_of(office)->uncleans;
    check_unsettled(office);
    if (task->left != 2 && !(office->has_published && task->left == 1))
        (void)office_breach(office, promise_cleaned, "%u clean-ups are left", task->left);
    if (!office->has_published)
        undertaker_run_errand(&office->u);
    check_all(office);
}

static const struct deed cleaning[] = {
    {"a burial of one that left clean-ups", prepare_single, bury, check_burial,
     BIT(VISIT_CLAIM) | BIT(VISIT_RELEASE) | BIT(VISIT_SUBMIT), false, false},
    {"a burial of one that left clean-ups and may start again", prepare_restartable, bury, check_burial,
     BIT(VISIT_CLAIM) | BIT(VISIT_SUBMIT), false, false},
    {"all clean-ups", prepare_cleaning, clean, check_all, BIT(VISIT_CLAIM) | BIT(VISIT_RELEASE) | BIT(VISIT_SUBMIT), false,
     false},
    {"a look at a clean-up", prepare_look, take_turn, check_look, BIT(VISIT_OTHER) | BIT(VISIT_SUBMIT), false, false},
};

static void step_the_supervisor(struct office *office)
{
    for (size_t i = 0; i < sizeof cleaning / sizeof *cleaning && office->fault.promise == NULL; i++)
        office_sweep(office, &cleaning[i], TEST_LONG ? STEPS_LONG : STEPS);
    if (office->fault.promise != NULL)
        harness_fail(__FILE__, __LINE__, "broken: %s: %s: %s", office->fault.promise, office->where, office->fault.detail);
}

/* ---- the host that cleans up is killed ---------------------------------------------------------------------------- */

static struct life { /* of that host; shared */
    bool has_entered, has_left;
} *life;

static uint64_t death_at;

static int cleanup_of_test(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task;
    life->has_entered = true;
    CHECK(input_bytes != 0 && *(const uint8_t *)input == 2); /* the last one */
    life->has_left = true;
    return 0;
}

static void die_there(const struct trap *at, void *context)
{
    (void)context;
    if (at->count == death_at)
        kill(getpid(), SIGKILL);
}

static void run_cleanup(void *context)
{
    CHECK(cleanup_run(context));
}

/* False: it came to its end before. In a child: the clean-up that it was given, by the code of a real host. */
static bool is_killed(struct office *office, uint64_t at)
{
    static struct heritage heritage;
    static struct host host;
    static struct worker worker;
    int status;
    *life = (struct life){0};
    death_at = at;
    fflush(NULL);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        heritage.region = *region_of(office);
        CHECK_EQ(host_prepare(&host, &heritage, (struct host_place){.berth = CLEANER_BERTH, .life = CLEANER_LIFE}), 0);
        worker_prepare(&worker, &host, 0);
        (void)trap_run(run_cleanup, &worker, die_there, NULL);
        _exit(0);
    }
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 0) || (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL));
    return WIFSIGNALED(status);
}

/* It is dead: what it had done counts, and another does what is left. */
static void check_after(struct office *office, uint64_t at)
{
    const struct fate *fate = fate_of(region_of(office), TESTED_FIRST);
    const struct death death = {.cause = MORTAL_CAUSE_SIGNAL, .signal = SIGKILL, .culprit = NO_WORKER};
    bool was_told = atomic_load(&desk_of(region_of(office), CLEANER_LIFE, 0)->errand) != 0;
    if (was_told && !life->has_left)
        harness_fail(__FILE__, __LINE__, "killed after %llu: it says it is done, and had not returned", (unsigned long long)at);
    death_bury(supervisor_of(office), CLEANER_BERTH, &death);
    undertaker_end_cleaner(&office->u);
    check_unsettled(office);
    CHECK_EQ(supervisor_of(office)->uncleans[0].left, 1);
    undertaker_clean(&office->u);
    CHECK(office->u.flaw == NULL);
    CHECK_EQ(office->u.cleaned[TESTED_FIRST], ALL & ~LAST);
    CHECK_EQ(word_phase(atomic_load(claim_of(region_of(office), TESTED_FIRST))), SLOT_CRASHED);
    CHECK_EQ(fate->cleanup, was_told ? MORTAL_CLEANUP_DONE : MORTAL_CLEANUP_CRASHED);
    CHECK(office->fault.promise == NULL);
}

static void nothing(struct office *office) { (void)office; }

static void kill_the_host(struct office *office)
{
    static const struct deed deed = {"a host that cleans up", prepare_look, nothing, nothing, 0, false, false};
    unsigned long kills = 0, entered = 0, returned = 0, told = 0;
    life = harness_shared(sizeof *life);
    for (uint64_t at = 1;; at++) {
        (void)office_run(office, &deed, VISIT_NONE, UINT64_MAX);
        control_head(region_of(office))->errands[0].function = (uintptr_t)cleanup_of_test;
        if (!is_killed(office, at))
            break;
        kills++;
        entered += life->has_entered;
        returned += life->has_left;
        told += atomic_load(&desk_of(region_of(office), CLEANER_LIFE, 0)->errand) != 0;
        check_after(office, at);
    }
    CHECK(kills > entered && entered > returned && returned > told && told != 0);
    harness_note("real kills of hosts that clean up: %lu: in it %lu, after it %lu, told %lu", kills, entered - returned,
                 returned - told, told);
    harness_sum("real kills: %lu", kills);
}

void test(void)
{
    static struct office office;
    const char *impossible = trap_impossible();
    if (impossible != NULL)
        SKIP(impossible);
    office_open(&office);
    step_the_supervisor(&office);
    harness_note("of the supervisor: %llu, in which %llu verdicts were read", (unsigned long long)office.states,
                 (unsigned long long)office.verdicts);
    harness_sum("crash states: %llu", (unsigned long long)office.states);
    kill_the_host(&office);
    office_close(&office);
}
