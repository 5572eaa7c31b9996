/* players.c - what hosts do as they should, step by step as host/worker.c does it */
#include "world.h"

#include <string.h>

#include "region/bell.h"

static struct host_record *record_of(uint32_t berth) { return &world.supervisor.hosts[berth]; }

void player_born(uint32_t berth)
{
    uint32_t life = record_of(berth)->life;
    for (uint32_t worker = 0; worker < WORKERS_PER_HOST; worker++)
        world.players[berth][worker] = (struct player){
            .claimant = {.life = life, .worker = worker, .desk = world_desk(life, worker)}};
}

void player_died(uint32_t berth) { memset(world.players[berth], 0, sizeof world.players[berth]); }

static bool may_claim(uint32_t berth, uint32_t worker)
{
    const struct berth *shared = berth_of(world.region, berth);
    const struct player *player = &world.players[berth][worker];
    return record_of(berth)->state == HOST_ACTIVE && !player->runs && !player->parked &&
           worker < atomic_load(&shared->active) && atomic_load(&shared->doomed) == 0;
}

void player_claim(uint32_t berth, uint32_t worker)
{
    struct player *player = &world.players[berth][worker];
    if (!may_claim(berth, worker) || !queue_claim(world.region, &player->claimant, &player->slot, &player->word))
        return;
    MUST(player->slot < SLOTS);
    player->runs = true;
    struct desk *desk = player->claimant.desk;
    atomic_store(&desk->started_ns, world.now_ns);
    atomic_store(&desk->begun, player->word);
}

static void fill_cell(const struct player *player, uint64_t ended, int status, uint32_t result_bytes)
{
    const struct geometry *g = &world.region->g;
    struct cell *cell = world_cell(player->claimant.life, player->slot);
    uint64_t room = g->arena_bytes - g->arena_heap, offset = (uint64_t)player->slot * 64;
    bool in_heap = result_bytes > INLINE_RESULT_BYTES;
    if (in_heap && result_bytes > room - offset)
        result_bytes = (uint32_t)(room - offset);
    cell->slot = player->slot;
    cell->status = status;
    cell->result_bytes = result_bytes;
    cell->result_offset = in_heap ? offset : HEAP_NONE;
    uint8_t *to = in_heap ? world.answers + player->claimant.life * g->arena_bytes + g->arena_heap + offset : cell->result;
    memset(to, (int)(player->slot + 1), result_bytes);
    cell->word = ended;
}

static void announce(const struct player *player)
{
    uint32_t group = order_of(world.region, player->slot)->group;
    if (group == 0)
        return;
    struct desk *desk = player->claimant.desk;
    uint32_t tail = atomic_load(&desk->log_tail);
    atomic_store(&desk->log[tail % LOG_ENTRIES], player->slot);
    atomic_store(&desk->log_tail, tail + 1);
    atomic_fetch_add(&claims_head(world.region)->group_bell[group - 1], 1);
}

void player_return(uint32_t berth, uint32_t worker, int status, uint32_t result_bytes)
{
    struct player *player = &world.players[berth][worker];
    if (!player->runs)
        return;
    bool bare = status == 0 && result_bytes == 0 && world.region->g.measure == 0;
    uint64_t word = player->word;
    uint64_t ended = bare ? word_bare(word, player->slot) : word_with_phase(word, status == 0 ? SLOT_DONE : SLOT_FAILED);
    if (!bare)
        fill_cell(player, ended, status, result_bytes);
    player->runs = false;
    if (!atomic_compare_exchange_strong(claim_of(world.region, player->slot), &word, ended)) {
        player->parked = true;
        atomic_store(&player->claimant.desk->parked, 1);
        return;
    }
    atomic_store(&player->claimant.desk->begun, 0);
    if (world.is_rich) {
        uint32_t enough = world.pool->heritage.caps.recycle_tasks;
        atomic_store(&world_head(player->claimant.life)->served, enough != 0 && result_bytes % enough == 0 ? 2 : 1);
        atomic_store(&player->claimant.desk->section, 0);
        atomic_store(&player->claimant.desk->yields, 0);
    }
    announce(player);
    if (atomic_load(&orders_head(world.region)->room_wanted) != 0)
        atomic_fetch_add(&claims_head(world.region)->room_bell, 1);
}

static int cleanup(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input, (void)input_bytes;
    return 0; /* no host calls it */
}

void player_leave(uint32_t berth, uint32_t worker)
{
    struct player *player = &world.players[berth][worker];
    if (!player->runs)
        return;
    struct desk *desk = player->claimant.desk;
    struct cleanups *left = world_cleanups(player->claimant.life, worker);
    unsigned kind = (unsigned)bytes_take(&world.input, 1);
    if (kind % 4 == 0)
        atomic_store(&desk->section, 1);
    else if (kind % 4 == 1)
        atomic_store(&desk->section, 0);
    if (kind % 4 == 1 && kind >= 128)
        atomic_store(&desk->yields, 1);
    if (kind % 4 < 2)
        return;
    if (atomic_load(&left->word) != player->word || atomic_load(&left->slot) != player->slot)
        atomic_store(&left->count, 0);
    atomic_store(&left->word, player->word);
    atomic_store(&left->slot, player->slot);
    uint32_t at = atomic_load(&left->count);
    if (at >= CLEANUPS)
        return;
    left->left[at].input_bytes = kind % 128;
    atomic_store(&left->left[at].function, (uintptr_t)cleanup);
    atomic_store(&left->count, at + 1);
}

void player_clean(uint32_t berth, int status)
{
    const struct host_record *record = record_of(berth);
    uint32_t number = atomic_load(&berth_of(world.region, berth)->errand);
    if (record->state != HOST_CLEANING || number == 0)
        return;
    const struct errand *errand = &control_head(world.region)->errands[errand_place(number)];
    MUST(errand->slot < SLOTS && errand->input_bytes <= CLEANUP_INPUT_BYTES);
    atomic_store(&world_desk(record->life, 0)->errand, (uint64_t)number << 32 | (uint32_t)status);
}

void player_rest(uint32_t berth)
{
    const struct host_record *record = record_of(berth);
    if (record->state != HOST_LEAVING || atomic_load(&berth_of(world.region, berth)->resting) == 0)
        return;
    for (uint32_t worker = 0; worker < WORKERS_PER_HOST; worker++)
        if (!world.players[berth][worker].runs)
            atomic_store(&world_desk(record->life, worker)->rested, 1);
}

/* Whatever ran before goes on for ever, and only a kill ends it. Who was rung answers. */
void player_step(uint32_t berth, uint32_t worker)
{
    if (!may_claim(berth, worker))
        return;
    if (world.settles)
        player_claim(berth, worker);
    if (world.players[berth][worker].runs)
        player_return(berth, worker, 0, 8);
    else
        bell_say_idle(world.region, berth, worker);
}
