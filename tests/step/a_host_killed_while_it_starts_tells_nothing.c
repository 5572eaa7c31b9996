/*
 * A host that is cut after any instruction of its start, from its first one over its manners and the mapping of
 * its arena until it makes its sitter, tells nothing: what stands in the arena is an earlier host's and is not believed, or
 * is cleared. Its death touches no task. Looked at after each instruction, and with real kills in some places.
 * Broken by: a birth that is told before the record of the earlier host is gone.
 */
#include "region/notes.h"
#include "stage/leave.h"
#include "stage/office.h"
#include "stage/trap.h"
#include "system/clock.h"
#include "system/memory.h"
#include "system/sitter.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BIRTH = 77, KILLS = 4, KILLS_LONG = 400 };

static struct heritage heritage;
static uint64_t death_at;
static struct region seen; /* from outside: the host changes its own mappings */
static struct start {
    uint64_t instructions, born_at, wrong_at; /* wrong: the earlier host's record counted as this one's */
    bool     is_over;
} *start; /* shared */

/* An earlier host of this life ran tasks to their end, was asked for clean-ups and notes, and said why it died. */
static void prepare(struct office *office)
{
    struct stage  *stage = &office->stage;
    struct worker *actor = &stage->workers[ACTOR];
    worker_settle(actor);
    stage_submit(stage, HISTORY, (struct part){.act = {.seed = 1, .result_bytes = 1000, .leaves = 1}, .worker = ACTOR,
                                               .group = GROUP});
    CHECK(worker_step(actor));
    stage_unsettle(actor);
    struct host_head *head = host_head(&stage->heritage.region, LIFE);
    head->signal = SIGSEGV;
    atomic_store(&head->words, WORDS_SIGNAL);
    atomic_store(&head->ready, 1);
    atomic_store(&head->served, 2);
    stage_submit(stage, LATER, (struct part){.worker = ACTOR});
    office->u.hosts[BERTH].state = HOST_STARTING;
    office->u.hosts[BERTH].birth = BIRTH;
    office->u.hosts[BERTH].since_ns = clock_ns();
    office->u.supervisor.ready = true;
    office->u.supervisor.positions[0] = OTHER_BERTH; /* nobody is missed there */
}

static void nothing(struct office *office) { (void)office; }

static void start_host(void *unused)
{
    (void)unused;
    host_run(&heritage, (struct host_place){.berth = BERTH, .life = LIFE, .birth = BIRTH});
}

/* Is it its own, then nothing in it is another's. */
static bool is_cleared(const struct region *r)
{
    const struct host_head *head = host_head(r, LIFE);
    if (atomic_load(&head->birth) != BIRTH)
        return true;
    bool cleared = atomic_load(&head->words) == 0 && atomic_load(&head->ready) == 0 && atomic_load(&head->served) == 0;
    for (uint32_t worker = 0; worker < WORKERS; worker++) {
        const struct desk *desk = desk_of(r, LIFE, worker);
        cleared = cleared && atomic_load(&desk->intent) == 0 && atomic_load(&desk->begun) == 0 &&
                  atomic_load(&desk->log_tail) == 0 && atomic_load(&cleanups_of(r, LIFE, worker)->count) == 0 &&
                  atomic_load(&notes_of(r, LIFE, worker)->lines) == 0;
    }
    return cleared;
}

static void die_there(const struct trap *at, void *context)
{
    (void)context;
    start->instructions = at->count;
    if (start->born_at == 0 && atomic_load(&host_head(&seen, LIFE)->birth) == BIRTH)
        start->born_at = at->count;
    if (start->wrong_at == 0 && !is_cleared(&seen))
        start->wrong_at = at->count;
    start->is_over = at->next == (uintptr_t)sitter_start; /* which blocks all signals, traps too */
    if (at->count == death_at || start->is_over)
        kill(getpid(), SIGKILL);
}

static pid_t kill_after(struct office *office, uint64_t instructions)
{
    siginfo_t end;
    *start = (struct start){0};
    death_at = instructions;
    heritage = (struct heritage){.region = office->stage.owner, .supervisor_pid = getpid()};
    fflush(NULL);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        (void)trap_run(start_host, NULL, die_there, NULL);
        _exit(1);
    }
    CHECK_EQ(waitid(P_PID, (id_t)child, &end, WEXITED | WNOWAIT), 0);
    CHECK_EQ(end.si_code, CLD_KILLED);
    CHECK_EQ(end.si_status, SIGKILL);
    return child;
}

static void bury_and_check(struct office *office, pid_t child)
{
    struct supervisor    *s = &office->u.supervisor;
    const struct region  *r = &office->stage.owner;
    struct control_head  *control = control_head(r);
    const siginfo_t       info = {.si_code = CLD_KILLED, .si_status = SIGKILL};
    CHECK(is_cleared(r));
    spawn_check_ready(s);
    CHECK_EQ(office->u.hosts[BERTH].state, HOST_STARTING); /* it is not ready because an earlier one was */
    office->u.hosts[BERTH].pid = child;
    death_certified(s, BERTH, &info);
    CHECK_EQ(office->u.hosts[BERTH].state, HOST_EMPTY);
    CHECK_EQ(control->start_detail, DETAIL_NONE); /* the pool had opened */
    CHECK_EQ(atomic_load(&control->fate_tail), 0);
    for (uint32_t slot = 0; slot < SLOTS; slot++)
        CHECK_EQ(atomic_load(claim_of(r, slot)), office->words[slot]);
}

static void check_death(struct office *office, uint64_t at)
{
    static const struct deed deed = {"a start", prepare, nothing, nothing, 0, false, false};
    (void)office_run(office, &deed, VISIT_NONE, UINT64_MAX);
    bury_and_check(office, kill_after(office, at));
    while (waitpid(-1, NULL, 0) > 0) {
    }
    if (start->wrong_at != 0)
        harness_fail(__FILE__, __LINE__, "after instruction %llu an earlier host's record counts as this one's",
                     (unsigned long long)start->wrong_at);
}

void test(void)
{
    static struct office office;
    const char *impossible = trap_impossible();
    if (impossible != NULL)
        SKIP(impossible);
    start = harness_shared(sizeof *start);
    office_open(&office);
    const struct geometry *g = &office.stage.owner.g;
    seen = office.stage.owner;
    seen.answers = memory_map(seen.answers_fd, 0, g->lives * g->arena_bytes, false, NULL);
    CHECK(seen.answers != NULL);
    check_death(&office, UINT64_MAX); /* whatever is done only once */
    check_death(&office, UINT64_MAX);
    const struct start whole = *start;
    CHECK(whole.is_over && whole.born_at > 1 && whole.born_at < whole.instructions);
    for (uint64_t i = 0; i < 4; i++)
        check_death(&office, whole.born_at - 2 + i);
    unsigned kills = TEST_LONG ? KILLS_LONG : KILLS;
    for (uint64_t i = 0; i < kills; i++)
        check_death(&office, 1 + whole.instructions * i / kills);
    harness_note("of a host that starts: %llu, its birth told after %llu", (unsigned long long)whole.instructions,
                 (unsigned long long)whole.born_at);
    harness_sum("crash states: %llu", (unsigned long long)whole.instructions);
    harness_sum("real kills: %u", kills + 6);
    memory_unmap(seen.answers, g->lives * g->arena_bytes);
    office_close(&office);
}
