/*
 * A host that is really killed, by SIGKILL, after any instruction of claiming, running and publishing a task, of sleeping
 * and starting, and buried by the supervisor's own code once the kernel says that it is dead, loses nothing. Nor does a
 * supervisor that is killed like that take back or falsify what was told; and a burial that it began, another ends.
 * Broken by: a picture of a crash that is none, a recovery that believes what only a living process could have finished.
 */
#include "stage/office.h"
#include "stage/sweep.h"
#include "stage/trap.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

/* Instructions per play before the kills in it, all together. In the long run kills come after each. */
enum { STEPS = 5000, STEPS_LONG = 300000, STEPS_OF_DEED = 5000 };

struct tally {
    unsigned long kills, waiting, claimed, begun, published;
};

/* Whether it was asked for, and for what, goes through all there is. */
static struct ending ending_for(const struct scene *scene, uint64_t number)
{
    static const enum sentence sentences[] = {SENTENCE_KILL, SENTENCE_KILL_RUNNING, SENTENCE_DEADLINE, SENTENCE_WITHIN};
    if (number % 3 != 0)
        return (struct ending){"a kill", sentences[number % 4], true, NO_WORKER};
    /* The neighbour was in the middle of its task: who was alone with that did it. */
    for (uint32_t slot = 1; slot < SLOTS; slot++)
        if (phase_is_running(word_phase(scene->before[slot])) && scene->stage->parts[slot].worker == ACTOR &&
            (scene->truth->entered[slot] || scene->truth->about_to_enter == slot + 1))
            return (struct ending){"a kill from outside", SENTENCE_NONE, false, NO_WORKER};
    return (struct ending){"a kill from outside", SENTENCE_NONE, false, NEIGHBOUR};
}

static void count(struct tally *tally, const struct scene *scene)
{
    enum slot_phase phase = word_phase(scene->before[TESTED_FIRST]);
    tally->kills++;
    tally->waiting += phase == SLOT_PENDING;
    tally->claimed += phase == SLOT_RUNNING && !scene->truth->entered[TESTED_FIRST];
    tally->begun += phase == SLOT_RUNNING && scene->truth->entered[TESTED_FIRST];
    tally->published += phase_has_ended(phase);
}

/* It is dead and not yet reaped: a sentence now is the same as one that came just before the kill. */
static bool bury_and_judge(struct sweep *sweep, pid_t host, uint64_t number, struct tally *tally)
{
    static struct undertaker supervisor;
    struct stage *stage = &sweep->stage;
    struct scene  scene = {.stage = stage, .region = &stage->owner, .truth = stage->truth, .fault = &sweep->fault};
    judge_note_words(&scene);
    count(tally, &scene);
    struct ending ending = ending_for(&scene, number);
    scene.ending = &ending;
    scene.death = (struct death){.cause = MORTAL_CAUSE_SIGNAL, .signal = SIGKILL, .asked = ending.asked};
    undertaker_open(&supervisor, scene.region);
    undertaker_condemn(&supervisor, stage, ending.sentence);
    undertaker_reap(&supervisor, host, ending.asked);
    return judge_leavings(&scene, &supervisor) && judge_fates(&scene) && judge_heir(&scene) && judge_bells(&scene) &&
           judge_queue(&scene);
}

/* False: it came to its end before. */
static bool kill_at(struct sweep *sweep, const struct play *play, uint64_t at, struct tally *tally)
{
    siginfo_t seen;
    fflush(NULL);
    pid_t host = fork();
    CHECK(host >= 0);
    if (host == 0) {
        (void)sweep_run(sweep, play, EVENT_DEATH, at);
        _exit(0);
    }
    CHECK_EQ(waitid(P_PID, (id_t)host, &seen, WEXITED | WNOWAIT), 0);
    if (seen.si_code == CLD_EXITED && seen.si_status == 0) {
        CHECK_EQ(waitpid(host, NULL, 0), host);
        return false;
    }
    CHECK_EQ(seen.si_code, CLD_KILLED);
    CHECK_EQ(seen.si_status, SIGKILL);
    if (!bury_and_judge(sweep, host, tally->kills, tally))
        harness_fail(__FILE__, __LINE__, "broken: %s: %s, killed after %llu: %s", sweep->fault.promise, play->name,
                     (unsigned long long)at, sweep->fault.detail);
    return true;
}

/* A supervisor in a child. Nobody follows it in truth: its pool is lost, but for what was told. */
static bool kill_office_at(struct office *office, const struct deed *deed, uint64_t at)
{
    int status;
    fflush(NULL);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        (void)office_run(office, deed, VISIT_DEATH, at);
        _exit(0);
    }
    CHECK_EQ(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return false;
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    office_check_after_death(office, deed);
    if (office->fault.promise != NULL)
        harness_fail(__FILE__, __LINE__, "broken: %s: %s, killed after %llu: %s", office->fault.promise, deed->name,
                     (unsigned long long)at, office->fault.detail);
    return true;
}

static unsigned long kill_supervisors(void)
{
    static struct office office;
    unsigned long kills = 0;
    office_open(&office);
    for (size_t i = 0; i < deed_count; i++) {
        if (deeds[i].has_children)
            continue;
        (void)office_run(&office, &deeds[i], VISIT_NONE, UINT64_MAX);
        uint64_t instructions = office_run(&office, &deeds[i], VISIT_NONE, UINT64_MAX);
        CHECK(office.fault.promise == NULL);
        uint64_t stride = instructions * instructions / 2 / (TEST_LONG ? STEPS_LONG : STEPS_OF_DEED) + 1, at = 1;
        for (; kill_office_at(&office, &deeds[i], at); at += stride)
            kills++;
        CHECK(at + stride > instructions / 2);
    }
    office_close(&office);
    return kills;
}

void test(void)
{
    static struct sweep sweep;
    struct tally        tally = {0};
    const char         *impossible = trap_impossible();
    if (impossible != NULL)
        SKIP(impossible);
    sweep_open(&sweep);
    for (size_t i = 0; i < play_count; i++) {
        (void)sweep_run(&sweep, &plays[i], EVENT_NONE, UINT64_MAX); /* whatever is done only once, in no child */
        uint64_t instructions = sweep_run(&sweep, &plays[i], EVENT_NONE, UINT64_MAX);
        uint64_t stride = instructions * instructions / 2 / (TEST_LONG ? STEPS_LONG : STEPS) + 1, at = 1 + i % stride;
        while (kill_at(&sweep, &plays[i], at, &tally))
            at += stride;
        (void)kill_at(&sweep, &plays[i], instructions - instructions / 50, &tally); /* when all is published */
        CHECK(at + stride > instructions / 2); /* where malloc goes another way it may be a little shorter */
    }
    CHECK(tally.waiting != 0 && tally.claimed != 0 && tally.begun != 0 && tally.published != 0);
    unsigned long of_supervisors = kill_supervisors();
    harness_note("real kills of supervisors: %lu", of_supervisors);
    harness_note("real kills of hosts: %lu: waiting %lu, claimed %lu, begun %lu, published %lu", tally.kills, tally.waiting,
                 tally.claimed, tally.begun, tally.published);
    harness_sum("real kills: %lu", tally.kills + of_supervisors);
    sweep_close(&sweep);
}
