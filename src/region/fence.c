#include "region/fence.h"

#include "region/plant.h"
#include "system/barrier.h"

/* In which region this thread was refused before: there the owner knows by now. A heavy_fences that stands there since a
 * moment ago is not believed, as the owner may have looked at it just before. */
static _Thread_local const struct region *refused_in;

bool fence_before_sleep(const struct region *r) {
    /* ORD(fence:sleep) pairs ORD(queue:push): what was said before this is seen by an owner that looks for sleepers after
     * it, and what it pushed before is seen by the look for work that follows. */
    atomic_thread_fence(memory_order_seq_cst);
    if (!r->g.light_fences || PLANTED(PLANT_NO_FENCE) || (refused_in == r && !fence_is_light(r)) || barrier_everywhere())
        return true;
    refused_in = r;
    atomic_store_explicit(&claims_head(r)->heavy_fences, 1, memory_order_relaxed); /* seen before a short sleep is over */
    return false;
}
