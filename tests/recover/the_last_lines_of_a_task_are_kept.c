/*
 * The last lines that a task logged, and the last progress, stand in the obituary of its host, oldest first: cut at 160
 * bytes, without the line feed, never a line of a task before it, and never half of one, though the kill falls into
 * the middle of it.
 * Broken by: a line that counts before it is complete, or one that is believed to be this task's because it is there.
 */
#include "tasks.h"

#include <string.h>

static mortal_obituary obituary;

static int earlier(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input, (void)input_bytes;
    for (int i = 0; i < 20; i++)
        mortal_task_log(task, "of an earlier task %d", i);
    mortal_task_progress(task, 1, 2);
    return 0;
}

static int three_lines(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input, (void)input_bytes;
    int written = 0;
    mortal_task_log(task, "%s line\n", "first");
    mortal_task_log(task, "%300d%n", 7, &written);
    const char *volatile none = NULL;
    mortal_task_log(task, none);
    mortal_task_log(task, "%s", "");
    mortal_task_progress(task, 5, 6);
    mortal_task_log(task, "%d written", written);
    abort();
}

static int silent(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)task, (void)input, (void)input_bytes;
    abort();
}

static int many_lines(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input, (void)input_bytes;
    for (int i = 0; i < 1000; i++)
        mortal_task_log(task, "line %d", i);
    abort();
}

/* Each line is of one letter, as long as the letter's number tells. */
static int for_ever(mortal_task *task, const void *input, size_t input_bytes)
{
    word *begun = *(word *const *)input;
    (void)input_bytes;
    for (unsigned i = 0; atomic_load(begun) < 2; i++) {
        char text[161];
        unsigned letter = i % 26, bytes = 20 + letter * 5;
        memset(text, 'a' + (int)letter, bytes);
        text[bytes] = '\0';
        mortal_task_log(task, "%s", text);
        mortal_task_progress(task, i, i + 1u);
        if (i == 30)
            word_set(begun, 1);
    }
    return 0;
}

static void end_of(mortal_pool *pool, mortal_function *function)
{
    mortal_verdict verdict = wait_for(submit(pool, function, NULL, 0));
    CHECK_EQ(verdict.outcome, MORTAL_CRASHED);
    CHECK_OK(mortal_pool_obituary(pool, verdict.obituary, &obituary));
    CHECK_EQ(obituary.has_culprit, 1);
}

static void check_torn(mortal_pool *pool, word *begun)
{
    word_set(begun, 0);
    mortal_future future = submit_at(pool, for_ever, begun);
    mortal_verdict verdict;
    word_await(begun, 1);
    CHECK_OK(mortal_future_kill(future, 0, MORTAL_FOREVER, &verdict));
    CHECK_OK(mortal_pool_obituary(pool, verdict.obituary, &obituary));
    CHECK_EQ(obituary.asked, MORTAL_ASKED_KILL);
    CHECK(obituary.line_count >= 7);
    CHECK_EQ(obituary.total, obituary.done + 1);
    for (unsigned i = 0; i < obituary.line_count; i++) {
        const char *text = obituary.lines[i].text;
        CHECK_EQ(strlen(text), 20u + (unsigned)(text[0] - 'a') * 5);
        CHECK_EQ(strspn(text, (char[]){text[0], '\0'}), strlen(text));
        CHECK(i == 0 || (text[0] - obituary.lines[i - 1].text[0] + 26) % 26 == 1);
        CHECK(obituary.lines[i].at_ns <= obituary.died_ns);
    }
}

void test(void)
{
    word *begun = harness_shared(sizeof *begun);
    mortal_pool *pool = pool_with(1);
    CHECK_EQ(outcome_of(submit(pool, earlier, NULL, 0)), MORTAL_DONE);
    end_of(pool, three_lines);
    CHECK_EQ(obituary.line_count, 4);
    CHECK_STR(obituary.lines[0].text, "first line");
    CHECK_EQ(strlen(obituary.lines[1].text), 160);
    CHECK_EQ(strspn(obituary.lines[1].text, " "), 160);
    CHECK_STR(obituary.lines[2].text, "");
    CHECK_STR(obituary.lines[3].text, "300 written");
    CHECK_EQ(obituary.has_progress, 1);
    CHECK_EQ(obituary.done, 5);
    CHECK_EQ(obituary.total, 6);
    CHECK_EQ(obituary.tasks, 2);

    CHECK_EQ(outcome_of(submit(pool, earlier, NULL, 0)), MORTAL_DONE);
    end_of(pool, silent);
    CHECK_EQ(obituary.line_count, 0);
    CHECK_EQ(obituary.has_progress, 0);

    end_of(pool, many_lines);
    CHECK_EQ(obituary.line_count, 8);
    CHECK_STR(obituary.lines[0].text, "line 992");
    CHECK_STR(obituary.lines[7].text, "line 999");
    for (unsigned i = 0; i < (TEST_LONG ? 2000 : 100); i++)
        check_torn(pool, begun);
    drain(pool);
}
