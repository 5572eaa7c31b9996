/*
 * Cut after any instruction of an emission, the parts are those before or one more, each whole and in its order, for
 * the owner that looks while the task runs and for the supervisor that notes them after its death; that note, cut at
 * any instruction and made again, is made once. What an earlier start in the same arena left is never taken for a
 * part. The bugs that are planted are caught.
 * Broken by: a head that is moved before the part is complete, a place that counts before it is whole, a note that
 * counts before it is written.
 */
#include "../unit/unit.h"

#include "host/results.h"
#include "host/worker.h"
#include "region/plant.h"
#include "region/recover.h"
#include "region/stream.h"
#include "stage/trap.h"

enum { SLOT = 3, LIFE = 1, GENERATION = 2, STREAM = 256, TURNS = 40 };

static struct region r, copy; /* the copy: what the supervisor may write in has a memory of its own */
static struct host host;
static struct worker worker;
static uint32_t emitted, taken_parts; /* by the calls that returned, and taken by the owner */
static uint64_t taken;
static unsigned faults, looks;

static size_t bytes_of(uint32_t number) { return number % 7 * 9; }
static uint8_t byte_of(uint32_t number, size_t at) { return (uint8_t)(number * 5 + at + 1); }

/* Is it that part, whole? */
static bool is_part(const struct part_place *place, uint32_t number)
{
    bool is_it = part_bytes_of(place) == bytes_of(number);
    for (size_t i = 0; is_it && i < bytes_of(number); i++)
        is_it = byte_of(number, i) == (i < place->first_bytes ? place->first[i] : place->second[i - place->first_bytes]);
    return is_it;
}

/* Parts of a stretch, from that one on; or UINT32_MAX if one of them is not what it should be. */
static uint32_t count_parts(struct stretch s, uint32_t number)
{
    uint32_t count = 0;
    struct part_place place;
    for (; s.from != s.to; count++) {
        if (!stream_part(&r, SLOT, &s, &place) || !is_part(&place, number + count))
            return UINT32_MAX;
        s.from += stream_needs(part_bytes_of(&place));
    }
    return count;
}

static void expect_parts(uint32_t count) { faults += count != emitted - taken_parts && count != emitted + 1 - taken_parts; }

static struct stretch stretch_of(const struct stream_past *past)
{
    return (struct stretch){.word = past->word, .from = past->from, .to = past->to, .ring = (uint64_t)past->ring * HEAP_UNIT};
}

static void copy_region(void)
{
    memcpy(copy.control, r.control, r.g.control_bytes);
}

static void look_at_parts(const struct trap *at, void *context)
{
    (void)at, (void)context;
    struct stretch s;
    bool are_there = stream_stretch(&r, SLOT, worker.task.word, taken, &s);
    faults += s.is_broken;
    expect_parts(are_there ? count_parts(s, taken_parts) : 0);
    copy_region();
    uint32_t before = stream_count(&copy, SLOT, GENERATION);
    stream_bequeath(&copy, SLOT, worker.task.word);
    stream_bequeath(&copy, SLOT, worker.task.word);
    uint32_t notes = stream_count(&copy, SLOT, GENERATION);
    faults += notes - before != are_there;
    if (notes != before)
        expect_parts(count_parts(stretch_of(&stream_pasts_of(&copy, SLOT)->past[(notes - 1) % STREAM_PASTS]), taken_parts));
    looks++;
}

static void emit_next(void *argument)
{
    uint8_t bytes[64];
    uint32_t number = *(const uint32_t *)argument;
    for (size_t i = 0; i < bytes_of(number); i++)
        bytes[i] = byte_of(number, i);
    CHECK_EQ(mortal_task_emit(&worker.task, bytes, bytes_of(number), 0), 0);
}

static void take_some(uint32_t leave)
{
    struct stretch s;
    struct part_place place;
    while (emitted - taken_parts > leave && stream_stretch(&r, SLOT, worker.task.word, taken, &s)) {
        CHECK(stream_part(&r, SLOT, &s, &place));
        taken = s.from + stream_needs(part_bytes_of(&place));
        taken_parts++;
    }
    atomic_store(stream_taken_of(&r, SLOT), stream_taken_word(GENERATION, taken));
}

static void begin_task(void)
{
    results_forget(&host, SLOT);
    worker.task = (struct mortal_task){.worker = &worker, .order = order_of(&r, SLOT), .cell = cell_of(&r, LIFE, SLOT),
                                       .slot = SLOT, .word = word_make(GENERATION, SLOT_RUNNING, LIFE, 0)};
}

static unsigned faults_of_emissions(enum plant bug)
{
    faults = 0;
    for (uint32_t turn = 0; turn < TURNS; turn++) {
        if (turn % 13 == 0) { /* again in the same arena, with the same word: all that was there is taken */
            take_some(0);
            begin_task();
        }
        take_some(turn % 3);
        uint32_t number = emitted;
        planted_bug = bug;
        (void)trap_run(emit_next, &number, look_at_parts, NULL);
        planted_bug = PLANT_NONE;
        emitted++;
    }
    return faults;
}

/* ---- the supervisor's note ------------------------------------------------------------------------------------- */

static void note(void *argument)
{
    (void)argument;
    stream_bequeath(&r, SLOT, worker.task.word);
}

static struct region again; /* of a note that was cut, which somebody else makes again */

static void note_again(const struct trap *at, void *context)
{
    (void)at;
    memcpy(again.control, r.control, r.g.control_bytes);
    uint32_t before = *(const uint32_t *)context, count = stream_count(&again, SLOT, GENERATION);
    faults += count != before && count != before + 1;
    stream_bequeath(&again, SLOT, worker.task.word);
    count = stream_count(&again, SLOT, GENERATION);
    faults += count != before + 1;
    const struct stream_past *past = &stream_pasts_of(&again, SLOT)->past[before % STREAM_PASTS];
    faults += count_parts(stretch_of(past), taken_parts) != emitted - taken_parts;
}

static void check_notes(void)
{
    for (uint32_t before = 0; before < 2 * STREAM_PASTS; before++) {
        take_some(0);
        begin_task();
        for (uint32_t i = 0; i < 3; i++, emitted++)
            emit_next(&emitted);
        CHECK_EQ(stream_count(&r, SLOT, GENERATION), before);
        (void)trap_run(note, NULL, note_again, &before);
        CHECK_EQ(stream_count(&r, SLOT, GENERATION), before + 1);
        worker.task.has_parts = false; /* its host is dead */
    }
    CHECK_EQ(faults, 0);
}

static void *map_of(uint64_t bytes)
{
    void *map = memory_private(bytes);
    CHECK(map != NULL);
    return map;
}

void test(void)
{
    const char *impossible = trap_impossible();
    if (impossible != NULL)
        SKIP(impossible);
    struct limits limits = limits_of(8, 1, 1);
    limits.stream_bytes = STREAM;
    region_make(&r, limits, 2);
    copy = again = r;
    copy.control = map_of(r.g.control_bytes);
    again.control = map_of(r.g.control_bytes);
    struct heritage heritage = {.region = r};
    CHECK_EQ(host_prepare(&host, &heritage, (struct host_place){.berth = 0, .life = LIFE, .birth = 1}), 0);
    worker_prepare(&worker, &host, 0);
    worker_settle(&worker);
    CHECK_EQ(faults_of_emissions(PLANT_NONE), 0);
    CHECK(faults_of_emissions(PLANT_HEAD_FIRST) != 0);
    faults = 0;
    check_notes();
    harness_note("looked at parts after %u instructions", looks);
    memory_unmap(copy.control, r.g.control_bytes);
    memory_unmap(again.control, r.g.control_bytes);
    region_destroy(&r);
}
