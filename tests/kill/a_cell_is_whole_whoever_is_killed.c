/*
 * Tasks and the owner change a checked value at once while tasks are killed: whoever reads it finds the old value or a
 * new one, never a mixture, and an update that returned is never lost. What is counted besides says how often it was
 * begun and how often it was over; between the two lies the value, whoever was killed in between.
 * Broken by: a cell that is changed where it is read, a word that is swapped before the value is complete.
 */
#include "tasks.h"

#include <pthread.h>

enum { PARTS = 40, WORKERS = 3 };

struct value {
    uint64_t count;
    uint64_t parts[PARTS]; /* each the count times its own number */
};

struct scene {
    _Atomic uint64_t begun, over, broken;
    word stop;
};

struct input {
    struct scene *scene;
    mortal_cell cell;
};

static bool is_whole(const struct value *value)
{
    for (uint64_t i = 0; i < PARTS; i++)
        if (value->parts[i] != value->count * (i + 1))
            return false;
    return true;
}

static int add_one(void *value, void *argument)
{
    struct value *it = value;
    struct scene *scene = argument;
    if (!is_whole(it))
        atomic_fetch_add(&scene->broken, 1);
    it->count++;
    for (uint64_t i = 0; i < PARTS; i++)
        it->parts[i] = it->count * (i + 1);
    return 0;
}

static void update(struct scene *scene, mortal_cell cell)
{
    struct value value;
    atomic_fetch_add(&scene->begun, 1);
    CHECK_OK(mortal_cell_update(cell, add_one, scene));
    atomic_fetch_add(&scene->over, 1);
    CHECK_OK(mortal_cell_read(cell, &value, sizeof value));
    if (!is_whole(&value))
        atomic_fetch_add(&scene->broken, 1);
}

static int body(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input_bytes;
    const struct input *in = input;
    while (!mortal_task_should_stop(task)) /* nobody asks */
        update(in->scene, in->cell);
    return 1;
}

static void *owner_thread(void *argument)
{
    const struct input *in = argument;
    while (atomic_load(&in->scene->stop) == 0)
        update(in->scene, in->cell);
    return NULL;
}

static void storm(mortal_pool *pool, struct input *input, unsigned kills)
{
    mortal_future futures[WORKERS];
    for (unsigned i = 0; i < WORKERS; i++)
        futures[i] = submit(pool, body, input, sizeof *input);
    uint64_t dice = 7;
    for (unsigned i = 0; i < kills; i++) {
        mortal_future *one = &futures[i % WORKERS];
        uint64_t before = atomic_load(&input->scene->over);
        POLL_UNTIL(atomic_load(&input->scene->over) > before);
        for (volatile uint32_t turns = dice >> 52; turns != 0; turns--)
            ;
        dice = dice * 6364136223846793005ull + 1442695040888963407ull;
        CHECK_OK(mortal_future_kill(*one, 0, MORTAL_FOREVER, NULL));
        CHECK_OK(mortal_future_release(*one));
        *one = submit(pool, body, input, sizeof *input);
    }
    CHECK_OK(mortal_pool_kill(pool, MORTAL_UNENDED, 0, MORTAL_FOREVER, NULL));
}

static void check(uint32_t workers_per_host, unsigned kills)
{
    struct scene *scene = harness_shared(sizeof *scene);
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = WORKERS, .workers_per_host = workers_per_host});
    struct input input = {.scene = scene};
    CHECK_OK(mortal_cell_open(pool, sizeof(struct value), NULL, &input.cell));
    pthread_t threads[2];
    for (unsigned i = 0; i < COUNT(threads); i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, owner_thread, &input), 0);
    storm(pool, &input, kills);
    word_set(&scene->stop, 1);
    for (unsigned i = 0; i < COUNT(threads); i++)
        pthread_join(threads[i], NULL);
    struct value value;
    CHECK_OK(mortal_cell_read(input.cell, &value, sizeof value));
    CHECK(is_whole(&value));
    CHECK_EQ(atomic_load(&scene->broken), 0);
    CHECK(value.count >= atomic_load(&scene->over));
    CHECK(value.count <= atomic_load(&scene->begun));
    harness_sum("cells: %llu updates under %u kills", (unsigned long long)value.count, kills);
    CHECK_OK(mortal_cell_close(input.cell));
    drain(pool);
    until_single_threaded();
}

void test(void)
{
    check(1, TEST_LONG ? 3000 : 40);
    check(WORKERS, TEST_LONG ? 1000 : 15);
}
