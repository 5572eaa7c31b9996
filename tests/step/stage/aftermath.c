/* aftermath.c - what comes after the recovery: the next host, the sleepers, a second recovery */
#include "judge.h"
#include "leave.h"
#include "picture.h"
#include "region/bell.h"

#include <signal.h>

/* The slots of that priority that wait and may start, in the order of their submits. */
static uint32_t waiting_in_lane(const struct scene *scene, enum lane lane, uint32_t *slots)
{
    const struct part *parts = scene->stage->parts;
    uint32_t           count = 0;
    for (uint32_t slot = 0; slot < SLOTS; slot++) {
        uint32_t flags = parts[slot].flags;
        if (word_phase(atomic_load(claim_of(scene->region, slot))) != SLOT_PENDING || (flags & ORDER_EXPIRES) != 0 ||
            lane != ((flags & ORDER_HIGH) != 0 ? LANE_HIGH : (flags & ORDER_LOW) != 0 ? LANE_LOW : LANE_NORMAL))
            continue;
        uint32_t at = count++;
        for (; at > 0 && parts[slots[at - 1]].ticket > parts[slot].ticket; at--)
            slots[at] = slots[at - 1];
        slots[at] = slot;
    }
    return count;
}

/* In which order they should start: as the turns say, from the one on that is next. */
static uint32_t waiting_in_order(const struct scene *scene, uint32_t *slots)
{
    uint32_t lanes[LANES][SLOTS], left[LANES], taken[LANES] = {0}, count = 0;
    uint32_t turn = atomic_load(&claims_head(scene->region)->turn);
    for (enum lane lane = LANE_NORMAL; lane < LANES; lane++)
        left[lane] = waiting_in_lane(scene, lane, lanes[lane]);
    for (; left[LANE_HIGH] + left[LANE_NORMAL] + left[LANE_LOW] != 0; turn++) {
        enum lane lane = turn % 16 == 15 ? LANE_LOW : turn % 4 == 3 ? LANE_NORMAL : LANE_HIGH;
        if (left[lane] == 0)
            lane = left[LANE_HIGH] != 0 ? LANE_HIGH : left[LANE_NORMAL] != 0 ? LANE_NORMAL : LANE_LOW;
        slots[count++] = lanes[lane][taken[lane]++];
        left[lane]--;
    }
    return count;
}

bool judge_queue(struct scene *scene)
{
    static struct desk desk;
    struct claimant    next_host = {.life = NEXT_LIFE, .worker = 0, .desk = &desk};
    uint32_t           wanted[SLOTS], count = waiting_in_order(scene, wanted), slot;
    uint64_t           word;
    for (uint32_t i = 0; i < count; i++) {
        if (!queue_claim(scene->region, &next_host, &slot, &word))
            return judge_breach(scene, promise_order, "slot %u waits, and no host finds it", wanted[i]);
        if (slot != wanted[i])
            return judge_breach(scene, promise_order, "slot %u starts before slot %u", slot, wanted[i]);
    }
    if (queue_claim(scene->region, &next_host, &slot, &word))
        return judge_breach(scene, promise_order, "slot %u starts and should not", slot);
    return true;
}

/* Let each further host crash over the same task until it is given up. */
static bool check_cap(struct scene *scene, uint32_t slot)
{
    struct region      *r = scene->region;
    const struct part  *part = &scene->stage->parts[slot];
    const struct death  crash = {.cause = MORTAL_CAUSE_SIGNAL, .signal = SIGSEGV, .culprit = 0};
    uint32_t            starts = care_attempts(care_of(r, slot)), found;
    for (uint32_t life = NEXT_LIFE; life < LIVES_MOST && life < r->g.lives; life++) {
        uint64_t     word = word_make(part->generation, SLOT_RUNNING, life, 0);
        struct desk *desk = desk_of(r, life, 0);
        atomic_store(&desk->intent, slot + 1);
        atomic_store(claim_of(r, slot), word);
        atomic_store(&desk->begun, word);
        enum recovered recovered = recover_desk(r, life, 0, &crash, SENTENCE_NONE, &found);
        starts++;
        if (recovered == RECOVERED_ENDED)
            break;
    }
    enum slot_phase spent = part->attempts > 1 ? SLOT_QUARANTINED : SLOT_CRASHED;
    if (starts != part->attempts || word_phase(atomic_load(claim_of(r, slot))) != spent)
        return judge_breach(scene, promise_cap, "slot %u starts %u times and may %u times", slot, starts, part->attempts);
    return true;
}

static bool is_told(const struct scene *scene, uint32_t slot)
{
    const struct desk         *desk = desk_of(scene->region, LIFE, ACTOR);
    const struct control_head *control = control_head(scene->region);
    for (uint32_t i = 0; i < atomic_load(&desk->log_tail); i++)
        if (atomic_load(&desk->log[i]) == slot)
            return true;
    for (uint64_t i = 0; i < atomic_load(&control->fate_tail); i++)
        if (atomic_load(&control->fate_log[i]) == slot)
            return true;
    return false;
}

bool judge_told(struct scene *scene, const struct truth *told)
{
    const struct orders_head *orders = orders_head(scene->region);
    bool any = false, group_sleeps = atomic_load(&orders->group_watch[GROUP - 1]) != 0;
    for (uint32_t slot = 0; slot < SLOTS; slot++) {
        const struct part *part = &scene->stage->parts[slot];
        if (!part->is_tested || !phase_has_ended(word_phase(atomic_load(claim_of(scene->region, slot)))))
            continue;
        any = true;
        if (part->watched && !told->woken[slot])
            return judge_breach(scene, promise_told, "slot %u ended, and who sleeps on it sleeps on", slot);
        if (part->group != 0 && ((group_sleeps && !told->group_woken) || !is_told(scene, slot)))
            return judge_breach(scene, promise_told, "slot %u ended, and its group was not told", slot);
    }
    if (any && atomic_load(&orders->room_wanted) != 0 && !told->room_woken)
        return judge_breach(scene, promise_told, "a task ended, and who waits for room sleeps on");
    return true;
}

/* The burial gives the dead host's place to the standby, once, and tells so; what it returned to the queue it counted. */
bool judge_heir(struct scene *scene)
{
    const struct region       *r = scene->region;
    const struct control_head *control = control_head(r);
    uint32_t                   active = 0, returned = 0;
    for (uint32_t berth = 0; berth < r->g.berths; berth++)
        active += atomic_load(&berth_of(r, berth)->life) != NO_LIFE && atomic_load(&berth_of(r, berth)->active) == WORKERS;
    if (active != 2 || atomic_load(&berth_of(r, BERTH)->life) != NO_LIFE)
        return judge_breach(scene, promise_heir, "%u hosts are active, and not 2", active);
    if (atomic_load(&control->hosts_ready) != 2 || atomic_load(&control->standby_ready) != 0)
        return judge_breach(scene, promise_count, "%u hosts and %u standby are told of, and not 2 and 0",
                            atomic_load(&control->hosts_ready), atomic_load(&control->standby_ready));
    for (uint32_t slot = 0; slot < SLOTS; slot++)
        returned += phase_is_running(word_phase(scene->before[slot])) && word_life(scene->before[slot]) == LIFE &&
                    word_phase(atomic_load(claim_of(r, slot))) == SLOT_PENDING;
    if (atomic_load(&control->requeued) != returned)
        return judge_breach(scene, promise_count, "%llu tasks are said to be returned, and not %u",
                            (unsigned long long)atomic_load(&control->requeued), returned);
    return true;
}

/* Of tasks that the host died with. Others' clean-ups are not needed. */
bool judge_leavings(struct scene *scene, const struct undertaker *u)
{
    const struct truth *truth = scene->truth;
    if (u->flaw != NULL)
        return judge_breach(scene, promise_cleaned, "%s", u->flaw);
    for (uint32_t slot = 0; slot < SLOTS; slot++) {
        uint64_t before = scene->before[slot], word = atomic_load(claim_of(scene->region, slot));
        bool is_cut = phase_is_running(word_phase(before)) && word_life(before) == LIFE;
        uint8_t stands = is_cut ? truth->stands[slot] : 0, may_stand = is_cut ? truth->may_stand[slot] : 0;
        if (u->cleaned[slot] != stands && u->cleaned[slot] != may_stand)
            return judge_breach(scene, promise_cleaned, "slot %u: clean-ups %#x were run, and not %#x nor %#x", slot,
                                u->cleaned[slot], stands, may_stand);
        int32_t told = atomic_load(&fate_of(scene->region, slot)->word) == word ? fate_of(scene->region, slot)->cleanup : 0;
        if (is_cut && phase_has_ended(word_phase(word)) && told != (u->cleaned[slot] != 0 ? MORTAL_CLEANUP_DONE : 0))
            return judge_breach(scene, promise_cleaned, "slot %u: its clean-ups are told as %d", slot, told);
        if (!is_cut)
            continue;
        const char *flaw = leave_flaw(scene->region, slot, word_with_phase(before, SLOT_RUNNING), truth);
        if (flaw != NULL)
            return judge_breach(scene, promise_noted, "slot %u: %s", slot, flaw);
    }
    return true;
}

/* After a burial as many of another host's workers look for work as tasks wait, and all who may sleep without having said so:
 * the dead one may have taken their bits. And they are rung again by the next who brings work: nothing that the dead host
 * left behind says that somebody looks already. */
bool judge_bells(struct scene *scene)
{
    struct region *r = scene->region;
    uint32_t       slots[SLOTS], waiting = 0, idle = 0, rung = 0;
    for (uint32_t worker = 0; worker < WORKERS; worker++) {
        bool was_rung = atomic_load(bell_of(r, OTHER_BERTH, worker)) != scene->bells[worker];
        bool runs = atomic_load(&desk_of(r, OTHER_LIFE, worker)->begun) != 0;
        if (!scene->idle[worker] && !runs && !was_rung)
            return judge_breach(scene, promise_rung, "worker %u of another host was not rung", worker);
        idle += scene->idle[worker];
        rung += scene->idle[worker] && was_rung;
    }
    for (enum lane lane = LANE_NORMAL; lane < LANES; lane++)
        waiting += waiting_in_lane(scene, lane, slots);
    if (rung < waiting && rung < idle)
        return judge_breach(scene, promise_rung, "%u tasks wait and %u of %u idle workers were rung", waiting, rung, idle);
    uint32_t before = atomic_load(bell_of(r, OTHER_BERTH, 1));
    atomic_store(&claims_head(r)->brisk, 1);
    bell_say_idle(r, OTHER_BERTH, 1);
    bell_call(r);
    if (atomic_load(bell_of(r, OTHER_BERTH, 1)) == before)
        return judge_breach(scene, promise_rung, "a submit after the burial wakes nobody");
    return true;
}

bool judge(struct stage *stage, const struct moment *moment, const struct ending *ending, struct fault *fault)
{
    static struct undertaker undertaker;
    struct scene scene = {.stage = stage, .region = &stage->copy, .ending = ending, .death = judge_death_of(ending),
                          .truth = &moment->truth, .fault = fault};
    picture_show(stage, moment->picture);
    judge_note_words(&scene);
    undertaker_open(&undertaker, scene.region);
    if (moment->is_taken)
        undertaker.watches[BERTH][ACTOR].sentence = ending->sentence;
    undertaker_condemn(&undertaker, stage, ending->sentence);
    struct watch sentences[WORKERS];
    memcpy(sentences, undertaker.watches[BERTH], sizeof sentences);
    undertaker_bury(&undertaker, &scene.death);
    picture_take(stage, scene.region, stage->once);
    if (!picture_answers_agree(stage, moment->picture, stage->once))
        return judge_breach(&scene, promise_others, "the recovery changed what the host had answered");
    if (!judge_leavings(&scene, &undertaker) || !judge_fates(&scene) || !judge_heir(&scene) || !judge_bells(&scene))
        return false;
    undertaker_open(&undertaker, scene.region);
    memcpy(undertaker.watches[BERTH], sentences, sizeof sentences);
    undertaker_bury(&undertaker, &scene.death);
    picture_take(stage, scene.region, stage->twice);
    if (!picture_agrees(stage, stage->once, stage->twice))
        return judge_breach(&scene, promise_again, "the second time changed a word, a care or a fate");
    if (!judge_queue(&scene))
        return false;
    for (uint32_t slot = 0; slot < SLOTS; slot++)
        if (stage->parts[slot].attempts > 1 && word_life(atomic_load(claim_of(scene.region, slot))) == NEXT_LIFE &&
            !check_cap(&scene, slot))
            return false;
    return true;
}
