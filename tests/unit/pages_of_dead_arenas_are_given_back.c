/*
 * When an arena is collected its result heap is given back to the system, as much of it as the host said that it used,
 * and never more than there is, whatever it said; neighbours keep theirs.
 */
#include "unit.h"

#include <sys/stat.h>

#include "supervisor/state.h"

enum { PAGES = 8 };

static struct region r;
static struct supervisor s;

static uint64_t blocks_used(void)
{
    struct stat status;
    CHECK_EQ(fstat(r.answers_fd, &status), 0);
    return (uint64_t)status.st_blocks;
}

static void scribble(uint32_t life)
{
    memset(heap_of(&r, life), 0x5a, PAGES * PAGE_BYTES);
}

static void check_collected(uint64_t said, uint32_t pages_gone)
{
    scribble(1);
    scribble(2);
    atomic_store(&host_head(&r, 1)->heap_top, said);
    uint64_t before = blocks_used();
    lives_bury(&s, 1);
    lives_collect(&s);
    CHECK_EQ(blocks_used(), before - pages_gone * PAGE_BYTES / 512); /* a look at a page would bring it back */
    for (uint32_t page = 0; page < PAGES; page++) {
        CHECK_EQ(heap_of(&r, 1)[page * PAGE_BYTES], page < pages_gone ? 0 : 0x5a);
        CHECK_EQ(heap_of(&r, 2)[page * PAGE_BYTES], 0x5a);
    }
    CHECK_EQ(atomic_load(&host_head(&r, 1)->heap_top), said); /* its head is not of its heap */
    CHECK_EQ(lives_take(&s), 1);
}

void test(void)
{
    region_make(&r, limits_of(16, 1, 1), 3);
    memset(&s, 0, sizeof s);
    s.region = &r;
    CHECK_EQ(lives_open(&s), 0);
    for (uint32_t life = 0; life < 3; life++)
        CHECK_EQ(lives_take(&s), life);
    check_collected(0, 0);
    check_collected(1, 1);
    check_collected(3 * PAGE_BYTES, 3);
    check_collected(3 * PAGE_BYTES + 1, 4);
    check_collected(1ull << 40, PAGES);
    check_collected(UINT64_MAX, PAGES);
    free(s.free_lives); /* and the other tables with it */
    region_destroy(&r);
}
