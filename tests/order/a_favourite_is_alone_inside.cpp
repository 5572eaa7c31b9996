/*
 * A lock's favourite takes it by a store and a look that no barrier keeps apart. Who takes the favour away makes the barrier on
 * both sides, and waits until it is out: they are never inside together, and each sees what the other did there. Later that one
 * is the favourite itself, in a record of its own, while the first may still be about to say that it is in.
 * Broken by: no barrier, or one on one side only; a look before the favour is taken away; a leave or a wait
 * without its order; a record that was another thread's.
 */
#include "explorer.hpp"

enum how { AS_IT_IS, ONE_RECORD, LOOKS_FIRST, ON_ONE_SIDE };

/* Thread 0 is the favourite from the beginning and enters once. Thread 1 takes the favour away, has it given to itself, leaves,
 * and enters once more. There is one mutex, of which the order is not in question; who would have to wait for anything proves
 * nothing, and is met by another execution. */
template <how kind>
struct favour : rl::test_suite<favour<kind>, 2> {
    word              favourite; /* number of the record + 1; 0: nobody */
    word              in[2];
    rl::var<unsigned> whose[2];
    word              mutex;
    membarrier        to[2];
    rl::var<unsigned> inside;

    void before()
    {
        favourite.is(1);
        in[0].is(0);
        in[1].is(0);
        whose[0]($) = 0u;
        whose[1]($) = 9u; /* nobody's */
        mutex.is(0);
        to[0].ready();
        to[1].ready();
        inside($) = 0u;
    }

    void work() { inside($) = inside($) + 1u; }

    bool lock() { return mutex.value.exchange(1, rl::mo_acq_rel, $) == 0; }
    void unlock() { mutex.value.store(0, rl::mo_release, $); }

    bool try_favourite(unsigned me)
    {
        to[me].poll();
        unsigned mine = favourite.load(favour_seen);
        if (mine == 0 || (kind != ONE_RECORD && whose[mine - 1]($) != me))
            return false;
        if (kind == ONE_RECORD && me == 1)
            return false;
        to[me].poll();
        in[mine - 1].store(1, favour_enter);
        to[me].poll();
        if (favourite.quietly() == mine) {
            to[me].poll();
            work();
            in[mine - 1].store(0, favour_leave);
            to[me].poll();
            return true;
        }
        in[mine - 1].store(0, favour_enter);
        to[me].poll();
        return false;
    }

    /* False: it would have to wait. */
    bool take_away(unsigned me)
    {
        unsigned from = favourite.quietly();
        if (from == 0)
            return true;
        bool is_out = kind == LOOKS_FIRST && in[from - 1].load(favour_wait) == 0;
        favourite.is(0);
        to[me].poll();
        if (kind == ON_ONE_SIDE)
            rl::atomic_thread_fence(rl::mo_seq_cst, $);
        else if (order_of(favour_revoke) != rl::mo_relaxed && !to[1 - me].call())
            return false;
        return kind == LOOKS_FIRST ? is_out : in[from - 1].load(favour_wait) == 0;
    }

    void enter_slowly(unsigned me, bool wants_favour)
    {
        if (!lock())
            return;
        if (!take_away(me)) /* and nobody else comes in */
            return;
        unsigned record = kind == ONE_RECORD ? 0 : me;
        if (wants_favour) {
            if (kind != ONE_RECORD)
                whose[record]($) = me;
            in[record].is(1);
            favourite.store(record + 1, favour_given);
            unlock();
            to[me].poll();
            work();
            in[record].store(0, favour_leave);
        } else {
            work();
            unlock();
        }
        to[me].poll();
    }

    void thread(unsigned me)
    {
        if (me == 0) {
            if (!try_favourite(0))
                enter_slowly(0, false);
        } else {
            enter_slowly(1, true);
            (void)try_favourite(1);
        }
        to[me].answer();
    }
};

int main()
{
    explore_some<favour<AS_IT_IS>>("a favour is taken away and given to another",
                                   {favour_revoke, favour_wait, favour_leave}, 100000);
    explore_mistake<favour<ONE_RECORD>>("a record that was another's", 100000);
    explore_mistake<favour<LOOKS_FIRST>>("a look before the favour is taken away", 100000);
    explore_mistake<favour<ON_ONE_SIDE>>("a barrier on one side", 100000);
    return explored_all();
}
