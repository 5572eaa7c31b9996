/* request.c - what only the supervisor may do, asked of it */
#include <errno.h>
#include <unistd.h>

#include "owner/pool.h"
#include "system/clock.h"
#include "system/futex.h"

void watch_ring_supervisor(struct pool *pool) {
    int saved = errno;
    uint64_t one = 1;
    (void)!write(pool->heritage.bell_fd, &one, sizeof one);
    errno = saved;
}

/* Returns the number by which control->requests_handled tells that it was decided. Under the lock. The ring is never
 * full of undecided ones for long: the supervisor takes all that is there at each turn. */
uint64_t request_send(struct pool *pool, enum request_kind kind, uint32_t slot, uint32_t generation, uint32_t scope,
                      uint64_t before) {
    struct control_head *control = control_head(pool->region);
    uint64_t tail = atomic_load_explicit(&control->request_tail, memory_order_relaxed);
    for (;;) {
        uint32_t handled = atomic_load(&control->requests_handled); /* ORD(request:decided) */
        if ((uint32_t)tail - handled < REQUESTS || !watch_supervisor(pool))
            break;
        watch_ring_supervisor(pool);
        (void)futex_wait(&control->requests_handled, handled, clock_after(10000000u));
    }
    control->requests[tail % REQUESTS] = (struct request){
        .kind = kind, .slot = slot, .generation = generation, .scope = scope, .before = before,
                                                            .sent_ns = clock_ns()};
    /* ORD(request:sent) pairs ORD(request:taken): the request is complete before. */
    atomic_store_explicit(&control->request_tail, tail + 1, memory_order_release);
    watch_ring_supervisor(pool);
    return tail + 1;
}
