/*
 * Between the decision to kill a task and the death of its host another reason may come up. A kill then ends a task for
 * good which its deadline alone would have let start again; what was final already stays as it is.
 * Broken by: a kill of a task that is dying which changes nothing. The task starts again, and the kill waits for it.
 */
#include "deaths.h"

#include "supervisor/state.h"

static struct region r;
static struct supervisor s;
static struct host_record host;
static struct watch watches[2];
static uint16_t life_berth[WORD_LIVES];

static const enum sentence sentences[] = {SENTENCE_KILL, SENTENCE_KILL_RUNNING, SENTENCE_DEADLINE, SENTENCE_WITHIN};

static bool is_final(enum sentence sentence)
{
    return sentence == SENTENCE_KILL || sentence == SENTENCE_WITHIN;
}

static enum sentence gravest(enum sentence first, enum sentence second)
{
    if (is_final(first) || is_final(second))
        return is_final(first) ? first : second;
    return first == SENTENCE_KILL_RUNNING ? first : second;
}

static enum slot_phase end_of(enum sentence sentence, bool begun, uint32_t attempts)
{
    switch (sentence) {
    case SENTENCE_KILL:
        return begun ? SLOT_KILLED : SLOT_CANCELLED;
    case SENTENCE_KILL_RUNNING:
        return begun ? SLOT_KILLED : SLOT_PENDING;
    case SENTENCE_WITHIN:
        return begun ? SLOT_TIMED_OUT : SLOT_EXPIRED;
    default:
        return begun && attempts == 1 ? SLOT_TIMED_OUT : SLOT_PENDING;
    }
}

/* A task that is claimed, and a host whose SIGKILL is on its way already: here it is no process. */
static void start(bool begun, uint32_t attempts)
{
    uint64_t word = word_make(GENERATION, SLOT_RUNNING, LIFE, WORKER);
    host = (struct host_record){.state = HOST_DYING, .life = LIFE, .asked = true, .lost_worker = NO_WORKER, .watches = watches};
    memset(watches, 0, sizeof watches);
    word_put(&r, SLOT, word);
    order_of(&r, SLOT)->attempts = attempts;
    atomic_store(&care_of(&r, SLOT)->charged, CARE_UNCHARGED);
    atomic_store(&desk_of(&r, LIFE, WORKER)->intent, SLOT + 1);
    atomic_store(&desk_of(&r, LIFE, WORKER)->begun, begun ? word : 0);
}

static void check_end(enum slot_phase expected)
{
    const struct death death = {.asked = true, .culprit = NO_WORKER};
    CHECK_EQ(word_phase(word_now(&r, SLOT)), SLOT_DYING);
    death_settle(&s, &host, &death);
    CHECK_EQ(word_phase(word_now(&r, SLOT)), expected);
}

static void check_pair(enum sentence first, enum sentence second, bool begun, uint32_t attempts)
{
    start(begun, attempts);
    condemn(&s, SLOT, GENERATION, first);
    condemn(&s, SLOT, GENERATION, second);
    check_end(end_of(gravest(first, second), begun, attempts));
    start(begun, attempts);
    condemn(&s, SLOT, GENERATION, first);
    condemn(&s, SLOT, GENERATION - 1, second); /* it means the task that was there before */
    check_end(end_of(first, begun, attempts));
}

/* A signal handler's kill finds its victims by their desks. */
static void check_kill_now(void)
{
    start(true, 2);
    condemn(&s, SLOT, GENERATION, SENTENCE_DEADLINE);
    uint64_t after_it = order_of(&r, SLOT)->ticket + 1;
    atomic_store(&control_head(&r)->now_running, after_it);
    condemn_requests(&s);
    check_end(SLOT_KILLED);
}

/* One that was claimed and has not begun waits again, unless what waits is meant by the same kill. */
static void check_scope(bool both)
{
    start(false, 1);
    uint64_t after_it = order_of(&r, SLOT)->ticket + 1;
    s.now_running_seen = 0;
    atomic_store(&control_head(&r)->now_pending, after_it);
    atomic_fetch_add(&control_head(&r)->now_kills, 1);
    atomic_store(&control_head(&r)->now_unended, both ? after_it : 0);
    atomic_store(&control_head(&r)->now_running, after_it);
    condemn_requests(&s);
    check_end(both ? SLOT_CANCELLED : SLOT_PENDING);
}

void test(void)
{
    region_make(&r, limits_of(8, 2, 2), LIFE + 1);
    s = (struct supervisor){.region = &r, .hosts = &host, .life_berth = life_berth};
    s.returned = calloc(RETURNED_ENTRIES, sizeof *s.returned);
    CHECK(s.returned != NULL);
    CHECK(r.g.berths != 0);
    r.g.berths = 1;
    life_berth[LIFE] = 1;
    for (size_t first = 0; first < COUNT(sentences); first++)
        for (size_t second = 0; second < COUNT(sentences); second++)
            for (uint32_t attempts = 1; attempts <= 2; attempts++) {
                check_pair(sentences[first], sentences[second], true, attempts);
                check_pair(sentences[first], sentences[second], false, attempts);
            }
    check_kill_now();
    check_scope(false);
    check_scope(true);
    free(s.returned);
    region_destroy(&r);
}
