/*
 * A cell that was closed, is of another pool, was made up or has another size is an error with words, in the owner and in
 * tasks, and changes nothing; so is one more than there is room for. A place that is used again is another cell.
 * Broken by: a look at a place without a look at its life, a size that is believed.
 */
#include "tasks.h"

#include <pthread.h>

enum { ALL = 256 };

struct input {
    mortal_cell good, closed;
};

static int add(void *value, void *argument)
{
    *(uint64_t *)value += *(const uint64_t *)argument;
    return 0;
}

static int refuse(void *value, void *argument)
{
    (void)argument;
    *(uint64_t *)value = 99;
    return 1;
}

/* The change function of a cell may read, and change nothing. */
static int nested(void *value, void *argument)
{
    mortal_cell cell = *(const mortal_cell *)argument;
    uint64_t now, one = 1;
    CHECK_OK(mortal_cell_read(cell, &now, sizeof now));
    CHECK_EQ(now, *(const uint64_t *)value);
    if (mortal_task_self() != NULL)
        CHECK_ERR(mortal_cell_update(cell, add, &one), -EPERM);
    return 0;
}

static void check_both(mortal_cell good, mortal_cell closed)
{
    uint64_t value = 5, one = 1;
    mortal_cell odd[] = {{.place = good.place + 1, .life = good.life}, {.place = good.place, .life = good.life + 1000}};
    mortal_cell no_place[] = {{0, 0}, {.place = UINT64_MAX, .life = 1}, {.place = good.place, .life = 0}};
    for (size_t i = 0; i < COUNT(odd); i++) {
        CHECK_ERR(mortal_cell_read(odd[i], &value, sizeof value), -ESTALE);
        CHECK_ERR(mortal_cell_update(odd[i], add, &one), -ESTALE);
    }
    for (size_t i = 0; i < COUNT(no_place); i++) {
        CHECK_ERR(mortal_cell_read(no_place[i], &value, sizeof value), -EINVAL);
        CHECK_ERR(mortal_cell_update(no_place[i], add, &one), -EINVAL);
    }
    CHECK_ERR(mortal_cell_read(closed, &value, sizeof value), -ESTALE);
    CHECK_ERR(mortal_cell_update(closed, add, &one), -ESTALE);
    CHECK_ERR(mortal_cell_read(good, NULL, sizeof value), -EINVAL);
    CHECK_ERR(mortal_cell_read(good, &value, sizeof value - 1), -EINVAL);
    CHECK_ERR(mortal_cell_read(good, &value, sizeof value + 1), -EINVAL);
    CHECK_ERR(mortal_cell_update(good, NULL, NULL), -EINVAL);
    CHECK_ERR(mortal_cell_update(good, refuse, NULL), -ECANCELED);
    CHECK_EQ(value, 5);
    CHECK_OK(mortal_cell_update(good, nested, &good));
    CHECK_OK(mortal_cell_update(good, add, &one));
}

static void *in_a_thread(void *argument)
{
    uint64_t value;
    CHECK_ERR(mortal_cell_read(*(mortal_cell *)argument, &value, sizeof value), -EPERM);
    return NULL;
}

static int body(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input_bytes;
    struct input in = *(const struct input *)input;
    mortal_cell none;
    pthread_t thread;
    check_both(in.good, in.closed);
    CHECK_ERR(mortal_cell_close(in.good), -EPERM);
    CHECK_ERR(mortal_cell_open((mortal_pool *)(void *)&in, 8, NULL, &none), -EINVAL);
    CHECK_EQ(pthread_create(&thread, NULL, in_a_thread, &in.good), 0);
    pthread_join(thread, NULL);
    return 0;
}

static void check_room(mortal_pool *pool)
{
    mortal_cell cells[ALL], more;
    CHECK_ERR(mortal_cell_open(pool, 65 << 10, NULL, &more), -ENOBUFS);
    CHECK_ERR(mortal_cell_open(pool, 0, NULL, &more), -EINVAL);
    CHECK_ERR(mortal_cell_open(pool, 8, NULL, NULL), -EINVAL);
    for (unsigned i = 0; i < ALL; i++)
        CHECK_OK(mortal_cell_open(pool, 1 + i, &cells, &cells[i]));
    CHECK_ERR(mortal_cell_open(pool, 1, NULL, &more), -ENOBUFS);
    for (unsigned i = 0; i < ALL; i++)
        CHECK_OK(mortal_cell_close(cells[i]));
    CHECK_OK(mortal_cell_open(pool, 64 << 10, NULL, &more));
    CHECK_ERR(mortal_cell_open(pool, 1, NULL, cells), -ENOBUFS);
    CHECK_OK(mortal_cell_close(more));
}

void test(void)
{
    mortal_pool *pool = pool_with(1), *other = pool_with(1);
    uint64_t value = 40;
    struct input input;
    check_room(pool);
    CHECK_OK(mortal_cell_open(pool, sizeof value, &value, &input.closed));
    CHECK_OK(mortal_cell_close(input.closed));
    CHECK_ERR(mortal_cell_close(input.closed), -ESTALE);
    CHECK_OK(mortal_cell_open(pool, sizeof value, &value, &input.good));
    CHECK_EQ(input.good.place, input.closed.place);
    check_both(input.good, input.closed);
    CHECK_EQ(outcome_and_release(submit(pool, body, &input, sizeof input)), MORTAL_DONE);
    CHECK_OK(mortal_cell_read(input.good, &value, sizeof value));
    CHECK_EQ(value, 42);

    struct input swapped = {.good = input.good, .closed = input.good}; /* of another pool: not there */
    mortal_cell theirs;
    CHECK_OK(mortal_cell_open(other, sizeof value, &value, &theirs));
    swapped.good = theirs;
    CHECK_EQ(outcome_and_release(submit(other, body, &swapped, sizeof swapped)), MORTAL_DONE);
    drain(pool);
    CHECK_ERR(mortal_cell_read(input.good, &value, sizeof value), -ESTALE);
    CHECK_ERR(mortal_cell_close(input.good), -ESTALE);
    drain(other);
    mortal_pool_options options = {.size = sizeof options, .cells_bytes = (1 << 20) + 1};
    CHECK_ERR(mortal_pool_open(&pool, &options), -EINVAL);
    options.cells_bytes = 63;
    CHECK_ERR(mortal_pool_open(&pool, &options), -EINVAL);
}
