/*
 * A queue of two places: a third task is pushed into the place of the first one while two workers claim. No task is
 * claimed while an earlier one waits, nobody moves the cursor past a task that waits, and who claims sees the whole
 * order.
 * Broken by: an entry of a later lap that is taken for the one that was there before.
 */
#include "explorer.hpp"

enum { TASKS = 3, PLACES = 2, PENDING = 1, RUNNING = 2 };

struct lag : rl::test_suite<lag, 3> {
    word              claims[TASKS], ring[PLACES], head, tail;
    rl::var<unsigned> order; /* of the last task */
    bool              claimed[TASKS]; /* the truth, known to nobody */

    void before()
    {
        for (unsigned task = 0; task < TASKS; task++) {
            claims[task].is(task < PLACES ? PENDING : 0);
            claimed[task] = false;
        }
        for (unsigned place = 0; place < PLACES; place++)
            ring[place].is(place);
        head.is(0);
        tail.is(PLACES);
        order($) = 0u;
    }

    void push_third()
    {
        if (head.load(queue_room) == 0)
            return; /* no room */
        order($) = 7u;
        claims[2].store(PENDING, submit);
        ring[2 % PLACES].store(2, queue_reuse);
        tail.exchange(3, queue_push);
    }

    void advance(unsigned to)
    {
        for (unsigned task = 0; task < to; task++)
            RL_ASSERT(claimed[task]);
        unsigned seen = head.quietly();
        if (seen < to)
            head.swap(seen, to, queue_advance);
    }

    bool try_claim(unsigned task)
    {
        if (claims[task].load(claim_look) != PENDING || !claims[task].swap(PENDING, RUNNING, claim))
            return false;
        for (unsigned earlier = 0; earlier < task; earlier++)
            RL_ASSERT(claimed[earlier]);
        claimed[task] = true;
        if (task == 2)
            RL_ASSERT(order($) == 7u);
        return true;
    }

    void claim_one()
    {
        unsigned from = head.load(queue_room), end = tail.load(queue_claim);
        for (unsigned at = from; at < end; at++) {
            unsigned entry = ring[at % PLACES].load(queue_still_valid);
            unsigned passed = head.quietly();
            if (passed > at) {
                at = passed - 1;
                continue;
            }
            if (!try_claim(entry))
                continue;
            advance(at + 1);
            return;
        }
        advance(end);
    }

    void thread(unsigned number)
    {
        if (number == 0) {
            push_third();
            return;
        }
        claim_one();
        claim_one();
    }
};

int main()
{
    explore_some<lag>("a place is used again", {queue_reuse, queue_still_valid, queue_push, queue_claim}, 300000);
    return explored_all();
}
