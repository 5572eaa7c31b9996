/* forge.c - what a task gone wild may write: anything, to the claims and to its host's own arena */
#include "world.h"

#include <string.h>

static uint64_t any(void)
{
    const struct geometry *g = &world.region->g;
    const uint64_t room = g->arena_bytes - g->arena_heap;
    const uint64_t telling[] = {0, 1, 2, SLOTS, SLOTS + 1, UINT32_MAX, UINT64_MAX, INT64_MAX, 1ull << 63, 31, 32, 33,
                                4095, 4096, 4097, room, room - 16, room + 16, room - 4096, UINT64_MAX - 15, LOG_ENTRIES,
                                LOG_ENTRIES + 1, g->lives, g->lives - 1, world.now_ns, HEAP_NONE - 1};
    unsigned kind = (unsigned)bytes_take(&world.input, 1);
    if (kind < sizeof telling / sizeof *telling)
        return telling[kind];
    return bytes_take(&world.input, kind % 8 + 1);
}

static uint32_t a_life(void)
{
    uint32_t berth = (uint32_t)bytes_take(&world.input, 1) % world.region->g.berths;
    uint32_t life = world.supervisor.hosts[berth].life;
    return life < world.region->g.lives ? life : 0;
}

/* A word that could be right, but for one or the other part of it. */
static uint64_t a_word(uint32_t slot)
{
    unsigned flaws = (unsigned)bytes_take(&world.input, 1);
    uint32_t generation = (uint32_t)world.pool->entries[slot].life + (flaws % 4 == 3);
    enum slot_phase phase = (enum slot_phase)(bytes_take(&world.input, 1) % 16);
    uint32_t life = flaws & 64 ? (uint32_t)any() : a_life();
    uint32_t worker = flaws & 128 ? (uint32_t)any() : flaws / 4 % WORKERS_PER_HOST;
    uint64_t word = word_make(generation, phase, life, worker);
    return phase == SLOT_BARE && (flaws & 32) == 0 ? word_bare(word_with_phase(word, SLOT_RUNNING), slot) : word;
}

static void forge_word(void)
{
    uint32_t slot = (uint32_t)bytes_take(&world.input, 1) % SLOTS;
    uint64_t word = bytes_take(&world.input, 1) % 4 == 0 ? any() : a_word(slot);
    atomic_store(claim_of(world.region, slot), word);
}

/* An answer that fits its word, but for what it says. */
static void forge_answer(void)
{
    uint32_t slot = (uint32_t)bytes_take(&world.input, 1) % SLOTS;
    uint64_t word = a_word(slot);
    uint32_t life = word_life(word) < world.region->g.lives ? word_life(word) : 0;
    struct cell *cell = world_cell(life, slot);
    cell->word = word;
    cell->slot = slot;
    cell->status = (int32_t)any();
    cell->result_bytes = any();
    cell->result_offset = any();
    cell->began_ns = any();
    cell->ran_ns = any();
    atomic_store(claim_of(world.region, slot), word);
}

static void forge_desk(void)
{
    uint32_t life = a_life();
    uint32_t worker = (uint32_t)bytes_take(&world.input, 1) % WORKERS_PER_HOST;
    struct desk *desk = world_desk(life, worker);
    uint64_t value = any();
    switch (bytes_take(&world.input, 1) % 9) {
    case 8: atomic_store(&desk->wanted, value); break;
    case 0: atomic_store(&desk->intent, (uint32_t)value); break;
    case 1: atomic_store(&desk->parked, (uint32_t)value); break;
    case 2: atomic_store(&desk->begun, value); break;
    case 3: atomic_store(&desk->started_ns, value); break;
    case 4: atomic_store(&desk->log_tail, (uint32_t)value); break;
    case 5: atomic_fetch_add(&desk->log_tail, (uint32_t)value); break;
    case 6: atomic_store(&world_line(life, 1 + worker)->word[0], (uint32_t)value); break;
    default: atomic_store(&desk->log[bytes_take(&world.input, 2) % LOG_ENTRIES], (uint32_t)value); break;
    }
}

static void forge_head(void)
{
    uint32_t life = a_life();
    struct host_head *head = world_head(life);
    uint64_t value = any();
    switch (bytes_take(&world.input, 1) % 8) {
    case 0: atomic_store(&head->words, (uint32_t)value); break;
    case 1: head->signal = (int32_t)value; break;
    case 2: head->worker = (uint32_t)value; break;
    case 3: atomic_store(&head->birth, (uint32_t)value); break;
    case 4: atomic_store(&head->ready, (uint32_t)value); break;
    case 5: atomic_store(&head->heap_top, value); break;
    case 6: head->exit_code = (int32_t)value; break;
    default: atomic_store(&world_line(life, 0)->word[0], (uint32_t)value); break;
    }
}

static void forge_hint(void)
{
    struct claims_head *head = claims_head(world.region);
    uint64_t value = any();
    switch (bytes_take(&world.input, 1) % 12) {
    case 8: atomic_store(&head->other_head[value % 2], value); break;
    case 9: atomic_store(&head->other_head[value % 2], atomic_load(&orders_head(world.region)->other_tail[value % 2])); break;
    case 10: atomic_store(&head->turn, (uint32_t)value); break;
    case 0: atomic_store(&head->head, value); break;
    case 1: atomic_store(&head->head, atomic_load(&orders_head(world.region)->tail) + value); break;
    case 2: atomic_store(&head->head, atomic_load(&orders_head(world.region)->tail) - value); break;
    case 3: atomic_store(&head->head, atomic_load(&orders_head(world.region)->tail) - world.region->g.ring_entries); break;
    case 4: atomic_store(&head->brisk, (uint32_t)value); break;
    case 5: atomic_store(&head->deputy, (uint32_t)value); break;
    case 6: atomic_store(idle_word(world.region, 0), value); break;
    default: atomic_store(searching_word(world.region, 0), value); break;
    }
}

static void scribble(void)
{
    const struct geometry *g = &world.region->g;
    bool on_claims = bytes_take(&world.input, 1) % 2 == 0;
    uint8_t *base = on_claims ? world.region->claims : world.answers + a_life() * g->arena_bytes;
    uint64_t reach = on_claims ? g->claims_bytes : g->arena_heap + 256;
    uint64_t at = bytes_take(&world.input, 3) % (reach - 16);
    for (uint64_t i = 0, count = bytes_take(&world.input, 1) % 16 + 1; i < count; i++)
        base[at + i] = (uint8_t)bytes_take(&world.input, 1);
}

/* Lines and progress that fit the word of a task, but for what they say; and a backtrace. */
static void forge_notes(void)
{
    uint32_t slot = (uint32_t)bytes_take(&world.input, 1) % SLOTS, life = a_life();
    uint64_t word = a_word(slot), value = any();
    struct notes *notes = world_notes(life, (uint32_t)bytes_take(&world.input, 1) % WORKERS_PER_HOST);
    struct note_line *line = &notes->line[bytes_take(&world.input, 1) % NOTE_LINES];
    struct progress *progress = &notes->progress[bytes_take(&world.input, 1) % 2];
    struct trace *trace = world_trace(life);
    atomic_store(&line->word, word);
    line->slot = slot;
    line->number = (uint32_t)any();
    line->bytes = (uint32_t)any();
    memset(line->text, (int)value, sizeof line->text);
    atomic_store(&notes->lines, (uint32_t)any());
    atomic_store(&notes->current, (uint32_t)any());
    atomic_store(&progress->word, word);
    atomic_store(&progress->slot, slot);
    atomic_store(&progress->done, any());
    atomic_store(&trace->state, (uint32_t)any());
    atomic_store(&trace->module_count, (uint32_t)any());
    memset(trace->frames, (int)value, bytes_take(&world.input, 2) % (sizeof trace->frames + 1));
    memset(trace->module_of, (int)value, sizeof trace->module_of);
    memset(trace->modules, (int)value, sizeof trace->modules);
    trace->at = any();
}

/* What a task leaves to be done, as no host would write it. */
static void forge_cleanups(void)
{
    uint32_t slot = (uint32_t)bytes_take(&world.input, 1) % SLOTS;
    unsigned kind = (unsigned)bytes_take(&world.input, 1);
    uint64_t word = word_with_phase(atomic_load(claim_of(world.region, slot)), SLOT_RUNNING);
    uint32_t life = word_life(word) < world.region->g.lives ? word_life(word) : 0; /* of the host that runs it, if one does */
    struct cleanups *left = world_cleanups(life, word_worker(word) % WORKERS_PER_HOST);
    atomic_store(&left->word, kind & 1 ? any() : word);
    atomic_store(&left->slot, kind & 2 ? (uint32_t)any() : slot);
    atomic_store(&left->count, kind & 4 ? (uint32_t)any() : kind / 8 % CLEANUPS + 1);
    struct cleanup *one = &left->left[kind / 8 % CLEANUPS];
    atomic_store(&one->function, any());
    one->input_bytes = (uint32_t)any();
}

/* What workers and hosts say of sections, rest, clean-ups, caps and whoever keeps their memory. */
static void forge_more(void)
{
    uint32_t life = a_life();
    struct desk *desk = world_desk(life, (uint32_t)bytes_take(&world.input, 1) % WORKERS_PER_HOST);
    struct host_head *head = world_head(life);
    uint64_t value = any();
    switch (bytes_take(&world.input, 1) % 12) {
    case 0: atomic_store(&desk->section, (uint32_t)value); break;
    case 1: atomic_store(&desk->yields, (uint32_t)value); break;
    case 2: atomic_store(&desk->rested, (uint32_t)value); break;
    case 3: atomic_store(&desk->cpu_ns, value); break;
    case 4: atomic_store(&desk->ran, (uint32_t)value); break;
    case 5: atomic_store(&desk->errand, value); break;
    case 6: atomic_store(&desk->errand, atomic_load(&desk->errand) + (value << 32)); break;
    case 7: atomic_store(&head->served, (uint32_t)value); break;
    case 8: atomic_store(&head->sitter, value % 4 == 0 ? INT32_MAX : -(int32_t)(value % 4)); break; /* nobody */
    case 9: head->lacks_memory = (uint32_t)value; break;
    case 10: head->hardened = (uint32_t)value; break;
    default: head->signal_code = (int32_t)value; break;
    }
}

/* A cell's word, and its value in any buffer. */
static void forge_cell(void)
{
    const struct geometry *g = &world.region->g;
    uint64_t at = bytes_take(&world.input, 3) % (g->cells_bytes - 8);
    if (bytes_take(&world.input, 1) % 2 == 0)
        atomic_store(cell_word_of(world.region, (uint32_t)at % (at & 1024 ? CELLS_MOST : 4)), any()); /* the first are open */
    else
        memset(world.region->cells + at, (int)any(), 8);
}

void forge(void)
{
    unsigned way = (unsigned)bytes_take(&world.input, 1);
    if (world.is_rich && way >= 120 && way < 240) {
        static void (*const more[])(void) = {forge_cleanups, forge_more, forge_cell};
        more[way % (sizeof more / sizeof *more)]();
        return;
    }
    if (way >= 240) { /* in place of few, so that what the corpus plays is what it was */
        forge_notes();
        return;
    }
    static void (*const ways[])(void) = {forge_word, forge_answer, forge_desk, forge_head, forge_hint, scribble};
    ways[way % (sizeof ways / sizeof *ways)]();
}
