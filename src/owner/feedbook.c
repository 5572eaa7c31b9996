#include "owner/feedbook.h"

#include <stdlib.h>
#include <string.h>

#include "owner/mapbook.h"
#include "region/plant.h"

/* ORD(*) whoever wrote what is read here without an order has certainly ended, and its end told of that. */

#define STINT_NS 20000u   /* about as much is given to one runner ahead */
#define STINT_MOST 4096u  /* items likewise */
#define LENGTH_MOST 65536u /* in one stretch: then others of the pool have their turn */
#define BELIEVED 3u       /* so often an item may end its runner and not be what it noted as begun */
#define PATIENCE 100u     /* so often a runner may return, or be lost, and not have begun it */

static uint64_t aligned(uint64_t offset) { return (offset + 63) / 64 * 64; }

uint64_t feedbook_plan(struct feed_plan *plan) {
    plan->runs = plan->cells < FEED_RUNS_MOST ? plan->cells : FEED_RUNS_MOST;
    plan->board_runs = sizeof(struct feed_board);
    plan->board_outcomes = plan->board_runs + plan->runs * sizeof(struct feed_run);
    plan->board_statuses = aligned(plan->board_outcomes + plan->cells);
    return aligned(plan->board_statuses + plan->cells * sizeof(int32_t));
}

bool feedbook_open(struct feed_book *book, const struct feed_plan *plan, uint8_t *board) {
    book->plan = *plan;
    book->board = (struct feed_board *)(void *)board;
    book->runs = (struct feed_run *)(void *)(board + plan->board_runs);
    book->outcomes = (_Atomic uint8_t *)(void *)(board + plan->board_outcomes);
    book->statuses = (int32_t *)(void *)(board + plan->board_statuses);
    book->items = calloc(plan->cells, sizeof *book->items);
    book->verdicts = calloc(plan->cells, sizeof *book->verdicts); /* touched only for what goes wrong */
    book->stints = calloc(plan->runs, sizeof *book->stints);
    book->waiting.cells = calloc(plan->cells, sizeof *book->waiting.cells);
    book->coming.cells = calloc(plan->cells, sizeof *book->coming.cells);
    book->current = NO_RUN;
    book->trust = STINT_MOST;
    return book->items != NULL && book->verdicts != NULL && book->stints != NULL && book->waiting.cells != NULL &&
           book->coming.cells != NULL;
}

void feedbook_close(struct feed_book *book) {
    free(book->items);
    free(book->verdicts);
    free(book->stints);
    free(book->waiting.cells);
    free(book->coming.cells);
    book->items = NULL;
}

static void join(const struct feed_book *book, struct feed_line *line, uint32_t cell) {
    uint32_t at = line->head + line->count++;
    line->cells[at < book->plan.cells ? at : at - book->plan.cells] = cell;
}

/* Before those that came later: what waits again was put before what waits still. */
static void join_in_front(const struct feed_book *book, struct feed_line *line, uint32_t cell) {
    line->head = line->head == 0 ? book->plan.cells - 1 : line->head - 1;
    line->cells[line->head] = cell;
    line->count++;
}

static uint32_t first_of(const struct feed_book *book, struct feed_line *line) {
    uint32_t cell = line->cells[line->head];
    line->head = line->head + 1 == book->plan.cells ? 0 : line->head + 1;
    line->count--;
    return cell;
}

/* ---- putting -------------------------------------------------------------------------------------------------- */

/* Those that take long, or are looked at, are passed over. */
uint32_t feedbook_cell(struct feed_book *book) {
    while (book->items[book->at].state != CELL_FREE)
        book->at = book->at + 1 == book->plan.cells ? 0 : book->at + 1;
    return book->at;
}

void feedbook_put(struct feed_book *book, uint32_t cell, void *tag) {
    book->items[cell] = (struct feed_item){.number = book->put++, .tag = tag, .state = CELL_WAITS};
    atomic_store_explicit(&book->outcomes[cell], 0, memory_order_relaxed);
    book->at = cell + 1 == book->plan.cells ? 0 : cell + 1;
    join(book, &book->waiting, cell);
    if (book->in_order)
        join(book, &book->coming, cell);
}

/* How many short items one runner is given ahead; 1: they are not short. A hint from the board. */
static uint32_t stint_most(const struct feed_book *book) {
    uint64_t pace = atomic_load_explicit(&book->board->pace_ns, memory_order_relaxed);
    uint64_t most = pace == 0 ? 1 : STINT_NS / pace;
    return most < 2 ? 1 : most > book->trust ? book->trust : (uint32_t)most;
}

/* Short ones on the average may have long ones among them. Halving was too slow: each of the next stretches held some. Back
 * by one for each runner that ends: the price of a runner is shared by enough items soon. */
static void set_trust(struct feed_book *book, uint32_t trust) {
    uint32_t take = trust < book->plan.take_most ? trust : book->plan.take_most;
    book->trust = trust < STINT_MOST ? trust : STINT_MOST;
    /* ORD(*) a hint for runners. */
    if (atomic_load_explicit(&book->told->take_most, memory_order_relaxed) != take)
        atomic_store_explicit(&book->told->take_most, take, memory_order_relaxed);
}

/* One more for that runner, if it goes on where its stretch ends. ahead: so many may wait there before. */
static bool add_to(struct feed_book *book, uint32_t run, uint32_t cell, uint64_t ahead) {
    struct feed_stint *stint = &book->stints[run];
    struct feed_item *item = &book->items[cell];
    if (stint->name == 0 || stint->is_spoiled || stint->count >= LENGTH_MOST || stint->first + stint->count != cell ||
        stint->number + stint->count != item->number)
        return false;
    _Atomic uint64_t *word = &book->runs[run].word;
    uint64_t seen = atomic_load_explicit(word, memory_order_relaxed);
    do {
        if (feed_name_of(seen) != stint->name || feed_is_shut(seen) || feed_top_of(seen) != stint->count ||
            feed_at_of(seen) > stint->count || stint->count - feed_at_of(seen) >= ahead)
            return false;
        /* ORD(feed:put) pairs ORD(feed:take): the item is there before. */
    } while (!atomic_compare_exchange_weak_explicit(word, &seen,
                                                    feed_word(stint->name, false, stint->count + 1, feed_at_of(seen)),
                                                    memory_order_release, memory_order_relaxed));
    stint->count++;
    item->state = CELL_OUT;
    return true;
}

void feedbook_add(struct feed_book *book) {
    uint32_t most = stint_most(book);
    while (book->waiting.count != 0 && book->current != NO_RUN && most > 1 &&
           add_to(book, book->current, book->waiting.cells[book->waiting.head], most))
        (void)first_of(book, &book->waiting);
}

static uint32_t free_run(struct feed_book *book, bool spoiled) {
    for (uint32_t i = 0; i < book->plan.runs; i++) {
        uint32_t run = book->next_run;
        book->next_run = run + 1 == book->plan.runs ? 0 : run + 1;
        if (book->stints[run].name == 0 && book->stints[run].is_spoiled == spoiled)
            return run;
    }
    return NO_RUN;
}

/* One that is spoiled only where there is no other: better a note that somebody may still overwrite than a map that stands
 * still. Its word nobody changes who has another name. */
static uint32_t any_free_run(struct feed_book *book) {
    uint32_t run = free_run(book, false);
    return run != NO_RUN ? run : free_run(book, true);
}

/* When all were given they come again: whoever had one so long ago has ended. */
static uint32_t new_name(struct feed_book *book) {
    book->names = book->names == FEED_NAMES_MOST ? 1 : book->names + 1;
    return book->names;
}

uint32_t feedbook_begin(struct feed_book *book, struct feed_runner *runner) {
    uint32_t run = book->waiting.count == 0 || book->out >= book->plan.runs ? NO_RUN : any_free_run(book);
    if (run == NO_RUN)
        return NO_RUN;
    struct feed_stint *stint = &book->stints[run];
    uint32_t most = stint_most(book), cell = first_of(book, &book->waiting);
    *stint = (struct feed_stint){.number = book->items[cell].number, .first = cell, .count = 1, .name = new_name(book)};
    book->items[cell].state = CELL_OUT;
    while (book->waiting.count != 0 && stint->count < most) {
        cell = book->waiting.cells[book->waiting.head];
        if (cell != stint->first + stint->count || book->items[cell].number != stint->number + stint->count)
            break;
        book->items[first_of(book, &book->waiting)].state = CELL_OUT;
        stint->count++;
    }
    atomic_store_explicit(&book->runs[run].note.begun, 0, memory_order_relaxed);
    atomic_store_explicit(&book->runs[run].note.started_ns, 0, memory_order_relaxed);
    atomic_store_explicit(&book->runs[run].word, feed_word(stint->name, false, stint->count, 0), memory_order_relaxed);
    *runner = (struct feed_runner){.name = stint->name, .run = run, .number = stint->number, .first = stint->first,
                                   .kind = FEED_KIND};
    book->current = run;
    book->out++;
    return run;
}

static void end_stint(struct feed_book *book, uint32_t run) {
    book->stints[run].name = 0;
    book->out--;
    if (book->current == run)
        book->current = NO_RUN;
}

/* ---- ending --------------------------------------------------------------------------------------------------- */

static void end_item(struct feed_book *book, uint32_t cell, uint8_t outcome) {
    struct feed_item *item = &book->items[cell];
    item->state = CELL_ENDED;
    item->outcome = outcome;
    book->counts[outcome]++;
    if (!book->in_order)
        join(book, &book->coming, cell);
}

/* By the owner's word, for the reason that the verdict tells. */
static void end_as(struct feed_book *book, uint32_t cell, int outcome, const mortal_verdict *why) {
    mortal_verdict *verdict = &book->verdicts[cell];
    *verdict = (mortal_verdict){.outcome = outcome};
    if (why != NULL) {
        verdict->cause = why->cause;
        verdict->signal = why->signal;
        verdict->signal_code = why->signal_code;
        verdict->exit_code = why->exit_code;
        verdict->fault_address = why->fault_address;
        verdict->culprit = why->culprit;
        verdict->obituary = why->obituary;
        verdict->cleanup = why->cleanup;
    }
    end_item(book, cell, (uint8_t)outcome);
}

/* As it says itself; 0: it does not. What makes no sense was overwritten. */
static uint8_t own_outcome(const struct feed_book *book, uint32_t cell) {
    /* ORD(feed:read) pairs ORD(feed:ended): the result is there. */
    uint8_t seen = atomic_load_explicit(&book->outcomes[cell], memory_order_acquire);
    if (seen == 0 || seen >= 0x80)
        return 0;
    bool makes_sense = seen == MORTAL_DONE || seen == MORTAL_FAILED ||
                       (seen == MORTAL_CANCELLED && book->items[cell].number < book->cancelled);
    return makes_sense ? seen : MORTAL_LOST;
}

static void end_by_itself(struct feed_book *book, uint32_t cell, uint8_t outcome) {
    if (outcome == MORTAL_DONE || outcome == MORTAL_FAILED)
        end_item(book, cell, outcome);
    else
        end_as(book, cell, outcome, NULL);
}

/* The deadline met another item than the one that it was for: that one is over, and this had only begun. */
static bool is_innocent(const struct feed_book *book, const struct map_cell *note, int outcome, uint64_t now_ns) {
    uint64_t started = atomic_load_explicit(&note->started_ns, memory_order_relaxed);
    return outcome == MORTAL_TIMED_OUT && book->deadline_ns != 0 && started <= now_ns &&
           now_ns - started < book->deadline_ns;
}

/* True: it begins again. */
static bool charge(struct feed_book *book, uint32_t cell, const mortal_verdict *verdict, bool innocent) {
    struct feed_item *item = &book->items[cell];
    uint8_t ends_as = book_judge(verdict->outcome, innocent, book->attempts, &item->starts);
    item->doubts = 0;
    if (ends_as != 0)
        end_as(book, cell, ends_as, verdict);
    return ends_as == 0;
}

/* No runner is to begin it any more, or it waits again. */
static void go_back(struct feed_book *book, uint32_t cell) {
    struct feed_item *item = &book->items[cell];
    if (item->number < book->cancelled) {
        end_as(book, cell, MORTAL_CANCELLED, NULL);
        return;
    }
    item->state = CELL_WAITS;
    atomic_store_explicit(&book->outcomes[cell], item->starts == 0 ? 0 : map_begun_in_vain(item->starts), memory_order_relaxed);
    join_in_front(book, &book->waiting, cell);
}

/* That runner begins nothing more of its stretch from here on, if it still runs. Returns how much it may have taken up. */
static uint32_t take_back(struct feed_book *book, uint32_t run, bool for_good) {
    const struct feed_stint *stint = &book->stints[run];
    _Atomic uint64_t *word = &book->runs[run].word;
    uint64_t seen = atomic_load_explicit(word, memory_order_relaxed), less;
    do {
        if (feed_name_of(seen) != stint->name || feed_top_of(seen) != stint->count || feed_at_of(seen) > stint->count)
            return stint->count; /* overwritten */
        less = for_good ? 0 : feed_word(stint->name, feed_is_shut(seen), feed_at_of(seen), feed_at_of(seen));
        /* ORD(feed:back) pairs ORD(feed:take) */
    } while (!atomic_compare_exchange_weak_explicit(word, &seen, less, memory_order_acq_rel, memory_order_relaxed));
    return (uint32_t)feed_at_of(seen);
}

/* Still that runner's: where it had been, another item may lie meanwhile. */
static bool is_out(const struct feed_book *book, const struct feed_stint *stint, uint32_t place) {
    const struct feed_item *item = &book->items[stint->first + place];
    return item->state == CELL_OUT && item->number == stint->number + place;
}

void feedbook_undo(struct feed_book *book, uint32_t run) {
    const struct feed_stint *stint = &book->stints[run];
    atomic_store_explicit(&book->runs[run].word, 0, memory_order_relaxed);
    for (uint32_t i = stint->count; i-- != 0;)
        if (is_out(book, stint, i)) /* else its outcome was overwritten meanwhile, and believed */
            go_back(book, stint->first + i);
    end_stint(book, run);
}

/* Those that have an outcome are its own no more. Returns how many are left, and the first of them. */
static uint32_t harvest(struct feed_book *book, const struct feed_stint *stint, uint32_t *first) {
    uint64_t over = book->in_order && book->taken > stint->number ? book->taken - stint->number : 0;
    uint32_t left = 0;
    *first = stint->count;
    for (uint32_t i = stint->count; i > over; i--) {
        uint8_t outcome = 0;
        if (!is_out(book, stint, i - 1))
            continue;
        if ((outcome = own_outcome(book, stint->first + i - 1)) != 0) {
            end_by_itself(book, stint->first + i - 1, outcome);
        } else {
            left++;
            *first = i - 1;
        }
    }
    return left;
}

/* Which of its stretch it had in hand when it was cut; or count. Only its own note tells. One that makes no sense was
 * overwritten, and then the first that has not ended is charged; and so is one that ends its runners without such a note. */
static uint32_t in_hand(struct feed_book *book, uint32_t run, uint32_t first, bool was_cut) {
    const struct feed_stint *stint = &book->stints[run];
    /* ORD(feed:hand) pairs ORD(feed:begun) */
    uint64_t begun = atomic_load_explicit(&book->runs[run].note.begun, memory_order_acquire);
    bool is_known = begun <= stint->count;
    if (was_cut && begun != 0 && is_known && is_out(book, stint, (uint32_t)begun - 1))
        return (uint32_t)begun - 1;
    uint16_t doubts = ++book->items[stint->first + first].doubts;
    return (was_cut && !is_known) || doubts >= (was_cut ? BELIEVED : PATIENCE) ? first : stint->count;
}

/* What a runner that ended left: from the last one on, so that they wait in their order. */
static void go_back_all(struct feed_book *book, uint32_t run, const mortal_verdict *verdict, uint32_t hand, uint64_t now_ns) {
    const struct feed_stint *stint = &book->stints[run];
    bool innocent = is_innocent(book, &book->runs[run].note, verdict->outcome, now_ns);
    for (uint32_t i = stint->count; i-- != 0;)
        if (is_out(book, stint, i) && (i != hand || charge(book, stint->first + i, verdict, innocent)))
            go_back(book, stint->first + i);
}

/* Nobody knows what its runner did, nor whether it still does. Where runners take up nothing again and again the first ends. */
static void lose(struct feed_book *book, uint32_t run, uint32_t taken_up, uint32_t first) {
    struct feed_stint *stint = &book->stints[run];
    if (first >= taken_up && ++book->items[stint->first + first].doubts >= PATIENCE)
        taken_up = first + 1;
    for (uint32_t i = stint->count; i-- != 0;) {
        if (!is_out(book, stint, i))
            continue;
        if (i < taken_up)
            end_as(book, stint->first + i, MORTAL_LOST, NULL);
        else
            go_back(book, stint->first + i);
    }
    stint->is_spoiled = true;
}

void feedbook_settle(struct feed_book *book, uint32_t run, const mortal_verdict *verdict, uint64_t now_ns) {
    static const mortal_verdict lost = {.outcome = MORTAL_LOST};
    struct feed_stint *stint = &book->stints[run];
    bool returned = verdict->outcome == MORTAL_DONE || verdict->outcome == MORTAL_FAILED;
    bool is_lost = verdict->outcome == MORTAL_LOST || (verdict->outcome == MORTAL_FAILED && verdict->status == MAP_BROKEN);
    bool never_began = verdict->outcome == MORTAL_CANCELLED || verdict->outcome == MORTAL_EXPIRED;
    uint32_t taken_up = is_lost ? take_back(book, run, true) : stint->count, first;
    if (harvest(book, stint, &first) != 0) {
        if (never_began && book->cancelled < stint->number + stint->count)
            book->cancelled = stint->number + stint->count;
        if (is_lost)
            lose(book, run, taken_up, first);
        else if (never_began || PLANTED(PLANT_MAP_FORGETS_HAND))
            go_back_all(book, run, verdict, stint->count, now_ns);
        else
            go_back_all(book, run, returned ? &lost : verdict, in_hand(book, run, first, !returned), now_ns);
    }
    if (returned && !is_lost)
        set_trust(book, book->trust + 1);
    end_stint(book, run);
}

bool feedbook_rescue(struct feed_book *book) {
    bool any = false;
    for (uint32_t run = 0, left = book->out; left != 0 && run < book->plan.runs; run++) {
        struct feed_stint *stint = &book->stints[run];
        if (stint->name == 0)
            continue;
        left--;
        any = any || stint->count > 1 || run == book->current;
        uint64_t word = atomic_load_explicit(&book->runs[run].word, memory_order_relaxed);
        uint32_t at = (uint32_t)feed_at_of(word), before = stint->seen_at;
        stint->seen_at = at;
        if (feed_name_of(word) != stint->name || at == 0 || at != before)
            continue; /* it was not begun yet, or goes on */
        if (feed_is_shut(word) && at >= stint->count)
            continue; /* it is at its last, or through and not settled: who takes what has ended asks for no verdicts */
        if (stint->count > 1)
            set_trust(book, 1);
        if (run == book->current)
            book->current = NO_RUN;
        at = at < stint->count ? take_back(book, run, false) : stint->count;
        while (stint->count > at)
            if (is_out(book, stint, --stint->count))
                go_back(book, stint->first + stint->count);
    }
    return any;
}

static void cancel_waiting(struct feed_book *book, int outcome) {
    while (book->waiting.count != 0)
        end_as(book, first_of(book, &book->waiting), outcome, NULL);
}

void feedbook_cancel(struct feed_book *book) {
    book->cancelled = book->put;
    /* ORD(*) a hint for runners: what they took up and did not begin. */
    atomic_store_explicit(&book->told->cancelled, book->put, memory_order_relaxed);
    cancel_waiting(book, MORTAL_CANCELLED);
    for (uint32_t run = 0; run < book->plan.runs; run++) {
        struct feed_stint *stint = &book->stints[run];
        if (stint->name == 0)
            continue;
        uint32_t from = take_back(book, run, false);
        for (uint32_t i = from; i < stint->count; i++)
            if (is_out(book, stint, i))
                end_as(book, stint->first + i, MORTAL_CANCELLED, NULL);
        stint->count = from;
    }
    book->current = NO_RUN; /* what comes is of another runner, with a later ticket than a kill of these has */
}

bool feedbook_all_ended(const struct feed_book *book) {
    for (uint32_t cell = 0; cell < book->plan.cells; cell++) {
        uint8_t state = book->items[cell].state;
        if (state == CELL_WAITS || (state == CELL_OUT && own_outcome(book, cell) == 0))
            return false;
    }
    return true;
}

void feedbook_dismiss(struct feed_book *book) {
    for (uint32_t run = 0; run < book->plan.runs; run++)
        if (book->stints[run].name != 0)
            (void)take_back(book, run, true);
    book->current = NO_RUN;
}

void feedbook_give_up(struct feed_book *book, int outcome) { cancel_waiting(book, outcome); }

/* ---- taking --------------------------------------------------------------------------------------------------- */

static uint64_t eight_at(const struct feed_book *book, uint32_t cell) { /* a multiple of eight */
    const void *at = &book->outcomes[cell];
    return atomic_load_explicit((const _Atomic uint64_t *)at, memory_order_relaxed);
}

/* Cells from there on, until there is one with an outcome; or the number of cells. */
static uint32_t pass_over(const struct feed_book *book, uint32_t cell) {
    while (cell < book->plan.cells) {
        if (cell % 8 == 0 && book->plan.cells - cell >= 8 && eight_at(book, cell) == 0)
            cell += 8;
        else if (atomic_load_explicit(&book->outcomes[cell], memory_order_relaxed) != 0)
            break;
        else
            cell++;
    }
    return cell;
}

/* As finished: what stands on the board comes into the line, and is there no more. */
static void gather(struct feed_book *book) {
    for (uint32_t cell = pass_over(book, 0); cell < book->plan.cells; cell = pass_over(book, cell + 1)) {
        uint8_t outcome = book->items[cell].state == CELL_OUT ? own_outcome(book, cell) : MORTAL_LOST;
        if (outcome == 0)
            continue; /* begun in vain */
        if (book->items[cell].state == CELL_OUT)
            end_by_itself(book, cell, outcome);
        if (book->items[cell].state != CELL_WAITS)
            atomic_store_explicit(&book->outcomes[cell], 0, memory_order_relaxed);
    }
}

uint32_t feedbook_next(struct feed_book *book) {
    if (book->put == book->taken)
        return NO_CELL;
    if (!book->in_order && book->coming.count == 0)
        gather(book);
    if (book->coming.count == 0)
        return NO_CELL;
    uint32_t cell = book->coming.cells[book->coming.head];
    uint8_t outcome;
    if (book->items[cell].state == CELL_OUT && (outcome = own_outcome(book, cell)) != 0)
        end_by_itself(book, cell, outcome);
    return book->items[cell].state == CELL_ENDED ? cell : NO_CELL;
}

uint32_t feedbook_awaited(const struct feed_book *book) {
    return book->in_order && book->coming.count != 0 ? book->coming.cells[book->coming.head] : NO_CELL;
}

bool feedbook_peek(const struct feed_book *book, uint32_t cell) {
    /* ORD(*) a hint: feedbook_next() looks again. */
    if (cell != NO_CELL)
        return map_has_ended(atomic_load_explicit(&book->outcomes[cell], memory_order_relaxed));
    for (cell = pass_over(book, 0); cell < book->plan.cells; cell = pass_over(book, cell + 1))
        if (map_has_ended(atomic_load_explicit(&book->outcomes[cell], memory_order_relaxed)))
            return true;
    return false;
}

void feedbook_take(struct feed_book *book, uint32_t cell, mortal_verdict *verdict) {
    struct feed_item *item = &book->items[cell];
    if (item->outcome == MORTAL_DONE)
        *verdict = (mortal_verdict){.outcome = MORTAL_DONE, .attempts = item->starts + 1};
    else if (item->outcome == MORTAL_FAILED)
        *verdict = (mortal_verdict){.outcome = MORTAL_FAILED, .attempts = item->starts + 1, .status = book->statuses[cell]};
    else
        *verdict = book->verdicts[cell];
    if (verdict->attempts == 0)
        verdict->attempts = item->starts;
    verdict->tag = item->tag;
    item->state = CELL_TAKEN;
    (void)first_of(book, &book->coming);
    book->taken++;
}

void feedbook_let_go(struct feed_book *book, uint32_t cell) { book->items[cell].state = CELL_FREE; }
