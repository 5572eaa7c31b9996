/*
 * The clock goes forward, and a point in time reckoned from it is never in the past, however long the wait: what reaches
 * beyond the end of time is the end of time.
 */
#include "unit.h"

#include "system/clock.h"

void test(void)
{
    uint64_t before = clock_ns(), last = before;
    for (int i = 0; i < 1000; i++) {
        uint64_t now = clock_ns();
        CHECK(now >= last);
        last = now;
    }
    CHECK(mortal_now_ns() >= last);
    CHECK_EQ(clock_after(NEVER), NEVER);
    CHECK_EQ(clock_after(NEVER - 1), NEVER);
    CHECK_EQ(clock_after(NEVER - before), NEVER);
    const uint64_t waits[] = {0, 1, 1000000000, 1ull << 40, 1ull << 62, NEVER / 2};
    for (size_t i = 0; i < COUNT(waits); i++) {
        uint64_t earliest = clock_ns() + waits[i], then = clock_after(waits[i]);
        CHECK(then >= earliest && then <= clock_ns() + waits[i]);
    }
}
