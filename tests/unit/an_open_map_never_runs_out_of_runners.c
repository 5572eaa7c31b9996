/*
 * An open map goes on for ever: when as many runners were started as there are names for, when nobody knows of any place what
 * its last runner does, when runners find nothing of theirs again and again. And an item that ended while its runner could not
 * be started does not wait again. Who is through with many short ones does not count as one that takes long.
 * Broken by: a name that is used up, a place that is never given out again, a cell that stands in a line twice.
 */
#include "unit.h"

#include "owner/feedbook.h"

enum { WINDOW = 4, CELLS = WINDOW + 1, BOARD_BYTES = 4096 };

static alignas(64) uint8_t board[BOARD_BYTES];
static struct feed_plan told;
static struct feed_book book;

static void open_book(void)
{
    struct feed_plan plan = {.cells = CELLS, .take_most = 64};
    CHECK(feedbook_plan(&plan) <= BOARD_BYTES);
    memset(board, 0, BOARD_BYTES);
    book = (struct feed_book){.attempts = 1, .in_order = true, .window = WINDOW, .told = &told};
    CHECK(feedbook_open(&book, &plan, board));
}

static uint32_t put_one(void)
{
    uint32_t cell = feedbook_cell(&book);
    feedbook_put(&book, cell, NULL);
    return cell;
}

static mortal_verdict take_one(void)
{
    mortal_verdict verdict;
    uint32_t cell = feedbook_next(&book);
    CHECK(cell != NO_CELL);
    feedbook_take(&book, cell, &verdict);
    feedbook_let_go(&book, cell);
    return verdict;
}

static void settle_as(uint32_t run, int outcome, int status)
{
    mortal_verdict verdict = {.outcome = outcome, .status = status};
    feedbook_settle(&book, run, &verdict, 0);
}

static void names_come_again(void)
{
    struct feed_runner runner;
    open_book();
    book.names = FEED_NAMES_MOST - 2;
    for (unsigned i = 0; i < 10; i++) {
        uint32_t cell = put_one(), run = feedbook_begin(&book, &runner);
        CHECK(run != NO_RUN);
        CHECK(runner.name != 0 && runner.name <= FEED_NAMES_MOST);
        CHECK_EQ(feed_name_of(atomic_load(&book.runs[run].word)), runner.name);
        atomic_store(&book.outcomes[cell], MORTAL_DONE);
        settle_as(run, MORTAL_DONE, 0);
        CHECK_EQ(take_one().outcome, MORTAL_DONE);
    }
    feedbook_close(&book);
}

/* Those whose last runner is known to have ended come first. */
static void places_come_again(void)
{
    struct feed_runner runner;
    open_book();
    for (unsigned i = 0; i < 3 * CELLS; i++) {
        put_one();
        uint32_t run = feedbook_begin(&book, &runner);
        CHECK(run != NO_RUN);
        if (i < CELLS)
            CHECK(!book.stints[run].is_spoiled && run == i);
        atomic_store(&book.runs[run].word, feed_word(runner.name, false, 1, 1));
        settle_as(run, MORTAL_LOST, 0);
        CHECK_EQ(take_one().outcome, MORTAL_LOST);
    }
    feedbook_close(&book);
}

static void what_no_runner_can_get_at_ends(void)
{
    struct feed_runner runner;
    unsigned rounds = 0;
    open_book();
    put_one();
    for (; feedbook_next(&book) == NO_CELL && rounds < 10000; rounds++) {
        uint32_t run = feedbook_begin(&book, &runner);
        CHECK(run != NO_RUN);
        settle_as(run, MORTAL_FAILED, MAP_BROKEN);
    }
    CHECK(rounds > 1 && rounds < 10000);
    CHECK_EQ(take_one().outcome, MORTAL_LOST);
    feedbook_close(&book);
}

/* Another runner that overwrites outcomes may do that, while who starts one does not have the lock. */
static void what_ended_waits_no_more(void)
{
    struct feed_runner runner;
    open_book();
    atomic_store(&book.board->pace_ns, 1000);
    for (unsigned round = 0; round < 4 * CELLS; round++) {
        uint32_t first = put_one();
        put_one();
        uint32_t run = feedbook_begin(&book, &runner);
        CHECK(run != NO_RUN);
        atomic_store(&book.outcomes[first], MORTAL_DONE);
        CHECK_EQ(take_one().outcome, MORTAL_DONE);
        feedbook_undo(&book, run);
        CHECK_EQ(book.waiting.count, 1);
        CHECK_EQ(book.items[first].state, CELL_FREE);
        feedbook_give_up(&book, MORTAL_CANCELLED);
        CHECK_EQ(take_one().outcome, MORTAL_CANCELLED);
        CHECK_EQ(book.put, book.taken);
    }
    feedbook_close(&book);
}

/* Its verdict is looked for when nothing else has come. */
static void who_is_through_holds_up_nobody(void)
{
    struct feed_runner runner;
    open_book();
    atomic_store(&book.board->pace_ns, 1000);
    put_one();
    put_one();
    uint32_t run = feedbook_begin(&book, &runner), trust = book.trust;
    CHECK_EQ(book.stints[run].count, 2);
    atomic_store(&book.runs[run].word, feed_word(runner.name, true, 2, 2));
    for (unsigned i = 0; i < 3; i++)
        (void)feedbook_rescue(&book);
    CHECK_EQ(book.trust, trust);
    atomic_store(&book.runs[run].word, feed_word(runner.name, false, 2, 1));
    for (unsigned i = 0; i < 3; i++)
        (void)feedbook_rescue(&book);
    CHECK_EQ(book.trust, 1);
    CHECK_EQ(book.waiting.count, 1);
    feedbook_close(&book);
}

void test(void)
{
    who_is_through_holds_up_nobody();
    names_come_again();
    places_come_again();
    what_no_runner_can_get_at_ends();
    what_ended_waits_no_more();
}
