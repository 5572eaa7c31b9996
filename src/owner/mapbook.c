#include "owner/mapbook.h"

#include <stdlib.h>
#include <string.h>

#include "region/plant.h"

/* ORD(*) whoever wrote what is read here without an order has certainly ended, and its end told of that. */

#define BLOCKS_PER_WORKER 256u

void book_plan(struct map_plan *plan, uint64_t workers) {
    uint64_t share = plan->count / (workers * BLOCKS_PER_WORKER);
    plan->per_block = share == 0 ? 1 : share > MAP_BLOCK_MOST ? MAP_BLOCK_MOST : share;
    plan->blocks = (plan->count + plan->per_block - 1) / plan->per_block;
    plan->cells = (uint32_t)workers;
    plan->board_cells = sizeof(struct map_board);
    plan->board_blocks = plan->board_cells + plan->cells * sizeof(struct map_cell);
    plan->board_outcomes = plan->board_blocks + plan->blocks * sizeof(struct map_block);
}

void book_open(struct map_book *book, const struct map_plan *plan, uint8_t *board) {
    book->plan = plan;
    book->board = (struct map_board *)(void *)board;
    book->cells = (struct map_cell *)(void *)(board + plan->board_cells);
    book->blocks = (struct map_block *)(void *)(board + plan->board_blocks);
    book->outcomes = (_Atomic uint8_t *)(void *)(board + plan->board_outcomes);
    book->open_before = UINT64_MAX;
    for (uint64_t block = 0; block < plan->blocks; block++)
        atomic_store_explicit(&book->blocks[block].word, map_word(0, map_items_in(plan, block), 0), memory_order_relaxed);
}

void book_close(struct map_book *book) {
    free(book->ended);
    free(book->left);
    book->ended = NULL;
    book->left = NULL;
}

/* ---- what cost a runner its life ------------------------------------------------------------------------------ */

static struct map_ended *place_of(struct map_ended *table, size_t room, uint64_t item) {
    size_t at = (size_t)(item * 0x9e3779b97f4a7c15ull >> 20) & (room - 1);
    while (table[at].item != 0 && table[at].item != item)
        at = (at + 1) & (room - 1);
    return &table[at];
}

static bool make_room(struct map_book *book) {
    if (book->ended_count * 2 < book->ended_room)
        return true;
    size_t room = book->ended_room == 0 ? 64 : book->ended_room * 2;
    struct map_ended *table = calloc(room, sizeof *table);
    if (table == NULL)
        return false;
    for (size_t i = 0; i < book->ended_room; i++)
        if (book->ended[i].item != 0)
            *place_of(table, room, book->ended[i].item) = book->ended[i];
    free(book->ended);
    book->ended = table;
    book->ended_room = room;
    return true;
}

static const struct map_ended *find(const struct map_book *book, uint64_t number) {
    const struct map_ended *ended = book->ended_count == 0 ? NULL : place_of(book->ended, book->ended_room, number + 1);
    return ended != NULL && ended->item != 0 ? ended : NULL;
}

static struct map_ended *enter(struct map_book *book, uint64_t number) {
    if (!make_room(book))
        return NULL;
    struct map_ended *ended = place_of(book->ended, book->ended_room, number + 1);
    book->ended_count += ended->item == 0;
    ended->item = number + 1;
    return ended;
}

static uint8_t outcome_on_board(const struct map_book *book, uint64_t number) {
    return atomic_load_explicit(&book->outcomes[number], memory_order_relaxed);
}

static void put_on_board(struct map_book *book, uint64_t number, uint8_t outcome) {
    atomic_store_explicit(&book->outcomes[number], outcome, memory_order_relaxed);
}

static bool is_open(const struct map_book *book, uint64_t number) {
    if (map_has_ended(outcome_on_board(book, number)))
        return false;
    const struct map_ended *ended = find(book, number);
    return ended == NULL || ended->outcome == 0;
}

/* ---- one runner's end ----------------------------------------------------------------------------------------- */

static void leave(struct map_book *book, struct map_left left) {
    if (book->left_count == book->left_room) {
        size_t room = book->left_room == 0 ? 16 : book->left_room * 2;
        struct map_left *more = realloc(book->left, room * sizeof *more);
        if (more == NULL)
            return; /* it is found when everything is looked at */
        book->left = more;
        book->left_room = room;
    }
    book->left[book->left_count++] = left;
}

uint8_t book_judge(int outcome, bool is_innocent, uint32_t attempts, uint32_t *starts) {
    if (is_innocent)
        outcome = MORTAL_COLLATERAL;
    *starts += outcome != MORTAL_COLLATERAL;
    bool may_again = outcome == MORTAL_CRASHED || outcome == MORTAL_TIMED_OUT || outcome == MORTAL_COLLATERAL ||
                     outcome == MORTAL_OUT_OF_MEMORY;
    if (may_again && attempts > 1 && *starts < attempts)
        return 0;
    return (uint8_t)(outcome == MORTAL_CRASHED && attempts > 1 ? MORTAL_QUARANTINED : outcome);
}

/* The deadline met another item than the one that it was for: that one is over, and this had only begun. */
static bool is_innocent(const struct map_book *book, const struct map_cell *cell, int outcome, uint64_t now_ns) {
    uint64_t started = atomic_load_explicit(&cell->started_ns, memory_order_relaxed);
    return outcome == MORTAL_TIMED_OUT && book->deadline_ns != 0 && started <= now_ns &&
           now_ns - started < book->deadline_ns;
}

static void end_item(struct map_book *book, uint64_t number, int outcome, bool innocent, bool is_of_block) {
    struct map_ended *ended = enter(book, number);
    uint32_t starts = ended != NULL ? ended->starts : book->attempts - 1; /* no memory to count with: it ends as it is */
    uint8_t ends_as = book_judge(outcome, innocent, book->attempts, &starts);
    if (ended != NULL) {
        ended->starts = starts;
        ended->outcome = ends_as;
    }
    put_on_board(book, number, ends_as != 0 ? ends_as : map_begun_in_vain(starts));
    if (ends_as == 0 && !is_of_block)
        leave(book, (struct map_left){.item = number + 1});
}

/* Taken from the top of its block, by whomever. */
static bool is_from_top(const struct map_book *book, uint64_t number) {
    uint64_t block = number / book->plan->per_block;
    uint64_t word = atomic_load_explicit(&book->blocks[block].word, memory_order_relaxed);
    return number - block * book->plan->per_block >= map_top_of(word);
}

/* Where the runner is in that block, if it owns it and that makes sense: the item, or NOWHERE. */
#define NOWHERE UINT64_MAX
static uint64_t item_at(const struct map_book *book, uint64_t block, uint32_t name) {
    if (block >= book->plan->blocks)
        return NOWHERE;
    uint64_t word = atomic_load_explicit(&book->blocks[block].word, memory_order_relaxed);
    bool owns = map_runner_of(word) == name && map_word_fits(word, map_items_in(book->plan, block)) &&
                map_at_of(word) < map_top_of(word);
    return owns ? block * book->plan->per_block + map_at_of(word) : NOWHERE;
}

/* Its note says that it had not begun the item. That is believed of the same item a few times only, as of a task. */
#define BELIEVED 3
static bool is_still_believed(struct map_book *book, uint64_t number) {
    book->doubts = book->doubtful == number ? book->doubts + 1 : 0;
    book->doubtful = number;
    return book->doubts < BELIEVED;
}

/* The item that a runner had in hand when it was cut: + 1, or 0. Only its own note tells; one that makes no sense was
 * overwritten, and then it is charged with the item that its block is at, which may have begun. */
static uint64_t settle_cut(struct map_book *book, const struct map_cell *cell, const struct map_runner *runner, int outcome,
                           bool innocent) {
    /* ORD(map:hand) pairs ORD(map:begun) */
    uint64_t begun = atomic_load_explicit(&cell->begun, memory_order_acquire), at;
    bool is_known = begun <= book->plan->count, is_in_hand = begun != 0 && is_known && is_open(book, begun - 1);
    if (is_in_hand) {
        at = item_at(book, (begun - 1) / book->plan->per_block, runner->name);
        if (begun - 1 == at || is_from_top(book, begun - 1)) {
            end_item(book, begun - 1, outcome, innocent, begun - 1 == at);
            return begun;
        }
    }
    at = item_at(book, atomic_load_explicit(&cell->block, memory_order_relaxed) - 1, runner->name);
    if (at == NOWHERE && runner->block != 0)
        at = item_at(book, runner->block - 1, runner->name);
    if (at == NOWHERE || !is_open(book, at))
        return 0;
    bool may_have_begun = is_in_hand || !is_known || outcome == MORTAL_LOST; /* then its host may have gone on since */
    if (may_have_begun || !is_still_believed(book, at))
        end_item(book, at, outcome, innocent, true);
    return 0;
}

/* One whose claim was overwritten may still run for a moment: if the runner loses this swap it begins nothing more. */
static void free_block(struct map_book *book, uint64_t block, uint32_t name) {
    _Atomic uint64_t *word = &book->blocks[block].word;
    uint64_t seen = atomic_load_explicit(word, memory_order_relaxed);
    while (map_runner_of(seen) == name) {
        uint64_t freed = map_word(0, map_top_of(seen), map_at_of(seen));
        /* ORD(map:free) pairs ORD(map:take), ORD(map:on), ORD(map:steal) */
        if (!atomic_compare_exchange_weak_explicit(word, &seen, freed, memory_order_acq_rel, memory_order_relaxed))
            continue;
        seen = freed;
        break;
    }
    /* One that was overwritten no runner would take. */
    if (map_runner_of(seen) == 0 && map_at_of(seen) < map_top_of(seen) && map_word_fits(seen, map_items_in(book->plan, block)))
        leave(book, (struct map_left){.block = block + 1});
}

void book_settle(struct map_book *book, uint32_t cell_number, const struct map_runner *runner, int outcome,
                 uint64_t now_ns) {
    struct map_cell *cell = &book->cells[cell_number];
    uint32_t name = runner->name;
    uint64_t in_hand = 0;
    if (outcome != MORTAL_DONE && outcome != MORTAL_FAILED && !PLANTED(PLANT_MAP_FORGETS_HAND)) {
        book->deaths++;
        if (outcome != MORTAL_CANCELLED && outcome != MORTAL_EXPIRED)
            in_hand = settle_cut(book, cell, runner, outcome, is_innocent(book, cell, outcome, now_ns));
    }
    uint64_t block = atomic_load_explicit(&cell->block, memory_order_relaxed);
    if (block - 1 < book->plan->blocks)
        free_block(book, block - 1, name);
    if (runner->block != 0 && runner->block != block) /* it did not come to that */
        free_block(book, runner->block - 1, name);
    atomic_store_explicit(&cell->begun, 0, memory_order_relaxed);
    atomic_store_explicit(&cell->block, 0, memory_order_relaxed);
    if (runner->item == 0 || runner->item == in_hand || !is_open(book, runner->item - 1))
        return;
    if (outcome == MORTAL_DONE || outcome == MORTAL_FAILED || is_still_believed(book, runner->item - 1))
        leave(book, (struct map_left){.item = runner->item});
    else
        end_item(book, runner->item - 1, outcome, false, false);
}

/* Items that their runner is not at: one more runner takes them from it. ORD(*) hints; in vain it ends at once. */
static bool any_to_share(const struct map_book *book) {
    for (uint32_t i = 0; i < book->plan->cells; i++) {
        uint64_t block = atomic_load_explicit(&book->cells[i].block, memory_order_relaxed) - 1;
        if (block >= book->plan->blocks)
            continue;
        uint64_t word = atomic_load_explicit(&book->blocks[block].word, memory_order_relaxed);
        if (map_runner_of(word) != 0 && map_word_fits(word, map_items_in(book->plan, block)) &&
            map_top_of(word) - map_at_of(word) > 1)
            return true;
    }
    return false;
}

bool book_next(struct map_book *book, struct map_left *left) {
    *left = (struct map_left){0};
    if (book->left_count == 0)
        return atomic_load_explicit(&book->board->next, memory_order_relaxed) < book->plan->blocks || any_to_share(book);
    *left = book->left[--book->left_count];
    return true;
}

void book_put_back(struct map_book *book, const struct map_left *left) {
    if (left->block != 0 || left->item != 0)
        leave(book, *left);
}

/* ---- all of it ------------------------------------------------------------------------------------------------ */

#define ONES 0x0101010101010101ull
#define HIGH 0x8080808080808080ull

static uint64_t eight_at(const uint8_t *bytes) {
    uint64_t eight;
    memcpy(&eight, bytes, sizeof eight);
    return eight;
}

/* A bit for each byte that is zero, and no other. */
static uint64_t zeros_in(uint64_t eight) { return ~(((eight & ~HIGH) + ~HIGH) | eight | ~HIGH); }

static bool any_open(const struct map_book *book, uint64_t from, uint64_t to) {
    const uint8_t *outcomes = (const uint8_t *)book->outcomes; /* ORD(map:read) pairs ORD(map:ended): by its runner's end */
    atomic_thread_fence(memory_order_acquire);
    for (; to - from >= 8; from += 8)
        if (((eight_at(outcomes + from) & HIGH) | zeros_in(eight_at(outcomes + from))) != 0)
            return true;
    for (; from < to; from++)
        if (!map_has_ended(outcomes[from]))
            return true;
    return false;
}

size_t book_count_done(const uint8_t *outcomes, size_t count) {
    size_t done = 0, i = 0;
    for (; count - i >= 8; i += 8)
        done += (size_t)__builtin_popcountll(zeros_in(eight_at(outcomes + i) ^ ONES * MORTAL_DONE));
    for (; i < count; i++)
        done += outcomes[i] == MORTAL_DONE;
    return done;
}

/* How many are to run, of a block that nobody owns. */
struct part {
    uint64_t open, from_top;
};

/* A word that makes no sense was overwritten: what began of it nobody knows. */
static uint64_t sane_word(struct map_book *book, uint64_t block) {
    uint64_t items = map_items_in(book->plan, block);
    uint64_t word = atomic_load_explicit(&book->blocks[block].word, memory_order_relaxed);
    word = map_word_fits(word, items) ? map_word(0, map_top_of(word), map_at_of(word)) : map_word(0, items, items);
    atomic_store_explicit(&book->blocks[block].word, word, memory_order_relaxed);
    return word;
}

/* What is before the position has ended, so what has no outcome there lost it. */
static struct part look_at_block(struct map_book *book, uint64_t block) {
    struct part part = {0};
    uint64_t first = block * book->plan->per_block, items = map_items_in(book->plan, block);
    if (!any_open(book, first, first + items))
        return part;
    uint64_t word = sane_word(book, block);
    for (uint64_t i = 0; i < items; i++) {
        uint64_t number = first + i;
        if (map_has_ended(outcome_on_board(book, number)))
            continue;
        const struct map_ended *ended = find(book, number);
        if (ended != NULL && ended->outcome != 0)
            put_on_board(book, number, ended->outcome);
        else if (i < map_at_of(word))
            put_on_board(book, number, MORTAL_LOST);
        else if (i < map_top_of(word))
            part.open++;
        else if (++part.from_top <= book->deaths) /* one each at most */
            leave(book, (struct map_left){.item = number + 1});
        else
            put_on_board(book, number, MORTAL_LOST);
    }
    return part;
}

bool book_look_at_all(struct map_book *book) {
    uint64_t open = 0, before = book->deaths == 0 ? book->open_before : UINT64_MAX;
    book->left_count = 0;
    for (uint64_t block = 0; block < book->plan->blocks; block++) {
        struct part part = look_at_block(book, block);
        uint64_t taken = part.from_top < book->deaths ? part.from_top : book->deaths;
        book->deaths -= taken;
        open += part.open + taken;
    }
    if (open == 0 || open >= before) /* nothing has come of it: somebody undoes what is done */
        return false;
    book->open_before = open;
    book->deaths = 0;
    atomic_store_explicit(&book->board->next, 0, memory_order_relaxed);
    return true;
}

void book_finish(struct map_book *book, uint8_t rest) {
    for (size_t i = 0; i < book->ended_room; i++)
        if (book->ended[i].item != 0 && book->ended[i].outcome != 0)
            put_on_board(book, book->ended[i].item - 1, book->ended[i].outcome);
    for (uint64_t block = 0; block < book->plan->blocks; block++) {
        uint64_t first = block * book->plan->per_block, items = map_items_in(book->plan, block);
        if (!any_open(book, first, first + items))
            continue;
        uint64_t word = sane_word(book, block);
        for (uint64_t i = 0; i < items; i++)
            if (!map_has_ended(outcome_on_board(book, first + i)))
                put_on_board(book, first + i, i < map_at_of(word) ? MORTAL_LOST : rest);
    }
}
