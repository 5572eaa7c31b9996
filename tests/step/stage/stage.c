#include "leave.h"
#include "picture.h"

#include "region/queue.h"
#include "system/memory.h"

#include <signal.h>
#include <stdlib.h>

static struct truth *truth_of_acts; /* where tasks tell what they do */
static uint8_t       answers[RESULTS_BYTES + 256]; /* all there are: an answer is a stretch of these */

static uint64_t answers_bytes(const struct region *r) { return r->g.lives * r->g.arena_bytes; }

static void *must(void *memory)
{
    CHECK(memory != NULL);
    return memory;
}

static void think_of_answers(void)
{
    for (size_t i = 0; i < sizeof answers; i++)
        answers[i] = (uint8_t)(i + (i >> 8));
}

/* ---- three views ---------------------------------------------------------------------------------------------- */

static void open_host_view(struct region *host, const struct region *owner)
{
    *host = *owner;
    host->orders = must(memory_map(owner->orders_fd, 0, owner->g.orders_bytes, false, NULL));
    host->claims = must(memory_map(owner->claims_fd, 0, owner->g.claims_bytes, true, NULL));
    host->control = must(memory_map(owner->control_fd, 0, owner->g.control_bytes, false, NULL));
    host->answers = must(memory_map(owner->answers_fd, 0, answers_bytes(owner), false, NULL));
    must(memory_map(owner->answers_fd, LIFE * owner->g.arena_bytes, owner->g.arena_bytes, true, arena_of(host, LIFE)));
    CHECK_EQ(memory_commit(arena_of(host, LIFE), host->g.arena_cells, -1, 0), 0);
}

static void open_copy(struct region *copy, const struct region *owner)
{
    *copy = *owner;
    copy->orders = must(memory_map(owner->orders_fd, 0, owner->g.orders_bytes, false, NULL)); /* recovery only reads them */
    copy->claims = must(memory_private(owner->g.claims_bytes));
    copy->control = must(memory_private(owner->g.control_bytes));
    copy->answers = must(memory_private(answers_bytes(owner)));
}

static void unmap(const struct region *r)
{
    memory_unmap(r->orders, r->g.orders_bytes);
    memory_unmap(r->claims, r->g.claims_bytes);
    memory_unmap(r->control, r->g.control_bytes);
    memory_unmap(r->answers, answers_bytes(r));
}

void stage_open(struct stage *stage)
{
    const struct limits limits = {.held_tasks = SLOTS, .queue_tasks = SLOTS, .workers = 2 * WORKERS,
                                  .workers_per_host = WORKERS, .standby = 1, .inputs_bytes = SLOTS * 512,
                                  .results_bytes = RESULTS_BYTES};
    memset(stage, 0, sizeof *stage);
    CHECK_EQ(region_create(&stage->owner, &limits), 0);
    CHECK_EQ(region_commit_slots(&stage->owner, 0, SLOTS), 0);
    CHECK_EQ(stage->owner.g.results_bytes, RESULTS_BYTES); /* no less, for want of address space */
    open_host_view(&stage->heritage.region, &stage->owner);
    open_copy(&stage->copy, &stage->owner);
    const struct geometry *g = &stage->owner.g;
    stage->other_arena = must(memory_map(stage->owner.answers_fd, OTHER_LIFE * g->arena_bytes, g->arena_bytes, true, NULL));
    CHECK_EQ(memory_commit(stage->other_arena, g->arena_cells, -1, 0), 0);
    must(memory_map(stage->owner.answers_fd, CLEANER_LIFE * g->arena_bytes, g->arena_bytes, true,
                    arena_of(&stage->owner, CLEANER_LIFE)));
    picture_plan(stage);
    stage->once = must(malloc(stage->picture_bytes));
    stage->twice = must(malloc(stage->picture_bytes));
    stage->parts = harness_shared(SLOTS * sizeof *stage->parts);
    stage->truth = harness_shared(sizeof *stage->truth);
    truth_of_acts = stage->truth;
    think_of_answers();
}

static void host_leaves(struct stage *stage)
{
    struct host *host = &stage->host;
    const struct geometry *g = &stage->owner.g;
    if (host->region == NULL)
        return;
    if (host->heap_is_open)
        heap_close(&host->heap);
    free(host->blocks);
    memory_unmap(host->still_here, PAGE_BYTES);
    memory_unmap(host->cells_committed, round_up((g->arena_heap - g->arena_cells) / PAGE_BYTES / 8 + 8, PAGE_BYTES));
    memory_unmap(host->block_at, round_up(SLOTS * sizeof *host->block_at, PAGE_BYTES));
    memset(host, 0, sizeof *host);
}

void stage_close(struct stage *stage)
{
    host_leaves(stage);
    free(stage->once);
    free(stage->twice);
    memory_unmap(stage->other_arena, stage->owner.g.arena_bytes);
    unmap(&stage->copy);
    unmap(&stage->heritage.region);
    region_destroy(&stage->owner);
}

void stage_clear(struct stage *stage)
{
    struct region *r = &stage->owner;
    host_leaves(stage);
    memset(r->orders, 0, r->g.orders_bytes);
    memset(r->claims, 0, r->g.claims_bytes);
    memset(r->control, 0, r->g.control_bytes);
    memset(arena_of(&stage->heritage.region, LIFE), 0, r->g.arena_heap + RESULTS_BYTES); /* the owner cannot write there */
    memset(stage->other_arena, 0, r->g.arena_cells);
    memset(stage->parts, 0, SLOTS * sizeof *stage->parts);
    memset(stage->truth, 0, sizeof *stage->truth);
    for (uint32_t berth = 0; berth < r->g.berths; berth++)
        atomic_store(&berth_of(r, berth)->life, NO_LIFE);
    atomic_store(&berth_of(r, BERTH)->life, LIFE);
    atomic_store(&berth_of(r, BERTH)->active, WORKERS);
    atomic_store(&berth_of(r, STANDBY_BERTH)->life, STANDBY_LIFE);
    atomic_store(&berth_of(r, OTHER_BERTH)->life, OTHER_LIFE);
    atomic_store(&berth_of(r, OTHER_BERTH)->active, WORKERS);
    atomic_store(&control_head(r)->deadline_floor_ns, UINT64_MAX);
    atomic_store(&control_head(r)->expiry_floor_ns, UINT64_MAX);
    atomic_store(&control_head(r)->slots_known, SLOTS);
}

void stage_host_enters(struct stage *stage)
{
    host_leaves(stage);
    CHECK_EQ(host_prepare(&stage->host, &stage->heritage, (struct host_place){.berth = BERTH, .life = LIFE}), 0);
    for (uint32_t i = 0; i < WORKERS; i++)
        worker_prepare(&stage->workers[i], &stage->host, i);
}

/* The next run clears the memory that the mutex is in. */
void stage_unsettle(struct worker *worker)
{
    const stack_t none = {.ss_flags = SS_DISABLE};
    stack_t       stack;
    pthread_mutex_t *line = (void *)life_line_of(worker->region, worker->host->place.life, 1 + worker->index);
    CHECK_EQ(pthread_mutex_unlock(line), 0);
    CHECK_EQ(sigaltstack(&none, &stack), 0);
    memory_unmap(stack.ss_sp, stack.ss_size);
}

void stage_say_ready(struct stage *stage, uint32_t life)
{
    const struct geometry *g = &stage->owner.g;
    struct host_head *head = must(memory_map(stage->owner.answers_fd, life * g->arena_bytes, PAGE_BYTES, true, NULL));
    atomic_store(&head->birth, 0);
    atomic_store(&head->ready, 1);
    memory_unmap(head, PAGE_BYTES);
}

/* ---- tasks ---------------------------------------------------------------------------------------------------- */

static uint8_t input_byte(const struct act *act, size_t at) { return (uint8_t)(act->seed + 3 * at); }

/* Inputs are multiples of 8 bytes. Few instructions: it is not this function whose steps matter. */
static const uint8_t *answer_to(const void *input, size_t input_bytes)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < input_bytes / 8; i++)
        sum = sum * 31 + ((const uint64_t *)input)[i];
    return answers + (sum >> 32 ^ sum) % 256;
}

int stage_act(mortal_task *task, const void *input, size_t input_bytes)
{
    const struct act *act = input;
    truth_of_acts->entered[task->slot] = 1;
    if (act->leaves != 0)
        leave(task, truth_of_acts);
    const uint8_t *answer = answer_to(input, input_bytes);
    if (act->result_bytes != 0)
        memcpy(must(mortal_task_result(task, act->result_bytes)), answer, act->result_bytes);
    if (act->resized_bytes != 0) { /* what was there before has moved along */
        uint8_t *result = must(mortal_task_result(task, act->resized_bytes));
        if (act->resized_bytes > act->result_bytes)
            memcpy(result + act->result_bytes, answer + act->result_bytes, act->resized_bytes - act->result_bytes);
    }
    truth_of_acts->left[task->slot] = 1;
    return act->status;
}

static size_t write_input(const struct act *act, uint8_t *input)
{
    size_t bytes = act->input_bytes > sizeof *act ? act->input_bytes / 8 * 8 : sizeof *act;
    memcpy(input, act, sizeof *act);
    for (size_t i = sizeof *act; i < bytes; i++)
        input[i] = input_byte(act, i);
    return bytes;
}

size_t stage_answer_bytes(const struct act *act)
{
    return act->resized_bytes != 0 ? act->resized_bytes : act->result_bytes;
}

bool stage_answer_is(const struct act *act, const uint8_t *bytes)
{
    alignas(8) uint8_t input[512];
    size_t             input_bytes = write_input(act, input);
    return memcmp(bytes, answer_to(input, input_bytes), stage_answer_bytes(act)) == 0;
}

void stage_release(struct stage *stage, uint32_t slot)
{
    struct part *part = &stage->parts[slot];
    uint32_t next = part->generation + 1;
    atomic_store_explicit(claim_of(&stage->owner, slot), word_make(next, SLOT_FREE, 0, 0), memory_order_release);
    *part = (struct part){.generation = next};
    stage->truth->entered[slot] = stage->truth->left[slot] = 0;
    stage->truth->stands[slot] = stage->truth->may_stand[slot] = 0;
    stage->truth->said[slot] = stage->truth->may_say[slot] = 0;
}

void stage_submit(struct stage *stage, uint32_t slot, struct part part)
{
    struct region *r = &stage->owner;
    struct order  *order = order_of(r, slot);
    struct care   *care = care_of(r, slot);
    if (stage->parts[slot].is_cast)
        stage_release(stage, slot);
    part.is_cast = true;
    part.generation = stage->parts[slot].generation != 0 ? stage->parts[slot].generation : 1;
    part.attempts = part.attempts > 1 ? part.attempts : 1;
    part.ticket = atomic_fetch_add(&orders_head(r)->tickets, 1);
    stage->parts[slot] = part;

    bool     is_inline = part.act.input_bytes <= INLINE_INPUT_BYTES;
    uint8_t *input = is_inline ? order->input : inputs_of(r) + slot * 512;
    order->ticket = part.ticket;
    order->function = (uintptr_t)stage_act;
    order->input_offset = is_inline ? 0 : slot * 512;
    order->deadline_ns = 0;
    atomic_store(&order->expires_at_ns, (part.flags & ORDER_EXPIRES) != 0 ? 1 : UINT64_MAX); /* long ago, or never */
    order->input_bytes = (uint32_t)write_input(&part.act, input);
    atomic_store(&order->flags, part.flags | (is_inline ? ORDER_INLINE : 0));
    atomic_store(&order->watched, part.watched);
    order->group = part.group;
    order->attempts = part.attempts;
    uint64_t charged = (uint64_t)part.starts << 40 | (part.starts != 0 ? 4u << WORKER_BITS : CARE_UNCHARGED);
    atomic_store(&care->charged, charged);
    atomic_store(&care->returned, CARE_UNCHARGED);
    atomic_store(&care->asked, 0);
    atomic_store(&care->killers, 0);
    atomic_store(&care->told, 0);
    atomic_store(&care->overdue, 0);
    atomic_store_explicit(claim_of(r, slot), word_make(part.generation, SLOT_PENDING, 0, 0), memory_order_release);
    queue_push(r, slot, part.generation);
}

uint32_t stage_claim(struct stage *stage, uint32_t life, uint32_t worker, bool begins)
{
    struct desk *others = (struct desk *)(void *)(stage->other_arena + sizeof(struct host_head));
    struct desk *desk = life == LIFE ? desk_of(&stage->heritage.region, LIFE, worker) : &others[worker];
    struct claimant who = {.life = life, .worker = worker, .desk = desk};
    uint32_t slot;
    uint64_t word;
    if (!queue_claim(&stage->heritage.region, &who, &slot, &word))
        return 0;
    stage->parts[slot].worker = worker;
    stage->parts[slot].lives_on = life != LIFE;
    if (begins) {
        atomic_store(&desk->begun, word);
        stage->truth->entered[slot] = 1;
    }
    return slot + 1;
}
