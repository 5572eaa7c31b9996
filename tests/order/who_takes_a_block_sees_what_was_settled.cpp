/*
 * A map's blocks: a runner died with an item in hand, the owner ends that item and frees the block, another runner takes it
 * and a third takes an item from its top. Neither begins an item again that the owner has ended, and no item is begun
 * twice.
 * Broken by: a block that is free before its item has ended, or that is taken without a look at what its word stands for.
 */
#include "explorer.hpp"

enum { ITEMS = 4, TOP = ITEMS - 1, DEAD = 1, TAKER };

/* What a block's word says, a digit each. */
static unsigned word_of(unsigned runner, unsigned top, unsigned at) { return runner * 100 + top * 10 + at; }
static unsigned runner_of(unsigned seen) { return seen / 100; }
static unsigned top_of(unsigned seen) { return seen / 10 % 10; }
static unsigned at_of(unsigned seen) { return seen % 10; }

struct block : rl::test_suite<block, 3> {
    word block_word, outcomes[ITEMS];
    bool begun[ITEMS]; /* the truth, known to nobody */

    void before()
    {
        block_word.is(word_of(DEAD, ITEMS, 0));
        for (unsigned item = 0; item < ITEMS; item++) {
            outcomes[item].is(0);
            begun[item] = item == 0 || item == TOP; /* the one in hand; one that somebody had taken who died, too */
        }
    }

    void begin(unsigned item)
    {
        if (outcomes[item].quietly() != 0)
            return;
        RL_ASSERT(!begun[item]);
        begun[item] = true;
    }

    void settle()
    {
        outcomes[0].is(1);
        outcomes[TOP].is(1);
        RL_ASSERT(block_word.swap(word_of(DEAD, ITEMS, 0), word_of(0, ITEMS, 0), map_free));
    }

    /* From item to item it goes quietly: whoever reads what it writes here reads on from the owner's swap. */
    void take()
    {
        unsigned seen = block_word.quietly(), mine = word_of(TAKER, top_of(seen), 0);
        if (runner_of(seen) != 0 || !block_word.swap(seen, mine, map_take))
            return;
        for (seen = mine; at_of(seen) < top_of(seen);) {
            unsigned at = at_of(seen);
            begin(at);
            while (!block_word.quiet_swap(seen, word_of(TAKER, top_of(seen), at + 1)))
                seen = block_word.quietly(); /* it lost one at the top */
            seen = word_of(TAKER, top_of(seen), at + 1);
        }
    }

    void steal()
    {
        unsigned seen = block_word.quietly();
        if (runner_of(seen) != TAKER || top_of(seen) - at_of(seen) <= 1)
            return;
        if (block_word.swap(seen, word_of(TAKER, top_of(seen) - 1, at_of(seen)), map_steal))
            begin(top_of(seen) - 1);
    }

    void thread(unsigned number)
    {
        if (number == 0)
            settle();
        else if (number == 1)
            take();
        else
            steal();
    }
};

int main()
{
    explore<block>("a block of a map", {map_free, map_take, map_steal});
    return explored_all();
}
