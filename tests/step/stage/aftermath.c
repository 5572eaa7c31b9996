/* aftermath.c - what comes after the recovery: the next host, the sleepers, a second recovery */
#include "judge.h"
#include "picture.h"

#include <signal.h>

/* The slots that wait and may start, in the order of their submits. */
static uint32_t waiting_in_order(const struct scene *scene, uint32_t *slots)
{
    const struct part *parts = scene->stage->parts;
    uint32_t           count = 0;
    for (uint32_t slot = 0; slot < SLOTS; slot++) {
        if (word_phase(atomic_load(claim_of(scene->region, slot))) != SLOT_PENDING || (parts[slot].flags & ORDER_EXPIRES) != 0)
            continue;
        uint32_t at = count++;
        for (; at > 0 && parts[slots[at - 1]].ticket > parts[slot].ticket; at--)
            slots[at] = slots[at - 1];
        slots[at] = slot;
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
    undertaker_bury(&undertaker, &scene.death);
    picture_take(stage, scene.region, stage->once);
    if (!picture_answers_agree(stage, moment->picture, stage->once))
        return judge_breach(&scene, promise_others, "the recovery changed what the host had answered");
    if (!judge_fates(&scene))
        return false;
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
