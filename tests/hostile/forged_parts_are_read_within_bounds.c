/*
 * A task that writes anything over its own parts, their heads, their place and how much there is of them, while the
 * owner takes some, and then returns, crashes or goes on: each call of the owner ends, tells a part that can be read
 * to its end and is no larger than one can be, or an error; and there is an end to them when the task has ended. Its
 * later starts, and everybody else, have their own.
 * Broken by: a length, a head or a place of a ring that is believed; positions that go around for ever.
 */
#include "forge.h"

#include "region/stream.h"

enum { ROUNDS = 300, ROUNDS_LONG = 4000, STREAM = 4096, MOST = 64 };

struct plan {
    struct forgery what;
    uint32_t round;
};

static void forge_ring(const struct mortal_task *task, uint32_t *seed)
{
    const struct region *r = task->worker->region;
    uint8_t *ring = heap_of(r, task->worker->host->place.life) + task->stream_ring;
    for (unsigned i = 0; i < 40; i++)
        ring[forge_next(seed) % STREAM] = (uint8_t)forge_next(seed);
    struct part_head *head = (void *)ring; /* of the first part, whose mark stays right */
    head->bytes = (uint32_t)forge_value(r, seed);
}

static void forge_cell(const struct mortal_task *task, uint32_t *seed)
{
    const struct region *r = task->worker->region;
    struct cell *cell = task->cell;
    uint64_t head = atomic_load(&cell->stream_head);
    const uint64_t near[] = {head, head + 16, head - 16, head + STREAM, head + 8, 0};
    if (forge_next(seed) % 2)
        atomic_store(&cell->stream_head, forge_next(seed) % 2 ? near[forge_next(seed) % COUNT(near)] : forge_value(r, seed));
    if (forge_next(seed) % 4 == 0)
        atomic_store(&cell->stream_base, forge_value(r, seed));
    if (forge_next(seed) % 4 == 0)
        atomic_store(&cell->stream_ring, (uint32_t)forge_value(r, seed));
    if (forge_next(seed) % 8 == 0)
        atomic_store(&cell->stream_word, forge_value(r, seed));
    if (forge_next(seed) % 4 == 0)
        atomic_store(&cell->stream_wants, forge_next(seed));
}

static int forge_parts(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input_bytes;
    struct plan plan = *(const struct plan *)input;
    uint32_t seed = plan.what.seed;
    char part[MOST] = "part";
    if (mortal_task_attempt(task) > 1) { /* an honest start after that */
        memset(part, 'h', sizeof part);
        return mortal_task_emit(task, part, sizeof part, MORTAL_FOREVER);
    }
    for (unsigned i = 0; i < 10; i++)
        (void)mortal_task_emit(task, part, 1 + forge_next(&seed) % sizeof part, 0);
    for (unsigned i = 0; i < 4; i++) {
        forge_ring(task, &seed);
        forge_cell(task, &seed);
        (void)mortal_task_emit(task, part, sizeof part, 0);
    }
    forge_finish(&plan.what); /* goes on for ever, if told so */
    if (plan.round % 4 == 0)
        abort();
    return 0;
}

static bool is_honest(const mortal_part *part)
{
    return part->attempt == 2 && part->bytes == MOST && ((const char *)part->data)[0] == 'h';
}

/* No more calls than there could be parts of that size in a few rings, and errors between them. */
static void take_all(mortal_future future, unsigned *parts, unsigned *errors, bool *honest)
{
    for (unsigned calls = 0;; calls++) {
        mortal_part part;
        int error = mortal_future_next(future, LIMIT, &part);
        if (error == -ENOENT)
            return;
        CHECK(calls < 20 * STREAM / 16);
        if (error != 0) {
            CHECK_ERR(error, -EBADMSG);
            ++*errors;
            continue;
        }
        CHECK(part.bytes <= STREAM - 16);
        volatile char sum = 0;
        for (size_t i = 0; i < part.bytes; i++)
            sum += ((const char *)part.data)[i];
        ++*parts;
        *honest = *honest || is_honest(&part);
    }
}

void test(void)
{
    word *done = harness_shared(sizeof *done);
    struct bystanders bystanders = bystanders_make();
    unsigned parts = 0, errors = 0, honest_starts = 0, twice = 0;
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 2, .held_tasks = 256, .results_bytes = 1 << 16,
                                                        .stream_bytes = STREAM});
    bystanders_begin(&bystanders, pool);
    for (uint32_t round = 1; round <= (TEST_LONG ? ROUNDS_LONG : ROUNDS); round++) {
        word_set(done, 0);
        struct plan plan = {{round * 2654435761u + 1, round % 3 == 0, done}, round};
        mortal_future future = submit_like(pool, forge_parts, &plan, sizeof plan, (mortal_task_options){.attempts = 2});
        mortal_part part;
        POLL_UNTIL(atomic_load(done) != 0);
        bool honest = false;
        for (unsigned i = 0; i < round % 5; i++)
            honest = (mortal_future_next(future, 0, &part) == 0 && is_honest(&part)) || honest;
        if (plan.what.stays)
            CHECK_EQ(kill(host_of(future), SIGKILL), 0);
        mortal_verdict verdict = wait_for(future);
        take_all(future, &parts, &errors, &honest);
        twice += verdict.outcome == MORTAL_DONE && verdict.attempts == 2;
        honest_starts += honest;
        CHECK_OK(mortal_future_release(future));
    }
    harness_note("%u parts, %u times overwritten, %u of %u second starts", parts, errors, honest_starts, twice);
    CHECK(parts != 0 && errors != 0);
    CHECK_EQ(honest_starts, twice);
    bystanders_end(&bystanders);
    drain(pool);
    CHECK_EQ(harness_children(), 0);
}
