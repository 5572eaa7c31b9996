#include "region/layout.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "region/obituary.h"
#include "region/stream.h"
#include "system/barrier.h"
#include "system/memory.h"

#define WINDOW_BYTES (4ull << 40) /* address space for the answers of all lives: sparse, only what is touched is real */
#define ARENA_HEAP_MIN (64ull << 10)

static uint32_t power_of_two_above(uint32_t value) {
    uint32_t power = 64;
    while (power < value)
        power *= 2;
    return power;
}

static uint32_t min_u32(uint64_t a, uint64_t b) { return (uint32_t)(a < b ? a : b); }

static void plan_arena(struct geometry *g) {
    uint64_t desks = sizeof(struct host_head) + (uint64_t)g->workers_per_host * sizeof(struct desk);
    uint64_t lines = (1ull + g->workers_per_host) * sizeof(struct life_line);
    g->arena_notes = round_up(desks, LINE);
    g->arena_trace = g->arena_notes + (uint64_t)g->workers_per_host * sizeof(struct notes);
    g->arena_cleanups = round_up(g->arena_trace + sizeof(struct trace), LINE);
    g->arena_lines = round_up(g->arena_cleanups + (uint64_t)g->workers_per_host * sizeof(struct cleanups), PAGE_BYTES);
    g->arena_cells = round_up(g->arena_lines + lines, PAGE_BYTES);
    g->arena_heap = round_up(g->arena_cells + (uint64_t)g->slots * sizeof(struct cell), PAGE_BYTES);
    g->arena_bytes = round_up(g->arena_heap + g->results_bytes, 2u << 20); /* own page tables: no life disturbs another's */
    /* A life is pinned while results of it are unreleased, so in the worst case each held task pins one. */
    uint64_t wanted = (uint64_t)g->slots + 2ull * g->berths + 64;
    g->lives = min_u32(min_u32(wanted, WORD_LIVES), g->window_bytes / g->arena_bytes);
    if (g->lives < g->berths + 8)
        g->lives = g->berths + 8;
}

void geometry_plan(struct geometry *g, const struct limits *l) {
    memset(g, 0, sizeof *g);
    g->window_bytes = WINDOW_BYTES;
    g->slots = l->held_tasks;
    g->queue_tasks = l->queue_tasks;
    g->ring_entries = power_of_two_above(l->held_tasks);
    g->workers = l->workers;
    g->workers_per_host = l->workers_per_host;
    g->hosts = (l->workers + l->workers_per_host - 1) / l->workers_per_host;
    g->standby = l->standby;
    /* Twice: hosts that the kernel has not ended yet keep their berth while others already stand in for them. */
    g->berths = 2 * (g->hosts + g->standby) + 4;
    g->inputs_bytes = l->inputs_bytes;
    g->results_bytes = l->results_bytes;
    g->measure = l->measure;
    g->results = l->results;

    g->order_ring = round_up(sizeof(struct orders_head), PAGE_BYTES);
    g->ring_bytes = round_up((uint64_t)g->ring_entries * 8, PAGE_BYTES);
    g->order_slots = g->order_ring + LANES * g->ring_bytes;
    g->order_buffers = round_up(g->order_slots + (uint64_t)g->slots * sizeof(struct order), PAGE_BYTES);
    g->order_inputs = round_up(g->order_buffers + BUFFERS_MAX * sizeof(struct buffer_record), PAGE_BYTES);
    g->order_names = g->order_inputs + round_up(g->inputs_bytes, PAGE_BYTES);
    g->order_taken = g->order_names + round_up((uint64_t)g->slots * NAME_BYTES, PAGE_BYTES);
    g->orders_bytes = g->order_taken + round_up((uint64_t)g->slots * 8, PAGE_BYTES);
    g->stream_bytes = l->stream_bytes;

    g->idle_words = (g->berths * g->workers_per_host + 63) / 64;
    g->claim_bells = sizeof(struct claims_head);
    g->claim_idle = round_up(g->claim_bells + (uint64_t)g->berths * g->workers_per_host * 4, LINE);
    g->claim_searching = round_up(g->claim_idle + g->idle_words * 8ull, LINE);
    g->claim_words = round_up(g->claim_searching + g->idle_words * 8ull, PAGE_BYTES);
    g->claims_bytes = round_up(g->claim_words + (uint64_t)g->slots * CLAIM_STRIDE, PAGE_BYTES);

    if (l->cells_bytes != 0) { /* two for each who may write: the workers of all berths, and the owner */
        g->cells_each = round_up(l->cells_bytes, PAGE_BYTES);
        g->cell_buffers = round_up(CELLS_MOST * LINE, PAGE_BYTES);
        g->cells_bytes = g->cell_buffers + 2ull * ((uint64_t)g->berths * g->workers_per_host + 1) * g->cells_each;
    }

    g->control_berths = round_up(sizeof(struct control_head), LINE);
    g->control_logs = g->control_berths + (uint64_t)g->berths * sizeof(struct berth);
    g->control_cares = round_up(g->control_logs + (uint64_t)g->berths * g->workers_per_host * sizeof(log_taken), PAGE_BYTES);
    g->control_fates = round_up(g->control_cares + (uint64_t)g->slots * sizeof(struct care), PAGE_BYTES);
    g->control_caps = round_up(g->control_fates + (uint64_t)g->slots * sizeof(struct fate), PAGE_BYTES);
    g->control_obituaries = round_up(g->control_caps + (uint64_t)g->slots * sizeof(struct cap), PAGE_BYTES);
    g->control_streams = g->control_obituaries + round_up(OBITUARIES * sizeof(struct obituary_record), PAGE_BYTES);
    g->control_bytes = g->control_streams + round_up((uint64_t)g->slots * sizeof(struct stream_pasts), PAGE_BYTES);
    plan_arena(g);
}

static int open_segment(const char *name, uint64_t bytes, bool writable, uint8_t **map, int *fd) {
    *fd = memory_segment(name, bytes);
    if (*fd < 0)
        return *fd;
    *map = memory_map(*fd, 0, bytes, writable, NULL);
    return *map != NULL ? 0 : -ENOMEM;
}

static int open_answers(struct region *r) {
    struct geometry *g = &r->g;
    for (;;) {
        plan_arena(g);
        uint64_t bytes = (uint64_t)g->lives * g->arena_bytes;
        int error = open_segment("mortal:answers", bytes, false, &r->answers, &r->answers_fd);
        if (error == 0 || (error != -ENOMEM && error != -EFBIG))
            return error;
        if (r->answers_fd >= 0)
            close(r->answers_fd);
        r->answers_fd = -1;
        if (g->lives > g->berths + 8)
            g->window_bytes = bytes / 2;
        else if (g->results_bytes > ARENA_HEAP_MIN)
            g->results_bytes /= 2;
        else
            return error;
    }
}

static int open_cells(struct region *r, const struct limits *limits) {
    if (r->g.cells_bytes == 0)
        return 0;
    int error = open_segment("mortal:cells", r->g.cells_bytes, true, &r->cells, &r->cells_fd);
    if (error == 0)
        error = memory_commit(r->cells, r->g.cell_buffers, r->cells_fd, 0);
    if (error == 0 || !limits->cells_if_possible)
        return error;
    memory_unmap(r->cells, r->g.cells_bytes);
    if (r->cells_fd >= 0)
        close(r->cells_fd);
    r->cells = NULL;
    r->cells_fd = -1;
    r->g.cells_each = r->g.cell_buffers = r->g.cells_bytes = 0;
    return 0;
}

/* What is touched before the first submit. */
static int commit_heads(struct region *r) {
    int error = memory_commit(r->orders, r->g.order_ring, r->orders_fd, 0);
    if (error == 0)
        error = memory_commit(r->claims, r->g.claim_words, r->claims_fd, 0);
    if (error == 0)
        error = memory_commit(r->control, r->g.control_cares, r->control_fd, 0);
    return error;
}

static void no_windows(struct region *r) {
    for (int kind = 0; kind < WINDOW_KINDS; kind++)
        r->windows[kind] = (struct window){.fd = -1};
}

int region_create(struct region *r, const struct limits *limits) {
    memset(r, 0, sizeof *r);
    r->orders_fd = r->claims_fd = r->control_fd = r->answers_fd = r->cells_fd = -1;
    no_windows(r);
    geometry_plan(&r->g, limits);
    r->g.light_fences = barrier_let_others();
    int error = open_segment("mortal:orders", r->g.orders_bytes, true, &r->orders, &r->orders_fd);
    if (error == 0)
        error = open_segment("mortal:claims", r->g.claims_bytes, true, &r->claims, &r->claims_fd);
    if (error == 0)
        error = open_segment("mortal:control", r->g.control_bytes, true, &r->control, &r->control_fd);
    if (error == 0)
        error = open_answers(r);
    if (error == 0)
        error = open_cells(r, limits);
    if (error == 0)
        window_open(r->windows, limits->buffers_bytes);
    if (error == 0)
        error = commit_heads(r);
    if (error != 0) {
        region_destroy(r);
        return error;
    }
    for (uint32_t i = 0; i < r->g.berths; i++)
        atomic_init(&berth_of(r, i)->life, NO_LIFE);
    struct control_head *control = control_head(r);
    atomic_init(&control->deadline_floor_ns, UINT64_MAX);
    atomic_init(&control->expiry_floor_ns, UINT64_MAX);
    return 0;
}

void region_destroy(struct region *r) {
    memory_unmap(r->orders, r->g.orders_bytes);
    memory_unmap(r->claims, r->g.claims_bytes);
    memory_unmap(r->control, r->g.control_bytes);
    memory_unmap(r->answers, (uint64_t)r->g.lives * r->g.arena_bytes);
    memory_unmap(r->cells, r->g.cells_bytes);
    window_close(r->windows);
    const int fds[] = {r->orders_fd, r->claims_fd, r->control_fd, r->answers_fd, r->cells_fd};
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    memset(r, 0, sizeof *r);
    r->orders_fd = r->claims_fd = r->control_fd = r->answers_fd = r->cells_fd = -1;
    no_windows(r);
}

int region_commit_slots(struct region *r, uint32_t from, uint32_t to) {
    const struct geometry *g = &r->g;
    uint64_t count = to - from;
    const struct {
        uint8_t *base;
        int fd;
        uint64_t offset, each;
    } tables[] = {
        {r->orders, r->orders_fd, g->order_slots, sizeof(struct order)},
        {r->claims, r->claims_fd, g->claim_words, CLAIM_STRIDE},
        {r->control, r->control_fd, g->control_cares, sizeof(struct care)},
        {r->control, r->control_fd, g->control_fates, sizeof(struct fate)},
        {r->control, r->control_fd, g->control_caps, sizeof(struct cap)},
        {r->orders, r->orders_fd, g->order_taken, 8},
    };
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        uint64_t offset = tables[i].offset + from * tables[i].each;
        int error = memory_commit(tables[i].base + offset, count * tables[i].each, tables[i].fd, offset);
        if (error != 0)
            return error;
    }
    return 0;
}
