/*
 * While tasks are brisk and a deputy looks by itself, a push wakes nobody; when it resigns, when tasks are not brisk any
 * more and when everybody is rung after a death, sleepers are rung again. There is one deputy, and none for tasks that last.
 * Broken by: an office that does not end with who held it.
 */
#include "bells.h"

static struct region r;

static void check_deputy(uint32_t berth, uint32_t worker)
{
    uint32_t other = (worker + 1) % r.g.workers_per_host, other_berth = (berth + 1) % r.g.berths;
    bell_note_pace(&r, false);
    bell_say_idle(&r, other_berth, other);
    CHECK(!bell_become_deputy(&r, berth, worker));
    CHECK_RINGS(&r, bell_call(&r), other_berth, other);
    bell_note_pace(&r, true);
    bell_say_idle(&r, other_berth, other);
    CHECK_RINGS(&r, bell_call(&r), other_berth, other); /* brisk, but nobody covers */
    bell_say_idle(&r, other_berth, other);
    CHECK(bell_become_deputy(&r, berth, worker));
    CHECK(!bell_become_deputy(&r, other_berth, other));
    bell_resign(&r, other_berth, other); /* it never was */
    CHECK_RINGS_NOBODY(&r, bell_call(&r));
    CHECK(bell_anybody_idle(&r));
    CHECK_RINGS(&r, bell_ring_one(&r), other_berth, other); /* who must wake somebody all the same, can */
    bell_say_idle(&r, other_berth, other);
    bell_note_pace(&r, false);
    CHECK_RINGS(&r, bell_call(&r), other_berth, other);
    bell_note_pace(&r, true);
    bell_say_idle(&r, other_berth, other);
    bell_resign(&r, berth, worker);
    CHECK_RINGS(&r, bell_call(&r), other_berth, other);
}

static void check_silence(void)
{
    bell_note_pace(&r, true);
    CHECK(bell_start_search(&r, 0, 0));
    bell_note_silence(&r); /* somebody looks: the stream may go on */
    CHECK(bell_become_deputy(&r, 0, 0));
    bell_resign(&r, 0, 0);
    bell_stop_search(&r, 0, 0);
    bell_note_silence(&r);
    CHECK(!bell_become_deputy(&r, 0, 0));
}

static void check_death(void)
{
    bell_note_pace(&r, true);
    CHECK(bell_become_deputy(&r, 0, 0));
    bell_ring_all(&r);
    CHECK(bell_become_deputy(&r, r.g.berths - 1, 0));
    bell_resign(&r, 0, 0); /* the one before, late */
    CHECK(!bell_become_deputy(&r, 0, 0));
    bell_resign(&r, r.g.berths - 1, 0);
}

void test(void)
{
    const uint32_t shapes[][2] = {{2, 1}, {70, 1}, {14, 7}, {128, 64}};
    for (size_t i = 0; i < COUNT(shapes); i++) {
        region_make(&r, limits_of(8, shapes[i][0], shapes[i][1]), 0);
        for (uint32_t berth = 0; berth < r.g.berths; berth++)
            for (uint32_t worker = 0; worker < r.g.workers_per_host; worker++)
                check_deputy(berth, worker);
        check_silence();
        check_death();
        region_destroy(&r);
    }
}
