/*
 * Cut after any instruction of an update, a cell has the old value or the new one, whole; a copy that others disturb at
 * any instruction is whole or is refused; and of clean-ups that are left and taken back, those count that did before, or
 * those that do after, each complete. The bugs that are planted in each are caught.
 * Broken by: an order of stores in which a half of something counts.
 */
#include "../unit/unit.h"

#include "host/worker.h"
#include "region/cells.h"
#include "region/plant.h"
#include "stage/trap.h"

enum { PARTS = 3, LIFE = 1, INPUT = 24 };

static struct region r;
static struct cell_shape shape = {.index = 3, .life = 77, .offset = 192, .bytes = PARTS * 8};
static unsigned faults; /* of the run that is stepped */

/* ---- cells ---------------------------------------------------------------------------------------------------- */

struct value {
    uint64_t parts[PARTS];
};

static struct value value_of(uint64_t number)
{
    struct value value;
    for (uint64_t i = 0; i < PARTS; i++)
        value.parts[i] = number * (i + 1);
    return value;
}

static bool is_value(const struct value *value, uint64_t number)
{
    for (uint64_t i = 0; i < PARTS; i++)
        if (value->parts[i] != number * (i + 1))
            return false;
    return true;
}

static void set_cell(uint64_t number, uint32_t buffer)
{
    struct value value = value_of(number);
    for (uint32_t i = 0; i < cells_buffer_of_owner(&r) + 2; i++)
        memset(cell_buffer_of(&r, i) + shape.offset, 0xee, sizeof value);
    memcpy(cell_buffer_of(&r, buffer) + shape.offset, &value, sizeof value);
    atomic_store(cell_word_of(&r, shape.index), 5ull << CELL_BUFFER_BITS | buffer);
}

static void update(uint64_t number, uint32_t first_buffer)
{
    uint64_t word;
    struct value value;
    CHECK_EQ(cells_copy(&r, &shape, &word, (uint8_t *)&value), 0);
    value = value_of(number);
    CHECK_EQ(cells_swap(&r, &shape, word, first_buffer, (const uint8_t *)&value), 0);
}

static void update_to_two(void *argument)
{
    (void)argument;
    update(2, 0);
}

static void look_at_cell(const struct trap *at, void *context)
{
    (void)at, (void)context;
    uint64_t word;
    struct value value;
    int error = cells_copy(&r, &shape, &word, (uint8_t *)&value);
    faults += error != 0 || (!is_value(&value, 1) && !is_value(&value, 2));
}

static unsigned faults_of_update(enum plant bug, uint32_t current)
{
    set_cell(1, current);
    faults = 0;
    planted_bug = bug;
    (void)trap_run(update_to_two, NULL, look_at_cell, NULL);
    planted_bug = PLANT_NONE;
    return faults;
}

struct disturbance {
    uint64_t at;   /* the instruction after which somebody else changes it twice */
    uint64_t steps;
    int error;
    struct value got;
};

static void read_disturbed(void *argument)
{
    struct disturbance *d = argument;
    uint64_t word;
    d->error = cells_copy(&r, &shape, &word, (uint8_t *)&d->got);
}

/* Back into the buffer that is being read, by way of the other one. */
static void disturb(const struct trap *at, void *context)
{
    struct disturbance *d = context;
    if (++d->steps != d->at)
        return;
    enum plant bug = planted_bug;
    (void)at;
    planted_bug = PLANT_NONE;
    update(2, 0);
    update(3, 0);
    planted_bug = bug;
    trap_stop();
}

static unsigned faults_of_reads(enum plant bug)
{
    unsigned wrong = 0, refused = 0;
    for (uint64_t at = 1;; at++) {
        struct disturbance d = {.at = at};
        set_cell(1, 0);
        planted_bug = bug;
        (void)trap_run(read_disturbed, &d, disturb, &d);
        planted_bug = PLANT_NONE;
        if (d.steps < at)
            break;
        refused += d.error == -EAGAIN;
        wrong += d.error == 0 && !is_value(&d.got, 1) && !is_value(&d.got, 3);
    }
    CHECK(bug != PLANT_NONE || refused != 0);
    return wrong;
}

static void check_cells(void)
{
    atomic_store(&shared_cell_of(&r, shape.index)->life, shape.life);
    uint32_t others = cells_buffer_of_owner(&r);
    CHECK_EQ(faults_of_update(PLANT_NONE, others), 0);
    CHECK_EQ(faults_of_update(PLANT_NONE, 0), 0);
    CHECK_EQ(faults_of_update(PLANT_NONE, 1), 0);
    CHECK(faults_of_update(PLANT_CELL_IN_PLACE, others) != 0);
    CHECK(faults_of_update(PLANT_CELL_SWAP_FIRST, others) != 0);
    CHECK_EQ(faults_of_reads(PLANT_NONE), 0);
    CHECK(faults_of_reads(PLANT_CELL_READ_ONCE) != 0);
    struct value value;
    uint64_t word;
    atomic_store(cell_word_of(&r, shape.index), UINT64_MAX); /* a task gone wild */
    CHECK_EQ(cells_copy(&r, &shape, &word, (uint8_t *)&value), -EBADMSG);
}

/* ---- clean-ups ------------------------------------------------------------------------------------------------ */

static struct worker worker;
static struct host host;
static const struct cleanups *left;
static char before[CLEANUPS + 1], after[CLEANUPS + 1]; /* letters of what counts, and may */

static int never(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input, (void)input_bytes;
    return 0;
}

/* The letters of those that a death now would leave; '?' for one that is not whole. */
static void read_left(char *letters)
{
    uint32_t count = atomic_load(&left->count), used = 0;
    bool counts = atomic_load(&left->word) == worker.task.word && atomic_load(&left->slot) == worker.task.slot;
    for (uint32_t i = 0; counts && i < count; i++) {
        const struct cleanup *one = &left->left[i];
        if (atomic_load(&one->function) == 0)
            continue;
        bool whole = one->input_bytes == INPUT && atomic_load(&one->function) == (uintptr_t)never;
        for (uint32_t at = 1; at < INPUT; at++)
            whole = whole && one->input[at] == one->input[0];
        letters[used++] = whole ? (char)one->input[0] : '?';
    }
    letters[used] = '\0';
}

static void look_at_left(const struct trap *at, void *context)
{
    (void)at, (void)context;
    char now[CLEANUPS + 1];
    read_left(now);
    faults += strcmp(now, before) != 0 && strcmp(now, after) != 0;
}

/* Letters are left, '-' takes the last one back. */
static void do_step(void *argument)
{
    char letter = *(const char *)argument, input[INPUT];
    memset(input, letter, sizeof input);
    CHECK_EQ(letter == '-' ? mortal_task_on_death(&worker.task, NULL, NULL, 0)
                           : mortal_task_on_death(&worker.task, never, input, sizeof input), 0);
}

static unsigned faults_of_steps(enum plant bug, const char *steps)
{
    faults = 0;
    read_left(before);
    for (; *steps != '\0'; steps++) {
        size_t length = strlen(before);
        memcpy(after, before, sizeof after);
        after[*steps == '-' ? length - 1 : length] = *steps == '-' ? '\0' : *steps;
        after[length + 1] = '\0';
        planted_bug = bug;
        (void)trap_run(do_step, (void *)(uintptr_t)steps, look_at_left, NULL);
        planted_bug = PLANT_NONE;
        read_left(before);
        CHECK_EQ(strcmp(before, after), 0);
    }
    return faults;
}

static void begin_task(uint32_t slot)
{
    worker.task = (struct mortal_task){.worker = &worker, .slot = slot, .word = word_make(1, SLOT_RUNNING, LIFE, 0)};
}

static void check_cleanups(void)
{
    struct heritage heritage = {.region = r};
    CHECK_EQ(host_prepare(&host, &heritage, (struct host_place){.berth = 0, .life = LIFE, .birth = 1}), 0);
    worker_prepare(&worker, &host, 0);
    worker_settle(&worker);
    left = cleanups_of(&r, LIFE, 0);
    begin_task(4);
    CHECK_EQ(faults_of_steps(PLANT_NONE, "ab-cd--efg"), 0);
    begin_task(5); /* the word is the same: it is the slot's first task too */
    CHECK_EQ(faults_of_steps(PLANT_NONE, "xyz---a"), 0);
    begin_task(6);
    CHECK(faults_of_steps(PLANT_COUNT_BEFORE_CLEANUP, "pqr") != 0);
}

void test(void)
{
    const char *impossible = trap_impossible();
    if (impossible != NULL)
        SKIP(impossible);
    struct limits limits = limits_of(8, 2, 1);
    limits.cells_bytes = 4096;
    region_make(&r, limits, 2);
    check_cells();
    check_cleanups();
    region_destroy(&r);
}
