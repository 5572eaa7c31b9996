/* trees.c - waiting for what killed tasks had started, beyond their verdicts */
#include <errno.h>

#include "owner/pool.h"
#include "system/clock.h"
#include "system/futex.h"

#define SPIN_US 20u

static bool are_gone(const struct control_head *control, uint32_t deaths) {
    return (int32_t)(atomic_load(&control->trees_gone) - deaths) >= 0;
}

/* ORD(*) a host's death is counted before any verdict tells of it, and the trees of so many deaths are gone when that is
 * told: both counts only grow. */
int trees_await(struct pool *pool, uint64_t deadline_ns) {
    const struct control_head *control = control_head(pool->region);
    uint32_t deaths = (uint32_t)atomic_load(&control->deaths);
    /* Where nothing was started the supervisor says so while the verdict is still on its way here. */
    struct spin spin = {.limit_us = SPIN_US};
    while (!are_gone(control, deaths) && spin_turn(&spin)) {
    }
    while (!are_gone(control, deaths) && watch_supervisor(pool)) {
        struct waiting on = {.word = &control->trees_gone, .value = atomic_load(&control->trees_gone),
                             .deadline_ns = deadline_ns};
        if (are_gone(control, deaths))
            break;
        int error = watch_sleep(pool, &on);
        if (error != 0)
            return error;
    }
    return 0;
}
