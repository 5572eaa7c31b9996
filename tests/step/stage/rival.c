#include "rival.h"

#include "system/clock.h"
#include "system/futex.h"
#include "trap.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <unistd.h>

enum { ORDER_NONE = 0, ORDER_GO, ORDER_END };
enum { STATE_IDLE = 0, STATE_THERE, STATE_GONE };

/* The thread is made before anything is stepped, since what is interrupted may be in the middle of making memory, and it
 * serves until the process ends. A forked child makes one for itself. */
static struct {
    struct stage    *stage;
    enum rival_point point;
    pid_t            process;
    _Atomic uint32_t order, state;
} rival;

static void say(_Atomic uint32_t *word, uint32_t value)
{
    atomic_store(word, value);
    futex_wake(word, INT_MAX);
}

static uint32_t wait_while(_Atomic uint32_t *word, uint32_t value)
{
    while (atomic_load(word) == value)
        futex_wait(word, value, NEVER);
    return atomic_load(word);
}

static bool is_there(const struct stage *stage, const struct trap *at)
{
    const struct desk *desk = desk_of(&stage->owner, LIFE, RIVAL);
    uint32_t           intent = atomic_load(&desk->intent);
    if (rival.point == RIVAL_DEPUTY)
        return at->waits != NULL && at->briefly;
    if (intent == 0)
        return false;
    uint64_t word = atomic_load(claim_of(&stage->owner, intent - 1));
    bool     runs = phase_is_running(word_phase(word)), is_its = word_life(word) == LIFE && (word_worker(word) & 3) == RIVAL;
    switch (rival.point) {
    case RIVAL_CLAIMED:
        return runs && is_its;
    case RIVAL_ENTERED:
        return runs && is_its && stage->truth->entered[intent - 1];
    case RIVAL_LEFT:
        return runs && is_its && stage->truth->left[intent - 1];
    default:
        return phase_has_ended(word_phase(word)) && is_its;
    }
}

static void after_instruction(const struct trap *at, void *context)
{
    const struct stage *stage = context;
    if (is_there(stage, at)) {
        say(&rival.state, STATE_THERE);
        (void)wait_while(&rival.order, ORDER_GO);
        trap_stop();
    }
    if (at->waits != NULL && at->waits == bell_of(&stage->heritage.region, BERTH, RIVAL))
        trap_rouse(EINTR); /* its berth says that it is retired */
}

static void body(void *context)
{
    struct worker *worker = &((struct stage *)context)->workers[RIVAL];
    if (rival.point == RIVAL_DEPUTY)
        worker_run(worker);
    else
        (void)worker_step(worker);
}

static void *thread(void *unused)
{
    for (;;) {
        (void)wait_while(&rival.order, ORDER_NONE);
        (void)trap_run(body, rival.stage, after_instruction, rival.stage);
        say(&rival.state, STATE_GONE);
        (void)wait_while(&rival.order, ORDER_GO);
        say(&rival.order, ORDER_NONE);
    }
    return unused;
}

void rival_ready(void)
{
    pthread_t id;
    if (rival.process == getpid())
        return;
    rival.process = getpid();
    atomic_store(&rival.order, ORDER_NONE);
    atomic_store(&rival.state, STATE_IDLE);
    CHECK_EQ(pthread_create(&id, NULL, thread, NULL), 0);
    CHECK_EQ(pthread_detach(id), 0);
}

bool rival_goes(struct stage *stage, enum rival_point point)
{
    rival.stage = stage;
    rival.point = point;
    atomic_store(&rival.state, STATE_IDLE);
    say(&rival.order, ORDER_GO);
    if (wait_while(&rival.state, STATE_IDLE) == STATE_THERE)
        return true;
    rival_ends(stage);
    return false;
}

void rival_ends(struct stage *stage)
{
    if (atomic_load(&rival.order) != ORDER_GO || rival.process != getpid())
        return;
    if (atomic_load(&rival.state) == STATE_THERE)
        atomic_store(&berth_of(&stage->owner, BERTH)->doomed, BERTH_RETIRED);
    atomic_fetch_add(bell_of(&stage->owner, BERTH, RIVAL), 1);
    say(&rival.order, ORDER_END);
    while (atomic_load(&rival.state) != STATE_GONE)
        futex_wait(&rival.state, STATE_THERE, NEVER);
    (void)wait_while(&rival.order, ORDER_END);
}
