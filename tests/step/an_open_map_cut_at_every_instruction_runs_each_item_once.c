/*
 * A runner of an open map is cut after any instruction: as it is, after the owner has added an item, taken back what it had not
 * begun, or cancelled. The owner settles it and others run what is left: every item has one outcome, none that was begun begins
 * again, only the one in hand is crashed. And what is added, or taken back, while it goes on is run by it or is not its own, at
 * whatever instruction. The bugs that are planted in it are caught.
 * Broken by: an item that is left between the owner and a runner that ends, a note that comes too late, an end that comes too
 * soon.
 */
#include "host/feed.h"
#include "host/map.h"
#include "owner/feedbook.h"
#include "region/plant.h"
#include "stage/trap.h"

enum { LIFE = 1, CELLS = 9, ITEMS = 5, BOARD_BYTES = 4096 };
enum deed { LEAVE, ADD, RESCUE, CANCEL, DEEDS };

#include "one_runner.h"

static struct feed_book book;
static struct feed_runner first;
static unsigned        faults, cuts, crashed, cancelled;
static unsigned        given; /* to the runner to begin with */
static enum deed       deed;
static long            deed_at, instructions;
static bool            was_added;
static uint64_t        begun_then, ended_then;

/* All that a cut must leave as it was. */
static struct {
    uint8_t            board[BOARD_BYTES];
    struct feed_book   book;
    struct feed_plan   told;
    struct feed_item   items[CELLS];
    mortal_verdict     verdicts[CELLS];
    struct feed_stint  stints[CELLS];
    uint32_t           waiting[CELLS], coming[CELLS];
    unsigned           entered[ITEMS], left[ITEMS];
    struct mortal_task task;
} kept;

static void put_one(void)
{
    feedbook_put(&book, feedbook_cell(&book), NULL);
}

static void begin_map(void)
{
    struct feed_plan plan = {.function = (uintptr_t)work, .board = board_buffer, .cells = CELLS, .take_most = 3};
    CHECK(feedbook_plan(&plan) <= BOARD_BYTES);
    memset(board, 0, BOARD_BYTES);
    memset(entered, 0, sizeof entered);
    memset(left, 0, sizeof left);
    book = (struct feed_book){.attempts = 1, .in_order = true, .window = ITEMS + 1,
                              .told = (struct feed_plan *)(void *)r.windows[WINDOW_SHARED].base};
    CHECK(feedbook_open(&book, &plan, board));
    *book.told = plan;
    for (unsigned i = 0; i < given; i++)
        put_one();
    atomic_store(&book.board->pace_ns, 1000);
    CHECK(feedbook_begin(&book, &first) != NO_RUN);
    CHECK_EQ(book.waiting.count, 0);
    first.plan = plan_buffer;
}

static void keep(void)
{
    memcpy(kept.board, board, BOARD_BYTES);
    kept.book = book;
    kept.told = *book.told;
    memcpy(kept.items, book.items, sizeof kept.items);
    memcpy(kept.verdicts, book.verdicts, sizeof kept.verdicts);
    memcpy(kept.stints, book.stints, sizeof kept.stints);
    memcpy(kept.waiting, book.waiting.cells, sizeof kept.waiting);
    memcpy(kept.coming, book.coming.cells, sizeof kept.coming);
    memcpy(kept.entered, entered, sizeof entered);
    memcpy(kept.left, left, sizeof left);
    kept.task = worker.task;
}

static void restore(void)
{
    memcpy(board, kept.board, BOARD_BYTES);
    book = kept.book;
    *book.told = kept.told;
    memcpy(book.items, kept.items, sizeof kept.items);
    memcpy(book.verdicts, kept.verdicts, sizeof kept.verdicts);
    memcpy(book.stints, kept.stints, sizeof kept.stints);
    memcpy(book.waiting.cells, kept.waiting, sizeof kept.waiting);
    memcpy(book.coming.cells, kept.coming, sizeof kept.coming);
    memcpy(entered, kept.entered, sizeof entered);
    memcpy(left, kept.left, sizeof left);
    worker.task = kept.task;
}

static void do_deed(void)
{
    if (deed == ADD) {
        put_one();
        atomic_store(&book.board->pace_ns, 1000);
        feedbook_add(&book);
        was_added = book.waiting.count == 0;
    } else if (deed == RESCUE) {
        (void)feedbook_rescue(&book); /* the first time it only looks how far everybody is */
        (void)feedbook_rescue(&book);
    } else if (deed == CANCEL) {
        feedbook_cancel(&book);
    }
}

static void run_one(void *context)
{
    (void)feed_run(&worker.task, context);
}

/* Others run what waits, and end by themselves. */
static void go_on(void)
{
    struct feed_runner other;
    mortal_verdict done = {.outcome = MORTAL_DONE};
    for (unsigned rounds = 0; rounds < 20 && book.waiting.count != 0; rounds++) {
        uint32_t run = feedbook_begin(&book, &other);
        other.plan = plan_buffer;
        run_one(&other);
        feedbook_settle(&book, run, &done, 0);
    }
}

static void look_at_the_end(unsigned items)
{
    for (unsigned i = 0; i < items; i++) {
        mortal_verdict verdict;
        uint32_t cell = feedbook_next(&book);
        if (cell == NO_CELL || book.items[cell].number != i) {
            faults++;
            return;
        }
        feedbook_take(&book, cell, &verdict);
        faults += entered[i] > 1; /* at most once */
        switch (verdict.outcome) {
        case MORTAL_DONE: faults += left[i] != 1; break;
        case MORTAL_CRASHED: /* only what it had in hand */
            faults += i + 1 != begun_then || (ended_then >> i & 1) != 0;
            crashed++;
            break;
        case MORTAL_CANCELLED:
            faults += deed != CANCEL || entered[i] != 0;
            cancelled++;
            break;
        default: faults++;
        }
    }
    faults += book.out != 0 || book.taken != book.put;
}

/* What a death here would leave; then everything is as it was. */
static void cut(const struct trap *at, void *context)
{
    enum plant     bug = planted_bug;
    mortal_verdict dead = {.outcome = MORTAL_CRASHED};
    (void)at, (void)context;
    keep();
    if (bug != PLANT_MAP_FORGETS_HAND)
        planted_bug = PLANT_NONE;
    do_deed();
    begun_then = atomic_load(&book.runs[first.run].note.begun);
    ended_then = 0;
    for (unsigned i = 0; i < ITEMS; i++)
        ended_then |= (uint64_t)map_has_ended(atomic_load(&book.outcomes[i])) << i;
    feedbook_settle(&book, first.run, &dead, 0);
    planted_bug = PLANT_NONE;
    go_on();
    look_at_the_end(given + (deed == ADD));
    planted_bug = bug;
    cuts++;
    restore();
}

static unsigned faults_of(enum plant bug, enum deed what)
{
    faults = cuts = crashed = cancelled = 0;
    given = 4;
    deed = what;
    begin_map();
    planted_bug = bug;
    (void)trap_run(run_one, &first, cut, NULL);
    planted_bug = PLANT_NONE;
    feedbook_close(&book);
    return faults;
}

static void act_once(const struct trap *at, void *context)
{
    (void)at, (void)context;
    if (instructions++ != deed_at)
        return;
    enum plant bug = planted_bug;
    planted_bug = PLANT_NONE;
    do_deed();
    planted_bug = bug;
}

/* Its end, where it and the owner part, closely, and some of what is before. */
static long stride(long total)
{
    return TEST_LONG ? 1 : deed_at < 0 ? 1 : deed == ADD && deed_at + 200 > total ? 3 : 61; /* a clock that is read again moves the end */
}

/* The runner goes on after the deed, to its end. What was added it has run, what it was not given it has not. */
static unsigned faults_going_on(enum plant bug, enum deed what)
{
    mortal_verdict done = {.outcome = MORTAL_DONE};
    long           total = 0; /* without a deed */
    faults = 0;
    given = 1;
    deed = what;
    deed_at = -1;
    do {
        instructions = 0;
        was_added = false;
        begun_then = ended_then = 0;
        begin_map();
        planted_bug = bug;
        (void)trap_run(run_one, &first, act_once, NULL);
        planted_bug = PLANT_NONE;
        faults += was_added && left[given] != 1;
        feedbook_settle(&book, first.run, &done, 0);
        go_on();
        if (deed_at >= 0 && instructions > deed_at)
            look_at_the_end(given + (deed == ADD));
        feedbook_close(&book);
        total = total == 0 ? instructions : total;
        deed_at += stride(total);
    } while (deed_at <= total);
    return faults;
}

void test(void)
{
    static const enum plant bugs[] = {PLANT_MAP_NOT_NOTED, PLANT_MAP_ENDS_FIRST, PLANT_MAP_FORGETS_HAND};
    const char *impossible = trap_impossible();
    if (impossible != NULL)
        SKIP(impossible);
    set_stage(sizeof(struct feed_plan));
    for (enum deed what = LEAVE; what < DEEDS; what++) {
        CHECK_EQ(faults_of(PLANT_NONE, what), 0);
        CHECK(cuts > 500);
        CHECK(crashed != 0);
        CHECK_EQ(cancelled != 0, what == CANCEL);
        harness_note("cut at %u instructions, %u of them with an item in hand", cuts, crashed);
    }
    for (enum deed what = ADD; what < DEEDS; what++) {
        CHECK_EQ(faults_going_on(PLANT_NONE, what), 0);
        harness_note("goes on after a deed at any of %ld instructions", deed_at);
    }
    for (unsigned i = 0; i < COUNT(bugs); i++)
        CHECK(faults_of(bugs[i], LEAVE) != 0);
    CHECK(faults_going_on(PLANT_FEED_LEAVES_OPEN, ADD) != 0);
    region_destroy(&r);
}
