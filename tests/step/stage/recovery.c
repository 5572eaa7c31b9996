/* recovery.c - the recovery itself, cut after each of its instructions and run again by somebody else */
#include "picture.h"
#include "sweep.h"
#include "trap.h"

struct burial {
    struct sweep           *sweep;
    struct undertaker      *undertaker;
    uint64_t               *states; /* counts them */
    struct death            death;
    struct truth            told;
    uint32_t                ended;
    size_t                  first_page, pages; /* pictures of where it was cut */
};

static void bury_body(void *context)
{
    struct burial *burial = context;
    undertaker_bury(burial->undertaker, &burial->death);
}

static void after_instruction(const struct trap *at, void *context)
{
    struct burial *burial = context;
    struct sweep  *sweep = burial->sweep;
    struct stage  *stage = &sweep->stage;
    uint32_t       ended = sweep_ended(stage, &stage->copy);
    (*burial->states)++;
    sweep_note_ends(&burial->told, stage, ended & ~burial->ended);
    burial->ended = ended;
    if (at->woken != NULL)
        sweep_note_wake(&burial->told, &stage->copy, at->woken, ended);
    if (burial->pages != 0 &&
        picture_is_of(stage, sweep_page(sweep, burial->first_page + burial->pages - 1), &stage->copy))
        return;
    picture_take(stage, &stage->copy, sweep_page(sweep, burial->first_page + burial->pages));
    burial->pages++;
}

/* What recovery looks at, and who was told already: all else makes no difference to it. */
static uint64_t hash_of_burial(const struct sweep *sweep, const struct moment *moment, const struct ending *ending)
{
    const struct region *r = &sweep->stage.copy;
    uint64_t hash = hash_of((uint64_t)(ending - endings), r->claims + r->g.claim_words, SLOTS * CLAIM_STRIDE);
    for (uint32_t worker = 0; worker < WORKERS; worker++)
        hash = hash_of(hash, desk_of(r, LIFE, worker), offsetof(struct desk, started_ns));
    hash = hash_of(hash, care_of(r, 0), SLOTS * sizeof(struct care));
    for (uint32_t slot = 0; slot < SLOTS; slot++) {
        const struct order *order = order_of(r, slot);
        const uint64_t      seen[4] = {order->ticket, order->attempts, order->group, atomic_load(&order->watched)};
        hash = hash_of(hash, seen, sizeof seen);
    }
    uint64_t told[2] = {(uint64_t)moment->truth.group_woken << 2 | moment->truth.room_woken << 1, 0};
    told[0] |= atomic_load(&orders_head(r)->room_wanted) != 0;
    for (uint32_t slot = 0; slot < SLOTS; slot++)
        told[1] |= (uint64_t)moment->truth.woken[slot] << slot;
    return hash_of(hash, told, sizeof told);
}

/* Somebody else, who knows of the sentences. */
static void open_another(struct undertaker *another, struct region *region, const struct undertaker *first)
{
    undertaker_open(another, region);
    memcpy(another->watches, first->watches, sizeof another->watches);
}

static bool check_cut(struct sweep *sweep, struct scene *scene, const struct undertaker *first)
{
    static struct undertaker another;
    open_another(&another, scene->region, first);
    sweep->buried++;
    undertaker_bury(&another, &scene->death);
    picture_take(&sweep->stage, scene->region, sweep->stage.twice);
    if (!picture_agrees(&sweep->stage, sweep->stage.once, sweep->stage.twice))
        return judge_breach(scene, promise_cut, "a word, a care or a fate is another");
    return judge_queue(scene);
}

/* The one that follows is cut too, after each of its instructions, and a third one ends it. */
static bool check_cut_twice(struct sweep *sweep, struct scene *scene, const struct undertaker *first, size_t first_page)
{
    static struct undertaker second;
    struct burial burial = {.sweep = sweep, .undertaker = &second, .death = scene->death, .states = &sweep->twice_states,
                            .first_page = first_page};
    open_another(&second, scene->region, first);
    trap_run(bury_body, &burial, after_instruction, &burial);
    for (size_t i = 0; i < burial.pages; i++) {
        picture_show(&sweep->stage, sweep_page(sweep, first_page + i));
        sweep->twice_distinct++;
        if (!check_cut(sweep, scene, first))
            return false;
    }
    return true;
}

void sweep_recovery(struct sweep *sweep, const struct moment *moment, const struct ending *ending)
{
    static struct undertaker undertaker;
    struct stage *stage = &sweep->stage;
    struct scene  scene = {.stage = stage, .region = &stage->copy, .ending = ending, .death = judge_death_of(ending),
                           .truth = &moment->truth, .fault = &sweep->fault};
    struct burial burial = {.sweep = sweep, .undertaker = &undertaker, .death = scene.death, .told = moment->truth,
                            .states = &sweep->cut_states,
                            .first_page = sweep->moment_count + 1};
    picture_show(stage, moment->picture);
    undertaker_open(&undertaker, scene.region);
    if (moment->is_taken)
        undertaker.watches[BERTH][ACTOR].sentence = ending->sentence;
    uint32_t ended = sweep_ended(stage, scene.region);
    undertaker_condemn(&undertaker, stage, ending->sentence);
    burial.ended = sweep_ended(stage, scene.region);
    for (uint32_t slot = 0; slot < SLOTS; slot++)
        if (((burial.ended & ~ended) >> slot & 1) != 0) /* condemning what waits tells of it */
            burial.told.woken[slot] = burial.told.group_woken = burial.told.room_woken = 1;
    uint64_t hash = hash_of_burial(sweep, moment, ending);
    if (!sweep_is_new(sweep, hash) || sweep->one_recovery_in == 0 || (hash >> 20) % sweep->one_recovery_in != 0)
        return;
    trap_run(bury_body, &burial, after_instruction, &burial);
    if (!judge_told(&scene, &burial.told))
        return;
    picture_take(stage, scene.region, stage->once);
    for (size_t i = 0; i < burial.pages; i++) {
        picture_show(stage, sweep_page(sweep, burial.first_page + i));
        sweep->cut_distinct++;
        if (!check_cut(sweep, &scene, &undertaker))
            return;
    }
    if (burial.pages == 0)
        return;
    picture_show(stage, sweep_page(sweep, burial.first_page + (hash >> 40) % burial.pages));
    (void)check_cut_twice(sweep, &scene, &undertaker, burial.first_page + burial.pages);
}
