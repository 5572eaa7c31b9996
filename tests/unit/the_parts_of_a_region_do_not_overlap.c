/*
 * Every table of a region lies where its own accessors say, behind the one before it, in front of the one after it and
 * inside its segment, on pages where that is promised; for the smallest, the largest and odd pools.
 * Broken by: a size that is computed in 32 bits, a table that was added and not counted, a missing rounding.
 */
#include "unit.h"

struct part {
    const char *name;
    const void *first, *behind;
    bool on_page;
};

static void check_parts(const char *segment, const uint8_t *base, uint64_t bytes, const struct part *parts, size_t count)
{
    const uint8_t *end = base;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *first = parts[i].first, *behind = parts[i].behind;
        if (first < end || behind < first || behind > base + bytes)
            harness_fail(__FILE__, __LINE__, "%s of %s: from %td to %td, the one before ends at %td, the segment at %llu",
                         parts[i].name, segment, first - base, behind - base, end - base, (unsigned long long)bytes);
        if (parts[i].on_page)
            CHECK_EQ((uint64_t)(first - base) % PAGE_BYTES, 0);
        end = behind;
    }
    CHECK_EQ(bytes % PAGE_BYTES, 0);
}

static void check_orders(const struct region *r)
{
    const struct geometry *g = &r->g;
    const struct part parts[] = {
        {"head", orders_head(r), orders_head(r) + 1, true},
        {"ring", ring_entry(r, 0), ring_entry(r, g->ring_entries - 1) + 1, true},
        {"slots", order_of(r, 0), order_of(r, g->slots - 1) + 1, true},
        {"inputs", inputs_of(r), inputs_of(r) + g->inputs_bytes, true},
    };
    check_parts("orders", r->orders, g->orders_bytes, parts, COUNT(parts));
    CHECK_EQ((uintptr_t)order_of(r, 0) % LINE, 0);
    CHECK_EQ((uintptr_t)order_of(r, g->slots - 1)->input % LINE, 0);
}

static void check_claims(const struct region *r)
{
    const struct geometry *g = &r->g;
    uint32_t last_berth = g->berths - 1, last_worker = g->workers_per_host - 1;
    const struct part parts[] = {
        {"head", claims_head(r), claims_head(r) + 1, true},
        {"bells", bell_of(r, 0, 0), bell_of(r, last_berth, last_worker) + 1, false},
        {"idle", idle_word(r, 0), idle_word(r, g->idle_words - 1) + 1, false},
        {"searching", searching_word(r, 0), searching_word(r, g->idle_words - 1) + 1, false},
        {"words", claim_of(r, 0), (uint8_t *)claim_of(r, g->slots - 1) + CLAIM_STRIDE, true},
    };
    check_parts("claims", r->claims, g->claims_bytes, parts, COUNT(parts));
    CHECK((uint64_t)g->idle_words * 64 >= (uint64_t)g->berths * g->workers_per_host);
    CHECK_EQ((uintptr_t)idle_word(r, 0) % LINE, 0);
    CHECK_EQ((uintptr_t)searching_word(r, 0) % LINE, 0);
}

static void check_control(const struct region *r)
{
    const struct geometry *g = &r->g;
    uint32_t last_berth = g->berths - 1, last_worker = g->workers_per_host - 1;
    const struct part parts[] = {
        {"head", control_head(r), control_head(r) + 1, true},
        {"berths", berth_of(r, 0), berth_of(r, last_berth) + 1, false},
        {"logs", log_taken_of(r, 0, 0), log_taken_of(r, last_berth, last_worker) + 1, false},
        {"cares", care_of(r, 0), care_of(r, g->slots - 1) + 1, true},
        {"fates", fate_of(r, 0), fate_of(r, g->slots - 1) + 1, true},
    };
    check_parts("control", r->control, g->control_bytes, parts, COUNT(parts));
    CHECK_EQ((uintptr_t)berth_of(r, 0) % LINE, 0);
    CHECK_EQ((uintptr_t)fate_of(r, 0) % LINE, 0);
}

static void check_arena(const struct region *r, uint32_t life)
{
    const struct geometry *g = &r->g;
    const struct part parts[] = {
        {"head", host_head(r, life), host_head(r, life) + 1, true},
        {"desks", desk_of(r, life, 0), desk_of(r, life, g->workers_per_host - 1) + 1, false},
        {"cells", cell_of(r, life, 0), cell_of(r, life, g->slots - 1) + 1, true},
        {"heap", heap_of(r, life), heap_of(r, life) + g->results_bytes, true},
    };
    CHECK_EQ((uint64_t)(arena_of(r, life) - r->answers), life * g->arena_bytes);
    check_parts("an arena", arena_of(r, life), g->arena_bytes, parts, COUNT(parts));
    CHECK_EQ((uintptr_t)desk_of(r, life, 0) % LINE, 0);
    CHECK_EQ(g->arena_bytes % (2u << 20), 0);
}

static void check_numbers(const struct geometry *g, const struct limits *l)
{
    CHECK_EQ(g->slots, l->held_tasks);
    CHECK(g->ring_entries >= g->slots && (g->ring_entries & (g->ring_entries - 1)) == 0);
    CHECK((uint64_t)g->hosts * g->workers_per_host >= g->workers);
    CHECK((uint64_t)(g->hosts - 1) * g->workers_per_host < g->workers);
    /* Room for all that live and for as many again that the kernel has not ended yet. */
    CHECK(g->berths >= 2 * (g->hosts + g->standby));
    CHECK(g->lives >= g->berths + 8 && g->lives <= WORD_LIVES);
    CHECK(g->workers_per_host <= WORD_WORKERS);
    CHECK(g->lives == g->berths + 8 || (uint64_t)g->lives * g->arena_bytes <= g->window_bytes);
}

/* Addresses are computed, nothing is touched: any address will do that leaves room. */
static void check_geometry(struct limits limits)
{
    struct region r = {.orders = (uint8_t *)(1ull << 44), .claims = (uint8_t *)(2ull << 44),
                       .control = (uint8_t *)(3ull << 44), .answers = (uint8_t *)(4ull << 44)};
    geometry_plan(&r.g, &limits);
    check_numbers(&r.g, &limits);
    check_orders(&r);
    check_claims(&r);
    check_control(&r);
    check_arena(&r, 0);
    check_arena(&r, r.g.lives / 2);
    check_arena(&r, r.g.lives - 1);
}

void test(void)
{
    const uint32_t slots[] = {1, 2, 63, 64, 65, 4096, 131072, 999999, 1000000};
    const uint32_t workers[] = {1, 2, 3, 63, 64, 65, 1000, 1024};
    const uint32_t standby[] = {0, 1, 64};
    const uint64_t bytes[] = {4096, 5000, 64ull << 20, 64ull << 30};
    for (size_t s = 0; s < COUNT(slots); s++)
        for (size_t w = 0; w < COUNT(workers); w++)
            for (size_t h = 0; h < COUNT(workers) && workers[h] <= workers[w]; h++)
                for (size_t y = 0; y < COUNT(standby); y++)
                    for (size_t b = 0; b < COUNT(bytes); b++)
                        check_geometry((struct limits){.held_tasks = slots[s], .queue_tasks = slots[s],
                                                       .workers = workers[w], .workers_per_host = workers[h],
                                                       .standby = standby[y], .inputs_bytes = bytes[b],
                                                       .results_bytes = bytes[COUNT(bytes) - 1 - b]});
}
