/*
 * Whoever goes to sleep tells so before the last look for what it waits for, and whoever brings that looks for sleepers
 * after it has brought it: one of the two sees the other. The same for a doom and a claim.
 * Broken by: any of the four accesses that is not sequentially consistent.
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

#define MEETING(name, ...) explore<meeting<__VA_ARGS__>>(name, {__VA_ARGS__})

int main()
{
    MEETING("a worker sleeps, a task is pushed", bell_sleep, queue_look, queue_push, bell_sleepers);
    MEETING("a worker sleeps, a task of another priority is pushed", bell_sleep, lanes_look, lanes_told, bell_sleepers);
    MEETING("a worker stops its search, a task is pushed", bell_stop, queue_look, queue_push, bell_searchers);
    MEETING("a deputy resigns, a task is pushed", bell_resign, queue_claim, queue_push, bell_covered);
    MEETING("a worker sleeps, a task is returned", bell_sleep, returned_look, returned_told, bell_sleepers);
    MEETING("a dead worker's search is over, a task is pushed", bell_stop, queue_length, queue_push, bell_searchers);
    MEETING("a dead deputy's office ends, a task is pushed", bell_resign, queue_length, queue_push, bell_covered);
    MEETING("an owner waits for a verdict", watch_sleep, watch_look, publish, watch_seen);
    MEETING("an owner waits for a group", group_watch, log_read, log_told, group_watched);
    MEETING("an owner waits for room in the queue", room_wish, queue_room, queue_advance, room_wanted);
    MEETING("an owner waits for room for an input", room_wish, harvest, publish, room_wanted);
    MEETING("an owner waits for a part", stream_watch, stream_seen, stream_told, stream_watched);
    MEETING("an owner waits for the first part of a host", stream_watch, stream_any, stream_first, stream_watched);
    MEETING("a group is to tell of parts", stream_group, stream_seen, stream_told, stream_watched);
    MEETING("a group waits for a part", group_watch, stream_seen, stream_told, group_watched);
    MEETING("a task waits for room for a part", stream_wish, stream_room, stream_take, stream_heed);
    MEETING("the supervisor sleeps, a task is pushed", supervisor_sleep, queue_length, queue_push, submit_asleep);
    MEETING("a host is doomed, a worker of it claims", death_doom, death_look, claim, worker_doomed);
    return explored_all();
}
