/*
 * Items that lie in a wrapped file are read there, without a copy; where the file has become shorter, their items crash and
 * no other does, and the program gets no signal. Results cannot lie in one.
 * Broken by: a copy that the program makes of what is not there any more, a host that does not ask for the file.
 */
#include "tasks.h"

#include <sys/mman.h>

enum { ITEMS = 4096, LEAD = 24, LEFT = 2048 };

static int twice(mortal_task *task, const void *item, void *result)
{
    (void)task;
    *(uint32_t *)result = 2 * *(const uint32_t *)item;
    return 0;
}

static void fill(int fd)
{
    uint32_t lead[LEAD] = {0};
    CHECK_EQ(write(fd, lead, sizeof lead), sizeof lead);
    for (uint32_t i = 0; i < ITEMS; i++)
        CHECK_EQ(write(fd, &i, sizeof i), sizeof i);
}

void test(void)
{
    static uint32_t results[ITEMS];
    static uint8_t outcomes[ITEMS];
    mortal_buffer file;
    void *at;
    size_t done = 0, bytes = (LEAD + ITEMS) * sizeof(uint32_t);
    int fd = memfd_create("items", MFD_CLOEXEC);
    fill(fd);
    mortal_pool *pool = pool_with(2);
    CHECK_OK(mortal_buffer_wrap_fd(&file, pool, fd, 0, bytes, MORTAL_BUFFER_WRITABLE));
    CHECK_OK(mortal_buffer_view(file, &at, NULL));
    const uint32_t *items = (const uint32_t *)at + LEAD;

    CHECK_OK(mortal_pool_map(pool, twice, items, sizeof *items, results, sizeof *results, ITEMS, NULL, outcomes, &done));
    CHECK_EQ(done, ITEMS);
    for (uint32_t i = 0; i < ITEMS; i++)
        CHECK_EQ(results[i], 2 * i);
    CHECK_EQ(stats_of(pool).buffers, 1);
    CHECK_ERR(mortal_pool_map(pool, twice, items, sizeof *items, at, sizeof *results, ITEMS, NULL, NULL, &done), -EINVAL);

    memset(outcomes, 0, sizeof outcomes);
    CHECK_OK(ftruncate(fd, LEFT * sizeof(uint32_t))); /* whole pages: what is behind them is gone */
    CHECK_OK(mortal_pool_map(pool, twice, items, sizeof *items, results, sizeof *results, LEFT - LEAD + 3, NULL, outcomes,
                             &done));
    CHECK_EQ(done, LEFT - LEAD);
    for (uint32_t i = 0; i < LEFT - LEAD + 3; i++)
        CHECK_EQ(outcomes[i], i < LEFT - LEAD ? MORTAL_DONE : MORTAL_CRASHED);
    CHECK_OK(mortal_buffer_close(file));
    drain(pool);
    close(fd);
}
