/*
 * A runner of a map is cut after any instruction, beside another one that holds a block, before, between and after its
 * steals; then the owner settles it and others run what is left. Every item has one outcome; none that was begun begins
 * again, and only the one in hand is crashed. The bugs that are planted in it are caught.
 * Broken by: an item that belongs to nobody and is found by nobody, a note that comes too late, an end that comes too soon.
 */
#include "host/map.h"
#include "owner/mapbook.h"
#include "region/plant.h"
#include "stage/trap.h"

enum { LIFE = 1, ITEMS = 9, CELLS = 2, BLOCKS = 3, BOARD_BYTES = 4096, NOBODY = -1 };

#include "one_runner.h"

static struct map_plan plan;
static uint8_t         kept[BOARD_BYTES];
static uint64_t        begun_then; /* what its note said when it was cut */
static unsigned        faults, cuts, crashed;
static uint64_t        begin_with_item; /* + 1 */
static uint32_t        names;

/* Three blocks of three. The first one is another's, who is at its first item and never comes any further. */
static void begin_map(struct map_book *book)
{
    plan = (struct map_plan){.function = (uintptr_t)work, .count = ITEMS, .board = board_buffer};
    book_plan(&plan, CELLS);
    plan.per_block = ITEMS / BLOCKS;
    plan.blocks = BLOCKS;
    plan.board_outcomes = plan.board_blocks + BLOCKS * sizeof(struct map_block);
    memcpy(r.windows[WINDOW_SHARED].base, &plan, sizeof plan);
    memset(board, 0, BOARD_BYTES);
    *book = (struct map_book){.attempts = 1};
    book_open(book, &plan, board);
    memset(entered, 0, sizeof entered);
    memset(left, 0, sizeof left);
    names = 2;
    atomic_store(&book->blocks[0].word, map_word(1, 3, 0));
    atomic_store(&book->cells[1].block, 1);
    atomic_store(&book->cells[1].begun, 1);
    atomic_store(&book->board->next, 1);
    entered[0]++;
    if (begin_with_item != 0)
        atomic_store(&book->blocks[0].word, map_word(1, 2, 0));
}

static struct map_runner runner_named(uint32_t name, const struct map_left *at)
{
    return (struct map_runner){.plan = plan_buffer, .name = name, .cell = 0, .block = at->block, .item = at->item};
}

static void run_one(void *context)
{
    (void)map_run(&worker.task, context, sizeof(struct map_runner));
}

/* All runners but the other one end by themselves now, until there is nothing left for them; then that one is cut. */
static void go_on(struct map_book *book)
{
    struct map_left at;
    bool other_lives = true;
    for (unsigned rounds = 0; rounds < 40; rounds++) {
        if (book_next(book, &at)) {
            struct map_runner runner = runner_named(++names, &at);
            run_one(&runner);
            book_settle(book, 0, &runner, MORTAL_DONE, 0);
        } else if (other_lives) {
            struct map_runner other = {.name = 1, .cell = 1};
            book_settle(book, 1, &other, MORTAL_CRASHED, 0);
            other_lives = false;
        } else if (!book_look_at_all(book)) {
            break;
        }
    }
    book_finish(book, MORTAL_LOST);
}

static void look_at_the_end(const struct map_book *book)
{
    for (unsigned i = 1; i < ITEMS; i++) {
        uint8_t outcome = atomic_load(&book->outcomes[i]);
        faults += outcome != MORTAL_DONE && outcome != MORTAL_CRASHED;
        faults += entered[i] > 1; /* at most once */
        faults += outcome == MORTAL_DONE && left[i] != 1;
        faults += outcome == MORTAL_CRASHED && i + 1 != begun_then; /* and only what it had in hand */
        crashed += outcome == MORTAL_CRASHED;
    }
    faults += atomic_load(&book->outcomes[0]) != MORTAL_CRASHED || entered[0] != 1;
}

/* What a death here would leave; then everything is as it was. */
static void cut(const struct trap *at, void *context)
{
    struct map_book *book = context;
    struct map_book  then = *book;
    unsigned         entered_now[ITEMS], left_now[ITEMS];
    struct map_runner runner = runner_named(2, &(struct map_left){.item = begin_with_item});
    struct mortal_task task = worker.task;
    enum plant         bug = planted_bug;
    (void)at;
    memcpy(kept, board, sizeof kept);
    memcpy(entered_now, entered, sizeof entered);
    memcpy(left_now, left, sizeof left);
    begun_then = atomic_load(&book->cells[0].begun);
    if (bug != PLANT_MAP_FORGETS_HAND)
        planted_bug = PLANT_NONE;
    book_settle(&then, 0, &runner, MORTAL_CRASHED, 0);
    planted_bug = PLANT_NONE;
    go_on(&then);
    look_at_the_end(&then);
    planted_bug = bug;
    book_close(&then);
    cuts++;
    names = 2;
    memcpy(board, kept, sizeof kept);
    memcpy(entered, entered_now, sizeof entered);
    memcpy(left, left_now, sizeof left);
    worker.task = task;
}

static unsigned faults_of(enum plant bug)
{
    struct map_book book;
    faults = cuts = crashed = 0;
    begin_map(&book);
    struct map_runner runner = runner_named(2, &(struct map_left){.item = begin_with_item});
    planted_bug = bug;
    (void)trap_run(run_one, &runner, cut, &book);
    planted_bug = PLANT_NONE;
    book_close(&book);
    return faults;
}

void test(void)
{
    static const enum plant bugs[] = {PLANT_MAP_NOT_NOTED, PLANT_MAP_ENDS_FIRST, PLANT_MAP_STEALS_IN_HAND,
                                      PLANT_MAP_FORGETS_HAND};
    const char *impossible = trap_impossible();
    if (impossible != NULL)
        SKIP(impossible);
    set_stage(sizeof plan);
    for (begin_with_item = 0; begin_with_item <= 3; begin_with_item += 3) {
        CHECK_EQ(faults_of(PLANT_NONE), 0);
        CHECK(cuts > 500);
        CHECK(crashed != 0);
        harness_note("cut at %u instructions, %u of them with an item in hand", cuts, crashed);
    }
    begin_with_item = 0;
    for (unsigned i = 0; i < COUNT(bugs); i++)
        CHECK(faults_of(bugs[i]) != 0);
    region_destroy(&r);
}
