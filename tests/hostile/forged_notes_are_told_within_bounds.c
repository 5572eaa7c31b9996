/*
 * A task that overwrites its lines, its progress and its backtrace, with values at the edges or with anything, and then
 * crashes or is killed: its obituary can be read, looked at and printed, every length is bounded, every character
 * harmless, no file but a regular one is opened for a name, and nobody else notices.
 * Broken by: a length, a count or an index that is believed; a path that is opened whatever it is; a text without an end.
 */
#include "forge.h"

#include <sys/stat.h>

#include "owner/print.h"
#include "region/notes.h"

enum { ROUNDS = 200, ROUNDS_LONG = 3000 };

static mortal_obituary obituary;
static char text[1u << 18];

static void forge_bytes(void *at, size_t bytes, uint32_t *seed)
{
    for (size_t i = 0; i < bytes; i++)
        ((volatile uint8_t *)at)[i] = (uint8_t)forge_next(seed);
}

static void forge_lines(const struct mortal_task *task, struct notes *notes, uint32_t *seed)
{
    const struct region *r = task->worker->region;
    for (uint32_t i = 0; i < NOTE_LINES; i++) {
        struct note_line *line = &notes->line[i];
        forge_bytes(line, sizeof *line, seed);
        atomic_store(&line->word, task->word);
        line->slot = task->slot;
        line->number = i;
        line->bytes = (uint32_t)forge_value(r, seed);
    }
    atomic_store(&notes->lines, forge_next(seed) % 2 ? NOTE_LINES : (uint32_t)forge_value(r, seed));
    atomic_store(&notes->current, (uint32_t)forge_value(r, seed));
    atomic_store(&notes->progress[0].done, forge_value(r, seed));
}

static void forge_trace(struct trace *trace, const char *path, uint32_t *seed)
{
    forge_bytes(trace, sizeof *trace, seed);
    atomic_store(&trace->module_count, forge_next(seed) % 2 ? 3 : forge_next(seed));
    trace->module_of[0] = 1;
    trace->at = forge_next(seed) % 2 ? trace->frames[0] : trace->at;
    memset(trace->modules[0].path, 0, sizeof trace->modules[0].path);
    strncpy(trace->modules[0].path, path, sizeof trace->modules[0].path - 1);
}

struct plan {
    struct forgery what;
    char fifo[200];
};

static int forge_notes(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input_bytes;
    struct plan plan = *(const struct plan *)input;
    uint32_t seed = plan.what.seed;
    const struct region *r = task->worker->region;
    uint32_t life = task->worker->host->place.life;
    mortal_task_log(task, "genuine");
    forge_lines(task, notes_of(r, life, 0), &seed);
    forge_trace(trace_of(r, life), plan.fifo, &seed);
    mortal_task_log(task, "after");
    mortal_task_progress(task, 1, 2);
    forge_finish(&plan.what);
    abort();
}

static void check_text(bool may_feed)
{
    const char *at = text;
    for (size_t left = strlen(text); left != 0;) {
        size_t length = may_feed && *at == '\n' ? 1 : print_character(at, left);
        CHECK(length != 0);
        at += length;
        left -= length;
    }
}

static void check_obituary(mortal_pool *pool, uint64_t number)
{
    CHECK_OK(mortal_pool_obituary(pool, number, &obituary));
    CHECK(obituary.line_count <= MORTAL_OBITUARY_LINES && obituary.frame_count <= MORTAL_OBITUARY_FRAMES);
    CHECK(obituary.module_count <= MORTAL_OBITUARY_MODULES);
    for (uint32_t i = 0; i < obituary.line_count; i++)
        CHECK(strnlen(obituary.lines[i].text, sizeof obituary.lines[i].text) <= NOTE_BYTES);
    for (uint32_t i = 0; i < obituary.frame_count; i++)
        CHECK(obituary.frames[i].module < (int32_t)obituary.module_count);
    size_t bytes = mortal_obituary_text(&obituary, text, sizeof text);
    CHECK_EQ(bytes, strlen(text));
    check_text(true);
    bytes = mortal_obituary_json(&obituary, text, sizeof text);
    CHECK_EQ(bytes, strlen(text));
    check_text(false);
}

void test(void)
{
    word *done = harness_shared(sizeof *done);
    struct bystanders bystanders = bystanders_make();
    char here[150];
    struct plan plan;
    memset(&plan, 0, sizeof plan);
    CHECK(getcwd(here, sizeof here) != NULL);
    snprintf(plan.fifo, sizeof plan.fifo, "%s/fifo", here);
    CHECK_EQ(mkfifo(plan.fifo, 0600), 0); /* opening it would wait for ever */
    mortal_pool *pool = pool_like((mortal_pool_options){.workers = 2, .held_tasks = 256, .results_bytes = 1 << 16});
    bystanders_begin(&bystanders, pool);
    for (uint32_t round = 1; round <= (TEST_LONG ? ROUNDS_LONG : ROUNDS); round++) {
        word_set(done, 0);
        plan.what = (struct forgery){round * 2654435761u + 1, round % 2, done};
        mortal_future future = submit(pool, forge_notes, &plan, sizeof plan);
        POLL_UNTIL(atomic_load(done) != 0);
        mortal_look look = look_at(future);
        CHECK(look.phase == MORTAL_RUNNING || look.phase == MORTAL_ENDED);
        mortal_verdict verdict;
        CHECK_OK(mortal_future_kill(future, 0, MORTAL_FOREVER, &verdict));
        CHECK(verdict.outcome == MORTAL_KILLED || verdict.outcome == MORTAL_CRASHED);
        check_obituary(pool, verdict.obituary);
        CHECK_EQ(obituary.has_culprit, 1);
        CHECK_OK(mortal_future_release(future));
    }
    CHECK_EQ(unlink(plan.fifo), 0);
    bystanders_end(&bystanders);
    drain(pool);
    CHECK_EQ(harness_children(), 0);
}
