/* judge.c - each verdict beside what the task itself said outside of the pool, and the counters beside all verdicts */
#include "storm.h"

static bool hangs(const struct flight *flight)
{
    return flight->assignment.kind == KIND_HANG || flight->assignment.kind == KIND_BLOCK;
}

static bool ends_host(const struct flight *flight)
{
    return flight->assignment.kind == KIND_CRASH || flight->assignment.kind == KIND_EXIT;
}

static const char *with_result(const struct producer *p, const struct flight *flight, const mortal_verdict *v, uint32_t ends)
{
    bool fails = flight->assignment.kind == KIND_FAIL;
    (void)p;
    if (ends == 0)
        return "it did not run to its end";
    if (ends_host(flight) || (hangs(flight) && !flight->assignment.polite))
        return "such a task never returns";
    if (fails != (v->outcome == MORTAL_FAILED) || v->status != (fails ? STATUS_OF_FAIL : 0))
        return "its status is another";
    return load_result_is_right(&flight->assignment, v) ? NULL : "its result is wrong";
}

/* In hosts of one worker each begin is charged, unless the task ended there: so few attempts, so few begins. */
static const char *never_started(const struct producer *p, const struct flight *flight, const mortal_verdict *v,
                                 uint32_t begins)
{
    if (v->outcome == MORTAL_EXPIRED && flight->plan.within_ns == 0)
        return "it had no time limit";
    if (flight->assignment.attempts == 1 && begins != 0)
        return "it had begun";
    if (p->storm->shape->workers_per_host == 1 && begins > v->attempts)
        return "it had begun more often than it was charged";
    return NULL;
}

static const char *crashed(const struct producer *p, const struct flight *flight, const mortal_verdict *v)
{
    bool from_outside = v->cause == MORTAL_CAUSE_SIGNAL && v->signal == SIGKILL && !p->storm->shape->aimed;
    bool exited = v->cause == MORTAL_CAUSE_EXIT && v->exit_code <= 2;
    bool by_signal = v->cause == MORTAL_CAUSE_SIGNAL && (v->signal == SIGSEGV || v->signal == SIGABRT);
    if (from_outside || (flight->assignment.kind == KIND_EXIT && exited) ||
        (flight->assignment.kind == KIND_CRASH && by_signal))
        return NULL;
    /* Several ran in the host, and nobody knows which of them called _exit, or crashed while another one did. */
    if ((exited || by_signal) && p->storm->shape->workers_per_host > 1 && !v->culprit)
        return NULL;
    return "it does nothing of that kind";
}

static const char *cut(const struct producer *p, const struct flight *flight, const mortal_verdict *v)
{
    switch (v->outcome) {
    case MORTAL_TIMED_OUT:
        return flight->plan.within_ns != 0 || flight->plan.deadline_ns != 0 ? NULL : "it had no time limit";
    case MORTAL_COLLATERAL:
        if (p->storm->shape->workers_per_host == 1)
            return "it had a host of its own";
        return flight->assignment.attempts == 1 ? NULL : "it may start again";
    case MORTAL_CRASHED:
    case MORTAL_QUARANTINED:
        if ((v->outcome == MORTAL_QUARANTINED) != (flight->assignment.attempts > 1))
            return "only who may start again can be quarantined, and is it in the end";
        return crashed(p, flight, v);
    default:
        return NULL;
    }
}

/* Nobody aimed at it, and nobody kills without aim: it must end as it ends by itself. */
static const char *spared(const struct flight *flight, const mortal_verdict *v, uint32_t begins)
{
    bool limited = flight->plan.within_ns != 0;
    if (limited && (v->outcome == MORTAL_EXPIRED || v->outcome == MORTAL_TIMED_OUT))
        return NULL;
    if (ends_host(flight) || hangs(flight)) {
        int crashed_as = flight->assignment.attempts > 1 ? MORTAL_QUARANTINED : MORTAL_CRASHED;
        int own = hangs(flight) ? MORTAL_TIMED_OUT : crashed_as;
        if (v->outcome != own || v->attempts != flight->assignment.attempts)
            return "nobody aimed at it, and it had to end by itself, its attempts spent";
        return own == MORTAL_TIMED_OUT || begins == v->attempts ? NULL : "it began more or less often than told";
    }
    if (flight->plan.deadline_ns != 0 && v->outcome == MORTAL_TIMED_OUT)
        return NULL;
    bool ran = v->outcome == MORTAL_DONE || v->outcome == MORTAL_FAILED;
    return ran ? NULL : "nobody aimed at it";
}

static const char *fault_of(struct producer *p, const struct flight *flight, const mortal_verdict *v, uint32_t begins,
                            uint32_t ends)
{
    const char *fault;
    bool alone = p->storm->shape->workers_per_host == 1;
    if (flight->assignment.attempts == 1 && begins > 1)
        return "it began twice";
    if (v->attempts > flight->assignment.attempts)
        return "it was charged more attempts than it has";
    switch (v->outcome) {
    case MORTAL_DONE:
    case MORTAL_FAILED:
        fault = with_result(p, flight, v, ends);
        break;
    case MORTAL_CANCELLED:
    case MORTAL_EXPIRED:
        fault = never_started(p, flight, v, begins);
        break;
    case MORTAL_KILLED:
    case MORTAL_TIMED_OUT:
    case MORTAL_CRASHED:
    case MORTAL_QUARANTINED:
    case MORTAL_COLLATERAL:
        fault = cut(p, flight, v);
        p->cut++;
        p->silent_kills += begins == 0; /* cut between the decision to start and its first line */
        break;
    default:
        fault = "no task may end like that";
    }
    if (fault == NULL && alone && begins > v->attempts)
        fault = "it began more often than it was charged";
    if (fault == NULL && p->storm->shape->aimed && !flight->named)
        fault = spared(flight, v, begins);
    return fault;
}

void judge_verdict(struct producer *p, struct flight *flight, const mortal_verdict *verdict)
{
    const struct assignment *a = &flight->assignment;
    const struct record *record = &p->storm->scene->records[p->index][a->record];
    uint32_t begins = atomic_load(&record->begins), ends = atomic_load(&record->ends);
    const char *fault = NULL;
    if (flight->judged) {
        if (verdict->outcome != flight->verdict.outcome || verdict->attempts != flight->verdict.attempts)
            fault = "its verdict was another before";
    } else {
        fault = fault_of(p, flight, verdict, begins, ends);
        flight->judged = true;
        flight->verdict = *verdict;
        p->ended[verdict->outcome > 0 && verdict->outcome < OUTCOMES ? verdict->outcome : 0]++;
        p->rerun += begins > 1 ? begins - 1 : 0;
        p->said[a->record] = (struct last_word){a->serial, begins, ends, atomic_load(&record->beats)};
        atomic_fetch_add(&p->storm->finished, 1);
    }
    if (fault != NULL)
        storm_fault(p->storm, "task %u/%llu (kind %d, %u attempts, act %d, priority %d) %s: %s; it began %u times, "
                    "ended %u times, cause %d, signal %d, charged %u", p->index, (unsigned long long)a->serial, a->kind,
                    a->attempts, flight->plan.act, a->priority,
                    mortal_outcome_name(verdict->outcome), fault, begins, ends, verdict->cause, verdict->signal,
                    verdict->attempts);
}

void judge_record(struct producer *p, uint32_t number)
{
    const struct record *record = &p->storm->scene->records[p->index][number];
    const struct last_word *said = &p->said[number];
    if (said->serial == 0)
        return;
    if (atomic_load(&record->begins) != said->begins || atomic_load(&record->ends) != said->ends ||
        atomic_load(&record->beats) != said->beats)
        storm_fault(p->storm, "task %u/%llu went on after its verdict", p->index, (unsigned long long)said->serial);
}

static uint64_t sum_of(const uint64_t *counts, unsigned count)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < count; i++)
        sum += counts[i];
    return sum;
}

static void judge_counters(struct storm *storm, const mortal_stats *stats)
{
    uint64_t submitted = 0, rerun = 0, ended[OUTCOMES] = {0}, suicides = atomic_load(&storm->scene->suicides);
    for (unsigned i = 0; i < storm->shape->producers; i++) {
        submitted += storm->producers[i].submitted;
        rerun += storm->producers[i].rerun;
        for (unsigned j = 0; j < OUTCOMES; j++)
            ended[j] += storm->producers[i].ended[j];
    }
    for (unsigned j = 0; j < OUTCOMES; j++)
        if (stats->ended[j] != ended[j])
            storm_fault(storm, "the pool counts %llu tasks as %s, %llu were told so", (unsigned long long)stats->ended[j],
                        mortal_outcome_name((int)j), (unsigned long long)ended[j]);
    if (stats->submitted != submitted || sum_of(ended, OUTCOMES) != submitted)
        storm_fault(storm, "%llu tasks submitted, %llu counted, %llu verdicts", (unsigned long long)submitted,
                    (unsigned long long)stats->submitted, (unsigned long long)sum_of(ended, OUTCOMES));
    if (stats->pending + stats->running + stats->held != 0)
        storm_fault(storm, "%llu pending, %llu running, %llu held when all is over", (unsigned long long)stats->pending,
                    (unsigned long long)stats->running, (unsigned long long)stats->held);
    if (rerun > stats->requeued)
        storm_fault(storm, "%llu starts after the first, %llu requeued", (unsigned long long)rerun,
                    (unsigned long long)stats->requeued);
    if (stats->host_deaths < stats->host_kills ||
        stats->host_deaths > stats->host_kills + atomic_load(&storm->outside) + suicides)
        storm_fault(storm, "%llu hosts died: %llu were killed, %u from outside, %llu tasks ended theirs",
                    (unsigned long long)stats->host_deaths, (unsigned long long)stats->host_kills,
                    atomic_load(&storm->outside), (unsigned long long)suicides);
}

void judge_scene(struct storm *storm, const mortal_stats *stats)
{
    struct scene *scene = storm->scene;
    uint64_t silent = 0, all = 0;
    for (unsigned i = 0; i < storm->shape->producers; i++) {
        silent += storm->producers[i].silent_kills;
        all += storm->producers[i].cut;
        for (uint32_t j = 0; j < RECORDS; j++)
            judge_record(&storm->producers[i], j);
    }
    judge_counters(storm, stats);
    if (atomic_load(&scene->strangers) != 0)
        storm_fault(storm, "%u tasks ran long after their verdict", atomic_load(&scene->strangers));
    if (atomic_load(&scene->spoiled) != 0)
        storm_fault(storm, "%u tasks had another input than was given", atomic_load(&scene->spoiled));
    if (atomic_load(&scene->refused) != 0)
        storm_fault(storm, "%u tasks found no room for their result", atomic_load(&scene->refused));
    uint32_t overtaken = atomic_load(&scene->overtaken) + (stats->replaced == 0 ? atomic_load(&scene->replaced) : 0);
    if (storm->shape->workers == 1 && overtaken != 0)
        storm_fault(storm, "%u tasks began after later ones (%llu requeued)", overtaken, (unsigned long long)stats->requeued);
    if (storm->shape->workers == 1 && atomic_load(&scene->replaced) != 0 && !storm->shape->planted)
        harness_note("%u tasks began after later ones, their host slow to die", atomic_load(&scene->replaced));
    if (silent > 10 + all / 10)
        storm_fault(storm, "%llu of %llu tasks that were cut had not begun", (unsigned long long)silent,
                    (unsigned long long)all);
}
