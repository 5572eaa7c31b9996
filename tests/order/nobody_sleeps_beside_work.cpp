/*
 * Whoever goes to sleep tells so before the last look for what it waits for, and whoever brings that looks for sleepers
 * after it has brought it: one of the two sees the other. The same for a doom and a claim. The owner makes no barrier of
 * its own where who goes to sleep makes it for both; where that is refused it does, and the orders of four accesses count.
 * Broken by: any of the four accesses that is not sequentially consistent; no barrier before a sleep, or one on that side only.
 */
#include "explorer.hpp"

/* One side changes `mine` and looks at `theirs`, the other the other way round. */
template <label change0, label look0, label change1, label look1>
struct meeting : rl::test_suite<meeting<change0, look0, change1, look1>, 2> {
    word flag[2];
    bool saw[2];

    void before()
    {
        flag[0].is(0);
        flag[1].is(0);
        saw[0] = saw[1] = false;
    }

    /* Some change by a swap and some by a store; the stronger of the two would hide what the weaker one shows. */
    void thread(unsigned number)
    {
        flag[number].store(1, number == 0 ? change0 : change1);
        saw[number] = flag[1 - number].load(number == 0 ? look0 : look1) != 0;
    }

    void after() { RL_ASSERT(saw[0] || saw[1]); }
};

enum where { BETWEEN, BEFORE_SAYING, AFTER_LOOKING, ON_ONE_SIDE };

/* The sleeper says that it sleeps, makes the barrier for both, and looks. The owner pushes with what order it has, and that its
 * compiler keeps the two accesses apart matters to no execution. */
template <label say, label look0, label push, label look1, where barrier = BETWEEN>
struct light : rl::test_suite<light<say, look0, push, look1, barrier>, 2> {
    word       work, sleeps;
    membarrier both;
    bool       saw[2];

    void before()
    {
        work.is(0);
        sleeps.is(0);
        both.ready();
        saw[0] = saw[1] = false;
    }

    bool makes(where here)
    {
        if (barrier == ON_ONE_SIDE && here == BETWEEN)
            rl::atomic_thread_fence(order_of(fence_sleep), $);
        return barrier != here || order_of(fence_sleep) == rl::mo_relaxed || both.call();
    }

    void sleeper()
    {
        bool met = makes(BEFORE_SAYING);
        sleeps.store(1, say);
        met = makes(BETWEEN) && met;
        saw[0] = work.load(look0) != 0;
        met = makes(AFTER_LOOKING) && met;
        saw[0] = saw[0] || !met;
    }

    void owner()
    {
        both.poll();
        work.store(1, push);
        both.poll();
        saw[1] = sleeps.load(look1) != 0;
        both.answer();
    }

    void thread(unsigned number)
    {
        if (number == 0)
            sleeper();
        else
            owner();
    }

    void after() { RL_ASSERT(saw[0] || saw[1]); }
};

/* Who brings it makes the barrier, after a push and before a look that are none. relacy relates fences to fences only, while C11
 * (7.17.3, 9 to 11) relates them to accesses too, if these are sequentially consistent: as a fence between the other side's
 * two, if both are. */
template <label change0, label look0, label push, label fence1>
struct fenced : rl::test_suite<fenced<change0, look0, push, fence1>, 2> {
    word flag[2];
    bool saw[2];

    void before()
    {
        flag[0].is(0);
        flag[1].is(0);
        saw[0] = saw[1] = false;
    }

    void thread(unsigned number)
    {
        flag[number].store(1, number == 0 ? change0 : push);
        bool is_fence = number == 0 ? order_of(change0) == rl::mo_seq_cst && order_of(look0) == rl::mo_seq_cst
                                    : order_of(fence1) == rl::mo_seq_cst;
        if (is_fence)
            rl::atomic_thread_fence(rl::mo_seq_cst, $);
        saw[number] = (number == 0 ? flag[1].load(look0) : flag[0].quietly()) != 0;
    }

    void after() { RL_ASSERT(saw[0] || saw[1]); }
};

/* A worker that found work does not sleep: where its look makes a barrier for both only if it sees somebody asleep, who says
 * that later makes it. Number 2 is that somebody. */
struct deputy : rl::test_suite<deputy, 3> {
    word       work, office, sleeps;
    membarrier by_deputy, by_sleeper;
    bool       saw_deputy, saw_work, sees_sleeper, sleeper_saw, proves_nothing;

    void before()
    {
        work.is(0);
        office.is(1);
        sleeps.is(0);
        by_deputy.ready();
        by_sleeper.ready();
        saw_deputy = saw_work = sees_sleeper = sleeper_saw = proves_nothing = false;
    }

    void resign()
    {
        office.store(0, bell_resign);
        sees_sleeper = sleeps.load(bell_sleepers) != 0;
        if (sees_sleeper && order_of(fence_sleep) != rl::mo_relaxed && !by_deputy.call())
            proves_nothing = true;
        saw_work = work.load(queue_look) != 0;
    }

    void push()
    {
        by_deputy.poll();
        by_sleeper.poll();
        work.store(1, queue_push);
        by_deputy.poll();
        by_sleeper.poll();
        saw_deputy = office.load(bell_covered) != 0;
        by_deputy.answer();
        by_sleeper.answer();
    }

    void sleep()
    {
        sleeps.store(1, bell_sleep);
        if (order_of(fence_sleep) != rl::mo_relaxed && !by_sleeper.call())
            proves_nothing = true;
        sleeper_saw = work.load(queue_look) != 0;
    }

    void thread(unsigned number)
    {
        if (number == 0)
            resign();
        else if (number == 1)
            push();
        else
            sleep();
    }

    /* Left to a deputy that leaves it to nobody, beside a sleeper. */
    void after() { RL_ASSERT(proves_nothing || !saw_deputy || (saw_work && sees_sleeper) || sleeper_saw); }
};

#define MEETING(name, ...) explore<meeting<__VA_ARGS__>>(name, {__VA_ARGS__})
#define LIGHT(name, ...) explore<light<__VA_ARGS__>>(name, {fence_sleep})
#define MISTAKE(name, where) \
    explore_mistake<light<bell_sleep, queue_look, queue_push, bell_sleepers, where>>(name, 100000)

int main()
{
    LIGHT("a worker sleeps, a task is pushed", bell_sleep, queue_look, queue_push, bell_sleepers);
    LIGHT("the supervisor sleeps, a task is pushed", supervisor_sleep, queue_length, queue_push, submit_asleep);
    explore_some<deputy>("a deputy resigns, a task is pushed", {fence_sleep}, 200000);
    explore<fenced<bell_stop, queue_look, queue_push, bell_searchers>>("a worker stops its search, a task is pushed",
                                                                       {bell_stop, queue_look, bell_searchers});
    LIGHT("a dead deputy's office ends, a task is pushed", bell_resign, queue_length, queue_push, bell_covered);
    explore<fenced<bell_stop, queue_length, queue_push, bell_searchers>>("a dead worker's search is over, a task is pushed",
                                                                         {bell_stop, queue_length, bell_searchers});
    explore<fenced<deadline_blind, queue_length, queue_push, submit_blind>>("the supervisor minds no limits, one is pushed",
                                                                            {deadline_blind, queue_length, submit_blind});
    MISTAKE("a barrier before it is said", BEFORE_SAYING);
    MISTAKE("a barrier after the look", AFTER_LOOKING);
    MISTAKE("a barrier of the sleeper's alone", ON_ONE_SIDE);
    MEETING("a worker sleeps, a task is pushed by an owner with barriers", bell_sleep, queue_look, queue_push_heavy,
            bell_sleepers);
    MEETING("a deputy resigns, a task is pushed by an owner with barriers", bell_resign, queue_claim, queue_push_heavy,
            bell_covered);
    MEETING("the supervisor sleeps, a task is pushed by an owner with barriers", supervisor_sleep, queue_length,
            queue_push_heavy, submit_asleep);
    MEETING("a worker sleeps, a task of another priority is pushed", bell_sleep, lanes_look, lanes_told, bell_sleepers);
    MEETING("a worker sleeps, a task is returned", bell_sleep, returned_look, returned_told, bell_sleepers);
    MEETING("an owner waits for a verdict", watch_sleep, watch_look, publish, watch_seen);
    MEETING("an owner waits for a group", group_watch, log_read, log_told, group_watched);
    MEETING("an owner waits for room in the queue", room_wish, queue_room, queue_advance, room_wanted);
    MEETING("an owner waits for room for an input", room_wish, harvest, publish, room_wanted);
    MEETING("an owner waits for a part", stream_watch, stream_seen, stream_told, stream_watched);
    MEETING("an owner waits for the first part of a host", stream_watch, stream_any, stream_first, stream_watched);
    MEETING("a group is to tell of parts", stream_group, stream_seen, stream_told, stream_watched);
    MEETING("a group waits for a part", group_watch, stream_seen, stream_told, group_watched);
    MEETING("a task waits for room for a part", stream_wish, stream_room, stream_take, stream_heed);
    MEETING("a host is doomed, a worker of it claims", death_doom, death_look, claim, worker_doomed);
    return explored_all();
}
