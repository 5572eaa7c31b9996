#include "host/guard.h"

static bool cover(const struct host *host, int key) {
    const struct region *r = host->region;
    const struct geometry *g = &r->g;
    uint8_t *arena = arena_of(r, host->place.life);
    return keys_cover(key, r->claims, g->claims_bytes) && keys_cover(key, arena, g->arena_lines) &&
           keys_cover(key, arena + g->arena_cells, g->arena_heap - g->arena_cells);
}

bool guard_cover(struct host *host) {
    int key = keys_take();
    if (key == 0)
        return false;
    if (!cover(host, key)) {
        (void)cover(host, 0);
        keys_drop(key);
        return false;
    }
    host->key = key;
    return true;
}
