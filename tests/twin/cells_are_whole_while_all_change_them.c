/*
 * Workers and threads of the owner change and read the same cells at once, also while one of them is closed and opened
 * again: each value that is read is whole, and each update that returned is there.
 * Broken by: a copy that is not looked at again, two threads of the owner in one buffer, an order that is too weak.
 */
#include "twin.h"

enum { PARTS = 6, TASKS = 3, OWNERS = 2 };

struct value {
    uint64_t parts[PARTS]; /* all the same */
};

static struct {
    mortal_cell lasting;
    _Atomic uint64_t passing_place, passing_life;
    _Atomic uint64_t over;
    word stop;
} scene;

static void check_whole(const struct value *value)
{
    for (unsigned i = 1; i < PARTS; i++)
        CHECK_EQ(value->parts[i], value->parts[0]);
}

static int add_one(void *value, void *argument)
{
    (void)argument;
    check_whole(value);
    for (unsigned i = 0; i < PARTS; i++)
        ((struct value *)value)->parts[i]++;
    return 0;
}

static void change_passing(void)
{
    mortal_cell passing = {.place = atomic_load(&scene.passing_place), .life = atomic_load(&scene.passing_life)};
    struct value value;
    int error = passing.life != 0 ? mortal_cell_update(passing, add_one, NULL) : -ESTALE;
    CHECK(error == 0 || error == -ESTALE);
    if (error == 0 && mortal_cell_read(passing, &value, sizeof value) == 0)
        check_whole(&value);
}

static void change(unsigned turns)
{
    for (unsigned i = 0; i < turns; i++) {
        struct value value;
        CHECK_OK(mortal_cell_update(scene.lasting, add_one, NULL));
        atomic_fetch_add(&scene.over, 1);
        CHECK_OK(mortal_cell_read(scene.lasting, &value, sizeof value));
        check_whole(&value);
        change_passing();
    }
}

static int body(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input_bytes;
    change(*(const unsigned *)input);
    return 0;
}

static void *owner_thread(void *argument)
{
    change(*(const unsigned *)argument);
    word_add(&scene.stop, 1);
    return NULL;
}

static void open_and_close(mortal_pool *pool)
{
    while (atomic_load(&scene.stop) != OWNERS) {
        mortal_cell cell;
        struct value value = {{0}};
        CHECK_OK(mortal_cell_open(pool, sizeof value, &value, &cell));
        atomic_store(&scene.passing_life, 0);
        atomic_store(&scene.passing_place, cell.place);
        atomic_store(&scene.passing_life, cell.life);
        spin(2000);
        CHECK_OK(mortal_cell_close(cell));
    }
}

void test(void)
{
    mortal_pool *pool = twin_open(TASKS, 1, (mortal_pool_options){.cells_bytes = 4096});
    unsigned turns = more_if_long(2000);
    CHECK_OK(mortal_cell_open(pool, sizeof(struct value), NULL, &scene.lasting));
    mortal_future futures[TASKS];
    for (unsigned i = 0; i < TASKS; i++)
        futures[i] = submit(pool, body, &turns, sizeof turns);
    pthread_t threads[OWNERS];
    for (unsigned i = 0; i < OWNERS; i++)
        threads[i] = thread_start(owner_thread, &turns);
    open_and_close(pool);
    for (unsigned i = 0; i < OWNERS; i++)
        pthread_join(threads[i], NULL);
    for (unsigned i = 0; i < TASKS; i++)
        CHECK_EQ(outcome_and_release(futures[i]), MORTAL_DONE);
    struct value value;
    CHECK_OK(mortal_cell_read(scene.lasting, &value, sizeof value));
    check_whole(&value);
    CHECK_EQ(value.parts[0], atomic_load(&scene.over));
    twin_close(pool);
}
