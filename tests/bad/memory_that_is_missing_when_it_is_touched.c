/*
 * Memory that is taken as it is touched, of a lazy buffer, or of results where the pool asks for that, and is missing then:
 * the task ends out of memory, at the page that it touched, and nobody else notices. What is published is there as a whole,
 * so that the program never meets a page that is missing. Where nothing is asked for, it exists when it is asked for.
 * A kernel that lacks the page is feigned by userfaultfd, which raises the same signal.
 * Broken by: a verdict "crashed" for want of memory; holes in results that the program reads; a pool that reserves although
 * it is to be lazy, or is lazy although nobody asked.
 */
#include "tasks.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif

enum { MIB = 1 << 20, ROOM = 16 * MIB, SMALL = 100000, CANNOT = 77 };
enum { WRITES, TOUCHES_NONE, SHRINKS, EMITS, FILLS_A_BUFFER };

struct play {
    int           what;
    bool          lacks; /* from the middle on there is no memory */
    uint32_t      until; /* attempts that lack it */
    mortal_buffer buffer;
    struct gate  *gate; /* null: none */
};

/* From there on every page that does not exist yet is missing. Stays so while this process lives. */
static bool take_away(void *from, size_t bytes)
{
    struct uffdio_api      api = {.api = UFFD_API, .features = UFFD_FEATURE_SIGBUS | UFFD_FEATURE_MISSING_SHMEM};
    struct uffdio_register those = {.range = {.start = (uintptr_t)from, .len = bytes},
                                    .mode = UFFDIO_REGISTER_MODE_MISSING};
    int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);
    return fd >= 0 && ioctl(fd, UFFDIO_API, &api) == 0 && ioctl(fd, UFFDIO_REGISTER, &those) == 0;
}

static int act(mortal_task *task, const struct play *play)
{
    void          *place;
    unsigned char *bytes;
    bool           lacks = play->lacks && mortal_task_attempt(task) <= play->until;
    if (play->what == FILLS_A_BUFFER)
        CHECK_OK(mortal_task_buffer(task, play->buffer, &place, NULL));
    else
        place = mortal_task_result(task, ROOM);
    bytes = place;
    CHECK(bytes != NULL);
    if (lacks && !take_away(bytes + ROOM / 2, ROOM / 2))
        return CANNOT;
    if (play->gate != NULL)
        gate_pass(play->gate);
    switch (play->what) {
    case WRITES:
    case FILLS_A_BUFFER:
        memset(bytes, 7, ROOM);
        return 0;
    case SHRINKS:
        memset(bytes, 7, SMALL);
        CHECK(mortal_task_result(task, SMALL) != NULL);
        return 0;
    case EMITS:
        CHECK_OK(mortal_task_emit(task, "part", 5, 0));
        CHECK(mortal_task_result(task, SMALL) != NULL);
        return 0;
    default:
        return 0;
    }
}

static int perform(mortal_task *task, const void *input, size_t input_bytes)
{
    (void)input_bytes;
    return act(task, input);
}

static mortal_verdict ask(mortal_pool *pool, struct play play, uint32_t attempts, mortal_future *future)
{
    *future = submit_like(pool, perform, &play, sizeof play, (mortal_task_options){.attempts = attempts});
    mortal_verdict verdict = wait_for(*future);
    if (verdict.outcome == MORTAL_FAILED && verdict.status == CANNOT)
        SKIP("userfaultfd is not to be had here");
    return verdict;
}

static void ends_out_of_memory(mortal_pool *pool, struct play play)
{
    mortal_future future;
    char          text[256];
    play.lacks = true;
    play.until = 1;
    mortal_verdict verdict = ask(pool, play, 1, &future);
    CHECK_EQ(verdict.outcome, MORTAL_OUT_OF_MEMORY);
    CHECK_EQ(verdict.cause, MORTAL_CAUSE_SIGNAL);
    CHECK_EQ(verdict.signal, SIGBUS);
    CHECK_EQ(verdict.culprit, 1);
    CHECK(verdict.fault_address != 0);
    CHECK_EQ(verdict.fault_address % (ROOM / 2) % 4096, 0);
    (void)mortal_verdict_text(&verdict, text, sizeof text);
    CHECK(strstr(text, "there was none for a page that it touched") != NULL);
    CHECK_OK(mortal_future_release(future));
    /* It may try again, and have it. */
    verdict = ask(pool, play, 2, &future);
    CHECK_EQ(verdict.outcome, MORTAL_DONE);
    CHECK_EQ(verdict.attempts, 2);
    CHECK_OK(mortal_future_release(future));
}

static void what_is_shrunk_takes_little(mortal_pool *pool)
{
    mortal_future  future;
    uint64_t       before = stats_of(pool).results_used_bytes;
    mortal_verdict verdict = ask(pool, (struct play){.what = SHRINKS}, 1, &future);
    CHECK_EQ(verdict.outcome, MORTAL_DONE);
    CHECK_EQ(verdict.result_bytes, SMALL);
    CHECK_EQ(((const unsigned char *)verdict.result)[SMALL - 1], 7);
    CHECK(stats_of(pool).results_used_bytes - before < MIB);
    CHECK_OK(mortal_future_release(future));
}

static void what_is_published_is_there(mortal_pool *pool)
{
    mortal_future  future;
    mortal_verdict verdict = ask(pool, (struct play){.what = TOUCHES_NONE}, 1, &future);
    CHECK_EQ(verdict.outcome, MORTAL_DONE);
    CHECK_EQ(verdict.result_bytes, ROOM);
    CHECK(stats_of(pool).results_used_bytes >= ROOM);
    CHECK_OK(mortal_future_release(future));
}

/* The library writes to the room for parts, and a call that was given it must not end the task. */
static void parts_do_not_lack_it(void)
{
    mortal_part   part;
    mortal_future future;
    mortal_pool  *pool = pool_like((mortal_pool_options){.workers = 1, .results = MORTAL_RESULTS_LAZY,
                                                         .stream_bytes = 4 * MIB});
    CHECK_EQ(ask(pool, (struct play){.what = EMITS}, 1, &future).outcome, MORTAL_DONE);
    CHECK_OK(mortal_future_next(future, MORTAL_FOREVER, &part));
    CHECK_EQ(part.bytes, 5);
    CHECK(stats_of(pool).results_used_bytes >= 4 * MIB);
    CHECK_OK(mortal_future_release(future));
    drain(pool);
}

static void a_lazy_buffer(mortal_pool *pool)
{
    struct play play = {.what = FILLS_A_BUFFER};
    CHECK_OK(mortal_buffer_open(&play.buffer, pool, ROOM, MORTAL_BUFFER_LAZY));
    ends_out_of_memory(pool, play);
    CHECK_OK(mortal_buffer_close(play.buffer));
}

/* Pages that one task made exist are there for the next one of its host: so each has a pool of its own. */
static mortal_pool *fresh(int32_t results)
{
    return pool_like((mortal_pool_options){.workers = 1, .results = results});
}

/* How much memory results take while a task that asked for ROOM has touched nothing of it. */
static uint64_t taken_when_asked(int32_t results)
{
    struct gate  *gate = gates_make(1);
    mortal_pool  *pool = fresh(results);
    struct play   play = {.what = TOUCHES_NONE, .gate = gate};
    uint64_t      before = stats_of(pool).results_used_bytes;
    mortal_future future = submit(pool, perform, &play, sizeof play);
    word_await(&gate->arrived, 1);
    uint64_t taken = stats_of(pool).results_used_bytes - before;
    gate_open(gate);
    CHECK_EQ(outcome_and_release(future), MORTAL_DONE);
    end(pool);
    return taken;
}

void test(void)
{
    static const int ways[] = {WRITES, TOUCHES_NONE};
    CHECK(taken_when_asked(0) >= ROOM);
    CHECK(taken_when_asked(MORTAL_RESULTS_LAZY) < ROOM / 4);
    for (unsigned i = 0; i < COUNT(ways); i++) {
        mortal_pool *pool = fresh(MORTAL_RESULTS_LAZY);
        ends_out_of_memory(pool, (struct play){.what = ways[i]});
        check_pool_works(pool);
        drain(pool);
    }
    mortal_pool *pool = fresh(MORTAL_RESULTS_LAZY);
    what_is_shrunk_takes_little(pool);
    what_is_published_is_there(pool);
    a_lazy_buffer(pool);
    drain(pool);
    parts_do_not_lack_it();
    pool = fresh(0);
    a_lazy_buffer(pool);
    drain(pool);
}
