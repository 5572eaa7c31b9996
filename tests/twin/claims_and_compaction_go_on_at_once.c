/*
 * The owner pushes, cancels and closes the gaps of the queue while workers claim from it: each task that was not cancelled
 * is claimed once, none is lost, and no worker gets an older task after a newer one.
 * Broken by: a gap closed from the front; an entry overwritten before its copy is to be seen; a place of the ring that is
 * used anew while a worker still reads it as what it was.
 */
#include "twin.h"

#include "region/queue.h"

enum { SLOTS = 64, CLAIMANTS = 3 };

static struct region r;
static word go_on;

struct claims {
    struct claimant who;
    uint64_t last_ticket;
    uint32_t count;
    pthread_t thread;
};

static void *claim_all(void *argument)
{
    struct claims *me = argument;
    for (bool last_look = false; !last_look;) {
        uint32_t slot;
        uint64_t claimed;
        last_look = atomic_load(&go_on) == 0;
        while (queue_has_work(&r, &me->who)) {
            if (!queue_claim(&r, &me->who, &slot, &claimed))
                continue;
            uint64_t ticket = order_of(&r, slot)->ticket;
            CHECK(ticket > me->last_ticket);
            me->last_ticket = ticket;
            me->count++;
            atomic_store_explicit(claim_of(&r, slot), word_with_phase(claimed, SLOT_BARE), memory_order_release);
        }
        sched_yield();
    }
    return NULL;
}

/* Slots that ended are free again; some that wait are cancelled. Returns how many were. */
static uint32_t tidy(uint32_t *free_slots, uint32_t *free_count, uint64_t *dice)
{
    uint32_t cancelled = 0;
    *free_count = 0;
    for (uint32_t slot = 0; slot < SLOTS; slot++) {
        uint64_t seen = atomic_load_explicit(claim_of(&r, slot), memory_order_acquire);
        if (word_phase(seen) == SLOT_PENDING && below(dice, 100) < 40 &&
            atomic_compare_exchange_strong(claim_of(&r, slot), &seen, word_with_phase(seen, SLOT_CANCELLED))) {
            cancelled++;
            seen = word_with_phase(seen, SLOT_CANCELLED);
        }
        if (word_phase(seen) == SLOT_FREE || phase_has_ended(word_phase(seen)))
            free_slots[(*free_count)++] = slot;
    }
    return cancelled;
}

static uint32_t own(uint32_t tasks)
{
    uint64_t dice = 3, ticket = 0;
    uint32_t cancelled = 0, free_slots[SLOTS], free_count = 0, generations[SLOTS] = {0};
    while (ticket < tasks) {
        if (free_count == 0 || !queue_has_room(&r)) {
            cancelled += tidy(free_slots, &free_count, &dice);
            queue_compact(&r);
            continue;
        }
        uint32_t slot = free_slots[--free_count];
        order_of(&r, slot)->ticket = ++ticket;
        atomic_store_explicit(claim_of(&r, slot), word_make(++generations[slot], SLOT_PENDING, 0, 0), memory_order_release);
        queue_push(&r, slot, generations[slot]);
        if (below(&dice, 100) < 5)
            queue_compact(&r);
    }
    return cancelled;
}

void test(void)
{
    struct limits limits = {.held_tasks = SLOTS, .queue_tasks = SLOTS, .workers = CLAIMANTS,
                            .workers_per_host = CLAIMANTS, .inputs_bytes = 4096, .results_bytes = 4096};
    uint32_t tasks = more_if_long(100000);
    struct claims claims[CLAIMANTS];
    CHECK_EQ(region_create(&r, &limits), 0);
    CHECK_EQ(region_commit_slots(&r, 0, SLOTS), 0);
    CHECK(memory_map(r.answers_fd, 0, r.g.arena_bytes, true, arena_of(&r, 0)) != NULL);
    atomic_store(&go_on, 1);
    for (uint32_t i = 0; i < CLAIMANTS; i++) {
        claims[i] = (struct claims){.who = {.life = 0, .worker = i, .desk = desk_of(&r, 0, i)}};
        claims[i].thread = thread_start(claim_all, &claims[i]);
    }
    uint32_t ended = own(tasks);
    atomic_store(&go_on, 0);
    for (uint32_t i = 0; i < CLAIMANTS; i++) {
        pthread_join(claims[i].thread, NULL);
        ended += claims[i].count;
    }
    CHECK_EQ(ended, tasks);
    region_destroy(&r);
}
