/* deed.c - the supervisor's deeds: who dies, is condemned, taken over from, given out again */
#include "office.h"

#include "region/bell.h"
#include "region/queue.h"
#include "rival.h"
#include "system/clock.h"

#include <limits.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define SMALL {.seed = 1, .result_bytes = 24}
#define LARGE {.seed = 2, .result_bytes = 1000}
#define BIT(visit) (1u << (visit))

static struct supervisor *supervisor_of(struct office *office) { return &office->u.supervisor; }

static enum slot_phase phase_of(const struct office *office, uint32_t slot)
{
    return word_phase(atomic_load(claim_of(&office->stage.owner, slot)));
}

/* Results that are held, a task in its function and one that is claimed, one that waits, of one host. */
static void set_scene(struct office *office, uint32_t attempts)
{
    struct stage *stage = &office->stage;
    stage_submit(stage, 0, (struct part){.act = SMALL, .attempts = attempts});
    CHECK_EQ(stage_claim(stage, LIFE, NEIGHBOUR, true), 0 + 1);
    stage_submit(stage, HISTORY, (struct part){.act = LARGE, .worker = ACTOR, .group = GROUP});
    CHECK(worker_step(&stage->workers[ACTOR]));
    stage_submit(stage, TESTED_FIRST, (struct part){.act = LARGE, .is_tested = true, .attempts = attempts, .watched = true,
                                               .flags = ORDER_STAMPED});
    CHECK(rival_goes(stage, RIVAL_LEFT));
    stage->parts[TESTED_FIRST].worker = RIVAL;
    stage_submit(stage, TESTED_FIRST + 1, (struct part){.is_tested = true});
    CHECK_EQ(stage_claim(stage, LIFE, ACTOR, false), TESTED_FIRST + 2);
    stage_submit(stage, LATER, (struct part){.worker = ACTOR});
    stage_submit(stage, 1, (struct part){.worker = ACTOR});
    bell_say_idle(&stage->owner, OTHER_BERTH, 2);
}

/* What became of all, given the words as they were. Tasks that others took meanwhile are theirs. */
static void check_fates(struct office *office, const struct ending *ending)
{
    struct scene scene = {.stage = &office->stage, .region = &office->stage.owner, .ending = ending,
                          .death = office->death, .truth = office->stage.truth, .fault = &office->fault};
    memcpy(scene.before, office->words, sizeof scene.before);
    (void)(judge_fates(&scene) && judge_queue(&scene));
}

/* ---- a burial ------------------------------------------------------------------------------------------------- */

static const struct ending by_neighbour = {"a neighbour's crash", SENTENCE_NONE, false, NEIGHBOUR};

static void prepare_burial(struct office *office)
{
    set_scene(office, 2);
    office->death = judge_death_of(&by_neighbour);
}

static void bury(struct office *office) { undertaker_bury(&office->u, &office->death); }

static void check_burial(struct office *office)
{
    check_fates(office, &by_neighbour);
    if (office->visit != VISIT_NONE || office->fault.promise != NULL)
        return;
    struct scene scene = {.stage = &office->stage, .region = &office->stage.owner, .fault = &office->fault};
    memcpy(scene.before, office->words, sizeof scene.before);
    atomic_store(&control_head(scene.region)->requeued, 0); /* judged elsewhere: these have been claimed again */
    for (uint32_t slot = 0; slot < SLOTS; slot++)
        scene.before[slot] = atomic_load(claim_of(scene.region, slot));
    (void)judge_heir(&scene);
}

/* It died before it was more than a process: what its arena holds is of the host before. */
static void prepare_stillbirth(struct office *office)
{
    struct stage *stage = &office->stage;
    stage_submit(stage, HISTORY, (struct part){.act = LARGE, .worker = ACTOR, .group = GROUP});
    stage_submit(stage, TESTED_FIRST, (struct part){.worker = ACTOR});
    CHECK(worker_step(&stage->workers[ACTOR]) && worker_step(&stage->workers[ACTOR]));
    stage_submit(stage, LATER, (struct part){.worker = ACTOR});
    stage_submit(stage, TESTED_FIRST, (struct part){.worker = ACTOR}); /* again */
    office->u.hosts[BERTH].birth = 77;
    office->death = judge_death_of(&by_neighbour);
}

static void check_stillbirth(struct office *office)
{
    check_fates(office, &by_neighbour);
    if (atomic_load(&control_head(&office->stage.owner)->fate_tail) != 0)
        (void)office_breach(office, promise_told, "what another host did is told again");
}

/* ---- a child that really died --------------------------------------------------------------------------------- */

static const struct ending by_kill = {"a kill", SENTENCE_NONE, true, NO_WORKER};

static void prepare_reaping(struct office *office)
{
    set_scene(office, 2);
    siginfo_t seen;
    office->death = judge_death_of(&by_kill);
    office->child = fork();
    CHECK(office->child >= 0);
    if (office->child == 0) {
        kill(getpid(), SIGKILL);
        _exit(1);
    }
    CHECK_EQ(waitid(P_PID, (id_t)office->child, &seen, WEXITED | WNOWAIT), 0);
    office->u.hosts[BERTH].pid = office->child;
    office->u.hosts[BERTH].asked = true;
    atomic_store(&berth_of(&office->stage.owner, BERTH)->pid, office->child);
}

static void reap(struct office *office) { death_reap(supervisor_of(office)); }

static void check_reaping(struct office *office)
{
    check_fates(office, &by_kill);
    if (atomic_load(&control_head(&office->stage.owner)->deaths) != 1)
        (void)office_breach(office, promise_count, "one host died, and %llu are counted",
                            (unsigned long long)atomic_load(&control_head(&office->stage.owner)->deaths));
}

/* ---- kills ---------------------------------------------------------------------------------------------------- */

static void prepare_kill(struct office *office)
{
    set_scene(office, 1);
    office->u.hosts[BERTH].state = HOST_ACTIVE;
}

static void kill_running(struct office *office)
{
    condemn(supervisor_of(office), TESTED_FIRST, office->stage.parts[TESTED_FIRST].generation, SENTENCE_KILL);
}

/* Its host is doomed if and only if the kill came first. */
static void check_kill(struct office *office)
{
    const struct host_record *host = &office->u.hosts[BERTH];
    bool     is_first = phase_of(office, TESTED_FIRST) == SLOT_DYING;
    uint64_t kills = atomic_load(&control_head(&office->stage.owner)->kills);
    office->killed_first += is_first;
    office->ended_first += !is_first;
    if (is_first != (host->state == HOST_DYING) || is_first != host->asked || kills != is_first)
        (void)office_breach(office, promise_next, "its task %s, the host is %s, %llu kills", is_first ? "is taken" : "ended",
                            host->state == HOST_DYING ? "doomed" : "alive", (unsigned long long)kills);
    if (is_first && host->watches[RIVAL].sentence != SENTENCE_KILL)
        (void)office_breach(office, promise_decided, "nobody will know what it was killed for");
    if (is_first == office->has_published)
        (void)office_breach(office, promise_decided, "its end is %d", phase_of(office, TESTED_FIRST));
}

static void kill_waiting(struct office *office)
{
    condemn(supervisor_of(office), LATER, office->stage.parts[LATER].generation, SENTENCE_KILL);
}

static void check_cancel(struct office *office)
{
    bool is_taken = office->stage.parts[LATER].lives_on;
    enum slot_phase phase = phase_of(office, LATER);
    if (phase != (is_taken ? SLOT_DYING : SLOT_CANCELLED))
        (void)office_breach(office, promise_decided, "what waited is %d", phase);
    if (is_taken != (office->u.hosts[OTHER_BERTH].state == HOST_DYING) || office->u.hosts[BERTH].state == HOST_DYING)
        (void)office_breach(office, promise_next, "the wrong host is doomed");
}

/* One for a task that its slot had before, and one for all that had been submitted before the waiting ones. */
static void prepare_requests(struct office *office)
{
    prepare_kill(office);
    struct stage        *stage = &office->stage;
    struct control_head *control = control_head(&stage->owner);
    stage_submit(stage, LATEST, (struct part){.worker = ACTOR});
    stage_submit(stage, LATEST, (struct part){.worker = ACTOR}); /* another */
    control->requests[0] = (struct request){.kind = REQUEST_KILL_TASK, .slot = LATEST,
                                            .generation = stage->parts[LATEST].generation - 1};
    control->requests[1] = (struct request){.kind = REQUEST_KILL_RUNNING, .scope = 0,
                                            .before = stage->parts[TESTED_FIRST + 1].ticket};
    atomic_store(&control->request_tail, 2);
}

static void read_requests(struct office *office) { condemn_requests(supervisor_of(office)); }

static void check_requests(struct office *office)
{
    if (atomic_load(&control_head(&office->stage.owner)->requests_handled) != 2)
        (void)office_breach(office, promise_count, "not 2 requests are handled");
    if (phase_of(office, LATEST) != SLOT_PENDING)
        (void)office_breach(office, promise_next, "a late kill took slot %d", LATEST);
    if (phase_of(office, 0) != SLOT_DYING || phase_of(office, TESTED_FIRST + 1) != SLOT_RUNNING)
        (void)office_breach(office, promise_next, "running tasks are %d and %d", phase_of(office, 0),
                            phase_of(office, TESTED_FIRST + 1));
    if ((phase_of(office, TESTED_FIRST) == SLOT_DYING) == office->has_published)
        (void)office_breach(office, promise_decided, "its end is %d", phase_of(office, TESTED_FIRST));
}

/* ---- time ------------------------------------------------------------------------------------------------------ */

/* A deadline that is over, and one whose time to start is over. */
static void prepare_deadlines(struct office *office)
{
    prepare_kill(office);
    struct stage  *stage = &office->stage;
    struct region *r = &stage->owner;
    stage_submit(stage, LATEST, (struct part){.worker = ACTOR, .flags = ORDER_EXPIRES});
    order_of(r, TESTED_FIRST)->deadline_ns = 1;
    atomic_store(&control_head(r)->limits_unended, 2);
    atomic_store(&control_head(r)->expiry_floor_ns, 0);
}

static void check_time(struct office *office) { (void)deadline_check(supervisor_of(office), clock_ns() + 1000000000u); }

static void check_deadlines(struct office *office)
{
    if (phase_of(office, LATEST) != SLOT_EXPIRED)
        (void)office_breach(office, promise_ends, "what expired is %d", phase_of(office, LATEST));
    if (phase_of(office, TESTED_FIRST) == SLOT_DYING && office->u.hosts[BERTH].watches[RIVAL].sentence != SENTENCE_DEADLINE)
        (void)office_breach(office, promise_decided, "nobody will know what it was killed for");
    if ((phase_of(office, TESTED_FIRST) == SLOT_DYING) == office->has_published)
        (void)office_breach(office, promise_decided, "its end is %d", phase_of(office, TESTED_FIRST));
}

/* ---- returning ------------------------------------------------------------------------------------------------- */

static const uint32_t returned[] = {TESTED_FIRST + 2, TESTED_FIRST, TESTED_FIRST + 1}; /* in no order */
enum { RETURNED = 3 };

/* The cursor has passed them: an earlier host had claimed them all. */
static void prepare_return(struct office *office)
{
    struct stage *stage = &office->stage;
    for (uint32_t i = 0; i < RETURNED; i++) {
        stage_submit(stage, TESTED_FIRST + i, (struct part){.worker = ACTOR});
        CHECK_EQ(stage_claim(stage, LIFE, ACTOR, false), TESTED_FIRST + i + 1);
    }
    for (uint32_t i = 0; i < RETURNED; i++)
        atomic_store(claim_of(&stage->owner, TESTED_FIRST + i),
                     word_make(stage->parts[TESTED_FIRST + i].generation, SLOT_PENDING, 0, 0));
    stage_submit(stage, LATER, (struct part){.worker = ACTOR});
}

static void give_back(struct office *office)
{
    for (uint32_t i = 0; i < RETURNED; i++)
        death_return(supervisor_of(office), returned[i]);
    death_publish_returned(supervisor_of(office));
}

static void check_queue(struct office *office)
{
    struct scene scene = {.stage = &office->stage, .region = &office->stage.owner, .fault = &office->fault};
    (void)judge_queue(&scene);
}

/* A task waits where nobody looks, and the hints are nonsense. */
static void prepare_audit(struct office *office)
{
    prepare_return(office);
    struct region *r = &office->stage.owner;
    office->u.hosts[BERTH].state = HOST_ACTIVE;
    for (uint32_t i = 0; i < r->g.idle_words; i++) {
        atomic_store(idle_word(r, i), ~0ull);
        atomic_store(searching_word(r, i), ~0ull);
    }
    atomic_store(&claims_head(r)->deputy, 77);
}

static void look_around(struct office *office) { audit(supervisor_of(office)); }

static void check_audit(struct office *office)
{
    struct region *r = &office->stage.owner;
    for (uint32_t worker = 0; worker < WORKERS; worker++)
        if (atomic_load(bell_of(r, OTHER_BERTH, worker)) == 0)
            (void)office_breach(office, promise_rung, "worker %u was not rung", worker);
    check_queue(office);
}

/* ---- who comes next --------------------------------------------------------------------------------------------- */

static _Noreturn void no_host(struct heritage *heritage, struct host_place place)
{
    (void)heritage, (void)place;
    _exit(0);
}

/* A host is gone, a standby is there: that takes over, and another standby is made. */
static void prepare_vacancy(struct office *office)
{
    struct supervisor *s = supervisor_of(office);
    struct berth      *shared = berth_of(&office->stage.owner, BERTH);
    office->heritage = (struct heritage){.host_run = no_host, .start_ns = NEVER / 4};
    s->heritage = &office->heritage;
    s->quitting = false;
    s->ready = true;
    s->fresh_life = NEXT_LIFE;
    s->positions[0] = NO_POSITION;
    s->life_berth[LIFE] = 0;
    s->hosts[BERTH] = (struct host_record){.life = NO_LIFE, .position = NO_POSITION, .lost_worker = NO_WORKER,
                                           .watches = s->hosts[BERTH].watches};
    atomic_store(&shared->life, NO_LIFE);
    atomic_store(&shared->active, 0);
    stage_submit(&office->stage, LATER, (struct part){.worker = ACTOR});
}

static void prepare_no_standby(struct office *office)
{
    prepare_vacancy(office);
    struct supervisor *s = supervisor_of(office);
    struct berth      *shared = berth_of(&office->stage.owner, STANDBY_BERTH);
    s->hosts[STANDBY_BERTH].state = HOST_STARTING; /* and says that it is ready */
    s->hosts[STANDBY_BERTH].since_ns = clock_ns();
    atomic_store(&shared->active, 0);
    stage_say_ready(&office->stage, STANDBY_LIFE);
}

/* The standby that took over is replaced a moment later: here at once. */
static void fill(struct office *office)
{
    spawn_fill(supervisor_of(office));
    supervisor_of(office)->replenish_after = 1;
    spawn_fill(supervisor_of(office));
}

static void fill_when_ready(struct office *office)
{
    spawn_check_ready(supervisor_of(office));
    fill(office);
}

static void count_hosts(struct office *office, uint32_t want_active, uint32_t want_coming)
{
    struct supervisor         *s = supervisor_of(office);
    const struct control_head *control = control_head(s->region);
    uint32_t active = 0, coming = 0, standby = 0, seen[LIVES_MOST] = {0};
    for (uint32_t berth = 0; berth < s->region->g.berths; berth++) {
        const struct host_record *host = &s->hosts[berth];
        active += host->state == HOST_ACTIVE;
        standby += host->state == HOST_STANDBY;
        coming += host->state == HOST_STANDBY || host->state == HOST_STARTING;
        if (host->state == HOST_EMPTY)
            continue;
        if (seen[host->life]++ != 0 || s->life_berth[host->life] != berth + 1)
            (void)office_breach(office, promise_heir, "two hosts have life %u", host->life);
        if (host->state == HOST_ACTIVE && s->positions[host->position] != berth)
            (void)office_breach(office, promise_heir, "berth %u is not where it says", berth);
    }
    if (active != want_active || coming != want_coming)
        (void)office_breach(office, promise_heir, "%u hosts are active and %u standby or starting, and not %u and %u", active,
                            coming, want_active, want_coming);
    if (atomic_load(&control->hosts_ready) != active || atomic_load(&control->standby_ready) != standby)
        (void)office_breach(office, promise_count, "%u hosts and %u standby are told of", atomic_load(&control->hosts_ready),
                            atomic_load(&control->standby_ready));
}

static void check_filled(struct office *office)
{
    count_hosts(office, 2, 1);
    if (office->fault.promise == NULL)
        check_queue(office);
}

/* ---- arenas ----------------------------------------------------------------------------------------------------- */

/* Two dead hosts; in the arena of one lies a result that is held. */
static void prepare_lives(struct office *office)
{
    struct supervisor *s = supervisor_of(office);
    stage_submit(&office->stage, HISTORY, (struct part){.act = LARGE, .worker = ACTOR});
    CHECK(worker_step(&office->stage.workers[ACTOR]));
    s->fresh_life = office->stage.owner.g.lives;
    s->dead_lives[0] = LIFE;
    s->dead_lives[1] = NEXT_LIFE;
    s->dead_life_count = 2;
    s->life_berth[LIFE] = 0;
}

static void take_life(struct office *office) { office->life = lives_take(supervisor_of(office)); }

static void check_lives(struct office *office)
{
    bool is_held = office->stage.parts[HISTORY].is_cast;
    if (office->life != NEXT_LIFE && (is_held || office->life != LIFE))
        (void)office_breach(office, promise_held, "life %u is given out", office->life);
}

const struct deed deeds[] = {
    {"a burial", prepare_burial, bury, check_burial, BIT(VISIT_CLAIM) | BIT(VISIT_RELEASE) | BIT(VISIT_SUBMIT), false, true},
    {"a burial of one that never was ready", prepare_stillbirth, bury, check_stillbirth, BIT(VISIT_CLAIM), false, false},
    {"the reaping of a child", prepare_reaping, reap, check_reaping, BIT(VISIT_CLAIM), true, false},
    {"a kill of what runs", prepare_kill, kill_running, check_kill, BIT(VISIT_PUBLISH) | BIT(VISIT_CLAIM), false, false},
    {"a kill of what waits", prepare_kill, kill_waiting, check_cancel, BIT(VISIT_CLAIM) | BIT(VISIT_SUBMIT), false, false},
    {"requests, one of them late", prepare_requests, read_requests, check_requests,
     BIT(VISIT_PUBLISH) | BIT(VISIT_CLAIM), false, false},
    {"deadlines", prepare_deadlines, check_time, check_deadlines, BIT(VISIT_PUBLISH), false, false},
    {"a return of three", prepare_return, give_back, check_queue, BIT(VISIT_CLAIM) | BIT(VISIT_SUBMIT), false, false},
    {"an audit", prepare_audit, look_around, check_audit, BIT(VISIT_CLAIM) | BIT(VISIT_SUBMIT), false, false},
    {"a new host for one that is gone", prepare_vacancy, fill, check_filled,
     BIT(VISIT_CLAIM) | BIT(VISIT_SUBMIT), true, false},
    {"a host that is ready", prepare_no_standby, fill_when_ready, check_filled, BIT(VISIT_CLAIM), true, false},
    {"an arena for a new host", prepare_lives, take_life, check_lives, BIT(VISIT_RELEASE), false, false},
};
const size_t deed_count = sizeof deeds / sizeof *deeds;
