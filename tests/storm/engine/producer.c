/* producer.c - a thread that submits tasks, aims kills at some of them, and takes all verdicts */
#include "storm.h"

#define SHORT    200000u
#define PATIENCE SECONDS(20) /* until a verdict: only a broken pool gets near it */

static bool hangs(const struct flight *flight)
{
    return flight->assignment.kind == KIND_HANG || flight->assignment.kind == KIND_BLOCK;
}

static enum kind draw_kind(struct dice *dice)
{
    static const uint8_t share[] = {
        [KIND_BARE] = 10, [KIND_FAST] = 20, [KIND_SLOW] = 12, [KIND_FAIL] = 5, [KIND_SMALL] = 10, [KIND_LARGE] = 6,
        [KIND_FORK] = 1, [KIND_CRASH] = 2, [KIND_EXIT] = 2, [KIND_HANG] = 6, [KIND_BLOCK] = 26,
    };
    uint32_t at = dice_below(dice, 100);
    unsigned kind = 0;
    while (at >= share[kind])
        at -= share[kind++];
    return (enum kind)kind;
}

static uint32_t draw_result_bytes(enum kind kind, struct dice *dice)
{
    uint32_t some = dice_below(dice, 500);
    switch (kind) {
    case KIND_BARE:
        return 0;
    case KIND_SMALL:
        return 24 + some * 8;
    case KIND_LARGE:
        return 4104 + some * 128;
    default:
        return 24 + (some % 2) * 8;
    }
}

static void draw_task(const struct producer *p, uint64_t number, struct assignment *a, struct plan *plan)
{
    const struct storm *storm = p->storm;
    struct dice dice = dice_for(storm->seed, 1 + p->index, number);
    enum kind kind = draw_kind(&dice);
    *a = (struct assignment){
        .scene = storm->scene, .serial = number, .seed = dice_mix(dice.state), .kind = (uint8_t)kind,
        .record = (uint16_t)(number % RECORDS), .producer = (uint8_t)p->index,
        .attempts = (uint8_t)(1 + dice_below(&dice, storm->shape->attempts)), .polite = dice_below(&dice, 2) == 0,
        .spin_ns = dice_below(&dice, 200000), .result_bytes = draw_result_bytes(kind, &dice),
        .payload_bytes = dice_below(&dice, 4) ? 0 : dice_below(&dice, PAYLOAD_MOST),
    };
    static const uint8_t acts[] = {ACT_KILL, ACT_KILL, ACT_KILL_RUNNING, ACT_KILL_RUNNING, ACT_KILL_OLDER, ACT_KILL_OLDER,
                                   ACT_GRACE, ACT_CANCEL, ACT_GROUP, ACT_OUTSIDE};
    *plan = (struct plan){
        .act = dice_below(&dice, 2) ? acts[dice_below(&dice, COUNT(acts))] : ACT_NONE,
        .delay_ns = dice_below(&dice, 3) ? dice_below(&dice, 100000) : 0, .grace_ns = 1 + dice_below(&dice, 300000),
        .back = 1 + dice_below(&dice, WINDOW / 2), .in_group = dice_below(&dice, 3) == 0, .may_wait = dice_below(&dice, 4) == 0,
        .within_ns = dice_below(&dice, 24) ? 0 : 1 + dice_below(&dice, 3000000),
    };
    if (dice_below(&dice, 3) == 0 && (kind == KIND_HANG || kind == KIND_BLOCK || kind == KIND_SLOW))
        plan->deadline_ns = 1 + dice_below(&dice, 2000000);
    if (storm->shape->priorities) /* half of them normal */
        a->priority = dice_below(&dice, 2) == 0 ? MORTAL_PRIORITY_NORMAL
                                                : dice_below(&dice, 2) == 0 ? MORTAL_PRIORITY_LOW : MORTAL_PRIORITY_HIGH;
    if (plan->act == ACT_OUTSIDE && storm->shape->aimed) /* it hits whoever runs there when it arrives */
        plan->act = ACT_KILL_RUNNING;
}

static void close_flight(struct producer *p, struct flight *flight)
{
    int error = mortal_future_release(flight->future);
    if (error != 0)
        storm_fault(p->storm, "a release got %s", harness_error_name(error));
    flight->flying = false;
}

static void take(struct producer *p, struct flight *flight, const mortal_verdict *verdict)
{
    judge_verdict(p, flight, verdict);
    if (!flight->plan.in_group) /* else its group has still to tell of it */
        close_flight(p, flight);
}

static struct flight *flight_of(struct producer *p, const mortal_verdict *verdict)
{
    for (unsigned i = 0; i < WINDOW; i++)
        if (&p->window[i] == verdict->tag && p->window[i].flying && p->window[i].plan.in_group)
            return &p->window[i];
    return NULL;
}

/* One verdict of the group. False: none came. */
static bool take_from_group(struct producer *p, uint64_t timeout_ns)
{
    mortal_verdict verdict = {0};
    int error;
    AGAIN(error, mortal_group_next(p->group, timeout_ns, &verdict));
    if (error == -ETIMEDOUT || error == -ENOENT)
        return false;
    struct flight *flight = error == 0 ? flight_of(p, &verdict) : NULL;
    if (flight == NULL || verdict.future.life != flight->future.life) {
        storm_fault(p->storm, "a group told of a task that it does not have: %s", harness_error_name(error));
        return false;
    }
    judge_verdict(p, flight, &verdict);
    close_flight(p, flight);
    return true;
}

static void kill_flight(struct producer *p, struct flight *flight, uint64_t grace_ns)
{
    mortal_verdict verdict = {0};
    mortal_look look = {0};
    int error;
    if (!flight->flying || flight->judged)
        return;
    flight->named = true;
    CHECK_OK(mortal_future_look(flight->future, &look));
    AGAIN(error, mortal_future_kill(flight->future, grace_ns, MORTAL_FOREVER, &verdict));
    if (error != 0) {
        storm_fault(p->storm, "a kill got %s: %s", harness_error_name(error), mortal_why());
        return;
    }
    bool had_returned = atomic_load(&p->storm->scene->records[p->index][flight->assignment.record].ends) != 0;
    p->hits.of[hit_of(look.phase, verdict.outcome, had_returned)]++;
    take(p, flight, &verdict);
}

/* Tasks that never return may keep every worker, and nobody else may be there to kill them. */
static void lose_patience(struct producer *p)
{
    for (unsigned i = 0; i < WINDOW; i++) {
        struct flight *flight = &p->window[i];
        mortal_look look = {0};
        if (!flight->flying || flight->judged || !hangs(flight))
            continue;
        CHECK_OK(mortal_future_look(flight->future, &look));
        if (look.phase == MORTAL_RUNNING)
            kill_flight(p, flight, 0);
    }
}

static void tell_missing(struct producer *p, const struct flight *flight)
{
    mortal_look look = {0};
    mortal_stats stats = {0};
    (void)mortal_pool_stats(p->storm->pool, &stats);
    (void)mortal_future_look(flight->future, &look);
    storm_fault(p->storm, "task %u/%llu (kind %d, act %d, phase %d%s%s) has no verdict; %llu pending, %llu running, %u hosts, %u "
                "standby, %u dying", p->index, (unsigned long long)flight->assignment.serial, flight->assignment.kind,
                flight->plan.act, look.phase, flight->plan.in_group ? ", of a group" : "", flight->judged ? ", judged" : "",
                (unsigned long long)stats.pending, (unsigned long long)stats.running, stats.hosts, stats.standby, stats.dying);
}

static void settle(struct producer *p, struct flight *flight)
{
    uint64_t until = mortal_now_ns() + (p->storm->shape->planted ? PATIENCE / 10 : PATIENCE);
    while (flight->flying && !atomic_load(&p->storm->gave_up)) {
        mortal_verdict verdict = {0};
        int error = -ETIMEDOUT;
        if (!flight->plan.in_group)
            AGAIN(error, mortal_future_wait(flight->future, SHORT, &verdict));
        else if (take_from_group(p, SHORT))
            continue;
        if (error == 0) {
            take(p, flight, &verdict);
        } else if (error != -ETIMEDOUT) {
            storm_fault(p->storm, "a wait got %s: %s", harness_error_name(error), mortal_why());
            flight->flying = false;
        } else {
            lose_patience(p);
        }
        if (mortal_now_ns() > until && flight->flying) {
            tell_missing(p, flight);
            atomic_store(&p->storm->gave_up, true);
        }
    }
}

static void settle_all(struct producer *p)
{
    for (uint64_t i = 0; i < WINDOW; i++)
        settle(p, &p->window[(p->next + i) % WINDOW]);
}

static bool hand_in(struct producer *p, struct flight *flight)
{
    uint8_t input[sizeof(struct assignment) + PAYLOAD_MOST];
    struct assignment *a = &flight->assignment;
    const struct plan *plan = &flight->plan;
    mortal_task_options options = {
        .size = sizeof options, .group = plan->in_group ? p->group : NULL, .tag = flight, .within_ns = plan->within_ns,
        .deadline_ns = plan->deadline_ns, .attempts = a->attempts,
        .priority = a->priority,
    };
    load_payload(a, input + sizeof *a);
    a->sum = load_sum(input + sizeof *a, a->payload_bytes);
    memcpy(input, a, sizeof *a);
    bool waits = plan->may_wait && !p->storm->shape->aimed; /* who waits takes no verdicts, and kills nobody */
    for (unsigned turn = 0;; turn++) {
        int error;
        AGAIN(error, waits ? mortal_pool_submit(p->storm->pool, load_task, input, sizeof *a + a->payload_bytes, &options,
                                                &flight->future)
                           : mortal_pool_try_submit(p->storm->pool, load_task, input, sizeof *a + a->payload_bytes, &options,
                                                    &flight->future));
        if (error == 0)
            return true;
        if (error != -EAGAIN) {
            storm_fault(p->storm, "a submit got %s: %s", harness_error_name(error), mortal_why());
            return false;
        }
        if (atomic_load(&p->storm->gave_up))
            return false;
        for (uint64_t i = 1; i < WINDOW; i++) /* the oldest one that is still on its way */
            if (p->window[(p->next + i) % WINDOW].flying) {
                settle(p, &p->window[(p->next + i) % WINDOW]);
                break;
            }
        storm_rest(10000);
    }
}

static struct flight *launch(struct producer *p)
{
    struct flight *flight = &p->window[p->next % WINDOW];
    settle(p, flight);
    if (flight->flying)
        return NULL;
    struct record *record = &p->storm->scene->records[p->index][p->next % RECORDS];
    *flight = (struct flight){0};
    draw_task(p, p->next, &flight->assignment, &flight->plan);
    judge_record(p, flight->assignment.record);
    p->said[flight->assignment.record].serial = 0;
    atomic_store(&record->begins, 0);
    atomic_store(&record->ends, 0);
    atomic_store(&record->beats, 0);
    atomic_store(&record->serial, p->next);
    p->next++;
    if (!hand_in(p, flight))
        return NULL;
    flight->flying = true;
    p->submitted++;
    return flight;
}

/* Until it runs, or has ended, or it takes too long. */
static mortal_look await_start(const struct flight *flight)
{
    mortal_look look = {0};
    for (unsigned turn = 0; turn < 10 && look.phase != MORTAL_RUNNING && look.phase != MORTAL_ENDED; turn++) {
        storm_rest(turn * 5000);
        CHECK_OK(mortal_future_look(flight->future, &look));
    }
    return look;
}

static bool is_still_its_host(pid_t pid, const void *what)
{
    mortal_look look = {0};
    return mortal_future_look(((const struct flight *)what)->future, &look) == 0 && look.phase == MORTAL_RUNNING &&
           look.host == pid;
}

static void kill_group(struct producer *p, const struct plan *plan)
{
    int error;
    for (unsigned i = 0; i < WINDOW; i++)
        p->window[i].named = p->window[i].named || (p->window[i].flying && p->window[i].plan.in_group);
    AGAIN(error, mortal_group_kill(p->group, 1 + (int)(plan->back % 3), plan->delay_ns ? 0 : plan->grace_ns, MORTAL_FOREVER,
                                   NULL));
    if (error != 0)
        storm_fault(p->storm, "a kill of a group got %s: %s", harness_error_name(error), mortal_why());
}

static void cancel(struct producer *p, struct flight *flight)
{
    int error = mortal_future_cancel(flight->future);
    flight->named = true;
    if (error != 0 && error != -EBUSY && error != -EALREADY)
        storm_fault(p->storm, "a cancel got %s: %s", harness_error_name(error), mortal_why());
    if (error == 0) {
        mortal_verdict verdict = {0};
        CHECK_OK(mortal_future_wait(flight->future, 0, &verdict));
        if (verdict.outcome != MORTAL_CANCELLED)
            storm_fault(p->storm, "a task that was taken back is %s", mortal_outcome_name(verdict.outcome));
        take(p, flight, &verdict);
    }
}

static void carry_out(struct producer *p, struct flight *flight)
{
    const struct plan *plan = &flight->plan;
    storm_rest(plan->act == ACT_NONE ? 0 : plan->delay_ns);
    switch (plan->act) {
    case ACT_NONE:
        break;
    case ACT_KILL:
        kill_flight(p, flight, 0);
        break;
    case ACT_KILL_RUNNING:
        await_start(flight);
        kill_flight(p, flight, 0);
        break;
    case ACT_KILL_OLDER:
        kill_flight(p, &p->window[(p->next - 1 + WINDOW - plan->back) % WINDOW], 0);
        break;
    case ACT_GRACE:
        kill_flight(p, flight, plan->grace_ns);
        break;
    case ACT_CANCEL:
        cancel(p, flight);
        break;
    case ACT_GROUP:
        kill_group(p, plan);
        break;
    case ACT_OUTSIDE: {
        mortal_look look = await_start(flight);
        if (look.phase == MORTAL_RUNNING)
            (void)killer_send(p->storm, look.host, is_still_its_host, flight);
        break;
    }
    }
}

void producer_open(struct producer *p, struct storm *storm, unsigned index)
{
    *p = (struct producer){.storm = storm, .index = index, .next = 1};
    CHECK_OK(mortal_group_open(&p->group, storm->pool));
}

void *producer_run(void *argument)
{
    struct producer *p = argument;
    while (!atomic_load(&p->storm->stop) && !atomic_load(&p->storm->gave_up)) {
        struct flight *flight = launch(p);
        if (flight == NULL)
            break;
        carry_out(p, flight);
        while (take_from_group(p, 0))
            ;
    }
    settle_all(p);
    atomic_fetch_sub(&p->storm->producing, 1);
    return NULL;
}
