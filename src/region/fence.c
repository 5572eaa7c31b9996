#include "region/fence.h"

#include "region/plant.h"
#include "system/barrier.h"

bool fence_before_sleep(const struct region *r) {
    /* ORD(fence:sleep) pairs ORD(queue:push): what was said before this is seen by an owner that looks for sleepers after
     * it, and what it pushed before is seen by the look for work that follows. */
    atomic_thread_fence(memory_order_seq_cst);
    if (!fence_is_light(r) || PLANTED(PLANT_NO_FENCE) || barrier_everywhere())
        return true;
    atomic_store_explicit(&claims_head(r)->heavy_fences, 1, memory_order_seq_cst);
    return false;
}
