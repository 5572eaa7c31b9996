/*
 * While a worker is awake and looks for work, a push wakes nobody else, since that one will find it; it searches alone;
 * and when it stops, sleepers are rung again.
 */
#include "bells.h"

static struct region r;

static void check_searcher(uint32_t berth, uint32_t worker)
{
    uint32_t other = (worker + 1) % r.g.workers_per_host, other_berth = (berth + 1) % r.g.berths;
    bell_say_idle(&r, other_berth, other);
    CHECK(bell_start_search(&r, berth, worker));
    CHECK_EQ(bits_of(&r, searching_word), 1);
    CHECK_RINGS_NOBODY(&r, bell_call(&r));
    CHECK(!bell_start_search(&r, other_berth, other));
    CHECK_EQ(bits_of(&r, searching_word), 1);
    bell_stop_search(&r, other_berth, other); /* it never began: this one goes on */
    CHECK_EQ(bits_of(&r, searching_word), 1);
    CHECK_RINGS_NOBODY(&r, bell_call(&r));
    CHECK(bell_anybody_idle(&r));
    CHECK_RINGS(&r, bell_ring_one(&r), other_berth, other); /* who must wake somebody all the same, can */
    bell_say_idle(&r, other_berth, other);
    bell_stop_search(&r, berth, worker);
    CHECK_EQ(bits_of(&r, searching_word), 0);
    CHECK_RINGS(&r, bell_call(&r), other_berth, other);
}

void test(void)
{
    const uint32_t shapes[][2] = {{2, 1}, {70, 1}, {14, 7}, {128, 64}};
    for (size_t i = 0; i < COUNT(shapes); i++) {
        region_make(&r, limits_of(8, shapes[i][0], shapes[i][1]), 0);
        for (uint32_t berth = 0; berth < r.g.berths; berth++)
            for (uint32_t worker = 0; worker < r.g.workers_per_host; worker++)
                check_searcher(berth, worker);
        region_destroy(&r);
    }
}
