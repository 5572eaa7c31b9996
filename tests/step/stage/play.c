#include "play.h"

#include "region/bell.h"
#include "rival.h"
#include "undertaker.h"

#include <signal.h>

#define SMALL {.seed = 1, .result_bytes = 24}
#define LARGE {.seed = 2, .result_bytes = 1000}
#define LEAVING {.seed = 14, .result_bytes = 8, .leaves = 1}

const struct play plays[] = {
    {"a task that answers nothing", TWIST_NONE, false, 1, {{.act = {.seed = 3}}}},
    {"a small result", TWIST_NONE, false, 1, {{.act = SMALL}}},
    {"the first result of a host", TWIST_NEW_HOST, false, 1, {{.act = SMALL}}},
    {"a large result, the first in its heap", TWIST_NONE, false, 1, {{.act = LARGE}}},
    {"a result that grows", TWIST_NONE, false, 1, {{.act = {.seed = 4, .result_bytes = 20, .resized_bytes = 700}}}},
    {"a result that outgrows its block", TWIST_NONE, false, 1, {{.act = {.seed = 6, .result_bytes = 200, .resized_bytes = 900}}}},
    {"a result that shrinks", TWIST_NONE, false, 1, {{.act = {.seed = 5, .result_bytes = 200, .resized_bytes = 30}}}},
    {"a task that fails", TWIST_NONE, false, 1, {{.act = {.seed = 6, .result_bytes = 8, .status = 3}}}},
    {"a failure without a result", TWIST_NONE, false, 1, {{.act = {.seed = 7, .status = -1}}}},
    {"a large input", TWIST_NONE, false, 1, {{.act = {.seed = 8, .input_bytes = 300, .result_bytes = 16}}}},
    {"a restartable task", TWIST_NONE, false, 1, {{.act = SMALL, .attempts = 3}}},
    {"its second attempt of three", TWIST_NONE, false, 1, {{.act = SMALL, .attempts = 3, .starts = 1}}},
    {"its last attempt", TWIST_NONE, false, 1, {{.act = SMALL, .attempts = 3, .starts = 2}}},
    {"a task with a deadline", TWIST_NONE, false, 1, {{.act = SMALL, .flags = ORDER_STAMPED}}},
    {"a task of a group, everybody asleep", TWIST_SLEEPERS, false, 1, {{.act = SMALL, .group = GROUP, .watched = true}}},
    {"a task that came back", TWIST_RETURNED, false, 1, {{.act = SMALL, .attempts = 2}}},
    {"a slot that had a large result before", TWIST_REUSED, false, 1, {{.act = LARGE}}},
    {"a heap full of released results", TWIST_FULL, false, 1, {{.act = {.seed = 9, .result_bytes = 2000}}}},
    {"a queue with dead entries", TWIST_DEAD, false, 1, {{.act = SMALL}}},
    {"three tasks in a row", TWIST_NONE, false, 3,
     {{.act = LARGE, .group = GROUP}, {.act = {.seed = 10}, .attempts = 2}, {.act = SMALL, .watched = true}}},
    {"an idle worker", TWIST_NONE, true, 0, {{.act = SMALL}}},
    {"an idle worker among brisk ones", TWIST_BRISK, true, 0, {{.act = SMALL}}},
    {"a worker that works, sleeps and is rung", TWIST_NONE, true, 1, {{.act = SMALL, .group = GROUP}}},
    {"a worker that sleeps among sleepers", TWIST_SLEEPERS, true, 1, {{.act = SMALL, .group = GROUP, .watched = true}}},
    {"a worker that sleeps as deputy", TWIST_BRISK, true, 1, {{.act = SMALL}}},
    {"a worker beside a deputy", TWIST_DEPUTY, true, 1, {{.act = SMALL, .attempts = 2}}},
    {"a worker of a standby that takes over", TWIST_STANDBY, true, 1, {{.act = SMALL}}},
    {"a task that leaves clean-ups and notes", TWIST_NONE, false, 1, {{.act = LEAVING, .flags = ORDER_SOFT}}},
    {"a restartable task that leaves clean-ups, after another", TWIST_LEFT, false, 1, {{.act = LEAVING, .attempts = 3}}},
    {"tasks of three priorities", TWIST_NONE, false, 3,
     {{.act = LARGE, .flags = ORDER_LOW}, {.act = {.seed = 10}, .attempts = 2, .flags = ORDER_HIGH}, {.act = SMALL}}},
    {"two of high priority, one of low", TWIST_NONE, false, 3,
     {{.act = SMALL, .attempts = 2, .flags = ORDER_HIGH}, {.act = SMALL, .attempts = 2, .flags = ORDER_HIGH},
      {.act = SMALL, .flags = ORDER_LOW}}},
    {"a task of low priority that came back", TWIST_RETURNED, false, 1, {{.act = SMALL, .attempts = 2, .flags = ORDER_LOW}}},
    {"an idle worker, one of high priority comes", TWIST_ASIDE, true, 0, {{.act = SMALL}}},
    {"a worker that ran one of low, one of high priority comes", TWIST_ASIDE, true, 1, {{.act = SMALL, .flags = ORDER_LOW}}},
    {"a worker from its first instruction on", TWIST_STARTING, true, 1, {{.act = {.seed = 13}}}},
};
const size_t play_count = sizeof plays / sizeof *plays;

static void run_one(struct stage *stage, uint32_t slot, struct act act)
{
    stage_submit(stage, slot, (struct part){.act = act, .worker = ACTOR});
    CHECK(worker_step(&stage->workers[ACTOR]));
    CHECK_EQ(stage->truth->left[slot], 1);
}

static void cancel(struct stage *stage, uint32_t slot)
{
    static struct undertaker undertaker;
    undertaker_open(&undertaker, &stage->owner);
    condemn(&undertaker.supervisor, slot, stage->parts[slot].generation, SENTENCE_KILL);
}

/* An earlier host had claimed it, died, and the supervisor put it into the table; its entry in the queue is passed. */
static void come_back(struct stage *stage, uint32_t slot)
{
    static struct undertaker undertaker;
    CHECK_EQ(stage_claim(stage, OTHER_LIFE, 1, false), slot + 1);
    stage->parts[slot].worker = ACTOR;
    stage->parts[slot].lives_on = false;
    atomic_store(claim_of(&stage->owner, slot), word_make(stage->parts[slot].generation, SLOT_PENDING, 0, 0));
    undertaker_open(&undertaker, &stage->owner);
    death_return(&undertaker.supervisor, slot);
    death_publish_returned(&undertaker.supervisor);
}

static void all_asleep(struct stage *stage)
{
    struct orders_head *orders = orders_head(&stage->owner);
    atomic_store(&orders->group_watch[GROUP - 1], GROUP_SLEEPERS);
    atomic_store(&orders->room_wanted, ROOM_IN_QUEUE | ROOM_FOR_INPUT);
    bell_say_idle(&stage->owner, OTHER_BERTH, 1);
    stage->workers[ACTOR].found = true; /* it was looking on behalf of the sleeper too */
}

static void before_the_tasks(struct stage *stage, enum twist twist)
{
    const struct act large = LARGE, leaving = LEAVING;
    if (twist == TWIST_REUSED)
        run_one(stage, TESTED_FIRST, large);
    if (twist == TWIST_LEFT)
        run_one(stage, EXTRA, leaving);
    if (twist == TWIST_FULL) {
        run_one(stage, EXTRA, (struct act){.seed = 11, .result_bytes = 4000});
        for (uint32_t slot = TESTED_FIRST + 1; slot <= TESTED_FIRST + 2; slot++) {
            run_one(stage, slot, (struct act){.seed = slot, .result_bytes = 2000});
            stage_release(stage, slot);
        }
    }
    if (twist == TWIST_DEAD) {
        stage_submit(stage, EXTRA, (struct part){.worker = ACTOR});
        cancel(stage, EXTRA);
        stage_submit(stage, TESTED_FIRST + 1, (struct part){.worker = ACTOR, .flags = ORDER_EXPIRES});
    }
}

bool play_takes_more(const struct play *play) { return play->lives; }

bool play_leaves(const struct play *play) { return play->tasks != 0 && play->parts[0].act.leaves != 0; }

void play_submit_more(struct stage *stage, const struct play *play)
{
    uint32_t flags = play->twist == TWIST_ASIDE ? ORDER_HIGH : 0;
    stage_submit(stage, LATEST, (struct part){.act = SMALL, .is_tested = true, .worker = ACTOR, .flags = flags});
    bell_call(&stage->owner);
}

void play_prepare(struct stage *stage, const struct play *play)
{
    rival_ready();
    stage_clear(stage);
    stage_host_enters(stage);
    if (play_leaves(play))
        worker_settle(&stage->workers[ACTOR]); /* what is left is left by a worker on its own thread */
    if (play->twist == TWIST_BRISK || play->twist == TWIST_DEPUTY)
        bell_note_pace(&stage->owner, true);
    if (play->twist == TWIST_DEPUTY)
        CHECK(rival_goes(stage, RIVAL_DEPUTY));
    stage_submit(stage, 0, (struct part){.act = SMALL});
    CHECK_EQ(stage_claim(stage, LIFE, NEIGHBOUR, true), 0 + 1);
    stage_submit(stage, 1, (struct part){.act = SMALL});
    CHECK_EQ(stage_claim(stage, OTHER_LIFE, 0, true), 1 + 1);
    if (play->twist != TWIST_NEW_HOST)
        run_one(stage, HISTORY, (struct act){.seed = 12, .result_bytes = 32});
    before_the_tasks(stage, play->twist);
    uint32_t later = 0; /* it comes last, whatever the others' priorities */
    for (uint32_t i = 0; i < play->tasks; i++) {
        struct part part = play->parts[i];
        part.is_tested = true;
        part.worker = ACTOR;
        stage_submit(stage, TESTED_FIRST + i, part);
        later |= part.flags & ORDER_LOW;
    }
    if (play->twist == TWIST_RETURNED)
        come_back(stage, TESTED_FIRST);
    if (play->tasks != 0)
        stage_submit(stage, LATER, (struct part){.worker = ACTOR, .flags = later});
    if (play->twist == TWIST_DEAD)
        stage_submit(stage, EXTRA, (struct part){.worker = ACTOR}); /* where the cancelled one was */
    if (play->twist == TWIST_SLEEPERS)
        all_asleep(stage);
    if (play->twist == TWIST_STANDBY)
        atomic_store(&berth_of(&stage->owner, BERTH)->active, 0);
}

void play_run(struct stage *stage, const struct play *play)
{
    struct worker *actor = &stage->workers[ACTOR];
    if (play->twist == TWIST_STARTING) {
        worker_prepare(actor, &stage->host, ACTOR);
        worker_settle(actor);
    }
    if (play->lives)
        worker_run(actor);
    if (play->twist == TWIST_STARTING)
        stage_unsettle(actor);
    if (play->lives)
        return;
    for (unsigned i = 0; i < play->tasks; i++)
        (void)worker_step(actor);
    if (play_leaves(play))
        stage_unsettle(actor);
}
