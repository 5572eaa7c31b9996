/*
 * A task that publishes an answer of its own making, with any length and place of the result: the verdict is lost, or
 * what it shows of the result can be read to its end and lies within what a host may return.
 * Broken by: a length or an offset that the owner believes, or reads twice.
 */
#include "forge.h"

enum { ROUNDS = 300, ROUNDS_LONG = 3000 };

struct plan {
    uint32_t seed;
    struct gate *gate;
};

static int forge_answer(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input_bytes;
    const struct plan plan = *(const struct plan *)input;
    uint32_t seed = plan.seed;
    const struct region *r = task->worker->region;
    if (mortal_task_reply(task, "12345678", 8) != 0) /* the cell's page is there */
        return 1;
    uint64_t ended = word_with_phase(task->word, seed % 2 ? SLOT_DONE : SLOT_FAILED);
    *task->cell = (struct cell){.word = ended, .slot = task->slot, .status = (int32_t)forge_next(&seed),
                                .result_bytes = forge_value(r, &seed), .result_offset = forge_value(r, &seed)};
    atomic_store(claim_of(r, task->slot), ended);
    word_add(&plan.gate->arrived, 1);
    word_await(&plan.gate->open, 1);
    _exit(0); /* and not return: the worker would put its own answer there first, and find its claim gone then */
}

void test(void)
{
    unsigned outcomes[16] = {0};
    struct bystanders bystanders = bystanders_make();
    struct gate *gate = gates_make(1);
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 2, .held_tasks = 256, .results_bytes = 1 << 16});
    uint64_t most = stats_of(pool).result_bytes_max;
    bystanders_begin(&bystanders, pool);
    for (uint32_t round = 1; round <= (TEST_LONG ? ROUNDS_LONG : ROUNDS); round++) {
        memset(gate, 0, sizeof *gate);
        struct plan plan = {round * 2654435761u, gate};
        mortal_future future = submit(pool, forge_answer, &plan, sizeof plan);
        word_await(&gate->arrived, 1);
        mortal_verdict verdict = wait_for(future), again = wait_for(future);
        outcomes[read_whole(&verdict)]++;
        CHECK(verdict.result_bytes <= 32 * most);
        CHECK_EQ(memcmp(&verdict, &again, sizeof verdict), 0);
        CHECK_OK(mortal_future_release(future));
        gate_open(gate);
        check_pool_works(pool);
    }
    forge_note(outcomes);
    CHECK(outcomes[MORTAL_LOST] != 0 && outcomes[MORTAL_DONE] != 0 && outcomes[MORTAL_FAILED] != 0);
    bystanders_end(&bystanders);
    drain(pool);
    CHECK_EQ(harness_children(), 0);
}
